namespace Pristine.Reports;

/// <summary>
/// Spearman's rank correlation: Pearson's correlation of the ranks, where equal values share the mean of their ranks, over the images that
/// have both metrics. Spearman: The proof and measurement of association between two things, American Journal of Psychology 15 (1904).
/// </summary>
internal static class RankCorrelation
{
    /// <summary>Correlates two metrics.</summary>
    /// <param name="sample">The images.</param>
    /// <param name="first">A metric.</param>
    /// <param name="second">Another.</param>
    /// <returns>-1 to 1; NaN when fewer than two images have both, or one of the metrics has one value only.</returns>
    public static double Spearman(MetricSample sample, int first, int second)
    {
        var (x, nx) = Ranks(sample.Values(first), sample.Ascending(first), sample.Values(second));
        var (y, _) = Ranks(sample.Values(second), sample.Ascending(second), sample.Values(first));
        // Ranks 1..n have the mean (n + 1) / 2, ties or not.
        var mean = (nx + 1) / 2.0;
        double xy = 0, xx = 0, yy = 0;
        foreach (var image in sample.Ascending(first))
        {
            if (x[image] == 0)
                continue;
            var (dx, dy) = (x[image] - mean, y[image] - mean);
            xy += dx * dy;
            xx += dx * dx;
            yy += dy * dy;
        }
        return xy / Math.Sqrt(xx * yy);
    }

    /// <summary>The ranks, from 1, among the images that have the other metric too; 0 for those that have not.</summary>
    private static (double[] Ranks, int Count) Ranks(double[] values, int[] ascending, double[] other)
    {
        var ranks = new double[values.Length];
        var count = 0;
        for (var i = 0; i < ascending.Length;)
        {
            var (value, tied, end) = (values[ascending[i]], 0, i);
            for (; end < ascending.Length && values[ascending[end]] == value; end++)
                tied += double.IsNaN(other[ascending[end]]) ? 0 : 1;
            var rank = count + ((tied + 1) / 2.0);
            for (; i < end; i++)
                if (!double.IsNaN(other[ascending[i]]))
                    ranks[ascending[i]] = rank;
            count += tied;
        }
        return (ranks, count);
    }
}
