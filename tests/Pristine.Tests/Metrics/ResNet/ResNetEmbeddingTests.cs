using Pristine.Experiments;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Media;
using Pristine.Tests.Models;

namespace Pristine.Tests.Metrics.ResNet;

public sealed class ResNetEmbeddingTests
{
    [Theory]
    [InlineData(224, 224, 224, 224)]
    [InlineData(32, 32, 224, 224)]
    [InlineData(4000, 3000, 259, 194)]
    [InlineData(3000, 4000, 194, 259)]
    [InlineData(1, 1, 224, 224)]
    [InlineData(490, 10, 1568, 32)]
    [InlineData(32, 100_000, 32, 1568)]
    public void Every_image_is_resized_to_the_same_area_and_keeps_its_shape(int width, int height, int seenWidth, int seenHeight) =>
        Assert.Equal((seenWidth, seenHeight), ResNetEmbedding.Size(width, height));

    [Fact]
    public void Is_the_part_of_the_statistics_that_holds_the_last_stages_means()
    {
        using var folder = TestFiles.NewFolder();
        InstalledNetwork.LinkTo(ModelStore.Default.Folder, folder.Path);
        var store = new ModelStore(folder.Path);
        using var embedding = new ResNetEmbeddingFeature(store, NetworkPrecision.Int8).CreateExtractor();
        using var statistics = new ResNetFeature(store, NetworkPrecision.Int8).CreateExtractor();
        double[] found = new double[ResNetEmbedding.Length], all = new double[ResNetFeatures.Length];
        // At this size neither resizes the image.
        var image = new ImageView(new ImageHeader(224, 224, "png", 1), TestImages.Photo(224, 224), default);
        embedding.Compute(image, found);
        statistics.Compute(image, all);
        Assert.Equal(all[1792..3840], found);
        Assert.Contains(found, value => value > 0.1);
    }

    [Fact]
    public void In_8_bits_embeddings_of_photos_stay_close_and_photos_of_one_thing_are_alike()
    {
        using var folder = TestFiles.NewFolder();
        InstalledNetwork.LinkTo(ModelStore.Default.Folder, folder.Path);
        var store = new ModelStore(folder.Path);
        var (integers, floats) =
            (new ResNetEmbeddingFeature(store, NetworkPrecision.Int8), new ResNetEmbeddingFeature(store, NetworkPrecision.Float));
        Assert.NotEqual(integers.Identity, floats.Identity);
        string[] photos =
            [.. new[] { "moss.jpg", "moss-blur.jpg", "spaniels.jpg" }.Select(name => TestFiles.InRepository("samples", "photos", name))];
        double[][] Rows(Feature set) => [.. FeatureTable.Compute(set, photos, cancellation: TestContext.Current.CancellationToken)
            .Select(image => Array.ConvertAll(image.Features!, value => (double)value))];
        var (a, b) = (Rows(integers), Rows(floats));
        for (var i = 0; i < photos.Length; i++)
            Assert.True(Correlation.Pearson(a[i], b[i]) > 0.98, $"{photos[i]}: {Correlation.Pearson(a[i], b[i])}");
        Assert.True(Correlation.Pearson(a[0], a[1]) > Correlation.Pearson(a[0], a[2]) + 0.2);
        Assert.IsType<ResNetEmbeddingFeature>(MetricCatalog.GetFeature("resnet50-embedding"));
    }
}
