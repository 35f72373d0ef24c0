using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>
/// Sums of a plane over a square grid of cells of equal size, with the shares of pixels that two cells divide: area averages before the
/// division. Lengths are counted in parts, so shares are whole numbers: a pixel has as many parts along an axis as the grid has cells
/// there, a cell as many parts as the plane has pixels.
/// </summary>
/// <param name="cells">Cells on each side, at least 1.</param>
internal sealed class AreaSums(int cells)
{
    private const int Lanes = 8;

    /// <summary>After so many rows the sums of columns are emptied: a column holds at most 255 times the cells times this.</summary>
    private const int MostRows = 1 << 16;

    private uint[] _columns = [];

    /// <summary>Sums a plane. The mean of a cell is its sum divided by the number of pixels of the plane.</summary>
    /// <param name="plane">Values 0..255, row by row without padding.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="sums">Receives the sums of the cells, row by row; exact, the same on every path.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public void Measure(ReadOnlySpan<byte> plane, int width, int height, Span<long> sums) =>
        Measure(plane, width, height, sums, Simd.Current);

    internal void Measure(ReadOnlySpan<byte> plane, int width, int height, Span<long> sums, SimdPath path)
    {
        if (plane.Length != (long)width * height)
            throw new ArgumentException($"Expected {(long)width * height} values; found {plane.Length}.", nameof(plane));
        if (sums.Length != cells * cells)
            throw new ArgumentException($"Expected {cells * cells} sums; found {sums.Length}.", nameof(sums));
        if (_columns.Length < width)
            _columns = new uint[width];
        var columns = _columns.AsSpan(0, width);
        columns.Clear();
        sums.Clear();
        var (target, room, rows) = (0, height, 0);
        for (var y = 0; y < height; y++)
        {
            var row = plane.Slice(y * width, width);
            for (var parts = cells; parts > 0;)
            {
                var share = Math.Min(parts, room);
                AddRow(row, (uint)share, columns, path);
                (parts, room) = (parts - share, room - share);
                if (room > 0 && ++rows < MostRows)
                    continue;
                SumColumns(columns, sums.Slice(target * cells, cells));
                columns.Clear();
                rows = 0;
                if (room == 0)
                    (target, room) = (target + 1, height);
            }
        }
    }

    /// <summary>Adds a row times its parts.</summary>
    private static void AddRow(ReadOnlySpan<byte> row, uint parts, Span<uint> columns, SimdPath path)
    {
        var x = 0;
        if (path >= SimdPath.Vector256)
        {
            for (; x <= row.Length - Lanes; x += Lanes)
            {
                var bytes = Vector128.CreateScalarUnsafe(MemoryMarshal.Read<ulong>(row.Slice(x, Lanes))).AsByte();
                var target = columns.Slice(x, Lanes);
                (Vector256.Create<uint>(target) + Avx2.ConvertToVector256Int32(bytes).AsUInt32() * Vector256.Create(parts)).CopyTo(target);
            }
        }
        else if (path == SimdPath.Vector128)
        {
            for (; x <= row.Length - Lanes; x += Lanes)
            {
                var bytes = Vector128.CreateScalar(MemoryMarshal.Read<ulong>(row.Slice(x, Lanes))).AsByte();
                var (low, high) = Vector128.Widen(Vector128.WidenLower(bytes));
                var first = columns.Slice(x, Lanes / 2);
                var second = columns.Slice(x + Lanes / 2, Lanes / 2);
                (Vector128.Create<uint>(first) + low * parts).CopyTo(first);
                (Vector128.Create<uint>(second) + high * parts).CopyTo(second);
            }
        }
        for (; x < row.Length; x++)
            columns[x] += parts * row[x];
    }

    /// <summary>Adds what has been summed to the cells of a row of the grid.</summary>
    private void SumColumns(ReadOnlySpan<uint> columns, Span<long> sums)
    {
        var (target, room, sum) = (0, columns.Length, 0L);
        foreach (var column in columns)
        {
            for (var parts = cells; parts > 0;)
            {
                var share = Math.Min(parts, room);
                sum += (long)column * share;
                (parts, room) = (parts - share, room - share);
                if (room > 0)
                    continue;
                sums[target++] += sum;
                (room, sum) = (columns.Length, 0);
            }
        }
    }
}
