using System.Runtime.InteropServices;
using Pristine.Files;

namespace Pristine.Networks;

/// <summary>
/// An ONNX model under construction, written in opset 13 (the first with per-channel QuantizeLinear; IR version 7, its own age, so that
/// old runtimes read it). Field numbers are those of onnx.proto.
/// </summary>
/// <param name="name">Name of the graph.</param>
internal sealed class OnnxGraph(string name)
{
    private const int IrVersion = 7;
    private const int Opset = 13;

    /// <summary>TensorProto.DataType.</summary>
    private enum DataType
    {
        Float = 1,
        UInt8 = 2,
        Int8 = 3,
        Int32 = 6,
        Int64 = 7,
    }

    private readonly record struct Initializer(string Name, DataType Type, long[] Shape, Array Values, int Bytes);

    private readonly List<Action<ProtobufWriter>> _nodes = [];
    private readonly List<Initializer> _initializers = [];
    private readonly List<(string Name, DataType Type, string?[] Shape)> _inputs = [];
    private readonly List<(string Name, DataType Type, string?[] Shape)> _outputs = [];
    private readonly List<(string Key, string Value)> _metadata = [];

    /// <summary>A float input. A dimension is a number or the name of a free one; null is unknown.</summary>
    public void Input(string tensor, params string?[] shape) => _inputs.Add((tensor, DataType.Float, shape));

    /// <summary>An input of whole numbers of 64 bits.</summary>
    public void IntegerInput(string tensor, params string?[] shape) => _inputs.Add((tensor, DataType.Int64, shape));

    /// <summary>An input of bytes.</summary>
    public void ByteInput(string tensor, params string?[] shape) => _inputs.Add((tensor, DataType.UInt8, shape));

    /// <summary>An output of bytes.</summary>
    public void ByteOutput(string tensor, params string?[] shape) => _outputs.Add((tensor, DataType.UInt8, shape));

    /// <summary>A float output.</summary>
    public void Output(string tensor, params string?[] shape) => _outputs.Add((tensor, DataType.Float, shape));

    /// <summary>A line of provenance that travels with the model.</summary>
    public void Metadata(string key, string value) => _metadata.Add((key, value));

    /// <summary>A constant; returns its name.</summary>
    public string Constant(string tensor, float[] values, params long[] shape) =>
        Add(new(tensor, DataType.Float, shape, values, values.Length * sizeof(float)));

    /// <inheritdoc cref="Constant(string, float[], long[])"/>
    public string Constant(string tensor, sbyte[] values, params long[] shape) =>
        Add(new(tensor, DataType.Int8, shape, values, values.Length));

    /// <inheritdoc cref="Constant(string, float[], long[])"/>
    public string Constant(string tensor, byte[] values, params long[] shape) =>
        Add(new(tensor, DataType.UInt8, shape, values, values.Length));

    /// <inheritdoc cref="Constant(string, float[], long[])"/>
    public string Constant(string tensor, int[] values, params long[] shape) =>
        Add(new(tensor, DataType.Int32, shape, values, values.Length * sizeof(int)));

    /// <summary>An operator with one output; returns that output's name, which is also the node's.</summary>
    /// <param name="operation">Operator of the ONNX standard.</param>
    /// <param name="output">Name of its output.</param>
    /// <param name="inputs">Names of its inputs.</param>
    /// <param name="attributes">Integers (as <c>long</c> or <c>long[]</c>) or floats.</param>
    public string Node(string operation, string output, string[] inputs, params (string Name, object Value)[] attributes)
    {
        _nodes.Add(node =>
        {
            foreach (var input in inputs)
                node.Text(1, input);
            node.Text(2, output);
            node.Text(3, output);
            node.Text(4, operation);
            foreach (var (attribute, value) in attributes)
                node.Message(5, proto => Attribute(proto, attribute, value));
        });
        return output;
    }

