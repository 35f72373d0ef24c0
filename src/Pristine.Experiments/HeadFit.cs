using Pristine.Metrics.ResNet;

namespace Pristine.Experiments;

/// <summary>
/// Trains a <see cref="QualityHead"/> by <see cref="RidgeRegression"/>, from nothing or from another head of the same features: then the
/// other head's score, brought to the labels by a straight line, is what is known beforehand, and the regression learns what it misses.
/// With few labels the penalty is large and little changes; with many the other head is forgotten.
/// </summary>
public sealed class HeadFit
{
    private readonly double[] _weights;
    private readonly double _bias;

    private HeadFit(RidgeRegression ridge, double[] weights, double bias) => (Ridge, _weights, _bias) = (ridge, weights, bias);

    /// <summary>The regression, with its trials.</summary>
    public RidgeRegression Ridge { get; }

    /// <summary>Fits.</summary>
    /// <param name="features">A row per image.</param>
    /// <param name="labels">A number per row.</param>
    /// <param name="start">The head to begin with, of as many features and without a link; null for none.</param>
    /// <param name="options">As for <see cref="RidgeRegression.Fit"/>; the baseline is set here.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">
    /// As <see cref="RidgeRegression.Fit"/> throws, or the head has other features or a link.
    /// </exception>
    public static HeadFit Fit(
        IReadOnlyList<float[]> features, double[] labels, QualityHead? start, RidgeOptions options,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(options);
        if (start == null)
        {
            var plain = RidgeRegression.Fit(features, labels, options, cancellation);
            return new(plain, [.. plain.Weights], plain.Bias);
        }
        if (start.Link != HeadLink.Identity)
            throw new ArgumentException("Expected a head whose score is the weighted sum; found a logistic one.", nameof(start));
        var scores = features.Select(row => start.Score(Array.ConvertAll(row, value => (double)value))).ToArray();
        var (slope, offset) = Line(scores, labels);
        var ridge = RidgeRegression.Fit(
            features, labels, options with { Baseline = [.. scores.Select(score => offset + slope * score)] }, cancellation);
        var weights = ridge.Weights.ToArray();
        for (var i = 0; i < weights.Length; i++)
            weights[i] += slope * start.Weights[i];
        return new(ridge, weights, ridge.Bias + offset + slope * start.Bias);
    }

    /// <summary>The head.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="features">Identity of the features.</param>
    /// <param name="worst">The label of the worst image.</param>
    /// <param name="best">The label of the best.</param>
    /// <param name="training">How it was trained, for people.</param>
    public QualityHead Head(string name, string features, double worst, double best, string training) =>
        new(name, features, [.. _weights.Select(weight => (float)weight)], _bias, worst, best, training);

    /// <summary>The straight line of least squares; flat where all scores are equal.</summary>
    private static (double Slope, double Offset) Line(double[] scores, double[] labels)
    {
        var (meanScore, meanLabel) = (scores.Average(), labels.Average());
        var spread = scores.Sum(score => (score - meanScore) * (score - meanScore));
        var slope = spread > 0 ? scores.Zip(labels, (score, label) => (score - meanScore) * (label - meanLabel)).Sum() / spread : 0;
        return (slope, meanLabel - slope * meanScore);
    }
}
