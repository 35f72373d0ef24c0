using Pristine.Media;

namespace Pristine.Tests.Media;

/// <summary>An intact picture of a kind that is not decoded is not called damaged: the reason says what it is.</summary>
public sealed class UnsupportedKindTests : IDisposable
{
    private const ImageInput Both = ImageInput.Luma | ImageInput.Rgb;

    private readonly ImageDecoder _decoder = new();

    public void Dispose() => _decoder.Dispose();

    [Theory]
    [InlineData(TestTiff.Compression, 34925, "compressed with LZMA")]
    [InlineData(TestTiff.Compression, 50000, "compressed with Zstandard")]
    [InlineData(TestTiff.Compression, 6, "compressed with old-style JPEG")]
    [InlineData(TestTiff.Compression, 34712, "compressed with JPEG 2000")]
    [InlineData(TestTiff.Compression, 60000, "compressed with code 60000")]
    [InlineData(TestTiff.Bits, 12, "samples of 12 bits")]
    [InlineData(TestTiff.Bits, 32, "samples of 32 bits")]
    [InlineData(TestTiff.SampleFormat, 2, "samples with a sign")]
    [InlineData(TestTiff.SampleFormat, 3, "floating-point samples")]
    [InlineData(TestTiff.Photometric, 8, "CIELab")]
    [InlineData(TestTiff.Photometric, 32803, "raw picture of a camera's sensor")]
    public void Tiffs_of_other_kinds_are_named(ushort tag, int value, string reason) =>
        Expect(TestTiff.Make(
            TestImages.Photo(40, 30), 40, 30, (tag, value)), $"this kind of tiff file is not decoded: it", reason, (40, 30));

    [Fact]
    public void A_tiff_with_tiles_and_planes_is_named() => Expect(
        TestTiff.Make(TestImages.Photo(32, 32), 32, 32, (TestTiff.Planar, 2), (TestTiff.TileWidth, 32)),
        "this kind of tiff file is not decoded: ", "it has tiles and a plane for each channel", (32, 32));

    [Theory]
    [InlineData(0xC0, 12, "its samples have 12 bits")]
    [InlineData(0xC3, 8, "it is lossless JPEG")]
    [InlineData(0xC5, 8, "it is hierarchical JPEG")]
    public void Jpegs_of_other_kinds_are_named(byte frame, byte bits, string reason)
    {
        var file = TestImages.Jpeg(40, 30);
        var at = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        (file[at + 1], file[at + 4]) = (frame, bits);
        Expect(file, "this kind of jpeg file is not decoded: ", reason, null);
    }

    [Fact]
    public void An_avif_that_is_only_an_animation_is_named()
    {
        byte[] file = [
            0, 0, 0, 24, .. "ftypavis"u8, 0, 0, 0, 0, .. "avisavif"u8, 0, 0, 0, 16, .. "moov"u8, .. new byte[8], 0, 0, 0, 12, .. "mdat"u8,
            1, 2, 3, 4];
        Expect(file, "this kind of avif file is not decoded: ", "it is an animation without a still picture", null);
    }

    [Theory]
    [InlineData("IHDR", 16, "CRC error")]
    [InlineData("IDAT", 40, "CRC error")]
    [InlineData("size", 19, "width is zero")]
    [InlineData("depth", 24, "Invalid bit depth")]
    public void Pngs_say_what_is_wrong(string what, int at, string reason)
    {
        var file = TestImages.Png(40, 30);
        if (what is "IHDR")
            file[29] ^= 1;
        else if (what is "IDAT")
            file[^13] ^= 1;
        else
            file = TestImages.WithHeader(file, at, what == "size" ? (byte)0 : (byte)3);
        var result = _decoder.Decode(file, Both);
        Assert.Equal(ImageStatus.Unreadable, result.Status);
        Assert.Contains(reason, result.Error!, StringComparison.Ordinal);
    }

    private void Expect(byte[] file, string start, string reason, (int Width, int Height)? size)
    {
        var result = _decoder.Decode(file, Both);
        Assert.Equal(ImageStatus.Unsupported, result.Status);
        Assert.StartsWith(start, result.Error!, StringComparison.Ordinal);
        Assert.Contains(reason, result.Error!, StringComparison.Ordinal);
        if (size is { } known)
            Assert.Equal(known, (result.Header!.Value.Width, result.Header.Value.Height));
    }
}
