using System.Text.Json;
using ModelContextProtocol.Protocol;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Server;

namespace Pristine.Tests.Server;

public class McpToolsTests
{
    [Theory]
    [InlineData("score", """{"images":["\ud800"]}""")]
    [InlineData("check", """{"input":"\ud800"}""")]
    [InlineData("select", """{"table":"scores","keep":["\ud800"]}""")]
    [InlineData("why", """{"table":"scores","id":"\ud800"}""")]
    [InlineData("report", """{"table":"scores","out":{"\ud800":1}}""")]
    public void A_text_that_is_no_Unicode_is_an_answer(string tool, string arguments)
    {
        var tools = new McpTools(new ScoringOptions { Metrics = [MetricCatalog.Get("sharpness")] }, remote: null);
        using var document = JsonDocument.Parse(arguments);
        var answer = tools.Call(
            new CallToolRequestParams
            {
                Name = tool,
                Arguments = document.RootElement.EnumerateObject().ToDictionary(field => field.Name, field => field.Value),
            },
            TestContext.Current.CancellationToken);
        Assert.True(answer.IsError);
        Assert.Contains("half of a surrogate pair", ((TextContentBlock)answer.Content.Single()).Text, StringComparison.Ordinal);
    }
}
