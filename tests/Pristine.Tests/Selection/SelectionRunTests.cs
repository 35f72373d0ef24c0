using System.Text.Json;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Tests.Selection;

public class SelectionRunTests
{
    private static ScoreTable Ten(TemporaryFolder folder) => SmallTable.Make(
        folder, [
            .. Enumerable.Range(0, 10).Select(i => SmallTable.Row(i, 10 * ((i * 7) % 10), sharpness: 100 + i, folder: i < 4 ? "a" : "b"))]);

    private static JsonElement[] LedgerOf(ScoreTable table, SelectionOptions options, string file, bool droppedOnly = false)
    {
        using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
        using (var ledger = new LedgerWriter(file))
            ledger.Write(run, droppedOnly);
        return [.. File.ReadLines(file).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    [Theory]
    // brisque by item: 0 70 40 10 80 50 20 90 60 30
    [InlineData("3", "brisque", null, "0 3 6")]
    [InlineData("30%", "brisque", null, "0 3 6")]
    [InlineData("25%", "brisque", null, "0 3 6")]
    [InlineData("0%", "brisque", null, "")]
    [InlineData("100%", "brisque", null, "0 1 2 3 4 5 6 7 8 9")]
    [InlineData("99", "brisque", null, "0 1 2 3 4 5 6 7 8 9")]
    [InlineData("3", "sharpness", null, "7 8 9")]
    [InlineData("3", "brisque_quality", null, "0 3 6")]
    [InlineData("50%", "brisque", "folder", "0 3 5 6 9")]
    [InlineData("1", "brisque", "folder", "0 6")]
    public void The_best_are_kept_by_the_good_end_of_the_metric(string top, string by, string? per, string kept)
    {
        using var folder = TestFiles.NewFolder();
        Assert.Equal(kept, Ten(folder).Kept(new SelectionOptions { Top = TopShare.Parse(top), By = by, Per = per }));
    }

    [Fact]
    public void Of_equals_the_first_in_the_dataset_stays()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, [.. Enumerable.Range(0, 9).Select(i => SmallTable.Row(i, i % 2))]);
        Assert.Equal("0 1 2 3 4 6 8", table.Kept(new SelectionOptions { Top = new TopShare(7, false), By = "brisque" }));
    }

    [Theory]
    [InlineData("p10..p90", null, "1 2 3 4 5 6 8 9")]
    [InlineData("p0..p100", null, "0 1 2 3 4 5 6 7 8 9")]
    [InlineData("p0..p50", null, "0 2 3 6 9")]
    [InlineData("p0..p50", "folder", "0 3 5 6 9")]
    public void Percentiles_are_exact_interpolated_and_inclusive(string range, string? per, string kept)
    {
        using var folder = TestFiles.NewFolder();
        Assert.Equal(kept, Ten(folder).Kept(new SelectionOptions { Between = PercentileRange.Parse(range), By = "brisque", Per = per }));
    }

    [Fact]
    public void Steps_follow_one_another()
    {
        using var folder = TestFiles.NewFolder();
        // The rule leaves 0 70 40 10 . 50 20 . 60 30; the better half of those eight is 0 10 20 30; two of them, the first.
        Assert.Equal("0 3", Ten(folder)
            .Kept(new SelectionOptions { Drop = ["brisque >= 80"], Top = TopShare.Parse("50%"), By = "brisque", Limit = 2 }));
    }

    [Fact]
    public void An_ensemble_is_a_column()
    {
        using var folder = TestFiles.NewFolder();
        var options = new SelectionOptions { Score = "0.5 * brisque_quality + (sharpness - 100) / 20", Keep = ["score > 0.5"] };
        // Qualities: 1 .3 .6 .9 .2 .5 .8 .1 .4 .7; the sums: .5 .2 .4 .6 .3 .5 .7 .4 .6 .8
        Assert.Equal("3 6 8 9", Ten(folder).Kept(options));
        Assert.Equal("9", Ten(folder).Kept(options with { Keep = [], Top = new TopShare(1, false), By = "score" }));
    }

