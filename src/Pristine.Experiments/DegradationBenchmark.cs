using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Experiments;

/// <summary>How well a metric finds the images of one kind and level among the images left as they were.</summary>
/// <param name="Kind">The kind; null for all kinds.</param>
/// <param name="Level">The level; null for all levels.</param>
/// <param name="Degraded">Degraded images of this kind and level that the metric scored.</param>
/// <param name="AreaUnderRoc">The chance that such an image scores worse than one left as it was: 0.5 is chance, 1 perfect.</param>
/// <param name="Recall">The share of them that is flagged.</param>
/// <param name="Precision">
/// Of the flagged images that are either these or were left as they were, the share of these; NaN when none is flagged.
/// </param>
public sealed record DetectionPart(DegradationKind? Kind, int? Level, int Degraded, double AreaUnderRoc, double Recall, double Precision);

/// <summary>How well one metric finds degraded images. It flags its worst images, as many as were degraded.</summary>
public sealed record DetectionAgreement
{
    /// <summary>The metric.</summary>
    public required Metric Metric { get; init; }

    /// <summary>Images that it scored.</summary>
    public required int Images { get; init; }

    /// <summary>Images that it flagged: as many as were degraded, and any that tie with the last of these.</summary>
    public required int Flagged { get; init; }

    /// <summary>The chance that a degraded image scores worse than one left as it was.</summary>
    public required Estimate AreaUnderRoc { get; init; }

    /// <summary>The share of degraded images that is flagged.</summary>
    public required Estimate Recall { get; init; }

    /// <summary>The share of flagged images that is degraded; NaN when none is flagged.</summary>
    public required Estimate Precision { get; init; }

    /// <summary>Every kind over all levels, then every kind and level that occurs.</summary>
    public required IReadOnlyList<DetectionPart> Parts { get; init; }

    /// <summary>Images per second on one thread, decoding included; NaN when it was not measured.</summary>
    public required double ImagesPerSecond { get; init; }
}

/// <summary>The result of a <see cref="DegradationBenchmark"/>.</summary>
public sealed record DetectionResult
{
    /// <summary>The log.</summary>
    public required string Log { get; init; }

    /// <summary>The degraded and the copied images, in the log's order, each file once.</summary>
    public required IReadOnlyList<DegradationLogEntry> Entries { get; init; }

    /// <summary>One row per entry.</summary>
    public required IReadOnlyList<ScoreRow> Rows { get; init; }

    /// <summary>One entry per metric, in the order of the options.</summary>
    public required IReadOnlyList<DetectionAgreement> Metrics { get; init; }

    /// <summary>Spearman's correlation of every pair of metrics.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Agreement { get; init; }

    /// <summary>How the intervals were made.</summary>
    public required BootstrapOptions Bootstrap { get; init; }
}

/// <summary>Measures how well metrics find the images that a <see cref="DegradationRun"/> made worse.</summary>
public static class DegradationBenchmark
{
    /// <summary>Scores the images of a log and compares.</summary>
    /// <param name="log">The log of a degradation run.</param>
    /// <param name="folder">The folder that the run wrote; null for the log's own.</param>
    /// <param name="options">Metrics, workers, bootstrap; null for the defaults.</param>
    /// <param name="onItem">Told of every scored image; null for nobody.</param>
    /// <param name="cancellation">Ends the run.</param>
    /// <exception cref="DatasetException">
    /// The log cannot be read, has no degraded or no copied images, or fewer than two that can be scored.
    /// </exception>
    /// <exception cref="Models.ModelException">A metric cannot run here (a model is not installed).</exception>
    public static DetectionResult Run(
        string log, string? folder = null, BenchmarkOptions? options = null, Action<ScoredItem>? onItem = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(log);
        options ??= new BenchmarkOptions();
        folder ??= Path.GetDirectoryName(log) ?? "";
        // A dataset may name an image twice; its file was written once and counts once.
        var entries = DegradationLog.Read(log)
            .Where(entry => entry.Output != null && entry.Outcome is DegradationOutcome.Degraded or DegradationOutcome.Copied)
            .DistinctBy(entry => entry.Output)
            .ToArray();
        var degraded = entries.Count(entry => entry.Degradation != null);
        if (degraded == 0 || degraded == entries.Length)
            throw new DatasetException(
                $"Expected degraded images and images left as they were in '{log}'; found {degraded} and {entries.Length - degraded}.");
        string[] paths = [.. entries.Select(entry => entry.Output!)];
        ScoredImages.CheckPresent(paths, folder, log);
        var scored = ScoredImages.Score(new LabelledImages(folder).AsDataset(log, paths), options.Scoring, onItem, cancellation);
        scored.CheckScored(folder, least: 2);
        return new DetectionResult
        {
            Log = log,
            Entries = entries,
            Rows = scored.Rows,
            Metrics =
            [
                .. Enumerable.Range(0, scored.Metrics.Count).Select(metric => Compare(
                    scored.Metrics[metric], scored.Goodness(metric), entries, scored.Speed(metric, folder, options, cancellation),
                    options.Bootstrap, cancellation)),
            ],
            Agreement = scored.Agreement(),
            Bootstrap = options.Bootstrap,
        };
    }

