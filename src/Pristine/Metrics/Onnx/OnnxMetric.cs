using System.Security.Cryptography;
using System.Text;
using Pristine.Metrics.Text;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;

namespace Pristine.Metrics.Onnx;

/// <summary>
/// A metric of the user's own: any network in ONNX form that takes one image, alone, with a second one behind it, or with one for the text
/// of the image's item, described by a manifest (docs/networks.md).
/// </summary>
public sealed class OnnxMetric : FeatureMetric
{
    private readonly OnnxManifest _manifest;
    private readonly string _hash;
    private readonly string _folder;
    private readonly Lazy<OnnxFunction> _head;
    private readonly Lazy<OnnxTextEncoder> _text;

    private OnnxMetric(OnnxManifest manifest, string hash, string folder, OnnxFeature feature)
    {
        (_manifest, _hash, _folder, Feature) = (manifest, hash, folder, feature);
        _head = new(OpenHead);
        _text = new(OpenText);
    }

    /// <summary>Reads the metric that a manifest describes; the network is opened when the first image is scored.</summary>
    /// <param name="path">The manifest.</param>
    /// <exception cref="ModelException">It is no manifest; the message says what was expected and found.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static OnnxMetric Read(string path)
    {
        var content = File.ReadAllBytes(path);
        var manifest = OnnxManifest.Parse(content, path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var feature = new OnnxFeature(manifest, Path.GetFullPath(Path.Combine(folder, manifest.File)), NetworkDevice.Default);
        return new(manifest, Convert.ToHexStringLower(SHA256.HashData(content)), folder, feature);
    }

    /// <summary>Manifests.</summary>
    internal static MetricFile ManifestFile { get; } = new(
        "metric",
        "FILE.json",
        "A network of your own in ONNX form, as a manifest describes it: adds the metric it names (see docs/networks.md); may be repeated",
        Read);

    /// <inheritdoc/>
    public override string Name => _manifest.Name;

    /// <inheritdoc/>
    public override string Version => _manifest.Version;

    /// <inheritdoc/>
    public override string Summary => _manifest.Summary.Length > 0 ? _manifest.Summary : $"The network {Path.GetFileName(_manifest.File)}.";

    /// <inheritdoc/>
    public override string Formula
    {
        get
        {
            var (activation, output) = (_manifest.Output.Activation, _manifest.Output);
            var values = activation == OutputActivation.None ? "output" : $"{activation.ToString().ToLowerInvariant()}(output)";
            if (_manifest.Head != null)
                values = values.Replace("output", "head(output)", StringComparison.Ordinal);
            var score = _manifest.Text != null
                ? "cosine(output, text(tokens of the item's text))"
                : output.Values != null
                ? $"sum of {values} times [{string.Join(", ", output.Values)}]" : output.Index is { } index ? $"{values}[{index}]" : values;
            return (output.Scale, output.Offset) == (1, 0)
                ? score
                : FormattableString.Invariant($"{output.Scale} x {score} + {output.Offset}");
        }
    }

    /// <inheritdoc/>
    public override string Citation => _manifest.Citation;

    /// <inheritdoc/>
    public override string Unit => _manifest.Unit;

    /// <inheritdoc/>
    public override MetricDirection Direction => _manifest.Direction;

    /// <summary>That of the manifest. Scores are not clipped.</summary>
    public override MetricRange Range =>
        _manifest.Range is [var low, var high] ? new(low, high) : new(double.NegativeInfinity, double.PositiveInfinity);

    /// <inheritdoc/>
    public override Feature Feature { get; }

    /// <inheritdoc/>
    public override Metric WithDevice(string device) =>
        device == Device ? this : new OnnxMetric(_manifest, _hash, _folder, ((OnnxFeature)Feature).WithDevice(device));

    /// <summary>
    /// SHA-256 of the lines "hash, two spaces, name, newline" of the network, of the manifest, and of what else it names.
    /// </summary>
    public override string? ModelSha256
    {
        get
        {
            if (Feature.ModelSha256 is not { } network)
                return null;
            var lines = $"{network}  network\n{_hash}  manifest\n";
            foreach (var (role, file, _) in _manifest.Files.Skip(1))
            {
                if (FileHash.Of(PathOf(file)) is not { } hash)
                    return null;
                lines += $"{hash}  {role}\n";
            }
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)));
        }
    }

    /// <inheritdoc/>
    public override string? Missing
    {
        get
        {
            foreach (var (role, file, sha256) in _manifest.Files.Skip(1))
            {
                if (!File.Exists(PathOf(file)))
                    return $"The file {PathOf(file)} of the metric {Name} ({role}) is not there.";
                if (sha256 != null && FileHash.Of(PathOf(file)) is var found && !sha256.Equals(found, StringComparison.OrdinalIgnoreCase))
                    return $"The file {PathOf(file)} of the metric {Name} ({role}): expected SHA-256 {sha256}; found {found}.";
            }
            return base.Missing;
        }
    }

    /// <inheritdoc/>
    internal override bool ReadsText => _manifest.Text != null;

    /// <summary>The cosine with the text's vector. Of a text only the placeholders of images are left out.</summary>
    internal override double Score(ReadOnlySpan<double> features, string? text)
    {
        if (!ReadsText)
            return Score(features);
        var words = text == null ? "" : ImagePlaceholders.Without(text);
        if (words.Length == 0)
            return double.NaN;
        var vector = _text.Value.Encode(words);
        if (vector.Length != features.Length)
            throw new ModelException(
                $"The metric {Name}: expected vectors of one length; found {features.Length} values of an image and {vector.Length} of a " +
                $"text.");
        var (product, image, other) = (0.0, 0.0, 0.0);
        for (var i = 0; i < vector.Length; i++)
        {
            product += features[i] * vector[i];
            image += features[i] * features[i];
            other += (double)vector[i] * vector[i];
        }
        var score = product / Math.Sqrt(image * other) * _manifest.Output.Scale + _manifest.Output.Offset;
        return double.IsFinite(score) ? score : throw new OnnxRuntimeException("the cosine with the text is not finite.");
    }

    private string PathOf(string file) => Path.GetFullPath(Path.Combine(_folder, file));

    private OnnxFunction OpenHead() => Opened(
        _manifest.Head!.File, path => new OnnxFunction(NetworkSessions.Open(path, Device), _manifest.Head.Output));

    private OnnxTextEncoder OpenText() => Opened(_manifest.Text!.File, path =>
    {
        var (tokenizer, text) = (_manifest.Text.Tokenizer, _manifest.Text);
        var encoder = new OnnxTextEncoder(NetworkSessions.OpenBranch(path, text.Output, Device), text, TextTokenizer.Read(
            PathOf(tokenizer.File), tokenizer.Merges is { } merges ? PathOf(merges) : null));
        // What does not fit shows before anything is scored.
        encoder.Encode("a");
        return encoder;
    });

    private T Opened<T>(string file, Func<string, T> open)
    {
        try
        {
            return open(PathOf(file));
        }
        catch (OnnxRuntimeException error)
        {
            throw CannotRun(file, error);
        }
    }

    private ModelException CannotRun(string file, OnnxRuntimeException error)
    {
        // The runtime's messages have several lines.
        var reason = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return new ModelException($"The network {PathOf(file)} of the metric {Name} cannot be run as its manifest says: {reason}", error);
    }

    /// <summary>What the second network makes of an embedding.</summary>
    private double[] ThroughHead(ReadOnlySpan<double> embedding)
    {
        var (vector, length) = (new float[embedding.Length], 1.0);
        if (_manifest.Head!.Normalise)
        {
            length = 0;
            foreach (var value in embedding)
                length += value * value;
            length = Math.Sqrt(length);
        }
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)(embedding[i] / length);
        try
        {
            return Array.ConvertAll(_head.Value.Run(vector), value => (double)value);
        }
        catch (OnnxRuntimeException error)
        {
            throw CannotRun(_manifest.Head.File, error);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ModelException">The network gives another number of values than the manifest reads.</exception>
    /// <exception cref="InvalidOperationException">The score needs the text of the image's item.</exception>
    /// <exception cref="OnnxRuntimeException">The score is not finite.</exception>
    public override double Score(ReadOnlySpan<double> features)
    {
        if (ReadsText)
            throw new InvalidOperationException($"{Name} compares an image with the text of its item; there is none here.");
        if (_manifest.Head != null)
            features = ThroughHead(features);
        var output = _manifest.Output;
        if (output.Values is { } ratings
            ? ratings.Count != features.Length : output.Index is { } asked ? asked >= features.Length : features.Length != 1)
            throw new ModelException(
                $"The metric {Name}: expected " +
                $"{(output.Values is { } listed ? $"{listed.Count} values" : output.Index is { } at ? $"more than {at} values" : "one value, or an index")} of the network's output; found {features.Length}.");
        double score = 0, total = 1, highest = 0;
        if (output.Activation == OutputActivation.Softmax)
        {
            highest = Max(features);
            total = 0;
            foreach (var value in features)
                total += Math.Exp(value - highest);
        }
        for (var i = 0; i < features.Length; i++)
        {
            var weight = output.Values?[i] ?? (i == (output.Index ?? 0) ? 1 : 0);
            score += weight * output.Activation switch
            {
                OutputActivation.Softmax => Math.Exp(features[i] - highest) / total,
                OutputActivation.Sigmoid => 1 / (1 + Math.Exp(-features[i])),
                _ => weight == 0 ? 0 : features[i],
            };
        }
        score = score * output.Scale + output.Offset;
        return double.IsFinite(score) ? score : throw new OnnxRuntimeException("the network's output is not finite.");
    }

    private static double Max(ReadOnlySpan<double> values)
    {
        var highest = double.NegativeInfinity;
        foreach (var value in values)
            highest = Math.Max(highest, value);
        return highest;
    }
}
