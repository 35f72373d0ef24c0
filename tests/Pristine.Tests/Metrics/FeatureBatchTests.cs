using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.Onnx;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Models;

namespace Pristine.Tests.Metrics;

/// <summary>
/// Numbers of an image do not depend on the images that are computed together with it: to the last bit, on the processor.
/// </summary>
public sealed class FeatureBatchTests
{
    /// <summary>The photos, in an order in which some neighbours have one shape and others have not.</summary>
    private static readonly string[] Photos = [.. Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")
        .Where(path => Path.GetFileName(path) != "corrupt.jpg").Order(StringComparer.Ordinal).Take(8)];

    [Theory]
    [InlineData(NetworkPrecision.Int8)]
    [InlineData(NetworkPrecision.Float)]
    public void Statistics_and_embeddings_of_the_installed_network(NetworkPrecision precision)
    {
        InstalledNetwork.Require(ModelStore.Default.Folder);
        using var embedding = new ResNetEmbeddingFeature(ModelStore.Default, precision).CreateExtractor();
        Check(embedding, Photos.Take(3));
        using var statistics = new ResNetFeature(ModelStore.Default, precision).CreateExtractor();
        if (precision == NetworkPrecision.Int8)
            Check(statistics, Photos.Take(3));
    }

    [Theory]
    [Trait("kind", "long")]
    [InlineData(ArniqaMode.Official)]
    [InlineData(ArniqaMode.Training)]
    [InlineData(ArniqaMode.Pyiqa)]
    [InlineData(ArniqaMode.TorchMetrics)]
    public void Modes_of_arniqa(ArniqaMode mode)
    {
        var network = ArniqaCheckpoint.ReadEncoder(new TinyResNet().TorchFile(), "tiny.pth");
        using var session = new OnnxRuntimeSession(ResNet50Graph.Float(network).ToArray());
        using var extractor = new ArniqaExtractor(session, mode);
        Assert.True(extractor.ComputesTogether);
        Assert.Equal(2 * TinyResNet.Features, extractor.Count);
        Check(extractor, Photos);
    }

    [Theory]
    [InlineData("batch", true)]
    [InlineData("1", false)]
    public void A_network_of_the_users_own_whether_or_not_it_takes_batches(string batch, bool together)
    {
        var graph = new OnnxGraph("means");
        graph.Input("pixels", batch, "3", "8", "8");
        graph.Output(graph.Node("Flatten", "means", [graph.Node("GlobalAveragePool", "pooled", ["pixels"])], ("axis", 1L)), batch, "3");
        using var session = new OnnxRuntimeSession(graph.ToArray());
        using var extractor = new OnnxExtractor(
            session, new OnnxManifest("means", "means.onnx", Input: new OnnxInput(Width: 8, Height: 8), Output: new OnnxOutput(Index: 0)));
        Assert.Equal(together, extractor.ComputesTogether);
        Check(extractor, Photos);
    }

    [Fact]
    public void What_is_no_network_is_computed_when_it_is_prepared()
    {
        using var extractor = new BrisqueLiveFeature().CreateExtractor();
        Assert.False(extractor.ComputesTogether);
        Check(extractor, Photos.Take(3));
        var wrong = Assert.Throws<ArgumentException>(() => extractor.Compute([], new double[1]));
        Assert.Contains("Expected 0 rows of 36 values; found 1 values", wrong.Message, StringComparison.Ordinal);
    }

    private static void Check(FeatureExtractor extractor, IEnumerable<string> photos)
    {
        using var decoder = new ImageDecoder();
        var paths = photos.ToArray();
        var alone = new double[paths.Length][];
        for (var i = 0; i < paths.Length; i++)
        {
            Load(decoder, paths[i]);
            extractor.Compute(decoder.Image, alone[i] = new double[extractor.Count]);
        }
        // All together, in another order; and in twos.
        var all = Enumerable.Range(0, paths.Length).ToArray();
        foreach (var batch in ((IEnumerable<int[]>)[[.. all.Reverse()]]).Concat(all.Chunk(2)))
        {
            var prepared = new List<PreparedImage>();
            foreach (var i in batch)
            {
                Load(decoder, paths[i]);
                prepared.Add(extractor.Prepare(decoder.Image));
            }
            var rows = new double[batch.Length * extractor.Count];
            extractor.Compute(prepared, rows);
            foreach (var image in prepared)
                image.Dispose();
            for (var i = 0; i < batch.Length; i++)
                Assert.Equal(alone[batch[i]], rows[(i * extractor.Count)..((i + 1) * extractor.Count)]);
        }
        Assert.NotEqual(alone[0], alone[1]);
    }

    private static void Load(ImageDecoder decoder, string path) =>
        Assert.Equal(ImageStatus.Ok, decoder.Load(path, ImageInput.Rgb | ImageInput.Luma).Status);
}
