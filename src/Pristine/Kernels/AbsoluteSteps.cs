using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Pristine.Kernels;

/// <summary>The sum of the absolute differences of two runs of 8-bit values.</summary>
internal static class AbsoluteSteps
{
    // One step adds at most 2 x 255 to a 32-bit lane, which holds 4 million such steps.
    private const int StepsPerBlock = 1 << 20;

    /// <summary>Sums |a[i] - b[i]|.</summary>
    /// <param name="a">Values 0..255 of any length.</param>
    /// <param name="b">As many values.</param>
    /// <returns>The exact sum; the same on every path.</returns>
    public static long Sum(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => Sum(a, b, Simd.Current);

    internal static long Sum(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, SimdPath path) => path switch
    {
        SimdPath.Scalar => SumScalar(a, b),
        SimdPath.Vector128 => Sum<EightShorts, Vector128<int>>(a, b),
        _ => Sum<SixteenShorts, Vector256<int>>(a, b),
    };

    private static long Sum<V, TSums>(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
        where V : struct, IShortLanes<V, TSums>
        where TSums : struct
    {
        b = b[..a.Length];
        var sum = 0L;
        while (a.Length >= V.Count)
        {
            var length = Math.Min(a.Length - a.Length % V.Count, StepsPerBlock * V.Count);
            var sums = default(TSums);
            ref var left = ref MemoryMarshal.GetReference(a);
            ref var right = ref MemoryMarshal.GetReference(b);
            for (var i = 0; i < length; i += V.Count)
                sums = V.AddProducts(sums, V.Abs(V.Load(ref left, i) - V.Load(ref right, i)), V.One);
            sum += V.Total(sums);
            a = a[length..];
            b = b[length..];
        }
        return sum + SumScalar(a, b);
    }

    private static long SumScalar(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var sum = 0L;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
        return sum;
    }
}
