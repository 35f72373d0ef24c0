using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Pristine.Kernels;
using Pristine.Models;

namespace Pristine.Metrics.Onnx;

/// <summary>In which order the values of an input stand.</summary>
internal enum TensorLayout
{
    /// <summary>Batch, channel, row, column: PyTorch's.</summary>
    Nchw,

    /// <summary>Batch, row, column, channel: TensorFlow's.</summary>
    Nhwc,
}

/// <summary>Order of the channels.</summary>
internal enum ChannelOrder
{
    /// <summary>Red first.</summary>
    Rgb,

    /// <summary>Blue first: OpenCV's, and Caffe's networks.</summary>
    Bgr,
}

/// <summary>How an image comes to the size that a network takes.</summary>
internal enum ImageFit
{
    /// <summary>To width x height, whatever its shape.</summary>
    Stretch,

    /// <summary>
    /// The shorter side to <c>size</c>, then the centre of width x height is cut out: torchvision's Resize and CenterCrop.
    /// </summary>
    Crop,

    /// <summary>As large as fits into width x height, in the centre, the rest black.</summary>
    Pad,

    /// <summary>As it is: the network takes any size.</summary>
    None,
}

/// <summary>What is done to the outputs of a network before they are read.</summary>
internal enum OutputActivation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Shares that sum to 1.</summary>
    Softmax,

    /// <summary>Each to 0..1.</summary>
    Sigmoid,
}

/// <summary>How pixels become the input of a network: value = (pixel x scale - mean) / std.</summary>
/// <param name="Layout">Order of the values.</param>
/// <param name="Channels">Order of the channels.</param>
/// <param name="Width">Columns; not with <see cref="ImageFit.None"/>.</param>
/// <param name="Height">Rows; not with <see cref="ImageFit.None"/>.</param>
/// <param name="Fit">How an image gets there.</param>
/// <param name="Size">
/// The shorter side before the centre is cut out, with <see cref="ImageFit.Crop"/>; the larger of width and height when null.
/// </param>
/// <param name="Filter">Pillow's antialiased filter.</param>
/// <param name="Scale">Factor of the pixels 0..255.</param>
/// <param name="Mean">Subtracted from red, green and blue; 0 when null.</param>
/// <param name="Std">Red, green and blue are divided by it; 1 when null.</param>
internal sealed record OnnxInput(
    TensorLayout Layout = TensorLayout.Nchw,
    ChannelOrder Channels = ChannelOrder.Rgb,
    int? Width = null,
    int? Height = null,
    ImageFit Fit = ImageFit.Stretch,
    int? Size = null,
    ResampleFilter Filter = ResampleFilter.Bicubic,
    double Scale = 1.0 / 255,
    IReadOnlyList<double>? Mean = null,
    IReadOnlyList<double>? Std = null)
{
    /// <summary>Subtracted from red, green and blue.</summary>
    public IReadOnlyList<double> Mean { get; init; } = Mean ?? [0, 0, 0];

    /// <summary>Red, green and blue are divided by it.</summary>
    public IReadOnlyList<double> Std { get; init; } = Std ?? [1, 1, 1];
}

/// <summary>
/// How the output of a network becomes a score: of the activated values one, or their expectation; times scale, plus offset.
/// </summary>
/// <param name="Name">Name of the output; the first when null.</param>
/// <param name="Activation">What is done to the values first.</param>
/// <param name="Index">The value that is taken; not with <paramref name="Values"/>, and not needed for a single one.</param>
/// <param name="Values">The score is the sum of value times output: the mean rating of a distribution over ratings.</param>
/// <param name="Scale">Factor.</param>
/// <param name="Offset">Added.</param>
internal sealed record OnnxOutput(
    string? Name = null,
    OutputActivation Activation = OutputActivation.None,
    int? Index = null,
    IReadOnlyList<double>? Values = null,
    double Scale = 1,
    double Offset = 0);

