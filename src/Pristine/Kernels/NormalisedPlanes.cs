using System.Globalization;

namespace Pristine.Kernels;

/// <summary>
/// Turns interleaved 8-bit RGB into three float planes of (v / 255 - mean) / deviation per channel, the input of image networks. One
/// value per channel and byte is computed once, in the order of operations of torchvision (ToTensor, Normalize), so lookups are exact.
/// </summary>
internal sealed class NormalisedPlanes
{
    private const int Channels = 3;
    private const int Levels = 256;

    private readonly float[] _mean;
    private readonly float[] _deviation;
    private readonly float[] _table = new float[Channels * Levels];

    /// <summary>With a mean and deviation per channel.</summary>
    /// <param name="mean">Three numbers, R G B, in units of [0,1].</param>
    /// <param name="deviation">Three positive numbers.</param>
    /// <exception cref="ArgumentException">There are not three of each.</exception>
    public NormalisedPlanes(ReadOnlySpan<float> mean, ReadOnlySpan<float> deviation)
    {
        if (mean.Length != Channels || deviation.Length != Channels)
            throw new ArgumentException($"Expected three means and deviations; found {mean.Length} and {deviation.Length}.", nameof(mean));
        (_mean, _deviation) = (mean.ToArray(), deviation.ToArray());
        for (var c = 0; c < Channels; c++)
            for (var v = 0; v < Levels; v++)
                _table[c * Levels + v] = Normalise(c, v / 255f);
    }

    /// <summary>The statistics of ImageNet that networks of torchvision expect.</summary>
    public static NormalisedPlanes ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <summary>Keras' "caffe" style: 0..255 minus ImageNet's mean of each channel.</summary>
    public static NormalisedPlanes ImageNetMean { get; } = new(
        [123.68f / 255, 116.779f / 255, 103.939f / 255], [1f / 255, 1f / 255, 1f / 255]);

    /// <summary>The formula with its numbers for R, G and B, the value v of a pixel being 0 to 255; for people.</summary>
    public string Description => $"(v - ({InBytes(_mean)})) / ({InBytes(_deviation)})";

    /// <summary>Smallest value of any pixel.</summary>
    public float Low => Enumerable.Range(0, Channels).Min(c => _table[c * Levels]);

    /// <summary>Largest value of any pixel.</summary>
    public float High => Enumerable.Range(0, Channels).Max(c => _table[c * Levels + Levels - 1]);

    /// <summary>Writes an image into planes that may be larger; black surrounds it.</summary>
    /// <param name="source">RGB pixels; rows of <paramref name="width"/> pixels, <paramref name="sourceStride"/> bytes apart.</param>
    /// <param name="sourceStride">Bytes from row to row.</param>
    /// <param name="width">Columns to take; 0 gives black planes.</param>
    /// <param name="height">Rows to take.</param>
    /// <param name="planes">Three planes of <paramref name="planeHeight"/> x <paramref name="planeWidth"/>, overwritten.</param>
    /// <param name="planeWidth">Columns of a plane.</param>
    /// <param name="planeHeight">Rows of a plane.</param>
    /// <param name="left">Column of the planes where the image begins.</param>
    /// <param name="top">Row of the planes where the image begins.</param>
    /// <exception cref="ArgumentException">The image does not fit, or a length is wrong.</exception>
    public void Write(
        ReadOnlySpan<byte> source, int sourceStride, int width, int height, Span<float> planes, int planeWidth, int planeHeight,
        int left = 0, int top = 0)
    {
        if (left < 0 || top < 0 || width < 0 || height < 0 || left + width > planeWidth || top + height > planeHeight)
            throw new ArgumentException(
                $"Expected {width}x{height} pixels at ({left}, {top}) to fit into {planeWidth}x{planeHeight}.", nameof(planes));
        if (planes.Length != Channels * planeWidth * planeHeight)
            throw new ArgumentException($"Expected {Channels * planeWidth * planeHeight} floats; found {planes.Length}.", nameof(planes));
        for (var c = 0; c < Channels; c++)
        {
            var table = _table.AsSpan(c * Levels, Levels);
            var plane = planes.Slice(c * planeWidth * planeHeight, planeWidth * planeHeight);
            if (width < planeWidth || height < planeHeight)
                plane.Fill(table[0]);
            for (var y = 0; y < height; y++)
            {
                var row = source.Slice(y * sourceStride, width * Channels);
                var target = plane.Slice((top + y) * planeWidth + left, width);
                for (var x = 0; x < target.Length; x++)
                    target[x] = table[row[x * Channels + c]];
            }
        }
    }

    private static string InBytes(float[] values) =>
        string.Join(", ", values.Select(value => (255.0 * value).ToString("0.###", CultureInfo.InvariantCulture)));

    /// <summary>The normalised value of a channel's value in [0,1].</summary>
    internal float Normalise(int channel, float value) => (value - _mean[channel]) / _deviation[channel];
}
