using System.IO.Enumeration;
using Pristine.Files;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Checks the places of results before the work that makes them. Missing folders are made; nothing that is there is changed.
/// </summary>
public static class OutputPlace
{
    // What a score table has in its folder.
    private static readonly string[] TableFiles =
        ["scores.json", "part-*.parquet", "manifest.json", "files-*.list", "compact.json", "overrides.jsonl"];

    private const string ProbeName = $".pristine{WholeFile.Suffix}";

    /// <summary>Checks that a file can be written.</summary>
    /// <param name="file">Its name; a file that is there will be replaced.</param>
    /// <exception cref="DatasetException">The name is that of a folder, or its folder cannot be made or written to.</exception>
    public static void CheckFile(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        RefuseAddress(file);
        if (Directory.Exists(file) || Path.EndsInDirectorySeparator(file))
            throw new DatasetException($"Expected the name of a file to write; '{file}' is a folder.");
        RefuseTable(file);
        MakeWritable(Path.GetDirectoryName(Path.GetFullPath(file))!, file);
    }

    /// <summary>Checks that files can be written into a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The files' names; those that are there will be replaced.</param>
    /// <exception cref="DatasetException">
    /// The name is that of a file, a file's that of a folder, or the folder cannot be made or written to.
    /// </exception>
    public static void CheckFolder(string folder, params ReadOnlySpan<string> names)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        RefuseAddress(folder);
        if (File.Exists(folder))
            throw new DatasetException($"Expected a folder to write to; '{folder}' is a file.");
        MakeWritable(folder, folder);
        foreach (var name in names)
        {
            if (Directory.Exists(Path.Combine(folder, name)))
                throw new DatasetException($"Expected to write the file {name} into '{folder}'; there is a folder of that name.");
        }
    }

    /// <exception cref="DatasetException">The place is an address.</exception>
    internal static void RefuseAddress(string place)
    {
        if (RemoteAddress.HasScheme(place))
            throw new DatasetException(
                $"Expected a file or folder to write to; found the address '{RemoteAddress.Display(place)}', which cannot be written to.");
    }

    /// <summary>A score table is an input like any other, and its files are not outputs.</summary>
    /// <exception cref="DatasetException">The name is that of a file of a score table.</exception>
    internal static void RefuseTable(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var name = Path.GetFileName(file);
        if (Array.Exists(TableFiles, pattern => FileSystemName.MatchesSimpleExpression(pattern, name))
            && File.Exists(Path.Combine(folder, TableFiles[0]))
            && TableFiles.Skip(1).Any(pattern => Directory.EnumerateFiles(folder, pattern).Any()))
            throw new DatasetException($"Expected another file to write; '{file}' is a file of the score table '{folder}'.");
    }

    /// <summary>Removes a folder that was made for results which did not come about.</summary>
    /// <param name="folder">The folder; one that holds anything stays.</param>
    internal static void RemoveEmpty(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
    }

    /// <summary>
    /// Holds a folder for a run that writes files into it, and removes what a run that was killed has left there under temporary names.
    /// </summary>
    /// <param name="folder">The folder, which is made if it is not there; nothing is done of an address.</param>
    /// <param name="names">The names of files that may be written into it.</param>
    /// <returns>Holds the folder until it is disposed; null of an address.</returns>
    /// <exception cref="DatasetException">Another run writes into it, or it cannot be written to.</exception>
    internal static IDisposable? Hold(string folder, IEnumerable<string> names)
    {
        if (RemoteAddress.HasScheme(folder))
            return null;
        return Hold(folder, folder, folder, TemporariesOf(folder, names));
    }

    /// <summary>Holds a name, and removes what a run that was killed has left of it.</summary>
    /// <param name="name">What is held.</param>
    /// <param name="place">What the user calls it.</param>
    /// <param name="folder">The folder that is written to, which is made if it is not there.</param>
    /// <param name="left">Files under temporary names, looked for when the name is held.</param>
    /// <exception cref="DatasetException">Another run holds it, or it cannot be written to.</exception>
    internal static IDisposable Hold(string name, string place, string folder, IEnumerable<string> left)
    {
        IDisposable held;
        try
        {
            Directory.CreateDirectory(folder);
            held = WholeFile.Hold(name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot write '{place}': {e.Message}", e);
        }
        try
        {
            foreach (var file in left)
                RemoveLeft(file);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Removes what a killed run has left in a folder under temporary names.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The names of files that may be written into it.</param>
    /// <exception cref="DatasetException">Another run is writing one of them, or it cannot be removed.</exception>
    internal static void RemoveLeft(string folder, IEnumerable<string> names)
    {
        foreach (var file in TemporariesOf(folder, names))
            RemoveLeft(file);
    }

    private static IEnumerable<string> TemporariesOf(string folder, IEnumerable<string> names) =>
        names.Select(name => WholeFile.TemporaryOf(Path.Combine(folder, name)));

    /// <summary>Removes what a killed run has left under a temporary name.</summary>
    /// <exception cref="DatasetException">Another run is writing it, or it cannot be removed.</exception>
    private static void RemoveLeft(string temporary)
    {
        try
        {
            WholeFile.RemoveLeft(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot write '{temporary[..^WholeFile.Suffix.Length]}': {e.Message}", e);
        }
    }

    /// <summary>Removes a file that an earlier export has left.</summary>
    /// <param name="file">The file.</param>
    /// <param name="inputs">Files that are read, which stay.</param>
    /// <returns>True if it was there and is gone.</returns>
    internal static bool RemoveOld(string file, IEnumerable<string> inputs)
    {
        if (!File.Exists(file) || RealPath.Of(file) is var real && inputs.Any(input => File.Exists(input) && RealPath.Of(input) == real))
            return false;
        File.Delete(file);
        return true;
    }

    /// <summary>The same for files of a folder.</summary>
    internal static IReadOnlyList<string> RemoveOld(string folder, IEnumerable<string> names, IEnumerable<string> inputs) =>
        RemoteAddress.HasScheme(folder) ? [] : [.. names.Select(name => Path.Combine(folder, name)).Where(file => RemoveOld(file, inputs))];

    private static void MakeWritable(string folder, string place)
    {
        try
        {
            Directory.CreateDirectory(folder);
            // Always the same name: what a run that was killed just here has left, the next one removes.
            var probe = Path.Combine(folder, ProbeName);
            using (new FileStream(probe, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1))
            {
            }
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot write '{place}': {e.Message}", e);
        }
    }
}
