using System.Globalization;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Selection;

namespace Pristine.Tests.Selection;

public class IssueTests
{
    public static TheoryData<string> Names => [.. Issue.All.Select(issue => issue.Name)];

    private static IEnumerable<Issue> WithRules => Issue.All.Where(issue => !issue.ComparesImages);

    [Fact]
    public void Names_are_words_and_each_is_there_once()
    {
        Assert.All(Issue.All, issue => Assert.Matches("^[a-z][a-z0-9_]*$", issue.Name));
        Assert.Equal(Issue.All.Count, Issue.All.Select(issue => issue.Name).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_issue_says_what_it_is_why_its_threshold_is_so_and_what_was_measured(string name)
    {
        var issue = Issue.Get(name);
        Assert.All([issue.Summary, issue.Reason, issue.Calibration], text => Assert.False(string.IsNullOrWhiteSpace(text)));
        if (issue.ComparesImages)
            return;
        Assert.NotEmpty(Rule.Parse(issue.AnyRule).Columns);
        Assert.Equal(issue.Threshold != null, issue.Template.Contains("{0}", StringComparison.Ordinal));
    }

    /// <summary>The network was trained on 224 x 224 to 512 x 512 pixels; what is much smaller looks damaged to it.</summary>
    [Theory]
    [InlineData(512, 512, 0.71, true)]
    [InlineData(3000, 2000, 0.71, true)]
    [InlineData(3000, 2000, 0.69, false)]
    [InlineData(256, 256, 0.71, true)]
    [InlineData(128, 128, 0.71, true)]
    [InlineData(200, 90, 0.71, true)]
    [InlineData(127, 128, 1, false)]
    public void Images_that_are_very_small_are_not_called_damaged(int width, int height, double score, bool isDamaged)
    {
        using var database = DuckDbConnection.Open();
        Assert.Equal(isDamaged ? 1 : 0, database.QueryInt64(string.Create(
            CultureInfo.InvariantCulture,
            $"SELECT count(*) FROM (SELECT {width} AS width, {height} AS height, {score} AS \"pristine@damage\") WHERE " +
            $"{Issue.Get("damaged").Rule(0.7)}")));
        Assert.Equal(("pristine@damage", true), Issue.Get("damaged").Limit);
    }

    [Fact]
    public void An_issue_is_short_for_a_rule_with_its_threshold()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, [.. Enumerable.Range(0, 10).Select(i => SmallTable.Row(i, 10 * i))]);
        var issue = Issue.Get("low_quality");
        Assert.Equal("0 1 2 3 4 5 6", table.Kept(new SelectionOptions { DropIssues = [issue] }));
        Assert.Equal(
            table.Kept(new SelectionOptions { Drop = ["brisque > 30"] }),
            table.Kept(
                new SelectionOptions { DropIssues = [issue], IssueThresholds = new Dictionary<string, double> { ["low_quality"] = 30 } }));
        using var run = SelectionRun.Run(table, new SelectionOptions
        {
            Keep = ["brisque >= 10"],
            DropIssues = [
            issue]
        }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["brisque > 65"], run.Options.Drop);
        Assert.Equal(["fails not (brisque > 65)", "fails brisque >= 10"], run.Reasons.Select(reason => reason.Reason));
        Assert.Equal(["brisque"], new SelectionOptions { DropIssues = [issue] }.Parse().Metrics.Select(metric => metric.Name));
    }

    [Fact]
    public void Odd_sizes_lie_beyond_the_quartiles_of_the_table()
    {
        using var folder = TestFiles.NewFolder();
        // Heights are 480: square roots of the areas are sqrt(480 * side).
        int[] sides = [480, 500, 520, 540, 560, 580, 600, 620, 5000, 20];
        var table = SmallTable.Make(folder, [.. sides.Select((side, i) => SmallTable.Row(i, 10, side: side))]);
        var sizes = sides.Select(side => Math.Sqrt(480.0 * side)).Order().ToArray();
        double Quartile(double share) =>
            sizes[(int)(share * 9)] + (((share * 9) % 1) * (sizes[(int)(share * 9) + 1] - sizes[(int)(share * 9)]));
        var (low, high) = (Quartile(0.25), Quartile(0.75));
        var rule = IssueRules.Of(table, new IssueOptions { Issues = [Issue.Get("odd_size")] })[0].Rule;
        Assert.Equal(
            string.Create(
                CultureInfo.InvariantCulture,
                $"not (sqrt(width * height) between {Math.Floor(low - (3 * (high - low)))} and {Math.Ceiling(high + (3 * (high - low)))})"),
                    rule);
        Assert.Equal("0 1 2 3 4 5 6 7", table.Kept(new SelectionOptions { DropIssues = [Issue.Get("odd_size")] }));
    }

    [Fact]
    public void A_table_whose_images_have_one_size_has_no_odd_size()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, [.. Enumerable.Range(0, 5).Select(i => SmallTable.Row(i, 10, side: 481))]);
        Assert.Equal("0 1 2 3 4", table.Kept(new SelectionOptions { DropIssues = [Issue.Get("odd_size")] }));
    }

    [Fact]
    public void A_name_that_is_none_is_told_with_the_nearest() =>
        Assert.Contains("Did you mean blurry", Assert.Throws<RuleException>(() => Issue.Get("blury")).Message, StringComparison.Ordinal);

    [Fact]
    public void Metrics_of_all_issues_are_metrics_of_this_library() =>
        Assert.All(WithRules.SelectMany(issue => issue.Metrics), metric => Assert.Same(MetricCatalog.Get(metric.Name), metric));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_page_shows_the_rule_and_its_reason(string name)
    {
        var issue = Issue.Get(name);
        var rule = issue.Kind switch
        {
            IssueKind.Copies => "`--dedup exact`",
            IssueKind.NearCopies => "`--dedup near:4`",
            IssueKind.Sizes => name == "odd_size" ? "see below" : "as `odd_size`",
            _ => $"`{(issue.Threshold is { } threshold ? issue.Rule(threshold) : issue.Template)}`",
        };
        Assert.Contains(
            $"| `{name}` | {issue.Summary} | {rule} | {issue.Reason} |", File.ReadAllLines(TestFiles.InRepository("docs", "check.md")));
    }
}
