using Pristine.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Kernels;

/// <summary>Every path of every kernel gives the same integers, and these give the reference's numbers.</summary>
[Trait("kind", "kernel")]
public class PixelKernelTests
{
    /// <summary>The kernels' sums are exact; what remains is the rounding of the reference's own sums over at most 1,600 doubles.</summary>
    private const double ReferenceRounding = 1e-12;

    public static TheoryData<SimdPath> Paths => [.. Simd.Supported];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Moments_of_a_plane(SimdPath path)
    {
        var random = new Random(1);
        for (var length = 1; length <= 300; length++)
            foreach (var plane in Planes(random, length))
            {
                var moments = PlaneMoments.Measure(plane, path);
                Assert.Equal(new Moments(length, plane.Sum(v => (long)v), plane.Sum(v => (long)v * v)), moments);
                AssertClose(PixelMetricReference.Brightness(plane), moments.Mean / 255);
                AssertClose(PixelMetricReference.Contrast(plane), Math.Sqrt(moments.Variance) / 255);
            }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Moments_of_the_Laplacian(SimdPath path)
    {
        var random = new Random(2);
        for (var width = 1; width <= 40; width++)
            foreach (var height in (int[])[1, 2, 3, 5, 17, 40])
                foreach (var plane in Planes(random, width * height).Append(Checkerboard(width, height)))
                {
                    var moments = LaplacianMoments.Measure(plane, width, height, path);
                    Assert.Equal(LaplacianMoments.Measure(plane, width, height, SimdPath.Scalar), moments);
                    Assert.Equal(width * height, moments.Count);
                    AssertClose(PixelMetricReference.Sharpness(plane, width, height), moments.Variance);
                }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Moments_of_the_opponent_colors(SimdPath path)
    {
        var random = new Random(3);
        byte[][] extremes = [[255, 255, 0], [0, 0, 255], [255, 0, 0], [0, 255, 0], [255, 0, 255], [0, 255, 255]];
        for (var pixels = 1; pixels <= 100; pixels++)
            foreach (var rgb in Planes(random, pixels * 3).Concat(extremes.Select(color => Repeat(color, pixels))))
            {
                var (redGreen, yellowBlue) = OpponentColorMoments.Measure(rgb, path);
                Assert.Equal(OpponentColorMoments.Measure(rgb, SimdPath.Scalar), (redGreen, yellowBlue));
                Assert.Equal(pixels, redGreen.Count);
                Assert.Equal(pixels, yellowBlue.Count);
                var colorfulness = Math.Sqrt(redGreen.Variance + yellowBlue.Variance / 4) + 0.3 * double.Hypot(
                    redGreen.Mean, yellowBlue.Mean / 2);
                AssertClose(PixelMetricReference.Colorfulness(rgb), colorfulness);
            }
    }

    // The next three inputs would overflow the 32-bit lanes if the kernels did not empty them in time; the sums are known in advance.

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_long_white_plane_does_not_overflow(SimdPath path)
    {
        const int Length = 3_000_001;
        var white = new byte[Length];
        Array.Fill(white, byte.MaxValue);
        Assert.Equal(new Moments(Length, 255L * Length, 255L * 255 * Length), PlaneMoments.Measure(white, path));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_wide_checkerboard_does_not_overflow(SimdPath path)
    {
        const int Width = 70_001;
        Assert.Equal(1020L * 1020 * Width * 3, LaplacianMoments.Measure(Checkerboard(Width, 3), Width, 3, path).SumOfSquares);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Many_pure_colors_do_not_overflow(SimdPath path)
    {
        const int Pixels = 1_000_000;
        var yellow = OpponentColorMoments.Measure(Repeat([255, 255, 0], Pixels), path);
        Assert.Equal(new Moments(Pixels, 0, 0), yellow.RedGreen);
        Assert.Equal(new Moments(Pixels, 510L * Pixels, 510L * 510 * Pixels), yellow.TwiceYellowBlue);
        var red = OpponentColorMoments.Measure(Repeat([255, 0, 0], Pixels), path);
        Assert.Equal(new Moments(Pixels, 255L * Pixels, 255L * 255 * Pixels), red.RedGreen);
    }

    [Fact]
    public void Histogram_counts_every_value()
    {
        var random = new Random(4);
        var counts = new int[Histogram.Bins];
        for (var length = 0; length <= 300; length++)
            foreach (var plane in Planes(random, length))
            {
                Histogram.Count(plane, counts);
                Assert.Equal(Enumerable.Range(0, Histogram.Bins).Select(v => plane.Count(p => p == v)), counts);
            }
        Assert.Throws<ArgumentException>(() => Histogram.Count([1], new int[255]));
    }

    [Fact]
    public void Variance_does_not_cancel()
    {
        // A million values of 2^20 and as many of 2^20 + 1: in doubles, mean of squares minus square of mean would lose the 0.25.
        const long Half = 1_000_000, Low = 1 << 20;
        var moments = new Moments(2 * Half, Half * (2 * Low + 1), Half * (Low * Low + (Low + 1) * (Low + 1)));
        Assert.Equal(0.25, moments.Variance);
    }

    private static IEnumerable<byte[]> Planes(Random random, int length)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        yield return noise;
        yield return new byte[length];
        yield return [.. Enumerable.Repeat(byte.MaxValue, length)];
        yield return [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
    }

    private static byte[] Checkerboard(int width, int height) =>
        [.. Enumerable.Range(0, width * height).Select(i => (i % width + i / width) % 2 == 0 ? byte.MinValue : byte.MaxValue)];

    private static byte[] Repeat(byte[] color, int pixels) => [.. Enumerable.Repeat(color, pixels).SelectMany(c => c)];

    private static void AssertClose(double expected, double actual) =>
        Assert.True(
            Math.Abs(expected - actual) <= ReferenceRounding * Math.Max(1, Math.Abs(expected)),
            $"Expected {expected:R}; found {actual:R}.");
}
