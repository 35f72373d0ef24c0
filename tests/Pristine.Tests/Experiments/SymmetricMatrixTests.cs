using Pristine.Experiments;

namespace Pristine.Tests.Experiments;

public sealed class SymmetricMatrixTests
{
    private static SymmetricMatrix Random(int size, int columns, double diagonal)
    {
        var random = new Random(size);
        var product = new SymmetricMatrix(size);
        product.AddProduct([.. Enumerable.Range(0, size * columns).Select(_ => random.NextDouble() - 0.5)], columns);
        var matrix = new SymmetricMatrix(size);
        matrix.Assign(product, diagonal);
        return matrix;
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 10)]
    [InlineData(127, 40)]
    [InlineData(128, 300)]
    [InlineData(129, 7)]
    [InlineData(300, 513)]
    public void The_product_the_factor_and_the_solution_are_right(int size, int columns)
    {
        var random = new Random(size);
        double[] rows = [.. Enumerable.Range(0, size * columns).Select(_ => random.NextDouble() - 0.5)];
        var matrix = Random(size, columns, 2);
        for (var i = 0; i < size; i++)
            for (var j = 0; j <= i; j++)
            {
                var expected = i == j ? 2.0 : 0;
                for (var k = 0; k < columns; k++)
                    expected += rows[i * columns + k] * rows[j * columns + k];
                Assert.Equal(expected, matrix[i, j], 1e-11);
                Assert.Equal(matrix[i, j], matrix.At(j, i));
            }

        double[] right = [.. Enumerable.Range(0, size).Select(_ => random.NextDouble())], solution = [.. right];
        var factor = new SymmetricMatrix(size);
        factor.Assign(matrix, 0);
        factor.Factor();
        for (var i = 0; i < size; i++)
        {
            var sum = 0.0;
            for (var k = 0; k <= i; k++)
                sum += factor[i, k] * factor[i / 2, k] * (k <= i / 2 ? 1 : 0);
            Assert.Equal(matrix[i, i / 2], sum, 1e-9);
        }
        factor.Solve(solution);
        for (var i = 0; i < size; i++)
            Assert.Equal(right[i], Enumerable.Range(0, size).Sum(j => matrix.At(i, j) * solution[j]), 1e-9);
    }

    [Fact]
    public void A_matrix_that_is_not_positive_definite_is_refused() =>
        Assert.Contains(
            "positive definite", Assert.Throws<ArithmeticException>(() => Random(10, 20, -100).Factor()).Message, StringComparison.Ordinal);
}
