using System.Globalization;
using Pristine.Kernels;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics;

/// <summary>What the file of a network is.</summary>
public enum NetworkLayout
{
    /// <summary>ARNIQA's encoder, a checkpoint of PyTorch (<see cref="ArniqaCheckpoint"/>).</summary>
    Arniqa,

    /// <summary>The ResNet-50 of keras.applications as a TensorFlow.js layers-model (<see cref="KerasResNet50"/>).</summary>
    Keras,

    /// <summary>A checkpoint of training/train.py (<see cref="PristineCheckpoint"/>).</summary>
    Pristine,
}

/// <summary>
/// A network that can be written as an ONNX model, for other programs or for this one: batch normalisations folded into the convolutions,
/// nothing outside the file. Without a head the model takes <c>image</c> [N, 3, height, width] and gives <c>embedding</c> [N, features], of
/// L2 norm 1. With ARNIQA's head it takes <c>full</c> and <c>half</c>, the same crops at full and half size, each [N, 3, height, width]
/// with a height and width of its own, and gives <c>score</c> [N], in the range of the head's ratings and not clipped. A checkpoint of
/// training/train.py gives <c>statistics</c> [N, features] instead; its regressors are <see cref="Heads"/>. Values are floats, planes in
/// the order R, G, B, normalised as the model's metadata says.
/// </summary>
public sealed class OnnxExport
{
    private readonly string _source;
    private readonly string? _headSource;

    private readonly ResNet50? _resNet50;
    private readonly LinearHead? _head;

    private OnnxExport(NetworkLayout layout, ResNet50 network, string source, LinearHead? head = null, string? headSource = null)
    {
        (Layout, _resNet50, _source, _head, _headSource) = (layout, network, source, head, headSource);
        Graphs = head == null ? ResNet50Graph.Of(network) : ResNet50Graph.Of(network, head);
        Output = head == null ? string.Create(CultureInfo.InvariantCulture, $"embedding [N, {network.Features}]") : "score [N]";
    }

    private OnnxExport(PristineNetwork network, ITrainedNetwork trunk, IReadOnlyList<QualityHead> heads, string source)
    {
        (Layout, Trained, _source, Heads) = (NetworkLayout.Pristine, network, source, heads);
        Graphs = trunk.Graphs;
        Output = string.Create(CultureInfo.InvariantCulture, $"statistics [N, {2 * trunk.StageChannels.Sum()}]");
    }

    /// <summary>What the file was.</summary>
    public NetworkLayout Layout { get; }

    /// <summary>The graphs that it can be written as.</summary>
    internal NetworkGraphs Graphs { get; }

    /// <summary>Which network of this repository a checkpoint of training/train.py is; null for other networks.</summary>
    internal PristineNetwork? Trained { get; }

    /// <summary>The regressors of a checkpoint of training/train.py, for its features; empty for other networks.</summary>
    public IReadOnlyList<QualityHead> Heads { get; } = [];

    /// <summary>The values that a pixel can have as the network takes it.</summary>
    internal ActivationRange PixelRange =>
        Layout == NetworkLayout.Pristine ? PristineViews.Range : new(Pixels.Low, Pixels.High);

    /// <summary>How pixels become what ARNIQA's and Keras' networks take.</summary>
    internal NormalisedPlanes Pixels => Layout == NetworkLayout.Arniqa ? NormalisedPlanes.ImageNet : NormalisedPlanes.ImageNetMean;

    private string PixelDescription => Trained != null
        ? $"v, 0 to 255, with a border of {PristineViews.Border} pixels of ({string.Join(", ", Trained.Means)})"
        : Pixels.Description;

    /// <summary>The model's inputs, in its order.</summary>
    public IReadOnlyList<string> Inputs => _head == null ? [ConvolutionGraph.Image] : ["full", "half"];

    /// <summary>The model's output, with its shape.</summary>
    public string Output { get; }

