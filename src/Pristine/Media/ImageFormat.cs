using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>A file format that is decoded, recognised by the file's first bytes; the file's name plays no part.</summary>
/// <param name="Name">The name in results.</param>
/// <param name="Loader">The operation of libvips that decodes it; empty for what is decoded here.</param>
internal sealed record ImageFormat(string Name, string Loader)
{
    public static readonly ImageFormat Jpeg = new("jpeg", "jpegload_buffer");
    public static readonly ImageFormat Png = new("png", "pngload_buffer");
    public static readonly ImageFormat Webp = new("webp", "webpload_buffer");
    public static readonly ImageFormat Gif = new("gif", "");
    public static readonly ImageFormat Tiff = new("tiff", "tiffload_buffer");
    public static readonly ImageFormat Avif = new("avif", "heifload_buffer");

    /// <summary>
    /// From which fault on the loader fails. Of JPEGs only the end of the file is a fault of its own: among what libjpeg calls an error
    /// is the harmless too, and its warnings are looked at afterwards. For the others an error is a wrong checksum, a compression that
    /// is not there, or pixels that libtiff would leave black.
    /// </summary>
    public Vips.FailOn FailOn => this == Jpeg ? Vips.FailOn.Truncated : Vips.FailOn.Error;

    /// <summary>Names the supported formats for a message.</summary>
    public const string Supported = "JPEG, PNG, WebP, GIF, TIFF and AVIF";

