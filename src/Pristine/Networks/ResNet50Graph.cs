namespace Pristine.Networks;

/// <summary>The range of values that an activation takes.</summary>
/// <param name="Low">Smallest value; at most 0.</param>
/// <param name="High">Largest value; at least 0.</param>
internal readonly record struct ActivationRange(float Low, float High);

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
}

/// <summary>
/// Writes a ResNet-50 as an ONNX graph: input <c>image</c> [batch, 3, height, width], output as <see cref="ResNet50Output"/> says. With a
/// linear head the inputs are <c>full</c> and <c>half</c>, both like <c>image</c> and each of a size of its own, and the output is
/// <c>score</c> [batch]: bias + weights . (embedding of full, embedding of half). The same description gives three graphs: float, float
/// with every activation as an output (to measure their ranges), and int8.
/// </summary>
internal sealed class ResNet50Graph
{
    /// <summary>As torch.nn.functional.normalize: the norm is not taken below this.</summary>
    private const float SmallestNorm = 1e-12f;

    /// <summary>The one input of a graph without a head, and the name of an input's range.</summary>
    public const string Image = "image";

    /// <summary>A bias is a 32-bit integer in steps of (input step x weight step); it stays this far from overflow.</summary>
    private const double LargestBias = 1 << 30;

    private readonly OnnxGraph _graph = new("resnet50");
    private readonly IReadOnlyDictionary<string, ActivationRange>? _ranges;
    private readonly List<string>? _activations;
    private readonly ResNet50Output _output;
    private readonly Dictionary<string, float> _steps = new(StringComparer.Ordinal);

    /// <summary>Weights are in the graph once, whatever the number of inputs that go through them.</summary>
    private readonly Dictionary<string, (string Weights, string Bias)> _weights = new(StringComparer.Ordinal);

    /// <summary>What stands before the names of tensors: nothing with one input, the input's name with two.</summary>
    private string _prefix = "";

    private ResNet50Graph(ResNet50Output output, IReadOnlyDictionary<string, ActivationRange>? ranges, List<string>? activations) =>
        (_output, _ranges, _activations) = (output, ranges, activations);

    /// <summary>The network in 32-bit floats.</summary>
    public static OnnxGraph Float(ResNet50 network, ResNet50Output output = ResNet50Output.Embedding) =>
        new ResNet50Graph(output, null, null).Build(network);

    /// <summary>The network in 32-bit floats, with a head on the embeddings at two scales.</summary>
    public static OnnxGraph Float(ResNet50 network, LinearHead head) =>
        new ResNet50Graph(ResNet50Output.Embedding, null, null).Build(network, head);

    /// <summary>The network in floats with one more output per activation that int8 would quantise.</summary>
    public static (OnnxGraph Graph, IReadOnlyList<string> Activations) Probe(ResNet50 network)
    {
        var activations = new List<string>();
        return (new ResNet50Graph(ResNet50Output.Embedding, null, activations).Build(network), activations);
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
        _graph.Input(Image, "batch", "3", "height", "width");
        var stages = Trunk(network, Image);
        if (_output == ResNet50Output.Statistics)
            Statistics(network, stages);
        else
            _graph.Output(Embedding(stages[^1]), "batch", $"{network.Features}");
        foreach (var activation in _activations ?? [])
            _graph.Output(activation, "batch", null, null, null);
        return _graph;
    }

    private OnnxGraph Build(ResNet50 network, LinearHead head)
    {
        var embeddings = new List<string>();
        foreach (var input in (string[])["full", "half"])
        {
            _prefix = input + ".";
            _graph.Input(input, "batch", "3", $"{input}_height", $"{input}_width");
            embeddings.Add(Embedding(Trunk(network, input)[^1]));
        }
        var features = _graph.Node("Concat", "features", [.. embeddings], ("axis", 1L));
        var sum = _graph.Node("MatMul", "sum", [features, _graph.Constant("head.weight", [.. head.Weights], head.Weights.Count)]);
        _graph.Output(_graph.Node("Add", "score", [sum, _graph.Constant("head.bias", [head.Bias])]), "batch");
        return _graph;
    }

