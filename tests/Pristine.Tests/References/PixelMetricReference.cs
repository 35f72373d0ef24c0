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

    public static double Saturation(byte[] rgb) =>
        rgb.Chunk(3).Average(p => p.Max() == 0 ? 0 : (p.Max() - p.Min()) / (double)p.Max());

    public static double GrayShare(byte[] rgb) => rgb.Chunk(3).Count(p => p.Max() - p.Min() <= 8) / (rgb.Length / 3.0);

    /// <summary>Sorts, then interpolates between the two pixels around the place.</summary>
    public static double Percentile(byte[] luma, double percent)
    {
        var sorted = luma.Order().ToArray();
        var place = percent / 100 * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return (sorted[below] * (1 - (place - below)) + sorted[above] * (place - below)) / 255;
    }

    /// <summary>The nine products of the mask, one pixel after another.</summary>
    public static double Noise(byte[] luma, int width, int height)
    {
        int[][] mask = [[1, -2, 1], [-2, 4, -2], [1, -2, 1]];
        var responses =
            from y in Enumerable.Range(1, height - 2)
            from x in Enumerable.Range(1, width - 2)
            select Math.Abs((double)(
                from dy in Enumerable.Range(0, 3)
                from dx in Enumerable.Range(0, 3)
                select mask[dy][dx] * luma[(y + dy - 1) * width + x + dx - 1]).Sum());
        return Math.Sqrt(Math.PI / 2) / 6 * responses.Average();
    }

    public static double Blockiness(byte[] luma, int width, int height)
    {
        var steps = (
            from y in Enumerable.Range(0, height)
            from x in Enumerable.Range(1, width - 1)
            select (IsBorder: x % 8 == 0, Step: Math.Abs(luma[y * width + x] - luma[y * width + x - 1]))).Concat(
            from y in Enumerable.Range(1, height - 1)
            from x in Enumerable.Range(0, width)
            select (IsBorder: y % 8 == 0, Step: Math.Abs(luma[y * width + x] - luma[(y - 1) * width + x]))).ToArray();
        return (steps.Where(step => step.IsBorder).Average(step => step.Step) + 0.1) / (steps.Where(step => !step.IsBorder)
            .Average(step => step.Step) + 0.1);
    }

    public static double FlatShare(byte[] luma, int width, int height) => Enumerable.Range(0, luma.Length)
        .GroupBy(i => (i % width / 8, i / width / 8))
        .Average(block => block.Select(i => luma[i]).Distinct().Count() == 1 ? 1.0 : 0);

    /// <summary>Cuts the plane into lists of rows, then of columns, and looks at all of what would be taken each time.</summary>
    public static double BorderShare(byte[] luma, int width, int height)
    {
        static byte[][] Cut(byte[][] lines)
        {
            var taken = Enumerable.Range(1, lines.Length).TakeWhile(n => Span(lines.Take(n)) <= 10).Count();
            return lines[taken..];
        }

        static int Span(IEnumerable<byte[]> lines) => lines.SelectMany(line => line).Max() - lines.SelectMany(line => line).Min();
        static byte[][] Both(byte[][] lines) => [.. Cut([.. Cut(lines).Reverse()]).Reverse()];
        var rows = Both([.. luma.Chunk(width)]);
        if (rows.Length == 0)
            return 1;
        var columns = Both([.. Enumerable.Range(0, width).Select(x => rows.Select(row => row[x]).ToArray())]);
        return 1 - (double)rows.Length * columns.Length / luma.Length;
    }

    /// <summary>Each small pixel as the sum over all pixels of value times overlap, then the variance of the Laplacian.</summary>
    public static double Sharpness256(byte[] luma, int width, int height)
    {
        var scale = Math.Min(1, 256.0 / Math.Max(width, height));
        int small(int side) => Math.Max(1, (int)Math.Round(side * scale));
        var (columns, rows) = (small(width), small(height));
        static double Overlap(int pixel, int target, double ratio) =>
            Math.Max(0, Math.Min(pixel + 1, (target + 1) * ratio) - Math.Max(pixel, target * ratio));
        double[][] Weights(int from, int to) =>
            [.. Enumerable.Range(0, to)
            .Select(t => Enumerable.Range(0, from).Select(p => Overlap(p, t, (double)from / to) * to / from).ToArray())];
        var (across, down) = (Weights(width, columns), Weights(height, rows));
        var wide = Enumerable.Range(0, height)
            .Select(y => across.Select(w => w.Select((share, x) => share * luma[y * width + x]).Sum()).ToArray()).ToArray();
        var plane = down.Select(w => Enumerable.Range(0, columns).Select(x => w.Select((share, y) => share * wide[y][x]).Sum()).ToArray())
            .ToArray();
        double Pixel(int x, int y) => plane[Mirrored(y, rows)][Mirrored(x, columns)];
        return Variance([..
            from y in Enumerable.Range(0, rows)
            from x in Enumerable.Range(0, columns)
            select Pixel(x - 1, y) + Pixel(x + 1, y) + Pixel(x, y - 1) + Pixel(x, y + 1) - 4 * Pixel(x, y)]);
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
