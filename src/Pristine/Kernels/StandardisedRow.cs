using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>
/// Standardises a row of features: output_k = (row_k - mean_k) x factor_k in double precision, where the factor is one over the deviation.
/// All paths give the same bits: no two operations are contracted into one.
/// </summary>
internal static class StandardisedRow
{
    /// <summary>Writes the row; all four have the same length.</summary>
    /// <exception cref="ArgumentException">Lengths differ.</exception>
    public static void Write(
        ReadOnlySpan<float> row, ReadOnlySpan<double> means, ReadOnlySpan<double> factors, Span<double> output, SimdPath path)
    {
        if (means.Length != row.Length || factors.Length != row.Length || output.Length != row.Length)
            throw new ArgumentException(
                $"Expected {row.Length} means, factors and outputs; found {means.Length}, {factors.Length} and {output.Length}.",
                nameof(row));
        // From here on nothing checks bounds.
        var tail = path switch
        {
            SimdPath.Vector512 => Write<EightDoubles>(row, means, factors, output, 0),
            SimdPath.Vector256 => Write<FourDoubles>(row, means, factors, output, 0),
            SimdPath.Vector128 => Write<TwoDoubles>(row, means, factors, output, 0),
            _ => 0,
        };
        Write<OneDouble>(row, means, factors, output, tail);
    }

    private static int Write<TLanes>(
        ReadOnlySpan<float> row, ReadOnlySpan<double> means, ReadOnlySpan<double> factors, Span<double> output, int k)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var source = ref MemoryMarshal.GetReference(row);
        ref var mean = ref MemoryMarshal.GetReference(means);
        ref var factor = ref MemoryMarshal.GetReference(factors);
        ref var target = ref MemoryMarshal.GetReference(output);
        for (var end = row.Length - TLanes.Count; k <= end; k += TLanes.Count)
            ((TLanes.Load(ref source, k) - TLanes.Load(ref mean, k)) * TLanes.Load(ref factor, k)).Store(ref target, k);
        return k;
    }
}
