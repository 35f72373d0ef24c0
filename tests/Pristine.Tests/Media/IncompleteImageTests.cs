using System.Buffers.Binary;
using Pristine.Media;
using Pristine.Native;

namespace Pristine.Tests.Media;

/// <summary>A picture that was not decoded whole is never ok; an intact one always is.</summary>
public sealed class IncompleteImageTests : IDisposable
{
    private const ImageInput Both = ImageInput.Luma | ImageInput.Rgb;
    private const int Width = 300;
    private const int Height = 220;

    private readonly ImageDecoder _decoder = new();

    public void Dispose() => _decoder.Dispose();

    public static TheoryData<string, string> Savers => new()
    {
        { "jpegsave_buffer", "Q=90" },
        { "jpegsave_buffer", "Q=90,interlace=true" },
        { "pngsave_buffer", "" },
        { "pngsave_buffer", "interlace=true" },
        { "webpsave_buffer", "" },
        { "webpsave_buffer", "lossless=true" },
        { "gifsave_buffer", "" },
        { "gifsave_buffer", "interlace=true" },
        { "heifsave_buffer", "compression=av1,effort=1" },
        { "tiffsave_buffer", "compression=lzw" },
    };

    [Theory]
    [MemberData(nameof(Savers))]
    public void An_unfinished_download_whose_rest_is_zero_bytes_is_not_ok(string saver, string options)
    {
        var file = VipsEncoder.Encode(saver, options, TestImages.Photo(Width, Height), Width, Height, 3, "srgb");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        foreach (var share in new[] { 0.3, 0.5, 0.9 })
        {
            var unfinished = (byte[])file.Clone();
            unfinished.AsSpan((int)(share * file.Length)).Clear();
            ExpectIncomplete(unfinished, $"{saver} {options}, {share} of it there");
        }
    }

