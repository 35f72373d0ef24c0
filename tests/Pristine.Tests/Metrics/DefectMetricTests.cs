using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Tests.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics;

/// <summary>The metrics that find common defects: exposure, colour, noise, blocks, flat parts, borders, sharpness at one size.</summary>
public sealed class DefectMetricTests
{
    /// <summary>Sums in another order.</summary>
    private const double Rounding = 1e-9;

    /// <summary>What docs/metrics.md says of the same scene in different sizes.</summary>
    private const double SizeTolerance = 0.1;

    private static readonly string[] Names =
    [
        "saturation", "gray_share", "luma_p1", "luma_p5", "luma_p95", "luma_p99", "shadow_clipping", "highlight_clipping", "noise",
        "sharpness_256", "blockiness",
        "flat_share", "border_share",
    ];

    public static TheoryData<int, int> Sizes =>
        new() { { 9, 9 }, { 16, 16 }, { 17, 33 }, { 64, 48 }, { 100, 9 }, { 257, 40 }, { 300, 200 }, { 31, 511 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Agree_with_the_formulas_written_out(int width, int height)
    {
        foreach (var (kind, rgb) in Pictures(width, height))
        {
            var luma = PixelMetricReference.Luma(rgb);
            foreach (var (name, expected) in new[]
            {
                ("saturation", PixelMetricReference.Saturation(rgb)),
                ("gray_share", PixelMetricReference.GrayShare(rgb)),
                ("luma_p1", PixelMetricReference.Percentile(luma, 1)),
                ("luma_p5", PixelMetricReference.Percentile(luma, 5)),
                ("luma_p95", PixelMetricReference.Percentile(luma, 95)),
                ("luma_p99", PixelMetricReference.Percentile(luma, 99)),
                ("shadow_clipping", luma.Count(v => v is 0 or 1 or 2) / (double)luma.Length),
                ("highlight_clipping", luma.Count(v => v is 253 or 254 or 255) / (double)luma.Length),
                ("noise", PixelMetricReference.Noise(luma, width, height)),
                ("blockiness", PixelMetricReference.Blockiness(luma, width, height)),
                ("flat_share", PixelMetricReference.FlatShare(luma, width, height)),
                ("border_share", PixelMetricReference.BorderShare(luma, width, height)),
                ("sharpness_256", PixelMetricReference.Sharpness256(luma, width, height)),
            })
            {
                var found = Score(name, rgb, width, height);
                Assert.True(Math.Abs(found - expected) <= Rounding * Math.Max(
                    1, Math.Abs(expected)), $"{kind}, {name}: expected {expected:R}; found {found:R}.");
                Assert.InRange(found, MetricCatalog.Get(name).Range.Low, MetricCatalog.Get(name).Range.High);
            }
        }
    }

    [Fact]
    public void Flat_images_of_every_size_have_plain_values()
    {
        foreach (var (width, height) in new[] { (1, 1), (1, 9), (9, 1), (8, 8), (300, 5) })
            foreach (var name in Names.Where(name => Math.Min(width, height) >= MetricCatalog.Get(name).MinSide))
            {
                var expected = name switch
                {
                    "luma_p1" or "luma_p5" or "luma_p95" or "luma_p99" => 0.2,
                    "gray_share" or "flat_share" or "border_share" or "blockiness" => 1,
                    _ => 0
                };
                Assert.Equal(expected, Score(name, [.. Enumerable.Repeat((byte)51, 3 * width * height)], width, height), 1e-12);
            }
    }

    [Fact]
    public void Saturation_and_gray_share_by_hand()
    {
        byte[] rgb = [255, 0, 0, 0, 0, 0, 100, 50, 100, 200, 208, 204];
        Assert.Equal((1 + 0 + 0.5 + 8 / 208.0) / 4, Score("saturation", rgb, 2, 2), 1e-15);
        Assert.Equal(0.5, Score("gray_share", rgb, 2, 2));
    }

    [Fact]
    public void Noise_of_a_known_deviation_is_found()
    {
        const int Side = 256;
        var random = new Random(3);
        foreach (var sigma in (double[])[2, 8, 20])
        {
            var rgb = new byte[3 * Side * Side];
            for (var i = 0; i < Side * Side; i++)
            {
                // A gradient, which the mask does not answer to, and Gaussian noise by Box and Muller.
                var noise = sigma * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                rgb.AsSpan(3 * i, 3).Fill((byte)Math.Round(80 + i % Side / 4.0 + noise));
            }
            // Rounding to whole levels adds a variance of 1/12.
            Assert.InRange(Score("noise", rgb, Side, Side) / Math.Sqrt(sigma * sigma + 1 / 12.0), 0.97, 1.03);
        }
    }

    [Fact]
    public void A_half_loaded_picture_is_half_flat_and_half_border()
    {
        var rgb = Textured(160, 96);
        rgb.AsSpan(3 * 160 * 48).Fill(128);
        Assert.Equal(0.5, Score("flat_share", rgb, 160, 96));
        Assert.Equal(0.5, Score("border_share", rgb, 160, 96));
    }

    [Fact]
    public void Borders_of_different_tones_are_found_on_all_sides()
    {
        const int Width = 100, Height = 80;
        var rgb = Textured(Width, Height);
        for (var y = 0; y < Height; y++)
            for (var x = 0; x < Width; x++)
                if (y < 8 || y >= 70 || x < 5 || x >= 90)
                    rgb.AsSpan(3 * (y * Width + x), 3).Fill((byte)(y < 8 ? 0 : y >= 70 ? 255 : x < 5 ? 30 : 200));
        Assert.Equal(1 - 62.0 * 85 / (Width * Height), Score("border_share", rgb, Width, Height), 1e-12);
        Assert.Equal(0, Score("border_share", Textured(Width, Height), Width, Height));
    }

    [Fact]
    public void Blocks_show_where_a_grid_is_and_only_at_its_place()
    {
        byte[] Blocks(int shift) => [.. Enumerable.Range(0, 64 * 64).SelectMany(i =>
        {
            var level = (byte)(100 + ((i % 64 + shift) / 8 + (i / 64 + shift) / 8) % 2 * 30 + i % 3);
            return (byte[])[level, level, level];
        })];
        Assert.True(Score("blockiness", Blocks(0), 64, 64) > 5);
        Assert.True(Score("blockiness", Blocks(3), 64, 64) < 1);
        Assert.InRange(Score("blockiness", Textured(64, 64), 64, 64), 0.9, 1.1);
    }

    [Theory]
    [InlineData("leaf.jpg")]
    [InlineData("boats.jpg")]
    [InlineData("moss.jpg")]
    [InlineData("spaniels.jpg")]
    [InlineData("moss-blur.jpg")]
    public void A_photo_has_the_same_sharpness_at_one_size_after_shrinking(string name)
    {
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.InRepository("samples", "photos", name), ImageInput.Rgb).Status);
        AssertSameSharpness(decoder.Image.Rgb.ToArray(), decoder.Image.Width, decoder.Image.Height, 512);
    }

