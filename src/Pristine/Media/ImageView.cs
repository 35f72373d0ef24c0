namespace Pristine.Media;

/// <summary>What a metric needs to see of an image. The decoder does no more than the metrics of a run ask for.</summary>
[Flags]
public enum ImageInput
{
    /// <summary>Only the header: width, height, format, bytes.</summary>
    Header = 0,

    /// <summary>The 8-bit luma plane.</summary>
    Luma = 1,

    /// <summary>The interleaved 8-bit RGB pixels.</summary>
    Rgb = 2,
}

/// <summary>What is known of an image without its pixels.</summary>
/// <param name="Width">Pixels across, after EXIF orientation; at least 1.</param>
/// <param name="Height">Pixels down, after EXIF orientation; at least 1.</param>
/// <param name="Format">
/// Lower-case name of the file format: <c>jpeg</c>, <c>png</c>, <c>webp</c>, <c>gif</c>, <c>tiff</c>, <c>avif</c>.
/// </param>
/// <param name="Bytes">Size of the encoded file.</param>
public readonly record struct ImageHeader(int Width, int Height, string Format, long Bytes);

/// <summary>
/// One decoded image as a metric sees it: upright, 8 bits, sRGB. The memory belongs to the decoder and is overwritten by the next
/// image, so a metric keeps nothing of it.
/// </summary>
public readonly ref struct ImageView
{
    /// <summary>Wraps pixels that the caller owns.</summary>
    /// <param name="header">Size and format.</param>
    /// <param name="rgb">Width x height x 3 bytes, row by row without padding, R G B; empty when nobody asked for it.</param>
    /// <param name="luma">Width x height bytes, row by row without padding; empty when nobody asked for it.</param>
    /// <exception cref="ArgumentException">A plane is neither empty nor of exactly that length.</exception>
    public ImageView(ImageHeader header, ReadOnlySpan<byte> rgb, ReadOnlySpan<byte> luma)
    {
        var pixels = (long)header.Width * header.Height;
        if (!rgb.IsEmpty && rgb.Length != pixels * 3)
            throw new ArgumentException(
                $"Expected {pixels * 3} bytes for {header.Width}x{header.Height} RGB; found {rgb.Length}.", nameof(rgb));
        if (!luma.IsEmpty && luma.Length != pixels)
            throw new ArgumentException(
                $"Expected {pixels} bytes for {header.Width}x{header.Height} luma; found {luma.Length}.", nameof(luma));
        Header = header;
        Rgb = rgb;
        Luma = luma;
    }

    /// <summary>Size, format and file size.</summary>
    public ImageHeader Header { get; }

    /// <summary>Pixels across.</summary>
    public int Width => Header.Width;

    /// <summary>Pixels down.</summary>
    public int Height => Header.Height;

    /// <summary>Interleaved R G B, 0..255, row by row without padding; length 3 x width x height, or empty if not asked for.</summary>
    public ReadOnlySpan<byte> Rgb { get; }

    /// <summary>
    /// Luma 0..255, (9798 R + 19235 G + 3735 B + 16384) >> 15, which is OpenCV's 8-bit grey (BT.601 weights); length width x height,
    /// or empty if not asked for.
    /// </summary>
    public ReadOnlySpan<byte> Luma { get; }
}
