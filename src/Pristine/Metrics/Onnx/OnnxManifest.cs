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
    OnnxOutput? Output = null)
{
    /// <summary>What the network sees.</summary>
    public OnnxInput Input { get; init; } = Input ?? new OnnxInput();

    /// <summary>What is read from it.</summary>
    public OnnxOutput Output { get; init; } = Output ?? new OnnxOutput();

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
