using System.Text;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// A list of image paths, one per line, or separated by NUL where it has any. Relative paths are resolved against the current folder,
/// as in every command that takes such a list. A path's own bytes are kept, also those that are not UTF-8.
/// </summary>
internal sealed class PathListDataset : Dataset
{
    private readonly Func<Stream> _open;
    private readonly bool _isRepeatable;
    private volatile bool _wasRead;
    private volatile bool _hasBom;

    private PathListDataset(string source, string? imageRoot, Func<Stream> open, bool isRepeatable)
    {
        (Source, ImageRoot, _open, _isRepeatable) = (source, imageRoot ?? "", open, isRepeatable);
    }

    public override DatasetFormat Format => DatasetFormat.Paths;

    public override string Source { get; }

    public override string ImageRoot { get; }

    /// <summary>A list in a text file.</summary>
    public static PathListDataset FromFile(string file, DatasetOptions options) =>
        new(file, options.ImageRoot, () => DatasetFile.OpenText(file, options.Remote), true) { Remote = options.Remote };

    /// <summary>A list that can be read once.</summary>
    public static PathListDataset FromStream(string name, Stream stream, DatasetOptions options) =>
        new(name, options.ImageRoot, () => stream, false) { Remote = options.Remote };

    /// <summary>A single image.</summary>
    public static PathListDataset OfOne(string image, DatasetOptions options)
    {
        var list = Encoding.UTF8.GetBytes(image + (image.Contains('\n', StringComparison.Ordinal) ? '\0' : '\n'));
        return new PathListDataset(image, null, () => new MemoryStream(list), true) { Remote = options.Remote };
    }

    /// <summary>Ranges of the file; a path belongs to the range it begins in.</summary>
    public override IReadOnlyList<InputPart> Parts
    {
        get
        {
            if (!_isRepeatable)
                return base.Parts;
            using var stream = _open();
            return stream.CanSeek
                ? [.. TextRanges.Of(stream.Length, PartBytes).Select(Part)]
                : base.Parts;
        }
    }

    /// <summary>Bytes of a part; null to choose.</summary>
    internal long? PartBytes { get; init; }

    internal override InputPart OpenPart(string name, Func<Stream> openList) => name == Source ? Whole : Part(InputPart.RangeOf(name));

    private InputPart Part((long Start, long End) range) => InputPart.OfRange(Source, range, Read);

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        if (_wasRead && !_isRepeatable)
            throw new DatasetException($"The list on '{Source}' can be read only once.");
        _wasRead = true;
        return Read(0, long.MaxValue, new PartNumbers(), cancellation);
    }

    private IEnumerable<DatasetItem> Read(long from, long end, PartNumbers numbers, CancellationToken cancellation)
    {
        using var stream = _open();
        var lines = new LineReader(stream, Source);
        lines.Check("a list of paths", isJson: false);
        lines.DetectNul();
        // The byte before the range tells whether a path begins with it.
        var before = Math.Max(0, from - 1);
        if (before > 0)
        {
            stream.Position = before;
            lines = new LineReader(stream, Source) { Separator = lines.Separator };
            lines.Next(out _);
        }
        var index = numbers.FirstItem;
        while (before + lines.Position < end && lines.Next(out var line))
        {
            cancellation.ThrowIfCancellationRequested();
            _hasBom |= from == 0 && lines.HasBom;
            if (line.Text.IsEmpty)
                continue;
            var path = Encoding.UTF8.GetString(line.Text.Span);
            yield return new DatasetItem
            {
                Index = index++,
                Id = path,
                Sources = [RecordReader.SourceOf(path, ImageRoot, Remote)],
                Raw = line.Text,
                After = line.End,
            };
        }
    }

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(OutputName.Checked(path, Format), Source == "-" ? null : Source, Remote), () => _hasBom);
}
