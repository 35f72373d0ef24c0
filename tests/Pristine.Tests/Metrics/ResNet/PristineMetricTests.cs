using System.Security.Cryptography;
using System.Text.Json;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;

namespace Pristine.Tests.Metrics.ResNet;

public sealed class PristineMetricTests
{
    /// <summary>The bundled network has 8 bits, PyTorch's has 32: opinions differ by up to 0.03, on a scale of 0 to 1.</summary>
    private const double OpinionTolerance = 0.04;

    /// <summary>Probabilities near 0.5 move most.</summary>
    private const double ProbabilityTolerance = 0.15;

    [Theory]
    [InlineData("pristine")]
    [InlineData("pristine-large")]
    public void Photos_get_the_scores_that_PyTorch_gives_them_and_are_seen_alike(string network)
    {
        using var reference = JsonDocument.Parse(
            File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "ResNet", network + "_torch.json")));
        using var decoder = new ImageDecoder();
        using var views = new PristineViews(PristineNetwork.All.Single(each => each.Name == network));
        using var scorers = new MetricScorers(
            [.. PristineMetric.All.Where(metric => ((FeatureMetric)metric).Feature.Name == network)]);
        foreach (var entry in reference.RootElement.GetProperty("images").EnumerateArray())
        {
            var name = entry.GetProperty("image").GetString()!;
            Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.InRepository("samples", "photos", name), ImageInput.Rgb).Status);
            var image = decoder.Image;
            foreach (var (view, expected) in entry.GetProperty("views").EnumerateArray().Index())
            {
                var shape = views.Shape(view, image.Width, image.Height);
                var planes = new float[shape.Length];
                views.Write(view, image, planes);
                var window = views.Place(view, image.Width, image.Height).Window;
                Assert.Equal(expected.GetProperty("sha256").GetString(), Hash(planes, shape, window.Width, window.Height));
                var squares = new byte[views.SquaresShape(view, image.Width, image.Height).Length];
                views.WriteSquares(view, image, squares);
                Assert.Equal(planes, FromSquares(squares, shape));
            }
            scorers.BeginImage();
            foreach (var (i, expected) in entry.GetProperty("outputs").EnumerateArray().Index())
                Assert.Equal(expected.GetDouble(), scorers.Score(i, image), i == 0 ? OpinionTolerance : ProbabilityTolerance);
        }
    }

    [Theory]
    [InlineData(512, 384, 333, 249, 192, 192)]
    [InlineData(100, 80, 100, 80, 100, 80)]
    [InlineData(4000, 3000, 333, 249, 192, 192)]
    [InlineData(32, 100_000, 5, 16100, 9, 192)]
    [InlineData(1, 1, 1, 1, 1, 1)]
    public void Large_images_are_shrunk_to_an_area_and_small_ones_left_alone(
        int width, int height, int wholeWidth, int wholeHeight, int pieceWidth, int pieceHeight)
    {
        using var views = new PristineViews(PristineNetwork.Small);
        var (whole, piece) = (views.Place(0, width, height).Window, views.Place(1, width, height).Window);
        Assert.Equal((wholeWidth, wholeHeight, pieceWidth, pieceHeight), (whole.Width, whole.Height, piece.Width, piece.Height));
    }

    [Fact]
    public void Metrics_share_the_feature_of_their_network_and_a_head_of_ones_own_has_another_name()
    {
        Assert.Equal(
            ["pristine", "pristine-large"],
            PristineMetric.All.Cast<FeatureMetric>().Select(metric => metric.Feature).Distinct().Select(feature => feature.Name));
        Assert.Equal(["pristine", "pristine@damage", "pristine@blur"], PristineMetric.All.Take(3).Select(metric => metric.Name));
        var own = new QualityHead("mine", PristineNetwork.Small.Identity, new float[PristineNetwork.Small.Count], 0.5, 1, 5, "");
        var metric = Assert.IsType<PristineMetric>(HeadFile.ToMetric(own));
        Assert.Equal(("pristine@mine", MetricDirection.HigherIsBetter, 1.0, 5.0),
            (metric.Name, metric.Direction, metric.Range.Low, metric.Range.High));
        Assert.Equal(own.Sha256, metric.ModelSha256);
        var large = new QualityHead("mine", PristineNetwork.Large.Identity, new float[PristineNetwork.Large.Count], 0.5, 1, 5, "");
        Assert.Equal("pristine-large@mine", HeadFile.ToMetric(large).Name);
        Assert.Contains("pristine:3:int8", Assert.Throws<ArgumentException>(() => new PristineMetric(
            new QualityHead("mine", "resnet50:int8", [1], 0, 0, 1, ""))).Message, StringComparison.Ordinal);
        Assert.Null(metric.Missing);
    }

    /// <summary>Planes R, G, B of 2x2 squares.</summary>
    private static float[] FromSquares(byte[] squares, NetworkShape shape)
    {
        var planes = new float[shape.Length];
        for (var i = 0; i < squares.Length; i++)
        {
            var (square, place) = Math.DivRem(i, 12);
            var (y, x) = Math.DivRem(square, shape.Fourth / 2);
            planes[((place % 3 * shape.Third) + 2 * y + place / 6) * shape.Fourth + 2 * x + place / 3 % 2] = squares[i];
        }
        return planes;
    }

    /// <summary>SHA-256 of the pixels inside the border, interleaved.</summary>
    private static string Hash(float[] planes, NetworkShape shape, int width, int height)
    {
        var pixels = new List<byte>();
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var channel = 0; channel < 3; channel++)
                    pixels.Add((byte)planes[
                        (channel * shape.Third + y + PristineViews.Border) * shape.Fourth + x + PristineViews.Border]);
        return Convert.ToHexStringLower(SHA256.HashData([.. pixels]));
    }
}
