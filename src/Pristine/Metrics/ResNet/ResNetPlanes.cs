using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Makes the planes that <c>resnet50</c>'s network sees: an image at one of its <see cref="ResNetFeatures.Sizes"/>, shrunk by Pillow's
/// antialiased bicubic filter, normalised by <see cref="NormalisedPlanes.ImageNetMean"/>. Reuses its memory; not thread-safe.
/// </summary>
internal sealed class ResNetPlanes : IDisposable
{
    private readonly PillowResize _resize = new();
    private readonly ReusableBuffer _resized = new();

    /// <summary>Writes the planes of an image.</summary>
    /// <param name="image">RGB.</param>
    /// <param name="width">Columns of a plane.</param>
    /// <param name="height">Rows of a plane.</param>
    /// <param name="planes">Three planes of height x width, overwritten: R - 123.68, G - 116.779, B - 103.939.</param>
    public void Write(in ImageView image, int width, int height, Span<float> planes)
    {
        var pixels = image.Rgb;
        if (width != image.Width || height != image.Height)
        {
            var resized = _resized.Resize(3 * width * height);
            _resize.Resize(ResampleFilter.Bicubic, image.Rgb, image.Width, image.Height, width, height, new(0, 0, width, height), resized);
            pixels = resized;
        }
        NormalisedPlanes.ImageNetMean.Write(pixels, 3 * width, width, height, planes, width, height);
    }

    public void Dispose()
    {
        _resize.Dispose();
        _resized.Dispose();
    }
}
