using System.Text.Json;
using Microsoft.Playwright;
using Pristine.Tests;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary>Two-stage scoring: cheap metrics first, the network only for images that are still undecided.</summary>
public sealed class CascadeTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");
    private static readonly string Captions = TestFiles.InRepository("samples", "captions.json");

    private static JsonElement[] Rows(string table)
    {
        PristineCommand.Run("export", table, "--format", "jsonl", "--out", $"{table}.jsonl").Expect(0);
        return [.. File.ReadLines($"{table}.jsonl").Select(line => JsonDocument.Parse(line).RootElement)];
    }

    [Fact]
    [Trait("kind", "long")]
    public void A_table_records_what_was_skipped_and_why_goes_on_without_reading_and_is_completed_on_request()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        string[] score = ["score", Photos, "--metrics", "brisque,resnet50", "--out", folder["table"]];
        var first = PristineCommand.Run([.. score, "--cascade", "brisque <= 50"], folder.Path).Expect(0);
        Assert.Contains("37 read, 0 already in the table, 1 failed, 14 with skipped scores", first.Error, StringComparison.Ordinal);
        foreach (var row in Rows(folder["table"]).Where(row => row.GetProperty("brisque").ValueKind == JsonValueKind.Number))
        {
            var isSkipped = row.GetProperty("brisque").GetSingle() > 50;
            Assert.Equal("ok", row.GetProperty("status").GetString());
            Assert.Equal(isSkipped ? JsonValueKind.Null : JsonValueKind.Number, row.GetProperty("resnet50@biq2021").ValueKind);
            if (isSkipped)
                Assert.Matches(
                    @"^brisque [\d.]+ fails brisque <= 50$", row.GetProperty("skipped").GetProperty("resnet50@biq2021").GetString());
            else
                Assert.Equal(JsonValueKind.Null, row.GetProperty("skipped").ValueKind);
        }
        var again = PristineCommand.Run([.. score, "--cascade", "brisque <= 50"], folder.Path).Expect(0);
        Assert.Contains("0 read, 37 already in the table", again.Error, StringComparison.Ordinal);

        var selected = PristineCommand.Run(
            ["select", folder["table"], "--keep", "resnet50 >= 0.4", "--ledger", folder["ledger.jsonl"]], folder.Path).Expect(0);
        Assert.Contains("14  missing score resnet50@biq2021 (skipped)", selected.Error, StringComparison.Ordinal);
        Assert.Equal(14, File.ReadLines(folder["ledger.jsonl"])
            .Count(line => line.Contains("missing score resnet50@biq2021: skipped, brisque ", StringComparison.Ordinal)));
        var why = PristineCommand.Run(["why", "moss-blur.jpg", folder["ledger.jsonl"]], folder.Path).Expect(0).Output;
        Assert.Contains("(skipped: brisque 59.449 fails brisque <= 50)", why, StringComparison.Ordinal);
        Assert.Contains("resnet50@biq2021          skipped\n", why, StringComparison.Ordinal);

        Assert.Contains("14 read, 23 already in the table, 1 failed ->", PristineCommand.Run(score, folder.Path)
            .Expect(0).Error, StringComparison.Ordinal);
        Assert.All(Rows(folder["table"]), row => Assert.Equal(JsonValueKind.Null, row.GetProperty("skipped").ValueKind));
    }

    [Fact]
    [Trait("kind", "long")]
    public void Filtering_in_stages_keeps_the_same_items_with_the_same_ledger()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        string[] filter =
            ["filter", Captions, "--keep", "brisque <= 54", "--keep", "resnet50 >= 0.4", "--keep-top", "80%", "--by", "resnet50"];
        PristineCommand.Run([.. filter, "--out", folder["whole.json"], "--ledger", folder["whole.jsonl"]], folder.Path).Expect(0);
        foreach (var workers in (string[])["1", "2"])
        {
            var staged = PristineCommand.Run(
                [.. filter, "--out", folder["staged.json"], "--ledger", folder["staged.jsonl"], "--cascade", "-j", workers], folder.Path)
                    .Expect(0);
            Assert.Contains("with skipped scores", staged.Error, StringComparison.Ordinal);
            Assert.Equal(File.ReadAllBytes(folder["whole.json"]), File.ReadAllBytes(folder["staged.json"]));
            Assert.Equal(File.ReadAllBytes(folder["whole.jsonl"]), File.ReadAllBytes(folder["staged.jsonl"]));
        }
    }

    [Theory]
    [InlineData("expected what can be judged while an image is scored", "score", "photos", "--cascade", "status = 'ok'")]
    [InlineData("There is no column 'brisk'", "score", "photos", "--cascade", "brisk < 3")]
    [InlineData(
        "the mean of several images needs all of their scores", "filter", "photos", "--keep", "brisque < 3", "--images", "mean", "--out",
        "-", "--cascade")]
    [InlineData(
        "--cascade: expected --keep or --drop rules", "filter", "photos", "--keep-top", "5", "--by", "brisque", "--out", "-", "--cascade")]
    public void What_makes_no_sense_is_refused_before_anything_is_read(string message, params string[] arguments) =>
        Assert.Contains(
            message, PristineCommand.Run(arguments, TestFiles.InRepository("samples")).Expect(2).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("jsonl", "\"skipped\":{\"sharpness\":\"brisque 59.449 fails brisque <= 50\"}")]
    [InlineData("csv", "sharpness: brisque 59.449 fails brisque <= 50")]
    [InlineData("table", "sharpness: brisque 59.449 fails brisque <= 50")]
    public void Rows_on_stdout_say_what_was_skipped(string format, string expected)
    {
        var moss = Path.Combine(Photos, "moss-blur.jpg");
        var result = PristineCommand.Run("score", moss, "--metrics", "sharpness", "--cascade", "brisque <= 50", "--format", format)
            .Expect(0);
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
        Assert.Contains("1 with skipped scores", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_report_tells_skipped_scores_from_failures()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            "score", Photos, "--metrics", "brisque,sharpness,entropy", "--cascade", "brisque <= 50", "--out", folder["table"]).Expect(0);
        PristineCommand.Run("report", folder["table"], "--out", folder["report.html"]).Expect(0);
        await using var opened = await browser.Open(folder["report.html"]);
        var page = opened.Page;
        var failures = await page.Locator("#failures").InnerTextAsync();
        Assert.Contains("or was skipped", failures, StringComparison.Ordinal);
        Assert.Contains("no sharpness: a cheaper metric had decided", failures, StringComparison.Ordinal);
        Assert.Contains("fails brisque <= 50", failures, StringComparison.Ordinal);
        await page.Locator(".metric")
            .Filter(new LocatorFilterOptions { Has = page.GetByText("sharpness", new PageGetByTextOptions { Exact = true }) }).ClickAsync();
        Assert.Contains("14 images skipped: a cheaper metric had decided.", await page.Locator("#threshold")
            .InnerTextAsync(), StringComparison.Ordinal);
        await page.Locator(".metric")
            .Filter(new LocatorFilterOptions { Has = page.GetByText("brisque", new PageGetByTextOptions { Exact = true }) }).ClickAsync();
        await page.GetByRole(AriaRole.Radio, new PageGetByRoleOptions { Name = "Worst" }).CheckAsync();
        await page.Locator("#gallery .tile").First.ClickAsync();
        Assert.Matches(@"sharpness\s+skipped", await page.Locator("#picture").InnerTextAsync());
    }
}
