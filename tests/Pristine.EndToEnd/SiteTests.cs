using Microsoft.Playwright;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>The documentation as a site, which DocFX makes of the pages.</summary>
public class SiteTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    [Trait("kind", "long")]
    public async Task Every_page_becomes_one_of_the_site_and_every_link_and_anchor_is_found()
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
        await NoPageIsWiderThanAPhone(folder.Path);
    }

    private async Task NoPageIsWiderThanAPhone(string site)
    {
        const string address = "http://site.test/";
        const int width = 400;
        await using var opened = await browser.Open(Path.Combine(site, "LICENSE"), width);
        // The script of the pages, which lets wide tables scroll, is loaded from servers only.
        await opened.Page.RouteAsync(
            address + "**", route => route.FulfillAsync(new RouteFulfillOptions { Path = site + new Uri(route.Request.Url).AbsolutePath }));
        foreach (var file in Directory.EnumerateFiles(site, "*.html", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "toc.html").Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(site, file).Replace('\\', '/');
            await opened.Page.GotoAsync(address + name);
            while (await opened.Page.EvaluateAsync<bool>("() => document.querySelector('article table:not(.table-responsive *)') != null"))
                await Task.Delay(20, TestContext.Current.CancellationToken);
            var found = await opened.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
            Assert.True(found <= width, $"{name} is {found} pixels wide in a window of {width}.");
        }
    }

    private static CommandResult DocFx(params string[] arguments) =>
        PristineCommand.Finish(PristineCommand.StartProgram("dotnet", ["docfx", .. arguments], TestFiles.Root), null);
}
