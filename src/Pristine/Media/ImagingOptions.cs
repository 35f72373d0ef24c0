namespace Pristine.Media;

/// <summary>Limits and choices of an <see cref="ImageDecoder"/>.</summary>
public sealed record ImagingOptions
{
    /// <summary>The most pixels an <see cref="ImageView"/> can hold: 3 bytes each in one span.</summary>
    public const long MostPixels = int.MaxValue / 3;

    /// <summary>The longest <see cref="Timeout"/>: a week.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(7);

    /// <summary>
    /// The most pixels (width x height) an image may have; a larger one gets <see cref="ImageStatus.TooLarge"/> before pixels are read.
    /// It bounds a decoder's memory: about 4 bytes per pixel here, and up to 8 within the libraries while a progressive or interlaced
    /// file is decoded. Default 200 million; from 1 to <see cref="MostPixels"/>.
    /// </summary>
    public long MaxPixels { get; init; } = 200_000_000;

    /// <summary>
    /// The largest file that is read, in bytes; a larger one is <see cref="ImageStatus.Unreadable"/>. Default 1 GiB; from 1 to
    /// <see cref="Array.MaxLength"/>.
    /// </summary>
    public long MaxFileBytes { get; init; } = 1 << 30;

    /// <summary>
    /// The longest time that decoding one image may take; an image that takes longer gets <see cref="ImageStatus.Timeout"/>. It is
    /// wall-clock time, so that a loaded machine needs more of it. Reading the file and computing metrics do not count. Default 5 minutes;
    /// above zero and up to <see cref="LongestTimeout"/>.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether an image whose file ends too early is decoded as far as it goes and gets <see cref="ImageStatus.Partial"/>, where it would
    /// get <see cref="ImageStatus.Truncated"/>. JPEG, PNG, GIF and TIFF; what is missing is grey in a JPEG and black in the others, as in
    /// Pillow with LOAD_TRUNCATED_IMAGES. Default false.
    /// </summary>
    public bool KeepTruncated { get; init; }

    /// <summary>
    /// Whether JPEGs are decoded with libjpeg-turbo where the system has it: about twice as fast, the same pixels and statuses. Default
    /// true.
    /// </summary>
    public bool UseTurboJpeg { get; init; } = true;

    /// <summary>
    /// Decodes in processes of their own, so that what crashes or hangs costs one image. Null, the default, decodes in this process.
    /// </summary>
    public DecoderIsolation? Isolation { get; init; }
}
