using System.Text.Json;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics.Brisque;
using Pristine.Tests.Kernels;

namespace Pristine.Tests.Metrics.Brisque;

/// <summary>
/// Scores of OpenCV 4.6 (Debian's libopencv-contrib) with the model and range of opencv-data, on the same upright RGB pixels:
/// entry <c>opencv_canon</c> of the reference data.
/// </summary>
public class BrisqueParityTests
{
    /// <summary>What the whole chain may differ by; measured: 0.0012.</summary>
    private const double ScoreTolerance = 0.01;

    /// <summary>Below 32 pixels on a side a single pixel's rounding weighs more; measured: 0.0005.</summary>
    private const double SmallScoreTolerance = 0.05;

    /// <summary>Relative; measured: 1.3e-4 (CMYK), 6e-6 elsewhere.</summary>
    private const double FeatureTolerance = 1e-3;

    // No decoder here reads BMP.
    private const string Undecodable = "58_face.bmp";

    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Agrees_with_OpenCV_on_every_reference_image(SimdPath path)
    {
        using var peers = JsonDocument.Parse(File.ReadAllText(TestFiles.Reference("brisque_peers.json")));
        using var decoder = new ImageDecoder();
        using var scorer = new BrisqueMetric(path).CreateScorer();
        using var extractor = new BrisqueMetric(path).Feature.CreateExtractor();
        var features = new double[BrisqueFeatures.Count];
        var compared = 0;
        foreach (var image in peers.RootElement.EnumerateObject().Where(image => image.Name != Undecodable))
        {
            var expected = image.Value.GetProperty("opencv_canon");
            if (!expected.TryGetProperty("score", out var score))
                continue; // 1 pixel on a side: OpenCV fails, and so would the scorer.
            Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.Reference("images", image.Name), ImageInput.Luma | ImageInput.Rgb).Status);
            var isSmall = Math.Min(decoder.Image.Width, decoder.Image.Height) < 32;
            var tolerance = isSmall ? SmallScoreTolerance : ScoreTolerance;
            AssertNear(score.GetDouble(), scorer.Score(decoder.Image), tolerance, $"{image.Name} score");

            extractor.Compute(decoder.Image, features);
            var unclamped = BrisqueMetric.ScoreUnclamped(features);
            var expectedUnclamped = expected.GetProperty("score_unclamped");
            if (expectedUnclamped.ValueKind == JsonValueKind.String)
            {
                Assert.Equal("inf", expectedUnclamped.GetString());
                Assert.Equal(double.PositiveInfinity, unclamped);
                continue;
            }
            AssertNear(expectedUnclamped.GetDouble(), unclamped, tolerance, $"{image.Name} score before the clamp");
            foreach (var (feature, value) in BrisqueFeatures.All.Zip(
                expected.GetProperty("features").EnumerateArray(), (f, e) => (f, e.GetDouble())))
                AssertNear(value, features[feature.Index], FeatureTolerance * Math.Abs(value), $"{image.Name} {feature.Name}");
            compared++;
        }
        Assert.True(compared >= 25, $"Expected to compare at least 25 images; found {compared}.");
    }

    private static void AssertNear(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{what}: {actual}, not {expected}");
}
