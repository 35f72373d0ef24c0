using System.Globalization;

namespace Pristine.Reports;

/// <summary>
/// The axis of a metric and the places on it where a threshold can stand: round numbers, a few hundred of them, so that the counts at
/// each can be exact and the command line that repeats them is short. Long-tailed metrics (sharpness, bytes) get a logarithmic axis.
/// </summary>
internal sealed class ThresholdScale
{
    /// <summary>About how many positions there are: as fine as a hand drags, and small enough to be counted for every group.</summary>
    private const int Steps = 400;

    /// <summary>The middle of the data that an axis must show, when what lies beyond would squeeze it.</summary>
    private const double Tail = 0.001;

    /// <summary>An axis reaches to the extremes as long as it is at most this much longer than the middle of the data.</summary>
    private const double MostStretch = 4;

    /// <summary>A scale is logarithmic when the middle of the data spans at least this ratio and leans to its low end this much.</summary>
    private const double LogarithmicRatio = 50;
    private const double LogarithmicLean = 0.1;

    private ThresholdScale(double[] positions, bool isLogarithmic)
    {
        Positions = positions;
        IsLogarithmic = isLogarithmic;
    }

    /// <summary>Where a threshold can stand, ascending; at least two.</summary>
    public double[] Positions { get; }

    /// <summary>Whether equal distances are equal ratios.</summary>
    public bool IsLogarithmic { get; }

    /// <summary>Chooses the scale of a metric.</summary>
    /// <param name="low">The smallest value of the table.</param>
    /// <param name="high">The largest value of the table.</param>
    /// <param name="sorted">Values in ascending order, at least one: the table's, or a sample of them.</param>
    public static ThresholdScale Of(double low, double high, IReadOnlyList<double> sorted)
    {
        var (from, to, middle) = (Quantile(sorted, Tail), Quantile(sorted, 1 - Tail), Quantile(sorted, 0.5));
        var isWhole = sorted.All(value => value == Math.Floor(value));
        if (from > 0 && to / from >= LogarithmicRatio && middle - from < LogarithmicLean * (to - from))
        {
            var isWide = Math.Log(high / Math.Max(low, double.Epsilon)) > MostStretch * Math.Log(to / from);
            return new ThresholdScale(Logarithmic(isWide ? from : Math.Max(low, from / MostStretch), isWide ? to : high, isWhole), true);
        }
        return high - low <= MostStretch * (to - from)
            ? new ThresholdScale(Linear(low, high, isWhole), false)
            : new ThresholdScale(Linear(from, to, isWhole), false);
    }

    /// <summary>
    /// Where a value lies on the axis, on which positions have equal distances: 0 at its left end, 1 at its right end. Values beyond lie at
    /// the ends.
    /// </summary>
    public double Share(double value)
    {
        var found = Array.BinarySearch(Positions, value);
        if (found >= 0)
            return (double)found / (Positions.Length - 1);
        var next = ~found;
        if (next == 0)
            return 0;
        if (next == Positions.Length)
            return 1;
        return (next - 1 + ((value - Positions[next - 1]) / (Positions[next] - Positions[next - 1]))) / (Positions.Length - 1);
    }

    /// <summary>The value below which a share of sorted values lies; exactly a value of the list.</summary>
    public static double Quantile(IReadOnlyList<double> sorted, double share) => sorted[(int)Math.Round(share * (sorted.Count - 1))];

    private static double[] Linear(double low, double high, bool isWhole)
    {
        var span = high - low;
        if (span <= 0)
            span = Math.Max(1, Math.Abs(low));
        // Neighbours must stay apart when they are rounded to 32-bit floats.
        var smallest = Math.Max(span / Steps, 1e-6 * Math.Max(Math.Abs(low), Math.Abs(high)));
        if (isWhole)
            smallest = Math.Max(smallest, 1);
        var exponent = (int)Math.Floor(Math.Log10(smallest));
        var mantissa = ((ReadOnlySpan<long>)[1, 2, 5, 10]).ToArray().First(digit => Number(digit, exponent) >= smallest * (1 - 1e-9));
        var step = Number(mantissa, exponent);
        var first = (long)Math.Floor(low / step);
        var last = Math.Max((long)Math.Ceiling(high / step), first + 1);
        // The quotients above are rounded; the ends must hold.
        if (Number(first * mantissa, exponent) > low)
            first--;
        if (Number(last * mantissa, exponent) < high)
            last++;
        var positions = new double[last - first + 1];
        for (var i = 0; i < positions.Length; i++)
            positions[i] = Number((first + i) * mantissa, exponent);
        return positions;
    }

    private static double[] Logarithmic(double low, double high, bool isWhole)
    {
        var positions = new List<double>();
        for (var i = 0; i <= Steps; i++)
        {
            var value = low * Math.Pow(high / low, (double)i / Steps);
            var exponent = (int)Math.Floor(Math.Log10(value)) - 2;
            if (isWhole)
                exponent = Math.Max(exponent, 0);
            var digits = value / Math.Pow(10, exponent);
            var rounded = Number((long)(i == 0 ? Math.Floor(digits) : i == Steps ? Math.Ceiling(digits) : Math.Round(digits)), exponent);
            if (rounded > 0 && (positions.Count == 0 || rounded > positions[^1]))
                positions.Add(rounded);
        }
        return [.. positions];
    }

    /// <summary>The double nearest to a decimal number, which is what a rule with that number means.</summary>
    private static double Number(long mantissa, int exponent) =>
        double.Parse(string.Create(CultureInfo.InvariantCulture, $"{mantissa}E{exponent}"), CultureInfo.InvariantCulture);
}
