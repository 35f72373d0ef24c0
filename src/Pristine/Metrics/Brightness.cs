using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>brightness</c>: the mean of luma, as a share of white. Luma has the weights of ITU-R BT.601, as OpenCV's 8-bit grey.
/// </summary>
/// <remarks>No unit. Range: 0 (black) to 1 (white). No direction: too dark and too bright are both poor.</remarks>
public sealed class Brightness : StatelessMetric
{
    /// <inheritdoc/>
    public override string Name => "brightness";

    /// <inheritdoc/>
    public override string Summary => "Mean luma: 0 for a black image, 1 for a white one.";

    /// <inheritdoc/>
    public override string Formula => "mean(I) / 255 over all pixels of luma I";

    /// <inheritdoc/>
    public override string Citation => "Luma weights of Recommendation ITU-R BT.601.";

    /// <inheritdoc/>
    public override string Notes =>
        "Has no quality, because both ends are poor; a rule such as `brightness between 0.15 and 0.9` drops both. cleanvision's " +
        "brightness is " +
        "sqrt(0.241 R^2 + 0.691 G^2 + 0.068 B^2) / 255 of the three channel means: the same number for grey images, another for saturated " +
        "colours (pure blue: 0.11 here, 0.26 there). Its `dark` and `light` checks use percentiles (99th and 5th) of that formula " +
        "per pixel, so a night scene with a few lamps is not dark there but has a low brightness here.";

    /// <inheritdoc/>
    public override string Unit => "share of white";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image) => PlaneMoments.Measure(image.Luma).Mean / byte.MaxValue;
}
