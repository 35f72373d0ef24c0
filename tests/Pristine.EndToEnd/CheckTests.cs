using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary><c>pristine check</c>: the planted faults of the samples by name, and its manners.</summary>
public class CheckTests
{
    /// <summary>Those that look at one image without a network.</summary>
    private const string Issues = "default,-near_duplicates,-damaged";

    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>
    /// What samples/README.md says was done to copies, and the issue that names it. A picture enlarged from 96 pixels is blurred.
    /// </summary>
    private static readonly (string Ending, string Issue)[] Planted =
        [("-blur", "blurry"), ("-noise", "noisy"), ("-jpeg10", "blocky"), ("-dark", "dark"), ("-lowres", "blurry")];

    private static Dictionary<string, string[]> Found(JsonElement result) => result.GetProperty("issues").EnumerateArray()
        .Where(issue => issue.TryGetProperty("examples", out _))
        .ToDictionary(issue => issue.GetProperty("name").GetString()!, issue => issue.GetProperty("examples").EnumerateArray()
        .Select(example => example.GetProperty("image").GetString()!).ToArray());

    [Fact]
    public void Every_planted_fault_of_the_samples_is_found_by_name()
    {
        var result = PristineCommand.Run("check", Photos, "--issues", Issues, "--format", "json", "--examples", "100").Expect(0);
        using var json = JsonDocument.Parse(result.Output);
        var found = Found(json.RootElement);
        Assert.Equal(37, json.RootElement.GetProperty("images").GetInt32());
        Assert.Equal(["corrupt.jpg"], found["truncated"].Select(Path.GetFileName));
        var planted = Directory.GetFiles(Photos).Select(file => Path.GetFileName(file)!).ToArray();
        foreach (var (ending, issue) in Planted)
            Assert.Superset(planted.Where(name => name.EndsWith(ending + ".jpg", StringComparison.Ordinal)).ToHashSet(), found[issue]
                .Select(name => Path.GetFileName(name)!).ToHashSet());
        // What was left as it was: storm.jpg is soft, jetty.jpg grey and dark below; nothing else is flagged.
        var sound = planted.Where(name => name != "corrupt.jpg"
            && !Planted.Any(plant => name.EndsWith(plant.Ending + ".jpg", StringComparison.Ordinal))).ToHashSet();
        var flagged = found.SelectMany(pair => pair.Value.Select(image => (Issue: pair.Key, Name: Path.GetFileName(image))))
            .Where(pair => sound.Contains(pair.Name)).Order();
        Assert.Equal([("blurry", "storm.jpg"), ("border", "jetty.jpg"), ("gray", "jetty.jpg")], flagged);
    }

    [Fact]
    public void The_text_shows_rules_to_copy_and_the_next_commands_do_what_they_say()
    {
        using var folder = TestFiles.NewFolder();
        var text = PristineCommand.Run(["check", Photos, "--issues", "dark,blocky,flat", "--set", "dark=0.1"], folder.Path)
            .Expect(0).Output;
        Assert.Contains("37 images, 4 with an issue (10.8%)", text, StringComparison.Ordinal);
        Assert.Contains("--drop \"luma_p95 < 0.1\"", text, StringComparison.Ordinal);
        Assert.Contains("raindrops-dark.jpg (0.051)", text, StringComparison.Ordinal);
        Assert.Contains("Looked for and not found: flat.", text, StringComparison.Ordinal);
        Assert.Contains("Not judged: 1 image without scores", text, StringComparison.Ordinal);
        var next = text.Split('\n').Single(line => line.Contains("--drop-issue", StringComparison.Ordinal)).Trim();
        Assert.Equal($"pristine filter {Photos} --drop-issue dark,blocky --set dark=0.1 --out kept.txt", next);
        PristineCommand.Run(next.Split(' ')[1..], folder.Path).Expect(0);
        // The truncated image has no scores.
        Assert.Equal(37 - 4 - 1, File.ReadAllLines(folder["kept.txt"]).Length);
    }

