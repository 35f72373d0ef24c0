using Pristine.Media;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// One worker's extractor of the features of <c>pristine</c>: mean and standard deviation of every channel of the three stages of a
/// ResNet-18 that was trained in this repository (training/README.md), for each of the two <see cref="PristineViews"/>.
/// </summary>
/// <param name="session">The network, from <see cref="PristineFeature"/>.</param>
internal sealed class PristineFeatures(OnnxRuntimeSession session) : NetworkExtractor(session, PristineViews.Count)
{
    /// <summary>Numbers per view: means and deviations of 64 + 128 + 256 channels.</summary>
    public const int Statistics = 2 * (64 + 128 + 256);

    /// <summary>Features per image: those of the whole, then those of the piece; finite and not negative.</summary>
    public const int Length = PristineViews.Count * Statistics;

    private readonly PristineViews _views = new();

    /// <inheritdoc/>
    public override int Count => Length;

    /// <inheritdoc/>
    protected override NetworkShape Shape(int scale, int width, int height) => PristineViews.Shape(scale, width, height);

    /// <inheritdoc/>
    protected override void Write(int scale, in ImageView image, Span<float> tensor) => _views.Write(scale, image, tensor);

    /// <inheritdoc/>
    protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features) =>
        output.WidenTo(features[(scale * Statistics)..]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _views.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary><c>pristine</c>: the 1,792 statistics of <see cref="PristineFeatures"/>. The network is part of this library.</summary>
/// <param name="device"><c>cpu</c> or <c>cuda:N</c>; <see cref="NetworkDevice.Default"/> when null.</param>
internal sealed class PristineFeature(string? device = null) : Feature
{
    private const string Resource = "pristine-int8.onnx";

    /// <summary>On the default device.</summary>
    public PristineFeature()
        : this(null)
    {
    }

    /// <inheritdoc/>
    public override string Name => PristineMetric.BaseName;

    /// <inheritdoc/>
    public override string Identity => "pristine:2:int8";

    /// <inheritdoc/>
    public override int Count => PristineFeatures.Length;

    /// <summary>Below this the last stage is a point or two.</summary>
    public override int MinSide => 32;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Rgb;

    /// <inheritdoc/>
    public override string Device => device ?? NetworkDevice.Default;

    /// <inheritdoc/>
    public override PristineFeature WithDevice(string device) => new(device);

    /// <inheritdoc/>
    public override FeatureExtractor CreateExtractor() => new PristineFeatures(
        NetworkSessions.Open(Resource, Device, () => new OnnxRuntimeSession(BundledFile.Read(Resource), Device)));
}
