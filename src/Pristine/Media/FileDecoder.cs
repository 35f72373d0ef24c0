using System.Globalization;
using Pristine.Kernels;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>
/// Decodes the bytes of one file into planes, with the memory that this takes. <see cref="ImageDecoder"/> owns one and says where it
/// runs; it is used by one thread at a time.
/// </summary>
/// <param name="options">Limits, already checked.</param>
internal sealed class FileDecoder(ImagingOptions options) : IDisposable
{
    // Rows go from libvips to here in strips of about this many bytes: they stay in the processor's cache until they are used.
    private const int StripBytes = 100 << 10;

    // libvips keeps rows in memory as it goes, and searches them: its time grows with the square of the rows that are asked for at once.
    private const int MostStripRows = 256;

    // Loaders make 8 rows at a time.
    private const int LeastStripRows = 8;

    private readonly bool _useTurboJpeg = options.UseTurboJpeg && TurboJpeg.IsAvailable;
    private ReusableBuffer _rgb = new();
    private ReusableBuffer _luma = new();
    private ReusableBuffer _scratch = new();
    private long _mostPixels;
    private int _usable;
    private ReusableBuffer? _ended;
    private int _rowsFetched;
    private int _storedHeight;

    /// <summary>The encoded bytes. libvips keeps their address from one call to the next: they must not move while it decodes.</summary>
    public ReusableBuffer File { get; } = new();

    /// <summary>The time that decoding may take.</summary>
    public DecodeDeadline Deadline { get; } = new(options.Timeout);

    /// <summary>Size and format as far as the last call came to know them.</summary>
    public ImageHeader? KnownHeader { get; private set; }

    /// <summary>Whether the last call decoded nothing because the image has more pixels than it was told to decode.</summary>
    public bool IsDeferred { get; private set; }

    /// <summary>Whether libjpeg-turbo decoded the last image.</summary>
    public bool UsedTurboJpeg { get; private set; }

    /// <summary>Interleaved R G B of the last image, if asked for.</summary>
    public ReadOnlySpan<byte> Rgb => _rgb.Span;

    /// <summary>Luma of the last image, if asked for.</summary>
    public ReadOnlySpan<byte> Luma => _luma.Span;

    /// <summary>Bytes of memory that are kept from image to image.</summary>
    public long KeptBytes => (long)File.Capacity + _rgb.Capacity + _luma.Capacity + _scratch.Capacity;

    /// <summary>Decodes <see cref="File"/>.</summary>
    /// <param name="input">The planes to make; with <see cref="ImageInput.Header"/> alone no pixels are decoded.</param>
    /// <param name="mostPixels">An image with more pixels is not decoded but deferred: see <see cref="IsDeferred"/>.</param>
    public DecodeResult Decode(ImageInput input, long mostPixels)
    {
        var result = DecodeOnce(input, input == ImageInput.Header ? long.MaxValue : mostPixels);
        // A file whose end is amiss is decoded although its header is all that is asked for: only that tells what is missing.
        return input == ImageInput.Header && result.Status == ImageStatus.Ok && SeemsCutOff()
            ? DecodeOnce(ImageInput.Luma, mostPixels)
            : result;
    }

    /// <summary>
    /// Whether the file may end before its picture does, as its last bytes and the lengths in it tell. Never false for a file that is cut
    /// off, but for one that is cut off where another picture within it ends.
    /// </summary>
    private bool SeemsCutOff()
    {
        var file = File.Span;
        var format = ImageFormat.Recognise(file)!;
        return format == ImageFormat.Jpeg ? !JpegStructure.EndsWithMarker(file)
            : format == ImageFormat.Gif
            ? GifFrame.TryRead(file, out var frame, out _) && (frame.BlocksEndEarly(file) || !GifFrame.EndsWithTrailer(file))
            : format.IsCutOff(file);
    }

