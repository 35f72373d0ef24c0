using Pristine.Media;
using Pristine.Kernels;

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
public sealed class BrisqueMetric : Metric
{
    private readonly SimdPath _path;

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
            throw new PlatformNotSupportedException($"Expected one of {string.Join(", ", Simd.Supported)}; found {path}, which cannot run here.");
        _path = path;
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
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    public override int MinSide => 2;

    /// <inheritdoc/>
    public override string ModelSha256 => BrisqueModel.OpenCv.Sha256;

    /// <inheritdoc/>
    public override BrisqueScorer CreateScorer() => new(_path);
}

/// <summary>One worker's <see cref="BrisqueMetric"/>. Allocates only for the first image and when a wider one comes.</summary>
public sealed class BrisqueScorer : MetricScorer
{
    private readonly BrisqueModel _model = BrisqueModel.OpenCv;
    private readonly MscnStatistics _full;
    private readonly MscnStatistics _half;
    private readonly CubicHalf _halfScale;
    private readonly SignedMoments[] _moments = new SignedMoments[MscnStatistics.Fields];

    internal BrisqueScorer(SimdPath path) =>
        (_full, _half, _halfScale) = (MscnStatistics.Create(path), MscnStatistics.Create(path), CubicHalf.Create(path));

    /// <summary>The score, 0 (best) to 100.</summary>
    /// <param name="image">At least 2x2, with <see cref="ImageView.Luma"/>.</param>
    /// <returns>The score OpenCV gives; finite.</returns>
    /// <exception cref="ArgumentException">The image is smaller, or without luma.</exception>
    public override double Score(in ImageView image) => Math.Clamp(ScoreUnclamped(image), 0, 100);

    /// <summary>The score before OpenCV's clamp: it still tells very good or very bad images apart.</summary>
    /// <param name="image">At least 2x2, with <see cref="ImageView.Luma"/>.</param>
    /// <returns>Usually -30 to 150; +infinity where a feature is NaN, as for constant images.</returns>
    /// <exception cref="ArgumentException">The image is smaller, or without luma.</exception>
    public double ScoreUnclamped(in ImageView image)
    {
        Span<double> features = stackalloc double[BrisqueFeatures.Count];
        Features(image, features);
        return _model.Predict(features);
    }

    /// <summary>The 36 features, in the order of <see cref="BrisqueFeatures.All"/>, before scaling.</summary>
    /// <param name="image">At least 2x2, with <see cref="ImageView.Luma"/>.</param>
    /// <param name="features">Where they go: 36 values, some of which may be NaN.</param>
    /// <exception cref="ArgumentException">The image is smaller, or without luma, or there is not room for exactly 36 values.</exception>
    public void Features(in ImageView image, Span<double> features)
    {
        var (width, height) = (image.Width, image.Height);
        if (Math.Min(width, height) < 2)
            throw new ArgumentException($"Expected at least 2x2 pixels; found {width}x{height}.", nameof(image));
        if (image.Luma.IsEmpty)
            throw new ArgumentException("Expected an image with luma; found one without.", nameof(image));
        if (features.Length != BrisqueFeatures.Count)
            throw new ArgumentException($"Expected room for {BrisqueFeatures.Count} features; found {features.Length}.", nameof(features));

        _full.Begin(width, height);
        _half.Begin(width / 2, height / 2);
        _halfScale.Begin(width, height);
        for (var y = 0; y < height; y++)
        {
            var row = image.Luma.Slice(y * width, width);
            _full.AddRow(row);
            _halfScale.AddRow(row);
            while (_halfScale.TryTakeRow(out var halfRow))
                _half.AddRow(halfRow);
        }
        Fit(_full, (long)width * height, features[..BrisqueFeatures.PerScale]);
        Fit(_half, (long)(width / 2) * (height / 2), features[BrisqueFeatures.PerScale..]);
    }

    private void Fit(MscnStatistics statistics, long pixels, Span<double> features)
    {
        statistics.Finish(_moments);
        var mscn = AsymmetricGaussian.Fit(_moments[0], pixels);
        features[0] = mscn.Shape;
        features[1] = (mscn.LeftVariance + mscn.RightVariance) / 2;
        for (var field = 1; field < MscnStatistics.Fields; field++)
        {
            var product = AsymmetricGaussian.Fit(_moments[field], pixels);
            var of = features.Slice(4 * field - 2, 4);
            (of[0], of[1], of[2], of[3]) = (product.Shape, product.Mean, product.LeftVariance, product.RightVariance);
        }
    }
}