/// <summary>A second network, which turns an output of the first, an embedding, into what the score is read from.</summary>
/// <param name="File">The .onnx file, relative to the manifest; one input of 32-bit floats.</param>
/// <param name="Sha256">SHA-256 that the file must have, in hex; not checked when null.</param>
/// <param name="Output">Name of its output; the first when null.</param>
/// <param name="Normalise">Whether the embedding is divided by its length first.</param>
internal sealed record OnnxHead(string File, string? Sha256 = null, string? Output = null, bool Normalise = false);

/// <summary>A second network, which makes of the text of an image's item a vector like that of the image.</summary>
/// <param name="File">
/// The .onnx file, relative to the manifest; its inputs are ids of tokens and, where it has a second one, their mask.
/// </param>
/// <param name="Tokenizer">How text becomes tokens.</param>
/// <param name="Sha256">SHA-256 that the file must have, in hex; not checked when null.</param>
/// <param name="Output">Name of its output; the first when null.</param>
internal sealed record OnnxText(string File, OnnxTokenizer Tokenizer, string? Sha256 = null, string? Output = null);

/// <summary>Tokens of a network of text: so many, the first and the last of which say that the text begins and ends.</summary>
/// <param name="File"><c>tokenizer.json</c>, or with <paramref name="Merges"/> <c>vocab.json</c>; relative to the manifest.</param>
/// <param name="Merges"><c>merges.txt</c> of CLIP's tokenizer.</param>
/// <param name="Length">Tokens that the network takes; longer texts are cut.</param>
/// <param name="Start">The first token.</param>
/// <param name="End">The last token of the text.</param>
/// <param name="Pad">What stands behind it.</param>
internal sealed record OnnxTokenizer(
    string File, string? Merges = null, int Length = 77, string Start = "<|startoftext|>", string End = "<|endoftext|>",
    string Pad = "<|endoftext|>");

