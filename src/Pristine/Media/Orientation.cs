namespace Pristine.Media;

/// <summary>EXIF orientation (tag 0x0112): how stored pixels are turned to be upright.</summary>
internal static class Orientation
{
    // Both planes of a tile stay in the first-level cache when rows become columns.
    private const int Tile = 32;

    /// <summary>Whether rows become columns.</summary>
    public static bool SwapsSides(int orientation) => orientation >= 5;

    /// <summary>Copies an image upright.</summary>
    /// <param name="stored">Width x height x channels bytes.</param>
    /// <param name="width">Width as stored.</param>
    /// <param name="height">Height as stored.</param>
    /// <param name="channels">Bytes per pixel: 1 or 3.</param>
    /// <param name="orientation">1..8.</param>
    /// <param name="upright">As long as <paramref name="stored"/>.</param>
    public static void Apply(ReadOnlySpan<byte> stored, int width, int height, int channels, int orientation, Span<byte> upright)
    {
        // The pixel that lands top left, and the steps in the stored image for one step right and one step down in the upright one.
        var (origin, right, down) = orientation switch
        {
            1 => (0, 1, width),
            2 => (width - 1, -1, width),
            3 => (width * height - 1, -1, -width),
            4 => (width * (height - 1), 1, -width),
            5 => (0, width, 1),
            6 => (width * (height - 1), -width, 1),
            7 => (width * height - 1, -width, -1),
            8 => (width - 1, width, -1),
            _ => throw new ArgumentOutOfRangeException(nameof(orientation), orientation, "Expected an EXIF orientation from 1 to 8."),
        };
        var (columns, rows) = SwapsSides(orientation) ? (height, width) : (width, height);
        for (var tileTop = 0; tileTop < rows; tileTop += Tile)
            for (var tileLeft = 0; tileLeft < columns; tileLeft += Tile)
                for (var y = tileTop; y < Math.Min(tileTop + Tile, rows); y++)
                {
                    var length = Math.Min(Tile, columns - tileLeft);
                    var target = upright.Slice((y * columns + tileLeft) * channels, length * channels);
                    var source = origin + y * down + tileLeft * right;
                    if (channels == 1)
                        for (var x = 0; x < target.Length; x++, source += right)
                            target[x] = stored[source];
                    else
                        for (var x = 0; x < target.Length; x += 3, source += right)
                            stored.Slice(3 * source, 3).CopyTo(target[x..]);
                }
    }
}
