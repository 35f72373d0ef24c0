using System.Globalization;
using Pristine.Media;
using Pristine.Models;

namespace Pristine.Metrics;

/// <summary>Which end of a metric's native scale is good.</summary>
public enum MetricDirection
{
    /// <summary>Neither: a size or a style, not a quality. Such a metric has no quality value.</summary>
    None,

    /// <summary>Larger is better.</summary>
    HigherIsBetter,

    /// <summary>Smaller is better.</summary>
    LowerIsBetter,
}

/// <summary>The native range of a metric; infinite ends are open.</summary>
/// <param name="Low">Smallest value it can have.</param>
/// <param name="High">Largest value it can have.</param>
public readonly record struct MetricRange(double Low, double High);

/// <summary>
/// Something that turns an image into a number. A metric is immutable, knows nothing of thresholds and is listed once, in
/// <see cref="MetricCatalog"/>; help texts, docs/metrics.md and the provenance of results are made from what it says about itself.
/// </summary>
/// <remarks>
/// A metric is one column. Several numbers that come of one computation are a <see cref="Feature"/>, and each of them that is a column is a
/// <see cref="FeatureMetric"/> on it.
/// </remarks>
public abstract class Metric : Measure
{
    /// <summary>Other names that it is found by, for example <c>resnet50</c> for <c>resnet50@biq2021</c>; columns have the name.</summary>
    public virtual IReadOnlyList<string> Aliases => [];

    /// <summary>The metric of this library that has a name, so that options take names: <c>Metrics = ["brisque", "width"]</c>.</summary>
    /// <param name="name">As <see cref="MetricSet.Get"/> knows it.</param>
    /// <exception cref="ArgumentException">There is none; the message names the nearest ones.</exception>
    public static implicit operator Metric(string name) => FromString(name);

    /// <summary>The metric of this library that has a name.</summary>
    /// <param name="name">As <see cref="MetricSet.Get"/> knows it.</param>
    /// <exception cref="ArgumentException">There is none; the message names the nearest ones.</exception>
    public static Metric FromString(string name) => MetricSet.BuiltIn.Get(name);

    /// <summary>One sentence: what it measures.</summary>
    public abstract string Summary { get; }

    /// <summary>The formula, in plain text.</summary>
    public abstract string Formula { get; }

    /// <summary>
    /// Where it comes from: paper and DOI, or the program whose definition it follows; empty for plain facts of the header.
    /// </summary>
    public virtual string Citation => "";

    /// <summary>
    /// What a user should know before setting a threshold: how it differs from what peers call the same, what misleads it; empty if
    /// nothing.
    /// </summary>
    public virtual string Notes => "";

    /// <summary>Unit or scale of the native value, for example <c>pixels</c>.</summary>
    public virtual string Unit => "";

    /// <summary>Which end is good.</summary>
    public virtual MetricDirection Direction => MetricDirection.None;

    /// <summary>The native range.</summary>
    public virtual MetricRange Range => new(0, double.PositiveInfinity);

    /// <inheritdoc/>
    public override Metric WithDevice(string device) => this;

    /// <summary>True when <see cref="Quality"/> gives a number.</summary>
    public bool HasQuality => Direction != MetricDirection.None;

    /// <summary>False for what is asked for like a metric and is no number: a vector or a hash.</summary>
    internal virtual bool HasScore => true;

    /// <summary>Whether the score depends on the text of the image's item besides, as similarity of image and text does.</summary>
    internal virtual bool ReadsText => false;

    /// <summary>
    /// Maps a native score to [0,1], 1 best. The default is linear over <see cref="Range"/> after clipping; a metric with an open
    /// range and a direction overrides it.
    /// </summary>
    /// <param name="score">A native score.</param>
    /// <returns>The quality; NaN for a NaN score and for metrics without a direction.</returns>
    public virtual double Quality(double score)
    {
        if (Direction == MetricDirection.None || double.IsNaN(score))
            return double.NaN;
        var (low, high) = Range;
        var share = (Math.Clamp(score, low, high) - low) / (high - low);
        return Direction == MetricDirection.HigherIsBetter ? share : 1 - share;
    }

    /// <summary>
    /// The formula of <see cref="Quality"/> in plain text, made from <see cref="Range"/> and <see cref="Direction"/>; a metric that
    /// overrides <see cref="Quality"/> overrides this too. Empty for a metric without a direction.
    /// </summary>
    public virtual string QualityFormula
    {
        get
        {
            if (Direction == MetricDirection.None)
                return "";
            var (low, high) = Range;
            var clipped = string.Create(CultureInfo.InvariantCulture, $"clip({Name}, {low}, {high})");
            var share = Direction == MetricDirection.HigherIsBetter
                ? low == 0 ? clipped : string.Create(CultureInfo.InvariantCulture, $"({clipped} - {low})")
                : string.Create(CultureInfo.InvariantCulture, $"({high} - {clipped})");
            return high - low == 1 ? share : string.Create(CultureInfo.InvariantCulture, $"{share} / {high - low}");
        }
    }

    /// <summary>
    /// Makes a scorer that works on its own; it owns its scratch memory. One per worker; not thread-safe. Several metrics of one image are
    /// scored by <see cref="MetricScorers"/>.
    /// </summary>
    /// <exception cref="ModelException">The metric cannot run here; the message is <see cref="Measure.Missing"/>.</exception>
    public abstract MetricScorer CreateScorer();
}

/// <summary>One worker's instance of a metric. Reuses its memory from image to image.</summary>
public abstract class MetricScorer : IDisposable
{
    /// <summary>
    /// Scores one image whose sides are at least <see cref="Measure.MinSide"/> and which carries what <see cref="Measure.Input"/> asked
    /// for.
    /// </summary>
    /// <param name="image">The image; nothing of it may be kept.</param>
    /// <returns>The native score; finite.</returns>
    public abstract double Score(in ImageView image);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the scorer owns.</summary>
    /// <param name="disposing">False when called by a finaliser.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A metric without state: one function from image to number.</summary>
public abstract class StatelessMetric : Metric
{
    /// <summary>The function.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The native score; finite.</returns>
    protected abstract double Measure(in ImageView image);

    /// <inheritdoc/>
    public sealed override MetricScorer CreateScorer() => new Scorer(this);

    private sealed class Scorer(StatelessMetric metric) : MetricScorer
    {
        public override double Score(in ImageView image) => metric.Measure(image);
    }
}
