namespace Pristine.Tests.References;

/// <summary>The pixel metrics written as their formulas read, in doubles and two passes. Slow on purpose.</summary>
internal static class PixelMetricReference
{
    public static double Sharpness(byte[] luma, int width, int height)
    {
        double Pixel(int x, int y) => luma[Mirrored(y, height) * width + Mirrored(x, width)];
        var responses =
            from y in Enumerable.Range(0, height)
            from x in Enumerable.Range(0, width)
            select Pixel(x - 1, y) + Pixel(x + 1, y) + Pixel(x, y - 1) + Pixel(x, y + 1) - 4 * Pixel(x, y);
        return Variance([.. responses]);
    }

    public static double Brightness(byte[] luma) => luma.Average(v => (double)v) / 255;

    public static double Contrast(byte[] luma) => Math.Sqrt(Variance([.. luma.Select(v => (double)v)])) / 255;

    public static double Entropy(byte[] luma) =>
        -luma.GroupBy(v => v).Select(level => (double)level.Count() / luma.Length).Sum(p => p * Math.Log2(p));

    public static double Colorfulness(byte[] rgb)
    {
        var pixels = rgb.Chunk(3).ToArray();
        var redGreen = pixels.Select(p => (double)p[0] - p[1]).ToArray();
        var yellowBlue = pixels.Select(p => 0.5 * (p[0] + p[1]) - p[2]).ToArray();
        var deviation = Math.Sqrt(Variance(redGreen) + Variance(yellowBlue));
        var mean = Math.Sqrt(Math.Pow(redGreen.Average(), 2) + Math.Pow(yellowBlue.Average(), 2));
        return deviation + 0.3 * mean;
    }

    /// <summary>OpenCV's 8-bit grey, as <see cref="Imaging.ImageView.Luma"/> defines it.</summary>
    public static byte[] Luma(byte[] rgb) =>
        [.. rgb.Chunk(3).Select(p => (byte)((9798 * p[0] + 19235 * p[1] + 3735 * p[2] + 16384) >> 15))];

    private static double Variance(double[] values)
    {
        var mean = values.Average();
        return values.Average(v => (v - mean) * (v - mean));
    }

    // ... 2 1 | 0 1 2 ... n-1 | n-2 n-3 ...; a single pixel is its own neighbour.
    private static int Mirrored(int i, int length) => length == 1 ? 0 : i < 0 ? -i : i >= length ? 2 * length - 2 - i : i;
}
