using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Brisque;

/// <summary><c>brisque-live</c>: the 36 numbers of <see cref="BrisqueLiveFeatures"/>, before scaling.</summary>
/// <param name="path">The SIMD path; paths differ by rounding.</param>
internal sealed class BrisqueLiveFeature(SimdPath path) : Feature
{
    /// <summary>The feature on the fastest path of this processor.</summary>
    public BrisqueLiveFeature()
        : this(Simd.Current)
    {
    }

    /// <inheritdoc/>
    public override string Name => "brisque-live";

    /// <inheritdoc/>
    public override string Identity => "brisque-live:1";

    /// <inheritdoc/>
    public override int Count => BrisqueLiveFeatures.Count;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Rgb;

    /// <inheritdoc/>
    public override int MinSide => BrisqueLiveFeatures.MinSide;

    /// <inheritdoc/>
    protected override string Place => path.ToString();

    /// <inheritdoc/>
    public override FeatureExtractor CreateExtractor() => new Extractor(path);

    private sealed class Extractor(SimdPath path) : FeatureExtractor
    {
        private readonly BrisqueLiveFeatures _features = new(path);

        public override int Count => BrisqueLiveFeatures.Count;

        public override void Compute(in ImageView image, Span<double> features) => _features.Compute(image, features);
    }
}
