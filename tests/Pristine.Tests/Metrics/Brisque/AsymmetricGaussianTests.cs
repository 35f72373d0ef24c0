using Pristine.Kernels;
using Pristine.Metrics.Brisque;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.Brisque;

public class AsymmetricGaussianTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(0.5, 0.5723649429247001)] // log of the root of pi
    [InlineData(0.1, 2.252712651734206)]
    [InlineData(5, 3.1780538303479458)] // log 24
    [InlineData(15, 25.191221182738680)] // log 14!
    public void Log_gamma_is_known_at(double x, double expected) => Assert.Equal(expected, AsymmetricGaussian.LogGamma(x), 1e-13);

    [Fact]
    public void Finds_what_the_walk_up_the_grid_finds()
    {
        var random = new Random(11);
        for (var i = 0; i < 300; i++)
        {
            var moments = new SignedMoments
            {
                NegativeCount = random.Next(1, 1000),
                PositiveCount = random.Next(1, 1000),
                NegativeSquareSum = Math.Exp(8 * random.NextDouble() - 4),
                PositiveSquareSum = Math.Exp(8 * random.NextDouble() - 4),
                AbsoluteSum = Math.Exp(7 * random.NextDouble()),
            };
            var expected = OpenCvBrisqueReference.Fit(moments, 2000);
            var actual = AsymmetricGaussian.Fit(moments, 2000);
            Assert.Equal(expected.Shape, actual.Shape);
            Assert.Equal(expected.Left, actual.LeftVariance, 1e-12);
            Assert.Equal(expected.Right, actual.RightVariance, 1e-12);
            Assert.Equal(expected.Mean, actual.Mean, 1e-11);
        }
    }

    [Fact]
    public void Has_the_last_shape_and_no_variance_where_a_sign_is_missing()
    {
        var onlyPositive = AsymmetricGaussian.Fit(new SignedMoments { AbsoluteSum = 3, PositiveCount = 3, PositiveSquareSum = 3 }, 9);
        Assert.Equal(10, onlyPositive.Shape, 0.0011);
        Assert.Equal(double.NaN, onlyPositive.LeftVariance);
        Assert.Equal(1, onlyPositive.RightVariance);
        Assert.Equal(double.NaN, onlyPositive.Mean);
    }

    /// <summary>An even grid of a Gaussian and of a Laplacian must give their shapes and variances back.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void Recovers_a_known_distribution(int shape)
    {
        const int steps = 2_000, angles = 100, count = steps * angles;
        var moments = default(SignedMoments);
        for (var i = 0; i < count; i++)
        {
            double u = (i % steps + 0.5) / steps, v = (i / steps + 0.5) / angles;
            var x = shape == 2 ? Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v) : -Math.Log(u) * (v < 0.5 ? -1 : 1);
            moments.AbsoluteSum += Math.Abs(x);
            if (x < 0)
                (moments.NegativeCount, moments.NegativeSquareSum) = (moments.NegativeCount + 1, moments.NegativeSquareSum + x * x);
            else
                (moments.PositiveCount, moments.PositiveSquareSum) = (moments.PositiveCount + 1, moments.PositiveSquareSum + x * x);
        }
        var fit = AsymmetricGaussian.Fit(moments, count);
        Assert.Equal(shape, fit.Shape, 0.01);
        Assert.Equal(shape == 2 ? 1 : 2, fit.LeftVariance, 0.01);
        Assert.Equal(0, fit.Mean, 1e-9);
    }
}
