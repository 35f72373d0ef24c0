using Pristine.Kernels;

namespace Pristine.Tests.References;

/// <summary>
/// BRISQUE's features after OpenCV's recipe, in double precision, each step as its definition reads: slow, and sharing nothing with the
/// kernels. In windows that are flat, float32 and this version differ: what is left there is rounding.
/// </summary>
internal static class OpenCvBrisqueReference
{
    private const double C = 1 / 255.0;

    /// <summary>A plane of doubles that repeats its border.</summary>
    public sealed record Plane(double[] Values, int Width, int Height)
    {
        public double this[int x, int y] => Values[Math.Clamp(y, 0, Height - 1) * Width + Math.Clamp(x, 0, Width - 1)];

        public static Plane Of(byte[] luma, int width, int height) => new(Array.ConvertAll(luma, v => v / 255.0), width, height);
    }

    /// <summary>The 36 features.</summary>
    public static double[] Features(byte[] luma, int width, int height)
    {
        var full = Plane.Of(luma, width, height);
        return [.. ScaleFeatures(full), .. ScaleFeatures(Half(full))];
    }

    /// <summary>Cubic convolution (a = -0.75) at the points of a grid of half the size.</summary>
    public static Plane Half(Plane source)
    {
        int width = source.Width / 2, height = source.Height / 2;
        double stepX = (double)source.Width / width, stepY = (double)source.Height / height;
        var values = new double[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                double sourceX = (x + 0.5) * stepX - 0.5, sourceY = (y + 0.5) * stepY - 0.5;
                int left = (int)Math.Floor(sourceX), top = (int)Math.Floor(sourceY);
                for (var j = top - 1; j <= top + 2; j++)
                    for (var i = left - 1; i <= left + 2; i++)
                        values[y * width + x] += source[i, j] * Cubic(sourceX - i) * Cubic(sourceY - j);
            }
        return new Plane(values, width, height);
    }

    /// <summary>Mean-subtracted, contrast-normalised pixels.</summary>
    public static Plane Mscn(Plane plane)
    {
        var weights = new double[7, 7];
        var total = 0.0;
        for (var j = -3; j <= 3; j++)
            for (var i = -3; i <= 3; i++)
                total += weights[i + 3, j + 3] = Math.Exp(-(i * i + j * j) / (2 * (7 / 6.0) * (7 / 6.0)));
        var mscn = new double[plane.Values.Length];
        for (var y = 0; y < plane.Height; y++)
            for (var x = 0; x < plane.Width; x++)
            {
                double mean = 0, square = 0;
                for (var j = -3; j <= 3; j++)
                    for (var i = -3; i <= 3; i++)
                    {
                        var value = plane[x + i, y + j];
                        mean += weights[i + 3, j + 3] / total * value;
                        square += weights[i + 3, j + 3] / total * value * value;
                    }
                var variance = square - mean * mean;
                mscn[y * plane.Width + x] = variance < 0 ? 0 : (plane[x, y] - mean) / (Math.Sqrt(variance) + C);
            }
        return new Plane(mscn, plane.Width, plane.Height);
    }

    /// <summary>Sums over m and its four neighbour products, in the order of <see cref="MscnStatistics.Fields"/>.</summary>
    public static SignedMoments[] Moments(Plane mscn) =>
        [.. new[] { (0, 0), (1, 0), (0, 1), (1, 1), (-1, 1) }.Select(shift => Moments(Products(mscn, shift.Item1, shift.Item2)))];

    private static IEnumerable<double> ScaleFeatures(Plane plane)
    {
        var moments = Moments(Mscn(plane));
        var (shape, left, right, _) = Fit(moments[0], plane.Values.Length);
        yield return shape;
        yield return (left + right) / 2;
        foreach (var product in moments[1..])
        {
            (shape, left, right, var mean) = Fit(product, plane.Values.Length);
            yield return shape;
            yield return mean;
            yield return left;
            yield return right;
        }
    }

    private static IEnumerable<double> Products(Plane mscn, int dx, int dy)
    {
        for (var y = 0; y < mscn.Height; y++)
            for (var x = 0; x < mscn.Width; x++)
                if ((dx, dy) == (0, 0))
                    yield return mscn[x, y];
                else
                    yield return x + dx >= 0 && x + dx < mscn.Width && y + dy < mscn.Height ? mscn[x, y] * mscn[x + dx, y + dy] : 0;
    }

    private static SignedMoments Moments(IEnumerable<double> values)
    {
        var moments = default(SignedMoments);
        foreach (var value in values)
        {
            moments.AbsoluteSum += Math.Abs(value);
            if (value < 0)
            {
                moments.NegativeCount++;
                moments.NegativeSquareSum += value * value;
            }
            else if (value > 0)
            {
                moments.PositiveCount++;
                moments.PositiveSquareSum += value * value;
            }
        }
        return moments;
    }

    /// <summary>The walk up the grid as OpenCV writes it.</summary>
    public static (double Shape, double Left, double Right, double Mean) Fit(SignedMoments m, long count)
    {
        var left = Math.Sqrt(m.NegativeSquareSum / m.NegativeCount);
        var right = Math.Sqrt(m.PositiveSquareSum / m.PositiveCount);
        var g = left / right;
        var ratio = Math.Pow(m.AbsoluteSum / count, 2) / ((m.NegativeSquareSum + m.PositiveSquareSum) / count);
        var target = ratio * (Math.Pow(g, 3) + 1) * (g + 1) / Math.Pow(g * g + 1, 2);
        double best = 0, distance = 1e10;
        for (var shape = 0.2; shape < 10; shape += 0.001)
        {
            var now = Math.Abs(Gamma(2 / shape) * Gamma(2 / shape) / (Gamma(1 / shape) * Gamma(3 / shape)) - target);
            if (now > distance)
                break;
            (best, distance) = (shape, now);
        }
        var mean = (right - left) * Gamma(2 / best) / Gamma(1 / best) * Math.Sqrt(Gamma(1 / best) / Gamma(3 / best));
        return (best, left * left, right * right, mean);
    }

    /// <summary>The gamma function: up to 30 by its recurrence, then Stirling's series, whose next term is below 1e-17 there.</summary>
    private static double Gamma(double x)
    {
        var divisor = 1.0;
        for (; x < 30; x++)
            divisor *= x;
        var series = 1 / (12 * x) - 1 / (360 * Math.Pow(x, 3)) + 1 / (1260 * Math.Pow(x, 5)) - 1 / (1680 * Math.Pow(x, 7));
        return Math.Exp((x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series) / divisor;
    }

    private static double Cubic(double x)
    {
        const double a = -0.75;
        x = Math.Abs(x);
        return x <= 1 ? (a + 2) * x * x * x - (a + 3) * x * x + 1
            : x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a
            : 0;
    }
}
