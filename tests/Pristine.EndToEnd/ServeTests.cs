using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>The server as a process, and its page in a browser, with the keyboard alone.</summary>
public sealed class ServeTests(Browser browser) : IClassFixture<Browser>
{
    /// <summary>The page has its items and counts.</summary>
    private const string IsShown =
        "document.querySelectorAll('#items li').length > 0 && /\\d/.test(document.getElementById('kept-count').textContent)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>A server that is running, and a table of the sample photos.</summary>
    private sealed class Served : IDisposable
    {
        private readonly string _table;

        public Served(TemporaryFolder folder, params string[] options)
        {
            _table = folder["scores"];
            if (!Directory.Exists(_table))
                PristineCommand.Run("score", Photos, "--out", _table, "--metrics", "sharpness,brightness,min_side").Expect(0);
            Process = PristineCommand.Start(["serve", _table, "--port", "0", "--by", "ann", .. options], folder.Path);
            // What it says while it runs must not fill the pipe.
            Process.ErrorDataReceived += (_, _) => { };
            Process.BeginErrorReadLine();
            Address = Process.StandardOutput.ReadLine() ?? "";
            Assert.StartsWith("http://127.0.0.1:", Address, StringComparison.Ordinal);
        }

        public Process Process { get; }

        public string Address { get; }

        public void Dispose()
        {
            if (!Process.HasExited)
                Process.Kill();
            Process.WaitForExit();
            Process.Dispose();
        }
    }

