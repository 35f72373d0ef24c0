using System.Globalization;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>A JSON array of records, read as a stream. An element that is not an object is an item with an error.</summary>
internal sealed class JsonDataset : Dataset
{
    // A part is read into memory.
    private const long MostPartBytes = 8 << 20;

    private readonly Func<Stream> _open;
    private readonly int _bufferSize;
    private string? _layout;

    public JsonDataset(string file, string imageRoot, string? imageField = null, RemoteAccess? remote = null)
        : this(file, imageRoot, () => DatasetFile.OpenText(file, remote)) => (ImageField, Remote) = (imageField, remote);

    internal JsonDataset(string source, string imageRoot, Func<Stream> open, int bufferSize = LineReader.DefaultBufferSize)
    {
        (Source, ImageRoot, _open, _bufferSize) = (source, imageRoot, open, bufferSize);
    }

    public override DatasetFormat Format => DatasetFormat.Json;

    public override bool HasRecords => true;

    public override string Source { get; }

    public override string ImageRoot { get; }

    /// <summary>
    /// What stands around the elements, as the latest <see cref="Read(CancellationToken)"/> found it; a writer uses the same.
    /// </summary>
    internal JsonFrame Frame { get; private set; } = JsonFrame.Default;

    /// <summary>True when the file's first character is a bracket, false when it is a brace.</summary>
    /// <exception cref="DatasetException">It is neither.</exception>
    public static bool StartsWithArray(string file, RemoteAccess? remote = null)
    {
        using var stream = DatasetFile.OpenText(file, remote);
        var lines = new LineReader(stream, file);
        lines.Check("JSON", isJson: true);
        int first;
        do
            first = lines.NextByte();
        while (first is ' ' or '\t' or '\r' or '\n');
        return first switch
        {
            '[' => true,
            '{' => false,
            < 0 => throw new DatasetException(
                $"Expected '{file}' to hold a JSON array of records, or one record per line; found an empty file."),
            _ => throw new DatasetException(
                $"Expected '{file}' to start with '[' (an array of records) or '{{' (one record per line); found byte 0x{first:X2}."),
        };
    }

    public override string? ImageField { get; }

    public override string? Layout => _layout;

    public override void RequireImages(CancellationToken cancellation = default) =>
        _layout ??= RecordFields.RequireImages(this, cancellation);

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        using var stream = _open();
        var elements = new JsonArrayReader(stream, Source, _bufferSize);
        var records = new RecordReader(ImageRoot, ImageField, Remote);
        for (var index = 0L; elements.Next(out var element); index++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (index == 0)
                Frame = Frame with { Opening = elements.Opening };
            yield return records.Read(index, element.Before, element.Value, default, $"{Source}:{element.Line}");
        }
        Frame = new JsonFrame(elements.Opening, elements.Closing);
    }

    /// <summary>
    /// Ranges of the file from the first byte of an element to the last of another, with the line of the first:
    /// <c>START-END-LINE</c>. Where elements begin is known only from all before, so this reads the file once.
    /// </summary>
    public override IReadOnlyList<InputPart> Parts
    {
        get
        {
            using var stream = _open();
            if (!stream.CanSeek)
                return base.Parts;
            var size = PartBytes ?? Math.Min(TextRanges.SizeFor(stream.Length), MostPartBytes);
            var elements = new JsonArrayReader(stream, Source, _bufferSize);
            var parts = new List<InputPart>();
            var (start, end, line, items) = (0L, 0L, 0L, 0L);
            while (elements.Next(out var element))
            {
                if (items == 0)
                    (start, line) = (elements.Position - element.Value.Length, element.Line);
                end = elements.Position;
                items++;
                if (end - start >= size)
                    Add();
            }
            if (items > 0 || parts.Count == 0)
                Add();
            return parts;

            void Add()
            {
                parts.Add(Part(start, end, line, items));
                items = 0;
            }
        }
    }

    /// <summary>Bytes of a part; null to choose.</summary>
    internal long? PartBytes { get; init; }

    internal override InputPart OpenPart(string name, Func<Stream> openList)
    {
        if (name == Source)
            return Whole;
        var mark = name.LastIndexOf('-');
        var (start, end) = InputPart.RangeOf(name[..Math.Max(mark, 0)]);
        if (!long.TryParse(name.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var line))
            throw new DatasetException($"Expected the name of a part to be START-END-LINE; found '{name}'.");
        return Part(start, end, line, null);
    }

    private InputPart Part(long start, long end, long line, long? items) =>
        new(
            string.Create(CultureInfo.InvariantCulture, $"{InputPart.NameOf(start, end)}-{line}"),
            (numbers, cancellation) => Read(start, end, line, numbers, cancellation))
        {
            Bytes = end - start,
            Items = items,
            File = RemoteAddress.IsRemote(Source) ? null : Source,
        };

    /// <summary>Reads the elements of a range, which begins and ends with one, as an array of their own.</summary>
    private IEnumerable<DatasetItem> Read(long start, long end, long line, PartNumbers numbers, CancellationToken cancellation)
    {
        var bytes = new byte[end - start + 2];
        (bytes[0], bytes[^1]) = ((byte)'[', (byte)']');
        using (var stream = _open())
        {
            stream.Position = start;
            var part = bytes.AsSpan(1..^1);
            if (stream.ReadAtLeast(part, part.Length, throwOnEndOfStream: false) < part.Length)
                throw new DatasetException($"Expected '{Source}' to have {end} bytes or more; found less: it has changed.");
        }
        var elements = new JsonArrayReader(new MemoryStream(bytes), Source, _bufferSize);
        var records = new RecordReader(ImageRoot, ImageField, Remote);
        for (var index = numbers.FirstItem; elements.Next(out var element); index++)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return records.Read(index, element.Before, element.Value, default, $"{Source}:{line + element.Line - 1}");
        }
    }

    internal override IEnumerable<DatasetItem> ReadImages(CancellationToken cancellation) => RecordFields.Watch(this, cancellation);

    public override DatasetWriter CreateWriter(string path) =>
        new JsonArrayWriter(PartialFile.Create(OutputName.Checked(path, Format), Source, Remote), () => Frame);
}

/// <summary>The bytes around the elements of a JSON array.</summary>
/// <param name="Opening">From the file's start to the first element.</param>
/// <param name="Closing">From the last element to the file's end.</param>
internal sealed record JsonFrame(ReadOnlyMemory<byte> Opening, ReadOnlyMemory<byte> Closing)
{
    public static JsonFrame Default { get; } = new("[\n"u8.ToArray(), "\n]\n"u8.ToArray());
}
