using System.Text;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Scoring;

namespace Pristine.Tests.Scoring;

public class ScoringWorkerTests
{
    private static readonly string Leaf = TestFiles.InRepository("samples", "photos", "leaf.jpg");

    [Fact]
    public void Paths_bytes_and_records_give_the_same_scores_in_the_order_of_the_requests()
    {
        var replies = Run(
            Line(new { path = Leaf }),
            Line(new { bytes = Convert.ToBase64String(File.ReadAllBytes(Leaf)), name = "a leaf" }),
            Line(new { record = new { id = 7, image = new[] { Leaf, "nowhere.jpg" } } }),
            Line(new { record = new { id = "words", text = "no image" } }),
            Line(new { bytes = "" }));
        using var scorer = new ImageScorer();
        var expected = (float)scorer.Score(Leaf)["brisque"];
        Assert.Equal(5, replies.Length);
        Assert.Equal(expected, replies[0].GetProperty("brisque").GetSingle());
        Assert.Equal(Leaf, replies[0].GetProperty("id").GetString());
        Assert.Equal(expected, replies[1].GetProperty("brisque").GetSingle());
        Assert.Equal("a leaf", replies[1].GetProperty("image").GetString());
        var rows = replies[2].GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(expected, rows[0].GetProperty("brisque").GetSingle());
        Assert.Equal(["ok", "missing"], rows.Select(row => row.GetProperty("status").GetString()!));
        Assert.All(rows, row => Assert.Equal("7", row.GetProperty("id").GetString()));
        Assert.Equal("no_image", replies[3].GetProperty("rows")[0].GetProperty("status").GetString());
        Assert.Equal("unreadable", replies[4].GetProperty("status").GetString());
        Assert.Equal("#4", replies[4].GetProperty("id").GetString());
        // Positions are counted as those of a dataset with these items.
        Assert.Equal([0, 1, 2, 3, 4, 5], replies.SelectMany(Rows).Select(row => row.GetProperty("key").GetInt32()));
        Assert.Equal([0, 1, 2, 2, 3, 4], replies.SelectMany(Rows).Select(row => row.GetProperty("item_index").GetInt32()));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("1.50")]
    [InlineData("\"caf\\u00e9\"")]
    [InlineData("null")]
    public void A_request_is_known_by_the_name_it_gives_itself(string request)
    {
        var reply = Assert.Single(Run($$"""{"request":{{request}},"path":"nowhere.jpg"}"""));
        Assert.Equal(request, reply.GetProperty("request").GetRawText());
        Assert.Equal("missing", reply.GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("x{", "expected a JSON object; 'x' is an invalid start of a value (byte 0 of the line)")]
    [InlineData("[1]", "expected a JSON object; found an array")]
    [InlineData("""{"pth":"a.jpg"}""", "expected the fields path, bytes, record, hello, name, request; found 'pth'")]
    [InlineData("{}", "expected one of the fields path, bytes, record, hello; found none")]
    [InlineData("""{"path":"a.jpg","record":{}}""", "expected one of path, bytes, record, hello; found 'path' and 'record'")]
    [InlineData("""{"path":1}""", "expected 'path' to be a string; found a number")]
    [InlineData("""{"path":""}""", "expected 'path' to be a text; found an empty one")]
    [InlineData("""{"path":"a.jpg","name":"b"}""", "expected 'name' beside 'bytes' only")]
    [InlineData("""{"bytes":"@"}""", "expected 'bytes' to be valid base64; it is not")]
    [InlineData("""{"bytes":[1]}""", "expected 'bytes' to be a string of base64; found an array")]
    [InlineData("""{"record":"a.jpg"}""", "expected 'record' to be an object; found a string")]
    [InlineData("""{"hello":2}""", "expected 'hello' to be the version of the protocol, 1; found 2")]
    [InlineData("""{"path":"a.jpg","request":{}}""", "expected 'request' to be a string or a number; found an object")]
    public void A_broken_line_is_answered_and_the_worker_goes_on(string line, string error)
    {
        var replies = Run(line, "  ", Line(new { path = Leaf, request = 2 }));
        Assert.Equal(2, replies.Length);
        Assert.Equal("bad_request", replies[0].GetProperty("status").GetString());
        Assert.Equal("line 1: " + error, replies[0].GetProperty("error").GetString());
        Assert.Equal("ok", replies[1].GetProperty("status").GetString());
    }

    [Fact]
    public void A_line_that_is_too_long_is_passed_over()
    {
        var longest = Encoding.UTF8.GetByteCount(Line(new { path = Leaf })) + 100;
        var replies = Run(
            [$$"""{"path":"{{new string('a', 5 * longest)}}"}""", Line(
                new { path = Leaf }), $$"""{"path":"{{new string('b', longest)}}"}"""],
            new ScoringWorkerOptions { MostLineBytes = longest });
        Assert.Equal(["bad_request", "ok", "bad_request"], replies.Select(reply => reply.GetProperty("status").GetString()!));
        Assert.Equal($"line 3: expected lines of at most {longest} bytes; found a longer one", replies[2].GetProperty("error").GetString());
    }

    [Fact]
    public void A_greeting_tells_the_protocol_the_limits_the_metrics_and_the_columns()
    {
        var hello = Assert.Single(Run("""{"hello":1,"request":"x"}""")).GetProperty("hello");
        Assert.Equal(1, hello.GetProperty("protocol").GetInt32());
        Assert.Equal(LineReader.MaxRecordBytes, hello.GetProperty("max_line_bytes").GetInt32());
        var metric = Assert.Single(hello.GetProperty("metrics").EnumerateArray());
        Assert.Equal("brisque", metric.GetProperty("name").GetString());
        Assert.Equal("lower_is_better", metric.GetProperty("direction").GetString());
        Assert.Equal(100, metric.GetProperty("high").GetDouble());
        var row = Assert.Single(Run(Line(new { path = Leaf })));
        Assert.Equal(
            row.EnumerateObject().Select(field => field.Name).Skip(1),
            hello.GetProperty("columns").EnumerateArray().Select(column => column.GetProperty("name").GetString()!));
    }

    [Fact]
    public void Relative_paths_start_at_the_image_root()
    {
        var options = new ScoringWorkerOptions { ImageRoot = Path.GetDirectoryName(Leaf)! };
        var replies = Run(
            ["""{"path":"leaf.jpg"}""", """{"record":{"pictures":["leaf.jpg"]}}"""], options with { ImageField = "pictures" });
        Assert.All(replies.SelectMany(Rows), row => Assert.Equal("ok", row.GetProperty("status").GetString()));
    }

    [Fact]
    public void Failures_are_counted_and_a_metric_without_its_model_is_refused()
    {
        using var input = new MemoryStream("{\"path\":\"nowhere.jpg\"}\nx\n{\"record\":{}}\n"u8.ToArray());
        Assert.Equal(2, ScoringWorker.Run(input, Stream.Null, new ScoringOptions { Metrics = ["width"] }, new ScoringWorkerOptions()));
        var absent = MetricCatalog.All.FirstOrDefault(metric => metric.Missing != null);
        Assert.SkipWhen(absent == null, "Every model is installed here.");
        Assert.Throws<ModelException>(
            () => ScoringWorker.Run(Stream.Null, Stream.Null, new ScoringOptions { Metrics = [absent!] }, new ScoringWorkerOptions()));
    }

    private static IEnumerable<JsonElement> Rows(JsonElement reply) =>
        reply.TryGetProperty("rows", out var rows) ? rows.EnumerateArray() : [reply];

    private static string Line(object request) => JsonSerializer.Serialize(request);

    private static JsonElement[] Run(params string[] lines) => Run(lines, new ScoringWorkerOptions());

    private static JsonElement[] Run(string[] lines, ScoringWorkerOptions options)
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        using var output = new MemoryStream();
        ScoringWorker.Run(input, output, new ScoringOptions { Workers = 3 }, options);
        return [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n')[..^1].Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
