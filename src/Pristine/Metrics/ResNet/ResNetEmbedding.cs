using Pristine.Media;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// One worker's extractor of <c>resnet50-embedding</c>: the mean over the image of the 2,048 channels of the last stage of
/// <see cref="ImageNetResNet50"/>, which is what the network itself classifies images by. The whole image is seen, resized to the area of
/// 224 x 224 pixels, on which the network was trained, its shape kept: no corner is cut off, since the thing that a label names need not
/// stand in the middle, and nothing is squeezed. Smaller images are enlarged, for the network knows things at that scale. Pillow's
/// antialiased bicubic filter; an image longer than 49 times its width is squeezed to that, 1,568 x 32 pixels.
/// </summary>
/// <param name="session">The network, from <see cref="ImageNetResNet50.Open"/>.</param>
internal sealed class ResNetEmbedding(OnnxRuntimeSession session) : NetworkExtractor(session, scales: 1)
{
    /// <summary>Features per image; finite and not negative.</summary>
    public const int Length = 2048;

    /// <summary>The side of a square image as the network sees it.</summary>
    private const int Side = 224;

    /// <summary>Then the shorter side has 32 pixels, one point of the last stage.</summary>
    private const double LargestRatio = 49;

    /// <summary>The means of the first three stages come first.</summary>
    private const int Start = 256 + 512 + 1024;

    private readonly ResNetPlanes _planes = new();

    /// <inheritdoc/>
    public override int Count => Length;

    /// <summary>The size that the network sees of an image.</summary>
    /// <param name="width">Columns of the image, at least 1.</param>
    /// <param name="height">Rows of the image, at least 1.</param>
    public static (int Width, int Height) Size(int width, int height)
    {
        var stretch = Math.Sqrt(Math.Clamp((double)width / height, 1 / LargestRatio, LargestRatio));
        return ((int)Math.Round(Side * stretch), (int)Math.Round(Side / stretch));
    }

    /// <inheritdoc/>
    protected override NetworkShape Shape(int scale, int width, int height)
    {
        var (columns, rows) = Size(width, height);
        return new(1, 3, rows, columns);
    }

    /// <inheritdoc/>
    protected override void Write(int scale, in ImageView image, Span<float> tensor)
    {
        var (columns, rows) = Size(image.Width, image.Height);
        _planes.Write(image, columns, rows, tensor);
    }

    /// <inheritdoc/>
    protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features) =>
        output.Slice(Start, Length).WidenTo(features);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _planes.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary><c>resnet50-embedding</c>: the 2,048 numbers of <see cref="ResNetEmbedding"/>.</summary>
/// <inheritdoc/>
internal sealed class ResNetEmbeddingFeature(ModelStore? store, NetworkPrecision precision, string? device = null)
    : ImageNetFeature(store, precision, device)
{
    /// <summary>With the network of <see cref="ModelStore.Default"/>, in 8-bit integers.</summary>
    public ResNetEmbeddingFeature()
        : this(null, NetworkPrecision.Int8)
    {
    }

    /// <inheritdoc/>
    public override string Name => "resnet50-embedding";

    /// <inheritdoc/>
    public override string Identity => $"{Name}:1:{PrecisionName}";

    /// <inheritdoc/>
    public override int Count => ResNetEmbedding.Length;

    /// <inheritdoc/>
    public override int MinSide => 1;

    /// <inheritdoc/>
    public override ResNetEmbeddingFeature WithDevice(string device) => new(Store, Precision, device);

    /// <inheritdoc/>
    protected override FeatureExtractor CreateExtractor(OnnxRuntimeSession session) => new ResNetEmbedding(session);
}
