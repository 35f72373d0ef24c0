using Pristine.Kernels;

namespace Pristine.Experiments;

/// <summary>The filter masks of blurs. Weights are non-negative and sum to 1.</summary>
internal static class BlurMask
{
    /// <summary>A Gaussian of 2 ceil(2 sigma) + 1 pixels across, as ARNIQA and KADID-10k cut it.</summary>
    /// <param name="sigma">Standard deviation in pixels, above 0.</param>
    public static ConvolutionMask Gaussian(double sigma)
    {
        var radius = (int)Math.Ceiling(2 * sigma);
        return Make(radius, radius, (x, y) => Math.Exp(-(x * x + y * y) / (2 * sigma * sigma)));
    }

    /// <summary>A disc, as an ideal lens out of focus makes it: each weight is the area of the pixel that the disc covers.</summary>
    /// <param name="radius">In pixels, above 0.</param>
    public static ConvolutionMask Lens(double radius)
    {
        var side = (int)Math.Ceiling(radius - 0.5);
        return Make(side, side, (x, y) => Covered(radius, Math.Abs(x), Math.Abs(y)));
    }

    /// <summary>
    /// A straight movement, as MATLAB's fspecial('motion'): a weight falls from 1 on the line to 0 at one pixel's distance from it.
    /// </summary>
    /// <param name="length">The line's length in pixels, at least 1 (no movement).</param>
    /// <param name="angle">In degrees, counter-clockwise from the horizontal.</param>
    public static ConvolutionMask Motion(double length, double angle)
    {
        var half = (length - 1) / 2;
        var (sin, cos) = Math.SinCos(angle * Math.PI / 180);
        // The far end of the line and the pixel beyond it, which has weight 0 unless the end lies between pixels.
        int radiusX = (int)Math.Ceiling(half * Math.Abs(cos)), radiusY = (int)Math.Ceiling(half * Math.Abs(sin));
        return Make(radiusX, radiusY, (x, y) =>
        {
            // Rows go down, angles up.
            var along = Math.Clamp(x * cos - y * sin, -half, half);
            return Math.Max(0, 1 - Math.Sqrt(Square(x - along * cos) + Square(y + along * sin)));
        });
    }

    private static ConvolutionMask Make(int radiusX, int radiusY, Func<double, double, double> weight)
    {
        int width = 2 * radiusX + 1, height = 2 * radiusY + 1;
        var weights = new double[width * height];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = weight(i % width - radiusX, i / width - radiusY);
        var sum = weights.Sum();
        return new ConvolutionMask(width, height, [.. weights.Select(value => value / sum)]);
    }

    /// <summary>How much of the unit square around (x,y), both at least 0, lies within the circle around the origin.</summary>
    private static double Covered(double radius, double x, double y)
    {
        // A square on an axis is cut there; its two halves are alike.
        if (x == 0)
            return 2 * CoveredBox(radius, 0, 0.5, y);
        return CoveredBox(radius, x - 0.5, x + 0.5, y);
    }

    private static double CoveredBox(double radius, double left, double right, double y) =>
        y == 0 ? 2 * Area(radius, left, right, 0, 0.5) : Area(radius, left, right, y - 0.5, y + 0.5);

    /// <summary>
    /// The area of a box in the first quadrant that lies below the circle: the integral of sqrt(r^2 - x^2), clipped to the box.
    /// </summary>
    private static double Area(double radius, double left, double right, double bottom, double top)
    {
        // Up to x = full the circle is above the box; from x = empty on it is below.
        var full = Math.Clamp(Math.Sqrt(Math.Max(0, radius * radius - top * top)), left, right);
        var empty = Math.Clamp(Math.Sqrt(Math.Max(0, radius * radius - bottom * bottom)), left, right);
        return (full - left) * (top - bottom) + Integral(empty) - Integral(full) - (empty - full) * bottom;

        double Integral(double x)
        {
            var inside = Math.Min(x, radius);
            return (inside * Math.Sqrt(radius * radius - inside * inside) + radius * radius * Math.Asin(inside / radius)) / 2;
        }
    }

    private static double Square(double x) => x * x;
}
