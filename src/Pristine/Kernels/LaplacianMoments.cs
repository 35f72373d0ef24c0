using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Pristine.Kernels;

/// <summary>
/// Mean and variance of the Laplacian of an 8-bit plane in one pass, without storing it. The kernel is
/// [0 1 0; 1 -4 1; 0 1 0]; outside the plane pixels are mirrored without repeating the edge (OpenCV's BORDER_REFLECT_101), and a side
/// of one pixel mirrors onto itself. A response is an integer within ±1020.
/// </summary>
internal static class LaplacianMoments
{
    // One step adds at most 2 x 1020^2 = 2,080,800 to a 32-bit lane, which holds 1,032 such steps; the narrowest vectors take 8 columns a
    // step.
    private const int BlockLength = 1024 * 8;

    /// <summary>Measures a plane.</summary>
    /// <param name="plane">Values 0..255, row by row without padding.</param>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <returns>Exact moments of width x height responses; the same on every path.</returns>
    public static Moments Measure(ReadOnlySpan<byte> plane, int width, int height) => Measure(plane, width, height, Simd.Current);

    internal static Moments Measure(ReadOnlySpan<byte> plane, int width, int height, SimdPath path)
    {
        var moments = default(Moments);
        for (var y = 0; y < height; y++)
        {
            var above = plane.Slice(Mirror(y - 1, height) * width, width);
            var below = plane.Slice(Mirror(y + 1, height) * width, width);
            moments += MeasureRow(above, plane.Slice(y * width, width), below, path);
        }
        return moments;
    }

    private static Moments MeasureRow(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, SimdPath path)
    {
        var last = row.Length - 1;
        var moments = MeasureEdge(above, row, below, 0);
        for (var from = 1; from < last; from += BlockLength)
        {
            var to = Math.Min(last, from + BlockLength);
            moments += path switch
            {
                SimdPath.Scalar => MeasureScalar(above, row, below, from, to),
                SimdPath.Vector128 => MeasureBlock<EightShorts, Vector128<int>>(above, row, below, from, to),
                // 512-bit vectors gain nothing beside the cost of decoding the pixels.
                _ => MeasureBlock<SixteenShorts, Vector256<int>>(above, row, below, from, to),
            };
        }
        return last > 0 ? moments + MeasureEdge(above, row, below, last) : moments;
    }

    private static Moments MeasureEdge(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, int x) =>
        Moments.Of(above[x] + below[x] + row[Mirror(x - 1, row.Length)] + row[Mirror(x + 1, row.Length)] - 4 * row[x]);

    private static Moments MeasureScalar(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, int from, int to)
    {
        long sum = 0, squares = 0;
        for (var x = from; x < to; x++)
        {
            var response = above[x] + below[x] + row[x - 1] + row[x + 1] - 4 * row[x];
            sum += response;
            squares += response * response;
        }
        return new Moments(to - from, sum, squares);
    }

    /// <summary>
    /// Some columns at a time as 16-bit integers, which hold a response and every intermediate sum; the rest as in
    /// <see cref="MeasureScalar"/>.
    /// </summary>
    private static Moments MeasureBlock<V,
    TSums>(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, int from, int to)
        where V : struct, IShortLanes<V, TSums>
        where TSums : struct
    {
        var (sums, squares) = (default(TSums), default(TSums));
        // One column beyond the block is read on both sides; the first and the last of a row are measured by themselves.
        ref var up = ref MemoryMarshal.GetReference(above[..to]);
        ref var down = ref MemoryMarshal.GetReference(below[..to]);
        ref var middle = ref MemoryMarshal.GetReference(row[..(to + 1)]);
        var x = from;
        for (; x <= to - V.Count; x += V.Count)
        {
            var cross = V.Load(ref up, x) + V.Load(ref down, x) + V.Load(ref middle, x - 1) + V.Load(ref middle, x + 1);
            var response = cross - V.Twice(V.Twice(V.Load(ref middle, x)));
            sums = V.AddProducts(sums, response, V.One);
            squares = V.AddProducts(squares, response, response);
        }
        return new Moments(x - from, V.Total(sums), V.Total(squares)) + MeasureScalar(above, row, below, x, to);
    }

    private static int Mirror(int i, int length)
    {
        if (length == 1)
            return 0;
        if (i < 0)
            return -i;
        return i < length ? i : 2 * (length - 1) - i;
    }
}
