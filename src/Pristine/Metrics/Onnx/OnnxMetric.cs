using System.Security.Cryptography;
using System.Text;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;

namespace Pristine.Metrics.Onnx;

/// <summary>
/// A metric of the user's own: any network in ONNX form that takes one image, described by a manifest (docs/networks.md).
/// </summary>
public sealed class OnnxMetric : FeatureMetric
{
    private readonly OnnxManifest _manifest;
    private readonly string _hash;

    private OnnxMetric(OnnxManifest manifest, string hash, OnnxFeature feature) => (_manifest, _hash, Feature) = (manifest, hash, feature);

    /// <summary>Reads the metric that a manifest describes; the network is opened when the first image is scored.</summary>
    /// <param name="path">The manifest.</param>
    /// <exception cref="ModelException">It is no manifest; the message says what was expected and found.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static OnnxMetric Read(string path)
    {
        var content = File.ReadAllBytes(path);
        var manifest = OnnxManifest.Parse(content, path);
        var network = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, manifest.File));
        return new(manifest, Convert.ToHexStringLower(SHA256.HashData(content)), new OnnxFeature(manifest, network, NetworkDevice.Default));
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
            var score = output.Values != null
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
        device == Device ? this : new OnnxMetric(_manifest, _hash, ((OnnxFeature)Feature).WithDevice(device));

    /// <summary>SHA-256 of the lines "hash, two spaces, name, newline" of the network and of the manifest.</summary>
    public override string? ModelSha256 => Feature.ModelSha256 is { } network
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{network}  network\n{_hash}  manifest\n")))
        : null;

    /// <inheritdoc/>
    /// <exception cref="ModelException">The network gives another number of values than the manifest reads.</exception>
    /// <exception cref="OnnxRuntimeException">The score is not finite.</exception>
    public override double Score(ReadOnlySpan<double> features)
    {
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
