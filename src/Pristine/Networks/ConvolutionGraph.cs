using System.Globalization;

namespace Pristine.Networks;

/// <summary>The range of values that an activation takes.</summary>
/// <param name="Low">Smallest value; at most 0.</param>
/// <param name="High">Largest value; at least 0.</param>
internal readonly record struct ActivationRange(float Low, float High);

/// <summary>
/// How a network is written: in floats, in floats with every activation as an output, and in 8-bit integers for ranges of the activations.
/// </summary>
/// <param name="Float">In 32-bit floats.</param>
/// <param name="Probe">In floats with one more output per activation that int8 would quantise, and their names.</param>
/// <param name="Int8">In 8-bit integers.</param>
internal sealed record NetworkGraphs(
    Func<OnnxGraph> Float, Func<(OnnxGraph Graph, IReadOnlyList<string> Activations)> Probe,
    Func<IReadOnlyDictionary<string, ActivationRange>, OnnxGraph> Int8);

/// <summary>
/// What graphs of convolutions have in common: one description gives the graph in floats, in floats with every activation as an output (to
/// measure their ranges), and in 8-bit integers. Those are unsigned activations with one step and zero point each and signed weights with
/// one step per output channel, as QuantizeLinear/DequantizeLinear pairs that the runtime fuses. (Signed activations run seven times
/// slower.)
/// </summary>
internal abstract class ConvolutionGraph
{
    /// <summary>The one input of a graph, and the name of an input's range.</summary>
    public const string Image = "image";

    /// <summary>The one input of an <see cref="ITrainedNetwork"/> in 8-bit integers.</summary>
    public const string SquaresInput = "squares";

    /// <summary>
    /// Key of the metadata with the steps of an <see cref="ITrainedNetwork"/>'s outputs that are bytes, separated by spaces.
    /// </summary>
    public const string StepsKey = "steps";

    /// <summary>As in training/train.py, added to every variance: keeps the root's slope finite.</summary>
    public const float TrainedSmallestVariance = 1e-5f;

    private const string Quantised = ".q";
    private const string Dequantised = ".dq";

    /// <summary>A bias is a 32-bit integer in steps of (input step x weight step); it stays this far from overflow.</summary>
    private const double LargestBias = 1 << 30;

    private readonly IReadOnlyDictionary<string, ActivationRange>? _ranges;
    private readonly List<string>? _activations;
    private readonly Dictionary<string, float> _steps = new(StringComparer.Ordinal);

    /// <summary>Weights are in the graph once, whatever the number of inputs that go through them.</summary>
    private readonly Dictionary<string, (string Weights, string Bias)> _weights = new(StringComparer.Ordinal);

    /// <summary>Begins an empty graph.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ranges">The range of each activation, for 8-bit integers; null for floats.</param>
    /// <param name="activations">Where the names of activations go; null where nothing is measured.</param>
    protected ConvolutionGraph(string name, IReadOnlyDictionary<string, ActivationRange>? ranges, List<string>? activations) =>
        (Graph, _ranges, _activations) = (new OnnxGraph(name), ranges, activations);

    /// <summary>The graph.</summary>
    protected OnnxGraph Graph { get; }

    /// <summary>Whether 8-bit weights are rounded so that the sum of each mask stays right, instead of each to the nearest.</summary>
    protected virtual bool KeepsSums => false;

    /// <summary>What stands before the names of tensors: nothing with one input, the input's name with two.</summary>
    protected string Prefix { get; set; } = "";

    /// <summary>The graph, with the activations as outputs where they are measured.</summary>
    protected OnnxGraph Finish()
    {
        foreach (var activation in _activations ?? [])
            Graph.Output(activation, "batch", null, null, null);
        return Graph;
    }

    /// <summary>The input of an <see cref="ITrainedNetwork"/>: the image's 2x2 squares as channels.</summary>
    protected string Squares()
    {
        if (_ranges == null)
        {
            Graph.Input(Image, "batch", "3", "height", "width");
            return Graph.Node("SpaceToDepth", Image + ".squares", [Image], ("blocksize", 2L));
        }
        var (step, zero) = Quantisation.Of(_ranges[Image]);
        Graph.ByteInput(SquaresInput, "batch", "rows", "columns", "12");
        var squares = Graph.Node("Transpose", SquaresInput + ".q", [SquaresInput], ("perm", new long[] { 0, 3, 1, 2 }));
        var name = Graph.Node(
            "DequantizeLinear", SquaresInput + ".dq",
            [squares, Graph.Constant(SquaresInput + ".step", [step]), Graph.Constant(SquaresInput + ".zero", [zero])]);
        _steps[name] = step;
        return name;
    }

