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
        var lineFeed = "\n"u8.ToArray();
        var index = 0L;
        foreach (var entry in FilePattern.Listed(_access, _prefix, IsFound, cancellation))
        {
            var id = _pattern == null ? entry.Address[_prefix.Length..] : entry.Address;
            var stamp = new SourceStamp(entry.Bytes, (entry.Modified - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            yield return new DatasetItem
            {
                Index = index++,
                Id = id,
                Sources = [new RemoteSource(id, entry.Address, _access, stamp: stamp)],
                Raw = Encoding.UTF8.GetBytes(entry.Address),
                After = lineFeed,
            };
        }
    }

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(OutputName.Checked(path, Format), null, Remote), () => false);

    private bool IsFound(string path) => _pattern == null
        ? FolderDataset.IsImageName(path) && !path.Split('/').Any(name => name.StartsWith('.'))
        : (!Source.EndsWith('*') || FolderDataset.IsImageName(path)) && _pattern.IsFound(path);
}
