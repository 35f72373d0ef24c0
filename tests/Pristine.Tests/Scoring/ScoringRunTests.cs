using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Brisque;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;
using Pristine.Tests.Media;

namespace Pristine.Tests.Scoring;

public sealed class ScoringRunTests : IDisposable
{
    private static readonly ScoringOptions Options = new()
    {
        Metrics = [MetricCatalog.Get("pixels"), MetricCatalog.Get("brisque"), MetricCatalog.Get("brightness")],
        Workers = 2,
    };

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    /// <summary>One item for each thing that can become of an image, the first with two images.</summary>
    private Dataset EveryKind(int repeats = 1)
    {
        File.WriteAllBytes(_folder["a.jpg"], TestImages.Jpeg(96, 64));
        File.WriteAllBytes(_folder["b.png"], TestImages.Png(64, 80));
        File.WriteAllBytes(_folder["cut.jpg"], TestImages.Jpeg(96, 64)[..900]);
        File.WriteAllBytes(_folder["large.png"], TestImages.PngHeader(40_000, 40_000));
        File.WriteAllBytes(_folder["small.png"], TestImages.Png(1, 300));
        const string records = """
            {"id":"two","images":["a.jpg","b.png"]}
            {"id":"text"}
            {"id":"broken",
            {"id":"missing","image":"no.jpg"}
            {"id":"cut","image":"cut.jpg"}
            {"id":"large","image":"large.png"}
            {"id":"small","image":"small.png"}
            {"id":"last","image":"b.png"}

            """;
        File.WriteAllText(_folder["in.jsonl"], string.Concat(Enumerable.Repeat(records, repeats)));
        return Dataset.Open(_folder["in.jsonl"]);
    }

    private static IEnumerable<ScoredItem> Begin(Dataset dataset, ScoringOptions options, long start = 0) =>
        ScoringRun.Score(dataset, options, start, TestContext.Current.CancellationToken);

    private static List<ScoreRow> Rows(Dataset dataset, ScoringOptions options, long start = 0) =>
        [.. Begin(dataset, options, start).SelectMany(item => item.Rows)];

    private static string Text(ScoreRow row) =>
        $"{row.Key} {row.Id} {row.Image} {row.ImageIndex} {row.Status} {row.Error} {row.Header} {row.ContentHash} " +
        $"{string.Join(' ', row.Scores.ToArray())}";

    [Fact]
    public void Every_image_becomes_a_row_with_its_key_and_status_in_the_order_of_the_input()
    {
        var rows = Rows(EveryKind(), Options);
        Assert.Equal(
            [
                (0, "two", "a.jpg", 0, ImageStatus.Ok),
                (1, "two", "b.png", 1, ImageStatus.Ok),
                (2, "text", null, 0, ImageStatus.NoImage),
                (3, "#2", null, 0, ImageStatus.Unreadable),
                (4, "missing", "no.jpg", 0, ImageStatus.Missing),
                (5, "cut", "cut.jpg", 0, ImageStatus.Truncated),
                (6, "large", "large.png", 0, ImageStatus.TooLarge),
                (7, "small", "small.png", 0, ImageStatus.TooSmall),
                (8, "last", "b.png", 0, ImageStatus.Ok),
            ],
            rows.Select(row => (row.Key, row.Id, row.Image, row.ImageIndex, row.Status)));
        Assert.All(rows, row => Assert.Equal(row.Status is ImageStatus.Ok or ImageStatus.NoImage, row.Error == null));
        Assert.Contains("in.jsonl:3:", rows[3].Error, StringComparison.Ordinal);
        Assert.All(rows.Where(row => row.Status == ImageStatus.Ok), row => Assert.DoesNotContain(double.NaN, row.Scores.ToArray()));
        Assert.Equal(rows[1].ContentHash, rows[8].ContentHash);
        Assert.NotEqual(rows[0].ContentHash, rows[1].ContentHash);
    }

    [Fact]
    public void What_the_header_tells_is_there_even_for_an_image_that_is_too_large()
    {
        var large = Rows(EveryKind(), Options)[6];
        Assert.Equal([1.6e9, double.NaN, double.NaN], large.Scores.ToArray());
        Assert.Equal(40_000, large.Header?.Width);
    }

