using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// A zip archive of images, each an item, in the archive's order. What is said of an image stands in <c>metadata.jsonl</c> or
/// <c>metadata.csv</c> (<c>file_name</c>), in <c>captions.json</c> (an object of names and captions, or a list of records) or in a text of
/// the same name (<c>a.txt</c> beside <c>a.jpg</c>). Nothing is unpacked: workers read the entries where they are. Archives are read only;
/// kept items are exported as tar, Parquet or a folder.
/// </summary>
/// <param name="file">The archive, or its address.</param>
/// <param name="remote">Reads addresses; null for the default limits.</param>
/// <param name="name">What its images are named after; null for the name of the file.</param>
internal sealed class ZipDataset(string file, RemoteAccess? remote = null, string? name = null) : Dataset
{
    private readonly RemoteFile? _remoteFile =
        RemoteAddress.IsRemote(file) ? new RemoteFile(remote ?? RemoteAccess.Default, file) : null;
    private string? _layout;

    public override DatasetFormat Format => DatasetFormat.Zip;

    public override bool HasRecords => true;

    public override bool HasDistinctFiles => true;

    public override bool HasImageFiles => false;

    public override string Source => file;

    public override string ImageRoot { get; } =
        RemoteAddress.IsRemote(file) ? RemoteAddress.FolderOf(file) : Path.GetDirectoryName(file) ?? "";

    public override string? Layout => _layout;

    /// <summary>True when a name ends as that of a zip archive does.</summary>
    public static bool IsName(string name) => RemoteAddress.NameOf(name).EndsWith(".zip", StringComparison.OrdinalIgnoreCase);

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => ReadFrom(new PartNumbers(), cancellation);

    internal override IEnumerable<DatasetItem> ReadFrom(PartNumbers numbers, CancellationToken cancellation)
    {
        using var stream = OpenArchive();
        var slices = _remoteFile == null ? new SlicedFile(file) : new SlicedFile(_remoteFile);
        var words = ZipWords.Read(ZipEntry.Of(stream, file), slices, file);
        var folder = name ?? (_remoteFile == null ? Path.GetFileName(file) : RemoteAddress.NameOf(file).Split('/')[^1]);
        var index = numbers.FirstItem;
        foreach (var entry in ZipEntry.Of(stream, file))
        {
            cancellation.ThrowIfCancellationRequested();
            if (MediaNames.KindOf(entry.Name) is not { } kind || entry.IsHidden)
                continue;
            var error = entry.LeavesArchive
                ? $"{file}: expected names within the archive; found '{entry.Name}'."
                : null;
            var record = error == null ? words.Of(entry.Name, out error) : null;
            yield return new DatasetItem
            {
                Index = index++,
                Id = entry.Name,
                Sources = error == null ? [SourceOf($"{folder}/{entry.Name}", slices, entry, kind)] : [],
                Raw = record ?? ReadOnlyMemory<byte>.Empty,
                Record = record == null ? null : new JsonRecord(record.Value),
                Error = error,
            };
        }
    }

    /// <summary>The images of the archive by their names in it, without what is said of them.</summary>
    internal IEnumerable<MediaSource> Images()
    {
        using var stream = OpenArchive();
        var slices = _remoteFile == null ? new SlicedFile(file) : new SlicedFile(_remoteFile);
        foreach (var entry in ZipEntry.Of(stream, file))
            if (MediaNames.KindOf(entry.Name) == MediaKind.Image)
                yield return SourceOf(entry.Name, slices, entry, MediaKind.Image);
    }

    public override void RequireImages(CancellationToken cancellation = default)
    {
        if (_layout != null)
            return;
        var entries = 0;
        using var stream = OpenArchive();
        foreach (var entry in ZipEntry.Of(stream, file))
        {
            entries++;
            if (MediaNames.KindOf(entry.Name) != MediaKind.Image || entry.IsHidden)
                continue;
            _layout = "zip archive of images" + _remoteFile?.Remark;
            return;
        }
        if (entries > 0)
            throw new DatasetException($"Expected images in the zip archive '{file}'; none of its {entries} entries has the name of one.");
    }

