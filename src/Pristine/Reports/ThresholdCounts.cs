namespace Pristine.Reports;

/// <summary>
/// How many items pass each threshold of a scale, exactly, in both directions. A threshold is compared as rules compare it: with a column
/// of 32-bit floats as the float nearest to it.
/// </summary>
internal sealed class ThresholdCounts
{
    private readonly long[] _atMost;
    private readonly long[] _atLeast;

    /// <param name="positions">The number of positions of the scale.</param>
    public ThresholdCounts(int positions)
    {
        _atMost = new long[positions + 1];
        _atLeast = new long[positions + 1];
    }

    /// <summary>Items with a value.</summary>
    public long Scored { get; private set; }

    /// <summary>
    /// Slot i: items of which every image is at most position i, but not at most position i - 1. The last slot holds those above every
    /// position.
    /// </summary>
    public IReadOnlyList<long> AtMost => _atMost;

    /// <summary>
    /// Slot i: items of which every image is at least the first i positions, but not the next. The first slot holds those below every
    /// position.
    /// </summary>
    public IReadOnlyList<long> AtLeast => _atLeast;

    /// <summary>The positions as they are compared with values.</summary>
    /// <param name="scale">A metric's scale.</param>
    /// <param name="isFloat">Whether the metric's column has 32-bit floats.</param>
    public static double[] Compared(ThresholdScale scale, bool isFloat) =>
        isFloat ? [.. scale.Positions.Select(position => (double)(float)position)] : scale.Positions;

    /// <summary>Counts an item.</summary>
    /// <param name="place">The places of its smallest and its largest value.</param>
    public void Add(in ThresholdPlace place)
    {
        Scored++;
        _atMost[place.AtMost]++;
        _atLeast[place.AtLeast]++;
    }

    /// <summary>How many items a rule keeps: all their images are at most, or at least, a position.</summary>
    public long Kept(int position, bool isAtMost)
    {
        var slots = isAtMost ? _atMost.AsSpan(0, position + 1) : _atLeast.AsSpan(position + 1);
        long sum = 0;
        foreach (var count in slots)
            sum += count;
        return sum;
    }
}

/// <summary>Where an item stands among the positions of a scale.</summary>
/// <param name="AtMost">The first position that its largest value does not exceed; their number when it exceeds all.</param>
/// <param name="AtLeast">How many positions its smallest value reaches.</param>
internal readonly record struct ThresholdPlace(int AtMost, int AtLeast)
{
    /// <summary>Finds the place.</summary>
    /// <param name="positions">From <see cref="ThresholdCounts.Compared"/>.</param>
    /// <param name="smallest">The smallest value of the item's images.</param>
    /// <param name="largest">The largest; the same for an item with one image.</param>
    public static ThresholdPlace Of(double[] positions, double smallest, double largest)
    {
        var found = Array.BinarySearch(positions, largest);
        var atMost = found >= 0 ? found : ~found;
        if (smallest != largest)
            found = Array.BinarySearch(positions, smallest);
        return new ThresholdPlace(atMost, found >= 0 ? found + 1 : ~found);
    }
}
