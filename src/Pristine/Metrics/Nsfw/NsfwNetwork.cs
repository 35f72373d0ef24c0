using System.Runtime.CompilerServices;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Nsfw;

/// <summary>
/// The MobileNetV2 of npm's nsfwjs (MIT), in the model store as <c>nsfw</c>. It gives five probabilities that sum to 1: drawing, hentai,
/// neutral, porn, sexy. The ONNX graph is made on first use and kept in the store.
/// </summary>
internal static class NsfwNetwork
{
    /// <summary>Name in the model store.</summary>
    public const string Name = "nsfw";

    private const string NotInstalled =
        $"The network {Name} is not installed; run: npm pack nsfwjs@4.3.0 && pristine models import {Name} nsfwjs-4.3.0.tgz";

    /// <summary>Counts changes of the graph that is written; part of the file's name, so that an old graph is not used.</summary>
    private const int GraphRevision = 1;

    /// <summary>Registers the format of the files: see <see cref="ModelFormats"/>.</summary>
    // CA2255: the registry stands in a room below, which must not know the metrics.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RegisterFormat() =>
    ModelFormats.Register("nsfwjs-mobilenet", files => BundledModel.Read(Name, files[0], files[1]));

    /// <summary>Null when the network is here; otherwise what is missing and the command that remedies it.</summary>
    /// <param name="store">The store.</param>
    public static string? Missing(ModelStore store) => IsImported(store) ? null : NotInstalled;

    /// <summary>The network, ready to run; every caller in the process gets the same session.</summary>
    /// <param name="store">The store.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="ModelException">The network is not here; or a file is not the one that came in.</exception>
    /// <exception cref="PlatformNotSupportedException">The device is not available.</exception>
    public static OnnxRuntimeSession Open(ModelStore store, string device)
    {
        var path = Path.Combine(store.Folder, Name, $"network-{GraphRevision}.onnx");
        return NetworkSessions.Open(path, device, () => File.Exists(path) || TryWrite(Graph(store), path)
            ? new OnnxRuntimeSession(path, device)
            : new OnnxRuntimeSession(Graph(store).ToArray(), device));
    }

    /// <summary>The hash of the files in the store; null where they are not.</summary>
    /// <param name="store">The store.</param>
    public static string? Sha256(ModelStore store) => IsImported(store) ? store.Find(Name)!.Sha256() : null;

    private static OnnxGraph Graph(ModelStore store)
    {
        if (!IsImported(store))
            throw new ModelException(NotInstalled);
        var (model, files) = store.Read(Name);
        var graph = BundledModel.Read(Path.Combine(store.Folder, Name, model.Files[0].Name), files[0], files[1]);
        graph.Metadata("source", model.Origin);
        return graph;
    }

    /// <summary>Keeps the graph for the next process. A shared store may be read-only; then every process makes it anew.</summary>
    private static bool TryWrite(OnnxGraph graph, string path)
    {
        try
        {
            graph.Save(path);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // A store of other models, as in tests, does not know this one.
    private static bool IsImported(ModelStore store) =>
        store.Definitions.Any(definition => definition.Name == Name) && store.Find(Name) != null;
}
