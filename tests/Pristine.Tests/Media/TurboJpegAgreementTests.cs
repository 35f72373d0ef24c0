using Pristine.Media;

namespace Pristine.Tests.Media;

/// <summary>A machine with libjpeg-turbo and one without it must come to the same pixels and the same verdicts.</summary>
public class TurboJpegAgreementTests
{
    private const ImageInput Both = ImageInput.Luma | ImageInput.Rgb;

    public static MatrixTheoryData<Subsampling, bool> PlainKinds =>
        new([Subsampling.None444, Subsampling.Half422, Subsampling.Quarter420, Subsampling.Grey], [false, true]);

    [Theory]
    [MemberData(nameof(PlainKinds))]
    public void Plain_jpegs_of_every_size_are_decoded_by_turbo_to_the_same_pixels(Subsampling subsampling, bool progressive)
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        foreach (var width in new[] { 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 257 })
            foreach (var height in new[] { 1, 2, 5, 8, 16, 17, 33, 100 })
                pair.Agree(TurboEncoder.Encode(
                    TestImages.Photo(width, height), width, height, subsampling, progressive), $"{width}x{height}", turbo: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(100)]
    public void They_agree_at_every_quality(int quality)
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        foreach (var subsampling in new[] { Subsampling.None444, Subsampling.Half422, Subsampling.Quarter420 })
            pair.Agree(TurboEncoder.Encode(TestImages.Photo(131, 97), 131, 97, subsampling, false, quality), $"{subsampling}", turbo: true);
    }

    [Theory]
    [InlineData(Subsampling.Vertical440)]
    [InlineData(Subsampling.Quarter411)]
    public void Rare_subsampling_belongs_to_libvips(Subsampling subsampling)
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        pair.Agree(TurboEncoder.Encode(TestImages.Photo(67, 35), 67, 35, subsampling, false), $"{subsampling}", turbo: false);
    }

    [Fact]
    public void They_agree_on_all_orientations_and_odd_exif()
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        var jpeg = TurboEncoder.Encode(TestImages.Photo(67, 35), 67, 35, Subsampling.Quarter420, false);
        for (var orientation = 1; orientation <= 8; orientation++)
        {
            pair.Agree(TestImages.WithOrientation(jpeg, orientation), $"{orientation}", turbo: true);
            pair.Agree(TestImages.WithOrientation(jpeg, orientation, bigEndian: true), $"{orientation}, big-endian", turbo: true);
        }
        foreach (var orientation in new[] { 0, 9, 255 })
            pair.Agree(TestImages.WithOrientation(jpeg, orientation), $"{orientation}", turbo: false);
        pair.Agree(TestImages.WithOrientation(TestImages.WithOrientation(jpeg, 6), 3), "two EXIF segments", turbo: false);
        pair.Agree(TestImages.WithSegment(jpeg, 0xE1, [.. "Exif\0\0"u8, .. "garbage"u8]), "EXIF garbage", turbo: false);
        pair.Agree(TestImages.WithSegment(jpeg, 0xE1, [.. "http://ns.adobe.com/xap/1.0/\0<x/>"u8]), "XMP", turbo: true);
        pair.Agree(TestImages.WithSegment(jpeg, 0xE2, [.. "ICC_PROFILE\0\u0001\u0001 no profile"u8]), "broken ICC profile", turbo: true);
        pair.Agree(TestImages.WithSegment(jpeg, 0xED, [.. "Photoshop 3.0\0 8BIM junk"u8]), "broken IPTC", turbo: true);
        pair.Agree(TestImages.WithSegment(jpeg, 0xFE, [.. "a comment"u8]), "comment", turbo: true);
    }

    [Fact]
    public void Mutated_exif_gives_the_same_orientation()
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        var jpeg = TestImages.WithOrientation(TurboEncoder.Encode(TestImages.Photo(16, 8), 16, 8, Subsampling.Quarter420, false), 6);
        var random = new Random(5);
        for (var round = 0; round < 1500; round++)
        {
            var mutant = (byte[])jpeg.Clone();
            for (var hits = random.Next(1, 4); hits > 0; hits--)
                mutant[random.Next(4, 70)] = (byte)(random.Next(3) == 0 ? random.Next(256) : random.Next(9));
            pair.Agree(mutant, $"round {round}");
        }
    }

    [Theory]
    [Trait("kind", "long")]
    [MemberData(nameof(PlainKinds))]
    public void Mutated_jpegs_get_the_same_verdict_and_pixels(Subsampling subsampling, bool progressive)
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        var jpeg = TurboEncoder.Encode(TestImages.Photo(83, 61), 83, 61, subsampling, progressive, 60);
        var random = new Random(11);
        for (var round = 0; round < 400; round++)
            pair.Agree(Mutate(jpeg, random), $"round {round}");
        // The mutants are of use only if some are still read and some are not.
        Assert.InRange(pair.OkCount, 20, 380);
        Assert.InRange(pair.TurboCount, 5, 380);
    }

    [Fact]
    public void Cut_jpegs_get_the_same_verdict_at_every_length()
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        foreach (var progressive in new[] { false, true })
        {
            var jpeg = TurboEncoder.Encode(TestImages.Photo(24, 18), 24, 18, Subsampling.Quarter420, progressive);
            for (var length = 1; length <= jpeg.Length; length++)
                pair.Agree(jpeg[..length], $"{length} of {jpeg.Length}");
            pair.Agree([.. jpeg, .. jpeg], "two in a row", turbo: true);
            pair.Agree([.. jpeg, 0, 1, 2, 0xFF, 0xD9], "bytes behind the end", turbo: true);
        }
    }

    [Fact]
    public void A_progression_without_its_last_scans_belongs_to_libvips()
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        var jpeg = TurboEncoder.Encode(TestImages.Photo(64, 48), 64, 48, Subsampling.Quarter420, progressive: true);
        var scans = Enumerable.Range(0, jpeg.Length - 1).Where(at => jpeg[at] == 0xFF && jpeg[at + 1] == 0xDA).ToArray();
        Assert.InRange(scans.Length, 5, 20);
        // Cut at the table of Huffman codes or the scan, whichever begins the unit, and ended properly: no decoder complains of it.
        foreach (var scan in scans[1..])
            pair.Agree([.. jpeg[..scan], 0xFF, 0xD9], $"cut at {scan}", turbo: false);
        Assert.True(pair.OkCount > 0);
    }

    [Fact]
    public void Reference_jpegs_agree()
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        foreach (var file in Directory.GetFiles(TestFiles.Reference("images"), "*.jpg"))
            pair.Agree(File.ReadAllBytes(file), file, turbo: !file.Contains("cmyk", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0xC4)]
    [InlineData(0xDB)]
    public void Tables_of_the_image_before_are_not_used(byte marker)
    {
        TurboEncoder.SkipUnlessHere();
        using var pair = new Pair();
        var jpeg = TurboEncoder.Encode(TestImages.Photo(24, 18), 24, 18, Subsampling.Quarter420, false);
        var bare = jpeg.ToList();
        for (var at = 2; bare[at + 1] != 0xDA;)
        {
            var length = 2 + (bare[at + 2] << 8 | bare[at + 3]);
            if (bare[at + 1] == marker)
                bare.RemoveRange(at, length);
            else
                at += length;
        }
        Assert.True(bare.Count < jpeg.Length);
        pair.Agree(jpeg, "with tables", turbo: true);
        pair.Agree([.. bare], "without tables");
        pair.Agree(jpeg, "with tables again", turbo: true);
    }

    private static byte[] Mutate(byte[] jpeg, Random random)
    {
        var mutant = (byte[])jpeg.Clone();
        switch (random.Next(6))
        {
            case 0:
                return mutant[..random.Next(3, mutant.Length)];
            case 1:
                mutant.AsSpan(random.Next(3, mutant.Length - 40), random.Next(1, 40)).Clear();
                return mutant;
            case 2:
                var cut = random.Next(3, mutant.Length - 10);
                return [.. mutant[..cut], .. mutant[(cut + random.Next(1, 10))..]];
            case 3:
                mutant[random.Next(3, Math.Min(700, mutant.Length))] = (byte)random.Next(256);
                return mutant;
            case 4:
                mutant[random.Next(600, mutant.Length)] ^= (byte)(1 << random.Next(8));
                return mutant;
            default:
                for (var hits = random.Next(1, 8); hits > 0; hits--)
                    mutant[random.Next(3, mutant.Length)] = (byte)random.Next(256);
                return mutant;
        }
    }

    /// <summary>Two decoders that see every file: one with libjpeg-turbo, one without.</summary>
    private sealed class Pair : IDisposable
    {
        // Small, so that a mutated size does not cost gigabytes.
        private static readonly ImagingOptions Options = new() { MaxPixels = 2_000_000 };
        private readonly ImageDecoder _with = new(Options);
        private readonly ImageDecoder _without = new(Options with { UseTurboJpeg = false });

        public int OkCount { get; private set; }

        public int TurboCount { get; private set; }

        public void Agree(byte[] file, string what, bool? turbo = null)
        {
            foreach (var input in new[] { ImageInput.Header, ImageInput.Luma, Both })
            {
                var expected = _without.Decode(file, input);
                var found = _with.Decode(file, input);
                Assert.False(_without.UsedTurboJpeg);
                Assert.True(expected == found, $"{what}, {input}: {expected} without, {found} with turbo.");
                if (turbo is { } wanted)
                    Assert.True(
                        _with.UsedTurboJpeg == wanted && expected.Status == ImageStatus.Ok,
                        $"{what}, {input}: {expected}, turbo {_with.UsedTurboJpeg}.");
                if (expected.Status != ImageStatus.Ok)
                    continue;
                Assert.True(_without.Image.Luma.SequenceEqual(_with.Image.Luma), $"{what}: luma differs.");
                Assert.True(_without.Image.Rgb.SequenceEqual(_with.Image.Rgb), $"{what}: RGB differs.");
                if (input != Both)
                    continue;
                OkCount++;
                TurboCount += _with.UsedTurboJpeg ? 1 : 0;
            }
        }

        public void Dispose()
        {
            _with.Dispose();
            _without.Dispose();
        }
    }
}
