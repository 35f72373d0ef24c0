using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pristine.Kernels;

/// <summary>
/// C += A^T B for matrices in rows: element (i, j) gets the dot product of column i of A and column j of B. Rows are added one after
/// another wherever an element stands, so results do not depend on how the rows are cut into calls. Paths differ by rounding alone.
/// </summary>
internal static class ColumnProducts
{
    /// <summary>Rows added to an element while it is in a register: their factors and the element fit into 16 registers.</summary>
    private const int TileRows = 8;

    /// <summary>Columns taken at once: the rows of a tile, and the same columns of C, stay in the first-level cache.</summary>
    private const int Panel = 256;

    /// <summary>Adds the product; A and B have the same number of rows, C has a row per column of A and B's columns.</summary>
    /// <exception cref="ArgumentException">Sizes do not fit.</exception>
    public static void Add(MatrixView a, MatrixView b, MatrixView c, SimdPath path)
    {
        a.Check();
        b.Check();
        c.Check();
        if (a.Rows != b.Rows || c.Rows != a.Columns || c.Columns != b.Columns)
            throw new ArgumentException(
                $"Expected C of {a.Columns} x {b.Columns} and B of {a.Rows} rows; found {c.Rows} x {c.Columns} and {b.Rows}.");
        // From here on nothing checks bounds.
        for (var first = 0; first < b.Columns; first += Panel)
        {
            var columns = Math.Min(Panel, b.Columns - first);
            switch (path)
            {
                case SimdPath.Vector512:
                    AddPanel<EightDoubles>(a, b, first, columns, c);
                    break;
                case SimdPath.Vector256:
                    AddPanel<FourDoubles>(a, b, first, columns, c);
                    break;
                case SimdPath.Vector128:
                    AddPanel<TwoDoubles>(a, b, first, columns, c);
                    break;
                default:
                    AddPanel<OneDouble>(a, b, first, columns, c);
                    break;
            }
        }
    }

    private static void AddPanel<TLanes>(MatrixView a, MatrixView b, int first, int columns, MatrixView c)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var left = ref MemoryMarshal.GetReference(a.Values);
        ref var right = ref MemoryMarshal.GetReference(b.Values);
        ref var output = ref MemoryMarshal.GetReference(c.Values);
        var row = 0;
        for (; row <= a.Rows - TileRows; row += TileRows)
            for (var i = 0; i < a.Columns; i++)
                AddTile<TLanes>(
                    ref Unsafe.Add(ref left, (nint)row * a.Stride + i), a.Stride, ref Unsafe.Add(ref right, (nint)row * b.Stride + first),
                    b.Stride, columns,
                    ref Unsafe.Add(ref output, (nint)i * c.Stride + first));
        for (; row < a.Rows; row++)
            for (var i = 0; i < a.Columns; i++)
                AddRow<TLanes>(
                    Unsafe.Add(ref left, (nint)row * a.Stride + i), ref Unsafe.Add(ref right, (nint)row * b.Stride + first), columns,
                    ref Unsafe.Add(ref output, (nint)i * c.Stride + first));
    }

    /// <summary>Eight rows at once, so that an element is loaded and stored once for eight products.</summary>
    private static void AddTile<TLanes>(ref double a, int aStride, ref double b, int bStride, int columns, ref double c)
        where TLanes : struct, IDoubleLanes<TLanes>
    {
        var a0 = TLanes.Broadcast(a);
        var a1 = TLanes.Broadcast(Unsafe.Add(ref a, aStride));
        var a2 = TLanes.Broadcast(Unsafe.Add(ref a, 2 * (nint)aStride));
        var a3 = TLanes.Broadcast(Unsafe.Add(ref a, 3 * (nint)aStride));
        var a4 = TLanes.Broadcast(Unsafe.Add(ref a, 4 * (nint)aStride));
        var a5 = TLanes.Broadcast(Unsafe.Add(ref a, 5 * (nint)aStride));
        var a6 = TLanes.Broadcast(Unsafe.Add(ref a, 6 * (nint)aStride));
        var a7 = TLanes.Broadcast(Unsafe.Add(ref a, 7 * (nint)aStride));
        ref var b1 = ref Unsafe.Add(ref b, bStride);
        ref var b2 = ref Unsafe.Add(ref b1, bStride);
        ref var b3 = ref Unsafe.Add(ref b2, bStride);
        ref var b4 = ref Unsafe.Add(ref b3, bStride);
        ref var b5 = ref Unsafe.Add(ref b4, bStride);
        ref var b6 = ref Unsafe.Add(ref b5, bStride);
        ref var b7 = ref Unsafe.Add(ref b6, bStride);
        var j = 0;
        for (; j <= columns - TLanes.Count; j += TLanes.Count)
        {
            var sum = TLanes.MultiplyAdd(a0, TLanes.Load(ref b, j), TLanes.Load(ref c, j));
            sum = TLanes.MultiplyAdd(a1, TLanes.Load(ref b1, j), sum);
            sum = TLanes.MultiplyAdd(a2, TLanes.Load(ref b2, j), sum);
            sum = TLanes.MultiplyAdd(a3, TLanes.Load(ref b3, j), sum);
            sum = TLanes.MultiplyAdd(a4, TLanes.Load(ref b4, j), sum);
            sum = TLanes.MultiplyAdd(a5, TLanes.Load(ref b5, j), sum);
            sum = TLanes.MultiplyAdd(a6, TLanes.Load(ref b6, j), sum);
            TLanes.MultiplyAdd(a7, TLanes.Load(ref b7, j), sum).Store(ref c, j);
        }
        // The columns that fill no vector.
        for (; j < columns; j++)
            for (var row = 0; row < TileRows; row++)
                Unsafe.Add(ref c, j) = double.MultiplyAddEstimate(
                    Unsafe.Add(ref a, row * (nint)aStride), Unsafe.Add(ref b, row * (nint)bStride + j), Unsafe.Add(ref c, j));
    }

    private static void AddRow<TLanes>(double a, ref double b, int columns, ref double c) where TLanes : struct, IDoubleLanes<TLanes>
    {
        var factor = TLanes.Broadcast(a);
        var j = 0;
        for (; j <= columns - TLanes.Count; j += TLanes.Count)
            TLanes.MultiplyAdd(factor, TLanes.Load(ref b, j), TLanes.Load(ref c, j)).Store(ref c, j);
        for (; j < columns; j++)
            Unsafe.Add(ref c, j) = double.MultiplyAddEstimate(a, Unsafe.Add(ref b, j), Unsafe.Add(ref c, j));
    }
}
