using System.Buffers.Binary;

namespace Pristine.Media;

/// <summary>
/// The first directory of a TIFF, as far as it says whether the picture is of a kind that is decoded. libtiff gives a black picture
/// for a compression that is not built in, and calls other intact files damaged; this names them instead.
/// </summary>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Orientation">1..8; 1 when there is none.</param>
/// <param name="RowsThere">How many rows, from the top, have all their strips or tiles within the file.</param>
/// <param name="Unsupported">
/// Why the picture is not decoded, such as <c>it is compressed with LZMA</c>; null when nothing speaks against it.
/// </param>
internal readonly record struct TiffStructure(int Width, int Height, int Orientation, int RowsThere, string? Unsupported)
{
    private const int WidthTag = 256;
    private const int HeightTag = 257;
    private const int BitsTag = 258;
    private const int CompressionTag = 259;
    private const int PhotometricTag = 262;
    private const int OrientationTag = 274;
    private const int StripOffsetsTag = 273;
    private const int SamplesTag = 277;
    private const int RowsPerStripTag = 278;
    private const int StripBytesTag = 279;
    private const int PlanarTag = 284;
    private const int TileWidthTag = 322;
    private const int TileHeightTag = 323;
    private const int TileOffsetsTag = 324;
    private const int TileBytesTag = 325;
    private const int SampleFormatTag = 339;

    /// <summary>Whether the file ends before its first directory does, which many programs write behind the pixels.</summary>
    public static bool EndsBeforeDirectory(ReadOnlySpan<byte> file) => Directory.IsBehindEnd(file);

    /// <summary>Reads the first directory; false when it is not there in full.</summary>
    public static bool TryRead(ReadOnlySpan<byte> file, out TiffStructure structure)
    {
        structure = default;
        if (!Directory.TryOpen(file, out var directory))
            return false;
        var width = directory.Value(WidthTag, 0);
        var height = directory.Value(HeightTag, 0);
        if (width is < 1 or > int.MaxValue || height is < 1 or > int.MaxValue)
            return false;
        var orientation = directory.Value(OrientationTag, 1);
        structure = new((int)width, (int)height, orientation is >= 1 and <= 8 ? (int)orientation : 1, CountRows(
            directory, file.Length), Objection(directory));
        return true;
    }

    private static int CountRows(in Directory directory, int fileLength)
    {
        var (width, height) = (directory.Value(WidthTag, 0), directory.Value(HeightTag, 0));
        var isTiled = directory.Has(TileWidthTag);
        var (starts, lengths) = (
            directory.Numbers(isTiled ? TileOffsetsTag : StripOffsetsTag), directory.Numbers(isTiled ? TileBytesTag : StripBytesTag));
        var rows = Math.Clamp(isTiled ? directory.Value(TileHeightTag, height) : directory.Value(RowsPerStripTag, height), 1, height);
        var across = isTiled ? 1 + (width - 1) / Math.Max(1, directory.Value(TileWidthTag, width)) : 1;
        var bands = 1 + (height - 1) / rows;
        var pieces = bands * across;
        var planes = directory.Value(PlanarTag, 1) == 2 ? Math.Max(1, directory.Value(SamplesTag, 1)) : 1;
        var wanted = pieces > starts.Count / planes ? starts.Count : pieces * planes;
        // Of numbers that the file does not hold, all that is behind them is not there either: a file says more than it can have.
        var held = Math.Min(wanted, Math.Min(starts.Held, wanted > lengths.Held && lengths.Held < lengths.Count ? lengths.Held : wanted));
        var there = bands;
        for (long i = 0; i < held; i++)
        {
            var (start, length) = (directory.Value(starts, i), directory.Value(lengths, i));
            if (start < 0 || length < 0 || start > fileLength - length)
                there = Math.Min(there, i % pieces / across);
        }
        if (held < wanted)
            there = held / pieces == (wanted - 1) / pieces ? Math.Min(there, held % pieces / across) : 0;
        return (int)Math.Min(height, there * rows);
    }

    private static string? Objection(in Directory directory)
    {
        var compression = directory.Value(CompressionTag, 1);
        if (!IsDecoded(compression))
            return $"it is compressed with {CompressionName(compression)}";
        var bits = directory.Value(BitsTag, 1);
        var samples = directory.Value(SamplesTag, 1);
        if (!(bits is 8 or 16 || (samples == 1 && bits is 1 or 2 or 4)))
            return $"it has samples of {bits} bits";
        switch (directory.Value(SampleFormatTag, 1))
        {
            case 2:
                return "it has samples with a sign";
            case 3:
                return "it has floating-point samples";
            case 5 or 6:
                return "it has complex samples";
        }
        switch (directory.Value(PhotometricTag, 1))
        {
            case 8 when bits == 8:
                return "it is CIELab with samples of 8 bits";
            case 9 or 10:
                return "it is ICCLab or ITULab";
            case 32803 or 34892:
                return "it is the raw picture of a camera's sensor";
            case 32844 or 32845:
                return "it is LogL or LogLuv";
        }
        return directory.Value(PlanarTag, 1) == 2 && directory.Has(TileWidthTag) && samples > 1
            ? "it has tiles and a plane for each channel"
            : null;
    }

    // None, CCITT RLE, Group 3, Group 4, LZW, JPEG, Deflate, Deflate, CCITT RLE word-aligned, PackBits, ThunderScan, WebP.
    private static bool IsDecoded(long compression) =>
        compression is 1 or 2 or 3 or 4 or 5 or 7 or 8 or 32946 or 32771 or 32773 or 32809 or 50001;

    private static string CompressionName(long compression) => compression switch
    {
        6 => "old-style JPEG",
        9 or 10 or 34661 => "JBIG",
        32766 => "NeXT's code",
        32908 => "PixarFilm",
        32909 => "PixarLog",
        34676 or 34677 => "SGI Log",
        33003 or 33004 or 33005 or 34712 => "JPEG 2000",
        34887 => "LERC",
        34892 => "lossy JPEG (DNG)",
        34925 => "LZMA",
        50000 => "Zstandard",
        50002 or 52546 => "JPEG XL",
        _ => $"code {compression}, which is not known",
    };

    /// <summary>Numbers of a tag.</summary>
    /// <param name="Place">Where the first one is.</param>
    /// <param name="Size">The bytes of each.</param>
    /// <param name="Count">How many the tag says there are.</param>
    /// <param name="Held">How many of them the file has.</param>
    private readonly record struct TagNumbers(long Place, int Size, long Count, long Held);

    /// <summary>The entries of a directory, of the classic or the big kind: tag, type, count, value or its place in the file.</summary>
    private readonly ref struct Directory
    {
        private readonly ReadOnlySpan<byte> _file;
        private readonly bool _little;
        private readonly bool _big;
        private readonly int _first;
        private readonly int _count;

        private Directory(ReadOnlySpan<byte> file, bool little, bool big, int first, int count)
        {
            _file = file;
            _little = little;
            _big = big;
            _first = first;
            _count = count;
        }

        private int EntryBytes => _big ? 20 : 12;

        public static bool TryOpen(ReadOnlySpan<byte> file, out Directory directory)
        {
            const int headerBytes = 16;
            directory = default;
            if (file.Length < headerBytes)
                return false;
            var little = file[0] == (byte)'I';
            var big = file[little ? 2 : 3] == (byte)'+';
            var numbers = new Directory(file, little, big, 0, 0);
            var at = big ? numbers.Read64(8) : numbers.Read32(4);
            var countBytes = big ? 8 : 2;
            if (at < 8 || at > file.Length - countBytes)
                return false;
            var count = big ? numbers.Read64((int)at) : numbers.Read16((int)at);
            if (count < 1 || count > (file.Length - at - countBytes) / numbers.EntryBytes)
                return false;
            directory = new Directory(file, little, big, (int)at + countBytes, (int)count);
            return true;
        }

        public static bool IsBehindEnd(ReadOnlySpan<byte> file)
        {
            if (file.Length < 16)
                return true;
            var little = file[0] == (byte)'I';
            var big = file[little ? 2 : 3] == (byte)'+';
            var numbers = new Directory(file, little, big, 0, 0);
            var (at, countBytes) = big ? (numbers.Read64(8), 8) : (numbers.Read32(4), 2);
            if (at < 8 || at > long.MaxValue / 2)
                return false;
            return at > file.Length - countBytes ||
                (big ? numbers.Read64((int)at) : numbers.Read16((int)at)) > (file.Length - at - countBytes) / numbers.EntryBytes;
        }

        public bool Has(int tag) => Find(tag) >= 0;

        /// <summary>The first number of a tag; <paramref name="otherwise"/> when it is missing or no whole number.</summary>
        public long Value(int tag, long otherwise) => Numbers(tag) is { Held: > 0 } numbers ? Value(numbers, 0) : otherwise;

        /// <summary>A number of a tag; 0 where there is none.</summary>
        public long Value(in TagNumbers numbers, long index)
        {
            if (index >= numbers.Held)
                return 0;
            var at = (int)(numbers.Place + index * numbers.Size);
            return numbers.Size switch { 1 => _file[at], 2 => Read16(at), 4 => Read32(at), _ => Read64(at) };
        }

        /// <summary>The whole numbers of a tag; none when it is missing or has others.</summary>
        public TagNumbers Numbers(int tag)
        {
            var entry = Find(tag);
            if (entry < 0)
                return default;
            var size = Read16(entry + 2) switch { 1 => 1, 3 => 2, 4 => 4, 16 => 8, _ => 0 };
            var count = _big ? Read64(entry + 4) : Read32(entry + 4);
            if (size == 0 || count <= 0)
                return default;
            var (first, room) = _big ? (entry + 12, 8) : (entry + 8, 4);
            var place = count > room / size ? _big ? Read64(first) : Read32(first) : first;
            return new TagNumbers(
                place, size, count, place < 0 || place > _file.Length ? 0 : Math.Min(count, (_file.Length - place) / size));
        }

        // Where the tag's entry stands; -1 without one.
        private int Find(int tag)
        {
            for (var i = 0; i < _count; i++)
                if (Read16(_first + i * EntryBytes) == tag)
                    return _first + i * EntryBytes;
            return -1;
        }

        private long Read16(int at) =>
            _little ? BinaryPrimitives.ReadUInt16LittleEndian(_file[at..]) : BinaryPrimitives.ReadUInt16BigEndian(_file[at..]);

        private long Read32(int at) =>
            _little ? BinaryPrimitives.ReadUInt32LittleEndian(_file[at..]) : BinaryPrimitives.ReadUInt32BigEndian(_file[at..]);

        private long Read64(int at) =>
            _little ? BinaryPrimitives.ReadInt64LittleEndian(_file[at..]) : BinaryPrimitives.ReadInt64BigEndian(_file[at..]);
    }
}
