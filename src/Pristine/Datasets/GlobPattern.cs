using System.Text;
using System.Text.RegularExpressions;

namespace Pristine.Datasets;

/// <summary>
/// A glob as shells write it: <c>*</c> and <c>?</c> within a name, <c>[a-z]</c> and <c>[!a-z]</c>, <c>{jpg,png}</c>, and <c>**</c> for any
/// number of folders. Case counts. A name that starts with a dot is matched only by a pattern that does.
/// </summary>
internal sealed class GlobPattern
{
    // Null stands for **.
    private readonly Regex?[] _segments;

    private GlobPattern(string prefix, Regex?[] segments, bool matchesHidden) =>
        (Prefix, _segments, MatchesHidden) = (prefix, segments, matchesHidden);

    /// <summary>The part before the first special character, up to and with its last slash; empty for the current folder.</summary>
    public string Prefix { get; }

    /// <summary>The folder to search.</summary>
    public string Folder => Prefix.Length == 0 ? "." : Prefix;

    /// <summary>Whether some part of the pattern starts with a dot.</summary>
    public bool MatchesHidden { get; }

    /// <summary>True when the text has a character that is special in a glob.</summary>
    public static bool IsGlob(string text) => text.AsSpan().ContainsAny("*?[{");

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="DatasetException">A brace is not closed, or holds a slash.</exception>
    public static GlobPattern Parse(string pattern)
    {
        var text = OperatingSystem.IsWindows() ? pattern.Replace('\\', '/') : pattern;
        var special = text.AsSpan().IndexOfAny("*?[{");
        var prefix = text[..(text[..special].LastIndexOf('/') + 1)];
        var segments = text[prefix.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        return new GlobPattern(
            prefix, [.. segments.Select(s => s == "**" ? null : Translate(s, pattern))], segments.Any(s => s.StartsWith('.')));
    }

    /// <summary>Tells whether a path below <see cref="Prefix"/>, written with <c>/</c>, matches.</summary>
    public bool IsMatch(string path) => IsMatch(path.Split('/'), 0, 0);

    /// <summary>As <see cref="IsMatch(string)"/>, without names that start with a dot, as a search of folders has it.</summary>
    public bool IsFound(string path) => IsMatch(path) && (MatchesHidden || !path.Split('/').Any(name => name.StartsWith('.')));

    /// <summary>Tells whether something in a folder below <see cref="Prefix"/> can match.</summary>
    public bool CanMatchWithin(string folder)
    {
        var names = folder.Split('/');
        for (var i = 0; i < names.Length; i++)
        {
            if (i + 1 >= _segments.Length)
                return i < _segments.Length && _segments[i] is null;
            if (_segments[i] is not { } segment)
                return true;
            if (!segment.IsMatch(names[i]))
                return false;
        }
        return true;
    }

    /// <summary>
    /// How far into the pattern a folder can be: the parts that its content may go on with. Of two names of one folder, the one that has
    /// all parts of the other finds all that the other finds.
    /// </summary>
    /// <param name="folder">A path below <see cref="Prefix"/>, written with <c>/</c>.</param>
    public IReadOnlyCollection<int> Positions(string folder)
    {
        var positions = new SortedSet<int> { 0 };
        Expand(positions);
        foreach (var name in folder.Split('/'))
        {
            var next = new SortedSet<int>();
            foreach (var position in positions)
            {
                if (position == _segments.Length)
                    continue;
                if (_segments[position] is not { } segment)
                    next.Add(position);
                else if (segment.IsMatch(name))
                    next.Add(position + 1);
            }
            Expand(next);
            positions = next;
        }
        return positions;
    }

    /// <summary>A ** also stands for no folder at all.</summary>
    private void Expand(SortedSet<int> positions)
    {
        for (var position = 0; position < _segments.Length; position++)
            if (_segments[position] is null && positions.Contains(position))
                positions.Add(position + 1);
    }

    private bool IsMatch(string[] names, int name, int segment)
    {
        if (segment == _segments.Length)
            return name == names.Length;
        if (_segments[segment] is { } regex)
            return name < names.Length && regex.IsMatch(names[name]) && IsMatch(names, name + 1, segment + 1);
        // A final ** stands for at least the file's own name.
        if (segment == _segments.Length - 1)
            return name < names.Length;
        for (var next = name; next < names.Length; next++)
            if (IsMatch(names, next, segment + 1))
                return true;
        return false;
    }

    private static Regex Translate(string segment, string pattern)
    {
        var regex = new StringBuilder(segment.StartsWith('.') ? @"\A" : @"\A(?!\.)");
        var braces = 0;
        for (var i = 0; i < segment.Length; i++)
        {
            var c = segment[i];
            // The first character of a class may be its closing bracket.
            var isNegated = c == '[' && i + 1 < segment.Length && segment[i + 1] is '!' or '^';
            var classStart = i + (isNegated ? 2 : 1);
            var classEnd = c == '[' && classStart + 1 < segment.Length ? segment.IndexOf(']', classStart + 1) : -1;
            if (classEnd > 0)
            {
                var members = segment[classStart..classEnd].Replace(@"\", @"\\").Replace("[", @"\[").Replace("]", @"\]")
                    .Replace("^", @"\^");
                regex.Append(isNegated ? "[^" : "[").Append(members).Append(']');
                i = classEnd;
                continue;
            }
            switch (c)
            {
                case '*':
                    regex.Append(".*");
                    break;
                case '?':
                    regex.Append('.');
                    break;
                case '{':
                    braces++;
                    regex.Append("(?:");
                    break;
                case '}' when braces > 0:
                    braces--;
                    regex.Append(')');
                    break;
                case ',' when braces > 0:
                    regex.Append('|');
                    break;
                default:
                    regex.Append(Regex.Escape(c.ToString()));
                    break;
            }
        }
        if (braces > 0)
            throw new DatasetException($"Expected '}}' after '{{' within one part of the glob '{pattern}'; found '{segment}'.");
        try
        {
            return new Regex(regex.Append(@"\z").ToString(), RegexOptions.Singleline | RegexOptions.CultureInvariant);
        }
        catch (RegexParseException e)
        {
            throw new DatasetException($"Expected a class such as [a-z] in the glob '{pattern}'; found '{segment}'.", e);
        }
    }
}
