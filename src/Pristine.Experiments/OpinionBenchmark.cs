using System.Globalization;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Experiments;

/// <summary>A statistic and the interval in which it lies.</summary>
/// <param name="Value">The statistic of all images.</param>
/// <param name="Interval">Its bootstrap confidence interval.</param>
public readonly record struct Estimate(double Value, ConfidenceInterval Interval);

/// <summary>
/// How well one metric agrees with people. Scores and opinions are turned so that higher is better: 1 is perfect agreement.
/// </summary>
public sealed record OpinionAgreement
{
    /// <summary>The metric.</summary>
    public required Metric Metric { get; init; }

    /// <summary>Images that it scored.</summary>
    public required int Images { get; init; }

    /// <summary>Spearman's rank correlation, SRCC.</summary>
    public required Estimate Spearman { get; init; }

    /// <summary>Kendall's tau-b, KRCC.</summary>
    public required Estimate Kendall { get; init; }

    /// <summary>Pearson's correlation of the scores as they are, PLCC.</summary>
    public required Estimate Pearson { get; init; }

    /// <summary>Pearson's correlation after <see cref="Curve"/>, as papers report PLCC.</summary>
    public required Estimate FittedPearson { get; init; }

    /// <summary>Root mean squared error after <see cref="Curve"/>, in the unit of the opinions.</summary>
    public required Estimate FittedError { get; init; }

    /// <summary>The logistic curve from the metric's (turned) score to the (turned) opinion.</summary>
    public required LogisticCurve Curve { get; init; }

    /// <summary>Images per second on one thread, decoding included; NaN when it was not measured.</summary>
    public required double ImagesPerSecond { get; init; }
}

/// <summary>The result of an <see cref="OpinionBenchmark"/>.</summary>
public sealed record OpinionResult
{
    /// <summary>The opinions.</summary>
    public required OpinionScores Opinions { get; init; }

    /// <summary>One row per image of the label file, in its order.</summary>
    public required IReadOnlyList<ScoreRow> Rows { get; init; }

    /// <summary>One entry per metric, in the order of the options.</summary>
    public required IReadOnlyList<OpinionAgreement> Metrics { get; init; }

    /// <summary>Spearman's correlation of every pair of metrics.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Agreement { get; init; }

    /// <summary>How the intervals were made.</summary>
    public required BootstrapOptions Bootstrap { get; init; }
}

/// <summary>Compares metrics with the opinions of people.</summary>
public static class OpinionBenchmark
{
    /// <summary>One image has no order.</summary>
    private const int LeastImages = 2;

    /// <summary>Scores the images of a label file and compares.</summary>
    /// <param name="opinions">What people said.</param>
    /// <param name="folder">The folder of the images; see <c>docs/experiments.md</c> for how the label's names are looked up in it.</param>
    /// <param name="options">Metrics, workers, bootstrap; null for the defaults.</param>
    /// <param name="onItem">Told of every scored image; null for nobody.</param>
    /// <param name="cancellation">Ends the run.</param>
    /// <returns>The comparison. An image that cannot be scored is left out of the statistics, and its row says why.</returns>
    /// <exception cref="DatasetException">
    /// Nothing can be compared: fewer than two images can be scored, or all opinions are the same.
    /// </exception>
    /// <exception cref="Models.ModelException">A metric cannot run here (a model is not installed).</exception>
    public static OpinionResult Run(
        OpinionScores opinions, string folder, BenchmarkOptions? options = null, Action<ScoredItem>? onItem = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(opinions);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new BenchmarkOptions();
        if (opinions.Scores.Count < LeastImages)
            throw new DatasetException(
                $"Expected opinions of at least {LeastImages} images in '{opinions.Source}', to compare with; found " +
                $"{opinions.Scores.Count}.");
        if (opinions.Scores.All(score => score.Value == opinions.Scores[0].Value))
            throw new DatasetException(
                $"Expected opinions that differ in '{opinions.Source}'; found " +
                $"{opinions.Scores[0].Value.ToString(CultureInfo.InvariantCulture)} for every image, with which nothing can agree.");
        var files = new LabelledImages(folder);
        var paths = opinions.Scores.Select(score => files.Find(score.Image)).ToArray();
        ScoredImages.CheckPresent(paths, folder, opinions.Source);
        var scored = ScoredImages.Score(files.AsDataset(opinions.Source, paths), options.Scoring, onItem, cancellation);
        scored.CheckScored(folder, LeastImages);
        var sign = opinions.Direction == OpinionDirection.LowerIsBetter ? -1.0 : 1.0;
        var opinion = opinions.Scores.Select(score => sign * score.Value).ToArray();
        return new OpinionResult
        {
            Opinions = opinions,
            Rows = scored.Rows,
            Metrics =
            [
                .. Enumerable.Range(0, scored.Metrics.Count).Select(metric => Compare(
                    scored.Metrics[metric], scored.Goodness(metric), opinion, scored.Speed(metric, folder, options, cancellation),
                    options.Bootstrap, cancellation)),
            ],
            Agreement = scored.Agreement(),
            Bootstrap = options.Bootstrap,
        };
    }

    /// <summary>Compares one metric's scores with opinions, both turned so that higher is better; NaN scores are left out.</summary>
    internal static OpinionAgreement Compare(
        Metric metric, double[] scores, double[] opinions, double imagesPerSecond, BootstrapOptions bootstrap,
        CancellationToken cancellation)
    {
        var known = Enumerable.Range(0, scores.Length).Where(i => !double.IsNaN(scores[i])).ToArray();
        double[] x = ScoredImages.Pick(scores, known), y = ScoredImages.Pick(opinions, known);
        var curve = x.Length == 0 ? new LogisticCurve(double.NaN, double.NaN, double.NaN, double.NaN) : LogisticCurve.Fit(x, y);
        var values = Statistics(x, y, curve);
        var intervals = Bootstrap.Intervals(
            x.Length,
            positions =>
            {
                double[] drawnX = ScoredImages.Pick(x, positions), drawnY = ScoredImages.Pick(y, positions);
                return Statistics(drawnX, drawnY, LogisticCurve.Fit(drawnX, drawnY, curve));
            },
            bootstrap,
            cancellation);
        return new OpinionAgreement
        {
            Metric = metric,
            Images = x.Length,
            Spearman = At(0),
            Kendall = At(1),
            Pearson = At(2),
            FittedPearson = At(3),
            FittedError = At(4),
            Curve = curve,
            ImagesPerSecond = imagesPerSecond,
        };

        Estimate At(int statistic) => new(
            values[statistic], intervals.Count == 0 ? new ConfidenceInterval(double.NaN, double.NaN) : intervals[statistic]);
    }

    private static double[] Statistics(double[] scores, double[] opinions, LogisticCurve curve)
    {
        var fitted = Array.ConvertAll(scores, curve.Evaluate);
        return
        [
            Correlation.Spearman(scores, opinions),
            Correlation.Kendall(scores, opinions),
            Correlation.Pearson(scores, opinions),
            Correlation.Pearson(fitted, opinions),
            Correlation.RootMeanSquareError(fitted, opinions),
        ];
    }
}
