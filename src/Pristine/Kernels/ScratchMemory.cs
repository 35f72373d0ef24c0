using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>Memory that a kernel keeps from image to image: it grows, never shrinks, never moves, and the collector frees it.</summary>
/// <remarks>
/// Some rows of an image, which a kernel addresses by pointers and need not dispose. Whole images and files stand in a
/// <see cref="ReusableBuffer"/>, whose owner gives the memory back, also when a huge image was the last.
/// </remarks>
internal sealed unsafe class ScratchMemory<T> where T : unmanaged
{
    /// <summary>The size of a cache line and of the widest vector.</summary>
    private const int Alignment = 64;

    private T[] _array = [];

    /// <summary>
    /// At least that many elements at an address that is a multiple of 64; zero when new, else as the last user left them.
    /// </summary>
    /// <exception cref="OutOfMemoryException">There is not that much memory, or it is more than one array can hold.</exception>
    public T* Reserve(long count)
    {
        var slack = Alignment / sizeof(T);
        if (count + slack > Array.MaxLength)
            throw new InsufficientMemoryException(
                $"Expected to need at most {Array.MaxLength} elements of scratch memory; found {count + slack}.");
        if (_array.Length < count + slack)
            _array = GC.AllocateArray<T>((int)(count + slack), pinned: true);
        // Pinned for its whole life, so the address stays valid as long as this object holds the array.
        var start = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
        return (T*)((start + Alignment - 1) & -Alignment);
    }
}
