using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Kernels;
using Pristine.Tests.Models;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.ResNet;

public sealed class PristineCheckpointTests
{
    /// <summary>
    /// The border of an image has the means in whole numbers, up to 0.15 from what is nothing for the network; beside that single against
    /// double precision.
    /// </summary>
    private const double FloatTolerance = 5e-3;

    /// <summary>Of outputs of about 1, for 8 bits of a network with so few channels that errors hardly average out.</summary>
    private const double Int8Tolerance = 0.15;

    [Theory]
    [InlineData(NetworkPrecision.Float, FloatTolerance, "pristine")]
    [InlineData(NetworkPrecision.Int8, Int8Tolerance, "pristine")]
    [InlineData(NetworkPrecision.Float, FloatTolerance, "pristine-large")]
    [InlineData(NetworkPrecision.Int8, Int8Tolerance, "pristine-large")]
    public void Graph_and_heads_compute_what_the_checkpoint_says(NetworkPrecision precision, double tolerance, string name)
    {
        var network = name == PristineNetwork.Small.Name ? PristineNetwork.Small : PristineNetwork.Large;
        var tiny = new TinyCheckpoint(network);
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["epoch.pt"], tiny.ToFile());
        var export = OnnxExport.Read(folder["epoch.pt"]);
        Assert.Equal(NetworkLayout.Pristine, export.Layout);
        var image = View(301, 203);
        if (precision == NetworkPrecision.Float)
            export.Save(folder["tiny.onnx"]);
        else
        {
            using var quantiser = new NetworkQuantiser(export);
            quantiser.Add(image);
            Assert.Equal(network.Views.Count, quantiser.Crops);
            quantiser.Save(folder["tiny.onnx"]);
        }
        QualityHead.WriteAll(folder["tiny.heads"], export.Heads);
        var heads = QualityHead.ParseAll(File.ReadAllBytes(folder["tiny.heads"]), "tiny.heads");
        Assert.Equal(network.Outputs, heads.Select(head => head.Name));
        Assert.All(heads, head => Assert.Equal(network.Identity, head.Features));

        using var views = new PristineViews(network);
        var (features, expected) = (new double[tiny.Features], new List<double>());
        var content = File.ReadAllBytes(folder["tiny.onnx"]);
        using var session = new OnnxRuntimeSession(content, isTrained: precision == NetworkPrecision.Int8);
        if (precision == NetworkPrecision.Int8)
        {
            using var extractor = new PristineFeatures(tiny.Network, session);
            extractor.Compute(image, features);
            // Batches give the same.
            using var prepared = extractor.Prepare(image);
            var rows = new double[2 * features.Length];
            extractor.Compute([prepared, prepared], rows);
            Assert.Equal([.. features, .. features], rows);
        }
        for (var view = 0; view < network.Views.Count; view++)
        {
            var shape = views.Shape(view, image.Width, image.Height);
            var planes = new float[shape.Length];
            views.Write(view, image, planes);
            if (precision == NetworkPrecision.Float)
            {
                using var worker = session.CreateWorker();
                planes.CopyTo(worker.Input(1, 3, shape.Third, shape.Fourth));
                worker.Run();
                worker.Output().WidenTo(features.AsSpan(view * worker.Output().Length));
            }
            var window = views.Place(view, image.Width, image.Height).Window;
            expected.AddRange(Reference(tiny, planes, shape, window.Height, window.Width));
        }
        var outputs = tiny.Head(expected);
        Assert.Equal(HeadLink.Identity, heads[0].Link);
        Assert.Equal(outputs[0], heads[0].Score(features), tolerance);
        for (var i = 1; i < heads.Count; i++)
        {
            Assert.Equal(HeadLink.Logistic, heads[i].Link);
            Assert.Equal(1 / (1 + Math.Exp(-outputs[i])), heads[i].Score(features), tolerance);
        }
    }

    [Theory]
    [InlineData("trunk.stages.1.0.second.weight", null, "expected a tensor trunk.stages.1.0.second.weight")]
    [InlineData("trunk.stem.bias", null, "expected a tensor trunk.stem.bias")]
    [InlineData("pixel", null, "expected a tensor pixel")]
    [InlineData("deviation", null, "expected a tensor deviation")]
    [InlineData(null, "head.weight", "expected head.weight of shape [10, 48]; found [480]")]
    [InlineData(null, "trunk.stages.0.1.first.weight", "of shape")]
    public void What_is_missing_or_has_another_shape_is_named(string? without, string? reshaped, string message)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["epoch.pt"], new TinyCheckpoint(PristineNetwork.Small).ToFile(without, reshaped));
        var error = Assert.Throws<ModelException>(() => OnnxExport.Read(folder["epoch.pt"]));
        Assert.Contains("epoch.pt", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static double[] Reference(TinyCheckpoint tiny, float[] planes, NetworkShape shape, int rows, int columns)
    {
        // Without the border, in the order B, G, R, less the means; the reference pads with zeros.
        var image = new double[3 * rows * columns];
        for (var channel = 0; channel < 3; channel++)
            for (var y = 0; y < rows; y++)
                for (var x = 0; x < columns; x++)
                    image[(channel * rows + y) * columns + x] = tiny.Normalise(
                        channel,
                        (byte)planes[
                            ((2 - channel) * shape.Third + y + PristineViews.Border) * shape.Fourth + x + PristineViews.Border]);
        return tiny.Statistics(image, rows, columns);
    }

    private static ImageView View(int width, int height) =>
        new(new ImageHeader(width, height, "png", 1), PillowResizeTests.Synthetic(width, height), []);
}