    /// <summary>Writes the model. Weights go straight to the stream; nothing of their size is built up in memory.</summary>
    /// <param name="stream">Where to.</param>
    public void Save(Stream stream)
    {
        var graph = new ProtobufWriter();
        foreach (var node in _nodes)
            graph.Message(1, node);
        graph.Text(2, name);
        foreach (var input in _inputs)
            graph.Message(11, info => ValueInfo(info, input));
        foreach (var output in _outputs)
            graph.Message(12, info => ValueInfo(info, output));
        var heads = _initializers.ConvertAll(Head);
        var graphLength = graph.Length + heads.Zip(_initializers).Sum(pair => pair.First.Length + (long)pair.Second.Bytes);

        var model = new ProtobufWriter();
        model.Integer(1, IrVersion);
        model.Text(2, "Pristine");
        model.Message(8, opset => opset.Integer(2, Opset));
        foreach (var (key, value) in _metadata)
            model.Message(14, entry =>
            {
                entry.Text(1, key);
                entry.Text(2, value);
            });
        model.Begin(7, graphLength);
        model.CopyTo(stream);
        graph.CopyTo(stream);
        foreach (var (head, initializer) in heads.Zip(_initializers))
        {
            head.CopyTo(stream);
            stream.Write(Bytes(initializer.Values));
        }
    }

    /// <summary>Writes the model into a file that appears under its name only when it is whole.</summary>
    /// <param name="path">The file.</param>
    public void Save(string path) => WholeFile.Write(path, Save);

    /// <summary>The model as bytes, for small ones.</summary>
    public byte[] ToArray()
    {
        using var stream = new MemoryStream();
        Save(stream);
        return stream.ToArray();
    }

    private string Add(Initializer initializer)
    {
        if (initializer.Shape.Aggregate(1L, (product, side) => product * side) != initializer.Values.Length)
            throw new ArgumentException(
                $"Expected the values of {initializer.Name} to fill [{string.Join(", ", initializer.Shape)}]; found " +
                $"{initializer.Values.Length}.", nameof(initializer));
        _initializers.Add(initializer);
        return initializer.Name;
    }

    /// <summary>Everything of a TensorProto that stands before its raw data, with the field header in the graph.</summary>
    private static ProtobufWriter Head(Initializer initializer)
    {
        var tensor = new ProtobufWriter();
        foreach (var side in initializer.Shape)
            tensor.Integer(1, side);
        tensor.Integer(2, (int)initializer.Type);
        tensor.Text(8, initializer.Name);
        tensor.Begin(9, initializer.Bytes);
        var head = new ProtobufWriter();
        head.Begin(5, tensor.Length + initializer.Bytes);
        head.Append(tensor);
        return head;
    }

    private static ReadOnlySpan<byte> Bytes(Array values) => values switch
    {
        float[] floats => MemoryMarshal.AsBytes<float>(floats),
        int[] integers => MemoryMarshal.AsBytes<int>(integers),
        sbyte[] signed => MemoryMarshal.AsBytes<sbyte>(signed),
        _ => (byte[])values,
    };

    private static void Attribute(ProtobufWriter proto, string attribute, object value)
    {
        proto.Text(1, attribute);
        switch (value)
        {
            case float number:
                proto.Float(2, number);
                proto.Integer(20, 1);
                break;
            case long integer:
                proto.Integer(3, integer);
                proto.Integer(20, 2);
                break;
            case long[] integers:
                foreach (var integer in integers)
                    proto.Integer(8, integer);
                proto.Integer(20, 7);
                break;
            default:
                throw new ArgumentException(
                    $"Expected float, long or long[] for the attribute {attribute}; found {value.GetType().Name}.", nameof(value));
        }
    }

    private static void ValueInfo(ProtobufWriter info, (string Name, DataType Type, string?[] Shape) value)
    {
        info.Text(1, value.Name);
        info.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Integer(1, (int)value.Type);
            tensor.Message(2, shape =>
            {
                foreach (var side in value.Shape)
                    shape.Message(1, dimension =>
                    {
                        if (long.TryParse(side, out var size))
                            dimension.Integer(1, size);
                        else if (side != null)
                            dimension.Text(2, side);
                    });
            });
        }));
    }
}
