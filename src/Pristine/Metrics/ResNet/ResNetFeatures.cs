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
internal sealed class ResNetFeatures : FeatureExtractor
{
    /// <summary>Features per image: those of the full size, then those of the half size.</summary>
    public const int Length = 2 * ImageNetResNet50.Statistics;

    /// <summary>Below this a side of the half size is so small that the last stage is a single point.</summary>
    public const int MinSide = 32;

    private const double LargestArea = 512 * 512;

    // One for each scale: a worker that runs the shape of its run before allocates nothing, so images of one size cost no garbage.
    private readonly OnnxRuntimeWorker _full;
    private readonly OnnxRuntimeWorker _half;
    private readonly ResNetPlanes _planes = new();

    /// <summary>An extractor.</summary>
    /// <param name="session">The network, from <see cref="ImageNetResNet50.Open"/>.</param>
    public ResNetFeatures(OnnxRuntimeSession session) => (_full, _half) = (session.CreateWorker(), session.CreateWorker());

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

    /// <summary>Computes the features of an image.</summary>
    /// <param name="image">RGB.</param>
    /// <param name="features"><see cref="Length"/> values, overwritten; finite and not negative.</param>
    public override void Compute(in ImageView image, Span<double> features)
    {
        var (full, half) = Sizes(image.Width, image.Height);
        Statistics(_full, image, full.Width, full.Height).WidenTo(features);
        Statistics(_half, image, half.Width, half.Height).WidenTo(features[ImageNetResNet50.Statistics..]);
    }

    /// <summary>The statistics of an image resized to a size of any shape: <see cref="ImageNetResNet50.Statistics"/> numbers, overwritten by the next call.</summary>
    internal ReadOnlySpan<float> Statistics(in ImageView image, int width, int height) => Statistics(_full, image, width, height);

    private ReadOnlySpan<float> Statistics(OnnxRuntimeWorker worker, in ImageView image, int width, int height)
    {
        WritePlanes(image, width, height, worker.Input(1, 3, height, width));
        worker.Run();
        return worker.Output();
    }

    /// <summary>Writes the planes that the network sees of an image at one of its <see cref="Sizes"/>.</summary>
    /// <param name="image">RGB.</param>
    /// <param name="width">Columns of a plane.</param>
    /// <param name="height">Rows of a plane.</param>
    /// <param name="planes">Three planes of height x width, overwritten: R - 123.68, G - 116.779, B - 103.939.</param>
    public void WritePlanes(in ImageView image, int width, int height, Span<float> planes) => _planes.Write(image, width, height, planes);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _full.Dispose();
            _half.Dispose();
            _planes.Dispose();
        }
        base.Dispose(disposing);
    }

    private static int Side(double pixels) => Math.Max(1, (int)Math.Round(pixels));
}

/// <summary><c>resnet50</c>: the 15,360 statistics of <see cref="ResNetFeatures"/>.</summary>
/// <inheritdoc/>
internal sealed class ResNetFeature(ModelStore? store, NetworkPrecision precision, string? device = null) : ImageNetFeature(store, precision, device)
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