    /// <summary>The format of a file, or null when it is none that is decoded.</summary>
    public static ImageFormat? Recognise(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return Jpeg;
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]))
            return Png;
        if (file.StartsWith("RIFF"u8) && file.Length >= 12 && file[8..].StartsWith("WEBP"u8))
            return Webp;
        if (file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8))
            return Gif;
        if (IsTiff(file))
            return IsCanonRaw(file) ? null : Tiff;
        return HasBrand(file, "avif"u8) || HasBrand(file, "avis"u8) ? Avif : null;
    }

    /// <summary>
    /// What a file that <see cref="Recognise"/> does not know seems to be, with an article: <c>a HEIC image</c>, <c>a text file</c>.
    /// </summary>
    /// <param name="file">The whole file.</param>
    /// <param name="isPicture">Whether that is a picture of a kind that is not decoded.</param>
    public static string Guess(ReadOnlySpan<byte> file, out bool isPicture)
    {
        isPicture = true;
        if (IsTiff(file))
            return "a Canon raw image";
        foreach (var (offset, magic, kind) in Pictures)
            if (file.Length >= offset + magic.Length && file[offset..].StartsWith(magic))
                return kind;
        if (HasBrand(file, "heic"u8) || HasBrand(file, "heix"u8) || HasBrand(file, "mif1"u8) || HasBrand(file, "msf1"u8))
            return "a HEIC image";
        if (HasBrand(file, "crx "u8))
            return "a Canon raw image";
        if (file.Length >= 3 && file[0] == 'P' && file[1] is >= (byte)'1' and <= (byte)'7' && char.IsWhiteSpace((char)file[2]))
            return "a PNM image";
        isPicture = false;
        foreach (var (offset, magic, kind) in OtherFiles)
            if (file.Length >= offset + magic.Length && file[offset..].StartsWith(magic))
                return kind;
        if (IsBoxed(file))
            return "a video (MP4 or QuickTime)";
        if (!file.ContainsAnyExcept((byte)0))
            return "a file of nothing but zero bytes";
        return GuessText(file, out isPicture);
    }

    /// <summary>
    /// Why a file of this format that libvips refuses is of a kind that is not decoded; null when it seems to be of a decoded kind.
    /// </summary>
    public string? Unsupported(ReadOnlySpan<byte> file) =>
        this == Jpeg
        ? JpegStructure.Unsupported(file) : this == Avif && !HasStillImage(file) ? "it is an animation without a still picture" : null;

    /// <summary>
    /// Whether a file of this format ends before its content does: a box, chunk or strip begins whose end is not
    /// there. Of JPEGs, which do not say how long they are, a decoder must tell.
    /// </summary>
    public bool IsCutOff(ReadOnlySpan<byte> file) =>
        this == Png ? PngEndsEarly(file)
        : this == Tiff ? TiffStructure.TryRead(file, out var tiff) ? tiff.RowsThere < tiff.Height : TiffStructure.EndsBeforeDirectory(file)
        : this == Webp ? (WebpStructure.Fault(file) ?? WebpStructure.EndsEarly(file)) != null
        : this == Avif && BoxesEndEarly(file);

    // Chunks: length, type of four letters, content, checksum; IEND is the last.
    private static bool PngEndsEarly(ReadOnlySpan<byte> file)
    {
        const int signature = 8, around = 12;
        for (long at = signature; at + around <= file.Length;)
        {
            var type = file.Slice((int)at + 4, 4);
            if (type.SequenceEqual("IEND"u8) || !(IsLetters(type) || !type.ContainsAnyExcept((byte)0)))
                return false;
            at += around + (long)BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
        }
        return true;
    }

    private static bool IsLetters(ReadOnlySpan<byte> type)
    {
        foreach (var value in type)
            if (!char.IsAsciiLetter((char)value))
                return false;
        return true;
    }

    private static bool BoxesEndEarly(ReadOnlySpan<byte> file)
    {
        for (long at = 0; at < file.Length;)
        {
            var length = file.Length - at < 8 ? long.MaxValue : BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
            // 0 reaches to the end of the file, 1 has its length elsewhere.
            if (length < 8)
                return false;
            if (length > file.Length - at)
                return true;
            at += length;
        }
        return false;
    }

    // A still picture has a box of type meta at the top level that names its primary item; an animation has a box of type moov.
    private static bool HasStillImage(ReadOnlySpan<byte> file)
    {
        var moving = false;
        for (var rest = file; rest.Length >= 8;)
        {
            var type = rest.Slice(4, 4);
            if (type.SequenceEqual("meta"u8))
                return true;
            moving |= type.SequenceEqual("moov"u8);
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length < 8 || length > rest.Length)
                break;
            rest = rest[(int)length..];
        }
        return !moving;
    }

    private static readonly (int Offset, byte[] Magic, string Kind)[] Pictures =
    [
        (0, [0xFF, 0x0A], "a JPEG XL image"),
        (0, [0, 0, 0, 0x0C, (byte)'J', (byte)'X', (byte)'L', (byte)' '], "a JPEG XL image"),
        (0, [0, 0, 0, 0x0C, (byte)'j', (byte)'P', (byte)' ', (byte)' '], "a JPEG 2000 image"),
        (0, [0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 image"),
        (0, "BM"u8.ToArray(), "a BMP image"),
        (0, "8BPS"u8.ToArray(), "a Photoshop document"),
        (0, "qoif"u8.ToArray(), "a QOI image"),
        (0, "DDS "u8.ToArray(), "a DDS texture"),
        (0, [0x76, 0x2F, 0x31, 0x01], "an OpenEXR image"),
        (0, "#?RADIANCE"u8.ToArray(), "a Radiance HDR image"),
        (0, [0, 0, 1, 0], "a Windows icon"),
    ];

    private static readonly (int Offset, byte[] Magic, string Kind)[] OtherFiles =
    [
        (0, "%PDF"u8.ToArray(), "a PDF document"),
        (0, "%!PS"u8.ToArray(), "a PostScript document"),
        (0, [(byte)'P', (byte)'K', 3, 4], "a ZIP archive"),
        (0, [0x1F, 0x8B], "a gzip archive"),
        (257, "ustar"u8.ToArray(), "a tar archive"),
        (0, "PAR1"u8.ToArray(), "a Parquet file"),
        (0, [0x7F, (byte)'E', (byte)'L', (byte)'F'], "a program"),
        (0, "version https://git-lfs"u8.ToArray(), "a Git LFS pointer instead of the file (git lfs pull fetches it)"),
    ];

    private static bool IsTiff(ReadOnlySpan<byte> file) =>
        file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8) || file.StartsWith("II+\0"u8) || file.StartsWith("MM\0+"u8);

    // A CR2 file is a TIFF whose first image is a small preview, which must not be taken for the photograph.
    private static bool IsCanonRaw(ReadOnlySpan<byte> file) => file.Length >= 11 && file[8..].StartsWith("CR\u0002"u8);

    // ISO base media files begin with a box of type ftyp: size, type, major brand, version, compatible brands.
    private static bool IsBoxed(ReadOnlySpan<byte> file) => file.Length >= 16 && file[4..].StartsWith("ftyp"u8);

    private static bool HasBrand(ReadOnlySpan<byte> file, ReadOnlySpan<byte> brand)
    {
        if (!IsBoxed(file))
            return false;
        var end = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(file), (uint)file.Length);
        for (var at = 8; at + 4 <= end; at += at == 8 ? 8 : 4)
            if (file[at..].StartsWith(brand))
                return true;
        return false;
    }

    private static string GuessText(ReadOnlySpan<byte> file, out bool isPicture)
    {
        isPicture = false;
        var start = file[..Math.Min(file.Length, 1024)];
        if (start.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            start = start[3..];
        // A character may be cut in two where the sample ends.
        for (var cut = 0; cut < 4 && start.Length > 0 && !Utf8.IsValid(start); cut++)
            start = start[..^1];
        if (!Utf8.IsValid(start) || start.ContainsAnyInRange((byte)0, (byte)8) || start.ContainsAnyInRange((byte)14, (byte)26))
            return "no known kind of file";
        var text = Encoding.UTF8.GetString(start).TrimStart();
        isPicture = text.Contains("<svg", StringComparison.OrdinalIgnoreCase);
        if (isPicture)
            return "an SVG drawing";
        if (text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase))
            return "an HTML page";
        return "a text file";
    }
}
