using System.Text;
using Pristine.Media;

namespace Pristine.Datasets;

/// <summary>
/// A folder, searched recursively: every file that is an image by its extension is an item, in ordinal order of the relative paths
/// (written with <c>/</c>). The id is the relative path; the item's bytes are the path as <c>find</c> prints it.
/// </summary>
internal sealed class FolderDataset(string folder) : Dataset
{
    private readonly string _prefix = Path.EndsInDirectorySeparator(folder) ? folder : folder + "/";

    public override DatasetFormat Format => DatasetFormat.Folder;

    public override bool HasDistinctFiles => true;

    public override bool IsCheapToCount => true;

    public override string Source => folder;

    public override string ImageRoot => folder;

    internal override string? SearchedFolder => folder;

    /// <summary>True when the name's extension is that of an image, in any case.</summary>
    public static bool IsImageName(string name) => MediaNames.KindOf(name) == MediaKind.Image;

    private static FolderSearch Search => new(IsHidden: false, IsImageName, _ => true, _ => []) { HasNames = true };

    private FoundFiles Files => new(folder, _prefix, "", Search);

    /// <summary>True when a folder has an image, at any depth.</summary>
    public static bool HasImages(string folder) => Search.Walk(folder, default).Any(found => found.Error == null);

    /// <exception cref="DatasetException">There are no images, but a file that is a dataset.</exception>
    public override void RequireImages(CancellationToken cancellation = default)
    {
        if (!Search.Walk(folder, cancellation).Any() && FileIn(folder) is { } file)
            throw new DatasetException(
                $"Expected images in the folder '{folder}'; found none. It holds '{file}': name that file.");
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => Files.Items(cancellation);

    internal override IReadOnlyList<InputPart> ListParts(Stream list, CancellationToken cancellation) =>
        Files.ListParts(list, cancellation);

    internal override InputPart OpenPart(string name, Func<Stream> openList) => Files.Part(name, null, openList);

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(OutputName.Checked(path, Format), null, Remote), () => false);
}

/// <summary>A glob: every matching file is an item, in ordinal order. The id is the path, as a shell would list it.</summary>
internal sealed class GlobDataset : Dataset
{
    private readonly GlobPattern _pattern;

    public GlobDataset(string pattern)
    {
        Source = pattern;
        _pattern = GlobPattern.Parse(pattern);
        if (DatasetFile.ExtensionOf(pattern) is ".json" or ".txt" or ".h5")
            throw new DatasetException($"Expected a glob to name images; '{pattern}' names dataset files. Open them one at a time.");
        if (!Directory.Exists(_pattern.Folder))
            throw new DatasetException($"Expected a folder '{_pattern.Folder}' for the glob '{pattern}'; it does not exist.");
    }

    public override DatasetFormat Format => DatasetFormat.Paths;

    public override bool HasDistinctFiles => true;

    public override string Source { get; }

    public override string ImageRoot => "";

    internal override string? SearchedFolder => _pattern.Folder;

    private FoundFiles Files
    {
        get
        {
            // photos/** and photos/img* are said of images, not of the captions beside them.
            var imagesOnly = Source.EndsWith('*');
            var search = new FolderSearch(
                _pattern.MatchesHidden, path =>
                    (!imagesOnly || FolderDataset.IsImageName(path)) && _pattern.IsMatch(path), _pattern.CanMatchWithin,
                _pattern.Positions);
            return new FoundFiles(_pattern.Folder, _pattern.Prefix, _pattern.Prefix, search);
        }
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => Files.Items(cancellation);

    internal override IReadOnlyList<InputPart> ListParts(Stream list, CancellationToken cancellation) =>
        Files.ListParts(list, cancellation);

    internal override InputPart OpenPart(string name, Func<Stream> openList) => Files.Part(name, null, openList);

    public override DatasetWriter CreateWriter(string path) =>
        new LineWriter(PartialFile.Create(OutputName.Checked(path, Format), null, Remote), () => false);
}

/// <summary>What a search finds, as items.</summary>
/// <param name="Folder">The folder to search.</param>
/// <param name="Prefix">Put before a relative path to make the file's path.</param>
/// <param name="IdPrefix">Put before a relative path to make the id.</param>
/// <param name="Search">What is found.</param>
internal sealed record FoundFiles(string Folder, string Prefix, string IdPrefix, FolderSearch Search)
{
    private static readonly byte[] LineFeed = "\n"u8.ToArray();

    public IEnumerable<DatasetItem> Items(CancellationToken cancellation)
    {
        var index = 0L;
        foreach (var (relative, error) in Search.Walk(Folder, cancellation))
            yield return Item(index++, relative, error);
    }

    /// <summary>Searches, and writes what is found into a list that the parts are ranges of.</summary>
    public InputPart[] ListParts(Stream list, CancellationToken cancellation)
    {
        var files = new FileList(list);
        foreach (var (relative, error) in Search.Walk(Folder, cancellation))
            files.Add(relative, error);
        return files.Divide((name, items) => Part(name, items, () => throw new InvalidOperationException("The list is being written.")));
    }

    /// <summary>A part of what was found before.</summary>
    public InputPart Part(string name, long? items, Func<Stream> openList)
    {
        return new InputPart(name, Read) { Items = items };

        IEnumerable<DatasetItem> Read(PartNumbers numbers, CancellationToken cancellation)
        {
            var index = numbers.FirstItem;
            foreach (var (relative, error, _) in FileList.Read(openList, name))
            {
                cancellation.ThrowIfCancellationRequested();
                yield return Item(index++, relative, error);
            }
        }
    }

