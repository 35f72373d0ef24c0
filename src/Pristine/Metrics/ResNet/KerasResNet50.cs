using System.Runtime.InteropServices;
using System.Text.Json;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Reads the ResNet-50 of keras.applications from a TensorFlow.js "layers-model": model.json (topology, and a manifest of the weights)
/// beside binary shards. Its input is what Keras calls "caffe" style, 0..255 minus the mean of each channel; the channels are turned
/// from B, G, R to R, G, B here, so that the planes of every network have one order: R - 123.68, G - 116.779, B - 103.939.
/// </summary>
internal static class KerasResNet50
{
    private sealed record ManifestWeight(string Name, int[] Shape, int Count);

    /// <summary>Reads the network.</summary>
    /// <param name="path"><c>model.json</c>; the shards it names lie beside it.</param>
    /// <exception cref="ModelException">It is no such model, a shard is cut off, a tensor is missing or has another shape.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ResNet50 Read(string path) => Read(path, File.ReadAllBytes);

    /// <summary>Reads the network from files that the caller reads, for example to check their hashes.</summary>
    /// <param name="path">As for files.</param>
    /// <param name="readFile">Gives the content of <paramref name="path"/>, and of a shard by its full path.</param>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static ResNet50 Read(string path, Func<string, byte[]> readFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(readFile);
        var (shards, manifest, epsilons) = ParseModel(path, readFile(path));
        var weights = Load(path, readFile, shards, manifest);
        WeightTensor Get(string name) => weights.TryGetValue(name, out var tensor)
            ? tensor
            : throw new ModelException($"{path}: expected a tensor {name}; it is missing ({weights.Count} others are there).");
        return ResNet50.Build(path, ReadConvolution, StridePlace.Reduce);

