using Pristine.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public class CubicHalfTests
{
    /// <summary>Sixteen float32 products of weights up to 1.1 and pixels up to 1.</summary>
    private const double ReferenceTolerance = 1e-6;

    /// <summary>
    /// OpenCV's positions are float32, so that at column n of an odd width they are off by up to n x 2^-24; noise rises by up to 3 per
    /// column.
    /// </summary>
    private const double TolerancePerOddColumn = 3.0 / (1 << 24);

    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Agrees_with_the_double_precision_reference_at_every_size(SimdPath path)
    {
        var half = CubicHalf.Create(path);
        foreach (var (width, height) in KernelData.Sizes(minimum: 2))
        {
            var plane = TestPlanes.Noise(width, height, seed: width * 1000 + height);
            var expected = OpenCvBrisqueReference.Half(OpenCvBrisqueReference.Plane.Of(plane, width, height));
            var actual = Run(half, plane, width, height);
            var tolerance = ReferenceTolerance + TolerancePerOddColumn * ((width & 1) * width + (height & 1) * height);
            Assert.Equal(expected.Values.Length, actual.Length);
            for (var i = 0; i < actual.Length; i++)
                Assert.True(
                    Math.Abs(expected.Values[i] - actual[i]) <= tolerance,
                    $"{path} {width}x{height} pixel {i}: {actual[i]}, not {expected.Values[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Gives_the_same_bits_on_every_path(SimdPath path)
    {
        foreach (var (width, height) in KernelData.Sizes(minimum: 2))
        {
            var plane = TestPlanes.Noise(width, height, seed: 3);
            Assert.Equal(Run(CubicHalf.Create(SimdPath.Scalar), plane, width, height), Run(CubicHalf.Create(path), plane, width, height));
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Keeps_a_constant_plane_constant_but_for_the_last_columns(SimdPath path)
    {
        var rows = Run(CubicHalf.Create(path), TestPlanes.Constant(130, 20, 77), 130, 20);
        Assert.All(rows.Where((_, i) => i % 65 < 64), value => Assert.Equal(rows[0], value));
        Assert.All(rows, value => Assert.Equal(77 / 255.0, value, 1e-6));
    }

    private static float[] Run(CubicHalf half, byte[] plane, int width, int height)
    {
        var rows = new List<float>();
        half.Begin(width, height);
        for (var y = 0; y < height; y++)
        {
            half.AddRow(plane.AsSpan(y * width, width));
            while (half.TryTakeRow(out var row))
                rows.AddRange(row);
        }
        return [.. rows];
    }
}