    /// <summary>Compares one metric's scores (higher is better, NaN is left out) with what was done to the images.</summary>
    internal static DetectionAgreement Compare(
        Metric metric, double[] goodness, IReadOnlyList<DegradationLogEntry> entries, double imagesPerSecond, BootstrapOptions bootstrap,
        CancellationToken cancellation)
    {
        var known = Enumerable.Range(0, goodness.Length).Where(i => !double.IsNaN(goodness[i])).ToArray();
        var badness = Array.ConvertAll(known, i => -goodness[i]);
        var degradations = Array.ConvertAll(known, i => entries[i].Degradation);
        var isDegraded = Array.ConvertAll(degradations, degradation => degradation != null);
        var isFlagged = Flag(badness, isDegraded.Count(value => value));
        var values = Statistics(badness, isDegraded);
        var intervals = Bootstrap.Intervals(
            known.Length, positions => Statistics(ScoredImages.Pick(badness, positions), Array.ConvertAll(positions, i => isDegraded[i])),
            bootstrap, cancellation);
        var kinds = degradations.OfType<Degradation>().Select(degradation => degradation.Kind).Distinct().Order().ToArray();
        return new DetectionAgreement
        {
            Metric = metric,
            Images = known.Length,
            Flagged = isFlagged.Count(value => value),
            AreaUnderRoc = At(0),
            Recall = At(1),
            Precision = At(2),
            Parts =
            [
                .. kinds.Select(kind => Part(kind, null)),
                .. kinds.SelectMany(kind => degradations.OfType<Degradation>().Where(degradation => degradation.Kind == kind)
                    .Select(degradation => degradation.Level).Distinct().Order().Select(level => Part(kind, level))),
            ],
            ImagesPerSecond = imagesPerSecond,
        };

        Estimate At(int statistic) => new(
            values[statistic], intervals.Count == 0 ? new ConfidenceInterval(double.NaN, double.NaN) : intervals[statistic]);

        DetectionPart Part(DegradationKind kind, int? level)
        {
            bool Belongs(int i) =>
                degradations[i] is { } degradation && degradation.Kind == kind && (level == null || degradation.Level == level);
            var part = Enumerable.Range(0, known.Length).Where(i => !isDegraded[i] || Belongs(i)).ToArray();
            var mine = part.Where(i => isDegraded[i]).ToArray();
            var flaggedMine = mine.Count(i => isFlagged[i]);
            var flagged = part.Count(i => isFlagged[i]);
            return new DetectionPart(
                kind,
                level,
                mine.Length,
                Correlation.AreaUnderRoc(ScoredImages.Pick(badness, part), Array.ConvertAll(part, i => isDegraded[i])),
                (double)flaggedMine / mine.Length,
                flagged == 0 ? double.NaN : (double)flaggedMine / flagged);
        }
    }

    /// <summary>AUC, recall, precision.</summary>
    private static double[] Statistics(double[] badness, bool[] isDegraded)
    {
        var degraded = isDegraded.Count(value => value);
        var flagged = Flag(badness, degraded);
        var hits = flagged.Where((isFlagged, i) => isFlagged && isDegraded[i]).Count();
        return [Correlation.AreaUnderRoc(badness, isDegraded), (double)hits / degraded, (double)hits / flagged.Count(value => value)];
    }

    /// <summary>
    /// The worst images, at least so many: those that tie with the last one are flagged too, since nothing tells them apart.
    /// </summary>
    private static bool[] Flag(double[] badness, int count)
    {
        if (count == 0)
            return new bool[badness.Length];
        var threshold = badness.OrderDescending().ElementAt(count - 1);
        return Array.ConvertAll(badness, value => value >= threshold);
    }
}
