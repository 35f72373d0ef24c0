using Pristine.Kernels;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>
/// Turns files into upright 8-bit sRGB pixels and luma. One per worker: it owns its memory, which it uses again for every image, and is
/// not thread-safe. No image makes it throw: what cannot be decoded is a <see cref="DecodeResult"/> with a status and a reason, and the
/// same file gives the same result whatever other threads do and whether libjpeg-turbo is installed or not.
/// </summary>
/// <remarks>
/// Formats: JPEG, PNG, WebP, GIF, TIFF, AVIF, known by their content. Pixel policy: EXIF orientation is applied; of an animation or a
/// file of many pages the first is taken; alpha is dropped, not composited; of 16-bit samples the high byte is taken; CMYK becomes
/// RGB by the plain formula of Pillow and OpenCV, without a profile; Lab goes through libvips' conversion; grey is spread to R = G = B; colour profiles are not applied, as in
/// OpenCV and Pillow. The header is read first, and more pixels than <see cref="ImagingOptions.MaxPixels"/> are refused before any is
/// decoded. A file that is cut off before the end of its pixels is <see cref="ImageStatus.Unreadable"/>, however many rows are there;
/// one that lacks only what follows the first image is read.
/// </remarks>
public sealed class ImageDecoder : IDisposable
{
    // Rows go from libvips to here in strips of about this many bytes, so that only one copy of a large image is in memory.
    private const int StripBytes = 4 << 20;

    private readonly ImagingOptions _options;
    private readonly bool _useTurboJpeg;
    private readonly ReusableBuffer _file = new();
    private ReusableBuffer _rgb = new();
    private ReusableBuffer _luma = new();
    private ReusableBuffer _scratch = new();
    private ImageHeader? _image;
    private ImageInput _planes;
    private bool _disposed;

    /// <summary>Makes a decoder.</summary>
    /// <param name="options">Limits; the defaults of <see cref="ImagingOptions"/> when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of its range.</exception>
    /// <exception cref="DllNotFoundException">libvips is not here; the message says where it was looked for.</exception>
    public ImageDecoder(ImagingOptions? options = null)
    {
        _options = options ?? new ImagingOptions();
        if (_options.MaxPixels is < 1 or > ImagingOptions.MostPixels)
            throw new ArgumentOutOfRangeException(nameof(options), _options.MaxPixels, $"Expected MaxPixels from 1 to {ImagingOptions.MostPixels}.");
        if (_options.MaxFileBytes < 1 || _options.MaxFileBytes > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(options), _options.MaxFileBytes, $"Expected MaxFileBytes from 1 to {Array.MaxLength}.");
        _ = Vips.Version;
        _useTurboJpeg = _options.UseTurboJpeg && TurboJpeg.IsAvailable;
    }

    /// <summary>
    /// Decoder, version and pixel policy in one line, for the provenance of results. libjpeg-turbo is not in it: it changes no pixel,
    /// and machines with and without it may work on one table.
    /// </summary>
    /// <exception cref="DllNotFoundException">libvips is not here; the message says where it was looked for.</exception>
    public static string Description =>
        $"libvips {Vips.Version}; EXIF orientation applied, first frame, alpha dropped, high byte of 16 bits, CMYK to RGB without a profile, Lab to sRGB by libvips, " +
        "grey spread to RGB, colour profiles not applied";

