using Pristine.Kernels;
using Pristine.Media;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Arniqa;

/// <summary>
/// <c>arniqa</c>, <c>arniqa:pyiqa</c> and so on: the embeddings of ARNIQA's encoder, of an image and of its half size, each of L2 norm 1;
/// in the modes that look at five crops, their mean. Every regressor of one mode and precision works on the same feature.
/// </summary>
/// <param name="mode">What of the image the encoder sees.</param>
/// <param name="precision">Arithmetic of the encoder.</param>
/// <param name="device">Where it runs: <c>cpu</c> or <c>cuda:N</c>.</param>
/// <param name="store">Where the encoder is; <see cref="ModelStore.Default"/> when null.</param>
internal sealed class ArniqaFeature(ArniqaMode mode, NetworkPrecision precision, string device, ModelStore? store) : Feature
{
    /// <summary>Name of the official mode in floats.</summary>
    public const string BaseName = "arniqa";

    /// <inheritdoc/>
    public override string Name { get; } = BaseName
        + (mode == ArniqaMode.Official ? "" : ":" + mode.ToString().ToLowerInvariant())
        + (precision == NetworkPrecision.Float ? "" : ":" + precision.ToString().ToLowerInvariant());

    /// <inheritdoc/>
    public override string Identity => $"{Name}:1";

    /// <summary>Those of the published encoder: 2,048 of the image, then 2,048 of its half size.</summary>
    public override int Count => 2 * 2048;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Rgb;

    /// <summary>2: below that there is no half size.</summary>
    public override int MinSide => 2;

    /// <inheritdoc/>
    public override string Device => device;

    /// <inheritdoc/>
    public override ArniqaFeature WithDevice(string device) => new(mode, precision, device, store);

    /// <summary>Hash of the encoder; in 8 bits that of the graph, which says what it was made of.</summary>
    public override string? ModelSha256 => ArniqaModel.EncoderSha256(Store, precision);

    /// <inheritdoc/>
    public override string? Missing =>
        Store.Find(ArniqaModel.Encoder) == null ? ArniqaModel.NotInstalled(ArniqaModel.Encoder)
        : precision == NetworkPrecision.Int8 && !File.Exists(ArniqaModel.GraphPath(Store, precision))
            ? $"The model {ArniqaModel.Encoder} has no int8 version yet; run: pristine models convert {ArniqaModel.Encoder} --int8"
        : null;

    /// <inheritdoc/>
    protected override string Place => $"{device} {Store.Folder}";

    private ModelStore Store => store ?? ModelStore.Default;

    /// <inheritdoc/>
    /// <exception cref="ModelException">The checkpoint in the store is not the one that was imported.</exception>
    /// <exception cref="PlatformNotSupportedException">The device is not available; the message says why.</exception>
    public override FeatureExtractor CreateExtractor() =>
        Missing is { } message
            ? throw new ModelException(message)
            : new ArniqaExtractor(ArniqaModel.OpenEncoder(Store, precision, device), mode);
}

/// <summary>
/// One worker's encoder: turns an image into embeddings. The crops of a scale go through the network in one batch: a batch of both scales
/// takes as long and twice the memory.
/// </summary>
internal sealed class ArniqaExtractor(OnnxRuntimeSession session, ArniqaMode mode) : NetworkExtractor(session, scales: 2)
{
    /// <summary>The five stages of the encoder halve a side; less than this leaves nothing.</summary>
    private const int SmallestSide = 32;

    private readonly ArniqaCrops _cropper = new(mode);
    private readonly HalfPlanes _half = new(NormalisedPlanes.ImageNet);
    private int _count;

    /// <summary>Twice what the encoder gives. The graph of another encoder tells it by running: it sees a black square once.</summary>
    public override int Count
    {
        get
        {
            if (_count == 0)
                _count = 2 * RunOnZeros(new(1, 3, SmallestSide, SmallestSide));
            return _count;
        }
    }

    /// <summary>How many crops an image gives: 5 in the official modes, 1 otherwise.</summary>
    public int Crops => IsWhole ? 1 : ArniqaCrops.Count;

    private bool IsWhole => mode is ArniqaMode.Pyiqa or ArniqaMode.TorchMetrics;

    /// <inheritdoc/>
    protected override NetworkShape Shape(int scale, int width, int height) =>
        IsWhole ? new(1, 3, height >> scale, width >> scale) : new(ArniqaCrops.Count, 3, ArniqaCrops.Side, ArniqaCrops.Side);

    /// <inheritdoc/>
    protected override void Write(int scale, in ImageView image, Span<float> tensor)
    {
        if (!IsWhole && scale == 0)
            ArniqaCrops.WriteFull(image.Rgb, image.Width, image.Height, tensor);
        else if (!IsWhole)
            _cropper.WriteHalf(image.Rgb, image.Width, image.Height, tensor);
        else if (scale == 0)
            NormalisedPlanes.ImageNet.Write(image.Rgb, 3 * image.Width, image.Width, image.Height, tensor, image.Width, image.Height);
        else if (mode == ArniqaMode.Pyiqa)
            _half.WriteMeans(image.Rgb, image.Width, image.Height, tensor);
        else
            _half.WriteAntialiased(image.Rgb, image.Width, image.Height, tensor);
    }

    /// <summary>The embeddings of full size come first, then those of half size; each is the mean over the crops.</summary>
    /// <inheritdoc/>
    protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features)
    {
        var length = output.Length / Crops;
        features = features.Slice(scale * length, length);
        for (var crop = 0; crop < Crops; crop++)
            for (var i = 0; i < features.Length; i++)
                features[i] += output[crop * length + i];
        if (Crops > 1)
            for (var i = 0; i < features.Length; i++)
                features[i] /= Crops;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cropper.Dispose();
            _half.Dispose();
        }
        base.Dispose(disposing);
    }
}
