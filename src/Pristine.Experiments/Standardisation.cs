namespace Pristine.Experiments;

/// <summary>Mean and standard deviation of every feature over the rows of a training set.</summary>
/// <param name="Means">The means.</param>
/// <param name="Deviations">The deviations, the mean square taken over all rows; 0 for a feature that is constant.</param>
internal sealed record Standardisation(double[] Means, double[] Deviations)
{
    /// <summary>Equal floats may have a mean that differs from them by rounding: that is no deviation.</summary>
    private const double SmallestRelativeDeviation = 1e-9;

    /// <summary>Checks that rows can be trained on.</summary>
    /// <param name="features">The rows.</param>
    /// <exception cref="ArgumentException">Their lengths differ or are 0, or a value is not finite; the row is named.</exception>
    public static void Check(IReadOnlyList<float[]> features)
    {
        for (var i = 0; i < features.Count; i++)
        {
            if (features[i].Length != features[0].Length || features[i].Length == 0)
                throw new ArgumentException(
                    $"Expected rows of {features[0].Length} features, at least one; row {i} has {features[i].Length}.", nameof(features));
            foreach (var value in features[i])
                if (!float.IsFinite(value))
                    throw new ArgumentException($"Expected finite features; found {value} in row {i}.", nameof(features));
        }
    }

    /// <summary>Measures the features of rows, at least one, all of the same length.</summary>
    public static Standardisation Of(IReadOnlyList<float[]> features)
    {
        var (means, deviations) = (new double[features[0].Length], new double[features[0].Length]);
        foreach (var row in features)
            for (var k = 0; k < row.Length; k++)
                means[k] += row[k];
        for (var k = 0; k < means.Length; k++)
            means[k] /= features.Count;
        foreach (var row in features)
            for (var k = 0; k < row.Length; k++)
                deviations[k] += (row[k] - means[k]) * (row[k] - means[k]);
        for (var k = 0; k < means.Length; k++)
        {
            var deviation = Math.Sqrt(deviations[k] / features.Count);
            deviations[k] = deviation > SmallestRelativeDeviation * Math.Abs(means[k]) ? deviation : 0;
        }
        return new(means, deviations);
    }
}