    [Fact]
    public void An_image_too_small_for_one_metric_keeps_the_scores_of_the_others()
    {
        var small = Rows(EveryKind(), Options)[7];
        Assert.Equal((300, double.NaN), (small.Scores.Span[0], small.Scores.Span[1]));
        Assert.InRange(small.Scores.Span[2], 0.01, 0.99);
        Assert.Contains("brisque needs at least 2 pixels", small.Error, StringComparison.Ordinal);
        Assert.False(small.Failed);
    }

    /// <summary>Counts the images that it scores, by their width.</summary>
    private sealed class CountingMetric : StatelessMetric
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<int, int> _counts = new();

        public override string Name => "counting-by-test";

        public override string Summary => "The width.";

        public override string Formula => "width";

        public override ImageInput Input => ImageInput.Luma;

        public int Images => _counts.Values.Sum();

        protected override double Measure(in ImageView image)
        {
            _counts.AddOrUpdate(image.Width, 1, (_, count) => count + 1);
            return image.Width;
        }
    }

    [Fact]
    public void A_file_that_many_items_name_is_scored_once()
    {
        var dataset = EveryKind(repeats: 30);
        var counting = new CountingMetric();
        var options = Options with { Metrics = [MetricCatalog.Get("pixels"), MetricCatalog.Get("brisque"), counting], Workers = 4 };
        var rows = Rows(dataset, options);
        Assert.Equal(3, counting.Images);
        // As a scorer by itself gives them, which shares nothing.
        using var scorer = new ImageScorer(options);
        Assert.Equal(dataset.Read(TestContext.Current.CancellationToken)
            .SelectMany((item, i) => scorer.Score(item, rows.First(row => row.ItemIndex == i).Key).Rows).Select(Text), rows.Select(Text));
        Assert.True(counting.Images > 90);
    }

    [Fact]
    public void A_file_that_changes_during_the_run_is_scored_again()
    {
        var files = new ScoredFiles(capacity: 2);
        var scored = new List<string>();
        int Get(string path, long stamp, int result)
        {
            var file = files.Find(path, [true], out var isMine);
            if (!isMine && file.Wait() is { } known && known.Stamp?.Modified == stamp)
                return (int)known.Row.Key;
            scored.Add($"{path}{stamp}");
            file.Complete(new FileScores(new SourceStamp(1, stamp), true, new ScoreRow { Key = result, Id = "", Scores = default }));
            return result;
        }
        Assert.Equal([1, 1, 2, 2, 3, 4, 5], [
            Get("a", 0, 1), Get("a", 0, 9), Get("a", 1, 2), Get("a", 1, 9), Get("b", 0, 3), Get("c", 0, 4), Get("a", 1, 5)]);
        Assert.Equal(["a0", "a1", "b0", "c0", "a1"], scored);
        // Scoring has failed: whoever waits goes on and scores the file.
        files.Find("d", [true], out _).Complete(null);
        Assert.Equal(6, Get("d", 0, 6));
    }

    [Fact]
    public void The_size_of_a_file_is_told_also_where_no_header_can_be_read()
    {
        var columns = TableSchema.Of(Options.Metrics);
        File.WriteAllText(_folder["text.jpg"], "no image");
        File.WriteAllText(_folder["list.txt"], _folder["text.jpg"]);
        var row = Rows(Dataset.Open(_folder["list.txt"]), Options).Single();
        Assert.Equal((ImageStatus.Unreadable, 8.0), (row.Status, columns.Find("bytes")!.Number(row)));
    }

    [Fact]
    public void Metrics_and_scores_go_by_their_names()
    {
        var dataset = EveryKind();
        var options = new ScoringOptions { Metrics = ["brisque", "pixels"] };
        var row = dataset.Score(options, TestContext.Current.CancellationToken).First().Rows[0];
        Assert.Equal((row.Scores.Span[0], row.Scores.Span[1], 96.0), (row["brisque"], row["PIXELS"], row["width"]));
        Assert.Equal((float)MetricCatalog.Get("brisque").Quality(row["brisque"]), row["brisque_quality"]);
        Assert.Contains("Nearest: brisque", Assert.Throws<ArgumentException>(() => row["brisk"]).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => row["id"]);
        Assert.Contains("Nearest: brisque", Assert.Throws<ArgumentException>(
            () => new ScoringOptions { Metrics = ["brisk"] }).Message, StringComparison.Ordinal);
        var summary = dataset.ScoreInto(_folder["table"], options, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(new ScoringSummary(_folder["table"], 8, 7, 7, 4, 0), summary);
        Assert.Equal(0, dataset.ScoreInto(_folder["table"], options, cancellation: TestContext.Current.CancellationToken).Read - 2);
        var read = summary.Open();
        using var selection = read.Select(new() { Keep = ["brisque >= 0"] }, TestContext.Current.CancellationToken);
        Assert.Equal(3, selection.Kept);
    }

    [Fact]
    public void Rows_do_not_depend_on_the_number_of_workers()
    {
        var dataset = EveryKind(repeats: 20);
        var one = Rows(dataset, Options with { Workers = 1 });
        Assert.Equal(180, one.Count);
        Assert.Equal(one.Select(Text), Rows(dataset, Options with { Workers = 4 }).Select(Text));
    }

    [Fact]
    public void A_run_that_starts_later_gives_the_same_rows_with_the_same_keys()
    {
        var dataset = EveryKind();
        Assert.Equal(Rows(dataset, Options).Skip(3).Select(Text), Rows(dataset, Options, start: 2).Select(Text));
        Assert.Empty(Rows(dataset, Options, start: 100));
    }

    [Fact]
    public void Rows_come_before_the_exception_of_a_dataset_that_breaks_off()
    {
        EveryKind();
        File.WriteAllText(_folder["cut.json"], """[{"id":1,"image":"a.jpg"},{"id":2,"image":"b.png"},{"id":3""");
        var ids = new List<string>();
        var exception = Assert.Throws<DatasetException>(() =>
        {
            foreach (var item in Begin(Dataset.Open(_folder["cut.json"]), Options))
                ids.Add(item.Item.Id);
        });
        Assert.Contains("cut.json", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["1", "2"], ids);
    }

    [Fact]
    public void A_metric_without_its_model_refuses_before_anything_is_read()
    {
        var live = new BrisqueLive(new ModelStore(_folder["no models"]));
        var dataset = new UntouchedDataset();
        var exception = Assert.Throws<ModelException>(() => Begin(dataset, Options with { Metrics = [live] }));
        Assert.Equal(live.Missing, exception.Message);
        Assert.Contains("pristine models import brisque-live", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_arguments_are_refused_before_anything_is_read()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Begin(new UntouchedDataset(), Options with { Workers = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Begin(new UntouchedDataset(), Options, start: -1));
    }

    [Theory]
    [InlineData(320, 240)]
    [InlineData(1280, 960)]
    public void After_the_first_image_memory_is_taken_for_the_row_alone(int width, int height)
    {
        // A row, its strings, its scores and what opening a file takes; the pixels alone would be 230,400 bytes and more.
        const long mostBytesPerImage = 4096;
        File.WriteAllBytes(_folder["x.jpg"], TestImages.Jpeg(width, height));
        var metrics = MetricCatalog.All.Where(metric => metric.Missing == null).ToArray();
        using var scorer = new ImageScorer(new ScoringOptions { Metrics = metrics });
        for (var i = 0; i < 5; i++)
            Assert.Equal(ImageStatus.Ok, scorer.Score(_folder["x.jpg"]).Status);
        var perImage = Allocations.Least(() => scorer.Score(_folder["x.jpg"]), mostBytesPerImage);
        Assert.True(perImage <= mostBytesPerImage, $"{perImage} bytes are allocated per image of {width}x{height}.");
    }

    /// <summary>Fails the test when it is read.</summary>
    private sealed class UntouchedDataset : Dataset
    {
        public override DatasetFormat Format => DatasetFormat.Paths;

        public override string Source => "untouched";

        public override string ImageRoot => "";

        public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) =>
            throw new InvalidDataException("It was read.");

        public override DatasetWriter CreateWriter(string path) => throw new InvalidDataException("It was written to.");
    }
}
