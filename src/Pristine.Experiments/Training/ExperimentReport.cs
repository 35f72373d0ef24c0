using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Pages;
using static Pristine.Experiments.ResultFiles;

namespace Pristine.Experiments.Training;

/// <summary>
/// An experiment for people to read: a page that says first, in plain words, whether filtering helped, then shows it, then gives every
/// number; the same as Markdown; and as JSON.
/// </summary>
public sealed class ExperimentReport
{
    private const double Level = 0.05;

    /// <summary>Below this one image is more than a point, as large as the differences that filters make.</summary>
    private const int FewTestImages = 100;

    private readonly ExperimentResult _result;
    private readonly ConditionResult _everything;
    private readonly ConditionResult[] _selections;
    private readonly ConditionResult[] _controls;
    private readonly ConditionResult? _oracle;
    private readonly ResultPage _page;

    /// <summary>Makes the report.</summary>
    /// <param name="result">The experiment.</param>
    public ExperimentReport(ExperimentResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        _result = result;
        _everything = result.Conditions[0];
        _selections = [.. result.Conditions.Where(condition => condition.Kind == ConditionKind.Selection)];
        _oracle = result.Conditions.FirstOrDefault(condition => condition.Kind == ConditionKind.Oracle);
        // Selections that keep as many images have the same control: it is shown once.
        _controls =
        [
            .. result.Conditions.Where(condition => condition.Kind == ConditionKind.Random)
                .DistinctBy(condition => string.Join(' ', condition.Cells.Select(cell => cell.TrainingImages)))
                .OrderByDescending(condition => condition.TrainingImages),
        ];
        _page = new ResultPage(
            $"Does filtering help? {Path.GetFileName(Path.TrimEndingDirectorySeparator(result.Source))}",
            Introduction(),
            [.. new ResultSection?[] { Verdict(), AccuracyChart(), DifferenceChart(), Accuracies(), Tests(), Degraded(), ClassBalance(),
                Reading() }.OfType<ResultSection>()]);
    }

    /// <summary>The report as Markdown.</summary>
    public string ToMarkdown() => _page.ToMarkdown();

    /// <summary>The report as one HTML file that loads nothing.</summary>
    public string ToHtml() => _page.ToHtml();

    /// <summary>Every number in full; what does not exist is null.</summary>
    public string ToJson() => ResultFiles.ToJson(Data());

    /// <summary>Checks, before the work, that <see cref="Write"/> will find its place.</summary>
    /// <param name="folder">The folder; made if it does not exist.</param>
    /// <exception cref="DatasetException">It cannot be written to.</exception>
    public static void CheckPlace(string folder) => OutputPlace.CheckFolder(folder, "experiment.md", "experiment.html", "experiment.json");

    /// <summary>
    /// Writes <c>experiment.md</c>, <c>experiment.html</c> and <c>experiment.json</c>; files of these names are replaced.
    /// </summary>
    /// <param name="folder">The folder; made if it does not exist.</param>
    /// <exception cref="DatasetException">A file cannot be written.</exception>
    public void Write(string folder) =>
        ResultFiles.Write(folder, ("experiment.md", ToMarkdown()), ("experiment.html", ToHtml()), ("experiment.json", ToJson()));

    /// <summary>The table of accuracies alone, in aligned columns for a terminal.</summary>
    public string ToTable() => Accuracies().Table!.ToText();

    /// <summary>The answer in plain words, a sentence per point.</summary>
    public IReadOnlyList<string> Answer() => Verdict().Points!;

    private string Introduction()
    {
        var seeds = _result.Seeds.Count;
        var training = _everything.TrainingImages;
        var unusable = _result.Unusable.Count == 0
            ? ""
            : $" {Count(_result.Unusable.Count)} images could not be used and are left out of everything.";
        return $"The same model was trained on every training image, on what each rule keeps of them, and on as many images drawn at " +
            $"random; "
            + $"the accuracy is the share of {Count(_result.TestImages)} test images, never filtered, whose class (one of " +
            $"{_result.Classes.Count}) it finds. "
            + $"{seeds} {(seeds == 1 ? "seed" : "seeds")}, about {Number(training, 0)} training images " +
            $"each{(_result.HasParts ? "" : ", test images drawn by seed")}.{unusable}";
    }

