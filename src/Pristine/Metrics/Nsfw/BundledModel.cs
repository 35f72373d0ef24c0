using System.Buffers;
using System.Text;
using System.Text.Json;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Nsfw;

/// <summary>
/// Reads a TensorFlow.js "layers-model" that is bundled into scripts, as npm's nsfwjs has it: <c>model.min.js</c> holds model.json as a
/// literal of JavaScript, <c>group1-shard1of1.min.js</c> the weights in base64. Both are read as data; nothing is executed. The layers are
/// those of Keras' MobileNetV2 and of a classifier on top. The graph is that of the layers with planes instead of interleaved channels.
/// </summary>
internal static class BundledModel
{
    /// <summary>Sides of the pictures that the network sees.</summary>
    public const int Side = 224;

    /// <summary>Name of the graph's input: batch x 3 x 224 x 224.</summary>
    public const string Input = "image";

    /// <summary>Makes the graph.</summary>
    /// <param name="path">Name of the script with the layers, for messages.</param>
    /// <param name="model">The script with the layers.</param>
    /// <param name="weights">The script with the weights.</param>
    /// <exception cref="ModelException">They are no such model.</exception>
    public static OnnxGraph Read(string path, ReadOnlySpan<byte> model, ReadOnlySpan<byte> weights)
    {
        try
        {
            using var json = JsonDocument.Parse(Json(path, Exported(path, model, '{')));
            var root = json.RootElement;
            var tensors = Weights(path, root.GetProperty("weightsManifest"), Base64(path, Exported(path, weights, '"')));
            return new Builder(path, tensors).Build(
                root.GetProperty("modelTopology").GetProperty("model_config").GetProperty("config").GetProperty("layers"));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or OverflowException or IndexOutOfRangeException)
        {
            throw new ModelException($"{path}: expected a TensorFlow.js layers-model in a script of nsfwjs; {error.Message}", error);
        }
    }

    /// <summary>What a script exports, from its first character to the end of the script.</summary>
    private static ReadOnlySpan<byte> Exported(string path, ReadOnlySpan<byte> script, char first)
    {
        Span<byte> start = stackalloc byte[10];
        ".exports="u8.CopyTo(start);
        start[^1] = (byte)first;
        var at = script.IndexOf(start);
        return at >= 0
            ? script[(at + start.Length - 1)..]
            : throw new ModelException($"{path}: expected a script that exports {(first == '{' ? "an object" : "a text")}; found none.");
    }

    /// <summary>
    /// The JSON of an object literal as minifiers write it: names without quotes, !0 and !1, numbers without a leading 0.
    /// </summary>
    internal static byte[] Json(string path, ReadOnlySpan<byte> literal)
    {
        using var json = new MemoryStream();
        var depth = 0;
        for (var i = 0; i < literal.Length; i++)
        {
            var c = (char)literal[i];
            if (c == '"')
            {
                var end = i + 1;
                while (literal[end] != (byte)'"')
                    end += literal[end] == (byte)'\\' ? 2 : 1;
                json.Write(literal[i..(end + 1)]);
                i = end;
            }
            else if (c == '!')
                json.Write(literal[++i] == (byte)'0' ? "true"u8 : "false"u8);
            else if (char.IsAsciiLetter(c) || c is '_' or '$')
            {
                var end = i;
                while (char.IsAsciiLetterOrDigit((char)literal[end]) || literal[end] is (byte)'_' or (byte)'$')
                    end++;
                var isName = literal[end] == (byte)':';
                json.Write(isName ? "\""u8 : []);
                json.Write(literal[i..end]);
                json.Write(isName ? "\""u8 : []);
                i = end - 1;
            }
            else if (char.IsAsciiDigit(c) || c is '.' or '-')
            {
                var end = i + 1;
                while (char.IsAsciiLetterOrDigit((char)literal[end]) || literal[end] is (byte)'.' or (byte)'-' or (byte)'+')
                    end++;
                var number = Encoding.ASCII.GetString(literal[i..end]);
                json.Write(
                    Encoding.ASCII.GetBytes(number.StartsWith('.') ? "0" + number : number.Replace("-.", "-0.", StringComparison.Ordinal)));
                i = end - 1;
            }
            else
            {
                json.WriteByte(literal[i]);
                depth += c is '{' or '[' ? 1 : c is '}' or ']' ? -1 : 0;
                if (depth == 0)
                    return json.ToArray();
            }
        }
        throw new ModelException($"{path}: expected an object of JavaScript; it does not end.");
    }

