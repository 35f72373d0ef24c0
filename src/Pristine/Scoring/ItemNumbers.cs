using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Text;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>Computes the metrics of a run that are numbers of an item and not of an image, and puts them into its rows.</summary>
/// <param name="metrics">All metrics of the run.</param>
/// <param name="maxPixels">The most pixels of a film's frame.</param>
internal sealed class ItemNumbers(IReadOnlyList<Metric> metrics, long maxPixels = 0) : IDisposable
{
    /// <summary>What frames of films are scored by, each metric once.</summary>
    private MetricScorers? _frameScorers;

    private VideoFrames? _decoder;
    private readonly int _frames = metrics.OfType<FrameMetric>().FirstOrDefault()?.Frames ?? 0;

    private readonly bool[] _isOfItem = [.. metrics.Select(metric => metric is ItemMetric)];
    private readonly bool _hasAny = metrics.Any(metric => metric is ItemMetric);

    /// <summary>Whether sounds or films are opened.</summary>
    public bool OpensMedia { get; } = metrics.Any(metric => metric is MediaMetric { IsCount: false } or FrameMetric);

    /// <summary>The numbers of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="withMedia">False to open none of its sounds and films: their numbers are missing.</param>
    /// <param name="failure">What is wrong with the first sound or film that could not be read; null for nothing.</param>
    /// <returns>One for each metric, NaN for those of images; null where all metrics are of images.</returns>
    public double[]? Of(DatasetItem item, bool withMedia, out DecodeResult? failure)
    {
        failure = null;
        if (!_hasAny)
            return null;
        var text = metrics.Any(metric => metric is TextMetric) ? item.WholeText : null;
        var numbers = new double[metrics.Count];
        foreach (var (i, metric) in metrics.Index())
            numbers[i] = text != null && metric is TextMetric measure ? measure.Measure(text)
                : metric is MediaMetric { IsCount: true } count && item.Error == null
                ? item.Sources.Count(source => source.Kind == count.Kind)
                : double.NaN;
        if (withMedia && item.Error == null)
            foreach (var kind in (ReadOnlySpan<MediaKind>)[MediaKind.Audio, MediaKind.Video])
                Measure(item, kind, numbers, ref failure);
        return numbers;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _frameScorers?.Dispose();
        _decoder?.Dispose();
    }

    private void Measure(DatasetItem item, MediaKind kind, double[] numbers, ref DecodeResult? failure)
    {
        var hasFrames = kind == MediaKind.Video && _frames > 0;
        if (!hasFrames && !metrics.Any(metric => metric is MediaMetric { IsCount: false } media && media.Kind == kind))
            return;
        if (hasFrames)
        {
            _frameScorers ??= new MetricScorers(
                [.. metrics.OfType<FrameMetric>().Select(metric => metric.Image).DistinctBy(metric => metric.Name)]);
            _decoder ??= new VideoFrames();
        }
        var (headers, scores) = (new List<MediaHeader>(), new FrameScores(_frameScorers?.Metrics.Count ?? 0));
        foreach (var source in item.Sources.Where(source => source.Kind == kind))
        {
            var header = new MediaHeader();
            var wrong = MediaProbe.WithFile(
                source, (path, stamp) => MediaProbe.Read(path, stamp, kind, out header)
                    ?? (hasFrames ? ScoreFrames(_decoder!, _frameScorers!, path, header, scores) : null));
            if (wrong is { } result)
            {
                failure ??= result with { Error = $"{(kind == MediaKind.Audio ? "audio" : "video")} '{source.Reference}': {result.Error}" };
                return;
            }
            headers.Add(header);
        }
        foreach (var (i, metric) in metrics.Index())
        {
            if (metric is MediaMetric { IsCount: false } media && media.Kind == kind)
                numbers[i] = media.Measure(headers);
            // As of images: every output and every rule sees the number that tables hold.
            else if (hasFrames && metric is FrameMetric frames)
                numbers[i] = (float)scores.Of(
                    _frameScorers!.Metrics.Index().First(own => own.Item.Name == frames.Image.Name).Index, frames.Summarises);
        }
    }

    /// <summary>Scores the frames of a film.</summary>
    private DecodeResult? ScoreFrames(
        VideoFrames decoder, MetricScorers scorers, string path, MediaHeader header, FrameScores scores)
    {
        var input = scorers.Metrics.Aggregate(ImageInput.Header, (all, metric) => all | metric.Input);
        DecodeResult? wrong = null;
        var failure = decoder.Read(path, header, _frames, input, maxPixels, (in frame) =>
        {
            scorers.BeginImage();
            foreach (var (i, metric) in scorers.Metrics.Index())
            {
                if (Math.Min(frame.Width, frame.Height) < metric.MinSide)
                {
                    wrong ??= new DecodeResult(
                        ImageStatus.TooSmall,
                        $"{metric.Name} needs at least {metric.MinSide} pixels on each side; its frames have {frame.Width}x{frame.Height}",
                        null);
                    return;
                }
                try
                {
                    scores.Add(i, scorers.Score(i, frame));
                }
                catch (Exception exception) when (exception is OutOfMemoryException or OnnxRuntimeException)
                {
                    wrong ??= new DecodeResult(
                        ImageStatus.TooLarge,
                        $"{metric.Name} could not score a frame of {frame.Width}x{frame.Height}: {exception.Message}", null);
                    return;
                }
            }
        });
        return failure ?? wrong;
    }

    /// <summary>What the frames of an item's films come to, metric by metric.</summary>
    private sealed class FrameScores(int metrics)
    {
        private readonly double[] _sums = new double[metrics];
        private readonly double[] _smallest = [.. Enumerable.Repeat(double.PositiveInfinity, metrics)];
        private readonly double[] _largest = [.. Enumerable.Repeat(double.NegativeInfinity, metrics)];
        private readonly int[] _counts = new int[metrics];

        public void Add(int metric, double score)
        {
            _sums[metric] += score;
            _smallest[metric] = Math.Min(_smallest[metric], score);
            _largest[metric] = Math.Max(_largest[metric], score);
            _counts[metric]++;
        }

        public double Of(int metric, FrameSummary summary) => _counts[metric] == 0 ? double.NaN : summary switch
        {
            FrameSummary.Mean => _sums[metric] / _counts[metric],
            FrameSummary.Min => _smallest[metric],
            _ => _largest[metric],
        };
    }

    /// <summary>Copies the numbers of an item; the others stay.</summary>
    /// <param name="numbers">As <see cref="Of"/> gives them; empty for none.</param>
    /// <param name="scores">One for each metric.</param>
    public void Copy(ReadOnlySpan<double> numbers, Span<double> scores)
    {
        for (var i = 0; i < numbers.Length; i++)
            if (_isOfItem[i])
                scores[i] = numbers[i];
    }

    /// <summary>
    /// A row with the numbers of its item. Rows of other items may have the same scores in memory, which stay as they are.
    /// </summary>
    /// <param name="row">The row.</param>
    /// <param name="numbers">As <see cref="Of"/> gives them.</param>
    /// <param name="failure">
    /// What is wrong with a sound or a film of the item: the status of a row that is in order, for the item is not.
    /// </param>
    public ScoreRow Put(ScoreRow row, double[]? numbers, DecodeResult? failure)
    {
        if (numbers == null)
            return row;
        var scores = row.Scores.ToArray();
        Copy(numbers, scores);
        return failure is { } wrong && !row.Failed && row.Status != ImageStatus.Skipped
            ? row with { Scores = scores, Status = wrong.Status, Error = wrong.Error }
            : row with { Scores = scores };
    }
}
