using System.Runtime.Intrinsics;
using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

/// <summary>The product and sum in one rounding that processors without such an instruction compute in doubles.</summary>
[Trait("kind", "kernel")]
public class FusedInDoublesTests
{
    private const int Rounds = 200_000;

    private static readonly float[] Special =
    [
        0f, -0f, 1f, -1f, float.Epsilon, -float.Epsilon, 1e-38f, 1e38f, -1e38f, float.MaxValue, float.MinValue, 0.1f, 3f, 1.0000001f,
        0.99999994f,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    [Fact]
    public void It_has_the_bits_of_the_library_function_also_at_ties_and_extremes()
    {
        var random = new Random(7);
        var (a, b, c) = (new float[4], new float[4], new float[4]);
        for (var round = 0; round < Rounds; round++)
        {
            for (var lane = 0; lane < 4; lane++)
            {
                (a[lane], b[lane]) = (Pick(random), Pick(random));
                var product = a[lane] * b[lane];
                c[lane] = random.Next(3) switch
                {
                    // The sum nearly vanishes: what is left is the product's rounding error.
                    0 => -product * (1 + random.Next(-2, 3) * 1e-7f),
                    // The exact sum lies at, or close to, the middle between two floats.
                    1 => BitConverter.Int32BitsToSingle(
                        BitConverter.SingleToInt32Bits(product) + random.Next(-3, 4)) * (1 << random.Next(26)),
                    _ => Pick(random),
                };
            }
            var found = FusedInDoubles.MultiplyAdd(Vector128.Create(a), Vector128.Create(b), Vector128.Create(c));
            for (var lane = 0; lane < 4; lane++)
            {
                var expected = MathF.FusedMultiplyAdd(a[lane], b[lane], c[lane]);
                Assert.True(
                    BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(found[lane])
                        || (float.IsNaN(expected) && float.IsNaN(found[lane])),
                    $"{a[lane]:R} x {b[lane]:R} + {c[lane]:R}: expected {expected:R}; found {found[lane]:R}.");
            }
        }
    }

    private static float Pick(Random random) => random.Next(6) switch
    {
        0 => Special[random.Next(Special.Length)],
        1 => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)),
        2 => random.Next(-4096, 4096) / 16f,
        _ => (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-20, 20))),
    };
}
