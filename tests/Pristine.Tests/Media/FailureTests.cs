using System.Runtime.InteropServices;
using System.Text;
using Pristine.Media;

namespace Pristine.Tests.Media;

/// <summary>Everything that is not an image ends as a status with a reason.</summary>
public partial class FailureTests : IDisposable
{
    private readonly ImageDecoder _decoder = new(new ImagingOptions { MaxPixels = 100_000_000 });
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose()
    {
        _decoder.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    public static TheoryData<string, byte[]> NoImages => new()
    {
        { "zero bytes", [] },
        { "a PDF document", [.. "%PDF-1.7\n"u8] },
        { "an HTML page", [.. "\n <!DOCTYPE html><html><body>404"u8] },
        { "a text file", [.. "{\"error\": \"größer\"}"u8] },
        { "a Git LFS pointer", [.. "version https://git-lfs.github.com/spec/v1\noid sha256:00"u8] },
        { "a video", [0, 0, 0, 16, .. "ftypisom"u8, 0, 0, 0, 0] },
        { "nothing but zero bytes", new byte[100] },
        { "no known kind", [1, 2, 3, 200, 201] },
    };

    public static TheoryData<string, byte[]> OtherImages => new()
    {
        { "a HEIC image", [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8] },
        { "a JPEG XL image", [0xFF, 0x0A, 1, 2, 3] },
        { "a JPEG XL image", [0, 0, 0, 12, .. "JXL \r\n"u8] },
        { "a JPEG 2000 image", [0, 0, 0, 12, .. "jP  \r\n"u8] },
        { "a BMP image", [.. "BM"u8, 1, 2, 3, 4] },
        { "an SVG drawing", [.. "<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>"u8] },
        { "a PNM image", [.. "P6\n2 2\n255\n"u8] },
        { "a Canon raw image", [.. "II*\0"u8, 16, 0, 0, 0, .. "CR\u0002\0"u8] },
    };

    [Theory]
    [MemberData(nameof(NoImages))]
    public void What_is_no_image_is_named(string kind, byte[] file) => ExpectNamed(kind, file, ImageStatus.Unreadable);

    [Theory]
    [MemberData(nameof(OtherImages))]
    public void Images_of_other_formats_are_named(string kind, byte[] file) => ExpectNamed(kind, file, ImageStatus.Unsupported);

    private void ExpectNamed(string kind, byte[] file, ImageStatus status)
    {
        var result = _decoder.Decode(file, ImageInput.Luma);
        Assert.Equal(status, result.Status);
        Assert.Contains(kind, result.Error!, StringComparison.Ordinal);
        Assert.Null(result.Header);
        Assert.Throws<InvalidOperationException>(() => _decoder.Image.Width);
    }

    [Theory]
    [InlineData("jpegsave_buffer", "")]
    [InlineData("jpegsave_buffer", "interlace=true")]
    [InlineData("pngsave_buffer", "")]
    [InlineData("pngsave_buffer", "interlace=true")]
    [InlineData("webpsave_buffer", "")]
    [InlineData("gifsave_buffer", "")]
    [InlineData("tiffsave_buffer", "compression=deflate")]
    [InlineData("heifsave_buffer", "compression=av1,effort=1")]
    public void A_file_that_is_cut_off_is_truncated(string saver, string options)
    {
        var file = VipsEncoder.Encode(saver, options, TestImages.Photo(160, 120), 160, 120, 3, "srgb");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, ImageInput.Luma).Status);
        foreach (var share in new[] { 0.1, 0.5, 0.9, 0.97 })
        {
            var result = _decoder.Decode(file.AsSpan(0, (int)(file.Length * share)), ImageInput.Luma);
            Assert.True(result.Status == ImageStatus.Truncated, $"{saver} {options} at {share}: {result}");
            Assert.Matches("^[^\n]+ is cut off: [^\n]{5,}$", result.Error);
        }
    }

    [Theory]
    [InlineData("jpegsave_buffer", "")]
    [InlineData("jpegsave_buffer", "interlace=true")]
    [InlineData("pngsave_buffer", "")]
    [InlineData("webpsave_buffer", "")]
    [InlineData("webpsave_buffer", "lossless=true")]
    [InlineData("gifsave_buffer", "")]
    [InlineData("tiffsave_buffer", "")]
    [InlineData("tiffsave_buffer", "compression=deflate")]
    [InlineData("heifsave_buffer", "compression=av1,effort=1")]
    public void Who_asks_for_the_header_alone_is_told_of_a_file_that_is_cut_off(string saver, string options)
    {
        var file = VipsEncoder.Encode(saver, options, TestImages.Photo(160, 120), 160, 120, 3, "srgb");
        Assert.Equal(ImageStatus.Ok, _decoder.Decode(file, ImageInput.Header).Status);
        // What stands behind a picture does no harm.
        byte[][] behind = [new byte[3], new byte[500], [.. "trailer"u8], file];
        Assert.All(behind, more => Assert.Equal(
            _decoder.Decode([.. file, .. more], ImageInput.Luma).Status, _decoder.Decode([.. file, .. more], ImageInput.Header).Status));
        for (var length = file.Length / 20; length < file.Length; length += Math.Max(1, file.Length / 40))
            ExpectSame(file[..length]);
        foreach (var missing in new[] { 1, 2, 3, 5, 8, 13 })
            ExpectSame(file[..^missing]);
        // An unfinished download.
        ExpectSame([.. file[..(file.Length / 2)], .. new byte[file.Length / 2]]);

        void ExpectSame(byte[] cut)
        {
            var (whole, header) = (_decoder.Decode(cut, ImageInput.Luma), _decoder.Decode(cut, ImageInput.Header));
            Assert.True(
                whole.Status == header.Status,
                $"{saver} {options}, {cut.Length} of {file.Length} bytes: {whole} but with the header alone {header}");
        }
    }

    [Fact]
    public void A_file_that_is_damaged_still_has_its_header()
    {
        var file = TestImages.Png(160, 120);
        file.AsSpan(file.Length / 2, 40).Clear();
        var result = _decoder.Decode(file, ImageInput.Luma);
        Assert.Equal(ImageStatus.Unreadable, result.Status);
        Assert.Equal(new ImageHeader(160, 120, "png", file.Length), result.Header);
    }

    [Fact]
    public void Random_bytes_behind_a_signature_never_throw()
    {
        var random = new Random(2);
        byte[][] signatures =
        [
            [0xFF, 0xD8, 0xFF], TestImages.PngHeader(9, 9)[..33], [.. "RIFF"u8, 99, 0, 0, 0, .. "WEBPVP8 "u8], [.. "GIF89a"u8],
            [.. "II*\0"u8],
            [0, 0, 0, 20, .. "ftypavif"u8],
        ];
        for (var round = 0; round < 300; round++)
        {
            var noise = new byte[random.Next(1, 400)];
            random.NextBytes(noise);
            var result = _decoder.Decode([.. signatures[round % signatures.Length], .. noise], ImageInput.Luma | ImageInput.Rgb);
            Assert.True(result.Status == ImageStatus.Ok || result.Error is { Length: > 10 }, result.ToString());
        }
    }

    [Fact]
    public void Too_many_pixels_are_refused_by_the_header()
    {
        var result = _decoder.Decode(TestImages.PngHeader(40_000, 40_000), ImageInput.Luma);
        Assert.Equal(ImageStatus.TooLarge, result.Status);
        Assert.Equal("40000x40000 is 1600000000 pixels; the limit is 100000000", result.Error);
        Assert.Equal((40_000, 40_000, "png"), (result.Header!.Value.Width, result.Header.Value.Height, result.Header.Value.Format));

        using var strict = new ImageDecoder(new ImagingOptions { MaxPixels = 199 });
        Assert.Equal(ImageStatus.TooLarge, strict.Decode(TestImages.Jpeg(20, 10), ImageInput.Header).Status);
        using var exact = new ImageDecoder(new ImagingOptions { MaxPixels = 200 });
        Assert.Equal(ImageStatus.Ok, exact.Decode(TestImages.Jpeg(20, 10), ImageInput.Luma).Status);
    }

    [Fact]
    public void A_file_beyond_the_limit_is_not_read()
    {
        using (var sparse = File.Create(_folder["huge.jpg"]))
            sparse.SetLength(3L << 30);
        var result = _decoder.Load(_folder["huge.jpg"], ImageInput.Luma);
        Assert.Equal((ImageStatus.Unreadable, "the file has 3221225472 bytes; at most 1073741824 are read"), (result.Status, result.Error));
        Assert.True(_decoder.FileBytes.IsEmpty);
        Assert.True(_decoder.KeptBytes < 1 << 20);
    }

    [Fact]
    public void Paths_without_a_file_are_missing()
    {
        Expect("nothing.jpg", ImageStatus.Missing, "no such file");
        Expect("no-folder/nothing.jpg", ImageStatus.Missing, "no such file");
        Assert.Equal((ImageStatus.Missing, "the path is empty"), Load(""));
        File.CreateSymbolicLink(_folder["dangling.jpg"], "gone.jpg");
        Expect("dangling.jpg", ImageStatus.Missing, "a link to");
        File.CreateSymbolicLink(_folder["loop.jpg"], "loop.jpg");
        Expect("loop.jpg", ImageStatus.Unreadable, "");
    }

    [Fact]
    public void Paths_to_something_else_are_unreadable()
    {
        Directory.CreateDirectory(_folder["x.jpg"]);
        Expect("x.jpg", ImageStatus.Unreadable, "is a directory");
        Expect("a\0b.jpg", ImageStatus.Unreadable, "NUL");
        Expect(new string('n', 300) + ".jpg", ImageStatus.Missing, "no such file", orElse: ImageStatus.Unreadable);
        File.WriteAllBytes(_folder["file"], [1]);
        Expect("file/inside.jpg", ImageStatus.Missing, "no such file", orElse: ImageStatus.Unreadable);
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(0, mkfifo(_folder["pipe.jpg"], 0x1B6));
        Expect("pipe.jpg", ImageStatus.Unreadable, "not a regular file");
        Assert.Equal(ImageStatus.Unreadable, Load("/dev/zero").Item1);
    }

    [Fact]
    public void A_file_without_read_permission_is_unreadable()
    {
        if (Environment.IsPrivilegedProcess)
            Assert.Skip("Needs an ordinary user: nothing is forbidden to root.");
        if (OperatingSystem.IsWindows())
            return;
        File.WriteAllBytes(_folder["secret.jpg"], TestImages.Jpeg(8, 8));
        File.SetUnixFileMode(_folder["secret.jpg"], UnixFileMode.None);
        Expect("secret.jpg", ImageStatus.Unreadable, "permission denied");
    }

    [Fact]
    public void Names_are_no_obstacle_unless_they_are_not_utf8()
    {
        var file = TestImages.Jpeg(8, 8);
        foreach (var name in new[] { "with space.jpg", "new\nline.jpg", "größe 图像 😀.jpg", "%41;'\"$(x).jpg", "-o.jpg", "image.txt" })
        {
            File.WriteAllBytes(_folder[name], file);
            Assert.Equal(ImageStatus.Ok, _decoder.Load(_folder[name], ImageInput.Luma).Status);
            Assert.Equal(file, _decoder.FileBytes);
        }
        if (OperatingSystem.IsLinux())
        {
            var raw = (byte[])[.. Encoding.UTF8.GetBytes(_folder["latin"]), 0xE9, .. ".jpg\0"u8];
            Assert.Equal(0, mkdir(raw, 0x1FF));
            var name = Directory.GetFileSystemEntries(_folder.Path).Single(entry => entry.Contains('\uFFFD', StringComparison.Ordinal));
            Assert.Equal((ImageStatus.Unreadable, "the file name is not valid UTF-8"), Load(name));
            // The temporary folder could not remove what .NET cannot name.
            Assert.Equal(0, rmdir(raw));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(ImagingOptions.MostPixels + 1, 1)]
    [InlineData(1, 0)]
    [InlineData(1, long.MaxValue)]
    public void Limits_out_of_range_are_refused(long pixels, long bytes) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageDecoder(new ImagingOptions { MaxPixels = pixels, MaxFileBytes = bytes }));

    private (ImageStatus, string?) Load(string path)
    {
        var result = _decoder.Load(path, ImageInput.Luma);
        return (result.Status, result.Error);
    }

    private void Expect(string name, ImageStatus status, string reason, ImageStatus? orElse = null)
    {
        var (found, error) = Load(System.IO.Path.Combine(_folder.Path, name));
        Assert.True(found == status || found == orElse, $"{name}: {found}, {error}");
        if (found == status)
            Assert.Contains(reason, error!, StringComparison.Ordinal);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc")]
    private static partial int mkdir(byte[] path, uint mode);

    [LibraryImport("libc")]
    private static partial int rmdir(byte[] path);
}
