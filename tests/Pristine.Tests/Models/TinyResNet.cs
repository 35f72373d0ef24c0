using System.Text.Json;
using Pristine.Networks;

namespace Pristine.Tests.Models;

/// <summary>A ResNet-50 with few channels and seeded random weights, and the files that hold it in each format.</summary>
internal sealed class TinyResNet
{
    public const int Features = 16;
    private const double TorchEpsilon = 1e-5;
    private const double KerasEpsilon = 1e-3;

    private static readonly int[] Widths = [2, 3, 3, 4];
    private readonly Dictionary<ConvolutionPlace, NormalisedConvolution> _layers = [];

    public TinyResNet(int seed = 1)
    {
        var random = new Random(seed);
        Add(random, ConvolutionPlace.Stem, 3, 4, 7);
        var channels = 4;
        for (var stage = 1; stage <= 4; stage++)
            for (var block = 0; block < ResNet50.BlocksPerStage[stage - 1]; block++)
            {
                var width = Widths[stage - 1];
                Add(random, new(stage, block, BottleneckPart.Reduce), channels, width, 1);
                Add(random, new(stage, block, BottleneckPart.Middle), width, width, 3);
                Add(random, new(stage, block, BottleneckPart.Expand), width, 4 * width, 1);
                if (block == 0)
                    Add(random, new(stage, block, BottleneckPart.Shortcut), channels, 4 * width, 1);
                channels = 4 * width;
            }
    }

    /// <summary>As torchvision has it: no bias, torch's epsilon.</summary>
    public NormalisedConvolution Torch(ConvolutionPlace place) => _layers[place] with { Bias = null, Epsilon = TorchEpsilon };

    /// <summary>As Keras has it: with a bias and its epsilon.</summary>
    public NormalisedConvolution Keras(ConvolutionPlace place) => _layers[place];

    /// <summary>ARNIQA.pth. A tensor can be left out, or get another shape.</summary>
    public byte[] TorchFile(string? without = null, string? reshaped = null)
    {
        var file = new TorchFile();
        foreach (var (place, layer) in _layers)
        {
            var block = $"model.{place.Stage + 3}.{place.Block}.";
            var (convolution, norm) = place.Stage == 0 ? ("model.0", "model.1") : place.Part == BottleneckPart.Shortcut
                ? (block + "downsample.0", block + "downsample.1")
                : (block + $"conv{(int)place.Part + 1}", block + $"bn{(int)place.Part + 1}");
            foreach (var (name, tensor) in new[]
            {
                (convolution + ".weight", layer.Kernel), (norm + ".weight", layer.Scale), (norm + ".bias", layer.Shift),
                (norm + ".running_mean", layer.Mean), (norm + ".running_var", layer.Variance),
            })
                if (name != without)
                    file.Tensor(name, tensor.Values, name == reshaped ? [1, tensor.Values.Length] : [.. tensor.Shape]);
        }
        return file.Tensor("projector.0.weight", [1, 2], 1, 2).ToArray();
    }

    /// <summary>A regressor_*.pth for the network's features at two scales.</summary>
    public static byte[] Regressor(float[] weights, float bias) =>
        new TorchFile(isModule: true).Tensor("weights", weights, weights.Length).Tensor("biases", [bias]).ToArray();

    /// <summary>model.json and two shards.</summary>
    public string WriteKeras(string folder)
    {
        var (manifest, topology, bytes) = (new List<object>(), new List<object>(), new List<byte>());
        foreach (var (place, layer) in _layers)
        {
            var position = $"{place.Stage + 1}{"abcdef"[place.Block]}_branch{new[] { "2a", "2b", "2c", "1" }[(int)place.Part]}";
            var (convolution, norm) = place.Stage == 0 ? ("conv1", "bn_conv1") : ("res" + position, "bn" + position);
            topology.Add(new { class_name = "BatchNormalization", name = norm, config = new { epsilon = KerasEpsilon } });
            var (o, i, size) = (layer.Kernel.Shape[0], layer.Kernel.Shape[1], layer.Kernel.Shape[2]);
            var kernel = new float[layer.Kernel.Values.Length];
            for (var n = 0; n < kernel.Length; n++)
            {
                // [outputs, inputs, height, width] to [height, width, inputs, outputs]; the file's first layer takes B, G, R.
                var input = n / (size * size) % i;
                kernel[(n % (size * size) * i + (place.Stage == 0 ? i - 1 - input : input)) * o + n / (size * size * i)] =
                    layer.Kernel.Values[n];
            }
            foreach (var (name, shape, values) in new[]
            {
                (convolution + "/kernel", [size, size, i, o], kernel), (convolution + "/bias", [o], layer.Bias!.Values),
                (norm + "/gamma", [o], layer.Scale.Values),
                (norm + "/beta", [o], layer.Shift.Values), (norm + "/moving_mean", [o], layer.Mean.Values),
                (norm + "/moving_variance", new[] { o }, layer.Variance.Values),
            })
            {
                manifest.Add(new { name, shape, dtype = "float32" });
                bytes.AddRange(Models.TorchFile.Floats(values));
            }
        }
        var cut = bytes.Count / 2 + 1;
        File.WriteAllBytes(Path.Combine(folder, "shard1.bin"), [.. bytes.Take(cut)]);
        File.WriteAllBytes(Path.Combine(folder, "shard2.bin"), [.. bytes.Skip(cut)]);
        var path = Path.Combine(folder, "model.json");
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(new
        {
            format = "layers-model",
            modelTopology = new { model_config = new { config = new { layers = topology } } },
            weightsManifest = new[] { new { paths = new[] { "shard1.bin", "shard2.bin" }, weights = manifest } },
        }));
        return path;
    }

    private void Add(Random random, ConvolutionPlace place, int inputs, int outputs, int size)
    {
        float[] Values(int count, double low, double high) =>
            [.. Enumerable.Range(0, count).Select(_ => (float)(low + random.NextDouble() * (high - low)))];
        WeightTensor PerChannel(string name, double low, double high) => new($"{place}.{name}", [outputs], Values(outputs, low, high));
        var spread = 2 / Math.Sqrt(inputs * size * size);
        _layers[place] = new(
            new($"{place}.kernel", [outputs, inputs, size, size], Values(outputs * inputs * size * size, -spread, spread)),
            PerChannel("bias", -0.2, 0.2),
            PerChannel("scale", 0.6, 1.2), PerChannel("shift", -0.1, 0.4), PerChannel("mean", -0.2, 0.2), PerChannel("variance", 0.3, 1),
            KerasEpsilon);
    }
}
