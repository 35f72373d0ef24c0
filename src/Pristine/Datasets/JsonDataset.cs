using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>A JSON array of records, read as a stream. An element that is not an object is an item with an error.</summary>
internal sealed class JsonDataset : Dataset
{
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

    /// <summary>What stands around the elements, as the latest <see cref="Read"/> found it; a writer uses the same.</summary>
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
