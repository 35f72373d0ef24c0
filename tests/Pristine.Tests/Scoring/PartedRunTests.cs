using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Tests.Scoring;

/// <summary>Tables that several runs make in parts are those that one run makes, byte for byte.</summary>
public sealed class PartedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    private static readonly ScoringOptions Scoring = new()
    {
        Metrics = [MetricCatalog.Get("brightness"), MetricCatalog.Get("contrast")],
        Workers = 2,
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    private static byte[] Image(int seed) => Media.TestImages.Png(4 + (seed % 23), 5 + (seed % 17));

    /// <summary>A dataset with all that may go wrong: records that are none, missing and broken images, texts, several images.</summary>
    private string Make(string format, int items)
    {
        Directory.CreateDirectory(_folder["images/inner"]);
        for (var i = 0; i < items; i++)
            File.WriteAllBytes(_folder[Path(i)], i % 50 == 7 ? "no image"u8.ToArray() : Image(i));
        switch (format)
        {
            case "folder":
                return _folder["images"];
            case "list":
                var prefix = _folder.Path + new string('/', 300);
                File.WriteAllLines(
                    _folder["list.txt"], Enumerable.Range(0, items).Select(i => $"{prefix}{Path(i)}{(i % 9 == 0 ? "\n" : "")}"));
                return _folder["list.txt"];
            case "jsonl":
                File.WriteAllText(_folder["data.jsonl"], Padding + string.Concat(Enumerable.Range(0, items).Select(Record)));
                return _folder["data.jsonl"];
            case "json":
                var records = (Padding + string.Concat(Enumerable.Range(0, items).Select(Record))).ReplaceLineEndings("\n")
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line == "no record" ? "\n 12" : line);
                File.WriteAllText(_folder["data.json"], $"[\n{string.Join(", \n", records)}\n]\n");
                return _folder["data.json"];
            case "csv":
                File.WriteAllText(
                    _folder["data.csv"],
                    "image,caption\n" + string.Concat(Enumerable.Range(0, items).Select(i => i % 11 == 3 ? $"{Path(i)}\n"
                    : i % 13 == 5 ? $"\"{Path(i)}\",\"two\nlines, {Filling(i)}\"\n"
                    : $"{(i % 17 == 1 ? "" : Path(i))},{Filling(i)}\n")));
                return _folder["data.csv"];
            case "tar":
                for (var archive = 0; archive < 9; archive++)
                {
                    using var tar = new System.Formats.Tar.TarWriter(File.Create(_folder[$"set-{archive:00}.tar"]));
                    for (var i = archive * items / 9; i < (archive + 1) * items / 9; i++)
                    {
                        tar.WriteEntry(_folder[Path(i)], $"{i:0000}.png");
                        File.WriteAllText(_folder["caption"], Filling(i));
                        tar.WriteEntry(_folder["caption"], $"{i:0000}.txt");
                    }
                }
                return _folder["set-{00..08}.tar"];
            case "parquet":
                for (var file = 0; file < 3; file++)
                {
                    using var database = Pristine.Native.DuckDbConnection.Open();
                    var rows = Enumerable.Range(file * items / 3, ((file + 1) * items / 3) - (file * items / 3))
                        .Select(i => $"({(i % 21 == 2 ? "NULL" : $"'{Path(i)}'")}, 'c{i}')");
                    database.Execute(
                        $"COPY (SELECT * FROM (VALUES {string.Join(", ", rows)}) t(image, caption)) TO '{_folder[$"p-{file}.parquet"]}' " +
                        $"(FORMAT parquet, ROW_GROUP_SIZE 2048)");
                }
                return _folder["p-{0..2}.parquet"];
            case "jsonl files" or "gz files":
                for (var file = 0; file < 5; file++)
                {
                    var lines = string.Concat(Enumerable.Range(file * items / 5, items / 5).Select(Record)) + "no record either\n";
                    if (format == "gz files")
                    {
                        using var gzip = new System.IO.Compression.GZipStream(
                            File.Create(_folder[$"data-{file}.jsonl.gz"]), System.IO.Compression.CompressionLevel.Fastest);
                        gzip.Write(Encoding.UTF8.GetBytes(lines));
                    }
                    else
                    {
                        // One is divided, and has lines that are no records in its second part.
                        File.WriteAllText(_folder[$"data-{file}.jsonl"], file == 1 ? Padding + lines : lines);
                    }
                }
                return _folder[format == "gz files" ? "data-?.jsonl.gz" : "data-*.jsonl"];
            case "csv files":
                for (var file = 0; file < 4; file++)
                    File.WriteAllText(
                        _folder[$"data-{file}.csv"], "image,caption\n" + string.Concat(Enumerable.Range(file * items / 4, items / 4)
                            .Select(i => i % 11 == 3 ? $"{Path(i)}\n" : $"{Path(i)},{Filling(i)}\n")));
                return _folder["data-{0..3}.csv"];
            case "zip files":
                for (var file = 0; file < 4; file++)
                {
                    Directory.CreateDirectory(_folder[$"zips/{file}"]);
                    using var zip = System.IO.Compression.ZipFile.Open(
                        _folder[$"zips/{file}/images.zip"], System.IO.Compression.ZipArchiveMode.Create);
                    for (var i = file * items / 4; i < (file + 1) * items / 4; i++)
                        System.IO.Compression.ZipFileExtensions.CreateEntryFromFile(zip, _folder[Path(i)], $"{i:0000}.png");
                }
                return _folder["zips/*/images.zip"];
            case "hugging":
                foreach (var split in (string[])["test", "train"])
                {
                    Directory.CreateDirectory(_folder[$"hugging/{split}"]);
                    for (var i = 0; i < items; i++)
                        File.WriteAllBytes(_folder[$"hugging/{split}/{i}.png"], Image(i));
                    File.WriteAllText(_folder[$"hugging/{split}/metadata.jsonl"], string.Concat(Enumerable.Range(0, items).Select(
                        i => i % 10 == 3 ? "no record\n" : $"{{\"file_name\": \"{i}.png\", \"text\": \"{Filling(3 * i)}\"}}\n")));
                }
                return _folder["hugging"];
            default:
                throw new ArgumentException(format);
        }
    }

    private static string Path(int i) => i % 2 == 0 ? $"images/{i:0000}.png" : $"images/inner/{i:0000}.png";

    // Ranges of a file are at least 64 KiB.
    private static string Padding => "{\"id\": \"first\", \"caption\": \"" + new string('x', 90_000) + "\"}\n";

    private static string Filling(int i) => $"caption {i} {new string('y', 500)}";

    private static string Record(int i) => (i % 19) switch
    {
        4 => "no record\n",
        8 => $"{{\"caption\": \"{Filling(i)}\"}}\r\n\n",
        12 => $"{{\"images\": [\"{Path(i)}\", \"{Path(i / 2)}\"], \"caption\": \"{Filling(i)}\"}}\n",
        15 => $"{{\"image\": \"images/absent{i}.png\"}}\n",
        _ => $"{{\"id\": {i}, \"image\": \"{Path(i)}\", \"caption\": \"{Filling(i)}\"}}\n",
    };

    private long Run(string input, string table, Sharding? sharding, ScoreTableOptions? options = null, ScoringOptions? scoring = null) =>
        ScoreTableRun.Score(
            Dataset.Open(input, new DatasetOptions { ImageRoot = input == _folder["hugging"] ? null : _folder.Path }), _folder[table],
            scoring ?? Scoring,
            (options ?? new ScoreTableOptions()) with { Sharding = sharding }, Token).Sum(item => (long)item.ImagesRead);

    private byte[] Exported(ScoreTable table, string format)
    {
        var file = _folder[$"{Guid.NewGuid():N}.{format}"];
        table.Export(file, format);
        return File.ReadAllBytes(file);
    }

    /// <summary>The files of a folder by their names, with their bytes.</summary>
    private Dictionary<string, string> Files(string folder) => Directory.GetFiles(_folder[folder], "*", SearchOption.AllDirectories)
        .Where(file => !System.IO.Path.GetFileName(file).StartsWith('.'))
        .ToDictionary(file => System.IO.Path.GetRelativePath(_folder[folder], file), file => Convert.ToHexString(File.ReadAllBytes(file)));

    [Theory]
    [Trait("kind", "long")]
    [InlineData("folder", 400)]
    [InlineData("list", 400)]
    [InlineData("jsonl", 700)]
    [InlineData("json", 700)]
    [InlineData("csv", 700)]
    [InlineData("tar", 60)]
    [InlineData("parquet", 90)]
    [InlineData("jsonl files", 200)]
    [InlineData("gz files", 60)]
    [InlineData("csv files", 200)]
    [InlineData("zip files", 60)]
    [InlineData("hugging", 200)]
    public void Shards_that_are_merged_are_the_table_of_one_run(string format, int items)
    {
        var input = Make(format, items);
        Run(input, "one", null);
        TableMerge.Write(TableMerge.Open([_folder["one"]]), _folder["whole"], 20_000);
        var whole = Files("whole");
        var one = ScoreTable.Open(_folder["one"]);
        foreach (var shards in new[] { 1, 2, 3, 7 })
        {
            for (var shard = shards - 1; shard >= 0; shard--)
                Run(input, $"in{shards}", Sharding.Of(shard, shards));
            var parted = ScoreTable.Open(_folder[$"in{shards}"]);
            Assert.Null(parted.Incomplete);
            Assert.Equal(Encoding.UTF8.GetString(Exported(one, "jsonl")), Encoding.UTF8.GetString(Exported(parted, "jsonl")));
            Assert.Equal(Exported(one, "parquet"), Exported(TableMerge.Open([_folder[$"in{shards}"]]), "parquet"));
            TableMerge.Write(TableMerge.Open([_folder[$"in{shards}"]]), _folder[$"merged{shards}"], 20_000);
            Assert.Equal(whole, Files($"merged{shards}"));
        }
        Assert.True(TableManifest.Read(_folder["in1"])!.Parts.Count > 2);
        // The merged table goes on like any other: nothing is read again but what was missing.
        Assert.Equal(Run(input, "one", null), Run(input, "merged7", null));
    }

    [Fact]
    public void Another_number_of_shards_goes_on_with_what_is_not_finished()
    {
        var input = Make("jsonl", 700);
        Run(input, "one", null);
        Run(input, "table", Sharding.Of(1, 3));
        var message = Assert.Throws<ScoreTableException>(() => TableMerge.Open([_folder["table"]])).Message;
        Assert.Contains("parts are missing: 0 (0-65536)", message, StringComparison.Ordinal);
        Assert.Contains("parts are not finished", ScoreTable.Open(_folder["table"]).Incomplete, StringComparison.Ordinal);
        var before = Files("table");
        var read = Run(input, "table", Sharding.Of(0, 2)) + Run(input, "table", Sharding.Of(1, 2));
        Assert.True(before.All(file => Files("table")[file.Key] == file.Value));
        Assert.InRange(read, 1, 700);
        Assert.Equal(0, Run(input, "table", Sharding.Auto));
        Assert.Equal(Exported(ScoreTable.Open(_folder["one"]), "jsonl"), Exported(ScoreTable.Open(_folder["table"]), "jsonl"));
    }

    [Fact]
    public void Parts_in_several_folders_are_merged_and_foreign_ones_refused()
    {
        var input = Make("tar", 60);
        Run(input, "one", null);
        Run(input, "a", Sharding.Of(0, 2));
        Run(input, "b", Sharding.Of(1, 2));
        Assert.Equal(
            Exported(ScoreTable.Open(_folder["one"]), "jsonl"), Exported(TableMerge.Open([_folder["a"], _folder["b"]]), "jsonl"));
        Assert.Contains(
            "parts are missing", Assert.Throws<ScoreTableException>(() => TableMerge.Open([_folder["b"]])).Message,
            StringComparison.Ordinal);
        Run(input, "c", Sharding.Of(1, 2), scoring: Scoring with { Metrics = [MetricCatalog.Get("contrast")] });
        Assert.Contains("metrics brightness", Assert.Throws<ScoreTableException>(
            () => TableMerge.Open([_folder["a"], _folder["c"]])).Message, StringComparison.Ordinal);
        Assert.Contains("made by one run", Assert.Throws<ScoreTableException>(
            () => TableMerge.Open([_folder["a"], _folder["one"]])).Message, StringComparison.Ordinal);
        // A marker of other work in the folder.
        File.Copy(Directory.GetFiles(_folder["c/done"])[0], _folder["a/done/000008.json"]);
        Assert.Contains("other work", Assert.Throws<ScoreTableException>(
            () => TableMerge.Open([_folder["a"], _folder["b"]])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_input_or_other_settings_are_refused()
    {
        var input = Make("jsonl", 700);
        Run(input, "table", Sharding.Of(0, 2));
        var manifest = File.ReadAllText(_folder["table/manifest.json"]);
        string Refused(Action run) => Assert.ThrowsAny<PristineException>(run).Message;
        Assert.Contains("found entropy", Refused(() => Run(
            input, "table", Sharding.Of(1, 2), scoring: Scoring with { Metrics = [MetricCatalog.Get("entropy")] })),
            StringComparison.Ordinal);
        Assert.Contains("timeout", Refused(() => Run(
            input, "table", Sharding.Of(1, 2), scoring: Scoring with { Imaging = new() { Timeout = TimeSpan.FromSeconds(7) } })),
            StringComparison.Ordinal);
        File.Copy(input, _folder["other.jsonl"]);
        Assert.Contains("is about", Refused(() => Run(_folder["other.jsonl"], "table", Sharding.Of(1, 2))), StringComparison.Ordinal);
        Assert.Contains("made in parts", Refused(() => Run(input, "table", null)), StringComparison.Ordinal);
        File.AppendAllText(input, Record(1));
        Assert.Contains("to be as it was", Refused(() => Run(input, "table", Sharding.Of(1, 2))), StringComparison.Ordinal);
        Run(_folder["other.jsonl"], "one", null);
        Assert.Contains("made by one run", Refused(() => Run(_folder["other.jsonl"], "one", Sharding.Of(1, 2))), StringComparison.Ordinal);
        Assert.Equal(manifest, File.ReadAllText(_folder["table/manifest.json"]));
    }

    [Fact]
    public void A_part_that_was_left_goes_on_where_its_rows_end()
    {
        var input = Make("tar", 60);
        Run(input, "one", null);
        var options = new ScoreTableOptions { Sharding = Sharding.Auto, RowsPerPart = 2 };
        var seen = ScoreTableRun.Score(Dataset.Open(input), _folder["table"], Scoring, options, Token).Take(9).ToList();
        Assert.Equal(9, seen.Count);
        Assert.NotEmpty(Directory.GetFiles(_folder["table/work"], "part-*", SearchOption.AllDirectories));
        Assert.Equal(60 - 9, Run(input, "table", Sharding.Auto, options));
        Assert.Equal(Exported(ScoreTable.Open(_folder["one"]), "jsonl"), Exported(ScoreTable.Open(_folder["table"]), "jsonl"));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["table/work"]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["table/leases"]));
    }

    [Fact]
    public void A_compacted_table_is_one_table_also_when_the_end_was_cut_off()
    {
        var input = Make("folder", 400);
        Run(input, "one", null);
        Run(input, "table", Sharding.Of(0, 2));
        Assert.Contains(
            "parts are missing", Assert.Throws<ScoreTableException>(() => TableMerge.Compact(_folder["table"])).Message,
            StringComparison.Ordinal);
        Run(input, "table", Sharding.Of(1, 2));
        Assert.Equal(20, TableMerge.Compact(_folder["table"], 20 * 256));
        Assert.Equal(21, Files("table").Count);
        Assert.Equal(Exported(ScoreTable.Open(_folder["one"]), "jsonl"), Exported(ScoreTable.Open(_folder["table"]), "jsonl"));
        Assert.Equal(0, Run(input, "table", null));
        Assert.Equal(1, TableMerge.Compact(_folder["table"]));
        Assert.Equal(Exported(ScoreTable.Open(_folder["one"]), "parquet"), Exported(ScoreTable.Open(_folder["table"]), "parquet"));
    }

    /// <summary>A table may come from anywhere: to open it must not do what a file in it says to files elsewhere.</summary>
    [Theory]
    [InlineData("../victim", "part-0000-000001.parquet")]
    [InlineData("scores.json", "part-0000-000001.parquet")]
    [InlineData("part-1.parquet/../../victim", "part-0000-000001.parquet")]
    [InlineData("link/part-1.parquet", "part-0000-000001.parquet")]
    [InlineData("part-0000-000000.parquet", "../victim")]
    [InlineData("part-0000-000000.parquet", "part-1/../../victim")]
    public void A_table_names_no_files_but_its_own(string old, string made)
    {
        Run(Make("folder", 20), "table", null);
        var before = Exported(ScoreTable.Open(_folder["table"]), "jsonl");
        File.WriteAllText(_folder["victim"], "kept");
        Directory.CreateSymbolicLink(_folder["table/link"], _folder.Path);
        Directory.CreateDirectory(_folder["table/compact"]);
        File.WriteAllText(_folder["table/compact/part-0000-000001.parquet"], "made");
        File.WriteAllText(_folder["table/compact.json"], JsonSerializer.Serialize(new
        {
            table = JsonNode.Parse(File.ReadAllText(_folder["table/scores.json"])),
            old = (string[])[old, old.Replace("..", _folder.Path, StringComparison.Ordinal)],
            @new = (string[])[made],
        }));
        foreach (var open in (Action[])[() => ScoreTable.Open(_folder["table"]), () => TableMerge.Open([_folder["table"]])])
            Assert.Contains("is no file of a table", Assert.Throws<ScoreTableException>(open).Message, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(_folder["victim"]));
        File.Delete(_folder["table/compact.json"]);
        Assert.Equal(before, Exported(ScoreTable.Open(_folder["table"]), "jsonl"));
    }

    [Theory]
    [InlineData("../victim")]
    [InlineData("work/../../victim")]
    [InlineData("link/victim")]
    public void A_finished_part_names_no_file_outside_of_its_table(string name)
    {
        Run(Make("folder", 20), "table", Sharding.Of(0, 1));
        File.WriteAllText(_folder["victim"], "kept");
        Directory.CreateSymbolicLink(_folder["table/link"], _folder.Path);
        var marker = Assert.Single(Directory.GetFiles(_folder["table/done"]));
        var said = JsonNode.Parse(File.ReadAllText(marker))!;
        said["file"] = name;
        File.WriteAllText(marker, said.ToJsonString());
        foreach (var rows in Directory.GetFiles(_folder["table"], "part-*.parquet"))
            File.Delete(rows);
        Assert.Contains(
            "expected one within the table", Assert.Throws<ScoreTableException>(() => ScoreTable.Open(_folder["table"])).Message,
            StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(_folder["victim"]));
    }

    [Fact]
    public void A_file_that_changes_after_its_part_is_finished_is_told_of()
    {
        var input = Make("jsonl", 60);
        Run(input, "table", Sharding.Of(0, 1));
        Assert.Equal(0, Run(input, "table", Sharding.Of(0, 1)));
        var before = File.GetLastWriteTimeUtc(input);
        File.SetLastWriteTimeUtc(input, before.AddMinutes(1));
        Assert.Contains(
            "finished, but their files have changed since", Assert.Throws<DatasetException>(() => Run(input, "table", Sharding.Of(0, 1)))
                .Message, StringComparison.Ordinal);
        Assert.Contains("have changed since", Assert.Throws<DatasetException>(() => Run(input, "table", Sharding.Auto)).Message,
            StringComparison.Ordinal);
        File.SetLastWriteTimeUtc(input, before);
        Assert.Equal(0, Run(input, "table", Sharding.Auto));
        File.AppendAllText(input, "\n");
        Assert.Contains("have changed since", Assert.Throws<DatasetException>(() => Run(input, "table", Sharding.Of(0, 1))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_lists_the_parts_once()
    {
        var input = Make("folder", 300);
        Assert.Equal(0, Run(input, "table", Sharding.Plan));
        var manifest = TableManifest.Read(_folder["table"])!;
        Assert.Equal([128L, 128, 44], manifest.Parts.Select(part => part.Items!.Value));
        // What comes later is not in the list.
        File.WriteAllBytes(_folder["images/new.png"], Image(1));
        Assert.Equal(300, Run(input, "table", Sharding.Auto));
        Assert.Equal(300, ScoreTable.Open(_folder["table"]).RowCount);
    }

    [Fact]
    public void A_share_is_a_share_of_the_bytes()
    {
        ManifestPart[] parts =
            [.. new long[] { 100, 1, 1, 1, 97, 50, 50 }.Select((bytes, i) => new ManifestPart($"{i}", bytes, null, null, null))];
        int[][] shares = [Sharding.Of(0, 3).Share(parts), Sharding.Of(1, 3).Share(parts), Sharding.Of(2, 3).Share(parts)];
        Assert.Equal([[0, 1], [2, 3, 4], [5, 6]], shares);
        foreach (var shards in new[] { 1, 2, 5, 20 })
            Assert.Equal(Enumerable.Range(0, 7), Enumerable.Range(0, shards).SelectMany(shard => Sharding.Of(shard, shards).Share(parts)));
    }

    [Fact]
    public void A_part_of_a_dead_process_of_another_machine_is_taken_over()
    {
        var input = Make("tar", 60);
        Run(input, "one", null);
        Run(input, "table", Sharding.Plan);
        var table = PartedTable.Open(_folder["table"])!;
        File.WriteAllText(table.LeaseOf(4, 0), "elsewhere\nanother-boot\n1\n1\nowner\n1\n");
        // The owner is watched for the time of the lease; nothing is compared with a clock.
        Run(input, "table", Sharding.Auto, new ScoreTableOptions { LeaseTime = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(Exported(ScoreTable.Open(_folder["one"]), "jsonl"), Exported(ScoreTable.Open(_folder["table"]), "jsonl"));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["table/leases"]));
    }

    [Fact]
    public void Of_two_that_finish_a_part_the_first_counts()
    {
        var input = Make("tar", 60);
        Run(input, "table", Sharding.Auto);
        var before = Files("table");
        var table = PartedTable.Open(_folder["table"])!;
        Assert.False(table.TryFinish(new PartMarker(2, table.Manifest.Fingerprint, 1, 1, 0, "work/000002.7/part-0000-000000.parquet")));
        Assert.Equal(before, Files("table"));
        using var leases = new PartLeases(table, TimeSpan.FromMinutes(1));
        Assert.Null(leases.TryTake(2));
    }

    [Fact]
    public void A_lease_is_one_process_s_until_it_is_given_up()
    {
        var input = Make("tar", 60);
        Run(input, "table", Sharding.Plan);
        var table = PartedTable.Open(_folder["table"])!;
        using var mine = new PartLeases(table, TimeSpan.FromMinutes(1));
        using var other = new PartLeases(table, TimeSpan.FromMinutes(1));
        var lease = mine.TryTake(3)!;
        Assert.Null(other.TryTake(3));
        Assert.Equal(0, lease.Generation);
        mine.Release(lease);
        Assert.Equal(1, other.TryTake(3)!.Generation);
        // A process of this machine that is no more.
        var dead = LeaseOwner.Here.Replace($"\n{Environment.ProcessId}\n", "\n999999999\n", StringComparison.Ordinal);
        Assert.SkipUnless(LeaseOwner.IsDead(dead), "Only Linux tells whether a process lives.");
        File.WriteAllText(table.LeaseOf(5, 0), dead);
        Assert.Equal(1, mine.TryTake(5)!.Generation);
    }

    [Theory]
    [InlineData("tar", "set-03.tar", false)]
    [InlineData("tar", "set-03.tar", true)]
    [InlineData("parquet", "p-0.parquet", true)]
    public void A_file_that_cannot_be_read_costs_no_other_and_is_tried_again(string format, string file, bool isCutOff)
    {
        var input = Make(format, 60);
        var sound = File.ReadAllBytes(_folder[file]);
        byte[] damaged = isCutOff ? sound[..((sound.Length / 2) + 100)] : [.. Enumerable.Repeat((byte)'x', 3000)];
        File.WriteAllBytes(_folder[file], damaged);
        string Failed(string table, Sharding? sharding) =>
            Assert.Throws<DatasetException>(() => Run(input, table, sharding)).Message;

        // Each process tries it, none is stopped by it, and each says so.
        var message = Failed("table", Sharding.Auto);
        Assert.Contains("1 of ", message, StringComparison.Ordinal);
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains(file, Failed("table", Sharding.Auto), StringComparison.Ordinal);
        var table = PartedTable.Open(_folder["table"])!;
        var part = table.Failures().Single().Part;
        Assert.Equal([part], Enumerable.Range(0, table.Manifest.Parts.Count).Where(other => !table.IsDone(other)));
        Assert.Contains(
            "could not be read", Assert.Throws<ScoreTableException>(() => TableMerge.Open([_folder["table"]])).Message,
            StringComparison.Ordinal);
        Assert.Equal(RunState.Failed, RunStatus.ReadAll(_folder["table"]).Single().State);

        // One run reads all others, too; its table is not whole, and goes on.
        Assert.Contains(file, Failed("plain", null), StringComparison.Ordinal);
        var before = ScoreTable.Open(_folder["plain"]);
        Assert.InRange(before.RowCount, format == "tar" ? 53 : 40, 59);
        Assert.NotNull(before.Incomplete);
        Assert.Contains(file, Failed("plain", null), StringComparison.Ordinal);
        Assert.Equal(before.RowCount, ScoreTable.Open(_folder["plain"]).RowCount);

        // The file is made anew: nobody has rows of the one that was listed.
        File.WriteAllBytes(_folder[file], sound);
        Run(input, "table", Sharding.Auto);
        Run(input, "plain", null);
        Run(input, "one", null);
        var one = Encoding.UTF8.GetString(Exported(ScoreTable.Open(_folder["one"]), "jsonl"));
        Assert.Equal(one, Encoding.UTF8.GetString(Exported(ScoreTable.Open(_folder["table"]), "jsonl")));
        Assert.Equal(one, Encoding.UTF8.GetString(Exported(ScoreTable.Open(_folder["plain"]), "jsonl")));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["table/failed"]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["table/work"]));
    }

    [Fact]
    public void A_file_that_has_changed_is_refused_however_often_it_is_tried()
    {
        var input = Make("tar", 60);
        Run(input, "table", Sharding.Of(0, 2));
        File.SetLastWriteTimeUtc(_folder["set-08.tar"], DateTime.UnixEpoch);
        for (var i = 0; i < 2; i++)
            Assert.Contains(
                "to be as it was", Assert.Throws<DatasetException>(() => Run(input, "table", Sharding.Auto)).Message,
                StringComparison.Ordinal);
        Assert.Equal(8, PartedTable.Open(_folder["table"])!.Markers().OfType<PartMarker>().Count());
    }

    [Fact]
    public void What_killed_processes_were_writing_goes_with_the_next_run_or_merge()
    {
        var input = Make("tar", 60);
        Run(input, "table", Sharding.Of(0, 2));
        string[] left = ["manifest.json.0123456789ab.partial", "done/000008.json.0123456789ab.partial", "files-00.list"];
        void Leave()
        {
            foreach (var name in left)
            {
                File.WriteAllText(_folder[$"table/{name}"], "{");
                File.SetLastWriteTimeUtc(_folder[$"table/{name}"], DateTime.UtcNow.AddHours(-1));
            }
        }
        Leave();
        // Somebody has just begun this one.
        File.WriteAllText(_folder["table/manifest.json.young.partial"], "{");
        Run(input, "table", Sharding.Of(1, 2));
        Assert.All(left, name => Assert.False(File.Exists(_folder[$"table/{name}"]), name));
        Assert.True(File.Exists(_folder["table/manifest.json.young.partial"]));
        Leave();
        using (new FileStream(_folder["table/manifest.json.0123456789ab.partial"], FileMode.Open, FileAccess.Write, FileShare.Read))
            TableMerge.Open([_folder["table"]]);
        // And somebody was still writing this one.
        Assert.True(File.Exists(_folder["table/manifest.json.0123456789ab.partial"]));
        TableMerge.Open([_folder["table"]]);
        Assert.All(left, name => Assert.False(File.Exists(_folder[$"table/{name}"]), name));
    }
}
