using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>
/// Turns files into upright 8-bit sRGB pixels and luma. One per worker: it owns its memory, which it uses again for every image, and is
/// not thread-safe. No image makes it throw: what cannot be decoded is a <see cref="DecodeResult"/> with a status and a reason, and the
/// same file gives the same result whatever other threads do and whether libjpeg-turbo is installed or not.
/// </summary>
/// <remarks>
/// <para>Formats: JPEG, PNG, WebP, GIF, TIFF, AVIF, known by their content. Pixel policy: EXIF orientation is applied; of an animation or
/// a file of many pages the first is taken; alpha is dropped, not composited: a transparent pixel counts with the colour that is stored
/// for it; of 16-bit samples the high byte is taken; CMYK becomes RGB by the plain formula of Pillow and OpenCV, without a profile; Lab
/// goes through libvips' conversion; grey is spread to R = G = B; colour profiles are not applied, as in OpenCV and Pillow.</para>
/// <para>The header is read first, and more pixels than <see cref="ImagingOptions.MaxPixels"/> are refused before any is decoded. A
/// picture that was not decoded whole is never <see cref="ImageStatus.Ok"/>: a file that is cut off before the end of its pixels is
/// <see cref="ImageStatus.Truncated"/>, however many rows are there (<see cref="ImagingOptions.KeepTruncated"/> decodes them), and one in
/// which a decoder found damage is <see cref="ImageStatus.Unreadable"/>. Damage that no decoder can see (a changed byte of a format
/// without checksums) stays unseen. Where the header alone is asked for, no pixels are decoded unless the file's end is amiss: what is cut
/// off is found then too, damage before the end is not. A file that lacks only what follows the first image is read. A picture of a kind
/// that is not decoded is <see cref="ImageStatus.Unsupported"/>.</para>
/// <para>Decoding that takes longer than <see cref="ImagingOptions.Timeout"/> ends as <see cref="ImageStatus.Timeout"/>. Images of more
/// than 4 million pixels are decoded on a thread of their own; where that thread is inside a library that cannot be interrupted, it is
/// left to itself with its memory, and the decoder goes on with the next image.</para>
/// </remarks>
public sealed class ImageDecoder : IDisposable
{
    // Images of more pixels are decoded on a thread of their own, which can be left to itself. That costs a tenth of a millisecond;
    // decoding so many pixels takes a hundred times as long.
    private const long MostPixelsHere = 4_000_000;

    // Within the strips of an image the decoding thread asks for the time itself, and is given this much to notice.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200);

