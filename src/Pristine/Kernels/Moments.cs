namespace Pristine.Kernels;

/// <summary>
/// Count, sum and sum of squares of integers. All three are exact, so mean and variance do not depend on the order of summation:
/// every SIMD path gives the same bits.
/// </summary>
/// <param name="Count">How many values.</param>
/// <param name="Sum">Their sum.</param>
/// <param name="SumOfSquares">The sum of their squares.</param>
internal readonly record struct Moments(long Count, long Sum, long SumOfSquares)
{
    /// <summary>The arithmetic mean; NaN without values.</summary>
    public double Mean => (double)Sum / Count;

    /// <summary>
    /// The population variance (divided by the count, as numpy's <c>var</c>); NaN without values. The difference is taken in 128-bit
    /// integers: in floating point it would cancel where the variance is small against the mean.
    /// </summary>
    public double Variance => (double)((Int128)Count * SumOfSquares - (Int128)Sum * Sum) / ((double)Count * Count);

    /// <summary>The moments of one value.</summary>
    public static Moments Of(int value) => new(1, value, (long)value * value);

    /// <summary>The moments of both sets together.</summary>
    public static Moments operator +(Moments a, Moments b) => new(a.Count + b.Count, a.Sum + b.Sum, a.SumOfSquares + b.SumOfSquares);
}