    private DatasetItem Item(long index, string relative, string? error)
    {
        var (path, id) = (Prefix + relative, IdPrefix + relative);
        return new DatasetItem
        {
            Index = index,
            Id = id,
            Sources = error is null ? [new FileSource(id, path)] : [],
            Raw = Encoding.UTF8.GetBytes(path),
            Record = Search.HasNames && error is null ? new FolderRecord(relative) : null,
            Error = error,
            After = LineFeed,
        };
    }
}

/// <summary>
/// Walks a folder in ordinal order of the relative paths, whatever order the file system gives; holds the accepted names of the folders
/// between the root and the current one. Links to folders are followed, but every real folder is searched once: one that lies in the
/// searched folder under its own name, any other under the first name in the order. A folder whose own name is accepted is found under it
/// and searched as well.
/// </summary>
/// <param name="IsHidden">Whether names that start with a dot are searched.</param>
/// <param name="Accept">Tells of a relative path, written with <c>/</c>, whether it is found.</param>
/// <param name="Enter">Tells of a folder's relative path whether it is searched.</param>
/// <param name="Positions">
/// Of two names of one folder, what is found under the one is found under the other if that has all positions of the first.
/// </param>
internal sealed record FolderSearch(
    bool IsHidden, Func<string, bool> Accept, Func<string, bool> Enter, Func<string, IReadOnlyCollection<int>> Positions)
{
    /// <summary>Whether the names of the folders are fields of the items.</summary>
    public bool HasNames { get; init; }

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>Name of a file; for a folder to be searched the name and a slash, so that the order is that of the paths within.</summary>
    private readonly record struct Entry(string Key, bool IsFolder, bool IsLink);

    private sealed record Level(string Relative, string Real, IEnumerator<Entry> Entries);

    /// <summary>The found paths as items.</summary>
    /// <param name="folder">The folder to search.</param>
    /// <param name="prefix">Put before a relative path to make the file's path.</param>
    /// <param name="idPrefix">Put before a relative path to make the id.</param>
    /// <param name="search">What is found.</param>
    /// <param name="cancellation">Stops the search.</param>
    public static IEnumerable<DatasetItem> Items(
        string folder, string prefix, string idPrefix, FolderSearch search, CancellationToken cancellation) =>
        new FoundFiles(folder, prefix, idPrefix, search).Items(cancellation);

    /// <summary>The found relative paths; with an error for a folder that cannot be listed.</summary>
    internal IEnumerable<(string Relative, string? Error)> Walk(string folder, CancellationToken cancellation)
    {
        var levels = new Stack<Level>();
        if (!TryList(folder, "", out var entries, out var error))
            throw new DatasetException(error);
        var root = RealPath.Of(folder);
        // Folders that lie outside of the root, or where the search does not go; links are the only way to them.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        levels.Push(new Level("", root, entries));
        while (levels.TryPeek(out var level))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!level.Entries.MoveNext())
            {
                levels.Pop();
                continue;
            }
            var entry = level.Entries.Current;
            var relative = level.Relative + entry.Key;
            if (!entry.IsFolder)
            {
                yield return (relative, null);
                continue;
            }
            var real = Path.Combine(level.Real, entry.Key[..^1]);
            if (entry.IsLink)
                real = RealPath.Of(real);
            if (IsSeen(real, relative, root, seen))
                continue;
            if (TryList(real, relative, out entries, out error))
                levels.Push(new Level(relative, real, entries));
            else
                yield return (relative, error);
        }
    }

    /// <summary>
    /// True when what a folder holds is found under another name. A folder that the search reaches without any link is searched under that
    /// name, any other under the first name in the order.
    /// </summary>
    /// <param name="real">The folder's path without links.</param>
    /// <param name="relative">The name under which it is reached here, with a slash at its end.</param>
    /// <param name="root">The searched folder's path without links.</param>
    /// <param name="seen">The folders that only links lead to.</param>
    private bool IsSeen(string real, string relative, string root, HashSet<string> seen)
    {
        var positions = Positions(relative[..^1]);
        if (RealPath.IsWithin(real, root))
        {
            var name = real == root ? "" : Path.GetRelativePath(root, real).Replace(Path.DirectorySeparatorChar, '/');
            if (name == relative[..^1])
                return false;
            if (name.Length == 0 || IsReached(name) && positions.All(Positions(name).Contains))
                return true;
        }
        return !seen.Add($"{real}\0{string.Join(',', positions)}");
    }

    /// <summary>True when the search comes to a folder that lies below the searched one.</summary>
    private bool IsReached(string name)
    {
        for (var (start, end) = (0, 0); end >= 0; start = end + 1)
        {
            end = name.IndexOf('/', start);
            if (!IsHidden && name[start] == '.' || !Enter(end < 0 ? name : name[..end]))
                return false;
        }
        return true;
    }

    private bool TryList(string folder, string relative, out IEnumerator<Entry> entries, out string error)
    {
        var found = new List<Entry>();
        (entries, error) = (found.GetEnumerator(), "");
        try
        {
            var listing = new System.IO.Enumeration.FileSystemEnumerable<(string Name, bool IsFolder, bool IsLink)>(
                folder,
                (ref e) => (e.FileName.ToString(), e.IsDirectory, (e.Attributes & FileAttributes.ReparsePoint) != 0),
                Everything);
            foreach (var (name, isFolder, isLink) in listing)
            {
                if (!IsHidden && name.StartsWith('.'))
                    continue;
                if (Accept(relative + name))
                    found.Add(new Entry(name, false, isLink));
                if (isFolder && Enter(relative + name))
                    found.Add(new Entry(name + "/", true, isLink));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"Cannot list the folder '{folder}': {e.Message}";
            return false;
        }
        found.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        entries = found.GetEnumerator();
        return true;
    }
}
