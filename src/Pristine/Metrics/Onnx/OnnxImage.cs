using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Onnx;

/// <summary>Makes of an image what a network sees, as an <see cref="OnnxInput"/> says. Reuses its memory; not thread-safe.</summary>
internal sealed class OnnxImage : IDisposable
{
    private readonly OnnxInput _input;
    private readonly PillowResize _resize = new();
    private readonly ReusableBuffer _resized = new();

    /// <summary>The value of each level of red, green and blue.</summary>
    private readonly float[][] _levels;

    public OnnxImage(OnnxInput input)
    {
        _input = input;
        _levels = [.. Enumerable.Range(0, 3).Select(channel =>
            Enumerable.Range(0, 256).Select(level => (float)((level * input.Scale - input.Mean[channel]) / input.Std[channel])).ToArray())];
    }

    /// <summary>Whether the values of a channel stand together.</summary>
    public bool IsPlanar => _input.Layout == TensorLayout.Nchw;

    /// <summary>The size of what the network sees.</summary>
    public (int Width, int Height) Size(int width, int height) => (_input.Width ?? width, _input.Height ?? height);

    /// <summary>Writes the values.</summary>
    /// <param name="image">RGB.</param>
    /// <param name="output">3 x height x width values of <see cref="Size"/>, overwritten.</param>
    public void Write(in ImageView image, Span<float> output)
    {
        var (width, height) = Size(image.Width, image.Height);
        // Where the resized image lies in what the network sees, and which part of it that is.
        var (resizedWidth, resizedHeight, left, top) = Place(image.Width, image.Height, width, height);
        var window = new PixelWindow(Math.Max(0, -left), Math.Max(0, -top), Math.Min(width, resizedWidth), Math.Min(height, resizedHeight));
        var pixels = image.Rgb;
        if ((resizedWidth, resizedHeight, window.Width, window.Height) != (image.Width, image.Height, image.Width, image.Height))
        {
            var resized = _resized.Resize(3 * window.Width * window.Height);
            _resize.Resize(_input.Filter, image.Rgb, image.Width, image.Height, resizedWidth, resizedHeight, window, resized);
            pixels = resized;
        }
        (left, top) = (Math.Max(0, left), Math.Max(0, top));
        if (window.Width < width || window.Height < height)
            Fill(output, width * height);
        for (var y = 0; y < window.Height; y++)
            for (var x = 0; x < window.Width; x++)
                for (var channel = 0; channel < 3; channel++)
                {
                    var slot = _input.Channels == ChannelOrder.Rgb ? channel : 2 - channel;
                    var place = (top + y) * width + left + x;
                    output[IsPlanar ? slot * width * height + place : 3 * place + slot] =
                        _levels[channel][pixels[3 * (y * window.Width + x) + channel]];
                }
    }

    public void Dispose()
    {
        _resize.Dispose();
        _resized.Dispose();
    }

    private (int Width, int Height, int Left, int Top) Place(int imageWidth, int imageHeight, int width, int height)
    {
        switch (_input.Fit)
        {
            case ImageFit.Crop:
                // As torchvision: the longer side is cut to a whole number, the centre rounded to even.
                var shorter = _input.Size ?? Math.Max(width, height);
                var (resizedWidth, resizedHeight) = imageWidth <= imageHeight
                    ? (shorter, Math.Max(shorter, (int)((long)shorter * imageHeight / imageWidth)))
                    : (Math.Max(shorter, (int)((long)shorter * imageWidth / imageHeight)), shorter);
                return (resizedWidth, resizedHeight, -(int)Math.Round((resizedWidth - width) / 2.0), -(int)Math.Round(
                    (resizedHeight - height) / 2.0));
            case ImageFit.Pad:
                var scale = Math.Min((double)width / imageWidth, (double)height / imageHeight);
                var (paddedWidth, paddedHeight) = (Side(imageWidth * scale, width), Side(imageHeight * scale, height));
                return (paddedWidth, paddedHeight, (width - paddedWidth) / 2, (height - paddedHeight) / 2);
            default:
                return (width, height, 0, 0);
        }

        static int Side(double pixels, int most) => Math.Clamp((int)Math.Round(pixels), 1, most);
    }

    /// <summary>Black.</summary>
    private void Fill(Span<float> output, int pixels)
    {
        for (var channel = 0; channel < 3; channel++)
        {
            var slot = _input.Channels == ChannelOrder.Rgb ? channel : 2 - channel;
            if (IsPlanar)
                output.Slice(slot * pixels, pixels).Fill(_levels[channel][0]);
            else
                for (var i = 0; i < pixels; i++)
                    output[3 * i + slot] = _levels[channel][0];
        }
    }
}
