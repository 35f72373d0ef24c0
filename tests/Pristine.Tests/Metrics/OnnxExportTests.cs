using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Kernels;
using Pristine.Tests.Models;

namespace Pristine.Tests.Metrics;

/// <summary>The ONNX models that are written for others, run by ONNX Runtime on planes that the tests make.</summary>
public sealed class OnnxExportTests : IDisposable
{
    /// <summary>Of a score in [0,1]: the metric adds up the head in double precision, the model in single.</summary>
    private const double ScoreTolerance = 1e-4;

    private const int Width = 90;
    private const int Height = 70;

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly TinyResNet _tiny = new();
    private readonly LinearHead _head;

    public OnnxExportTests()
    {
        var random = new Random(9);
        _head = new([.. Enumerable.Range(0, 2 * TinyResNet.Features).Select(_ => (float)(random.NextDouble() * 40 - 20))], 50);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(NetworkPrecision.Float)]
    [InlineData(NetworkPrecision.Int8)]
    public void With_a_head_the_model_gives_the_metrics_score_before_it_is_scaled(NetworkPrecision precision)
    {
        var rgb = PillowResizeTests.Synthetic(Width, Height);
        var store = Install();
        Save(OnnxExport.Installed(store, ArniqaModel.Encoder), NetworkPrecision.Int8, ArniqaModel.GraphPath(
            store, NetworkPrecision.Int8), rgb);
        var export = OnnxExport.Read(_folder["ARNIQA.pth"]).WithHead(_folder["regressor_koniq10k.pth"]);
        Assert.Equal(["full", "half"], export.Inputs);
        Save(export, precision, _folder["model.onnx"], rgb);
        var suffix = precision == NetworkPrecision.Int8 ? ":int8" : "";

        // The whole image and its half, of different shapes.
        using var halves = new HalfPlanes(NormalisedPlanes.ImageNet);
        var (full, half) = (new float[3 * Width * Height], new float[3 * (Width / 2) * (Height / 2)]);
        NormalisedPlanes.ImageNet.Write(rgb, 3 * Width, Width, Height, full, Width, Height);
        halves.WriteMeans(rgb, Width, Height, half);
        Assert.Equal(Score(store, $"arniqa:pyiqa{suffix}@koniq10k", rgb), Scale(
            Assert.Single(Run("model.onnx", full, half, 1, Width, Height, Width / 2, Height / 2))), ScoreTolerance);

        // The five crops in one batch.
        var (crops, halfCrops) = (new float[ArniqaCrops.Count * ArniqaCrops.Length], new float[ArniqaCrops.Count * ArniqaCrops.Length]);
        ArniqaCrops.WriteFull(rgb, Width, Height, crops);
        using (var cropper = new ArniqaCrops(ArniqaMode.Official))
            cropper.WriteHalf(rgb, Width, Height, halfCrops);
        var scores = Run(
            "model.onnx", crops, halfCrops, ArniqaCrops.Count, ArniqaCrops.Side, ArniqaCrops.Side, ArniqaCrops.Side, ArniqaCrops.Side);
        Assert.Equal(ArniqaCrops.Count, scores.Length);
        Assert.Equal(Score(store, $"arniqa{suffix}@koniq10k", rgb), Scale(scores.Average(score => (double)score)), ScoreTolerance);

        static double Scale(double raw) => (raw - 1) / 99;
    }

    [Fact]
    public void Without_a_head_the_model_gives_embeddings_and_one_from_the_store_is_the_same()
    {
        var store = Install();
        var export = OnnxExport.Read(_folder["ARNIQA.pth"]);
        export.Save(_folder["file.onnx"]);
        OnnxExport.Installed(store, ArniqaModel.Encoder).Save(_folder["store.onnx"]);
        Assert.Equal("embedding [N, 16]", export.Output);
        var planes = Enumerable.Range(0, 2 * 3 * 20 * 30).Select(i => MathF.Sin(i)).ToArray();
        var expected = Run("file.onnx", planes, 2, 30, 20);
        Assert.Equal(2 * TinyResNet.Features, expected.Length);
        Assert.Equal(1, expected[..TinyResNet.Features].Sum(v => (double)v * v), 1e-5);
        Assert.Equal(expected, Run("store.onnx", planes, 2, 30, 20));
        // The metrics of the store use the very same file.
        Assert.Equal(["embedding"], ArniqaModel.OpenEncoder(store, NetworkPrecision.Float, "cpu").OutputNames);
        Assert.Equal(File.ReadAllBytes(_folder["store.onnx"]), File.ReadAllBytes(ArniqaModel.GraphPath(store, NetworkPrecision.Float)));
    }

    [Fact]
    public void Weights_are_in_the_file_once_for_both_scales()
    {
        Install();
        var export = OnnxExport.Read(_folder["ARNIQA.pth"]);
        var head = export.WithHead(_folder["regressor_koniq10k.pth"]);
        export.Save(_folder["plain.onnx"]);
        head.Save(_folder["head.onnx"]);
        var weights = sizeof(float) * ArniqaCheckpoint.ReadEncoder(_tiny.TorchFile(), "tiny.pth").Convolutions()
            .Sum(layer => layer.Weights.Length + layer.Bias.Length);
        Assert.InRange(new FileInfo(_folder["head.onnx"]).Length - new FileInfo(_folder["plain.onnx"]).Length, 1, 40_000);
        Assert.True(new FileInfo(_folder["plain.onnx"]).Length > weights);
    }

