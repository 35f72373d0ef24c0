using Pristine.Kernels;
using Pristine.Media;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// One worker's extractor of the features of <c>resnet50</c>: mean and standard deviation of every channel of the four stages of
/// <see cref="ImageNetResNet50"/>, of the whole image and of its half size. An image of more than 512 x 512 pixels is first shrunk to that
/// area, its shape kept; a smaller one is not enlarged. Sizes are rounded to whole pixels, and both are made from the original by
/// Pillow's antialiased bicubic filter.
/// </summary>
/// <param name="session">The network, from <see cref="ImageNetResNet50.Open"/>.</param>
internal sealed class ResNetFeatures(OnnxRuntimeSession session) : NetworkExtractor(session, scales: 2)
{
    /// <summary>Features per image: those of the full size, then those of the half size; finite and not negative.</summary>
    public const int Length = 2 * ImageNetResNet50.Statistics;

    /// <summary>Below this a side of the half size is so small that the last stage is a single point.</summary>
    public const int MinSide = 32;

    private const double LargestArea = 512 * 512;

    private readonly ResNetPlanes _planes = new();

    /// <inheritdoc/>
    public override int Count => Length;

    /// <summary>The values that a pixel can have as the network sees it.</summary>
    public static ActivationRange InputRange => new(NormalisedPlanes.ImageNetMean.Low, NormalisedPlanes.ImageNetMean.High);

    /// <summary>The sizes that the network sees of an image.</summary>
    /// <param name="width">Columns of the image, at least 1.</param>
    /// <param name="height">Rows of the image, at least 1.</param>
    public static ((int Width, int Height) Full, (int Width, int Height) Half) Sizes(int width, int height)
    {
        var scale = Math.Min(1, Math.Sqrt(LargestArea / ((double)width * height)));
        return ((Side(width * scale), Side(height * scale)), (Side(width * scale / 2), Side(height * scale / 2)));
    }

    /// <inheritdoc/>
    protected override NetworkShape Shape(int scale, int width, int height)
    {
        var (full, half) = Sizes(width, height);
        var (columns, rows) = scale == 0 ? full : half;
        return new(1, 3, rows, columns);
    }

    /// <inheritdoc/>
    protected override void Write(int scale, in ImageView image, Span<float> tensor)
    {
        var shape = Shape(scale, image.Width, image.Height);
        _planes.Write(image, shape.Fourth, shape.Third, tensor);
    }

    /// <inheritdoc/>
    protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features) =>
        output.WidenTo(features[(scale * ImageNetResNet50.Statistics)..]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _planes.Dispose();
        base.Dispose(disposing);
    }

    private static int Side(double pixels) => Math.Max(1, (int)Math.Round(pixels));
}

/// <summary><c>resnet50</c>: the 15,360 statistics of <see cref="ResNetFeatures"/>.</summary>
/// <inheritdoc/>
internal sealed class ResNetFeature(ModelStore? store, NetworkPrecision precision, string? device = null)
    : ImageNetFeature(store, precision, device)
{
    /// <summary>With the network of <see cref="ModelStore.Default"/>, in 8-bit integers.</summary>
    public ResNetFeature()
        : this(null, NetworkPrecision.Int8)
    {
    }

    /// <inheritdoc/>
    public override string Name => "resnet50";

    /// <inheritdoc/>
    public override string Identity => $"resnet50:{PrecisionName}";

    /// <inheritdoc/>
    public override int Count => ResNetFeatures.Length;

    /// <inheritdoc/>
    public override int MinSide => ResNetFeatures.MinSide;

    /// <inheritdoc/>
    public override ResNetFeature WithDevice(string device) => new(Store, Precision, device);

    /// <inheritdoc/>
    protected override FeatureExtractor CreateExtractor(OnnxRuntimeSession session) => new ResNetFeatures(session);
}
