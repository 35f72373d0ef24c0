using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>The documentation as a site, which DocFX makes of the pages.</summary>
public class SiteTests
{
    [Fact]
    [Trait("kind", "long")]
    public void Every_page_becomes_one_of_the_site_and_every_link_and_anchor_is_found()
    {
        using var folder = TestFiles.NewFolder();
        var result = DocFx("build/docfx.json", "--output", folder.Path, "--warningsAsErrors");
        Assert.SkipWhen(
            result.ExitCode != 0 && (result.Output + result.Error).Contains("dotnet tool restore", StringComparison.Ordinal),
            "Needs DocFX: dotnet tool restore");
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        var docs = TestFiles.InRepository("docs");
        var pages = Directory.GetFiles(docs, "*.md", SearchOption.AllDirectories);
        Assert.NotEmpty(pages);
        Assert.All(pages, page => Assert.True(
            File.Exists(Path.Combine(folder.Path, Path.ChangeExtension(Path.GetRelativePath(docs, page), "html"))), page));
        Assert.All(
            Directory.GetFiles(Path.Combine(docs, "pictures"), "*.webp"),
            picture => Assert.True(File.Exists(Path.Combine(folder["pictures"], Path.GetFileName(picture))), picture));
    }

    private static CommandResult DocFx(params string[] arguments) =>
        PristineCommand.Finish(PristineCommand.StartProgram("dotnet", ["docfx", .. arguments], TestFiles.Root), null);
}
