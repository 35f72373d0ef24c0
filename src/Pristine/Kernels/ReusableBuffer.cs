using System.Numerics;
using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>
/// Bytes outside the managed heap that one worker uses again and again: 64-byte aligned, never moved, not cleared. It grows to what is
/// asked for, and a single huge request does not hold its memory for good: see <see cref="Resize"/>. Not thread-safe. Spans of it are
/// dead after the next <see cref="Resize"/> and after disposal.
/// </summary>
internal sealed unsafe class ReusableBuffer : IDisposable
{
    /// <summary>What is kept at most once a request of at most this size follows a larger one.</summary>
    public const int KeptCapacity = 64 << 20;

    private const int Alignment = 64;
    private const int SmallestCapacity = 64 << 10;
    private byte* _memory;
    private int _capacity;
    private int _length;

    ~ReusableBuffer() => NativeMemory.AlignedFree(_memory);

    /// <summary>The memory's size in bytes.</summary>
    public int Capacity => _capacity;

    /// <summary>The bytes of the last request.</summary>
    public Span<byte> Span => new(_memory, _length);

    /// <summary>Where the bytes stand; fixed until the next <see cref="Resize"/>.</summary>
    public nint Address => (nint)_memory;

    /// <summary>
    /// Gives room for a number of bytes, whose content is undefined. Capacities up to <see cref="KeptCapacity"/> are powers of two, so
    /// that sizes which vary a little do not allocate again; larger ones are exact and given back when a small request follows.
    /// </summary>
    /// <param name="length">Bytes, at least 0.</param>
    /// <returns><see cref="Span"/>.</returns>
    /// <exception cref="OutOfMemoryException">The system has no such memory.</exception>
    public Span<byte> Resize(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length > _capacity || (_capacity > KeptCapacity && length <= KeptCapacity))
        {
            Free();
            var capacity = length > KeptCapacity ? length : (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, SmallestCapacity));
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)capacity, Alignment);
            _capacity = capacity;
        }
        _length = length;
        return Span;
    }

    /// <summary>Sets <see cref="Span"/> to the first bytes of the last request.</summary>
    /// <param name="length">At most the length of the last request.</param>
    public void Trim(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)_length);
        _length = length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _capacity = _length = 0;
    }
}
