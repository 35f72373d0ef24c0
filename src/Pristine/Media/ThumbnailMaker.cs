using Pristine.Native;

namespace Pristine.Media;

/// <summary>
/// Makes small WebP pictures of image files, of exactly the pixels that metrics see: upright, without alpha, 8-bit sRGB. One per worker;
/// it owns its memory and is not thread-safe. No image makes it throw.
/// </summary>
public sealed class ThumbnailMaker : IDisposable
{
    /// <summary>Sides up to which WebP is defined; beyond it nothing could be encoded.</summary>
    private const int LongestWebPSide = 16383;

    private readonly ImageDecoder _decoder;
    private readonly int _side;
    private readonly string _options;

    /// <summary>Makes one.</summary>
    /// <param name="side">The longest side of a thumbnail in pixels; smaller images are not enlarged.</param>
    /// <param name="quality">WebP quality, 1 to 100.</param>
    /// <param name="imaging">Limits of decoding; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The side or quality is out of its range.</exception>
    /// <exception cref="DllNotFoundException">libvips is not here; the message says where it was looked for.</exception>
    public ThumbnailMaker(int side, int quality, ImagingOptions? imaging = null)
    {
        if (side is < 1 or > LongestWebPSide)
            throw new ArgumentOutOfRangeException(nameof(side), side, $"Expected a side from 1 to {LongestWebPSide} pixels.");
        if (quality is < 1 or > 100)
            throw new ArgumentOutOfRangeException(nameof(quality), quality, "Expected a quality from 1 to 100.");
        _decoder = new ImageDecoder(imaging);
        _side = side;
        // "keep=none": no profile, EXIF or XMP of a data set travels into the page.
        _options = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Q={quality},keep=none");
    }

    /// <summary>Makes a thumbnail of an image.</summary>
    /// <param name="source">Where its bytes are.</param>
    /// <param name="thumbnail">The bytes of a WebP file; empty when there is none.</param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public DecodeResult Make(MediaSource source, out byte[] thumbnail)
    {
        thumbnail = [];
        var result = _decoder.Load(source, ImageInput.Rgb);
        if (result.Status != ImageStatus.Ok || TryEncode(out thumbnail))
            return result;
        return DecodeResult.Unreadable("libvips made no thumbnail of it", result.Header);
    }

    /// <summary>Makes a thumbnail, and a picture of the middle of the image pixel by pixel: what a thumbnail hides.</summary>
    /// <param name="source">Where its bytes are.</param>
    /// <param name="cropSide">Longest side of the crop.</param>
    /// <param name="thumbnail">The bytes of a WebP file; empty when there is none.</param>
    /// <param name="crop">The bytes of a WebP file; null when there is none, or the thumbnail shows all pixels.</param>
    internal DecodeResult Make(MediaSource source, int cropSide, out byte[] thumbnail, out byte[]? crop)
    {
        var result = Make(source, out thumbnail);
        crop = result.Status == ImageStatus.Ok && Math.Max(_decoder.Image.Width, _decoder.Image.Height) > _side
            && TryCrop(cropSide, out var made) ? made : null;
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _decoder.Dispose();

    private bool TryCrop(int side, out byte[] crop)
    {
        crop = [];
        var image = _decoder.Image;
        var (width, height) = (Math.Min(side, image.Width), Math.Min(side, image.Height));
        var rgb = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
        {
            var from = (((image.Height - height) / 2) + y) * image.Width + ((image.Width - width) / 2);
            image.Rgb.Slice(3 * from, 3 * width).CopyTo(rgb.AsSpan(3 * width * y));
        }
        Vips.EnterShared();
        try
        {
            if (!Vips.Image.TryCreate(rgb, width, height, out var pixels))
                return false;
            using (pixels)
                return pixels.TrySave("webpsave_buffer", _options, out crop);
        }
        finally
        {
            Vips.ExitShared();
        }
    }

    private bool TryEncode(out byte[] thumbnail)
    {
        thumbnail = [];
        var image = _decoder.Image;
        Vips.EnterShared();
        try
        {
            if (!Vips.Image.TryCreate(image.Rgb, image.Width, image.Height, out var pixels))
                return false;
            using (pixels)
            {
                if (!pixels.TryShrink(_side, out var small))
                    return false;
                using (small)
                    return small.TrySave("webpsave_buffer", _options, out thumbnail);
            }
        }
        finally
        {
            Vips.ExitShared();
        }
    }
}
