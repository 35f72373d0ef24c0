using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Selection;

public class OverridesTests
{
    private static readonly DateTime At = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private static ScoreTable Ten(TemporaryFolder folder) =>
        SmallTable.Make(folder, [.. Enumerable.Range(0, 10).Select(i => SmallTable.Row(i, 10 * ((i * 7) % 10)))]);

    private static ItemOverride Said(ScoreTable table, long index, bool? keep)
    {
        using var run = table.Select(new SelectionOptions(), TestContext.Current.CancellationToken);
        return new ItemOverride(index, run.Decisions().ElementAt((int)index).Id, keep, "ann", At);
    }

    [Fact]
    public void A_decision_has_the_last_word_and_the_ledger_names_it()
    {
        using var folder = TestFiles.NewFolder();
        var table = Ten(folder);
        var file = folder["overrides.jsonl"];
        using (var log = OverrideLog.Open(file))
        {
            log.Add(Said(table, 1, true));
            log.Add(Said(table, 0, false));
            log.Add(Said(table, 3, false));
            log.Add(Said(table, 3, null));
        }
        // brisque by item: 0 70 40 10 80 50 20 90 60 30
        var options = new SelectionOptions { Keep = ["brisque <= 40"], Limit = 3, Overrides = file };
        Assert.Equal("1 2 3", table.Kept(options));
        using var run = table.Select(options, TestContext.Current.CancellationToken);
        Assert.Equal(3, run.Kept);
        Assert.Contains(new ReasonCount("dropped by hand", 1), run.Reasons);
        var entries = run.Entries().ToArray();
        Assert.Equal("kept by hand by ann at 2026-11-26T12:00:00Z", entries[1].Reason);
        Assert.Equal("override", entries[1].Rule);
        Assert.Equal("dropped by hand by ann at 2026-11-26T12:00:00Z", entries[0].Reason);
        Assert.Equal("passes every rule", entries[2].Reason);
        Assert.Equal("override", Explanation.Of(run, entries[0].Id).Single().Decision.Rule);
    }

