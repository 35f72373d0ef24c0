using System.Globalization;
using Pristine.Media;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;

namespace Pristine.Metrics.Onnx;

/// <summary>
/// The output of a network in ONNX form. What the network sees, a <see cref="OnnxManifest"/> says: manifests that agree in that cost one
/// run.
/// </summary>
internal sealed class OnnxFeature(OnnxManifest manifest, string path, string device) : Feature
{
    private int _count;

    public override string Name => manifest.Name;

    /// <summary>The network, its output and what it sees.</summary>
    public override string Identity { get; } = string.Create(
        CultureInfo.InvariantCulture,
        $"onnx:1 {manifest.Output.Name} {manifest.Input.Layout} {manifest.Input.Channels} {manifest.Input.Width}x{manifest.Input.Height} " +
        $"{manifest.Input.Fit} " +
        $"{manifest.Input.Size} {manifest.Input.Filter} {manifest.Input.Scale:R} {List(manifest.Input.Mean)} {List(manifest.Input.Std)}");

    /// <summary>Numbers that the network gives.</summary>
    /// <exception cref="ModelException">The network cannot be run so.</exception>
    public override int Count
    {
        get
        {
            if (_count == 0)
            {
                using var extractor = CreateExtractor();
                _count = extractor.Count;
            }
            return _count;
        }
    }

    public override ImageInput Input => ImageInput.Rgb;

    public override int MinSide => manifest.MinSide;

    public override string Device => device;

    public override string? ModelSha256 => FileHash.Of(path);

    public override string? Missing =>
        !File.Exists(path) ? $"The network {path} of the metric {manifest.Name} is not there."
        : manifest.Sha256 is { } expected && !expected.Equals(ModelSha256, StringComparison.OrdinalIgnoreCase)
            ? $"The network {path} of the metric {manifest.Name}: expected SHA-256 {expected}; found {ModelSha256}."
        : null;

    protected override string Place => $"{device} {path} {manifest.Batch}";

    public override OnnxFeature WithDevice(string device) => new(manifest, path, device);

    public override FeatureExtractor CreateExtractor()
    {
        if (Missing is { } message)
            throw new ModelException(message);
        try
        {
            return new OnnxExtractor(NetworkSessions.OpenBranch(path, manifest.Output.Name, device), manifest);
        }
        catch (OnnxRuntimeException error)
        {
            // The runtime's messages have several lines.
            var reason = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            throw new ModelException(
                $"The network {path} of the metric {manifest.Name} cannot be run as its manifest says: {reason}", error);
        }
    }

    private static string List(IEnumerable<double> numbers) =>
        string.Join(',', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));
}

/// <summary>
/// One worker's side of a network in ONNX form. A black image goes through it first: what does not fit shows before any image is scored.
/// </summary>
internal sealed class OnnxExtractor : NetworkExtractor
{
    private readonly OnnxImage _image;
    private readonly int _mostTogether;

    public OnnxExtractor(OnnxRuntimeSession session, OnnxManifest manifest)
        : base(session, scales: 1)
    {
        (_image, _mostTogether) = (new OnnxImage(manifest.Input), manifest.Batch ?? int.MaxValue);
        try
        {
            if (session.InputNames.Count != 1)
                throw new OnnxRuntimeException(
                    $"expected an output that comes of the image alone; {manifest.Output.Name ?? session.OutputNames[0]} needs " +
                    $"{string.Join(", ", session.InputNames)} together.");
            Output = manifest.Output.Name is { } name ? session.OutputNames.ToList().IndexOf(name) : 0;
            if (Output < 0)
                throw new OnnxRuntimeException(
                    $"expected an output {manifest.Output.Name}; found {string.Join(", ", session.OutputNames)}.");
            var side = Math.Max(64, manifest.MinSide);
            Run(0, new ImageView(new ImageHeader(side, side, "", 0), new byte[3 * side * side], []));
            Count = OutputOf(0).Length;
        }
        catch
        {
            Dispose(true);
            throw;
        }
    }

    public override int Count { get; }

    protected override int Output { get; }

    protected override int MostTogether => _mostTogether;

    protected override NetworkShape Shape(int scale, int width, int height)
    {
        var (columns, rows) = _image.Size(width, height);
        return _image.IsPlanar ? new(1, 3, rows, columns) : new(1, rows, columns, 3);
    }

    protected override void Write(int scale, in ImageView image, Span<float> tensor) => _image.Write(image, tensor);

    protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features)
    {
        if (output.Length != Count)
            throw new OnnxRuntimeException($"expected {Count} values, as for other images; found {output.Length}.");
        output.WidenTo(features);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _image.Dispose();
        base.Dispose(disposing);
    }
}
