namespace Pristine.Networks;

/// <summary>What a ResNet-50 graph gives for an image.</summary>
internal enum ResNet50Output
{
    /// <summary><c>embedding</c> [batch, features]: the global average of the last stage divided by its L2 norm.</summary>
    Embedding,

    /// <summary>
    /// <c>statistics</c> [batch, 2 x channels of all stages]: the mean over the image of every channel of stages 1 to 4, then the standard
    /// deviation of every channel in the same order; 7,680 numbers for the published networks.
    /// </summary>
    Statistics,

    /// <summary>Input and outputs of an <see cref="ITrainedNetwork"/>.</summary>
    TrainedStatistics,
}

/// <summary>
/// Writes a ResNet-50 as an ONNX graph: input <c>image</c> [batch, 3, height, width], output as <see cref="ResNet50Output"/> says. With a
/// linear head the inputs are <c>full</c> and <c>half</c>, both like <c>image</c> and each of a size of its own, and the output is
/// <c>score</c> [batch]: bias + weights . (embedding of full, embedding of half). The same description gives three graphs: float, float
/// with every activation as an output (to measure their ranges), and int8.
/// </summary>
internal sealed class ResNet50Graph : ConvolutionGraph
{
    /// <summary>As torch.nn.functional.normalize: the norm is not taken below this.</summary>
    private const float SmallestNorm = 1e-12f;

    private readonly ResNet50Output _output;

    private ResNet50Graph(ResNet50Output output, IReadOnlyDictionary<string, ActivationRange>? ranges, List<string>? activations)
        : base("resnet50", ranges, activations) => _output = output;

    /// <inheritdoc/>
    protected override bool KeepsSums => IsTrained;

    private bool IsTrained => _output == ResNet50Output.TrainedStatistics;

    /// <summary>The network in 32-bit floats.</summary>
    public static OnnxGraph Float(ResNet50 network, ResNet50Output output = ResNet50Output.Embedding) =>
        new ResNet50Graph(output, null, null).Build(network);

    /// <summary>The network in 32-bit floats, with a head on the embeddings at two scales.</summary>
    public static OnnxGraph Float(ResNet50 network, LinearHead head) =>
        new ResNet50Graph(ResNet50Output.Embedding, null, null).Build(network, head);

    /// <summary>The graphs of the embedding.</summary>
    public static NetworkGraphs Of(ResNet50 network) => new(() => Float(network), () => Probe(network), ranges => Int8(network, ranges));

    /// <summary>The graphs of the score that a head makes of embeddings at two scales; activations are those of one scale.</summary>
    public static NetworkGraphs Of(ResNet50 network, LinearHead head) =>
        new(() => Float(network, head), () => Probe(network), ranges => Int8(network, ranges, head));

    /// <summary>The graphs of the statistics of a network that this repository trained: see <see cref="ITrainedNetwork"/>.</summary>
    public static NetworkGraphs OfTrained(ResNet50 network) => new(
        () => Float(network, ResNet50Output.TrainedStatistics), () => Probe(network, ResNet50Output.TrainedStatistics),
        ranges => Int8(network, ranges, ResNet50Output.TrainedStatistics));

    /// <summary>The network in floats with one more output per activation that int8 would quantise.</summary>
    public static (OnnxGraph Graph, IReadOnlyList<string> Activations) Probe(
        ResNet50 network, ResNet50Output output = ResNet50Output.Embedding)
    {
        var activations = new List<string>();
        return (new ResNet50Graph(output, null, activations).Build(network), activations);
    }

    /// <summary>
    /// The network in 8-bit integers: unsigned activations with one step and zero point each, signed weights with one step per output
    /// channel, as QuantizeLinear/DequantizeLinear pairs that the runtime fuses. (Signed activations run seven times slower.)
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="ranges">The range of each activation that <see cref="Probe"/> names.</param>
    /// <param name="output">What the graph gives.</param>
    public static OnnxGraph Int8(
        ResNet50 network, IReadOnlyDictionary<string, ActivationRange> ranges, ResNet50Output output = ResNet50Output.Embedding) =>
        new ResNet50Graph(output, ranges, null).Build(network);

    /// <summary>The network in 8-bit integers, with a head, in floats, on the embeddings at two scales.</summary>
    public static OnnxGraph Int8(ResNet50 network, IReadOnlyDictionary<string, ActivationRange> ranges, LinearHead head) =>
        new ResNet50Graph(ResNet50Output.Embedding, ranges, null).Build(network, head);

    private OnnxGraph Build(ResNet50 network)
    {
        if (!IsTrained)
            Graph.Input(Image, "batch", "3", "height", "width");
        var stages = Trunk(network, Image);
        if (IsTrained)
            TrainedStatistics(stages, network.StageChannels);
        else if (_output == ResNet50Output.Embedding)
            Graph.Output(Embedding(stages[^1]), "batch", $"{network.Features}");
        else
            Statistics(stages, network.StageChannels.Sum(), smallestVariance: 0);
        return Finish();
    }

    private OnnxGraph Build(ResNet50 network, LinearHead head)
    {
        var embeddings = new List<string>();
        foreach (var input in (string[])["full", "half"])
        {
            Prefix = input + ".";
            Graph.Input(input, "batch", "3", $"{input}_height", $"{input}_width");
            embeddings.Add(Embedding(Trunk(network, input)[^1]));
        }
        var features = Graph.Node("Concat", "features", [.. embeddings], ("axis", 1L));
        var sum = Graph.Node("MatMul", "sum", [features, Graph.Constant("head.weight", [.. head.Weights], head.Weights.Count)]);
        Graph.Output(Graph.Node("Add", "score", [sum, Graph.Constant("head.bias", [head.Bias])]), "batch");
        return Graph;
    }

    /// <summary>The convolutions; returns the output of each stage.</summary>
    private List<string> Trunk(ResNet50 network, string input)
    {
        var x = IsTrained
            ? ConvolveSquares(Squares(), network.Stem, relu: true)
            : Convolve(Activation(input, rangeOf: Image), network.Stem, relu: true);
        x = Pool(x, network.Stem.Name);
        var stages = new List<string>();
        for (var stage = 0; stage < network.Stages.Count; stage++)
        {
            for (var block = 0; block < network.Stages[stage].Count; block++)
            {
                var isLast = stage == network.Stages.Count - 1 && block == network.Stages[stage].Count - 1;
                x = Add(x, network.Stages[stage][block], $"stage{stage + 1}.block{block}");
                // The last sum goes to the average as it is: rounding it would cost precision and save nothing.
                if (!isLast)
                    x = Activation(x);
            }
            stages.Add(x);
        }
        return stages;
    }

    private string Embedding(string x)
    {
        x = Node("GlobalAveragePool", "average", [x]);
        x = Node("Flatten", "features", [x], ("axis", 1L));
        var norm = Node("ReduceL2", "norm", [x], ("axes", new long[] { 1 }), ("keepdims", 1L));
        norm = Node("Max", "norm.bounded", [norm, Graph.Constant(Prefix + "norm.smallest", [SmallestNorm])]);
        return Node("Div", "embedding", [x, norm]);
    }

    private string Add(string x, Bottleneck block, string name)
    {
        var y = Convolve(x, block.Reduce, relu: true);
        y = Convolve(y, block.Middle, relu: true);
        y = Convolve(y, block.Expand, relu: false);
        var shortcut = block.Shortcut == null ? x : Convolve(x, block.Shortcut, relu: false);
        return Node("Relu", name, [Node("Add", name + ".sum", [y, shortcut])]);
    }
}
