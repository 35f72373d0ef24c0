using Pristine.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public class MscnStatisticsTests
{
    /// <summary>
    /// float32 filters against double: about 1e-7 per pixel, relative to a contrast of some hundredths; sums average it out.
    /// </summary>
    private const double ReferenceTolerance = 1e-4;

    /// <summary>Between paths m is the same to the bit; only the order of up to 256 float additions differs: 256 x 6e-8 at worst.</summary>
    private const double PathTolerance = 2e-5;

    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Agree_with_the_double_precision_reference_at_every_size(SimdPath path)
    {
        var statistics = MscnStatistics.Create(path);
        foreach (var (width, height) in KernelData.Sizes(minimum: 1).Where(size => size != (1, 1)))
        {
            var plane = TestPlanes.Noise(width, height, seed: width * 1000 + height);
            var expected = OpenCvBrisqueReference.Moments(
                OpenCvBrisqueReference.Mscn(OpenCvBrisqueReference.Plane.Of(plane, width, height)));
            var actual = Measure(statistics, plane, width, height);
            for (var field = 0; field < MscnStatistics.Fields; field++)
            {
                var (e, a) = (expected[field], actual[field]);
                var what = $"{path} {width}x{height} field {field}";
                AssertNear(e.AbsoluteSum, a.AbsoluteSum, e.AbsoluteSum, ReferenceTolerance, what);
                AssertNear(e.NegativeSquareSum, a.NegativeSquareSum, e.NegativeSquareSum + e.PositiveSquareSum, ReferenceTolerance, what);
                AssertNear(e.PositiveSquareSum, a.PositiveSquareSum, e.NegativeSquareSum + e.PositiveSquareSum, ReferenceTolerance, what);
                // A sign may flip where a pixel equals its local mean to within rounding; in noise that is one in some 100,000.
                var flips = 1e-5 * width * height + (width * height > 10_000 ? 2 : 0);
                Assert.True(
                    Math.Abs(e.NegativeCount - a.NegativeCount) <= flips, $"{what}: negative {a.NegativeCount}, not {e.NegativeCount}");
                Assert.True(
                    Math.Abs(e.PositiveCount - a.PositiveCount) <= flips, $"{what}: positive {a.PositiveCount}, not {e.PositiveCount}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Are_the_same_on_every_path_where_rounding_decides(SimdPath path)
    {
        var statistics = MscnStatistics.Create(path);
        var scalar = MscnStatistics.Create(SimdPath.Scalar);
        foreach (var (width, height) in new[] { (2, 2), (3, 3), (17, 9), (64, 64), (67, 33), (300, 200) })
            foreach (var (name, plane) in TestPlanes.Extreme(width, height))
            {
                var expected = Measure(scalar, plane, width, height);
                var actual = Measure(statistics, plane, width, height);
                for (var field = 0; field < MscnStatistics.Fields; field++)
                {
                    var what = $"{path} {name} {width}x{height} field {field}";
                    var (e, a) = (expected[field], actual[field]);
                    Assert.True(e.NegativeCount == a.NegativeCount, $"{what}: negative {a.NegativeCount}, not {e.NegativeCount}");
                    Assert.True(e.PositiveCount == a.PositiveCount, $"{what}: positive {a.PositiveCount}, not {e.PositiveCount}");
                    AssertNear(e.AbsoluteSum, a.AbsoluteSum, e.AbsoluteSum, PathTolerance, what);
                    AssertNear(e.NegativeSquareSum, a.NegativeSquareSum, e.NegativeSquareSum, PathTolerance, what);
                    AssertNear(e.PositiveSquareSum, a.PositiveSquareSum, e.PositiveSquareSum, PathTolerance, what);
                }
            }
    }

    /// <summary>Energies are kept apart by sign: a rare sign's energy must not drown in the rounding of the common one's.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void Keep_the_energy_of_a_rare_sign(SimdPath path)
    {
        // Vertical stripes: products down the columns are positive, but for those with one dot, which is just above its local mean.
        const int width = 256, height = 256;
        var plane = TestPlanes.Constant(width, height, 100);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                plane[y * width + x] = (byte)(100 + 80 * (x & 1));
        plane[width * 128 + 128] = 150;
        var expected = OpenCvBrisqueReference.Moments(
            OpenCvBrisqueReference.Mscn(OpenCvBrisqueReference.Plane.Of(plane, width, height)))[2];
        var actual = Measure(MscnStatistics.Create(path), plane, width, height)[2];
        Assert.InRange(expected.NegativeSquareSum, 1e-12, 1e-4 * expected.PositiveSquareSum);
        Assert.Equal(expected.NegativeCount, actual.NegativeCount);
        AssertNear(expected.NegativeSquareSum, actual.NegativeSquareSum, expected.NegativeSquareSum, 1e-3, path.ToString());
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Do_not_depend_on_the_image_before(SimdPath path)
    {
        var used = MscnStatistics.Create(path);
        Measure(used, TestPlanes.Noise(900, 40), 900, 40);
        var plane = TestPlanes.Photo(77, 41);
        Assert.Equal(Measure(MscnStatistics.Create(path), plane, 77, 41), Measure(used, plane, 77, 41));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Take_bytes_and_floats_alike(SimdPath path)
    {
        var plane = TestPlanes.Photo(77, 41);
        var statistics = MscnStatistics.Create(path);
        var expected = Measure(statistics, plane, 77, 41);
        var actual = new SignedMoments[MscnStatistics.Fields];
        statistics.Begin(77, 41);
        for (var y = 0; y < 41; y++)
            statistics.AddRow(Array.ConvertAll(plane[(y * 77)..((y + 1) * 77)], v => v * (float)(1 / 255.0)).AsSpan());
        statistics.Finish(actual);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Want_all_rows()
    {
        var statistics = MscnStatistics.Create(SimdPath.Scalar);
        statistics.Begin(4, 3);
        statistics.AddRow(new byte[4]);
        var error = Assert.Throws<InvalidOperationException>(() => statistics.Finish(new SignedMoments[MscnStatistics.Fields]));
        Assert.Equal("Expected 3 rows; found 1.", error.Message);
    }

    private static SignedMoments[] Measure(MscnStatistics statistics, byte[] plane, int width, int height)
    {
        var moments = new SignedMoments[MscnStatistics.Fields];
        statistics.Begin(width, height);
        for (var y = 0; y < height; y++)
            statistics.AddRow(plane.AsSpan(y * width, width));
        statistics.Finish(moments);
        return moments;
    }

    private static void AssertNear(double expected, double actual, double scale, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * scale, $"{what}: {actual}, not {expected}");
}
