using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>colorfulness</c>: the metric M3 of Hasler and Suesstrunk, Measuring colorfulness in natural images, Human Vision and Electronic
/// Imaging VIII (SPIE 5007), 2003, DOI 10.1117/12.477378, on sRGB values 0..255.
/// </summary>
/// <remarks>
/// Range: 0 (grey) to 255 sqrt(1.25 x 1.09), about 297.7. Both axes lie in a hexagon of radius r = 255 sqrt(1.25), so the sum of the
/// variance and the squared mean is at most r^2, and s + 0.3 m is at most r sqrt(1 + 0.3^2) under that condition. Photos have up to about
/// 110.
/// </remarks>
public sealed class Colorfulness : StatelessMetric
{
    /// <inheritdoc/>
    public override string Name => "colorfulness";

    /// <inheritdoc/>
    public override string Summary => "How colourful people find an image: 0 for grey, about 109 for extremely colourful photos.";

    /// <inheritdoc/>
    public override string Formula =>
        "rg = R - G;  yb = (R + G) / 2 - B;  colorfulness = sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2) over all pixels, " +
        "R G B 0..255";

    /// <inheritdoc/>
    public override string Citation =>
        "Hasler, Suesstrunk: Measuring colorfulness in natural images. Human Vision and Electronic Imaging VIII, SPIE 5007, 2003. DOI " +
        "10.1117/12.477378.";

    /// <inheritdoc/>
    public override string Notes =>
        "The paper's scale: 0 not colourful, 15 slightly, 33 moderately, 45 averagely, 59 quite, 82 highly, 109 extremely colourful. The " +
        "axes are " +
        "signed as in the paper; a widespread OpenCV tutorial takes their absolute values and gets other numbers. Has no quality: a " +
        "matter of style.";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 255 * Math.Sqrt(1.25 * 1.09));

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Rgb;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image)
    {
        var (redGreen, twiceYellowBlue) = OpponentColorMoments.Measure(image.Rgb);
        var variance = redGreen.Variance + twiceYellowBlue.Variance / 4;
        var mean = double.Hypot(redGreen.Mean, twiceYellowBlue.Mean / 2);
        return Math.Sqrt(variance) + 0.3 * mean;
    }
}
