using System.Runtime.ExceptionServices;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Hashes;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>How to score.</summary>
public sealed record ScoringOptions
{
    /// <summary>The metrics to compute; by default <c>brisque</c>.</summary>
    public IReadOnlyList<Metric> Metrics { get; init; } = [MetricCatalog.Get("brisque")];

    /// <summary>The metrics that a table's columns may be: those of this library, and the user's own.</summary>
    public MetricSet Known { get; init; } = MetricSet.BuiltIn;

    /// <summary>Threads, each with its own decoder and scratch memory; by default one per core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Where the networks of metrics run, <c>cpu</c> or <c>cuda:N</c>; null leaves every metric where it is.</summary>
    /// <exception cref="ArgumentException">It is no device.</exception>
    public string? Device
    {
        get;
        init
        {
            if (value != null)
                NetworkDevice.Validate(value);
            field = value;
        }
    }

    /// <summary>
    /// How many images the networks of a worker compute together, 1 by default: more keep a GPU busy. A worker takes as many items at a
    /// time, and holds what networks see of so many images. On the processor rows are the same, to the last bit, and nothing becomes
    /// faster. What a gate reads is computed image by image.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 1 to 256.</exception>
    public int Batch
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MostBatch);
            field = value;
        }
    } = 1;

    /// <summary>Frames of a film that <see cref="FrameMetric"/>s look at, 8 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 1 to 256.</exception>
    public int Frames
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, FrameMetric.MostFrames);
            field = value;
        }
    } = FrameMetric.DefaultFrames;

    /// <summary>How images are decoded.</summary>
    public ImagingOptions Imaging { get; init; } = new();

    /// <summary>
    /// Conditions on cheap scores, asked one after the other; by default none. An image that does not fulfil one of them is not scored by
    /// the metrics that neither this gate nor an earlier one reads: its row says so in <see cref="ScoreRow.Skipped"/>. What the header
    /// tells is always there, and the pixels are decoded in any case, so that a status means what it means without gates.
    /// </summary>
    public IReadOnlyList<ScoringGate> Gates { get; init; } = [];

    /// <summary>
    /// Conditions on an item's record (text, fields, ids), asked before any of its images is opened; by default none. The images of an item
    /// that does not fulfil one of them get the status <see cref="Media.ImageStatus.Skipped"/> and no scores.
    /// </summary>
    public IReadOnlyList<ItemGate> ItemGates { get; init; } = [];

    /// <summary>Counts what the run does and where its time goes; by default nobody does.</summary>
    public RunWatch? Watch { get; init; }

    /// <summary>Features that become columns of vectors, <c>NAME_features</c>; by default none.</summary>
    public IReadOnlyList<Feature> Features { get; init; } = [];

    /// <summary>
    /// <see cref="Metrics"/>, then those that <see cref="Gates"/> read besides, then the columns of <see cref="Features"/>, all on
    /// <see cref="Device"/>.
    /// </summary>
    public IReadOnlyList<Metric> AllMetrics =>
    [
        .. Metrics.Concat(Gates.SelectMany(gate => gate.Metrics)).Concat(Features.Select(feature => new FeatureColumn(feature)))
            .DistinctBy(metric => metric.Name).Select(Place),
    ];

    /// <summary>Whether there have to be images: a metric is one of images, and none is of the frames of films.</summary>
    internal bool NeedsImages => AllMetrics is var metrics && metrics.Any(metric => metric is not ItemMetric)
        && !metrics.Any(metric => metric is FrameMetric);

    /// <summary>The largest <see cref="Batch"/>.</summary>
    internal const int MostBatch = 256;

    /// <summary>How many batches may be under way or waiting for an earlier, slower one.</summary>
    internal int BatchesInFlight => Workers * Math.Max(2, ScoringRun.ItemsInFlightPerWorker / Batch);

    /// <summary>Makes sure before any work that all metrics can run.</summary>
    /// <exception cref="ModelException">One of them cannot; the message says what is missing.</exception>
    internal void RequireModels()
    {
        if (AllMetrics.FirstOrDefault(metric => metric.Missing != null) is { } absent)
            throw new ModelException(absent.Missing!);
    }

    /// <summary>
    /// Whether an image that several items name may be scored once: gates judge the file alone, no metric reads the item's text, and rows
    /// hold no vectors, which are too large to be remembered; a hash is not.
    /// </summary>
    internal bool SharesFiles => Gates.All(gate => gate.JudgesFileAlone)
        && AllMetrics.All(metric => metric is HashColumn or not FeatureColumn && !metric.ReadsText);

    /// <summary>A metric on <see cref="Device"/>; one of films with <see cref="Frames"/>.</summary>
    internal Metric Place(Metric metric)
    {
        var placed = Device == null ? metric : metric.WithDevice(Device);
        return placed is FrameMetric frames ? frames.With(Frames) : placed;
    }
}

