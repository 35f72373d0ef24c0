namespace Pristine.Kernels;

/// <summary>
/// Counts how often each 8-bit value occurs. Scalar on every path: a histogram is scattered additions, which vectors do not speed up.
/// </summary>
internal static class Histogram
{
    /// <summary>Number of bins: one for each 8-bit value.</summary>
    public const int Bins = 256;

    /// <summary>Counts a plane of any length.</summary>
    /// <param name="plane">Values 0..255.</param>
    /// <param name="counts">Receives 256 counts; their sum is the length of the plane.</param>
    /// <exception cref="ArgumentException"><paramref name="counts"/> is not 256 long.</exception>
    public static void Count(ReadOnlySpan<byte> plane, Span<int> counts)
    {
        if (counts.Length != Bins)
            throw new ArgumentException($"Expected {Bins} counts; found {counts.Length}.", nameof(counts));
        // Neighbouring pixels are often equal, and an addition to a count that was written a moment ago waits for that write. Four
        // tables taken in turn keep four additions under way.
        Span<int> tables = stackalloc int[4 * Bins];
        tables.Clear();
        var first = tables[..Bins];
        var second = tables.Slice(Bins, Bins);
        var third = tables.Slice(2 * Bins, Bins);
        var fourth = tables.Slice(3 * Bins, Bins);
        var i = 0;
        for (; i <= plane.Length - 4; i += 4)
        {
            first[plane[i]]++;
            second[plane[i + 1]]++;
            third[plane[i + 2]]++;
            fourth[plane[i + 3]]++;
        }
        for (; i < plane.Length; i++)
            first[plane[i]]++;
        for (var value = 0; value < Bins; value++)
            counts[value] = first[value] + second[value] + third[value] + fourth[value];
    }
}
