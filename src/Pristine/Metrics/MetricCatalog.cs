using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.Cleanvision;
using Pristine.Metrics.Faces;
using Pristine.Metrics.Nsfw;
using Pristine.Metrics.Onnx;
using Pristine.Metrics.ResNet;
using Pristine.Metrics.Text;
using Pristine.Metrics.Text.Language;

namespace Pristine.Metrics;

/// <summary>
/// The metrics of this library: the one list that the command line, docs/metrics.md and the provenance of results are made from. Sets with
/// metrics of the user's own are <see cref="MetricSet"/>s.
/// </summary>
public static class MetricCatalog
{
    /// <summary>All metrics: those of the header first, then the pixel metrics. A new metric is one file and one line here.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        .. HeaderMetric.All,
        new BrisqueMetric(),
        new BrisqueLive(),
        new Sharpness(),
        new Brightness(),
        new Contrast(),
        new Colorfulness(),
        new Entropy(),
        new Saturation(),
        new GrayShare(),
        .. LumaPercentile.All,
        Clipping.Shadows,
        Clipping.Highlights,
        new NoiseEstimate(),
        new Sharpness256(),
        new Blockiness(),
        new FlatShare(),
        new BorderShare(),
        .. CleanvisionMetric.All,
        new FaceCount(),
        new FaceRatio(),
        NsfwMetric.Nsfw,
        NsfwMetric.Suggestive,
        .. ArniqaMetric.All,
        ResNetMetric.Biq2021,
        ResNetMetric.Damage,
        .. TextMetric.All,
        LanguageScore.Any,
        .. PristineMetric.All,
        .. MediaMetric.All,
    ];

    /// <summary>The kinds of files that hold metrics of the user's own.</summary>
    internal static IReadOnlyList<MetricFile> Files { get; } = [HeadFile.File, OnnxMetric.ManifestFile, TokenCount.TokenizerFile];

    /// <summary>The features that can be asked for by name: those that regressors are trained on and that find similar images.</summary>
    public static IReadOnlyList<Feature> Features { get; } =
        [new ResNetFeature(), new ResNetEmbeddingFeature(), .. PristineNetwork.All.Select(
            network => new PristineFeature(network)), new BrisqueLiveFeature()];

    /// <summary>Finds a feature by its exact name.</summary>
    /// <param name="name">For example <c>resnet50</c>.</param>
    /// <exception cref="ArgumentException">There is none; the message lists all.</exception>
    public static Feature GetFeature(string name) =>
        Features.FirstOrDefault(feature => feature.Name == name)
        ?? throw new ArgumentException(
            $"There are no features '{name}'. Known: {string.Join(", ", Features.Select(feature => feature.Name))}.", nameof(name));

    /// <summary>Finds a metric of this library by its exact name.</summary>
    /// <param name="name">For example <c>brisque</c>.</param>
    /// <returns>The metric.</returns>
    /// <exception cref="ArgumentException">No metric has the name; the message lists the nearest ones.</exception>
    public static Metric Get(string name) => MetricSet.BuiltIn.Get(name);

    /// <summary>Finds a metric of this library as <see cref="MetricSet.Find"/> does, or null.</summary>
    /// <param name="name">For example <c>brisque</c> or <c>arniqa:pyiqa@koniq10k</c>.</param>
    public static Metric? Find(string name) => MetricSet.BuiltIn.Find(name);

    /// <summary>The three known names that are closest to a misspelt one: first those that go on as it begins.</summary>
    /// <param name="name">The misspelt name.</param>
    /// <param name="known">Names to choose from.</param>
    public static IEnumerable<string> Nearest(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        return NearestNames.Of(name, known);
    }
}
