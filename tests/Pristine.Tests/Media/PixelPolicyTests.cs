using System.Text.Json;
using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Tests.Media;

public class PixelPolicyTests : IDisposable
{
    private const ImageInput Both = ImageInput.Luma | ImageInput.Rgb;
    private readonly ImageDecoder _decoder = new();

    public void Dispose()
    {
        _decoder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("png", "pngsave_buffer", "")]
    [InlineData("png", "pngsave_buffer", "interlace=true")]
    [InlineData("webp", "webpsave_buffer", "lossless=true")]
    [InlineData("tiff", "tiffsave_buffer", "compression=deflate,predictor=horizontal")]
    [InlineData("tiff", "tiffsave_buffer", "compression=lzw,tile=true,tile-width=16,tile-height=16")]
    [InlineData("tiff", "tiffsave_buffer", "bigtiff=true")]
    public void Lossless_colour_comes_back_as_it_was(string format, string saver, string options)
    {
        var rgb = TestImages.Photo(67, 45);
        var file = VipsEncoder.Encode(saver, options, rgb, 67, 45, 3, "srgb");
        Assert.Equal(new DecodeResult(ImageStatus.Ok, null, new ImageHeader(67, 45, format, file.Length)), _decoder.Decode(file, Both));
        Assert.Equal(rgb, _decoder.Image.Rgb);
        Assert.Equal(LumaOf(rgb), _decoder.Image.Luma);
    }

    [Theory]
    [InlineData("pngsave_buffer", "")]
    [InlineData("webpsave_buffer", "lossless=true,exact=true")]
    [InlineData("tiffsave_buffer", "")]
    public void Alpha_is_dropped_not_composited(string saver, string options)
    {
        var rgba = TestImages.Photo(40, 30, 4);
        ExpectOk(VipsEncoder.Encode(saver, options, rgba, 40, 30, 4, "srgb"));
        Assert.Equal(rgba.Chunk(4).SelectMany(pixel => pixel[..3]), _decoder.Image.Rgb.ToArray());
    }

    [Theory]
    [InlineData("pngsave_buffer", 1, "grey16")]
    [InlineData("pngsave_buffer", 2, "grey16")]
    [InlineData("pngsave_buffer", 3, "rgb16")]
    [InlineData("pngsave_buffer", 4, "rgb16")]
    [InlineData("tiffsave_buffer", 1, "grey16")]
    [InlineData("tiffsave_buffer", 3, "rgb16")]
    [InlineData("tiffsave_buffer", 4, "rgb16")]
    public void Of_16_bits_the_high_byte_is_taken(string saver, int bands, string interpretation)
    {
        var samples = TestImages.Photo16(33, 21, bands);
        ExpectOk(VipsEncoder.Encode(saver, "", samples, 33, 21, bands, interpretation));
        var expected = samples.Chunk(bands).SelectMany(p => bands < 3 ? [p[0], p[0], p[0]] : p[..3]).Select(v => (byte)(v >> 8));
        Assert.Equal(expected, _decoder.Image.Rgb.ToArray());
    }

    [Theory]
    [InlineData(1, "pngsave_buffer", "")]
    [InlineData(2, "pngsave_buffer", "")]
    [InlineData(1, "tiffsave_buffer", "")]
    public void Grey_is_spread_to_rgb_and_is_its_own_luma(int bands, string saver, string options)
    {
        var samples = TestImages.Photo(31, 17, bands);
        ExpectOk(VipsEncoder.Encode(saver, options, samples, 31, 17, bands, "b-w"));
        var grey = samples.Chunk(bands).Select(pixel => pixel[0]).ToArray();
        Assert.Equal(grey, _decoder.Image.Luma);
        Assert.Equal(grey.SelectMany(level => new[] { level, level, level }), _decoder.Image.Rgb.ToArray());
    }

    [Theory]
    [InlineData("pngsave_buffer", "bitdepth=1")]
    [InlineData("tiffsave_buffer", "bitdepth=1")]
    public void One_bit_is_black_and_white(string saver, string options)
    {
        var samples = TestImages.Photo(35, 9, 1).Select(level => (byte)(level < 128 ? 0 : 255)).ToArray();
        ExpectOk(VipsEncoder.Encode(saver, options, samples, 35, 9, 1, "b-w"));
        Assert.Equal(samples, _decoder.Image.Luma);
    }

