using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>Reports, opened in a browser as a user opens them, against what <c>pristine select</c> says.</summary>
public sealed partial class ReportTests(Browser browser, PhotoReport photos) : IClassFixture<Browser>, IClassFixture<PhotoReport>
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>A dataset of items with one image, several, none, one that is missing, and one broken record.</summary>
    private static string MixedDataset(TemporaryFolder folder)
    {
        var photos = Directory.GetFiles(Photos, "*.jpg").Order(StringComparer.Ordinal).ToArray();
        var lines = photos.Select((photo, i) => Line($"one-{i}", photo))
            .Concat(photos.Take(18).Select((photo, i) => Line($"two-{i}", photo, photos[^(i + 1)])))
            .Append(Line("text only")).Append(Line("lost", Path.Combine(Photos, "lost.jpg"))).Append("{\"id\": \"broken\", ");
        File.WriteAllLines(folder["mixed.jsonl"], lines);
        return folder["mixed.jsonl"];
    }

    private static string Line(string id, params string[] images) => JsonSerializer.Serialize(new
    {
        id,
        images = images.Length == 0 ? null : images.Select((url, i) => new { id = i, url }).ToArray(),
        conversations = new[] { new { from = "user", value = "What is this?" },
            new { from = "assistant", value = "<script>window.hacked = 1</script>" } },
    });

    private static async Task<(long Kept, long Dropped)> Shown(IPage page)
    {
        async Task<long> Number(string id) =>
            long.Parse(await page.Locator($"#{id}-count").InnerTextAsync(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        return (await Number("kept"), await Number("dropped"));
    }

    /// <summary>Runs the command line that the page shows, in a shell, and reads what it says.</summary>
    private static async Task<(long Kept, long Dropped)> Selected(IPage page, string folder)
    {
        var command = await page.Locator("#command").InnerTextAsync();
        var said = PristineCommand.Shell($"pristine() {{ {PristineCommand.InShell} \"$@\"; }}\n{command}", folder).Expect(0).Error;
        long Number(string word) =>
            long.Parse(
                Regex.Match(said, $@"^{word} +([\d,]+)", RegexOptions.Multiline).Groups[1].Value, NumberStyles.AllowThousands,
                CultureInfo.InvariantCulture);
        return (Number("kept"), Number("dropped"));
    }

    private static async Task Choose(IPage page, string metric) =>
        await page.Locator(".metric")
        .Filter(new LocatorFilterOptions { Has = page.GetByText(metric, new PageGetByTextOptions { Exact = true }) }).ClickAsync();

    private static async Task Drag(IPage page, double from, double to)
    {
        var box = (await page.Locator(".slider").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync((float)(box.X + (from * box.Width)), box.Y + 60);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync((float)(box.X + (to * box.Width)), box.Y + 90, new MouseMoveOptions { Steps = 5 });
        await page.Mouse.UpAsync();
    }

    [Fact]
    public async Task Dragging_the_threshold_shows_what_select_keeps()
    {
        using var folder = TestFiles.NewFolder();
        var report = PhotoReport.Make(MixedDataset(folder), folder["scores"]);
        await using var opened = await browser.Open(report);
        var page = opened.Page;
        await page.Locator(".slider").ScrollIntoViewIfNeededAsync();
        var seen = new HashSet<(long, long)>();
        foreach (var metric in (string[])["brisque", "sharpness", "min_side"])
        {
            await Choose(page, metric);
            foreach (var (from, to) in ((double, double)[])[(0.9, 0.35), (0.35, 0.6)])
            {
                await Drag(page, from, to);
                var shown = await Shown(page);
                Assert.Equal(await Selected(page, folder.Path), shown);
                seen.Add(shown);
            }
        }
        // The other side of the same threshold.
        await page.Locator(".sentence select").First.SelectOptionAsync("most");
        Assert.EndsWith(
            "<=", (await page.Locator("#command").InnerTextAsync()).Split("min_side ")[1].Split(' ')[0], StringComparison.Ordinal);
        Assert.Equal(await Selected(page, folder.Path), await Shown(page));
        Assert.True(seen.Count >= 4, $"The drags should change the counts; seen: {string.Join(" ", seen)}.");
        Assert.Empty(opened.Messages);
    }

    [Fact]
    [Trait("kind", "long")]
    public async Task Every_position_of_the_slider_counts_what_the_scores_say()
    {
        using var folder = TestFiles.NewFolder();
        var dataset = MixedDataset(folder);
        var report = PhotoReport.Make(dataset, folder["scores"]);
        PristineCommand.Run("export", folder["scores"], "--format", "jsonl", "--out", folder["rows.jsonl"]).Expect(0);
        var items = File.ReadLines(folder["rows.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement)
            .GroupBy(row => row.GetProperty("item_index").GetInt64()).ToArray();
        var data = JsonDocument.Parse(
            Data().Match(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)).Groups[1].Value).RootElement;
        Assert.Equal(items.Length, data.GetProperty("all").GetProperty("items").GetInt32());
        await using var opened = await browser.Open(report);
        for (var metric = 0; metric < data.GetProperty("metrics").GetArrayLength(); metric++)
        {
            var (about, name) = (data.GetProperty("metrics")[metric], data.GetProperty("metrics")[metric].GetProperty("name").GetString()!);
            var isFloat = name is "brisque" or "sharpness" or "brightness";
            double? Value(JsonElement row) => row.GetProperty("status").GetString() is "unreadable" or "truncated" ? null : row.GetProperty(
                name) is { ValueKind: JsonValueKind.Number } value ? isFloat ? value.GetSingle() : value.GetDouble() : null;
            await Choose(opened.Page, name);
            foreach (var isAtMost in (bool[])[true, false])
            {
                await opened.Page.Locator(".sentence select").First.SelectOptionAsync(isAtMost ? "most" : "least");
                // The page's own counts at every position the slider can take, as it shows them.
                var shown = await opened.Page.EvaluateAsync<int[]>(
                    """
                    () => {
                      const slider = document.querySelector('.slider'), shown = [];
                      for (let i = 0; i <= Number(slider.max); i++) {
                        slider.value = i;
                        slider.dispatchEvent(new Event('input'));
                        shown.push(Number(document.getElementById('kept-count').textContent.replaceAll(',', '')));
                      }
                      return shown;
                    }
                    """);
                var positions = about.GetProperty("positions").EnumerateArray()
                    .Select(position => isFloat ? (double)position.GetSingle() : position.GetDouble()).ToArray();
                var expected = positions.Select(threshold => items.Count(item => item.All(row =>
                    row.GetProperty("status").GetString() == "no_image"
                    || (isAtMost ? Value(row) <= threshold : Value(row) >= threshold))));
                Assert.Equal(expected, shown);
            }
        }
        Assert.Empty(opened.Messages);
    }

    [Fact]
    public async Task The_threshold_moves_by_keyboard_and_by_typing()
    {
        await using var opened = await browser.Open(photos.File);
        var page = opened.Page;
        var slider = page.Locator(".slider");
        await slider.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        Assert.Equal("0", await slider.InputValueAsync());
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal("1", await slider.InputValueAsync());
        await page.Keyboard.PressAsync("End");
        // Every image that has a score; one of the photos is corrupt.
        Assert.Equal((36, 1), await Shown(page));
        Assert.Contains("keeps 36 of 37 items", await slider.GetAttributeAsync("aria-valuetext"), StringComparison.Ordinal);
        await page.Locator("#threshold-value").FillAsync("30.04");
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("30", await page.Locator("#threshold-value").InputValueAsync());
        Assert.EndsWith("--keep \"brisque <= 30\"", await page.Locator("#command").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(await Selected(page, photos.Folder), await Shown(page));
        await page.Locator("#threshold .copy").First.ClickAsync();
        await Assertions.Expect(page.Locator("#threshold .copy").First).Not.ToHaveTextAsync("Copy");
        await page.Locator(".tile").First.ClickAsync();
        await Assertions.Expect(page.Locator("dialog")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator("dialog")).ToBeHiddenAsync();
        Assert.Empty(opened.Messages);
    }

    [Fact]
    [Trait("kind", "long")]
    public async Task Names_of_files_and_items_can_do_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such file names.");
        using var folder = TestFiles.NewFolder();
        string[] names =
        [
            "<script>window.hacked = 1<script>.jpg", "\"><img src=x onerror=window.hacked=1>.jpg",
            "it's \"quoted\" & `touch hacked` $(touch hacked) \\.jpg",
            "</title><svg onload=window.hacked=1>.jpg", "ünïcödé 猫.jpg",
        ];
        names = [.. names.Select(name => name.Replace('/', '\u2044'))];
        foreach (var name in names)
            File.Copy(Path.Combine(Photos, "leaf.jpg"), folder[name]);
        File.WriteAllText(folder["<img src=x onerror=window.hacked=1>.png"], "no image");
        var lines = names.Append("</script><script>window.hacked=1</script>.jpg")
            .Select((name, i) => Line($"</script><script>window.hacked={i}</script><!--", folder[name]));
        File.WriteAllLines(folder["it's \"<b onclick=x>\" $(touch hacked).jsonl"], lines);
        foreach (var (input, i) in ((string[])[folder.Path, folder["it's \"<b onclick=x>\" $(touch hacked).jsonl"]])
            .Select((input, i) => (input, i)))
        {
            var report = PhotoReport.Make(input, folder[$"a 'table' \"{i}\" $(touch hacked) `touch hacked`"]);
            foreach (var width in (int[])[1280, 400])
            {
                await using var opened = await browser.Open(report, width);
                var page = opened.Page;
                Assert.Contains(names[0], await page.Locator("body")
                    .InnerTextAsync() + await page.Locator(".tile").First.GetAttributeAsync("title"), StringComparison.Ordinal);
                for (var tile = 0; tile < names.Length; tile++)
                {
                    await page.Locator(".tile").Nth(tile).ClickAsync();
                    await page.Keyboard.PressAsync("Escape");
                }
                Assert.Equal(await Selected(page, folder.Path), await Shown(page));
                Assert.Equal(0, await page.Locator("svg[onload], img[onerror], b").CountAsync());
                Assert.True(await page.EvaluateAsync<bool>("() => window.hacked === undefined"));
                Assert.Empty(opened.Messages);
                Assert.All(opened.Requests, request => Assert.Matches("^(file:.*report\\.html|data:image/webp;base64)$", request));
            }
        }
        Assert.False(File.Exists(folder["hacked"]));
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(400, ColorScheme.Light)]
    [InlineData(400, ColorScheme.Dark)]
    public async Task The_page_fits_its_window_without_complaint(int width, ColorScheme scheme)
    {
        await using var opened = await browser.Open(photos.File, width, scheme);
        var page = opened.Page;
        Assert.True(await page.EvaluateAsync<bool>(
            "() => document.documentElement.scrollWidth <= innerWidth"), $"The page is wider than {width} px.");
        foreach (var metric in await page.Locator(".metric .name").AllInnerTextsAsync())
        {
            await Choose(page, metric);
            foreach (var end in await page.Locator("#gallery .choice label").AllAsync())
                await end.ClickAsync();
        }
        Assert.Equal(36, await page.EvaluateAsync<int>(
            "() => JSON.parse(document.getElementById('data').textContent).pictures.filter(picture => picture.webp).length"));
        Assert.True(
            await page.EvaluateAsync<bool>(
                "() => [...document.images].length > 0 && [...document.images].every(image => image.naturalWidth > 0)"),
                    "Every thumbnail can be shown.");
        var ground = await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");
        Assert.Equal(scheme == ColorScheme.Dark ? "rgb(20, 22, 24)" : "rgb(250, 249, 247)", ground);
        Assert.Empty(opened.Messages);
    }

    [Fact]
    public void A_metric_that_this_program_does_not_have_is_told_of()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder["images/leaf.jpg"]);
        PristineCommand.Run("score", folder["images"], "--metrics", "entropy,contrast", "--out", folder["table"]).Expect(0);
        var provenance = folder["table/scores.json"];
        File.WriteAllText(provenance, File.ReadAllText(provenance)
            .Replace("\"metric\": \"contrast\"", "\"metric\": \"arniqa@elsewhere\"", StringComparison.Ordinal));
        var result = PristineCommand.Run("report", folder["table"], "--out", folder["report.html"]).Expect(0);
        Assert.Contains(
            "this program does not have the metric of the column arniqa@elsewhere (pristine ", result.Error, StringComparison.Ordinal);
        Assert.Contains("this program does not have the metric of the column arniqa@elsewhere", File.ReadAllText(
            folder["report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_table_gives_the_same_report_and_a_bad_one_a_reason()
    {
        using var folder = TestFiles.NewFolder();
        var one = File.ReadAllBytes(photos.File);
        PristineCommand.Run(["report", photos.Table, "--out", folder["two.html"], "--workers", "3"], photos.Folder).Expect(0);
        Assert.Equal(one, File.ReadAllBytes(folder["two.html"]));
        Assert.Contains("no scores.json", PristineCommand.Run("report", folder["none"], "--out", folder["three.html"])
            .Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("--thumbnails: expected 0 to 600", PristineCommand.Run(
            "report", photos.Table, "--out", folder["three.html"], "--thumbnails", "601").Expect(2).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["three.html"]));
        // Images that have gone since are told of, in the page and by the command.
        var gone = PristineCommand.Run("report", photos.Table, "--out", folder["gone.html"], "--image-root", folder["elsewhere"])
            .Expect(0);
        Assert.Contains("37 items, 0 thumbnails", gone.Error, StringComparison.Ordinal);
        // Fewer pictures than metrics are some, not none.
        var few = PristineCommand.Run(["report", photos.Table, "--out", folder["few.html"], "--thumbnails", "1"], photos.Folder).Expect(0);
        Assert.Contains("37 items, 1 thumbnails", few.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_issues_are_shown_with_images_and_a_command_that_drops_them()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            ["check", Photos, "--issues", "truncated,dark,low_quality,flat", "--set", "dark=0.1", "--scores", "scores", "--format", "html",
                "--out", "report.html"], folder.Path).Expect(0);
        await using var opened = await browser.Open(folder["report.html"]);
        var page = opened.Page;
        Assert.Equal(
            ["low_quality", "truncated", "dark"], (await page.Locator(".issue h3 label").AllInnerTextsAsync()).Select(text => text.Trim()));
        Assert.Contains("raindrops-dark.jpg", await page.Locator(".issue").Nth(2).InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains("Looked for and not found: flat.", await page.Locator("#issues").InnerTextAsync(), StringComparison.Ordinal);
        var command = page.Locator("#issues .command code");
        Assert.Equal("pristine select scores --drop-issue low_quality,truncated,dark --set dark=0.1", await command.InnerTextAsync());
        await page.Locator(".issue input").First.UncheckAsync();
        Assert.Equal("pristine select scores --drop-issue truncated,dark --set dark=0.1", await command.InnerTextAsync());
        var said = PristineCommand.Shell(
            $"pristine() {{ dotnet '{PristineCommand.Assembly}' \"$@\"; }}\n{await command.InnerTextAsync()}", folder.Path).Expect(0).Error;
        Assert.Matches("(?m)^kept +35 ", said);
        // An issue's threshold is the first of its metric, and a button leads to it.
        await page.Locator(".issue").Nth(2).GetByText("Try other thresholds").ClickAsync();
        Assert.StartsWith(
            "pristine select scores --keep \"luma_p95 >= 0.1", await page.Locator("#command").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Empty(opened.Messages);
    }

    [Fact]
    public async Task Issues_of_texts_are_shown_with_their_records()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(folder["data.jsonl"],
        [
            JsonSerializer.Serialize(new { id = "same", image = Path.Combine(Photos, "leaf.jpg"), text = "<image> a leaf on the ground" }),
            JsonSerializer.Serialize(new { id = "again", image = Path.Combine(Photos, "dune.jpg"), text = "<image> a leaf on the ground" }),
            JsonSerializer.Serialize(new { id = "<b>nothing</b>", image = Path.Combine(Photos, "moss.jpg"), text = "" }),
            JsonSerializer.Serialize(new { id = "brief", text = "sand" }),
        ]);
        PristineCommand.Run(
            ["check", "data.jsonl", "--issues", "default,-damaged,-near_duplicates", "--scores", "scores", "--format", "html", "--out",
                "report.html"], folder.Path).Expect(0);
        await using var opened = await browser.Open(folder["report.html"]);
        var text = await opened.Page.Locator("#issues").InnerTextAsync();
        Assert.Contains("3 of 3 images and 1 record without an image have at least one", text, StringComparison.Ordinal);
        foreach (var (issue, record) in ((string, string)[])[
            ("text_duplicates", "again"), ("short_text", "brief (4)"), ("empty_text", "<b>nothing</b>")])
        {
            var shown = opened.Page.Locator(".issue").Filter(new() { Has = opened.Page.Locator("label", new() { HasText = issue }) });
            Assert.Contains(record, await shown.Locator(".records").InnerTextAsync(), StringComparison.Ordinal);
            Assert.Contains("1 text, 25.0 %", await shown.InnerTextAsync(), StringComparison.Ordinal);
        }
        var command = await opened.Page.Locator("#issues .command code").InnerTextAsync();
        var said = PristineCommand.Shell($"pristine() {{ dotnet '{PristineCommand.Assembly}' \"$@\"; }}\n{command}", folder.Path).Expect(0);
        Assert.Matches("(?m)^kept +1 ", said.Error);
        Assert.Empty(opened.Messages);
    }

    [Fact]
    public async Task Pictures_that_are_too_small_for_the_network_are_not_called_sound()
    {
        using var folder = TestFiles.NewFolder();
        // Grey, 64 x 64 pixels.
        File.WriteAllBytes(folder["small.png"], Convert.FromBase64String(
            "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAKUlEQVR42u3MQREAAAwCIKMb3RD77SAA6VEEAoFAIBAIBAKBQCAQ" +
            "fA8G320AeXC6efoAAAAASUVORK5CYII="));
        const string others = "1 image below the area of 128 x 128 pixels.";
        string[] check = ["check", "small.png", "--issues", "damaged", "--scores", "scores"];
        Assert.Contains(
            $"Not judged: damaged: {others}", PristineCommand.Run(check, folder.Path).Expect(0).Output, StringComparison.Ordinal);
        PristineCommand.Run([.. check, "--format", "html", "--out", "report.html"], folder.Path).Expect(0);
        await using var opened = await browser.Open(folder["report.html"]);
        Assert.Contains(
            $"Not judged for damaged: {others}", await opened.Page.Locator("#issues").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Empty(opened.Messages);
    }

    [Fact]
    [Trait("kind", "long")]
    public async Task Duplicates_are_shown_with_which_stays_and_a_command_that_keeps_it()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["photos"]);
        foreach (var (name, copy) in new[] { ("boats-noise.jpg", "a.jpg"), ("boats.jpg", "b.jpg"), ("boats.jpg", "c.jpg"),
            ("drum.jpg", "d.jpg") })
            File.Copy(Path.Combine(Photos, name), folder[$"photos/{copy}"]);
        PristineCommand.Run(["score", "photos", "--metrics", "brisque,phash", "--out", "scores"], folder.Path).Expect(0);
        PristineCommand.Run(["report", "scores", "--out", "report.html"], folder.Path).Expect(0);
        await using var opened = await browser.Open(folder["report.html"]);
        var page = opened.Page;
        Assert.Contains(
            "2 images more than needed, in 1 group of near duplicates within 4 bits.", await page.Locator("#duplicates").InnerTextAsync(),
            StringComparison.Ordinal);
        async Task<string[]> Tiles(string kind) =>
            [.. (await page.Locator($"#duplicates .tile.{kind} .name").AllInnerTextsAsync())
                .Where(text => text.EndsWith(".jpg", StringComparison.Ordinal))];
        var command = page.Locator("#duplicates .command code");
        // The noisy one has the worse score.
        Assert.Equal(["b.jpg"], await Tiles("stays"));
        Assert.Equal(["a.jpg", "c.jpg"], await Tiles("dropped"));
        Assert.Equal("pristine select scores --dedup near:4 --keep-best brisque", await command.InnerTextAsync());
        await page.Locator("#duplicates select").SelectOptionAsync("-1");
        Assert.Equal(["a.jpg"], await Tiles("stays"));
        Assert.Equal("pristine select scores --dedup near:4", await command.InnerTextAsync());
        PristineCommand.Run(["select", "scores", "--dedup", "near:4", "--keep-best", "brisque", "--out", "kept.txt"], folder.Path)
            .Expect(0);
        Assert.Equal(["b.jpg", "d.jpg"], File.ReadAllLines(folder["kept.txt"]).Select(Path.GetFileName));
        Assert.Empty(opened.Messages);
    }

    [Fact]
    [Trait("kind", "long")]
    public async Task Rules_together_count_what_select_keeps_and_stand_in_the_address()
    {
        using var folder = TestFiles.NewFolder();
        var report = PhotoReport.Make(MixedDataset(folder), folder["scores"]);
        await using var opened = await browser.Open(report);
        var page = opened.Page;
        foreach (var (metric, share) in ((string, string)[])[("brisque", "20"), ("sharpness", "15"), ("min_side", "10")])
        {
            await Choose(page, metric);
            await page.Locator("#drop-share").FillAsync(share);
            await page.Keyboard.PressAsync("Enter");
            await page.Locator("#add-rule").ClickAsync();
        }
        Assert.Equal(3, await page.Locator(".rule").CountAsync());
        var count = await page.Locator("#together-count").InnerTextAsync();
        var command = await page.Locator("#together-command").InnerTextAsync();
        var said = PristineCommand.Shell($"pristine() {{ dotnet '{PristineCommand.Assembly}' \"$@\"; }}\n{command}", folder.Path)
            .Expect(0).Error;
        Assert.StartsWith($"{Regex.Match(said, @"(?m)^kept +([\d,]+)").Groups[1].Value} of 58 items kept", count, StringComparison.Ordinal);
        await page.Locator("#threshold .choice label").Nth(1).ClickAsync();
        await Drag(page, 0.5, 0.25);
        Assert.Equal(await Selected(page, folder.Path), await Shown(page));

        // Who opens the address sees the same. It is written when the hand rests.
        var written = Uri.EscapeDataString((await page.Locator("#threshold-value").InputValueAsync()));
        await page.WaitForURLAsync(new Regex($"{Regex.Escape(written)}&axis=rank"));
        var seen = (await page.Locator("#command").InnerTextAsync(), command, await Shown(page));
        await using var other = await browser.Open(report);
        await other.Page.GotoAsync("about:blank");
        await other.Page.GotoAsync(page.Url);
        Assert.Equal(seen, (await other.Page.Locator("#command").InnerTextAsync(), await other.Page.Locator("#together-command")
            .InnerTextAsync(), await Shown(other.Page)));
        Assert.True(await other.Page.GetByLabel("By rank").IsCheckedAsync());
        await other.Page.Locator(".rule button").First.ClickAsync();
        Assert.Equal(2, await other.Page.Locator(".rule").CountAsync());
        Assert.Empty(opened.Messages);
    }

    [Fact]
    public async Task A_picture_is_shown_pixel_by_pixel_with_a_link_to_its_file()
    {
        await using var opened = await browser.Open(photos.File);
        var page = opened.Page;
        var tile = page.Locator("#gallery .tile").First;
        var name = await tile.Locator(".name").InnerTextAsync();
        await tile.ClickAsync();
        Assert.Equal(new Uri(Path.Combine(Photos, name)).AbsoluteUri, await page.Locator("dialog a").GetAttributeAsync("href"));
        Assert.Equal(
            (320, 320),
            await page.EvaluateAsync<int[]>(
                "() => { const image = document.querySelector('dialog .crop'); return [image.naturalWidth, image.naturalHeight]; }") is [var width, var height] ? (width, height) : default);
        Assert.Empty(opened.Messages);
    }

    [GeneratedRegex("""<script type="application/json" id="data">(.*?)</script>""", RegexOptions.Singleline)]
    private static partial Regex Data();
}

/// <summary>A report of the sample photographs, made on one worker for all tests of a class.</summary>
public sealed class PhotoReport : IDisposable
{
    private const string Metrics = "brisque,sharpness,brightness,min_side";

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    /// <summary>Scores and reports.</summary>
    public PhotoReport() => File = Make(TestFiles.InRepository("samples", "photos"), Table, "--workers", "1");

    /// <summary>The page.</summary>
    public string File { get; }

    /// <summary>The score table of the page.</summary>
    public string Table => _folder["scores"];

    /// <summary>The folder of both, where the commands that the page shows are run.</summary>
    public string Folder => _folder.Path;

    /// <summary>Scores an input into a table and makes its report beside it.</summary>
    internal static string Make(string input, string table, params string[] options)
    {
        var folder = Path.GetDirectoryName(table)!;
        PristineCommand.Run("score", input, "--out", table, "--metrics", Metrics).Expect(0);
        var report = Path.Combine(folder, "report.html");
        PristineCommand.Run(["report", table, "--out", report, .. options], folder).Expect(0);
        return report;
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
