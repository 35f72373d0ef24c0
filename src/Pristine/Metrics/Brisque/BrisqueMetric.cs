using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// <c>brisque</c>: BRISQUE as OpenCV's quality module computes it (<c>cv::quality::QualityBRISQUE</c> of OpenCV 4), with its LIVE model,
/// which is part of this library. 0 is best, 100 worst.
/// </summary>
/// <remarks>
/// <para>Paper: A. Mittal, A. K. Moorthy, A. C. Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", IEEE Transactions
/// on Image Processing 21(12), 2012, DOI 10.1109/TIP.2012.2214050.</para>
/// <para>Recipe: luma I = (9798 R + 19235 G + 3735 B + 16384) >> 15, over 255. At full size and at half size (cubic, a = -0.75, no
/// antialiasing, size rounded down): MSCN m = (I - mu) / (sigma + 1/255) with the 7x7 Gaussian of sigma 7/6 and replicated borders;
/// an asymmetric generalised Gaussian is fitted to m and to the products of m with its four neighbours (0 outside the plane); that makes
/// the 36 features of <see cref="BrisqueFeatures"/>. Each is mapped to -1..1 by its range over the training images; a support vector
/// regression (radial basis, gamma 0.05, 774 vectors) gives the score, clamped to 0..100.</para>
/// <para>OpenCV's recipe is not the authors': grey, borders, constant C, half scale, the fit of m and the model differ, and so do the
/// scores. Compare scores of this metric only with OpenCV's.</para>
/// <para>Deviations from OpenCV: pixels of a window whose variance is negative by rounding have m = 0 instead of NaN, which counts the
/// same; features, scaling and regression are in double precision (scores moved by up to 0.0012 over 30 reference images); sums are taken
/// in another order (features moved by up to 6e-6, relative).</para>
/// <para>Outcomes at the edges: below 2 pixels on a side OpenCV fails, and an image is <see cref="ImageStatus.TooSmall"/> here. Where a
/// scale has no MSCN value of one sign (constant images, 3x3), a feature is NaN and the score before the clamp +infinity, so 100, as in
/// OpenCV. Below some 32 pixels on a side, and in large flat areas, the features describe rounding more than the image.</para>
/// </remarks>
public sealed class BrisqueMetric : FeatureMetric
{
    /// <summary>The metric, on the fastest path of this processor.</summary>
    public BrisqueMetric()
        : this(Simd.Current)
    {
    }

    /// <summary>The metric, on a given path.</summary>
    /// <param name="path">The path.</param>
    /// <exception cref="PlatformNotSupportedException">This processor lacks the path.</exception>
    public BrisqueMetric(SimdPath path)
    {
        if (!Simd.IsSupported(path))
            throw new PlatformNotSupportedException(
                $"Expected one of {string.Join(", ", Simd.Supported)}; found {path}, which cannot run here.");
        Feature = new BrisqueStatistics(path);
    }

    /// <inheritdoc/>
    public override string Name => "brisque";

    /// <inheritdoc/>
    public override string Summary =>
        "Distance of the image's local statistics from those of natural, undistorted photographs, as OpenCV scores it.";

    /// <inheritdoc/>
    public override string Formula =>
        "clip(SVR(36 features), 0, 100); features: asymmetric generalised Gaussian fits of (I - mu) / (sigma + 1/255) and of its four " +
        "neighbour products, at full and at half size";

    /// <inheritdoc/>
    public override string Citation =>
        "Mittal, Moorthy, Bovik: No-Reference Image Quality Assessment in the Spatial Domain, IEEE TIP 2012, " +
        "doi:10.1109/TIP.2012.2214050; recipe and model of OpenCV's quality module";

    /// <inheritdoc/>
    public override MetricDirection Direction => MetricDirection.LowerIsBetter;

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 100);

    /// <inheritdoc/>
    public override Feature Feature { get; }

    /// <inheritdoc/>
    public override string ModelSha256 => BrisqueModel.OpenCv.Sha256;

    /// <summary>The score, 0 (best) to 100.</summary>
    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => Math.Clamp(ScoreUnclamped(features), 0, 100);

    /// <summary>The score before OpenCV's clamp: it still tells very good or very bad images apart.</summary>
    /// <param name="features">The 36 features.</param>
    /// <returns>Usually -30 to 150; +infinity where a feature is NaN, as for constant images.</returns>
    public static double ScoreUnclamped(ReadOnlySpan<double> features) => BrisqueModel.OpenCv.Predict(features);
}