    [Theory]
    [InlineData(NetworkPrecision.Float)]
    [InlineData(NetworkPrecision.Int8)]
    public void A_Keras_model_is_recognised_by_its_content_and_calibrated_at_the_sizes_of_its_metric(NetworkPrecision precision)
    {
        File.Move(_tiny.WriteKeras(_folder.Path), _folder["renamed"]);
        var export = OnnxExport.Read(_folder["renamed"]);
        Assert.Equal((NetworkLayout.Keras, "(v - (123.68, 116.779, 103.939)) / (1, 1, 1)"), (export.Layout, export.Pixels.Description));
        var rgb = PillowResizeTests.Synthetic(600, 500);
        using (var quantiser = new NetworkQuantiser(export))
        {
            Assert.Throws<InvalidOperationException>(() => quantiser.Save(_folder["model.onnx"]));
            quantiser.Add(new ImageView(new ImageHeader(600, 500, "png", 1), rgb, []));
            Assert.Equal(2, quantiser.Crops);
            if (precision == NetworkPrecision.Int8)
                quantiser.Save(_folder["model.onnx"]);
            else
                export.Save(_folder["model.onnx"]);
        }
        var planes = new float[3 * 64 * 48];
        using (var resize = new ResNetPlanes())
            resize.Write(new ImageView(new ImageHeader(600, 500, "png", 1), rgb, []), 64, 48, planes);
        var expected = Reference(planes, 48, 64);
        var found = Run("model.onnx", planes, 1, 64, 48);
        var cosine = expected.Zip(found, (e, f) => e * f).Sum();
        // Eight bits of a network with few channels: near, and not the floats.
        Assert.InRange(1 - cosine, precision == NetworkPrecision.Int8 ? 1e-9 : -1e-6, precision == NetworkPrecision.Int8 ? 0.05 : 1e-6);

        double[] Reference(float[] image, int height, int width) =>
            Pristine.Tests.References.ResNetReference.Embed(_tiny.Keras, StridePlace.Reduce, image, height, width);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Install();
        var export = OnnxExport.Read(_folder["ARNIQA.pth"]);
        File.WriteAllBytes(_folder["short.pth"], TinyResNet.Regressor(new float[31], 0));
        Assert.EndsWith("short.pth: expected 32 weights, twice the features of the encoder; found 31.",
            Assert.Throws<ModelException>(() => export.WithHead(_folder["short.pth"])).Message, StringComparison.Ordinal);
        Assert.Contains("expected a TorchScript module; found a state dict", Assert.Throws<ModelException>(
            () => export.WithHead(_folder["ARNIQA.pth"])).Message, StringComparison.Ordinal);
        Assert.Contains("expected a state dict; found a module", Assert.Throws<ModelException>(
            () => OnnxExport.Read(_folder["regressor_koniq10k.pth"])).Message, StringComparison.Ordinal);
        Assert.Contains("expected an encoder of ARNIQA",
            Assert.Throws<ModelException>(() => OnnxExport.Read(_tiny.WriteKeras(_folder.Path))
                .WithHead(_folder["regressor_koniq10k.pth"])).Message, StringComparison.Ordinal);
        var empty = new ModelStore(_folder["empty"]);
        Assert.Contains("pristine models pull arniqa", Assert.Throws<ModelException>(
            () => OnnxExport.Installed(empty, "arniqa")).Message, StringComparison.Ordinal);
        Assert.Contains("pristine models pull arniqa-spaq", Assert.Throws<ModelException>(
            () => export.WithHead(empty, "spaq")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OnnxExport.Installed(empty, "brisque-live"));
        Assert.ThrowsAny<IOException>(() => export.Save(_folder["none/model.onnx"]));
    }

    private ModelStore Install()
    {
        File.WriteAllBytes(_folder["ARNIQA.pth"], _tiny.TorchFile());
        File.WriteAllBytes(_folder["regressor_koniq10k.pth"], TinyResNet.Regressor([.. _head.Weights], _head.Bias));
        var store = new ModelStore(_folder["store"]);
        store.Import(ArniqaModel.Encoder, [_folder["ARNIQA.pth"]], UnknownFiles.Trust);
        store.Import(ArniqaModel.HeadName("koniq10k"), [_folder["regressor_koniq10k.pth"]], UnknownFiles.Trust);
        return store;
    }

    private static void Save(OnnxExport export, NetworkPrecision precision, string path, byte[] rgb)
    {
        if (precision == NetworkPrecision.Float)
        {
            export.Save(path);
            return;
        }
        using var quantiser = new NetworkQuantiser(export);
        quantiser.Add(View(rgb));
        quantiser.Save(path);
    }

    private static double Score(ModelStore store, string name, byte[] rgb)
    {
        using var scorer = new ArniqaMetric(((ArniqaMetric)MetricCatalog.Get(name)).Options with { Store = store }).CreateScorer();
        return scorer.Score(View(rgb));
    }

    private static ImageView View(byte[] rgb) => new(new ImageHeader(Width, Height, "png", rgb.Length), rgb, []);

    private float[] Run(string file, float[] planes, int batch, int width, int height)
    {
        using var session = new OnnxRuntimeSession(_folder[file]);
        using var worker = session.CreateWorker();
        planes.CopyTo(worker.Input(batch, 3, height, width));
        worker.Run();
        return worker.Output().ToArray();
    }

    private float[] Run(string file, float[] full, float[] half, int batch, int width, int height, int halfWidth, int halfHeight)
    {
        using var session = new OnnxRuntimeSession(_folder[file]);
        using var worker = session.CreateWorker();
        full.CopyTo(worker.InputAt(0, batch, 3, height, width));
        half.CopyTo(worker.InputAt(1, batch, 3, halfHeight, halfWidth));
        worker.Run();
        return worker.Output().ToArray();
    }
}
