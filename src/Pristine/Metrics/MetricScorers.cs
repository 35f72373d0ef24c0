using System.Runtime.ExceptionServices;
using Pristine.Media;
using Pristine.Models;

namespace Pristine.Metrics;

/// <summary>
/// One worker's scorers of several metrics. A feature that several metrics need is computed once per image. Scorers and extractors are made
/// when they are first needed: who asks for no score needs no model in memory. Not thread-safe.
/// </summary>
/// <param name="metrics">The metrics.</param>
public sealed class MetricScorers(IReadOnlyList<Metric> metrics) : IDisposable
{
    private readonly MetricScorer?[] _scorers = new MetricScorer?[metrics.Count];
    private readonly Dictionary<Feature, Computation> _features = [];

    // Which computation a metric reads: features are compared by their identities once, not for every image.
    private readonly Computation?[] _read = new Computation?[metrics.Count];

    /// <summary>The metrics.</summary>
    public IReadOnlyList<Metric> Metrics => metrics;

    /// <summary>Begins another image: features of the one before are forgotten.</summary>
    public void BeginImage()
    {
        foreach (var feature in _features.Values)
            feature.Forget();
    }

    /// <summary>The score of an image.</summary>
    /// <param name="metric">Position of the metric.</param>
    /// <param name="image">
    /// The image, the same for all calls since <see cref="BeginImage"/>; as <see cref="MetricScorer.Score"/> wants it.
    /// </param>
    /// <returns>The native score; finite.</returns>
    /// <exception cref="ModelException">The metric cannot run here; the message is <see cref="Measure.Missing"/>.</exception>
    public double Score(int metric, in ImageView image) => Score(metric, image, null);

    /// <summary>The score of an image of an item.</summary>
    /// <param name="metric">Position of the metric.</param>
    /// <param name="image">The image.</param>
    /// <param name="text">The item's text; null where it has none.</param>
    internal double Score(int metric, in ImageView image, string? text)
    {
        if (metrics[metric] is FeatureMetric head)
            return head.Score((_read[metric] ??= ComputationOf(head.Feature)).Of(image), text);
        return (_scorers[metric] ??= metrics[metric].CreateScorer()).Score(image);
    }

    /// <summary>The numbers of a feature of an image, computed unless that happened since <see cref="BeginImage"/>.</summary>
    /// <param name="feature">The feature.</param>
    /// <param name="image">As for <see cref="Score(int, in ImageView)"/>.</param>
    /// <returns>The numbers, valid until the next image.</returns>
    /// <exception cref="ModelException">The feature cannot be computed here; the message is <see cref="Measure.Missing"/>.</exception>
    public ReadOnlySpan<double> Features(Feature feature, in ImageView image)
    {
        ArgumentNullException.ThrowIfNull(feature);
        return ComputationOf(feature).Of(image);
    }

    /// <summary>The extractor of the feature that a metric or a column of vectors reads; null for a metric that reads none.</summary>
    /// <param name="metric">Position of the metric.</param>
    /// <exception cref="ModelException">The feature cannot be computed here; the message is <see cref="Measure.Missing"/>.</exception>
    internal FeatureExtractor? ExtractorOf(int metric) => metrics[metric] switch
    {
        FeatureMetric head => (_read[metric] ??= ComputationOf(head.Feature)).Extractor,
        FeatureColumn column => (_read[metric] ??= ComputationOf(column.Feature)).Extractor,
        _ => null,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var scorer in _scorers)
            scorer?.Dispose();
        foreach (var feature in _features.Values)
            feature.Dispose();
    }

    private Computation ComputationOf(Feature feature)
    {
        if (!_features.TryGetValue(feature, out var computation))
            _features.Add(feature, computation = new Computation(feature.CreateExtractor()));
        return computation;
    }

    /// <summary>
    /// A feature of the image at hand. A failure counts for the image too: the next metric does not try again what took long to fail.
    /// </summary>
    private sealed class Computation(FeatureExtractor extractor) : IDisposable
    {
        private readonly double[] _values = new double[extractor.Count];

        public FeatureExtractor Extractor => extractor;

        private bool _isComputed;
        private ExceptionDispatchInfo? _failure;

        public void Forget() => (_isComputed, _failure) = (false, null);

        public ReadOnlySpan<double> Of(in ImageView image)
        {
            _failure?.Throw();
            if (_isComputed)
                return _values;
            try
            {
                extractor.Compute(image, _values);
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
                throw;
            }
            _isComputed = true;
            return _values;
        }

        public void Dispose() => extractor.Dispose();
    }
}