/// <summary>A metric that a network in ONNX form computes, as a file describes it; see docs/networks.md.</summary>
/// <param name="Name">Name of the metric and its column.</param>
/// <param name="File">The .onnx file, relative to the manifest.</param>
/// <param name="Sha256">SHA-256 that the file must have, in hex; not checked when null.</param>
/// <param name="Version">Goes into the provenance of columns.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Citation">Paper or program.</param>
/// <param name="Unit">Unit of the score.</param>
/// <param name="Direction">Which end is good.</param>
/// <param name="Range">Smallest and largest score; open when null.</param>
/// <param name="MinSide">Both sides of an image must have at least as many pixels.</param>
/// <param name="Input">What the network sees.</param>
/// <param name="Output">What is read from it.</param>
/// <param name="Batch">The most images that it computes together; as many as a run allows when null.</param>
/// <param name="Head">What an embedding goes through before the score is read.</param>
/// <param name="Text">What the score compares the image with: it is their cosine, times scale, plus offset.</param>
internal sealed partial record OnnxManifest(
    string Name,
    string File,
    string? Sha256 = null,
    string Version = "1",
    string Summary = "",
    string Citation = "",
    string Unit = "",
    MetricDirection Direction = MetricDirection.None,
    IReadOnlyList<double>? Range = null,
    int MinSide = 1,
    OnnxInput? Input = null,
    OnnxOutput? Output = null,
    int? Batch = null,
    OnnxHead? Head = null,
    OnnxText? Text = null)
{
    /// <summary>What the network sees.</summary>
    public OnnxInput Input { get; init; } = Input ?? new OnnxInput();

    /// <summary>What is read from it.</summary>
    public OnnxOutput Output { get; init; } = Output ?? new OnnxOutput();

    /// <summary>The files that it names, each with the field that names it and the SHA-256 it must have; the network first.</summary>
    public IEnumerable<(string Field, string File, string? Sha256)> Files
    {
        get
        {
            yield return ("file", File, Sha256);
            if (Head != null)
                yield return ("head.file", Head.File, Head.Sha256);
            if (Text == null)
                yield break;
            yield return ("text.file", Text.File, Text.Sha256);
            yield return ("text.tokenizer.file", Text.Tokenizer.File, null);
            if (Text.Tokenizer.Merges is { } merges)
                yield return ("text.tokenizer.merges", merges, null);
        }
    }

    /// <summary>Reads a manifest.</summary>
    /// <param name="content">JSON in UTF-8.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="ModelException">It is none; the message says what was expected and found.</exception>
    public static OnnxManifest Parse(ReadOnlySpan<byte> content, string file)
    {
        OnnxManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(content, OnnxManifestJson.Default.OnnxManifest);
        }
        catch (JsonException error)
        {
            throw new ModelException($"{file}: expected the manifest of a metric (docs/networks.md); {error.Message}", error);
        }
        if (manifest == null)
            throw new ModelException($"{file}: expected the manifest of a metric (docs/networks.md); found null.");
        return manifest.Fault() is { } fault ? throw new ModelException($"{file}: {fault}.") : manifest;
    }

    /// <summary>Whether a metric of a manifest may have the name.</summary>
    /// <param name="name">The name.</param>
    public static bool IsName(string name) => NamePattern().IsMatch(name) && !name.EndsWith("_quality", StringComparison.Ordinal);

    private string? Fault()
    {
        if (!IsName(Name))
            return $"name: expected lower-case letters, digits, _ and -, a letter first, and no _quality at the end; found '{Name}'";
        if (MinSide < 1)
            return $"min_side: expected 1 or more; found {MinSide}";
        if (Range is { } range && !(range is [var low, var high] && low < high))
            return $"range: expected two numbers, the smaller first; found [{string.Join(", ", range)}]";
        if (Direction != MetricDirection.None && Range == null)
            return "range: expected two numbers, because direction says that one end is good; found none";
        if (Input.Mean.Count != 3 || Input.Std.Count != 3 || Input.Std.Any(std => std == 0))
            return "input: expected three numbers in mean, and three in std that are not 0";
        if ((Input.Fit == ImageFit.None) != (Input.Width == null) || (Input.Width == null) != (Input.Height == null))
            return "input: expected width and height, or fit none without them";
        if (Input is { Width: < 1 or > 8192 } or { Height: < 1 or > 8192 })
            return $"input: expected a width and height of 1 to 8192; found {Input.Width}x{Input.Height}";
        if (Input.Size != null
            && (Input.Fit != ImageFit.Crop || Input.Size < Math.Max(Input.Width!.Value, Input.Height!.Value) || Input.Size > 8192))
            return $"input: expected size with fit crop only, at least as large as width and height; found {Input.Size}";
        if (Output is { Index: not null, Values: not null } or { Index: < 0 } or { Values.Count: 0 })
            return "output: expected an index of 0 or more, or values, not both";
        if (Batch is < 1 or > 256)
            return $"batch: expected 1 to 256; found {Batch}";
        if (Head != null && Text != null)
            return "expected a head or a text; found both";
        if (Text != null && Output is not { Activation: OutputActivation.None, Index: null, Values: null })
            return "output: expected no activation, index or values beside text: the score is the cosine of two vectors";
        if (Text is { Tokenizer.Length: < 3 or > 8192 })
            return $"text.tokenizer.length: expected 3 to 8192; found {Text.Tokenizer.Length}";
        return null;
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9_-]*\z")]
    private static partial Regex NamePattern();
}

/// <summary>How manifests are read: names in snake case, comments allowed, unknown fields refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [
        typeof(SnakeCaseEnum<TensorLayout>), typeof(SnakeCaseEnum<ChannelOrder>), typeof(SnakeCaseEnum<ImageFit>),
        typeof(SnakeCaseEnum<OutputActivation>),
        typeof(SnakeCaseEnum<MetricDirection>), typeof(SnakeCaseEnum<ResampleFilter>)])]
[JsonSerializable(typeof(OnnxManifest))]
internal sealed partial class OnnxManifestJson : JsonSerializerContext;

/// <summary>Names of an enumeration in snake case, numbers refused.</summary>
internal sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
