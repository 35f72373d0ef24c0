using Pristine.Datasets;
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

    /// <summary>The numbers of an item.</summary>
    /// <param name="item">The item.</param>
    /// <returns>One for each metric, NaN for those of images; null where all metrics are of images.</returns>
    public double[]? Of(DatasetItem item)
    {
        if (!_hasAny)
            return null;
        var text = metrics.Any(metric => metric is TextMetric) ? item.WholeText : null;
        return [.. metrics.Select(metric => text != null && metric is TextMetric measure ? measure.Measure(text) : double.NaN)];
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

    /// <summary>A row with the numbers of its item. Rows of other items may have the same scores in memory, which stay as they are.</summary>
    /// <param name="row">The row.</param>
    /// <param name="numbers">As <see cref="Of"/> gives them.</param>
    public ScoreRow Put(ScoreRow row, double[]? numbers)
    {
        if (numbers == null)
            return row;
        var scores = row.Scores.ToArray();
        Copy(numbers, scores);
        return row with { Scores = scores };
    }
}
