using System.Globalization;
using System.Text;
using Pristine.Files;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>How an image gets into the target folder. The original stays where and as it is.</summary>
public enum FileExportMode
{
    /// <summary>The bytes are copied.</summary>
    Copy,

    /// <summary>A symbolic link to the original's absolute path.</summary>
    Link,

    /// <summary>A second name of the same file; on the same file system only.</summary>
    HardLink,
}

/// <summary>
/// Puts images into a mirror tree below a target folder: each at its path relative to the dataset's image root, and an image from outside
/// that root at its absolute path below <c>_outside/</c>. Sidecar files go along: those beside the image with its name and another
/// extension that is not an image's (<c>a.txt</c>, <c>a.json</c> beside <c>a.jpg</c>). Nothing is ever moved, deleted, overwritten or
/// written outside the target: a file that is already there with the same content is left, beside one with another content the image and
/// its sidecars get a number (<c>a-2.jpg</c>, <c>a-2.txt</c>). Not thread-safe.
/// </summary>
public sealed class FileExport
{
    private readonly string _target;
    private readonly string _realTarget;
    private readonly string _root;
    private readonly FileExportMode _mode;
    private readonly SidecarSearch _sidecars = new();
    private string? _preparedFolder;

    /// <summary>Opens a target folder, which is made if it does not exist.</summary>
    /// <param name="target">The folder.</param>
    /// <param name="mode">Copy or link.</param>
    /// <param name="imageRoot">The folder whose tree is mirrored; empty for the current folder.</param>
    /// <exception cref="DatasetException">The folder cannot be made.</exception>
    public FileExport(string target, FileExportMode mode, string imageRoot)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        ArgumentNullException.ThrowIfNull(imageRoot);
        OutputPlace.RefuseAddress(target);
        if (!Enum.IsDefined(mode))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "Expected Copy, Link or HardLink.");
        _target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        _root = Path.TrimEndingDirectorySeparator(imageRoot.Length == 0 ? Directory.GetCurrentDirectory() : Path.GetFullPath(imageRoot));
        _mode = mode;
        try
        {
            Directory.CreateDirectory(_target);
            _realTarget = RealPath.Of(_target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot make the folder '{target}': {e.Message}", e);
        }
    }

    /// <summary>Opens a target folder for the images of a dataset.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="target">The folder.</param>
    /// <param name="mode">Copy or link.</param>
    /// <returns>The export.</returns>
    /// <exception cref="DatasetException">
    /// The folder cannot be made, or lies in the folder that is searched for the dataset: the copies would become part of it.
    /// </exception>
    public static FileExport For(Dataset dataset, string target, FileExportMode mode)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentException.ThrowIfNullOrEmpty(target);
        OutputPlace.RefuseAddress(target);
        if (RemoteAddress.HasScheme(dataset.ImageRoot))
            throw new DatasetException(
                $"Expected images on a disk to copy or link; those of '{RemoteAddress.Display(dataset.Source)}' are at addresses. Name a " +
                $".tar or .parquet file, which holds them, or a .jsonl file of addresses.");
        if (dataset.SearchedFolder is { } searched && RealPath.IsWithin(RealPath.Of(target), RealPath.Of(searched)))
            throw new DatasetException(
                $"Expected a target outside of the dataset's folder '{searched}'; '{target}' lies in it, and its files would become part " +
                $"of the dataset.");
        return new FileExport(target, mode, dataset.ImageRoot);
    }

    /// <summary>Puts one image into the target, and its sidecar files before it: an image that is there has them.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The image's path relative to the target, written with <c>/</c>.</returns>
    /// <exception cref="DatasetException">A file cannot be read or the target not be written; both are named.</exception>
    public string Add(MediaSource image)
    {
        try
        {
            var source = Path.GetFullPath(image.LocalPath ?? throw new IOException("It is no file of its own."));
            if (!File.Exists(source))
                throw new FileNotFoundException(Directory.Exists(source) ? "It is a folder." : "There is no such file.");
            // Whoever opens a pipe without a writer waits for ever.
            if (!Vips.IsRegularFile(source))
                throw new IOException("It is not a regular file.");
            var destination = Path.Combine(_target, MirrorPath(source));
            PrepareFolder(Path.GetDirectoryName(destination)!);
            return Path.GetRelativePath(_target, Place([.. _sidecars.Of(source), source], destination))
                .Replace(Path.DirectorySeparatorChar, '/');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot export '{image.LocalPath ?? image.Reference}' to '{_target}': {e.Message}", e);
        }
    }

    /// <summary>Where an image belongs, relative to the target and written with <c>/</c>, before any number is put to its name.</summary>
    /// <param name="image">The image, a file whose path is not empty and has no NUL.</param>
    internal string PlaceOf(MediaSource image) => MirrorPath(Path.GetFullPath(image.LocalPath!)).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>Puts other bytes at an image's place. The same bytes already there are left.</summary>
    /// <param name="image">The image.</param>
    /// <param name="content">The file's bytes.</param>
    /// <exception cref="DatasetException">Something else is there already, or the target cannot be written.</exception>
    internal void Put(MediaSource image, byte[] content)
    {
        var place = PlaceOf(image);
        var path = Path.Combine(_target, place);
        try
        {
            PrepareFolder(Path.GetDirectoryName(path)!);
            if (!Path.Exists(path))
                WholeFile.MakeNew(path, stream => stream.Write(content));
            else if (new FileInfo(path) is not { LinkTarget: null } file || file.Length != content.Length
                || !content.AsSpan().SequenceEqual(File.ReadAllBytes(path)))
                throw new IOException("another file is there already");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot write '{place}' to '{_target}': {e.Message}", e);
        }
    }

    private string MirrorPath(string source)
    {
        if (RealPath.IsWithin(source, _root))
            return Path.GetRelativePath(_root, source);
        var volume = Path.GetPathRoot(source)!;
        var drive = string.Concat(volume.Where(char.IsLetterOrDigit));
        return Path.Combine("_outside", drive, source[volume.Length..]);
    }

    // A link within the target must not lead the export out of it.
    private void PrepareFolder(string folder)
    {
        if (folder == _preparedFolder)
            return;
        if (!RealPath.IsWithin(RealPath.Of(folder), _realTarget))
            throw new IOException($"'{folder}' is reached through a link that leads out of the target.");
        Directory.CreateDirectory(folder);
        _preparedFolder = folder;
    }

    /// <summary>Puts files that belong together under the first number at which each is there already or its name is free.</summary>
    /// <param name="sources">The files; they differ in their extensions.</param>
    /// <param name="destination">Where the last of them goes if nothing stands in the way.</param>
    /// <returns>Where the last of them is.</returns>
    private string Place(string[] sources, string destination)
    {
        var folder = Path.GetDirectoryName(destination)!;
        var stem = Path.GetFileNameWithoutExtension(destination);
        for (var number = 1; ; number++)
        {
            var suffix = number == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"-{number}");
            var longest = sources.Max(source => Encoding.UTF8.GetByteCount(suffix + Path.GetExtension(source)));
            var numbered = Path.Combine(folder, WholeFile.Shorten(stem, WholeFile.MaxNameBytes - longest)) + suffix;
            var paths = Array.ConvertAll(sources, source => numbered + Path.GetExtension(source));
            var isFree = Array.ConvertAll(paths, path => !Path.Exists(path) && new FileInfo(path).LinkTarget is null);
            if (!sources.Index().All(file => isFree[file.Index] || IsThere(file.Item, paths[file.Index])))
                continue;
            for (var i = 0; i < sources.Length; i++)
                if (isFree[i])
                    Make(sources[i], paths[i]);
            return paths[^1];
        }
    }

    private bool IsThere(string source, string path)
    {
        var isLink = new FileInfo(path).LinkTarget is not null;
        if (_mode == FileExportMode.Link)
            return isLink && RealPath.Of(path) == RealPath.Of(source) || path == source;
        return !isLink && File.Exists(path) && HasSameBytes(source, path);
    }

    private void Make(string source, string path)
    {
        switch (_mode)
        {
            case FileExportMode.Link:
                File.CreateSymbolicLink(path, source);
                break;
            case FileExportMode.HardLink:
                HardLink.Create(RealPath.Of(source), path);
                break;
            default:
                WholeFile.CopyNew(RealPath.Of(source), path);
                break;
        }
    }

    private static bool HasSameBytes(string a, string b)
    {
        using var first = File.OpenRead(a);
        using var second = File.OpenRead(b);
        if (first.Length != second.Length)
            return false;
        var (left, right) = (new byte[1 << 16], new byte[1 << 16]);
        int read;
        while ((read = first.ReadAtLeast(left, left.Length, throwOnEndOfStream: false)) > 0)
            if (second.ReadAtLeast(right.AsSpan(0, read), read, throwOnEndOfStream: false) < read
                || !left.AsSpan(0, read).SequenceEqual(right.AsSpan(0, read)))
                return false;
        return true;
    }
}

