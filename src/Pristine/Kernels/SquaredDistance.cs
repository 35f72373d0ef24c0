using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>Squared Euclidean distance of two vectors in double precision: sum of (a_i - b_i)^2. Paths differ by rounding alone.</summary>
internal static class SquaredDistance
{
    /// <summary>The distance; both vectors have the same length.</summary>
    public static double Between(ReadOnlySpan<double> a, ReadOnlySpan<double> b, SimdPath path)
    {
        // The only guard of what follows: from here on nothing checks bounds.
        b = b[..a.Length];
        var sum = 0.0;
        var tail = path switch
        {
            SimdPath.Vector512 => Add<EightDoubles>(a, b, 0, ref sum),
            SimdPath.Vector256 => Add<FourDoubles>(a, b, 0, ref sum),
            SimdPath.Vector128 => Add<TwoDoubles>(a, b, 0, ref sum),
            _ => 0,
        };
        Add<OneDouble>(a, b, tail, ref sum);
        return sum;
    }

    private static int Add<TLanes>(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int i, ref double sum)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var left = ref MemoryMarshal.GetReference(a);
        ref var right = ref MemoryMarshal.GetReference(b);
        TLanes sums = default;
        for (var end = a.Length - TLanes.Count; i <= end; i += TLanes.Count)
        {
            var difference = TLanes.Load(ref left, i) - TLanes.Load(ref right, i);
            sums = TLanes.MultiplyAdd(difference, difference, sums);
        }
        sum += sums.Sum();
        return i;
    }
}
