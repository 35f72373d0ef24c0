using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>entropy</c>: the Shannon entropy of the 256-bin histogram of luma. Shannon, A mathematical theory of communication, Bell System
/// Technical Journal 27(3), 1948, DOI 10.1002/j.1538-7305.1948.tb01338.x.
/// </summary>
/// <remarks>Unit: bits per pixel. Range: 0 (one grey level) to 8 (all levels equally often). No direction: noise has the most.</remarks>
public sealed class Entropy : StatelessMetric
{
    /// <inheritdoc/>
    public override string Name => "entropy";

    /// <inheritdoc/>
    public override string Summary => "Shannon entropy of the luma histogram: low for blank pages, plain backgrounds and simple graphics.";

    /// <inheritdoc/>
    public override string Formula =>
        "sum over the grey levels v that occur: p(v) log2(1 / p(v)), with p(v) the share of pixels with luma v";

    /// <inheritdoc/>
    public override string Citation =>
        "Shannon: A mathematical theory of communication. Bell System Technical Journal 27(3), 1948. DOI " +
        "10.1002/j.1538-7305.1948.tb01338.x.";

    /// <inheritdoc/>
    public override string Notes =>
        "The same as skimage.measure.shannon_entropy of the grey image. cleanvision's low_information check takes Pillow's " +
        "Image.entropy, which for " +
        "a colour image is the entropy of its three channel histograms laid side by side: up to 9.58 bits, and for a grey image stored " +
        "as RGB " +
        "log2(3) = 1.58 bits more than here. Has no quality, because the most entropy is that of noise.";

    /// <inheritdoc/>
    public override string Unit => "bits per pixel";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 8);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image)
    {
        Span<int> counts = stackalloc int[Histogram.Bins];
        Histogram.Count(image.Luma, counts);
        double pixels = image.Luma.Length;
        var entropy = 0.0;
        foreach (var count in counts)
            if (count > 0)
                entropy += count / pixels * Math.Log2(pixels / count);
        return entropy;
    }
}
