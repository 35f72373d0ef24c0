using Pristine.Kernels;
using Pristine.Metrics.Brisque;

namespace Pristine.Tests.Metrics.Brisque;

[Trait("kind", "kernel")]
public class SupportVectorRegressorTests
{
    private static readonly SupportVectorRegressor Small = new(.5, -3, [2, -1], [0, 1, 1, 1]);

    [Fact]
    public void Predicts_the_sum_of_weighted_kernels_less_rho()
    {
        Assert.Equal(2, Small.Dimension);
        // Squared distances of (1, 0): 2 and 1.
        var expected = 2 * Math.Exp(-.5 * 2) - Math.Exp(-.5 * 1) + 3;
        foreach (var path in Simd.Supported)
            Assert.Equal(expected, Small.Predict([1, 0], path), 1e-15);
        Assert.Equal(expected, Small.Predict([1, 0]), 1e-15);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(36)]
    public void Every_path_sums_every_element(int dimension)
    {
        var random = new Random(5);
        var (coefficients, vectors, x) = (Draw(20), Draw(20 * dimension), Draw(dimension));
        var expected = -1.5;
        for (var i = 0; i < 20; i++)
            expected += coefficients[i] * Math.Exp(
                -0.05 * Enumerable.Range(0, dimension).Sum(k => Math.Pow(x[k] - vectors[i * dimension + k], 2)));
        var regressor = new SupportVectorRegressor(0.05, 1.5, coefficients, vectors);
        foreach (var path in Simd.Supported)
            Assert.Equal(expected, regressor.Predict(x, path), 1e-12);

        double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextDouble() - 1)];
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void What_is_not_finite_is_infinitely_far_from_everything(double value) => Assert.Equal(3, Small.Predict([0, value]));

    [Fact]
    public void Refuses_another_number_of_features() =>
        Assert.Contains("Expected 2 features; found 3", Assert.Throws<ArgumentException>(
            () => Small.Predict([1, 2, 3])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 0, new double[] { 1 }, new double[] { 1 }, "gamma")]
    [InlineData(double.NaN, 0, new double[] { 1 }, new double[] { 1 }, "gamma")]
    [InlineData(1, double.PositiveInfinity, new double[] { 1 }, new double[] { 1 }, "rho")]
    [InlineData(1, 0, new double[] { }, new double[] { 1 }, "at least one support vector")]
    [InlineData(1, 0, new double[] { 1, 2 }, new double[] { 1, 2, 3 }, "a multiple of 2 values, one row per coefficient; found 3")]
    [InlineData(1, 0, new double[] { 1 }, new double[] { }, "found 0")]
    [InlineData(1, 0, new double[] { double.NaN }, new double[] { 1 }, "found NaN at index 0")]
    [InlineData(1, 0, new double[] { 1 }, new double[] { 1, double.NaN }, "found NaN at index 1")]
    public void Refuses_what_is_no_model(double gamma, double rho, double[] coefficients, double[] vectors, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(
            () => new SupportVectorRegressor(gamma, rho, coefficients, vectors)).Message, StringComparison.Ordinal);
}
