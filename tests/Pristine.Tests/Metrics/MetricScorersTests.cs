using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Scoring;
using Pristine.Tests.Models;

namespace Pristine.Tests.Metrics;

public sealed class MetricScorersTests
{
    [Fact]
    public void A_feature_of_several_metrics_is_computed_once_per_image()
    {
        var feature = new Corner();
        using var scorer = new ImageScorer(
            new ScoringOptions { Metrics = [new Channel(feature, 0), new Channel(feature, 1), new Channel(feature, 2)] });
        var leaf = scorer.Score(TestFiles.InRepository("samples", "photos", "leaf.jpg")).Scores.ToArray();
        Assert.Equal(1, feature.Computed);
        var moss = scorer.Score(TestFiles.InRepository("samples", "photos", "moss.jpg")).Scores.ToArray();
        Assert.Equal(2, feature.Computed);
        Assert.NotEqual(leaf, moss);
        Assert.Equal(leaf, scorer.Score(TestFiles.InRepository("samples", "photos", "leaf.jpg")).Scores.ToArray());
    }

    [Fact]
    public void Metrics_together_score_as_each_alone()
    {
        InstalledNetwork.Require(ModelStore.Default.Folder);
        Metric[] metrics = [new BrisqueMetric(), new Sharpness(), ResNetMetric.Biq2021, new Channel(new Corner(), 1), new BrisqueMetric()];
        using var decoder = new ImageDecoder();
        using var together = new MetricScorers(metrics);
        foreach (var photo in (string[])["leaf.jpg", "moss-blur.jpg"])
        {
            decoder.Load(TestFiles.InRepository("samples", "photos", photo), ImageInput.Rgb | ImageInput.Luma);
            together.BeginImage();
            for (var i = 0; i < metrics.Length; i++)
            {
                using var alone = metrics[i].CreateScorer();
                Assert.Equal(alone.Score(decoder.Image), together.Score(i, decoder.Image));
            }
        }
    }

    [Fact]
    public void What_fails_for_one_metric_of_a_feature_is_not_tried_again_for_the_next()
    {
        var feature = new Corner { Fails = true };
        using var scorer = new ImageScorer(
            new ScoringOptions { Metrics = [new Channel(feature, 0), new Channel(feature, 1), new Sharpness()] });
        var row = scorer.Score(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        Assert.Equal((ImageStatus.TooLarge, 1), (row.Status, feature.Computed));
        Assert.Equal([double.NaN, double.NaN], row.Scores.ToArray()[..2]);
        Assert.True(row.Scores.Span[2] > 0);
        feature.Fails = false;
        Assert.Equal(ImageStatus.Ok, scorer.Score(TestFiles.InRepository("samples", "photos", "leaf.jpg")).Status);
    }

    [Fact]
    public void Heads_of_one_network_have_equal_features_and_modes_and_places_have_not()
    {
        static Feature Of(ArniqaOptions options) => new ArniqaMetric(options).Feature;
        var official = Of(new());
        Assert.All(ArniqaHead.All, head => Assert.Equal(official, Of(new() { Head = head })));
        Assert.NotEqual(official, Of(new() { Mode = ArniqaMode.Pyiqa }));
        Assert.NotEqual(official, Of(new() { Precision = NetworkPrecision.Int8 }));
        Assert.NotEqual(official, Of(new() { Device = "cuda:3" }));
        Assert.NotEqual(official, Of(new() { Store = new ModelStore("elsewhere") }));

        var own = new ResNetMetric(new QualityHead("own", "resnet50:int8", new float[ResNetFeatures.Length], 0, 0, 1, ""));
        Assert.Equal(ResNetMetric.Biq2021.Feature, own.Feature);
        Assert.NotEqual<Feature>(own.Feature, own.Feature.WithDevice("cuda:3"));
        Assert.NotEqual<Feature>(new ResNetFeature(), new ResNetEmbeddingFeature());
    }

    /// <summary>The first pixel.</summary>
    private sealed class Corner : Feature
    {
        public int Computed { get; private set; }

        public bool Fails { get; set; }

        public override string Name => "corner";

        public override string Identity => "corner:1";

        public override int Count => 3;

        public override ImageInput Input => ImageInput.Rgb;

        public override FeatureExtractor CreateExtractor() => new Extractor(this);

        private sealed class Extractor(Corner owner) : FeatureExtractor
        {
            public override int Count => 3;

            public override void Compute(in ImageView image, Span<double> features)
            {
                owner.Computed++;
                if (owner.Fails)
                    throw new InsufficientMemoryException("no room");
                for (var i = 0; i < 3; i++)
                    features[i] = image.Rgb[i];
            }
        }
    }

    private sealed class Channel(Corner feature, int index) : FeatureMetric
    {
        public override string Name => $"channel{index}";

        public override string Summary => "One channel of the first pixel.";

        public override string Formula => "none";

        public override Feature Feature => feature;

        public override double Score(ReadOnlySpan<double> features) => features[index];
    }
}
