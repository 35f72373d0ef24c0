using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public sealed class ColumnProductsTests
{
    /// <summary>Two orders of summing some hundred products of numbers below 1.</summary>
    private const double Tolerance = 1e-12;

    private static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextDouble() - 1)];

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(8, 2, 8)]
    [InlineData(9, 3, 7)]
    [InlineData(16, 7, 255)]
    [InlineData(23, 5, 256)]
    [InlineData(3, 9, 523)]
    [InlineData(0, 4, 5)]
    [InlineData(6, 4, 0)]
    public void Is_the_sum_of_products_on_every_path(int rows, int columns, int otherColumns)
    {
        var random = new Random(1);
        int aStride = columns + 3, bStride = otherColumns + 1, cStride = otherColumns + 2;
        double[] a = Values(random, rows * aStride), b = Values(random, rows * bStride), before = Values(random, columns * cStride);
        foreach (var path in Simd.Supported)
        {
            var c = (double[])before.Clone();
            ColumnProducts.Add(
                new(a, rows, columns, aStride), new(b, rows, otherColumns, bStride), new(c, columns, otherColumns, cStride), path);
            for (var i = 0; i < columns; i++)
                for (var j = 0; j < cStride; j++)
                {
                    var expected = before[i * cStride + j];
                    for (var row = 0; row < rows && j < otherColumns; row++)
                        expected += a[row * aStride + i] * b[row * bStride + j];
                    Assert.Equal(expected, c[i * cStride + j], Tolerance);
                }
        }
    }

    [Fact]
    public void Cutting_the_rows_into_calls_changes_no_bit()
    {
        const int rows = 29, columns = 5, otherColumns = 301;
        var random = new Random(2);
        double[] a = Values(random, rows * columns), b = Values(random, rows * otherColumns);
        foreach (var path in Simd.Supported)
        {
            double[] whole = new double[columns * otherColumns], parts = new double[columns * otherColumns];
            MatrixView left = new(a, rows, columns, columns), right = new(b, rows, otherColumns, otherColumns);
            ColumnProducts.Add(left, right, new(whole, columns, otherColumns, otherColumns), path);
            for (var row = 0; row < rows; row += 11)
            {
                var height = Math.Min(11, rows - row);
                ColumnProducts.Add(left.Slice(row, 0, height, columns), right.Slice(row, 0, height, otherColumns), new(
                    parts, columns, otherColumns, otherColumns), path);
            }
            Assert.Equal(whole, parts);
        }
    }

    [Fact]
    public void Sizes_are_checked()
    {
        var values = new double[12];
        Assert.Throws<ArgumentException>(
            () => ColumnProducts.Add(new(values, 3, 5, 5), new(values, 3, 1, 1), new(values, 5, 1, 1), SimdPath.Scalar));
        Assert.Throws<ArgumentException>(
            () => ColumnProducts.Add(new(values, 2, 4, 3), new(values, 2, 1, 1), new(values, 4, 1, 1), SimdPath.Scalar));
        Assert.Throws<ArgumentException>(
            () => ColumnProducts.Add(new(values, 2, 4, 4), new(values, 3, 1, 1), new(values, 4, 1, 1), SimdPath.Scalar));
        Assert.Throws<ArgumentException>(
            () => ColumnProducts.Add(new(values, 2, 4, 4), new(values, 2, 1, 1), new(values, 3, 1, 1), SimdPath.Scalar));
    }
}
