using System.IO.Hashing;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Scoring;

namespace Pristine.Experiments;

/// <summary>The features of one image, or why there are none.</summary>
/// <param name="Path">The image file.</param>
/// <param name="Features">The features; null when the image could not be used.</param>
/// <param name="Error">The reason in one line; null when there are features.</param>
public readonly record struct ImageFeatures(string Path, float[]? Features, string? Error);

/// <summary>How the features of many images are computed.</summary>
public sealed record FeatureExtractionOptions
{
    /// <summary>Threads; one per core by default.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How images are decoded.</summary>
    public ImagingOptions Imaging { get; init; } = new();

    /// <summary>Features that are known already, and where new ones are kept; null for none.</summary>
    public FeatureFile? Cache { get; init; }
}

/// <summary>Computes the features of many images: one worker per core, results in the order of the images.</summary>
public static class FeatureExtraction
{
    private const int InFlightPerWorker = 4;

    /// <summary>Computes the features of images; a bad image gets an error, it does not stop the run.</summary>
    /// <param name="features">Which features.</param>
    /// <param name="paths">The image files.</param>
    /// <param name="options">Workers, decoding, cache; defaults when null.</param>
    /// <param name="cancellation">Ends the run with <see cref="OperationCanceledException"/>, after the results that are finished.</param>
    /// <exception cref="ModelException">The features cannot be computed here.</exception>
    public static IEnumerable<ImageFeatures> Run(
        Feature features, IEnumerable<string> paths, FeatureExtractionOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(paths);
        options ??= new FeatureExtractionOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1, nameof(options));
        if (features.Missing is { } missing)
            throw new ModelException(missing);
        return OrderedPipeline<string, ImageFeatures, Worker>.Run(
            paths, options.Workers, options.Workers * InFlightPerWorker, () => new Worker(features, options.Cache, options.Imaging), (worker, path) => worker.Extract(path), cancellation);
    }

    private sealed class Worker(Feature features, FeatureFile? cache, ImagingOptions imaging) : IDisposable
    {
        private readonly ImageDecoder _decoder = new(imaging);
        private readonly FeatureExtractor _extractor = features.CreateExtractor();
        private readonly double[] _exact = new double[features.Count];

        public ImageFeatures Extract(string path)
        {
            var values = new float[features.Count];
            // What is in the cache was decoded once; its pixels are not needed again, and cost more than a second look at a new file.
            if (cache == null || _decoder.Load(path, ImageInput.Header).Status != ImageStatus.Ok
                || !cache.TryRead(XxHash128.HashToUInt128(_decoder.FileBytes), values))
            {
                var decoded = _decoder.Load(path, features.Input);
                if (decoded.Status != ImageStatus.Ok)
                    return new(path, null, decoded.Error);
                var image = _decoder.Image;
                if (Math.Min(image.Width, image.Height) < features.MinSide)
                    return new(path, null, $"{features.Name} needs at least {features.MinSide} pixels on each side; the image has {image.Width}x{image.Height}");
                _extractor.Compute(image, _exact);
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)_exact[i];
                cache?.Add(XxHash128.HashToUInt128(_decoder.FileBytes), values);
            }
            return values.All(float.IsFinite)
                ? new(path, values, null)
                : new(path, null, "a feature does not exist for this image (it may be a single colour)");
        }

        public void Dispose()
        {
            _decoder.Dispose();
            _extractor.Dispose();
        }
    }
}
