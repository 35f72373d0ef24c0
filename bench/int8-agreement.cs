// How much 8 bits change the scores of resnet50@biq2021, or of pristine and pristine@... or pristine-large: scores every image with the
// network in 32 and in 8 bits, under the same heads, and prints Spearman's and Pearson's correlation and the largest difference.
//   dotnet run -c Release bench/int8-agreement.cs -- FOLDER [COUNT [MODELS]]
//   dotnet run -c Release bench/int8-agreement.cs -- FOLDER COUNT pristine-float.onnx [pristine-large]
#:project ../src/Pristine/Pristine.csproj
#:project ../src/Pristine.Experiments/Pristine.Experiments.csproj
#:property AssemblyName=Pristine.Benchmarks
#:property PublishAot=false
using System.Globalization;
using Pristine.Experiments;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var files = Directory.EnumerateFiles(args[0]).Order(StringComparer.Ordinal).ToArray();
var count = args.Length > 1 ? int.Parse(args[1]) : 500;
// Evenly spread over the folder, whose order may mean something.
var chosen = Enumerable.Range(0, Math.Min(count, files.Length))
    .Select(i => files[(int)((long)i * files.Length / Math.Min(count, files.Length))]).ToArray();
if (args is [_, _, var file, ..] && file.EndsWith(".onnx", StringComparison.Ordinal))
{
    var network = PristineNetwork.All.Single(each => each.Name == (args.Length > 3 ? args[3] : "pristine"));
    // The bundled network against the same in floats, which 'pristine models convert' without --int8 writes.
    using var floats = new OnnxRuntimeSession(file);
    var features = new[] { Features(new FloatFeatures(network, floats)), Features(new PristineFeature(network).CreateExtractor()) };
    foreach (var metric in PristineMetric.All.OfType<PristineMetric>().Where(metric => metric.Feature.Name == network.Name))
        Tell(metric.Name + ": ", [.. features.Select(rows => rows.Select(row => metric.Score(row)).ToArray())]);
}
else
{
    var head = QualityHead.Read(Path.Combine(args.Length > 2 ? args[2] : "models", "resnet50-biq2021.head"));
    Tell("", [.. new[] { NetworkPrecision.Float, NetworkPrecision.Int8 }
        .Select(precision => Features(new ResNetFeature(ModelStore.Default, precision).CreateExtractor()))
        .Select(rows => rows.Select(row => head.Score(row)).ToArray())]);
}

static void Tell(string name, double[][] scores)
{
    var differences = scores[0].Zip(scores[1], (a, b) => Math.Abs(a - b)).ToArray();
    Console.WriteLine(
        $"{name}{scores[0].Length} images: Spearman {Correlation.Spearman(scores[0], scores[1]):F4}, Pearson " +
        $"{Correlation.Pearson(scores[0], scores[1]):F4}; "
        + $"difference {differences.Average():F4} on average, {differences.Max():F4} at most; scores {scores[0].Min():F2} to " +
        $"{scores[0].Max():F2}");
}

double[][] Features(FeatureExtractor extractor)
{
    using var decoder = new ImageDecoder();
    var rows = new List<double[]>();
    foreach (var file in chosen)
    {
        if (decoder.Load(file, ImageInput.Rgb).Status != ImageStatus.Ok)
            throw new InvalidDataException($"{file} cannot be decoded.");
        var features = new double[extractor.Count];
        extractor.Compute(decoder.Image, features);
        rows.Add(features);
    }
    extractor.Dispose();
    return [.. rows];
}

/// <summary>The features of a network of ours in floats.</summary>
internal sealed class FloatFeatures(PristineNetwork network, OnnxRuntimeSession session) : NetworkExtractor(session, network.Views.Count)
{
    private readonly PristineViews _views = new(network);

    public override int Count => network.Count;

    protected override NetworkShape Shape(int scale, int width, int height) => _views.Shape(scale, width, height);

    protected override void Write(int scale, in ImageView image, Span<float> tensor) => _views.Write(scale, image, tensor);

    protected override void Read(int scale, ReadOnlySpan<float> output, Span<double> features) =>
        output.WidenTo(features[(scale * network.Statistics)..]);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _views.Dispose();
        base.Dispose(disposing);
    }
}
