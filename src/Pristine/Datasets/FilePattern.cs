using System.Globalization;
using System.Text.RegularExpressions;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>Names of several files of one dataset: a glob, or a name with numbers such as <c>shard-{000..123}.tar</c>.</summary>
internal static partial class FilePattern
{
    /// <summary>Finds the files, in order.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="kind">What they are, for messages.</param>
    /// <returns>The folder that they are named after, their names below it, and their paths.</returns>
    /// <exception cref="DatasetException">There is none, or one of the numbered ones is not there.</exception>
    public static (string Prefix, IReadOnlyList<(string Name, string Path)> Files) Files(string pattern, string kind)
    {
        var numbered = Expand(pattern);
        if (numbered.Count == 1 && GlobPattern.IsGlob(pattern))
        {
            var glob = GlobPattern.Parse(pattern);
            if (!Directory.Exists(glob.Folder))
                throw new DatasetException($"Expected a folder '{glob.Folder}' for the glob '{pattern}'; it does not exist.");
            var search = new FolderSearch(glob.MatchesHidden, glob.IsMatch, glob.CanMatchWithin, glob.Positions);
            var found = Found(glob.Prefix, FolderSearch.Items(glob.Folder, glob.Prefix, "", search, default)).ToArray();
            return found.Length > 0 ? (glob.Prefix, found) : throw new DatasetException($"Expected {kind} for '{pattern}'; found none.");
        }
        if (numbered.FirstOrDefault(name => !File.Exists(name)) is { } missing)
            throw new DatasetException($"Expected {numbered.Count} {kind} for '{pattern}'; '{missing}' does not exist.");
        var prefix = pattern[..(pattern[..pattern.IndexOf('{', StringComparison.Ordinal)].LastIndexOf('/') + 1)];
        return (prefix, [.. numbered.Select(name => (name[prefix.Length..], name))]);
    }

    /// <summary>
    /// Names and paths of what a search has found. A folder that cannot be listed is one of them, with a slash at its end: reading it says
    /// why, as it does of a file.
    /// </summary>
    /// <param name="prefix">Put before a name to make the path.</param>
    /// <param name="found">What was found.</param>
    public static IEnumerable<(string Name, string Path)> Found(string prefix, IEnumerable<DatasetItem> found) =>
        found.Select(item => (item.Id, prefix + item.Id));

    /// <summary>What a bucket has under a prefix.</summary>
    /// <param name="access">Lists.</param>
    /// <param name="prefix">The beginning of the addresses.</param>
    /// <param name="accept">Tells of what follows the prefix whether it counts.</param>
    /// <param name="cancellation">Ends listing.</param>
    /// <exception cref="DatasetException">It cannot be listed.</exception>
    public static IEnumerable<RemoteEntry> Listed(
        RemoteAccess access, string prefix, Func<string, bool> accept, CancellationToken cancellation)
    {
        using var entries = Try(() => access.StoreOf(prefix).List(prefix, cancellation).GetEnumerator());
        while (Try(entries.MoveNext))
            if (accept(entries.Current.Address[prefix.Length..]))
                yield return entries.Current;

        T Try<T>(Func<T> work)
        {
            try
            {
                return work();
            }
            catch (RemoteException e)
            {
                throw new DatasetException($"Cannot list '{prefix}': {e.Message}.", e);
            }
        }
    }

    /// <summary>
    /// The addresses that a pattern stands for: those that a bucket lists for a glob, or those with all numbers of a range. Whether these
    /// lead anywhere is not asked.
    /// </summary>
    /// <param name="address">The pattern.</param>
    /// <param name="remote">Lists.</param>
    /// <exception cref="DatasetException">Nothing is found, or it cannot be listed.</exception>
    public static (string Prefix, IReadOnlyList<(string Name, string Path)> Files) Addresses(string address, RemoteAccess remote)
    {
        if (RemoteAddress.IsBucket(address) && GlobPattern.IsGlob(address) && !Range().IsMatch(address))
        {
            var glob = GlobPattern.Parse(address);
            var found = Listed(remote, glob.Prefix, glob.IsFound, default)
                .Select(entry => (entry.Address[glob.Prefix.Length..], entry.Address)).ToArray();
            return found.Length > 0 ? (glob.Prefix, found) : throw new DatasetException($"Expected files for '{address}'; found none.");
        }
        var name = RemoteAddress.NameOf(address);
        var prefix = name[..(name[..(name.IndexOf('{', StringComparison.Ordinal) is var brace and >= 0 ? brace : name.Length)]
            .LastIndexOf('/') + 1)];
        return (prefix, [.. Expand(address).Select(file => (RemoteAddress.NameOf(file)[prefix.Length..], file))]);
    }

    /// <summary>The names that a pattern with ranges of numbers stands for, in order.</summary>
    private static List<string> Expand(string pattern)
    {
        if (Range().Match(pattern) is not { Success: true } range)
            return [pattern];
        var (first, last) = (range.Groups[1].Value, range.Groups[2].Value);
        if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
            || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to) || to < from)
            throw new DatasetException($"Expected a range of numbers such as {{000..123}} in '{pattern}'; found '{range.Value}'.");
        var names = new List<string>();
        for (var number = from; number <= to; number++)
        {
            var digits = number.ToString(CultureInfo.InvariantCulture).PadLeft(first.Length, '0');
            names.AddRange(Expand(pattern[..range.Index] + digits + pattern[(range.Index + range.Length)..]));
        }
        return names;
    }

    [GeneratedRegex(@"\{(\d+)\.\.(\d+)\}")]
    private static partial Regex Range();
}
