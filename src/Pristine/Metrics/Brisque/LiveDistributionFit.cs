using Pristine.Kernels;

namespace Pristine.Metrics.Brisque;

/// <summary>Parameters of an asymmetric generalised Gaussian distribution.</summary>
/// <param name="Shape">Shape alpha: 2 for a Gaussian, smaller for heavier tails.</param>
/// <param name="Mean">Mean eta.</param>
/// <param name="LeftVariance">Mean square of the negative values.</param>
/// <param name="RightVariance">Mean square of the positive values.</param>
internal readonly record struct AsymmetricFit(double Shape, double Mean, double LeftVariance, double RightVariance);

/// <summary>
/// Generalised Gaussian distributions fitted by matching moments, as the LIVE release does it: the shape is the one among 0.2, 0.201 ..
/// 10 whose ratio of moments, Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)) = (E|x|)^2 / E x^2, is the nearest to the sample's (Sharifi and
/// Leon-Garcia 1995, doi:10.1109/76.350779; asymmetric: Lasmar et al. 2009, doi:10.1109/ICIP.2009.5414404). A sample without the moments
/// (all zero; no negative or no positive value) gives NaN.
/// </summary>
internal static class LiveDistributionFit
{
    private const double FirstShape = .2, ShapeStep = .001;
    private const int Shapes = 9801;

    /// <summary>The ratio for each shape; ascending.</summary>
    private static readonly double[] Ratios = [.. Enumerable.Range(0, Shapes).Select(i => Ratio(Shape(i)))];

    /// <summary>Minus its reciprocal, which is what the symmetric fit compares; ascending as well.</summary>
    private static readonly double[] NegatedReciprocals = [.. Ratios.Select(ratio => -1 / ratio)];

    /// <summary>Fits the symmetric distribution, of mean 0.</summary>
    /// <param name="count">Sample size.</param>
    /// <param name="absolute">Sum of absolute values.</param>
    /// <param name="squares">Sum of squares.</param>
    public static (double Shape, double Variance) Symmetric(long count, double absolute, double squares)
    {
        double mean = absolute / count, variance = squares / count;
        var index = Nearest(NegatedReciprocals, -variance / (mean * mean));
        return (index < 0 ? double.NaN : Shape(index), variance);
    }

    /// <summary>Fits the asymmetric distribution.</summary>
    /// <param name="count">Sample size, zeros included.</param>
    /// <param name="sums">Sums over the sample.</param>
    public static AsymmetricFit Asymmetric(long count, in ProductSums sums)
    {
        double left = sums.NegativeSquares / sums.Negatives, right = sums.PositiveSquares / sums.Positives;
        double leftDeviation = Math.Sqrt(left), rightDeviation = Math.Sqrt(right);
        var balance = leftDeviation / rightDeviation;
        var mean = sums.Absolute / count;
        var ratio = mean * mean / ((sums.NegativeSquares + sums.PositiveSquares) / count);
        var balanced = ratio * (balance * balance * balance + 1) * (balance + 1) / ((balance * balance + 1) * (balance * balance + 1));
        var index = Nearest(Ratios, balanced);
        if (index < 0)
            return new(double.NaN, double.NaN, left, right);
        // (right - left) Gamma(2/a) / Gamma(1/a) x sqrt(Gamma(1/a) / Gamma(3/a)): all the Gammas together are the root of the ratio.
        return new(Shape(index), (rightDeviation - leftDeviation) * Math.Sqrt(Ratios[index]), left, right);
    }

    private static double Shape(int index) => FirstShape + index * ShapeStep;

    private static double Ratio(double shape) => Math.Exp(2 * LogGamma(2 / shape) - LogGamma(1 / shape) - LogGamma(3 / shape));

    /// <summary>Index of the nearest element of an ascending table, the first of two equally near; -1 for NaN.</summary>
    private static int Nearest(double[] table, double value)
    {
        if (double.IsNaN(value))
            return -1;
        var at = Array.BinarySearch(table, value);
        if (at >= 0)
            return at;
        var above = ~at;
        if (above == 0 || above == table.Length)
            return above == 0 ? 0 : table.Length - 1;
        return value - table[above - 1] <= table[above] - value ? above - 1 : above;
    }

    /// <summary>
    /// Logarithm of the Gamma function for positive arguments: Stirling's series above 20, reached by Gamma(x) = Gamma(x+1) / x.
    /// </summary>
    private static double LogGamma(double x)
    {
        var product = 1.0;
        for (; x < 20; x++)
            product *= x;
        var inverseSquare = 1 / (x * x);
        // The first term left out, 1 / (1188 x^9), is below 2e-15.
        var series = (1.0 / 12 - inverseSquare * (1.0 / 360 - inverseSquare * (1.0 / 1260 - inverseSquare / 1680))) / x;
        return (x - .5) * Math.Log(x) - x + .5 * Math.Log(2 * Math.PI) + series - Math.Log(product);
    }
}
