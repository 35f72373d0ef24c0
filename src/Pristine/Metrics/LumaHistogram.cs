using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>luma-histogram</c>: the number of pixels of each of the 256 levels of luma. Percentiles and clipping are read from it.
/// </summary>
public sealed class LumaHistogram : Feature
{
    /// <inheritdoc/>
    public override string Name => "luma-histogram";

    /// <inheritdoc/>
    public override string Identity => "luma-histogram:1";

    /// <inheritdoc/>
    public override int Count => Histogram.Bins;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    public override FeatureExtractor CreateExtractor() => new Extractor();

    private sealed class Extractor : FeatureExtractor
    {
        private readonly int[] _counts = new int[Histogram.Bins];

        public override int Count => Histogram.Bins;

        public override void Compute(in ImageView image, Span<double> features)
        {
            Histogram.Count(image.Luma, _counts);
            for (var level = 0; level < _counts.Length; level++)
                features[level] = _counts[level];
        }
    }
}
