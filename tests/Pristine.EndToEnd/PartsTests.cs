using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>Processes that share a table by parts, as a user starts them.</summary>
public class PartsTests
{
    private const int Count = 600;

    [Theory, Trait("kind", "long")]
    [InlineData("images")]
    [InlineData("images.jsonl")]
    [InlineData("set-{0..9}.tar")]
    public async Task Two_of_four_processes_are_killed_and_the_table_is_that_of_one(string input)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Makes symbolic links.");
        using var folder = TestFiles.NewFolder();
        Make(input, folder);
        string[] metrics = ["--metrics", "brisque,sharpness"];
        PristineCommand.Run(["score", folder[input], "--out", folder["one"], .. metrics], folder.Path).Expect(0);

        string[] share = [
            "score", folder[input], "--out", folder["many"], "--shard", "auto", "--workers", "1", "--part-seconds", "0.05", .. metrics];
        var (doomed, others) = (Start(2), Start(2));
        var outputs = others.Select(process => Task.Run(() => PristineCommand.Finish(process, null))).ToArray();
        // When two of them have begun a part and rows of one are on the disk, two die: whichever they are.
        while (!(Has(folder["many/leases"], 2) && Has(folder["many/work"], 1)) && !doomed.All(process => process.HasExited))
            Thread.Sleep(5);
        foreach (var process in doomed)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        foreach (var output in outputs)
            (await output).Expect(0);

        System.Diagnostics.Process[] Start(int count) =>
            [.. Enumerable.Range(0, count).Select(_ => PristineCommand.Start(share, folder.Path))];

