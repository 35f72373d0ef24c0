namespace Pristine.Tests.References;

/// <summary>The perceptual hash of docs/duplicates.md in double precision, term by term.</summary>
internal static class PerceptualHashReference
{
    /// <summary>The mean of the part of a plane that a cell of a 32 x 32 grid covers.</summary>
    public static double[,] Averages(byte[] plane, int width, int height)
    {
        var averages = new double[32, 32];
        for (var row = 0; row < 32; row++)
            for (var column = 0; column < 32; column++)
            {
                var sum = 0.0;
                for (var y = 0; y < height; y++)
                    for (var x = 0; x < width; x++)
                        sum += plane[y * width + x] * Overlap(y, row * height / 32.0, (row + 1) * height / 32.0) * Overlap(
                            x, column * width / 32.0, (column + 1) * width / 32.0);
                averages[row, column] = sum / (width * height / 1024.0);
            }
        return averages;
    }

    public static double[] Coefficients(double[,] averages)
    {
        var coefficients = new double[64];
        for (var v = 1; v <= 8; v++)
            for (var u = 1; u <= 8; u++)
                for (var y = 0; y < 32; y++)
                    for (var x = 0; x < 32; x++)
                        coefficients[(v - 1) * 8 + u - 1] += averages[y, x] * Math.Cos((2 * x + 1) * u * Math.PI / 64) * Math.Cos(
                            (2 * y + 1) * v * Math.PI / 64);
        return coefficients;
    }

    /// <summary>The bits as text, the first first.</summary>
    public static string Bits(double[] coefficients)
    {
        var sorted = coefficients.Order().ToArray();
        var median = (sorted[31] + sorted[32]) / 2;
        return string.Concat(coefficients.Select(coefficient => coefficient > median ? '1' : '0'));
    }

    private static double Overlap(int pixel, double low, double high) => Math.Max(0, Math.Min(pixel + 1, high) - Math.Max(pixel, low));
}
