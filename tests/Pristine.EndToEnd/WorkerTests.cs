using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>The protocol of docs/worker.md, spoken with the real program.</summary>
public partial class WorkerTests
{
    private static readonly string[] Photos =
        [.. Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg").Order(StringComparer.Ordinal).Append("nowhere.jpg")];

    [Fact]
    public void Its_rows_are_those_of_score_after_the_request()
    {
        var scored = PristineCommand.Run(
            ["score", "-", "--metrics", "brisque,sharpness"], TestFiles.Root, Encoding.UTF8.GetBytes(string.Join('\n', Photos))).Expect(0);
        var requests = string.Concat(Photos.Select((path, i) => JsonSerializer.Serialize(new { request = i, path }) + "\n"));
        var answered = PristineCommand.Run(
            ["worker", "--metrics", "brisque,sharpness", "--workers", "3"], TestFiles.Root, Encoding.UTF8.GetBytes(requests)).Expect(0);
        Assert.Equal(scored.Lines.Select((line, i) => $"{{\"request\":{i},{line[1..]}"), answered.Lines);
        Assert.Empty(answered.Error);
    }

    [Fact]
    public void A_lone_request_is_answered_before_the_next_one_comes()
    {
        var process = PristineCommand.Start(["worker", "--workers", "4"], TestFiles.Root);
        using var output = new StreamReader(process.StandardOutput.BaseStream);
        for (var i = 0; i < 10; i++)
        {
            process.StandardInput.Write(JsonSerializer.Serialize(new { request = i, path = Photos[i] }) + "\n");
            process.StandardInput.Flush();
            Assert.StartsWith($"{{\"request\":{i},", output.ReadLine(), StringComparison.Ordinal);
        }
        PristineCommand.Finish(process, null).Expect(0);
    }

    [Fact]
    public void It_ends_with_its_reader_and_tells_of_failures_where_that_is_asked()
    {
        var request = JsonSerializer.Serialize(new { path = Photos[0] });
        var left = PristineCommand.Shell($"yes '{request}' 2> /dev/null | {PristineCommand.InShell} worker | head -n 2", TestFiles.Root)
            .Expect(0);
        Assert.Equal(2, left.Lines.Length);
        Assert.Empty(left.Error);
        PristineCommand.Run(["worker", "--max-failures", "0"], TestFiles.Root, "{}\n"u8.ToArray()).Expect(3);
    }

    [Fact]
    public void What_the_page_shows_is_what_happens()
    {
        var page = File.ReadAllText(TestFiles.InRepository("docs", "worker.md"));
        var blocks = Blocks().Matches(page).Select(match => match.Groups["body"].Value).ToArray();
        var (requests, replies) = (blocks[0], blocks[1]);
        var result = PristineCommand.Run(["worker", "--metrics", "brisque"], TestFiles.Root, Encoding.UTF8.GetBytes(requests)).Expect(0);
        var shown = replies.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(shown.Length, result.Lines.Length);
        for (var i = 0; i < shown.Length; i++)
            AssertHas(JsonDocument.Parse(shown[i]).RootElement, JsonDocument.Parse(result.Lines[i]).RootElement);
    }

    /// <summary>Every field of the expected value is there with its value; a reply has more.</summary>
    private static void AssertHas(JsonElement expected, JsonElement found)
    {
        Assert.Equal(expected.ValueKind, found.ValueKind);
        if (expected.ValueKind == JsonValueKind.Object)
        {
            foreach (var field in expected.EnumerateObject())
                AssertHas(field.Value, found.GetProperty(field.Name));
        }
        else if (expected.ValueKind == JsonValueKind.Array)
        {
            Assert.Equal(expected.GetArrayLength(), found.GetArrayLength());
            foreach (var (one, other) in expected.EnumerateArray().Zip(found.EnumerateArray()))
                AssertHas(one, other);
        }
        else
            Assert.Equal(expected.GetRawText(), found.GetRawText());
    }

    [GeneratedRegex(@"```json\n(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
