using System.Globalization;

namespace Pristine.Experiments;

/// <summary>The range in which a statistic lies with a given confidence.</summary>
/// <param name="Low">Lower end; NaN when there is none.</param>
/// <param name="High">Upper end; NaN when there is none.</param>
public readonly record struct ConfidenceInterval(double Low, double High);

/// <summary>How confidence intervals are made.</summary>
public sealed record BootstrapOptions
{
    /// <summary>How many times the sample is drawn again; default 1000, at least 1.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>The share of resamples within the interval; default 0.95, above 0 and below 1.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Makes intervals repeat; default 1.</summary>
    public long Seed { get; init; } = 1;
}

/// <summary>
/// Percentile bootstrap (Efron 1979, DOI 10.1214/aos/1176344552): the sample is drawn again with replacement many times, and the interval
/// holds the middle of the statistics of these resamples. The same seed gives the same interval, on any number of threads.
/// </summary>
public static class Bootstrap
{
    /// <summary>Makes the intervals of some statistics of one sample, all from the same resamples.</summary>
    /// <param name="count">Size of the sample.</param>
    /// <param name="statistics">
    /// Gives the statistics of a resample, always as many, from the drawn positions (0 to <paramref name="count"/> - 1); called on several
    /// threads at once. A NaN (a resample without any variation) is left out.
    /// </param>
    /// <param name="options">Resamples, confidence, seed; null for the defaults.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>One interval per statistic; NaN ends for a statistic that is NaN in every resample, none for a sample of size 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IReadOnlyList<ConfidenceInterval> Intervals(
        int count, Func<int[], double[]> statistics, BootstrapOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        options ??= new BootstrapOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Resamples, 1);
        if (options.Confidence is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(options), string.Create(
                CultureInfo.InvariantCulture, $"Expected a confidence above 0 and below 1; found {options.Confidence}."));
        if (count == 0)
            return [];
        var resampled = new double[options.Resamples][];
        Parallel.For(0, options.Resamples, new ParallelOptions { CancellationToken = cancellation }, resample =>
        {
            var random = RandomStream.Of(options.Seed, resample);
            var positions = new int[count];
            for (var i = 0; i < count; i++)
                positions[i] = random.Next(count);
            resampled[resample] = statistics(positions);
        });
        var tail = (1 - options.Confidence) / 2;
        return
        [
            .. Enumerable.Range(0, resampled[0].Length).Select(statistic =>
            {
                var values = resampled.Select(values => values[statistic]).Where(double.IsFinite).Order().ToArray();
                return new ConfidenceInterval(Percentile(values, tail), Percentile(values, 1 - tail));
            }),
        ];
    }

    /// <summary>Interpolates linearly between neighbours, as numpy.percentile does; NaN when there are no values.</summary>
    internal static double Percentile(double[] sorted, double share)
    {
        if (sorted.Length == 0)
            return double.NaN;
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}
