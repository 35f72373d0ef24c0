using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Pristine.Kernels;

/// <summary>Mean and variance of an 8-bit plane in one pass.</summary>
internal static class PlaneMoments
{
    // One step adds at most 2 x 255^2 = 130,050 to a 32-bit lane, which holds 16,512 such steps.
    private const int StepsPerBlock = 16_000;

    /// <summary>Measures a plane of any length.</summary>
    /// <param name="plane">Values 0..255.</param>
    /// <returns>Exact moments; the same on every path.</returns>
    public static Moments Measure(ReadOnlySpan<byte> plane) => Measure(plane, Simd.Current);

    internal static Moments Measure(ReadOnlySpan<byte> plane, SimdPath path) => path switch
    {
        SimdPath.Scalar => MeasureScalar(plane),
        SimdPath.Vector128 => Measure<EightShorts, Vector128<int>>(plane),
        // 512-bit vectors gain nothing beside the cost of decoding the pixels.
        _ => Measure<SixteenShorts, Vector256<int>>(plane),
    };

    private static Moments Measure<V, TSums>(ReadOnlySpan<byte> plane)
        where V : struct, IShortLanes<V, TSums>
        where TSums : struct
    {
        var moments = default(Moments);
        while (plane.Length >= V.Count)
        {
            var length = Math.Min(plane.Length - plane.Length % V.Count, StepsPerBlock * V.Count);
            var (sums, squares) = (default(TSums), default(TSums));
            ref var first = ref MemoryMarshal.GetReference(plane);
            for (var i = 0; i < length; i += V.Count)
            {
                var values = V.Load(ref first, i);
                sums = V.AddProducts(sums, values, V.One);
                squares = V.AddProducts(squares, values, values);
            }
            moments += new Moments(length, V.Total(sums), V.Total(squares));
            plane = plane[length..];
        }
        return moments + MeasureScalar(plane);
    }

    private static Moments MeasureScalar(ReadOnlySpan<byte> plane)
    {
        long sum = 0, squares = 0;
        foreach (var value in plane)
        {
            sum += value;
            squares += value * value;
        }
        return new Moments(plane.Length, sum, squares);
    }
}
