using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Tests.Scoring;

public class ScoreTableRunTests
{
    private static readonly string[] Photos =
        [.. Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")
        .Where(path => !path.Contains("corrupt", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static readonly ScoreTableOptions SmallParts = new() { RowsPerPart = 4 };

    private static ScoringOptions With(params string[] metrics) => new() { Metrics = [.. metrics.Select(MetricCatalog.Get)], Workers = 2 };

    private static int Score(
        string input, string table, ScoringOptions scoring, ScoreTableOptions? options = null, int? stopAfter = null) =>
        ScoreTableRun.Score(Dataset.Open(input), table, scoring, options ?? SmallParts, TestContext.Current.CancellationToken)
            .Take(stopAfter ?? int.MaxValue).ToArray().Sum(item => item.ImagesRead);

    private static string[] Export(string table)
    {
        var file = Path.Combine(Path.GetDirectoryName(table)!, $"{Guid.NewGuid():N}.jsonl");
        ScoreTable.Open(table).Export(file, "jsonl");
        return File.ReadAllLines(file);
    }

    private static void MakeImages(TemporaryFolder folder, int count)
    {
        Directory.CreateDirectory(folder["images"]);
        for (var i = 0; i < count; i++)
            File.Copy(Photos[i % Photos.Length], folder[$"images/{i:00}.jpg"]);
    }

    /// <summary>A metric whose number is that of its device, so that a table tells where it was computed.</summary>
    private sealed class PlacedMetric(string device) : StatelessMetric
    {
        public override string Name => "placed-by-test";

        public override string Summary => "The number of the device.";

        public override string Formula => "number";

        public override ImageInput Input => ImageInput.Luma;

        public override string Device => device;

        public override Metric WithDevice(string device) => new PlacedMetric(device);

        protected override double Measure(in ImageView image) => device == "cpu" ? -1 : device[^1] - '0';
    }

    [Fact]
    public void A_column_is_computed_on_one_kind_of_device()
    {
        var known = MetricSet.BuiltIn.With(new PlacedMetric("cpu"));
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 4);
        string Provenance() => File.ReadAllText(folder["table/scores.json"]);
        ScoringOptions On(string? device) => new() { Metrics = [known.Get("placed-by-test")], Workers = 2, Known = known, Device = device };
        double[] Values() => [.. Export(folder["table"])
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("placed-by-test").GetDouble())];

        Score(folder["images"], folder["table"], On("cuda:3"));
        Assert.Contains("\"device\": \"cuda\"", Provenance(), StringComparison.Ordinal);
        Assert.Equal([3.0, 3, 3, 3], Values());
        var message = Assert.Throws<ScoreTableException>(() => Score(folder["images"], folder["table"], On("cpu"))).Message;
        Assert.Contains("on the device cuda in the table, cpu here (--device)", message, StringComparison.Ordinal);
        Assert.Throws<ScoreTableException>(() => Score(folder["images"], folder["table"], On(null)));
        // Another card of the same kind goes on, also for metrics that are not named again.
        File.Copy(Photos[5], folder["images/more.jpg"]);
        Assert.Equal(1, Score(folder["images"], folder["table"], new ScoringOptions { Metrics = [], Known = known, Device = "cuda:1" }));
        Assert.Equal([3.0, 3, 3, 3, 1], Values());
        Score(folder["images"], folder["table"], On("cpu"), SmallParts with { Rescore = ["placed-by-test"] });
        Assert.DoesNotContain("\"device\"", Provenance(), StringComparison.Ordinal);
        Assert.Equal([-1.0, -1, -1, -1, -1], Values());
    }

    [Fact]
    public void A_column_of_a_metric_that_is_not_known_here_is_kept()
    {
        var known = MetricSet.BuiltIn.With(new PlacedMetric("cpu"));
        ScoringOptions With(params string[] metrics) => new() { Metrics = [.. metrics.Select(known.Get)], Workers = 2, Known = known };
        ScoringOptions Without(params string[] metrics) => With(metrics) with { Known = MetricSet.BuiltIn };
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 10);
        double?[] Values() => [.. Export(folder["table"]).Select(line =>
            System.Text.Json.JsonDocument.Parse(line).RootElement.TryGetProperty("placed-by-test", out var value)
            && value.ValueKind == System.Text.Json.JsonValueKind.Number ? value.GetDouble() : (double?)null)];
        Score(folder["images"], folder["table"], With("placed-by-test", "brightness"));

        // Another column: every part is written again, the foreign one stays.
        Score(folder["images"], folder["table"], Without("contrast"));
        Assert.Equal([.. Enumerable.Repeat<double?>(-1, 10)], Values());
        Assert.Equal(0, Score(folder["images"], folder["table"], With("placed-by-test")));
        Assert.Null(ScoreTable.Open(folder["table"]).Incomplete);

        // The third image changes, the first goes, one comes: rows move, and only the changed and the new one lack the value.
        var images = Directory.GetFiles(folder["images"]).Order(StringComparer.Ordinal).ToArray();
        File.Copy(Photos[0], images[2], overwrite: true);
        File.SetLastWriteTimeUtc(images[2], DateTime.UtcNow.AddDays(-1));
        File.Delete(images[0]);
        File.Copy(Photos[5], folder["images/zzz.jpg"]);
        Score(folder["images"], folder["table"], Without("entropy"));
        Assert.Equal([-1, null, -1, -1, -1, -1, -1, -1, -1, null], Values());
        Assert.NotNull(ScoreTable.Open(folder["table"]).Incomplete);

        // Who knows the metric again computes what is missing.
        Assert.InRange(Score(folder["images"], folder["table"], With("placed-by-test")), 2, 9);
        Assert.Equal([.. Enumerable.Repeat<double?>(-1, 10)], Values());
        Assert.Null(ScoreTable.Open(folder["table"]).Incomplete);
    }

