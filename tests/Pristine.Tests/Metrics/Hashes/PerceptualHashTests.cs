using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Hashes;
using Pristine.Scoring;
using Pristine.Tables;
using Pristine.Tests.Media;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.Hashes;

public sealed class PerceptualHashTests
{
    private static readonly Metric Phash = MetricSet.BuiltIn.Get("phash");

    [Theory]
    [InlineData(1, 97)]
    [InlineData(20, 20)]
    [InlineData(33, 500)]
    [InlineData(160, 120)]
    [InlineData(301, 207)]
    public void The_bits_are_those_of_the_definition(int width, int height)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            var luma = TestImages.Photo(width, height, 1, seed);
            var coefficients = PerceptualHashReference.Coefficients(PerceptualHashReference.Averages(luma, width, height));
            var hash = Hash(luma, width, height);
            // Of a plane one pixel wide every coefficient is zero but for rounding: no bit is set.
            var expected = width == 1 ? new string('0', 64) : PerceptualHashReference.Bits(coefficients);
            Assert.Equal(expected, hash!.Value.ToString("b64", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void An_image_without_content_has_no_hash()
    {
        Assert.Null(Hash(new byte[64 * 48], 64, 48));
        Assert.Null(Hash([.. Enumerable.Repeat((byte)200, 64 * 48)], 64, 48));
        // Noise that disappears in the averages is no content.
        var random = new Random(3);
        Assert.Null(Hash([.. Enumerable.Range(0, 1024 * 1024).Select(_ => (byte)(128 + random.Next(-8, 9)))], 1024, 1024));
        Assert.NotNull(Hash([.. Enumerable.Range(0, 64 * 48).Select(i => (byte)(i % 64 < 32 ? 10 : 13))], 64, 48));
    }

    [Fact]
    public void A_symmetric_image_keeps_its_hash_when_it_grows()
    {
        static byte[] Disc(int side) => [.. Enumerable.Range(0, side * side).Select(i =>
            (byte)(Math.Abs(2 * (i % side) + 1 - side) + Math.Abs(2 * (i / side) + 1 - side) < side ? 240 : 20))];
        Assert.Equal(Hash(Disc(64), 64, 64), Hash([.. Doubled(Disc(64), 64)], 128, 128));
    }

    [Fact]
    public void Copies_have_near_hashes_and_other_pictures_have_not()
    {
        using var scorer = new ImageScorer(new ScoringOptions { Metrics = [Phash] });
        var hashes = Directory.EnumerateFiles(TestFiles.InRepository("samples", "photos"), "*.jpg").Select(scorer.Score)
            .Where(row => row.Status == ImageStatus.Ok)
            .ToDictionary(row => Path.GetFileNameWithoutExtension(row.Id), row => Convert.ToUInt64(row.Columns.Get("phash").Text(row), 16));
        Assert.True(hashes.Count > 30);
        foreach (var (name, hash) in hashes)
            foreach (var (other, otherHash) in hashes)
            {
                // boats and boats-noise, drum and drum-lowres: a copy has the name of its original before the dash.
                if (name.Split('-')[0] == other.Split('-')[0])
                    Assert.InRange(PerceptualHash.Distance(hash, otherHash), 0, 2);
                else
                    Assert.InRange(PerceptualHash.Distance(hash, otherHash), 16, 64);
            }
    }

    [Fact]
    public void The_hash_is_that_of_the_upright_image()
    {
        using var scorer = new ImageScorer(new ScoringOptions { Metrics = [Phash] });
        string? HashOf(byte[] file) => scorer.Score(new MemorySource("a", file)) is var row ? row.Columns.Get("phash").Text(row) : null;
        var jpeg = TestImages.Jpeg(64, 64, "Q=100");
        Assert.Equal(HashOf(jpeg), HashOf(TestImages.WithOrientation(jpeg, 1)));
        var (turned, upright) = (TestImages.WithOrientation(jpeg, 3), HashOf(TestImages.WithOrientation(jpeg, 3)));
        Assert.NotEqual(HashOf(jpeg), upright);
        var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(new MemorySource("a", turned), ImageInput.Rgb).Status);
        Assert.Equal(HashOf(VipsEncoder.Encode("pngsave_buffer", "", decoder.Image.Rgb.ToArray(), 64, 64, 3, "srgb")), upright);
    }

    [Fact]
    public void The_column_is_text_that_rules_and_tables_know()
    {
        var columns = TableSchema.Of([Phash]);
        Assert.Equal(ColumnType.Varchar, columns.Get("phash").Type);
        Assert.Null(columns.Find("phash_quality"));
        var provenance = ColumnProvenance.Of(Phash);
        Assert.Equal((64, (int?)null), (provenance.Bits, provenance.Length));
        Assert.Equal(columns.Get("phash").Type, TableSchema.Of([provenance]).Get("phash").Type);
    }

    private static ulong? Hash(byte[] luma, int width, int height)
    {
        using var extractor = new PerceptualHash().CreateExtractor();
        var numbers = new double[extractor.Count];
        extractor.Compute(new ImageView(new ImageHeader(width, height, "png", 1), [], luma), numbers);
        return PerceptualHash.Of([.. numbers.Select(number => (float)number)]);
    }

    private static IEnumerable<byte> Doubled(byte[] plane, int side) =>
        Enumerable.Range(0, 4 * side * side).Select(i => plane[i / (2 * side) / 2 * side + i % (2 * side) / 2]);
}