    private static byte[] Base64(string path, ReadOnlySpan<byte> text)
    {
        var end = text[1..].IndexOf((byte)'"');
        if (end < 0)
            throw new ModelException($"{path}: expected weights in base64; the text does not end.");
        var bytes = new byte[System.Buffers.Text.Base64.GetMaxDecodedFromUtf8Length(end)];
        var status = System.Buffers.Text.Base64.DecodeFromUtf8(text.Slice(1, end), bytes, out _, out var written);
        return status == OperationStatus.Done
            ? bytes[..written]
            : throw new ModelException($"{path}: expected weights in base64; found other characters.");
    }

    private static Dictionary<string, WeightTensor> Weights(string path, JsonElement manifest, byte[] bytes)
    {
        var tensors = new Dictionary<string, WeightTensor>(StringComparer.Ordinal);
        var position = 0;
        foreach (var weight in manifest.EnumerateArray().SelectMany(group => group.GetProperty("weights").EnumerateArray()))
        {
            var name = weight.GetProperty("name").GetString()!;
            if (weight.GetProperty("dtype").GetString() != "float32" || !weight.TryGetProperty("quantization", out var quantization)
                || quantization.GetProperty("dtype").GetString() != "uint8")
                throw new ModelException($"{path}: expected {name} as float32 in bytes; found {weight.GetRawText()}.");
            int[] shape = [.. weight.GetProperty("shape").EnumerateArray().Select(side => side.GetInt32())];
            var values = new float[shape.Aggregate(1, (product, side) => checked(product * side))];
            if (bytes.Length - position < values.Length)
                throw new ModelException($"{path}: expected {values.Length} bytes of {name}; found {bytes.Length - position}.");
            var (scale, low) = (quantization.GetProperty("scale").GetDouble(), quantization.GetProperty("min").GetDouble());
            // TensorFlow.js computes in doubles and stores floats.
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)(bytes[position + i] * scale + low);
            position += values.Length;
            tensors[name] = new(name, shape, values);
        }
        return position == bytes.Length
            ? tensors
            : throw new ModelException($"{path}: expected {position} bytes of weights; found {bytes.Length}.");
    }

    /// <summary>Layers as nodes. Sides are followed, so that only layers are accepted whose meaning is the same in planes.</summary>
    private sealed class Builder(string path, Dictionary<string, WeightTensor> weights)
    {
        private readonly record struct Tensor(string Name, int Height, int Width, long[] Pads);

        private static readonly long[] NoPads = [0, 0, 0, 0];

        private readonly OnnxGraph _graph = new("nsfw");
        private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

        public OnnxGraph Build(JsonElement layers)
        {
            var last = "";
            foreach (var layer in layers.EnumerateArray())
            {
                last = layer.GetProperty("name").GetString()!;
                Tensor[] inputs = [.. layer.GetProperty("inbound_nodes").EnumerateArray().SelectMany(node => node.EnumerateArray())
                    .Select(edge => _tensors[edge[0].GetString()!])];
                _tensors[last] = Add(layer.GetProperty("class_name").GetString()!, last, layer.GetProperty("config"), inputs);
            }
            _graph.Output(_tensors[last].Name, "batch", "classes");
            return _graph;
        }

        private Tensor Add(string kind, string name, JsonElement config, Tensor[] inputs)
        {
            if (kind == "InputLayer")
            {
                _graph.Input(Input, "batch", "3", $"{Side}", $"{Side}");
                return new(Input, Side, Side, NoPads);
            }
            if (inputs.Length == 0 || (kind is not ("Conv2D" or "DepthwiseConv2D") && inputs.Any(input => input.Pads != NoPads)))
                throw Unknown(kind, name, "at this place");
            var x = inputs[0];
            switch (kind)
            {
                case "ZeroPadding2D":
                    var padding = config.GetProperty("padding");
                    return x with
                    {
                        Pads = [padding[0][0].GetInt64(), padding[1][0].GetInt64(), padding[0][1].GetInt64(), padding[1][1].GetInt64()],
                    };
                case "Conv2D" or "DepthwiseConv2D":
                    return Convolve(name, config, x, isDepthwise: kind == "DepthwiseConv2D");
                case "BatchNormalization":
                    return x with
                    {
                        Name = _graph.Node(
                            "BatchNormalization", name,
                            [x.Name, PerChannel(name, "gamma"), PerChannel(name, "beta"), PerChannel(name, "moving_mean"), PerChannel(
                                name, "moving_variance")],
                            ("epsilon", (float)config.GetProperty("epsilon").GetDouble())),
                    };
                case "ReLU":
                    var most = _graph.Constant(name + ".most", [(float)config.GetProperty("max_value").GetDouble()]);
                    return x with { Name = _graph.Node("Min", name, [_graph.Node("Relu", name + ".relu", [x.Name]), most]) };
                case "Add" when inputs.Length == 2:
                    return x with { Name = _graph.Node("Add", name, [x.Name, inputs[1].Name]) };
                case "AveragePooling2D":
                    // Only the whole picture at once: then planes and interleaved channels are flattened to the same.
                    if (config.GetProperty("pool_size")[0].GetInt32() != x.Height
                        || config.GetProperty("pool_size")[1].GetInt32() != x.Width)
                        throw Unknown(kind, name, "of a part of the picture");
                    return new(_graph.Node("GlobalAveragePool", name, [x.Name]), 1, 1, NoPads);
                case "Flatten" when (x.Height, x.Width) == (1, 1):
                    return x with { Name = _graph.Node("Flatten", name, [x.Name], ("axis", 1L)) };
                case "Dropout":
                    return x;
                case "Dense":
                    var kernel = Get(name + "/kernel");
                    var sum = _graph.Node("MatMul", name + ".product", [x.Name, Constant(kernel.Name, kernel.Values, kernel.Shape)]);
                    sum = _graph.Node("Add", name + ".sum", [sum, PerChannel(name, "bias")]);
                    var activation = config.GetProperty("activation").GetString()!;
                    return x with
                    {
                        Name = activation switch
                        {
                            "relu" => _graph.Node("Relu", name, [sum]),
                            "softmax" => _graph.Node("Softmax", name, [sum], ("axis", 1L)),
                            _ => throw Unknown(kind, name, $"with the activation {activation}"),
                        },
                    };
                default:
                    throw Unknown(kind, name, "here");
            }
        }

        private Tensor Convolve(string name, JsonElement config, Tensor x, bool isDepthwise)
        {
            var kernel = Get(name + (isDepthwise ? "/depthwise_kernel" : "/kernel"));
            var (size, stride) = (config.GetProperty("kernel_size")[0].GetInt32(), config.GetProperty("strides")[0].GetInt32());
            var isSame = config.GetProperty("padding").GetString() == "same";
            if (kernel.Shape is not [var height, var width, var inputs, var outputs] || height != size || width != size
                || config.GetProperty("use_bias").GetBoolean() || config.GetProperty("activation").GetString() != "linear"
                || (isSame && (stride != 1 || x.Pads != NoPads)) || (isDepthwise && outputs != 1))
                throw Unknown("convolution", name, $"with the kernel [{string.Join(", ", kernel.Shape)}] and stride {stride}");
            var margin = (long)(size - 1) / 2;
            long[] pads = isSame ? [margin, margin, margin, margin] : x.Pads;
            // Keras: height, width, inputs, outputs. ONNX: outputs, inputs of a group, height, width.
            var (first, second) = isDepthwise ? (inputs, 1) : (outputs, inputs);
            var values = new float[kernel.Values.Length];
            for (var at = 0; at < size * size; at++)
                for (var input = 0; input < inputs; input++)
                    for (var output = 0; output < outputs; output++)
                        values[((isDepthwise ? input : output * inputs + input) * size * size) + at] =
                            kernel.Values[(at * inputs + input) * outputs + output];
            var node = _graph.Node(
                "Conv", name, [x.Name, Constant(kernel.Name, values, [first, second, size, size])],
                ("kernel_shape", new long[] { size, size }), ("strides", new long[] { stride, stride }), ("pads", pads),
                ("group", isDepthwise ? inputs : 1L));
            return new(
                node, (x.Height + (int)(pads[0] + pads[2]) - size) / stride + 1, (x.Width + (int)(pads[1] + pads[3]) - size) / stride + 1,
                NoPads);
        }

        private string PerChannel(string layer, string part)
        {
            var tensor = Get($"{layer}/{part}");
            return Constant(tensor.Name, tensor.Values, tensor.Shape);
        }

        private string Constant(string name, IReadOnlyList<float> values, IReadOnlyList<int> shape) =>
            _graph.Constant(name, [.. values], [.. shape.Select(side => (long)side)]);

        private WeightTensor Get(string name) => weights.TryGetValue(name, out var tensor)
            ? tensor
            : throw new ModelException($"{path}: expected a tensor {name}; it is missing ({weights.Count} others are there).");

        private ModelException Unknown(string kind, string name, string how) =>
            new($"{path}: expected layers of MobileNetV2; found {kind} {name} {how}.");
    }
}
