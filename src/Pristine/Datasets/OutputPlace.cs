using Pristine.Files;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Checks the places of results before the work that makes them. Missing folders are made; nothing that is there is changed.
/// </summary>
public static class OutputPlace
{
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

    /// <summary>Removes a folder that was made for results which did not come about.</summary>
    /// <param name="folder">The folder; one that holds anything stays.</param>
    internal static void RemoveEmpty(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
    }

    /// <summary>
    /// Removes what a run that was killed has left under temporary names in a folder. One run at a time writes to it.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The names of files that may be written into it.</param>
    internal static void RemoveAbandoned(string folder, IEnumerable<string> names)
    {
        if (RemoteAddress.HasScheme(folder))
            return;
        foreach (var file in names.Select(name => WholeFile.TemporaryOf(Path.Combine(folder, name))).Where(File.Exists))
            File.Delete(file);
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
