using Pristine.Metrics;
using Pristine.Reports;

namespace Pristine.Tests.Reports;

public sealed class MetricPairsTests
{
    /// <summary>Sums of ranks are exact in doubles; only the division and root round.</summary>
    private const double Tolerance = 1e-12;

    private static MetricSample Sample(params double[][] columns) =>
        new([.. Enumerable.Range(0, columns[0].Length).Select(i => 100L + i)], columns, IsWhole: true);

    [Theory]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 10, 20, 30, 99 }, 1)]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 4, 3, 2, 1 }, -1)]
    // The example of Wikipedia's article (IQ and hours of TV): rho = 1 - 6 * 194 / 990.
    [InlineData(
        new double[] { 106, 100, 86, 101, 99, 103, 97, 113, 112, 110 }, new double[] { 7, 27, 2, 50, 28, 29, 20, 12, 6, 17 }, -29.0 / 165)]
    // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5).
    [InlineData(new double[] { 1, 2, 2, 3 }, new double[] { 1, 3, 2, 4 }, 0.94868329805051377)]
    public void Spearman_is_that_of_the_definition(double[] first, double[] second, double expected) =>
        Assert.Equal(expected, RankCorrelation.Spearman(Sample(first, second), 0, 1), Tolerance);

    [Fact]
    public void Spearman_ranks_only_images_that_have_both_metrics()
    {
        double none = double.NaN;
        var sample = Sample([1, 2, none, 3, 4, 50], [none, 5, 9, 5, 1, 7]);
        var both = Sample([2, 3, 4, 50], [5, 5, 1, 7]);
        Assert.Equal(RankCorrelation.Spearman(both, 0, 1), RankCorrelation.Spearman(sample, 0, 1), Tolerance);
        Assert.Equal(RankCorrelation.Spearman(both, 0, 1), RankCorrelation.Spearman(sample, 1, 0), Tolerance);
    }

    [Fact]
    public void Spearman_of_many_ties_equals_the_correlation_of_counted_ranks()
    {
        var random = new Random(3);
        double[] Column() => [.. Enumerable.Range(0, 300).Select(_ => random.Next(12) is var value and > 0 ? value : double.NaN)];
        var (x, y) = (Column(), Column());
        var images = Enumerable.Range(0, 300).Where(i => !double.IsNaN(x[i]) && !double.IsNaN(y[i])).ToArray();
        double Rank(double[] values, int image) =>
            images.Count(i => values[i] < values[image]) + ((images.Count(i => values[i] == values[image]) + 1) / 2.0);
        var (rx, ry) = (images.Select(i => Rank(x, i)).ToArray(), images.Select(i => Rank(y, i)).ToArray());
        var (mx, my) = (rx.Average(), ry.Average());
        var expected = rx.Zip(ry, (a, b) => (a - mx) * (b - my))
            .Sum() / Math.Sqrt(rx.Sum(a => (a - mx) * (a - mx)) * ry.Sum(b => (b - my) * (b - my)));
        Assert.Equal(expected, RankCorrelation.Spearman(Sample(x, y), 0, 1), Tolerance);
    }

    [Fact]
    public void Spearman_of_a_constant_is_not_defined() =>
        Assert.True(double.IsNaN(RankCorrelation.Spearman(Sample([1, 2, 3], [5, 5, 5]), 0, 1)));

    [Fact]
    public void Disagreements_name_the_images_that_one_metric_likes_and_the_other_does_not()
    {
        // Lower is better in the first, higher in the second: both agree but for images 102 (the first likes it) and 105 (the second does).
        var metrics = new[]
        {
            new ReportMetric("low", true, MetricDirection.LowerIsBetter, "", ""),
            new ReportMetric("high", true, MetricDirection.HigherIsBetter, "", ""),
        };
        double[] low = [10, 20, 0, 40, 50, 90], high = [90, 80, 5, 60, 50, 99];
        var sample = Sample(low, high);
        var scales = new[] { ThresholdScale.Of(0, 90, sample.Sorted(0)), ThresholdScale.Of(5, 99, sample.Sorted(1)) };
        var pair = Assert.Single(MetricPairs.Compare(sample, metrics, scales, 1, TestContext.Current.CancellationToken));
        Assert.Equal([102L], pair.FirstPrefers);
        Assert.Equal([105L], pair.SecondPrefers);
        Assert.Equal(6, pair.Images);
        Assert.Equal(6, pair.Cells.Sum());
        // Image 105 is at the right end of both axes.
        Assert.Equal(1, pair.Cells[^1]);
    }

    [Fact]
    public void A_ladder_has_both_ends_and_even_steps()
    {
        var sample = Sample([.. Enumerable.Range(0, 101).Select(i => (double)(100 - i))]);
        Assert.Equal([200L, 175, 150, 125, 100], sample.Ladder(0, 5));
        Assert.Equal(101, sample.Ladder(0, 500).Distinct().Count());
        Assert.Equal([200L], sample.Ladder(0, 1));
        Assert.Empty(sample.Ladder(0, 0));
    }
}
