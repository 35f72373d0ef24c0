namespace Pristine.Datasets;

/// <summary>
/// One record per line. A line that is not a JSON object is an item with an error; blank lines are passed over and not exported.
/// </summary>
internal sealed class JsonlDataset : Dataset
{
    private readonly Func<Stream> _open;
    private readonly int _bufferSize;
    private volatile bool _hasBom;

    public JsonlDataset(string file, string imageRoot)
        : this(file, imageRoot, () => DatasetFile.OpenRead(file))
    {
    }

    internal JsonlDataset(string source, string imageRoot, Func<Stream> open, int bufferSize = LineReader.DefaultBufferSize)
    {
        (Source, ImageRoot, _open, _bufferSize) = (source, imageRoot, open, bufferSize);
    }

    public override DatasetFormat Format => DatasetFormat.Jsonl;

    public override string Source { get; }

    public override string ImageRoot { get; }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        using var stream = _open();
        var lines = new LineReader(stream, Source, _bufferSize);
        var records = new RecordReader(ImageRoot);
        var index = 0L;
        while (lines.Next(out var line))
        {
            cancellation.ThrowIfCancellationRequested();
            _hasBom = lines.HasBom;
            var (start, length) = TrimJsonSpace(line.Text.Span);
            if (length == 0)
                continue;
            var whole = line.Text;
            var after = start + length == whole.Length ? line.End : Join(whole[(start + length)..], line.End);
            var item = records.Read(index, whole[..start], whole.Slice(start, length), after, $"{Source}:{line.Number}");
            // A .json file that does not start with '[' is taken for lines; when even the first is none, it is one large object.
            if (index == 0 && item.Error != null && Path.GetExtension(Source).Equals(".json", StringComparison.OrdinalIgnoreCase))
                throw new DatasetException($"Expected '{Source}' to hold a JSON array of records, or one record per line; found neither. {item.Error}");
            index++;
            yield return item;
        }
    }

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(path, Source), () => _hasBom);

    private static (int Start, int Length) TrimJsonSpace(ReadOnlySpan<byte> line)
    {
        var trimmed = line.TrimStart(" \t\r"u8);
        return (line.Length - trimmed.Length, trimmed.TrimEnd(" \t\r"u8).Length);
    }

    private static byte[] Join(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => [.. a.Span, .. b.Span];
}
