using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>sharpness</c>: the variance of the Laplacian of the luma plane, exactly <c>cv2.Laplacian(gray, cv2.CV_64F, ksize=1).var()</c>.
/// The focus measure is that of Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy: a comparative study, ICPR 2000,
/// DOI 10.1109/ICPR.2000.903548. The paper gives no threshold; 100 is the one that the OpenCV tutorials made customary.
/// </summary>
/// <remarks>Unit: grey levels squared. Range: 0 (flat) to 1020^2 (a black and white checkerboard). An image of one pixel has 0.</remarks>
public sealed class Sharpness : StatelessMetric
{
    /// <summary>The score that is mapped to a quality of 0.5: below it, tutorials call an image blurry.</summary>
    public const double CustomaryThreshold = 100;

    /// <inheritdoc/>
    public override string Name => "sharpness";

    /// <inheritdoc/>
    public override string Summary => "Variance of the Laplacian of luma: low for blurred images, but also for flat ones.";

    /// <inheritdoc/>
    public override string Formula =>
        "L(x,y) = I(x-1,y) + I(x+1,y) + I(x,y-1) + I(x,y+1) - 4 I(x,y);  sharpness = mean(L^2) - mean(L)^2 over all pixels of luma I; " +
        "borders mirrored without repeating the edge pixel";

    /// <inheritdoc/>
    public override string QualityFormula => "sharpness / (sharpness + 100)";

    /// <inheritdoc/>
    public override string Citation =>
        "Pech-Pacheco, Cristobal, Chamorro-Martinez, Fernandez-Valdivia: Diatom autofocusing in brightfield microscopy: a comparative " +
        "study. ICPR 2000. DOI 10.1109/ICPR.2000.903548. Computed as OpenCV's cv2.Laplacian(gray, cv2.CV_64F, ksize=1).var().";

    /// <inheritdoc/>
    public override string Notes =>
        "Measured at full resolution; scaling a photo down usually raises the value, and so does noise, so compare images " +
        "of similar size and origin. The customary threshold of 100 comes from OpenCV tutorials, not from the paper; it is the value with " +
        "quality 0.5. cleanvision's blurriness is another number: the standard deviation of Pillow's FIND_EDGES filter (eight neighbours, " +
        "clipped to 0..255) after scaling the longer side down to 64 pixels.";

    /// <inheritdoc/>
    public override string Unit => "grey levels squared";

    /// <inheritdoc/>
    public override MetricDirection Direction => MetricDirection.HigherIsBetter;

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1020 * 1020);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <summary>
    /// s / (s + 100). Linear over the range would put every photo near 0, for the range ends at a checkerboard; this map is
    /// monotonic, has 0.5 at the customary threshold and never reaches 1.
    /// </summary>
    /// <param name="score">A native score; below 0 counts as 0.</param>
    /// <returns>The quality; NaN for a NaN score.</returns>
    public override double Quality(double score)
    {
        var (low, high) = Range;
        var clipped = Math.Clamp(score, low, high);
        return clipped / (clipped + CustomaryThreshold);
    }

    /// <inheritdoc/>
    protected override double Measure(in ImageView image) => LaplacianMoments.Measure(image.Luma, image.Width, image.Height).Variance;
}
