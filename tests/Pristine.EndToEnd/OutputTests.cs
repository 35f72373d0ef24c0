using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>Where results go, and what becomes of them when they cannot go there or the run is stopped.</summary>
public class OutputTests
{
    private static readonly string Dialogs = TestFiles.InRepository("samples", "dialogs.jsonl");
    private static readonly string Captions = TestFiles.InRepository("samples", "captions.json");
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    private static CommandResult Filter(string input, params string[] arguments) =>
        PristineCommand.Run(["filter", input, "--keep", "width > 0", .. arguments]);

    private static void AssertOneMessage(CommandResult result, string message)
    {
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dialogs.jsonl")]
    [InlineData("captions.json")]
    public void The_kept_items_can_go_to_standard_output(string name)
    {
        using var folder = TestFiles.NewFolder();
        var input = TestFiles.InRepository("samples", name);
        Filter(input, "--out", folder["kept"]).Expect(0);
        var result = Filter(input, "--out", "-").Expect(0);
        Assert.Equal(File.ReadAllBytes(folder["kept"]), result.OutputBytes);
        Assert.Contains("kept", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--copy")]
    [InlineData("--link")]
    [InlineData("--hardlink")]
    public void A_target_within_the_input_is_refused(string mode)
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(Path.Combine(Photos, "leaf.jpg"), folder["leaf.jpg"]);
        AssertOneMessage(Filter(folder.Path, mode, "--out", folder["kept"]).Expect(1), "outside of the dataset's folder");
        Assert.Equal([folder["leaf.jpg"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Captions_beside_the_images_go_along()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["in"]);
        foreach (var name in (string[])["moss", "moss-blur"])
        {
            File.Copy(Path.Combine(Photos, name + ".jpg"), folder[$"in/{name}.jpg"]);
            File.WriteAllText(folder[$"in/{name}.txt"], $"A caption of {name}.");
        }
        PristineCommand.Run("filter", folder["in"], "--keep", "brisque <= 45", "--copy", "--out", folder["out"]).Expect(0);
        Assert.Equal(
            [folder["out/moss.jpg"], folder["out/moss.txt"]], Directory.GetFileSystemEntries(folder["out"]).Order(StringComparer.Ordinal));
        Assert.Equal("A caption of moss.", File.ReadAllText(folder["out/moss.txt"]));
    }

    [Fact]
    public void A_folder_is_no_file_to_write_to()
    {
        using var folder = TestFiles.NewFolder();
        AssertOneMessage(Filter(Dialogs, "--out", folder.Path).Expect(1), "is a folder");
        AssertOneMessage(Filter(Dialogs, "--out", folder["kept"], "--dropped", folder.Path).Expect(1), "is a folder");
        Assert.False(File.Exists(folder["kept"]));
        File.WriteAllText(folder["file"], "");
        AssertOneMessage(Filter(Dialogs, "--out", folder["file/kept"]).Expect(1), folder["file/kept"]);
    }

    [Fact]
    public void The_folders_of_the_outputs_are_made()
    {
        using var folder = TestFiles.NewFolder();
        Filter(Dialogs, "--out", folder["a/b/kept.jsonl"], "--dropped", folder["c/dropped.jsonl"]).Expect(0);
        Assert.True(File.Exists(folder["a/b/kept.jsonl"]));
        Assert.True(File.Exists(folder["c/dropped.jsonl"]));
    }

    [Fact]
    public void The_input_is_not_overwritten_by_either_output()
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(Dialogs, folder["in.jsonl"]);
        AssertOneMessage(Filter(folder["in.jsonl"], "--out", folder["in.jsonl"]).Expect(1), "would overwrite");
        AssertOneMessage(Filter(folder["in.jsonl"], "--out", folder["kept"], "--dropped", folder["in.jsonl"]).Expect(1), "would overwrite");
        Filter(folder["in.jsonl"], "--out", folder["x"], "--dropped", folder["x"]).Expect(2);
        Assert.Equal(File.ReadAllBytes(Dialogs), File.ReadAllBytes(folder["in.jsonl"]));
    }

    [Theory]
    [InlineData("--out", "/dev/full", "--dropped", "x")]
    [InlineData("--out", "x", "--dropped", "/dev/full")]
    public void A_full_disk_ends_with_exit_code_1_and_one_message(params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "Needs /dev/full.");
        using var folder = TestFiles.NewFolder();
        string[] outputs = [.. arguments.Select(argument => argument == "x" ? folder["x"] : argument)];
        AssertOneMessage(PristineCommand.Run(["filter", Captions, "--keep", "width > 0", .. outputs]).Expect(1), "No space left on device");
        // It is still the device.
        Assert.Throws<IOException>(() => File.WriteAllText("/dev/full", "x"));
        Assert.False(File.Exists("/dev/full.partial"));
    }

    [Fact]
    public void Scores_that_cannot_be_written_end_with_exit_code_1()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "Needs /dev/full.");
        AssertOneMessage(PristineCommand.Shell($"{PristineCommand.InShell} score {Photos} --format jsonl > /dev/full", TestFiles.Root)
            .Expect(1), "No space left on device");
    }

    [Fact]
    public void Nobody_has_to_read_the_kept_items()
    {
        using var folder = TestFiles.NewFolder();
        Filter(Dialogs, "--out", "/dev/null", "--dropped", folder["dropped.jsonl"]).Expect(0);
        Assert.NotEmpty(File.ReadAllLines(folder["dropped.jsonl"]));
        Assert.Empty(File.ReadAllBytes("/dev/null"));
    }

    [Fact]
    public void Ctrl_C_leaves_no_output_under_its_name_and_the_scores_to_go_on_from()
    {
        PristineCommand.RequireCtrlC();
        using var folder = TestFiles.NewFolder();
        const int items = 10_000;
        File.WriteAllText(
            folder["in.json"],
            $"[{string.Join(",\n", Enumerable.Range(0, items).Select(i => $$"""{"id":{{i}},"image":"{{(i % 2 == 0 ? "leaf" : "no such")}}.jpg"}"""))}]");
        string[] command = [
            "filter", folder["in.json"], "--image-root", Photos, "--keep", "brisque <= 100", "--out", folder["kept.json"], "--dropped",
            folder["dropped.jsonl"], "--scores", folder["scores"]];
        var process = PristineCommand.Start(command, folder.Path);
        // The opened output shows that the run is about its items.
        while (!process.HasExited && !File.Exists(folder["dropped.jsonl.partial"]))
            Thread.Sleep(20);
        Thread.Sleep(300);
        PristineCommand.SendCtrlC(process);
        var result = PristineCommand.Finish(process, null).Expect(130);
        Assert.Contains($"--scores {folder["scores"]} goes on", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["kept.json"]));
        Assert.False(File.Exists(folder["dropped.jsonl"]));

        PristineCommand.Run(command, folder.Path).Expect(0);
        using var kept = JsonDocument.Parse(File.ReadAllBytes(folder["kept.json"]));
        Assert.Equal(Enumerable.Range(0, items).Where(i => i % 2 == 0), kept.RootElement.EnumerateArray()
            .Select(item => item.GetProperty("id").GetInt32()));
        Assert.Equal(
            Enumerable.Range(0, items).Where(i => i % 2 == 1),
            File.ReadLines(folder["dropped.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("index").GetInt32()));
    }
}
