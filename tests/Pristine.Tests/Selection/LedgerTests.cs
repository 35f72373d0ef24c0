using System.Text.Json;
using Pristine.Datasets;
using Pristine.Imaging;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Tests.Selection;

public sealed class LedgerTests : IDisposable
{
    private static readonly KeepRules Rules = KeepRules.Parse("brisque <= 40.1");
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private static ScoredItem Scored(double brisque) => Rows.Item(Rows.Row(Rules, ("brisque", brisque)));

    private static ScoredItem Missing() => Rows.Item(Rows.Row(Rules.Columns, ImageStatus.Missing));

    private string Write(string name, params ScoredItem[] items)
    {
        using (var ledger = new LedgerWriter(_folder[name]))
        {
            foreach (var item in items)
                ledger.Write(item, Rules.Decide(item));
            ledger.Complete();
        }
        return File.ReadAllText(_folder[name]);
    }

    [Fact]
    public void Jsonl_has_one_object_per_decision()
    {
        var lines = Write("dropped.jsonl", Scored(60.25f), Missing()).Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal(
            """{"index":7,"id":"id","image":"photo.jpg","status":"ok","rule":"brisque <= 40.1","column":"brisque","value":60.25,"threshold":40.1,"margin":20.15,"reason":"brisque 60.25 fails brisque <= 40.1"}""",
            lines[0]);
        using var missing = JsonDocument.Parse(lines[1]);
        Assert.Equal("missing", missing.RootElement.GetProperty("status").GetString());
        foreach (var name in (string[])["value", "margin"])
            Assert.Equal(JsonValueKind.Null, missing.RootElement.GetProperty(name).ValueKind);
        Assert.Equal("", lines[2]);
    }

    [Fact]
    public void Csv_has_a_heading_and_quotes_what_needs_it()
    {
        var lines = Write("dropped.CSV", Scored(60.25f), Missing()).Split('\n');
        Assert.Equal("index,id,image,status,rule,column,value,threshold,margin,reason", lines[0]);
        Assert.Equal("7,id,photo.jpg,ok,brisque <= 40.1,brisque,60.25,40.1,20.15,brisque 60.25 fails brisque <= 40.1", lines[1]);
        Assert.Equal("7,id,photo.jpg,missing,brisque <= 40.1,brisque,,40.1,,\"missing score brisque: missing, a reason\"", lines[2]);
    }

    [Fact]
    public void The_file_has_its_name_only_when_it_is_complete()
    {
        File.WriteAllText(_folder["dropped.jsonl"], "an older ledger");
        using (var ledger = new LedgerWriter(_folder["dropped.jsonl"]))
            ledger.Write(Scored(60), Rules.Decide(Scored(60)));
        Assert.Equal("an older ledger", File.ReadAllText(_folder["dropped.jsonl"]));
        using (JsonDocument.Parse(Assert.Single(File.ReadAllLines(_folder["dropped.jsonl.partial"]))))
            Assert.Contains("60", Write("dropped.jsonl", Scored(60)), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["dropped.jsonl.partial"]));
    }

    [Fact]
    public void The_input_and_folders_are_refused()
    {
        File.WriteAllText(_folder["in.jsonl"], "{}");
        Assert.Contains("overwrite", Assert.Throws<DatasetException>(() => new LedgerWriter(_folder["in.jsonl"], _folder["in.jsonl"])).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<DatasetException>(() => new LedgerWriter(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains(_folder["in.jsonl/x.csv"], Assert.Throws<DatasetException>(() => new LedgerWriter(_folder["in.jsonl/x.csv"])).Message, StringComparison.Ordinal);
        Assert.Equal("{}", File.ReadAllText(_folder["in.jsonl"]));
    }
}
