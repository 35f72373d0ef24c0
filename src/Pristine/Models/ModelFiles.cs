using System.Formats.Tar;
using System.IO.Compression;

namespace Pristine.Models;

/// <summary>A file that is offered as part of a model.</summary>
/// <param name="Name">File name without a folder.</param>
/// <param name="Source">Where it is: a path, or that of an archive followed by the name in it.</param>
/// <param name="Read">Gives its contents.</param>
internal sealed record OfferedFile(string Name, string Source, Func<byte[]> Read);

/// <summary>
/// Finds a model's files in what a user names: the files, folders that hold them, or <c>.tgz</c> archives, which may hold more.
/// </summary>
internal static class ModelFiles
{
    /// <summary>The files of a definition, in its order.</summary>
    /// <exception cref="ArgumentException">There are other files than the definition has, or several of one name.</exception>
    /// <exception cref="ModelException">An archive is damaged.</exception>
    /// <exception cref="IOException">An archive cannot be read.</exception>
    public static IReadOnlyList<OfferedFile> Find(ModelDefinition definition, IEnumerable<string> paths)
    {
        var offered = paths.SelectMany(path => Offer(definition, Path.GetFullPath(path))).ToArray();
        var byName = offered.ToLookup(file => file.Name, StringComparer.Ordinal);
        if (byName.Count != definition.Files.Count || definition.Files.Any(file => byName[file.Name].Count() != 1))
            throw new ArgumentException(
                $"Expected the files {string.Join(", ", definition.Files.Select(file => file.Name))} for {definition.Name}, or a folder " +
                $"or .tgz archive that " +
                $"holds them; found {(offered.Length == 0 ? "none of them" : string.Join(", ", offered.Select(file => file.Source)))}.");
        return [.. definition.Files.Select(file => byName[file.Name].Single())];
    }

    private static IEnumerable<OfferedFile> Offer(ModelDefinition definition, string path)
    {
        if (Directory.Exists(path))
            return definition.Files.Select(file => FromFile(Path.Combine(path, file.Name)));
        return path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase)
            ? FromArchive(definition, path)
            : [FromFile(path)];
    }

    private static OfferedFile FromFile(string path) => new(Path.GetFileName(path), path, () => File.ReadAllBytes(path));

    private static List<OfferedFile> FromArchive(ModelDefinition definition, string path)
    {
        var found = new List<OfferedFile>();
        try
        {
            using var file = File.OpenRead(path);
            using var archive = new TarReader(new GZipStream(file, CompressionMode.Decompress));
            while (archive.GetNextEntry() is { } entry)
            {
                if (entry.DataStream == null || !definition.Files.Any(file => IsAt(file, entry.Name)))
                    continue;
                var content = new MemoryStream();
                entry.DataStream.CopyTo(content);
                found.Add(new(Path.GetFileName(entry.Name), $"{path}:{entry.Name}", content.ToArray));
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            throw new ModelException($"{path}: expected a whole tar archive compressed with gzip; {error.Message}", error);
        }
        return found;
    }

    private static bool IsAt(ModelFile file, string path) =>
        Path.GetFileName(path) == file.Name && (file.Folder == null || Path.GetFileName(Path.GetDirectoryName(path)) == file.Folder);
}
