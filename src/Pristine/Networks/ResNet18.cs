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
internal sealed record ResNet18(Convolution Stem, IReadOnlyList<IReadOnlyList<BasicBlock>> Stages)
{
    /// <summary>
    /// Pixels around the image that the network wants to see: as many as the mask of the stem reaches beyond it. Below and on the right it
    /// wants one more where the sides would be odd, which changes nothing.
    /// </summary>
    public int Border => (Stem.Size - 1) / 2;

    /// <summary>Channels of all stages.</summary>
    public int Channels => Stages.Sum(stage => stage[^1].Second.Outputs);
}

/// <summary>
/// Writes a <see cref="ResNet18"/> as an ONNX graph: input <c>image</c> [batch, 3, height, width] with a border of <see
/// cref="ResNet18.Border"/> pixels, which the stem does not add (so a border may have the value that stands for nothing in each channel),
/// both sides even;
/// output <c>statistics</c> [batch, 2 x channels of all stages], means and then deviations.
/// </summary>
internal sealed class ResNet18Graph : ConvolutionGraph
{
    /// <summary>As in training/train.py: keeps the root's slope finite.</summary>
    private const float SmallestVariance = 1e-5f;

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
        Graph.Input(Image, "batch", "3", "height", "width");
        var squares = Activation(Graph.Node("SpaceToDepth", Image + ".squares", [Image], ("blocksize", 2L)), rangeOf: Image);
        var x = Pool(ConvolveSquares(squares, network.Stem, relu: true), network.Stem.Name);
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
        Statistics(stages, network.Channels, SmallestVariance);
        return Finish();
    }

    private string Add(string x, BasicBlock block, string name)
    {
        var y = Convolve(Convolve(x, block.First, relu: true), block.Second, relu: false);
        var shortcut = block.Shortcut == null ? x : Convolve(x, block.Shortcut, relu: false);
        return Node("Relu", name, [Node("Add", name + ".sum", [y, shortcut])]);
    }
}