    private Stream OpenArchive() => _remoteFile?.OpenStream() ?? DatasetFile.OpenRead(file);

    private static MediaSource SourceOf(string reference, SlicedFile slices, ZipEntry entry, MediaKind kind) => slices.Remote is { } remote
        ? ZipSource.At(reference, remote, entry.Place, entry.HeaderBytes, kind, remote.Access.Options.MaxImageBytes)
        : new ZipSource(reference, slices, entry.Place, kind);

    public override DatasetWriter CreateWriter(string path) => throw new DatasetException(
        $"Expected a .tar or .parquet file, or a folder with --copy, for the kept items of a zip archive, which is only read; found " +
        $"'{path}'.");
}

/// <summary>An entry of a zip archive.</summary>
/// <param name="Name">Its name, as the archive has it.</param>
/// <param name="Place">Where it is.</param>
internal sealed record ZipEntry(string Name, ZipPlace Place)
{
    private const int EndBytes = 22;
    private const int End64Bytes = 56;
    private const int LocatorBytes = 20;
    private const int EntryBytes = 46;
    private const ushort Zip64 = 1;
    private const int MostComment = ushort.MaxValue;

    /// <summary>Bytes of the name and of what else the directory says of the entry, which its header repeats.</summary>
    public int HeaderBytes { get; private init; }

    /// <summary>True for names that would lead out of a folder that the archive is unpacked to.</summary>
    public bool LeavesArchive =>
        Name.StartsWith('/') || Name.Contains('\0', StringComparison.Ordinal) || Name.Contains('\\', StringComparison.Ordinal) ||
        Name is [_, ':', ..] || Name.Split('/').Contains("..");

    /// <summary>True for what other programs put beside the content: names that start with a dot, and macOS's folder.</summary>
    public bool IsHidden =>
        Name.EndsWith('/') || Name.StartsWith("__MACOSX/", StringComparison.Ordinal)
        || Name.Split('/').Any(part => part.StartsWith('.') && part != "..");

    /// <summary>Reads the archive's directory, which stands at its end.</summary>
    /// <exception cref="DatasetException">It is no zip archive, is cut off or damaged.</exception>
    public static IEnumerable<ZipEntry> Of(Stream stream, string name)
    {
        // Addresses fail where files do not.
        using var entries = In(stream, name).GetEnumerator();
        while (true)
        {
            try
            {
                if (!entries.MoveNext())
                    yield break;
            }
            catch (RemoteException e)
            {
                throw new DatasetException($"Cannot read '{RemoteAddress.Display(name)}': {e.Message}.", e);
            }
            yield return entries.Current;
        }
    }

    private static IEnumerable<ZipEntry> In(Stream stream, string name)
    {
        var (at, count, end) = DirectoryOf(stream, name);
        var buffer = new byte[EntryBytes];
        using var directory = new BufferedStream(new NotClosedStream(stream), 1 << 16);
        for (var entry = 0L; entry < count; entry++)
        {
            directory.Position = at;
            if (at + EntryBytes > end || directory.ReadAtLeast(buffer, EntryBytes, throwOnEndOfStream: false) < EntryBytes
                || !buffer.AsSpan().StartsWith("PK\u0001\u0002"u8))
                throw Damaged(name, $"expected {count} entries in its directory; entry {entry} at byte {at} is none");
            ushort Short(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(offset));
            uint Int(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(offset));
            var (nameBytes, extraBytes, commentBytes) = (Short(28), Short(30), Short(32));
            var variable = new byte[nameBytes + extraBytes];
            if (directory.ReadAtLeast(variable, variable.Length, throwOnEndOfStream: false) < variable.Length)
                throw Damaged(name, "its directory is cut off");
            var isUtf8 = (Short(8) & 0x800) != 0 || System.Text.Unicode.Utf8.IsValid(variable.AsSpan(0, nameBytes));
            var text = (isUtf8 ? Encoding.UTF8 : Encoding.Latin1).GetString(variable, 0, nameBytes);
            var (packed, length, offset) = Sizes(variable.AsSpan(nameBytes), Int(20), Int(24), Int(42));
            if (packed < 0 || length < 0 || offset < 0)
                throw Damaged(name, $"the entry '{text}' has impossible sizes");
            yield return new ZipEntry(text, new ZipPlace(offset, packed, length, Int(16), Short(10), (Short(8) & 1) != 0))
            {
                HeaderBytes = nameBytes + extraBytes,
            };
            at += EntryBytes + nameBytes + extraBytes + commentBytes;
        }
    }

