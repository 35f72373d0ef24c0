using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Models;
using Pristine.Tests.References;

namespace Pristine.Tests.Networks;

public sealed class ResNet50Tests
{
    /// <summary>Single against double precision through 53 layers; entries of a unit vector.</summary>
    private const double FloatTolerance = 2e-5;

    /// <summary>Relative. A deviation of 0 is the root of what two squares in single precision leave of each other.</summary>
    private const double StatisticsTolerance = 2e-3;

    /// <summary>Cosine distance of 8 bits to 32 on a network with so few channels that errors hardly average out.</summary>
    private const double Int8Tolerance = 0.01;

    [Theory]
    [InlineData(1, 32, 32)]
    [InlineData(2, 37, 50)]
    [InlineData(3, 1, 1)]
    [InlineData(2, 5, 64)]
    public void A_checkpoints_graph_computes_what_its_layers_say(int batch, int height, int width)
    {
        var tiny = new TinyResNet();
        var network = ArniqaCheckpoint.ReadEncoder(tiny.TorchFile(), "tiny.pth");
        Assert.Equal(TinyResNet.Features, network.Features);
        Compare(network, tiny.Torch, StridePlace.Middle, batch, height, width);
    }

    [Fact]
    public void A_Keras_models_graph_computes_what_its_layers_say()
    {
        using var folder = TestFiles.NewFolder();
        var tiny = new TinyResNet(2);
        Compare(KerasResNet50.Read(tiny.WriteKeras(folder.Path)), tiny.Keras, StridePlace.Reduce, 2, 37, 50);
    }

    [Theory]
    [InlineData(37, 50)]
    [InlineData(1, 1)]
    public void Statistics_are_the_mean_and_deviation_of_every_channel_of_the_stages(int height, int width)
    {
        var tiny = new TinyResNet(3);
        var network = ArniqaCheckpoint.ReadEncoder(tiny.TorchFile(), "tiny.pth");
        using var session = new OnnxRuntimeSession(ResNet50Graph.Float(network, ResNet50Output.Statistics).ToArray());
        using var worker = session.CreateWorker();
        var images = new[] { Image(1, height, width), Image(2, height, width) };
        images.SelectMany(image => image).ToArray().CopyTo(worker.Input(2, 3, height, width));
        worker.Run();
        for (var i = 0; i < images.Length; i++)
        {
            var expected = ResNetReference.Statistics(tiny.Torch, StridePlace.Middle, images[i], height, width);
            var found = worker.Output().Slice(i * expected.Length, worker.Output().Length / images.Length);
            Assert.Equal(expected.Length, found.Length);
            for (var f = 0; f < expected.Length; f++)
                Assert.Equal(expected[f], found[f], StatisticsTolerance * (1 + Math.Abs(expected[f])));
        }
    }

    [Theory]
    [InlineData(CalibrationMethod.MinMax)]
    [InlineData(CalibrationMethod.Percentile)]
    [InlineData(CalibrationMethod.LeastError)]
    public void In_8_bits_embeddings_stay_close(CalibrationMethod method)
    {
        using var folder = TestFiles.NewFolder();
        var tiny = new TinyResNet();
        var network = ArniqaCheckpoint.ReadEncoder(tiny.TorchFile(), "tiny.pth");
        const int side = 64;
        var images = Enumerable.Range(0, 8).Select(seed => Image(seed, side, side)).ToArray();
        using (var calibration = new Int8Calibration(ResNet50Graph.Of(network), new(-3, 3)))
        {
            Assert.Throws<InvalidOperationException>(() => calibration.Quantised());
            foreach (var image in images)
                calibration.Add(image, side, side);
            calibration.Quantised(method).Save(folder["int8.onnx"]);
        }
        Assert.Equal(["int8.onnx"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName));
        using var session = new OnnxRuntimeSession(folder["int8.onnx"]);
        using var worker = session.CreateWorker();
        foreach (var image in images)
        {
            image.CopyTo(worker.Input(1, 3, side, side));
            worker.Run();
            var expected = ResNetReference.Embed(tiny.Torch, StridePlace.Middle, image, side, side);
            var cosine = 0.0;
            for (var i = 0; i < expected.Length; i++)
                cosine += expected[i] * worker.Output()[i];
            Assert.InRange(1 - cosine, -1e-6, Int8Tolerance);
            // It is the 8-bit graph that ran: floats would agree far better.
            Assert.True(1 - cosine > 1e-9);
        }
    }

