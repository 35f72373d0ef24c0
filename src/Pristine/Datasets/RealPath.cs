namespace Pristine.Datasets;

/// <summary>Paths without links, to tell whether two names are the same file.</summary>
internal static class RealPath
{
    // The limit of Linux (MAXSYMLINKS).
    private const int MaxLinks = 40;

    /// <summary>The absolute path with every symbolic link followed; parts that do not exist are taken as they are.</summary>
    /// <exception cref="IOException">More than 40 links follow one another.</exception>
    public static string Of(string path)
    {
        var absolute = Path.IsPathFullyQualified(path) ? path : Path.Combine(Directory.GetCurrentDirectory(), path);
        var root = Path.GetPathRoot(absolute)!;
        var current = root;
        var parts = new Stack<string>();
        Push(absolute[root.Length..]);
        for (var links = 0; parts.TryPop(out var part);)
        {
            if (part is "" or ".")
                continue;
            if (part == "..")
            {
                current = Path.GetDirectoryName(current) ?? current;
                continue;
            }
            var next = Path.Combine(current, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                current = next;
                continue;
            }
            if (++links > MaxLinks)
                throw new IOException($"'{path}' has more than {MaxLinks} symbolic links one after the other.");
            if (Path.IsPathRooted(target))
                current = Path.GetPathRoot(target)!;
            Push(Path.IsPathRooted(target) ? target[current.Length..] : target);
        }
        return current;

        void Push(string relative)
        {
            var names = relative.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
            for (var i = names.Length - 1; i >= 0; i--)
                parts.Push(names[i]);
        }
    }

    /// <summary>True when a real or full path is the folder or lies in it.</summary>
    public static bool IsWithin(string path, string folder) =>
        path == folder
        || path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
