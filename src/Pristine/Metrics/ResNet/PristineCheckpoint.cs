using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Reads what training/train.py writes: a state dict of a ResNet-18 or ResNet-50 whose batch normalisations are folded, of the mean and
/// deviation of every statistic, and of one linear layer on them.
/// </summary>
internal static class PristineCheckpoint
{
    /// <summary>A tensor by which the file is told from other state dicts.</summary>
    private const string Stem = "trunk.stem.weight";

    /// <summary>A tensor by which a ResNet-50 is told from a ResNet-18.</summary>
    private const string Bottleneck = "trunk.stages.0.0.reduce.weight";

    /// <summary>The opinion, the first row of the linear layer.</summary>
    public const string Quality = "quality";

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
    public static (PristineNetwork Network, ITrainedNetwork Trunk) ReadTrunk(
        IReadOnlyDictionary<string, TorchTensor> tensors, string source)
    {
        var stem = WithMeans(Layer("trunk.stem", "stem", 3, 7, 2), Tensor(tensors, source, "pixel", 1, 3, 1, 1));
        return tensors.ContainsKey(Bottleneck)
            ? (PristineNetwork.Large, new ResNet50(stem, Stages("reduce", ReadBottleneck, block => block.Expand)))
            : (PristineNetwork.Small, new ResNet18(stem, Stages("first", ReadBasic, block => block.Second)));

        // Stages and blocks follow each other while there is a tensor of their first convolution.
        List<IReadOnlyList<T>> Stages<T>(string first, Func<string, string, int, int, T> read, Func<T, Convolution> last)
        {
            var stages = new List<IReadOnlyList<T>>();
            var channels = stem.Outputs;
            while (tensors.ContainsKey($"trunk.stages.{stages.Count}.0.{first}.weight"))
            {
                var blocks = new List<T>();
                while (tensors.ContainsKey($"trunk.stages.{stages.Count}.{blocks.Count}.{first}.weight"))
                {
                    blocks.Add(read(
                        $"trunk.stages.{stages.Count}.{blocks.Count}", $"stage{stages.Count + 1}.block{blocks.Count}", channels,
                        stages.Count > 0 && blocks.Count == 0 ? 2 : 1));
                    channels = last(blocks[^1]).Outputs;
                }
                stages.Add(blocks);
            }
            return stages.Count > 0 ? stages : throw new ModelException($"{source}: expected stages after the stem; found none.");
        }

        BasicBlock ReadBasic(string from, string to, int channels, int stride)
        {
            var first = Layer(from + ".first", to + ".first", channels, 3, stride);
            var second = Layer(from + ".second", to + ".second", first.Outputs, 3, 1);
            return new(first, second, Shortcut(from, to, channels, stride, second));
        }

        Bottleneck ReadBottleneck(string from, string to, int channels, int stride)
        {
            var reduce = Layer(from + ".reduce", to + ".reduce", channels, 1, stride);
            var middle = Layer(from + ".middle", to + ".middle", reduce.Outputs, 3, 1);
            var expand = Layer(from + ".expand", to + ".expand", middle.Outputs, 1, 1);
            return new(reduce, middle, expand, Shortcut(from, to, channels, stride, expand));
        }

        Convolution? Shortcut(string from, string to, int channels, int stride, Convolution last)
        {
            var shortcut = tensors.ContainsKey(from + ".shortcut.weight")
                ? Layer(from + ".shortcut", to + ".shortcut", channels, 1, stride)
                : null;
            return last.Outputs == (shortcut?.Outputs ?? channels) && (shortcut != null || stride == 1)
                ? shortcut
                : throw new ModelException(
                    $"{source}: expected as many channels in both branches of {from}; found {last.Outputs} and " +
                    $"{shortcut?.Outputs ?? channels}.");
        }

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
    /// Reads the linear layer as regressors on the statistics as the graph of an <see cref="ITrainedNetwork"/> gives them, view after
    /// view; the standardisation becomes part of the weights.
    /// </summary>
    /// <param name="tensors">The state dict.</param>
    /// <param name="network">Whose views there are, and which outputs count.</param>
    /// <param name="trunk">Its trunk.</param>
    /// <param name="source">Name and hash of the file, for messages and as the origin of the regressors.</param>
    /// <returns>A regressor for each output of the network.</returns>
    /// <exception cref="ModelException">A tensor is missing or has another shape.</exception>
    public static IReadOnlyList<QualityHead> ReadHeads(
        IReadOnlyDictionary<string, TorchTensor> tensors, PristineNetwork network, ITrainedNetwork trunk, string source)
    {
        var count = 2 * trunk.StageChannels.Sum() * network.Views.Count;
        var (mean, deviation) = (Tensor(tensors, source, "mean", count), Tensor(tensors, source, "deviation", count));
        var layer = Tensor(tensors, source, "head.weight", Outputs.Count, count);
        var biases = Tensor(tensors, source, "head.bias", Outputs.Count);
        var places = Places(trunk.StageChannels, network.Views.Count);
        return [.. network.Outputs.Select((name, row) =>
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
                ? new QualityHead(name, network.Identity, weights, bias, worst: 0, best: 1, source)
                : new QualityHead(name, network.Identity, weights, bias, worst: 1, best: 0, source, HeadLink.Logistic);
        })];
    }

    /// <summary>
    /// Where a statistic of the checkpoint stands in the features: it has mean and deviation of a stage beside each other, the graph the
    /// means of all stages before all deviations.
    /// </summary>
    private static int[] Places(IReadOnlyList<int> stageChannels, int views)
    {
        var places = new List<int>();
        var all = stageChannels.Sum();
        for (var view = 0; view < views; view++)
        {
            var before = 2 * all * view;
            foreach (var channels in stageChannels)
            {
                places.AddRange(Enumerable.Range(before, channels));
                places.AddRange(Enumerable.Range(before + all, channels));
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
