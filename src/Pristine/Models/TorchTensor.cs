using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Pristine.Models;

// CA1720: the elements' names are those of PyTorch's dtypes.
#pragma warning disable CA1720
/// <summary>Element types of tensors in PyTorch checkpoints that can be read.</summary>
internal enum TorchElement
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>IEEE 754 binary64.</summary>
    Float64,

    /// <summary>IEEE 754 binary16.</summary>
    Float16,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16,

    /// <summary>Signed 64-bit integer.</summary>
    Int64,
}
#pragma warning restore CA1720

/// <summary>A tensor of a checkpoint: a view with any strides into a storage that other tensors may share.</summary>
internal sealed class TorchTensor
{
    private readonly byte[] _storage;
    private readonly long _offset;
    private readonly long[] _strides;

    internal TorchTensor(TorchElement element, byte[] storage, long offset, int[] shape, long[] strides)
    {
        (Element, _storage, _offset, Shape, _strides) = (element, storage, offset, shape, strides);
        Count = shape.Aggregate(1, (product, side) => checked(product * side));
    }

    /// <summary>Type of the elements.</summary>
    public TorchElement Element { get; }

    /// <summary>Sizes of the dimensions, the slowest first; empty for a scalar.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    internal static int SizeOf(TorchElement element) => element switch
    {
        TorchElement.Float64 or TorchElement.Int64 => 8,
        TorchElement.Float32 => 4,
        _ => 2,
    };

    /// <summary>A copy of the elements as floats in row-major order; wider types are rounded to the nearest float.</summary>
    public float[] ToFloats()
    {
        if (Element == TorchElement.Float32 && IsContiguous() && BitConverter.IsLittleEndian)
            return MemoryMarshal.Cast<byte, float>(_storage).Slice((int)_offset, Count).ToArray();
        return Gather(index => Element switch
        {
            TorchElement.Float32 => BinaryPrimitives.ReadSingleLittleEndian(At(index)),
            TorchElement.Float64 => (float)BinaryPrimitives.ReadDoubleLittleEndian(At(index)),
            TorchElement.Float16 => (float)BinaryPrimitives.ReadHalfLittleEndian(At(index)),
            TorchElement.BFloat16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(At(index)) << 16),
            _ => BinaryPrimitives.ReadInt64LittleEndian(At(index)),
        });
    }

    /// <summary>A copy of the elements of an <see cref="TorchElement.Int64"/> tensor in row-major order.</summary>
    /// <exception cref="InvalidOperationException">The elements are not integers.</exception>
    public long[] ToInt64s() => Element == TorchElement.Int64
        ? Gather(index => BinaryPrimitives.ReadInt64LittleEndian(At(index)))
        : throw new InvalidOperationException($"Expected a tensor of {TorchElement.Int64}; found {Element}.");

    /// <inheritdoc/>
    public override string ToString() => $"{Element}[{string.Join(", ", Shape)}]";

    private ReadOnlySpan<byte> At(long index) => _storage.AsSpan(checked((int)(index * SizeOf(Element))));

    private bool IsContiguous()
    {
        long expected = 1;
        for (var d = Shape.Count - 1; d >= 0; expected *= Shape[d], d--)
            if (Shape[d] != 1 && _strides[d] != expected)
                return false;
        return true;
    }

    private T[] Gather<T>(Func<long, T> read)
    {
        var values = new T[Count];
        var position = new int[Shape.Count];
        var index = _offset;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = read(index);
            // One step of an odometer over the dimensions, the last one fastest.
            for (var d = position.Length - 1; d >= 0; d--)
            {
                index += _strides[d];
                if (++position[d] < Shape[d])
                    break;
                index -= _strides[d] * Shape[d];
                position[d] = 0;
            }
        }
        return values;
    }
}
