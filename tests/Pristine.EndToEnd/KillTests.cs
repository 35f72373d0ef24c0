using System.Globalization;
using System.IO.Compression;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// Runs that are killed at random moments, over each format: what the last one leaves is what an undisturbed run leaves.
/// </summary>
public class KillTests
{
    private const int Count = 200;

    // Every image, also those that cannot be decoded.
    private static readonly string[] Everything = ["--keep", "status = 'ok' or status <> 'ok'"];

    /// <summary>
    /// The inputs to try, for a long version that is to try some: PRISTINE_KILL_INPUTS=images,images.tar; all by default.
    /// </summary>
    private static readonly string[]? Inputs = Environment.GetEnvironmentVariable("PRISTINE_KILL_INPUTS")?.Split(',');

    /// <summary>Kills per format, half of scoring and half of exporting; PRISTINE_KILLS=50 for the long version.</summary>
    private static readonly int Kills =
        int.Parse(Environment.GetEnvironmentVariable("PRISTINE_KILLS") ?? "6", CultureInfo.InvariantCulture);

    [Theory, Trait("kind", "long")]
    [InlineData("images", "kept.txt")]
    [InlineData("images", "kept.parquet")]
    [InlineData("images", "copied", "--copy")]
    [InlineData("images.txt", "kept.csv")]
    [InlineData("images.json", "kept.json")]
    [InlineData("images.jsonl", "kept.jsonl")]
    [InlineData("images.jsonl.gz", "kept.jsonl.gz")]
    [InlineData("images.jsonl.zst", "kept.jsonl.zst")]
    [InlineData("images.jsonl", "copied", "--copy")]
    [InlineData("images.csv", "kept.csv")]
    [InlineData("coco.json", "kept.json")]
    [InlineData("images.tar", "kept.tar")]
    [InlineData("images.tar.gz", "kept-{000..}.tar.gz")]
    [InlineData("images.parquet", "kept.parquet")]
    [InlineData("images.zip", "kept.tar.zst")]
    [InlineData("hugging", "copied", "--copy")]
    public void A_run_that_is_killed_again_and_again_leaves_what_an_undisturbed_one_does(string input, string output, string? option = null)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Makes symbolic links.");
        Assert.SkipWhen(Inputs?.Contains(input) == false, "PRISTINE_KILL_INPUTS does not name it.");
        using var folder = TestFiles.NewFolder();
        Make(input, folder);
        var random = new Random(1);
        var landed = 0;

        string[] Score(string table, string metrics) =>
            ["score", folder[input], "--out", folder[table], "--metrics", metrics, "--part-seconds", "0.02"];
        PristineCommand.Run(Score("whole", "brisque"), folder.Path).Expect(0);
        PristineCommand.Run(Score("whole", "brisque,sharpness"), folder.Path).Expect(0);
        for (var i = 0; i < Kills / 2; i++)
        {
            // The second half interrupts the adding of a column, to a table that may still lack rows.
            var metrics = i < Kills / 4 ? "brisque" : "brisque,sharpness";
            landed += Kill(Score("killed", metrics), folder["killed"], random, folder.Path);
        }
        PristineCommand.Run(Score("killed", "brisque,sharpness"), folder.Path).Expect(0);
        foreach (var table in (string[])["whole", "killed"])
            PristineCommand.Run("export", folder[table], "--format", "jsonl", "--out", folder[$"{table}.jsonl"]).Expect(0);
        Assert.Equal(Count, File.ReadLines(folder["whole.jsonl"]).Count());
        Assert.Equal(File.ReadAllLines(folder["whole.jsonl"]), File.ReadAllLines(folder["killed.jsonl"]));
        Assert.Empty(Directory.GetFiles(folder["killed"], "*.partial"));

