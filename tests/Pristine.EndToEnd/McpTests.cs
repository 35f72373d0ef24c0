using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary><c>pristine mcp</c>, asked by the client of the protocol's own package over stdin and stdout.</summary>
public sealed class McpTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<McpClient> StartAsync(TemporaryFolder folder)
    {
        var words = PristineCommand.Words;
        return await McpClient.CreateAsync(
            new StdioClientTransport(new StdioClientTransportOptions
            {
                Command = words[0],
                Arguments = [.. words[1..], "mcp", "--metrics", "sharpness"],
                WorkingDirectory = folder.Path,
                // The machine may be busy: a process that is killed while it ends has not failed.
                ShutdownTimeout = TimeSpan.FromMinutes(2),
            }),
            cancellationToken: Cancellation);
    }

    private static async Task<JsonElement> Ask(McpClient client, string tool, Dictionary<string, object?> arguments)
    {
        var answer = await client.CallToolAsync(tool, arguments, cancellationToken: Cancellation);
        var text = ((TextContentBlock)answer.Content.Single()).Text;
        Assert.True(answer.IsError != true, text);
        // Programs read the one, models the other.
        Assert.Equal(JsonSerializer.Serialize(JsonDocument.Parse(text).RootElement), JsonSerializer.Serialize(answer.StructuredContent));
        return JsonDocument.Parse(text).RootElement;
    }

    [Fact]
    public async Task The_tools_answer_as_the_commands_do()
    {
        using var folder = TestFiles.NewFolder();
        var table = folder["scores"];
        PristineCommand.Run("score", Photos, "--out", table, "--metrics", "sharpness,brightness").Expect(0);
        await using var client = await StartAsync(folder);
        var tools = await client.ListToolsAsync(cancellationToken: Cancellation);
        Assert.Equal(["check", "report", "score", "select", "why"], tools.Select(tool => tool.Name).Order());
        Assert.All(tools, tool =>
        {
            Assert.Equal("object", tool.JsonSchema.GetProperty("type").GetString());
            Assert.NotEmpty(tool.JsonSchema.GetProperty("required").EnumerateArray());
            Assert.NotEmpty(tool.Description);
        });

        var leaf = Path.Combine(Photos, "leaf.jpg");
        var rows = (await Ask(client, "score", new() { ["images"] = new[] { leaf, "gone.jpg" } })).GetProperty("rows");
        var expected = PristineCommand.Run(["score", leaf, "--metrics", "sharpness", "--format", "jsonl"], folder.Path).Expect(0);
        Assert.Equal(
            JsonDocument.Parse(expected.Lines[0]).RootElement.GetProperty("sharpness").GetRawText(),
                rows[0].GetProperty("sharpness").GetRawText());
        Assert.Equal("missing", rows[1].GetProperty("status").GetString());

        string[] rules = ["sharpness >= 500", "brightness >= 0.3"];
        var counts = await Ask(client, "select", new() { ["table"] = table, ["keep"] = rules });
        var said = PristineCommand.Run("select", table, "--keep", rules[0], "--keep", rules[1]).Expect(0).Error;
        Assert.Contains($"kept     {counts.GetProperty("kept").GetInt64(),9} ", said, StringComparison.Ordinal);
        Assert.Equal(2, counts.GetProperty("joint").GetProperty("rules").GetArrayLength());

        var why = (await Ask(client, "why", new() { ["table"] = table, ["id"] = "leaf.jpg", ["keep"] = rules })).GetProperty("items")[0];
        Assert.Equal(2, why.GetProperty("images")[0].GetProperty("rules").GetArrayLength());
        Assert.Equal(rules[0], why.GetProperty("images")[0].GetProperty("rules")[0].GetProperty("rule").GetString());

        var check = await Ask(client, "check", new() { ["input"] = Photos, ["issues"] = new[] { "dark", "unreadable" } });
        var checkedBy = PristineCommand.Run("check", Photos, "--issues", "dark,unreadable", "--format", "json").Expect(0);
        Assert.Equal(JsonSerializer.Serialize(JsonDocument.Parse(checkedBy.Output).RootElement), JsonSerializer.Serialize(check));

        // Texts alone are checked too.
        File.WriteAllLines(folder["texts.jsonl"], ["""{"id": 1, "text": "short"}""", """{"id": 2, "text": ""}"""]);
        var texts = await Ask(client, "check", new() { ["input"] = folder["texts.jsonl"] });
        var textsBy = PristineCommand.Run("check", folder["texts.jsonl"], "--format", "json").Expect(0);
        Assert.Equal(JsonSerializer.Serialize(JsonDocument.Parse(textsBy.Output).RootElement), JsonSerializer.Serialize(texts));
        Assert.Equal(2, texts.GetProperty("with_issue").GetInt64());

        var report = await Ask(client, "report", new() { ["table"] = table, ["out"] = "report.html", ["thumbnails"] = 4 });
        Assert.Equal(new FileInfo(folder["report.html"]).Length, report.GetProperty("bytes").GetInt64());
    }

    [Theory]
    [InlineData("select", """{"table": "scores", "keep": ["nothing > 1"]}""", "does not exist|no scores.json|score table")]
    [InlineData("select", """{"tabel": "scores"}""", "tabel")]
    [InlineData("score", """{"images": []}""", "1 to 200")]
    [InlineData("score", """{"images": ["a.jpg"], "metrics": ["brisk"]}""", "brisk")]
    [InlineData("check", """{"input": "nowhere"}""", "nowhere")]
    [InlineData("check", """{"input": ".", "issues": ["ugly"]}""", "ugly")]
    [InlineData("why", """{"table": "scores"}""", "scores|id")]
    public async Task What_is_wrong_with_a_call_is_the_answer_to_it(string tool, string arguments, string said)
    {
        using var folder = TestFiles.NewFolder();
        await using var client = await StartAsync(folder);
        var given = JsonDocument.Parse(arguments).RootElement.EnumerateObject()
            .ToDictionary(field => field.Name, field => (object?)field.Value);
        var answer = await client.CallToolAsync(tool, given, cancellationToken: Cancellation);
        Assert.True(answer.IsError);
        Assert.Matches(said, ((TextContentBlock)answer.Content.Single()).Text);
    }
}
