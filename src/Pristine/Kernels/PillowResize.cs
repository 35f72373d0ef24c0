using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>A rectangle of pixels.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct PixelWindow(int Left, int Top, int Width, int Height);

/// <summary>
/// Resizes 8-bit RGB exactly as Pillow does with an antialiased filter (Image.resize, its libImaging/Resample.c): weights rounded to 22
/// fractional bits, columns first, each pass rounded and clipped to 8 bits. Only the part of the result that is asked for is computed,
/// with the same values as in the whole. One per worker; memory is reused.
/// </summary>
internal sealed class PillowResize : IDisposable
{
    /// <summary>32 bits hold a sum of 8-bit pixels with weights of this many bits, and two bits of overshoot.</summary>
    private const int FractionBits = 32 - 8 - 2;
    private const int Half = 1 << (FractionBits - 1);
    private const int Channels = 3;

    /// <summary>A weight is high x 2^11 + low, each of 16 bits, so that products of pixels with both add up in 32 bits.</summary>
    private const int LowBits = 11;

    /// <summary>Taps that are taken at once; their weights fill four 32-bit numbers: low and high of two, then of the other two.</summary>
    private const int Group = 4;

    private readonly SimdPath _path;
    private readonly ResampleTaps _horizontal = new();
    private readonly ResampleTaps _vertical = new();
    private readonly ReusableBuffer _rows = new();
    private int[] _horizontalWeights = [];
    private int[] _verticalWeights = [];
    private int[] _pairs = [];

    /// <summary>On the path of <see cref="Simd.Current"/>.</summary>
    public PillowResize()
        : this(Simd.Current)
    {
    }

    /// <summary>On a certain path; all give the same bytes.</summary>
    internal PillowResize(SimdPath path) => _path = path;

