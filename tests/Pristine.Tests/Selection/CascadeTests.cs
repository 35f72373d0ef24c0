using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;
using Pristine.Tests.Models;

namespace Pristine.Tests.Selection;

public class CascadeTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>Items with one image, two, none, a missing one, a tiny one, and a line that is no record.</summary>
    private static Dataset Mixed(TemporaryFolder folder)
    {
        var photos = Directory.GetFiles(Photos, "*.jpg").Order(StringComparer.Ordinal).Where((_, i) => i % 3 == 1).ToArray();
        File.WriteAllBytes(folder["tiny.png"], Media.TestImages.Png(8, 8));
        static string Line(string id, int turns, params string[] images) =>
            $"{{\"id\": \"{id}\", \"images\": [{string.Join(", ", images.Select(image => $"\"{image}\""))}], \"source\": " +
            $"\"{(turns > 2 ? "chat" : "coco")}\",{(images.Length > 1 ? " \"rating\": 3," : "")} \"conversations\": " +
            $"[{string.Join(", ", Enumerable.Repeat("[\"q\", \"a\"]", turns))}]}}";
        File.WriteAllLines(
            folder["data.jsonl"],
            photos.Select((photo, i) => Line($"one-{i}", 1 + (i % 3), photo))
                .Concat(photos.Take(6).Select((photo, i) => Line($"two-{i}", 2, photo, photos[^(i + 1)])))
                .Concat([Line("text", 1), Line("lost", 1, folder["lost.jpg"]), Line("tiny", 1, folder["tiny.png"]), Line(
                    "tiny too", 1, photos[1], folder["tiny.png"]), "{ no record"]));
        return Dataset.Open(folder["data.jsonl"]);
    }

    private static (string[] Ledger, long Skipped) Select(
        Dataset dataset, string table, SelectionOptions options, IReadOnlyList<ScoringGate> gates,
        IReadOnlyList<ItemGate>? itemGates = null)
    {
        var scoring = new ScoringOptions { Metrics = options.Parse().Metrics, Gates = gates, ItemGates = itemGates ?? [], Workers = 2 };
        var skipped = ScoreTableRun.Score(dataset, table, scoring, cancellation: TestContext.Current.CancellationToken)
            .Sum(item => item.Rows.Count(row => row.Skipped != null));
        using var run = SelectionRun.Run(
            ScoreTable.Open(table), options, openDataset: () => dataset, cancellation: TestContext.Current.CancellationToken);
        using (var ledger = new LedgerWriter($"{table}.jsonl"))
            ledger.Write(run);
        return (File.ReadAllLines($"{table}.jsonl"), skipped);
    }

    public static TheoryData<string, SelectionOptions> Selections { get; } = new()
    {
        { "two rules", new() { Keep = ["brightness <= 0.45", "entropy >= 7"] } },
        { "keep and drop", new() { Keep = ["brightness <= 0.45"], Drop = ["entropy < 7", "contrast > 0.25"] } },
        { "the best of what passes, by a score that is skipped", new() { Keep = ["brightness <= 0.5"], Top = TopShare.Parse(
            "50%"), By = "entropy" } },
        { "percentiles within a value", new() { Keep = ["brightness <= 0.5", "contrast > 0.1"], Between = PercentileRange.Parse(
            "p10..p80"), By = "entropy", Per = "format", Limit = 9 } },
        { "an ensemble", new() { Keep = ["brightness <= 0.5", "score > 3.6"], Score = "0.5 * entropy + contrast", Top = TopShare.Parse(
            "10"), By = "score" } },
        { "best image", new() { Keep = ["brightness <= 0.4", "entropy >= 7"], Images = ImagePolicy.Best } },
        { "best image by a score that is never skipped", new() { Keep = [
            "brightness <= 0.4", "entropy >= 7"], Images = ImagePolicy.Best, Top = TopShare.Parse("5"), By = "brightness" } },
        { "rules on the record", new() { Keep = [
            "item.source = 'coco'", "turns <= 2", "brightness <= 0.5", "image ilike '%.JPG'", "entropy >= 7"] } },
        { "a size, then a metric that tiny images do not have", new() { Keep = ["min_side >= 256", "resnet50@biq2021 >= 0.5"] } },
        { "a metric that tiny images do not have, then another", new() { Keep = ["resnet50@biq2021 >= 0.5", "entropy >= 7"] } },
        { "a missing score that is allowed", new() { Keep = [
            "resnet50@biq2021 >= 0.5 or resnet50@biq2021 is null", "entropy <= 7 or status = 'too_small'"] } },
        { "statuses", new() { Keep = ["brightness <= 0.5", "status = 'ok'", "resnet50@biq2021 >= 0.5", "entropy > 7"] } },
        { "a status that only the last metric gives", new() { Keep = [
            "brightness <= 2", "status = 'too_small'", "resnet50@biq2021 is null"] } },
        { "an error", new() { Keep = ["error is null or brightness > 1", "brightness <= 0.5", "resnet50@biq2021 > 0.5"] } },
    };

    [Theory]
    [Trait("kind", "long")]
    [MemberData(nameof(Selections))]
    public void Skipping_changes_neither_what_is_kept_nor_the_ledger(string name, SelectionOptions options)
    {
        InstalledNetwork.Require(ModelStore.Default.Folder);
        using var folder = TestFiles.NewFolder();
        var dataset = Mixed(folder);
        var whole = Select(dataset, folder["whole"], options, []);
        var gated = Select(dataset, folder["gated"], options, Cascade.Of(options.Parse()));
        Assert.Equal(0, whole.Skipped);
        Assert.Equal(whole.Ledger.Select(WithoutStatus), gated.Ledger.Select(WithoutStatus));
        if (!name.StartsWith("a status", StringComparison.Ordinal) && name != "an error")
            Assert.True(gated.Skipped > 0, name);
    }

    /// <summary>A tiny image that fails an earlier rule has not been found too small for a later metric.</summary>
    private static string WithoutStatus(string line) =>
        line.Contains("\"id\":\"tiny", StringComparison.Ordinal)
        ? line.Replace("\"status\":\"too_small\"", "\"status\":\"ok\"", StringComparison.Ordinal)
        : line;

    [Theory]
    [InlineData("item.source = 'coco'", "brightness <= 0.5")]
    [InlineData("brightness <= 0.5 and turns <= 2", "entropy >= 7")]
    [InlineData("not (brightness > 0.5 or item.source ilike 'CHA_')", "item.rating is null and word_count > 3")]
    [InlineData("lower(id) like 'two%' and has_image", "entropy >= 7 or turns = 1")]
    [InlineData("item.rating = 3", "brightness <= 0.5")]
    public void Rules_on_the_record_are_judged_before_an_image_is_opened(string first, string second)
    {
        using var folder = TestFiles.NewFolder();
        var dataset = Mixed(folder);
        var options = new SelectionOptions { Keep = [first, second] };
        var whole = Select(dataset, folder["whole"], options, []);
        var gated = Select(dataset, folder["gated"], options, [], Cascade.OfItems(options.Parse()));
        Assert.Equal(0, whole.Skipped);
        Assert.True(gated.Skipped > 0);
        static string Status(string line) => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("status").GetString()!;
        foreach (var (expected, found) in whole.Ledger.Zip(gated.Ledger))
            Assert.Equal(Status(found) == "skipped" ? expected.Replace(
                $"\"{Status(expected)}\"", "\"skipped\"", StringComparison.Ordinal) : expected, found);
        // A run without the rules opens what was left, and nothing else.
        Select(dataset, folder["gated"], new SelectionOptions { Keep = [second] }, []);
        string[] Rows(string table)
        {
            ScoreTable.Open(folder[table]).Export(folder[$"{table}.rows"], "jsonl");
            return File.ReadAllLines(folder[$"{table}.rows"]);
        }
        Assert.Equal(Rows("whole"), Rows("gated"));
        // Scores that are there stay.
        Assert.Equal(0, Select(dataset, folder["whole"], options, [], Cascade.OfItems(options.Parse())).Skipped);
        Assert.Equal(Rows("gated"), Rows("whole"));
    }

    [Theory]
    [InlineData(ImagePolicy.Mean, null, "the mean of several images needs all of their scores")]
    [InlineData(ImagePolicy.Best, "entropy", "by which the best image of an item is found")]
    [InlineData(ImagePolicy.Best, "score", "Expected every image to have entropy")]
    public void Where_skipping_could_change_what_is_kept_it_is_refused(ImagePolicy images, string? by, string message)
    {
        var options = new SelectionOptions
        {
            Keep = ["brightness < 0.5", "contrast > 0.1"],
            Images = images,
            By = by,
            Top = by == null ? null : TopShare.Parse("5"),
            Score = "entropy + brightness",
        };
        Assert.Contains(message, Assert.Throws<RuleException>(() => Cascade.Of(options.Parse())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status = 'ok'", "found status")]
    [InlineData("brisque < 40 or item.source = 'x'", "found item.source")]
    [InlineData("brisk < 40", "There is no column 'brisk'")]
    public void A_rule_that_cannot_be_judged_while_scoring_is_refused(string rule, string message) =>
        Assert.Contains(message, Assert.Throws<RuleException>(() => Cascade.Of([rule])).Message, StringComparison.Ordinal);

    [Fact]
    public void The_metrics_of_a_rule_are_computed_and_the_first_rule_that_fails_is_named()
    {
        var options = new ScoringOptions
        {
            Metrics = [MetricCatalog.Get("entropy")],
            Gates = Cascade.Of(["brightness <= 0.45 and min_side >= 100", "not contrast > 0.2"]),
            Workers = 2,
        };
        Assert.Equal("entropy brightness min_side contrast", string.Join(' ', options.AllMetrics.Select(metric => metric.Name)));
        var rows = ScoringRun.Score(Dataset.Open(Photos), options, cancellation: TestContext.Current.CancellationToken)
            .SelectMany(item => item.Rows).Where(row => !row.Failed).ToArray();
        foreach (var row in rows)
        {
            var (brightness, contrast) = (row.Scores.Span[1], row.Scores.Span[3]);
            var reason = brightness > (double)0.45f
                ? FormattableString.Invariant($"brightness {brightness:0.####} fails brightness <= 0.45")
                : contrast > (double)0.2f ? FormattableString.Invariant($"contrast {contrast:0.####} fails not contrast > 0.2")
                : null;
            Assert.Equal(reason == null ? null : double.IsNaN(
                contrast) ? $"entropy: {reason}; contrast: {reason}" : $"entropy: {reason}", row.Skipped?.ToString());
        }
        Assert.Equal(3, rows.Select(row => row.Skipped?.Count ?? 0).Distinct().Count());
    }

    [Fact]
    public void A_selection_by_a_skipped_score_says_that_and_why_it_was_skipped()
    {
        using var folder = TestFiles.NewFolder();
        var skipped = SkippedScores.Of(["resnet50@biq2021"], "brisque 71.2 fails brisque <= 60");
        ScoreRow Row(long item, double brisque, double resnet) =>
            SmallTable.Row(
                item, brisque) with
            { Scores = new[] { (double)(float)brisque, resnet }, Skipped = double.IsNaN(resnet) ? skipped : null };
        var table = SmallTable.Make(folder, [MetricCatalog.Get("brisque"), MetricCatalog.Get("resnet50@biq2021")], Row(0, 20, 0.5), Row(
            1, 71.2, double.NaN), Row(2, 30, 0.25));
        foreach (var (options, column) in ((SelectionOptions, string)[])
        [
            (new() { Keep = ["resnet50@biq2021 >= 0.4"] }, "resnet50@biq2021"),
            (new() { Drop = ["resnet50@biq2021_quality < 0.4"] }, "resnet50@biq2021_quality"),
            (new() { Keep = ["brisque < 80 and 2 * resnet50@biq2021 > brisque / 1000"] }, "2 * resnet50@biq2021"),
            (new() { Keep = ["score > 0.01"], Score = "resnet50@biq2021 / brisque" }, "score"),
            (new() { Top = TopShare.Parse("9"), By = "resnet50@biq2021" }, "resnet50@biq2021"),
            (new() { Between = PercentileRange.Parse("p0..p100"), By = "resnet50@biq2021" }, "resnet50@biq2021"),
        ])
        {
            using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal($"missing score {column}: skipped, brisque 71.2 fails brisque <= 60", run.Entries().ElementAt(1).Reason);
            Assert.Contains(new ReasonCount($"missing score {column} (skipped)", 1), run.Reasons);
            var why = Explanation.Of(run, "i1").Single().Images.Single();
            Assert.Equal(["resnet50@biq2021"], why.SkippedMetrics);
            Assert.All(why.Rules, rule => Assert.Equal("brisque 71.2 fails brisque <= 60", rule.Skipped));
        }
        // A score that is missing for another reason is not said to be skipped.
        using var other = SelectionRun.Run(
            table, new SelectionOptions { Keep = ["1 / (brisque - brisque) > 1"] }, cancellation: TestContext.Current.CancellationToken);
        Assert.All(other.Reasons, reason => Assert.DoesNotContain("skipped", reason.Reason, StringComparison.Ordinal));
        Assert.Equal("1", table.Kept(new SelectionOptions { Keep = ["skipped is not null"] }));
    }
}
