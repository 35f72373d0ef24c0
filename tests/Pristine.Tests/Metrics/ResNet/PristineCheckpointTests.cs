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

    private readonly TinyResNet18 _tiny = new();

    [Theory]
    [InlineData(NetworkPrecision.Float, FloatTolerance)]
    [InlineData(NetworkPrecision.Int8, Int8Tolerance)]
    public void Graph_and_heads_compute_what_the_checkpoint_says(NetworkPrecision precision, double tolerance)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["epoch.pt"], _tiny.ToFile());
        var export = OnnxExport.Read(folder["epoch.pt"]);
        Assert.Equal(NetworkLayout.Pristine, export.Layout);
        var image = View(301, 203);
        if (precision == NetworkPrecision.Float)
            export.Save(folder["tiny.onnx"]);
        else
        {
            using var quantiser = new NetworkQuantiser(export);
            quantiser.Add(image);
            Assert.Equal(PristineViews.Count, quantiser.Crops);
            quantiser.Save(folder["tiny.onnx"]);
        }
        QualityHead.WriteAll(folder["tiny.heads"], export.Heads);
        var heads = QualityHead.ParseAll(File.ReadAllBytes(folder["tiny.heads"]), "tiny.heads");
        Assert.Equal(PristineCheckpoint.Outputs, heads.Select(head => head.Name));

        using var session = new OnnxRuntimeSession(folder["tiny.onnx"]);
        using var worker = session.CreateWorker();
        using var views = new PristineViews();
        var (features, expected) = (new List<double>(), new List<double>());
        for (var view = 0; view < PristineViews.Count; view++)
        {
            var shape = PristineViews.Shape(view, image.Width, image.Height);
            var planes = new float[shape.Length];
            views.Write(view, image, planes);
            planes.CopyTo(worker.Input(1, 3, shape.Third, shape.Fourth));
            worker.Run();
            features.AddRange(worker.Output().ToArray().Select(value => (double)value));
            var window = PristineViews.Place(view, image.Width, image.Height).Window;
            expected.AddRange(Reference(planes, shape, window.Height, window.Width));
        }
        var outputs = _tiny.Head(expected);
        Assert.Equal(HeadLink.Identity, heads[0].Link);
        Assert.Equal(outputs[0], heads[0].Score([.. features]), tolerance);
        for (var i = 1; i < outputs.Length; i++)
        {
            Assert.Equal(HeadLink.Logistic, heads[i].Link);
            Assert.Equal(1 / (1 + Math.Exp(-outputs[i])), heads[i].Score([.. features]), tolerance);
        }
    }

    [Theory]
    [InlineData("trunk.stages.1.0.second.weight", null, "expected a tensor trunk.stages.1.0.second.weight")]
    [InlineData("trunk.stem.bias", null, "expected a tensor trunk.stem.bias")]
    [InlineData("pixel", null, "expected a tensor pixel")]
    [InlineData("deviation", null, "expected a tensor deviation")]
    [InlineData(null, "head.weight", "expected head.weight of shape [10, 40]; found [400]")]
    [InlineData(null, "trunk.stages.0.1.first.weight", "of shape")]
    public void What_is_missing_or_has_another_shape_is_named(string? without, string? reshaped, string message)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["epoch.pt"], _tiny.ToFile(without, reshaped));
        var error = Assert.Throws<ModelException>(() => OnnxExport.Read(folder["epoch.pt"]));
        Assert.Contains("epoch.pt", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private double[] Reference(float[] planes, NetworkShape shape, int rows, int columns)
    {
        // Without the border, in the order B, G, R, less the means; the reference pads with zeros.
        var image = new double[3 * rows * columns];
        for (var channel = 0; channel < 3; channel++)
            for (var y = 0; y < rows; y++)
                for (var x = 0; x < columns; x++)
                    image[(channel * rows + y) * columns + x] = TinyResNet18.Normalise(
                        channel,
                        (byte)planes[
                            ((2 - channel) * shape.Third + y + PristineViews.Border) * shape.Fourth + x + PristineViews.Border]);
        return ResNetReference.BasicStatistics(
            _tiny.Convolution, TinyResNet18.Channels.Length, stage => stage > 0, image, rows, columns);
    }

    private static ImageView View(int width, int height) =>
        new(new ImageHeader(width, height, "png", 1), PillowResizeTests.Synthetic(width, height), []);
}
