using Pristine.Media;

namespace Pristine.Tests.Media;

public sealed class ThumbnailMakerTests
{
    [Theory]
    [InlineData("samples/photos/leaf.jpg", 120)]
    [InlineData("samples/photos/leaf.jpg", 10_000)]
    public void A_thumbnail_keeps_proportions_and_is_never_larger_than_the_image(string photo, int side)
    {
        var path = TestFiles.InRepository(photo.Split('/'));
        using var maker = new ThumbnailMaker(side, 80);
        using var decoder = new ImageDecoder();
        var original = maker.Make(new FileSource(path, path), out var bytes);
        Assert.Equal(ImageStatus.Ok, original.Status);
        var thumbnail = decoder.Decode(bytes, ImageInput.Rgb).Header!.Value;
        var (width, height) = (original.Header!.Value.Width, original.Header.Value.Height);
        var scale = Math.Min(1, (double)side / Math.Max(width, height));
        Assert.Equal("webp", thumbnail.Format);
        Assert.Equal(width * scale, thumbnail.Width, 1.0);
        Assert.Equal(height * scale, thumbnail.Height, 1.0);
    }

    [Fact]
    public void A_thumbnail_shows_the_pixels_upright()
    {
        // Left half red, right half blue; orientation 6 turns it clockwise: red above, blue below.
        const int width = 64, height = 32;
        var rgb = new byte[3 * width * height];
        for (var i = 0; i < width * height; i++)
            rgb[(3 * i) + (i % width < width / 2 ? 0 : 2)] = 255;
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(
            folder["turned.jpg"], VipsEncoder.Encode("jpegsave_buffer", "Q=95", rgb, width, height, 3, "srgb", orientation: 6));
        using var maker = new ThumbnailMaker(16, 95);
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, maker.Make(new FileSource("turned.jpg", folder["turned.jpg"]), out var bytes).Status);
        Assert.Equal(ImageStatus.Ok, decoder.Decode(bytes, ImageInput.Rgb).Status);
        var image = decoder.Image;
        Assert.Equal((8, 16), (image.Width, image.Height));
        var (top, bottom) = (image.Rgb[..3].ToArray(), image.Rgb[^3..].ToArray());
        Assert.True(top[0] > 180 && top[2] < 80, $"Expected red above; found {string.Join(", ", top)}.");
        Assert.True(bottom[2] > 180 && bottom[0] < 80, $"Expected blue below; found {string.Join(", ", bottom)}.");
    }

    [Fact]
    public void What_is_no_image_gives_a_reason_and_no_bytes()
    {
        using var maker = new ThumbnailMaker(64, 80);
        Assert.Equal(
            ImageStatus.Missing, maker.Make(new FileSource("a", TestFiles.InRepository("samples", "no such.jpg")), out var bytes).Status);
        Assert.Empty(bytes);
        Assert.Equal(ImageStatus.Truncated, maker.Make(
            new FileSource("a", TestFiles.InRepository("samples", "photos", "corrupt.jpg")), out bytes).Status);
        Assert.Empty(bytes);
    }
}
