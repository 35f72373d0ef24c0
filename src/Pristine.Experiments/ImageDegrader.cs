using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Experiments;

/// <summary>
/// Applies degradations to images. Each follows its namesake in ARNIQA's degradation model, on 8-bit pixels instead of floats, with these
/// differences: <c>brighten</c> bends the RGB channels only, where ARNIQA mixes in a third of the same curve on CIELAB lightness;
/// <c>lens_blur</c> is the exact disc; <c>quantise</c> spreads its levels over black to white, ARNIQA over the image's own range.
/// One per worker; it keeps its memory.
/// </summary>
internal sealed class ImageDegrader : IDisposable
{
    private readonly RgbConvolution _convolution = new(Simd.Current);
    private readonly ReusableBuffer _pixels = new();
    private readonly ImageDecoder _decoder;

    public ImageDegrader(ImagingOptions? options = null) => _decoder = new ImageDecoder(options);

    /// <summary>
    /// Degrades an image and encodes it in its own format, as <see cref="ImageEncoder.Encode"/> does; <c>jpeg</c> of a JPEG is encoded
    /// once.
    /// </summary>
    /// <param name="image">An image with RGB pixels.</param>
    /// <param name="degradation">What to do.</param>
    /// <param name="random">Chance for noise.</param>
    /// <param name="file">The encoded bytes.</param>
    /// <returns>Null, or why the image cannot be encoded.</returns>
    public string? Degrade(in ImageView image, Degradation degradation, ref RandomStream random, out byte[] file)
    {
        var (width, height, format) = (image.Width, image.Height, image.Header.Format);
        if (degradation.Kind != DegradationKind.Jpeg)
            return ImageEncoder.Encode(Apply(image.Rgb, width, height, degradation, ref random), width, height, format, out file);
        var error = ImageEncoder.EncodeJpeg(image.Rgb, width, height, (int)degradation.Value, out file);
        if (error != null || format == "jpeg")
            return error;
        var decoded = _decoder.Decode(file, ImageInput.Rgb);
        return decoded.Error ?? ImageEncoder.Encode(_decoder.Image.Rgb, width, height, format, out file);
    }

    /// <summary>Degrades pixels; every kind but <see cref="DegradationKind.Jpeg"/>.</summary>
    /// <param name="rgb">Width x height x 3 bytes.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="degradation">What to do.</param>
    /// <param name="random">Chance for noise.</param>
    /// <returns>As many bytes; overwritten by the next call.</returns>
    public ReadOnlySpan<byte> Apply(ReadOnlySpan<byte> rgb, int width, int height, Degradation degradation, ref RandomStream random)
    {
        var target = _pixels.Resize(rgb.Length);
        var value = degradation.Value;
        switch (degradation.Kind)
        {
            case DegradationKind.GaussianBlur:
                _convolution.Apply(rgb, width, height, BlurMask.Gaussian(value), target);
                break;
            case DegradationKind.LensBlur:
                _convolution.Apply(rgb, width, height, BlurMask.Lens(value), target);
                break;
            case DegradationKind.MotionBlur:
                _convolution.Apply(rgb, width, height, BlurMask.Motion(value, degradation.Angle), target);
                break;
            case DegradationKind.WhiteNoise:
                PixelNoise.AddWhite(rgb, value, ref random, target);
                break;
            case DegradationKind.ImpulseNoise:
                PixelNoise.AddImpulses(rgb, value, ref random, target);
                break;
            case DegradationKind.MultiplicativeNoise:
                PixelNoise.Multiply(rgb, value, ref random, target);
                break;
            case DegradationKind.Brighten:
                Map(rgb, ToneCurve.Bend(value), target);
                break;
            case DegradationKind.Darken:
                Map(rgb, ToneCurve.Bend(-value), target);
                break;
            case DegradationKind.Contrast:
                Map(rgb, ToneCurve.Contrast(value), target);
                break;
            case DegradationKind.Saturation:
                Saturate(rgb, value, target);
                break;
            case DegradationKind.Pixelate:
                Resampling.Pixelate(rgb, width, height, 0.95 - Math.Pow(value, 0.6), target);
                break;
            case DegradationKind.Quantise:
                Map(rgb, ToneCurve.Quantise((int)value), target);
                break;
            case DegradationKind.Downscale:
                Resampling.Soften(rgb, width, height, value, target);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(degradation), degradation.Kind, "Expected a kind that works on pixels.");
        }
        return target;
    }

    public void Dispose()
    {
        _pixels.Dispose();
        _decoder.Dispose();
    }

    private static void Map(ReadOnlySpan<byte> samples, byte[] curve, Span<byte> target)
    {
        for (var i = 0; i < target.Length; i++)
            target[i] = curve[samples[i]];
    }

    /// <summary>
    /// Multiplies the saturation of HSV: hue and value V = max(R,G,B) stay, every channel c becomes V - factor (V - c), clipped.
    /// </summary>
    private static void Saturate(ReadOnlySpan<byte> rgb, double factor, Span<byte> target)
    {
        for (var i = 0; i < target.Length; i += 3)
        {
            var value = Math.Max(rgb[i], Math.Max(rgb[i + 1], rgb[i + 2]));
            for (var channel = i; channel < i + 3; channel++)
                target[channel] = (byte)(Math.Clamp(value - factor * (value - rgb[channel]), 0, 255) + 0.5);
        }
    }
}
