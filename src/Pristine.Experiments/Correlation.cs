namespace Pristine.Experiments;

/// <summary>
/// How well two lists of numbers agree: the coefficients with which image quality metrics are compared with people. The values are those
/// of <c>scipy.stats</c>, ties included.
/// </summary>
public static class Correlation
{
    /// <summary>
    /// Pearson's linear correlation (PLCC): sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)^2 sum (y - mean y)^2).
    /// </summary>
    /// <param name="x">Finite numbers.</param>
    /// <param name="y">As many finite numbers.</param>
    /// <returns>
    /// -1 to 1; NaN for fewer than two pairs or when all of <paramref name="x"/> or all of <paramref name="y"/> are equal.
    /// </returns>
    /// <exception cref="ArgumentException">The lengths differ, or a number is not finite.</exception>
    public static double Pearson(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        if (IsConstant(x) || IsConstant(y))
            return double.NaN;
        double meanX = Mean(x), meanY = Mean(y), xx = 0, yy = 0, xy = 0;
        for (var i = 0; i < x.Length; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
        // Rounding may take a perfect correlation beyond 1.
        return Math.Clamp(xy / (Math.Sqrt(xx) * Math.Sqrt(yy)), -1, 1);
    }

    /// <summary>Spearman's rank correlation (SRCC): Pearson's correlation of the ranks, equal values sharing their mean rank.</summary>
    /// <param name="x">Finite numbers.</param>
    /// <param name="y">As many finite numbers.</param>
    /// <returns>
    /// -1 to 1; NaN for fewer than two pairs or when all of <paramref name="x"/> or all of <paramref name="y"/> are equal.
    /// </returns>
    /// <exception cref="ArgumentException">The lengths differ, or a number is not finite.</exception>
    public static double Spearman(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        return Pearson(Ranks(x), Ranks(y));
    }

    /// <summary>
    /// Kendall's rank correlation (KRCC) in its tie-corrected form tau-b: (concordant - discordant pairs) /
    /// sqrt((pairs - pairs tied in x)(pairs - pairs tied in y)). Takes n log n steps (Knight 1966, DOI 10.1080/01621459.1966.10480879).
    /// </summary>
    /// <param name="x">Finite numbers.</param>
    /// <param name="y">As many finite numbers.</param>
    /// <returns>
    /// -1 to 1; NaN for fewer than two pairs or when all of <paramref name="x"/> or all of <paramref name="y"/> are equal.
    /// </returns>
    /// <exception cref="ArgumentException">The lengths differ, or a number is not finite.</exception>
    public static double Kendall(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        int[] rankX = DenseRanks(x), rankY = DenseRanks(y);
        // Both ranks in one number: an array of these sorts by x and, among equals, by y.
        var pairs = new long[x.Length];
        for (var i = 0; i < pairs.Length; i++)
            pairs[i] = (long)rankX[i] << 32 | (uint)rankY[i];
        Array.Sort(pairs);
        long all = (long)x.Length * (x.Length - 1) / 2;
        var tiedInX = TiedPairs(pairs, (a, b) => a >> 32 == b >> 32);
        var tiedInBoth = TiedPairs(pairs, (a, b) => a == b);
        var byY = new int[pairs.Length];
        for (var i = 0; i < pairs.Length; i++)
            byY[i] = (int)pairs[i];
        // Where x ascends, every inversion of y is a discordant pair; pairs tied in x ascend in y and count none.
        var discordant = CountInversions(byY, new int[byY.Length]);
        var tiedInY = TiedPairs(byY, (a, b) => a == b);
        if (all == tiedInX || all == tiedInY)
            return double.NaN;
        var concordantLessDiscordant = all - tiedInX - tiedInY + tiedInBoth - 2 * discordant;
        return Math.Clamp(concordantLessDiscordant / Math.Sqrt(all - tiedInX) / Math.Sqrt(all - tiedInY), -1, 1);
    }

    /// <summary>The root of the mean squared difference, in the unit of the values.</summary>
    /// <param name="x">Finite numbers.</param>
    /// <param name="y">As many finite numbers.</param>
    /// <returns>0 or more; NaN for no pairs.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or a number is not finite.</exception>
    public static double RootMeanSquareError(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        double sum = 0;
        for (var i = 0; i < x.Length; i++)
            sum += (x[i] - y[i]) * (x[i] - y[i]);
        return Math.Sqrt(sum / x.Length);
    }

    /// <summary>
    /// The area under the ROC curve: the chance that a random positive has a higher value than a random negative, ties counting half
    /// (the Mann-Whitney statistic over the number of pairs).
    /// </summary>
    /// <param name="values">Finite numbers.</param>
    /// <param name="isPositive">Which of them are positives.</param>
    /// <returns>0 to 1, 0.5 for chance; NaN when there are no positives or no negatives.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or a number is not finite.</exception>
    public static double AreaUnderRoc(ReadOnlySpan<double> values, ReadOnlySpan<bool> isPositive)
    {
        if (values.Length != isPositive.Length)
            throw new ArgumentException(
                $"Expected a label for each of {values.Length} values; found {isPositive.Length}.", nameof(isPositive));
        CheckFinite(values, nameof(values));
        var ranks = Ranks(values);
        double rankSum = 0;
        long positives = 0;
        for (var i = 0; i < ranks.Length; i++)
        {
            if (!isPositive[i])
                continue;
            rankSum += ranks[i];
            positives++;
        }
        var negatives = values.Length - positives;
        return positives == 0 || negatives == 0 ? double.NaN : (rankSum - positives * (positives + 1) / 2.0) / positives / negatives;
    }

    /// <summary>Ranks from 1; equal values share the mean of their ranks.</summary>
    /// <param name="values">Finite numbers.</param>
    /// <exception cref="ArgumentException">A number is not finite.</exception>
    public static double[] Ranks(ReadOnlySpan<double> values)
    {
        CheckFinite(values, nameof(values));
        var (sorted, order) = Sorted(values);
        var ranks = new double[values.Length];
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && sorted[end] == sorted[start];)
                end++;
            for (var i = start; i < end; i++)
                ranks[order[i]] = (start + 1 + end) / 2.0;
        }
        return ranks;
    }

    private static int[] DenseRanks(ReadOnlySpan<double> values)
    {
        var (sorted, order) = Sorted(values);
        var ranks = new int[values.Length];
        for (int i = 1, rank = 0; i < sorted.Length; i++)
            ranks[order[i]] = sorted[i] == sorted[i - 1] ? rank : ++rank;
        return ranks;
    }

    private static (double[] Sorted, int[] Order) Sorted(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        var order = new int[sorted.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);
        return (sorted, order);
    }

    private static long TiedPairs<T>(T[] sorted, Func<T, T, bool> isTie)
    {
        long pairs = 0;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && isTie(sorted[start], sorted[end]);)
                end++;
            pairs += (long)(end - start) * (end - start - 1) / 2;
        }
        return pairs;
    }

    /// <summary>Sorts by merging and counts the pairs that stood in descending order.</summary>
    private static long CountInversions(Span<int> values, Span<int> scratch)
    {
        if (values.Length < 2)
            return 0;
        var half = values.Length / 2;
        var inversions = CountInversions(values[..half], scratch[..half]) + CountInversions(values[half..], scratch[half..]);
        for (int left = 0, right = half, to = 0; to < values.Length; to++)
        {
            if (right == values.Length || (left < half && values[left] <= values[right]))
                scratch[to] = values[left++];
            else
            {
                inversions += half - left;
                scratch[to] = values[right++];
            }
        }
        scratch.CopyTo(values);
        return inversions;
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var value in values)
            sum += value;
        return sum / values.Length;
    }

    private static bool IsConstant(ReadOnlySpan<double> values) => values.Length < 2 || !values.ContainsAnyExcept(values[0]);

    private static void Check(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length)
            throw new ArgumentException($"Expected two lists of equal length; found {x.Length} and {y.Length} numbers.", nameof(y));
        CheckFinite(x, nameof(x));
        CheckFinite(y, nameof(y));
    }

    private static void CheckFinite(ReadOnlySpan<double> values, string name)
    {
        for (var i = 0; i < values.Length; i++)
            if (!double.IsFinite(values[i]))
                throw new ArgumentException($"Expected finite numbers; found {values[i]} at position {i}.", name);
    }
}
