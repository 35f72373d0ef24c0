using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Files;
using Pristine.Models;

namespace Pristine.Metrics.ResNet;

/// <summary>What becomes of the weighted sum of a <see cref="QualityHead"/>.</summary>
public enum HeadLink
{
    /// <summary>It is the score.</summary>
    Identity,

    /// <summary>The score is 1 / (1 + exp(-sum)), between 0 and 1.</summary>
    Logistic,
}

/// <summary>
/// A linear regressor from features of an image to an opinion score: score = bias + sum of weight x feature, or the logistic function of
/// that. Made by <c>pristine fit</c>,
/// used by metrics such as <c>resnet50@biq2021</c>.
/// </summary>
/// <remarks>
/// File: one line of JSON in UTF-8 (format, name, features, count, worst, best, bias, training), a newline, then count weights as
/// little-endian 32-bit floats. With another link than <see cref="HeadLink.Identity"/> the format is <c>pristine-head-2</c>, which has it
/// as <c>link</c>.
/// </remarks>
public sealed partial class QualityHead
{
    private const string Format = "pristine-head-1";
    private const string FormatWithLink = "pristine-head-2";
    private const string LogisticName = "logistic";
    private const int LongestHeader = 1 << 16;

    private readonly float[] _weights;
    private readonly Lazy<string> _sha256;

    private sealed record Header(
        string Format, string Name, string Features, int Count, double Worst, double Best, double Bias, string Training, string? Link);

