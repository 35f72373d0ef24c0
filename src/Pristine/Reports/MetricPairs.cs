using Pristine.Metrics;

namespace Pristine.Reports;

/// <summary>Two metrics compared.</summary>
/// <param name="First">Position of the first metric.</param>
/// <param name="Second">Position of the second.</param>
/// <param name="Images">Images of the sample that have both.</param>
/// <param name="Spearman">Rank correlation; NaN when it is not defined.</param>
/// <param name="Cells">Images by cell, <see cref="MetricPairs.Cells"/> rows of as many cells; rows ascend with the second metric.</param>
/// <param name="FirstPrefers">
/// Keys of images that the first metric finds much better than the second; the largest disagreement first.
/// </param>
/// <param name="SecondPrefers">The opposite.</param>
internal sealed record MetricPair(
    int First, int Second, long Images, double Spearman, int[] Cells, IReadOnlyList<long> FirstPrefers, IReadOnlyList<long> SecondPrefers);

/// <summary>Compares every two metrics of a table on a sample of its images.</summary>
internal static class MetricPairs
{
    /// <summary>Cells of a scatter diagram in each direction.</summary>
    public const int Cells = 40;

    /// <summary>Compares.</summary>
    /// <param name="sample">The images.</param>
    /// <param name="metrics">The metrics.</param>
    /// <param name="scales">Their axes; a metric without one is left out.</param>
    /// <param name="disagreements">How many images to find for each side of a pair of metrics that have a good end.</param>
    /// <param name="cancellation">Ends the work.</param>
    public static IReadOnlyList<MetricPair> Compare(
        MetricSample sample, IReadOnlyList<ReportMetric> metrics, IReadOnlyList<ThresholdScale?> scales, int disagreements,
        CancellationToken cancellation)
    {
        var cells = scales.Select((scale, i) => scale == null ? [] : CellsOf(sample.Values(i), scale)).ToArray();
        var percentiles = metrics.Select(
            (metric, i) => metric.Direction == MetricDirection.None ? [] : Percentiles(sample, i, metric.Direction)).ToArray();
        var pairs = from first in Enumerable.Range(0, metrics.Count)
                    from second in Enumerable.Range(first + 1, metrics.Count - first - 1)
                    where scales[first] != null && scales[second] != null
                    select (first, second);
        return
        [
            .. pairs.ToArray().AsParallel().AsOrdered().WithCancellation(cancellation).Select(pair =>
            {
                var (counts, images) = Count(cells[pair.first], cells[pair.second]);
                var areRated = percentiles[pair.first].Length > 0 && percentiles[pair.second].Length > 0;
                return new MetricPair(
                    pair.first, pair.second, images, RankCorrelation.Spearman(sample, pair.first, pair.second), counts,
                    areRated ? Disagreements(sample, percentiles[pair.first], percentiles[pair.second], disagreements) : [],
                    areRated ? Disagreements(sample, percentiles[pair.second], percentiles[pair.first], disagreements) : []);
            }),
        ];
    }

    /// <summary>The cell of each image along one axis; -1 where there is no value.</summary>
    private static sbyte[] CellsOf(double[] values, ThresholdScale scale) =>
        [.. values.Select(value => double.IsNaN(value) ? (sbyte)-1 : (sbyte)Math.Min((int)(scale.Share(value) * Cells), Cells - 1))];

    private static (int[] Counts, long Images) Count(sbyte[] first, sbyte[] second)
    {
        var counts = new int[Cells * Cells];
        var images = 0L;
        for (var i = 0; i < first.Length; i++)
        {
            if ((first[i] | second[i]) < 0)
                continue;
            counts[(second[i] * Cells) + first[i]]++;
            images++;
        }
        return (counts, images);
    }

    /// <summary>The share of the images that an image is at least as good as, by one metric; NaN where it has no value.</summary>
    private static float[] Percentiles(MetricSample sample, int metric, MetricDirection direction)
    {
        var (values, order) = (sample.Values(metric), sample.Ascending(metric));
        var percentiles = new float[values.Length];
        Array.Fill(percentiles, float.NaN);
        for (var i = 0; i < order.Length;)
        {
            var end = i;
            while (end < order.Length && values[order[end]] == values[order[i]])
                end++;
            // Equal values share the middle of their places.
            var share = (i + end) / 2f / order.Length;
            for (; i < end; i++)
                percentiles[order[i]] = direction == MetricDirection.HigherIsBetter ? share : 1 - share;
        }
        return percentiles;
    }

    private static List<long> Disagreements(MetricSample sample, float[] better, float[] worse, int count)
    {
        // The least of those found so far stands first and is the next to go; of equal ones the later key goes.
        var found = new PriorityQueue<int, (float Gap, int Image)>(Comparer<(float Gap, int Image)>.Create(
            (left, right) => left.Gap != right.Gap ? left.Gap.CompareTo(right.Gap) : right.Image.CompareTo(left.Image)));
        for (var image = 0; image < better.Length; image++)
        {
            var gap = better[image] - worse[image];
            if (!(gap > 0))
                continue;
            if (found.Count < count)
                found.Enqueue(image, (gap, image));
            else if (found.TryPeek(out _, out var least) && gap > least.Gap)
                found.EnqueueDequeue(image, (gap, image));
        }
        var keys = new List<long>();
        while (found.TryDequeue(out var image, out _))
            keys.Add(sample.Keys[image]);
        keys.Reverse();
        return keys;
    }
}
