using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// <c>brisque</c>: the 36 numbers of <see cref="BrisqueFeatures"/> by the recipe of <see cref="BrisqueMetric"/>, before scaling.
/// </summary>
/// <param name="path">The SIMD path; paths differ by rounding.</param>
internal sealed class BrisqueStatistics(SimdPath path) : Feature
{
    /// <summary>The feature on the fastest path of this processor.</summary>
    public BrisqueStatistics()
        : this(Simd.Current)
    {
    }

    /// <inheritdoc/>
    public override string Name => "brisque";

    /// <inheritdoc/>
    public override string Identity => "brisque:1";

    /// <inheritdoc/>
    public override int Count => BrisqueFeatures.Count;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    public override int MinSide => 2;

    /// <inheritdoc/>
    protected override string Place => path.ToString();

    /// <inheritdoc/>
    public override BrisqueExtractor CreateExtractor() => new(path);
}

/// <summary>
/// One worker's extractor of <see cref="BrisqueStatistics"/>. Allocates only for the first image and when a wider one comes.
/// </summary>
internal sealed class BrisqueExtractor : FeatureExtractor
{
    private readonly MscnStatistics _full;
    private readonly MscnStatistics _half;
    private readonly CubicHalf _halfScale;
    private readonly SignedMoments[] _moments = new SignedMoments[MscnStatistics.Fields];

    internal BrisqueExtractor(SimdPath path) =>
        (_full, _half, _halfScale) = (MscnStatistics.Create(path), MscnStatistics.Create(path), CubicHalf.Create(path));

    /// <inheritdoc/>
    public override int Count => BrisqueFeatures.Count;

    /// <summary>The 36 features, in the order of <see cref="BrisqueFeatures.All"/>, before scaling.</summary>
    /// <param name="image">At least 2x2, with <see cref="ImageView.Luma"/>.</param>
    /// <param name="features">Where they go: 36 values, some of which may be NaN.</param>
    /// <exception cref="ArgumentException">The image is smaller, or without luma, or there is not room for exactly 36 values.</exception>
    public override void Compute(in ImageView image, Span<double> features)
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
