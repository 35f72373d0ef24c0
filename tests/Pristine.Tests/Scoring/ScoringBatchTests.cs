using System.Collections.Concurrent;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Tables;
using Pristine.Tests.Models;

namespace Pristine.Tests.Scoring;

/// <summary>Images that networks compute together get the rows that each would get alone, whatever the batch.</summary>
public sealed class ScoringBatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Items with one image, several and none; files that are broken, too small, missing or named twice; sizes that differ.
    /// </summary>
    private Dataset Records()
    {
        (string Name, int Width, int Height)[] images =
            [("a", 96, 64), ("b", 96, 64), ("tall1", 48, 80), ("c", 97, 64), ("tall2", 48, 80), ("d", 96, 64)];
        for (var i = 0; i < images.Length; i++)
        {
            var (name, width, height) = images[i];
            Assert.Null(ImageEncoder.Encode(Media.TestImages.Photo(width, height, seed: i), width, height, "png", out var file));
            File.WriteAllBytes(_folder[$"{name}.png"], file);
        }
        File.WriteAllText(_folder["broken.png"], "no image");
        File.WriteAllBytes(_folder["small.png"], Media.TestImages.Png(8, 1));
        var lines = new List<string>();
        string[] names = ["a.png", "b.png", "broken.png", "tall1.png", "a.png", "tall2.png", "c.png", "b.png"];
        for (var i = 0; i < names.Length; i++)
        {
            lines.Add($$"""{"id": "one{{i}}", "image": "{{names[i]}}"}""");
            lines.Add($$"""{"id": "two{{i}}", "images": ["{{names[^(i + 1)]}}", "d.png", "small.png"]}""");
            lines.Add($$"""{"id": "none{{i}}"}""");
            lines.Add($$"""{"id": "missing{{i}}", "image": "no.jpg"}""");
        }
        File.WriteAllLines(_folder["in.jsonl"], lines);
        return Dataset.Open(_folder["in.jsonl"]);
    }

    private ModelStore Tiny()
    {
        var store = new ModelStore(_folder["store"]);
        File.WriteAllBytes(_folder["ARNIQA.pth"], new TinyResNet().TorchFile());
        File.WriteAllBytes(_folder["regressor_kadid10k.pth"], TinyResNet.Regressor(
            [.. Enumerable.Range(0, 2 * TinyResNet.Features).Select(i => (float)Math.Sin(i))], 2.5f));
        store.Import("arniqa", [_folder["ARNIQA.pth"]], UnknownFiles.Trust);
        store.Import("arniqa-kadid10k", [_folder["regressor_kadid10k.pth"]], UnknownFiles.Trust);
        return store;
    }

    private static string Text(ScoreRow row) =>
        $"{row with { Scores = default, Vectors = null }} {string.Join(' ', row.Scores.ToArray())} " +
        $"{string.Join(' ', row.Vectors?.Select(vector => vector == null ? "-" : string.Join(',', vector)) ?? [])}";

    private static string[] Texts(Dataset dataset, ScoringOptions options) =>
        [.. ScoringRun.Score(dataset, options, cancellation: TestContext.Current.CancellationToken).SelectMany(item => item.Rows)
        .Select(Text)];

    [Fact]
    public void Batches_workers_and_shared_files_change_no_row()
    {
        var dataset = Records();
        var arniqa = new ArniqaMetric(new() { Store = Tiny(), Mode = ArniqaMode.Pyiqa });
        var options = new ScoringOptions { Metrics = [MetricCatalog.Get("brightness"), arniqa, MetricCatalog.Get("width")], Workers = 1 };
        var alone = Texts(dataset, options);
        Assert.Contains(alone, line => line.Contains("needs at least 2 pixels", StringComparison.Ordinal));
        foreach (var (batch, workers) in ((int, int)[])[(2, 1), (3, 4), (5, 2), (64, 3)])
            Assert.Equal(alone, Texts(dataset, options with { Batch = batch, Workers = workers }));

        // Vectors are not shared between items; gates let wait only what none of them reads.
        foreach (var more in (ScoringOptions[])[options with { Features = [arniqa.Feature] }, options with { Gates = [
            new Bright()] }, options with { Gates = [new Good(arniqa)] }])
            Assert.Equal(Texts(dataset, more), Texts(dataset, more with { Batch = 4, Workers = 3 }));
    }

    [Fact]
    public void A_table_is_the_same_and_goes_on_with_another_batch()
    {
        var dataset = Records();
        var arniqa = new ArniqaMetric(new() { Store = Tiny(), Mode = ArniqaMode.Pyiqa });
        var scoring = new ScoringOptions { Metrics = [MetricCatalog.Get("brightness")], Known = MetricSet.BuiltIn, Workers = 2 };
        string[] Run(string table, ScoringOptions options, int? stop = null)
        {
            var items = ScoreTableRun.Score(
                dataset, _folder[table], options, new ScoreTableOptions { RowsPerPart = 5 }, TestContext.Current.CancellationToken);
            _ = (stop is { } count ? items.Take(count) : items).ToList();
            ScoreTable.Open(_folder[table]).Export(_folder[$"{table}.jsonl"], "jsonl");
            return File.ReadAllLines(_folder[$"{table}.jsonl"]);
        }
        var with = scoring with
        {
            Metrics = [MetricCatalog.Get("brightness"), MetricCatalog.Get("sharpness")],
            Features = [arniqa.Feature],
        };
        var expected = Run("alone", with);
        Run("batch", scoring);
        Run("batch", with with { Batch = 3 }, stop: 7);
        Assert.Equal(expected, Run("batch", with with { Batch = 8 }));
    }

    [Fact]
    public void Each_image_of_a_batch_that_does_not_fit_into_memory_is_tried_alone()
    {
        var network = new Network();
        var dataset = Records();
        var options = new ScoringOptions { Metrics = [new Head(network, 0), new Head(network, 1)], Workers = 1 };
        var alone = Texts(dataset, options);
        Assert.Contains(alone, line => line.Contains("could not score an image of 48x80: no room", StringComparison.Ordinal));
        Assert.Empty(network.Batches);
        Assert.Equal(alone, Texts(dataset, options with { Batch = 6 }));
        // Several together, and one by one those that failed together.
        Assert.InRange(network.Batches.Max(), 2, 6);
        Assert.Contains(1, network.Batches);
        Assert.Equal(0, network.Held);
    }

    [Fact]
    public void What_stands_before_a_failure_of_the_dataset_is_scored()
    {
        static IEnumerable<int> Numbers()
        {
            for (var i = 0; i < 5; i++)
                yield return i;
            throw new DatasetException("broken");
        }
        var seen = new List<int[]>();
        Assert.Throws<DatasetException>(() => seen.AddRange(ScoringRun.Batches(Numbers(), 3)));
        var batches = ScoringRun.Batches(Numbers(), 3).GetEnumerator();
        Assert.True(batches.MoveNext());
        Assert.Equal([0, 1, 2], batches.Current);
        Assert.True(batches.MoveNext());
        Assert.Equal([3, 4], batches.Current);
        Assert.Throws<DatasetException>(() => batches.MoveNext());
        Assert.Equal([[0, 1], [2, 3]], ScoringRun.Batches([0, 1, 2, 3], 2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(257)]
    public void A_batch_has_limits(int batch) => Assert.Throws<ArgumentOutOfRangeException>(() => new ScoringOptions { Batch = batch });

    private sealed class Bright : ScoringGate
    {
        public override IReadOnlyList<Metric> Metrics { get; } = [MetricCatalog.Get("brightness")];

        public override bool JudgesFileAlone => true;

        public override string? Failure(ScoreRow row, TableSchema columns) =>
            columns.Find("brightness")!.Number(row) > 0.4 ? null : "too dark";
    }

    private sealed class Good(Metric metric) : ScoringGate
    {
        public override IReadOnlyList<Metric> Metrics { get; } = [metric];

        public override string? Failure(ScoreRow row, TableSchema columns) => columns.Find(metric.Name)!.Number(row) > 0 ? null : "too bad";
    }

    /// <summary>The mean and the width of an image; knows how many images it was given at once, and fails with those of one size.</summary>
    private sealed class Network : Feature
    {
        private int _held;

        public ConcurrentBag<int> Batches { get; } = [];

        public int Held => _held;

        public override string Name => "network";

        public override string Identity => "network:1";

        public override int Count => 2;

        public override ImageInput Input => ImageInput.Luma;

        public override FeatureExtractor CreateExtractor() => new Extractor(this);

        private sealed class Extractor(Network owner) : FeatureExtractor
        {
            public override int Count => 2;

            public override bool ComputesTogether => true;

            public override void Compute(in ImageView image, Span<double> features) => Write(image.Luma.ToArray(), image.Width, features);

            public override PreparedImage Prepare(in ImageView image)
            {
                Interlocked.Increment(ref owner._held);
                return new Prepared(owner, image.Luma.ToArray(), image.Width);
            }

            public override void Compute(IReadOnlyList<PreparedImage> images, Span<double> rows)
            {
                CheckRows(images, rows);
                owner.Batches.Add(images.Count);
                for (var i = 0; i < images.Count; i++)
                    Write(((Prepared)images[i]).Luma, ((Prepared)images[i]).Width, rows.Slice(2 * i, 2));
            }

            private static void Write(byte[] luma, int width, Span<double> features)
            {
                // The tall images.
                if (luma.Length / width > width)
                    throw new InsufficientMemoryException("no room");
                (features[0], features[1]) = (luma.Average(value => (double)value), width);
            }
        }

        private sealed class Prepared(Network owner, byte[] luma, int width) : PreparedImage
        {
            public byte[] Luma => luma;

            public int Width => width;

            protected override void Dispose(bool disposing)
            {
                Interlocked.Decrement(ref owner._held);
                base.Dispose(disposing);
            }
        }
    }

    private sealed class Head(Feature feature, int index) : FeatureMetric
    {
        public override string Name => $"head{index}";

        public override string Summary => "One number.";

        public override string Formula => "none";

        public override Feature Feature => feature;

        public override double Score(ReadOnlySpan<double> features) => features[index];
    }
}
