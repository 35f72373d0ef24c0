using System.Collections.Concurrent;
using Pristine.Media;

namespace Pristine.Datasets;

/// <summary>
/// Finds images again by the references that a table has: files, cells of Parquet files, and members of tar and zip archives, whose headers
/// are read once for each archive. What a dataset holds itself (<c>data:</c> addresses) is found among the images that are given. Safe to
/// use from several threads.
/// </summary>
/// <param name="imageRoot">Folder against which relative paths are resolved.</param>
/// <param name="held">Images that the dataset holds itself, by their names; see <see cref="Held"/>.</param>
internal sealed class ImageFinder(string imageRoot, IReadOnlyDictionary<string, MediaSource>? held = null)
{
    private const string Data = "data:";

    private readonly ConcurrentDictionary<string, Lazy<IReadOnlyDictionary<string, MediaSource>>> _archives = new(StringComparer.Ordinal);

    /// <summary>The source of an image.</summary>
    /// <param name="reference">The image's name in the table.</param>
    public MediaSource Find(string reference)
    {
        if (held != null && held.TryGetValue(reference, out var found))
            return found;
        var path = RecordReader.PathOf(reference, imageRoot);
        for (var slash = reference.IndexOf('/'); slash >= 0; slash = reference.IndexOf('/', slash + 1))
        {
            var archive = reference[..slash];
            if (ParquetDataset.IsName(archive)
                && ParquetDataset.Find(RecordReader.PathOf(archive, imageRoot), reference[(slash + 1)..]) is { } cell)
                return cell;
            if (!(archive.EndsWith(".tar", StringComparison.OrdinalIgnoreCase) || ZipDataset.IsName(archive))
                || !File.Exists(RecordReader.PathOf(archive, imageRoot)))
                continue;
            var members = _archives.GetOrAdd(archive, name => new(() => Members(RecordReader.PathOf(name, imageRoot)))).Value;
            return members.GetValueOrDefault(reference[(slash + 1)..]) ?? new FileSource(reference, path);
        }
        return new FileSource(reference, path);
    }

    /// <summary>Looks for <c>data:</c> addresses by reading their dataset up to the last of them.</summary>
    /// <param name="references">Names of images in a table.</param>
    /// <param name="open">Opens the table's dataset.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>Those that were found; all of them are in memory.</returns>
    public static IReadOnlyDictionary<string,
    MediaSource> Held(IEnumerable<string> references, Func<Dataset> open, CancellationToken cancellation)
    {
        var wanted = references.Where(reference => reference.StartsWith(Data, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, MediaSource>(StringComparer.Ordinal);
        if (wanted.Count == 0)
            return found;
        try
        {
            foreach (var image in open().Read(cancellation).SelectMany(item => item.Images))
            {
                if (wanted.Remove(image.Reference))
                    found[image.Reference] = image;
                if (wanted.Count == 0)
                    break;
            }
        }
        catch (DatasetException)
        {
            // The others are told of as missing.
        }
        return found;
    }

    private static Dictionary<string, MediaSource> Members(string archive)
    {
        var found = new Dictionary<string, MediaSource>(StringComparer.Ordinal);
        try
        {
            using var stream = DatasetFile.OpenRead(archive);
            if (ZipDataset.IsName(archive))
            {
                var file = new SlicedFile(archive);
                foreach (var entry in ZipEntry.Of(stream, archive))
                    if (MediaNames.KindOf(entry.Name) == MediaKind.Image)
                        found.TryAdd(entry.Name, new ZipSource(entry.Name, file, entry.Place));
                return found;
            }
            using var members = new TarMembers(stream, archive);
            var slices = new SlicedFile(archive);
            while (members.Next() is { } member)
                if (member.IsFile && MediaNames.KindOf(member.Name) == MediaKind.Image)
                    found.TryAdd(member.Name, new SliceSource(member.Name, slices, member.DataStart, member.Length));
        }
        catch (DatasetException)
        {
            // The images of the part that can be read are shown; those after it are told of as missing.
        }
        return found;
    }
}
