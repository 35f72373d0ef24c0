using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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

    private readonly SimdPath _path;
    private readonly ResampleTaps _horizontal = new();
    private readonly ResampleTaps _vertical = new();
    private readonly ReusableBuffer _rows = new();
    private int[] _horizontalWeights = [];
    private int[] _verticalWeights = [];

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
        for (var y = firstRow; y < endRow; y++)
            Row(source.Slice(y * width * Channels, width * Channels), rows.Slice((y - firstRow) * stride, stride));
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

    private void Row(ReadOnlySpan<byte> source, Span<byte> output)
    {
        var starts = _horizontal.Starts;
        var counts = _horizontal.Counts;
        for (var x = 0; x < output.Length / Channels; x++)
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

    private static Vector128<int> Clip(Vector128<int> sum) =>
        Vector128.Min(Vector128.Max(sum >> FractionBits, Vector128<int>.Zero), Vector128.Create((int)byte.MaxValue));
}
