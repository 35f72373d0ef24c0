using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Pristine.Kernels;

/// <summary>
/// The sum of |I * N| over the pixels inside an 8-bit plane, with N = [1 -2 1; -2 4 -2; 1 -2 1]. A response is an integer within ±2040.
/// </summary>
internal static class NoiseResponse
{
    // One step adds at most 2 x 2040 to a 32-bit lane, which holds 526,344 such steps, of 8 pixels at least.
    private const int LongestRow = 8 * 500_000;

    /// <summary>Sums over all pixels but the outermost.</summary>
    /// <param name="plane">Values 0..255, row by row without padding.</param>
    /// <param name="width">Pixels across, at least 3.</param>
    /// <param name="height">Pixels down, at least 3.</param>
    /// <returns>The exact sum; the same on every path.</returns>
    public static long Sum(ReadOnlySpan<byte> plane, int width, int height) => Sum(plane, width, height, Simd.Current);

    internal static long Sum(ReadOnlySpan<byte> plane, int width, int height, SimdPath path)
    {
        var sum = 0L;
        for (var y = 1; y < height - 1; y++)
            sum += SumRow(plane.Slice((y - 1) * width, width), plane.Slice(y * width, width), plane.Slice((y + 1) * width, width), path);
        return sum;
    }

    private static long SumRow(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, SimdPath path)
    {
        var (x, sum) = (1, 0L);
        if (path == SimdPath.Vector128 && row.Length <= LongestRow)
            sum = SumRow<EightShorts, Vector128<int>>(above, row, below, ref x);
        else if (path != SimdPath.Scalar && row.Length <= LongestRow)
            sum = SumRow<SixteenShorts, Vector256<int>>(above, row, below, ref x);
        for (; x < row.Length - 1; x++)
        {
            var response = Column(above[x - 1], row[x - 1], below[x - 1]) - 2 * Column(above[x], row[x], below[x]) + Column(
                above[x + 1], row[x + 1], below[x + 1]);
            sum += response < 0 ? -response : response;
        }
        return sum;
    }

    /// <summary>
    /// As many pixels as whole vectors cover: second differences down three columns, then across them. 16-bit integers hold both.
    /// </summary>
    private static long SumRow<V, TSums>(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, ref int x)
        where V : struct, IShortLanes<V, TSums>
        where TSums : struct
    {
        var sums = default(TSums);
        ref var up = ref MemoryMarshal.GetReference(above[..row.Length]);
        ref var middle = ref MemoryMarshal.GetReference(row);
        ref var down = ref MemoryMarshal.GetReference(below[..row.Length]);
        for (; x <= row.Length - 1 - V.Count; x += V.Count)
        {
            var response = Column<V,
            TSums>(ref up, ref middle, ref down, x - 1) - V.Twice(Column<V, TSums>(ref up, ref middle, ref down, x))
                + Column<V, TSums>(ref up, ref middle, ref down, x + 1);
            sums = V.AddProducts(sums, V.Abs(response), V.One);
        }
        return V.Total(sums);
    }

    private static int Column(int above, int middle, int below) => above - 2 * middle + below;

    private static V Column<V, TSums>(ref byte above, ref byte middle, ref byte below, int x)
        where V : struct, IShortLanes<V, TSums>
        where TSums : struct => V.Load(ref above, x) - V.Twice(V.Load(ref middle, x)) + V.Load(ref below, x);
}
