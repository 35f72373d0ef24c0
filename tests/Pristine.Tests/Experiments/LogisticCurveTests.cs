using System.Text.Json;
using Pristine.Experiments;

namespace Pristine.Tests.Experiments;

public class LogisticCurveTests
{
    /// <summary>Both searches end within about 1e-7 of the optimum's parameters, where the error is flat: its square is left.</summary>
    private const double OptimumTolerance = 1e-9;

    /// <summary>Relative, of single parameters, which the data fix far less firmly than the curve.</summary>
    private const double ParameterTolerance = 1e-4;

    public static TheoryData<string> Cases => [.. ScipyReference.Logistic.Select(reference => reference.GetProperty("name").GetString()!)];

    private static JsonElement Case(string name) =>
        ScipyReference.Logistic.Single(reference => reference.GetProperty("name").GetString() == name);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_fit_is_that_of_scipys_least_squares(string name)
    {
        var reference = Case(name);
        double[] x = reference.Numbers("x"), y = reference.Numbers("y"), b = reference.Numbers("b");
        var curve = LogisticCurve.Fit(x, y);
        var fitted = x.Select(curve.Evaluate).ToArray();
        Assert.Equal(reference.Number("plcc"), Correlation.Pearson(fitted, y), OptimumTolerance);
        Assert.Equal(reference.Number("rmse"), Correlation.RootMeanSquareError(fitted, y), OptimumTolerance * y.Max(Math.Abs));
        double[] found = [curve.Upper, curve.Lower, curve.Centre, curve.Width];
        for (var i = 0; i < b.Length; i++)
            Assert.Equal(b[i], found[i], ParameterTolerance * b.Max(Math.Abs));
    }

    [Fact]
    public void A_fit_is_never_worse_than_a_straight_line()
    {
        var random = new Random(11);
        for (var round = 0; round < 30; round++)
        {
            var x = Enumerable.Range(0, 40).Select(_ => random.NextDouble() * 50).ToArray();
            var y = x.Select(value => (round % 2 == 0 ? 1 : -1) * value + random.NextDouble() * 3 * round).ToArray();
            var fitted = x.Select(LogisticCurve.Fit(x, y).Evaluate).ToArray();
            // Over the data the widest curve departs from a line by some 1e-5 of its height.
            Assert.True(Correlation.Pearson(fitted, y) >= Math.Abs(Correlation.Pearson(x, y)) - 1e-6, $"round {round}");
        }
    }

    [Fact]
    public void Scale_and_offset_of_the_scores_change_nothing()
    {
        var reference = Case("falling");
        double[] x = reference.Numbers("x"), y = reference.Numbers("y");
        var moved = x.Select(value => 1e4 * value - 3e5).ToArray();
        var (curve, same) = (LogisticCurve.Fit(x, y), LogisticCurve.Fit(moved, y));
        for (var i = 0; i < x.Length; i++)
            Assert.Equal(curve.Evaluate(x[i]), same.Evaluate(moved[i]), 1e-5);
    }

    [Fact]
    public void Without_variation_the_curve_is_the_mean_opinion()
    {
        Assert.Equal(2, LogisticCurve.Fit([5, 5, 5], [1, 2, 3]).Evaluate(7), 1e-12);
        Assert.Equal(4, LogisticCurve.Fit([1, 2, 3], [4, 4, 4]).Evaluate(-100), 1e-12);
        Assert.Throws<ArgumentException>(() => LogisticCurve.Fit([], []));
    }
}
