using System.IO.Hashing;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Native;

namespace Pristine.Tests.Media;

/// <summary>One decoder for many images, many decoders at once.</summary>
public class DecoderReuseTests
{
    private const ImageInput Both = ImageInput.Luma | ImageInput.Rgb;

    [Fact]
    public void Four_threads_come_to_the_same_results_and_messages_as_one()
    {
        byte[][] files =
        [
            TestImages.Jpeg(120, 80), TestImages.Jpeg(61, 200, "interlace=true"), TestImages.Png(90, 90), TestImages.Png(90, 90)[..3000],
            TestImages.WithOrientation(TestImages.Jpeg(40, 90), 6), TestImages.Jpeg(120, 80)[..2000], TestImages.PngHeader(50_000, 50_000),
            VipsEncoder.Encode("webpsave_buffer", "", TestImages.Photo(70, 50), 70, 50, 3, "srgb"),
            VipsEncoder.Encode("tiffsave_buffer", "", TestImages.Photo(70, 50), 70, 50, 3, "srgb")[..5000], [1, 2, 3],
        ];
        var expected = Run(0);
        Assert.Equal(3, expected.Count(result => result.Contains("cut off", StringComparison.Ordinal)));
        var found = new string[4][];
        var threads = Enumerable.Range(0, 4).Select(worker => new Thread(() => found[worker] = Run(worker))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.All(found, results => Assert.Equal(expected, results));

        string[] Run(int offset)
        {
            using var decoder = new ImageDecoder();
            var results = new string[files.Length];
            for (var round = 0; round < 20; round++)
                for (var i = 0; i < files.Length; i++)
                {
                    var which = (i + 3 * offset) % files.Length;
                    var result = decoder.Decode(files[which], Both);
                    var hash = result.Status == ImageStatus.Ok
                        ? XxHash3.HashToUInt64(decoder.Image.Rgb) ^ XxHash3.HashToUInt64(decoder.Image.Luma)
                        : 0;
                    results[which] = $"{result} {hash:x}";
                }
            return results;
        }
    }

    [Theory]
    [InlineData("jpegsave_buffer")]
    [InlineData("pngsave_buffer")]
    public void Decoding_allocates_next_to_nothing_after_the_first_images(string saver)
    {
        // Room for the runtime's own marshalling, far below the 36 KB of pixels.
        const long mostBytesPerImage = 1024;
        var file = VipsEncoder.Encode(saver, "", TestImages.Photo(120, 100), 120, 100, 3, "srgb");
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["image"], file);
        using var decoder = new ImageDecoder();
        Load(20);
        Assert.InRange(Allocations.Least(() => Load(1), mostBytesPerImage), 0, mostBytesPerImage);

        void Load(int times)
        {
            for (var i = 0; i < times; i++)
                Assert.Equal(ImageStatus.Ok, decoder.Load(folder["image"], Both).Status);
        }
    }

    [Fact]
    public void A_huge_image_does_not_hold_its_memory()
    {
        // 25 million pixels of one colour: 75 MB as RGB.
        var huge = VipsEncoder.Encode("pngsave_buffer", "", new byte[5000 * 5000 * 3], 5000, 5000, 3, "srgb");
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Decode(huge, Both).Status);
        Assert.True(decoder.KeptBytes > ReusableBuffer.KeptCapacity);
        Assert.Equal(ImageStatus.Ok, decoder.Decode(TestImages.Png(20, 10), Both).Status);
        Assert.True(decoder.KeptBytes <= ReusableBuffer.KeptCapacity, $"{decoder.KeptBytes} bytes are kept.");
    }

    [Fact]
    public void Nothing_is_left_of_the_image_before()
    {
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Decode(TestImages.Jpeg(20, 10), Both).Status);
        Assert.Equal(ImageStatus.Missing, decoder.Load("/no/such/file.jpg", Both).Status);
        Assert.True(decoder.FileBytes.IsEmpty);
        Assert.Throws<InvalidOperationException>(() => decoder.Image.Width);
        decoder.Dispose();
        decoder.Dispose();
        Assert.Throws<ObjectDisposedException>(() => decoder.Decode([], Both));
        Assert.Throws<ObjectDisposedException>(() => decoder.Image.Width);
    }

    [Fact]
    public void Provenance_names_libraries_and_policy()
    {
        Assert.Contains($"libvips {Vips.Version}", ImageDecoder.Description, StringComparison.Ordinal);
        Assert.Contains("high byte of 16 bits", ImageDecoder.Description, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", Vips.Version);
        Assert.Matches(@"^\d+\.\d+\.\d+", OnnxRuntime.Version);
        Assert.Matches(@"^v\d+\.\d+\.\d+", DuckDb.Version);
        Assert.Equal(TurboJpeg.IsAvailable, TurboJpeg.Version is "2.x" or "3.x");
    }
}