    /// <summary>Sizes of more than 4 GB stand in an extra field.</summary>
    private static (long Packed, long Length, long Offset) Sizes(ReadOnlySpan<byte> extra, uint packed, uint length, uint offset)
    {
        (long Packed, long Length, long Offset) sizes = (packed, length, offset);
        while (extra.Length >= 4)
        {
            var (id, size) = (BinaryPrimitives.ReadUInt16LittleEndian(extra), BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]));
            var field = extra[4..Math.Min(extra.Length, 4 + size)];
            extra = extra[(4 + field.Length)..];
            if (id != Zip64)
                continue;
            if (length == uint.MaxValue && TryTake(ref field, out var value))
                sizes.Length = value;
            if (packed == uint.MaxValue && TryTake(ref field, out value))
                sizes.Packed = value;
            if (offset == uint.MaxValue && TryTake(ref field, out value))
                sizes.Offset = value;
        }
        return sizes;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> field, out long value)
    {
        if (!BinaryPrimitives.TryReadInt64LittleEndian(field, out value))
            return false;
        field = field[8..];
        return true;
    }

    private static (long At, long Count, long End) DirectoryOf(Stream stream, string name)
    {
        var tail = new byte[(int)Math.Min(stream.Length, EndBytes + MostComment)];
        stream.Position = stream.Length - tail.Length;
        stream.ReadExactly(tail);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || at + EndBytes > tail.Length)
            throw new DatasetException($"Expected '{name}' to end as a zip archive does; it is cut off, or none.");
        var end = tail.AsSpan(at);
        var place = stream.Length - tail.Length + at;
        long count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]), start = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        if (count == ushort.MaxValue || start == uint.MaxValue)
        {
            var locator = at >= LocatorBytes ? tail.AsSpan(at - LocatorBytes, LocatorBytes) : default;
            var large = new byte[End64Bytes];
            if (!locator.StartsWith("PK\u0006\u0007"u8) || BinaryPrimitives.ReadInt64LittleEndian(locator[8..]) is not (>= 0 and var where)
                || where > stream.Length - End64Bytes)
                throw Damaged(name, "its directory has no place");
            stream.Position = where;
            stream.ReadExactly(large);
            if (!large.AsSpan().StartsWith("PK\u0006\u0006"u8))
                throw Damaged(name, "its directory has no place");
            (count, start) =
                (BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(32)), BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(48)));
        }
        return start >= 0 && count >= 0 && start <= place ? (start, count, place) : throw Damaged(name, "its directory has no place");
    }

    private static DatasetException Damaged(string name, string found) => new($"Expected '{name}' to be a whole zip archive; {found}.");

    /// <summary>Keeps a stream open that a buffer around it is closed with.</summary>
    private sealed class NotClosedStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => inner.Position = value;
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void Flush() => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <summary>What an archive says of its images. Held in memory: names and captions, not images.</summary>
internal sealed class ZipWords
{
    // What is longer is no caption.
    private const long MostBytes = 1 << 30;
    private const long MostTextBytes = 1 << 20;

    private readonly Dictionary<string, byte[]> _records = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ZipSource> _texts = new(StringComparer.Ordinal);

