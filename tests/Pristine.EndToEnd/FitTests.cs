using System.Globalization;
using System.Text.Json;
using Pristine.Tests;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

public class FitTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>Kinds of degradation in the names of the samples.</summary>
    private static readonly string[] Kinds = ["blur", "noise", "jpeg10", "lowres", "dark"];

    private static Dictionary<string, double> Scores(CommandResult result, string metric) => result.Lines
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(row => row.GetProperty("status").GetString() == "ok")
        .ToDictionary(
            row => Path.GetFileNameWithoutExtension(row.GetProperty("image").GetString()!), row => row.GetProperty(metric).GetDouble());

    /// <summary>Ratings of the samples: 4 for an original, 2 for a degraded one, moved a little so that none are equal.</summary>
    private static void WriteRatings(string path) => File.WriteAllLines(path,
        ["image,mos", .. Directory.EnumerateFiles(Photos, "*.jpg").Select(file => Path.GetFileName(file))
            .Where(name => name != "corrupt.jpg").Order(StringComparer.Ordinal)
            .Select((name, i) => string.Create(
                CultureInfo.InvariantCulture, $"{name},{(name.Contains('-', StringComparison.Ordinal) ? 2 : 4) + 0.01 * i}"))]);

    [Fact]
    [Trait("kind", "long")]
    public void Resnet50_scores_degraded_samples_worse_than_their_originals()
    {
        using var store = TestFiles.NewFolder();
        InstalledNetwork.LinkTo(PristineCommand.UserStore, store.Path);
        var result = PristineCommand.Run(
            ["score", Photos, "--metrics", "brisque,resnet50@biq2021", "--format", "jsonl"], TestFiles.Root, null,
            ("PRISTINE_MODELS", store.Path)).Expect(0);
        var scores = Scores(result, "resnet50@biq2021");
        var pairs = scores.Keys.Where(name => name.Contains('-', StringComparison.Ordinal)).ToArray();
        Assert.Equal(
            Kinds.Order(StringComparer.Ordinal), pairs.Select(name => name.Split('-')[1]).Distinct().Order(StringComparer.Ordinal));
        Assert.All(pairs, name => Assert.True(
            scores[name] < scores[name.Split('-')[0]], $"{name} {scores[name]} against {scores[name.Split('-')[0]]}"));
        Assert.All(scores.Values, score => Assert.InRange(score, -0.3, 1.3));
        Assert.Equal(scores.Count, Scores(result, "brisque").Count);
        Assert.Equal(scores, Scores(PristineCommand.Run(
            ["score", Photos, "--metrics", "resnet50", "--format", "jsonl", "--workers", "1"], TestFiles.Root, null,
            ("PRISTINE_MODELS", store.Path)).Expect(0), "resnet50@biq2021"));
    }

    [Fact]
    [Trait("kind", "long")]
    public void Resnet50_damage_tells_degraded_samples_from_their_originals()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        var result = PristineCommand.Run("score", Photos, "--metrics", "resnet50@damage,resnet50@biq2021", "--format", "jsonl").Expect(0);
        var damage = Scores(result, "resnet50@damage");
        // Darkening is what it is known to be weak at.
        var pairs = damage.Keys.Where(
            name => name.Contains('-', StringComparison.Ordinal) && !name.EndsWith("-dark", StringComparison.Ordinal)).ToArray();
        Assert.Equal(10, pairs.Length);
        Assert.All(pairs, name => Assert.True(
            damage[name] > damage[name.Split('-')[0]] + 0.15, $"{name} {damage[name]} against {damage[name.Split('-')[0]]}"));
        Assert.True(pairs.Min(name => damage[name]) > damage.Where(pair => !pair.Key.Contains('-', StringComparison.Ordinal))
            .Max(pair => pair.Value));
        // Both metrics come from one pass: together they give what each gives alone.
        Assert.Equal(damage, Scores(
            PristineCommand.Run("score", Photos, "--metrics", "resnet50@damage", "--format", "jsonl").Expect(0), "resnet50@damage"));
    }

    [Fact]
    [Trait("kind", "long")]
    public void A_head_trained_on_ratings_is_a_metric_and_training_repeats_bit_for_bit()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        WriteRatings(folder["ratings.csv"]);
        string[] fit = [
            "fit", "--images", Photos, "--mos", folder["ratings.csv"], "--penalties", "100,10000", "--worst", "1", "--best", "5", "--out",
            folder["mine.head"], "--cache", folder["features"]];
        var first = PristineCommand.Run(fit).Expect(0);
        Assert.Equal(2, first.Lines.Length);
        Assert.Single(first.Lines, line => line.EndsWith("<- chosen", StringComparison.Ordinal));
        Assert.Contains("SRCC", first.Output, StringComparison.Ordinal);
        var head = File.ReadAllBytes(folder["mine.head"]);
        var second = PristineCommand.Run(fit).Expect(0);
        Assert.Equal(first.Output, second.Output);
        Assert.Equal(head, File.ReadAllBytes(folder["mine.head"]));

        var scored = PristineCommand.Run("score", Photos, "--head", folder["mine.head"], "--metrics", "resnet50@mine", "--format", "jsonl")
            .Expect(0);
        var scores = Scores(scored, "resnet50@mine");
        Assert.True(scores["boats-noise"] < scores["boats"]);
        Assert.All(scores.Values, score => Assert.InRange(score, 0.0, 6.0));
        var row = JsonDocument.Parse(scored.Lines[0]).RootElement;
        Assert.Equal((row.GetProperty("resnet50@mine").GetDouble() - 1) / 4, row.GetProperty("resnet50@mine_quality").GetDouble(), 1e-5);
        // A head that was not given is no metric; a name that is taken is refused.
        PristineCommand.Run("score", Photos, "--metrics", "resnet50@mine").Expect(2);
        PristineCommand.Run([.. fit, "--name", "biq2021"]).Expect(0);
        Assert.Contains(
            "already", PristineCommand.Run("score", Photos, "--head", folder["mine.head"]).Expect(2).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pristine")]
    [InlineData("pristine-large")]
    [Trait("kind", "long")]
    public void Networks_of_ours_learn_ratings_and_a_models_errors_with_nothing_installed(string network)
    {
        using var folder = TestFiles.NewFolder();
        (string, string)[] noModels = [("PRISTINE_MODELS", folder["store"])];
        WriteRatings(folder["ratings.csv"]);
        var rated = PristineCommand.Run(
            ["fit", "--images", Photos, "--mos", folder["ratings.csv"], "--features", network, "--penalties", "1000,1e9", "--worst", "1",
            "--best", "5", "--out", folder["mine.head"]], TestFiles.Root, null, noModels).Expect(0);
        Assert.Contains(network + "@mine", rated.Error, StringComparison.Ordinal);
        // A model that fails on what is noisy or blurred.
        File.WriteAllLines(folder["failed.csv"],
            ["image,failed", .. Directory.EnumerateFiles(Photos, "*.jpg").Select(file => Path.GetFileName(file))
                .Where(name => name != "corrupt.jpg").Order(StringComparer.Ordinal)
                .Select(name => $"{name},{(name.Contains("-noise", StringComparison.Ordinal)
                    || name.Contains("-blur", StringComparison.Ordinal) ? 1 : 0)}")]);
        string[] failures =
            ["fit", "--images", Photos, "--failures", folder["failed.csv"], "--features", network, "--penalties", "100,1e9"];
        var failed = PristineCommand.Run([.. failures, "--out", folder["wrong.head"]], TestFiles.Root, null, noModels).Expect(0);
        Assert.Equal(2, failed.Lines.Length);
        Assert.All(failed.Lines, line => Assert.Contains("AUC ", line, StringComparison.Ordinal));

        var result = PristineCommand.Run(
            ["score", Photos, "--head", folder["mine.head"], "--head", folder["wrong.head"], "--metrics",
            $"{network}@mine,{network}@wrong", "--format", "jsonl"], TestFiles.Root, null, noModels).Expect(0);
        var (opinions, errors) = (Scores(result, network + "@mine"), Scores(result, network + "@wrong"));
        Assert.True(opinions["boats-noise"] < opinions["boats"], $"{opinions["boats-noise"]} against {opinions["boats"]}");
        Assert.True(errors["boats-noise"] > errors["boats"], $"{errors["boats-noise"]} against {errors["boats"]}");
        Assert.Contains("--failures", PristineCommand.Run(
            [.. failures, "--mos", folder["ratings.csv"], "--out", folder["no.head"]]).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("kind", "long")]
    public void A_head_trained_on_degraded_images_finds_damage()
    {
        InstalledNetwork.Require(PristineCommand.UserStore);
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["intact"]);
        foreach (var file in Directory.EnumerateFiles(Photos, "*.jpg").Where(file => !Path.GetFileName(file)
            .Contains('-', StringComparison.Ordinal) && !file.EndsWith("corrupt.jpg", StringComparison.Ordinal)))
            File.Copy(file, folder[$"intact/{Path.GetFileName(file)}"]);
        PristineCommand.Run("degrade", folder["intact"], "--out", folder["copies/none"], "--share", "0").Expect(0);
        PristineCommand.Run(
            "degrade", folder["intact"], "--out", folder["copies/all"], "--levels", "4-5", "--kinds", "white_noise,lens_blur").Expect(0);
        var fit = PristineCommand.Run(
            "fit", "--degraded", folder["copies/none/degraded.jsonl"], folder["copies/all/degraded.jsonl"], "--penalties", "1000",
            "--folds", "2", "--out", folder["mine.head"]).Expect(0);
        Assert.Contains("0 of ", fit.Error, StringComparison.Ordinal);

        var head = JsonDocument.Parse(File.ReadLines(folder["mine.head"]).First()).RootElement;
        Assert.Equal((1.0, 0.0), (head.GetProperty("worst").GetDouble(), head.GetProperty("best").GetDouble()));
        var scores = Scores(PristineCommand.Run(
            "score", Photos, "--head", folder["mine.head"], "--metrics", "resnet50@mine", "--format", "jsonl").Expect(0), "resnet50@mine");
        Assert.True(scores["boats-noise"] > scores["boats"], $"{scores["boats-noise"]} {scores["boats"]}");
        Assert.True(scores["moss-blur"] > scores["moss"], $"{scores["moss-blur"]} {scores["moss"]}");
    }

    [Fact]
    public void A_trained_BRISQUE_can_be_imported_and_used()
    {
        using var folder = TestFiles.NewFolder();
        WriteRatings(folder["ratings.csv"]);
        var fit = PristineCommand.Run(
            "fit", "brisque", "--images", Photos, "--mos", folder["ratings.csv"], "--costs", "1,100", "--out", folder["model"]).Expect(0);
        Assert.Equal(2, fit.Lines.Length);
        Assert.Equal(
            ["allmodel", "allrange"], Directory.EnumerateFiles(folder["model"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        (string, string)[] environment = [("PRISTINE_MODELS", folder["store"])];
        PristineCommand.Run(["models", "import", "brisque-live", folder["model"], "--trust"], TestFiles.Root, null, environment).Expect(0);
        var scores = Scores(
            PristineCommand.Run(["score", Photos, "--metrics", "brisque-live", "--format", "jsonl"], TestFiles.Root, null, environment)
                .Expect(0), "brisque-live");
        // 0 is best: the ratings were 4 for originals, 2 for degraded images.
        Assert.True(scores.Where(pair => pair.Key.Contains('-', StringComparison.Ordinal)).Average(pair => pair.Value)
            > scores.Where(pair => !pair.Key.Contains('-', StringComparison.Ordinal)).Average(pair => pair.Value));
    }

    [Theory]
    [InlineData(
        2, "Expected --images DIR and --mos FILE, --images DIR and --failures FILE, or --degraded LOG; found --images.",
        "fit", "--images", "samples/photos", "--out", "x.head")]
    [InlineData(2, "or --degraded LOG; found neither.", "fit", "--out", "x.head")]
    [InlineData(
        2, "or --degraded LOG; found --mos and --degraded.", "fit", "--mos", "ratings.csv", "--degraded", "log.jsonl", "--out", "x.head")]
    [InlineData(1, "none.jsonl", "fit", "--degraded", "none.jsonl", "--out", "x.head")]
    [InlineData(
        2, "--penalties: expected numbers above 0", "fit", "--images", "samples/photos", "--mos", "ratings.csv", "--out", "x.head",
        "--penalties", "1,-1")]
    [InlineData(
        2, "--folds: expected at least 2", "fit", "--images", "samples/photos", "--mos", "ratings.csv", "--out", "x.head", "--folds", "1")]
    [InlineData(
        2, "--name: expected letters", "fit", "--images", "samples/photos", "--mos", "ratings.csv", "--out", "x.head", "--name", "a b")]
    [InlineData(
        2, "higher is better", "fit", "--images", "samples/photos", "--mos", "ratings.csv", "--out", "x.head", "--worst", "5", "--best",
        "1")]
    [InlineData(1, "no/folder", "fit", "--images", "no/folder", "--mos", "ratings.csv", "--out", "x.head")]
    [InlineData(1, "none.csv", "fit", "--images", "samples/photos", "--mos", "none.csv", "--out", "x.head")]
    [InlineData(1, "at least 5 usable images; found 0", "fit", "brisque", "--images", "docs", "--mos", "ratings.csv", "--out", "x")]
    [InlineData(1, "pristine-head-1", "score", "samples/photos", "--head", "README.md")]
    public void What_cannot_be_done_is_said(int exitCode, string message, params string[] arguments)
    {
        using var folder = TestFiles.NewFolder();
        WriteRatings(folder["ratings.csv"]);
        var result = PristineCommand.Run([.. arguments.Select(
            argument => argument is "ratings.csv" or "x.head" or "x" ? folder[argument] : argument)], TestFiles.Root).Expect(exitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder["x.head"]));
        Assert.False(Path.Exists(folder["x"]));
    }
}
