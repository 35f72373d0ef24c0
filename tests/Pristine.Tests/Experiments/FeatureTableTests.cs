using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Brisque;
using Pristine.Scoring;
using Pristine.Tables;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments;

public sealed class FeatureTableTests : IDisposable
{
    private static readonly Feature Brisque = MetricCatalog.GetFeature("brisque-live");

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private string[] Images(int count)
    {
        Directory.CreateDirectory(_folder["images"]);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            Assert.Null(ImageEncoder.Encode(TestImages.Photo(40 + i, 32, seed: i), 40 + i, 32, "png", out var file));
            var path = _folder[$"images/{i}.png"];
            File.WriteAllBytes(path, file);
            return path;
        })];
    }

    private static IReadOnlyList<ImageFeatures> Compute(
        Feature feature, string[] paths, string? table = null, CancellationToken? cancellation = null) =>
        FeatureTable.Compute(
            feature, paths, new ScoringOptions { Workers = 2 }, table, null, cancellation ?? TestContext.Current.CancellationToken);

    private static float[] Expected(string path)
    {
        using var decoder = new ImageDecoder();
        using var extractor = Brisque.CreateExtractor();
        Assert.Equal(ImageStatus.Ok, decoder.Load(path, Brisque.Input).Status);
        var numbers = new double[Brisque.Count];
        extractor.Compute(decoder.Image, numbers);
        return [.. numbers.Select(number => (float)number)];
    }

    [Fact]
    public void Features_are_those_of_the_extractor_with_and_without_a_table_and_read_from_it()
    {
        var paths = Images(5);
        var expected = paths.Select(Expected).ToArray();
        Assert.Equal(expected, Compute(Brisque, paths).Select(image => image.Features));
        for (var run = 0; run < 2; run++)
            Assert.Equal(expected, Compute(Brisque, paths, _folder["table"]).Select(image => image.Features));
        // Another order, an image twice, fewer, and one that has changed.
        File.Copy(paths[4], paths[1], overwrite: true);
        File.SetLastWriteTimeUtc(paths[1], DateTime.UtcNow.AddMinutes(1));
        string[] other = [paths[3], paths[1], paths[3]];
        Assert.Equal([expected[3], expected[4], expected[3]], Compute(Brisque, other, _folder["table"]).Select(image => image.Features));
        Assert.Equal(other, Compute(Brisque, other, _folder["table"]).Select(image => image.Path));
    }

    [Fact]
    public void What_a_run_has_computed_before_it_was_stopped_is_not_computed_again()
    {
        var paths = Images(8);
        var feature = new Counted();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => FeatureTable.Compute(
            feature, paths, new ScoringOptions { Workers = 1 }, _folder["table"], _ =>
                { if (feature.Computed >= 3) stop.Cancel(); }, stop.Token));
        var before = feature.Computed;
        Assert.InRange(before, 3, 8);
        Assert.All(Compute(feature, paths, _folder["table"]), image => Assert.Equal(
            image.Features![0], float.Parse(Path.GetFileNameWithoutExtension(image.Path), null) + 40));
        Assert.Equal(8, feature.Computed);
    }

    [Fact]
    public void A_table_of_the_users_own_gets_the_column_and_must_have_the_images()
    {
        var paths = Images(4);
        _ = ScoreTableRun.Score(
            Dataset.Open(_folder["images"]), _folder["scores"], new ScoringOptions { Metrics = ["entropy"] },
            cancellation: TestContext.Current.CancellationToken).ToList();
        File.Copy(paths[0], _folder["elsewhere.png"]);
        var found = Compute(Brisque, [paths[2], _folder["elsewhere.png"]], _folder["scores"]);
        Assert.Equal(Expected(paths[2]), found[0].Features);
        Assert.Contains("about another dataset", found[1].Error, StringComparison.Ordinal);
        Assert.Equal(
            ["entropy", "brisque-live_features"], ScoreTable.Open(_folder["scores"]).Provenance.Columns.Select(column => column.Metric));
        Assert.Equal(Expected(paths[3]), Compute(Brisque, [paths[3]], _folder["scores"])[0].Features);
    }

    [Fact]
    public void Images_that_cannot_be_used_say_why_from_the_table_too()
    {
        var paths = Images(1);
        File.WriteAllText(_folder["text.png"], "no image");
        File.WriteAllBytes(_folder["grey.png"], TestImages.Png(1, 1));
        Assert.Null(ImageEncoder.Encode(new byte[3 * 64 * 64], 64, 64, "png", out var black));
        File.WriteAllBytes(_folder["black.png"], black);
        string[] all = [_folder["none.png"], _folder["text.png"], _folder["grey.png"], _folder["black.png"], paths[0]];
        foreach (var table in (string?[])[null, _folder["table"], _folder["table"]])
        {
            var (good, bad) = (0, 0);
            var found = FeatureTable.Compute(
                Brisque, all, null, table, usable => _ = usable ? good++ : bad++, TestContext.Current.CancellationToken);
            Assert.Equal([null, null, null, null, Expected(paths[0])], found.Select(image => image.Features));
            Assert.Contains("no such file", found[0].Error, StringComparison.Ordinal);
            Assert.Contains("pixels on each side", found[2].Error, StringComparison.Ordinal);
            Assert.Contains("a single colour", found[3].Error, StringComparison.Ordinal);
            Assert.Equal(5, good + bad);
        }
    }

    [Fact]
    public void Features_of_another_version_are_refused_and_so_is_a_file()
    {
        var paths = Images(2);
        Compute(new Counted(), paths, _folder["table"]);
        var error = Assert.Throws<ScoreTableException>(() => Compute(new Counted { Revision = 2 }, paths, _folder["table"]));
        Assert.Contains("version counted:1 in the table, counted:2 here", error.Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["photo.jpg"], "not features");
        Assert.Throws<DatasetException>(() => Compute(Brisque, paths, _folder["photo.jpg"]));
        Assert.Equal("not features", File.ReadAllText(_folder["photo.jpg"]));
    }

    /// <summary>The width of an image.</summary>
    private sealed class Counted : Feature
    {
        private int _computed;

        public int Computed => _computed;

        public int Revision { get; init; } = 1;

        public override string Name => "counted";

        public override string Identity => $"counted:{Revision}";

        public override int Count => 1;

        public override ImageInput Input => ImageInput.Luma;

        public override FeatureExtractor CreateExtractor() => new Extractor(this);

        private sealed class Extractor(Counted owner) : FeatureExtractor
        {
            public override int Count => 1;

            public override void Compute(in ImageView image, Span<double> features)
            {
                Interlocked.Increment(ref owner._computed);
                features[0] = image.Width;
            }
        }
    }
}
