using System.Globalization;

namespace Pristine.Metrics;

/// <summary>
/// <c>luma_p1</c>, <c>luma_p5</c>, <c>luma_p95</c>, <c>luma_p99</c>: percentiles of luma as a share of white, with linear interpolation
/// between pixels as numpy.percentile does by default.
/// </summary>
/// <remarks>
/// No unit. Range: 0 (black) to 1 (white). No direction: a low 99th percentile is a dark image, a high 5th percentile a washed-out one.
/// </remarks>
/// <param name="percent">The percentile, 0 to 100.</param>
public sealed class LumaPercentile(int percent) : FeatureMetric
{
    /// <summary>Those that are listed.</summary>
    public static IReadOnlyList<LumaPercentile> All { get; } = [new(1), new(5), new(95), new(99)];

    /// <inheritdoc/>
    public override string Name { get; } = string.Create(CultureInfo.InvariantCulture, $"luma_p{percent}");

    /// <inheritdoc/>
    public override string Summary => percent < 50
        ? string.Create(CultureInfo.InvariantCulture, $"Luma below which {percent} % of the pixels lie: high for washed-out images.")
        : string.Create(CultureInfo.InvariantCulture, $"Luma above which {100 - percent} % of the pixels lie: low for dark images.");

    /// <inheritdoc/>
    public override string Formula => string.Create(
        CultureInfo.InvariantCulture,
        $"{percent}th percentile of luma I over all pixels, interpolated linearly at {percent} / 100 x (pixels - 1), over 255");

    /// <inheritdoc/>
    public override string Citation => "numpy.percentile(gray, q) / 255 with its default method, linear.";

    /// <inheritdoc/>
    public override string Notes =>
        "cleanvision calls an image dark where the 99th percentile of sqrt(0.241 R^2 + 0.691 G^2 + 0.068 B^2) / 255 is below 0.32, and " +
        "light where "
        + "the 5th is above 0.95. That is the same number for grey pixels; saturated colours differ.";

    /// <inheritdoc/>
    public override string Unit => "share of white";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override LumaHistogram Feature { get; } = new();

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features)
    {
        var pixels = 0.0;
        foreach (var count in features)
            pixels += count;
        var place = percent / 100.0 * (pixels - 1);
        var (low, high) = (Level(features, Math.Floor(place)), Level(features, Math.Ceiling(place)));
        return (low + (high - low) * (place - Math.Floor(place))) / byte.MaxValue;
    }

    /// <summary>The level of the pixel at a place in the order of luma, from 0.</summary>
    private static int Level(ReadOnlySpan<double> counts, double place)
    {
        var before = 0.0;
        for (var level = 0; level < counts.Length; level++)
        {
            before += counts[level];
            if (place < before)
                return level;
        }
        return counts.Length - 1;
    }
}