    [Fact]
    public void Several_images_count_by_policy()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(
            folder,
            SmallTable.Row(0, 20), SmallTable.Row(0, 60, imageIndex: 1),
            SmallTable.Row(1, 30), SmallTable.Row(1, 40, imageIndex: 1),
            SmallTable.Row(2, 20), SmallTable.Row(2, 0, imageIndex: 1, status: ImageStatus.Missing),
            SmallTable.Row(3, 50), SmallTable.Row(3, 90, imageIndex: 1));
        SelectionOptions By(ImagePolicy policy) => new() { Keep = ["brisque <= 40"], Images = policy };
        Assert.Equal("1", table.Kept(By(ImagePolicy.Worst)));
        Assert.Equal("0 1 2", table.Kept(By(ImagePolicy.Mean)));
        Assert.Equal("0 1 2", table.Kept(By(ImagePolicy.Best)));
        Assert.Equal("1", table.Kept(By(ImagePolicy.Worst) with { Keep = [], Top = new TopShare(1, false), By = "brisque" }));
        Assert.Equal("0", table.Kept(By(ImagePolicy.Best) with { Keep = [], Top = new TopShare(1, false), By = "brisque" }));
        var ledger = LedgerOf(table, By(ImagePolicy.Worst), folder["ledger.jsonl"], droppedOnly: true);
        Assert.Equal(["f/0-1.jpg", "f/2-1.jpg", "f/3-0.jpg"], ledger.Select(line => line.GetProperty("image").GetString()));
    }

    [Theory]
    [InlineData("0 4 5 6", "width >= 100")]
    [InlineData("0 4 5 6", "not width < 100")]
    [InlineData("0 3 4 5 6", "image_index >= 0")]
    [InlineData("0 3 4 5 6", "item_index >= 0")]
    [InlineData("0 4 5 6", "coalesce(brisque, 7) >= 0 and width > 0")]
    [InlineData("0 3 4 5 6", "coalesce(brisque, 7) >= 0")]
    // What a rule says of such images counts.
    [InlineData("0 1 2 4 5 6", "width >= 100 and (status = 'ok' or error is not null)")]
    [InlineData("1 2", "STATUS in ('truncated', 'unreadable')")]
    [InlineData("1 2 3 4 5", "brisque is null")]
    public void An_image_that_could_not_be_decoded_is_not_kept_by_its_header(string kept, string rule)
    {
        using var folder = TestFiles.NewFolder();
        var header = new ImageHeader(640, 480, "jpeg", 1000);
        ScoreRow Row(int item, ImageStatus status) => SmallTable.Row(item, 40, status: status) with
        {
            Header = status == ImageStatus.Missing ? null : header,
        };
        var table = SmallTable.Make(
            folder,
            Row(0, ImageStatus.Ok), Row(1, ImageStatus.Unreadable), Row(2, ImageStatus.Truncated), Row(3, ImageStatus.Missing),
            Row(4, ImageStatus.Timeout), Row(5, ImageStatus.TooLarge),
            SmallTable.Row(6, 40));
        Assert.Equal(kept, table.Kept(new SelectionOptions { Keep = [rule] }));
        Assert.Equal(kept, table.Kept(new SelectionOptions { Keep = [rule], Images = ImagePolicy.Mean }));
    }

    [Fact]
    public void The_ledger_says_why_an_image_that_could_not_be_decoded_is_dropped()
    {
        using var folder = TestFiles.NewFolder();
        var cut = SmallTable.Row(1, 0, status: ImageStatus.Truncated) with
        {
            Header = new ImageHeader(640, 480, "jpeg", 1000),
            Error = "the jpeg file is cut off",
        };
        var table = SmallTable.Make(
            folder, SmallTable.Row(0, 50), cut, SmallTable.Row(2, 50), cut with { Key = 21, ItemIndex = 2, Id = "i2", ImageIndex = 1 });
        var options = new SelectionOptions { Keep = ["width >= 100"] };
        var ledger = LedgerOf(table, options, folder["ledger.jsonl"]);
        Assert.Equal(
            ["passes every rule", "image truncated: the jpeg file is cut off", "image truncated: the jpeg file is cut off"],
            ledger.Select(line => line.GetProperty("reason").GetString()));
        using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(new ReasonCount("image truncated", 2), Assert.Single(run.Reasons));
        Assert.Equal("0 2", table.Kept(options with { Images = ImagePolicy.Best }));
        Assert.Equal("0 2", table.Kept(options with { Images = ImagePolicy.Mean }));
        Assert.Equal("0", table.Kept(new SelectionOptions { Limit = 5 }));
        Assert.Equal("0", table.Kept(new SelectionOptions { Top = TopShare.Parse("100%"), By = "width" }));
    }

    [Fact]
    public void Items_without_an_image_are_kept_unless_asked_otherwise_and_broken_records_never()
    {
        using var folder = TestFiles.NewFolder();
        var broken = SmallTable.Row(2, 0, status: ImageStatus.Unreadable) with
        {
            Image = null,
            Error = "data.jsonl:3: expected a JSON object",
        };
        var table = SmallTable.Make(folder, SmallTable.Row(0, 50), SmallTable.Row(1, 0, status: ImageStatus.NoImage), broken);
        Assert.Equal("1", table.Kept(new SelectionOptions { Keep = ["brisque < 40"] }));
        Assert.Equal("", table.Kept(new SelectionOptions { Keep = ["brisque < 40"], KeepItemsWithoutImage = false }));
        Assert.Equal("0 1", table.Kept(new SelectionOptions { Top = TopShare.Parse("100%"), By = "brisque" }));
        var ledger = LedgerOf(
            table, new SelectionOptions { Keep = ["brisque < 60"], KeepItemsWithoutImage = false }, folder["ledger.jsonl"]);
        Assert.Equal(["passes every rule", "no image", "data.jsonl:3: expected a JSON object"], ledger.Select(
            line => line.GetProperty("reason").GetString()));
    }

    /// <summary>Records with (1) and without (0) an image, with a text of a length each.</summary>
    private static ScoreTable Texts(TemporaryFolder folder, params (int Length, bool HasImage)[] items) => SmallTable.Make(
        folder,
        [.. items.Select((item, i) => SmallTable.Row(
            i, 10 * i, status: item.HasImage ? ImageStatus.Ok : ImageStatus.NoImage) with { Text = new ItemText(item.Length, 1, 1) })]);

    [Theory]
    // Items: 0 long with image, 1 short with image, 2 long without, 3 short without; brisque is ten times the index.
    [InlineData("0 2", 0, "text_length > 200")]
    [InlineData("0 2", 1, "text_length > 200", "brisque < 40")]
    [InlineData("2", 1, "brisque < 0", "text_length > 200")]
    [InlineData("0 2", 1, "brisque < 40 and text_length > 200")]
    [InlineData("0 2", 1, "not (brisque > 40 or text_length <= 200)")]
    [InlineData("0 1 2 3", 2, "brisque < 40 or text_length > 200")]
    [InlineData("2 3", 0, "not has_image")]
    [InlineData("1 3", 0, "id in ('i1', 'i3')")]
    [InlineData("0 1 2 3", 2, "score > -1")]
    [InlineData("", 0, "false")]
    public void A_rule_on_the_record_alone_judges_every_item(string kept, int withoutImage, params string[] rules)
    {
        using var folder = TestFiles.NewFolder();
        var table = Texts(folder, (300, true), (10, true), (300, false), (10, false));
        var options = new SelectionOptions
        {
            Keep = rules,
            Score = rules[0].StartsWith("score", StringComparison.Ordinal) ? "brisque + text_length" : "text_length / 2",
        };
        using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(kept, string.Join(' ', run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id[1..])));
        Assert.Equal(withoutImage, run.KeptWithoutImage);
        Assert.Equal(
            string.Join(' ', kept.Split(' ').Where(id => id is "0" or "1")), table.Kept(options with { KeepItemsWithoutImage = false }));
    }

    [Fact]
    public void Shares_by_the_text_count_items_without_an_image()
    {
        using var folder = TestFiles.NewFolder();
        var table = Texts(folder, (5, true), (1, false), (4, false), (2, true), (3, false));
        Assert.Equal("0 2", table.Kept(new SelectionOptions { Top = new TopShare(2, false), By = "text_length" }));
        Assert.Equal("2 4", table.Kept(
            new SelectionOptions { Keep = ["brisque > 0"], Between = PercentileRange.Parse("p50..p100"), By = "text_length" }));
        Assert.Equal("0 1 2 4", table.Kept(new SelectionOptions { Top = new TopShare(1, false), By = "brisque" }));
    }

    [Theory]
    [InlineData("brisque <= 40 and width >= 700", "width", 640.0, 700.0)]
    [InlineData("width < 100 or brisque < 10", "width", 640.0, 100.0)]
    [InlineData("not (brisque > 90 or width >= 400)", "width", 640.0, 400.0)]
    [InlineData("not (brisque < 50 and width >= 400)", "brisque", 20.0, 50.0)]
    [InlineData("700 <= width", "width", 640.0, 700.0)]
    [InlineData("brisque between 5 and 10", "brisque", 20.0, 10.0)]
    [InlineData("brisque between 25 and 30", "brisque", 20.0, 25.0)]
    [InlineData("brisque + 10 > sharpness", "brisque + 10", 30.0, 100.0)]
    [InlineData("brisque in (1, 2)", "brisque", 20.0, null)]
    [InlineData("format = 'png'", "format", null, null)]
    public void The_ledger_tells_the_comparison_that_decided(string rule, string column, double? value, double? threshold)
    {
        using var folder = TestFiles.NewFolder();
        var line = LedgerOf(SmallTable.Make(
            folder, SmallTable.Row(0, 20)), new SelectionOptions { Keep = ["brisque >= 0", rule] }, folder["ledger.jsonl"]).Single();
        static double? Number(JsonElement element) => element.ValueKind == JsonValueKind.Null ? null : element.GetDouble();
        Assert.Equal((rule, column, value, threshold, value - threshold), (
            line.GetProperty("rule").GetString(), line.GetProperty("column").GetString(), Number(line.GetProperty("value")),
            Number(line.GetProperty("threshold")), Number(line.GetProperty("margin"))));
    }

    [Fact]
    public void A_missing_score_drops_and_says_so()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 20), SmallTable.Row(1, 0, status: ImageStatus.Missing));
        foreach (var options in (SelectionOptions[])[
            new() { Keep = ["brisque <= 40"] }, new() { Drop = ["brisque > 40"] }, new() { Top = new TopShare(5, false), By = "brisque" },
            new() { Between = new PercentileRange(0, 100), By = "brisque" }])
        {
            var line = LedgerOf(table, options, folder["ledger.jsonl"], droppedOnly: true).Single();
            Assert.Equal("missing score brisque: missing, a reason", line.GetProperty("reason").GetString());
        }
    }

    [Theory]
    [Trait("kind", "long")]
    [InlineData("ledger.parquet")]
    [InlineData("ledger.csv")]
    [InlineData("ledger.jsonl")]
    public void Ledgers_are_the_same_bytes_whatever_the_threads_and_read_back(string name)
    {
        using var folder = TestFiles.NewFolder();
        var random = new Random(5);
        var rows = Enumerable.Range(0, 400).Select(i => SmallTable.Row(i, random.Next(100), random.Next(50), folder: $"f{i % 7}"))
            .ToArray();
        var table = SmallTable.Make(folder, rows);
        var options = new SelectionOptions
        {
            Keep = ["sharpness > 5 or brisque < 3"],
            Between = new PercentileRange(5, 95),
            Top = TopShare.Parse("61.8%"),
            By = "brisque",
            Per = "folder",
        };
        var bytes = new List<byte[]>();
        foreach (var threads in (int[])[1, 2, 4])
        {
            using var run = SelectionRun.Run(
                table, options, new SelectionResources { Threads = threads }, cancellation: TestContext.Current.CancellationToken);
            using (var ledger = new LedgerWriter(folder[name]))
                ledger.Write(run);
            bytes.Add(File.ReadAllBytes(folder[name]));
            var entries = Ledger.Open(folder[name]).Read().ToArray();
            Assert.Equal(Enumerable.Range(0, 400), entries.Select(entry => (int)entry.Index));
            Assert.Equal(run.Kept, entries.Count(entry => entry.Kept));
            Assert.Equal(run.Reasons.Sum(reason => reason.Count), run.Dropped);
        }
        Assert.Equal(bytes[0], bytes[1]);
        Assert.Equal(bytes[0], bytes[2]);
        Assert.Equal(options.ToJson(), LedgerSelection.Read(folder[name]).Selection.ToJson());
    }

    [Theory]
    [InlineData("ledger.parquet", false)]
    [InlineData("ledger.csv", false)]
    [InlineData("ledger.jsonl", false)]
    [InlineData("ledger.parquet", true)]
    [InlineData("ledger.csv", true)]
    [InlineData("ledger.jsonl", true)]
    public void Rows_read_range_by_range_are_those_read_at_once(string name, bool droppedOnly)
    {
        using var folder = TestFiles.NewFolder();
        var random = new Random(7);
        // Some items have two images, and one in three is a copy of another.
        var table = SmallTable.Make(folder, [.. Enumerable.Range(0, 120).SelectMany(i => Enumerable.Range(0, 1 + (i % 5 / 4))
            .Select(image => SmallTable.Row(i, random.Next(100), random.Next(50), image) with
            {
                Scores = new[] { i is > 20 and < 40 ? double.NaN : random.Next(100), random.Next(50) },
                ContentHash = $"{i % 80}-{image}",
            }))]);
        var options = new SelectionOptions { Keep = ["sharpness > 5"], Dedup = DuplicateMethod.Exact, KeepBest = "sharpness" };
        (byte[] Ledger, ItemDecision[] Decisions, LedgerEntry[] Entries, string[] Scores) At(long rows)
        {
            using var run = SelectionRun.Run(
                table, options, new SelectionResources { RowsPerRange = rows }, cancellation: TestContext.Current.CancellationToken);
            using (var ledger = new LedgerWriter(folder[name]))
                ledger.Write(run, droppedOnly);
            var scores = new List<string>();
            for (var kept = run.KeptScores().Scores; kept.MoveNext();)
                scores.Add(string.Join(' ', kept.Current));
            return (File.ReadAllBytes(folder[name]), [.. run.Decisions()], [.. run.Entries()], [.. scores]);
        }
        var whole = At(1 << 17);
        Assert.Contains(whole.Entries, entry => entry.Reason.Contains("kept instead of", StringComparison.Ordinal));
        Assert.NotEmpty(whole.Scores);
        foreach (var rows in (long[])[120, 500, 5000])
        {
            var found = At(rows);
            Assert.Equal(whole.Ledger, found.Ledger);
            Assert.Equal(whole.Decisions, found.Decisions);
            Assert.Equal(whole.Entries, found.Entries);
            Assert.Equal(whole.Scores, found.Scores);
        }
    }

    [Fact]
    public void A_column_that_the_parts_of_a_range_lack_is_empty_there()
    {
        using var folder = TestFiles.NewFolder();
        SmallTable.Make(folder, [.. Enumerable.Range(0, 4).Select(i => SmallTable.Row(i, i))]);
        var brisque = MetricCatalog.Get("brisque");
        // A run that added sharpness was stopped before the first part.
        using (var database = DuckDbConnection.Open())
        {
            TablePart.Write(
                database, TablePart.FileOf(folder.Path, 0, 0),
                [.. Enumerable.Range(0, 2).Select(i => SmallTable.Row(i, i) with { Scores = new double[] { i } })], [brisque],
                new Dictionary<string, PartColumn> { ["brisque"] = new(ColumnProvenance.Of(brisque).Fingerprint) });
        }
        using var run = SelectionRun.Run(
            ScoreTable.Open(folder.Path), new SelectionOptions { Keep = ["brisque >= 0"] }, new SelectionResources { RowsPerRange = 15 },
            cancellation: TestContext.Current.CancellationToken);
        var scores = new List<double[]>();
        for (var kept = run.KeptScores().Scores; kept.MoveNext();)
            scores.Add(kept.Current);
        Assert.Equal([[0, double.NaN], [1, double.NaN], [2, 100], [3, 100]], scores);
        Assert.Equal([0L, 1, 2, 3], run.Entries().Select(entry => entry.Index));
    }

    [Fact]
    public void Fields_of_items_are_read_from_the_dataset_and_kept_items_come_back_unchanged()
    {
        using var folder = TestFiles.NewFolder();
        string[] lines = [
            "{\"id\":\"i0\",\"n\":5,\"source\":\"x\",\"image\":\"f/0-0.jpg\"}",
            "{\"id\":\"i1\",  \"n\":\"11\",\"ok\":true,\"image\":\"f/1-0.jpg\"}", "{\"id\":\"i2\",\"n\":[1],\"image\":\"f/2-0.jpg\"}"];
        File.WriteAllLines(folder["data.jsonl"], lines);
        var table = SmallTable.Make(folder, [.. Enumerable.Range(0, 3).Select(i => SmallTable.Row(i, i))]);
        Assert.Equal("1", table.Kept(new SelectionOptions { Keep = ["item.n > 7"] }));
        Assert.Equal("0", table.Kept(new SelectionOptions { Keep = ["item.n < 7"] }));
        Assert.Equal("0", table.Kept(new SelectionOptions { Keep = ["item.source = 'x'"] }));
        Assert.Equal("1", table.Kept(new SelectionOptions { Keep = ["item.ok"] }));
        Assert.Equal("0 2", table.Kept(
            new SelectionOptions { Top = new TopShare(1, false), By = "brisque", Per = "item.ok", Drop = ["item.ok is not null"] }) + " 2");
        using (var run = SelectionRun.Run(
            table, new SelectionOptions { Keep = ["brisque >= 1"] }, cancellation: TestContext.Current.CancellationToken))
            Assert.Equal(lines[1..], run.KeptItems(TestContext.Current.CancellationToken)
                .Select(item => System.Text.Encoding.UTF8.GetString(item.Raw.Span)));
        File.WriteAllLines(folder["data.jsonl"], lines.Reverse());
        using (var run = SelectionRun.Run(
            table, new SelectionOptions { Keep = ["brisque >= 1"] }, cancellation: TestContext.Current.CancellationToken))
            Assert.Contains("not the one that was scored", Assert.Throws<DatasetException>(
                () => run.KeptItems(TestContext.Current.CancellationToken).ToArray()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_ledgers_are_compared_and_a_restored_dataset_is_the_original()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(folder["data.jsonl"], Enumerable.Range(0, 10).Select(i => $"{{\"id\":\"i{i}\",\"image\":\"x.jpg\"}}"));
        var table = Ten(folder);
        LedgerOf(table, new SelectionOptions { Keep = ["brisque <= 40"] }, folder["a.jsonl"]);
        LedgerOf(table, new SelectionOptions { Keep = ["brisque >= 20", "brisque <= 60"] }, folder["b.jsonl"], droppedOnly: true);
        var (a, b) = (Ledger.Open(folder["a.jsonl"]), Ledger.Open(folder["b.jsonl"]));
        var comparison = LedgerComparison.Of(a, b, examples: 1);
        Assert.Equal(
            (3L, 2L, 2L, 3L, 0L),
            (comparison.KeptByBoth, comparison.KeptByFirst, comparison.KeptBySecond, comparison.DroppedByBoth,
                comparison.OnlyInFirst + comparison.OnlyInSecond));
        Assert.Equal([new LedgerDifference("i0", true, "brisque 0 fails brisque >= 20"), new LedgerDifference(
            "i5", false, "brisque 50 fails brisque <= 40")], comparison.Examples);
        var dataset = Dataset.Open(folder["data.jsonl"]);
        var token = TestContext.Current.CancellationToken;
        foreach (var ledger in (Ledger[])[a, b])
            Assert.Equal(10, Restoration.Items(ledger, dataset, _ => true, token).Count());
        Assert.Equal(
            "i0 i2 i3 i6 i7 i9", string.Join(' ', Restoration.Items(a, dataset, entry => entry.Id == "i7", token).Select(item => item.Id)));
    }

    [Fact]
    public void Ledgers_in_another_order_or_of_other_datasets_are_compared_and_restored_as_well()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(folder["data.jsonl"], Enumerable.Range(0, 10).Select(i => $"{{\"id\":\"i{i}\",\"image\":\"x.jpg\"}}"));
        var table = Ten(folder);
        var (high, low) = (new SelectionOptions { Keep = ["brisque >= 20"] }, new SelectionOptions { Keep = ["brisque <= 60"] });
        foreach (var droppedOnly in (bool[])[false, true])
        {
            var (a, b) = ($"a-{droppedOnly}.jsonl", $"b-{droppedOnly}.jsonl");
            LedgerOf(table, high, folder[a], droppedOnly);
            LedgerOf(table, low, folder[b], droppedOnly);
            var expected = LedgerComparison.Of(Ledger.Open(folder[a]), Ledger.Open(folder[b]));
            Assert.Equal((2L, 3L), (expected.KeptBySecond, expected.KeptByFirst));
            // Sorted by someone; and without the file beside it, which says of which table it is.
            File.WriteAllLines(folder["sorted.jsonl"], File.ReadAllLines(folder[a]).Reverse());
            foreach (var one in (string[])[a, "sorted.jsonl"])
                foreach (var (first, second) in ((string, string)[])[(one, b), (b, one)])
                {
                    var found = LedgerComparison.Of(Ledger.Open(folder[first]), Ledger.Open(folder[second]));
                    var (kept, dropped) = first == b
                        ? (found.KeptBySecond, found.KeptByFirst) : (found.KeptByFirst, found.KeptBySecond);
                    Assert.Equal(
                        (expected.KeptByBoth, 3L, 2L, expected.DroppedByBoth), (found.KeptByBoth, kept, dropped, found.DroppedByBoth));
                    Assert.Equal(
                        expected.Examples.Select(example => (example.Id, example.Reason)).Order(),
                        found.Examples.Select(example => (example.Id, example.Reason)).Order());
                }
            File.Copy(folder[a + ".selection.json"], folder["sorted.jsonl.selection.json"], overwrite: true);
            Assert.Equal(10, Restoration.Items(
                Ledger.Open(folder["sorted.jsonl"]), Dataset.Open(folder["data.jsonl"]), _ => true,
                TestContext.Current.CancellationToken).Count());
            File.Delete(folder["sorted.jsonl.selection.json"]);
        }
    }

    [Fact]
    public void An_explanation_has_every_rule_of_every_image()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 20), SmallTable.Row(0, 60, imageIndex: 1), SmallTable.Row(1, 5));
        using var run = SelectionRun.Run(table, new SelectionOptions
        {
            Keep = [
            "brisque <= 40", "width > 100 or height > 100"]
        }, cancellation: TestContext.Current.CancellationToken);
        var item = Explanation.Of(run, "i0").Single();
        Assert.Equal((false, "brisque 60 fails brisque <= 40"), (item.Decision.Kept, item.Decision.Reason));
        Assert.Equal([(true, 20.0, 40.0), (true, 640, 100), (false, 60, 40), (true, 640, 100)], item.Images.SelectMany(image => image.Rules)
            .Select(rule => (rule.Holds!.Value, rule.Value!.Value, rule.Threshold!.Value)));
        Assert.Equal("60.0", item.Images[1].Columns.Single(column => column.Key == "brisque").Value);
        Assert.Equal("i1", Explanation.Of(run, "f/1-0.jpg").Single().Decision.Id);
        Assert.Empty(Explanation.Of(run, "nobody"));
    }

    [Fact]
    public void An_explanation_of_a_mean_is_of_no_single_image()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 20), SmallTable.Row(0, 70, imageIndex: 1), SmallTable.Row(1, 5));
        using var run = SelectionRun.Run(table, new SelectionOptions
        {
            Keep = [
            "brisque <= 40"],
            Images = ImagePolicy.Mean
        }, cancellation: TestContext.Current.CancellationToken);
        var item = Explanation.Of(run, "i0").Single();
        Assert.All(item.Images, image => Assert.Empty(image.Rules));
        Assert.Equal((false, 45.0), (item.OfMean.Single().Holds, item.OfMean.Single().Value));
        var single = Explanation.Of(run, "i1").Single();
        Assert.Empty(single.OfMean);
        Assert.Equal(5.0, single.Images.Single().Rules.Single().Value);
    }

    [Fact]
    public void Verdicts_stay_with_their_images_where_keys_grow_a_digit()
    {
        using var folder = TestFiles.NewFolder();
        // Keys 7 to 13: as text, 10 comes before 7.
        var table = SmallTable.Make(folder, [.. Enumerable.Range(7, 7).Select(i => SmallTable.Row(0, 5 * i, imageIndex: i))]);
        using var run = SelectionRun.Run(
            table, new SelectionOptions { Keep = ["brisque <= 45"] }, cancellation: TestContext.Current.CancellationToken);
        var images = Explanation.Of(run, "i0").Single().Images;
        Assert.Equal(["7", "8", "9", "10", "11", "12", "13"], images.Select(
            image => image.Columns.Single(column => column.Key == "image_index").Value));
        Assert.All(images, image => Assert.Equal(image.Columns.Single(column => column.Key == "brisque").Value, string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{image.Rules.Single().Value:0.0}")));
    }

    [Fact]
    public void An_item_is_found_by_any_image_by_its_path_and_by_a_file_name_that_only_it_has()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(
            folder, SmallTable.Row(0, 60), SmallTable.Row(0, 20, imageIndex: 1), SmallTable.Row(1, 5, folder: "a"),
            SmallTable.Row(2, 5) with { Image = "a/same.jpg" }, SmallTable.Row(3, 5) with { Image = "b/same.jpg" });
        using var run = SelectionRun.Run(
            table, new SelectionOptions { Keep = ["brisque <= 40"] }, cancellation: TestContext.Current.CancellationToken);
        string[] Found(string name) => [.. Explanation.Of(run, name).Select(item => item.Decision.Id)];
        // The image that did not decide.
        Assert.Equal(["i0"], Found("f/0-1.jpg"));
        Assert.Equal(["i1"], Found(folder["a/1-0.jpg"]));
        Assert.Equal(["i1"], Found("1-0.jpg"));
        Assert.Equal(["i3"], Found("b/same.jpg"));
        Assert.Empty(Found("same.jpg"));
        Assert.Equal(["i2", "i3"], Explanation.Nearest(run, "same.jpg", 2));
        Assert.Equal("i1", Explanation.Nearest(run, "I1x", 1).Single());
        Assert.Empty(Found(""));
    }

    [Fact]
    public void A_field_that_no_item_has_is_refused_with_the_names_of_those_that_are_there()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["data.jsonl"], "{\"id\":\"i0\",\"n\":5}\n{\"id\":\"i1\",\"source\":null}\n");
        var table = SmallTable.Make(folder, SmallTable.Row(0, 1), SmallTable.Row(1, 1));
        foreach (var options in (SelectionOptions[])[new() { Keep = ["item.N > 3"] }, new() { Top = new TopShare(
            1, false), By = "brisque", Per = "item.N" }])
        {
            foreach (var refused in (Action[])[() => table.Kept(options), () => options.Parse()
                .CheckFields(Dataset.Open(folder["data.jsonl"]), TestContext.Current.CancellationToken)])
                Assert.EndsWith("found item.N, which no item has; their fields are id, n, source.", Assert.Throws<RuleException>(
                    refused).Message, StringComparison.Ordinal);
        }
        // A field that is there without a value is a missing value.
        Assert.Equal("", table.Kept(new SelectionOptions { Keep = ["item.source = 'x'"] }));
    }

    [Fact]
    public void Ids_and_rules_that_dropped_nothing_cannot_be_put_back()
    {
        using var folder = TestFiles.NewFolder();
        LedgerOf(Ten(folder), new SelectionOptions { Keep = ["brisque <= 40"] }, folder["a.jsonl"]);
        var ledger = Ledger.Open(folder["a.jsonl"]);
        Restoration.Check(ledger, ["i1", "i4"], ["brisque <= 40"]);
        Assert.EndsWith(
            "it kept 'i0'.", Assert.Throws<RuleException>(() => Restoration.Check(ledger, ["i0"], [])).Message, StringComparison.Ordinal);
        Assert.EndsWith("found 'i77'. Nearest: i7, i1, i4.", Assert.Throws<RuleException>(
            () => Restoration.Check(ledger, ["i77"], [])).Message, StringComparison.Ordinal);
        Assert.EndsWith("found 'brisque < 40'. Those are: brisque <= 40.", Assert.Throws<RuleException>(
            () => Restoration.Check(ledger, [], ["brisque < 40"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("110%")]
    [InlineData("1.5")]
    [InlineData("-3")]
    [InlineData("best")]
    public void A_share_that_makes_no_sense_is_refused(string text) => Assert.Throws<RuleException>(() => TopShare.Parse(text));

    [Theory]
    [InlineData("5..95")]
    [InlineData("p95..p5")]
    [InlineData("p5..p101")]
    [InlineData("p5")]
    public void Percentiles_that_make_no_sense_are_refused(string text) => Assert.Throws<RuleException>(() => PercentileRange.Parse(text));

    [Fact]
    public void With_any_another_image_may_be_enough_for_each_rule()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(
            folder,
            SmallTable.Row(0, 10, sharpness: 5), SmallTable.Row(0, 90, sharpness: 500, imageIndex: 1),
            SmallTable.Row(1, 10, sharpness: 5), SmallTable.Row(1, 20, sharpness: 6, imageIndex: 1),
            SmallTable.Row(2, 90, sharpness: 500), SmallTable.Row(2, 90, status: ImageStatus.Unreadable, imageIndex: 1),
            SmallTable.Row(3, 10, sharpness: 500), SmallTable.Row(3, 90, status: ImageStatus.Unreadable, imageIndex: 1),
            SmallTable.Row(4, 90, status: ImageStatus.Unreadable), SmallTable.Row(4, 90, status: ImageStatus.Unreadable, imageIndex: 1));
        var options = new SelectionOptions { Keep = ["brisque <= 50", "sharpness >= 100"], Images = ImagePolicy.Any };
        Assert.Equal("0 3", table.Kept(options));
        Assert.Equal("3", table.Kept(options with { Images = ImagePolicy.Best }));
        Assert.Equal("", table.Kept(options with { Images = ImagePolicy.Worst }));
        using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
        var reasons = run.Entries().ToDictionary(entry => entry.Id, entry => entry.Reason);
        Assert.Equal("sharpness 5 fails sharpness >= 100", reasons["i1"]);
        Assert.Equal("brisque 90 fails brisque <= 50", reasons["i2"]);
        Assert.Equal("0 1 2 3", table.Kept(new() { Limit = 10, Images = ImagePolicy.Any }));
        Assert.Contains("(any)", Assert.Throws<RuleException>(() => Cascade.Of(options.Parse())).Message, StringComparison.Ordinal);
    }
}
