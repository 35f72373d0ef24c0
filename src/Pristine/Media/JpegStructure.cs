using System.Buffers.Binary;

namespace Pristine.Media;

/// <summary>
/// The markers of a JPEG whose decoding does not depend on the decoder: baseline or progressive Huffman, 8 bits, grey or three
/// components at 4:4:4, 4:2:2 or 4:2:0, every coefficient of every component sent in full, at most one well-formed EXIF segment. For
/// anything else <see cref="TryRead"/> says no, and the JPEG belongs to libvips, whether it is merely rare (CMYK, 4:1:1) or damaged:
/// that way a machine with libjpeg-turbo and one without it come to the same verdict and the same pixels.
/// </summary>
/// <param name="Width">Pixels across, as stored.</param>
/// <param name="Height">Pixels down, as stored.</param>
/// <param name="Components">1 (grey) or 3.</param>
/// <param name="Orientation">EXIF orientation 1..8; 1 when there is none.</param>
internal readonly record struct JpegStructure(int Width, int Height, int Components, int Orientation)
{
    // libvips refuses files with absurdly many scans; ordinary encoders write about ten.
    private const int MostScans = 20;
    private const int MostComponents = 3;
    private const int Coefficients = 64;

    private const byte FrameBaseline = 0xC0;
    private const byte FrameExtended = 0xC1;
    private const byte FrameProgressive = 0xC2;
    private const byte HuffmanTables = 0xC4;
    private const byte EndOfImage = 0xD9;
    private const byte StartOfScan = 0xDA;
    private const byte QuantisationTables = 0xDB;
    private const byte RestartInterval = 0xDD;
    private const byte Application0 = 0xE0;
    private const byte Application1 = 0xE1;
    private const byte Application15 = 0xEF;
    private const byte Comment = 0xFE;

    public static bool TryRead(ReadOnlySpan<byte> file, out JpegStructure structure)
    {
        structure = default;
        if (!file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8]))
            return false;
        var frame = ReadOnlySpan<byte>.Empty;
        var progressive = false;
        var orientation = 1;
        var (exifSeen, codesSeen, quantisationSeen) = (false, false, false);
        for (var at = 2; TryReadSegment(file, ref at, out var marker, out var segment);)
        {
            switch (marker)
            {
                case FrameBaseline or FrameExtended or FrameProgressive:
                    if (!frame.IsEmpty || !IsPlainFrame(segment))
                        return false;
                    frame = segment;
                    progressive = marker == FrameProgressive;
                    break;
                case StartOfScan:
                    if (frame.IsEmpty || !codesSeen || !quantisationSeen
                        || !(progressive ? IsCompleteProgression(file, at, frame, segment) : segment.Length > 0 && segment[0] == frame[5]))
                        return false;
                    structure = new(
                        BinaryPrimitives.ReadUInt16BigEndian(frame[3..]), BinaryPrimitives.ReadUInt16BigEndian(frame[1..]), frame[5],
                        orientation);
                    return true;
                case Application1 when segment.StartsWith("Exif"u8):
                    if (exifSeen || !segment.StartsWith("Exif\0\0"u8) || !TryReadOrientation(segment[6..], out orientation))
                        return false;
                    exifSeen = true;
                    break;
                case HuffmanTables:
                    codesSeen = true;
                    break;
                case QuantisationTables:
                    quantisationSeen = true;
                    break;
                case RestartInterval or Comment or (>= Application0 and <= Application15):
                    break;
                default:
                    return false;
            }
        }
        return false;
    }

    /// <summary>Why a JPEG that libvips refuses is of a kind that is not decoded; null when it seems to be of a decoded kind.</summary>
    public static string? Unsupported(ReadOnlySpan<byte> file)
    {
        for (var at = 2; TryReadSegment(file, ref at, out var marker, out var segment);)
        {
            // Start of frame: every marker from C0 to CF but Huffman tables, an extension and arithmetic conditioning.
            if (marker is < 0xC0 or > 0xCF or HuffmanTables or 0xC8 or 0xCC)
                continue;
            if (marker is 0xC3 or 0xCB)
                return "it is lossless JPEG";
            if (marker is 0xC7 or 0xCF or 0xC5 or 0xC6 or 0xCD or 0xCE)
                return "it is hierarchical JPEG";
            if (segment.Length >= 6 && segment[0] != 8)
                return $"its samples have {segment[0]} bits";
            return segment.Length >= 6 && segment[5] is 0 or 2 or > 4 ? $"it has {segment[5]} components" : null;
        }
        return null;
    }

    /// <summary>
    /// How many zero bytes stand at the end of a JPEG that has no end marker: what an unfinished download leaves. Decoders take them for
    /// the picture's codes, for which zeros are as good as any. 0 where there are but a few, or where the picture ended before.
    /// </summary>
    public static int UnfinishedZeros(ReadOnlySpan<byte> file)
    {
        const int few = 64;
        var zeros = file.Length - (file.LastIndexOfAnyExcept((byte)0) + 1);
        if (zeros < few)
            return 0;
        for (var at = 2; TryReadSegment(file, ref at, out var marker, out _);)
        {
            if (marker == StartOfScan && !TrySkipEntropyCodedData(file, ref at))
                return zeros;
            if (at + 1 < file.Length && file[at] == 0xFF && file[at + 1] == EndOfImage)
                return 0;
        }
        return 0;
    }

    /// <summary>Whether a JPEG ends with its end marker, not counting zero bytes behind it.</summary>
    public static bool EndsWithMarker(ReadOnlySpan<byte> file) => file.TrimEnd((byte)0).EndsWith((ReadOnlySpan<byte>)[0xFF, EndOfImage]);

    private static bool TryReadSegment(ReadOnlySpan<byte> file, scoped ref int at, out byte marker, out ReadOnlySpan<byte> segment)
    {
        marker = 0;
        segment = default;
        if (at + 4 > file.Length || file[at] != 0xFF)
            return false;
        marker = file[at + 1];
        var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
        if (length < 2 || at + 2 + length > file.Length)
            return false;
        segment = file.Slice(at + 4, length - 2);
        at += 2 + length;
        return true;
    }

    // Precision, height, width, number of components, then for each: identifier, sampling factors, quantisation table.
    private static bool IsPlainFrame(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 6 || frame[0] != 8 || frame.Length != 6 + 3 * frame[5])
            return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(frame[1..]) == 0 || BinaryPrimitives.ReadUInt16BigEndian(frame[3..]) == 0)
            return false;
        if (frame[5] == 1)
            return frame[7] == 0x11;
        return frame[5] == 3 && frame[7] is 0x11 or 0x21 or 0x22 && frame[10] == 0x11 && frame[13] == 0x11 &&
            frame[6] != frame[9] && frame[6] != frame[12] && frame[9] != frame[12];
    }

    // Where a coefficient never arrives with all its bits, decoders guess ("block smoothing"), each version in its own way.
    private static bool IsCompleteProgression(ReadOnlySpan<byte> file, int at, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> scan)
    {
        Span<sbyte> missingBits = stackalloc sbyte[MostComponents * Coefficients];
        missingBits = missingBits[..(frame[5] * Coefficients)];
        missingBits.Fill(-1);
        for (var scans = 1; scans <= MostScans; scans++)
        {
            if (!TryNoteScan(frame, scan, missingBits) || !TrySkipEntropyCodedData(file, ref at))
                return false;
            byte marker;
            do
            {
                if (file[at + 1] == EndOfImage)
                    return !missingBits.ContainsAnyExcept((sbyte)0);
                if (!TryReadSegment(file, ref at, out marker, out scan)
                    || marker is not (StartOfScan or HuffmanTables or RestartInterval or Comment))
                    return false;
                if (at + 2 > file.Length)
                    return false;
            }
            while (marker != StartOfScan);
        }
        return false;
    }

    // Number of components, for each: identifier, tables; then first and last coefficient, bit positions (high nibble before, low now).
    private static bool TryNoteScan(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> scan, Span<sbyte> missingBits)
    {
        if (scan.Length < 1 || scan.Length != 4 + 2 * scan[0])
            return false;
        var (first, last, low) = (scan[^3], scan[^2], scan[^1] & 15);
        if (first > last || last >= Coefficients)
            return false;
        for (var i = 0; i < scan[0]; i++)
        {
            var component = 0;
            while (component < frame[5] && frame[6 + 3 * component] != scan[1 + 2 * i])
                component++;
            if (component == frame[5])
                return false;
            missingBits.Slice(component * Coefficients + first, last - first + 1).Fill((sbyte)low);
        }
        return true;
    }

    private static bool TrySkipEntropyCodedData(ReadOnlySpan<byte> file, scoped ref int at)
    {
        for (; ; at += 2)
        {
            var next = file[at..].IndexOf((byte)0xFF);
            if (next < 0 || at + next + 1 >= file.Length)
                return false;
            at += next;
            // A stuffed zero or a restart marker belongs to the data.
            if (file[at + 1] is not (0 or (>= 0xD0 and <= 0xD7)))
                return true;
        }
    }

    // A TIFF header, then the entries of the first directory: tag, type, count, value.
    private static bool TryReadOrientation(ReadOnlySpan<byte> tiff, out int orientation)
    {
        const ushort orientationTag = 0x0112;
        const ushort shortType = 3;
        orientation = 1;
        var little = tiff.StartsWith("II*\0"u8);
        if (tiff.Length < 8 || (!little && !tiff.StartsWith("MM\0*"u8)))
            return false;
        var directory = Read32(tiff[4..], little);
        if (directory < 8 || directory + 2L > tiff.Length)
            return false;
        var entries = Read16(tiff[(int)directory..], little);
        if (directory + 2L + 12L * entries > tiff.Length)
            return false;
        var found = false;
        for (var i = 0; i < entries; i++)
        {
            var entry = tiff.Slice((int)directory + 2 + 12 * i, 12);
            if (Read16(entry, little) != orientationTag)
                continue;
            orientation = Read16(entry[8..], little);
            if (found || Read16(entry[2..], little) != shortType || Read32(entry[4..], little) != 1 || orientation is < 1 or > 8)
                return false;
            found = true;
        }
        return true;
    }

    private static ushort Read16(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint Read32(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