    /// <summary>Looks for metadata, captions and texts among the entries.</summary>
    /// <exception cref="DatasetException">Metadata or captions cannot be read.</exception>
    public static ZipWords Read(IEnumerable<ZipEntry> entries, SlicedFile slices, string file)
    {
        var words = new ZipWords();
        using var buffer = new ReusableBuffer();
        foreach (var entry in entries.Where(entry => !entry.IsHidden && !entry.LeavesArchive))
        {
            var source = new ZipSource(entry.Name, slices, entry.Place);
            if (entry.Name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
                words._texts[entry.Name[..^4]] = source;
            var name = Path.GetFileName(entry.Name);
            if (name is not ("metadata.jsonl" or "metadata.csv" or "captions.json"))
                continue;
            if (source.Read(MostBytes, buffer) is { } failure)
                throw new DatasetException($"Cannot read '{entry.Name}' in '{file}': {failure.Error}");
            var folder = entry.Name[..^name.Length];
            try
            {
                if (name == "captions.json")
                    words.AddCaptions(folder, buffer.Span.ToArray());
                else if (name == "metadata.csv")
                    words.AddRows(folder, buffer.Span.ToArray(), $"{file}/{entry.Name}");
                else
                    words.AddLines(folder, buffer.Span.ToArray());
            }
            catch (JsonException e)
            {
                throw new DatasetException($"Expected '{entry.Name}' in '{file}' to be JSON; {RecordReader.Describe(e)}.", e);
            }
        }
        return words;
    }

    /// <summary>The record of an image as a JSON object; null where nothing is said of it.</summary>
    /// <param name="name">The image's entry.</param>
    /// <param name="error">Why what is said of it cannot be read; null where it can.</param>
    public ReadOnlyMemory<byte>? Of(string name, out string? error)
    {
        error = null;
        if (_records.TryGetValue(name, out var record))
            return record;
        if (!_texts.TryGetValue(name[..^Path.GetExtension(name).Length], out var text))
            return null;
        using var buffer = new ReusableBuffer();
        if (text.Read(MostTextBytes, buffer) is not { } failure)
            return Caption(Encoding.UTF8.GetString(buffer.Span).TrimEnd('\r', '\n'));
        error = $"Cannot read '{text.Reference}', the text of '{name}': {failure.Error}.";
        return null;
    }

    private void AddLines(string folder, byte[] lines)
    {
        foreach (var line in Encoding.UTF8.GetString(RecordJson.WithoutBom(lines).Span)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            AddRecord(folder, Encoding.UTF8.GetBytes(line));
    }

    private void AddRows(string folder, byte[] table, string name)
    {
        var rows = new CsvDataset(name, folder, () => new MemoryStream(table, writable: false));
        foreach (var row in rows.Read())
        {
            if (row.Error != null)
                throw new DatasetException(row.Error);
            AddRecord(folder, ItemExport.JsonOf(row, null));
        }
    }

    private void AddCaptions(string folder, byte[] json)
    {
        using var document = RecordJson.Parse(json);
        if (document.RootElement.ValueKind == JsonValueKind.Array)
        {
            foreach (var record in document.RootElement.EnumerateArray())
                AddRecord(folder, Encoding.UTF8.GetBytes(record.GetRawText()));
        }
        else if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            foreach (var field in document.RootElement.EnumerateObject())
            {
                _records[folder + RecordJson.Name(field)] = field.Value.ValueKind == JsonValueKind.Object
                    ? Encoding.UTF8.GetBytes(field.Value.GetRawText())
                    : field.Value.ValueKind == JsonValueKind.String ? Caption(RecordJson.Text(field.Value))
                    : Encoding.UTF8.GetBytes($"{{\"captions\":{field.Value.GetRawText()}}}");
            }
        }
    }

    private void AddRecord(string folder, byte[] record)
    {
        using var document = RecordJson.Parse(record);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            return;
        foreach (var name in (ReadOnlySpan<string>)["file_name", "image", "filename", "file"])
        {
            if (RecordJson.Field(document.RootElement, Encoding.UTF8.GetBytes(name)) is not { ValueKind: JsonValueKind.String } image)
                continue;
            _records[folder + RecordJson.Text(image)] = record;
            return;
        }
    }

    private static byte[] Caption(string text) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, string> { ["caption"] = text }, CaptionJson.Default.DictionaryStringString);
}

/// <summary>Writes captions as JSON, without reflection.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class CaptionJson : System.Text.Json.Serialization.JsonSerializerContext;
