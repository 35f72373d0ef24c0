using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Onnx;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Scoring;

namespace Pristine.Tests.Metrics;

public sealed partial class OnnxMetricTests : IDisposable
{
    /// <summary>ONNX Runtime sums the 50,000 values of a plane in 32-bit floats; the sum is off by some 1e-4 of itself.</summary>
    private const double Tolerance = 3e-4;

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Examples =>
        [.. Json().Matches(File.ReadAllText(TestFiles.InRepository("docs", "networks.md"))).Select(match => match.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_manifest_of_the_documentation_scores_with_a_network_of_its_shape(string json)
    {
        var manifest = OnnxManifest.Parse(Encoding.UTF8.GetBytes(json), "docs/networks.md");
        var outputs = manifest.Output.Values?.Count ?? (manifest.Output.Activation == OutputActivation.None ? 1 : 2);
        Save(manifest.File, outputs, manifest.Input.Layout, manifest.Output.Name ?? "out", manifest.Input.Width, manifest.Input.Height);
        File.WriteAllText(_folder["m.json"], json);
        var metric = OnnxMetric.Read(_folder["m.json"]);
        Assert.Null(metric.Missing);
        byte[] colour = [200, 40, 90];
        using var scorer = metric.CreateScorer();
        var found = scorer.Score(Constant(colour, 300, 200));

        var input = manifest.Input;
        var means = Enumerable.Range(0, 3).Select(c => (PaddedShare(input) * colour[c] * input.Scale - input.Mean[c]) / input.Std[c])
            .ToArray();
        var raw = Enumerable.Range(0, outputs).Select(k => Enumerable.Range(0, 3).Sum(c => means[c] * Weight(c, k))).ToArray();
        if (manifest.Output.Activation == OutputActivation.Softmax)
            raw = [.. raw.Select(v => Math.Exp(v) / raw.Sum(Math.Exp))];
        var expected = manifest.Output.Values is { } values ? values.Zip(raw, (v, r) => v * r).Sum() : raw[manifest.Output.Index ?? 0];
        Assert.Equal(expected, found, Math.Max(1, Math.Abs(expected)) * Tolerance);
        Assert.Equal(metric.HasQuality, metric.Range.High < double.PositiveInfinity);
    }

    [Fact]
    public void Metrics_of_one_network_run_it_once_and_the_provenance_knows_network_and_manifest()
    {
        Save("n.onnx", 3, TensorLayout.Nchw, "out", 8, 8);
        OnnxMetric Metric(string name, int index, string more = "")
        {
            File.WriteAllText(
                _folder[name + ".json"],
                $$"""{"name": "{{name}}", "file": "n.onnx", "input": {"width": 8, "height": 8{{more}} }, "output": {"index": {{index}} } }""");
            return OnnxMetric.Read(_folder[name + ".json"]);
        }

        var (a, b, other) = (Metric("a", 0), Metric("b", 2), Metric("c", 2, ", \"scale\": 1"));
        Assert.Equal(a.Feature, b.Feature);
        Assert.NotEqual(a.Feature, other.Feature);
        Assert.NotEqual(a.ModelSha256, b.ModelSha256);
        var before = a.ModelSha256;
        Save("n.onnx", 4, TensorLayout.Nchw, "out", 8, 8);
        Assert.NotEqual(before, a.ModelSha256);
        var known = MetricSet.BuiltIn.With(a, b);
        using var scorer = new ImageScorer(new ScoringOptions { Known = known, Metrics = [known.Get("a"), known.Get("b")] });
        var row = scorer.Score(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        Assert.Equal(ImageStatus.Ok, row.Status);
        Assert.NotEqual(row.Scores.Span[0], row.Scores.Span[1]);
    }

    [Theory]
    [InlineData("""{"name": "Upper", "file": "n.onnx"}""", "name: expected lower-case")]
    [InlineData("""{"name": "x_quality", "file": "n.onnx"}""", "no _quality at the end")]
    [InlineData("""{"file": "n.onnx"}""", "name")]
    [InlineData("""{"name": "x", "file": "n.onnx", "colour": 1}""", "colour")]
    [InlineData("""{"name": "x", "file": "n.onnx"}""", "expected width and height")]
    [InlineData(
        """{"name": "x", "file": "n.onnx", "input": {"fit": "none", "width": 8, "height": 8}}""", "expected width and height, or fit none")]
    [InlineData("""{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8, "std": [1, 0, 1]}}""", "not 0")]
    [InlineData("""{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8, "size": 9}}""", "with fit crop only")]
    [InlineData("""{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8, "fit": "squeeze"}}""", "fit")]
    [InlineData(
        """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "direction": "higher_is_better"}""",
        "range: expected two numbers")]
    [InlineData("""{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "range": [2, 1]}""", "the smaller first")]
    [InlineData(
        """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "output": {"index": 1, "values": [1, 2]}}""", "not both")]
    [InlineData("null", "found null")]
    [InlineData("[1]", "expected the manifest")]
    public void A_manifest_that_makes_no_sense_is_refused_with_the_reason(string json, string reason)
    {
        var message = Assert.Throws<ModelException>(() => OnnxManifest.Parse(Encoding.UTF8.GetBytes(json), "my.json")).Message;
        Assert.StartsWith("my.json: ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" "input": {"width": 8, "height": 8}, "output": {"name": "other"}""", "expected an output other; found out")]
    [InlineData(""" "input": {"width": 9, "height": 8}""", "cannot be run as its manifest says")]
    [InlineData(""" "input": {"width": 8, "height": 8}, "sha256": "00" """, "expected SHA-256 00; found")]
    public void A_network_that_does_not_fit_is_refused_before_any_image(string fields, string reason)
    {
        Save("n.onnx", 3, TensorLayout.Nchw, "out", 8, 8);
        File.WriteAllText(_folder["m.json"], $$"""{"name": "x", "file": "n.onnx", {{fields}} }""");
        var message = Assert.Throws<ModelException>(OnnxMetric.Read(_folder["m.json"]).CreateScorer).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void An_output_that_the_manifest_does_not_read_is_a_sentence_and_a_missing_file_too()
    {
        Save("n.onnx", 3, TensorLayout.Nchw, "out", 8, 8);
        File.WriteAllText(_folder["m.json"], """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}}""");
        using var scorer = OnnxMetric.Read(_folder["m.json"]).CreateScorer();
        Assert.Contains("expected one value, or an index", Assert.Throws<ModelException>(
            () => scorer.Score(Constant([1, 2, 3], 9, 9))).Message, StringComparison.Ordinal);
        File.Delete(_folder["n.onnx"]);
        Assert.Contains("is not there", OnnxMetric.Read(_folder["m.json"]).Missing, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100, 50, 40, 40)]
    [InlineData(50, 100, 40, 44)]
    [InlineData(10, 300, 32, 32)]
    public void Cropping_takes_the_centre_of_the_resized_image(int width, int height, int side, int size)
    {
        var image = new OnnxImage(new OnnxInput { Width = side, Height = side, Fit = ImageFit.Crop, Size = size, Scale = 1 });
        // Red grows to the right, green downwards, so the means tell the place.
        var rgb = Enumerable.Range(0, width * height)
            .SelectMany(i => (byte[])[(byte)(255 * (i % width) / width), (byte)(255 * (i / width) / height), 7]).ToArray();
        var planes = new float[3 * side * side];
        image.Write(new ImageView(new ImageHeader(width, height, "png", 0), rgb, []), planes);
        double Middle(int length) => 255.0 * (length - 1) / (2 * length);
        Assert.Equal(Middle(width), planes[..(side * side)].Average(), 4.0);
        Assert.Equal(Middle(height), planes[(side * side)..(2 * side * side)].Average(), 4.0);
        Assert.All(planes[(2 * side * side)..], value => Assert.Equal(7, value));
        image.Dispose();
    }

    [Theory]
    [InlineData("Nchw")]
    [InlineData("Nhwc")]
    public void Padding_is_black_around_the_whole_image_and_channels_may_be_turned_round(string name)
    {
        var layout = Enum.Parse<TensorLayout>(name);
        const int Side = 8;
        using var image = new OnnxImage(new OnnxInput
        {
            Width = Side,
            Height = Side,
            Fit = ImageFit.Pad,
            Layout = layout,
            Channels = ChannelOrder.Bgr,
            Scale = 1,
            Mean = [1, 2, 3],
            Std = [1, 2, 4],
        });
        var values = new float[3 * Side * Side];
        image.Write(Constant([11, 22, 43], 40, 20), values);
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
                for (var slot = 0; slot < 3; slot++)
                {
                    var channel = 2 - slot;
                    var pixel = y is >= 2 and < 6 ? ((int[])[11, 22, 43])[channel] : 0;
                    var found = values[layout == TensorLayout.Nchw ? slot * Side * Side + y * Side + x : 3 * (y * Side + x) + slot];
                    Assert.Equal((pixel - (channel + 1)) / (float)(1 << channel), found);
                }
    }

    private static float Weight(int channel, int output) => (float)Math.Sin(1 + channel + 3 * output);

    /// <summary>What the mean of a constant 300x200 image becomes by the black around it.</summary>
    private static double PaddedShare(OnnxInput input) =>
        input.Fit == ImageFit.Pad ? Math.Round(200.0 * input.Width!.Value / 300) / input.Height!.Value : 1;

    private static ImageView Constant(byte[] colour, int width, int height)
    {
        var rgb = Enumerable.Repeat(colour, width * height).SelectMany(pixel => pixel).ToArray();
        return new(new ImageHeader(width, height, "png", 0), rgb, default);
    }

    /// <summary>A network of three outputs for squares.</summary>
    internal static void SaveNetwork(string path, int side) => WriteNetwork(path, 3, TensorLayout.Nchw, "out", side, side);

    /// <summary>What a metric says of an image of one colour.</summary>
    internal static double ScoreOfConstant(Metric metric)
    {
        using var scorer = metric.CreateScorer();
        return scorer.Score(Constant([200, 40, 90], 300, 200));
    }

    private void Save(string file, int outputs, TensorLayout layout, string output, int? width, int? height) =>
        WriteNetwork(_folder[file], outputs, layout, output, width, height);

    /// <summary>A network that gives sums of the means of the channels.</summary>
    private static void WriteNetwork(string path, int outputs, TensorLayout layout, string output, int? width, int? height)
    {
        var graph = new OnnxGraph("test");
        var (w, h) = (width?.ToString(CultureInfo.InvariantCulture), height?.ToString(CultureInfo.InvariantCulture));
        var x = "pixels";
        if (layout == TensorLayout.Nchw)
            graph.Input(x, "batch", "3", h ?? "height", w ?? "width");
        else
        {
            graph.Input(x, "batch", h ?? "height", w ?? "width", "3");
            x = graph.Node("Transpose", "planes", [x], ("perm", new long[] { 0, 3, 1, 2 }));
        }
        x = graph.Node("Flatten", "means", [graph.Node("GlobalAveragePool", "pooled", [x])], ("axis", 1L));
        var weights = Enumerable.Range(0, 3 * outputs).Select(i => Weight(i / outputs, i % outputs)).ToArray();
        graph.Output(graph.Node("MatMul", output, [x, graph.Constant("weights", weights, 3, outputs)]), "batch", outputs.ToString(
            CultureInfo.InvariantCulture));
        graph.Save(path);
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();
}
