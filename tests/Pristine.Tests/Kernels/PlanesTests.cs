using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

public sealed class PlanesTests
{
    /// <summary>Single precision, values up to 3.</summary>
    private const double Tolerance = 2e-6;

    private static readonly double[] Mean = [0.485, 0.456, 0.406];
    private static readonly double[] Deviation = [0.229, 0.224, 0.225];

    [Fact]
    public void Pixels_are_normalised_and_surrounded_by_black()
    {
        const int width = 5, height = 3, planeWidth = 8, planeHeight = 6, left = 2, top = 1;
        var source = PillowResizeTests.Synthetic(width, height);
        var planes = new float[3 * planeWidth * planeHeight];
        Array.Fill(planes, float.NaN);
        NormalisedPlanes.ImageNet.Write(source, width * 3, width, height, planes, planeWidth, planeHeight, left, top);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < planeHeight; y++)
                for (var x = 0; x < planeWidth; x++)
                {
                    var inside = x >= left && x < left + width && y >= top && y < top + height;
                    var value = inside ? source[((y - top) * width + x - left) * 3 + c] / 255.0 : 0;
                    Assert.Equal((value - Mean[c]) / Deviation[c], planes[(c * planeHeight + y) * planeWidth + x], Tolerance);
                }
        Assert.Throws<ArgumentException>(
            () => NormalisedPlanes.ImageNet.Write(source, width * 3, width, height, planes, planeWidth, planeHeight, 4, 0));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(9, 6)]
    [InlineData(64, 41)]
    [InlineData(127, 3)]
    public void Half_size_is_the_mean_of_four_pixels_or_the_triangle_over_them(int width, int height)
    {
        var source = PillowResizeTests.Synthetic(width, height);
        var (halfWidth, halfHeight) = (width / 2, height / 2);
        var (means, antialiased) = (new float[3 * halfWidth * halfHeight], new float[3 * halfWidth * halfHeight]);
        using var half = new HalfPlanes(NormalisedPlanes.ImageNet);
        half.WriteMeans(source, width, height, means);
        half.WriteAntialiased(source, width, height, antialiased);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < halfHeight; y++)
                for (var x = 0; x < halfWidth; x++)
                {
                    double Pixel(int column, int row) => source[(row * width + column) * 3 + c] / 255.0;
                    var mean = (Pixel(2 * x, 2 * y) + Pixel(2 * x + 1, 2 * y) + Pixel(2 * x, 2 * y + 1) + Pixel(2 * x + 1, 2 * y + 1)) / 4;
                    var index = (c * halfHeight + y) * halfWidth + x;
                    Assert.Equal((mean - Mean[c]) / Deviation[c], means[index], Tolerance);
                    Assert.Equal((Triangle(Pixel, x, y, width, height) - Mean[c]) / Deviation[c], antialiased[index], Tolerance);
                }
    }

    /// <summary>
    /// The definition, pixel by pixel: a triangle as wide as two output pixels, over the input pixels whose centres it covers.
    /// </summary>
    private static double Triangle(Func<int, int, double> pixel, int x, int y, int width, int height)
    {
        var (scaleX, scaleY) = ((double)width / (width / 2), (double)height / (height / 2));
        var (sum, weights) = (0.0, 0.0);
        for (var row = 0; row < height; row++)
            for (var column = 0; column < width; column++)
            {
                var weight = Math.Max(0, 1 - Math.Abs(column + 0.5 - (x + 0.5) * scaleX) / scaleX) * Math.Max(
                    0, 1 - Math.Abs(row + 0.5 - (y + 0.5) * scaleY) / scaleY);
                sum += weight * pixel(column, row);
                weights += weight;
            }
        return sum / weights;
    }
}
