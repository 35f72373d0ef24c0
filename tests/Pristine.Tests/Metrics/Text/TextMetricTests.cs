using System.Text.Json;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Metrics.Text;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Metrics.Text;

/// <summary>Text metrics against <c>text_statistics.py</c>, and items of text alone through scoring and selecting.</summary>
public sealed class TextMetricTests : IDisposable
{
    // Two 64-bit divisions of the same whole numbers agree to the last bit.
    private const double Exact = 0;

    private readonly string _folder = Directory.CreateTempSubdirectory("pristine-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("num_words")]
    [InlineData("alnum_ratio")]
    [InlineData("special_char_ratio")]
    [InlineData("char_rep_ratio")]
    [InlineData("char_rep_ratio:3")]
    [InlineData("word_rep_ratio")]
    [InlineData("word_rep_ratio:2")]
    [InlineData("avg_line_length")]
    [InlineData("max_line_length")]
    public void Numbers_are_those_of_the_reference(string name)
    {
        var metric = Assert.IsAssignableFrom<TextMetric>(MetricCatalog.Get(name));
        using var references = JsonDocument.Parse(
            File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Text", "text_statistics.json")));
        Assert.True(references.RootElement.GetArrayLength() > 60);
        foreach (var reference in references.RootElement.EnumerateArray())
        {
            var text = reference.GetProperty("text").GetString()!;
            var (expected, found) = (reference.GetProperty(name).GetDouble(), metric.Measure(text));
            Assert.True(Math.Abs(expected - found) <= Exact, $"{name} of {JsonSerializer.Serialize(text)}: {expected}, found {found}.");
        }
    }

    [Theory]
    [InlineData("char_rep_ratio:0")]
    [InlineData("word_rep_ratio:x")]
    [InlineData("word_rep_ratio:10")]
    public void A_length_that_is_none_is_told(string name) =>
        Assert.Contains("1 to 1000", Assert.Throws<ArgumentException>(() => MetricCatalog.Get(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void Items_of_text_alone_are_scored_and_judged()
    {
        var table = Path.Combine(_folder, "table");
        Write("a", "one two three", "2024 12", "");
        Score(table);
        Assert.Equal([3.0, 0, 0], Column(table, "num_words"));
        Assert.Equal([11 / 13.0, 6 / 7.0, 0], Column(table, "alnum_ratio"));
        Assert.Equal(["a0"], Kept(table, "num_words >= 2"));
        Assert.Equal(["a0", "a1"], Kept(table, "alnum_ratio > 0.5 and not (num_words > 5)"));

        // The text alone has changed, which no stamp of a file tells.
        Write("a", "one", "2024 12", "two words");
        Score(table);
        Assert.Equal([1.0, 0, 2], Column(table, "num_words"));
    }

    [Fact]
    public void Items_that_share_an_image_have_their_own_texts()
    {
        var image = TestFiles.InRepository("samples", "photos", Path.GetFileName(
            Directory.EnumerateFiles(TestFiles.InRepository("samples", "photos"), "*.jpg").Order().First()));
        File.WriteAllLines(Data, [
            .. new[] { "cat", "a cat and a dog", "" }.Select((text, i) => JsonSerializer.Serialize(
                new Dictionary<string, string> { ["id"] = $"{i}", ["image"] = image, ["text"] = text }))]);
        var items = Open().Score(new ScoringOptions
        {
            Metrics = ["brightness", "num_words"],
            Workers = 2,
            Gates = Cascade.Of(["num_words > 1 or width < 0"]),
        }, cancellation: Cancellation).ToArray();
        Assert.Equal([1.0, 5, 0], items.Select(item => item.Rows[0]["num_words"]));
        Assert.Equal([true, false, true], items.Select(item => double.IsNaN(item.Rows[0]["brightness"])));
        Assert.Equal(
            [1.0, 5, 0], Open().Score(new ScoringOptions { Metrics = ["num_words", "brightness"], Workers = 1 }, cancellation: Cancellation)
            .Select(item => item.Rows[0]["num_words"]));
        Assert.All(items, item => Assert.Equal(Pristine.Media.ImageStatus.Ok, item.Rows[0].Status));
    }

    [Fact]
    public void A_rule_on_text_is_asked_before_an_image_is_opened()
    {
        File.WriteAllLines(Data, ["""{"id":"x","image":"gone.jpg","text":"one"}""", """{"id":"y","image":"gone.jpg","text":"one two"}"""]);
        var items = Open().Score(new ScoringOptions
        {
            Metrics = ["brightness", "num_words"],
            ItemGates = Cascade.OfItems(
            ["num_words > 1"])
        }, cancellation: Cancellation)
            .ToArray();
        Assert.Equal(["skipped", "missing"], items.Select(item => item.Rows[0].Columns.Get("status").Text(item.Rows[0])));
        Assert.Equal("not opened: num_words 1 fails num_words > 1", items[0].Rows[0].Error);
        Assert.Equal([1.0, 2], items.Select(item => item.Rows[0]["num_words"]));
    }

    [Fact]
    public void Messages_are_lines_of_one_text()
    {
        File.WriteAllLines(Data, [
            """{"id":"x","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image"}]},{"role":"assistant","content":"A dog."}]}"""]);
        var row = Open().Score(new ScoringOptions
        {
            Metrics = [
            "max_line_length", "avg_line_length", "num_words"]
        }, cancellation: Cancellation).Single().Rows[0];
        Assert.Equal([11, 9, 5, 2], new[] { row["max_line_length"], row["avg_line_length"], row["num_words"], row["turns"] });
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder, "data.jsonl");

    private Dataset Open() => Dataset.Open(Data);

    private void Write(string id, params string[] texts) => File.WriteAllLines(Data, [
        .. texts.Select((text, i) => JsonSerializer.Serialize(new Dictionary<string, string> { ["id"] = $"{id}{i}", ["text"] = text }))]);

    private void Score(string table) =>
        Open().ScoreInto(table, new ScoringOptions { Metrics = ["num_words", "alnum_ratio"], Workers = 2 }, cancellation: Cancellation);

    private static double[] Column(string table, string name) =>
        [.. ScoreTable.Open(table).ReadRows([MetricCatalog.Get(name)]).OrderBy(row => row.Key).Select(row => row[name])];

    private static string[] Kept(string table, string rule)
    {
        using var run = SelectionRun.Run(ScoreTable.Open(table), new SelectionOptions { Keep = [rule] });
        return [.. run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id)];
    }
}