    [Fact]
    public void A_decision_follows_its_item_and_one_about_no_item_is_told_of()
    {
        using var folder = TestFiles.NewFolder();
        var table = Ten(folder);
        var file = folder["overrides.jsonl"];
        using (var log = OverrideLog.Open(file))
            log.Add(Said(table, 4, false) with { Index = 7 });
        Assert.Equal("0 1 2 3 5 6 7 8 9", table.Kept(new SelectionOptions { Overrides = file }));
        File.WriteAllText(file, """{"index":4,"id":"nobody","keep":true}""");
        var refused = Assert.Throws<OverrideException>(() => table.Kept(new SelectionOptions { Overrides = file }));
        Assert.Contains("item 4, 'nobody'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_never_acknowledged_is_cut_off_and_a_wrong_line_is_told_of()
    {
        using var folder = TestFiles.NewFolder();
        var file = folder["overrides.jsonl"];
        var first = new ItemOverride(1, "ü", true, null, null);
        using (var log = OverrideLog.Open(file))
            log.Add(first);
        File.AppendAllText(file, """{"index":2,"id":"b","ke""");
        Assert.Equal([first], Overrides.Read(file));
        using (var log = OverrideLog.Open(file))
        {
            Assert.Equal([first], log.Holding);
            log.Add(first with { Index = 3, Id = "c" });
        }
        Assert.Equal(["ü", "c"], Overrides.Read(file).Select(decision => decision.Id));
        // An editor may leave the last line open.
        File.WriteAllText(file, File.ReadAllText(file).TrimEnd('\n'));
        using (var log = OverrideLog.Open(file))
            log.Add(first with { Index = 4, Id = "d" });
        Assert.Equal(["ü", "c", "d"], Overrides.Read(file).Select(decision => decision.Id));
        File.WriteAllText(file, "{\"index\":1,\"id\":\"a\",\"keep\":true}\n{\"id\":7}\n");
        Assert.Contains("line 2", Assert.Throws<OverrideException>(() => Overrides.Read(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"index":7,"id":"a","kep":false}""", "kep")]
    [InlineData("""{"index":7,"id":"a"}""", "keep")]
    [InlineData("""{"index":7,"keep":false}""", "id")]
    [InlineData("""{"id":"a","keep":false}""", "index")]
    [InlineData("""{"index":7,"id":"a","keep":false,"why":"dark"}""", "why")]
    [InlineData("""{"index":7,"id":"a","keep":false,"keep":null}""", "keep")]
    [InlineData("""{"index":7,"id":"a","keep":"no"}""", "keep")]
    public void A_line_with_other_fields_than_those_of_an_override_is_told_of(string line, string field)
    {
        using var folder = TestFiles.NewFolder();
        var file = folder["overrides.jsonl"];
        const string first = """{"index":7,"id":"a","keep":false}""";
        // Also as the last line, which an editor has left open.
        foreach (var end in (string[])["\n", ""])
        {
            var text = $"{first}\n{line}{end}";
            File.WriteAllText(file, text);
            var message = Assert.Throws<OverrideException>(() => Overrides.Read(file)).Message;
            Assert.StartsWith($"{file}, line 2: expected an override", message, StringComparison.Ordinal);
            Assert.Contains(field, message[message.IndexOf(';', StringComparison.Ordinal)..], StringComparison.Ordinal);
            Assert.Throws<OverrideException>(() => OverrideLog.Open(file));
            Assert.Equal(text, File.ReadAllText(file));
        }
        File.WriteAllText(file, first + "\n" + """{"index":7,"id":"a","keep":null,"by":"ann","at":"2026-11-26T12:00:00Z"}""");
        Assert.Empty(Overrides.Read(file));
    }

    [Fact]
    public void Only_one_process_adds_to_a_file()
    {
        using var folder = TestFiles.NewFolder();
        using var log = OverrideLog.Open(folder["overrides.jsonl"]);
        Assert.Throws<OverrideException>(() => OverrideLog.Open(folder["overrides.jsonl"]));
    }

    [Theory]
    [InlineData(ImagePolicy.Worst)]
    [InlineData(ImagePolicy.Best)]
    [InlineData(ImagePolicy.Any)]
    [InlineData(ImagePolicy.Mean)]
    public void Joint_counts_are_those_of_selections_of_every_subset_of_the_rules(ImagePolicy images)
    {
        using var folder = TestFiles.NewFolder();
        var random = new Random(5);
        var rows = new List<ScoreRow>();
        for (var item = 0; item < 60; item++)
        {
            for (var image = 0; image <= item % 3; image++)
            {
                rows.Add(SmallTable.Row(
                    rows.Count, random.Next(100), sharpness: random.Next(200), folder: item % 7 == 0 ? "a" : "b") with
                {
                    ItemIndex = item,
                    Id = $"item {item}",
                    ImageIndex = image,
                    Status = random.Next(9) == 0 ? Pristine.Media.ImageStatus.Unreadable : Pristine.Media.ImageStatus.Ok,
                });
            }
        }
        var table = SmallTable.Make(folder, [.. rows]);
        string[] rules = ["brisque <= 60", "sharpness >= 40 and folder = 'b'", "brisque >= 10"];
        using var all = table.Select(new SelectionOptions { Keep = rules, Images = images }, TestContext.Current.CancellationToken);
        var joint = all.CountJointly();
        Assert.Equal(60, joint.Items);
        Assert.Equal(all.Kept, joint.KeptByAll);
        for (var subset = 0u; subset < 8; subset++)
        {
            var chosen = rules.Where((_, bit) => (subset & (1u << bit)) != 0).ToArray();
            using var run = table.Select(new SelectionOptions { Keep = chosen, Images = images }, TestContext.Current.CancellationToken);
            Assert.Equal(run.Kept, joint.Kept(subset));
        }
    }
}
