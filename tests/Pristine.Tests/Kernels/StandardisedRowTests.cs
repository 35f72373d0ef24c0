using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public sealed class StandardisedRowTests
{
    [Fact]
    public void Is_the_formula_bit_for_bit_on_every_path_and_length()
    {
        var random = new Random(1);
        for (var length = 0; length < 70; length++)
        {
            float[] row = [.. Enumerable.Range(0, length).Select(_ => (float)(1e3 * random.NextDouble()))];
            double[] means = [.. row.Select(_ => 1e3 * random.NextDouble())];
            double[] factors = [.. row.Select((_, k) => k % 5 == 0 ? 0 : random.NextDouble())];
            double[] expected = [.. row.Select((value, k) => (value - means[k]) * factors[k])];
            foreach (var path in Simd.Supported)
            {
                var output = new double[length];
                StandardisedRow.Write(row, means, factors, output, path);
                Assert.Equal(expected, output);
            }
        }
    }

    [Fact]
    public void Lengths_are_checked() =>
        Assert.Throws<ArgumentException>(
            () => StandardisedRow.Write(new float[3], new double[3], new double[2], new double[3], SimdPath.Scalar));
}