    /// <summary>A regressor.</summary>
    /// <param name="name">What stands behind the @ in the metric's name: letters, digits, - and _.</param>
    /// <param name="features">Name of the features it was trained on, version included.</param>
    /// <param name="weights">One finite weight per feature.</param>
    /// <param name="bias">Finite.</param>
    /// <param name="worst">The score of the worst image on the scale of the ratings.</param>
    /// <param name="best">The score of the best; below <paramref name="worst"/> where small is good.</param>
    /// <param name="training">How it was trained, for people.</param>
    /// <param name="link">What becomes of the weighted sum.</param>
    /// <exception cref="ArgumentException">A value is not as said.</exception>
    public QualityHead(
        string name, string features, ReadOnlySpan<float> weights, double bias, double worst, double best, string training,
        HeadLink link = HeadLink.Identity)
    {
        ArgumentException.ThrowIfNullOrEmpty(features);
        ArgumentNullException.ThrowIfNull(training);
        if (string.IsNullOrEmpty(name) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            throw new ArgumentException($"Expected a name of letters, digits, - and _; found '{name}'.", nameof(name));
        if (!double.IsFinite(worst) || !double.IsFinite(best) || worst == best)
            throw new ArgumentException($"Expected two different ends of the scale; found {worst} and {best}.", nameof(best));
        if (weights.IsEmpty || !double.IsFinite(bias))
            throw new ArgumentException(
                $"Expected at least one weight and a finite bias; found {weights.Length} weights and the bias {bias}.", nameof(weights));
        foreach (var weight in weights)
            if (!float.IsFinite(weight))
                throw new ArgumentException($"Expected finite weights; found {weight}.", nameof(weights));
        (Name, Features, Bias, Worst, Best, Training, Link) = (name, features, bias, worst, best, training, link);
        _weights = weights.ToArray();
        _sha256 = new(() => ModelStore.Hash(ToArray()));
    }

    /// <summary>What stands behind the @ in the metric's name.</summary>
    public string Name { get; }

    /// <summary>Name of the features it was trained on, version included.</summary>
    public string Features { get; }

    /// <summary>One weight per feature.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>Added to the weighted sum.</summary>
    public double Bias { get; }

    /// <summary>What becomes of the sum.</summary>
    public HeadLink Link { get; }

    /// <summary>The score of the worst image on the scale of the ratings.</summary>
    public double Worst { get; }

    /// <summary>The score of the best; below <see cref="Worst"/> where small is good.</summary>
    public double Best { get; }

    /// <summary>How it was trained, for people.</summary>
    public string Training { get; }

    /// <summary>SHA-256 of the file, in lower-case hex.</summary>
    public string Sha256 => _sha256.Value;

    /// <summary>The score of an image.</summary>
    /// <param name="features">A finite value per weight.</param>
    /// <returns>On the scale of the ratings, not clipped.</returns>
    /// <exception cref="ArgumentException">The number of features is another.</exception>
    public double Score(ReadOnlySpan<double> features)
    {
        if (features.Length != _weights.Length)
            throw new ArgumentException($"Expected {_weights.Length} features; found {features.Length}.", nameof(features));
        var sum = 0.0;
        for (var i = 0; i < features.Length; i++)
            sum += _weights[i] * features[i];
        sum += Bias;
        return Link == HeadLink.Logistic ? 1 / (1 + Math.Exp(-sum)) : sum;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelException">It is no such file, or damaged; the message says what was expected and found.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static QualityHead Read(string path) => Parse(File.ReadAllBytes(path), path);

    /// <summary>Reads the content of a file.</summary>
    /// <param name="content">The content.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="ModelException">It is no such file, or damaged.</exception>
    public static QualityHead Parse(ReadOnlySpan<byte> content, string file)
    {
        var head = ParseFirst(content, file, out var rest);
        return rest.IsEmpty
            ? head
            : throw new ModelException(
                $"{file}: expected {head._weights.Length} weights, {(long)head._weights.Length * sizeof(float)} bytes; found " +
                $"{(long)head._weights.Length * sizeof(float) + rest.Length} bytes.");
    }

    /// <summary>Reads heads that stand one after another, as the bundled ones of a network do.</summary>
    /// <inheritdoc cref="Parse"/>
    internal static IReadOnlyList<QualityHead> ParseAll(ReadOnlySpan<byte> content, string file)
    {
        var heads = new List<QualityHead>();
        do
            heads.Add(ParseFirst(content, file, out content));
        while (!content.IsEmpty);
        return heads;
    }

    /// <summary>Reads one head.</summary>
    /// <param name="content">The content.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="rest">What stands behind its weights.</param>
    private static QualityHead ParseFirst(ReadOnlySpan<byte> content, string file, out ReadOnlySpan<byte> rest)
    {
        var end = content[..Math.Min(content.Length, LongestHeader)].IndexOf((byte)'\n');
        Header? header = null;
        try
        {
            if (end > 0)
                header = ReadHeader(content[..end]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ModelException(
                $"{file}: expected a head of the format {Format}, made by pristine fit; its first line is no JSON: {error.Message}", error);
        }
        if (header?.Format is not (Format or FormatWithLink))
            throw new ModelException(
                $"{file}: expected a head of the format {Format}, made by pristine fit; found " +
                $"{(header == null ? "another kind of file" : $"'{header.Format}'")}.");
        if (header.Link != (header.Format == Format ? null : LogisticName))
            throw new ModelException(
                $"{file}: expected {(header.Format == Format ? "no link" : $"the link '{LogisticName}'")} in a head of the format " +
                $"{header.Format}; found {(header.Link == null ? "none" : $"'{header.Link}'")}.");
        var bytes = content[(end + 1)..];
        var length = (long)header.Count * sizeof(float);
        if (header.Count < 1 || bytes.Length < length)
            throw new ModelException(
                $"{file}: expected {header.Count} weights, {length} bytes; found {bytes.Length} bytes.");
        rest = bytes[(int)length..];
        try
        {
            return new(
                header.Name, header.Features, MemoryMarshal.Cast<byte, float>(bytes[..(int)length].ToArray()), header.Bias, header.Worst,
                header.Best, header.Training, header.Link == null ? HeadLink.Identity : HeadLink.Logistic);
        }
        catch (ArgumentException error)
        {
            throw new ModelException($"{file}: {error.Message}", error);
        }
    }

    /// <summary>Writes a file that appears under its name only when it is whole.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string path) => WholeFile.Write(path, stream => stream.Write(ToArray()));

    /// <summary>Writes heads one after another into one file, as the bundled ones of a network are.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="heads">The heads.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteAll(string path, IReadOnlyList<QualityHead> heads)
    {
        ArgumentNullException.ThrowIfNull(heads);
        WholeFile.Write(path, stream =>
        {
            foreach (var head in heads)
                stream.Write(head.ToArray());
        });
    }

    private byte[] ToArray()
    {
        var content = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(content))
        {
            json.WriteStartObject();
            json.WriteString("format", Link == HeadLink.Identity ? Format : FormatWithLink);
            json.WriteString("name", Name);
            json.WriteString("features", Features);
            json.WriteNumber("count", _weights.Length);
            json.WriteNumber("worst", Worst);
            json.WriteNumber("best", Best);
            json.WriteNumber("bias", Bias);
            json.WriteString("training", Training);
            if (Link == HeadLink.Logistic)
                json.WriteString("link", LogisticName);
            json.WriteEndObject();
        }
        return [.. content.WrittenSpan, (byte)'\n', .. MemoryMarshal.AsBytes<float>(_weights)];
    }

    /// <summary>
    /// Null where the line is no object; a field that is not there is null or 0. Read by hand, because every start of the program reads the
    /// bundled head, and a serializer takes some milliseconds to get ready.
    /// </summary>
    private static Header? ReadHeader(ReadOnlySpan<byte> line)
    {
        using var json = JsonDocument.Parse(line.ToArray());
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            return null;
        string? Text(string name) =>
            root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        double Number(string name) =>
            root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;
        var count = root.TryGetProperty("count", out var stated) && stated.ValueKind == JsonValueKind.Number
            && stated.TryGetInt32(out var whole) ? whole : 0;
        return new(
            Text("format")!, Text("name")!, Text("features")!, count, Number("worst"), Number("best"), Number("bias"), Text("training")!,
            Text("link"));
    }
}
