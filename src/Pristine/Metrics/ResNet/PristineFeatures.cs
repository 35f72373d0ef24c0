using System.Globalization;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// One worker's extractor of the features of <c>pristine</c> or <c>pristine-large</c>: mean and standard deviation of every channel at the
/// ends of the stages of a network that was trained in this repository (training/README.md), for each of its <see cref="PristineViews"/>.
/// Of all stages but the last they are counted here, exactly, in the whole numbers that the network computes with.
/// </summary>
internal sealed class PristineFeatures : NetworkExtractor<byte>
{
    private readonly PristineNetwork _network;
    private readonly PristineViews _views;

    // What a whole number of a stage stands for, for all stages but the last.
    private readonly double[] _steps;
    private readonly long[] _sums;
    private readonly long[] _squares;

    /// <summary>An extractor.</summary>
    /// <param name="network">What it sees.</param>
    /// <param name="session">The same in 8-bit integers, ready to run.</param>
    public PristineFeatures(PristineNetwork network, OnnxRuntimeSession session)
        : base(session, network.Views.Count)
    {
        (_network, _views) = (network, new PristineViews(network));
        _steps = [.. (session.Metadata(ConvolutionGraph.StepsKey) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(step => double.Parse(step, CultureInfo.InvariantCulture))];
        if (_steps.Length != network.StageChannels.Count - 1)
            throw new InvalidOperationException(
                $"{network.Name}: expected steps of {network.StageChannels.Count - 1} stages in the network; found {_steps.Length}.");
        (_sums, _squares) = (new long[network.StageChannels.Max()], new long[network.StageChannels.Max()]);
    }

    /// <inheritdoc/>
    public override int Count => _network.Count;

    /// <inheritdoc/>
    protected override NetworkShape Shape(int scale, int width, int height) => _views.SquaresShape(scale, width, height);

    /// <inheritdoc/>
    protected override void Write(int scale, in ImageView image, Span<byte> tensor) => _views.WriteSquares(scale, image, tensor);

    /// <inheritdoc/>
    protected override void Read(int scale, OnnxRuntimeWorker worker, int image, int images, Span<double> features)
    {
        // The means of all stages, then the deviations.
        var means = features.Slice(scale * _network.Statistics, _network.Statistics / 2);
        var deviations = features.Slice(scale * _network.Statistics + means.Length, means.Length);
        var before = 0;
        for (var stage = 0; stage < _steps.Length; stage++)
        {
            var channels = _network.StageChannels[stage];
            var all = worker.Output<byte>(stage);
            var pixels = all.Slice(image * (all.Length / images), all.Length / images);
            var sums = _sums.AsSpan(0, channels);
            var squares = _squares.AsSpan(0, channels);
            ChannelStatistics.Add(pixels, sums, squares);
            var (count, step) = (pixels.Length / channels, _steps[stage]);
            for (var i = 0; i < channels; i++)
            {
                var mean = (double)sums[i] / count;
                // n squares - sum squared, in whole numbers, is not negative, and nothing cancels.
                var variance = (double)(squares[i] * count - sums[i] * sums[i]) / ((double)count * count);
                means[before + i] = step * mean;
                deviations[before + i] = Math.Sqrt(step * step * variance + ConvolutionGraph.TrainedSmallestVariance);
            }
            before += channels;
        }
        var last = worker.Output(_steps.Length);
        last = last.Slice(image * (last.Length / images), last.Length / images);
        last[..(last.Length / 2)].WidenTo(means[before..]);
        last[(last.Length / 2)..].WidenTo(deviations[before..]);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _views.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>The statistics of <see cref="PristineFeatures"/>. The network is part of this library.</summary>
/// <param name="network">The network.</param>
/// <param name="device"><c>cpu</c> or <c>cuda:N</c>; <see cref="NetworkDevice.Default"/> when null.</param>
internal sealed class PristineFeature(PristineNetwork network, string? device = null) : Feature
{
    /// <summary>The network.</summary>
    public PristineNetwork Network => network;

    /// <inheritdoc/>
    public override string Name => network.Name;

    /// <inheritdoc/>
    public override string Identity => network.Identity;

    /// <inheritdoc/>
    public override int Count => network.Count;

    /// <summary>Below this the last stage is a point or two.</summary>
    public override int MinSide => 32;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Rgb;

    /// <inheritdoc/>
    public override string Device => device ?? NetworkDevice.Default;

    /// <inheritdoc/>
    public override PristineFeature WithDevice(string device) => new(network, device);

    /// <inheritdoc/>
    public override FeatureExtractor CreateExtractor() => new PristineFeatures(network, network.Open(Device));
}