    private readonly ImagingOptions _options;
    private readonly IsolatedDecoder? _isolated;
    private FileDecoder _work;
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
            throw new ArgumentOutOfRangeException(
                nameof(options), _options.MaxPixels, $"Expected MaxPixels from 1 to {ImagingOptions.MostPixels}.");
        if (_options.MaxFileBytes < 1 || _options.MaxFileBytes > Array.MaxLength)
            throw new ArgumentOutOfRangeException(
                nameof(options), _options.MaxFileBytes, $"Expected MaxFileBytes from 1 to {Array.MaxLength}.");
        if (_options.Timeout <= TimeSpan.Zero || _options.Timeout > ImagingOptions.LongestTimeout)
            throw new ArgumentOutOfRangeException(
                nameof(options), _options.Timeout, $"Expected a Timeout above zero and up to {ImagingOptions.LongestTimeout}.");
        _ = Vips.Version;
        _work = new FileDecoder(_options);
        _isolated = _options.Isolation == null ? null : new IsolatedDecoder(_options);
    }

    /// <summary>
    /// Decoder, version and pixel policy in one line, for the provenance of results. libjpeg-turbo is not in it: it changes no pixel,
    /// and machines with and without it may work on one table.
    /// </summary>
    /// <exception cref="DllNotFoundException">libvips is not here; the message says where it was looked for.</exception>
    public static string Description =>
        $"libvips {Vips.Version}, GIF by Pristine; EXIF orientation applied, first frame, alpha dropped, high byte of 16 bits, CMYK to " +
        $"RGB without a profile, Lab to sRGB by libvips, " +
        "grey spread to RGB, colour profiles not applied";

    /// <summary>
    /// The image of the last call, if it gave <see cref="ImageStatus.Ok"/> or <see cref="ImageStatus.Partial"/>, with the planes that were
    /// asked for. Its memory is overwritten by the next call and gone after disposal.
    /// </summary>
    /// <exception cref="InvalidOperationException">The last call gave no pixels, or there was none.</exception>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public ImageView Image
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var header = _image ?? throw new InvalidOperationException("There is no image: the last call gave no pixels.");
            if (_isolated != null)
                return new ImageView(header, _isolated.Rgb, _isolated.Luma);
            return new ImageView(
                header,
                (_planes & ImageInput.Rgb) != 0 ? _work.Rgb : default,
                (_planes & ImageInput.Luma) != 0 ? _work.Luma : default);
        }
    }

    /// <summary>
    /// The encoded bytes of the last image, empty when none could be read; overwritten by the next call and gone after disposal.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public ReadOnlySpan<byte> FileBytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _work.File.Span;
        }
    }

    /// <summary>Whether libjpeg-turbo decoded the last image.</summary>
    internal bool UsedTurboJpeg => _isolated?.UsedTurboJpeg ?? _work.UsedTurboJpeg;

    /// <summary>How long reading the last source took, in ticks of <see cref="Stopwatch"/>.</summary>
    internal long ReadTicks { get; private set; }

    /// <summary>Bytes of memory that are kept from image to image.</summary>
    internal long KeptBytes => _work.KeptBytes;

    /// <summary>Reads and decodes a file.</summary>
    /// <param name="path">The file. Folders, pipes, sockets and devices are refused without being opened.</param>
    /// <param name="input">
    /// The planes to make; with <see cref="ImageInput.Header"/> alone pixels are decoded only where the file seems cut off.
    /// </param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public DecodeResult Load(string path, ImageInput input)
    {
        ArgumentNullException.ThrowIfNull(path);
        Begin();
        return ImageFile.Read(path, _options.MaxFileBytes, _work.File) ?? DecodeFile(input);
    }

    /// <summary>Reads and decodes a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="input">
    /// The planes to make; with <see cref="ImageInput.Header"/> alone pixels are decoded only where the file seems cut off.
    /// </param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public DecodeResult Load(MediaSource source, ImageInput input)
    {
        ArgumentNullException.ThrowIfNull(source);
        Begin();
        var start = Stopwatch.GetTimestamp();
        var failure = source.Read(_options.MaxFileBytes, _work.File);
        ReadTicks = Stopwatch.GetTimestamp() - start;
        return failure ?? DecodeFile(input);
    }

    /// <summary>Decodes the bytes of a file.</summary>
    /// <param name="file">The encoded bytes; they are copied.</param>
    /// <param name="input">
    /// The planes to make; with <see cref="ImageInput.Header"/> alone pixels are decoded only where the file seems cut off.
    /// </param>
    /// <returns>The status; for every status but <see cref="ImageStatus.Ok"/> with a reason.</returns>
    /// <exception cref="ObjectDisposedException">The decoder is disposed.</exception>
    public DecodeResult Decode(ReadOnlySpan<byte> file, ImageInput input)
    {
        Begin();
        if (file.Length > _options.MaxFileBytes)
        {
            _work.File.Resize(0);
            return DecodeResult.Unreadable($"the file has {file.Length} bytes; at most {_options.MaxFileBytes} are read");
        }
        file.CopyTo(_work.File.Resize(file.Length));
        return DecodeFile(input);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _isolated?.Dispose();
        _work.Dispose();
    }

    private void Begin()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _image = null;
    }

    private DecodeResult DecodeFile(ImageInput input)
    {
        var result = _isolated?.Decode(_work.File.Span, input) ?? DecodeHere(input);
        if (result.HasPixels)
        {
            _image = result.Header;
            _planes = input;
        }
        return result;
    }

    private DecodeResult DecodeHere(ImageInput input)
    {
        _work.Deadline.Restart();
        var result = _work.Decode(input, MostPixelsHere);
        return _work.IsDeferred ? DecodeApart(input) : result;
    }

    private DecodeResult DecodeApart(ImageInput input)
    {
        var late = _work.TimedOut();
        var apart = new DecodingThread(_work, input);
        if (apart.Wait(_work.Deadline.Left))
            return apart.Result;
        _work.Deadline.End();
        if (apart.Wait(Grace))
            return apart.Result;
        // The thread only reads the encoded bytes, which the content's hash is made of.
        var successor = new FileDecoder(_options);
        _work.File.Span.CopyTo(successor.File.Resize(_work.File.Span.Length));
        if (!apart.TryLeave())
        {
            successor.Dispose();
            return apart.Result;
        }
        _work = successor;
        return late;
    }

    /// <summary>A thread that decodes one image. It owns the decoder's memory once it is left to itself.</summary>
    private sealed class DecodingThread
    {
        private const int Running = 0;
        private const int Ended = 1;
        private const int Left = 2;

        private readonly FileDecoder _work;
        private readonly ImageInput _input;
        private readonly Thread _thread;
        private DecodeResult _result;
        private ExceptionDispatchInfo? _failure;
        private int _state = Running;

        public DecodingThread(FileDecoder work, ImageInput input)
        {
            _work = work;
            _input = input;
            _thread = new Thread(Run) { IsBackground = true, Name = "decoding" };
            _thread.Start();
        }

        /// <summary>What came of it, once the thread has ended.</summary>
        public DecodeResult Result
        {
            get
            {
                _thread.Join();
                _failure?.Throw();
                return _result;
            }
        }

        public bool Wait(TimeSpan time) => _thread.Join(time);

        /// <summary>Leaves the thread and its memory to themselves; false when it has just ended.</summary>
        public bool TryLeave() => Interlocked.CompareExchange(ref _state, Left, Running) == Running;

        private void Run()
        {
            try
            {
                _result = _work.Decode(_input, long.MaxValue);
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
            if (Interlocked.CompareExchange(ref _state, Ended, Running) == Left)
                _work.Dispose();
        }
    }
}
