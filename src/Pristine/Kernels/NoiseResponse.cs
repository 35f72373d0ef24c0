using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>The sum of |I * N| over the pixels inside an 8-bit plane, with N = [1 -2 1; -2 4 -2; 1 -2 1]. A response is an integer within ±2040.</summary>
internal static class NoiseResponse
{
    private const int Lanes = 16;

    // One step adds at most 2 x 2040 to a 32-bit lane, which holds 526,344 such steps: rows of 8 million pixels.
    private const int LongestRow = Lanes * 500_000;

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
        if (path >= SimdPath.Vector256 && row.Length <= LongestRow)
        {
            // Second differences down three columns, then across them: 16-bit integers hold both.
            var sums = Vector256<int>.Zero;
            for (; x <= row.Length - 1 - Lanes; x += Lanes)
            {
                var response = Column(above, row, below, x - 1) - (Column(above, row, below, x) << 1) + Column(above, row, below, x + 1);
                sums += Avx2.MultiplyAddAdjacent(Vector256.Abs(response), Vector256<short>.One);
            }
            var (low, high) = Vector256.Widen(sums);
            sum = Vector256.Sum(low + high);
        }
        for (; x < row.Length - 1; x++)
        {
            var response = Column(above[x - 1], row[x - 1], below[x - 1]) - 2 * Column(above[x], row[x], below[x]) + Column(above[x + 1], row[x + 1], below[x + 1]);
            sum += response < 0 ? -response : response;
        }
        return sum;
    }

    private static int Column(int above, int middle, int below) => above - 2 * middle + below;

    private static Vector256<short> Column(ReadOnlySpan<byte> above, ReadOnlySpan<byte> row, ReadOnlySpan<byte> below, int x) =>
        Load(above, x) - (Load(row, x) << 1) + Load(below, x);

    private static Vector256<short> Load(ReadOnlySpan<byte> row, int x) => Avx2.ConvertToVector256Int16(Vector128.Create(row.Slice(x, Lanes)));
}
