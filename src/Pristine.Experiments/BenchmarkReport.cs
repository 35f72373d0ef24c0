using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Pages;
using Pristine.Scoring;
using Pristine.Tables;
using static Pristine.Experiments.ResultFiles;

namespace Pristine.Experiments;

/// <summary>
/// Writes the result of a benchmark: <c>bench.md</c> and <c>bench.html</c> for people, <c>bench.json</c> with every number in full, and
/// <c>images.csv</c> with the scores of each image, from which all of it can be computed again.
/// </summary>
public sealed class BenchmarkReport
{
    private readonly ResultPage _page;
    private readonly JsonObject _data;
    private readonly string _images;

    private BenchmarkReport(ResultPage page, JsonObject data, string images) => (_page, _data, _images) = (page, data, images);

    /// <summary>Makes the report of a comparison with people.</summary>
    /// <param name="result">The comparison.</param>
    public static BenchmarkReport Of(OpinionResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var metrics = result.Metrics.Select(metric => metric.Metric).ToArray();
        var source = Path.GetFileName(result.Opinions.Source);
        var scale = result.Opinions.Direction == OpinionDirection.LowerIsBetter
            ? "differential opinion scores (DMOS), lower is better"
            : "mean opinion scores (MOS), higher is better";
        var page = new ResultPage(
            $"Agreement with people: {result.Opinions.Dataset ?? source}",
            $"{result.Rows.Count} images with {scale}, from {source}. Scores and opinions are turned so that higher is better: 1 is " +
            $"perfect agreement, 0 none, " +
            $"below 0 the opposite. {Intervals(result.Bootstrap)}{Failures(result.Rows)}",
            [
                new ResultSection(
                    "Metrics",
                    "SRCC and KRCC compare the order of the images (Spearman, Kendall's tau-b), PLCC the values (Pearson): as they are, " +
                    "and after the 4-parameter logistic " +
                    "curve of VQEG, which turns a score into an opinion. RMSE is the typical error of that opinion, in its own unit. " +
                    "Images/s is one thread, from file to score.",
                    new PageTable(
                        ["metric", "images", "SRCC", "PLCC after logistic", "PLCC", "KRCC", "RMSE after logistic", "images/s"],
                        [
                            .. result.Metrics.Select(metric => (string[])
                            [
                                metric.Metric.Name, Count(metric.Images), InText(metric.Spearman), InText(metric.FittedPearson),
                                InText(metric.Pearson), InText(metric.Kendall), InText(metric.FittedError), Speed(metric.ImagesPerSecond),
                            ]),
                        ]),
                    new IntervalChart("SRCC", Math.Min(0, Math.Floor(result.Metrics.Min(metric => Least(metric.Spearman)) * 4) / 4), 1, [
                        .. result.Metrics.Select(metric => (metric.Metric.Name, InChart(metric.Spearman)))])),
                AgreementSection(metrics, result.Agreement),
            ]);
        return new BenchmarkReport(
            page,
            new JsonObject
            {
                ["benchmark"] = "opinions",
                ["labels"] = source,
                ["dataset"] = result.Opinions.Dataset,
                ["direction"] = result.Opinions.Direction == OpinionDirection.LowerIsBetter ? "lower_is_better" : "higher_is_better",
                ["images"] = result.Rows.Count,
                ["provenance"] = Provenance(result.Bootstrap),
                ["metrics"] = List(result.Metrics.Select(metric => new JsonObject
                {
                    ["metric"] = Identity(metric.Metric),
                    ["images"] = metric.Images,
                    ["srcc"] = InFull(metric.Spearman),
                    ["plcc_logistic"] = InFull(metric.FittedPearson),
                    ["plcc"] = InFull(metric.Pearson),
                    ["krcc"] = InFull(metric.Kendall),
                    ["rmse_logistic"] = InFull(metric.FittedError),
                    ["logistic"] = new JsonObject
                    {
                        ["b1"] = Finite(metric.Curve.Upper),
                        ["b2"] = Finite(metric.Curve.Lower),
                        ["b3"] = Finite(metric.Curve.Centre),
                        ["b4"] = Finite(metric.Curve.Width),
                    },
                    ["images_per_second"] = Finite(metric.ImagesPerSecond),
                })),
                ["agreement_srcc"] = Matrix(result.Agreement),
            },
            Images(metrics, result.Rows, ["opinion"], row => [Exact(result.Opinions.Scores[row].Value)]));
    }

