using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>A matrix of doubles, row by row: element (i, j) stands at i x stride + j.</summary>
/// <param name="values">The memory from element (0, 0) on.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns, at most the stride.</param>
/// <param name="stride">Elements from row to row.</param>
internal readonly ref struct MatrixView(Span<double> values, int rows, int columns, int stride)
{
    public readonly Span<double> Values = values;
    public readonly int Rows = rows;
    public readonly int Columns = columns;
    public readonly int Stride = stride;

    /// <summary>A rectangle of it.</summary>
    public MatrixView Slice(int row, int column, int rows, int columns) =>
        new(Values[Math.Min(checked(row * Stride + column), Values.Length)..], rows, columns, Stride);

    /// <summary>Throws unless all elements lie inside the memory.</summary>
    public void Check()
    {
        if (Rows < 0 || Columns < 0 || Columns > Stride || (Rows > 0 && (long)(Rows - 1) * Stride + Columns > Values.Length))
            throw new ArgumentException($"Expected {Rows} rows of {Columns}, {Stride} apart, within {Values.Length} values.");
    }
}

/// <summary>
/// C += factor x A B^T for matrices in rows: element (i, j) gets factor times the dot product of row i of A and row j of B. Every dot
/// product is summed in the same order wherever it stands, so results do not depend on how a product is cut into blocks of rows. Paths
/// differ by rounding alone.
/// </summary>
internal static class RowProducts
{
    /// <summary>The lanes of a tile of 4 rows by 2 fit into 16 registers, and its eight sums hide the latency of multiply-add.</summary>
    private const int TileRows = 4;

    /// <summary>Columns taken at once: the rows of a tile stay in the first-level cache.</summary>
    private const int Panel = 256;

    /// <summary>Adds the product; A and B have the same number of columns, C has A's rows and a column per row of B.</summary>
    /// <exception cref="ArgumentException">Sizes do not fit.</exception>
    public static void Add(MatrixView a, MatrixView b, double factor, MatrixView c, SimdPath path)
    {
        a.Check();
        b.Check();
        c.Check();
        if (a.Columns != b.Columns || c.Rows != a.Rows || c.Columns != b.Rows)
            throw new ArgumentException(
                $"Expected C of {a.Rows} x {b.Rows} and B of {a.Columns} columns; found {c.Rows} x {c.Columns} and {b.Columns}.");
        // From here on nothing checks bounds.
        for (var first = 0; first < a.Columns; first += Panel)
        {
            var columns = Math.Min(Panel, a.Columns - first);
            switch (path)
            {
                case SimdPath.Vector512:
                    AddPanel<EightDoubles>(a, b, first, columns, factor, c);
                    break;
                case SimdPath.Vector256:
                    AddPanel<FourDoubles>(a, b, first, columns, factor, c);
                    break;
                case SimdPath.Vector128:
                    AddPanel<TwoDoubles>(a, b, first, columns, factor, c);
                    break;
                default:
                    AddPanel<OneDouble>(a, b, first, columns, factor, c);
                    break;
            }
        }
    }

