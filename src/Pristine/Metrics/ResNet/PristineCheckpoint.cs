using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Reads what training/train.py writes: a state dict of a ResNet-18 whose batch normalisations are folded, of the mean and deviation of
/// every statistic, and of one linear layer on them.
/// </summary>
internal static class PristineCheckpoint
{
    /// <summary>A tensor by which the file is told from other state dicts.</summary>
    private const string Stem = "trunk.stem.weight";

    private const string Quality = "quality";

    private const string Damage = "damage";

    /// <summary>The rows of the linear layer, in the order of training/data.py.</summary>
    public static IReadOnlyList<string> Outputs { get; } =
        [Quality, Damage, "blur", "noise", "compression", "dark", "bright", "contrast", "color", "lowres"];

    /// <summary>True for a state dict of this kind.</summary>
    public static bool Is(IReadOnlyDictionary<string, TorchTensor> tensors) => tensors.ContainsKey(Stem);

    /// <summary>Reads the trunk. What the network sees of a pixel becomes 0 to 255 in the order R, G, B.</summary>
    /// <param name="tensors">The state dict.</param>
    /// <param name="source">Name of the file, for messages.</param>
    /// <exception cref="ModelException">A tensor is missing or has another shape.</exception>
    public static ResNet18 ReadTrunk(IReadOnlyDictionary<string, TorchTensor> tensors, string source)
    {
        var stem = WithMeans(Layer("trunk.stem", "stem", 3, 7, 2), Tensor(tensors, source, "pixel", 1, 3, 1, 1));
        var stages = new List<IReadOnlyList<BasicBlock>>();
        var channels = stem.Outputs;
        while (tensors.ContainsKey($"trunk.stages.{stages.Count}.0.first.weight"))
        {
            var blocks = new List<BasicBlock>();
            while (tensors.ContainsKey($"trunk.stages.{stages.Count}.{blocks.Count}.first.weight"))
            {
                var (from, to) = ($"trunk.stages.{stages.Count}.{blocks.Count}", $"stage{stages.Count + 1}.block{blocks.Count}");
                var halves = tensors.ContainsKey(from + ".shortcut.weight");
                var first = Layer(from + ".first", to + ".first", channels, 3, halves ? 2 : 1);
                var second = Layer(from + ".second", to + ".second", first.Outputs, 3, 1);
                var shortcut = halves ? Layer(from + ".shortcut", to + ".shortcut", channels, 1, 2) : null;
                if (second.Outputs != (shortcut?.Outputs ?? channels))
                    throw new ModelException(
                        $"{source}: expected as many channels in both branches of {from}; found {second.Outputs} and " +
                        $"{shortcut?.Outputs ?? channels}.");
                blocks.Add(new(first, second, shortcut));
                channels = second.Outputs;
            }
            stages.Add(blocks);
        }
        return stages.Count > 0 ? new(stem, stages) : throw new ModelException($"{source}: expected stages after the stem; found none.");

        Convolution Layer(string from, string to, int inputs, int size, int stride)
        {
            var name = from + ".weight";
            if (!tensors.TryGetValue(name, out var kernel))
                throw new ModelException($"{source}: expected a tensor {name}; it is missing ({tensors.Count} others are there).");
            var outputs = kernel.Shape.Count > 0 ? kernel.Shape[0] : 0;
            return new(
                to, outputs, inputs, size, stride, Tensor(tensors, source, name, outputs, inputs, size, size),
                Tensor(tensors, source, from + ".bias", outputs));
        }
    }

    /// <summary>
    /// Reads the linear layer as regressors on the statistics as <see cref="ResNet18Graph"/> gives them, view after view; the
    /// standardisation becomes part of the weights.
    /// </summary>
    /// <param name="tensors">The state dict.</param>
    /// <param name="network">Its trunk.</param>
    /// <param name="views">Views of an image.</param>
    /// <param name="features">Identity of the features.</param>
    /// <param name="source">Name and hash of the file, for messages and as the origin of the regressors.</param>
    /// <returns>A regressor for each of <see cref="Outputs"/>.</returns>
    /// <exception cref="ModelException">A tensor is missing or has another shape.</exception>
    public static IReadOnlyList<QualityHead> ReadHeads(
        IReadOnlyDictionary<string, TorchTensor> tensors, ResNet18 network, int views, string features, string source)
    {
        var count = 2 * network.Channels * views;
        var (mean, deviation) = (Tensor(tensors, source, "mean", count), Tensor(tensors, source, "deviation", count));
        var layer = Tensor(tensors, source, "head.weight", Outputs.Count, count);
        var biases = Tensor(tensors, source, "head.bias", Outputs.Count);
        var places = Places(network, views);
        return [.. Outputs.Select((name, row) =>
        {
            var weights = new float[count];
            double bias = biases[row];
            for (var i = 0; i < count; i++)
            {
                var weight = layer[row * count + i] / (double)deviation[i];
                weights[places[i]] = (float)weight;
                bias -= weight * mean[i];
            }
            return name == Quality
                ? new QualityHead(name, features, weights, bias, worst: 0, best: 1, source)
                : new QualityHead(name, features, weights, bias, worst: 1, best: 0, source, HeadLink.Logistic);
        })];
    }

    /// <summary>
    /// Where a statistic of the checkpoint stands in the features: it has mean and deviation of a stage beside each other, the graph the
    /// means of all stages before all deviations.
    /// </summary>
    private static int[] Places(ResNet18 network, int views)
    {
        var places = new List<int>();
        for (var view = 0; view < views; view++)
        {
            var before = 2 * network.Channels * view;
            foreach (var channels in network.Stages.Select(stage => stage[^1].Second.Outputs))
            {
                places.AddRange(Enumerable.Range(before, channels));
                places.AddRange(Enumerable.Range(before + network.Channels, channels));
                before += channels;
            }
        }
        return [.. places];
    }

    /// <summary>The stem for planes R, G, B of 0 to 255 instead of B, G, R less their means.</summary>
    private static Convolution WithMeans(Convolution stem, float[] means)
    {
        var area = stem.Size * stem.Size;
        var (weights, bias) = (new float[stem.Weights.Length], new float[stem.Outputs]);
        for (var output = 0; output < stem.Outputs; output++)
        {
            double shifted = stem.Bias[output];
            for (var channel = 0; channel < 3; channel++)
                for (var i = 0; i < area; i++)
                {
                    var weight = stem.Weights[(output * 3 + channel) * area + i];
                    weights[(output * 3 + 2 - channel) * area + i] = weight;
                    shifted -= weight * (double)means[channel];
                }
            bias[output] = (float)shifted;
        }
        return stem with { Weights = weights, Bias = bias };
    }

    private static float[] Tensor(IReadOnlyDictionary<string, TorchTensor> tensors, string source, string name, params int[] shape)
    {
        if (!tensors.TryGetValue(name, out var tensor))
            throw new ModelException($"{source}: expected a tensor {name}; it is missing ({tensors.Count} others are there).");
        return tensor.Shape.SequenceEqual(shape)
            ? tensor.ToFloats()
            : throw new ModelException(
                $"{source}: expected {name} of shape [{string.Join(", ", shape)}]; found [{string.Join(", ", tensor.Shape)}].");
    }
}
