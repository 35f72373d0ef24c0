using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>contrast</c>: RMS contrast, the standard deviation of luma as a share of white. Peli, Contrast in complex images, Journal of
/// the Optical Society of America A 7(10), 1990, DOI 10.1364/JOSAA.7.002032.
/// </summary>
/// <remarks>No unit. Range: 0 (flat) to 0.5 (half black, half white). No direction: fog is poor, but so is a blown-out photo.</remarks>
public sealed class Contrast : StatelessMetric
{
    /// <inheritdoc/>
    public override string Name => "contrast";

    /// <inheritdoc/>
    public override string Summary =>
        "RMS contrast, the standard deviation of luma: 0 for a flat image, 0.5 for half black and half white.";

    /// <inheritdoc/>
    public override string Formula => "sqrt(mean(I^2) - mean(I)^2) / 255 over all pixels of luma I";

    /// <inheritdoc/>
    public override string Citation =>
        "Peli: Contrast in complex images. Journal of the Optical Society of America A 7(10), 1990. DOI 10.1364/JOSAA.7.002032.";

    /// <inheritdoc/>
    public override string Notes =>
        "The population standard deviation, so `gray.std() / 255` in numpy. Not divided by the mean: dark images have little contrast. " +
        "Has no " +
        "quality, because more is not always better.";

    /// <inheritdoc/>
    public override string Unit => "share of white";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 0.5);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image) => Math.Sqrt(PlaneMoments.Measure(image.Luma).Variance) / byte.MaxValue;
}