    private DecodeResult DecodeOnce(ImageInput input, long mostPixels)
    {
        _mostPixels = mostPixels;
        KnownHeader = null;
        IsDeferred = UsedTurboJpeg = false;
        var file = File.Span;
        _usable = file.Length;
        if (file.IsEmpty)
            return DecodeResult.Unreadable("the file is empty (zero bytes)");
        if (ImageFormat.Recognise(file) is not { } format)
        {
            var kind = ImageFormat.Guess(file, out var isPicture);
            var reason = $"not an image that can be decoded ({ImageFormat.Supported} can): this looks like {kind}";
            return isPicture ? DecodeResult.Unsupported(reason) : DecodeResult.Unreadable(reason);
        }
        if (format == ImageFormat.Gif)
            return DecodeGif(input);
        if (format == ImageFormat.Tiff && TiffStructure.TryRead(file, out var tiff) && tiff.Unsupported is { } objection)
            return Unsupported(format, objection, Header(tiff.Width, tiff.Height, tiff.Orientation, format));
        if (DecodeWithTurboJpeg(format, input) is { } result)
            return result;
        // Libraries take the zero bytes of an unfinished download for data.
        if (format == ImageFormat.Jpeg && input != ImageInput.Header)
            _usable -= JpegStructure.UnfinishedZeros(file);
        else if (format == ImageFormat.Png && format.IsCutOff(file))
            _usable = file.LastIndexOfAnyExcept((byte)0) + 1;
        return DecodeWithVips(format, input);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Dispose();
        _rgb.Dispose();
        _luma.Dispose();
        _scratch.Dispose();
    }

