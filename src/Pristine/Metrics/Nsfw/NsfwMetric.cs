using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics.Onnx;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Nsfw;

/// <summary>The feature of <c>nsfw</c> and <c>nsfw_sexy</c>: the probabilities of drawing, hentai, neutral, porn and sexy.</summary>
/// <param name="store">The store; <see cref="ModelStore.Default"/> when null.</param>
/// <param name="device"><c>cpu</c> or <c>cuda:N</c>; <see cref="NetworkDevice.Default"/> when null.</param>
internal sealed class NsfwFeature(ModelStore? store = null, string? device = null) : Feature
{
    /// <summary>Classes of nsfwjs, in its order.</summary>
    public const int Classes = 5, Hentai = 1, Porn = 3, Sexy = 4;

    private ModelStore Store => store ?? ModelStore.Default;

    public override string Name => "nsfw";

    public override string Identity => "nsfw:1";

    public override int Count => Classes;

    public override ImageInput Input => ImageInput.Rgb;

    public override string Device => device ?? NetworkDevice.Default;

    public override string? ModelSha256 => NsfwNetwork.Sha256(Store);

    public override string? Missing => NsfwNetwork.Missing(Store);

    protected override string Place => $"{Device} {Store.Folder}";

    public override NsfwFeature WithDevice(string device) => new(store, device);

    public override FeatureExtractor CreateExtractor() =>
        Missing is { } message ? throw new ModelException(message) : new Extractor(NsfwNetwork.Open(Store, Device));

    private sealed class Extractor(OnnxRuntimeSession session) : NetworkExtractor(session, scales: 1)
    {
        private readonly OnnxImage _image = new(
            new OnnxInput(Width: BundledModel.Side, Height: BundledModel.Side, Filter: ResampleFilter.Bilinear));

        public override int Count => Classes;

        protected override NetworkShape Shape(int scale, int width, int height) => new(1, 3, BundledModel.Side, BundledModel.Side);

        protected override void Write(int scale, in ImageView image, Span<float> tensor) => _image.Write(image, tensor);

        protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features) => output.WidenTo(features);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _image.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>
/// <c>nsfw</c> and <c>nsfw_sexy</c>: probabilities of the MobileNetV2 of nsfwjs (Infinite Red; trained by G. Laborde), the picture
/// stretched to 224 x 224. Deviation: nsfwjs shrinks without antialiasing, this as Pillow does; a picture of 224 x 224 gets the same.
/// </summary>
/// <remarks>No unit. Range: 0 to 1. No direction.</remarks>
public sealed class NsfwMetric : FeatureMetric
{
    private readonly NsfwFeature _feature;
    private readonly bool _isSexy;

    private NsfwMetric(bool isSexy, NsfwFeature feature) => (_isSexy, _feature) = (isSexy, feature);

    /// <summary>Pornography, photographed or drawn.</summary>
    public static NsfwMetric Nsfw { get; } = new(false, new NsfwFeature());

    /// <summary>Sexually explicit pictures that are no pornography.</summary>
    public static NsfwMetric Suggestive { get; } = new(true, new NsfwFeature());

    /// <inheritdoc/>
    public override string Name => _isSexy ? "nsfw_sexy" : "nsfw";

    /// <inheritdoc/>
    public override string Summary => _isSexy
        ? "Probability that a picture is suggestive without being pornography: swimwear, underwear, poses."
        : "Probability that a picture is pornography, photographed or drawn.";

    /// <inheritdoc/>
    public override string Formula => _isSexy ? "P(sexy)" : "P(porn) + P(hentai)";

    /// <inheritdoc/>
    public override string Citation =>
        "nsfwjs 4.3.0, its MobileNetV2 (MIT; npm). Classes: drawing, hentai, neutral, porn, sexy. The picture is stretched to 224 x 224.";

    /// <inheritdoc/>
    public override string Notes =>
        "A first filter, not a judge. Of 500 harmless photographs of BIQ2021 8 % are above 0.5, 4 % above 0.8 and 1 % above 0.9: dark, " +
        "blurred and washed-out pictures, hands and feet. How much it finds was not measured here; its authors state about 90 % of their " +
        "own pictures told rightly. Small details are lost at 224 pixels; gore and hate are no class of it. Look at what it drops. " +
        "data-juicer's image_nsfw_filter uses Falconsai's network, whose numbers are others (docs/networks.md).";

    /// <inheritdoc/>
    public override string Unit => "probability";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override string? ModelSha256 => _feature.ModelSha256;

    /// <inheritdoc/>
    public override Feature Feature => _feature;

    /// <inheritdoc/>
    public override Metric WithDevice(string device) => device == Device ? this : new NsfwMetric(_isSexy, _feature.WithDevice(device));

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) =>
        _isSexy ? features[NsfwFeature.Sexy] : features[NsfwFeature.Porn] + features[NsfwFeature.Hentai];

    /// <summary>The metric with the network of another store.</summary>
    internal NsfwMetric WithStore(ModelStore store) => new(_isSexy, new NsfwFeature(store, Device));
}
