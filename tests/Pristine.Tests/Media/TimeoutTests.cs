using System.Diagnostics;
using Pristine.Media;

namespace Pristine.Tests.Media;

/// <summary>Decoding ends when its time is over, also inside a library, and the decoder goes on with the next image.</summary>
public class TimeoutTests
{
    private const ImageInput Both = ImageInput.Luma | ImageInput.Rgb;

    [Theory]
    [InlineData("jpegsave_buffer", "interlace=true", true)]
    [InlineData("jpegsave_buffer", "", true)]
    [InlineData("jpegsave_buffer", "", false)]
    [InlineData("pngsave_buffer", "", true)]
    [InlineData("gifsave_buffer", "effort=1", true)]
    public void Images_that_take_too_long_get_a_status_and_the_next_is_decoded(string saver, string options, bool turbo)
    {
        using var decoder = new ImageDecoder(new ImagingOptions { Timeout = TimeSpan.FromTicks(1), UseTurboJpeg = turbo });
        using var patient = new ImageDecoder();
        // One is decoded where it is asked for, one on a thread of its own.
        foreach (var (width, height) in new[] { (120, 90), (2500, 2000) })
        {
            var file = VipsEncoder.Encode(saver, options, TestImages.Photo(width, height), width, height, 3, "srgb");
            var result = decoder.Decode(file, Both);
            Assert.Equal((ImageStatus.Timeout, "not decoded within 0.0000001 seconds"), (result.Status, result.Error));
            Assert.Equal((width, height), (result.Header!.Value.Width, result.Header.Value.Height));
            Assert.Equal(file, decoder.FileBytes);
            Assert.Throws<InvalidOperationException>(() => decoder.Image.Width);
            Assert.Equal(ImageStatus.Ok, decoder.Decode(file, ImageInput.Header).Status);
            Assert.Equal(ImageStatus.Ok, patient.Decode(file, Both).Status);
            Assert.Equal((width, height), (patient.Image.Width, patient.Image.Height));
        }
    }

    [Fact]
    public void Large_images_have_the_same_pixels_on_their_own_thread()
    {
        var rgb = TestImages.Photo(2500, 2000);
        using var decoder = new ImageDecoder();
        foreach (var (saver, options) in new[] { ("pngsave_buffer", ""), ("tiffsave_buffer", ""),
            ("webpsave_buffer", "lossless=true,effort=0") })
        {
            Assert.Equal(ImageStatus.Ok, decoder.Decode(VipsEncoder.Encode(saver, options, rgb, 2500, 2000, 3, "srgb"), Both).Status);
            Assert.True(decoder.Image.Rgb.SequenceEqual(rgb), saver);
        }
        var cut = VipsEncoder.Encode("pngsave_buffer", "", rgb, 2500, 2000, 3, "srgb");
        Assert.Equal(ImageStatus.Truncated, decoder.Decode(cut.AsSpan(0, cut.Length / 2), Both).Status);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(10_000_000)]
    public void A_time_out_of_range_is_refused(double seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageDecoder(new ImagingOptions { Timeout = TimeSpan.FromSeconds(seconds) }));

    [Fact]
    public void The_time_of_a_narrow_image_grows_with_its_height_and_not_with_the_square_of_it()
    {
        const int rows = 50_000, factor = 8;
        // Between the factor and its square.
        const double mostGrowth = 30;
        using var decoder = new ImageDecoder();
        Assert.InRange(Time(factor * rows) / Time(rows), 0, mostGrowth);

        double Time(int height)
        {
            var file = VipsEncoder.Encode("pngsave_buffer", "", new byte[3 * height], 1, height, 3, "srgb");
            return Enumerable.Range(0, 5).Min(_ =>
            {
                var start = Stopwatch.GetTimestamp();
                Assert.Equal(ImageStatus.Ok, decoder.Decode(file, Both).Status);
                return Stopwatch.GetElapsedTime(start).TotalSeconds;
            });
        }
    }
}