    [Fact]
    public void A_second_run_reads_nothing_and_changes_no_part()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 10);
        Assert.Equal(10, Score(folder["images"], folder["table"], With("brightness")));
        var parts = Directory.GetFiles(folder["table"], "*.parquet").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["part-0000-000000.parquet", "part-0000-000001.parquet", "part-0000-000002.parquet"], parts.Select(Path.GetFileName));
        var before = parts.Select(File.GetLastWriteTimeUtc).ToArray();
        Assert.Equal(0, Score(folder["images"], folder["table"], With("brightness")));
        Assert.Equal(before, parts.Select(File.GetLastWriteTimeUtc));
        Assert.Null(ScoreTable.Open(folder["table"]).Incomplete);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public void A_run_that_stopped_goes_on_and_the_table_is_as_if_it_had_not(int stopAfter)
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 10);
        Score(folder["images"], folder["whole"], With("brightness", "contrast"));
        Score(folder["images"], folder["stopped"], With("brightness"), stopAfter: stopAfter);
        Assert.Equal(stopAfter, ScoreTable.Open(folder["stopped"]).RowCount);
        Assert.NotNull(ScoreTable.Open(folder["stopped"]).Incomplete);
        Assert.Equal(10 - stopAfter, Score(folder["images"], folder["stopped"], With("brightness")));
        // Then a column is added, and that is interrupted as well, within a part.
        Score(folder["images"], folder["stopped"], With("contrast"), stopAfter: stopAfter);
        Assert.Equal(10 - stopAfter, Score(folder["images"], folder["stopped"], With("contrast")));
        Assert.Null(ScoreTable.Open(folder["stopped"]).Incomplete);
        Assert.Equal(Export(folder["whole"]), Export(folder["stopped"]));
    }

    /// <summary>Renames a metric of a table as if another program had made it.</summary>
    private static void MakeForeign(string table, string metric, string foreign)
    {
        File.WriteAllText(Path.Combine(table, "scores.json"), File.ReadAllText(Path.Combine(table, "scores.json"))
            .Replace($"\"{metric}", $"\"{foreign}", StringComparison.Ordinal));
        using var database = Pristine.Native.DuckDbConnection.Open();
        foreach (var part in ScoreTable.Open(table).Parts)
        {
            var metadata = System.Text.Json.JsonSerializer.Serialize(part.Contents)
                .Replace($"\"{metric}", $"\"{foreign}", StringComparison.Ordinal);
            var file = Pristine.Native.DuckDbConnection.Literal(part.File);
            var skipped = SkippedScores.MapSql($"replace({SkippedScores.TextSql("skipped")}, '{metric}', '{foreign}')");
            database.Execute(
                $"CREATE OR REPLACE TABLE old AS SELECT * REPLACE ({skipped} AS skipped) RENAME (\"{metric}\" AS \"{foreign}\") FROM " +
                $"read_parquet({file})");
            database.Execute(
                $"COPY old TO {file} (FORMAT parquet, KV_METADATA {{pristine: {Pristine.Native.DuckDbConnection.Literal(metadata)}}})");
        }
    }

    [Fact]
    public void A_metric_that_this_program_does_not_have_keeps_its_scores()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 6);
        Score(folder["images"], folder["table"], With("entropy", "brightness"));
        double?[] Foreign(string name = "arniqa@elsewhere") => [.. Export(folder["table"]).Select(line =>
            System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty(
                name) is { ValueKind: System.Text.Json.JsonValueKind.Number } value ? value.GetDouble() : (double?)null)];
        var before = Foreign("entropy");
        MakeForeign(folder["table"], "entropy", "arniqa@elsewhere");
        Assert.Contains("arniqa@elsewhere", ScoreTable.Open(folder["table"]).UnknownMetrics, StringComparison.Ordinal);
        // Another metric, an image that has changed, a new one, and another order of the dataset.
        Score(folder["images"], folder["table"], With("contrast"));
        Assert.Equal(before, Foreign());
        File.Copy(Photos[9], folder["images/02.jpg"], overwrite: true);
        File.Copy(Photos[8], folder["images/00a.jpg"]);
        Score(folder["images"], folder["table"], With("contrast"));
        Assert.Equal([before[0], null, before[1], null, before[3], before[4], before[5]], Foreign());
        Assert.Equal(["arniqa@elsewhere", "brightness", "contrast"], ScoreTable.Open(folder["table"]).Provenance.Columns.Select(
            column => column.Metric));
        using (var run = Pristine.Selection.SelectionRun.Run(
            ScoreTable.Open(folder["table"]), new() { Keep = ["\"arniqa@elsewhere\" > 0"] },
            cancellation: TestContext.Current.CancellationToken))
            Assert.Equal(5, run.Kept);
        // A program that has the metric computes what is missing, and nothing else.
        MakeForeign(folder["table"], "arniqa@elsewhere", "entropy");
        Assert.Equal(2, Score(folder["images"], folder["table"], With("entropy")));
        Score(folder["images"], folder["fresh"], With("entropy", "brightness", "contrast"));
        Assert.Equal(Export(folder["fresh"]).Order(), Export(folder["table"]).Order());
    }

    [Fact]
    public void A_feature_is_a_column_of_vectors()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 6);
        File.WriteAllText(folder["images/05.jpg"], "no image");
        var feature = new Pristine.Metrics.Brisque.BrisqueLiveFeature();
        var column = $"{feature.Name}_features";
        float[]?[] Vectors(string table) =>
            [.. Export(table).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty(column) is
            { ValueKind: System.Text.Json.JsonValueKind.Array } vector
            ? vector.EnumerateArray().Select(number => number.GetSingle()).ToArray()
            : null)];
        float[]? Expected(string image)
        {
            using var decoder = new ImageDecoder();
            using var extractor = feature.CreateExtractor();
            if (decoder.Load(folder[$"images/{image}"], feature.Input).Status != ImageStatus.Ok)
                return null;
            var numbers = new double[feature.Count];
            extractor.Compute(decoder.Image, numbers);
            return [.. numbers.Select(number => (float)number)];
        }
        string[] Images() => [.. Directory.GetFiles(folder["images"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        var scoring = With("entropy") with { Features = [feature] };

        // Added to a table, and that interrupted.
        Score(folder["images"], folder["table"], With("entropy"));
        Score(folder["images"], folder["table"], scoring, stopAfter: 2);
        Assert.Equal(3, Score(folder["images"], folder["table"], scoring));
        Assert.Equal(Images().Select(Expected), Vectors(folder["table"]));
        Assert.Equal(0, Score(folder["images"], folder["table"], scoring));
        Assert.Null(ScoreTable.Open(folder["table"]).UnknownMetrics);
        Assert.Equal(feature.Count, ScoreTable.Open(folder["table"]).Provenance.Columns.Single(known => known.Metric == column).Length);

        // It stays when a metric is added, follows images that change and come, and need not be named again.
        File.Copy(Photos[9], folder["images/02.jpg"], overwrite: true);
        File.Copy(Photos[8], folder["images/00a.jpg"]);
        Score(folder["images"], folder["table"], With("brightness"));
        Assert.Equal(Images().Select(Expected), Vectors(folder["table"]));
        Score(folder["images"], folder["fresh"], With("entropy", "brightness") with { Features = [feature] });
        Assert.Equal(Vectors(folder["fresh"]), Vectors(folder["table"]));

        var row = Dataset.Open(folder["images"]).Score(scoring, TestContext.Current.CancellationToken).First().Rows[0];
        Assert.Equal(Expected("00.jpg"), row.Feature(column).ToArray());
        var table = ScoreTable.Open(folder["table"]);
        var rule = Assert.Throws<Pristine.Selection.RuleException>(() => Pristine.Selection.SelectionRun.Run(
            table, new() { Keep = [$"\"{column}\" > 1"] }, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("holds vectors", rule.Message, StringComparison.Ordinal);
        using var selection = Pristine.Selection.SelectionRun.Run(
            table, new() { Keep = ["entropy > 0"] }, cancellation: TestContext.Current.CancellationToken);
        var shown = Pristine.Selection.Explanation.Of(selection, "00.jpg");
        Assert.Contains(
            $"{feature.Count} numbers", shown[0].Images[0].Columns.Single(known => known.Key == column).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hash_stays_when_a_metric_is_added_and_follows_images_that_change()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 6);
        File.WriteAllText(folder["images/05.jpg"], "no image");
        string?[] Hashes(string table) =>
            [.. Export(table).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("phash").GetString())];
        string?[] Expected() =>
            [.. ScoringRun.Score(Dataset.Open(folder["images"]), With("phash"), cancellation: TestContext.Current.CancellationToken)
            .Select(item => item.Rows[0].Columns.Get("phash").Text(item.Rows[0]))];

        Score(folder["images"], folder["table"], With("entropy"));
        Score(folder["images"], folder["table"], With("phash"), stopAfter: 2);
        Assert.Equal(3, Score(folder["images"], folder["table"], With("phash")));
        Assert.Equal(Expected(), Hashes(folder["table"]));
        Assert.Equal(5, Expected().Count(hash => hash is { Length: 16 }));
        Assert.Equal(0, Score(folder["images"], folder["table"], With("phash")));
        Assert.Null(ScoreTable.Open(folder["table"]).UnknownMetrics);

        File.Copy(Photos[9], folder["images/02.jpg"], overwrite: true);
        File.Copy(Photos[8], folder["images/00a.jpg"]);
        Score(folder["images"], folder["table"], With("brightness"));
        Assert.Equal(Expected(), Hashes(folder["table"]));

        // A list names a file twice: it is decoded once, and both rows have its hash.
        File.WriteAllLines(folder["list.txt"], Enumerable.Repeat(folder["images/00.jpg"], 3));
        Score(folder["list.txt"], folder["twice"], With("phash"));
        Assert.Single(Hashes(folder["twice"]).Distinct());
        Assert.NotNull(Hashes(folder["twice"])[0]);
    }

    [Fact]
    public void A_damaged_part_is_named_with_the_remedy_which_works()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 10);
        Score(folder["images"], folder["table"], With("brightness"));
        var whole = Export(folder["table"]);
        var part = Path.Combine(folder["table"], "part-0000-000001.parquet");
        var sound = File.ReadAllBytes(part);
        var random = new Random(7);
        var damages = Enumerable.Range(0, 60).Select(_ => random.Next(sound.Length))
            .Select(at => (byte[])[.. sound[..at], (byte)(sound[at] ^ (1 << (at % 8))), .. sound[(at + 1)..]])
            .Append([]).Append(sound[..^1]).Append(sound[..(sound.Length / 2)]).Append([.. sound, 0]);
        foreach (var damaged in damages)
        {
            File.WriteAllBytes(part, damaged);
            foreach (var use in (Action[])[() => ScoreTable.Open(folder["table"]), () => Score(
                folder["images"], folder["table"], With("brightness"))])
            {
                var message = Assert.Throws<ScoreTableException>(use).Message;
                Assert.Contains(part, message, StringComparison.Ordinal);
                Assert.Contains("Delete this file and run", message, StringComparison.Ordinal);
            }
        }
        File.Delete(part);
        Assert.Equal("4 rows are missing", ScoreTable.Open(folder["table"]).Incomplete);
        Assert.Equal(4, Score(folder["images"], folder["table"], With("brightness")));
        Assert.Equal(whole, Export(folder["table"]));
        Assert.Null(ScoreTable.Open(folder["table"]).Incomplete);
    }

    [Fact]
    public void A_file_that_many_items_name_is_read_once_also_for_a_metric_that_is_added()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 3);
        File.WriteAllLines(folder["list.txt"], Enumerable.Range(0, 40).Select(i => folder[$"images/0{i % 3}.jpg"]));
        Score(folder["list.txt"], folder["table"], With("brightness"));
        Score(folder["list.txt"], folder["table"], With("entropy"));
        File.Copy(Photos[7], folder["images/01.jpg"], overwrite: true);
        Score(folder["list.txt"], folder["table"], With("contrast"));
        foreach (var (i, path) in Enumerable.Range(0, 40).Select(i => (i, folder[$"images/0{i % 3}.jpg"])))
        {
            Directory.CreateDirectory(folder["each"]);
            File.Copy(path, folder[$"each/{i:00}.jpg"]);
        }
        Score(folder["each"], folder["fresh"], With("brightness", "entropy", "contrast"));
        static string Scores(string line) => line[line.IndexOf("\"content_hash\"", StringComparison.Ordinal)..];
        Assert.Equal(Export(folder["fresh"]).Select(Scores), Export(folder["table"]).Select(Scores));
    }

    [Fact]
    public void A_metric_is_added_to_every_row_without_touching_the_others()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 6);
        Score(folder["images"], folder["table"], With("brightness"));
        Assert.Equal(0, Score(folder["images"], folder["table"], With("min_side"), SmallParts) - 6);
        Score(folder["images"], folder["both"], With("brightness", "min_side"));
        Assert.Equal(Export(folder["both"]), Export(folder["table"]));
    }

    [Fact]
    public void Only_what_changed_is_read_again()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 8);
        Score(folder["images"], folder["table"], With("brightness"));
        File.Copy(Photos[20], folder["images/03.jpg"], overwrite: true);
        File.SetLastWriteTimeUtc(folder["images/05.jpg"], new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.Delete(folder["images/06.jpg"]);
        File.Copy(Photos[21], folder["images/025.jpg"]);
        // 03 (other content), 05 (touched: its content is compared), 025 (new); 06 loses its row.
        Assert.Equal(3, Score(folder["images"], folder["table"], With("brightness")));
        Score(folder["images"], folder["fresh"], With("brightness"));
        Assert.Equal(Export(folder["fresh"]), Export(folder["table"]));
        Assert.Equal(0, Score(folder["images"], folder["table"], With("brightness")));
    }

    [Fact]
    public void Another_order_of_the_dataset_moves_rows_and_reads_no_image()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 9);
        string[] lines = [
            .. Enumerable.Range(0, 9).Select(i => $"{{\"id\": \"n{i}\", \"image\": \"images/{i:00}.jpg\", \"conversations\": []}}"),
            "{\"id\": \"text\", \"text\": \"three words here\"}"];
        File.WriteAllLines(folder["data.jsonl"], lines);
        Score(folder["data.jsonl"], folder["table"], With("brightness"));
        File.WriteAllLines(folder["data.jsonl"], lines.Reverse().Concat(lines[..2]));
        // Two lines come twice now; only their second occurrences are new.
        Assert.Equal(2, Score(folder["data.jsonl"], folder["table"], With("brightness")));
        Score(folder["data.jsonl"], folder["fresh"], With("brightness"));
        Assert.Equal(Export(folder["fresh"]), Export(folder["table"]));
    }

    [Fact]
    public void The_same_items_in_another_order_within_one_part_move_too()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 6);
        string[] lines = [.. Enumerable.Range(0, 6).Select(i => folder[$"images/{i:00}.jpg"])];
        File.WriteAllLines(folder["list.txt"], lines);
        var onePart = new ScoreTableOptions();
        Score(folder["list.txt"], folder["table"], With("brightness"), onePart);
        File.WriteAllLines(folder["list.txt"], lines[3..].Concat(lines[..3]));
        Assert.Equal(0, Score(folder["list.txt"], folder["table"], With("brightness"), onePart));
        Score(folder["list.txt"], folder["fresh"], With("brightness"), onePart);
        Assert.Equal(Export(folder["fresh"]), Export(folder["table"]));
    }

    [Fact]
    public void A_column_of_another_model_is_refused_until_it_is_asked_to_be_computed_anew()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 6);
        Score(folder["images"], folder["table"], With("brightness"));
        var good = Export(folder["table"]);
        // As if an older program had made it: another version in the provenance and in the parts.
        var json = Path.Combine(folder["table"], TableProvenance.FileName);
        File.WriteAllText(json, File.ReadAllText(json).Replace("\"version\": \"1\"", "\"version\": \"0\"", StringComparison.Ordinal));
        var error = Assert.Throws<ScoreTableException>(() => Score(folder["images"], folder["table"], With("brightness")));
        Assert.Contains("version 0 in the table, 1 here", error.Message, StringComparison.Ordinal);
        Assert.Contains("--rescore brightness", error.Message, StringComparison.Ordinal);
        Score(folder["images"], folder["table"], With("brightness"), SmallParts with { Rescore = ["brightness"] });
        Assert.Equal(good, Export(folder["table"]));
        Assert.Null(ScoreTable.Open(folder["table"]).Incomplete);
    }

    [Fact]
    public void A_table_of_another_dataset_is_refused()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 3);
        Score(folder["images"], folder["table"], With("brightness"));
        Directory.Move(folder["images"], folder["elsewhere"]);
        Directory.CreateDirectory(folder["images"]);
        Assert.Contains("--moved", Assert.Throws<ScoreTableException>(
            () => Score(folder["elsewhere"], folder["table"], With("brightness"))).Message, StringComparison.Ordinal);
        Assert.Contains("no items", Assert.Throws<DatasetException>(
            () => Score(folder["images"], folder["table"], With("brightness"))).Message, StringComparison.Ordinal);
        Assert.Equal(0, Score(folder["elsewhere"], folder["table"], With("brightness"), SmallParts with { HasMoved = true }));
    }

    [Fact]
    public void Two_writers_of_a_table_do_not_get_along()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 9);
        var token = TestContext.Current.CancellationToken;
        using (var running = ScoreTableRun.Score(Dataset.Open(folder["images"]), folder["table"], With("brightness"), cancellation: token)
            .GetEnumerator())
        {
            Assert.True(running.MoveNext());
            Assert.Contains("Another process is writing", Assert.Throws<IOException>(
                () => Score(folder["images"], folder["table"], With("brightness"))).Message, StringComparison.Ordinal);
        }
        Score(folder["images"], folder["table"], With("brightness"));
        Score(folder["images"], folder["whole"], With("brightness"));
        Assert.Equal(Export(folder["whole"]), Export(folder["table"]));
    }

    [Fact]
    public void Rows_say_what_became_of_every_image_and_what_the_text_measures()
    {
        using var folder = TestFiles.NewFolder();
        MakeImages(folder, 1);
        File.WriteAllText(folder["images/bad.jpg"], "no image");
        File.WriteAllLines(folder["data.jsonl"], [
            "{\"id\": 1, \"images\": [\"images/00.jpg\", \"images/bad.jpg\"], \"conversations\": [{\"from\": \"user\", \"value\": \"Wás  " +
            "ist 🖼?\"}, {\"from\": \"assistant\", \"value\": \"x\"}]}",
            "{\"id\": 2, \"image\": \"images/absent.jpg\", \"conversations\": [[\"q\", \"a b\"]]}",
            "not json",
            "{\"id\": 4, \"caption\": [\"one two\", \"three\"]}",
        ]);
        Score(folder["data.jsonl"], folder["table"], With("brightness"));
        var rows = Export(folder["table"]).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(["ok", "unreadable", "missing", "unreadable", "no_image"], rows.Select(row => row.GetProperty("status").GetString()));
        Assert.Equal([0L, 0, 1, 2, 3], rows.Select(row => row.GetProperty("item_index").GetInt64()));
        Assert.Equal("(12, 4, 2) (12, 4, 2) (4, 3, 2) - (12, 3, 0)", string.Join(' ', rows.Select(row =>
            row.GetProperty("turns").ValueKind == System.Text.Json.JsonValueKind.Null
            ? "-"
            : $"({row.GetProperty("text_length")}, {row.GetProperty("word_count")}, {row.GetProperty("turns")})")));
        Assert.Equal("images", rows[0].GetProperty("folder").GetString());
        Assert.Equal(8, rows[1].GetProperty("bytes").GetInt64());
        Assert.Equal(ImageStatus.Unreadable.Name(), rows[3].GetProperty("status").GetString());
    }
}
