using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// The feature of <c>saturation</c> and <c>gray_share</c>, from one pass over the pixels: the mean saturation, then the share of grey
/// pixels.
/// </summary>
internal sealed class ColourStrength : Feature
{
    /// <summary>
    /// A pixel whose largest and smallest channel differ by no more is grey: JPEG gives grey pictures a tint of a few levels.
    /// </summary>
    public const int GreyTolerance = 8;

    public override string Name => "colour-strength";

    public override string Identity => "colour-strength:1";

    public override int Count => 2;

    public override ImageInput Input => ImageInput.Rgb;

    public override FeatureExtractor CreateExtractor() => new Extractor();

    private sealed class Extractor : FeatureExtractor
    {
        /// <summary>1 / maximum; 0 for black, which has no saturation.</summary>
        private static readonly double[] Reciprocals = [.. Enumerable.Range(0, 256).Select(level => level == 0 ? 0 : 1.0 / level)];

        public override int Count => 2;

        public override void Compute(in ImageView image, Span<double> features)
        {
            var rgb = image.Rgb;
            var (saturation, grey) = (0.0, 0L);
            for (var i = 0; i + 2 < rgb.Length; i += 3)
            {
                int high = Math.Max(rgb[i], Math.Max(rgb[i + 1], rgb[i + 2])), low = Math.Min(rgb[i], Math.Min(rgb[i + 1], rgb[i + 2]));
                saturation += (high - low) * Reciprocals[high];
                grey += high - low <= GreyTolerance ? 1 : 0;
            }
            var pixels = (double)image.Width * image.Height;
            (features[0], features[1]) = (saturation / pixels, grey / pixels);
        }
    }
}

/// <summary>
/// <c>saturation</c>: the mean over all pixels of the saturation of the HSV model. A. R. Smith, Color gamut transform pairs, SIGGRAPH 1978,
/// DOI 10.1145/965139.807361.
/// </summary>
/// <remarks>No unit. Range: 0 (grey) to 1. No direction: a matter of style.</remarks>
public sealed class Saturation : FeatureMetric
{
    /// <inheritdoc/>
    public override string Name => "saturation";

    /// <inheritdoc/>
    public override string Summary => "Mean saturation of the HSV model: 0 for grey, 1 where every pixel lacks one of the three primaries.";

    /// <inheritdoc/>
    public override string Formula => "mean over all pixels of (max(R,G,B) - min(R,G,B)) / max(R,G,B); 0 for a black pixel";

    /// <inheritdoc/>
    public override string Citation => "Smith: Color gamut transform pairs. SIGGRAPH 1978. DOI 10.1145/965139.807361.";

    /// <inheritdoc/>
    public override string Notes =>
        "The mean of the S channel of OpenCV's COLOR_RGB2HSV over 255, without its rounding to whole levels; FiftyOne's image issues use " +
        "that "
        + "channel from 0 to 255 (40 to 200). Dark noise is highly saturated by this measure; colorfulness follows what people see.";

    /// <inheritdoc/>
    public override string Unit => "share of full saturation";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override Feature Feature { get; } = new ColourStrength();

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => features[0];
}

/// <summary><c>gray_share</c>: the share of pixels without colour, for finding grey pictures however they are stored.</summary>
/// <remarks>No unit. Range: 0 to 1 (a grey picture). No direction.</remarks>
public sealed class GrayShare : FeatureMetric
{
    /// <inheritdoc/>
    public override string Name => "gray_share";

    /// <inheritdoc/>
    public override string Summary => "Share of pixels without colour: 1 for a grey picture, also one that is stored in colour.";

    /// <inheritdoc/>
    public override string Formula => "share of pixels with max(R,G,B) - min(R,G,B) <= 8";

    /// <inheritdoc/>
    public override string Citation => "Defined by this library.";

    /// <inheritdoc/>
    public override string Notes =>
        "cleanvision's grayscale asks for the file's mode, so it passes a grey photo that is stored as RGB. Sepia and other toned " +
        "pictures have colour here.";

    /// <inheritdoc/>
    public override string Unit => "share of pixels";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override Feature Feature { get; } = new ColourStrength();

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => features[1];
}
