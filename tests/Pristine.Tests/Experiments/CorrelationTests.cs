using System.Text.Json;
using Pristine.Experiments;

namespace Pristine.Tests.Experiments;

public class CorrelationTests
{
    /// <summary>What the issue asks for; both sides round in another order, by some 1e-16 per term.</summary>
    private const double ScipyTolerance = 1e-12;

    public static TheoryData<string> Cases =>
        [.. ScipyReference.Correlations.Select(reference => reference.GetProperty("name").GetString()!)];

    private static JsonElement Case(string name) =>
        ScipyReference.Correlations.Single(reference => reference.GetProperty("name").GetString() == name);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Coefficients_are_those_of_scipy(string name)
    {
        var reference = Case(name);
        double[] x = reference.Numbers("x"), y = reference.Numbers("y");
        Assert.Equal(reference.Number("pearson"), Correlation.Pearson(x, y), ScipyTolerance);
        Assert.Equal(reference.Number("spearman"), Correlation.Spearman(x, y), ScipyTolerance);
        Assert.Equal(reference.Number("kendall"), Correlation.Kendall(x, y), ScipyTolerance);
        Assert.Equal(reference.Numbers("ranks"), Correlation.Ranks(x));
    }

    [Fact]
    public void The_area_under_the_roc_curve_is_the_mann_whitney_statistic_of_scipy()
    {
        foreach (var reference in ScipyReference.Areas)
        {
            var positive = reference.GetProperty("positive").EnumerateArray().Select(value => value.GetBoolean()).ToArray();
            Assert.Equal(reference.Number("auc"), Correlation.AreaUnderRoc(reference.Numbers("values"), positive), ScipyTolerance);
        }
    }

    [Fact]
    public void Kendall_counts_pairs_as_its_definition_does()
    {
        var random = new Random(5);
        for (var n = 2; n < 40; n++)
        {
            var x = Enumerable.Range(0, n).Select(_ => (double)random.Next(1 + n / 2)).ToArray();
            var y = Enumerable.Range(0, n).Select(_ => (double)random.Next(1 + n / 3)).ToArray();
            double sum = 0, untiedX = 0, untiedY = 0;
            for (var i = 0; i < n; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    sum += Math.Sign(x[i] - x[j]) * Math.Sign(y[i] - y[j]);
                    untiedX += Math.Abs(Math.Sign(x[i] - x[j]));
                    untiedY += Math.Abs(Math.Sign(y[i] - y[j]));
                }
            }
            Assert.Equal(sum / Math.Sqrt(untiedX * untiedY), Correlation.Kendall(x, y), ScipyTolerance);
        }
    }

    [Fact]
    public void What_has_no_variation_has_no_correlation()
    {
        double[] constant = [0.1, 0.1, 0.1], varied = [1, 2, 3];
        Assert.Equal(double.NaN, Correlation.Pearson(constant, varied));
        Assert.Equal(double.NaN, Correlation.Spearman(varied, constant));
        Assert.Equal(double.NaN, Correlation.Kendall(constant, varied));
        Assert.Equal(double.NaN, Correlation.Kendall([1], [2]));
        Assert.Equal(double.NaN, Correlation.Pearson([], []));
        Assert.Equal(double.NaN, Correlation.AreaUnderRoc(varied, [true, true, true]));
    }

    [Fact]
    public void The_error_is_the_root_of_the_mean_square()
    {
        Assert.Equal(Math.Sqrt((1 + 0 + 9) / 3.0), Correlation.RootMeanSquareError([1, 2, 3], [2, 2, 6]), ScipyTolerance);
        Assert.Equal(double.NaN, Correlation.RootMeanSquareError([], []));
    }

    [Fact]
    public void Lists_that_do_not_belong_together_and_missing_numbers_are_refused()
    {
        Assert.Contains("found 2 and 3", Assert.Throws<ArgumentException>(
            () => Correlation.Pearson([1, 2], [1, 2, 3])).Message, StringComparison.Ordinal);
        Assert.Contains("NaN at position 1", Assert.Throws<ArgumentException>(
            () => Correlation.Spearman([1, double.NaN], [1, 2])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Correlation.Kendall([1, 2], [1, double.PositiveInfinity]));
        Assert.Throws<ArgumentException>(() => Correlation.AreaUnderRoc([1, 2], [true]));
    }
}
