using System.Globalization;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>Turns 8-bit sRGB pixels into an image file: without metadata, upright, the same bytes for the same pixels.</summary>
internal static class ImageEncoder
{
    /// <summary>
    /// Encodes pixels in one of the formats that <see cref="ImageDecoder"/> names, with as little loss as the format allows.
    /// </summary>
    /// <param name="rgb">Width x height x 3 bytes, R G B.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="format">
    /// <c>png</c>, <c>webp</c> and <c>tiff</c> keep every pixel; <c>jpeg</c> has quality 95 and full chroma resolution, <c>avif</c> quality
    /// 95; <c>gif</c> has 256 colours.
    /// </param>
    /// <param name="file">The encoded bytes; empty when it failed.</param>
    /// <returns>Null, or why the format cannot hold the image.</returns>
    /// <exception cref="DllNotFoundException">libvips is not here; the message says where it was looked for.</exception>
    public static string? Encode(ReadOnlySpan<byte> rgb, int width, int height, string format, out byte[] file)
    {
        var (saver, options) = format switch
        {
            "jpeg" => ("jpegsave_buffer", "Q=95,subsample_mode=off"),
            "png" => ("pngsave_buffer", ""),
            "webp" => ("webpsave_buffer", "lossless=true"),
            "tiff" => ("tiffsave_buffer", "compression=deflate"),
            "avif" => ("heifsave_buffer", "compression=av1,Q=95,effort=2,subsample_mode=off"),
            "gif" => ("gifsave_buffer", ""),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Expected jpeg, png, webp, tiff, avif or gif."),
        };
        return Save(rgb, width, height, saver, options, out file);
    }

    /// <summary>Encodes pixels as a baseline JPEG as most programs write it, with chroma at half resolution (4:2:0).</summary>
    /// <param name="rgb">Width x height x 3 bytes, R G B.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="quality">libjpeg's quality, 1 to 100.</param>
    /// <param name="file">The encoded bytes; empty when it failed.</param>
    /// <returns>Null, or why the format cannot hold the image.</returns>
    public static string? EncodeJpeg(ReadOnlySpan<byte> rgb, int width, int height, int quality, out byte[] file) =>
        Save(rgb, width, height, "jpegsave_buffer", string.Create(
            CultureInfo.InvariantCulture, $"Q={quality},subsample_mode=on"), out file);

    private static string? Save(ReadOnlySpan<byte> rgb, int width, int height, string saver, string options, out byte[] file)
    {
        if (rgb.Length != 3L * width * height)
            throw new ArgumentException($"Expected {3L * width * height} bytes for {width}x{height} RGB; found {rgb.Length}.", nameof(rgb));
        _ = Vips.Version;
        Vips.EnterShared();
        try
        {
            if (TrySave(rgb, width, height, saver, options, out file))
                return null;
        }
        finally
        {
            Vips.ExitShared();
        }
        // Again and alone, so that the message is this image's.
        if (!Vips.TryEnterExclusive())
            return $"cannot be encoded by {saver}";
        string log;
        bool saved;
        try
        {
            saved = TrySave(rgb, width, height, saver, options, out file);
        }
        finally
        {
            log = Vips.ExitExclusive();
        }
        return saved ? null : $"cannot be encoded by {saver}: {DecodeResult.OneLine(log)}";
    }

    private static bool TrySave(ReadOnlySpan<byte> rgb, int width, int height, string saver, string options, out byte[] file)
    {
        file = [];
        if (!Vips.Image.TryCreate(rgb, width, height, out var image))
            return false;
        using (image)
            return image.TrySave(saver, options, out file);
    }
}