    private static async Task<long> Number(IPage page, string id) => long.Parse(
        await page.Locator($"#{id}-count").InnerTextAsync(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    /// <summary>Waits until something holds. Playwright's own way evaluates text in the page, which the page's policy forbids.</summary>
    private static async Task Expect(IPage page, string condition)
    {
        while (!await page.EvaluateAsync<bool>($"() => {condition}"))
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    private static long Kept(CommandResult selected) => long.Parse(
        Regex.Match(selected.Expect(0).Error, @"^kept +([\d,]+)", RegexOptions.Multiline).Groups[1].Value, NumberStyles.AllowThousands,
        CultureInfo.InvariantCulture);

    [Fact]
    public async Task The_keyboard_alone_filters_decides_and_undoes_and_a_reload_shows_the_same()
    {
        using var folder = TestFiles.NewFolder();
        using var served = new Served(folder);
        await using var opened = await browser.Open(served.Address);
        var page = opened.Page;
        await Expect(page, IsShown);
        var all = await Number(page, "kept");
        var items = all + await Number(page, "dropped");

        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("sharpness >= 500");
        await Expect(page, $"document.getElementById('kept-count').textContent !== '{all}'");
        while (await page.EvaluateAsync<string>("() => document.activeElement.id") != "add")
            await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.TypeAsync("brightness >= 0.3");
        await Expect(page, "/drops \\d+, only it \\d+/.test(document.getElementById('alone-1').textContent)");
        string[] rules = ["select", folder["scores"], "--keep", "sharpness >= 500", "--keep", "brightness >= 0.3"];
        Assert.Equal(Kept(PristineCommand.Run(rules)), await Number(page, "kept"));
        var alone = Kept(PristineCommand.Run(rules[..4]));
        Assert.Contains($"drops {items - alone},", await page.Locator("#alone-0").InnerTextAsync(), StringComparison.Ordinal);

        await page.Keyboard.PressAsync("Escape");
        var first = await page.Locator("#detail-title").InnerTextAsync();
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("k");
        var second = await page.Locator("#detail-title").InnerTextAsync();
        Assert.NotEqual(first, second);
        var before = await Number(page, "kept");
        await page.Keyboard.PressAsync("x");
        await Expect(page, "document.getElementById('hand-count').textContent === '1'");
        await Expect(page, $"document.getElementById('kept-count').textContent !== '{before}'");
        // What the page shows is what the command line does.
        var command = await page.Locator("#command").InnerTextAsync();
        Assert.Contains("--overrides", command, StringComparison.Ordinal);
        Assert.Equal(
            Kept(PristineCommand.Shell($"pristine() {{ {PristineCommand.InShell} \"$@\"; }}\n{command}", folder.Path)),
                await Number(page, "kept"));
        var ledger = folder["ledger.jsonl"];
        PristineCommand.Run([.. rules, "--overrides", Path.Combine(folder["scores"], "overrides.jsonl"), "--ledger", ledger]).Expect(0);
        Assert.Contains("by hand by ann at",
            File.ReadLines(ledger).Single(line => line.Contains("\"override\"", StringComparison.Ordinal)), StringComparison.Ordinal);

        await page.ReloadAsync();
        await Expect(page, "document.getElementById('hand-count').textContent === '1'");
        Assert.Equal("sharpness >= 500", await page.Locator("#rules input").First.InputValueAsync());
        Assert.Equal(second, await page.Locator("#detail-title").InnerTextAsync());
        Assert.Contains(second, await page.Locator("#items li[aria-selected=true]").InnerTextAsync(), StringComparison.Ordinal);
        // At 1:1, with its scores.
        await Expect(page, "document.querySelector('.pixels img')?.naturalWidth === 768");
        await Expect(page, "document.querySelector('.pixels img').width === 768");
        Assert.Contains("sharpness", await page.Locator("#detail .scores").InnerTextAsync(), StringComparison.Ordinal);
        await page.Keyboard.PressAsync("u");
        await Expect(page, "document.getElementById('hand-count').textContent === '0'");
        await Expect(page, $"document.getElementById('kept-count').textContent === '{before}'");
        // A rule that is typed is no rule at first.
        Assert.DoesNotContain(opened.Messages, message => !message.Contains("400 (Bad Request)", StringComparison.Ordinal));
        Assert.All(opened.Requests, request => Assert.StartsWith(served.Address, request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_keyboard_alone_exports_what_select_writes()
    {
        using var folder = TestFiles.NewFolder();
        using var served = new Served(folder);
        await using var opened = await browser.Open(served.Address);
        var page = opened.Page;
        await Expect(page, IsShown);
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("sharpness >= 500");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page, "/drops \\d+/.test(document.getElementById('alone-0').textContent)");
        await page.Keyboard.PressAsync("x");
        await Expect(page, "document.getElementById('hand-count').textContent === '1'");
        var kept = await Number(page, "kept");
        string[] select =
            ["select", folder["scores"], "--keep", "sharpness >= 500", "--overrides", Path.Combine(folder["scores"], "overrides.jsonl")];
        PristineCommand.Run([.. select, "--out", folder["expected.txt"], "--ledger", folder["expected.csv"]]).Expect(0);

        await Expect(page, "document.getElementById('format').length > 0");
        await page.Keyboard.PressAsync("e");
        Assert.Equal("kept.txt", await Export(page, folder["kept.txt"]));
        Assert.Equal(File.ReadAllBytes(folder["expected.txt"]), File.ReadAllBytes(folder["kept.txt"]));
        Assert.StartsWith($"kept.txt, {kept} items, ", await page.Locator("#exported").InnerTextAsync(), StringComparison.Ordinal);

        await page.Keyboard.PressAsync("e");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Shift+Tab");
        // What is chosen stands in the address too.
        await page.ReloadAsync();
        await Expect(page, "document.getElementById('format').value === 'csv'");
        await page.Keyboard.PressAsync("e");
        Assert.Equal("ledger.csv", await Export(page, folder["ledger.csv"]));
        Assert.Equal(File.ReadAllBytes(folder["expected.csv"]), File.ReadAllBytes(folder["ledger.csv"]));
        Assert.StartsWith("ledger.csv, 37 items, ", await page.Locator("#exported").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Empty((await page.RunAxe()).Violations);

        // A server that is gone: the page says so, where it is seen.
        served.Process.Kill();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page, "document.getElementById('exported').textContent.startsWith('There is no file: The server does not answer')");
        await page.Keyboard.PressAsync("x");
        await Expect(page, "document.getElementById('fault').getBoundingClientRect().height > 0");
        await Expect(page, "document.getElementById('fault').getBoundingClientRect().bottom <= innerHeight");
        Assert.Contains("does not answer", await page.Locator("#fault").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await Number(page, "hand"));
    }

    /// <summary>Exports from the first of the lists beside the button, and stays on the button.</summary>
    private static async Task<string> Export(IPage page, string path)
    {
        while (await page.EvaluateAsync<string>("() => document.activeElement.id") != "export")
            await page.Keyboard.PressAsync("Tab");
        var download = await page.RunAndWaitForDownloadAsync(
            () => page.Keyboard.PressAsync("Enter"), new PageRunAndWaitForDownloadOptions { Timeout = 0 });
        await download.SaveAsAsync(path);
        return download.SuggestedFilename;
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task The_page_is_accessible_and_fits(int width, ColorScheme scheme)
    {
        using var folder = TestFiles.NewFolder();
        using var served = new Served(folder);
        await using var opened = await browser.Open(served.Address, width, scheme);
        var page = opened.Page;
        await Expect(page, IsShown);
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("x");
        await Expect(page, "document.getElementById('hand-count').textContent === '1'");
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        if (Environment.GetEnvironmentVariable("PRISTINE_SCREENSHOTS") is { Length: > 0 } pictures)
            await page.ScreenshotAsync(new PageScreenshotOptions
            {
                Path = Path.Combine(pictures, $"serve-{width}-{scheme}.png"),
                FullPage =
                true
            });
        var found = await page.RunAxe();
        Assert.True(
            found.Violations.Length == 0,
            string.Join('\n', found.Violations.Select(violation =>
                $"{violation.Id}: {violation.Help}: {string.Join("; ", violation.Nodes.Select(node => node.Html))}")));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "The page is wider than the window.");
        Assert.Empty(opened.Messages);
    }

    [Fact]
    public async Task No_decision_that_was_acknowledged_is_lost_when_the_server_is_killed()
    {
        using var folder = TestFiles.NewFolder();
        var acknowledged = new List<long>();
        using (var served = new Served(folder))
        {
            using var client = new HttpClient { BaseAddress = new Uri(served.Address) };
            using var content = JsonContent.Create(new { size = 500 });
            using var page = await client.PostAsync(new Uri("items", UriKind.Relative), content, TestContext.Current.CancellationToken);
            var items = JsonDocument.Parse(await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement
                .GetProperty("items").EnumerateArray()
                    .Select(item => (item.GetProperty("index").GetInt64(), item.GetProperty("id").GetString())).ToArray();
            // It is killed while decisions come in, after some of them.
            var killed = false;
            await Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (item, cancellation) =>
            {
                try
                {
                    using var said = JsonContent.Create(new { index = item.Item1, id = item.Item2, keep = false });
                    using var answer = await client.PostAsync(new Uri("overrides", UriKind.Relative), said, cancellation);
                    answer.EnsureSuccessStatusCode();
                    await answer.Content.ReadAsStringAsync(cancellation);
                    lock (acknowledged)
                    {
                        acknowledged.Add(item.Item1);
                        if (acknowledged.Count == items.Length / 2 && !killed)
                        {
                            killed = true;
                            served.Process.Kill();
                        }
                    }
                }
                catch (HttpRequestException) when (killed)
                {
                    // No answer: nothing was promised.
                }
            });
            Assert.True(killed);
        }
        using var again = new Served(folder);
        using var reader = new HttpClient { BaseAddress = new Uri(again.Address) };
        var holding = JsonDocument.Parse(
            await reader.GetStringAsync(new Uri("overrides", UriKind.Relative), TestContext.Current.CancellationToken))
            .RootElement.GetProperty("overrides").EnumerateArray().Select(said => said.GetProperty("index").GetInt64()).ToHashSet();
        Assert.Subset(holding, acknowledged.ToHashSet());
    }

    [Fact]
    public async Task What_an_export_of_a_killed_server_leaves_the_next_run_removes()
    {
        using var folder = TestFiles.NewFolder();
        var photos = Directory.CreateDirectory(folder["photos"]).FullName;
        File.Copy(Path.Combine(Photos, "leaf.jpg"), Path.Combine(photos, "leaf.jpg"));
        // More than what the system takes of an answer that nobody reads.
        await using (var large = File.OpenWrite(Path.Combine(photos, "leaf.jpg")))
            large.SetLength(64 << 20);
        var temporary = Directory.CreateDirectory(folder["temporary"]).FullName;
        PristineCommand.Run("score", photos, "--out", folder["scores"], "--metrics", "width").Expect(0);
        using var server = PristineCommand.Start(["serve", folder["scores"], "--port", "0"], folder.Path, ("TMPDIR", temporary));
        server.ErrorDataReceived += (_, _) => { };
        server.BeginErrorReadLine();
        using (var client = new HttpClient { BaseAddress = new Uri((await server.StandardOutput.ReadLineAsync(Cancellation))!) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("export", UriKind.Relative))
            {
                Content = JsonContent.Create(new { what = "kept", format = "tar" }),
            };
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            answer.EnsureSuccessStatusCode();
            server.Kill();
            await server.WaitForExitAsync(Cancellation);
        }
        Assert.Contains(
            Directory.GetFiles(temporary, "*", SearchOption.AllDirectories), file => new FileInfo(file) is { Length: > 64 << 20 });
        PristineCommand.Run(["check", Photos], folder.Path, null, ("TMPDIR", temporary));
        Assert.Empty(Directory.GetDirectories(temporary, "pristine-*"));
    }

    [Fact]
    public void It_ends_at_a_signal()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Sends SIGTERM with kill.");
        using var folder = TestFiles.NewFolder();
        using var served = new Served(folder);
        using var kill = Process.Start("kill", ["-TERM", served.Process.Id.ToString(CultureInfo.InvariantCulture)]);
        served.Process.WaitForExit();
        Assert.Equal(0, served.Process.ExitCode);
    }
}
