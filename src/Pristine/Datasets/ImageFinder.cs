using System.Collections.Concurrent;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Finds images again by the references that a table has: files, addresses, cells of Parquet files, and members of tar and zip archives,
/// whose headers are read once for each archive; of archives at addresses zip, whose members can be read one by one. What a dataset holds
/// itself (<c>data:</c> addresses) is found among the images that are given. Safe to use from several threads.
/// </summary>
/// <param name="imageRoot">Folder against which relative paths are resolved.</param>
/// <param name="held">Images that the dataset holds itself, by their names; see <see cref="Held"/>.</param>
/// <param name="remote">Reads addresses; null for the default limits.</param>
internal sealed class ImageFinder(
    string imageRoot, IReadOnlyDictionary<string, MediaSource>? held = null, RemoteAccess? remote = null)
{
    private const string Data = "data:";

    private readonly ConcurrentDictionary<string, Lazy<IReadOnlyDictionary<string, MediaSource>>> _archives = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ParquetFile> _tables = new(StringComparer.Ordinal);

    /// <summary>The source of an image.</summary>
    /// <param name="reference">The image's name in the table.</param>
    /// <param name="check">
    /// Called with each file or address that the image may be read from, before it is opened; throws where it may not be. Optional.
    /// </param>
    public MediaSource Find(string reference, Action<string>? check = null)
    {
        if (held != null && held.TryGetValue(reference, out var found))
            return found;
        for (var slash = reference.IndexOf('/'); slash >= 0; slash = reference.IndexOf('/', slash + 1))
        {
            var (archive, member) = (reference[..slash], reference[(slash + 1)..]);
            var isTable = ParquetDataset.IsName(archive);
            if (!isTable && !ZipDataset.IsName(archive) && !archive.EndsWith(".tar", StringComparison.OrdinalIgnoreCase))
                continue;
            var place = RecordReader.PathOf(archive, imageRoot);
            if (RemoteAddress.HasScheme(place) ? !isTable && !ZipDataset.IsName(archive) : !File.Exists(place))
                continue;
            check?.Invoke(place);
            if (!isTable)
            {
                var members = _archives.GetOrAdd(archive, _ => new(() => Members(place))).Value;
                return members.GetValueOrDefault(member) ?? SourceOf(reference, check);
            }
            // The library follows links before it goes up ("link/.."), .NET and who has checked the path do not.
            if (!RemoteAddress.HasScheme(place))
                place = Path.GetFullPath(place);
            if (ParquetDataset.Find(_tables.GetOrAdd(place, _ => new ParquetFile(place, place, remote)), member) is { } cell)
                return cell;
        }
        return SourceOf(reference, check);
    }

    private MediaSource SourceOf(string reference, Action<string>? check)
    {
        var source = RecordReader.SourceOf(reference, imageRoot, remote);
        if (source.HeldBy is { } place)
            check?.Invoke(place);
        return source;
    }

    /// <summary>Looks for <c>data:</c> addresses by reading their dataset up to the last of them.</summary>
    /// <param name="references">Names of images in a table.</param>
    /// <param name="open">Opens the table's dataset.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>Those that were found; all of them are in memory.</returns>
    public static IReadOnlyDictionary<string, MediaSource> Held(
        IEnumerable<string> references, Func<Dataset> open, CancellationToken cancellation)
    {
        var found = new Dictionary<string, MediaSource>(StringComparer.Ordinal);
        ReadHeld(
            references, open,
            image =>
            {
                found[image.Reference] = image;
                return true;
            },
            cancellation);
        return found;
    }

    /// <summary>Reads a dataset up to the last of some <c>data:</c> addresses.</summary>
    /// <param name="references">Names of images in a table.</param>
    /// <param name="open">Opens the table's dataset.</param>
    /// <param name="take">Called once with each that is found; false ends the reading.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static void ReadHeld(
        IEnumerable<string> references, Func<Dataset> open, Func<DataSource, bool> take, CancellationToken cancellation)
    {
        var wanted = references.Where(reference => reference.StartsWith(Data, StringComparison.OrdinalIgnoreCase))
            .ToHashSet(StringComparer.Ordinal);
        if (wanted.Count == 0)
            return;
        try
        {
            foreach (var image in open().Read(cancellation).SelectMany(item => item.Images).OfType<DataSource>())
                if (wanted.Remove(image.Reference) && (!take(image) || wanted.Count == 0))
                    break;
        }
        catch (DatasetException)
        {
            // The others are told of as missing.
        }
    }

    private Dictionary<string, MediaSource> Members(string archive)
    {
        var found = new Dictionary<string, MediaSource>(StringComparer.Ordinal);
        try
        {
            if (ZipDataset.IsName(archive))
            {
                foreach (var image in new ZipDataset(archive, remote).Images())
                    found.TryAdd(image.Reference, image);
                return found;
            }
            using var stream = DatasetFile.OpenRead(archive);
            using var members = new TarMembers(stream, archive);
            var slices = new SlicedFile(archive);
            while (members.Next() is { } member)
                if (member.IsFile && MediaNames.KindOf(member.Name) == MediaKind.Image)
                    found.TryAdd(member.Name, new SliceSource(member.Name, slices, member.DataStart, member.Length));
        }
        catch (Exception e) when (e is DatasetException or RemoteException)
        {
            // The images of the part that can be read are shown; those after it are told of as missing.
        }
        return found;
    }
}