    /// <summary>The outputs of an <see cref="ITrainedNetwork"/>.</summary>
    /// <param name="stages">The outputs of the stages.</param>
    /// <param name="channels">Channels of each stage.</param>
    protected void TrainedStatistics(List<string> stages, IReadOnlyList<int> channels)
    {
        var inside = 0;
        if (_ranges != null)
        {
            var steps = new List<string>();
            for (; inside < stages.Count - 1; inside++)
            {
                var quantised = stages[inside][..^Dequantised.Length] + Quantised;
                Graph.ByteOutput(
                    Graph.Node("Transpose", $"stage{inside + 1}", [quantised], ("perm", new long[] { 0, 2, 3, 1 })),
                    "batch", null, null, $"{channels[inside]}");
                steps.Add(_steps[stages[inside]].ToString("R", CultureInfo.InvariantCulture));
            }
            Graph.Metadata(StepsKey, string.Join(' ', steps));
        }
        Statistics(stages[inside..], channels.Skip(inside).Sum(), TrainedSmallestVariance, inside);
    }

    /// <summary>The 3x3 maximum of stride 2 behind a stem.</summary>
    protected string Pool(string x, string stem) => Activation(
        Node(
            "MaxPool", "pool", [x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }),
            ("pads", new long[] { 1, 1, 1, 1 })),
        rangeOf: stem);

    /// <summary>
    /// The output <c>statistics</c>: the mean over the image of every channel of the stages, then the standard deviations in the same
    /// order.
    /// </summary>
    /// <param name="stages">The outputs of the stages.</param>
    /// <param name="channels">Channels of all stages.</param>
    /// <param name="smallestVariance">Added to the variance, which is not negative.</param>
    /// <param name="before">Stages before the first.</param>
    protected void Statistics(List<string> stages, int channels, float smallestVariance, int before = 0)
    {
        var (means, deviations) = (new List<string>(), new List<string>());
        var zero = Graph.Constant("zero", [0f]);
        var smallest = smallestVariance > 0 ? Graph.Constant("variance.smallest", [smallestVariance]) : null;
        for (var stage = 0; stage < stages.Count; stage++)
        {
            var name = $"stage{before + stage + 1}";
            var mean = Graph.Node("GlobalAveragePool", name + ".mean", [stages[stage]]);
            var square = Graph.Node(
                "GlobalAveragePool", name + ".square.mean", [Graph.Node("Mul", name + ".square", [stages[stage], stages[stage]])]);
            // Activations are not negative, so the mean of squares is of the size of the variance or more, and little cancels.
            var variance = Graph.Node("Sub", name + ".variance", [square, Graph.Node("Mul", name + ".mean.square", [mean, mean])]);
            variance = Graph.Node("Max", name + ".variance.bounded", [variance, zero]);
            if (smallest != null)
                variance = Graph.Node("Add", name + ".variance.raised", [variance, smallest]);
            means.Add(mean);
            deviations.Add(Graph.Node("Sqrt", name + ".deviation", [variance]));
        }
        var all = Graph.Node("Concat", "statistics.all", [.. means, .. deviations], ("axis", 1L));
        Graph.Node("Flatten", "statistics", [all], ("axis", 1L));
        Graph.Output("statistics", "batch", $"{2 * channels}");
    }

    /// <summary>A convolution, its bias and perhaps the cut at 0 behind it.</summary>
    /// <param name="x">The input.</param>
    /// <param name="layer">The convolution.</param>
    /// <param name="relu">Whether negative values become 0.</param>
    /// <param name="padding">Zeros around the input; null for those of a mask that keeps the size.</param>
    protected string Convolve(string x, Convolution layer, bool relu, int? padding = null)
    {
        long zeros = padding ?? (layer.Size - 1) / 2;
        return Convolve(x, layer, relu, zeros, new(layer.Inputs, layer.Size, layer.Stride, null));
    }

    /// <summary>
    /// A convolution of stride 2 without padding, for an input whose 2x2 squares have become channels (SpaceToDepth): one of stride 1 with
    /// a mask of half the side, which a processor computes several times as fast where channels are few.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="layer">The convolution, of stride 2.</param>
    /// <param name="relu">Whether negative values become 0.</param>
    protected string ConvolveSquares(string x, Convolution layer, bool relu)
    {
        var side = (layer.Size + 1) / 2;
        var places = new int[layer.Weights.Length];
        for (var i = 0; i < places.Length; i++)
        {
            var (column, row) = (i % layer.Size, i / layer.Size % layer.Size);
            var (input, output) = (i / (layer.Size * layer.Size) % layer.Inputs, i / (layer.Size * layer.Size * layer.Inputs));
            var channel = (row % 2 * 2 + column % 2) * layer.Inputs + input;
            places[i] = ((output * 4 * layer.Inputs + channel) * side + row / 2) * side + column / 2;
        }
        return Convolve(x, layer, relu, 0, new(4 * layer.Inputs, side, 1, places));
    }

    private string Convolve(string x, Convolution layer, bool relu, long zeros, Mask mask)
    {
        if (!_weights.TryGetValue(layer.Name, out var constants))
            _weights[layer.Name] = constants = _ranges == null ? FloatWeights(layer, mask) : IntegerWeights(layer, mask, _steps[x]);
        var y = Node("Conv", relu ? layer.Name + ".linear" : layer.Name, [x, constants.Weights, constants.Bias],
            ("kernel_shape", new long[] { mask.Side, mask.Side }),
            ("strides", new long[] { mask.Stride, mask.Stride }),
            ("pads", new long[] { zeros, zeros, zeros, zeros }));
        return Activation(relu ? Node("Relu", layer.Name, [y]) : y);
    }

    private (string Weights, string Bias) FloatWeights(Convolution layer, Mask mask) => (
        Graph.Constant(
            layer.Name + ".weight", mask.Arrange(layer.Weights, layer.Outputs), layer.Outputs, mask.Inputs, mask.Side, mask.Side),
        Graph.Constant(layer.Name + ".bias", layer.Bias, layer.Outputs));

    private (string Weights, string Bias) IntegerWeights(Convolution layer, Mask arrangement, float inputStep)
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
            var rounded = weights.AsSpan(c * perChannel, perChannel);
            for (var i = 0; i < perChannel; i++)
                rounded[i] = (sbyte)Math.Clamp(MathF.Round(channel[i] / steps[c]), -sbyte.MaxValue, sbyte.MaxValue);
            var mask = layer.Size * layer.Size;
            for (var i = 0; KeepsSums && i < perChannel; i += mask)
                KeepSum(channel.Slice(i, mask), steps[c], rounded.Slice(i, mask));
            biasSteps[c] = steps[c] * inputStep;
            bias[c] = (int)Math.Round(layer.Bias[c] / (double)biasSteps[c]);
        }
        var quantised = Graph.Constant(
            layer.Name + ".weight.q", arrangement.Arrange(weights, layer.Outputs), layer.Outputs, arrangement.Inputs, arrangement.Side,
            arrangement.Side);
        return (
            Graph.Node("DequantizeLinear", layer.Name + ".weight",
                [quantised, Graph.Constant(layer.Name + ".weight.step", steps, layer.Outputs), Graph.Constant(
                    layer.Name + ".weight.zero", new sbyte[layer.Outputs], layer.Outputs)],
                ("axis", 0L)),
            Graph.Node("DequantizeLinear", layer.Name + ".bias",
                [Graph.Constant(layer.Name + ".bias.q", bias, layer.Outputs), Graph.Constant(
                    layer.Name + ".bias.step", biasSteps, layer.Outputs),
                    Graph.Constant(layer.Name + ".bias.zero", new int[layer.Outputs], layer.Outputs)],
                ("axis", 0L)));
    }

    /// <summary>
    /// Rounds some weights of a mask the other way, those that were closest to it, until their sum is right to half a step. What a mask
    /// sees is mostly the same everywhere in it, and errors of such a sum go through all layers to the means of the statistics.
    /// </summary>
    /// <param name="weights">The weights.</param>
    /// <param name="step">Their step.</param>
    /// <param name="rounded">The weights in steps, rounded to the nearest.</param>
    internal static void KeepSum(ReadOnlySpan<float> weights, float step, Span<sbyte> rounded)
    {
        var missing = 0.0;
        for (var i = 0; i < weights.Length; i++)
            missing += weights[i] / (double)step - rounded[i];
        for (var count = (int)Math.Round(missing); count != 0; count -= Math.Sign(count))
        {
            var (place, most) = (-1, double.NegativeInfinity);
            for (var i = 0; i < weights.Length; i++)
            {
                var above = Math.Sign(count) * (weights[i] / (double)step - rounded[i]);
                if (above > most && Math.Abs(rounded[i] + Math.Sign(count)) <= sbyte.MaxValue)
                    (place, most) = (i, above);
            }
            if (place < 0)
                return;
            rounded[place] += (sbyte)Math.Sign(count);
        }
    }

    /// <summary>A place where int8 rounds: nothing in float, an output when probing.</summary>
    protected string Activation(string tensor, string? rangeOf = null)
    {
        if (rangeOf == null)
            _activations?.Add(tensor);
        if (_ranges == null)
            return tensor;
        var (step, zero) = Quantisation.Of(_ranges[rangeOf ?? tensor[Prefix.Length..]]);
        var scale = Graph.Constant(tensor + ".step", [step]);
        var point = Graph.Constant(tensor + ".zero", [zero]);
        var quantised = Graph.Node("QuantizeLinear", tensor + Quantised, [tensor, scale, point]);
        var name = Graph.Node("DequantizeLinear", tensor + Dequantised, [quantised, scale, point]);
        _steps[name] = step;
        return name;
    }

    /// <summary>How the weights of a convolution stand in the graph.</summary>
    /// <param name="Inputs">Input channels.</param>
    /// <param name="Side">Side of the mask.</param>
    /// <param name="Stride">Step in both directions.</param>
    /// <param name="Places">Where each weight goes, the rest being 0; null where all stay.</param>
    private sealed record Mask(int Inputs, int Side, int Stride, int[]? Places)
    {
        public T[] Arrange<T>(T[] weights, int outputs)
            where T : struct
        {
            if (Places == null)
                return weights;
            var arranged = new T[outputs * Inputs * Side * Side];
            for (var i = 0; i < weights.Length; i++)
                arranged[Places[i]] = weights[i];
            return arranged;
        }
    }

    /// <summary>A node whose name carries the prefix.</summary>
    protected string Node(string operation, string name, string[] inputs, params (string Name, object Value)[] attributes) =>
        Graph.Node(operation, Prefix + name, inputs, attributes);
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