        // What is kept has its name only when it is whole.
        string[] Select(string table, string place) =>
            ["select", folder[table], "--keep", "brisque <= 40", "--out", folder[$"{place}/{output}"],
                "--dropped", folder[$"{place}/dropped.parquet"], .. option == null ? [] : (string[])[option]];
        PristineCommand.Run(Select("whole", "expected"), folder.Path).Expect(0);
        var expected = Files(folder["expected"]);
        for (var i = 0; i < Kills / 2; i++)
        {
            landed += Kill(Select("killed", "out"), folder["out"], random, folder.Path);
            foreach (var (name, content) in Directory.Exists(folder["out"]) ? Files(folder["out"]) : [])
                if (!name.EndsWith(".partial", StringComparison.Ordinal))
                    Assert.True(content.AsSpan().SequenceEqual(expected[name]), $"{name} is not whole after a kill.");
        }
        PristineCommand.Run(Select("killed", "out"), folder.Path).Expect(0);
        var found = Files(folder["out"]);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), found.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, content) in found)
            Assert.True(content.AsSpan().SequenceEqual(expected[name]), $"{name} differs.");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{input} -> {output}: {landed} of {Kills / 2 * 2} runs were killed before they ended");
    }

    [Fact, Trait("kind", "long")]
    public void What_a_killed_run_had_for_a_while_goes_with_the_next_run()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Makes symbolic links.");
        using var folder = TestFiles.NewFolder();
        Make("images.txt", folder);
        var temporary = folder["tmp"];
        Directory.CreateDirectory(temporary);
        string[] filter = ["filter", folder["images.txt"], "--keep", "brisque <= 40", "--out", folder["kept.txt"]];
        string[] Left() => Directory.GetDirectories(temporary, "pristine-*");
        using (var process = PristineCommand.Start(filter, folder.Path, ("TMPDIR", temporary)))
        {
            while (!process.HasExited && !Left().Any(path => Directory.EnumerateFileSystemEntries(path).Any()))
                Thread.Sleep(1);
            process.Kill();
            process.WaitForExit();
        }
        PristineCommand.Run(filter, folder.Path, environment: ("TMPDIR", temporary)).Expect(0);
        Assert.Empty(Left());
    }

    /// <summary>Kills a run: half of the times at any moment, else soon after it has written something.</summary>
    /// <returns>1 where it had not ended by itself.</returns>
    private static int Kill(string[] arguments, string written, Random random, string folder)
    {
        var before = Sign(written);
        using var process = PristineCommand.Start(arguments, folder);
        if (random.Next(2) == 0)
            Thread.Sleep(random.Next(50, 800));
        else
        {
            while (!process.HasExited && Sign(written) == before)
                Thread.Sleep(1);
            Thread.Sleep(random.Next(0, 60));
        }
        var landed = process.HasExited ? 0 : 1;
        process.Kill();
        process.WaitForExit();
        return landed;
    }

    /// <summary>What changes when a run writes a file.</summary>
    private static string Sign(string folder) => !Directory.Exists(folder) ? "" : string.Join(
        '\n', new DirectoryInfo(folder).EnumerateFiles().Where(file => file.Name[0] != '.').Select(file => file.Name).Order());

    private static Dictionary<string, byte[]> Files(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Where(file => !file.EndsWith(".selection.json", StringComparison.Ordinal))
        .ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllBytes);

    /// <summary>Makes the dataset of an input's name from small photographs, one of which is damaged.</summary>
    internal static void Make(string input, TemporaryFolder folder)
    {
        var photos = new DirectoryInfo(TestFiles.InRepository("samples", "photos")).GetFiles()
            .Where(file => file.Length < 50_000).Select(file => file.FullName).Order(StringComparer.Ordinal).ToArray();
        var images = input == "hugging" ? "hugging/train" : "images";
        Directory.CreateDirectory(folder[images]);
        var names = Enumerable.Range(0, Count).Select(i => $"{i:0000}.jpg").ToArray();
        for (var i = 0; i < Count; i++)
            File.CreateSymbolicLink(folder[$"{images}/{names[i]}"], photos[i % photos.Length]);
        var records = names.Select((name, i) => $$"""{"id": {{i}}, "image": "images/{{name}}", "text": "a caption of {{i}}"}""").ToArray();
        switch (input)
        {
            case "images.txt":
                File.WriteAllLines(folder[input], names.Select(name => $"images/{name}"));
                break;
            case "images.json":
                File.WriteAllText(folder[input], $"[\n  {string.Join(",\n  ", records)}\n]\n");
                break;
            case "images.csv":
                File.WriteAllLines(
                    folder[input], names.Select((name, i) => $"images/{name},\"number {i}, of many\"").Prepend("image,caption"));
                break;
            case "coco.json":
                var list = string.Join(", ", names.Select((name, i) => $$"""{"id": {{i}}, "file_name": "images/{{name}}"}"""));
                var boxes = string.Join(", ", Enumerable.Range(0, 3 * Count)
                    .Select(i => $$"""{"id": {{i}}, "image_id": {{i % Count}}, "bbox": [0, 0, 8, 8]}"""));
                File.WriteAllText(folder[input], $$"""{"info": {}, "images": [{{list}}], "annotations": [{{boxes}}]}""");
                break;
            case "hugging":
                File.WriteAllLines(folder["hugging/train/metadata.jsonl"], names.Select(name => $$"""{"file_name": "{{name}}"}"""));
                break;
            case "images.zip":
                using (var zip = ZipFile.Open(folder[input], ZipArchiveMode.Create))
                    foreach (var name in names)
                        zip.CreateEntryFromFile(folder[$"{images}/{name}"], name, CompressionLevel.NoCompression);
                break;
            case not "images":
                // The rest is made of the records, by the program itself: archives of samples, Parquet of these, compressed lines.
                File.WriteAllLines(folder["images.jsonl"], records);
                var steps = input switch
                {
                    "images.jsonl" => [],
                    "images.tar.gz" or "images.parquet" => ["images.tar", input],
                    _ => (string[])[input],
                };
                foreach (var (from, to) in steps.Prepend("images.jsonl").Zip(steps))
                    PristineCommand.Run(["filter", folder[from], .. Everything, "--out", folder[to]], folder.Path).Expect(0);
                break;
        }
    }
}