    private ResultSection Verdict()
    {
        var points = new List<string>();
        var better = _selections.Where(selection => IsBetter(selection.WithRandom)).ToArray();
        var worse = _selections.Where(selection => IsWorse(selection.WithRandom)).ToArray();
        var tested = _selections.Count(selection => !double.IsNaN(selection.WithRandom!.AdjustedProbability));
        points.Add($"Trained on everything, the model finds the class of {Percent(_everything.Accuracy.Value)} of the test images.");
        if (_result.TestImages < FewTestImages)
            points.Add(
                $"There are only {Count(_result.TestImages)} test images, so that a single one is {Points(1.0 / _result.TestImages)} " +
                $"points: take what follows as an example of how it looks, not as an answer.");
        if (tested == 0)
            points.Add("Nothing can be tested: that needs at least two seeds, and models that differ between them.");
        if (better.Length > 0)
        {
            var best = better.MaxBy(selection => selection.WithRandom!.Difference.Value)!;
            points.Add(
                $"{Some(better.Length, "selection")} beat{(better.Length == 1 ? "s" : "")} as many images drawn at random, beyond " +
                $"chance: {Names(better)}. "
                + $"Largest: {best.Name}, {Points(best.WithRandom!.Difference.Value)} points more than random{Caveat(best.WithRandom!)}.");
        }
        if (worse.Length > 0)
            points.Add(
                $"{Some(worse.Length, "selection")} {(worse.Length == 1 ? "is" : "are")} worse than as many images drawn at random, " +
                $"beyond chance: {Names(worse)}. Filtering like this harms here.");
        if (tested > 0 && better.Length == 0)
        {
            points.Add($"No selection is better than as many images drawn at random, as far as {_result.Seeds.Count} seeds can tell.");
            points.AddRange(WhyNot());
        }
        else if (tested > better.Length + worse.Length)
            points.Add(
                $"For the other {tested - better.Length - worse.Length} of {tested} selections no difference from random can be seen: " +
                $"chance alone could have made it.");
        var beyondEverything = _selections.Where(selection => IsBetter(selection.WithEverything)).ToArray();
        var belowEverything = _selections.Where(selection => IsWorse(selection.WithEverything)).ToArray();
        if (beyondEverything.Length > 0)
            points.Add($"Better than training on everything, beyond chance: {Names(beyondEverything)}.");
        if (belowEverything.Length > 0)
            points.Add($"Worse than training on everything, beyond chance: {Names(belowEverything)}.");
        if (tested > 0 && beyondEverything.Length + belowEverything.Length < tested
            && _selections.Where(selection => selection.WithEverything!.Difference is { Value: > -0.01, Interval.High: >= 0 }
            && selection.Share < 1).MinBy(selection => selection.Share) is { } smallest)
        {
            points.Add(
                $"Cheapest without a visible loss: {smallest.Name} trains on {Percent(smallest.Share)} of the images " +
                $"({Percent(1 - smallest.Share)} less to store and to go through) "
                + $"and differs from everything by {Signed(smallest.WithEverything!.Difference.Value)} points " +
                $"({Signed(smallest.WithEverything.Difference.Interval.Low)} to " +
                $"{Signed(smallest.WithEverything.Difference.Interval.High)}).");
        }
        return new ResultSection("In short", "", Points: points);
    }

    /// <summary>What the numbers say of the reason why nothing helped.</summary>
    private IEnumerable<string> WhyNot()
    {
        var smallest = _controls.MinBy(condition => condition.Share)!;
        var loss = _everything.Accuracy.Value - smallest.Accuracy.Value;
        yield return $"{(Math.Abs(loss) < 0.02 ? "Why: the model hardly notices which images it gets. With" : "With")} " +
            $"{Percent(smallest.Share)} of them, drawn at random, its accuracy {(loss >= 0 ? "falls" : "rises")} by " +
            $"{Points(Math.Abs(loss))} points.";
        if (_oracle?.WithRandom is { } oracle && _selections.MinBy(selection => selection.DegradedShare) is { } cleanest)
        {
            var gains = oracle.Difference.Interval.Low > 0;
            yield return $"Of everything {Percent(_everything.DegradedShare)} is degraded, of what {cleanest.Name} keeps " +
                $"{Percent(cleanest.DegradedShare)}. Without a single degraded image, as the log tells them, "
                + $"the accuracy differs from random by {Signed(oracle.Difference.Value)} points " +
                $"({Signed(oracle.Difference.Interval.Low)} to {Signed(oracle.Difference.Interval.High)}): "
                + (gains
                ? "that much a metric that found them all would gain."
                : "this model copes with them, and even a metric that found them all would gain nothing that can be seen.");
        }
        if (LargestShift() is { } shift && Math.Abs(shift.Change) >= 0.03)
            yield return $"Selecting also changes the mix of classes: {shift.Selection.Name} moves the share of '{shift.Class}' by " +
                $"{Points(shift.Change, signed: true)} points.";
    }