    /// <summary>
    /// The image of the last call that gave <see cref="ImageStatus.Ok"/>, with the planes that were asked for. Its memory is overwritten
    /// by the next call and gone after disposal.
    /// </summary>
    /// <exception cref="InvalidOperationException">The last call gave another status, or there was none.</exception>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public ImageView Image
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var header = _image ?? throw new InvalidOperationException("There is no image: the last call did not give the status ok.");
            return new ImageView(
                header,
                (_planes & ImageInput.Rgb) != 0 ? _rgb.Span : default,
                (_planes & ImageInput.Luma) != 0 ? _luma.Span : default);
        }
    }

    /// <summary>The encoded bytes of the last image, empty when none could be read; overwritten by the next call and gone after disposal.</summary>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public ReadOnlySpan<byte> FileBytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _file.Span;
        }
    }

    /// <summary>Whether libjpeg-turbo decoded the last image.</summary>
    internal bool UsedTurboJpeg { get; private set; }

    /// <summary>Bytes of memory that are kept from image to image.</summary>
    internal long KeptBytes => (long)_file.Capacity + _rgb.Capacity + _luma.Capacity + _scratch.Capacity;

    /// <summary>Reads and decodes a file.</summary>
    /// <param name="path">The file. Folders, pipes, sockets and devices are refused without being opened.</param>
    /// <param name="input">The planes to make; with <see cref="ImageInput.Header"/> alone no pixels are decoded.</param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public DecodeResult Load(string path, ImageInput input)
    {
        ArgumentNullException.ThrowIfNull(path);
        Begin();
        return ImageFile.Read(path, _options.MaxFileBytes, _file) ?? DecodeFile(input);
    }

    /// <summary>Reads and decodes a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="input">The planes to make; with <see cref="ImageInput.Header"/> alone no pixels are decoded.</param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public DecodeResult Load(MediaSource source, ImageInput input)
    {
        ArgumentNullException.ThrowIfNull(source);
        Begin();
        return source.Read(_options.MaxFileBytes, _file) ?? DecodeFile(input);
    }

    /// <summary>Decodes the bytes of a file.</summary>
    /// <param name="file">The encoded bytes; they are copied.</param>
    /// <param name="input">The planes to make; with <see cref="ImageInput.Header"/> alone no pixels are decoded.</param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public DecodeResult Decode(ReadOnlySpan<byte> file, ImageInput input)
    {
        Begin();
        if (file.Length > _options.MaxFileBytes)
        {
            _file.Resize(0);
            return DecodeResult.Unreadable($"the file has {file.Length} bytes; at most {_options.MaxFileBytes} are read");
        }
        // libvips keeps the address of the bytes from one call to the next: they must not move.
        file.CopyTo(_file.Resize(file.Length));
        return DecodeFile(input);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _file.Dispose();
        _rgb.Dispose();
        _luma.Dispose();
        _scratch.Dispose();
    }

    private void Begin()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _image = null;
        UsedTurboJpeg = false;
    }

    private DecodeResult DecodeFile(ImageInput input)
    {
        var file = _file.Span;
        if (file.IsEmpty)
            return DecodeResult.Unreadable("the file is empty (zero bytes)");
        if (ImageFormat.Recognise(file) is not { } format)
            return DecodeResult.Unreadable($"not an image that can be decoded ({ImageFormat.Supported} can): this looks like {ImageFormat.Guess(file)}");
        var result = DecodeWithTurboJpeg(format, input) ?? DecodeWithVips(format, input);
        if (result.Status == ImageStatus.Ok)
        {
            _image = result.Header;
            _planes = input;
        }
        return result;
    }

    // Null hands the file to libvips, whose verdict counts: for JPEGs that are not plain, and at the least warning.
    private DecodeResult? DecodeWithTurboJpeg(ImageFormat format, ImageInput input)
    {
        var file = _file.Span;
        if (!_useTurboJpeg || format != ImageFormat.Jpeg || !JpegStructure.TryRead(file, out var jpeg))
            return null;
        using var turbo = TurboJpeg.Decompressor.Create();
        if (!turbo.TryReadHeader(file, out var width, out var height, out var colours) || width != jpeg.Width || height != jpeg.Height)
            return null;
        var header = Header(width, height, jpeg.Orientation, format);
        if (TooLarge(header) is { } refusal)
            return refusal;
        var grey = colours == TurboJpeg.ColourSpace.Grey;
        if (input != ImageInput.Header)
        {
            var pixels = grey ? _luma.Resize(width * height) : _rgb.Resize(3 * width * height);
            if (!turbo.TryDecode(file, pixels, width, height, grey ? TurboJpeg.PixelFormat.Grey : TurboJpeg.PixelFormat.Rgb))
                return null;
            FinishPlanes(width, height, grey, jpeg.Orientation, input);
        }
        UsedTurboJpeg = true;
        return DecodeResult.Ok(header);
    }

    private DecodeResult DecodeWithVips(ImageFormat format, ImageInput input)
    {
        Vips.EnterShared();
        try
        {
            if (TryDecodeWithVips(format, input, out _) is { } result)
                return result;
        }
        finally
        {
            Vips.ExitShared();
        }
        string log;
        DecodeResult? repeated;
        ImageHeader? header;
        Vips.EnterExclusive();
        try
        {
            repeated = TryDecodeWithVips(format, input, out header);
        }
        finally
        {
            log = Vips.ExitExclusive();
        }
        if (string.IsNullOrWhiteSpace(log))
            log = "libvips gives no further reason";
        return repeated ?? DecodeResult.Unreadable($"the {format.Name} file is cut off or damaged: {DecodeResult.OneLine(log)}", header);
    }

    // Null when libvips failed.
    private DecodeResult? TryDecodeWithVips(ImageFormat format, ImageInput input, out ImageHeader? header)
    {
        header = null;
        if (!Vips.Image.TryLoad(format.Loader, _file.Address, _file.Span.Length, out var loaded))
            return null;
        using (loaded)
        {
            var (width, height, orientation) = (loaded.Width, loaded.Height, loaded.Orientation);
            var known = Header(width, height, orientation, format);
            header = known;
            if (TooLarge(known) is { } refusal)
                return refusal;
            if (input == ImageInput.Header)
                return DecodeResult.Ok(known);
            bool grey;
            if (loaded.Interpretation is Vips.Interpretation.Lab or Vips.Interpretation.LabShort)
            {
                if (!loaded.TryConvertToSrgb(out var converted))
                    return null;
                using (converted)
                    if (!TryFetch(converted, out grey))
                        return null;
            }
            else if (!IsPlain(loaded))
                return DecodeResult.Unreadable(
                    $"expected 8 or 16-bit grey, RGB, CMYK or Lab; found {loaded.Bands} bands of {loaded.SampleType} samples, colour space {loaded.Interpretation}",
                    known);
            else if (!TryFetch(loaded, out grey))
                return null;
            FinishPlanes(width, height, grey, orientation, input);
            return DecodeResult.Ok(known);
        }
    }

    private static bool IsPlain(Vips.Image image) =>
        image.SampleType is Vips.SampleType.UInt8 or Vips.SampleType.UInt16 && 2L * image.Width * image.Bands <= Array.MaxLength && image.Interpretation switch
        {
            Vips.Interpretation.Grey or Vips.Interpretation.Grey16 => true,
            Vips.Interpretation.Srgb or Vips.Interpretation.Rgb or Vips.Interpretation.Rgb16 => image.Bands >= 3,
            Vips.Interpretation.Cmyk => image.Bands >= 4,
            _ => false,
        };

    // Fetches the pixels as stored into the luma plane (grey) or the RGB plane (colour).
    private bool TryFetch(Vips.Image image, out bool grey)
    {
        var (width, height, bands) = (image.Width, image.Height, image.Bands);
        var wide = image.SampleType == Vips.SampleType.UInt16;
        grey = image.Interpretation is Vips.Interpretation.Grey or Vips.Interpretation.Grey16;
        var channels = grey ? 1 : 3;
        var pixels = grey ? _luma.Resize(width * height) : _rgb.Resize(3 * width * height);
        var asStored = bands == channels && !wide;
        var rowBytes = width * bands * (wide ? 2 : 1);
        var rowsAtOnce = Math.Clamp(StripBytes / rowBytes, 1, height);
        if (!image.TryOpen(out var region))
            return false;
        using (region)
        {
            for (var top = 0; top < height; top += rowsAtOnce)
            {
                var rows = Math.Min(rowsAtOnce, height - top);
                var target = pixels.Slice(top * width * channels, rows * width * channels);
                var samples = asStored ? target : _scratch.Resize(rows * rowBytes);
                if (!region.TryFetch(top, width, rows, samples))
                    return false;
                if (image.Interpretation == Vips.Interpretation.Cmyk)
                    PixelLayout.CmykToRgb(samples, bands, wide, target);
                else if (!asStored)
                    PixelLayout.Reduce(samples, bands, wide, channels, target);
            }
        }
        return true;
    }

    // From the plane as stored (luma for grey, RGB for colour) makes the planes that were asked for, upright.
    private void FinishPlanes(int width, int height, bool grey, int orientation, ImageInput input)
    {
        if (grey && (input & ImageInput.Rgb) != 0)
            PixelLayout.Spread(_luma.Span, _rgb.Resize(3 * width * height));
        if (!grey && (input & ImageInput.Luma) != 0)
            Luma.FromRgb(_rgb.Span, _luma.Resize(width * height));
        if (orientation == 1)
            return;
        if ((input & ImageInput.Rgb) != 0)
            TurnUpright(ref _rgb, width, height, 3, orientation);
        if ((input & ImageInput.Luma) != 0)
            TurnUpright(ref _luma, width, height, 1, orientation);
    }

    private void TurnUpright(ref ReusableBuffer plane, int width, int height, int channels, int orientation)
    {
        Orientation.Apply(plane.Span, width, height, channels, orientation, _scratch.Resize(channels * width * height));
        (plane, _scratch) = (_scratch, plane);
    }

    private ImageHeader Header(int width, int height, int orientation, ImageFormat format) => Orientation.SwapsSides(orientation)
        ? new(height, width, format.Name, _file.Span.Length)
        : new(width, height, format.Name, _file.Span.Length);

    private DecodeResult? TooLarge(ImageHeader header)
    {
        var pixels = (long)header.Width * header.Height;
        return pixels <= _options.MaxPixels
            ? null
            : new(ImageStatus.TooLarge, $"{header.Width}x{header.Height} is {pixels} pixels; the limit is {_options.MaxPixels}", header);
    }
}