/// <summary>
/// Finds the files beside an image that belong to it: the same name up to the last dot, and an extension that is not an image's.
/// Folders are listed once, as long as the images come folder by folder.
/// </summary>
internal sealed class SidecarSearch
{
    // Lists may jump between folders; a folder's names are kept for some time, but not those of all folders.
    private const int KeptFolders = 64;

    private readonly Dictionary<string, ILookup<string, string>> _byStem = new(StringComparer.Ordinal);

    /// <summary>The full paths of an image's sidecar files in ordinal order. Pipes and links that lead nowhere are passed over.</summary>
    /// <param name="image">The image's full path.</param>
    /// <exception cref="IOException">The folder cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be listed.</exception>
    public IEnumerable<string> Of(string image)
    {
        var folder = Path.GetDirectoryName(image)!;
        if (!_byStem.TryGetValue(folder, out var files))
        {
            if (_byStem.Count == KeptFolders)
                _byStem.Clear();
            _byStem[folder] = files = Directory.EnumerateFiles(folder).Where(IsSidecar).Order(StringComparer.Ordinal)
                .ToLookup(Path.GetFileNameWithoutExtension)!;
        }
        return files[Path.GetFileNameWithoutExtension(image)].Where(file => file != image && Vips.IsRegularFile(file));
    }

    private static bool IsSidecar(string file) => Path.GetExtension(file).Length > 1 && !FolderDataset.IsImageName(file);
}
