using System.Text;
using Pristine.Datasets;

namespace Pristine.Experiments;

/// <summary>
/// Finds the files that a label file names, below one folder. Tried in turn: the path itself, then the path without its first folders
/// (label collections begin with the dataset's name), each as written, then with another case, then with another extension: so files that
/// were converted, for example from BMP, which is not decoded, are found under the label's name.
/// </summary>
internal sealed class LabelledImages(string folder)
{
    private readonly Dictionary<string, Dictionary<string, string[]>> _listings = new(StringComparer.Ordinal);

    /// <summary>
    /// The path, relative to the folder and with <c>/</c>, of the file that a label names; the label's own where there is none.
    /// </summary>
    public string Find(string label)
    {
        var parts = label.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var skipped = 0; skipped < parts.Length; skipped++)
        {
            var path = string.Join('/', parts[skipped..]);
            if (File.Exists(Path.Combine(folder, path)))
                return path;
        }
        for (var skipped = 0; skipped < parts.Length; skipped++)
        {
            var within = string.Join('/', parts[skipped..^1]);
            var candidates = Listing(within).GetValueOrDefault(Stem(parts[^1]), []);
            var match = candidates.Where(name => name.Equals(parts[^1], StringComparison.OrdinalIgnoreCase)).ToArray();
            // Two files that differ only in case or extension: the label does not tell which is meant.
            if ((match.Length > 0 ? match : candidates) is [var only])
                return within.Length == 0 ? only : $"{within}/{only}";
        }
        return label;
    }

    /// <summary>Images as a dataset, each item's id and reference being its path.</summary>
    /// <param name="source">What the list is called in messages.</param>
    /// <param name="paths">Paths relative to the folder, with <c>/</c>.</param>
    public Dataset AsDataset(string source, IEnumerable<string> paths)
    {
        // NUL separates, so that any name can stand in the list.
        var list = Encoding.UTF8.GetBytes(string.Concat(paths.Select(path => path + '\0')));
        return PathListDataset.FromStream(source, new MemoryStream(list), new DatasetOptions { ImageRoot = folder });
    }

    private Dictionary<string, string[]> Listing(string within)
    {
        if (_listings.TryGetValue(within, out var known))
            return known;
        var path = Path.Combine(folder, within);
        var names = Directory.Exists(path) ? Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file)) : [];
        return _listings[within] = names
            .Where(FolderDataset.IsImageName)
            .GroupBy(Stem)
            .ToDictionary(group => group.Key, group => group.Order(StringComparer.Ordinal).ToArray(), StringComparer.Ordinal);
    }

    private static string Stem(string name) => Path.GetFileNameWithoutExtension(name).ToUpperInvariant();
}
