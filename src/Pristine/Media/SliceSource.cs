using Microsoft.Win32.SafeHandles;
using Pristine.Kernels;
using Pristine.Remote;

namespace Pristine.Media;

/// <summary>A file that many slices lie in, such as an archive. It is opened when the first of them is read, and once for all.</summary>
/// <param name="path">The file.</param>
public sealed class SlicedFile(string path)
{
    private readonly Lock _gate = new();
    private readonly RemoteFile? _remote;
    private SafeFileHandle? _handle;
    private SourceStamp? _stamp;

    /// <param name="remote">A file at an address.</param>
    internal SlicedFile(RemoteFile remote)
        : this(remote.Address) => _remote = remote;

    /// <summary>The file at an address, if it is one.</summary>
    internal RemoteFile? Remote => _remote;

    /// <summary>The file's path, or its address.</summary>
    public string Path { get; } = path;

    /// <summary>
    /// Size and time of the whole file, as they were when they were first asked for; null where it is not there, or at an address.
    /// </summary>
    public SourceStamp? Stamp()
    {
        lock (_gate)
            return _remote != null ? null : _stamp ??= SourceStamp.Of(Path);
    }

    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened.</exception>
    internal int Read(Span<byte> bytes, long offset)
    {
        if (_remote != null)
            return _remote.Read(bytes, offset);
        SafeFileHandle handle;
        // The handle is closed by its finalizer, when no slice is left that could ask for it.
        lock (_gate)
            handle = _handle ??= File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var done = 0;
        for (int read; done < bytes.Length && (read = RandomAccess.Read(handle, bytes[done..], offset + done)) > 0;)
            done += read;
        return done;
    }
}

/// <summary>A part of a file: a member of an archive that is not compressed.</summary>
public sealed class SliceSource : MediaSource
{
    private readonly SlicedFile _file;
    private readonly long _offset;
    private readonly long _length;

    /// <summary>Names a slice; the file is not opened.</summary>
    /// <param name="reference">The name that results show.</param>
    /// <param name="file">The file, which slices share.</param>
    /// <param name="offset">Where the slice begins.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="kind">What it holds.</param>
    public SliceSource(string reference, SlicedFile file, long offset, long length, MediaKind kind = MediaKind.Image)
        : base(reference, kind)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        (_file, _offset, _length) = (file, offset, length);
    }

    internal override string HeldBy => _file.Path;

    /// <summary>The slice's size and the time of the file it lies in.</summary>
    public override SourceStamp? Stamp() => _file.Stamp() is { } file ? file with { Bytes = _length } : null;

    internal override DecodeResult? Read(long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        if (_length > limit)
            return DecodeResult.Unreadable($"the file has {_length} bytes; at most {limit} are read");
        try
        {
            var read = _file.Read(buffer.Resize((int)_length), _offset);
            buffer.Trim(read);
            return null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            buffer.Resize(0);
            return DecodeResult.Missing($"there is no file {DecodeResult.OneLine(_file.Path)}");
        }
        catch (UnauthorizedAccessException)
        {
            buffer.Resize(0);
            return DecodeResult.Unreadable("permission denied");
        }
        catch (RemoteException e)
        {
            buffer.Resize(0);
            return RemoteSource.Failed(e);
        }
        catch (IOException e)
        {
            buffer.Resize(0);
            return DecodeResult.Unreadable(DecodeResult.OneLine(e.Message));
        }
    }
}