    /// <summary>Sizes that arithmetic of 32 bits wraps around, so that a reader stands still or goes back.</summary>
    [Theory]
    [InlineData(0xFFFFFFF0)]
    [InlineData(0xFFFFFFF4)]
    [InlineData(0xFFFFFFF8)]
    [InlineData(0xFFFFFFFF)]
    public void A_chunk_of_the_largest_size_ends_the_file(uint size)
    {
        byte[] file = [
            .. (byte[])[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10], (byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8),
            (byte)size, .. "IHDR"u8, .. new byte[8]];
        Assert.NotEqual(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        Assert.NotEqual(ImageStatus.Ok, _decoder.Decode(file, ImageInput.Header).Status);
    }

    /// <summary>A directory that speaks of thousands of millions of strips in a file of some hundred bytes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_tiff_that_promises_more_strips_than_it_can_hold_is_judged_at_once(bool isList)
    {
        var file = TestTiff.Make(new byte[12], 2, 2, (257, int.MaxValue), (278, 1));
        for (var entry = 10; entry + 12 <= file.Length; entry += 12)
            if (BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(entry)) is 273 or 279)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(entry + 4), uint.MaxValue);
                if (isList)
                    BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(entry + 8), (uint)file.Length - 8);
            }
        Assert.NotEqual(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        Assert.True(TiffStructure.TryRead(file, out var tiff));
        Assert.InRange(tiff.RowsThere, 0, 2);
    }

    [Fact]
    public void A_tiff_that_is_cut_off_in_its_pixels_is_truncated()
    {
        var rgb = TestImages.Photo(Width, Height);
        foreach (var (name, file) in new[] { ("raw", TestTiff.Make(rgb, Width, Height)), ("deflate", TestTiff.MakeDeflated(
            rgb, Width, Height)) })
        {
            Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
            Assert.Equal(rgb, _decoder.Image.Rgb);
            foreach (var share in new[] { 0.2, 0.5, 0.99 })
                ExpectIncomplete(file[..(int)(share * file.Length)], $"{name}, {share} of it there");
        }
    }

    [Theory]
    [InlineData("compression=lzw")]
    [InlineData("compression=jpeg")]
    [InlineData("compression=ccittfax4,bitdepth=1")]
    [InlineData("compression=packbits")]
    public void Damaged_data_in_a_tiff_are_unreadable(string options)
    {
        var bands = options.Contains("bitdepth", StringComparison.Ordinal) ? 1 : 3;
        var file = VipsEncoder.Encode(
            "tiffsave_buffer", options, TestImages.Photo(Width, Height, bands), Width, Height, bands, bands == 1 ? "b-w" : "srgb");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        var damaged = (byte[])file.Clone();
        damaged.AsSpan(file.Length / 3, 300).Clear();
        ExpectDamaged(damaged, options);
    }

    [Fact]
    public void A_jpeg_with_damage_between_restart_markers_is_unreadable()
    {
        var file = TestImages.Jpeg(Width, Height, "Q=90,restart_interval=4");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        ExpectDamaged([.. file[..(file.Length / 2)], .. file[(file.Length / 2 + 500)..]], "a hole");
    }

    [Fact]
    public void Bytes_that_a_jpeg_decoder_skips_do_no_harm()
    {
        var file = TestImages.Jpeg(Width, Height);
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        var expected = _decoder.Image.Rgb.ToArray();
        var quantisation = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDB]);
        // Padding behind the end is common, and so are long runs of zero bytes within a plain picture with codes made for it.
        var plain = VipsEncoder.Encode("jpegsave_buffer", "Q=90,optimize_coding=true", new byte[2000 * 600 * 3], 2000, 600, 3, "srgb");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(plain, Both).Status);
        byte[][] odd = [[.. file[..quantisation], 1, 2, 3, 4, .. file[quantisation..]], [.. file[..^2], 0, 0, 0, .. file[^2..]], [
            .. file, .. new byte[5000]]];
        Assert.All(odd, bytes =>
        {
            Assert.Equal(ImageStatus.Ok, _decoder.Decode(bytes, Both).Status);
            Assert.Equal(expected, _decoder.Image.Rgb);
        });
    }

    [Fact]
    public void Of_an_animation_only_the_first_frame_must_be_there()
    {
        var pixels = TestImages.Photo(64, 144);
        var file = VipsEncoder.Encode("gifsave_buffer", "", pixels, 64, 144, 3, "srgb", pageHeight: 48);
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        var expected = _decoder.Image.Rgb.ToArray();
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file.AsSpan(0, file.Length / 2), Both).Status);
        Assert.Equal(expected, _decoder.Image.Rgb);
        ExpectIncomplete(file[..(file.Length / 5)], "first frame");
    }

    [Theory]
    [InlineData("interlace=false")]
    [InlineData("interlace=true")]
    [InlineData("bitdepth=1")]
    [InlineData("bitdepth=3,interlace=true")]
    public void Opaque_gifs_have_the_pixels_of_libvips(string options)
    {
        foreach (var (width, height) in new[] { (1, 1), (3, 7), (64, 9), (301, 97), (5, 600) })
        {
            var file = VipsEncoder.Encode("gifsave_buffer", options, TestImages.Photo(width, height), width, height, 3, "srgb");
            Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
            Assert.Equal(ByLibvips(file, width, height), _decoder.Image.Rgb.ToArray());
        }
    }

    [Fact]
    public void Gifs_say_how_far_they_go()
    {
        var file = VipsEncoder.Encode("gifsave_buffer", "", TestImages.Photo(100, 80), 100, 80, 3, "srgb");
        var result = _decoder.Decode(file.AsSpan(0, file.Length / 2), Both);
        Assert.Matches(@"^the gif file is cut off: \d\d of its 80 rows are there, \d\d %$", result.Error);
        Assert.Equal(100, result.Header!.Value.Width);
        Assert.Contains("before its first picture", _decoder.Decode(file.AsSpan(0, 20), Both).Error!, StringComparison.Ordinal);
    }

    private static unsafe byte[] ByLibvips(byte[] file, int width, int height)
    {
        Vips.EnterShared();
        try
        {
            fixed (byte* bytes = file)
            {
                Assert.True(Vips.Image.TryLoad("gifload_buffer", Vips.FailOn.Error, (nint)bytes, file.Length, out var image));
                using (image)
                {
                    var (bands, samples) = (image.Bands, new byte[width * height * image.Bands]);
                    Assert.True(image.TryOpen(out var region));
                    using (region)
                        Assert.True(region.TryFetch(0, width, height, samples));
                    return [.. samples.Chunk(bands).SelectMany(pixel => bands < 3 ? [pixel[0], pixel[0], pixel[0]] : pixel[..3])];
                }
            }
        }
        finally
        {
            Vips.ExitShared();
        }
    }

    [Theory]
    [InlineData("jpeg", 128)]
    [InlineData("png", 0)]
    [InlineData("gif", null)]
    [InlineData("tiff", 0)]
    public void Of_a_file_that_is_cut_off_the_rows_that_are_there_can_be_kept(string format, int? missing)
    {
        var rgb = TestImages.Photo(Width, Height);
        // libvips writes the directory of a TIFF behind the pixels; here it stands before them.
        var file = format == "tiff"
            ? TestTiff.MakeInStrips(rgb, Width, Height)
            : VipsEncoder.Encode(format + "save_buffer", "", rgb, Width, Height, 3, "srgb");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
        var whole = _decoder.Image.Rgb.ToArray();
        var cut = file.AsSpan(0, file.Length / 2);

        var dropped = _decoder.Decode(cut, Both);
        Assert.Equal(ImageStatus.Truncated, dropped.Status);
        Assert.Throws<InvalidOperationException>(() => _decoder.Image.Width);

        using var keeping = new ImageDecoder(new ImagingOptions { KeepTruncated = true });
        var kept = keeping.Decode(cut, Both);
        Assert.Equal(dropped with { Status = ImageStatus.Partial }, kept);
        Assert.Equal((Width, Height), (keeping.Image.Width, keeping.Image.Height));
        var rows = (int)Math.Round(kept.RowShare!.Value * Height);
        Assert.InRange(rows, Height / 4, 3 * Height / 4);
        Assert.Equal(whole[..(rows * Width * 3)], keeping.Image.Rgb[..(rows * Width * 3)].ToArray());
        if (missing is { } level)
            Assert.All(keeping.Image.Rgb[^(3 * Width)..].ToArray(), value => Assert.Equal(level, value));
        Assert.Equal(ImageStatus.Ok, keeping.Decode(file, Both).Status);
    }

    [Fact]
    public void A_jpeg_that_lacks_only_its_end_marker_is_whole()
    {
        foreach (var options in new[] { "Q=90", "Q=90,interlace=true", "Q=90,subsample_mode=off" })
        {
            var file = TestImages.Jpeg(Width, Height, options);
            Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, Both).Status);
            var expected = _decoder.Image.Rgb.ToArray();
            Assert.Equal(ImageStatus.Ok, _decoder.Decode(file.AsSpan(0, file.Length - 2), Both).Status);
            Assert.Equal(expected, _decoder.Image.Rgb);
            Assert.Equal(ImageStatus.Truncated, _decoder.Decode(file.AsSpan(0, file.Length - 8), Both).Status);
        }
    }

    private void ExpectIncomplete(byte[] file, string what)
    {
        var result = _decoder.Decode(file, Both);
        Assert.True(result.Status is ImageStatus.Truncated or ImageStatus.Unreadable, $"{what}: {result}");
        Assert.Matches(
            result.Status == ImageStatus.Truncated
                ? "^the [a-z]+ file is cut off: [^\n]{5,}$"
                : "^the [a-z]+ file is cut off or damaged: [^\n]{5,}$", result.Error);
        Assert.DoesNotContain("no further reason", result.Error, StringComparison.Ordinal);
    }

    private void ExpectDamaged(byte[] file, string what)
    {
        var result = _decoder.Decode(file, Both);
        Assert.True(result.Status == ImageStatus.Unreadable, $"{what}: {result}");
        Assert.Matches("^the [a-z]+ file is cut off or damaged: [^\n]{5,}$", result.Error);
        Assert.DoesNotContain("no further reason", result.Error, StringComparison.Ordinal);
    }
}
