using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>flat_share</c>: the share of 8x8 blocks that are a single level of luma. Half-loaded JPEGs, plain backgrounds and blank pages have
/// many.
/// </summary>
/// <remarks>
/// Blocks stand at multiples of 8 from the top left corner; those that are cut off at the right and lower border count as they are. No
/// unit. Range: 0 to 1. No direction: drawings are flat.
/// </remarks>
public sealed class FlatShare : StatelessMetric
{
    private const int Side = 8;

    /// <inheritdoc/>
    public override string Name => "flat_share";

    /// <inheritdoc/>
    public override string Summary =>
        "Share of 8x8 blocks of a single level: high for half-loaded JPEGs, blank pages and plain backgrounds.";

    /// <inheritdoc/>
    public override string Formula =>
        "share of the 8x8 blocks, from the top left corner, in which all pixels have the same luma I; blocks at the border may be smaller";

    /// <inheritdoc/>
    public override string Citation => "Defined by this library.";

    /// <inheritdoc/>
    public override string Notes =>
        "A JPEG whose download stopped is often grey from some row on: its flat_share is the share of the lost part. Strong compression " +
        "makes smooth "
        + "skies flat too, in blocks; border_share tells the two apart.";

    /// <inheritdoc/>
    public override string Unit => "share of blocks";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image)
    {
        var luma = image.Luma;
        var (width, flat, blocks) = (image.Width, 0L, 0L);
        for (var top = 0; top < image.Height; top += Side)
            for (var left = 0; left < width; left += Side)
            {
                var (columns, rows) = (Math.Min(Side, width - left), Math.Min(Side, image.Height - top));
                var level = luma[top * width + left];
                var isFlat = true;
                for (var y = 0; y < rows && isFlat; y++)
                    isFlat = !luma.Slice((top + y) * width + left, columns).ContainsAnyExcept(level);
                flat += isFlat ? 1 : 0;
                blocks++;
            }
        return (double)flat / blocks;
    }
}
