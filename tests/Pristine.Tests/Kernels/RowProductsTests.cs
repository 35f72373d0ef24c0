using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public sealed class RowProductsTests
{
    /// <summary>Two orders of summing some hundred products of numbers below 1.</summary>
    private const double Tolerance = 1e-12;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(4, 2, 8)]
    [InlineData(5, 3, 7)]
    [InlineData(9, 7, 255)]
    [InlineData(8, 5, 256)]
    [InlineData(3, 9, 523)]
    [InlineData(6, 4, 0)]
    [InlineData(0, 4, 5)]
    public void Is_the_sum_of_products_on_every_path(int rows, int otherRows, int columns)
    {
        var random = new Random(1);
        int aStride = columns + 3, bStride = columns + 1, cStride = otherRows + 2;
        double[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextDouble() - 1)];
        double[] a = Values(rows * aStride), b = Values(otherRows * bStride), before = Values(rows * cStride);
        foreach (var path in Simd.Supported)
        {
            var c = (double[])before.Clone();
            RowProducts.Add(
                new(a, rows, columns, aStride), new(b, otherRows, columns, bStride), -0.5, new(c, rows, otherRows, cStride), path);
            for (var i = 0; i < rows; i++)
                for (var j = 0; j < cStride; j++)
                {
                    var expected = before[i * cStride + j];
                    for (var k = 0; k < columns && j < otherRows; k++)
                        expected -= 0.5 * a[i * aStride + k] * b[j * bStride + k];
                    Assert.Equal(expected, c[i * cStride + j], Tolerance);
                }
        }
    }

    [Fact]
    public void Cutting_into_blocks_of_rows_changes_no_bit()
    {
        const int rows = 11, columns = 301;
        var random = new Random(2);
        double[] a = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble())];
        foreach (var path in Simd.Supported)
        {
            double[] whole = new double[rows * rows], parts = new double[rows * rows];
            var view = new MatrixView(a, rows, columns, columns);
            RowProducts.Add(view, view, 1, new(whole, rows, rows, rows), path);
            for (var i = 0; i < rows; i += 3)
                for (var j = 0; j < rows; j += 5)
                {
                    var (height, width) = (Math.Min(3, rows - i), Math.Min(5, rows - j));
                    RowProducts.Add(view.Slice(i, 0, height, columns), view.Slice(j, 0, width, columns), 1, new MatrixView(
                        parts, rows, rows, rows).Slice(i, j, height, width), path);
                }
            Assert.Equal(whole, parts);
        }
    }

    [Fact]
    public void Sizes_are_checked()
    {
        var values = new double[12];
        Assert.Throws<ArgumentException>(
            () => RowProducts.Add(new(values, 3, 5, 5), new(values, 1, 5, 5), 1, new(values, 3, 1, 1), SimdPath.Scalar));
        Assert.Throws<ArgumentException>(
            () => RowProducts.Add(new(values, 2, 4, 3), new(values, 1, 4, 4), 1, new(values, 2, 1, 1), SimdPath.Scalar));
        Assert.Throws<ArgumentException>(
            () => RowProducts.Add(new(values, 2, 4, 4), new(values, 1, 3, 4), 1, new(values, 2, 1, 1), SimdPath.Scalar));
        Assert.Throws<ArgumentException>(
            () => RowProducts.Add(new(values, 2, 4, 4), new(values, 2, 4, 4), 1, new(values, 2, 1, 1), SimdPath.Scalar));
    }
}