    /// <summary>The convolutions; returns the output of each stage.</summary>
    private List<string> Trunk(ResNet50 network, string input)
    {
        var x = Activation(input, rangeOf: Image);
        x = Convolve(x, network.Stem, relu: true);
        x = Activation(
            Node("MaxPool", "pool", [
                x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }), ("pads", new long[] { 1, 1, 1, 1 })),
            rangeOf: network.Stem.Name);
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
        norm = Node("Max", "norm.bounded", [norm, _graph.Constant(_prefix + "norm.smallest", [SmallestNorm])]);
        return Node("Div", "embedding", [x, norm]);
    }

    private void Statistics(ResNet50 network, List<string> stages)
    {
        var (means, deviations) = (new List<string>(), new List<string>());
        var zero = _graph.Constant("zero", [0f]);
        for (var stage = 0; stage < stages.Count; stage++)
        {
            var name = $"stage{stage + 1}";
            var mean = _graph.Node("GlobalAveragePool", name + ".mean", [stages[stage]]);
            var square = _graph.Node(
                "GlobalAveragePool", name + ".square.mean", [_graph.Node("Mul", name + ".square", [stages[stage], stages[stage]])]);
            // Activations are not negative, so the mean of squares is of the size of the variance or more, and little cancels.
            var variance = _graph.Node("Sub", name + ".variance", [square, _graph.Node("Mul", name + ".mean.square", [mean, mean])]);
            means.Add(mean);
            deviations.Add(_graph.Node("Sqrt", name + ".deviation", [_graph.Node("Max", name + ".variance.bounded", [variance, zero])]));
        }
        var all = _graph.Node("Concat", "statistics.all", [.. means, .. deviations], ("axis", 1L));
        _graph.Node("Flatten", "statistics", [all], ("axis", 1L));
        _graph.Output("statistics", "batch", $"{2 * network.Stages.Sum(stage => stage[^1].Expand.Outputs)}");
    }

    private string Add(string x, Bottleneck block, string name)
    {
        var y = Convolve(x, block.Reduce, relu: true);
        y = Convolve(y, block.Middle, relu: true);
        y = Convolve(y, block.Expand, relu: false);
        var shortcut = block.Shortcut == null ? x : Convolve(x, block.Shortcut, relu: false);
        return Node("Relu", name, [Node("Add", name + ".sum", [y, shortcut])]);
    }

    private string Convolve(string x, Convolution layer, bool relu)
    {
        if (!_weights.TryGetValue(layer.Name, out var constants))
            _weights[layer.Name] = constants = _ranges == null ? FloatWeights(layer) : IntegerWeights(layer, _steps[x]);
        var padding = (layer.Size - 1) / 2;
        var y = Node("Conv", relu ? layer.Name + ".linear" : layer.Name, [x, constants.Weights, constants.Bias],
            ("kernel_shape", new long[] { layer.Size, layer.Size }),
            ("strides", new long[] { layer.Stride, layer.Stride }),
            ("pads", new long[] { padding, padding, padding, padding }));
        return Activation(relu ? Node("Relu", layer.Name, [y]) : y);
    }

    private (string Weights, string Bias) FloatWeights(Convolution layer) => (
        _graph.Constant(layer.Name + ".weight", layer.Weights, layer.Outputs, layer.Inputs, layer.Size, layer.Size),
        _graph.Constant(layer.Name + ".bias", layer.Bias, layer.Outputs));

    private (string Weights, string Bias) IntegerWeights(Convolution layer, float inputStep)
    {
        var perChannel = layer.Weights.Length / layer.Outputs;
        var weights = new sbyte[layer.Weights.Length];
        var bias = new int[layer.Outputs];
        var steps = new float[layer.Outputs];
        var biasSteps = new float[layer.Outputs];
        for (var c = 0; c < layer.Outputs; c++)
        {
            var channel = layer.Weights.AsSpan(c * perChannel, perChannel);
            var largest = 0f;
            foreach (var weight in channel)
                largest = Math.Max(largest, Math.Abs(weight));
            // A channel of almost nothing but bias gets a step wide enough for the bias to fit.
            var step = (float)Math.Max(largest / sbyte.MaxValue, Math.Abs(layer.Bias[c]) / (inputStep * LargestBias));
            steps[c] = step > 0 ? step : 1;
            for (var i = 0; i < perChannel; i++)
                weights[c * perChannel + i] = (sbyte)Math.Clamp(MathF.Round(channel[i] / steps[c]), -sbyte.MaxValue, sbyte.MaxValue);
            biasSteps[c] = steps[c] * inputStep;
            bias[c] = (int)Math.Round(layer.Bias[c] / (double)biasSteps[c]);
        }
        var quantised = _graph.Constant(layer.Name + ".weight.q", weights, layer.Outputs, layer.Inputs, layer.Size, layer.Size);
        return (
            _graph.Node("DequantizeLinear", layer.Name + ".weight",
                [quantised, _graph.Constant(layer.Name + ".weight.step", steps, layer.Outputs), _graph.Constant(
                    layer.Name + ".weight.zero", new sbyte[layer.Outputs], layer.Outputs)],
                ("axis", 0L)),
            _graph.Node("DequantizeLinear", layer.Name + ".bias",
                [_graph.Constant(layer.Name + ".bias.q", bias, layer.Outputs), _graph.Constant(
                    layer.Name + ".bias.step", biasSteps, layer.Outputs),
                    _graph.Constant(layer.Name + ".bias.zero", new int[layer.Outputs], layer.Outputs)],
                ("axis", 0L)));
    }

    /// <summary>A place where int8 rounds: nothing in float, an output when probing.</summary>
    private string Activation(string tensor, string? rangeOf = null)
    {
        if (rangeOf == null)
            _activations?.Add(tensor);
        if (_ranges == null)
            return tensor;
        var (step, zero) = Quantisation.Of(_ranges[rangeOf ?? tensor[_prefix.Length..]]);
        var scale = _graph.Constant(tensor + ".step", [step]);
        var point = _graph.Constant(tensor + ".zero", [zero]);
        var quantised = _graph.Node("QuantizeLinear", tensor + ".q", [tensor, scale, point]);
        var name = _graph.Node("DequantizeLinear", tensor + ".dq", [quantised, scale, point]);
        _steps[name] = step;
        return name;
    }

    private string Node(string operation, string name, string[] inputs, params (string Name, object Value)[] attributes) =>
        _graph.Node(operation, _prefix + name, inputs, attributes);
}

/// <summary>Steps and zero points of 8-bit activations: value = step x (q - zero).</summary>
internal static class Quantisation
{
    /// <summary>The step and zero point that cover a range; 0 is represented exactly.</summary>
    public static (float Step, byte Zero) Of(ActivationRange range)
    {
        var (low, high) = (Math.Min(range.Low, 0), Math.Max(range.High, 0));
        if (high - low is not (> 0 and < float.PositiveInfinity))
            return (1, 0);
        var step = (high - low) / byte.MaxValue;
        return (step, (byte)Math.Clamp(MathF.Round(-low / step), 0, byte.MaxValue));
    }
}
