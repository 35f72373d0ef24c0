using System.Text;
using Pristine.Native;

namespace Pristine.Networks;

/// <summary>
/// The part of a network that one of its outputs is computed by, as a network of its own. An export of CLIP as one graph takes an image and
/// a text, but its vector of the image comes of the image alone: cut out, it is an encoder of images. Field numbers are those of
/// onnx.proto.
/// </summary>
internal static class OnnxBranch
{
    /// <summary>Fields of ModelProto, GraphProto, NodeProto, AttributeProto, and names of values and tensors.</summary>
    private const int Graph = 7, Node = 1, Initializer = 5, Input = 11, Output = 12, SparseInitializer = 15;
    private const int NodeInput = 1, NodeOutput = 2, NodeAttribute = 5, AttributeGraph = 6, AttributeGraphs = 11;
    private const int ValueName = 1, TensorName = 8, SparseValues = 1;

    /// <summary>Cuts the branch of an output out of a network.</summary>
    /// <param name="model">Contents of an .onnx file.</param>
    /// <param name="output">The output.</param>
    /// <returns>A network with this output alone, the inputs that it needs, and the weights between them.</returns>
    /// <exception cref="OnnxRuntimeException">It is no network, or has no such output.</exception>
    public static byte[] Of(ReadOnlyMemory<byte> model, string output)
    {
        var fields = Fields(model);
        if (!fields.Exists(field => field.Number == Graph))
            throw new OnnxRuntimeException("expected a network in ONNX form; found no graph in it.");
        var graph = Fields(fields.First(field => field.Number == Graph).Content);
        var outputs = graph.Where(field => field.Number == Output).Select(field => NameOf(field, ValueName)).ToArray();
        if (!outputs.Contains(output))
            throw new OnnxRuntimeException($"expected an output {output}; found {string.Join(", ", outputs)}.");
        var nodes = graph.Where(field => field.Number == Node).Select(field => (Field: field, Names: NamesOf(field.Content))).ToArray();
        var makers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < nodes.Length; i++)
            foreach (var made in nodes[i].Names.Made)
                makers[made] = i;
        var (needed, kept) = (new HashSet<string>(StringComparer.Ordinal) { output }, new HashSet<int>());
        var open = new Stack<string>([output]);
        while (open.TryPop(out var name))
            if (makers.TryGetValue(name, out var maker) && kept.Add(maker))
                foreach (var used in nodes[maker].Names.Used)
                    if (needed.Add(used))
                        open.Push(used);

        var (branch, place) = (new ProtobufWriter(), 0);
        foreach (var field in graph)
            if (field.Number switch
            {
                Node => kept.Contains(place++),
                Initializer => needed.Contains(NameOf(field, TensorName)),
                SparseInitializer => needed.Contains(NameOf(Fields(field.Content).First(part => part.Number == SparseValues), TensorName)),
                Input => needed.Contains(NameOf(field, ValueName)),
                Output => NameOf(field, ValueName) == output,
                _ => true,
            })
                branch.Raw(field.Whole.Span);
        var cut = new ProtobufWriter();
        foreach (var field in fields.Where(field => field.Number != Graph))
            cut.Raw(field.Whole.Span);
        cut.Begin(Graph, branch.Length);
        cut.Append(branch);
        return cut.ToArray();
    }

    /// <summary>What a node takes, the values that the graphs within it take from outside included, and what it makes.</summary>
    private static (List<string> Used, List<string> Made) NamesOf(ReadOnlyMemory<byte> node)
    {
        var (used, made) = (new List<string>(), new List<string>());
        foreach (var field in Fields(node))
        {
            if (field.Number == NodeInput)
                used.Add(Text(field));
            else if (field.Number == NodeOutput)
                made.Add(Text(field));
            else if (field.Number == NodeAttribute)
                foreach (var inner in Fields(field.Content).Where(part => part.Number is AttributeGraph or AttributeGraphs))
                    // What a graph within makes itself is no name outside; needing it needlessly does no harm.
                    foreach (var part in Fields(inner.Content).Where(part => part.Number == Node))
                        used.AddRange(NamesOf(part.Content).Used);
        }
        return (used, made);
    }

    private static string NameOf(ProtobufField field, int number) =>
        Fields(field.Content).Where(part => part.Number == number).Select(Text).LastOrDefault("");

    private static string Text(ProtobufField field) => Encoding.UTF8.GetString(field.Content.Span);

    private static List<ProtobufField> Fields(ReadOnlyMemory<byte> message)
    {
        try
        {
            return ProtobufField.Read(message);
        }
        catch (InvalidDataException error)
        {
            throw new OnnxRuntimeException($"expected a network in ONNX form; {error.Message}");
        }
    }
}
