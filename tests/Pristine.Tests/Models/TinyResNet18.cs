using Pristine.Networks;

namespace Pristine.Tests.Models;

/// <summary>A checkpoint as training/train.py writes it, with few channels and seeded random weights, and what it means.</summary>
internal sealed class TinyResNet18
{
    /// <summary>Channels of the two stages.</summary>
    public static readonly int[] Channels = [4, 6];

    /// <summary>Rows of the linear layer.</summary>
    public const int Outputs = 10;

    private static readonly float[] PixelMeans = [103.06f, 115.9f, 123.15f];
    private readonly Random _random = new(5);
    private readonly Dictionary<string, (float[] Values, int[] Shape)> _tensors = [];

    public TinyResNet18()
    {
        // Pixels reach 150, so the stem's weights are small.
        Layer("trunk.stem", 3, 4, 7, 0.01);
        var inputs = 4;
        for (var stage = 0; stage < Channels.Length; stage++)
            for (var block = 0; block < 2; block++)
            {
                var name = $"trunk.stages.{stage}.{block}";
                Layer(name + ".first", inputs, Channels[stage], 3, 0.4);
                Layer(name + ".second", Channels[stage], Channels[stage], 3, 0.4);
                if (inputs != Channels[stage])
                    Layer(name + ".shortcut", inputs, Channels[stage], 1, 0.6);
                inputs = Channels[stage];
            }
        Add("pixel", [.. PixelMeans], 1, 3, 1, 1);
        Add("mean", Values(Features, 1), Features);
        Add("deviation", [.. Values(Features, 0.4).Select(value => 1 + value)], Features);
        Add("head.weight", Values(Outputs * Features, 0.2), Outputs, Features);
        Add("head.bias", Values(Outputs, 1), Outputs);
    }

    /// <summary>Statistics of both views.</summary>
    public static int Features => 2 * 2 * Channels.Sum();

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

    /// <summary>What the network takes of a pixel in the order B, G, R.</summary>
    public static float Normalise(int channel, byte value) => value - PixelMeans[channel];

    private void Layer(string name, int inputs, int outputs, int size, double spread)
    {
        Add(name + ".weight", Values(outputs * inputs * size * size, spread), outputs, inputs, size, size);
        Add(name + ".bias", Values(outputs, 0.3), outputs);
    }

    private void Add(string name, float[] values, params int[] shape) => _tensors[name] = (values, shape);

    private float[] Values(int count, double spread) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)((_random.NextDouble() - 0.5) * 2 * spread))];
}
