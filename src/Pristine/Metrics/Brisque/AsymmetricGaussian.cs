using Pristine.Kernels;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// An asymmetric generalised Gaussian distribution (AGGD), fitted by moments as OpenCV's quality module does, after Lasmar, Stitou and
/// Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis", ICIP 2009:
/// <code>
/// l^2 = mean of x^2 over x below 0,  r^2 = mean of x^2 over x above 0,  g = l / r
/// R = (mean |x|)^2 / mean x^2 x (g^3 + 1)(g + 1) / (g^2 + 1)^2
/// shape: the a in 0.2, 0.201, .. below 10 whose Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)) is nearest to R
/// mean = (r - l) Gamma(2/a) / sqrt(Gamma(1/a) Gamma(3/a))
/// </code>
/// </summary>
/// <param name="Shape">0.2 to 10; the largest of the grid where R is NaN.</param>
/// <param name="LeftVariance">l^2; NaN when no value is below 0.</param>
/// <param name="RightVariance">r^2; NaN when no value is above 0.</param>
/// <param name="Mean">Mean of the fitted distribution; NaN when a variance is.</param>
internal readonly record struct AsymmetricGaussian(double Shape, double LeftVariance, double RightVariance, double Mean)
{
    private static readonly double[] Shapes = ShapeGrid();
    private static readonly double[] Ratios = Array.ConvertAll(Shapes, MomentRatio);

    /// <summary>Fits the distribution.</summary>
    /// <param name="moments">Sums over the values.</param>
    /// <param name="count">Number of values, zeros among them.</param>
    public static AsymmetricGaussian Fit(in SignedMoments moments, long count)
    {
        var left = Math.Sqrt(moments.NegativeSquareSum / moments.NegativeCount);
        var right = Math.Sqrt(moments.PositiveSquareSum / moments.PositiveCount);
        var asymmetry = left / right;
        var meanAbsolute = moments.AbsoluteSum / count;
        var meanSquare = (moments.NegativeSquareSum + moments.PositiveSquareSum) / count;
        var evenness = asymmetry * asymmetry + 1;
        var ratio = meanAbsolute * meanAbsolute / meanSquare
            * (asymmetry * asymmetry * asymmetry + 1) * (asymmetry + 1) / (evenness * evenness);
        var index = NearestRatio(ratio);
        var shape = Shapes[index];
        // Gamma(2/a) / sqrt(Gamma(1/a) Gamma(3/a)) is the root of the ratio.
        return new AsymmetricGaussian(shape, left * left, right * right, (right - left) * Math.Sqrt(Ratios[index]));
    }

    /// <summary>
    /// OpenCV walks up the grid and stops where the distance to the ratio first grows. The ratios increase with the shape, so that is the
    /// nearest of the two around the ratio; and where the ratio is NaN no distance ever grows and it ends at the last.
    /// </summary>
    private static int NearestRatio(double ratio)
    {
        if (double.IsNaN(ratio))
            return Ratios.Length - 1;
        var above = Array.BinarySearch(Ratios, ratio);
        if (above < 0)
            above = ~above;
        if (above == 0)
            return 0;
        if (above == Ratios.Length)
            return above - 1;
        return Math.Abs(Ratios[above] - ratio) > Math.Abs(Ratios[above - 1] - ratio) ? above - 1 : above;
    }

    /// <summary>0.2, 0.201, ... by repeated addition, whose rounding puts one more value just below 10.</summary>
    private static double[] ShapeGrid()
    {
        var grid = new List<double>();
        for (var shape = 0.2; shape < 10; shape += 0.001)
            grid.Add(shape);
        return [.. grid];
    }

    private static double MomentRatio(double shape) =>
        Math.Exp(2 * LogGamma(2 / shape) - LogGamma(1 / shape) - LogGamma(3 / shape));

    /// <summary>
    /// Logarithm of the gamma function for x above 0, by Lanczos' approximation (g = 7, nine terms): relative error about 1e-15.
    /// </summary>
    internal static double LogGamma(double x)
    {
        ReadOnlySpan<double> terms =
        [
            676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
            12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
        ];
        var series = 0.99999999999980993;
        for (var i = 0; i < terms.Length; i++)
            series += terms[i] / (x + i);
        var t = x + 6.5;
        return 0.5 * Math.Log(2 * Math.PI) + (x - 0.5) * Math.Log(t) - t + Math.Log(series);
    }
}
