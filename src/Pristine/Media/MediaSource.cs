using Pristine.Kernels;

namespace Pristine.Media;

/// <summary>What kind of media a source holds.</summary>
public enum MediaKind
{
    /// <summary>A picture; the first frame counts of one that moves.</summary>
    Image,

    /// <summary>Sound.</summary>
    Audio,

    /// <summary>Moving pictures.</summary>
    Video,
}

/// <summary>What tells cheaply whether a source still holds what was scored.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Modified">When the file it is, or lies in, was last written: microseconds since 1970-01-01 UTC.</param>
public readonly record struct SourceStamp(long Bytes, long Modified)
{
    /// <summary>The stamp of a file, or of the file a link leads to.</summary>
    /// <param name="path">The path.</param>
    /// <returns>Null when there is no file at the path, or it cannot be asked.</returns>
    public static SourceStamp? Of(string path)
    {
        // No file has such a name; .NET refuses it with an exception.
        if (path.Contains('\0'))
            return null;
        try
        {
            var file = new FileInfo(path);
            if (file.LinkTarget != null)
                file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
            return file is { Exists: true }
                ? new SourceStamp(file.Length, (file.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond)
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Why it cannot be asked is told by the attempt to read it, which follows.
            return null;
        }
    }
}

/// <summary>
/// Where the bytes of an image, a sound or a film come from: a file, a slice of a file, memory, or an address. An item names sources;
/// making one is cheap and opens nothing. A worker reads it. Immutable and safe to use from several threads.
/// </summary>
public abstract class MediaSource
{
    private protected MediaSource(string reference, MediaKind kind) => (Reference, Kind) = (reference, kind);

    /// <summary>
    /// The name that results show: the path as the dataset writes it, or a short name where the bytes stand in the dataset itself.
    /// </summary>
    public string Reference { get; }

    /// <summary>What it holds, as the dataset says.</summary>
    public MediaKind Kind { get; }

    /// <summary>The file whose whole content this is; null for a source that is no file of its own.</summary>
    public virtual string? LocalPath => null;

    /// <summary>
    /// Names what others read as well, so that it need not be scored twice: a file or an address; null where no two items name the same.
    /// </summary>
    internal virtual string? SharedName => LocalPath;

    /// <summary>
    /// The file or address that its bytes are read from: its own, or that of the archive it lies in; null where they are in memory.
    /// </summary>
    internal virtual string? HeldBy => LocalPath;

    /// <summary>Bytes of memory that it holds on to, besides those of its item.</summary>
    internal virtual long HeldBytes => 0;

    /// <summary>Asks whether the source is still the same. Null where that cannot be told without reading it, or it is not there.</summary>
    public abstract SourceStamp? Stamp();

    /// <summary>Reads all bytes.</summary>
    /// <param name="limit">The most bytes to read.</param>
    /// <param name="buffer">Holds the bytes afterwards; empty when reading failed.</param>
    /// <returns>
    /// Null when they were read; otherwise a result with the reason. Nothing that is wrong with a source is an exception.
    /// </returns>
    internal abstract DecodeResult? Read(long limit, ReusableBuffer buffer);

    /// <inheritdoc/>
    public sealed override string ToString() => Reference;
}

/// <summary>A file.</summary>
public sealed class FileSource : MediaSource
{
    private readonly string _path;

    /// <summary>Names a file; it is not opened.</summary>
    /// <param name="reference">The path as the dataset writes it.</param>
    /// <param name="path">The file to open: the reference, resolved against the image root.</param>
    /// <param name="kind">What it holds.</param>
    public FileSource(string reference, string path, MediaKind kind = MediaKind.Image)
        : base(reference, kind)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(path);
        _path = path;
    }

    /// <summary>The path; null for one with a NUL character, which is no file's: no system takes it.</summary>
    public override string? LocalPath => _path.Contains('\0', StringComparison.Ordinal) ? null : _path;

    /// <inheritdoc/>
    public override SourceStamp? Stamp() => LocalPath is { } path ? SourceStamp.Of(path) : null;

    internal override DecodeResult? Read(long limit, ReusableBuffer buffer) => ImageFile.Read(_path, limit, buffer);
}
