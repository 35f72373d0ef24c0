using System.Globalization;

namespace Pristine.Metrics;

/// <summary>
/// <c>shadow_clipping</c> and <c>highlight_clipping</c>: the share of pixels whose luma is at the end of the scale, where detail is lost. A
/// level counts as the end when it is at most <see cref="Margin"/> from it: lossy compression moves clipped pixels by that much.
/// </summary>
/// <remarks>No unit. Range: 0 to 1. No direction: line art and night photographs clip on purpose.</remarks>
public sealed class Clipping : FeatureMetric
{
    /// <summary>Levels beside 0 and 255 that count as clipped.</summary>
    public const int Margin = 2;

    private readonly bool _isShadow;

    private Clipping(bool isShadow) => _isShadow = isShadow;

    /// <summary><c>shadow_clipping</c>: luma 0 to 2.</summary>
    public static Clipping Shadows { get; } = new(isShadow: true);

    /// <summary><c>highlight_clipping</c>: luma 253 to 255.</summary>
    public static Clipping Highlights { get; } = new(isShadow: false);

    /// <inheritdoc/>
    public override string Name => _isShadow ? "shadow_clipping" : "highlight_clipping";

    /// <inheritdoc/>
    public override string Summary => _isShadow
        ? "Share of pixels that are black: high for underexposed images."
        : "Share of pixels that are white: high for blown-out images.";

    /// <inheritdoc/>
    public override string Formula => _isShadow
        ? string.Create(CultureInfo.InvariantCulture, $"share of pixels with luma I <= {Margin}")
        : string.Create(CultureInfo.InvariantCulture, $"share of pixels with luma I >= {byte.MaxValue - Margin}");

    /// <inheritdoc/>
    public override string Citation => "Defined by this library.";

    /// <inheritdoc/>
    public override string Notes =>
        "Pages of text, drawings and product photographs on white are clipped on purpose; a rule needs to know what the images are of.";

    /// <inheritdoc/>
    public override string Unit => "share of pixels";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override LumaHistogram Feature { get; } = new();

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features)
    {
        double pixels = 0, clipped = 0;
        for (var level = 0; level < features.Length; level++)
        {
            pixels += features[level];
            clipped += (_isShadow ? level <= Margin : level >= byte.MaxValue - Margin) ? features[level] : 0;
        }
        return clipped / pixels;
    }
}
