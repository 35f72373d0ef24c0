using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Brisque;
using Pristine.Tests.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.Brisque;

[Trait("kind", "kernel")]
public class BrisqueMetricTests
{
    /// <summary>
    /// Features in float32 filters against double ones, relative; shapes are on a grid of 0.001, of which one step is allowed.
    /// </summary>
    private const double ReferenceTolerance = 1e-3;

    /// <summary>Features between paths: float sums in another order.</summary>
    private const double PathTolerance = 2e-5;

    /// <summary>Scores between paths: what <see cref="PathTolerance"/> makes of a regression over coefficients of up to 1024.</summary>
    private const double PathScoreTolerance = 0.005;

    private const double ShapeStep = 0.001;

    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Features_agree_with_the_double_precision_reference(SimdPath path)
    {
        using var extractor = new BrisqueMetric(path).Feature.CreateExtractor();
        var actual = new double[BrisqueFeatures.Count];
        foreach (var (width, height) in new[] { (40, 40), (65, 63), (128, 96), (511, 383) })
            foreach (var plane in new[] { TestPlanes.Photo(width, height), TestPlanes.Noise(width, height) })
            {
                extractor.Compute(View(plane, width, height), actual);
                var expected = OpenCvBrisqueReference.Features(plane, width, height);
                for (var i = 0; i < actual.Length; i++)
                    AssertNear(expected[i], actual[i], Tolerance(
                        i, expected[i], ReferenceTolerance), $"{path} {width}x{height} {BrisqueFeatures.All[i].Name}");
            }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Paths_agree_where_rounding_decides(SimdPath path)
    {
        using var scalar = new BrisqueMetric(SimdPath.Scalar).Feature.CreateExtractor();
        using var extractor = new BrisqueMetric(path).Feature.CreateExtractor();
        using var scorer = new BrisqueMetric(path).CreateScorer();
        double[] expected = new double[BrisqueFeatures.Count], actual = new double[BrisqueFeatures.Count];
        foreach (var (width, height) in new[] { (2, 2), (2, 9), (3, 3), (5, 4), (8, 8), (16, 16), (67, 33), (300, 200), (3_000, 2) })
            foreach (var (name, plane) in TestPlanes.Extreme(width, height))
            {
                scalar.Compute(View(plane, width, height), expected);
                extractor.Compute(View(plane, width, height), actual);
                for (var i = 0; i < actual.Length; i++)
                    AssertNear(expected[i], actual[i], Tolerance(
                        i, expected[i], PathTolerance), $"{path} {name} {width}x{height} {BrisqueFeatures.All[i].Name}");
                AssertNear(
                    BrisqueMetric.ScoreUnclamped(expected), BrisqueMetric.ScoreUnclamped(actual), PathScoreTolerance,
                    $"{path} {name} {width}x{height}");
                Assert.InRange(scorer.Score(View(plane, width, height)), 0, 100);
            }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_constant_image_scores_100(SimdPath path)
    {
        using var extractor = new BrisqueMetric(path).Feature.CreateExtractor();
        using var scorer = new BrisqueMetric(path).CreateScorer();
        var features = new double[BrisqueFeatures.Count];
        foreach (byte value in new byte[] { 0, 1, 127, 128, 254, 255 })
            foreach (var (width, height) in new[] { (2, 2), (64, 64), (200, 100) })
            {
                var plane = TestPlanes.Constant(width, height, value);
                extractor.Compute(View(plane, width, height), features);
                Assert.Equal(double.PositiveInfinity, BrisqueMetric.ScoreUnclamped(features));
                Assert.Equal(100, scorer.Score(View(plane, width, height)));
            }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Scores_do_not_depend_on_the_image_before(SimdPath path)
    {
        using var used = new BrisqueMetric(path).Feature.CreateExtractor();
        double[] expected = new double[BrisqueFeatures.Count], actual = new double[BrisqueFeatures.Count];
        (int Width, int Height)[] sizes = [(300, 200), (64, 500), (1000, 30), (300, 200), (63, 65)];
        foreach (var (width, height) in sizes)
        {
            using var fresh = new BrisqueMetric(path).Feature.CreateExtractor();
            var plane = TestPlanes.Photo(width, height);
            fresh.Compute(View(plane, width, height), expected);
            used.Compute(View(plane, width, height), actual);
            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Allocates_nothing_after_the_first_image(SimdPath path)
    {
        using var scorer = new BrisqueMetric(path).CreateScorer();
        var plane = TestPlanes.Photo(301, 203);
        scorer.Score(View(plane, 301, 203));
        var allocated = Allocations.Least(() =>
        {
            scorer.Score(View(plane, 301, 203));
            scorer.Score(View(plane.AsSpan(0, 100 * 50), 100, 50));
        });
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Wants_luma_of_at_least_two_by_two()
    {
        using var scorer = new BrisqueMetric().CreateScorer();
        Assert.Contains(
            "found 1x5", Assert.Throws<ArgumentException>(() => scorer.Score(View(new byte[5], 1, 5))).Message, StringComparison.Ordinal);
        Assert.Contains("luma", Assert.Throws<ArgumentException>(
            () => scorer.Score(new ImageView(new ImageHeader(4, 4, "png", 1), [], []))).Message, StringComparison.Ordinal);
        using var extractor = new BrisqueStatistics().CreateExtractor();
        Assert.Contains("found 35", Assert.Throws<ArgumentException>(
            () => extractor.Compute(View(new byte[16], 4, 4), new double[35])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_in_the_catalog_with_lower_scores_for_better_images()
    {
        var metric = MetricCatalog.Get("brisque");
        Assert.IsType<BrisqueMetric>(metric);
        Assert.Equal(1, metric.Quality(0));
        Assert.Equal(0.75, metric.Quality(25));
        Assert.Equal(0, metric.Quality(100));
        using var scorer = metric.CreateScorer();
        var photo = TestPlanes.Photo(256, 256);
        var worse = scorer.Score(View(TestPlanes.Noise(256, 256), 256, 256));
        Assert.True(scorer.Score(View(photo, 256, 256)) < worse);
    }

    [Fact]
    public void Features_are_named_one_by_one()
    {
        Assert.Equal(Enumerable.Range(0, 36), BrisqueFeatures.All.Select(f => f.Index));
        Assert.Equal(36, BrisqueFeatures.All.Select(f => f.Name).Distinct().Count());
        Assert.Equal(36, BrisqueFeatures.All.Select(f => f.Description).Distinct().Count());
        Assert.Equal("anti_diagonal_right_variance", BrisqueFeatures.All[17].Name);
        Assert.Equal("half_mscn_shape", BrisqueFeatures.All[18].Name);
    }

    private static ImageView View(ReadOnlySpan<byte> luma, int width, int height) =>
        new(new ImageHeader(width, height, "png", 1), [], luma);

    /// <summary>
    /// Of a feature: shapes (0, and the first of each four from 2 on, at each scale) may fall on the next point of their grid.
    /// </summary>
    private static double Tolerance(int feature, double value, double relative)
    {
        var i = feature % BrisqueFeatures.PerScale;
        return relative * Math.Max(Math.Abs(value), i == 0 || i % 4 == 2 ? 0 : 0.01) + (i == 0 || i % 4 == 2 ? 1.5 * ShapeStep : 0);
    }

    private static void AssertNear(double expected, double actual, double tolerance, string what) =>
        Assert.True(
            expected.Equals(actual) || Math.Abs(expected - actual) <= tolerance,
            $"{what}: {actual}, not {expected}");
}
