using Pristine.Models;

namespace Pristine.Networks;

/// <summary>A tensor of weights as a file holds it.</summary>
/// <param name="Name">Its name in the file, for messages.</param>
/// <param name="Shape">Sizes of its dimensions, the slowest first.</param>
/// <param name="Values">Elements in row-major order.</param>
internal sealed record WeightTensor(string Name, IReadOnlyList<int> Shape, float[] Values);

/// <summary>A convolution and the batch normalisation behind it, as a file holds them.</summary>
/// <param name="Kernel">Shape [outputs, inputs, height, width].</param>
/// <param name="Bias">One number per output, or null.</param>
/// <param name="Scale">Gamma, one number per output.</param>
/// <param name="Shift">Beta, one number per output.</param>
/// <param name="Mean">Running mean, one number per output.</param>
/// <param name="Variance">Running variance, one number per output.</param>
/// <param name="Epsilon">Added to the variance.</param>
internal sealed record NormalisedConvolution(
    WeightTensor Kernel, WeightTensor? Bias, WeightTensor Scale, WeightTensor Shift, WeightTensor Mean, WeightTensor Variance,
    double Epsilon);

/// <summary>A convolution with a bias and zero padding of (size - 1) / 2 on each side.</summary>
/// <param name="Name">Its place in the network, for example <c>stage2.block1.middle</c>.</param>
/// <param name="Outputs">Output channels.</param>
/// <param name="Inputs">Input channels.</param>
/// <param name="Size">Side of the square kernel.</param>
/// <param name="Stride">Step in both directions.</param>
/// <param name="Weights">Shape [outputs, inputs, size, size], row-major.</param>
/// <param name="Bias">One number per output.</param>
internal sealed record Convolution(string Name, int Outputs, int Inputs, int Size, int Stride, float[] Weights, float[] Bias);

/// <summary>A bottleneck block: relu(expand(relu(middle(relu(reduce(x))))) + shortcut(x)); without a shortcut x itself is added.</summary>
/// <param name="Reduce">1x1, to fewer channels.</param>
/// <param name="Middle">3x3.</param>
/// <param name="Expand">1x1, to four times the channels.</param>
/// <param name="Shortcut">1x1, in the first block of a stage.</param>
internal sealed record Bottleneck(Convolution Reduce, Convolution Middle, Convolution Expand, Convolution? Shortcut);

/// <summary>Where a convolution stands in a ResNet-50.</summary>
/// <param name="Stage">0 is the stem, 1 to 4 the stages.</param>
/// <param name="Block">Block within the stage, from 0.</param>
/// <param name="Part">Convolution within the block; meaningless for the stem.</param>
internal readonly record struct ConvolutionPlace(int Stage, int Block, BottleneckPart Part)
{
    /// <summary>The stem: the 7x7 convolution before the stages.</summary>
    public static ConvolutionPlace Stem { get; }

    /// <summary>Name in graphs and messages.</summary>
    public override string ToString() => Stage == 0 ? "stem" : $"stage{Stage}.block{Block}.{Part.ToString().ToLowerInvariant()}";
}

/// <summary>The convolutions of a bottleneck block.</summary>
internal enum BottleneckPart
{
    /// <summary>First, 1x1.</summary>
    Reduce,

    /// <summary>Second, 3x3.</summary>
    Middle,

    /// <summary>Third, 1x1.</summary>
    Expand,

    /// <summary>Beside them, 1x1.</summary>
    Shortcut,
}

/// <summary>Which convolution of a stage's first block halves the resolution.</summary>
internal enum StridePlace
{
    /// <summary>The first, as in the paper and in Keras.</summary>
    Reduce,

    /// <summary>The second, as in torchvision ("version 1.5").</summary>
    Middle,
}

/// <summary>
/// The trunk of a ResNet-50 (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, doi:10.1109/CVPR.2016.90): a 7x7
/// convolution of stride 2, a 3x3 maximum of stride 2, and 3 + 4 + 6 + 3 bottleneck blocks. Batch normalisations are folded into the
/// convolutions before them. The numbers of channels are those of the weights.
/// </summary>
internal sealed class ResNet50 : ITrainedNetwork
{
    /// <summary>Bottleneck blocks per stage.</summary>
    public static IReadOnlyList<int> BlocksPerStage { get; } = [3, 4, 6, 3];

    /// <summary>A network of convolutions that fit each other.</summary>
    /// <param name="stem">The 7x7 convolution at the beginning.</param>
    /// <param name="stages">The stages, each with as many blocks as it has.</param>
    public ResNet50(Convolution stem, IReadOnlyList<IReadOnlyList<Bottleneck>> stages) => (Stem, Stages) = (stem, stages);

    /// <summary>The 7x7 convolution at the beginning.</summary>
    public Convolution Stem { get; }

    /// <summary>The stages; four in the published networks.</summary>
    public IReadOnlyList<IReadOnlyList<Bottleneck>> Stages { get; }

