using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Models;

namespace Pristine.Tests.Metrics.ResNet;

public sealed class ResNetMetricTests
{
    /// <summary>Correlation over the channels of a stage between the 8-bit network and the one in floats, on a photo.</summary>
    private const double Int8Correlation = 0.995;

    [Theory]
    [InlineData(512, 512, 512, 512, 256, 256)]
    [InlineData(224, 100, 224, 100, 112, 50)]
    [InlineData(511, 383, 511, 383, 256, 192)]
    [InlineData(4000, 3000, 591, 443, 296, 222)]
    [InlineData(32, 32, 32, 32, 16, 16)]
    [InlineData(32, 100_000, 9, 28622, 5, 14311)]
    [InlineData(1, 1, 1, 1, 1, 1)]
    public void Large_images_are_shrunk_to_an_area_and_small_ones_left_alone(
        int width, int height, int fullWidth, int fullHeight, int halfWidth, int halfHeight) =>
        Assert.Equal(((fullWidth, fullHeight), (halfWidth, halfHeight)), ResNetFeatures.Sizes(width, height));

    [Fact]
    public void In_8_bits_the_features_of_photos_stay_close()
    {
        using var folder = TestFiles.NewFolder();
        InstalledNetwork.LinkTo(ModelStore.Default.Folder, folder.Path);
        var store = new ModelStore(folder.Path);
        using var integers = new ResNetFeature(store, NetworkPrecision.Int8).CreateExtractor();
        using var floats = new ResNetFeature(store, NetworkPrecision.Float).CreateExtractor();
        using var decoder = new ImageDecoder();
        double[] a = new double[ResNetFeatures.Length], b = new double[ResNetFeatures.Length];
        foreach (var name in (string[])["leaf.jpg", "moss-blur.jpg"])
        {
            Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.InRepository("samples", "photos", name), ImageInput.Rgb).Status);
            integers.Compute(decoder.Image, a);
            floats.Compute(decoder.Image, b);
            Assert.NotEqual(a, b);
            for (int start = 0, part = 0; start < a.Length; part++)
            {
                var channels = 256 << part % 4;
                var correlation = Pristine.Experiments.Correlation.Pearson(
                    [.. a.Skip(start).Take(channels)], [.. b.Skip(start).Take(channels)]);
                Assert.True(correlation > Int8Correlation, $"{name}, part {part}: {correlation}");
                start += channels;
            }
        }
        Assert.Equal(2, Directory.GetFiles(Path.Combine(folder.Path, ImageNetResNet50.Name), "*.onnx").Length);
    }

    [Fact]
    public void A_store_that_cannot_be_written_to_is_no_obstacle()
    {
        using var folder = TestFiles.NewFolder();
        InstalledNetwork.LinkTo(ModelStore.Default.Folder, folder["store"]);
        // A folder where the graph should be: no file can be made there, not even by root.
        Directory.CreateDirectory(folder[$"store/{ImageNetResNet50.Name}/statistics-int8-1.onnx"]);
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.InRepository("samples", "photos", "leaf.jpg"), ImageInput.Rgb).Status);
        var metric = ResNetMetric.Biq2021;
        Assert.Null(metric.Missing);
        var features = new double[ResNetFeatures.Length];
        using (var extractor = new ResNetFeature(new ModelStore(folder["store"]), NetworkPrecision.Int8).CreateExtractor())
            extractor.Compute(decoder.Image, features);
        Assert.All(features, value => Assert.InRange(value, 0, float.MaxValue));
    }

    [Fact]
    public void A_head_for_other_features_is_refused()
    {
        var message = Assert.Throws<ArgumentException>(
            () => new ResNetMetric(new QualityHead("x", "resnet50:float", new float[ResNetFeatures.Length], 0, 0, 1, ""))).Message;
        Assert.Contains("resnet50:int8", message, StringComparison.Ordinal);
        Assert.Contains("resnet50:float", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new ResNetMetric(new QualityHead("x", "resnet50:int8", [1, 2], 0, 0, 1, "")));
    }

    [Fact]
    public void The_ends_of_the_scale_give_range_direction_and_quality()
    {
        var metric = new ResNetMetric(new QualityHead("dmos", "resnet50:int8", new float[ResNetFeatures.Length], 0, 100, 20, ""));
        Assert.Equal(
            ("resnet50@dmos", MetricDirection.LowerIsBetter, new MetricRange(20, 100)), (metric.Name, metric.Direction, metric.Range));
        Assert.Equal((0.0, 0.5, 1.0, 1.0), (metric.Quality(100), metric.Quality(60), metric.Quality(20), metric.Quality(-5)));
        Assert.Equal(MetricDirection.HigherIsBetter, ResNetMetric.Biq2021.Direction);
        Assert.Equal(new MetricRange(0, 1), ResNetMetric.Biq2021.Range);
        Assert.Same(ResNetMetric.Biq2021, MetricCatalog.Get("resnet50"));
        Assert.Same(ResNetMetric.Biq2021, MetricCatalog.Get("resnet50@biq2021"));
    }

    [Fact]
    public void Damage_is_low_where_an_image_is_good_and_needs_no_features_of_its_own()
    {
        var damage = MetricCatalog.Get("resnet50@damage");
        Assert.Same(ResNetMetric.Damage, damage);
        Assert.Equal((MetricDirection.LowerIsBetter, new MetricRange(0, 1)), (damage.Direction, damage.Range));
        Assert.Equal((1.0, 0.75, 0.0, 0.0), (damage.Quality(-0.2), damage.Quality(0.25), damage.Quality(1), damage.Quality(1.3)));
        Assert.Equal(ResNetMetric.Biq2021.Feature.Identity, ResNetMetric.Damage.Feature.Identity);
        Assert.Contains("degraded", damage.Summary, StringComparison.Ordinal);
        Assert.Contains("Opinion", ResNetMetric.Biq2021.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void A_metric_of_ones_own_can_be_added_once()
    {
        var metric = new ResNetMetric(new QualityHead("added-by-test", "resnet50:int8", new float[ResNetFeatures.Length], 0, 0, 1, ""));
        var known = MetricSet.BuiltIn.With(metric);
        Assert.Same(metric, known.Find("resnet50@added-by-test"));
        Assert.Null(MetricCatalog.Find(metric.Name));
        Assert.Throws<ArgumentException>(() => known.With(metric));
        Assert.Throws<ArgumentException>(() => known.With(ResNetMetric.Biq2021));
    }
}
