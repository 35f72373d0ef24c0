namespace Pristine.Tests.Documentation;

/// <summary>A fenced block of a Markdown page.</summary>
/// <param name="Language">What stands behind the opening fence; empty for nothing.</param>
/// <param name="Line">The line of the opening fence, from 1.</param>
/// <param name="Text">The lines within, each with its line feed.</param>
internal sealed record MarkdownBlock(string Language, int Line, string Text)
{
    public IEnumerable<string> Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>The fenced blocks of a page of the repository, in order.</summary>
internal static class MarkdownPage
{
    private const string Fence = "```";

    public static IReadOnlyList<MarkdownBlock> Blocks(params string[] path)
    {
        var blocks = new List<MarkdownBlock>();
        var lines = File.ReadAllLines(TestFiles.InRepository(path));
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal))
                continue;
            var start = i;
            for (i++; lines[i] != Fence;)
                i++;
            blocks.Add(new MarkdownBlock(
                lines[start][Fence.Length..].Trim(), start + 1, string.Concat(lines[(start + 1)..i].Select(line => line + "\n"))));
        }
        return blocks;
    }
}
