using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public class RgbConvolutionTests
{
    /// <summary>
    /// Float sums of up to 400 products of 255 err by about 1e-4, which matters only where the exact value lies that close to a half.
    /// </summary>
    private const double SumTolerance = 1e-3;

    public static TheoryData<SimdPath> Paths => KernelData.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Equals_the_double_precision_sum_for_odd_sizes_and_masks(SimdPath path)
    {
        var random = new Random(3);
        var convolution = new RgbConvolution(path);
        foreach (var (width, height) in (ReadOnlySpan<(int, int)>)[(1, 1), (2, 3), (5, 1), (1, 9), (7, 7), (16, 4), (21, 12), (22, 3),
            (43, 5), (65, 9)])
        {
            foreach (var (maskWidth, maskHeight) in (ReadOnlySpan<(int, int)>)[(1, 1), (3, 1), (1, 3), (5, 3), (9, 9), (17, 21)])
            {
                var mask = Mask(random, maskWidth, maskHeight);
                using var rgb = new GuardedMemory(3 * width * height);
                using var target = new GuardedMemory(3 * width * height);
                random.NextBytes(rgb.Span);
                convolution.Apply(rgb.Span, width, height, mask, target.Span);
                var exact = Reference(rgb.Span.ToArray(), width, height, mask);
                for (var i = 0; i < exact.Length; i++)
                    Assert.True(
                        Math.Abs(target.Span[i] - exact[i]) <= 0.5 + SumTolerance,
                        $"{width}x{height}, mask {maskWidth}x{maskHeight}, byte {i}: {target.Span[i]} for {exact[i]}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_path_gives_the_bytes_of_the_scalar_path(SimdPath path)
    {
        var random = new Random(4);
        var rgb = new byte[3 * 101 * 37];
        random.NextBytes(rgb);
        var mask = Mask(random, 7, 5);
        byte[] scalar = new byte[rgb.Length], found = new byte[rgb.Length];
        new RgbConvolution(SimdPath.Scalar).Apply(rgb, 101, 37, mask, scalar);
        new RgbConvolution(path).Apply(rgb, 101, 37, mask, found);
        Assert.Equal(scalar, found);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Flat_images_stay_flat_and_extremes_do_not_wrap(SimdPath path)
    {
        var mask = Mask(new Random(5), 21, 21);
        foreach (var level in (ReadOnlySpan<byte>)[0, 1, 128, 254, 255])
        {
            var rgb = Enumerable.Repeat(level, 3 * 30 * 20).ToArray();
            var target = new byte[rgb.Length];
            new RgbConvolution(path).Apply(rgb, 30, 20, mask, target);
            Assert.Equal(rgb, target);
        }
    }

    [Fact]
    public void Sizes_that_do_not_belong_together_are_refused()
    {
        var mask = new ConvolutionMask(1, 1, [1]);
        Assert.Throws<ArgumentException>(() => new RgbConvolution(SimdPath.Scalar).Apply(new byte[11], 2, 2, mask, new byte[11]));
        Assert.Throws<ArgumentException>(() => new ConvolutionMask(2, 1, [1, 0]));
    }

    private static ConvolutionMask Mask(Random random, int width, int height)
    {
        // Some zeros, which the kernel skips.
        var weights = Enumerable.Range(0, width * height).Select(i => i > 0 && random.Next(4) == 0 ? 0 : random.NextDouble()).ToArray();
        var sum = weights.Sum();
        return new ConvolutionMask(width, height, [.. weights.Select(weight => weight / sum)]);
    }

    private static double[] Reference(byte[] rgb, int width, int height, ConvolutionMask mask)
    {
        var result = new double[rgb.Length];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var channel = 0; channel < 3; channel++)
                    for (var j = 0; j < mask.Height; j++)
                        for (var i = 0; i < mask.Width; i++)
                        {
                            var fromX = Math.Clamp(x + i - mask.Width / 2, 0, width - 1);
                            var fromY = Math.Clamp(y + j - mask.Height / 2, 0, height - 1);
                            result[3 * (y * width + x) + channel] +=
                                mask.Weights[j * mask.Width + i] * rgb[3 * (fromY * width + fromX) + channel];
                        }
        return result;
    }
}