    /// <summary>Inputs and outputs with their shapes, for people.</summary>
    /// <param name="isInt8">Whether the model is in 8-bit integers: a checkpoint of training/train.py then takes and gives bytes.</param>
    internal string Describe(bool isInt8) => Trained != null && isInt8
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"squares [N, H/2, W/2, 12] -> {string.Join(", ", Enumerable.Range(1, Trained.StageChannels.Count - 1).Select(
                stage => $"stage{stage} [N, rows, columns, {Trained.StageChannels[stage - 1]}]"))}, statistics [N, " +
            $"{2 * Trained.StageChannels[^1]}]")
        : $"{string.Join(", ", Inputs.Select(input => $"{input} [N, 3, H, W]"))} -> {Output}";

    /// <summary>Reads a network: a file that begins as JSON does is taken as Keras' model.json, any other as a checkpoint of
    /// training/train.py or of ARNIQA.</summary>
    /// <param name="path">The file; the shards that a model.json names lie beside it.</param>
    /// <exception cref="ModelException">It is neither, damaged, or a tensor is missing or has another shape.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OnnxExport Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var content = File.ReadAllBytes(path);
        var name = Path.GetFileName(path);
        if (content.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'{', ..])
            return ReadCheckpoint(content, path, $"{name} {ModelStore.Hash(content)}");
        var files = new List<StoredFile>();
        var network = KerasResNet50.Read(path, file =>
        {
            var bytes = file == path ? content : File.ReadAllBytes(file);
            files.Add(new(Path.GetFileName(file), bytes.Length, ModelStore.Hash(bytes)));
            return bytes;
        });
        return new(NetworkLayout.Keras, network, $"{name} and shards {new StoredModel(name, "", true, files).Sha256()}");
    }

    private static OnnxExport ReadCheckpoint(byte[] content, string path, string source)
    {
        var tensors = TorchCheckpoint.ReadStateDict(content, path);
        if (!PristineCheckpoint.Is(tensors))
            return new(NetworkLayout.Arniqa, ArniqaCheckpoint.ReadEncoder(content, path), source);
        var (network, trunk) = PristineCheckpoint.ReadTrunk(tensors, path);
        return new(network, trunk, PristineCheckpoint.ReadHeads(tensors, network, trunk, source), source);
    }

    /// <summary>The names that <see cref="Installed"/> takes.</summary>
    public static IReadOnlyList<string> InstalledNames { get; } = [ArniqaModel.Encoder, ImageNetResNet50.Name];

    /// <summary>A network of the model store, its hashes checked.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">One of <see cref="InstalledNames"/>.</param>
    /// <exception cref="ArgumentException">The name is another.</exception>
    /// <exception cref="ModelException">
    /// The network is not here; the message says how to get it; or a file is not the one that came in.
    /// </exception>
    public static OnnxExport Installed(ModelStore store, string name)
    {
        ArgumentNullException.ThrowIfNull(store);
        switch (name)
        {
            case ArniqaModel.Encoder:
                var stored = store.Find(name) ?? throw Missing(store, name);
                return new(NetworkLayout.Arniqa, ArniqaModel.ReadEncoder(store), $"{name} {stored.Sha256()}");
            case ImageNetResNet50.Name:
                return new(NetworkLayout.Keras, ImageNetResNet50.Read(store), ModelCatalog.Get(name).Origin);
            default:
                throw new ArgumentException($"Expected a network: {string.Join(", ", InstalledNames)}; found '{name}'.", nameof(name));
        }
    }

    /// <summary>The network with a regressor of ARNIQA behind it.</summary>
    /// <param name="path">For example <c>regressor_koniq10k.pth</c>.</param>
    /// <exception cref="ModelException">
    /// The network is not ARNIQA's; or the file is no regressor, damaged, or for another number of features.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public OnnxExport WithHead(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var content = File.ReadAllBytes(path);
        return WithHead(ArniqaCheckpoint.ReadRegressor(content, path), path, $"{Path.GetFileName(path)} {ModelStore.Hash(content)}");
    }

    /// <summary>The network with a regressor of ARNIQA out of the model store behind it.</summary>
    /// <param name="store">The store.</param>
    /// <param name="head">For example <c>koniq10k</c>.</param>
    /// <exception cref="ArgumentException">There is no such regressor.</exception>
    /// <exception cref="ModelException">
    /// The network is not ARNIQA's, or the regressor is not installed; or the file is not the one that was imported, or for another number
    /// of features.
    /// </exception>
    public OnnxExport WithHead(ModelStore store, string head)
    {
        ArgumentNullException.ThrowIfNull(store);
        var name = ArniqaModel.HeadName(head);
        var stored = store.Find(name) ?? throw Missing(store, name);
        return WithHead(ArniqaModel.LoadHead(store, head), name, $"{name} {stored.Sha256()}");
    }

    /// <summary>Writes the model in 32-bit floats.</summary>
    /// <param name="path">The .onnx file; it appears only when it is whole, in place of an earlier one.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path) => Write(path, Graphs.Float(), isInt8: false);

    /// <summary>
    /// Writes the model in 8-bit integers: unsigned activations, signed weights with a step per output channel. Head and norm stay floats.
    /// </summary>
    /// <param name="path">As for floats.</param>
    /// <param name="calibration">The ranges of the activations, measured on <see cref="Graphs"/>.</param>
    /// <param name="method">How ranges are chosen.</param>
    /// <exception cref="InvalidOperationException">The calibration has seen no image.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal void Save(string path, Int8Calibration calibration, CalibrationMethod method = CalibrationMethod.Percentile)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        Write(path, calibration.Quantised(method), isInt8: true);
    }

    private OnnxExport WithHead(LinearHead head, string file, string source)
    {
        if (Layout != NetworkLayout.Arniqa || _resNet50 == null)
            throw new ModelException(
                $"{file}: expected an encoder of ARNIQA before a regressor of ARNIQA; found " +
                $"{(Layout == NetworkLayout.Keras ? "the ResNet-50 of Keras" : "a network with heads of its own")}.");
        return head.Weights.Count == 2 * _resNet50.Features
            ? new(Layout, _resNet50, _source, head, source)
            : throw new ModelException(
                $"{file}: expected {2 * _resNet50.Features} weights, twice the features of the encoder; found {head.Weights.Count}.");
    }

    private void Write(string path, OnnxGraph graph, bool isInt8)
    {
        graph.Metadata("source", _source);
        if (_headSource != null)
            graph.Metadata("head", _headSource);
        graph.Metadata("input", Trained != null && isInt8
            ? $"{ConvolutionGraph.SquaresInput}: R, G, B of the four pixels of each 2x2 square, row by row, {PixelDescription}"
            : $"{string.Join(" and ", Inputs)}: planes R, G, B of {PixelDescription}");
        graph.Save(path);
    }

    private static ModelException Missing(ModelStore store, string name) =>
        new($"The model {name} is not installed in {store.Folder}; run: pristine models pull {name}, or: pristine models import {name} DIR");
}