    /// <summary>The result of an image whose time is over.</summary>
    public DecodeResult TimedOut() => new(
        ImageStatus.Timeout,
        $"not decoded within {options.Timeout.TotalSeconds.ToString("0.#######", CultureInfo.InvariantCulture)} seconds", KnownHeader);

    private static DecodeResult Damaged(ImageFormat format, string reason, ImageHeader? header) =>
        DecodeResult.Unreadable($"the {format.Name} file is cut off or damaged: {reason}", header);

    private static DecodeResult Unsupported(ImageFormat format, string objection, ImageHeader? header) =>
        DecodeResult.Unsupported($"this kind of {format.Name} file is not decoded: {objection}", header);

    private DecodeResult DecodeGif(ImageInput input)
    {
        if (!GifFrame.TryRead(File.Span, out var frame, out var fault))
            return Damaged(ImageFormat.Gif, fault!, null);
        var header = Header(frame.Width, frame.Height, 1, ImageFormat.Gif);
        if (Refusal(header) is { } refusal)
            return refusal;
        if (input == ImageInput.Header)
            return DecodeResult.Ok(header);
        var pixels = _rgb.Resize(3 * frame.Width * frame.Height);
        var arrived = frame.Decode(File.Span, _scratch.Resize((int)frame.IndexCount), pixels, out fault);
        if (Deadline.IsOver)
            return TimedOut();
        if (fault != null && !frame.EndsEarly(arrived, fault))
            return Damaged(ImageFormat.Gif, $"{fault} after {arrived} of {frame.IndexCount} pixels", header);
        FinishPlanes(frame.Width, frame.Height, grey: false, 1, input);
        return fault == null
            ? DecodeResult.Ok(header)
            : CutOff(ImageFormat.Gif, header, arrived / frame.FrameWidth, frame.FrameHeight, options.KeepTruncated);
    }

    private static DecodeResult CutOff(ImageFormat format, ImageHeader? header, int rows, int height, bool isKept)
    {
        var share = (double)rows / height;
        var there = rows == 0
            ? $"none of its {height} rows is there in full"
            : $"{rows} of its {height} rows are there, {Math.Floor(100 * share)} %";
        return new(isKept ? ImageStatus.Partial : ImageStatus.Truncated, $"the {format.Name} file is cut off: {there}", header)
        {
            RowShare = share,
        };
    }

    // Null hands the file to libvips, whose verdict counts: for JPEGs that are not plain, and at the least warning.
    private DecodeResult? DecodeWithTurboJpeg(ImageFormat format, ImageInput input)
    {
        var file = File.Span;
        if (!_useTurboJpeg || format != ImageFormat.Jpeg || !JpegStructure.TryRead(file, out var jpeg))
            return null;
        using var turbo = TurboJpeg.Decompressor.Create();
        if (!turbo.TryReadHeader(file, out var width, out var height, out var colours) || width != jpeg.Width || height != jpeg.Height)
            return null;
        var header = Header(width, height, jpeg.Orientation, format);
        if (Refusal(header) is { } refusal)
            return refusal;
        var grey = colours == TurboJpeg.ColourSpace.Grey;
        if (input != ImageInput.Header)
        {
            var pixels = grey ? _luma.Resize(width * height) : _rgb.Resize(3 * width * height);
            if (!turbo.TryDecode(file, pixels, width, height, grey ? TurboJpeg.PixelFormat.Grey : TurboJpeg.PixelFormat.Rgb))
                return null;
            if (Deadline.IsOver)
                return TimedOut();
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
            var pass = RunVips(format, input, format.FailOn);
            if (pass.Result is { } result && (result.Status != ImageStatus.Ok || !pass.HasJpegFaults))
                return result;
        }
        finally
        {
            Vips.ExitShared();
        }
        // Again and alone, so that the reason is this image's.
        if (!Vips.TryEnterExclusive())
            return Damaged(format, "libvips gives no reason while another image keeps it busy", KnownHeader);
        string log;
        VipsPass repeated;
        try
        {
            repeated = RunVips(format, input, format.FailOn, inSmallSteps: true);
        }
        finally
        {
            log = Vips.ExitExclusive();
        }
        if (repeated.Result is { } second)
        {
            return second.Status == ImageStatus.Ok && JpegFault([.. repeated.JpegFaults], log) is { } fault
                ? Damaged(format, DecodeResult.OneLine(fault), second.Header)
                : second;
        }
        if (format.Unsupported(File.Span) is { } objection)
            return Unsupported(format, objection, KnownHeader);
        if (format == ImageFormat.Jpeg && IsCutOff(format, repeated.Warnings, log) && LacksOnlyItsEndMarker(input) is { } whole)
            return whole;
        if (IsCutOff(format, repeated.Warnings, log))
            return DecodeWhatIsThere(format, input);
        var reason = Reason(repeated.Warnings, log);
        return Damaged(format, reason.Length > 0 ? reason : "libvips gives no further reason", KnownHeader);
    }

    // A file whose end is zero bytes counts as one without them. In a PNG that is cut off, libpng may also meet damage before the end.
    private bool IsCutOff(ImageFormat format, IReadOnlyList<string> warnings, string log)
    {
        if (format == ImageFormat.Jpeg)
            return log.Contains("premature end of JPEG image", StringComparison.Ordinal);
        return format.IsCutOff(File.Span[.._usable]) && (format != ImageFormat.Png || warnings.Contains("not enough data"));
    }

    // A decoder reads a little ahead of the picture's last code, so that it takes a missing end marker for missing data. With one put
    // behind, a JPEG whose data are all there is decoded without a warning.
    private DecodeResult? LacksOnlyItsEndMarker(ImageInput input)
    {
        using var ended = new ReusableBuffer();
        var copy = ended.Resize(_usable + 2);
        File.Span[.._usable].CopyTo(copy);
        (copy[^2], copy[^1]) = (0xFF, 0xD9);
        var rows = _rowsFetched;
        _ended = ended;
        Vips.EnterShared();
        try
        {
            var pass = RunVips(ImageFormat.Jpeg, input, Vips.FailOn.Truncated);
            _rowsFetched = rows;
            return pass is { Result.Status: ImageStatus.Ok, HasJpegFaults: false } ? pass.Result : null;
        }
        finally
        {
            Vips.ExitShared();
            _ended = null;
        }
    }

    // libheif looks for boxes behind the end of every file.
    private static string Reason(IReadOnlyList<string> warnings, string log)
    {
        var lines = warnings.Where(IsReason).Concat(log.Split('\n')).ToArray();
        var telling = lines.Where(line => !line.StartsWith("source: bad seek", StringComparison.Ordinal) && line.Length > 0).ToArray();
        return DecodeResult.OneLine(string.Join('\n', telling.Length > 0 ? telling : lines));
    }

    private DecodeResult DecodeWhatIsThere(ImageFormat format, ImageInput input)
    {
        var header = KnownHeader;
        if (format == ImageFormat.Webp || format == ImageFormat.Avif || header is not { } known)
        {
            var missing = format == ImageFormat.Webp ? WebpStructure.Fault(File.Span) ?? WebpStructure.EndsEarly(File.Span) : null;
            return new(
                ImageStatus.Truncated, $"the {format.Name} file is cut off: {missing ?? $"it ends after {File.Span.Length} bytes"}",
                header);
        }
        var rows = _rowsFetched;
        var height = _storedHeight;
        if (format == ImageFormat.Tiff && TiffStructure.TryRead(File.Span, out var tiff))
            rows = tiff.RowsThere;
        if (!options.KeepTruncated || input == ImageInput.Header)
            return CutOff(format, known, rows, height, isKept: false);
        Vips.EnterShared();
        try
        {
            var pass = RunVips(format, input, Vips.FailOn.None);
            if (pass.Result is { Status: ImageStatus.Timeout } late)
                return late;
            return CutOff(format, known, rows, height, isKept: pass.Result is { Status: ImageStatus.Ok });
        }
        finally
        {
            Vips.ExitShared();
        }
    }

    /// <summary>What came of one run through libvips.</summary>
    /// <param name="Result">Null when libvips failed.</param>
    /// <param name="Warnings">What libvips and the libraries below it warned of.</param>
    private readonly record struct VipsPass(DecodeResult? Result, IReadOnlyList<string> Warnings)
    {
        /// <summary>Whether libjpeg found faults in a JPEG that libvips decoded all the same.</summary>
        public bool HasJpegFaults => Warnings.Count > 0 && JpegFaults.Any();

        /// <summary>What libvips says of them when it has done with a JPEG: how many there were.</summary>
        public IEnumerable<string> JpegFaults => Warnings.Where(warning => warning.StartsWith(WarningCount, StringComparison.Ordinal));
    }

    private const string WarningCount = "read gave ";

    // Of libjpeg's warnings libvips tells how many there were and logs the first. One that bytes were skipped between segments or at
    // the end is harmless; one before a restart marker, any other, or a second one of which nothing is known means lost pixels.
    private static string? JpegFault(IReadOnlyList<string> counts, string log)
    {
        foreach (var line in log.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var marker = line.IndexOf("extraneous bytes before marker 0x", StringComparison.Ordinal);
            if (marker < 0 || (line[^2] == 'd' && line[^1] is >= '0' and <= '7'))
                return line;
        }
        return counts.FirstOrDefault(count => count != WarningCount + "1 warnings") is { } several ? $"{log}\n{several}" : null;
    }

    private static bool IsReason(string warning) =>
        !warning.StartsWith("error in tile", StringComparison.Ordinal) && !warning.StartsWith(WarningCount, StringComparison.Ordinal);

    private VipsPass RunVips(ImageFormat format, ImageInput input, Vips.FailOn failOn, bool inSmallSteps = false)
    {
        _ = Vips.TakeWarnings();
        var result = TryDecodeWithVips(format, input, failOn, inSmallSteps ? LeastStripRows : MostStripRows, out var ofHeader);
        var warnings = Vips.TakeWarnings();
        if (result is { Status: ImageStatus.Ok } && input != ImageInput.Header && failOn != Vips.FailOn.None)
        {
            if (format == ImageFormat.Webp && WebpStructure.Fault(File.Span) != null)
                result = DecodeWhatIsThere(format, input);
            else if (format == ImageFormat.Tiff && warnings.Count > 0
                && string.Join('\n', warnings.Except(ofHeader).Where(IsTiffFault)) is { Length: > 0 } fault)
                result = Damaged(format, DecodeResult.OneLine(fault), KnownHeader);
        }
        return new(result, ofHeader.Count == 0 ? warnings : [.. ofHeader, .. warnings]);
    }

    // What libtiff's decoders warn of while they decode is damage, but for these: an old kind of LZW, and a JPEG that is too tall for its
    // strip.
    private static bool IsTiffFault(string warning) =>
        !warning.StartsWith("Old-style LZW codes", StringComparison.Ordinal)
        && !warning.StartsWith("JPEG strip size exceeds", StringComparison.Ordinal) &&
        !warning.Contains("extraneous bytes before marker 0xd9", StringComparison.Ordinal);

    // Null when libvips failed.
    private DecodeResult? TryDecodeWithVips(
        ImageFormat format, ImageInput input, Vips.FailOn failOn, int mostRows, out IReadOnlyList<string> headerWarnings)
    {
        headerWarnings = [];
        _rowsFetched = 0;
        var (address, length) = _ended == null ? (File.Address, _usable) : (_ended.Address, _ended.Span.Length);
        if (!Vips.Image.TryLoad(format.Loader, failOn, address, length, out var loaded))
            return null;
        using (loaded)
        {
            headerWarnings = Vips.TakeWarnings();
            var (width, height, orientation) = (loaded.Width, loaded.Height, loaded.Orientation);
            _storedHeight = height;
            var header = Header(width, height, orientation, format);
            if (Refusal(header) is { } refusal)
                return refusal;
            if (input == ImageInput.Header)
                return DecodeResult.Ok(header);
            bool fetched, grey;
            if (loaded.Interpretation is Vips.Interpretation.Lab or Vips.Interpretation.LabShort)
            {
                if (!loaded.TryConvertToSrgb(out var converted))
                    return null;
                using (converted)
                    fetched = TryFetch(converted, mostRows, out grey);
            }
            else if (IsPlain(loaded))
                fetched = TryFetch(loaded, mostRows, out grey);
            else
                return Unsupported(
                    format,
                    $"expected 8 or 16-bit grey, RGB, CMYK or Lab; found {loaded.Bands} bands of {loaded.SampleType} samples, colour " +
                    $"space {loaded.Interpretation}",
                    header);
            if (Deadline.IsOver)
                return TimedOut();
            if (!fetched)
                return null;
            FinishPlanes(width, height, grey, orientation, input);
            return DecodeResult.Ok(header);
        }
    }

    private static bool IsPlain(Vips.Image image) =>
        image.SampleType is Vips.SampleType.UInt8
        or Vips.SampleType.UInt16 && 2L * image.Width * image.Bands <= Array.MaxLength && image.Interpretation switch
        {
            Vips.Interpretation.Grey or Vips.Interpretation.Grey16 => true,
            Vips.Interpretation.Srgb or Vips.Interpretation.Rgb or Vips.Interpretation.Rgb16 => image.Bands >= 3,
            Vips.Interpretation.Cmyk => image.Bands >= 4,
            _ => false,
        };

    // Fetches the pixels as stored into the luma plane (grey) or the RGB plane (colour). False when libvips failed or the time is over.
    private bool TryFetch(Vips.Image image, int mostRows, out bool grey)
    {
        var (width, height, bands) = (image.Width, image.Height, image.Bands);
        var wide = image.SampleType == Vips.SampleType.UInt16;
        grey = image.Interpretation is Vips.Interpretation.Grey or Vips.Interpretation.Grey16;
        var channels = grey ? 1 : 3;
        var pixels = grey ? _luma.Resize(width * height) : _rgb.Resize(3 * width * height);
        var asStored = bands == channels && !wide;
        var rowBytes = width * bands * (wide ? 2 : 1);
        var rowsAtOnce = Math.Min(height, Math.Clamp(StripBytes / rowBytes, LeastStripRows, mostRows));
        if (!image.TryOpen(out var region))
            return false;
        using (region)
        {
            for (var top = 0; top < height; top += rowsAtOnce)
            {
                var rows = Math.Min(rowsAtOnce, height - top);
                var target = pixels.Slice(top * width * channels, rows * width * channels);
                var samples = asStored ? target : _scratch.Resize(rows * rowBytes);
                if (Deadline.IsOver || !region.TryFetch(top, width, rows, samples))
                    return false;
                if (image.Interpretation == Vips.Interpretation.Cmyk)
                    PixelLayout.CmykToRgb(samples, bands, wide, target);
                else if (!asStored)
                    PixelLayout.Reduce(samples, bands, wide, channels, target);
                _rowsFetched = top + rows;
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
            Kernels.Luma.FromRgb(_rgb.Span, _luma.Resize(width * height));
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

    private ImageHeader Header(int width, int height, int orientation, ImageFormat format)
    {
        var header = Orientation.SwapsSides(orientation)
            ? new ImageHeader(height, width, format.Name, File.Span.Length)
            : new ImageHeader(width, height, format.Name, File.Span.Length);
        KnownHeader = header;
        return header;
    }

    // Why no pixels are decoded: there are too many, or another thread shall do it.
    private DecodeResult? Refusal(ImageHeader header)
    {
        var pixels = (long)header.Width * header.Height;
        if (pixels > options.MaxPixels)
            return new(
                ImageStatus.TooLarge, $"{header.Width}x{header.Height} is {pixels} pixels; the limit is {options.MaxPixels}", header);
        if (pixels <= _mostPixels)
            return null;
        IsDeferred = true;
        return TimedOut();
    }
}
