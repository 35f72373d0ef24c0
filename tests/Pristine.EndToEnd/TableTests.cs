using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class TableTests(TableTests.LeafTable leaf) : IClassFixture<TableTests.LeafTable>
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");
    private static readonly string Captions = TestFiles.InRepository("samples", "captions.json");

    [Fact]
    public void Selecting_is_the_same_bytes_on_one_worker_and_on_two_and_as_filtering()
    {
        using var folder = TestFiles.NewFolder();
        string[] rules = ["--keep", "brisque <= 54", "--keep", "brightness >= 0.1"];
        PristineCommand.Run(
            ["filter", Captions, .. rules, "--out", folder["filtered.json"], "--dropped", folder["filtered.jsonl"]], folder.Path).Expect(0);
        PristineCommand.Run("score", Captions, "--out", folder["table"], "--metrics", "brisque,brightness").Expect(0);
        foreach (var workers in (string[])["1", "2"])
        {
            var result = PristineCommand.Run(
                ["select", folder["table"], .. rules, "--out", folder[$"kept{workers}.json"], "--dropped",
                    folder[$"dropped{workers}.jsonl"], "--ledger", folder[$"all{workers}.parquet"], "--workers", workers],
                folder.Path).Expect(0);
            Assert.Empty(result.Output);
        }
        Assert.Equal(File.ReadAllBytes(folder["kept1.json"]), File.ReadAllBytes(folder["kept2.json"]));
        Assert.Equal(File.ReadAllBytes(folder["all1.parquet"]), File.ReadAllBytes(folder["all2.parquet"]));
        Assert.Equal(File.ReadAllBytes(folder["filtered.json"]), File.ReadAllBytes(folder["kept1.json"]));
        Assert.Equal(File.ReadAllBytes(folder["filtered.jsonl"]), File.ReadAllBytes(folder["dropped2.jsonl"]));

        PristineCommand.Run("restore", folder["dropped1.jsonl"], "--out", folder["restored.json"]).Expect(0);
        Assert.Equal(File.ReadAllBytes(Captions), File.ReadAllBytes(folder["restored.json"]));
        var same = PristineCommand.Run("diff", folder["dropped1.jsonl"], folder["all2.parquet"]).Expect(0);
        Assert.Contains("           0  kept by", same.Output, StringComparison.Ordinal);
        var why = PristineCommand.Run("why", "moss-blur", folder["dropped1.jsonl"]).Expect(0);
        Assert.Contains("FAILS    brisque <= 54", why.Output, StringComparison.Ordinal);
        Assert.Contains("holds    brightness >= 0.1", why.Output, StringComparison.Ordinal);
        Assert.Contains("<- decides", why.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ledger_whose_scores_were_not_kept_says_how_to_keep_them()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            "filter", TestFiles.InRepository("samples", "photos", "leaf.jpg"), "--keep", "width < 10", "--dropped",
            folder["dropped.jsonl"], "--out", folder["kept.txt"]).Expect(0);
        foreach (var arguments in (string[][])[["why", "leaf.jpg", folder["dropped.jsonl"]],
            ["restore", folder["dropped.jsonl"], "--out", folder["restored.txt"]]])
            Assert.StartsWith(
                $"pristine: The score table that the ledger {folder["dropped.jsonl"]} comes from is gone; expected it in ",
                PristineCommand.Run(arguments).Expect(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_on_stdin_is_kept_so_that_its_selection_can_be_exported()
    {
        using var folder = TestFiles.NewFolder();
        var list = "samples/photos/leaf.jpg\nsamples/photos/moss-blur.jpg\n"u8.ToArray();
        PristineCommand.Run(["score", "-", "--out", folder["table"]], TestFiles.Root, list).Expect(0);
        PristineCommand.Run(["select", folder["table"], "--keep", "brisque <= 54", "--out", folder["kept.txt"]], TestFiles.Root).Expect(0);
        Assert.Equal("samples/photos/leaf.jpg\n", File.ReadAllText(folder["kept.txt"]));
    }

    [Fact]
    [Trait("kind", "long")]
    public void Ctrl_C_keeps_what_was_scored_and_the_same_command_goes_on()
    {
        PristineCommand.RequireCtrlC();
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        for (var i = 0; i < 3000; i++)
            File.CreateSymbolicLink(folder[$"images/{i:0000}.jpg"], Path.Combine(Photos, "leaf.jpg"));
        var process = PristineCommand.Start(["score", folder["images"], "--out", folder["table"], "--part-seconds", "0.1"], folder.Path);
        while (!Directory.Exists(folder["table"]) || Directory.GetFiles(folder["table"], "*.parquet").Length == 0)
            Thread.Sleep(20);
        PristineCommand.SendCtrlC(process);
        var result = PristineCommand.Finish(process, null).Expect(130);
        Assert.Contains("the same command goes on", result.Error, StringComparison.Ordinal);
        var stopped = PristineCommand.Run("select", folder["table"], "--keep", "width > 0").Expect(0);
        Assert.Contains("is not complete", stopped.Error, StringComparison.Ordinal);
        var rest = PristineCommand.Run("score", folder["images"], "--out", folder["table"]).Expect(0);
        Assert.DoesNotContain(" 0 already in the table", rest.Error, StringComparison.Ordinal);
        Assert.Contains(
            "3,000", PristineCommand.Run("select", folder["table"], "--keep", "width > 0").Expect(0).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("read_csv('/etc/passwd') = 1")]
    [InlineData("(select count(*) from read_text('/etc/passwd')) > 0")]
    [InlineData("1 = 1; copy rows to '/tmp/pristine-must-not-exist.csv'")]
    [InlineData("attach '/tmp/x.db'")]
    [InlineData("install httpfs")]
    [InlineData("brisque < 1) or (1 = 1")]
    public void A_rule_can_only_read_the_table(string rule)
    {
        var result = PristineCommand.Run("select", leaf.Path, "--keep", rule).Expect(2);
        Assert.Contains("In the rule", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists("/tmp/pristine-must-not-exist.csv"));
    }

    [Fact]
    public void Exports_in_every_format_hold_every_row()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("score", Captions, "--out", folder["table"]).Expect(0);
        foreach (var format in (string[])["parquet", "csv", "jsonl"])
            Assert.Contains("39 rows", PristineCommand.Run("export", folder["table"], "--format", format, "--out", folder[$"all.{format}"])
                .Expect(0).Error, StringComparison.Ordinal);
        var rows = File.ReadLines(folder["all.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(Enumerable.Range(0, 39), rows.Select(row => row.GetProperty("key").GetInt32()));
        Assert.Equal(40, File.ReadLines(folder["all.csv"]).Count());
    }

    /// <summary>A table of one photograph, for tests that only read it.</summary>
    public sealed class LeafTable : IDisposable
    {
        private readonly TemporaryFolder _folder = TestFiles.NewFolder();

        /// <summary>Scores it.</summary>
        public LeafTable() => PristineCommand.Run("score", System.IO.Path.Combine(Photos, "leaf.jpg"), "--out", Path).Expect(0);

        /// <summary>The table.</summary>
        public string Path => _folder["table"];

        /// <inheritdoc/>
        public void Dispose() => _folder.Dispose();
    }
}
