using System.Globalization;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Tests.Selection.Duplicates;

public sealed class DuplicateSelectionTests
{
    private static readonly Metric[] Metrics = [MetricCatalog.Get("brisque"), MetricSet.BuiltIn.Get("phash")];

    private static readonly SelectionOptions Exact = new() { Dedup = DuplicateMethod.Exact };
    private static readonly SelectionOptions Near = new() { Dedup = DuplicateMethod.Near };

    /// <summary>A row with a hash of the bytes and a perceptual hash; null for none.</summary>
    private static ScoreRow Row(long item, string? content, ulong? hash, double brisque = 30, int imageIndex = 0, string folder = "f") =>
        SmallTable.Row(item, brisque, imageIndex: imageIndex, folder: folder) with
        {
            ContentHash = content,
            Vectors = [null, hash is { } bits ? [bits >> 48, bits >> 32 & 0xFFFF, bits >> 16 & 0xFFFF, bits & 0xFFFF] : [
                float.NaN, float.NaN, float.NaN, float.NaN]],
        };

    private static ScoreTable Make(TemporaryFolder folder, params ScoreRow[] rows) => SmallTable.Make(folder, Metrics, rows);

    private static Dictionary<string, LedgerEntry> Entries(ScoreTable table, SelectionOptions options)
    {
        using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
        return run.Entries().ToDictionary(entry => entry.Id);
    }

