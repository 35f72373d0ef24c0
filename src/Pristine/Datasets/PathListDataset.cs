using System.Text;
using Pristine.Media;

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

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        if (_wasRead && !_isRepeatable)
            throw new DatasetException($"The list on '{Source}' can be read only once.");
        _wasRead = true;
        using var stream = _open();
        var lines = new LineReader(stream, Source);
        lines.Check("a list of paths", isJson: false);
        lines.DetectNul();
        var index = 0L;
        while (lines.Next(out var line))
        {
            cancellation.ThrowIfCancellationRequested();
            _hasBom = lines.HasBom;
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