    private static void AddPanel<TLanes>(MatrixView a, MatrixView b, int first, int columns, double factor, MatrixView c)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var left = ref MemoryMarshal.GetReference(a.Values);
        ref var right = ref MemoryMarshal.GetReference(b.Values);
        ref var output = ref MemoryMarshal.GetReference(c.Values);
        var i = 0;
        for (; i <= a.Rows - TileRows; i += TileRows)
        {
            var j = 0;
            for (; j <= b.Rows - 2; j += 2)
                AddTile<TLanes>(
                    ref Unsafe.Add(ref left, (nint)i * a.Stride + first), a.Stride, ref Unsafe.Add(ref right, (nint)j * b.Stride + first),
                    b.Stride, columns,
                    factor, ref Unsafe.Add(ref output, (nint)i * c.Stride + j), c.Stride);
            for (; j < b.Rows; j++)
                for (var row = i; row < i + TileRows; row++)
                    AddElement<TLanes>(
                        ref Unsafe.Add(ref left, (nint)row * a.Stride + first), ref Unsafe.Add(ref right, (nint)j * b.Stride + first),
                        columns,
                        factor, ref Unsafe.Add(ref output, (nint)row * c.Stride + j));
        }
        for (; i < a.Rows; i++)
            for (var j = 0; j < b.Rows; j++)
                AddElement<TLanes>(
                    ref Unsafe.Add(ref left, (nint)i * a.Stride + first), ref Unsafe.Add(ref right, (nint)j * b.Stride + first), columns,
                    factor, ref Unsafe.Add(ref output, (nint)i * c.Stride + j));
    }

    private static void AddTile<TLanes>(
        ref double a, int aStride, ref double b, int bStride, int columns, double factor, ref double c, int cStride)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        TLanes s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        ref var a1 = ref Unsafe.Add(ref a, aStride);
        ref var a2 = ref Unsafe.Add(ref a, 2 * (nint)aStride);
        ref var a3 = ref Unsafe.Add(ref a, 3 * (nint)aStride);
        ref var b1 = ref Unsafe.Add(ref b, bStride);
        var k = 0;
        for (; k <= columns - TLanes.Count; k += TLanes.Count)
        {
            TLanes x0 = TLanes.Load(ref b, k), x1 = TLanes.Load(ref b1, k);
            var y = TLanes.Load(ref a, k);
            s00 = TLanes.MultiplyAdd(y, x0, s00);
            s01 = TLanes.MultiplyAdd(y, x1, s01);
            y = TLanes.Load(ref a1, k);
            s10 = TLanes.MultiplyAdd(y, x0, s10);
            s11 = TLanes.MultiplyAdd(y, x1, s11);
            y = TLanes.Load(ref a2, k);
            s20 = TLanes.MultiplyAdd(y, x0, s20);
            s21 = TLanes.MultiplyAdd(y, x1, s21);
            y = TLanes.Load(ref a3, k);
            s30 = TLanes.MultiplyAdd(y, x0, s30);
            s31 = TLanes.MultiplyAdd(y, x1, s31);
        }
        c += factor * Rest(s00.Sum(), ref a, ref b, k, columns);
        Unsafe.Add(ref c, 1) += factor * Rest(s01.Sum(), ref a, ref b1, k, columns);
        c = ref Unsafe.Add(ref c, cStride);
        c += factor * Rest(s10.Sum(), ref a1, ref b, k, columns);
        Unsafe.Add(ref c, 1) += factor * Rest(s11.Sum(), ref a1, ref b1, k, columns);
        c = ref Unsafe.Add(ref c, cStride);
        c += factor * Rest(s20.Sum(), ref a2, ref b, k, columns);
        Unsafe.Add(ref c, 1) += factor * Rest(s21.Sum(), ref a2, ref b1, k, columns);
        c = ref Unsafe.Add(ref c, cStride);
        c += factor * Rest(s30.Sum(), ref a3, ref b, k, columns);
        Unsafe.Add(ref c, 1) += factor * Rest(s31.Sum(), ref a3, ref b1, k, columns);
    }

    private static void AddElement<TLanes>(ref double a, ref double b, int columns, double factor, ref double c)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        TLanes sum = default;
        var k = 0;
        for (; k <= columns - TLanes.Count; k += TLanes.Count)
            sum = TLanes.MultiplyAdd(TLanes.Load(ref a, k), TLanes.Load(ref b, k), sum);
        c += factor * Rest(sum.Sum(), ref a, ref b, k, columns);
    }

    /// <summary>The columns that fill no vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Rest(double sum, ref double a, ref double b, int k, int columns)
    {
        for (; k < columns; k++)
            sum = double.MultiplyAddEstimate(Unsafe.Add(ref a, k), Unsafe.Add(ref b, k), sum);
        return sum;
    }
}
