using System.Runtime.InteropServices;

namespace Pristine.Tests.Kernels;

/// <summary>Bytes that end exactly where a page without access begins: reading one byte too far kills the test process.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private readonly nint _start;
    private readonly nuint _size;
    private readonly int _length;

    public GuardedMemory(int length)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Needs mmap and mprotect.");
        var page = Environment.SystemPageSize;
        var room = (length + page - 1) / page * page;
        _size = (nuint)(room + page);
        _length = length;
        const int readWrite = 3, none = 0, privateMapping = 2;
        var anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
        _start = mmap(0, _size, readWrite, privateMapping | anonymous, -1, 0);
        Assert.NotEqual(-1, _start);
        Assert.Equal(0, mprotect(_start + room, (nuint)page, none));
        Offset = room - length;
    }

    public Span<byte> Span => new((byte*)_start + Offset, _length);

    private int Offset { get; }

    public void Dispose() => _ = munmap(_start, _size);

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc")]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);
}
