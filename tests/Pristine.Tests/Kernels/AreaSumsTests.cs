using Pristine.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public sealed class AreaSumsTests
{
    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Sums_are_those_of_the_areas(SimdPath path)
    {
        var random = new Random(5);
        var kernel = new AreaSums(32);
        var sums = new long[32 * 32];
        foreach (var (width, height) in new[] { (1, 1), (1, 40), (7, 3), (8, 31), (31, 32), (32, 32), (33, 65), (64, 16), (100, 75),
            (130, 61) })
        {
            var plane = new byte[width * height];
            random.NextBytes(plane);
            kernel.Measure(plane, width, height, sums, path);
            var expected = PerceptualHashReference.Averages(plane, width, height);
            for (var i = 0; i < sums.Length; i++)
                Assert.Equal(expected[i / 32, i % 32], sums[i] / ((double)width * height), 1e-9);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_path_gives_the_same_sums(SimdPath path)
    {
        foreach (var (width, height) in KernelData.Sizes(1).Where((_, i) => i % 7 == 0))
            foreach (var (name, plane) in TestPlanes.Extreme(width, height))
            {
                long[] expected = new long[32 * 32], found = new long[32 * 32];
                new AreaSums(32).Measure(plane, width, height, expected, SimdPath.Scalar);
                new AreaSums(32).Measure(plane, width, height, found, path);
                Assert.True(expected.SequenceEqual(found), $"{name}, {width} x {height}");
            }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void The_highest_white_plane_fits(SimdPath path)
    {
        const int Height = 20_000_000;
        var plane = new byte[Height];
        Array.Fill(plane, (byte)255);
        var sums = new long[32 * 32];
        new AreaSums(32).Measure(plane, 1, Height, sums, path);
        Assert.All(sums, sum => Assert.Equal(255L * Height, sum));
    }
}
