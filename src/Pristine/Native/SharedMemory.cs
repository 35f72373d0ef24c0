using System.ComponentModel;
using System.IO.MemoryMappedFiles;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pristine.Native;

/// <summary>
/// Memory that two processes see. One makes it, the other opens it by <see cref="Path"/>. On Linux it has no name in any folder, so that
/// nothing is left behind however the processes end; elsewhere it is a temporary file. Not thread-safe: the two take turns.
/// </summary>
internal sealed unsafe partial class SharedMemory : IDisposable
{
    /// <summary>What is kept at most once a request of at most this size follows a larger one.</summary>
    public const long KeptCapacity = 64 << 20;

    private const int SmallestCapacity = 1 << 20;
    private const uint CloseOnExec = 1;
    private readonly FileStream _file;
    private MemoryMappedFile? _map;
    private MemoryMappedViewAccessor? _view;
    private byte* _address;

    private SharedMemory(string path, FileStream file) => (Path, _file) = (path, file);

    /// <summary>What the other process opens, as long as this one lives.</summary>
    public string Path { get; }

    /// <summary>Bytes that are mapped.</summary>
    public long Capacity { get; private set; }

    /// <summary>Makes memory for two processes.</summary>
    /// <exception cref="IOException">The system refuses.</exception>
    public static SharedMemory Create()
    {
        if (!OperatingSystem.IsLinux())
        {
            var path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"pristine-shared-{Guid.NewGuid():N}");
            return new SharedMemory(path, new FileStream(
                path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.DeleteOnClose));
        }
        var descriptor = memfd_create("pristine", CloseOnExec);
        if (descriptor < 0)
            throw new IOException(
                $"No memory for two processes could be made: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        return new SharedMemory(
            $"/proc/{Environment.ProcessId}/fd/{descriptor}",
            new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, 0));
    }

    /// <summary>Opens memory that another process has made.</summary>
    /// <param name="path">Its <see cref="Path"/>.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SharedMemory Open(string path) =>
        new(path, new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0));

    /// <summary>Bytes of it, valid until the mapping changes.</summary>
    /// <param name="offset">From 0.</param>
    /// <param name="length">How many; they must be mapped.</param>
    public Span<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Capacity);
        return new Span<byte>(_address + offset, length);
    }

    /// <summary>Makes it large enough, keeping its content; one that was very large becomes smaller again where that is allowed.</summary>
    /// <param name="bytes">How many bytes are needed.</param>
    /// <param name="mayShrink">True where nobody needs what lies behind them.</param>
    /// <exception cref="IOException">There is no such memory.</exception>
    public void Reserve(long bytes, bool mayShrink)
    {
        if (bytes <= Capacity && !(mayShrink && Capacity > KeptCapacity && bytes <= KeptCapacity))
            return;
        var capacity = bytes > KeptCapacity ? bytes : (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(bytes, SmallestCapacity));
        Unmap();
        _file.SetLength(capacity);
        Map(capacity);
    }

    /// <summary>Maps what the other process has made larger or smaller.</summary>
    /// <param name="capacity">Its size now.</param>
    public void Follow(long capacity)
    {
        if (capacity == Capacity)
            return;
        Unmap();
        Map(capacity);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Unmap();
        _file.Dispose();
    }

    private void Map(long capacity)
    {
        _map = MemoryMappedFile.CreateFromFile(
            _file, null, capacity, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, capacity);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _address);
        Capacity = capacity;
    }

    private void Unmap()
    {
        if (_view == null)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map!.Dispose();
        (_view, _map, Capacity) = (null, null, 0);
        _address = null;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}
