using System.Text;
using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class FilterTests
{
    private static readonly string Dialogs = TestFiles.InRepository("samples", "dialogs.jsonl");
    private static readonly string Captions = TestFiles.InRepository("samples", "captions.json");
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    private static JsonElement[] Ledger(string path) => [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)];

    [Fact]
    public void Kept_lines_of_a_jsonl_dataset_are_the_inputs_lines_byte_for_byte()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            "filter", Dialogs, "--keep", "brisque <= 40", "--out", folder["kept.jsonl"], "--dropped", folder["dropped.jsonl"]).Expect(0);
        var input = File.ReadAllLines(Dialogs, Encoding.Latin1);
        var kept = File.ReadAllLines(folder["kept.jsonl"], Encoding.Latin1);
        var dropped = Ledger(folder["dropped.jsonl"]);
        Assert.NotEmpty(kept);
        Assert.NotEmpty(dropped);
        var droppedLines = dropped.Select(line => input[line.GetProperty("index").GetInt32()]).ToHashSet();
        Assert.Equal(input.Where(line => !droppedLines.Contains(line)), kept);
    }

    [Fact]
    public void A_rule_that_everything_passes_gives_the_json_dataset_back_byte_for_byte()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("filter", Captions, "--keep", "status is not null", "--out", folder["kept.json"]).Expect(0);
        Assert.Equal(File.ReadAllBytes(Captions), File.ReadAllBytes(folder["kept.json"]));
    }

    [Fact]
    public void The_ledger_tells_for_each_dropped_item_the_rule_the_value_the_threshold_and_the_margin()
    {
        using var folder = TestFiles.NewFolder();
        var result = PristineCommand.Run(
            "filter", Captions, "--keep", "brisque <= 40", "--out", folder["kept.json"], "--dropped", folder["dropped.jsonl"]).Expect(0);
        var dropped = Ledger(folder["dropped.jsonl"]);
        Assert.All(dropped.Where(line => line.GetProperty("status").GetString() == "ok"), line =>
        {
            Assert.Equal("brisque <= 40", line.GetProperty("rule").GetString());
            Assert.Equal("brisque", line.GetProperty("column").GetString());
            var value = line.GetProperty("value").GetDouble();
            Assert.True(value > 40);
            Assert.Equal(40, line.GetProperty("threshold").GetDouble());
            Assert.Equal(value - 40, line.GetProperty("margin").GetDouble(), 6);
        });
        Assert.Contains(dropped, line => line.GetProperty("status").GetString() == "missing");
        Assert.Contains(dropped, line => line.GetProperty("status").GetString() == "truncated");
        Assert.DoesNotContain(dropped, line => line.GetProperty("status").GetString() == "no_image");
        Assert.Matches(@"\n +1  without an image, which a rule needs \(--no-image drop drops them\)\n", result.Error);
        Assert.Contains("fails brisque <= 40", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void What_the_record_decides_is_decided_before_an_image_is_opened()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(folder["data.jsonl"],
        [
            $"{{\"id\": 1, \"image\": \"{Photos}/leaf.jpg\", \"text\": \"a longer caption\"}}",
            "{\"id\": 2, \"image\": \"/nowhere/a.jpg\", \"text\": \"short\"}",
            "{\"id\": 3, \"text\": \"long enough too\"}",
            "{\"id\": 4, \"text\": \"brief\"}",
        ]);
        var result = PristineCommand.Run(
            "filter", folder["data.jsonl"], "--keep", "width > 10", "--keep", "text_length > 10", "--out", "-", "--ledger",
            folder["ledger.jsonl"], "--max-failures", "0").Expect(0);
        Assert.Equal(["{\"id\": 1", "{\"id\": 3"], result.Lines.Select(line => line[..8]));
        Assert.Equal(["ok", "skipped", "no_image", "no_image"], Ledger(folder["ledger.jsonl"])
            .Select(line => line.GetProperty("status").GetString()));
        Assert.Equal("text_length 5 fails text_length > 10", Ledger(folder["ledger.jsonl"])[1].GetProperty("reason").GetString());
        Assert.Contains("        1  without an image, which a rule needs", result.Error, StringComparison.Ordinal);
        Assert.Contains("        2  fails text_length > 10", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Items_without_an_image_can_be_dropped()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            "filter", Captions, "--keep", "brisque <= 40", "--no-image", "drop", "--out", folder["kept.json"], "--dropped",
            folder["dropped.csv"]).Expect(0);
        Assert.Contains(File.ReadLines(folder["dropped.csv"]), line => line.Contains(",no_image,", StringComparison.Ordinal));
    }

    [Fact]
    public void Quality_limits_are_the_same_as_the_rule_on_the_native_score()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("filter", Photos, "--keep", "brisque between 10 and 40", "--out", folder["rule.txt"]).Expect(0);
        PristineCommand.Run("filter", Photos, "--min-quality", "0.6", "--max-quality", "0.9", "--out", folder["quality.txt"]).Expect(0);
        Assert.NotEmpty(File.ReadAllLines(folder["rule.txt"]));
        Assert.Equal(File.ReadAllText(folder["rule.txt"]), File.ReadAllText(folder["quality.txt"]));
    }

    [Theory]
    [InlineData("--copy")]
    [InlineData("--link")]
    [InlineData("--hardlink")]
    public void A_folder_is_exported_into_a_mirror_tree_and_the_originals_stay(string mode)
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["in/a/b"]);
        foreach (var (name, target) in (ReadOnlySpan<(string, string)>)[("leaf.jpg", "in/a/b/x y.jpg"), ("moss.jpg", "in/moss.jpg"),
            ("moss-blur.jpg", "in/blur.jpg")])
            File.Copy(Path.Combine(Photos, name), folder[target]);
        var before = Directory.GetFiles(folder["in"], "*", SearchOption.AllDirectories).Order()
            .ToDictionary(file => file, File.ReadAllBytes);
        PristineCommand.Run("filter", folder["in"], "--keep", "brisque <= 45", mode, "--out", folder["out"]).Expect(0);
        Assert.Equal(
            ["a/b/x y.jpg", "moss.jpg"],
            Directory.GetFiles(folder["out"], "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder["out"], file))
                .Order(StringComparer.Ordinal));
        Assert.Equal(before[folder["in/moss.jpg"]], File.ReadAllBytes(folder["out/moss.jpg"]));
        Assert.Equal(mode == "--link", new FileInfo(folder["out/moss.jpg"]).LinkTarget != null);
        Assert.All(before, pair => Assert.Equal(pair.Value, File.ReadAllBytes(pair.Key)));
    }

    [Fact]
    public void A_line_that_is_not_a_record_is_dropped_with_its_place_and_the_rest_goes_on()
    {
        using var folder = TestFiles.NewFolder();
        var good = File.ReadLines(Dialogs).First();
        File.WriteAllText(folder["in.jsonl"], $"{good}\n{{\"id\": 3, \n{good}\n");
        PristineCommand.Run(
            "filter", folder["in.jsonl"], "--image-root", Path.GetDirectoryName(Dialogs)!, "--keep", "width > 0", "--out",
            folder["kept.jsonl"], "--dropped", folder["dropped.jsonl"]).Expect(0);
        Assert.Equal([good, good], File.ReadAllLines(folder["kept.jsonl"]));
        Assert.Contains("2", Ledger(folder["dropped.jsonl"]).Single().GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dataset_that_is_cut_off_ends_with_exit_code_1_and_leaves_no_file_under_the_final_name()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["in.json"], File.ReadAllBytes(Captions)[..2000]);
        var result = PristineCommand.Run(
            "filter", folder["in.json"], "--image-root", Path.GetDirectoryName(Captions)!, "--keep", "width > 0", "--out",
            folder["kept.json"]).Expect(1);
        Assert.Contains("in.json", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["kept.json"]));
        // The dataset is read to its end before anything is exported, so nothing is left under a temporary name either.
        Assert.Equal([folder["in.json"]], Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
