using System.Globalization;
using System.IO.Hashing;
using Pristine.Datasets;
using Pristine.Imaging;
using Pristine.Metrics;

namespace Pristine.Scoring;

/// <summary>How to score.</summary>
public sealed record ScoringOptions
{
    /// <summary>The metrics to compute; by default <c>brisque</c>.</summary>
    public IReadOnlyList<Metric> Metrics { get; init; } = [MetricCatalog.Get("brisque")];

    /// <summary>Threads, each with its own decoder and scratch memory; by default one per core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How images are decoded.</summary>
    public ImagingOptions Imaging { get; init; } = new();
}

/// <summary>
/// Scores every image of a dataset: one worker per core, bounded memory, results in the input's order and independent of the number of
/// workers. A bad image becomes a row with a status; it never stops the run.
/// </summary>
public static class ScoringRun
{
    /// <summary>How many items per worker may be under way or waiting for an earlier, slower one.</summary>
    private const int ItemsInFlightPerWorker = 32;

    /// <summary>Scores a dataset.</summary>
    /// <param name="dataset">The dataset; it is read while the results are consumed.</param>
    /// <param name="options">Metrics, workers, decoding.</param>
    /// <param name="start">How many items to skip at the beginning, to go on after an interrupted run; keys stay those of the whole dataset.</param>
    /// <param name="cancellation">Ends the run: finished results are given first, then <see cref="OperationCanceledException"/> is thrown.</param>
    /// <returns>The items with their rows, in order.</returns>
    /// <exception cref="InvalidOperationException">A metric cannot run here (a model is not installed).</exception>
    /// <exception cref="DatasetException">The dataset cannot be read on; thrown after the results of the items before.</exception>
    public static IEnumerable<ScoredItem> Score(
        Dataset dataset, ScoringOptions? options = null, long start = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        options ??= new ScoringOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        if (options.Metrics.FirstOrDefault(metric => metric.Missing != null) is { } absent)
            throw new InvalidOperationException(absent.Missing);
        return OrderedPipeline<(DatasetItem Item, long Key), ScoredItem, ImageScorer>.Run(
            Keyed(dataset.Read(cancellation)).Where(keyed => keyed.Item.Index >= start),
            options.Workers,
            options.Workers * ItemsInFlightPerWorker,
            () => new ImageScorer(options),
            (worker, keyed) => worker.Score(keyed.Item, keyed.Key),
            cancellation);
    }

    private static IEnumerable<(DatasetItem Item, long Key)> Keyed(IEnumerable<DatasetItem> items)
    {
        long key = 0;
        foreach (var item in items)
        {
            yield return (item, key);
            key += Math.Max(1, item.Images.Count);
        }
    }
}

/// <summary>Scores images one at a time on the calling thread: a decoder and one scorer per metric, whose memory is reused.</summary>
public sealed class ImageScorer : IDisposable
{
    private readonly ImageDecoder _decoder;
    private readonly IReadOnlyList<Metric> _metrics;
    private readonly MetricScorer[] _scorers;
    private readonly ImageInput _input;

    /// <summary>Makes a scorer; it is not thread-safe.</summary>
    /// <param name="options">Metrics and decoding; the number of workers does not matter here.</param>
    /// <exception cref="InvalidOperationException">A metric cannot run here.</exception>
    public ImageScorer(ScoringOptions? options = null)
    {
        options ??= new ScoringOptions();
        _metrics = options.Metrics;
        _input = options.Metrics.Aggregate(ImageInput.Header, (input, metric) => input | metric.Input);
        _scorers = [.. options.Metrics.Select(metric => metric.CreateScorer())];
        _decoder = new ImageDecoder(options.Imaging);
    }

    /// <summary>Scores all images of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="firstKey">The key of its first image.</param>
    public ScoredItem Score(DatasetItem item, long firstKey)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Images.Count == 0)
        {
            var status = item.Error == null ? ImageStatus.NoImage : ImageStatus.Unreadable;
            return new ScoredItem(item, [new ScoreRow { Key = firstKey, Id = item.Id, Status = status, Error = item.Error, Scores = HeaderScores(null) }]);
        }
        var rows = new ScoreRow[item.Images.Count];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = Score(item.Images[i].Path, item.Id, item.Images[i].Reference, i, firstKey + i);
        return new ScoredItem(item, rows);
    }

    /// <summary>Scores one image file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The row, with the path as id.</returns>
    public ScoreRow Score(string path) => Score(path, path, path, 0, 0);

    private ScoreRow Score(string path, string id, string reference, int imageIndex, long key)
    {
        var decoded = _decoder.Load(path, _input);
        var (status, error) = (decoded.Status, decoded.Error);
        var scores = status == ImageStatus.Ok ? PixelScores(_decoder.Image, ref status, ref error) : HeaderScores(decoded.Header);
        return new ScoreRow
        {
            Key = key,
            Id = id,
            Image = reference,
            ImageIndex = imageIndex,
            Status = status,
            Error = error,
            Header = decoded.Header,
            ContentHash = _decoder.FileBytes.IsEmpty ? null : XxHash128.HashToUInt128(_decoder.FileBytes).ToString("x32", CultureInfo.InvariantCulture),
            Scores = scores,
        };
    }

    private double[] PixelScores(ImageView image, ref ImageStatus status, ref string? error)
    {
        var scores = new double[_metrics.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            var metric = _metrics[i];
            if (Math.Min(image.Width, image.Height) < metric.MinSide)
            {
                scores[i] = double.NaN;
                status = ImageStatus.TooSmall;
                error ??= $"{metric.Name} needs at least {metric.MinSide} pixels on each side; the image has {image.Width}x{image.Height}";
                continue;
            }
            var score = _scorers[i].Score(image);
            // Tables hold scores as FLOAT; rounding here makes every output and every rule see the same number. Facts of the header stay exact.
            scores[i] = metric.Input == ImageInput.Header ? score : (float)score;
        }
        return scores;
    }

    /// <summary>What the header alone tells is known even where the pixels are not; the other scores are NaN.</summary>
    private double[] HeaderScores(ImageHeader? header)
    {
        var scores = new double[_metrics.Count];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = header is { } known && _metrics[i].Input == ImageInput.Header ? _scorers[i].Score(new ImageView(known, [], [])) : double.NaN;
        return scores;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _decoder.Dispose();
        foreach (var scorer in _scorers)
            scorer.Dispose();
    }
}
