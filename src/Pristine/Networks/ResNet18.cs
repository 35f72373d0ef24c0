namespace Pristine.Networks;

/// <summary>A basic block: relu(second(relu(first(x))) + shortcut(x)); without a shortcut x itself is added.</summary>
/// <param name="First">3x3; halves both sides where there is a shortcut.</param>
/// <param name="Second">3x3.</param>
/// <param name="Shortcut">1x1 with the stride of <paramref name="First"/>, in the first block of a stage after the first.</param>
internal sealed record BasicBlock(Convolution First, Convolution Second, Convolution? Shortcut);

/// <summary>
/// The trunk of a ResNet-18 (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, doi:10.1109/CVPR.2016.90), or its first
/// stages: a 7x7 convolution of stride 2, a 3x3 maximum of stride 2, basic blocks. Batch normalisations are folded into the convolutions.
/// </summary>
/// <param name="Stem">The 7x7 convolution at the beginning.</param>
/// <param name="Stages">The stages.</param>
internal sealed record ResNet18(Convolution Stem, IReadOnlyList<IReadOnlyList<BasicBlock>> Stages) : ITrainedNetwork
{
    /// <inheritdoc/>
    public IReadOnlyList<int> StageChannels => [.. Stages.Select(stage => stage[^1].Second.Outputs)];

    /// <inheritdoc/>
    public NetworkGraphs Graphs => ResNet18Graph.Of(this);
}

/// <summary>
/// Writes a <see cref="ResNet18"/> as an ONNX graph with input and output of an <see cref="ITrainedNetwork"/>.
/// </summary>
internal sealed class ResNet18Graph : ConvolutionGraph
{
    private ResNet18Graph(IReadOnlyDictionary<string, ActivationRange>? ranges, List<string>? activations)
        : base("resnet18", ranges, activations)
    {
    }

    /// <inheritdoc/>
    protected override bool KeepsSums => true;

    /// <summary>The graphs of a network.</summary>
    public static NetworkGraphs Of(ResNet18 network) => new(
        () => new ResNet18Graph(null, null).Build(network),
        () =>
        {
            var activations = new List<string>();
            return (new ResNet18Graph(null, activations).Build(network), activations);
        },
        ranges => new ResNet18Graph(ranges, null).Build(network));

    private OnnxGraph Build(ResNet18 network)
    {
        var x = Pool(ConvolveSquares(Squares(), network.Stem, relu: true), network.Stem.Name);
        var stages = new List<string>();
        for (var stage = 0; stage < network.Stages.Count; stage++)
        {
            for (var block = 0; block < network.Stages[stage].Count; block++)
            {
                x = Add(x, network.Stages[stage][block], $"stage{stage + 1}.block{block}");
                // The last sum goes to the average as it is: rounding it would cost precision and save nothing.
                if (stage < network.Stages.Count - 1 || block < network.Stages[stage].Count - 1)
                    x = Activation(x);
            }
            stages.Add(x);
        }
        TrainedStatistics(stages, network.StageChannels);
        return Finish();
    }

    private string Add(string x, BasicBlock block, string name)
    {
        var y = Convolve(Convolve(x, block.First, relu: true), block.Second, relu: false);
        var shortcut = block.Shortcut == null ? x : Convolve(x, block.Shortcut, relu: false);
        return Node("Relu", name, [Node("Add", name + ".sum", [y, shortcut])]);
    }
}
