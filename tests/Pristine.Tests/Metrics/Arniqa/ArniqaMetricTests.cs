using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Tests.Kernels;
using Pristine.Tests.Models;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.Arniqa;

/// <summary>The whole metric on a network with few channels, against a double-precision network and crops cut by the definition.</summary>
public sealed class ArniqaMetricTests
{
    /// <summary>Single against double precision; scores of about 1.</summary>
    private const double Tolerance = 2e-5;

    private static readonly double[] Mean = [0.485, 0.456, 0.406];
    private static readonly double[] Deviation = [0.229, 0.224, 0.225];

    [Theory]
    [Trait("kind", "long")]
    [InlineData(60, 43)]
    [InlineData(2, 3)]
    [InlineData(300, 230)]
    [InlineData(450, 100)]
    public void The_official_mode_is_the_mean_over_five_crops_at_two_scales(int width, int height)
    {
        var (tiny, head) = (new TinyResNet(), Head());
        using var folder = TestFiles.NewFolder();
        var rgb = PillowResizeTests.Synthetic(width, height);
        var half = new byte[width / 2 * (height / 2) * 3];
        using var resize = new PillowResize();
        resize.Resize(ResampleFilter.Bilinear, rgb, width, height, width / 2, height / 2, new(0, 0, width / 2, height / 2), half);
        var expected = 0.0;
        for (var crop = 0; crop < 5; crop++)
        {
            double[] Embed(byte[] image, int w, int h) =>
                ResNetReference.Embed(tiny.Torch, StridePlace.Middle, Crop(image, w, h, crop), 224, 224);
            double[] features = [.. Embed(rgb, width, height), .. Embed(half, width / 2, height / 2)];
            expected += (features.Zip(head.Weights, (f, w) => f * w).Sum() + head.Bias - 1) / 4 / 5;
        }
        Assert.Equal(expected, Score(Install(folder, tiny, head), "arniqa", rgb, width, height), Tolerance);
    }

    [Theory]
    [InlineData("arniqa:pyiqa")]
    [InlineData("arniqa:torchmetrics")]
    public void The_modes_of_whole_images_see_the_image_and_its_half(string name)
    {
        const int width = 61, height = 40;
        var (tiny, head) = (new TinyResNet(), Head());
        using var folder = TestFiles.NewFolder();
        var rgb = PillowResizeTests.Synthetic(width, height);
        var (whole, half) = (new float[3 * width * height], new float[3 * (width / 2) * (height / 2)]);
        NormalisedPlanes.ImageNet.Write(rgb, 3 * width, width, height, whole, width, height);
        using var halves = new HalfPlanes(NormalisedPlanes.ImageNet);
        if (name == "arniqa:pyiqa")
            halves.WriteMeans(rgb, width, height, half);
        else
            halves.WriteAntialiased(rgb, width, height, half);
        double[] features =
        [
            .. ResNetReference.Embed(tiny.Torch, StridePlace.Middle, whole, height, width),
            .. ResNetReference.Embed(tiny.Torch, StridePlace.Middle, half, height / 2, width / 2),
        ];
        var expected = (features.Zip(head.Weights, (f, w) => f * w).Sum() + head.Bias - 1) / 4;
        Assert.Equal(expected, Score(Install(folder, tiny, head), name, rgb, width, height), Tolerance);
    }