    [Fact]
    public void A_missing_tensor_or_a_wrong_shape_is_named()
    {
        var tiny = new TinyResNet();
        Assert.Contains("tiny.pth: expected a tensor model.6.3.bn2.running_var", Message(
            tiny.TorchFile(without: "model.6.3.bn2.running_var")), StringComparison.Ordinal);
        Assert.Contains("tiny.pth: expected model.4.0.conv2.weight of shape [2, 2, 3, 3] (stage1.block0.middle); found [1, 36]",
            Message(tiny.TorchFile(reshaped: "model.4.0.conv2.weight")), StringComparison.Ordinal);
        Assert.Contains("expected model.1.bias of shape [4]", Message(tiny.TorchFile(reshaped: "model.1.bias")), StringComparison.Ordinal);

        static string Message(byte[] file) => Assert.Throws<ModelException>(() => ArniqaCheckpoint.ReadEncoder(file, "tiny.pth")).Message;
    }

    [Theory]
    [InlineData("layers-model", "graph-model", "layers-model")]
    [InlineData("float32", "uint8", "plain float32")]
    [InlineData("shard2.bin", "../shard2.bin", "beside it")]
    [InlineData("conv1/kernel", "conv0/kernel", "conv1/kernel")]
    [InlineData("bn_conv1\"", "bn_conv0\"", "bn_conv1")]
    [InlineData("weightsManifest", "weights", "model.json")]
    [InlineData("[7,7,3,4]", "[7,7,4,3]", "expected conv1/kernel of shape")]
    [InlineData("[7,7,3,4]", "[7,7,3,5]", "bytes in its 2 shards")]
    [InlineData("{", "[", "model.json")]
    public void A_Keras_model_that_is_not_one_is_refused(string text, string replacement, string message)
    {
        using var folder = TestFiles.NewFolder();
        var path = new TinyResNet().WriteKeras(folder.Path);
        var json = File.ReadAllText(path);
        Assert.Contains(text, json, StringComparison.Ordinal);
        File.WriteAllText(path, json.Replace(text, replacement, StringComparison.Ordinal));
        var error = Assert.Throws<ModelException>(() => KerasResNet50.Read(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static void Compare(
        ResNet50 network, Func<ConvolutionPlace, NormalisedConvolution> weights, StridePlace stride, int batch, int height, int width)
    {
        using var session = new OnnxRuntimeSession(ResNet50Graph.Float(network).ToArray());
        using var worker = session.CreateWorker();
        var images = Enumerable.Range(0, batch).Select(seed => Image(seed, height, width)).ToArray();
        images.SelectMany(image => image).ToArray().CopyTo(worker.Input(batch, 3, height, width));
        worker.Run();
        Assert.Equal(batch * network.Features, worker.Output().Length);
        for (var i = 0; i < batch; i++)
        {
            var expected = ResNetReference.Embed(weights, stride, images[i], height, width);
            for (var f = 0; f < expected.Length; f++)
                Assert.Equal(expected[f], worker.Output()[i * expected.Length + f], FloatTolerance);
        }
    }

    private static float[] Image(int seed, int height, int width)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 3 * height * width)
            .Select(i => (float)(2 * Math.Sin(i * (0.01 + 0.01 * seed)) + random.NextDouble() - 0.5))];
    }
}
