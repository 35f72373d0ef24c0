using System.Text;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Images in a bucket: all below a prefix, as a folder, or those that a glob names. The order is that in which the bucket lists them, which
/// for S3 is that of the keys. Size and time come with the list, so that a table that is continued sees what has changed.
/// </summary>
internal sealed class BucketDataset : Dataset
{
    private readonly RemoteAccess _access;
    private readonly GlobPattern? _pattern;
    private readonly string _prefix;

    private static readonly byte[] LineFeed = "\n"u8.ToArray();

    /// <param name="input">The prefix, or a glob.</param>
    /// <param name="access">Lists and reads.</param>
    public BucketDataset(string input, RemoteAccess access)
    {
        (Source, _access, Remote) = (input, access, access);
        _pattern = GlobPattern.IsGlob(input) ? GlobPattern.Parse(input) : null;
        _prefix = _pattern?.Prefix ?? (input.EndsWith('/') ? input : input + "/");
    }

    public override DatasetFormat Format => _pattern == null ? DatasetFormat.Folder : DatasetFormat.Paths;

    public override bool HasDistinctFiles => true;

    public override string Source { get; }

    public override string ImageRoot => _pattern == null ? Source : "";

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        var index = 0L;
        foreach (var (address, stamp) in Listed(cancellation))
            yield return Item(index++, address, stamp);
    }

    internal override IReadOnlyList<InputPart> ListParts(Stream list, CancellationToken cancellation)
    {
        var files = new FileList(list);
        foreach (var (address, stamp) in Listed(cancellation))
            files.Add(address, stamp: stamp);
        return files.Divide((name, items) => new InputPart(name, (_, _) => []) { Items = items });
    }

    internal override InputPart OpenPart(string name, Func<Stream> openList)
    {
        return new InputPart(name, Entries);

        IEnumerable<DatasetItem> Entries(PartNumbers numbers, CancellationToken cancellation)
        {
            var index = numbers.FirstItem;
            foreach (var (address, _, stamp) in FileList.Read(openList, name))
            {
                cancellation.ThrowIfCancellationRequested();
                yield return Item(index++, address, stamp!.Value);
            }
        }
    }

    private IEnumerable<(string Address, SourceStamp Stamp)> Listed(CancellationToken cancellation) =>
        FilePattern.Listed(_access, _prefix, IsFound, cancellation).Select(entry => (
            entry.Address,
            new SourceStamp(entry.Bytes, (entry.Modified - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond)));

    private DatasetItem Item(long index, string address, SourceStamp stamp)
    {
        var id = _pattern == null ? address[_prefix.Length..] : address;
        return new DatasetItem
        {
            Index = index,
            Id = id,
            Sources = [new RemoteSource(id, address, _access, stamp: stamp)],
            Raw = Encoding.UTF8.GetBytes(address),
            After = LineFeed,
        };
    }

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(OutputName.Checked(path, Format), null, Remote), () => false);

    private bool IsFound(string path) => _pattern == null
        ? FolderDataset.IsImageName(path) && !path.Split('/').Any(name => name.StartsWith('.'))
        : (!Source.EndsWith('*') || FolderDataset.IsImageName(path)) && _pattern.IsFound(path);
}