    /// <summary>Makes the report of a search for degraded images.</summary>
    /// <param name="result">The comparison.</param>
    public static BenchmarkReport Of(DetectionResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var metrics = result.Metrics.Select(metric => metric.Metric).ToArray();
        var degraded = result.Entries.Count(entry => entry.Degradation != null);
        var page = new ResultPage(
            "Finding degraded images",
            $"{degraded} degraded images among {result.Entries.Count}, from {Path.GetFileName(result.Log)}. Every metric flags its worst " +
            $"images, as many as were degraded. " +
            $"{Intervals(result.Bootstrap)}{Failures(result.Rows)}",
            [
                new ResultSection(
                    "Metrics",
                    "AUC: the chance that a degraded image scores worse than one left as it was; 0.5 is guessing, 1 perfect. Recall: how " +
                    "many of the degraded images are flagged. " +
                    "Precision: how many of the flagged images were degraded. Images/s is one thread, from file to score.",
                    new PageTable(
                        ["metric", "images", "AUC", "recall", "precision", "flagged", "images/s"],
                        [
                            .. result.Metrics.Select(metric => (string[])
                            [
                                metric.Metric.Name, Count(metric.Images), InText(metric.AreaUnderRoc), InText(metric.Recall),
                                InText(metric.Precision), Count(metric.Flagged), Speed(metric.ImagesPerSecond),
                            ]),
                        ]),
                    new IntervalChart(
                        "AUC", 0, 1, [.. result.Metrics.Select(metric => (metric.Metric.Name, InChart(metric.AreaUnderRoc)))])),
                PartSection(
                    "AUC by kind and level", "The chance that such an image scores worse than one left as it was.", result, part =>
                        part.AreaUnderRoc),
                PartSection("Recall by kind and level", "The share of such images that is flagged.", result, part => part.Recall),
                PartSection(
                    "Precision by kind and level",
                    "Of the flagged images that are such or were left as they were, the share of such: small where there are few of the " +
                    "kind.", result, part => part.Precision),
                AgreementSection(metrics, result.Agreement),
            ]);
        return new BenchmarkReport(
            page,
            new JsonObject
            {
                ["benchmark"] = "degraded",
                ["log"] = Path.GetFileName(result.Log),
                ["images"] = result.Entries.Count,
                ["degraded"] = degraded,
                ["provenance"] = Provenance(result.Bootstrap),
                ["metrics"] = List(result.Metrics.Select(metric => new JsonObject
                {
                    ["metric"] = Identity(metric.Metric),
                    ["images"] = metric.Images,
                    ["flagged"] = metric.Flagged,
                    ["auc"] = InFull(metric.AreaUnderRoc),
                    ["recall"] = InFull(metric.Recall),
                    ["precision"] = InFull(metric.Precision),
                    ["parts"] = List(metric.Parts.Select(part => new JsonObject
                    {
                        ["kind"] = Kind(part),
                        ["level"] = part.Level,
                        ["degraded"] = part.Degraded,
                        ["auc"] = Finite(part.AreaUnderRoc),
                        ["recall"] = Finite(part.Recall),
                        ["precision"] = Finite(part.Precision),
                    })),
                    ["images_per_second"] = Finite(metric.ImagesPerSecond),
                })),
                ["agreement_srcc"] = Matrix(result.Agreement),
            },
            Images(metrics, result.Rows, ["kind", "level"], row => result.Entries[row].Degradation is { } done ? [
                DegradationDefinition.Get(done.Kind).Name, Count(done.Level)] : ["", ""]));
    }

    /// <summary>The report as Markdown.</summary>
    public string ToMarkdown() => _page.ToMarkdown();

    /// <summary>The report as one HTML file that loads nothing.</summary>
    public string ToHtml() => _page.ToHtml();

    /// <summary>Every number in full; what does not exist is null.</summary>
    public string ToJson() => ResultFiles.ToJson(_data);

    /// <summary>Checks, before the work, that <see cref="Write"/> will find its place.</summary>
    /// <param name="folder">The folder; made if it does not exist.</param>
    /// <exception cref="DatasetException">It cannot be written to.</exception>
    public static void CheckPlace(string folder) => OutputPlace.CheckFolder(folder, "bench.md", "bench.html", "bench.json", "images.csv");

    /// <summary>
    /// Writes <c>bench.md</c>, <c>bench.html</c>, <c>bench.json</c> and <c>images.csv</c>; files of these names are replaced.
    /// </summary>
    /// <param name="folder">The folder; made if it does not exist.</param>
    /// <exception cref="DatasetException">A file cannot be written.</exception>
    public void Write(string folder) =>
        ResultFiles.Write(folder, ("bench.md", ToMarkdown()), ("bench.html", ToHtml()), ("bench.json", ToJson()), ("images.csv", _images));

    private static ResultSection AgreementSection(Metric[] metrics, IReadOnlyList<IReadOnlyList<double>> agreement) => new(
        "Agreement among metrics",
        "SRCC of each pair: metrics that agree closely tell the same thing twice.",
        new PageTable(
            ["", .. metrics.Select(metric => metric.Name)],
            [.. metrics.Select((metric, row) => (string[])[metric.Name, .. agreement[row].Select(value => ResultPage.Number(value))])]));

