using System.Text.Json;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Reports;
using Pristine.Selection;
using Pristine.Tests.Selection;

namespace Pristine.Tests.Reports;

public class DatasetCheckTests
{
    private static CheckOptions For(params string[] names) => new() { Issues = new IssueOptions { Issues = [.. names.Select(Issue.Get)] } };

    private static FoundIssue Only(CheckResult result) => Assert.Single(result.Issues);

    [Fact]
    public void Counts_shares_and_examples_the_worst_first()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder,
        [
            .. Enumerable.Range(0, 8).Select(i => SmallTable.Row(i, 10 * i)),
            SmallTable.Row(8, 0, status: ImageStatus.Truncated), SmallTable.Row(9, 0, status: ImageStatus.NoImage), SmallTable.Row(10, 90),
        ]);
        var result = table.Check(For("low_quality", "truncated", "missing"), TestContext.Current.CancellationToken);
        Assert.Equal((10, 3), (result.Images, result.WithIssue));
        Assert.Equal((2, 1), (result.Issues[0].Count, result.Issues[0].NotJudged));
        Assert.Equal(["f/10-0.jpg", "f/7-0.jpg"], result.Issues[0].Examples.Select(example => example.Image));
        Assert.Equal([90.0, 70.0], result.Issues[0].Examples.Select(example => example.Value!.Value));
        Assert.Equal((1, 0), (result.Issues[1].Count, result.Issues[1].NotJudged));
        Assert.Equal(0, result.Issues[2].Count);
        Assert.Empty(result.Issues[2].Examples);
    }

    [Fact]
    public void What_an_issue_cannot_judge_is_counted_apart()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, [MetricCatalog.Get("pristine@damage"), MetricCatalog.Get("sharpness")],
        [
            SmallTable.Row(0, 0.9), SmallTable.Row(1, 0.1), SmallTable.Row(2, 0.9, side: 30), SmallTable.Row(3, 0.1, side: 30),
            SmallTable.Row(4, double.NaN, side: 30), SmallTable.Row(5, 0, status: ImageStatus.Truncated),
        ]);
        var result = table.Check(For("damaged", "missing"), TestContext.Current.CancellationToken);
        // Of sizes 640 x 480 and 30 x 480.
        Assert.Equal((1, 1, 3), (result.Issues[0].Count, result.Issues[0].NotJudged, result.Issues[0].OutOfScope));
        Assert.Equal((0, 0, 0), (result.Issues[1].Count, result.Issues[1].NotJudged, result.Issues[1].OutOfScope));
        using var json = JsonDocument.Parse(result.ToJson());
        Assert.Equal(3, json.RootElement.GetProperty("issues")[0].GetProperty("out_of_scope").GetInt32());
        Assert.Equal("1 2 3 4", table.Kept(new SelectionOptions { DropIssues = [Issue.Get("damaged")] }));
    }

    [Fact]
    public void Texts_have_issues_of_their_own_with_and_without_images()
    {
        using var folder = TestFiles.NewFolder();
        var repeated = string.Concat(Enumerable.Repeat("all work and no play ", 20));
        File.WriteAllLines(folder["data.jsonl"],
        [
            """{"id": "r0", "text": "a text of some words"}""", """{"id": "r1", "text": ""}""", """{"id": "r2", "text": "ab"}""",
            $$"""{"id": "r3", "text": "{{repeated}}"}""", """{"id": "r4", "text": "a text of some words"}""",
            """{"id": "r5", "text": "  \n "}""", """{"id": "r6", "text": ""}""",
            """{"id": "r7", "conversations": [{"from": "human", "value": "<image>\nWhat is this, here?"}]}""",
        ]);
        string[] names = ["empty_text", "short_text", "repetitive_text", "text_duplicates", "token_mismatch"];
        var issues = names.Select(Issue.Get).ToArray();
        _ = Pristine.Scoring.ScoreTableRun.Score(
            Pristine.Datasets.Dataset.Open(folder["data.jsonl"]), folder["table"],
            new Pristine.Scoring.ScoringOptions { Metrics = DatasetCheck.Metrics(issues) },
            cancellation: TestContext.Current.CancellationToken).Count();
        var table = Pristine.Tables.ScoreTable.Open(folder["table"]);
        var result = table.Check(For(names), TestContext.Current.CancellationToken);
        Assert.Equal((0, 8, 8, 7), (result.Images, result.Texts, result.WithoutImage, result.WithIssue));
        Assert.Equal(
            ["r1, r5, r6", "r2", "r3", "r4", "r7"],
            result.Issues.Select(found => string.Join(", ", found.Examples.Select(example => example.Id))));
        Assert.All(result.Issues, found => Assert.Equal((found.Examples.Count, 0), (found.Count, found.NotJudged)));
        // The same names drop the same records.
        foreach (var (issue, kept) in issues.Zip(
            (string[])["0 2 3 4 7", "0 1 3 4 5 6 7", "0 1 2 4 5 6 7", "0 1 2 3 5 6 7", "0 1 2 3 4 5 6"]))
            Assert.Equal(kept, table.Kept(new SelectionOptions { DropIssues = [issue] }));
        Assert.Equal("0", table.Kept(new SelectionOptions { DropIssues = issues }));
        // Of issues of both kinds, those of what is not there are left out.
        var all = table.Check(new CheckOptions { Issues = new IssueOptions { Issues = [.. issues, Issue.Get("missing")] } },
            TestContext.Current.CancellationToken);
        Assert.Null(all.Find("missing"));
        Assert.Equal("no item has an image", Only(table.Check(For("missing"), TestContext.Current.CancellationToken)).Obstacle);
    }

    [Fact]
    public void A_copy_has_the_bytes_of_an_earlier_image_of_another_name()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder,
        [
            SmallTable.Row(0, 1) with { ContentHash = "a", Image = "z.jpg" }, SmallTable.Row(1, 1) with
            {
                ContentHash = "a",
                Image = "z.jpg",
            },
            SmallTable.Row(2, 1) with { ContentHash = "a", Image = "b.jpg" }, SmallTable.Row(3, 1) with
            {
                ContentHash = "c",
                Image = "c.jpg",
            },
            SmallTable.Row(4, 1) with { ContentHash = null, Image = "d.jpg" }, SmallTable.Row(5, 1) with
            {
                ContentHash = null,
                Image = "e.jpg",
            },
        ]);
        var found = Only(table.Check(For("duplicates"), TestContext.Current.CancellationToken));
        Assert.Equal((1, 0), (found.Count, found.NotJudged));
        Assert.Equal("b.jpg", found.Examples[0].Image);
        Assert.Equal((null, "exact"), (found.Rule.Rule, found.Rule.Dedup!.ToString()));
        Assert.Equal("0 3 4 5", table.Kept(new SelectionOptions { DropIssues = [Issue.Get("duplicates")] }));
    }

    [Fact]
    public void An_issue_whose_metric_the_table_lacks_is_not_looked_for_and_says_so()
    {
        using var folder = TestFiles.NewFolder();
        var result = SmallTable.Make(folder, SmallTable.Row(0, 99))
            .Check(For("dark", "low_quality"), TestContext.Current.CancellationToken);
        Assert.Equal("the table has no luma_p95", result.Find("dark")!.Obstacle);
        Assert.Equal(1, result.Find("low_quality")!.Count);
        Assert.Null(result.Find("flat"));
    }

    [Fact]
    public void A_table_without_rows_has_no_issues()
    {
        using var folder = TestFiles.NewFolder();
        var result = SmallTable.Make(folder).Check(For("low_quality", "odd_size", "duplicates"), TestContext.Current.CancellationToken);
        Assert.Equal((0, 0), (result.Images, result.WithIssue));
        Assert.Contains("\"share\": 0", result.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_JSON_holds_the_rule_with_the_threshold_that_was_set()
    {
        using var folder = TestFiles.NewFolder();
        var options = new CheckOptions
        {
            Issues = new IssueOptions
            {
                Issues = [Issue.Get("low_quality")],
                Thresholds = new Dictionary<string,
                double>
                { ["low_quality"] = 12.5 },
            },
        };
        using var json = JsonDocument.Parse(
            SmallTable.Make(folder, SmallTable.Row(0, 13)).Check(options, TestContext.Current.CancellationToken).ToJson());
        var issue = json.RootElement.GetProperty("issues")[0];
        Assert.Equal("brisque > 12.5", issue.GetProperty("rule").GetString());
        Assert.Equal((1, 12.5), (issue.GetProperty("count").GetInt64(), issue.GetProperty("threshold").GetDouble()));
    }
}
