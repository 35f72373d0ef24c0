using Pristine.Media;

namespace Pristine.Tests.Media;

public class ImageEncoderTests
{
    [Theory]
    [InlineData("png", 0)]
    [InlineData("webp", 0)]
    [InlineData("tiff", 0)]
    // The loss of quality 95 on noisy pixels; AVIF also goes through 8-bit chroma.
    [InlineData("jpeg", 6)]
    [InlineData("avif", 6)]
    // 256 colours.
    [InlineData("gif", 20)]
    public void What_is_encoded_is_decoded_as_the_same_format_and_pixels(string format, double meanError)
    {
        var rgb = TestImages.Photo(61, 43);
        Assert.Null(ImageEncoder.Encode(rgb, 61, 43, format, out var file));
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Decode(file, ImageInput.Rgb).Status);
        Assert.Equal((61, 43, format), (decoder.Image.Width, decoder.Image.Height, decoder.Image.Header.Format));
        Assert.InRange(MeanError(rgb, decoder.Image.Rgb), 0, meanError);
    }

    [Fact]
    public void Jpeg_quality_decides_the_size_and_the_error()
    {
        var rgb = TestImages.Photo(256, 256);
        Assert.Null(ImageEncoder.EncodeJpeg(rgb, 256, 256, 4, out var coarse));
        Assert.Null(ImageEncoder.EncodeJpeg(rgb, 256, 256, 43, out var fine));
        Assert.True(coarse.Length < fine.Length / 2, $"{coarse.Length} and {fine.Length} bytes");
    }

    [Fact]
    public void An_image_beyond_the_formats_limits_is_refused_with_the_librarys_reason()
    {
        // WebP ends at 16383 pixels.
        var error = ImageEncoder.Encode(new byte[3 * 16_400], 16_400, 1, "webp", out var file);
        Assert.Contains("webp", error, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(file);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageEncoder.Encode(new byte[3], 1, 1, "bmp", out _));
        Assert.Throws<ArgumentException>(() => ImageEncoder.Encode(new byte[4], 1, 1, "png", out _));
    }

    private static double MeanError(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        double sum = 0;
        for (var i = 0; i < one.Length; i++)
            sum += Math.Abs(one[i] - other[i]);
        return sum / one.Length;
    }
}