    [Fact]
    public void The_8_bit_encoder_is_made_from_images_and_part_of_the_name_and_hash()
    {
        const int width = 260, height = 230;
        using var folder = TestFiles.NewFolder();
        var store = Install(folder, new TinyResNet(), Head());
        var rgb = PillowResizeTests.Synthetic(width, height);
        var metric = new ArniqaMetric(((ArniqaMetric)MetricCatalog.Get("arniqa:int8")).Options with { Store = store });
        Assert.Contains("no int8 version yet; run: pristine models convert arniqa --int8", metric.Missing, StringComparison.Ordinal);
        Assert.Null(metric.ModelSha256);
        Assert.Contains("no int8 version", Assert.Throws<ModelException>(metric.CreateScorer).Message, StringComparison.Ordinal);
        using (var quantiser = new NetworkQuantiser(OnnxExport.Installed(store, ArniqaModel.Encoder)))
        {
            quantiser.Add(View(rgb, width, height));
            quantiser.Save(ArniqaModel.GraphPath(store, NetworkPrecision.Int8));
        }
        Assert.Null(metric.Missing);
        var exact = new ArniqaMetric(new() { Store = store });
        Assert.NotEqual(exact.ModelSha256, metric.ModelSha256);
        using var scorer = metric.CreateScorer();
        var difference = scorer.Score(View(rgb, width, height)) - Score(store, "arniqa", rgb, width, height);
        // 8 bits on a tiny network: near, but not the float encoder.
        Assert.InRange(Math.Abs(difference), 1e-9, 0.1);
        // Another encoder takes the graphs of the old one away.
        store.Import(ArniqaModel.Encoder, [Write(folder, "ARNIQA.pth", new TinyResNet(5).TorchFile())], UnknownFiles.Trust);
        Assert.NotNull(metric.Missing);
    }

    [Fact]
    public void Scorers_share_one_session_and_agree()
    {
        using var folder = TestFiles.NewFolder();
        var store = Install(folder, new TinyResNet(), Head());
        Assert.Same(
            ArniqaModel.OpenEncoder(store, NetworkPrecision.Float, "cpu"), ArniqaModel.OpenEncoder(store, NetworkPrecision.Float, "cpu"));
        var rgb = PillowResizeTests.Synthetic(50, 40);
        var metric = new ArniqaMetric(new() { Store = store });
        var scores = new double[4];
        Parallel.For(0, scores.Length, i =>
        {
            using var scorer = metric.CreateScorer();
            scores[i] = scorer.Score(View(rgb, 50, 40));
        });
        Assert.Single(scores.Distinct());
    }

    [Fact]
    public void A_scorer_allocates_nothing_after_the_first_image()
    {
        using var folder = TestFiles.NewFolder();
        var rgb = PillowResizeTests.Synthetic(50, 40);
        using var scorer = new ArniqaMetric(new() { Store = Install(folder, new TinyResNet(), Head()) }).CreateScorer();
        scorer.Score(View(rgb, 50, 40));
        Assert.Equal(0, Allocations.Least(() => scorer.Score(View(rgb, 50, 40))));
    }

