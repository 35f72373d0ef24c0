using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>A number that is read off the header, without decoding pixels.</summary>
/// <param name="name">Column name.</param>
/// <param name="unit">Unit of the value.</param>
/// <param name="summary">One sentence.</param>
/// <param name="formula">Formula in plain text.</param>
/// <param name="measure">The function.</param>
public sealed class HeaderMetric(string name, string unit, string summary, string formula, Func<ImageHeader, double> measure)
    : StatelessMetric
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Unit => unit;

    /// <inheritdoc/>
    public override string Summary => summary;

    /// <inheritdoc/>
    public override string Formula => formula;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Header;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image) => measure(image.Header);

    /// <summary>All of them, in the order of the columns. Sizes are those of the upright image (after EXIF orientation).</summary>
    public static IReadOnlyList<HeaderMetric> All { get; } =
    [
        new("width", "pixels", "Width of the upright image.", "width", h => h.Width),
        new("height", "pixels", "Height of the upright image.", "height", h => h.Height),
        new("min_side", "pixels", "The shorter side.", "min(width, height)", h => Math.Min(h.Width, h.Height)),
        new("max_side", "pixels", "The longer side.", "max(width, height)", h => Math.Max(h.Width, h.Height)),
        new("pixels", "pixels", "Number of pixels.", "width x height", h => (double)h.Width * h.Height),
        new("aspect_ratio", "", "Width over height; above 1 is landscape.", "width / height", h => (double)h.Width / h.Height),
        new("bytes", "bytes", "Size of the encoded file.", "file size", h => h.Bytes),
    ];
}
