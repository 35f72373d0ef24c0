using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class DuplicateTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    /// <summary>The photographs of the samples that have a copy: boats.jpg and boats-noise.jpg.</summary>
    private static readonly string[] Copies =
        [.. Directory.GetFiles(Photos).Select(file => Path.GetFileNameWithoutExtension(file))
        .Where(name => name.Contains('-', StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Filter_keeps_the_better_one_of_near_duplicates()
    {
        using var folder = TestFiles.NewFolder();
        var run = PristineCommand.Run(
            "filter", Photos, "--dedup", "near", "--keep-best", "brisque", "--out", folder["kept.txt"], "--dropped",
            folder["dropped.jsonl"], "--scores", folder["scores"]).Expect(0);
        Assert.Contains("near duplicates within 4 bits, best by brisque", run.Error, StringComparison.Ordinal);
        var dropped = File.ReadLines(folder["dropped.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("status").GetString() == "ok").ToArray();
        Assert.Equal(Copies.Length, dropped.Length);
        foreach (var line in dropped)
        {
            var (id, reason) = (line.GetProperty("id").GetString()!, line.GetProperty("reason").GetString()!);
            Assert.StartsWith($"near duplicate of {id.Split('-', '.')[0]}", reason, StringComparison.Ordinal);
            Assert.True(line.GetProperty("margin").GetDouble() > 0, reason);
        }
        var best = dropped.Single(line => line.GetProperty("id").GetString() == "drum-lowres.jpg");
        Assert.StartsWith("near duplicate of drum.jpg (distance ", best.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Contains("near duplicate of drum.jpg", PristineCommand.Run("why", "drum-lowres.jpg", folder["dropped.jsonl"])
            .Expect(0).Output, StringComparison.Ordinal);

        // What a copy of one selects from the table is the same, and no copy of bytes is there.
        PristineCommand.Run("select", folder["scores"], "--dedup", "near", "--keep-best", "brisque", "--out", folder["again.txt"])
            .Expect(0);
        Assert.Equal(File.ReadAllBytes(folder["kept.txt"]), File.ReadAllBytes(folder["again.txt"]));
        Assert.DoesNotContain(
            "duplicates", PristineCommand.Run("select", folder["scores"], "--dedup", "exact").Expect(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_without_the_hash_says_how_to_add_it()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("score", Photos, "--metrics", "width", "--out", folder["scores"]).Expect(0);
        Assert.Contains("no column 'phash'; 'pristine score INPUT --out TABLE --metrics ...' adds it", PristineCommand.Run(
            "select", folder["scores"], "--dedup", "near").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("expected --dedup", PristineCommand.Run("select", folder["scores"], "--keep-best", "width")
            .Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("Expected exact, near", PristineCommand.Run("select", folder["scores"], "--dedup", "nearly")
            .Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("no number", PristineCommand.Run("bench", "--images", Photos, "--mos", TestFiles.InRepository(
            "samples", "labels.csv"), "--metrics", "phash").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Duplicates_are_listed_group_by_group_and_written_as_columns()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["photos"]);
        foreach (var (name, copy) in new[] { ("boats.jpg", "a.jpg"), ("boats-noise.jpg", "b.jpg"), ("boats.jpg", "c.jpg"),
            ("drum.jpg", "d.jpg"), ("drum-lowres.jpg", "e.jpg"), ("storm.jpg", "f.jpg") })
            File.Copy(Path.Combine(Photos, name), folder[$"photos/{copy}"]);
        File.WriteAllText(folder["photos/g.jpg"], "no image");
        PristineCommand.Run("score", folder["photos"], "--metrics", "width", "--out", folder["scores"]).Expect(0);
        var exact = PristineCommand.Run("duplicates", folder["scores"]).Expect(0);
        Assert.Equal(["a.jpg", "c.jpg"], exact.Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()));
        Assert.Contains("no column phash, so only equal files", exact.Error, StringComparison.Ordinal);
        PristineCommand.Run("score", folder["photos"], "--metrics", "phash", "--out", folder["scores"]).Expect(0);
        var near = PristineCommand.Run("duplicates", folder["scores"], "--out", folder["columns.csv"]).Expect(0);
        Assert.Equal(
            ["1 3 a.jpg", "1 3 b.jpg", "1 3 c.jpg", "2 2 d.jpg", "2 2 e.jpg"],
            near.Lines.Select(line => JsonDocument.Parse(line).RootElement)
                .Select(line => $"{line.GetProperty("group")} {line.GetProperty("copies")} {line.GetProperty("id").GetString()}"));
        Assert.Contains("7 images: 3 near duplicates within 4 bits of others, in 2 groups", near.Error, StringComparison.Ordinal);
        Assert.Equal(
            ["copies", "3", "3", "3", "2", "2", "1", "1"], File.ReadLines(folder["columns.csv"]).Select(line => line.Split(',')[^1]));
        var provenance = JsonDocument.Parse(File.ReadAllText(folder["columns.csv.duplicates.json"])).RootElement;
        Assert.Equal(("near:4", "phash", 2), (provenance.GetProperty("method").GetString(), provenance.GetProperty("column")
            .GetString(), provenance.GetProperty("groups").GetInt32()));
        var table = PristineCommand.Run("duplicates", folder["scores"], "--by", "exact", "--format", "table").Expect(0);
        Assert.Equal("2 copies", table.Lines[0]);
        Assert.EndsWith("  a.jpg", table.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_images_of_a_test_set_in_a_training_set_are_listed_and_taken_out()
    {
        using var folder = TestFiles.NewFolder();
        void Put(string photo, string copy) => File.Copy(Path.Combine(Photos, photo), folder[copy]);
        Directory.CreateDirectory(folder["train"]);
        Directory.CreateDirectory(folder["test"]);
        Put("boats.jpg", "train/1.jpg");
        Put("drum.jpg", "train/2.jpg");
        Put("storm.jpg", "train/3.jpg");
        Put("boats.jpg", "train/4.jpg");
        Put("boats.jpg", "test/a.jpg");
        Put("drum-lowres.jpg", "test/b.jpg");
        Put("dune.jpg", "test/c.jpg");
        File.WriteAllLines(folder["train.jsonl"], ((int[])[1, 2, 3, 4])
            .Select(i => $$"""{"id": {{i}}, "image": "train/{{i}}.jpg", "note": "n  {{i}}"}"""));

        var run = PristineCommand.Run("overlap", folder["train.jsonl"], folder["test"], "--out", folder["clean.jsonl"]).Expect(0);
        var lines = run.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(["a.jpg 1 exact 2", "b.jpg 2 near 1"], lines.Select(line =>
            $"{line.GetProperty("id").GetString()} {line.GetProperty("train_id").GetString()} {line.GetProperty("match").GetString()} " +
            $"{line.GetProperty("train_images")}"));
        Assert.Contains("3 test images: 1 are in", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 more within 4 bits", run.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllLines(folder["train.jsonl"])[2..3], File.ReadAllLines(folder["clean.jsonl"]));

        // Tables give the same, and more than is allowed is an exit code.
        PristineCommand.Run("score", folder["train.jsonl"], "--metrics", "phash", "--out", folder["t"]).Expect(0);
        PristineCommand.Run("score", folder["test"], "--metrics", "phash", "--out", folder["e"]).Expect(0);
        Assert.Equal(run.Output, PristineCommand.Run("overlap", folder["t"], folder["e"], "--max-overlap", "2").Expect(0).Output);
        var exact = PristineCommand.Run("overlap", folder["t"], folder["e"], "--by", "exact", "--max-overlap", "0", "--format", "table")
            .Expect(3);
        Assert.Equal("same bytes  a.jpg  =  train/1.jpg and 1 more", Assert.Single(exact.Lines));
        PristineCommand.Run("overlap", folder["e"], folder["t"], "--by", "exact", "--out", folder["rest.txt"]).Expect(0);
        Assert.Equal(["b.jpg", "c.jpg"], File.ReadAllLines(folder["rest.txt"]).Select(line => Path.GetFileName(line)!));
    }
}
