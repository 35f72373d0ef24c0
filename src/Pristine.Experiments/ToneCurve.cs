namespace Pristine.Experiments;

/// <summary>Maps of one channel's level to another, as tables of 256 levels.</summary>
internal static class ToneCurve
{
    /// <summary>
    /// The parabola through black, (1/2, 1/2 + amount/2) and white, clipped: brighter for a positive amount, darker for a negative one.
    /// </summary>
    public static byte[] Bend(double amount) => Table(x => x + 2 * amount * x * (1 - x));

    /// <summary>
    /// The cubic spline (not-a-knot) through black, (0.3, 0.25 - amount/4), (1/2, 1/2), (0.7, 0.75 + amount/4) and white, clipped: steeper
    /// in the middle for a positive amount. The points are symmetric about the centre, so the spline is the one cubic a u + c u^3 around
    /// it.
    /// </summary>
    public static byte[] Contrast(double amount)
    {
        // a u + c u^3 goes through (0.5, 0.5) and (0.2, 0.25 + amount/4).
        var cubic = -(0.05 + amount / 4) / 0.042;
        var linear = 1 - cubic / 4;
        return Table(x => 0.5 + linear * (x - 0.5) + cubic * Math.Pow(x - 0.5, 3));
    }

    /// <summary>As many evenly spaced levels per channel, the first black and the last white.</summary>
    public static byte[] Quantise(int levels) => Table(x => Math.Min(Math.Floor(x * 255 / 256 * levels), levels - 1) / (levels - 1));

    private static byte[] Table(Func<double, double> curve) =>
        [.. Enumerable.Range(0, 256).Select(level => (byte)Math.Floor(Math.Clamp(curve(level / 255.0), 0, 1) * 255 + 0.5))];
}
