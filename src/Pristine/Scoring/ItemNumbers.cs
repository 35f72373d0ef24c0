using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Text;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>Computes the metrics of a run that are numbers of an item and not of an image, and puts them into its rows.</summary>
/// <param name="metrics">All metrics of the run.</param>
internal sealed class ItemNumbers(IReadOnlyList<Metric> metrics)
{
    private readonly bool[] _isOfItem = [.. metrics.Select(metric => metric is ItemMetric)];
    private readonly bool _hasAny = metrics.Any(metric => metric is ItemMetric);

    /// <summary>Whether sounds or films are opened.</summary>
    public bool OpensMedia { get; } = metrics.Any(metric => metric is MediaMetric { IsCount: false });

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

    private void Measure(DatasetItem item, MediaKind kind, double[] numbers, ref DecodeResult? failure)
    {
        if (!metrics.Any(metric => metric is MediaMetric { IsCount: false } media && media.Kind == kind))
            return;
        var headers = new List<MediaHeader>();
        foreach (var source in item.Sources.Where(source => source.Kind == kind))
        {
            if (MediaProbe.Read(source, out var header) is { } wrong)
            {
                failure ??= wrong with { Error = $"{(kind == MediaKind.Audio ? "audio" : "video")} '{source.Reference}': {wrong.Error}" };
                return;
            }
            headers.Add(header);
        }
        foreach (var (i, metric) in metrics.Index())
            if (metric is MediaMetric { IsCount: false } media && media.Kind == kind)
                numbers[i] = media.Measure(headers);
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