    [Fact]
    public void A_scene_of_4096_pixels_has_the_sharpness_that_it_has_at_512()
    {
        // Edges and waves of all lengths down to two pixels, weaker the shorter they are, as in photographs.
        const int Width = 4096, Height = 1024;
        var rgb = new byte[3 * Width * Height];
        for (var y = 0; y < Height; y++)
            for (var x = 0; x < Width; x++)
            {
                var value = ((x / 230 + y / 170) % 2 == 0 ? 70.0 : 150) + (Math.Pow(x - 1500, 2) + Math.Pow(y - 900, 2) < 400_000 ? 40 : 0);
                for (var length = 1024.0; length >= 4; length /= 4)
                    value += 3 * Math.Sqrt(length / 64) * Math.Sin(2 * Math.PI * (x * 0.8 + y * 0.6) / length + length) * Math.Cos(
                        2 * Math.PI * (y * 0.9 - x * 0.4) / length);
                rgb.AsSpan(3 * (y * Width + x), 3).Fill((byte)Math.Clamp(value, 0, 255));
            }
        AssertSameSharpness(rgb, Width, Height, 512);
    }

    [Fact]
    public void Scoring_allocates_nothing() => PixelMetricTests.AssertScoringDoesNotAllocate(Names, Textured(320, 240));

    private static void AssertSameSharpness(byte[] rgb, int width, int height, int longer)
    {
        var (smallWidth, smallHeight) = width > height
            ? (longer, (int)Math.Round((double)height * longer / width))
            : ((int)Math.Round((double)width * longer / height), longer);
        var small = new byte[3 * smallWidth * smallHeight];
        using var resize = new PillowResize();
        resize.Resize(ResampleFilter.Bicubic, rgb, width, height, smallWidth, smallHeight, new(0, 0, smallWidth, smallHeight), small);
        var (large, shrunk) = (Score("sharpness_256", rgb, width, height), Score("sharpness_256", small, smallWidth, smallHeight));
        Assert.True(Math.Abs(shrunk / large
            - 1) <= SizeTolerance, $"{width}x{height}: {large:0.00}; at {longer}: {shrunk:0.00} ({shrunk / large - 1:+0.0%;-0.0%})");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{width}x{height}: {large:0.00}; at {longer}: {shrunk:0.00} ({shrunk / large - 1:+0.0%;-0.0%})");
    }

    private static double Score(string name, byte[] rgb, int width, int height)
    {
        using var scorer = MetricCatalog.Get(name).CreateScorer();
        return scorer.Score(new ImageView(new ImageHeader(width, height, "png", 0), rgb, PixelMetricReference.Luma(rgb)));
    }

    private static IEnumerable<(string Kind, byte[] Rgb)> Pictures(int width, int height)
    {
        yield return ("texture", Textured(width, height));
        var random = new Random(11);
        yield return ("extremes", [.. Enumerable.Range(0, 3 * width * height).Select(_ => (byte)(random.Next(2) * 255))]);
        var half = Textured(width, height);
        half.AsSpan(half.Length / 2).Fill(128);
        yield return ("half flat", half);
        yield return ("nearly flat", [.. Enumerable.Range(0, 3 * width * height).Select(_ => (byte)(100 + random.Next(6)))]);
        yield return ("colours", [.. Enumerable.Range(0, 3 * width * height).Select(i => (byte)(i % 3 * 60 + random.Next(90)))]);
    }

    /// <summary>Noise of 60 levels, without a grid and without a border.</summary>
    private static byte[] Textured(int width, int height)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, width * height).SelectMany(_ => Enumerable.Repeat((byte)(90 + random.Next(60)), 3))];
    }
}