    /// <summary>Computes a window of the resized image.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="source">Height x width x 3 bytes, row by row without padding.</param>
    /// <param name="width">Columns of the source.</param>
    /// <param name="height">Rows of the source.</param>
    /// <param name="resizedWidth">Columns of the whole result, at least 1.</param>
    /// <param name="resizedHeight">Rows of the whole result, at least 1.</param>
    /// <param name="window">The part of the result that is wanted; not empty and inside it.</param>
    /// <param name="output">Window height x window width x 3 bytes, overwritten.</param>
    /// <exception cref="ArgumentException">A size or length does not fit.</exception>
    public void Resize(
        ResampleFilter filter, ReadOnlySpan<byte> source, int width, int height, int resizedWidth, int resizedHeight, PixelWindow window,
        Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (source.Length != (long)width * height * Channels)
            throw new ArgumentException(
                $"Expected {(long)width * height * Channels} bytes for {width}x{height} RGB; found {source.Length}.", nameof(source));
        if (window.Left < 0 || window.Top < 0 || window.Width < 1 || window.Height < 1
            || window.Left > resizedWidth - window.Width || window.Top > resizedHeight - window.Height)
            throw new ArgumentException($"Expected a window inside {resizedWidth}x{resizedHeight}; found {window}.", nameof(window));
        if (output.Length != (long)window.Width * window.Height * Channels)
            throw new ArgumentException(
                $"Expected {(long)window.Width * window.Height * Channels} bytes for {window}; found {output.Length}.", nameof(output));

        _horizontal.Compute(filter, width, resizedWidth, window.Left, window.Width);
        _vertical.Compute(filter, height, resizedHeight, window.Top, window.Height);
        Round(_horizontal, window.Width, ref _horizontalWeights);
        Round(_vertical, window.Height, ref _verticalWeights);
        var firstRow = _vertical.Starts[0];
        var endRow = _vertical.Starts[window.Height - 1] + _vertical.Counts[window.Height - 1];
        var stride = window.Width * Channels;
        var rows = _rows.Resize(checked((endRow - firstRow) * stride));
        var row = firstRow;
        if (_path >= SimdPath.Vector256)
        {
            Pair(window.Width);
            for (; row + 2 <= endRow; row += 2)
                RowsOfTwo(source[(row * width * Channels)..], width * Channels, rows.Slice((row - firstRow) * stride, 2 * stride));
        }
        for (; row < endRow; row++)
            Row(source.Slice(row * width * Channels, width * Channels), rows.Slice((row - firstRow) * stride, stride), 0);
        for (var y = 0; y < window.Height; y++)
        {
            var weights = _verticalWeights.AsSpan(y * _vertical.Size, _vertical.Counts[y]);
            Column(rows[((_vertical.Starts[y] - firstRow) * stride)..], stride, weights, output.Slice(y * stride, stride));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    private static void Round(ResampleTaps taps, int count, ref int[] rounded)
    {
        if (rounded.Length < count * taps.Size)
            rounded = new int[count * taps.Size];
        for (var i = 0; i < count * taps.Size; i++)
        {
            // Half away from zero, as C's cast after adding or subtracting a half does.
            var scaled = taps.Weights[i] * (1 << FractionBits);
            rounded[i] = (int)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> FractionBits, 0, byte.MaxValue);

    /// <summary>The horizontal weights in the form that <see cref="RowsOfTwo"/> takes.</summary>
    private void Pair(int count)
    {
        var groups = (_horizontal.Size + Group - 1) / Group;
        var length = count * groups * Group;
        if (_pairs.Length < length)
            _pairs = new int[length];
        for (var x = 0; x < count; x++)
        {
            var weights = _horizontalWeights.AsSpan(x * _horizontal.Size, _horizontal.Counts[x]);
            var pairs = _pairs.AsSpan(x * groups * Group, groups * Group);
            for (var i = 0; i < pairs.Length; i += 2)
            {
                var (first, second) = (i < weights.Length ? weights[i] : 0, i + 1 < weights.Length ? weights[i + 1] : 0);
                (pairs[i], pairs[i + 1]) = PairOf(first, second);
            }
        }
    }

    /// <summary>
    /// Two rows at once. Integer sums have no order, so the result is that of <see cref="Row"/>; taps behind the last have weight 0.
    /// </summary>
    /// <param name="source">The rows, and what is behind them.</param>
    /// <param name="width">Bytes of a row.</param>
    /// <param name="output">Both rows of the result.</param>
    private void RowsOfTwo(ReadOnlySpan<byte> source, int width, Span<byte> output)
    {
        // Of 16 bytes from a pixel on: its R, G, B and those of the next, in pairs of 16 bits; and of the two pixels behind them.
        var first = Vector256.Create(
            (sbyte)0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
        var second = Vector256.Create(
            (sbyte)6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
        var starts = _horizontal.Starts;
        var counts = _horizontal.Counts;
        var perPixel = (_horizontal.Size + Group - 1) / Group * Group;
        ref var start = ref MemoryMarshal.GetReference(source);
        var stride = output.Length / 2;
        var pixels = stride / Channels;
        var x = 0;
        for (; x < pixels; x++)
        {
            var groups = (counts[x] + Group - 1) / Group;
            var at = starts[x] * Channels;
            // The last group reads 4 bytes more than its pixels have, which the last rows may not have behind them.
            if (width + at + groups * Group * Channels + 4 > source.Length)
                break;
            var (low, high) = (Vector256<int>.Zero, Vector256<int>.Zero);
            for (var group = 0; group < groups; group++)
            {
                var place = (nuint)(at + group * Group * Channels);
                var both = Vector256.Create(
                    Vector128.LoadUnsafe(ref start, place), Vector128.LoadUnsafe(ref start, place + (nuint)width)).AsSByte();
                var left = Avx2.Shuffle(both, first).AsInt16();
                var right = Avx2.Shuffle(both, second).AsInt16();
                var pair = x * perPixel + group * Group;
                low += Avx2.MultiplyAddAdjacent(left, Vector256.Create(_pairs[pair]).AsInt16())
                    + Avx2.MultiplyAddAdjacent(right, Vector256.Create(_pairs[pair + 2]).AsInt16());
                high += Avx2.MultiplyAddAdjacent(left, Vector256.Create(_pairs[pair + 1]).AsInt16())
                    + Avx2.MultiplyAddAdjacent(right, Vector256.Create(_pairs[pair + 3]).AsInt16());
            }
            var sum = Sum(low, high);
            var narrow = Avx2.PackUnsignedSaturate(Avx2.PackSignedSaturate(sum, sum), default);
            Store(narrow.AsUInt32().GetElement(0), output[(x * Channels)..stride]);
            Store(narrow.AsUInt32().GetElement(4), output[(stride + x * Channels)..]);
        }
        if (x < pixels)
        {
            Row(source[..width], output[..stride], x);
            Row(source.Slice(width, width), output[stride..], x);
        }
    }

    /// <summary>Writes a pixel; the byte behind it is that of the next one, which comes later.</summary>
    private static void Store(uint pixel, Span<byte> output)
    {
        if (output.Length > Channels)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(output, pixel);
            return;
        }
        for (var channel = 0; channel < Channels; channel++)
            output[channel] = (byte)(pixel >> 8 * channel);
    }

    private void Row(ReadOnlySpan<byte> source, Span<byte> output, int first)
    {
        var starts = _horizontal.Starts;
        var counts = _horizontal.Counts;
        for (var x = first; x < output.Length / Channels; x++)
        {
            var weights = _horizontalWeights.AsSpan(x * _horizontal.Size, counts[x]);
            var pixels = source.Slice(starts[x] * Channels, counts[x] * Channels);
            var (red, green, blue) = (Half, Half, Half);
            for (var k = 0; k < weights.Length; k++)
            {
                var weight = weights[k];
                red += pixels[k * Channels] * weight;
                green += pixels[k * Channels + 1] * weight;
                blue += pixels[k * Channels + 2] * weight;
            }
            output[x * Channels] = Clip(red);
            output[x * Channels + 1] = Clip(green);
            output[x * Channels + 2] = Clip(blue);
        }
    }

    private void Column(ReadOnlySpan<byte> rows, int stride, ReadOnlySpan<int> weights, Span<byte> output)
    {
        var x = 0;
        if (_path >= SimdPath.Vector256)
            x = ColumnOfPairs(rows, stride, weights, output);
        if (_path != SimdPath.Scalar)
        {
            // 16 bytes of each row become four vectors of 32-bit lanes. Integer sums have no order, so the result is the scalar one.
            for (; x <= output.Length - Vector128<byte>.Count; x += Vector128<byte>.Count)
            {
                var (a, b, c, d) = (Vector128.Create(Half), Vector128.Create(Half), Vector128.Create(Half), Vector128.Create(Half));
                for (var k = 0; k < weights.Length; k++)
                {
                    var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(rows), (nuint)(k * stride + x)));
                    var weight = Vector128.Create(weights[k]);
                    a += Vector128.WidenLower(low).AsInt32() * weight;
                    b += Vector128.WidenUpper(low).AsInt32() * weight;
                    c += Vector128.WidenLower(high).AsInt32() * weight;
                    d += Vector128.WidenUpper(high).AsInt32() * weight;
                }
                var bytes = Vector128.Narrow(
                    Vector128.Narrow(Clip(a), Clip(b)).AsUInt16(),
                    Vector128.Narrow(Clip(c), Clip(d)).AsUInt16());
                bytes.StoreUnsafe(ref MemoryMarshal.GetReference(output), (nuint)x);
            }
        }
        for (; x < output.Length; x++)
        {
            var sum = Half;
            for (var k = 0; k < weights.Length; k++)
                sum += rows[k * stride + x] * weights[k];
            output[x] = Clip(sum);
        }
    }

    /// <summary>Two rows at a time with products of 16 bits, as <see cref="RowsOfTwo"/>; a row behind the last has weight 0.</summary>
    /// <returns>How many bytes of the output it made.</returns>
    private static int ColumnOfPairs(ReadOnlySpan<byte> rows, int stride, ReadOnlySpan<int> weights, Span<byte> output)
    {
        ref var start = ref MemoryMarshal.GetReference(rows);
        var x = 0;
        for (; x <= output.Length - Vector128<byte>.Count; x += Vector128<byte>.Count)
        {
            Vector256<int> lowA = default, lowB = default, highA = default, highB = default;
            for (var k = 0; k < weights.Length; k += 2)
            {
                var first = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref start, (nuint)(k * stride + x)));
                var second = k + 1 < weights.Length
                    ? Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref start, (nuint)((k + 1) * stride + x)))
                    : default;
                var (low, high) = PairOf(weights[k], k + 1 < weights.Length ? weights[k + 1] : 0);
                var (a, b) = (Avx2.UnpackLow(first, second), Avx2.UnpackHigh(first, second));
                lowA += Avx2.MultiplyAddAdjacent(a, Vector256.Create(low).AsInt16());
                lowB += Avx2.MultiplyAddAdjacent(b, Vector256.Create(low).AsInt16());
                highA += Avx2.MultiplyAddAdjacent(a, Vector256.Create(high).AsInt16());
                highB += Avx2.MultiplyAddAdjacent(b, Vector256.Create(high).AsInt16());
            }
            // Unpacking and packing work within halves of 128 bits, so that the bytes come out in their order.
            var sums = Avx2.PackSignedSaturate(Sum(lowA, highA), Sum(lowB, highB));
            var bytes = Avx2.PackUnsignedSaturate(sums, sums);
            Sse2.UnpackLow(bytes.GetLower().AsUInt64(), bytes.GetUpper().AsUInt64()).AsByte()
                .StoreUnsafe(ref MemoryMarshal.GetReference(output), (nuint)x);
        }
        return x;
    }

    private static Vector256<int> Sum(Vector256<int> low, Vector256<int> high) =>
        ((high << LowBits) + low + Vector256.Create(Half)) >> FractionBits;

    /// <summary>The low and the high halves of two weights.</summary>
    private static (int Low, int High) PairOf(int first, int second)
    {
        const int low = (1 << LowBits) - 1;
        return ((first & low) | (second & low) << 16, (ushort)(first >> LowBits) | second >> LowBits << 16);
    }

    private static Vector128<int> Clip(Vector128<int> sum) =>
        Vector128.Min(Vector128.Max(sum >> FractionBits, Vector128<int>.Zero), Vector128.Create((int)byte.MaxValue));
}
