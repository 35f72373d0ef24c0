using MathNet.Numerics.Distributions;

namespace Pristine.Experiments.Training;

/// <summary>
/// Student's t over seeds ("Student", Biometrika 6, 1908, DOI 10.1093/biomet/6.1.1): intervals of a mean, and the paired test. It takes the
/// seeds as independent draws; seeds that share images vary a little less than new datasets would.
/// </summary>
internal static class PairedTest
{
    /// <summary>The mean of some values with its confidence interval; NaN ends for fewer than two values.</summary>
    public static Estimate Mean(IReadOnlyList<double> values, double confidence)
    {
        if (values.Count == 0)
            return new(double.NaN, new(double.NaN, double.NaN));
        var mean = values.Average();
        if (values.Count < 2)
            return new(mean, new(double.NaN, double.NaN));
        var half = StudentT.InvCDF(0, 1, values.Count - 1, 1 - (1 - confidence) / 2) * Error(values, mean);
        return new(mean, new(mean - half, mean + half));
    }

    /// <summary>
    /// The two-sided probability of a mean at least this far from zero if the true one were zero. 1 where every difference is zero; NaN for
    /// fewer than two differences, and where all are the same but not zero, which no test over seeds can judge.
    /// </summary>
    public static double Probability(IReadOnlyList<double> differences)
    {
        if (differences.Count < 2)
            return double.NaN;
        var mean = differences.Average();
        var error = Error(differences, mean);
        // Differences of accuracies are multiples of one image: what is smaller than that by orders of magnitude is rounding.
        if (error < 1e-12)
            return Math.Abs(mean) < 1e-12 ? 1 : double.NaN;
        return 2 * StudentT.CDF(0, 1, differences.Count - 1, -Math.Abs(mean / error));
    }

    /// <summary>
    /// Holm's adjustment for several tests (Scand. J. Statist. 6, 1979): the chance that any of the true hypotheses is rejected stays below
    /// the level to which the adjusted values are compared, however the tests depend on each other. NaN stays NaN and does not count.
    /// </summary>
    public static double[] Holm(IReadOnlyList<double> probabilities)
    {
        var adjusted = probabilities.ToArray();
        var order = Enumerable.Range(0, adjusted.Length).Where(i => !double.IsNaN(adjusted[i])).OrderBy(i => probabilities[i]).ToArray();
        var largest = 0.0;
        for (var rank = 0; rank < order.Length; rank++)
        {
            largest = Math.Max(largest, Math.Min(1, (order.Length - rank) * probabilities[order[rank]]));
            adjusted[order[rank]] = largest;
        }
        return adjusted;
    }

    /// <summary>Standard error of the mean.</summary>
    private static double Error(IReadOnlyList<double> values, double mean) =>
        Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1) / values.Count);
}
