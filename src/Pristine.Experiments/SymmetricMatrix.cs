using Pristine.Kernels;

namespace Pristine.Experiments;

/// <summary>
/// The lower triangle of a symmetric matrix, row by row in a full square of memory; what stands above the diagonal is never read. Work is
/// shared among the processors, and the result does not depend on how many there are.
/// </summary>
/// <param name="size">Rows and columns.</param>
internal sealed class SymmetricMatrix(int size)
{
    /// <summary>Rows that one thread works on at a time: with a panel of columns they fit the second-level cache.</summary>
    private const int Block = 128;

    private readonly double[] _values = new double[checked(size * size)];

    /// <summary>Rows and columns.</summary>
    public int Size => size;

    /// <summary>An element of the lower triangle: the row is not above the column.</summary>
    public ref double this[int row, int column] => ref _values[row * size + column];

    /// <summary>An element, from whichever triangle.</summary>
    public double At(int i, int j) => i >= j ? this[i, j] : this[j, i];

    /// <summary>Takes over the values of another matrix of the same size, and adds a number to the diagonal.</summary>
    public void Assign(SymmetricMatrix other, double diagonal)
    {
        ForEachBlock(0, (first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                other._values.AsSpan(i * size, i + 1).CopyTo(_values.AsSpan(i * size));
                this[i, i] += diagonal;
            }
        });
    }

    /// <summary>Adds R R^T.</summary>
    /// <param name="rows">R: a row per row of this matrix, without padding.</param>
    /// <param name="columns">Columns of R.</param>
    public void AddProduct(double[] rows, int columns) => ForEachBlock(0, (first, end) =>
    {
        var left = View(rows, size, columns).Slice(first, 0, end - first, columns);
        // Up to the end of the diagonal block; the little that stands above the diagonal is not read.
        for (var other = 0; other < end; other += Block)
        {
            var right = View(rows, size, columns).Slice(other, 0, Math.Min(Block, end - other), columns);
            RowProducts.Add(left, right, 1, View(_values, size, size).Slice(first, other, left.Rows, right.Rows), Simd.Current);
        }
    });

    /// <summary>
    /// Replaces the matrix by its Cholesky factor: the lower triangular L with L L^T equal to it. Block by block of columns: subtract what
    /// the columns to the left contribute, factor the diagonal block, then solve the rows below with it.
    /// </summary>
    /// <exception cref="ArithmeticException">The matrix is not positive definite.</exception>
    public void Factor()
    {
        for (var start = 0; start < size; start += Block)
        {
            var (from, width) = (start, Math.Min(Block, size - start));
            ForEachBlock(from, (first, end) => RowProducts.Add(
                View(_values, size, size).Slice(first, 0, end - first, from),
                View(_values, size, size).Slice(from, 0, width, from),
                -1,
                View(_values, size, size).Slice(first, from, end - first, width),
                Simd.Current));
            FactorDiagonalBlock(from, width);
            ForEachBlock(from + width, (first, end) => SolveRows(first, end, from, width));
        }
    }

    /// <summary>Solves L L^T x = b for a matrix that <see cref="Factor"/> has replaced by L.</summary>
    /// <param name="right">b; overwritten with x.</param>
    public void Solve(Span<double> right)
    {
        if (right.Length != size)
            throw new ArgumentException($"Expected {size} values; found {right.Length}.", nameof(right));
        for (var i = 0; i < size; i++)
        {
            var row = _values.AsSpan(i * size, i + 1);
            var sum = right[i];
            for (var k = 0; k < i; k++)
                sum -= row[k] * right[k];
            right[i] = sum / row[i];
        }
        // L^T is solved from the end, subtracting each solved unknown from the ones before it, so that rows are read as they lie.
        for (var i = size - 1; i >= 0; i--)
        {
            var row = _values.AsSpan(i * size, i + 1);
            right[i] /= row[i];
            for (var k = 0; k < i; k++)
                right[k] -= row[k] * right[i];
        }
    }

    private void FactorDiagonalBlock(int from, int width)
    {
        for (var i = from; i < from + width; i++)
        {
            var row = _values.AsSpan(i * size + from, i - from + 1);
            for (var j = from; j <= i; j++)
            {
                var other = _values.AsSpan(j * size + from, j - from + 1);
                var sum = row[j - from];
                for (var k = 0; k < j - from; k++)
                    sum -= row[k] * other[k];
                if (j < i)
                    row[j - from] = sum / other[j - from];
                else if (sum > 0 && double.IsFinite(sum))
                    row[j - from] = Math.Sqrt(sum);
                else
                    throw new ArithmeticException($"Expected a positive definite matrix; the pivot of row {i} is {sum}.");
            }
        }
    }

    private void SolveRows(int first, int end, int from, int width)
    {
        for (var i = first; i < end; i++)
        {
            var row = _values.AsSpan(i * size + from, width);
            for (var j = 0; j < width; j++)
            {
                var other = _values.AsSpan((from + j) * size + from, j + 1);
                var sum = row[j];
                for (var k = 0; k < j; k++)
                    sum -= row[k] * other[k];
                row[j] = sum / other[j];
            }
        }
    }

    private void ForEachBlock(int start, Action<int, int> action) => Parallel.For(
        0, (size - start + Block - 1) / Block, block => action(start + block * Block, Math.Min(size, start + (block + 1) * Block)));

    private static MatrixView View(double[] values, int rows, int columns) => new(values, rows, columns, columns);
}
