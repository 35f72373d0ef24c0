using Pristine.Media;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Features that <see cref="ImageNetResNet50"/> computes: with the network of a certain store, in a certain arithmetic, on a certain
/// device.
/// </summary>
/// <param name="store">The store; <see cref="ModelStore.Default"/> when null.</param>
/// <param name="precision">The arithmetic. What is trained on features of one does not fit those of the other.</param>
/// <param name="device"><c>cpu</c> or <c>cuda:N</c>; <see cref="NetworkDevice.Default"/> when null.</param>
internal abstract class ImageNetFeature(ModelStore? store, NetworkPrecision precision, string? device) : Feature
{
    /// <inheritdoc/>
    public override string Device => device ?? NetworkDevice.Default;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Rgb;

    /// <inheritdoc/>
    public override string? Missing => ImageNetResNet50.Missing(Store ?? ModelStore.Default);

    /// <inheritdoc/>
    protected override string Place => $"{Device} {(Store ?? ModelStore.Default).Folder}";

    /// <summary>The store; null for <see cref="ModelStore.Default"/>.</summary>
    protected ModelStore? Store => store;

    /// <summary>The arithmetic.</summary>
    protected NetworkPrecision Precision => precision;

    /// <summary>The arithmetic as a part of <see cref="Feature.Identity"/>.</summary>
    protected string PrecisionName => precision.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    /// <exception cref="ModelException">A file of the network is not the one of the package.</exception>
    public override FeatureExtractor CreateExtractor() =>
        Missing is { } message
            ? throw new ModelException(message)
            : CreateExtractor(ImageNetResNet50.Open(Store ?? ModelStore.Default, precision, Device));

    /// <summary>Makes one worker's extractor with the network.</summary>
    /// <param name="session">The network, ready to run.</param>
    protected abstract FeatureExtractor CreateExtractor(OnnxRuntimeSession session);
}