        NormalisedConvolution ReadConvolution(ConvolutionPlace place)
        {
            // res2a_branch2a, bn2a_branch2a: stages count from 2, blocks from a.
            var position = $"{place.Stage + 1}{(char)('a' + place.Block)}_branch" + place.Part switch
            {
                BottleneckPart.Reduce => "2a",
                BottleneckPart.Middle => "2b",
                BottleneckPart.Expand => "2c",
                _ => "1",
            };
            var (convolution, norm) = place.Stage == 0 ? ("conv1", "bn_conv1") : ($"res{position}", $"bn{position}");
            if (!epsilons.TryGetValue(norm, out var epsilon))
                throw new ModelException($"{path}: expected a BatchNormalization layer {norm}; it is missing.");
            var kernel = OutputsFirst(path, Get(convolution + "/kernel"));
            return new(
                place.Stage == 0 ? InputsReversed(kernel) : kernel, Get(convolution + "/bias"), Get(norm + "/gamma"),
                Get(norm + "/beta"), Get(norm + "/moving_mean"), Get(norm + "/moving_variance"), epsilon);
        }
    }

    private static (string[] Shards, List<ManifestWeight> Weights, Dictionary<string, double> Epsilons) ParseModel(
        string path, byte[] content)
    {
        try
        {
            using var json = JsonDocument.Parse(content);
            var format = json.RootElement.TryGetProperty("format", out var value) ? value.GetString() : null;
            if (format != "layers-model")
                throw new ModelException($"{path}: expected the format 'layers-model'; found '{format}'.");
            var epsilons = json.RootElement.GetProperty("modelTopology").GetProperty("model_config").GetProperty("config")
                .GetProperty("layers")
                .EnumerateArray().Where(layer => layer.GetProperty("class_name").GetString() == "BatchNormalization")
                .ToDictionary(layer => layer.GetProperty("name").GetString()!, layer => layer.GetProperty("config").GetProperty("epsilon")
                .GetDouble());
            var shards = new List<string>();
            var weights = new List<ManifestWeight>();
            foreach (var group in json.RootElement.GetProperty("weightsManifest").EnumerateArray())
            {
                shards.AddRange(group.GetProperty("paths").EnumerateArray().Select(shard => shard.GetString()!));
                foreach (var weight in group.GetProperty("weights").EnumerateArray())
                {
                    var name = weight.GetProperty("name").GetString()!;
                    if (weight.GetProperty("dtype").GetString() != "float32" || weight.TryGetProperty("quantization", out _))
                        throw new ModelException($"{path}: expected {name} as plain float32; found {weight.GetRawText()}.");
                    var shape = weight.GetProperty("shape").EnumerateArray().Select(side => side.GetInt32()).ToArray();
                    var count = shape.Aggregate(1, (product, side) => checked(product * side));
                    weights.Add(new(name, shape, count));
                }
            }
            return ([.. shards], weights, epsilons);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or OverflowException
            or FormatException)
        {
            throw new ModelException($"{path}: expected the model.json of a TensorFlow.js layers-model; {error.Message}", error);
        }
    }

    /// <summary>Reads the shards, which are one run of bytes, tensor by tensor.</summary>
    private static Dictionary<string,
    WeightTensor> Load(string path, Func<string, byte[]> readFile, string[] shards, List<ManifestWeight> manifest)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var bytes = new byte[shards.Length][];
        for (var i = 0; i < shards.Length; i++)
        {
            if (Path.GetFileName(shards[i]) != shards[i])
                throw new ModelException($"{path}: expected the shards beside it; found '{shards[i]}'.");
            bytes[i] = readFile(Path.Combine(folder, shards[i]));
        }
        var expected = manifest.Sum(weight => weight.Count * (long)sizeof(float));
        var found = bytes.Sum(shard => (long)shard.Length);
        if (expected != found)
            throw new ModelException($"{path}: expected {expected} bytes in its {shards.Length} shards; found {found}.");

        var weights = new Dictionary<string, WeightTensor>(StringComparer.Ordinal);
        var (shardIndex, position) = (0, 0);
        foreach (var weight in manifest)
        {
            var values = new float[weight.Count];
            for (var rest = MemoryMarshal.AsBytes(values.AsSpan()); !rest.IsEmpty;)
            {
                if (position == bytes[shardIndex].Length)
                    (shardIndex, position) = (shardIndex + 1, 0);
                var part = bytes[shardIndex].AsSpan(position, Math.Min(rest.Length, bytes[shardIndex].Length - position));
                part.CopyTo(rest);
                rest = rest[part.Length..];
                position += part.Length;
            }
            if (!weights.TryAdd(weight.Name, new WeightTensor(weight.Name, weight.Shape, values)))
                throw new ModelException($"{path}: found two tensors {weight.Name}.");
        }
        return weights;
    }

    /// <summary>Keras keeps kernels as [height, width, inputs, outputs].</summary>
    private static WeightTensor OutputsFirst(string path, WeightTensor kernel)
    {
        if (kernel.Shape.Count != 4)
            throw new ModelException($"{path}: expected {kernel.Name} of four dimensions; found [{string.Join(", ", kernel.Shape)}].");
        var (height, width, inputs, outputs) = (kernel.Shape[0], kernel.Shape[1], kernel.Shape[2], kernel.Shape[3]);
        var values = new float[kernel.Values.Length];
        for (var o = 0; o < outputs; o++)
            for (var i = 0; i < inputs; i++)
                for (var y = 0; y < height; y++)
                    for (var x = 0; x < width; x++)
                        values[((o * inputs + i) * height + y) * width + x] = kernel.Values[((y * width + x) * inputs + i) * outputs + o];
        return new WeightTensor(kernel.Name, [outputs, inputs, height, width], values);
    }

    private static WeightTensor InputsReversed(WeightTensor kernel)
    {
        var (outputs, inputs, area) = (kernel.Shape[0], kernel.Shape[1], kernel.Shape[2] * kernel.Shape[3]);
        var values = new float[kernel.Values.Length];
        for (var o = 0; o < outputs; o++)
            for (var i = 0; i < inputs; i++)
                kernel.Values.AsSpan((o * inputs + i) * area, area).CopyTo(values.AsSpan((o * inputs + inputs - 1 - i) * area));
        return kernel with { Values = values };
    }
}