    [Fact]
    public void A_table_is_checked_and_selected_from_without_reading_images()
    {
        using var folder = TestFiles.NewFolder();
        var first = PristineCommand.Run(["check", Photos, "--issues", "dark,blurry,odd_size", "--scores", "scores"], folder.Path).Expect(0);
        var again = PristineCommand.Run(["check", "scores", "--issues", "dark,blurry,odd_size,noisy"], folder.Path).Expect(0);
        Assert.Contains("Not looked for: noisy: the table has no noise", again.Output, StringComparison.Ordinal);
        Assert.Equal(first.Output.Split('\n')[2..8], again.Output.Split('\n')[2..8]);
        Assert.Contains("pristine select scores --drop-issue", again.Output, StringComparison.Ordinal);
        var selected = PristineCommand.Run(
            ["select", "scores", "--drop-issue", "dark", "--drop-issue", "odd_size", "--dropped", "dropped.jsonl"], folder.Path).Expect(0);
        Assert.Contains("fails not (luma_p95 < 0.2)", selected.Error, StringComparison.Ordinal);
        var reasons = File.ReadLines(folder["dropped.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("status").GetString() == "ok").ToArray();
        Assert.Equal(["not (luma_p95 < 0.2)", "not (luma_p95 < 0.2)"], reasons.Select(line => line.GetProperty("rule").GetString()));
    }

    [Theory]
    [InlineData("dark > 0", 3)]
    [InlineData("dark > 2", 0)]
    [InlineData("dark >= 5%", 3)]
    [InlineData("dark > 5.5%", 0)]
    [InlineData("any > 0", 3)]
    [InlineData("truncated = 0", 3)]
    public void Fail_on_sets_the_exit_code(string condition, int code)
    {
        var result = PristineCommand.Run(
            "check", Photos, "--issues", "dark,missing,truncated", "--fail-on", condition == "truncated = 0" ? "missing = 0" : condition)
                .Expect(code);
        Assert.Equal(code == 3, result.Error.Contains("holds", StringComparison.Ordinal));
    }

    [Fact]
    public void Damage_is_found_without_anything_to_import()
    {
        using var nothing = TestFiles.NewFolder();
        var result = PristineCommand.Run(
            ["check", Photos, "--issues", "damaged", "--format", "json", "--examples", "100"], TestFiles.Root, null,
            ("PRISTINE_MODELS", nothing.Path)).Expect(0);
        using var json = JsonDocument.Parse(result.Output);
        var found = Found(json.RootElement)["damaged"].Select(name => Path.GetFileName(name)!).ToHashSet();
        var planted = Directory.GetFiles(Photos).Select(file => Path.GetFileName(file)!)
            .Where(name => Planted.Any(plant => name.EndsWith(plant.Ending + ".jpg", StringComparison.Ordinal))).ToHashSet();
        Assert.Superset(planted, found);
        // What was left as it was: paintbrushes.jpg has 0.74, raindrops.jpg and ladybird.jpg 0.6; processors round 8 bits apart.
        Assert.Subset(new HashSet<string> { "paintbrushes.jpg", "raindrops.jpg", "ladybird.jpg" }, found.Except(planted).ToHashSet());
    }

    [Fact]
    public void An_issue_with_a_minus_is_left_out()
    {
        var result = PristineCommand.Run("check", Photos, "--issues", "dark,damaged,blurry,-damaged", "--format", "json").Expect(0);
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal(["dark", "blurry"], json.RootElement.GetProperty("issues").EnumerateArray()
            .Select(issue => issue.GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("Did you mean blurry", "--issues", "blury")]
    [InlineData("Did you mean blurry", "--issues", "dark,-blury")]
    [InlineData("--set: expected ISSUE=NUMBER", "--set", "dark:0.3")]
    [InlineData("expected an issue with a threshold; 'missing' has none", "--set", "missing=1")]
    [InlineData("expected an issue that is asked for; found dark", "--issues", "dark", "--set", "blurry=1")]
    [InlineData("--fail-on: expected a condition such as", "--fail-on", "many duplicates")]
    [InlineData("--issues does not name 'flat'", "--issues", "dark", "--fail-on", "flat > 0")]
    public void Mistakes_are_told_before_any_work(string message, params string[] options) =>
        Assert.Contains(message, PristineCommand.Run(["check", Photos, .. options]).Expect(2).Error, StringComparison.Ordinal);

    [Fact]
    public void Duplicates_are_found_by_their_bytes()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["in"]);
        foreach (var name in new[] { "b.jpg", "a.jpg", "sub.jpg" })
            File.Copy(Path.Combine(Photos, "leaf.jpg"), Path.Combine(folder["in"], name));
        File.Copy(Path.Combine(Photos, "dune.jpg"), Path.Combine(folder["in"], "dune.jpg"));
        var text = PristineCommand.Run(["check", "in", "--issues", "duplicates"], folder.Path).Expect(0).Output;
        Assert.Contains("2   50.0%", text, StringComparison.Ordinal);
        Assert.Contains("b.jpg, sub.jpg", text.Replace("in/", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void The_text_fits_80_columns_but_for_what_is_to_be_copied()
    {
        var lines = PristineCommand.Run("check", Photos, "--issues", Issues).Expect(0).Lines;
        Assert.All(lines.Where(line => !line.Contains("--drop", StringComparison.Ordinal) && !line.Contains(
            "pristine ", StringComparison.Ordinal)), line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public void Score_ends_with_where_the_scores_lie_what_failed_and_the_next_commands()
    {
        using var folder = TestFiles.NewFolder();
        var error = PristineCommand.Run(["score", Photos, "--metrics", "brisque,width", "--out", "scores"], folder.Path).Expect(0).Error;
        Assert.Matches(@"  metric   images +p5 +median +p95\n  brisque +36 +[\d.]+ +[\d.]+ +[\d.]+\n  width +37 +", error);
        Assert.Contains("  not ok: 1 truncated\n", error, StringComparison.Ordinal);
        Assert.EndsWith("Next: pristine check scores\n      pristine report scores --out report.html\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Next:", PristineCommand.Run(["score", Photos, "--out", "half", "--shard", "0/2"], folder.Path)
            .Expect(0).Error, StringComparison.Ordinal);
        // Texts alone are items.
        File.WriteAllLines(folder["texts.jsonl"], ["""{"id": 1, "text": "one two"}""", """{"id": 2, "text": "three"}"""]);
        var texts = PristineCommand.Run(["score", "texts.jsonl", "--metrics", "num_words", "--out", "texts"], folder.Path).Expect(0).Error;
        Assert.Contains("2 items without an image in ", texts, StringComparison.Ordinal);
        Assert.Matches(@"  metric +items +p5 +median +p95\n  num_words +2 +", texts);
        Assert.EndsWith("Next: pristine check texts\n      pristine report texts --out report.html\n", texts, StringComparison.Ordinal);
    }
}