    private (ConditionResult Selection, string Class, double Change)? LargestShift()
    {
        var shifts = _selections.Where(selection => selection.TrainingImages > 0)
            .SelectMany(selection => _result.Classes.Select((label, i) =>
            (Selection: selection, Class: label,
            Change: selection.TrainingImagesByClass[i] / selection.TrainingImages
                - _everything.TrainingImagesByClass[i] / _everything.TrainingImages))).ToArray();
        return shifts.Length == 0 ? null : shifts.MaxBy(shift => Math.Abs(shift.Change));
    }

    private ResultSection? AccuracyChart()
    {
        // Rules of one metric with several thresholds, and shares of one metric, are a line each; other rules have a point of their own.
        var lines = _selections.Concat(_oracle == null ? [] : [_oracle]).GroupBy(Family)
            .Select(group => new ChartLine(group.Key, false, [.. group.Select(Point)])).ToList();
        lines.Add(new ChartLine("drawn at random", true, [.. _controls.Select(Point)]));
        var reversed = _result.Conditions.Where(condition => condition.Kind == ConditionKind.Reverse).GroupBy(Family);
        lines.AddRange(reversed.Select(group => new ChartLine($"opposite: {group.Key}", false, [.. group.Select(Point)])));
        return new ResultSection(
            "Accuracy and how much is kept",
            "A line above the grey one: this way of choosing keeps better images than chance does. A line that stays level to the right: " +
            "images can be left out without harm. Bars are 95 % intervals over seeds: where two overlap widely, the difference may be " +
            "chance.",
            Chart: new LineChart(
                "Accuracy of the model over the share of the training images that is kept",
                "training images kept, % (everything on the left)", "accuracy, %",
                lines, ("everything", 100 * _everything.Accuracy.Value)));

        static (double, ChartValue) Point(ConditionResult condition) => (100 * condition.Share, InChart(Scaled(condition.Accuracy, 100)));
    }

