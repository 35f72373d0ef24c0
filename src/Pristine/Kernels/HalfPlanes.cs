using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>
/// Turns interleaved 8-bit RGB into normalised float planes of half its size, in the two ways in which image networks are fed by torch.
/// One per worker; memory is reused.
/// </summary>
/// <param name="normalisation">Applied after halving.</param>
internal sealed class HalfPlanes(NormalisedPlanes normalisation) : IDisposable
{
    private const int Channels = 3;

    private readonly ResampleTaps _horizontal = new();
    private readonly ResampleTaps _vertical = new();
    private readonly ReusableBuffer _lines = new();

    /// <summary>
    /// Writes an image at half size: each pixel the mean of 2x2, a last odd row or column dropped. This is torch's bilinear
    /// interpolation with scale_factor 0.5, not antialiased.
    /// </summary>
    /// <param name="source">Height x width x 3 bytes, row by row without padding.</param>
    /// <param name="width">Columns of the source, at least 2.</param>
    /// <param name="height">Rows of the source, at least 2.</param>
    /// <param name="planes">Three planes of (height / 2) x (width / 2), overwritten.</param>
    public void WriteMeans(ReadOnlySpan<byte> source, int width, int height, Span<float> planes)
    {
        var (halfWidth, halfHeight) = CheckHalf(source, width, height, planes);
        for (var c = 0; c < Channels; c++)
        {
            for (var y = 0; y < halfHeight; y++)
            {
                var upper = source.Slice(2 * y * width * Channels, width * Channels);
                var lower = source.Slice((2 * y + 1) * width * Channels, width * Channels);
                var target = planes.Slice((c * halfHeight + y) * halfWidth, halfWidth);
                for (var x = 0; x < target.Length; x++)
                {
                    var i = 2 * x * Channels + c;
                    target[x] = normalisation.Normalise(
                        c, (upper[i] + upper[i + Channels] + lower[i] + lower[i + Channels]) * (0.25f / 255f));
                }
            }
        }
    }

    /// <summary>
    /// Writes an image at half size, rounded down, with the stretched triangle filter: torch's bilinear interpolation with antialias,
    /// in floats.
    /// </summary>
    /// <param name="source">Height x width x 3 bytes, row by row without padding.</param>
    /// <param name="width">Columns of the source, at least 2.</param>
    /// <param name="height">Rows of the source, at least 2.</param>
    /// <param name="planes">Three planes of (height / 2) x (width / 2), overwritten.</param>
    public void WriteAntialiased(ReadOnlySpan<byte> source, int width, int height, Span<float> planes)
    {
        var (halfWidth, halfHeight) = CheckHalf(source, width, height, planes);
        _horizontal.Compute(ResampleFilter.Bilinear, width, halfWidth, 0, halfWidth);
        _vertical.Compute(ResampleFilter.Bilinear, height, halfHeight, 0, halfHeight);
        // Rows are narrowed when they are first needed and kept while the window of the vertical filter covers them.
        var ring = MemoryMarshal.Cast<byte, float>(_lines.Resize(_vertical.Size * Channels * halfWidth * sizeof(float)));
        var ready = 0;
        for (var y = 0; y < halfHeight; y++)
        {
            var (start, count) = (_vertical.Starts[y], _vertical.Counts[y]);
            for (; ready < start + count; ready++)
                Narrow(source.Slice(ready * width * Channels, width * Channels), _horizontal, Line(ring, ready));
            for (var c = 0; c < Channels; c++)
            {
                var target = planes.Slice((c * halfHeight + y) * halfWidth, halfWidth);
                target.Clear();
                for (var k = 0; k < count; k++)
                {
                    var line = Line(ring, start + k).Slice(c * halfWidth, halfWidth);
                    var weight = (float)_vertical.Weights[y * _vertical.Size + k];
                    for (var x = 0; x < target.Length; x++)
                        target[x] += weight * line[x];
                }
                foreach (ref var value in target)
                    value = normalisation.Normalise(c, value);
            }
        }

        Span<float> Line(Span<float> lines, int row) => lines.Slice(row % _vertical.Size * Channels * halfWidth, Channels * halfWidth);
    }

    private static void Narrow(ReadOnlySpan<byte> source, ResampleTaps taps, Span<float> lines)
    {
        var width = lines.Length / Channels;
        for (var x = 0; x < width; x++)
        {
            var weights = taps.Weights.Slice(x * taps.Size, taps.Counts[x]);
            var pixels = source[(taps.Starts[x] * Channels)..];
            for (var c = 0; c < Channels; c++)
            {
                var sum = 0f;
                for (var k = 0; k < weights.Length; k++)
                    sum += (float)weights[k] * (pixels[k * Channels + c] / 255f);
                lines[c * width + x] = sum;
            }
        }
    }

    private static (int Width, int Height) CheckHalf(ReadOnlySpan<byte> source, int width, int height, Span<float> planes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 2);
        if (source.Length != (long)width * height * Channels)
            throw new ArgumentException(
                $"Expected {(long)width * height * Channels} bytes for {width}x{height} RGB; found {source.Length}.", nameof(source));
        if (planes.Length != Channels * (width / 2) * (height / 2))
            throw new ArgumentException($"Expected {Channels * (width / 2) * (height / 2)} floats; found {planes.Length}.", nameof(planes));
        return (width / 2, height / 2);
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();
}
