using Pristine.Metrics.ResNet;
using Pristine.Networks;
using Pristine.Tests.References;

namespace Pristine.Tests.Models;

/// <summary>A checkpoint as training/train.py writes it, with few channels and seeded random weights, and what it means.</summary>
internal sealed class TinyCheckpoint
{
    /// <summary>Channels of the two stages of two blocks each.</summary>
    public static readonly int[] Channels = [4, 8];

    /// <summary>Rows of the linear layer.</summary>
    public const int Outputs = 10;

    private readonly PristineNetwork _network;
    private readonly float[] _pixelMeans;
    private readonly Random _random = new(5);
    private readonly Dictionary<string, (float[] Values, int[] Shape)> _tensors = [];

    /// <summary>A small or large network's kind of blocks, and its views.</summary>
    public TinyCheckpoint(PristineNetwork network)
    {
        _network = network;
        _pixelMeans = IsLarge ? [103.939f, 116.779f, 123.68f] : [103.06f, 115.9f, 123.15f];
        // Pixels reach 150, so the stem's weights are small.
        Layer("trunk.stem", 3, 4, 7, 0.01);
        var inputs = 4;
        for (var stage = 0; stage < Channels.Length; stage++)
            for (var block = 0; block < 2; block++)
            {
                var name = $"trunk.stages.{stage}.{block}";
                if (IsLarge)
                {
                    var inner = Channels[stage] / 2;
                    Layer(name + ".reduce", inputs, inner, 1, 0.6);
                    Layer(name + ".middle", inner, inner, 3, 0.4);
                    Layer(name + ".expand", inner, Channels[stage], 1, 0.6);
                }
                else
                {
                    Layer(name + ".first", inputs, Channels[stage], 3, 0.4);
                    Layer(name + ".second", Channels[stage], Channels[stage], 3, 0.4);
                }
                if (HasShortcut(stage, block))
                    Layer(name + ".shortcut", inputs, Channels[stage], 1, 0.6);
                inputs = Channels[stage];
            }
        Add("pixel", [.. _pixelMeans], 1, 3, 1, 1);
        Add("mean", Values(Features, 1), Features);
        Add("deviation", [.. Values(Features, 0.4).Select(value => 1 + value)], Features);
        Add("head.weight", Values(Outputs * Features, 0.2), Outputs, Features);
        Add("head.bias", Values(Outputs, 1), Outputs);
    }

    /// <summary>The network of which this is a tiny copy, with its own channels.</summary>
    public PristineNetwork Network => new()
    {
        Name = _network.Name,
        Revision = _network.Revision,
        Architecture = _network.Architecture,
        Views = _network.Views,
        Means = _network.Means,
        StageChannels = Channels,
        Outputs = _network.Outputs,
    };

    /// <summary>Statistics of all views.</summary>
    public int Features => 2 * _network.Views.Count * Channels.Sum();

    private bool IsLarge => _network == PristineNetwork.Large;

    /// <summary>The file; a tensor can be left out, or get another shape.</summary>
    public byte[] ToFile(string? without = null, string? reshaped = null)
    {
        var file = new TorchFile();
        foreach (var (name, (values, shape)) in _tensors)
            if (name != without)
                file.Tensor(name, values, name == reshaped ? [values.Length] : shape);
        return file.ToArray();
    }

    /// <summary>A convolution, without a normalisation behind it.</summary>
    public NormalisedConvolution Convolution(string name)
    {
        var (values, shape) = _tensors[name + ".weight"];
        var bias = _tensors[name + ".bias"].Values;
        WeightTensor Constant(string part, float value) => new($"{name}.{part}", [shape[0]], [.. Enumerable.Repeat(value, shape[0])]);
        return new(
            new(name, shape, values), new(name, [shape[0]], bias), Constant("scale", 1), Constant("shift", 0), Constant("mean", 0),
            Constant("variance", 1), 0);
    }

    /// <summary>The linear layer's outputs for statistics in the order of train.py: view, stage, means before deviations.</summary>
    public double[] Head(IReadOnlyList<double> statistics) => [.. Enumerable.Range(0, Outputs).Select(row =>
        _tensors["head.bias"].Values[row] + Enumerable.Range(0, Features).Sum(i => _tensors["head.weight"].Values[row * Features + i]
            * (statistics[i] - _tensors["mean"].Values[i]) / _tensors["deviation"].Values[i]))];

    /// <summary>
    /// Mean and deviation of every channel of each stage as training/train.py takes them, in double: means of a stage, then its deviations.
    /// </summary>
    /// <param name="image">Planes of height x width, normalised.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public double[] Statistics(double[] image, int height, int width) => ResNetReference.TrainedStatistics(
        Convolution, IsLarge ? ["reduce", "middle", "expand"] : ["first", "second"], Channels.Length, HasShortcut, image, height, width);

    /// <summary>What the network takes of a pixel in the order B, G, R.</summary>
    public float Normalise(int channel, byte value) => value - _pixelMeans[channel];

    /// <summary>
    /// Whether a block has a convolution in its shortcut, as the first of a stage has; in a small network's first stage none does.
    /// </summary>
    private bool HasShortcut(int stage, int block) => block == 0 && (stage > 0 || IsLarge);

    private void Layer(string name, int inputs, int outputs, int size, double spread)
    {
        Add(name + ".weight", Values(outputs * inputs * size * size, spread), outputs, inputs, size, size);
        Add(name + ".bias", Values(outputs, 0.3), outputs);
    }

    private void Add(string name, float[] values, params int[] shape) => _tensors[name] = (values, shape);

    private float[] Values(int count, double spread) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)((_random.NextDouble() - 0.5) * 2 * spread))];
}
