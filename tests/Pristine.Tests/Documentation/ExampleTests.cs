namespace Pristine.Tests.Documentation;

/// <summary>The C# examples of the documentation do what stands below them.</summary>
public class ExampleTests
{
    private static readonly string[][] Pages = [["README.md"], ["docs", "library.md"]];

    /// <summary>Page and line of every C# example.</summary>
    public static TheoryData<string, int> Examples { get; } =
    [
        .. from page in Pages
           where File.Exists(TestFiles.InRepository(page))
           from block in MarkdownPage.Blocks(page)
           where block.Language == "csharp"
           select new TheoryDataRow<string, int>(string.Join('/', page), block.Line),
    ];

    [Theory]
    [MemberData(nameof(Examples))]
    public void An_example_compiles_and_prints_what_the_text_block_below_it_shows(string page, int line)
    {
        var blocks = MarkdownPage.Blocks(page.Split('/'));
        var index = blocks.TakeWhile(block => block.Line != line).Count();
        Assert.True(index + 1 < blocks.Count && blocks[index
            + 1].Language == "text", $"{page}:{line}: expected a text block with the output below the example.");
        var (expected, found) = (blocks[index + 1].Text, ExampleProgram.Run(blocks[index].Text));
        Assert.True(expected == found, $"{page}:{blocks[index + 1].Line}: expected the output\n{found}\nfound\n{expected}");
    }

    [Fact]
    public void The_page_on_the_library_has_examples() =>
        Assert.Equal(4, Examples.Count(example => example.Data.Item1 == "docs/library.md"));
}
