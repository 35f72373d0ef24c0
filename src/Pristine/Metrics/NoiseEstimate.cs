using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>noise</c>: the standard deviation of white Gaussian noise in luma, as J. Immerkaer estimates it: Fast noise variance estimation,
/// Computer Vision and Image Understanding 64(2), 1996, DOI 10.1006/cviu.1996.0060. A mask that no plane or edge along an axis answers to
/// takes the image away.
/// </summary>
/// <remarks>Unit: grey levels. Range: 0 and more. No direction: fine texture answers as noise does.</remarks>
public sealed class NoiseEstimate : StatelessMetric
{
    /// <inheritdoc/>
    public override string Name => "noise";

    /// <inheritdoc/>
    public override string Summary => "Estimated standard deviation of noise in luma; fine texture counts as noise too.";

    /// <inheritdoc/>
    public override string Formula =>
        "sqrt(pi / 2) / (6 (W - 2) (H - 2)) x the sum over all pixels but the outermost of |I * N|, N = [1 -2 1; -2 4 -2; 1 -2 1], for " +
        "luma I of W x H pixels";

    /// <inheritdoc/>
    public override string Citation =>
        "Immerkaer: Fast noise variance estimation. Computer Vision and Image Understanding 64(2), 1996. DOI 10.1006/cviu.1996.0060.";

    /// <inheritdoc/>
    public override string Notes =>
        "Sharp photographs of grass, hair or gravel have 5 and more without any noise, a JPEG of low quality has little whatever it was " +
        "made of. "
        + "skimage.restoration.estimate_sigma takes the median of wavelet coefficients instead, which texture moves less and noise in " +
        "flat pictures equally.";

    /// <inheritdoc/>
    public override string Unit => "grey levels";

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <summary>3: a pixel with all of its neighbours.</summary>
    public override int MinSide => 3;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image) =>
        Math.Sqrt(Math.PI / 2) * NoiseResponse.Sum(image.Luma, image.Width, image.Height) / (6.0 * (image.Width - 2) * (image.Height - 2));
}
