using System.Globalization;
using System.Text.Json;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// One record per line. A line that is not a JSON object is an item with an error; blank lines are passed over and not exported.
/// </summary>
internal sealed class JsonlDataset : Dataset
{
    private readonly Func<Stream> _open;
    private readonly int _bufferSize;
    private string? _layout;
    private volatile bool _hasBom;

    public JsonlDataset(string file, string imageRoot, string? imageField = null, RemoteAccess? remote = null)
        : this(file, imageRoot, () => DatasetFile.OpenText(file, remote)) => (ImageField, Remote) = (imageField, remote);

    internal JsonlDataset(string source, string imageRoot, Func<Stream> open, int bufferSize = LineReader.DefaultBufferSize)
    {
        (Source, ImageRoot, _open, _bufferSize) = (source, imageRoot, open, bufferSize);
    }

    public override DatasetFormat Format => DatasetFormat.Jsonl;

    public override bool HasRecords => true;

    public override string Source { get; }

    public override string ImageRoot { get; }

    public override string? ImageField { get; }

    /// <summary>Whether <c>file_name</c> and its like come before other fields of images, as in Hugging Face folders.</summary>
    internal bool PrefersFileNames { get; init; }

    public override string? Layout => _layout;

    public override void RequireImages(CancellationToken cancellation = default) =>
        _layout ??= RecordFields.RequireImages(this, cancellation);

    /// <summary>Ranges of the file of <see cref="PartBytes"/>; a line belongs to the range it begins in.</summary>
    public override IReadOnlyList<InputPart> Parts
    {
        get
        {
            using var stream = _open();
            return stream.CanSeek
                ? [.. TextRanges.Of(stream.Length, PartBytes).Select(Part)]
                : base.Parts;
        }
    }

    /// <summary>Bytes of a part; null to choose.</summary>
    internal long? PartBytes { get; init; }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => ReadFrom(new PartNumbers(), cancellation);

    internal override IEnumerable<DatasetItem> ReadFrom(PartNumbers numbers, CancellationToken cancellation) =>
        Read(0, long.MaxValue, numbers, cancellation);

    internal override InputPart OpenPart(string name, Func<Stream> openList) => name == Source ? Whole : Part(InputPart.RangeOf(name));

    private InputPart Part((long Start, long End) range) => InputPart.OfRange(Source, range, Read);

    /// <summary>Reads the lines that begin in a range of the file.</summary>
    private IEnumerable<DatasetItem> Read(long from, long end, PartNumbers numbers, CancellationToken cancellation)
    {
        using var stream = _open();
        // The byte before the range tells whether a line begins with it.
        var before = Math.Max(0, from - 1);
        if (before > 0)
            stream.Position = before;
        var lines = new LineReader(stream, Source, _bufferSize);
        if (from == 0)
            lines.Check("one JSON record per line", isJson: true);
        else
            lines.Next(out _);
        var records = new RecordReader(ImageRoot, ImageField, Remote) { PrefersFileNames = PrefersFileNames };
        // The rest of the line that begins before the range is none of its lines.
        var skipped = from == 0 ? 0 : 1;
        var isKnown = from == 0 || numbers.FirstLine > 0;
        var index = numbers.FirstItem;
        while (before + lines.Position < end && lines.Next(out var line))
        {
            cancellation.ThrowIfCancellationRequested();
            numbers.Lines = line.Number - skipped;
            _hasBom |= from == 0 && lines.HasBom;
            var (start, length) = TrimJsonSpace(line.Text.Span);
            if (length == 0)
                continue;
            var whole = line.Text;
            var after = start + length == whole.Length ? line.End : Join(whole[(start + length)..], line.End);
            var place = isKnown
                ? string.Create(CultureInfo.InvariantCulture, $"{Source}:{numbers.FirstLine + numbers.Lines}")
                : string.Create(CultureInfo.InvariantCulture, $"{Source}, line {numbers.Lines} after byte {from}");
            var item = records.Read(index, whole[..start], whole.Slice(start, length), after, place);
            if (index == numbers.FirstItem && from == 0 && item.Error != null)
                Refuse(item, lines);
            index++;
            yield return item;
        }
    }

    internal override IEnumerable<DatasetItem> ReadImages(CancellationToken cancellation) => RecordFields.Watch(this, cancellation);

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(OutputName.Checked(path, Format), Source, Remote), () => _hasBom);

    /// <summary>Looks why the first line is no record. Where all lines are none for the same reason, the file is refused.</summary>
    /// <param name="first">The first line, which could not be understood.</param>
    /// <param name="lines">The lines after it.</param>
    private void Refuse(DatasetItem first, LineReader lines)
    {
        var found = first.Raw.Span[0] == '[' ? "a JSON array. Give the file a name that ends in .json"
            : IsObject(first.Raw[..Math.Max(0, first.Raw.Span.IndexOf((byte)'\r'))])
            ? "lines that end in a carriage return alone. Convert them to line feeds"
            : GoesOn(first, lines.Peek()) ? "an object that goes over several lines. Write every record on one line"
            : null;
        // A .json file that does not start with '[' is taken for lines; when even the first is none, it is one large object.
        if (Path.GetExtension(Source).Equals(".json", StringComparison.OrdinalIgnoreCase))
        {
            throw new DatasetException($"Expected '{Source}' to hold a JSON array of records, or one record per line; found neither" +
                (found == null ? $". {first.Error}" : $", but {found}."));
        }
        if (found != null)
            throw new DatasetException($"Expected '{Source}' to hold one JSON record per line; found {found}.");
    }

    private static bool IsObject(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = RecordJson.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>True when the first line is the beginning of an object that the following lines continue.</summary>
    private static bool GoesOn(DatasetItem first, ReadOnlySpan<byte> following)
    {
        var reader = new Utf8JsonReader([.. first.Raw.Span, (byte)'\n', .. following], isFinalBlock: false, new JsonReaderState(
            new JsonReaderOptions { MaxDepth = RecordReader.MaxDepth }));
        try
        {
            while (reader.Read())
                if (reader.TokenStartIndex > first.Raw.Length)
                    return true;
        }
        catch (JsonException)
        {
            // The first line is broken by itself.
        }
        return false;
    }

    private static (int Start, int Length) TrimJsonSpace(ReadOnlySpan<byte> line)
    {
        var trimmed = line.TrimStart(" \t\r"u8);
        return (line.Length - trimmed.Length, trimmed.TrimEnd(" \t\r"u8).Length);
    }

    private static byte[] Join(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => [.. a.Span, .. b.Span];
}
