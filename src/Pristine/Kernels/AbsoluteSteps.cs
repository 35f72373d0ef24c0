using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>The sum of the absolute differences of two runs of 8-bit values.</summary>
internal static class AbsoluteSteps
{
    private const int Lanes = 32;

    /// <summary>Sums |a[i] - b[i]|.</summary>
    /// <param name="a">Values 0..255 of any length.</param>
    /// <param name="b">As many values.</param>
    /// <returns>The exact sum; the same on every path.</returns>
    public static long Sum(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => Sum(a, b, Simd.Current);

    internal static long Sum(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, SimdPath path)
    {
        var (i, sum) = (0, 0L);
        if (path >= SimdPath.Vector256)
        {
            // psadbw leaves a sum of at most 8 x 255 in each 64-bit lane.
            var sums = Vector256<long>.Zero;
            for (; i <= a.Length - Lanes; i += Lanes)
                sums += Avx2.SumAbsoluteDifferences(Vector256.Create(a.Slice(i, Lanes)), Vector256.Create(b.Slice(i, Lanes))).AsInt64();
            sum = Vector256.Sum(sums);
        }
        for (; i < a.Length; i++)
            sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
        return sum;
    }
}
