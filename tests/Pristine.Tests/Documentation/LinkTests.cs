using System.Text.RegularExpressions;

namespace Pristine.Tests.Documentation;

/// <summary>
/// Every link of every page leads somewhere: the file is there, and so is the heading. Anchors are those that GitHub and DocFX make of
/// headings.
/// </summary>
public sealed partial class LinkTests
{
    private static readonly string[] Folders = ["docs", "bench", "models", "training", "samples", "python", "build", "src"];

    private static readonly string[] Built = ["bin", "obj", "build"];

    /// <summary>All pages of the repository, by their paths below its root.</summary>
    public static TheoryData<string> Pages { get; } =
    [
        .. Directory.GetFiles(TestFiles.Root, "*.md")
            .Concat(Folders.SelectMany(
                folder => Directory.EnumerateFiles(TestFiles.InRepository(folder), "*.md", SearchOption.AllDirectories)))
            .Select(file => Path.GetRelativePath(TestFiles.Root, file).Replace('\\', '/'))
            .Where(page => !page.Split('/')[1..].Any(folder => Built.Contains(folder)))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_somewhere(string page)
    {
        var broken = Links(page).Select(link => (link, Problem: Problem(page, link))).Where(found => found.Problem != null)
            .Select(found => $"{page}: {found.link}: {found.Problem}");
        Assert.Empty(broken);
    }

    [Fact]
    public void Pages_and_anchors_are_found()
    {
        Assert.Contains("docs/rules.md", Pages.Select(row => row.Data));
        Assert.Contains("docs/results/biq2021.md", Links("docs/index.md").Concat(Links("README.md")));
        Assert.Equal("what-is-new-in-20", Slug("What is `new` in 2.0?"));
        Assert.Equal("pristinedamage", Slug("`pristine@damage`"));
        Assert.Equal("a-link--two-signs", Slug("A [link](x.md) & two signs"));
        Assert.Null(Problem("docs/index.md", "rules.md#grammar"));
        Assert.NotNull(Problem("docs/index.md", "rules.md#grammer"));
        Assert.NotNull(Problem("docs/index.md", "rule.md"));
        Assert.NotNull(Problem("docs/index.md", "../../outside.md"));
    }

    [Fact]
    public void Every_page_of_docs_is_in_the_table_of_contents_and_on_the_first_page()
    {
        var docs = Pages.Select(row => row.Data).Where(page => page.StartsWith("docs/", StringComparison.Ordinal))
            .Select(page => page["docs/".Length..]).ToArray();
        var contents = Entries().Matches(File.ReadAllText(TestFiles.InRepository("docs", "toc.yml"))).Select(match => match.Groups[1].Value)
            .Where(entry => !entry.StartsWith("../", StringComparison.Ordinal)).ToArray();
        Assert.Equal(docs.Order(StringComparer.Ordinal), contents.Order(StringComparer.Ordinal));
        Assert.Equal(["index.md"], docs.Except(Links("docs/index.md").Select(link => link.Split('#')[0])));
    }

    private static string? Problem(string page, string link)
    {
        if (link.Contains("://", StringComparison.Ordinal) || link.StartsWith("mailto:", StringComparison.Ordinal))
            return null;
        var parts = link.Split('#', 2);
        var path = parts[0].Length == 0
            ? TestFiles.InRepository(page)
            : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(TestFiles.InRepository(page))!, Uri.UnescapeDataString(parts[0])));
        if (!path.StartsWith(TestFiles.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            return "expected a file of the repository";
        if (!Path.Exists(path))
            return "there is no such file";
        if (parts.Length == 1 || !path.EndsWith(".md", StringComparison.Ordinal))
            return null;
        var anchors = Anchors(path);
        return anchors.Contains(parts[1]) ? null : $"expected one of the anchors {string.Join(", ", anchors)}";
    }

    private static string[] Links(string page) =>
        [.. Targets().Matches(Code().Replace(WithoutBlocks(File.ReadAllText(TestFiles.InRepository(page))), ""))
            .Select(match => match.Groups[1].Value)];

    private static HashSet<string> Anchors(string file)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        var text = WithoutBlocks(File.ReadAllText(file));
        foreach (var slug in Headings().Matches(text).Select(match => Slug(match.Groups[1].Value)))
            for (var count = 0; !anchors.Add(count == 0 ? slug : $"{slug}-{count}"); count++)
            {
            }
        anchors.UnionWith(Named().Matches(text).Select(match => match.Groups[1].Value));
        return anchors;
    }

    /// <summary>The anchor of a heading: small letters, spaces as dashes, without punctuation.</summary>
    private static string Slug(string heading) => string.Concat(
        LinkText().Replace(heading.Trim(), "$1").ToLowerInvariant()
            .Where(character => char.IsLetterOrDigit(character) || character is ' ' or '-' or '_')
            .Select(character => character == ' ' ? '-' : character));

    private static string WithoutBlocks(string text) => FencedBlocks().Replace(text.ReplaceLineEndings("\n"), "");

    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex FencedBlocks();

    [GeneratedRegex(@"`[^`\n]+`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Targets();

    [GeneratedRegex(@"^#{1,6} +(.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"<a (?:id|name)=""([^""]+)""")]
    private static partial Regex Named();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();

    [GeneratedRegex(@"href: *(\S+)")]
    private static partial Regex Entries();
}
