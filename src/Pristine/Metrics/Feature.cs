using Pristine.Media;
using Pristine.Models;

namespace Pristine.Metrics;

/// <summary>
/// A vector that is computed once per image: the statistics of BRISQUE, the embedding of a network. Metrics are computed from it
/// (<see cref="FeatureMetric"/>), regressors are trained on it. Immutable.
/// </summary>
public abstract class Feature : Measure
{
    /// <summary>
    /// Name and version; changes whenever the same pixels may give other numbers, so that a regressor never meets features that it was
    /// not trained on.
    /// </summary>
    public abstract string Identity { get; }

    /// <summary>Numbers per image.</summary>
    public abstract int Count { get; }

    /// <summary>
    /// What else the numbers depend on, in their last digits or wholly: device, folder of the model. Two features of one type, identity
    /// and place are equal, and a run computes them once.
    /// </summary>
    protected virtual string Place => Device;

    /// <inheritdoc/>
    public override Feature WithDevice(string device) => this;

    /// <summary>Makes one worker's extractor, which owns its scratch memory; not thread-safe.</summary>
    /// <exception cref="ModelException">The feature cannot be computed here; the message is <see cref="Measure.Missing"/>.</exception>
    public abstract FeatureExtractor CreateExtractor();

    /// <inheritdoc/>
    public sealed override bool Equals(object? obj) =>
        obj is Feature other && other.GetType() == GetType() && (other.Identity, other.Place) == (Identity, Place);

    /// <inheritdoc/>
    public sealed override int GetHashCode() => HashCode.Combine(GetType(), Identity, Place);
}

/// <summary>One worker's extractor of a <see cref="Feature"/>. Reuses its memory from image to image.</summary>
public abstract class FeatureExtractor : IDisposable
{
    /// <summary>Numbers per image.</summary>
    public abstract int Count { get; }

    /// <summary>Computes the feature of one image.</summary>
    /// <param name="image">
    /// Both sides at least <see cref="Measure.MinSide"/>, with what <see cref="Measure.Input"/> asked for; nothing of it may be kept.
    /// </param>
    /// <param name="features"><see cref="Count"/> values, overwritten. NaN where a number does not exist (a constant image).</param>
    public abstract void Compute(in ImageView image, Span<double> features);

    /// <summary>
    /// True where several images together may cost less than each alone: a network on a GPU. Numbers are the same either way.
    /// </summary>
    public virtual bool ComputesTogether => false;

    /// <summary>
    /// Takes from an image what <see cref="Compute(IReadOnlyList{PreparedImage}, Span{double})"/> needs of it, so that its pixels may go.
    /// Here the numbers themselves; a network takes what it sees.
    /// </summary>
    /// <param name="image">As for <see cref="Compute(in ImageView, Span{double})"/>.</param>
    /// <returns>To be disposed once it is computed.</returns>
    public virtual PreparedImage Prepare(in ImageView image)
    {
        var features = new double[Count];
        Compute(image, features);
        return new ComputedImage(features);
    }

    /// <summary>Computes the feature of several images.</summary>
    /// <param name="images">Images that this extractor prepared.</param>
    /// <param name="rows">
    /// <see cref="Count"/> values for each image, in their order, overwritten; the same that each image alone would get.
    /// </param>
    /// <exception cref="ArgumentException">There is not one row per image.</exception>
    public virtual void Compute(IReadOnlyList<PreparedImage> images, Span<double> rows)
    {
        CheckRows(images, rows);
        for (var i = 0; i < images.Count; i++)
            ((ComputedImage)images[i]).Features.CopyTo(rows[(i * Count)..]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Checks that there is room for one row per image.</summary>
    /// <param name="images">The images.</param>
    /// <param name="rows">The rows.</param>
    /// <exception cref="ArgumentException">There is more or less.</exception>
    protected void CheckRows(IReadOnlyList<PreparedImage> images, ReadOnlySpan<double> rows)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (rows.Length != images.Count * Count)
            throw new ArgumentException($"Expected {images.Count} rows of {Count} values; found {rows.Length} values.", nameof(rows));
    }

    private sealed class ComputedImage(double[] features) : PreparedImage
    {
        public double[] Features => features;
    }

    /// <summary>Frees what the extractor owns.</summary>
    /// <param name="disposing">False when called by a finaliser.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>What a <see cref="FeatureExtractor"/> keeps of an image until it computes it together with others.</summary>
public abstract class PreparedImage : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory that it holds.</summary>
    /// <param name="disposing">False when called by a finaliser.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>
/// A metric that is computed from a <see cref="Feature"/>. Metrics of equal features cost one computation of the feature.
/// </summary>
public abstract class FeatureMetric : Metric
{
    /// <summary>What it is computed from.</summary>
    public abstract Feature Feature { get; }

    /// <inheritdoc/>
    public override ImageInput Input => Feature.Input;

    /// <inheritdoc/>
    public override int MinSide => Feature.MinSide;

    /// <inheritdoc/>
    public override string Device => Feature.Device;

    /// <inheritdoc/>
    public override string? Missing => Feature.Missing;

    /// <summary>The score of a feature. Thread-safe; what it needs besides is loaded at the first call.</summary>
    /// <param name="features">The numbers of <see cref="Feature"/>, as an extractor gives them.</param>
    /// <returns>The native score; finite.</returns>
    /// <exception cref="ModelException">The metric cannot run here; the message is <see cref="Measure.Missing"/>.</exception>
    public abstract double Score(ReadOnlySpan<double> features);

    /// <summary>The score of a feature and the text of the image's item.</summary>
    /// <param name="features">As for <see cref="Score(ReadOnlySpan{double})"/>.</param>
    /// <param name="text">The text; null where the item has none. Read where <see cref="Metric.ReadsText"/>.</param>
    /// <returns>The native score; NaN where a text is needed and there is none.</returns>
    internal virtual double Score(ReadOnlySpan<double> features, string? text) => Score(features);

    /// <inheritdoc/>
    public override MetricScorer CreateScorer() =>
        Missing is { } missing ? throw new ModelException(missing) : new Scorer(this, Feature.CreateExtractor());

    private sealed class Scorer(FeatureMetric metric, FeatureExtractor extractor) : MetricScorer
    {
        private readonly double[] _features = new double[extractor.Count];

        public override double Score(in ImageView image)
        {
            extractor.Compute(image, _features);
            return metric.Score(_features);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                extractor.Dispose();
            base.Dispose(disposing);
        }
    }
}