    [Fact]
    public void Of_equal_files_the_first_stays_and_the_ledger_names_it()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(
            folder, Row(0, "aa", 1), Row(1, "bb", 2), Row(2, "aa", 1), Row(3, null, null), Row(4, null, null), Row(5, "aa", 1));
        Assert.Equal("0 1 3 4", table.Kept(Exact));
        var entries = Entries(table, Exact);
        Assert.Equal(("exact duplicates", "duplicate of i0"), (entries["i2"].Rule, entries["i2"].Reason));
        Assert.Equal("passes every rule; kept instead of 2 duplicates", entries["i0"].Reason);
        Assert.Equal("passes every rule", entries["i1"].Reason);
    }

    [Fact]
    public void The_best_stays_and_a_missing_value_is_worst()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(folder, Row(0, "aa", 1, double.NaN), Row(1, "aa", 1, 40), Row(2, "aa", 1, 20), Row(3, "aa", 1, 20));
        // brisque: the smallest is best; of equals the first stays.
        Assert.Equal("2", table.Kept(Exact with { KeepBest = "brisque" }));
        Assert.Equal("2", table.Kept(Exact with { KeepBest = "brisque_quality" }));
        var entries = Entries(table, Exact with { KeepBest = "brisque" });
        Assert.Equal("duplicate of i2: brisque 40 against 20", entries["i1"].Reason);
        Assert.Equal("duplicate of i2: brisque nothing against 20", entries["i0"].Reason);
        using var run = SelectionRun.Run(table, Exact with { KeepBest = "brisque" }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(new ReasonCount("exact duplicates, best by brisque", 3), Assert.Single(run.Reasons));
    }

    [Fact]
    public void Near_duplicates_are_joined_by_chains_and_their_distance_is_told()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(folder, Row(0, "aa", 0xF000_0000_0000_0000), Row(1, "bb", 0xFF00_0000_0000_0000), Row(
            2, "cc", 0xFFF0_0000_0000_0000), Row(3, "dd", 0xFFFF_F000_0000_0000));
        Assert.Equal("0 3", table.Kept(Near));
        Assert.Equal("near duplicate of i0 (distance 8)", Entries(table, Near)["i2"].Reason);
        Assert.Equal("0 1 2 3", table.Kept(Near with { Dedup = DuplicateMethod.Parse("near:3") }));
        Assert.Equal("0", table.Kept(Near with { Dedup = DuplicateMethod.Parse("near:8") }));
    }

    [Fact]
    public void An_image_without_a_perceptual_hash_has_the_duplicates_with_its_bytes()
    {
        using var folder = TestFiles.NewFolder();
        Assert.Equal("0 1", Make(folder, Row(0, "aa", null), Row(1, "bb", null), Row(2, "aa", null)).Kept(Near));
    }

    [Fact]
    public void Rules_come_first_so_no_duplicate_is_dropped_for_one_that_is_dropped()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(folder, Row(0, "aa", 1, 90), Row(1, "aa", 1, 30), Row(2, "aa", 1, 35));
        Assert.Equal("1", table.Kept(Exact with { Keep = ["brisque <= 60"] }));
        Assert.Equal("1 2", table.Kept(new() { Keep = ["brisque <= 60"] }));
    }

    [Fact]
    public void Rules_know_how_many_copies_an_image_has_and_which()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(
            folder, Row(0, "aa", 1, 90), Row(1, "aa", 1), Row(2, "bb", 3), Row(3, "cc", 0xFFFF_0000_FFFF_0000), Row(4, null, null));
        // By their bytes, unless duplicates are looked for in another way; of the whole table, whatever other rules say.
        SelectionOptions Rule(string keep) => new() { Keep = [keep] };
        Assert.Equal("2 3", table.Kept(Rule("copies = 1")));
        Assert.Equal("0 1", table.Kept(Rule("copies > 1")));
        Assert.Equal("1", table.Kept(new() { Keep = ["copies = 2", "brisque < 50"] }));
        Assert.Equal("0 1", table.Kept(Rule("duplicate_group = 'aa'")));
        Assert.Equal("3", table.Kept(Near with { Keep = ["copies = 1"] }));
        Assert.Equal("0 3", table.Kept(Near with { Keep = ["copies in (1, 3)"] }));
        Assert.Equal("0 2 3", table.Kept(Exact with { Keep = ["copies <= 2"] }));
        Assert.Equal("0", table.Kept(new() { Top = TopShare.Parse("1"), By = "copies" }));
        Assert.Equal("0 1", table.Kept(new() { Keep = ["copies > 1"], Images = ImagePolicy.Mean }));
        var entries = Entries(table, Rule("copies = 1"));
        Assert.Equal(("copies = 1", "copies 2 fails copies = 1"), (entries["i0"].Rule, entries["i0"].Reason));
        Assert.Equal("missing score copies: ok", entries["i4"].Reason);
    }

    [Fact]
    public void Duplicates_are_dropped_within_each_value_and_before_shares()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(folder, Row(0, "aa", 1, folder: "a"), Row(1, "aa", 1, folder: "b"), Row(2, "aa", 1, folder: "b"), Row(
            3, "bb", 7, 10, folder: "b"));
        Assert.Equal("0 1 3", table.Kept(Exact with { Per = "folder" }));
        Assert.Equal("0 3", table.Kept(Exact with { Top = TopShare.Parse("100%"), By = "brisque" }));
        Assert.Equal("3", table.Kept(Exact with { Top = TopShare.Parse("50%"), By = "brisque" }));
    }

    [Fact]
    public void Items_with_several_images_are_duplicates_image_by_image()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(
            folder,
            Row(0, "aa", 1), Row(0, "bb", 2, imageIndex: 1),
            Row(1, "aa", 1), Row(1, "bb", 2, imageIndex: 1),
            Row(2, "bb", 2), Row(2, "aa", 1, imageIndex: 1),
            Row(3, "aa", 1),
            Row(4, "aa", 1), Row(4, null, null, imageIndex: 1),
            Row(5, "aa", 1), Row(5, null, null, imageIndex: 1));
        foreach (var images in Enum.GetValues<ImagePolicy>())
            Assert.Equal("0 2 3 4 5", table.Kept(Exact with { Images = images }));
        Assert.Equal("duplicate of i0", Entries(table, Exact)["i1"].Reason);
    }

    [Fact]
    public void An_item_is_as_good_as_its_worst_image_or_its_best()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(
            folder,
            Row(0, "aa", 1, 10), Row(0, "bb", 2, 80, imageIndex: 1),
            Row(1, "aa", 1, 30), Row(1, "bb", 2, 40, imageIndex: 1));
        Assert.Equal("1", table.Kept(Exact with { KeepBest = "brisque" }));
        Assert.Equal("0", table.Kept(Exact with { KeepBest = "brisque", Images = ImagePolicy.Best }));
        Assert.Equal("1", table.Kept(Exact with { KeepBest = "brisque", Images = ImagePolicy.Mean }));
    }

    [Fact]
    public void Items_without_an_image_are_no_duplicates()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(folder, SmallTable.Row(0, 0, status: ImageStatus.NoImage), SmallTable.Row(1, 0, status: ImageStatus.NoImage), Row(
            2, "aa", 1), Row(3, "aa", 1));
        Assert.Equal("0 1 2", table.Kept(Exact));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_tables_give_what_comparing_every_pair_gives(int seed)
    {
        using var folder = TestFiles.NewFolder();
        var random = new Random(seed);
        var centres = Enumerable.Range(0, 12).Select(_ => (ulong)random.NextInt64()).ToArray();
        var rows = Enumerable.Range(0, 120).Select(item =>
        {
            var hash = centres[random.Next(centres.Length)];
            for (var bits = random.Next(4); bits > 0; bits--)
                hash ^= 1UL << random.Next(64);
            return (Hash: hash, Brisque: random.Next(10, 20), Row: Row(item, item.ToString(CultureInfo.InvariantCulture), hash) with { });
        }).ToArray();
        var table = Make(folder, [.. rows.Select((row, item) => Row(item, $"{item}", row.Hash, row.Brisque))]);
        var group = Enumerable.Range(0, rows.Length).ToArray();
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = 0; i < rows.Length; i++)
                for (var j = 0; j < rows.Length; j++)
                    if (group[j] < group[i] && ulong.PopCount(rows[i].Hash ^ rows[j].Hash) <= 4)
                        (group[i], changed) = (group[j], true);
        }
        var expected = Enumerable.Range(0, rows.Length).GroupBy(i => group[i]).Select(members => members.MinBy(i => rows[i].Brisque))
            .Order();
        Assert.Equal(string.Join(' ', expected), table.Kept(Near with { KeepBest = "brisque" }));
        Assert.Equal(
            table.Kept(Near with { KeepBest = "brisque" }, threads: 1), table.Kept(Near with { KeepBest = "brisque" }, threads: 4));
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 10));
        string Refusal(SelectionOptions options) => Assert.Throws<RuleException>(() => table.Kept(options)).Message;
        Assert.Contains("The table has no column 'phash'; 'pristine score INPUT --out TABLE --metrics ...' adds it", Refusal(
            Near), StringComparison.Ordinal);
        Assert.Contains(
            "Expected a way to find duplicates", Refusal(new() { Keep = ["brisque < 1"], KeepBest = "width" }), StringComparison.Ordinal);
        Assert.Contains("'format' holds text", Refusal(Exact with { KeepBest = "format" }), StringComparison.Ordinal);
        Assert.Contains("from 0 to 16 bits; found 17", Refusal(new() { Dedup = new(DuplicateKind.Near, 17) }), StringComparison.Ordinal);
        foreach (var text in new[] { "", "Near", "near:", "near:17", "near:-1", "fuzzy" })
            Assert.Throws<RuleException>(() => DuplicateMethod.Parse(text));
        foreach (var text in new[] { "exact", "near:4", "near:0", "near:16" })
            Assert.Equal(text, DuplicateMethod.Parse(text).ToString());
    }

    [Fact]
    public void The_selection_beside_a_ledger_brings_duplicates_back()
    {
        using var folder = TestFiles.NewFolder();
        var table = Make(folder, Row(0, "aa", 1), Row(1, "aa", 1));
        var ledger = folder["dropped.jsonl"];
        using (var run = SelectionRun.Run(table, Near with
        {
            KeepBest = "brisque",
            Dedup = DuplicateMethod.Parse(
            "near:6")
        }, cancellation: TestContext.Current.CancellationToken))
        using (var writer = new LedgerWriter(ledger))
            writer.Write(run, droppedOnly: true);
        var read = LedgerSelection.Read(ledger).Selection;
        Assert.Equal((DuplicateMethod.Parse("near:6"), "brisque"), (read.Dedup, read.KeepBest));
        using var again = SelectionRun.Run(table, read, cancellation: TestContext.Current.CancellationToken);
        Assert.StartsWith(
            "near duplicate of i0 (distance 0)", Explanation.Of(again, "i1").Single().Decision.Reason, StringComparison.Ordinal);
        Assert.Equal("passes every rule; kept instead of 1 duplicate", Explanation.Of(again, "i0").Single().Decision.Reason);
    }

    [Fact]
    public void A_selection_asks_for_the_metrics_that_it_needs()
    {
        Assert.Equal(["phash"], Near.Parse().Metrics.Select(metric => metric.Name));
        Assert.Equal(["phash", "brisque"], (Near with { KeepBest = "brisque" }).Parse().Metrics.Select(metric => metric.Name));
        Assert.Empty(Exact.Parse().Metrics);
        Assert.True(Exact.Parse().NeedsImages);
        Assert.False(Exact.IsEmpty);
        Assert.Contains("--dedup phash", Assert.Throws<RuleException>(() => Cascade.Of(
            (Near with { Keep = ["brisque < 60"], Images = ImagePolicy.Best }).Parse())).Message, StringComparison.Ordinal);
    }
}
