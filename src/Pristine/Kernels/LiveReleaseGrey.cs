namespace Pristine.Kernels;

/// <summary>
/// Grey as MATLAB's rgb2gray makes it of 8-bit RGB: 0.298936021293776 R + 0.587043074451121 G + 0.114020904255103 B (the first row of
/// the inverse of the NTSC matrix), rounded half up to an integer 0..255.
/// </summary>
/// <remarks>
/// Weights are held as 40-bit fractions in tables of 256 products, so the sum is one of integers: the same on every processor. No
/// colour comes closer to a half than the 4e-10 by which a sum can be off; a test runs through all 16.7 million.
/// </remarks>
internal static class LiveReleaseGrey
{
    internal const double Red = .298936021293776, Green = .587043074451121, Blue = .114020904255103;

    private const int FractionBits = 40;

    private static readonly long[] RedTable = Products(Red, 0), GreenTable = Products(Green, 0),
    BlueTable = Products(Blue, 1L << (FractionBits - 1));

    /// <summary>Converts one row.</summary>
    /// <param name="rgb">3 x n bytes, R G B.</param>
    /// <param name="grey">n values.</param>
    public static void Row(ReadOnlySpan<byte> rgb, Span<double> grey)
    {
        rgb = rgb[..(grey.Length * 3)];
        long[] red = RedTable, green = GreenTable, blue = BlueTable;
        for (int x = 0, i = 0; x < grey.Length; x++, i += 3)
            grey[x] = (int)((red[rgb[i]] + green[rgb[i + 1]] + blue[rgb[i + 2]]) >> FractionBits);
    }

    private static long[] Products(double weight, long rounding)
    {
        var products = new long[256];
        for (var level = 0; level < products.Length; level++)
            products[level] = (long)Math.Round(weight * level * (1L << FractionBits)) + rounding;
        return products;
    }
}
