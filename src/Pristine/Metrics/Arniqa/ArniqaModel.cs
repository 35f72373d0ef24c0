using System.Runtime.CompilerServices;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Arniqa;

/// <summary>
/// ARNIQA's files in the model store: the encoder under <c>arniqa</c>, each regressor under <c>arniqa-HEAD</c>. ONNX graphs made of the
/// encoder stand beside it, so that importing another encoder removes them.
/// </summary>
internal static class ArniqaModel
{
    /// <summary>Name of the encoder in the store.</summary>
    public const string Encoder = "arniqa";

    /// <summary>Counts changes of the graph that is written; part of the file's name, so that an old graph is not used.</summary>
    private const int GraphRevision = 1;

    private static readonly Lock Gate = new();

    /// <summary>Registers the formats of the files: see <see cref="ModelFormats"/>.</summary>
    // CA2255: the registry stands in a room below, which must not know the metrics.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RegisterFormats()
    {
        ModelFormats.Register("arniqa-encoder", files => ArniqaCheckpoint.ReadEncoder(files[0], "ARNIQA's encoder"));
        ModelFormats.Register("arniqa-regressor", files => ArniqaCheckpoint.ReadRegressor(files[0], "ARNIQA's regressor"));
    }

    /// <summary>Name of a regressor in the store.</summary>
    /// <param name="head">For example <c>kadid10k</c>.</param>
    public static string HeadName(string head) => $"{Encoder}-{head}";

    /// <summary>What to say of a model that the store does not have.</summary>
    internal static string NotInstalled(string name) =>
        $"The model {name} is not installed; run: pristine models pull {name}, or: pristine models import {name} DIR (the file of " +
        $"ARNIQA's release)";

    /// <summary>Loads a regressor.</summary>
    /// <param name="store">The store.</param>
    /// <param name="head">For example <c>kadid10k</c>.</param>
    /// <exception cref="ModelException">The store does not have it; or the file is not the one that was imported.</exception>
    public static LinearHead LoadHead(ModelStore store, string head)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (stored, files) = store.Read(HeadName(head));
        return ArniqaCheckpoint.ReadRegressor(files[0], stored.Files[0].Name);
    }

    /// <summary>Reads the encoder's weights.</summary>
    /// <param name="store">The store.</param>
    /// <exception cref="ModelException">The store does not have it; or the file is not the one that was imported.</exception>
    public static ResNet50 ReadEncoder(ModelStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (stored, files) = store.Read(Encoder);
        return ArniqaCheckpoint.ReadEncoder(files[0], stored.Files[0].Name);
    }

    /// <summary>Where the encoder's graph of a precision stands, or will stand, in a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="precision">Its arithmetic.</param>
    public static string GraphPath(ModelStore store, NetworkPrecision precision)
    {
        ArgumentNullException.ThrowIfNull(store);
        return Path.Combine(store.Folder, Encoder, $"encoder-{precision.ToString().ToLowerInvariant()}-{GraphRevision}.onnx");
    }

    /// <summary>SHA-256 of the encoder: of its checkpoint, or in 8 bits of its graph.</summary>
    /// <param name="store">The store.</param>
    /// <param name="precision">Its arithmetic.</param>
    /// <returns>Lower-case hex; null when the store does not have it.</returns>
    public static string? EncoderSha256(ModelStore store, NetworkPrecision precision)
    {
        ArgumentNullException.ThrowIfNull(store);
        return precision == NetworkPrecision.Int8 ? FileHash.Of(GraphPath(store, precision)) : store.Find(Encoder)?.Sha256();
    }

    /// <summary>
    /// The encoder, ready to run; every caller in the process gets the same session. The float graph is made from the checkpoint on first
    /// use; the int8 graph needs images (<see cref="Int8Calibration"/>) and must be there.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="precision">Its arithmetic.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="ModelException">
    /// The store does not have the encoder, or not in int8; or the checkpoint is not the one that was imported.
    /// </exception>
    /// <exception cref="PlatformNotSupportedException">The device is not available.</exception>
    public static OnnxRuntimeSession OpenEncoder(ModelStore store, NetworkPrecision precision, string device)
    {
        var path = GraphPath(store, precision);
        lock (Gate)
        {
            if (!File.Exists(path))
            {
                if (precision == NetworkPrecision.Int8)
                    throw new ModelException(
                        $"The encoder {Encoder} has no int8 version in {store.Folder}; run: pristine models convert {Encoder} --int8");
                Convert(store, path);
                // The checkpoint and its copies are 400 MB of garbage, and the runtime is about to load as much outside the managed heap.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }
        }
        return NetworkSessions.Open(path, device);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Convert(ModelStore store, string path) => OnnxExport.Installed(store, Encoder).Save(path);
}
