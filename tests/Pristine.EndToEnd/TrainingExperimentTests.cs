using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Pristine.Tests;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary><c>pristine experiment</c> on the samples, as docs/experiments.md shows it, and its page as a user opens it.</summary>
public sealed partial class TrainingExperimentTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly string Labels = TestFiles.InRepository("samples", "labels.csv");

    [Fact]
    [Trait("kind", "long")]
    public async Task The_samples_give_an_answer_and_a_page_that_shows_it()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        var run = PristineCommand.Run(
            "experiment", Labels, "--out", folder["answer"], "--keep-top", "80%,50%", "--by", "brisque,sharpness", "--keep",
            "brightness >= 0.2", "--seeds", "3").Expect(0);
        Assert.Matches(@"\Atrained on +images  kept, % +accuracy, %", run.Output);
        Assert.Contains("Trained on everything, the model finds the class of", run.Output, StringComparison.Ordinal);
        // Nine test images tell nothing for certain, and nothing else is claimed.
        Assert.Contains("There are only 9 test images", run.Output, StringComparison.Ordinal);
        Assert.Contains("No selection is better than as many images drawn at random", run.Output, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(File.ReadAllText(folder["answer/experiment.json"]));
        var conditions = json.RootElement.GetProperty("conditions").EnumerateArray().ToArray();
        Assert.Equal(1 + 2 * 5, conditions.Length);
        Assert.DoesNotContain(folder.Path, json.RootElement.GetRawText(), StringComparison.Ordinal);
        var rows = run.Lines.Select(line => Gaps().Split(line)).Where(cells => cells.Length > 3).ToArray();
        foreach (var condition in conditions.Where(condition => condition.GetProperty("kind").GetString() != "random"))
        {
            var row = rows.Single(row => row[0] == condition.GetProperty("name").GetString());
            var accuracy = condition.GetProperty("seeds").EnumerateArray().Average(seed => seed.GetProperty("accuracy").GetDouble());
            Assert.Equal((100 * accuracy).ToString("F2", CultureInfo.InvariantCulture), row[3].Split(' ')[0]);
        }

        foreach (var (width, scheme) in ((int, ColorScheme)[])[(1280, ColorScheme.Light), (400, ColorScheme.Dark)])
        {
            await using var opened = await browser.Open(folder["answer/experiment.html"], width, scheme);
            Assert.Equal("Does filtering help? labels.csv", await opened.Page.TitleAsync());
            var text = await opened.Page.InnerTextAsync("body");
            // The answer stands before the first picture and the first table.
            Assert.True(text.IndexOf("No selection is better", StringComparison.Ordinal) < text.IndexOf(
                "Accuracy and how much is kept", StringComparison.Ordinal));
            Assert.Equal(2, await opened.Page.Locator("svg").CountAsync());
            // Two metrics, one rule, the random control and everything.
            Assert.Equal(4, await opened.Page.Locator("svg polyline").CountAsync());
            Assert.True(await opened.Page.EvaluateAsync<bool>(
                "document.documentElement.scrollWidth <= window.innerWidth"), $"the page is wider than a window of {width}");
            Assert.Empty(opened.Messages);
            Assert.Equal([new Uri(folder["answer/experiment.html"]).AbsoluteUri], opened.Requests);
            await opened.Page.ScreenshotAsync(new PageScreenshotOptions { Path = folder[$"page-{width}.png"], FullPage = true });
        }
    }

    [Fact]
    public void The_same_command_again_computes_nothing_and_prints_the_same()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        string[] command =
            ["experiment", Labels, "--out", folder["answer"], "--keep-top", "50%", "--by", "sharpness", "--seeds", "2", "--reverse"];
        var first = PristineCommand.Run(command).Expect(0);
        var written = Directory.GetFiles(folder["answer/models"]).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.Equal(2 * 4, written.Count);
        var page = File.ReadAllText(folder["answer/experiment.html"]);
        var again = PristineCommand.Run([.. command, "-j", "1"]).Expect(0);
        Assert.Equal(first.Output, again.Output);
        Assert.Equal(page, File.ReadAllText(folder["answer/experiment.html"]));
        Assert.Equal(written, Directory.GetFiles(folder["answer/models"]).ToDictionary(file => file, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void A_command_of_the_users_own_is_the_model()
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "Needs a shell.");
        using var folder = TestFiles.NewFolder();
        // It is right about as many test images as it has training images per 30.
        File.WriteAllText(folder["train.sh"], """
            output=$(sed -n 's/.*"output" *: *"\([^"]*\)".*/\1/p' "$1")
            echo '{"accuracy": 0.5, "epochs": 3}' > "$output"
            """);
        var run = PristineCommand.Run(
            "experiment", Labels, "--out", folder["answer"], "--keep-top", "50%", "--by", "sharpness", "--seeds", "2", "--trainer",
            $"sh '{folder["train.sh"]}'").Expect(0);
        Assert.Matches(@"(?m)^everything +20 +100\.0 +50\.00 ", run.Output);
        using var json = JsonDocument.Parse(File.ReadAllText(folder["answer/experiment.json"]));
        Assert.Equal(3, json.RootElement.GetProperty("conditions")[0].GetProperty("seeds")[0].GetProperty("metrics").GetProperty("epochs")
            .GetDouble());

        var failed = PristineCommand.Run(
            "experiment", Labels, "--out", folder["other"], "--keep-top", "50%", "--by", "sharpness", "--trainer",
            "echo no luck >&2; false").Expect(1);
        Assert.Contains("no luck", failed.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "good end", "--by", "brightness")]
    [InlineData(2, "--seeds: expected 1 to 10000; found 0", "--seeds", "0")]
    [InlineData(2, "shares between 0 and 1", "--train-share", "1.5")]
    [InlineData(2, "There is no metric 'brisk'", "--by", "brisk")]
    [InlineData(2, "Expected every selection once", "--keep-top", "50%,50%", "--by", "sharpness")]
    [InlineData(2, "nosuchcolumn", "--keep", "nosuchcolumn > 3")]
    [InlineData(2, "--trainer: expected a text; found an empty one", "--trainer", " ")]
    [InlineData(2, "--features", "--features", "resnet18")]
    [InlineData(2, "--features: expected without --trainer", "--features", "pristine", "--trainer", "train")]
    [InlineData(1, "called kind", "--label-column", "kind")]
    [InlineData(1, "absent.jsonl", "--degraded", "absent.jsonl")]
    public void What_is_wrong_is_said_before_anything_is_computed(int exitCode, string message, params string[] arguments)
    {
        using var folder = TestFiles.NewFolder();
        var run = PristineCommand.Run(["experiment", Labels, "--out", folder["answer"], .. arguments]).Expect(exitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Scoring", run.Error, StringComparison.Ordinal);
        Assert.Empty(Stack().Matches(run.Error));
    }

    [Fact]
    [Trait("kind", "long")]
    public void With_a_network_of_ours_nothing_need_be_installed()
    {
        using var folder = TestFiles.NewFolder();
        CommandResult Experiment(params string[] arguments) => PristineCommand.Run(
            ["experiment", Labels, "--out", folder["answer"], "--seeds", "1", .. arguments], TestFiles.Root, null,
            ("PRISTINE_MODELS", folder["store"]));

        var refused = Experiment().Expect(1);
        Assert.Contains("resnet50-imagenet is not installed", refused.Error, StringComparison.Ordinal);
        Assert.Contains("or add --features pristine-large", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["answer/models"]));

        // Without conditions of its own the experiment ranks by metrics that need nothing either.
        Experiment("--features", "pristine-large").Expect(0);
        using var json = JsonDocument.Parse(File.ReadAllText(folder["answer/experiment.json"]));
        var text = json.RootElement.GetRawText();
        Assert.Contains("logistic regression on pristine-large (7,680 features)", text, StringComparison.Ordinal);
        Assert.Contains("pristine-large", string.Join(' ', json.RootElement.GetProperty("conditions").EnumerateArray().Select(
            condition => condition.GetProperty("name").GetString())), StringComparison.Ordinal);
    }

    [Fact]
    public void The_log_of_another_dataset_and_a_file_as_the_folder_are_refused()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            "degrade", TestFiles.InRepository("samples", "photos"), "--out", folder["bad"], "--share", "100%", "--kinds", "jpeg").Expect(0);
        var run = PristineCommand.Run("experiment", Labels, "--out", folder["answer"], "--degraded", folder["bad/degraded.jsonl"])
            .Expect(1);
        Assert.Contains("log of another dataset", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Scoring", run.Error, StringComparison.Ordinal);
        Assert.Contains("is a file", PristineCommand.Run("experiment", Labels, "--out", Labels).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Degraded_images_are_told_apart_with_a_log()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        var photos = Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")
            .Where(file => Path.GetFileName(file) is var name && name != "corrupt.jpg" && !name.Contains('-', StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToArray();
        foreach (var (photo, i) in photos.Select((photo, i) => (photo, i)))
        {
            var place = folder[$"in/{(i % 2 == 0 ? "even" : "odd")}/{Path.GetFileName(photo)}"];
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(photo, place);
        }
        PristineCommand.Run("degrade", folder["in"], "--out", folder["bad"], "--share", "50%", "--kinds", "lens_blur", "--levels", "5")
            .Expect(0);
        PristineCommand.Run(
            "experiment", folder["bad"], "--out", folder["answer"], "--keep-top", "50%", "--by", "sharpness", "--seeds", "2", "--degraded",
            folder["bad/degraded.jsonl"]).Expect(0);
        using var json = JsonDocument.Parse(File.ReadAllText(folder["answer/experiment.json"]));
        var shares = json.RootElement.GetProperty("conditions").EnumerateArray().ToDictionary(
            condition => condition.GetProperty("name").GetString()!, condition => condition.GetProperty("degraded_share").GetDouble());
        Assert.InRange(shares["everything"], 0.3, 0.7);
        Assert.True(shares["best 50% by sharpness"] < shares["everything"] - 0.2);
        Assert.Equal(0, shares["all but the degraded"]);
    }

    [GeneratedRegex("  +")]
    private static partial Regex Gaps();

    [GeneratedRegex(@"^\s+at ", RegexOptions.Multiline)]
    private static partial Regex Stack();
}