    [Fact]
    public void A_palette_is_resolved()
    {
        // Four colours that a palette holds exactly.
        byte[][] colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];
        var random = new Random(3);
        var rgb = Enumerable.Range(0, 40 * 20).SelectMany(_ => colours[random.Next(4)]).ToArray();
        ExpectOk(VipsEncoder.Encode("pngsave_buffer", "palette=true,dither=0", rgb, 40, 20, 3, "srgb"));
        Assert.Equal(rgb, _decoder.Image.Rgb);
        ExpectOk(VipsEncoder.Encode("gifsave_buffer", "dither=0", rgb, 40, 20, 3, "srgb"));
        Assert.Equal(rgb, _decoder.Image.Rgb);
    }

    [Theory]
    [InlineData("gifsave_buffer", "")]
    [InlineData("webpsave_buffer", "lossless=true")]
    public void The_first_frame_of_an_animation_is_taken(string saver, string options)
    {
        byte[] red = [.. Enumerable.Repeat<byte[]>([255, 0, 0], 32 * 24).SelectMany(p => p)];
        byte[] blue = [.. Enumerable.Repeat<byte[]>([0, 0, 255], 32 * 24).SelectMany(p => p)];
        ExpectOk(VipsEncoder.Encode(saver, options, [.. red, .. blue, .. blue], 32, 72, 3, "srgb", pageHeight: 24));
        Assert.Equal((32, 24), (_decoder.Image.Width, _decoder.Image.Height));
        Assert.Equal(red, _decoder.Image.Rgb);
    }

    [Fact]
    public void Cmyk_becomes_RGB_by_the_plain_formula()
    {
        // Ramps of cyan and of black: by hand, full cyan leaves no red, and black takes the same share of every channel.
        var samples = Enumerable.Range(0, 32 * 16).SelectMany(i => new byte[] { (byte)(i / 32 * 17), 0, 0, (byte)(i % 32 * 8) }).ToArray();
        // A lossless file, so that the ink is exactly what was written.
        ExpectOk(VipsEncoder.Encode("tiffsave_buffer", "compression=deflate", samples, 32, 16, 4, "cmyk"));
        Assert.False(_decoder.UsedTurboJpeg);
        var rgb = _decoder.Image.Rgb;
        for (var i = 0; i < 32 * 16; i++)
        {
            var (cyan, paper) = (i / 32 * 17 / 255.0, 255 - i % 32 * 8);
            Assert.InRange(rgb[3 * i], paper * (1 - cyan) - 0.51, paper * (1 - cyan) + 0.51);
            Assert.Equal((paper, paper), (rgb[3 * i + 1], rgb[3 * i + 2]));
        }
    }

    [Fact]
    public void A_cmyk_jpeg_keeps_paper_light_and_ink_dark()
    {
        // Adobe's CMYK JPEGs store ink inverted; a decoder that forgets it turns the picture into its negative.
        var samples = Enumerable.Range(0, 32 * 16).SelectMany(i => new byte[] { 0, 0, 0, (byte)(i % 32 * 8) }).ToArray();
        ExpectOk(VipsEncoder.Encode("jpegsave_buffer", "Q=100", samples, 32, 16, 4, "cmyk"));
        Assert.False(_decoder.UsedTurboJpeg);
        for (var x = 0; x < 32; x++)
            Assert.InRange(_decoder.Image.Luma[x], 255 - x * 8 - 3, 255 - x * 8 + 3);
    }

    [Fact]
    public void Avif_is_decoded()
    {
        var rgb = TestImages.Photo(64, 48);
        var file = VipsEncoder.Encode("heifsave_buffer", "compression=av1,Q=95,effort=1", rgb, 64, 48, 3, "srgb");
        ExpectOk(file);
        Assert.Equal(new ImageHeader(64, 48, "avif", file.Length), _decoder.Image.Header);
        var image = _decoder.Image.Rgb.ToArray();
        Assert.InRange(rgb.Zip(image, (a, b) => Math.Abs(a - b)).Average(), 0, 8);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Exif_orientation_is_applied_to_every_format_that_has_it(int orientation)
    {
        const int width = 70, height = 41;
        var rgb = TestImages.Photo(width, height);
        var upright = Upright(rgb, width, height, orientation);
        var png = TestImages.WithChunk(
            VipsEncoder.Encode("pngsave_buffer", "", rgb, width, height, 3, "srgb"), "eXIf",
            TestImages.OrientationTiff(orientation, bigEndian: true));
        Expect(png);
        Expect(VipsEncoder.Encode("tiffsave_buffer", "", rgb, width, height, 3, "srgb", orientation: orientation));
        Expect(VipsEncoder.Encode("webpsave_buffer", "lossless=true", rgb, width, height, 3, "srgb", orientation: orientation));

        var jpeg = TestImages.Jpeg(width, height);
        ExpectOk(jpeg);
        upright = Upright(_decoder.Image.Rgb.ToArray(), width, height, orientation);
        Expect(TestImages.WithOrientation(jpeg, orientation));
        Expect(TestImages.WithOrientation(jpeg, orientation, bigEndian: true));

        void Expect(byte[] file)
        {
            ExpectOk(file);
            Assert.Equal(orientation >= 5 ? (height, width) : (width, height), (_decoder.Image.Width, _decoder.Image.Height));
            Assert.Equal(upright, _decoder.Image.Rgb);
            Assert.Equal(LumaOf(upright), _decoder.Image.Luma);
            Assert.Equal(_decoder.Image.Header, _decoder.Decode(file, ImageInput.Header).Header);
        }
    }

    [Fact]
    public void Only_the_planes_that_were_asked_for_are_there()
    {
        var file = TestImages.Jpeg(20, 10);
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, ImageInput.Luma).Status);
        Assert.Equal((0, 200), (_decoder.Image.Rgb.Length, _decoder.Image.Luma.Length));
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, ImageInput.Rgb).Status);
        Assert.Equal((600, 0), (_decoder.Image.Rgb.Length, _decoder.Image.Luma.Length));
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, ImageInput.Header).Status);
        Assert.Equal((0, 0), (_decoder.Image.Rgb.Length, _decoder.Image.Luma.Length));
        Assert.Equal((20, 10), (_decoder.Image.Width, _decoder.Image.Height));
    }

    [Fact]
    public void Samples_of_other_types_are_refused_with_what_they_are()
    {
        var file = VipsEncoder.Encode("tiffsave_buffer", "", new float[20 * 10], 20, 10, 1, "b-w");
        var result = _decoder.Decode(file, Both);
        Assert.Equal(ImageStatus.Unsupported, result.Status);
        Assert.Contains("samples of 32 bits", result.Error!, StringComparison.Ordinal);
        Assert.Equal(20, result.Header!.Value.Width);
    }

    [Fact]
    public void Reference_images_have_the_pixels_that_the_policy_promises()
    {
        var folder = TestFiles.Reference("images");
        var notes = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "NOTES.json"))).RootElement;
        foreach (var name in notes.EnumerateObject().Select(note => note.Name))
        {
            var result = _decoder.Load(Path.Combine(folder, name), Both);
            var expected = name.EndsWith(".bmp", StringComparison.Ordinal) ? ImageStatus.Unsupported : ImageStatus.Ok;
            Assert.True(result.Status == expected, $"{name}: {result}");
        }
        Assert.Equal((512, 384), Size("51_exif6.jpg"));
        Assert.Equal((511, 383), Size("15_face_511x383.png"));

        // The GIF has a palette, the WebP is lossless; both begin with the same photograph.
        Assert.Equal((256, 192), Size("49_anim.gif"));
        Assert.Equal((256, 192), Size("50_anim.webp"));
        AssertNear(255, Rgb("50_anim.webp"), Rgb("49_anim.gif"), average: 12);

        // 41 to 48 and 51 were made from 04: the lossless ones differ only as the policy says.
        var face = Rgb("04_face.png");
        Assert.Equal(face, Rgb("43_rgba.png"));
        AssertNear(1, face, Rgb("42_rgb16.png"));
        AssertNear(1, LumaOf(face), LumaOf(Rgb("41_gray16.png")));
        AssertNear(12, face, Rgb("51_exif6.jpg"), average: 3);
        AssertNear(16, face, Rgb("45_cmyk.jpg"), average: 3);
        Assert.All(Rgb("48_bilevel.png"), level => Assert.True(level is 0 or 255));

        byte[] Rgb(string name)
        {
            Assert.Equal(ImageStatus.Ok, _decoder.Load(Path.Combine(folder, name), Both).Status);
            return _decoder.Image.Rgb.ToArray();
        }

        (int, int) Size(string name)
        {
            Assert.Equal(ImageStatus.Ok, _decoder.Load(Path.Combine(folder, name), ImageInput.Header).Status);
            return (_decoder.Image.Width, _decoder.Image.Height);
        }
    }

    private static void AssertNear(int largest, byte[] expected, byte[] found, double average = 1)
    {
        Assert.Equal(expected.Length, found.Length);
        var differences = expected.Zip(found, (a, b) => Math.Abs(a - b)).ToArray();
        Assert.InRange(differences.Average(), 0, average);
        Assert.True(largest >= 12 || differences.Max() <= largest, $"Expected at most {largest}; found {differences.Max()}.");
    }

    private void ExpectOk(byte[] file)
    {
        var result = _decoder.Decode(file, Both);
        Assert.True(result.Status == ImageStatus.Ok, result.Error);
    }

    private static byte[] LumaOf(byte[] rgb)
    {
        var luma = new byte[rgb.Length / 3];
        Luma.FromRgb(rgb, luma, SimdPath.Scalar);
        return luma;
    }

    // From the wording of the EXIF standard: which stored row and column the upright pixel (x, y) comes from.
    private static byte[] Upright(byte[] stored, int width, int height, int orientation)
    {
        var (columns, rows) = orientation >= 5 ? (height, width) : (width, height);
        var upright = new byte[stored.Length];
        for (var y = 0; y < rows; y++)
            for (var x = 0; x < columns; x++)
            {
                var (column, row) = orientation switch
                {
                    1 => (x, y),
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    _ => (width - 1 - y, x),
                };
                for (var c = 0; c < 3; c++)
                    upright[3 * (y * columns + x) + c] = stored[3 * (row * width + column) + c];
            }
        return upright;
    }
}
