using Pristine.Kernels;

namespace Pristine.Metrics.Arniqa;

/// <summary>
/// The crops of ARNIQA's release: the centre and the four corners, of the image and of its half size. Only the parts of the half-size
/// image that lie in a crop are computed, so the cost does not grow with the image.
/// </summary>
internal sealed class ArniqaCrops(ArniqaMode mode) : IDisposable
{
    /// <summary>Crops per scale.</summary>
    public const int Count = 5;

    /// <summary>Pixels on a side.</summary>
    public const int Side = 224;

    /// <summary>Floats of one crop: three planes.</summary>
    public const int Length = 3 * Side * Side;

    private readonly PillowResize _resize = new();
    private readonly ReusableBuffer _window = new();
    private readonly ResampleFilter _filter = mode == ArniqaMode.Training ? ResampleFilter.Bicubic : ResampleFilter.Bilinear;

    /// <summary>Writes the crops of an image, normalised.</summary>
    /// <param name="rgb">Height x width x 3 bytes.</param>
    /// <param name="width">At least 2.</param>
    /// <param name="height">At least 2.</param>
    /// <param name="output">5 crops of three planes.</param>
    public static void WriteFull(ReadOnlySpan<byte> rgb, int width, int height, Span<float> output)
    {
        for (var crop = 0; crop < Count; crop++)
        {
            var planes = output.Slice(crop * Length, Length);
            var (left, top) = Corner(crop, width, height);
            var part = Inside(left, top, width, height);
            NormalisedPlanes.ImageNet.Write(
                rgb[(3 * (part.Top * width + part.Left))..], 3 * width, part.Width, part.Height, planes, Side, Side, part.Left - left,
                part.Top - top);
        }
    }

    /// <summary>Writes the crops of an image at half its size, normalised.</summary>
    /// <inheritdoc cref="WriteFull" path="/param"/>
    public void WriteHalf(ReadOnlySpan<byte> rgb, int width, int height, Span<float> output)
    {
        var (halfWidth, halfHeight) = (width / 2, height / 2);
        for (var crop = 0; crop < Count; crop++)
        {
            var planes = output.Slice(crop * Length, Length);
            var (left, top) = Corner(crop, halfWidth, halfHeight);
            var part = Inside(left, top, halfWidth, halfHeight);
            var window = _window.Resize(3 * part.Width * part.Height);
            _resize.Resize(_filter, rgb, width, height, halfWidth, halfHeight, part, window);
            NormalisedPlanes.ImageNet.Write(
                window, 3 * part.Width, part.Width, part.Height, planes, Side, Side, part.Left - left, part.Top - top);
        }
    }

    public void Dispose()
    {
        _resize.Dispose();
        _window.Dispose();
    }

    /// <summary>Centre, top left, bottom left, top right, bottom right; negative where the image is smaller than a crop.</summary>
    private static (int Left, int Top) Corner(int crop, int width, int height) => crop switch
    {
        0 => (width / 2 - Side / 2, height / 2 - Side / 2),
        1 => (0, 0),
        2 => (0, height - Side),
        3 => (width - Side, 0),
        _ => (width - Side, height - Side),
    };

    private static PixelWindow Inside(int left, int top, int width, int height)
    {
        var (x, y) = (Math.Max(left, 0), Math.Max(top, 0));
        return new(x, y, Math.Min(left + Side, width) - x, Math.Min(top + Side, height) - y);
    }
}
