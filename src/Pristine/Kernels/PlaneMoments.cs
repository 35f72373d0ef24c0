using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>Mean and variance of an 8-bit plane in one pass.</summary>
internal static class PlaneMoments
{
    private const int Lanes = 32;

    // One step adds at most 4 x 255^2 = 260,100 to a 32-bit lane, which holds 8,256 such steps.
    private const int BlockLength = 8000 * Lanes;

    /// <summary>Measures a plane of any length.</summary>
    /// <param name="plane">Values 0..255.</param>
    /// <returns>Exact moments; the same on every path.</returns>
    public static Moments Measure(ReadOnlySpan<byte> plane) => Measure(plane, Simd.Current);

    internal static Moments Measure(ReadOnlySpan<byte> plane, SimdPath path)
    {
        if (path < SimdPath.Vector256)
            return MeasureScalar(plane);
        var moments = default(Moments);
        while (plane.Length >= Lanes)
        {
            var length = Math.Min(plane.Length - plane.Length % Lanes, BlockLength);
            moments += MeasureBlock(plane[..length]);
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

    /// <summary>A multiple of 32 values. 512-bit vectors gain nothing beside the cost of decoding the pixels, so both SIMD paths end here.</summary>
    private static Moments MeasureBlock(ReadOnlySpan<byte> block)
    {
        var sums = Vector256<int>.Zero;
        var squares = Vector256<int>.Zero;
        for (var i = 0; i < block.Length; i += Lanes)
        {
            var values = Vector256.Create(block.Slice(i, Lanes));
            // psadbw against zero: each 64-bit lane gets the sum of its 8 bytes, so the upper 32 bits stay zero.
            sums += Avx2.SumAbsoluteDifferences(values, Vector256<byte>.Zero).AsInt32();
            var low = Vector256.WidenLower(values).AsInt16();
            var high = Vector256.WidenUpper(values).AsInt16();
            squares += Avx2.MultiplyAddAdjacent(low, low) + Avx2.MultiplyAddAdjacent(high, high);
        }
        return Moments.FromLanes(block.Length, sums, squares);
    }
}