    /// <summary>Channels of the last stage: 2048 in the published networks.</summary>
    public int Features => Stages[^1][^1].Expand.Outputs;

    /// <inheritdoc/>
    public IReadOnlyList<int> StageChannels => [.. Stages.Select(stage => stage[^1].Expand.Outputs)];

    /// <inheritdoc/>
    NetworkGraphs ITrainedNetwork.Graphs => ResNet50Graph.OfTrained(this);

    /// <summary>Builds the network from the weights of a file, whose shapes are checked against each other.</summary>
    /// <param name="source">Name of the file, for messages.</param>
    /// <param name="weights">Reads the weights of one convolution.</param>
    /// <param name="stride">Where the strides stand.</param>
    /// <exception cref="ModelException">A tensor has another shape than the network needs; the message names it.</exception>
    public static ResNet50 Build(string source, Func<ConvolutionPlace, NormalisedConvolution> weights, StridePlace stride)
    {
        ArgumentNullException.ThrowIfNull(weights);
        const int rgb = 3;
        var stem = Fold(source, ConvolutionPlace.Stem, weights(ConvolutionPlace.Stem), rgb, null, size: 7, stride: 2);
        var channels = stem.Outputs;
        var stages = new List<IReadOnlyList<Bottleneck>>();
        for (var stage = 1; stage <= BlocksPerStage.Count; stage++)
        {
            var blocks = new List<Bottleneck>();
            for (var block = 0; block < BlocksPerStage[stage - 1]; block++)
            {
                var step = stage > 1 && block == 0 ? 2 : 1;
                var inputs = channels;
                Convolution Layer(BottleneckPart part, int from, int? to, int size, int by)
                {
                    var place = new ConvolutionPlace(stage, block, part);
                    return Fold(source, place, weights(place), from, to, size, by);
                }
                var reduce = Layer(BottleneckPart.Reduce, inputs, null, 1, stride == StridePlace.Reduce ? step : 1);
                var middle = Layer(BottleneckPart.Middle, reduce.Outputs, reduce.Outputs, 3, stride == StridePlace.Middle ? step : 1);
                var expand = Layer(BottleneckPart.Expand, middle.Outputs, block == 0 ? null : inputs, 1, 1);
                var shortcut = block == 0 ? Layer(BottleneckPart.Shortcut, inputs, expand.Outputs, 1, step) : null;
                blocks.Add(new(reduce, middle, expand, shortcut));
                channels = expand.Outputs;
            }
            stages.Add(blocks);
        }
        return new(stem, stages);
    }

    /// <summary>Every convolution, in the order of computation.</summary>
    public IEnumerable<Convolution> Convolutions()
    {
        yield return Stem;
        foreach (var block in Stages.SelectMany(stage => stage))
        {
            yield return block.Reduce;
            yield return block.Middle;
            yield return block.Expand;
            if (block.Shortcut != null)
                yield return block.Shortcut;
        }
    }

    /// <summary>w' = w g / sqrt(v + e), b' = (b - m) g / sqrt(v + e) + shift; in double, rounded once.</summary>
    private static Convolution Fold(
        string source, ConvolutionPlace place, NormalisedConvolution layer, int inputs, int? outputs, int size, int stride)
    {
        var channels = outputs ?? (layer.Kernel.Shape.Count > 0 ? layer.Kernel.Shape[0] : 0);
        Check(source, place, layer.Kernel, Math.Max(channels, 1), inputs, size, size);
        foreach (var tensor in new[] { layer.Bias, layer.Scale, layer.Shift, layer.Mean, layer.Variance })
            if (tensor != null)
                Check(source, place, tensor, channels);

        var weights = new float[layer.Kernel.Values.Length];
        var bias = new float[channels];
        var perChannel = weights.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            var factor = layer.Scale.Values[c] / Math.Sqrt(layer.Variance.Values[c] + layer.Epsilon);
            if (!double.IsFinite(factor))
                throw new ModelException(
                    $"{source}: {layer.Variance.Name} or {layer.Scale.Name} is not finite, or negative, at channel {c} ({place}).");
            for (var i = c * perChannel; i < (c + 1) * perChannel; i++)
                weights[i] = (float)(layer.Kernel.Values[i] * factor);
            bias[c] = (float)(((layer.Bias?.Values[c] ?? 0.0) - layer.Mean.Values[c]) * factor + layer.Shift.Values[c]);
        }
        return new(place.ToString(), channels, inputs, size, stride, weights, bias);
    }

    private static void Check(string source, ConvolutionPlace place, WeightTensor tensor, params int[] shape)
    {
        if (!tensor.Shape.SequenceEqual(shape))
            throw new ModelException(
                $"{source}: expected {tensor.Name} of shape [{string.Join(", ", shape)}] ({place}); found " +
                $"[{string.Join(", ", tensor.Shape)}].");
    }
}
