using System.Text.Json;
using Pristine.Tests;
using Pristine.Tests.Metrics.Brisque;

namespace Pristine.EndToEnd;

public class MetricsAndModelsTests
{
    private const string Variable = "PRISTINE_MODELS";

    [Fact]
    public void Metrics_lists_every_metric_with_what_it_measures()
    {
        var lines = PristineCommand.Run("metrics").Expect(0).Lines;
        Assert.StartsWith("name\tgood end\trange\t", lines[0], StringComparison.Ordinal);
        var names = lines[1..].Select(line => line.Split('\t')[0]).ToArray();
        Assert.Superset(
            new HashSet<string>(
                ["width", "height", "min_side", "max_side", "pixels", "aspect_ratio", "bytes", "format", "brisque", "brisque-live",
                    "sharpness"]),
            new HashSet<string>([.. names, "format"]));
        Assert.All(lines, line => Assert.Equal(6, line.Split('\t').Length));
    }

    [Fact]
    public void A_metric_is_described_with_its_paper()
    {
        var result = PristineCommand.Run("metrics", "brisque").Expect(0);
        Assert.StartsWith("brisque: ", result.Output, StringComparison.Ordinal);
        Assert.Contains("doi:10.1109/TIP.2012.2214050", result.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Nearest: brisque", PristineCommand.Run("metrics", "brisk").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_is_the_page_in_the_documentation() =>
        Assert.Equal(
            File.ReadAllText(TestFiles.InRepository("docs", "metrics.md")), PristineCommand.Run("metrics", "--markdown").Expect(0).Output);

    [Fact]
    public void A_manifest_that_makes_no_sense_is_a_mistake_and_no_bug()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["my.json"], """{"name": "x", "file": "x.onnx"}""");
        var error = PristineCommand.Run("score", folder.Path, "--metric", folder["my.json"], "--metrics", "x").Expect(1).Error;
        Assert.Contains("my.json: input: expected width and height", error, StringComparison.Ordinal);
        Assert.DoesNotContain("bug", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    [Fact]
    public void A_model_is_imported_only_when_its_hash_is_known_or_trusted_and_then_scores()
    {
        using var folder = TestFiles.NewFolder();
        SyntheticBrisqueLive.Write(folder["release"]);
        CommandResult Run(params string[] arguments) => PristineCommand.Run(arguments, TestFiles.Root, null, (Variable, folder["store"]));

        var uninstalled = Run("score", "samples/photos", "--metrics", "brisque-live").Expect(1);
        Assert.Contains("pristine models import brisque-live", uninstalled.Error, StringComparison.Ordinal);
        Assert.Empty(uninstalled.Output);

        var refused = Run("models", "import", "brisque-live", folder["release"]).Expect(1);
        Assert.Contains("expected SHA-256 8b04d604", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--trust", refused.Error, StringComparison.Ordinal);
        string Listed() =>
            Run("models", "list").Expect(0).Lines.Single(line => line.StartsWith("brisque-live\t", StringComparison.Ordinal));
        var before = Listed();

        Run("models", "import", "brisque-live", folder["release"], "--trust").Expect(0);
        Assert.NotEqual(before, Listed());
        Assert.Contains("trusted", Listed(), StringComparison.Ordinal);

        var rows = Run("score", "samples/photos/*s.jpg", "--metrics", "brisque-live,brisque", "--format", "jsonl").Expect(0).Lines;
        Assert.NotEmpty(rows);
        foreach (var line in rows)
        {
            using var row = JsonDocument.Parse(line);
            Assert.Equal(JsonValueKind.Number, row.RootElement.GetProperty("brisque-live").ValueKind);
            Assert.InRange(row.RootElement.GetProperty("brisque-live_quality").GetDouble(), 0, 1);
        }
    }

    [Fact]
    public void The_released_model_needs_no_trust_and_gives_the_scores_its_users_know()
    {
        var release = TestFiles.Reference("brisque-live");
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(["models", "import", "brisque-live", release], TestFiles.Root, null, (Variable, folder["store"])).Expect(0);
        var astronaut = PristineCommand.Run(
            ["score", TestFiles.Reference("images", "01_astronaut.png"), "--metrics", "brisque-live", "--format", "jsonl"],
            TestFiles.Root, null, (Variable, folder["store"])).Expect(0);
        using var row = JsonDocument.Parse(Assert.Single(astronaut.Lines));
        // The release in Octave gives 2.3506 for these pixels.
        Assert.Equal(2.3506, row.RootElement.GetProperty("brisque-live").GetDouble(), 0.05);
    }

    [Fact]
    public void A_rule_on_a_metric_that_cannot_run_leaves_no_files()
    {
        using var folder = TestFiles.NewFolder();
        var result = PristineCommand.Run(
            ["filter", "samples/photos", "--keep", "\"brisque-live\" < 40", "--out", folder["kept.txt"], "--dropped",
                folder["dropped.csv"]],
            TestFiles.Root, null, (Variable, folder["store"])).Expect(1);
        Assert.Contains("pristine models import brisque-live", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
