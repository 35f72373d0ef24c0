using System.Text.RegularExpressions;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Tables;
using Pristine.Tests.Models;

namespace Pristine.Tests.Scoring;

public class ScoringGateTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>Passes images whose score of a metric is at most a limit.</summary>
    private sealed class Limit(string metric, double limit) : ScoringGate
    {
        public override IReadOnlyList<Metric> Metrics { get; } = [MetricCatalog.Get(metric)];

        public override string? Failure(ScoreRow row, TableSchema columns) =>
            columns.Find(metric)!.Number(row) is var score && score <= limit
            ? null
            : FormattableString.Invariant($"{metric} {score:0.##} > {limit}; too much");
    }

    private static ScoringOptions With(string metrics, params ScoringGate[] gates) =>
        new() { Metrics = [.. metrics.Split(',').Select(MetricCatalog.Get)], Gates = gates, Workers = 2 };

    private static ScoreRow[] Score(ScoringOptions options) =>
        [.. ScoringRun.Score(Dataset.Open(Photos), options, cancellation: TestContext.Current.CancellationToken)
        .SelectMany(item => item.Rows)];

    private static int Score(string input, string table, ScoringOptions options) =>
        ScoreTableRun.Score(
            Dataset.Open(input), table, options, new ScoreTableOptions { RowsPerPart = 5 }, TestContext.Current.CancellationToken).ToArray()
                .Sum(item => item.ImagesRead);

    private static string[] Export(string table)
    {
        var file = $"{table}.jsonl";
        ScoreTable.Open(table).Export(file, "jsonl");
        return File.ReadAllLines(file);
    }

    private static string Some(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder["images"]);
        foreach (var photo in Directory.GetFiles(Photos).Order(StringComparer.Ordinal).Take(13))
            File.Copy(photo, folder[$"images/{Path.GetFileName(photo)}"]);
        return folder["images"];
    }

    [Fact]
    public void What_no_gate_reads_is_skipped_where_a_gate_fails_and_the_row_says_why()
    {
        var all = Score(With("contrast,width,entropy,brightness"));
        var gated = Score(With("contrast,width,entropy", new Limit("brightness", 0.45), new Limit("contrast", 0.2)));
        Assert.Equal(all.Length, gated.Length);
        var seen = new HashSet<string>();
        foreach (var (whole, row) in all.Zip(gated))
        {
            var (contrast, width, entropy, brightness) =
                (whole.Scores.Span[0], whole.Scores.Span[1], whole.Scores.Span[2], whole.Scores.Span[3]);
            var expected = whole.Failed ? "failed" : brightness > 0.45 ? "first" : contrast > 0.2 ? "second" : "none";
            seen.Add(expected);
            var reason = expected == "first"
                ? FormattableString.Invariant($"brightness {brightness:0.##} > 0.45, too much")
                : FormattableString.Invariant($"contrast {contrast:0.##} > 0.2, too much");
            Assert.Equal(whole.Status, row.Status);
            Assert.Equal(
                expected switch { "first" => $"contrast: {reason}; entropy: {reason}", "second" => $"entropy: {reason}", _ => null },
                row.Skipped?.ToString());
            Assert.Equal(
                [expected == "first" ? double.NaN : contrast, width, expected is "first" or "second" ? double.NaN : entropy, brightness],
                row.Scores.ToArray());
        }
        Assert.Equal(["failed", "first", "none", "second"], seen.Order());
    }

    [Fact]
    public void A_score_that_is_skipped_is_not_missed_for_the_size()
    {
        InstalledNetwork.Require(ModelStore.Default.Folder);
        using var folder = TestFiles.NewFolder();
        var small = Path.Combine(folder.Path, "small.png");
        File.WriteAllBytes(small, Media.TestImages.Png(8, 8));
        using (var scorer = new ImageScorer(With("resnet50@biq2021")))
            Assert.Equal(ImageStatus.TooSmall, scorer.Score(small).Status);
        using (var scorer = new ImageScorer(With("resnet50@biq2021", new Limit("min_side", 4))))
        {
            var row = scorer.Score(small);
            Assert.Equal((ImageStatus.Ok, "resnet50@biq2021: min_side 8 > 4, too much"), (row.Status, row.Skipped?.ToString()));
            Assert.Equal([double.NaN, 8], row.Scores.ToArray());
        }
    }

    [Fact]
    public void The_same_gates_read_no_image_again_and_without_them_the_table_is_as_if_nothing_had_been_skipped()
    {
        using var folder = TestFiles.NewFolder();
        var images = Some(folder);
        var gate = new Limit("brightness", 0.45);
        Assert.Equal(13, Score(images, folder["table"], With("brightness,entropy", gate)));
        var first = Export(folder["table"]);
        var skipped = first.Count(line => !line.Contains("\"skipped\":null", StringComparison.Ordinal));
        Assert.InRange(skipped, 2, 10);
        Assert.Equal(0, Score(images, folder["table"], With("brightness,entropy", gate)));
        Assert.Equal(first, Export(folder["table"]));
        // A gate that fewer fail: only those that pass it now are read.
        var read = Score(images, folder["table"], With("entropy", new Limit("brightness", 0.5)));
        Assert.InRange(read, 1, skipped - 1);
        Assert.Equal(skipped - read, Score(images, folder["table"], With("entropy")));
        Score(images, folder["whole"], With("brightness,entropy"));
        var whole = Export(folder["whole"]);
        Assert.Equal(whole, Export(folder["table"]));
        // Nothing is lost to gates that come later.
        Assert.Equal(0, Score(images, folder["table"], With("entropy", new Limit("brightness", 0))));
        Assert.Equal(whole, Export(folder["table"]));
    }

    [Fact]
    public void A_metric_is_added_to_those_that_pass_without_reading_the_others()
    {
        using var folder = TestFiles.NewFolder();
        var images = Some(folder);
        Score(images, folder["table"], With("brightness"));
        var gate = new Limit("brightness", 0.45);
        var passing = Export(folder["table"]).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty(
            "brightness")).Count(value => value.ValueKind == System.Text.Json.JsonValueKind.Number && value.GetSingle() <= 0.45f);
        Assert.Equal(passing, Score(images, folder["table"], With("entropy", gate)));
        Score(images, folder["fresh"], With("brightness,entropy", gate));
        Assert.Equal(Export(folder["fresh"]), Export(folder["table"]));
    }

    [Fact]
    public void Threads_do_not_matter()
    {
        var gate = new Limit("brightness", 0.45);
        string[] Texts(int workers) => [.. Score(With("brightness,entropy", gate) with { Workers = workers })
            .Select(row => $"{row with { Scores = default }} {string.Join(' ', row.Scores.ToArray())}")];
        Assert.Equal(Texts(1), Texts(3));
    }

    [Fact]
    public void Images_that_change_are_judged_anew()
    {
        using var folder = TestFiles.NewFolder();
        var images = Some(folder);
        var gate = new Limit("brightness", 0.45);
        Score(images, folder["table"], With("brightness,entropy", gate));
        var files = Directory.GetFiles(images).Order(StringComparer.Ordinal).ToArray();
        File.Copy(files[0], files[3], overwrite: true);
        File.SetLastWriteTimeUtc(files[5], new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(2, Score(images, folder["table"], With("entropy", gate)));
        Score(images, folder["fresh"], With("brightness,entropy", gate));
        Assert.Equal(Export(folder["fresh"]), Export(folder["table"]));
    }

    [Fact]
    public void A_table_without_the_column_is_read_and_continued()
    {
        using var folder = TestFiles.NewFolder();
        var images = Some(folder);
        Score(images, folder["new"], With("brightness"));
        Score(images, folder["table"], With("brightness"));
        MakeOld(folder["table"], first: 0);
        Assert.Equal(Export(folder["new"]).Select(WithoutSkipped), Export(folder["table"]).Select(WithoutSkipped));
        Assert.All(Export(folder["table"]), line => Assert.Contains("\"skipped\":null", line, StringComparison.Ordinal));
        // One old part beside new ones.
        Score(images, folder["mixed"], With("brightness"));
        MakeOld(folder["mixed"], first: 2);
        Assert.Equal(Export(folder["new"]).Select(WithoutSkipped), Export(folder["mixed"]).Select(WithoutSkipped));
        foreach (var table in (string[])["table", "mixed"])
        {
            Score(images, folder[table], With("entropy", new Limit("brightness", 0.45)));
            Score(images, folder[$"fresh-{table}"], With("brightness,entropy", new Limit("brightness", 0.45)));
            Assert.Equal(Export(folder[$"fresh-{table}"]), Export(folder[table]));
        }
    }

    [Fact]
    public void A_table_with_the_column_as_text_is_read_and_continued()
    {
        using var folder = TestFiles.NewFolder();
        var images = Some(folder);
        var gate = new Limit("brightness", 0.45);
        Score(images, folder["new"], With("brightness,entropy", gate));
        Score(images, folder["table"], With("brightness,entropy", gate));
        using (var database = Pristine.Native.DuckDbConnection.Open())
        {
            // The second part stays as it is.
            foreach (var part in ScoreTable.Open(folder["table"]).Parts.Where((_, i) => i != 1))
            {
                var contents = System.Text.Json.JsonSerializer.SerializeToNode(part.Contents)!.AsObject();
                Assert.True(contents.Remove("RowColumns"));
                var (file, metadata) = (Pristine.Native.DuckDbConnection.Literal(part.File), Pristine.Native.DuckDbConnection.Literal(
                    contents.ToJsonString()));
                database.Execute(
                    $"CREATE OR REPLACE TABLE old AS SELECT * EXCLUDE ({Later}) REPLACE ({SkippedScores.TextSql("skipped")} AS skipped) " +
                    $"FROM read_parquet({file})");
                database.Execute($"COPY old TO {file} (FORMAT parquet, KV_METADATA {{pristine: {metadata}}})");
            }
        }
        Assert.Equal(Export(folder["new"]).Select(WithoutLater), Export(folder["table"]).Select(WithoutLater));
        Assert.Equal(0, Score(images, folder["table"], With("brightness,entropy", gate)));
        Score(images, folder["table"], With("contrast", gate));
        Score(images, folder["new"], With("contrast", gate));
        Assert.Equal(Export(folder["new"]), Export(folder["table"]));
    }

    /// <summary>The columns of every row that are younger than layout 2, in which parts say which columns they have.</summary>
    private const string Later = "image_count, image_tokens, text_hash";

    private static string WithoutSkipped(string line) => WithoutLater(line.Replace(",\"skipped\":null", "", StringComparison.Ordinal));

    private static string WithoutLater(string line) =>
        Later.Split(", ").Aggregate(line, (text, name) => Regex.Replace(text, $",\"{name}\":[^,}}]*", ""));

    /// <summary>Turns parts into those of a program that did not know the column.</summary>
    private static void MakeOld(string table, int first)
    {
        using var database = Pristine.Native.DuckDbConnection.Open();
        foreach (var part in ScoreTable.Open(table).Parts.Skip(first))
        {
            var contents = System.Text.Json.JsonSerializer.SerializeToNode(part.Contents)!.AsObject();
            Assert.True(contents.Remove("HasSkipped"));
            Assert.True(contents.Remove("RowColumns"));
            var (file, metadata) =
                (Pristine.Native.DuckDbConnection.Literal(part.File), Pristine.Native.DuckDbConnection.Literal(contents.ToJsonString()));
            database.Execute($"CREATE OR REPLACE TABLE old AS SELECT * EXCLUDE (skipped, {Later}) FROM read_parquet({file})");
            database.Execute($"COPY old TO {file} (FORMAT parquet, KV_METADATA {{pristine: {metadata}}})");
        }
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("brisque: because of this", "brisque")]
    [InlineData("arniqa:pyiqa@koniq10k: folder: a fails x; brisque-live: the same", "arniqa:pyiqa@koniq10k brisque-live")]
    public void The_map_is_the_text_and_the_text_the_map(string? text, string metrics)
    {
        var skipped = SkippedScores.Parse(text);
        Assert.Equal(text, skipped?.ToString());
        Assert.Equal(metrics, string.Join(' ', skipped?.Metrics ?? []));
        using var database = Pristine.Native.DuckDbConnection.Open();
        var map = SkippedScores.MapSql(text == null ? "NULL::VARCHAR" : Pristine.Native.DuckDbConnection.Literal(text));
        using (var reader = database.Query($"SELECT {SkippedScores.TextSql(map)}"))
        {
            Assert.True(reader.Read());
            Assert.Equal(text, reader.Text(0));
        }
        foreach (var metric in (string[])["brisque", "brisque-live", "arniqa:pyiqa@koniq10k", "koniq10k", "folder"])
        {
            using var reader = database.Query($"SELECT {SkippedScores.ReasonSql(map, metric)}");
            Assert.True(reader.Read());
            Assert.Equal(skipped?.FirstOrDefault(reason => reason.Key == metric).Value, reader.Text(0));
        }
    }
}
