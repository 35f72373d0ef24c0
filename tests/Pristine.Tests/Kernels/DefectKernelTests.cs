using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public sealed class DefectKernelTests
{
    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Absolute_steps_are_exact_at_every_length(SimdPath path)
    {
        var random = new Random(2);
        for (var length = 0; length <= 200; length++)
        {
            byte[] a = new byte[length], b = new byte[length];
            random.NextBytes(a);
            random.NextBytes(b);
            if (length % 3 == 0)
                (a, b) = ([.. a.Select(v => (byte)(v > 127 ? 255 : 0))], [.. b.Select(v => (byte)(v > 127 ? 255 : 0))]);
            Assert.Equal(a.Zip(b).Sum(pair => Math.Abs((long)pair.First - pair.Second)), AbsoluteSteps.Sum(a, b, path));
        }
        Assert.Equal(255L * 100_000, AbsoluteSteps.Sum(new byte[100_000], [.. Enumerable.Repeat((byte)255, 100_000)], path));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Noise_responses_are_exact_at_every_width(SimdPath path)
    {
        int[] mask = [1, -2, 1, -2, 4, -2, 1, -2, 1];
        for (var width = 3; width <= 70; width++)
            foreach (var (name, plane) in TestPlanes.Extreme(width, 5))
            {
                var expected = 0L;
                for (var y = 1; y < 4; y++)
                    for (var x = 1; x < width - 1; x++)
                        expected += Math.Abs(Enumerable.Range(0, 9).Sum(i => mask[i] * plane[(y + i / 3 - 1) * width + x + i % 3 - 1]));
                Assert.True(expected == NoiseResponse.Sum(plane, width, 5, path), $"{name}, {width}");
            }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void The_largest_response_fits(SimdPath path)
    {
        // Columns of a checkerboard: every response is 4 x 255 + 4 x 255 = 2040.
        const int Width = 300_002;
        var plane = Enumerable.Range(0, 3 * Width).Select(i => (byte)((i % Width + i / Width) % 2 * 255)).ToArray();
        Assert.Equal(2040L * (Width - 2), NoiseResponse.Sum(plane, Width, 3, path));
    }
}