    [Fact]
    public void What_is_missing_is_named_with_the_remedy()
    {
        using var folder = TestFiles.NewFolder();
        var store = new ModelStore(folder["store"]);
        var metric = new ArniqaMetric(new() { Store = store });
        Assert.Contains("pristine models pull arniqa", metric.Missing, StringComparison.Ordinal);
        Assert.Null(metric.ModelSha256);
        var file = Write(folder, "ARNIQA.pth", new TinyResNet().TorchFile());
        Assert.Contains("ad2022e5", Assert.Throws<ModelException>(() => store.Import("arniqa", [file])).Message, StringComparison.Ordinal);
        store.Import("arniqa", [file], UnknownFiles.Trust);
        Assert.Contains("arniqa-kadid10k", metric.Missing, StringComparison.Ordinal);
        var regressor = Write(folder, "regressor_live.pth", TinyResNet.Regressor(new float[10], 0));
        Assert.Contains(
            "(not known)", Assert.Throws<ModelException>(() => store.Import("arniqa-live", [regressor])).Message, StringComparison.Ordinal);
        store.Import("arniqa-live", [regressor], UnknownFiles.Trust);
        using var scorer = new ArniqaMetric(new() { Store = store, Head = ArniqaHead.Get("live") }).CreateScorer();
        Assert.Contains("expected a regressor on 32 features", Assert.Throws<ModelException>(
            () => scorer.Score(View(new byte[12], 2, 2))).Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("kadid10k", 3, 0.5)]
    [InlineData("live", 1, 1)]
    [InlineData("live", 100, 0)]
    [InlineData("csiq", 0.25, 0.75)]
    [InlineData("tid2013", 4.5, 0.5)]
    [InlineData("koniq10k", 199, 2)]
    [InlineData("flive", 1, 0)]
    public void Ratings_are_scaled_to_quality_and_not_clipped(string head, double raw, double score) =>
        Assert.Equal(score, ArniqaHead.Get(head).Scale(raw, ArniqaMode.Official), 1e-12);

    [Fact]
    public void Flive_alone_is_scaled_otherwise_in_pyiqa() => Assert.Equal(0.01, ArniqaHead.Get("flive").Scale(1, ArniqaMode.Pyiqa), 1e-12);

    [Theory]
    [InlineData("arniqa", "arniqa")]
    [InlineData("arniqa@kadid10k", "arniqa")]
    [InlineData("arniqa:official@spaq", "arniqa@spaq")]
    [InlineData("arniqa:int8:pyiqa@clive", "arniqa:pyiqa:int8@clive")]
    [InlineData("arniqa:training", "arniqa:training")]
    public void A_name_says_mode_precision_and_regressor(string name, string canonical) =>
        Assert.Equal(canonical, MetricCatalog.Get(name).Name);

    [Fact]
    public void An_unknown_variant_is_refused_with_the_known_ones()
    {
        Assert.Contains(
            "koniq10k", Assert.Throws<ArgumentException>(() => MetricCatalog.Get("arniqa@koniq")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "torchmetrics", Assert.Throws<ArgumentException>(() => MetricCatalog.Get("arniqa:fast")).Message, StringComparison.Ordinal);
        Assert.Null(MetricCatalog.Find("arniqas"));
    }

    private static LinearHead Head()
    {
        var random = new Random(9);
        return new([.. Enumerable.Range(0, 2 * TinyResNet.Features).Select(_ => (float)(random.NextDouble() * 4 - 2))], 2.5f);
    }

    private static ModelStore Install(TemporaryFolder folder, TinyResNet tiny, LinearHead head)
    {
        var store = new ModelStore(folder["store"]);
        store.Import("arniqa", [Write(folder, "ARNIQA.pth", tiny.TorchFile())], UnknownFiles.Trust);
        store.Import("arniqa-kadid10k", [
            Write(folder, "regressor_kadid10k.pth", TinyResNet.Regressor([.. head.Weights], head.Bias))], UnknownFiles.Trust);
        return store;
    }

    private static string Write(TemporaryFolder folder, string name, byte[] content)
    {
        File.WriteAllBytes(folder[name], content);
        return folder[name];
    }

    private static double Score(ModelStore store, string name, byte[] rgb, int width, int height)
    {
        using var scorer = new ArniqaMetric(((ArniqaMetric)MetricCatalog.Get(name)).Options with { Store = store }).CreateScorer();
        return scorer.Score(View(rgb, width, height));
    }

    private static ImageView View(byte[] rgb, int width, int height) => new(new ImageHeader(width, height, "png", rgb.Length), rgb, []);

    /// <summary>
    /// A normalised crop of 224 pixels: centre, top left, bottom left, top right, bottom right; outside the image is black.
    /// </summary>
    private static float[] Crop(byte[] rgb, int width, int height, int crop)
    {
        var left = crop switch { 0 => width / 2 - 112, 1 or 2 => 0, _ => width - 224 };
        var top = crop switch { 0 => height / 2 - 112, 1 or 3 => 0, _ => height - 224 };
        var planes = new float[3 * 224 * 224];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < 224; y++)
                for (var x = 0; x < 224; x++)
                {
                    var (column, row) = (left + x, top + y);
                    var inside = column >= 0 && row >= 0 && column < width && row < height;
                    planes[(c * 224 + y) * 224 + x] =
                        (float)(((inside ? rgb[(row * width + column) * 3 + c] / 255.0 : 0) - Mean[c]) / Deviation[c]);
                }
        return planes;
    }
}