/// <summary>
/// Scores every image of a dataset: one worker per core, bounded memory, results in the input's order and independent of the number of
/// workers. A bad image becomes a row with a status; it never stops the run.
/// </summary>
public static class ScoringRun
{
    /// <summary>How many items per worker may be under way or waiting for an earlier, slower one.</summary>
    internal const int ItemsInFlightPerWorker = 32;

    /// <summary>Scores a dataset.</summary>
    /// <param name="dataset">The dataset; it is read while the results are consumed.</param>
    /// <param name="options">Metrics, workers, decoding.</param>
    /// <param name="start">
    /// How many items to skip at the beginning, to go on after an interrupted run; keys stay those of the whole dataset.
    /// </param>
    /// <param name="cancellation">
    /// Ends the run: finished results are given first, then <see cref="OperationCanceledException"/> is thrown.
    /// </param>
    /// <returns>The items with their rows, in order.</returns>
    /// <exception cref="ModelException">A metric cannot run here (a model is not installed).</exception>
    /// <exception cref="DatasetException">
    /// The dataset's records name no image, and a metric is asked for; or it cannot be read on, thrown after the results of the items
    /// before.
    /// </exception>
    public static IEnumerable<ScoredItem> Score(
        Dataset dataset, ScoringOptions? options = null, long start = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        options ??= new ScoringOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        options.RequireModels();
        if (options.NeedsImages)
            dataset.RequireImages(cancellation);
        return Run(dataset, options, start, cancellation);
    }

    private static IEnumerable<ScoredItem> Run(Dataset dataset, ScoringOptions options, long start, CancellationToken cancellation)
    {
        var files = FilesOf(dataset);
        using var ahead = new ReadAhead<ScoringWork>(work => work.Item, work => IsOpened(work.Item, options), options, cancellation);
        var works = Keyed(options.NeedsImages ? dataset.ReadImages(cancellation) : dataset.Read(cancellation))
            .Where(keyed => keyed.Item.Index >= start).Select(keyed => new ScoringWork(keyed.Item, keyed.Key));
        options.Watch?.Begin(options.Workers);
        var results = OrderedPipeline<ScoringWork[], ScoredItem[], ImageScorer>.Run(
            Batches(RunWatch.Timed(options.Watch, RunWatch.List, ahead.Of(works)), options.Batch),
            options.Workers,
            options.BatchesInFlight,
            () => new ImageScorer(options, files),
            (worker, batch) => Released(worker.Update(batch)),
            cancellation,
            batch => batch.Sum(work => work.Item.HeldBytes),
            ahead.Stop);
        foreach (var items in results)
            foreach (var item in items)
            {
                options.Watch?.Add(item);
                yield return item;
            }
    }

    /// <summary>Whether the images of an item are opened at all.</summary>
    internal static bool IsOpened(DatasetItem item, ScoringOptions options) => options.ItemGates.All(gate => gate.Failure(item) == null);

    /// <summary>Gives back what was read ahead for items that are done.</summary>
    internal static ScoredItem[] Released(ScoredItem[] scored)
    {
        foreach (var item in scored)
            ReadAhead<DatasetItem>.Release(item.Item);
        return scored;
    }

    /// <summary>What remembers the scored files of a run; null where no file is there twice.</summary>
    internal static ScoredFiles? FilesOf(Dataset dataset) => dataset.HasDistinctFiles ? null : new ScoredFiles();

    /// <summary>
    /// A sequence in arrays of a size, the last perhaps smaller. What stands before a failure of the sequence is given before it is thrown.
    /// </summary>
    /// <param name="source">The sequence.</param>
    /// <param name="size">At least 1.</param>
    internal static IEnumerable<T[]> Batches<T>(IEnumerable<T> source, int size)
    {
        using var items = source.GetEnumerator();
        var batch = new List<T>(size);
        ExceptionDispatchInfo? failure = null;
        while (true)
        {
            try
            {
                while (batch.Count < size && items.MoveNext())
                    batch.Add(items.Current);
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
            if (batch.Count > 0)
                yield return [.. batch];
            failure?.Throw();
            if (batch.Count < size)
                yield break;
            batch.Clear();
        }
    }

    /// <summary>The items with the keys of their first images.</summary>
    /// <param name="items">The items.</param>
    /// <param name="key">The key of the first image.</param>
    internal static IEnumerable<(DatasetItem Item, long Key)> Keyed(IEnumerable<DatasetItem> items, long key = 0)
    {
        foreach (var item in items)
        {
            yield return (item, key);
            key += Math.Max(1, item.Images.Count);
        }
    }
}
