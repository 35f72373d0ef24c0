using Pristine.Selection;

namespace Pristine.Tests.Documentation;

public class RulesPageTests
{
    public static TheoryData<string> Examples { get; } =
        [.. MarkdownPage.Blocks("docs", "rules.md").Where(block => block.Language == "sql").SelectMany(block => block.Lines)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_is_a_rule(string text) => Assert.NotEmpty(Rule.Parse(text).Columns);

    [Fact]
    public void There_are_examples_of_every_kind_of_comparison()
    {
        var all = string.Join('\n', Examples.Select(row => row.Data));
        foreach (var part in (string[])["<=", ">=", "between", " in (", "not in", "is null", " or ", " and ", "not ("])
            Assert.Contains(part, all, StringComparison.Ordinal);
    }

    [Fact]
    public void The_grammar_is_that_of_the_parser()
    {
        var page = MarkdownPage.Blocks("docs", "rules.md").Single(block => block.Text.StartsWith("rule ", StringComparison.Ordinal));
        var source = File.ReadAllLines(TestFiles.InRepository("src", "Pristine", "Selection", "RuleParser.cs"))
            .SkipWhile(line => line != "/// <code>").Skip(1).TakeWhile(line => line != "/// </code>")
            .Select(line => System.Net.WebUtility.HtmlDecode(line["/// ".Length..]) + "\n");
        Assert.Equal(string.Concat(source), page.Text);
    }
}
