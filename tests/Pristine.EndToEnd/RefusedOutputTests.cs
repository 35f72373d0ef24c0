using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>Every output is checked before any work: what cannot be written, or not as its name says, is refused at once.</summary>
public class RefusedOutputTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    [Fact]
    public void Outputs_are_refused_before_any_work()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["file"], "");
        File.WriteAllText(folder["mos.csv"], "image,mos\nleaf.jpg,1\nmoss.jpg,2\n");
        void Refused(int exitCode, string message, params string[] arguments)
        {
            var result = PristineCommand.Run(arguments).Expect(exitCode);
            Assert.Contains(message, result.Error, StringComparison.Ordinal);
            // Nothing was scored before.
            Assert.DoesNotContain("images", result.Error.Replace("kept images", "", StringComparison.Ordinal)
                .Replace("the images", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Empty(result.Output);
        }

        Refused(2, "--copy, --link or --hardlink put the images into a folder", "filter", Photos, "--keep", "width > 0", "--out",
            folder["good2/"]);
        Refused(2, "ends in .txt", "filter", Photos, "--keep", "width > 0", "--out", folder["kept.zip"]);
        foreach (var (option, name) in ((string, string)[])[("--dropped", "d.jpg"), ("--dropped", "d.zip"), ("--ledger", "d.parquet.gz")])
            Refused(2, "Expected a name that ends in", "filter", Photos, "--keep", "width > 0", option, folder[name]);
        Refused(2, "Expected a name that ends in .json", "check", Photos, "--format", "json", "--out", folder["found.txt"]);
        Refused(2, "--shard: expected with --out", "score", Photos, "--shard", "0/2");
        Refused(2, "--moved: expected with --out", "score", Photos, "--moved");
        Refused(2, "a place of its own", "filter", Photos, "--keep", "width > 0", "--out", folder["x"], "--ledger", folder["../"
            + Path.GetFileName(folder.Path) + "/x"]);
        Refused(2, "--format: rows on stdout", "score", Photos, "--out", folder["scores"], "--format", "csv");
        Refused(1, "file", "score", Photos, "--out", folder["file"]);
        Refused(1, "is a file", "bench", "--images", Photos, "--mos", folder["mos.csv"], "--out", folder["file"]);
        Refused(1, "is a folder", "fit", "--images", Photos, "--mos", folder["mos.csv"], "--out", folder["head/"], "--name", "x");
        Refused(1, "is a file", "fit", "brisque", "--images", Photos, "--mos", folder["mos.csv"], "--out", folder["file"]);
        Assert.Equal(["file", "mos.csv"], Directory.GetFileSystemEntries(folder.Path).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_score_table_is_an_input_whose_files_are_no_outputs()
    {
        using var folder = TestFiles.NewFolder();
        var table = folder["scores"];
        PristineCommand.Run("score", Photos, "--out", table, "--metrics", "width,phash").Expect(0);
        var before = Directory.GetFiles(table).ToDictionary(file => file, File.ReadAllBytes);
        foreach (var name in (string[])["scores.json", "part-0000-000000.parquet", "part-0009-000000.parquet"])
        {
            var file = Path.Combine(table, name);
            var format = name == "scores.json" ? "json" : "parquet";
            List<string[]> commands =
            [
                ["select", table, "--keep", "width > 0", "--ledger", file], ["duplicates", table, "--out", file],
                .. format == "json" ? (string[][])[["check", table, "--format", "json", "--out", file]]
                    : [["export", table, "--format", "parquet", "--out", file], ["merge", table, "--out", file]],
            ];
            foreach (var command in commands)
                Assert.Contains(
                    $"is a file of the score table '{table}'", PristineCommand.Run(command).Expect(1).Error, StringComparison.Ordinal);
        }
        Assert.Equal(before.Keys.Order(), Directory.GetFiles(table).Order());
        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllBytes(file.Key)));
        PristineCommand.Run("report", table, "--out", folder["report.csv"]).Expect(2);
        // Beside them there may be others.
        PristineCommand.Run("select", table, "--keep", "width > 0", "--out", Path.Combine(table, "kept.txt")).Expect(0);
    }

    [Fact]
    public void A_path_with_a_NUL_is_a_row_and_ends_nothing()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(
            folder["data.jsonl"],
            [
                $$"""{"id": "good", "image": "{{Path.Combine(TestFiles.Root, Photos, "leaf.jpg")}}"}""",
                """{"id": "bad", "image": "a\u0000b.jpg"}""",
            ]);
        PristineCommand.Run(
            "filter", folder["data.jsonl"], "--keep", "width > 0", "--out", folder["kept.jsonl"], "--ledger", folder["ledger.jsonl"])
            .Expect(0);
        Assert.Contains("good", File.ReadAllText(folder["kept.jsonl"]), StringComparison.Ordinal);
        Assert.Contains("the path has a NUL character", File.ReadAllText(folder["ledger.jsonl"]), StringComparison.Ordinal);
        Assert.Contains(
            "2 images, 2 texts, 1 with an issue",
            PristineCommand.Run("check", folder["data.jsonl"], "--issues", "unreadable").Expect(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_that_is_only_planned_does_not_hide_others()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("score", Photos, "--out", folder["whole"], "--metrics", "width").Expect(0);
        PristineCommand.Run("score", Photos, "--out", folder["planned"], "--metrics", "width", "--shard", "plan").Expect(0);
        var told = PristineCommand.Run("status", folder["planned"], folder["whole"]).Expect(0).Output;
        Assert.Contains("0 of 1 parts are finished", told, StringComparison.Ordinal);
        Assert.Contains("37", told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_is_exported_under_names_of_its_format_into_folders_that_are_made()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("score", Photos, "--out", folder["scores"], "--metrics", "width").Expect(0);
        Assert.Contains("Expected a name that ends in .csv for a table as csv", PristineCommand.Run(
            "export", folder["scores"], "--format", "csv", "--out", folder["x.parquet"]).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("is a folder", PristineCommand.Run("export", folder["scores"], "--format", "csv", "--out", folder["new/"])
            .Expect(1).Error, StringComparison.Ordinal);
        PristineCommand.Run("export", folder["scores"], "--format", "csv", "--out", folder["new/scores.csv"]).Expect(0);
        Assert.Equal(File.ReadAllBytes(folder["new/scores.csv"]), PristineCommand.Run(
            "export", folder["scores"], "--format", "csv", "--out", "-").Expect(0).OutputBytes);

        PristineCommand.Run(
            "select", folder["scores"], "--keep", "width > 400", "--out", folder["kept.txt"], "--ledger", folder["ledger.jsonl"]).Expect(0);
        var name = File.ReadAllLines(folder["kept.txt"])[0];
        Assert.Contains("KEPT", PristineCommand.Run("why", name, folder["ledger.jsonl"]).Expect(0).Output, StringComparison.Ordinal);
        Assert.Contains(
            "Nearest: leaf.jpg", PristineCommand.Run("why", "leav.jpg", folder["ledger.jsonl"]).Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("found 'nobody'", PristineCommand.Run(
            "restore", folder["ledger.jsonl"], "--id", "nobody", "--out", folder["all.txt"]).Expect(2).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["all.txt"]));
    }
}