    private ResultSection? DifferenceChart()
    {
        var differences = _selections.Concat(_oracle == null ? [] : [_oracle])
            .Select(selection => (selection.Name, Scaled(selection.WithRandom!.Difference, 100))).ToArray();
        var ends = differences.SelectMany(
            difference => new[] { difference.Item2.Value, difference.Item2.Interval.Low, difference.Item2.Interval.High })
                .Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(1).Max();
        // A round number, so that the ticks at its half are too.
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(ends, 0.1))));
        var limit = new[] { 1, 2, 4, 10 }.Select(factor => factor * power).First(limit => limit >= ends);
        return new ResultSection(
            "Better than chance?",
            "Points of accuracy that a selection has more (right) or less (left) than as many images drawn at random. An interval that " +
            "crosses zero: it may be chance. Where many selections are compared, one that just misses zero may be chance too: the " +
            "verdict below allows for that.",
            Chart: new IntervalChart("difference from random, points of accuracy", -limit, limit, [
                .. differences.Select(difference => (difference.Name, InChart(difference.Item2)))]));
    }

    private ResultSection Accuracies() => new(
        "Every condition",
        "Accuracy in %, with its 95 % interval over seeds; differences in points.",
        new PageTable(
            ["trained on", "images", "kept, %", "accuracy, %", "minus everything", "minus random", "verdict"],
            [
                .. _result.Conditions.Where(condition => condition.Kind != ConditionKind.Random).Concat(_controls)
                    .Select(condition => (string[])
                [
                    condition.Kind == ConditionKind.Random ? $"random {Percent(condition.Share)}" : condition.Name,
                    Number(condition.TrainingImages, 0),
                    Number(100 * condition.Share, 1),
                    WithInterval(Scaled(condition.Accuracy, 100)),
                    condition.WithEverything is { } all ? Signed(all.Difference.Value) : "",
                    condition.WithRandom is { } random ? Signed(random.Difference.Value) : "",
                    condition.Kind == ConditionKind.Selection ? Judgement(condition.WithRandom!) : "",
                ]),
            ]));

    private ResultSection Tests() => new(
        "The tests in full",
        "Differences in points with their 95 % intervals over seeds; p of the paired t-test over seeds, and after Holm's adjustment for " +
        "the number of selections. The last column draws the test images again instead: what another test set of the same kind could show.",
        new PageTable(
            ["selection", "compared with", "difference", "p", "p adjusted", "over test images"],
            [
                .. _result.Conditions.Where(condition => condition.Kind != ConditionKind.Random)
                    .SelectMany(
                        condition =>
                            new[] { (condition.Name, "everything", condition.WithEverything),
                            (condition.Name, "random", condition.WithRandom) })
                    .Where(row => row.Item3 != null)
                    .Select(row => (string[])
                    [
                        row.Name,
                        row.Item2,
                        WithInterval(Scaled(row.Item3!.Difference, 100), signed: true),
                        Probability(row.Item3.Probability),
                        Probability(row.Item3.AdjustedProbability),
                        double.IsNaN(row.Item3.OverTestImages.Low)
                            ? "–"
                            : $"{Signed(row.Item3.OverTestImages.Low)} to {Signed(row.Item3.OverTestImages.High)}",
                    ]),
            ]));

    private ResultSection? Degraded() => double.IsNaN(_everything.DegradedShare) ? null : new ResultSection(
        "Degraded images among those trained on",
        "From the log of the degradation: how clean each selection is. Drawn at random, the share stays what it is in everything. 'All " +
        "but the degraded' is what a metric could reach that found every one of them.",
        new PageTable(
            ["trained on", "degraded, %"],
            [.. _result.Conditions.Where(condition => condition.Kind != ConditionKind.Random)
                .Select(condition => (string[])[condition.Name, Number(100 * condition.DegradedShare, 1)])]));

    private ResultSection ClassBalance() => new(
        "Class balance",
        "Share of each class among the training images, in %: a selection that drops one class more than others changes what the model " +
        "learns, whatever the quality of its images.",
        new PageTable(
            ["trained on", .. _result.Classes],
            [
                .. _result.Conditions.Where(condition => condition.Kind != ConditionKind.Random).Select(condition => (string[])
                [
                    condition.Name,
                    .. condition.TrainingImagesByClass.Select(count => Number(100 * count / condition.TrainingImages, 1)),
                ]),
            ]));

    private ResultSection Reading() => new(
        "How to read this, and how it was made",
        "",
        Points:
        [
            "Accuracy: of 100 test images, how many are put into the right class. A point is one image in 100.",
            "Drawn at random: as many images as the selection keeps, without looking at them. A selection that is only as good as this " +
            "saves images, but not because it knows good ones from bad ones.",
            "95 % interval: if everything were drawn again with other seeds, the mean would lie in it 95 times of 100. It is about seeds: "
                + (_result.HasParts
                    ? $"each trains on {Percent(_result.Split.TrainShare ?? TrainingSplit.DefaultTrainShare)} of the training images, " +
                    $"drawn for each class, and is tested on the same images. "
                    : "each divides the images anew. ")
                + "Seeds share most of their images, so another dataset can differ more than the interval says; the intervals over test " +
                "images say how much another test set could.",
            "p: how often chance alone would show a difference at least as large. Beyond chance means that p, adjusted for the number of " +
            "selections, is below 0.05.",
            $"Model: {_result.Trainer}. Every condition has the same budget; {Count(_result.ValidationImages)} validation images, the " +
            $"same for all, choose settings.",
        ]);

    private string Judgement(ConditionComparison random) =>
        double.IsNaN(random.AdjustedProbability) ? "cannot be tested"
        : IsBetter(random) ? "better than random"
        : IsWorse(random) ? "worse than random"
        : "like random";

    private static string Caveat(ConditionComparison comparison) =>
        double.IsNaN(comparison.OverTestImages.Low) ? "" : comparison.OverTestImages.Low > 0
            ? $", and also when the test images are drawn again ({Signed(comparison.OverTestImages.Low)} to " +
            $"{Signed(comparison.OverTestImages.High)})"
            : $"; with other test images of the same kind it could be gone ({Signed(comparison.OverTestImages.Low)} to " +
            $"{Signed(comparison.OverTestImages.High)})";

    private static bool IsBetter(ConditionComparison? comparison) => comparison is { AdjustedProbability: < Level, Difference.Value: > 0 };

    private static bool IsWorse(ConditionComparison? comparison) => comparison is { AdjustedProbability: < Level, Difference.Value: < 0 };

    private static string Family(ConditionResult condition) =>
        condition.Selection == null ? condition.Name : condition.Selection.By?.Name ?? condition.Selection.Name;

    private static string Names(IEnumerable<ConditionResult> conditions) =>
        string.Join("; ", conditions.Select(condition => condition.Name));

    private static string Some(int count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    private static Estimate Scaled(Estimate estimate, double factor) =>
        new(factor * estimate.Value, new(factor * estimate.Interval.Low, factor * estimate.Interval.High));

    private static string WithInterval(Estimate percent, bool signed = false)
    {
        string Text(double value) => signed ? SignedNumber(value) : Number(value, 2);
        return double.IsNaN(percent.Value) ? "–"
            : double.IsNaN(percent.Interval.Low) ? Text(percent.Value)
            : $"{Text(percent.Value)} ({Text(percent.Interval.Low)} to {Text(percent.Interval.High)})";
    }

    private static string Number(double value, int decimals) => ResultPage.Number(value, decimals);

    private static string Count(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => $"{Number(100 * share, 1)} %";

    private static string Points(double share, bool signed = false) => signed ? Signed(share) : Number(100 * share, 2);

    private static string Signed(double share) => SignedNumber(100 * share);

    private static string SignedNumber(double value) =>
        double.IsNaN(value) ? "–" : value.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture);

    private static string Probability(double value) => double.IsNaN(value) ? "–" : value < 0.0001 ? "<0.0001" : Number(value, 4);

    private JsonObject Data() => new()
    {
        ["experiment"] = Path.GetFileName(Path.TrimEndingDirectorySeparator(_result.Source)),
        ["answer"] = List(Answer()),
        ["provenance"] = new JsonObject
        {
            ["program"] = ResultFiles.Program,
            ["decoder"] = ImageDecoder.Description,
            ["metrics"] = List(_selections.SelectMany(selection => selection.Selection!.Metrics).Distinct().Select(
                metric => new JsonObject { ["name"] = metric.Name, ["version"] = metric.Version, ["model_sha256"] = metric.ModelSha256 })),
            ["trainer"] = _result.Trainer,
        },
        ["classes"] = List(_result.Classes),
        ["images"] = _result.Images,
        ["test_images"] = _result.TestImages,
        ["validation_images"] = _result.ValidationImages,
        ["parts_given"] = _result.HasParts,
        ["split"] = new JsonObject
        {
            ["test_share"] = _result.Split.TestShare,
            ["validation_share"] = _result.Split.ValidationShare,
            ["train_share"] = _result.Split.TrainShare,
        },
        ["unusable"] = List(_result.Unusable.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(
            pair => new JsonObject { ["image"] = pair.Key, ["error"] = pair.Value })),
        ["seeds"] = List(_result.Seeds.Select(seed => (JsonNode)seed)),
        ["confidence"] = _result.Confidence,
        ["conditions"] = List(_result.Conditions.Select(Data)),
    };

    private static JsonObject Data(ConditionResult condition) => new()
    {
        ["name"] = condition.Name,
        ["kind"] = condition.Kind.ToString().ToLowerInvariant(),
        ["selection"] = condition.Selection?.Name,
        ["share"] = condition.Share,
        ["training_images"] = condition.TrainingImages,
        ["training_images_by_class"] = List(condition.TrainingImagesByClass),
        ["degraded_share"] = Finite(condition.DegradedShare),
        ["accuracy"] = InFull(condition.Accuracy),
        ["with_everything"] = Data(condition.WithEverything),
        ["with_random"] = Data(condition.WithRandom),
        ["seeds"] = List(condition.Cells.Select(cell => new JsonObject
        {
            ["seed"] = cell.Seed,
            ["training_images"] = cell.TrainingImages,
            ["degraded_images"] = cell.DegradedImages,
            ["accuracy"] = Finite(cell.Accuracy),
            ["metrics"] = cell.Outcome is { } outcome
                ? new JsonObject(outcome.Metrics.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Finite(pair.Value))))
                : null,
        })),
    };

    private static JsonObject? Data(ConditionComparison? comparison) => comparison == null ? null : new()
    {
        ["difference"] = InFull(comparison.Difference),
        ["p"] = Finite(comparison.Probability),
        ["p_adjusted"] = Finite(comparison.AdjustedProbability),
        ["over_test_images"] = new JsonObject
        {
            ["low"] = Finite(comparison.OverTestImages.Low),
            ["high"] = Finite(comparison.OverTestImages.High),
        },
    };
}