        PristineCommand.Run("merge", folder["many"], "--out", folder["merged"]).Expect(0);
        PristineCommand.Run("merge", folder["one"], "--out", folder["whole"]).Expect(0);
        var (merged, whole) = (Files(folder["merged"]), Files(folder["whole"]));
        Assert.Equal(whole.Keys.Order(StringComparer.Ordinal), merged.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, content) in whole)
            Assert.True(content.AsSpan().SequenceEqual(merged[name]), $"{name} differs.");
        // Selecting reads the parts as they lie, too.
        string[] Kept(string table)
        {
            PristineCommand.Run("select", folder[table], "--keep", "brisque <= 40", "--ledger", folder[$"{table}.csv"]).Expect(0);
            return File.ReadAllLines(folder[$"{table}.csv"]);
        }
        Assert.Equal(Kept("one"), Kept("many"));
    }

    [Fact]
    public void Parts_that_are_missing_are_named_and_mistakes_are_told()
    {
        using var folder = TestFiles.NewFolder();
        Make("set-{0..9}.tar", folder, 20);
        string[] score = ["score", folder["set-{0..9}.tar"], "--out", folder["table"], "--metrics", "brightness"];
        string[] Score(string shard) => [.. score, "--shard", shard];
        Assert.Contains("0 of 10 parts", PristineCommand.Run(Score("plan"), folder.Path).Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains("5 of 10 parts", PristineCommand.Run(Score("0/2"), folder.Path).Expect(0).Error, StringComparison.Ordinal);
        var error = PristineCommand.Run("merge", folder["table"], "--out", folder["merged"]).Expect(1).Error;
        Assert.Contains("5 of 10 parts are missing: 5 (set-5.tar), 6 (set-6.tar)", error, StringComparison.Ordinal);
        Assert.Contains("made in parts", PristineCommand.Run(score, folder.Path).Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("auto or plan", PristineCommand.Run(Score("2/2"), folder.Path).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("10 of 10 parts", PristineCommand.Run(Score("1/2"), folder.Path).Expect(0).Error, StringComparison.Ordinal);
        PristineCommand.Run("merge", folder["table"], "--out", folder["merged.csv"]).Expect(0);
        Assert.Equal(21, File.ReadAllLines(folder["merged.csv"]).Length);
        PristineCommand.Run("compact", folder["table"]).Expect(0);
        Assert.Contains("0 read, 20 already", PristineCommand.Run(score, folder.Path).Expect(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_that_cannot_be_read_is_named_everywhere_and_stops_nothing()
    {
        using var folder = TestFiles.NewFolder();
        Make("set-{0..9}.tar", folder, 20);
        var sound = File.ReadAllBytes(folder["set-4.tar"]);
        File.WriteAllText(folder["set-4.tar"], new string('x', 3000));
        string[] Score(string table, params string[] options) =>
            ["score", folder["set-{0..9}.tar"], "--out", folder[table], "--metrics", "brightness", .. options];
        var plain = PristineCommand.Run(Score("plain"), folder.Path).Expect(1).Error;
        Assert.Contains("18 images in", plain, StringComparison.Ordinal);
        Assert.Contains("pristine: 1 of 10 files", plain, StringComparison.Ordinal);
        var auto = PristineCommand.Run(Score("auto", "--shard", "auto", "--progress", "json"), folder.Path).Expect(1).Error;
        Assert.Contains("9 of 10 parts of", auto, StringComparison.Ordinal);
        Assert.Contains("pristine: 1 of 10 parts could not be read", auto, StringComparison.Ordinal);
        Assert.Contains("{\"state\":\"failed\",\"error\":\"1 of 10 parts could", auto, StringComparison.Ordinal);
        Assert.Contains(
            "(set-4.tar) could not be read", PristineCommand.Run("merge", folder["auto"], "--out", folder["merged"]).Expect(1).Error,
            StringComparison.Ordinal);
        var status = PristineCommand.Run("status", folder["auto"]).Expect(3);
        Assert.Contains("9 of 10 parts are finished", status.Output, StringComparison.Ordinal);
        Assert.Contains("part 4 (set-4.tar) could not be read", status.Error, StringComparison.Ordinal);

        File.WriteAllBytes(folder["set-4.tar"], sound);
        PristineCommand.Run(Score("plain"), folder.Path).Expect(0);
        PristineCommand.Run(Score("auto", "--shard", "auto"), folder.Path).Expect(0);
        // The process that has failed matters no more.
        Assert.Equal("", PristineCommand.Run("status", folder["auto"]).Expect(0).Error);
        PristineCommand.Run("merge", folder["auto"], "--out", folder["auto.csv"]).Expect(0);
        PristineCommand.Run("merge", folder["plain"], "--out", folder["plain.csv"]).Expect(0);
        Assert.Equal(File.ReadAllText(folder["plain.csv"]), File.ReadAllText(folder["auto.csv"]));
    }

    [Fact]
    public void A_filter_of_archives_of_which_one_cannot_be_read_keeps_the_scores_of_the_others()
    {
        using var folder = TestFiles.NewFolder();
        Make("set-{0..9}.tar", folder, 20);
        var sound = File.ReadAllBytes(folder["set-4.tar"]);
        File.WriteAllText(folder["set-4.tar"], new string('x', 3000));
        Directory.CreateDirectory(folder["tmp"]);
        string[] filter = ["filter", folder["set-{0..9}.tar"], "--keep", "brightness >= 0", "--out", folder["kept.tar"]];
        var error = PristineCommand.Run(filter, folder.Path, null, ("TMPDIR", folder["tmp"])).Expect(1).Error;
        Assert.Contains("1 of 10 files", error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["kept.tar"]));
        var scores = error.Split("--scores ")[1].Split(' ')[0];
        File.WriteAllBytes(folder["set-4.tar"], sound);
        PristineCommand.Run([.. filter, "--scores", scores], folder.Path).Expect(0);
        Assert.True(File.Exists(folder["kept.tar"]));
        Assert.Equal(20, PristineCommand.Run("export", scores, "--format", "jsonl", "--out", "-").Expect(0).Lines.Length);
    }

    private static bool Has(string folder, int files) =>
        Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Take(files).Count() == files;

    private static Dictionary<string, byte[]> Files(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllBytes);

    /// <summary>Makes the dataset of an input's name from small photographs, one of which is damaged.</summary>
    private static void Make(string input, TemporaryFolder folder, int count = Count)
    {
        var photos = new DirectoryInfo(TestFiles.InRepository("samples", "photos")).GetFiles()
            .Where(file => file.Length < 50_000).Select(file => file.FullName).Order(StringComparer.Ordinal).ToArray();
        Directory.CreateDirectory(folder["images"]);
        var names = Enumerable.Range(0, count).Select(i => $"{i:0000}.jpg").ToArray();
        if (input == "set-{0..9}.tar")
        {
            for (var archive = 0; archive < 10; archive++)
            {
                using var tar = new System.Formats.Tar.TarWriter(File.Create(folder[$"set-{archive}.tar"]));
                for (var i = archive * count / 10; i < (archive + 1) * count / 10; i++)
                    tar.WriteEntry(photos[i % photos.Length], names[i]);
            }
            return;
        }
        for (var i = 0; i < count; i++)
            File.CreateSymbolicLink(folder[$"images/{names[i]}"], photos[i % photos.Length]);
        if (input == "images.jsonl")
            File.WriteAllLines(folder[input], names.Select(
                (name, i) => $$"""{"image": "images/{{name}}", "caption": "{{i}} {{new string('x', 1500)}}"}"""));
    }
}
