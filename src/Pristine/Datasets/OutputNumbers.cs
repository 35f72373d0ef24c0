using System.Globalization;
using System.Text.RegularExpressions;
using Pristine.Files;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>The name of an output that may be one of several: <c>kept-{00000..}.tar</c>.</summary>
/// <param name="path">The name.</param>
internal sealed partial class OutputNumbers(string path)
{
    private readonly Match _number = Number().Match(path);

    /// <summary>True where several outputs are made.</summary>
    public bool IsNumbered => _number.Success;

    /// <summary>The name of one of them.</summary>
    /// <param name="number">Counted from 0.</param>
    public string NameOf(int number) => !IsNumbered ? path
        : Before + number.ToString(CultureInfo.InvariantCulture).PadLeft(_number.Groups[1].Length, '0') + After;

    /// <summary>
    /// Holds these outputs for a run where there are several, and removes what a run that was killed has left under temporary names of
    /// them: the next run may make fewer of them.
    /// </summary>
    /// <returns>Holds them until it is disposed; null for one output, which holds itself.</returns>
    /// <exception cref="DatasetException">Another run writes them, or they cannot be written.</exception>
    public IDisposable? Hold()
    {
        // The number may stand in the name of the folder.
        if (!IsNumbered || RemoteAddress.HasScheme(path) || After.Contains(Path.DirectorySeparatorChar))
            return null;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return OutputPlace.Hold(path, path, folder, TemporariesIn(folder));
    }

    /// <summary>The files of a folder that are these outputs under their temporary names; it is listed when they are asked for.</summary>
    private IEnumerable<string> TemporariesIn(string folder)
    {
        var (start, end) = (Path.GetFileName(Before), After + WholeFile.Suffix);
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            var name = Path.GetFileName(file);
            if (name.Length >= start.Length + _number.Groups[1].Length + end.Length
                && name.StartsWith(start, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal)
                && name[start.Length..^end.Length].All(char.IsAsciiDigit))
                yield return file;
        }
    }

    /// <summary>
    /// Removes what an earlier export with more outputs has left: those that go on where this one ends, up to the first number that is
    /// missing. All of them together are the output, and as one file is replaced, so are they.
    /// </summary>
    /// <param name="count">How many outputs there are now.</param>
    /// <param name="inputs">Files that are read, which stay.</param>
    /// <returns>The removed files.</returns>
    public IReadOnlyList<string> RemoveBeyond(int count, IEnumerable<string> inputs)
    {
        if (!IsNumbered || RemoteAddress.HasScheme(path))
            return [];
        var removed = new List<string>();
        for (var number = count; File.Exists(NameOf(number)); number++)
            if (OutputPlace.RemoveOld(NameOf(number), inputs))
                removed.Add(NameOf(number));
        return removed;
    }

    private string Before => path[.._number.Index];

    private string After => path[(_number.Index + _number.Length)..];

    [GeneratedRegex(@"\{(\d+)\.\.\}")]
    private static partial Regex Number();
}
