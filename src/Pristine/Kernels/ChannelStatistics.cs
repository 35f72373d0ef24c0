using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Pristine.Kernels;

/// <summary>
/// Sums over the pixels of an image of what stands in each of its channels, and of the squares of that: exact, in whole numbers.
/// </summary>
internal static class ChannelStatistics
{
    /// <summary>Pixels whose bytes add up in 16 bits.</summary>
    private const int Part = ushort.MaxValue / byte.MaxValue;

    /// <summary>Channels that are added side by side: a cache line.</summary>
    private const int Block = 64;

    /// <summary>Adds the pixels.</summary>
    /// <param name="pixels">Pixel after pixel, as many bytes each as there are channels.</param>
    /// <param name="sums">One number per channel, overwritten.</param>
    /// <param name="squares">One number per channel, overwritten.</param>
    public static void Add(ReadOnlySpan<byte> pixels, Span<long> sums, Span<long> squares)
    {
        var channels = sums.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(squares.Length, channels);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length % channels, 0, nameof(pixels));
        sums.Clear();
        squares.Clear();
        var vectorised = Vector256.IsHardwareAccelerated ? channels / Block * Block : 0;
        Span<ushort> partSums = stackalloc ushort[Block];
        Span<uint> partSquares = stackalloc uint[Block];
        for (var channel = 0; channel < vectorised; channel += Block)
            for (var first = 0; first < pixels.Length; first += Part * channels)
            {
                AddPart(pixels.Slice(first, Math.Min(Part * channels, pixels.Length - first)), channel, channels, partSums, partSquares);
                for (var i = 0; i < Block; i++)
                {
                    sums[channel + i] += partSums[i];
                    squares[channel + i] += partSquares[i];
                }
            }
        for (var first = 0; vectorised < channels && first < pixels.Length; first += channels)
            for (var channel = vectorised; channel < channels; channel++)
            {
                var value = pixels[first + channel];
                sums[channel] += value;
                squares[channel] += value * value;
            }
    }

    /// <summary>Adds a block of channels of at most <see cref="Part"/> pixels; the squares fit 32 bits by far.</summary>
    private static void AddPart(ReadOnlySpan<byte> pixels, int channel, int channels, Span<ushort> sums, Span<uint> squares)
    {
        Vector256<ushort> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        Vector256<uint> square0 = default, square1 = default, square2 = default, square3 = default;
        Vector256<uint> square4 = default, square5 = default, square6 = default, square7 = default;
        ref var start = ref MemoryMarshal.GetReference(pixels);
        for (var at = channel; at < pixels.Length; at += channels)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref start, (nuint)at));
            sum0 += low;
            sum1 += high;
            AddSquares(low, ref square0, ref square1);
            AddSquares(high, ref square2, ref square3);
            (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref start, (nuint)at + 32));
            sum2 += low;
            sum3 += high;
            AddSquares(low, ref square4, ref square5);
            AddSquares(high, ref square6, ref square7);
        }
        sum0.CopyTo(sums);
        sum1.CopyTo(sums[16..]);
        sum2.CopyTo(sums[32..]);
        sum3.CopyTo(sums[48..]);
        square0.CopyTo(squares);
        square1.CopyTo(squares[8..]);
        square2.CopyTo(squares[16..]);
        square3.CopyTo(squares[24..]);
        square4.CopyTo(squares[32..]);
        square5.CopyTo(squares[40..]);
        square6.CopyTo(squares[48..]);
        square7.CopyTo(squares[56..]);
    }

    /// <summary>The square of a byte fits 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSquares(Vector256<ushort> values, ref Vector256<uint> first, ref Vector256<uint> second)
    {
        var (low, high) = Vector256.Widen(values * values);
        first += low;
        second += high;
    }
}
