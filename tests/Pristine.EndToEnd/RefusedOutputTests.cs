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
        Refused(1, "ends in .txt", "filter", Photos, "--keep", "width > 0", "--out", folder["kept.zip"]);
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
