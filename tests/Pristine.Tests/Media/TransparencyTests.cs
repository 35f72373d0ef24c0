using Pristine.Media;

namespace Pristine.Tests.Media;

/// <summary>
/// Alpha is dropped and not composited, in every format: a transparent pixel counts with the colour that is stored for it.
/// </summary>
public sealed class TransparencyTests : IDisposable
{
    private const int Width = 24;
    private const int Height = 16;
    private static readonly byte[] Stored = [200, 30, 90];

    private readonly ImageDecoder _decoder = new();

    public void Dispose() => _decoder.Dispose();

    [Theory]
    [InlineData("pngsave_buffer", "")]
    [InlineData("webpsave_buffer", "lossless=true,exact=true")]
    [InlineData("tiffsave_buffer", "compression=deflate")]
    public void Transparent_pixels_have_their_stored_colour(string saver, string options)
    {
        var rgba = Enumerable.Range(0, Width * Height).SelectMany(i => (byte[])[.. Stored, (byte)(i % 2 == 0 ? 0 : 255)]).ToArray();
        ExpectStored(VipsEncoder.Encode(saver, options, rgba, Width, Height, 4, "srgb"));
    }

    [Fact]
    public void A_transparent_entry_of_a_png_palette_is_a_colour_like_any_other()
    {
        var rgb = Enumerable.Repeat(Stored, Width * Height).SelectMany(pixel => pixel).ToArray();
        var png = VipsEncoder.Encode("pngsave_buffer", "palette=true,dither=0", rgb, Width, Height, 3, "srgb");
        // The transparency of the first entry must stand behind the palette.
        var behind = png.AsSpan().IndexOf("PLTE"u8);
        var length = png[behind - 1] + 256 * png[behind - 2];
        ExpectStored(TestImages.WithChunk(png, "tRNS", [0], behind + 8 + length));
    }

    [Fact]
    public void A_transparent_gif_pixel_and_one_that_the_frame_leaves_out_have_the_transparent_colour()
    {
        // Two colours, the second transparent; the frame covers the middle of the screen. Codes of 3 bits: clear, 1 1 1 ... , end.
        byte[] palette = [9, 9, 9, .. Stored];
        byte[] gif =
        [
            .. "GIF89a"u8, Width, 0, Height, 0, 0x80, 0, 0, .. palette, 0x21, 0xF9, 4, 1, 0, 0, 1, 0, 0x2C, 4, 0, 4, 0, 2, 0, 1, 0, 0, 2,
            // Clear (4), 1, 1, end (5): 100 001 001 101 from the lowest bit on.
            2, 0b01_001_100, 0b0000_1010, 0, (byte)';',
        ];
        ExpectStored(gif);
    }

    private void ExpectStored(byte[] file)
    {
        var result = _decoder.Decode(file, ImageInput.Rgb);
        Assert.True(result.Status == ImageStatus.Ok, result.ToString());
        Assert.Equal((Width, Height), (_decoder.Image.Width, _decoder.Image.Height));
        Assert.All(_decoder.Image.Rgb.ToArray().Chunk(3), pixel => Assert.Equal(Stored, pixel));
    }
}
