using System.Globalization;
using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary><c>pristine degrade</c> and <c>pristine bench</c>, as docs/experiments.md shows them.</summary>
public class ExperimentTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");
    private static readonly string Captions = TestFiles.InRepository("samples", "captions.json");

    [Fact]
    public void Degraded_samples_are_found_again_by_bench()
    {
        using var folder = TestFiles.NewFolder();
        var made = PristineCommand.Run(
            "degrade", Captions, "--out", folder["bad"], "--share", "50%", "--kinds", "lens_blur,jpeg", "--levels", "4-5", "--seed", "7")
                .Expect(0);
        Assert.Empty(made.Output);
        Assert.Contains("images degraded", made.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Captions), File.ReadAllBytes(folder["bad/captions.json"]));
        var entries = File.ReadLines(folder["bad/degraded.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.All(entries.Where(entry => entry.GetProperty("outcome").GetString() == "degraded"), entry =>
        {
            Assert.Contains(entry.GetProperty("kind").GetString(), (string[])["lens_blur", "jpeg"]);
            Assert.InRange(entry.GetProperty("level").GetInt32(), 4, 5);
            Assert.True(File.Exists(folder[$"bad/{entry.GetProperty("output").GetString()}"]));
        });

        var bench = PristineCommand.Run(
            "bench", "--degraded", folder["bad/degraded.jsonl"], "--metrics", "brisque,sharpness", "--resamples", "50", "--out",
            folder["bench"]).Expect(0);
        Assert.StartsWith("# Finding degraded images", bench.Output, StringComparison.Ordinal);
        Assert.Equal(bench.Output, File.ReadAllText(folder["bench/bench.md"]));
        using var json = JsonDocument.Parse(File.ReadAllText(folder["bench/bench.json"]));
        var brisque = json.RootElement.GetProperty("metrics")[0];
        Assert.Equal("brisque", brisque.GetProperty("metric").GetProperty("name").GetString());
        Assert.InRange(brisque.GetProperty("auc").GetProperty("value").GetDouble(), 0.8, 1);
    }

    [Fact]
    public void Two_runs_of_degrade_give_the_same_folder()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("degrade", Photos, "--out", folder["one"], "--share", "0.3", "-j", "1").Expect(0);
        PristineCommand.Run("degrade", Photos, "--out", folder["two"], "--share", "30%", "-j", "3").Expect(0);
        var names = Directory.GetFiles(folder["one"], "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder["one"], file)).ToArray();
        Assert.Equal(Directory.GetFiles(Photos).Length + 1, names.Length);
        Assert.All(names, name => Assert.Equal(File.ReadAllBytes(folder[$"one/{name}"]), File.ReadAllBytes(folder[$"two/{name}"])));
    }

    [Fact]
    public void Bench_compares_with_a_label_file()
    {
        using var folder = TestFiles.NewFolder();
        // The samples' damaged copies get lower opinions than their originals.
        var names = Directory.GetFiles(Photos, "*.jpg").Select(file => Path.GetFileName(file)).Where(name => name != "corrupt.jpg")
            .Order(StringComparer.Ordinal).ToArray();
        File.WriteAllLines(
            folder["mos.csv"],
            names.Select(
                (name, i) =>
                    string.Create(
                        CultureInfo.InvariantCulture, $"{name},{(name.Contains('-', StringComparison.Ordinal) ? 30 : 70) + i % 7}"))
                            .Prepend("image,mos"));
        var bench = PristineCommand.Run(
            "bench", "--images", Photos, "--mos", folder["mos.csv"], "--resamples", "50", "--metrics", "brisque,sharpness,entropy")
                .Expect(0);
        Assert.StartsWith("# Agreement with people: mos.csv", bench.Output, StringComparison.Ordinal);
        var row = bench.Lines.Single(line => line.StartsWith("| brisque | 36 |", StringComparison.Ordinal));
        Assert.InRange(double.Parse(row.Split('|')[3].Trim().Split(' ')[0], CultureInfo.InvariantCulture), 0.4, 1);
        Assert.Contains("| entropy |", bench.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("either --mos FILE or --degraded LOG; found neither", "bench")]
    [InlineData("--images DIR beside --mos FILE", "bench", "--mos", "mos.csv")]
    [InlineData("--share: expected", "degrade", "samples/photos", "--out", "/dev/null/x", "--share", "1.5")]
    [InlineData("found 'fog'", "degrade", "samples/photos", "--out", "/dev/null/x", "--kinds", "jpeg,fog")]
    [InlineData("--levels: expected", "degrade", "samples/photos", "--out", "/dev/null/x", "--levels", "3-9")]
    [InlineData("There is no metric 'brisk'", "bench", "--degraded", "log.jsonl", "--metrics", "brisk")]
    public void Wrong_usage_is_exit_code_2(string message, params string[] arguments) =>
        Assert.Contains(message, PristineCommand.Run(arguments).Expect(2).Error, StringComparison.Ordinal);

    [Fact]
    public void Files_that_are_not_there_are_exit_code_1()
    {
        Assert.Contains("absent.csv", PristineCommand.Run("bench", "--images", Photos, "--mos", "absent.csv")
            .Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("is not one", PristineCommand.Run("bench", "--images", "absent", "--mos", "absent.csv")
            .Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains(
            "absent.jsonl", PristineCommand.Run("bench", "--degraded", "absent.jsonl").Expect(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_on_standard_input_has_its_exact_share_degraded()
    {
        using var folder = TestFiles.NewFolder();
        var list = string.Join('\n', Directory.GetFiles(Photos, "*.jpg").Order(StringComparer.Ordinal).Take(13));
        var made = PristineCommand.Run(
            ["degrade", "-", "--image-root", Photos, "--out", folder["out"], "--share", "50%"], folder.Path,
            System.Text.Encoding.UTF8.GetBytes(list)).Expect(0);
        Assert.Contains("7 of 13 images degraded", made.Error, StringComparison.Ordinal);
    }
}
