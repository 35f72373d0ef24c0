using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Onnx;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Scoring;
using Pristine.Tests.Metrics.Text;

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
        if (manifest.Head != null || manifest.Text != null)
        {
            TwoNetworks(manifest, json);
            return;
        }
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

    /// <summary>A manifest of two networks: its score is that of its parts, computed here.</summary>
    private void TwoNetworks(OnnxManifest manifest, string json)
    {
        const int Values = 5;
        Save(manifest.File, Values, manifest.Input.Layout, manifest.Output.Name ?? "out", manifest.Input.Width, manifest.Input.Height);
        File.WriteAllText(_folder["m.json"], json);
        byte[] colour = [200, 40, 90];
        var means = Enumerable.Range(0, 3)
            .Select(c => (colour[c] * manifest.Input.Scale - manifest.Input.Mean[c]) / manifest.Input.Std[c]).ToArray();
        var vector = Enumerable.Range(0, Values).Select(k => Enumerable.Range(0, 3).Sum(c => means[c] * Weight(c, k))).ToArray();
        var metric = OnnxMetric.Read(_folder["m.json"]);
        Assert.Contains("is not there", metric.Missing, StringComparison.Ordinal);
        Assert.Null(metric.ModelSha256);
        if (manifest.Head is { } head)
        {
            WriteHead(_folder[head.File], Values);
            if (head.Normalise)
                vector = [.. vector.Select(value => value / Math.Sqrt(vector.Sum(v => v * v)))];
            var expected = vector.Select((value, i) => value * HeadWeight(i)).Sum() * manifest.Output.Scale + manifest.Output.Offset;
            using var scorer = metric.CreateScorer();
            Assert.Equal(expected, scorer.Score(Constant(colour, 300, 200)), Math.Max(1, Math.Abs(expected)) * Tolerance);
        }
        else
        {
            var text = manifest.Text!;
            WriteTextNetwork(_folder[text.File], text.Tokenizer.Length, Values, text.Output!);
            File.Copy(TextTokenizerTests.File("vocab.json"), _folder[text.Tokenizer.File]);
            File.Copy(TextTokenizerTests.File("merges.txt"), _folder[text.Tokenizer.Merges!]);
            var ids = TextTokenizerTests.Cases().Single(entry => entry.Text == "a photo of a cat").Clip;
            using var features = metric.Feature.CreateExtractor();
            var embedding = new double[Values];
            features.Compute(Constant(colour, 300, 200), embedding);
            var words = TextVector(ids, text.Tokenizer.Length, Values);
            var expected = Cosine(vector, words) * manifest.Output.Scale + manifest.Output.Offset;
            Assert.Equal(expected, metric.Score(embedding, "a photo of a cat"), Tolerance);
            Assert.Equal(expected, metric.Score(embedding, "<image>\nA photo of a  cat "), Tolerance);
            Assert.Equal(double.NaN, metric.Score(embedding, null));
            Assert.Equal(double.NaN, metric.Score(embedding, "<image> "));
            // A longer text is cut.
            Assert.InRange(metric.Score(embedding, string.Concat(Enumerable.Repeat("cat ", 500))), -1, 1);
            Assert.Throws<InvalidOperationException>(() => metric.Score(embedding));
        }
        Assert.Null(metric.Missing);
        Assert.Equal(64, metric.ModelSha256!.Length);
    }

    [Fact]
    public void Similarity_is_that_of_each_image_with_the_text_of_its_own_record_and_follows_the_text()
    {
        SaveSimilarity(_folder, "similarity");
        var metric = OnnxMetric.Read(_folder["similarity.json"]);
        Directory.CreateDirectory(_folder["images"]);
        foreach (var photo in (string[])["leaf.jpg", "boats.jpg"])
            File.Copy(TestFiles.InRepository("samples", "photos", photo), _folder[$"images/{photo}"]);
        void Write(string first) => File.WriteAllLines(_folder["data.jsonl"],
        [
            $$"""{"id": 1, "image": "images/leaf.jpg", "caption": "{{first}}"}""",
            """{"id": 2, "image": "images/leaf.jpg", "caption": "another text of the same image"}""",
            """{"id": 3, "image": "images/boats.jpg", "caption": "a leaf"}""",
            """{"id": 4, "image": "images/boats.jpg"}""",
            """{"id": 5, "caption": "no image"}""",
        ]);
        Write("a leaf");
        var options = new ScoringOptions
        {
            Known = MetricSet.BuiltIn.With(metric),
            Metrics = [metric, MetricCatalog.Get("width")],
            Workers = 2,
        };
        double[] Scores(ScoringOptions scoring) =>
        [
            .. ScoringRun.Score(
                Pristine.Datasets.Dataset.Open(_folder["data.jsonl"]), scoring, cancellation: TestContext.Current.CancellationToken)
                .SelectMany(item => item.Rows).Select(row => row["similarity"]),
        ];
        var scores = Scores(options);
        Assert.All(scores[..3], score => Assert.InRange(score, -1, 1));
        Assert.NotEqual(scores[0], scores[1]);
        Assert.NotEqual(scores[0], scores[2]);
        Assert.True(double.IsNaN(scores[3]) && double.IsNaN(scores[4]));
        // The networks of a worker compute several images together, and no score changes.
        Assert.Equal(scores, Scores(options with { Batch = 4 }));

        (double[] Scores, int Read) Table()
        {
            var items = ScoreTableRun.Score(
                Pristine.Datasets.Dataset.Open(_folder["data.jsonl"]), _folder["table"], options,
                cancellation: TestContext.Current.CancellationToken).ToArray();
            return ([.. items.SelectMany(item => item.Rows).Select(row => row["similarity"])], items.Sum(item => item.ImagesRead));
        }
        var (written, read) = Table();
        Assert.Equal(scores, written);
        Assert.Equal(4, read);
        Assert.Equal(0, Table().Read);
        Write("a text that was written anew");
        var (changed, again) = Table();
        Assert.Equal(1, again);
        Assert.NotEqual(scores[0], changed[0]);
        Assert.Equal(scores[1..], changed[1..]);
    }

    [Theory]
    [InlineData("", """ "length": 9, "end": "<end>" """, "expected the token <end>")]
    [InlineData("", """ "length": 8""", "cannot be run as its manifest says")]
    [InlineData(""" "output": "none", """, """ "length": 9""", "expected an output none")]
    public void A_network_of_text_that_does_not_fit_is_a_sentence(string fields, string tokenizer, string reason)
    {
        SaveSimilarity(
            _folder, "similarity", $$"""{{fields}} "tokenizer": {"file": "vocab.json", "merges": "merges.txt", {{tokenizer}}}""");
        var metric = OnnxMetric.Read(_folder["similarity.json"]);
        Assert.Contains(reason, Assert.Throws<ModelException>(() => metric.Score([1, 2, 3], "a text")).Message, StringComparison.Ordinal);
    }

    /// <summary>An export of CLIP as one graph: each of its vectors comes of one input alone, and is computed without the other.</summary>
    [Fact]
    public void One_graph_with_image_and_text_is_cut_into_its_two_encoders()
    {
        const int Length = 77;
        const int Values = 3;
        WriteWhole(_folder["clip.onnx"], Length, Values);
        File.Copy(TextTokenizerTests.File("vocab.json"), _folder["vocab.json"]);
        File.Copy(TextTokenizerTests.File("merges.txt"), _folder["merges.txt"]);
        void Write(string image, string text) => File.WriteAllText(
            _folder["m.json"],
            $$"""
            {"name": "whole", "file": "clip.onnx", "input": {"width": 8, "height": 8}, "output": {"name": "{{image}}"},
             "text": {"file": "clip.onnx", "output": "{{text}}", "tokenizer": {"file": "vocab.json", "merges": "merges.txt"} } }
            """);
        Write("image_embeds", "text_embeds");
        var metric = OnnxMetric.Read(_folder["m.json"]);
        var ids = TextTokenizerTests.Cases().Single(entry => entry.Text == "a photo of a cat").Clip;
        byte[] colour = [200, 40, 90];
        var image = Enumerable.Range(0, Values).Select(k => Enumerable.Range(0, 3).Sum(c => colour[c] / 255.0 * Weight(c, k))).ToArray();
        using (var extractor = metric.Feature.CreateExtractor())
        {
            var embedding = new double[extractor.Count];
            extractor.Compute(Constant(colour, 30, 20), embedding);
            Assert.Equal(image, embedding, (a, b) => Math.Abs(a - b) < Tolerance);
            Assert.Equal(
                Cosine(image, TextVector(ids, Length, Values)), metric.Score(embedding, "a photo of a cat"), Tolerance);
        }
        // What comes of both cannot be cut.
        Write("logits", "text_embeds");
        Assert.Contains(
            "expected an output that comes of the image alone; logits needs pixels, input_ids, attention_mask together",
            Assert.Throws<ModelException>(OnnxMetric.Read(_folder["m.json"]).CreateScorer).Message, StringComparison.Ordinal);
        Write("image_embeds", "logits");
        Assert.Contains("perhaps one with mask in its name", Assert.Throws<ModelException>(
            () => OnnxMetric.Read(_folder["m.json"]).Score(image, "a")).Message, StringComparison.Ordinal);
        Write("none", "text_embeds");
        Assert.Contains("expected an output none; found logits, text_embeds, image_embeds", Assert.Throws<ModelException>(
            OnnxMetric.Read(_folder["m.json"]).CreateScorer).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_network_that_does_not_fit_is_a_sentence()
    {
        Save("n.onnx", 3, TensorLayout.Nchw, "out", 8, 8);
        WriteHead(_folder["head.onnx"], 4);
        File.WriteAllText(
            _folder["m.json"],
            """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "head": {"file": "head.onnx"} }""");
        using var scorer = OnnxMetric.Read(_folder["m.json"]).CreateScorer();
        Assert.Contains("head.onnx of the metric x cannot be run as its manifest says", Assert.Throws<ModelException>(
            () => scorer.Score(Constant([1, 2, 3], 9, 9))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Batch_is_the_most_images_that_a_network_is_given_together()
    {
        Save("n.onnx", 1, TensorLayout.Nchw, "out", 8, 8);
        bool Together(string batch)
        {
            File.WriteAllText(
                _folder["m.json"], $$"""{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}{{batch}} }""");
            using var extractor = OnnxMetric.Read(_folder["m.json"]).Feature.CreateExtractor();
            var images = Enumerable.Range(0, 5).Select(i => extractor.Prepare(Constant([(byte)(40 * i), 7, 9], 20, 20))).ToArray();
            var rows = new double[5];
            extractor.Compute(images, rows);
            var one = new double[1];
            for (var i = 0; i < rows.Length; i++)
            {
                extractor.Compute(Constant([(byte)(40 * i), 7, 9], 20, 20), one);
                Assert.Equal(one[0], rows[i]);
            }
            foreach (var image in images)
                image.Dispose();
            return extractor.ComputesTogether;
        }
        Assert.True(Together(""));
        Assert.True(Together(", \"batch\": 2"));
        Assert.False(Together(", \"batch\": 1"));
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
    [InlineData("""{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "batch": 0}""", "batch: expected 1 to 256")]
    [InlineData(
        """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "head": {"file": "h.onnx"}, "text": {"file": "t.onnx", "tokenizer": {"file": "t.json"} } }""",
        "found both")]
    [InlineData(
        """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "output": {"index": 1}, "text": {"file": "t.onnx", "tokenizer": {"file": "t.json"} } }""",
        "the score is the cosine of two vectors")]
    [InlineData(
        """{"name": "x", "file": "n.onnx", "input": {"width": 8, "height": 8}, "text": {"file": "t.onnx", "tokenizer": {"file": "t.json", "length": 2} } }""",
        "length: expected 3 to 8192")]
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

    private static float HeadWeight(int value) => (float)Math.Cos(value);

    /// <summary>A network as behind an embedding: one sum of its values.</summary>
    private static void WriteHead(string path, int values)
    {
        var graph = new OnnxGraph("head");
        graph.Input("embedding", "batch", values.ToString(CultureInfo.InvariantCulture));
        var weights = Enumerable.Range(0, values).Select(HeadWeight).ToArray();
        graph.Output(graph.Node("MatMul", "rating", ["embedding", graph.Constant("weights", weights, values, 1)]), "batch", "1");
        graph.Save(path);
    }

    private static float TokenWeight(int place, int value) => (float)Math.Sin(1 + place * 5 + value * 3) / 100;

    /// <summary>A network as CLIP's of text: from ids of 64 bits and their mask to a vector.</summary>
    private static void WriteTextNetwork(string path, int length, int values, string output)
    {
        var graph = new OnnxGraph("text");
        AddText(graph, length, values, output);
        graph.Output(output, "batch", values.ToString(CultureInfo.InvariantCulture));
        graph.Save(path);
    }

    private static void AddText(OnnxGraph graph, int length, int values, string output)
    {
        var size = length.ToString(CultureInfo.InvariantCulture);
        graph.IntegerInput("input_ids", "batch", size);
        graph.IntegerInput("attention_mask", "batch", size);
        var ids = graph.Node("Cast", "ids", ["input_ids"], ("to", 1L));
        var mask = graph.Node("Cast", "mask", ["attention_mask"], ("to", 1L));
        var weights = Enumerable.Range(0, length * values).Select(i => TokenWeight(i / values, i % values)).ToArray();
        var product = graph.Node("Mul", "masked", [ids, mask]);
        graph.Node("MatMul", output, [product, graph.Constant("text_weights", weights, length, values)]);
    }

    /// <summary>Encoders of image and text with their product, in one graph; the product is the first output.</summary>
    private static void WriteWhole(string path, int length, int values)
    {
        var graph = new OnnxGraph("clip");
        AddImage(graph, values, TensorLayout.Nchw, "image_embeds", 8, 8);
        AddText(graph, length, values, "text_embeds");
        var turned = graph.Node("Transpose", "turned", ["text_embeds"], ("perm", new long[] { 1, 0 }));
        graph.Output(graph.Node("MatMul", "logits", ["image_embeds", turned]), "images", "texts");
        foreach (var output in (string[])["text_embeds", "image_embeds"])
            graph.Output(output, "batch", values.ToString(CultureInfo.InvariantCulture));
        graph.Save(path);
    }

    private static double[] TextVector(int[] ids, int length, int values) =>
        [.. Enumerable.Range(0, values).Select(v => ids.Take(length).Select((id, place) => (double)id * TokenWeight(place, v)).Sum())];

    private static double Cosine(double[] a, double[] b) =>
        a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));

    /// <summary>A manifest with two small networks, of image and of text, and the files of a tokenizer.</summary>
    internal static void SaveSimilarity(
        TemporaryFolder folder, string name,
        string text = """ "tokenizer": {"file": "vocab.json", "merges": "merges.txt", "length": 9}""")
    {
        WriteNetwork(folder["image.onnx"], 3, TensorLayout.Nchw, "out", 8, 8);
        WriteTextNetwork(folder["text.onnx"], 9, 3, "out");
        File.Copy(TextTokenizerTests.File("vocab.json"), folder["vocab.json"]);
        File.Copy(TextTokenizerTests.File("merges.txt"), folder["merges.txt"]);
        File.WriteAllText(
            folder[name + ".json"],
            $$"""
            {"name": "{{name}}", "file": "image.onnx", "input": {"width": 8, "height": 8}, "text": {"file": "text.onnx", {{text}} } }
            """);
    }

    /// <summary>A network that gives sums of the means of the channels.</summary>
    private static void WriteNetwork(string path, int outputs, TensorLayout layout, string output, int? width, int? height)
    {
        var graph = new OnnxGraph("test");
        AddImage(graph, outputs, layout, output, width, height);
        graph.Output(output, "batch", outputs.ToString(CultureInfo.InvariantCulture));
        graph.Save(path);
    }

    private static void AddImage(OnnxGraph graph, int outputs, TensorLayout layout, string output, int? width, int? height)
    {
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
        graph.Node("MatMul", output, [x, graph.Constant("weights", weights, 3, outputs)]);
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();
}