    private static ResultSection PartSection(string heading, string text, DetectionResult result, Func<DetectionPart, double> value)
    {
        // A metric that scored none of a part's images lacks it.
        var parts = result.Metrics.SelectMany(metric => metric.Parts).Select(part => (part.Kind, part.Level)).Distinct()
            .OrderBy(part => part.Kind).ThenBy(part => part.Level ?? 0).ToArray();
        var degradations = result.Entries.Where(entry => entry.Degradation != null).Select(entry => entry.Degradation!.Value).ToArray();
        int ImagesOf((DegradationKind? Kind, int? Level) part) =>
            degradations.Count(done => done.Kind == part.Kind && (part.Level == null || done.Level == part.Level));
        // One image says nothing of its kind.
        var shown = parts.Where(part => ImagesOf(part) > 1).ToArray();
        var leftOut = parts.Length - shown.Length;
        return new ResultSection(
            heading,
            leftOut == 0 ? text : $"{text} {Count(leftOut)} {(leftOut == 1 ? "row" : "rows")} of a single image " +
                $"{(leftOut == 1 ? "is" : "are")} left out; bench.json has them all.",
            new PageTable(
                ["kind", "level", "images", .. result.Metrics.Select(metric => metric.Metric.Name)],
                [
                    .. shown.Select(part => (string[])
                    [
                        DegradationDefinition.Get(part.Kind!.Value).Name,
                        part.Level is { } level ? Count(level) : "all",
                        Count(ImagesOf(part)),
                        .. result.Metrics.Select(metric => metric.Parts.FirstOrDefault(
                            other => (other.Kind, other.Level) == part) is { } found ? ResultPage.Number(value(found), 2) : "–"),
                    ]),
                ]));
    }

    private static string Intervals(BootstrapOptions bootstrap) => string.Create(
        CultureInfo.InvariantCulture,
        $"Ranges in brackets hold the true value with {100 * bootstrap.Confidence:0.##} % confidence (bootstrap, {bootstrap.Resamples} " +
        $"resamples, seed {bootstrap.Seed}).");

    private static string Failures(IReadOnlyList<ScoreRow> rows)
    {
        var failed = rows.Where(row => row.Status != ImageStatus.Ok).GroupBy(row => row.Status).OrderBy(group => group.Key).ToArray();
        return failed.Length == 0
            ? ""
            : $" Not scored by every metric: {string.Join(", ", failed.Select(group => $"{Count(group.Count())} {group.Key.Name()}"))}.";
    }

    private static string Images(Metric[] metrics, IReadOnlyList<ScoreRow> rows, string[] labels, Func<int, string[]> values)
    {
        var csv = new StringBuilder().AppendJoin(',', ["image", .. labels, "status", .. metrics.Select(metric => metric.Name)])
            .Append('\n');
        for (var i = 0; i < rows.Count; i++)
        {
            var scores = rows[i].Scores.ToArray().Select(score => double.IsNaN(score) ? "" : Exact(score));
            csv.AppendJoin(',', ((string[])[rows[i].Image!, .. values(i), rows[i].Status.Name(), .. scores]).Select(CsvRowWriter.Quoted))
                .Append('\n');
        }
        return csv.ToString();
    }

    private static JsonObject Provenance(BootstrapOptions bootstrap) => new()
    {
        ["program"] = ResultFiles.Program,
        ["decoder"] = ImageDecoder.Description,
        ["bootstrap"] = new JsonObject
        {
            ["resamples"] = bootstrap.Resamples,
            ["confidence"] = bootstrap.Confidence,
            ["seed"] = bootstrap.Seed,
        },
    };

    private static JsonObject Identity(Metric metric) => new()
    {
        ["name"] = metric.Name,
        ["version"] = metric.Version,
        ["model_sha256"] = metric.ModelSha256,
        ["direction"] = metric.Direction switch
        {
            MetricDirection.LowerIsBetter => "lower_is_better",
            MetricDirection.HigherIsBetter => "higher_is_better",
            _ => "none, taken as higher is better",
        },
    };

    private static JsonArray Matrix(IReadOnlyList<IReadOnlyList<double>> matrix) => List(matrix.Select(List));

    private static string? Kind(DetectionPart part) => part.Kind is { } kind ? DegradationDefinition.Get(kind).Name : null;

    private static double Least(Estimate estimate) => double.IsNaN(estimate.Interval.Low) ? 0 : estimate.Interval.Low;

    private static string Speed(double imagesPerSecond) => ResultPage.Number(imagesPerSecond, imagesPerSecond >= 10 ? 0 : 2);

    private static string Count(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
