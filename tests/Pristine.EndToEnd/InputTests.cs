using System.Text.Json;
using ParquetSharp;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>What INPUT may be, besides the folders and dataset files of the other tests.</summary>
public class InputTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    private static List<string?> Text(CommandResult result, string column) =>
        [.. result.Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty(column).GetString())];

    [Fact]
    public void A_glob_names_images()
    {
        var result = PristineCommand.Run("score", "samples/photos/mo*.jpg", "--metrics", "width", "--format", "jsonl").Expect(0);
        Assert.Equal(
            ["mo", "mo", "mo", "mo"],
            Text(result, "image").Select(path => Path.GetFileName(path!)[..2]));
        Assert.Equal(Text(result, "image").Order(StringComparer.Ordinal), Text(result, "image"));
        Assert.Contains("samples/photos/moss-blur.jpg", Text(result, "id"));
    }

    [Fact]
    public void The_image_root_is_where_relative_paths_begin()
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(TestFiles.InRepository("samples", "dialogs.jsonl"), folder["dialogs.jsonl"]);
        var forgotten = PristineCommand.Run("score", folder["dialogs.jsonl"], "--metrics", "width", "--format", "jsonl").Expect(3);
        Assert.All(Text(forgotten, "status"), status => Assert.Contains(status, (string[])["missing", "no_image"]));
        Assert.Contains("is --image-root right?", forgotten.Error, StringComparison.Ordinal);
        var found = Text(
            PristineCommand.Run(
                "score", folder["dialogs.jsonl"], "--metrics", "width", "--format", "jsonl", "--image-root",
                TestFiles.InRepository("samples")).Expect(0), "status");
        Assert.Single(found, "missing");
        Assert.InRange(found.Count(status => status == "ok"), 15, 30);
    }

    [Fact]
    public void Items_with_another_number_of_placeholders_than_images_are_counted_in_the_summary()
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(Path.Combine(Photos, "leaf.jpg"), folder["a.jpg"]);
        const string sound = """{"id":"a","image":"a.jpg","conversations":[{"from":"human","value":"<image>"}]}""",
        other = """{"id":"b","image":"a.jpg","conversations":[{"from":"human","value":"x"}]}""";
        File.WriteAllText(folder["a.jsonl"], $"{sound}\n{other}\n");
        const string warning = "1 item has more or fewer placeholders such as <image> than images, first 'b' has 0 for 1 image.";
        Assert.Contains(
            warning, PristineCommand.Run("score", folder["a.jsonl"], "--metrics", "width").Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains(warning, PristineCommand.Run("score", folder["a.jsonl"], "--metrics", "width", "--out", folder["t"])
            .Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains(warning, PristineCommand.Run("filter", folder["a.jsonl"], "--keep", "width > 0", "--out", folder["k.jsonl"])
            .Expect(0).Error, StringComparison.Ordinal);
        var asked = PristineCommand.Run(
            "filter", folder["a.jsonl"], "--drop", "image_tokens <> image_count and image_tokens is not null", "--out", folder["k.jsonl"])
                .Expect(0);
        Assert.DoesNotContain("placeholders", asked.Error, StringComparison.Ordinal);
        Assert.Equal($"{sound}\n", File.ReadAllText(folder["k.jsonl"]));
        // Where no item has one, they are not needed.
        File.WriteAllText(folder["none.jsonl"], $"{other}\n");
        Assert.DoesNotContain("placeholders", PristineCommand.Run("score", folder["none.jsonl"], "--metrics", "width")
            .Expect(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_separated_by_nul_may_hold_any_name_and_is_written_as_such_again()
    {
        using var folder = TestFiles.NewFolder();
        string[] names = ["line\nfeed.jpg", "white space .jpg", "größe 图.jpg"];
        foreach (var name in names)
            File.Copy(Path.Combine(Photos, "leaf.jpg"), folder[name]);
        var list = System.Text.Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name + "\0")));
        var scored = PristineCommand.Run(["score", "-", "--metrics", "width", "--format", "jsonl"], folder.Path, list).Expect(0);
        Assert.Equal(names, Text(scored, "image").OfType<string>());
        Assert.Equal(["ok", "ok", "ok"], Text(scored, "status"));
        PristineCommand.Run(["filter", "-", "--keep", "width > 0", "--out", "kept"], folder.Path, list).Expect(0);
        Assert.Equal(list, File.ReadAllBytes(folder["kept"]));
    }

    [Fact]
    public void A_folder_with_line_feeds_in_names_gives_a_list_that_can_be_read_again()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["in"]);
        foreach (var name in (string[])["a.jpg", "line\nfeed.jpg"])
            File.Copy(Path.Combine(Photos, "leaf.jpg"), folder[$"in/{name}"]);
        PristineCommand.Run(["filter", "in", "--keep", "width > 0", "--out", "kept.txt"], folder.Path).Expect(0);
        Assert.Equal("in/a.jpg\0in/line\nfeed.jpg\0", File.ReadAllText(folder["kept.txt"]));
        Assert.Equal(["ok", "ok"], Text(
            PristineCommand.Run(["score", "kept.txt", "--metrics", "width", "--format", "jsonl"], folder.Path).Expect(0), "status"));
    }

    [Theory]
    [InlineData("worst", "false")]
    [InlineData("mean", "true")]
    [InlineData("best", "true")]
    public void The_policy_for_several_images_decides(string policy, string kept)
    {
        using var folder = TestFiles.NewFolder();
        var record = """{"id":1,"images":["photos/moss.jpg","photos/moss-blur.jpg"]}""" + "\n";
        File.WriteAllText(folder["in.jsonl"], record);
        // Of the two, one passes; their mean, too.
        PristineCommand.Run(
            "filter", folder["in.jsonl"], "--image-root", TestFiles.InRepository("samples"), "--keep", "brisque <= 50", "--images", policy,
            "--out", folder["kept.jsonl"]).Expect(0);
        Assert.Equal(kept == "true" ? record : "", File.ReadAllText(folder["kept.jsonl"]));
    }

    [Theory]
    [InlineData("score", "in.jsonl", "-m", "width")]
    [InlineData("score", "in.jsonl", "-m", "width", "--out", "table")]
    [InlineData("filter", "in.jsonl", "--keep", "width > 0", "--out", "kept.jsonl")]
    [InlineData("degrade", "in.jsonl", "--out", "worse")]
    public void Records_whose_images_are_not_recognised_are_an_error_that_lists_the_fields(params string[] arguments)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["in.jsonl"], """{"picture":"a.jpg","caption":"x"}""" + "\n");
        var result = PristineCommand.Run(arguments, folder.Path).Expect(1);
        Assert.Contains("Fields seen: picture, caption", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.Equal([folder["in.jsonl"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Rules_on_texts_need_no_image()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["in.jsonl"], """{"text":"long enough"}""" + "\n");
        PristineCommand.Run(["filter", "in.jsonl", "--keep", "text_length > 3", "--out", "kept.jsonl"], folder.Path).Expect(0);
        Assert.Equal(File.ReadAllText(folder["in.jsonl"]), File.ReadAllText(folder["kept.jsonl"]));
    }

    [Theory]
    [InlineData("in.jsonl", "")]
    [InlineData("in.json", "[ ]\n", Traits = ["kind", "long"])]
    [InlineData("in.txt", "", Traits = ["kind", "long"])]
    [InlineData("in/", "", Traits = ["kind", "long"])]
    public void A_dataset_without_items_gives_empty_outputs(string input, string content)
    {
        using var folder = TestFiles.NewFolder();
        if (input == "in/")
            Directory.CreateDirectory(folder["in"]);
        else
            File.WriteAllText(folder[input], content);
        void Expect(string output, params string[] arguments)
        {
            var result = PristineCommand.Run(arguments, folder.Path).Expect(0);
            Assert.Equal(output, result.Output);
            Assert.Contains("no items", result.Error, StringComparison.Ordinal);
        }

        Expect("", "score", input, "-m", "brisque,width", "-f", "jsonl");
        Expect("", "score", input, "-m", "brisque,width", "--out", "table");
        Expect("", "score", input, "--out", "table");
        Expect(content, "filter", input, "--keep", "brisque < 40 and width > 3", "--out", "-", "--ledger", "ledger.parquet");
        Expect(content, "select", "table", "--keep", "brisque < 40", "--keep-top", "50%", "--by", "brisque", "--out", "-", "--ledger",
            "ledger.csv", "--dropped", "dropped.jsonl");
        Expect("", "report", "table", "--out", "report.html");
        Assert.Single(File.ReadAllLines(folder["ledger.csv"]));
        Assert.Empty(File.ReadAllText(folder["dropped.jsonl"]));
    }

    [Fact]
    public void A_field_of_images_that_is_named_is_remembered_by_the_table()
    {
        using var folder = TestFiles.NewFolder();
        var photo = Path.Combine(Photos, "leaf.jpg");
        var lines = new[]
        {
            JsonSerializer.Serialize(new { id = 1, pictures = new[] { photo } }),
            JsonSerializer.Serialize(
                new { id = 2, pictures = new[] { $"data:image/jpeg;base64,{Convert.ToBase64String(File.ReadAllBytes(photo))}" } }),
            JsonSerializer.Serialize(new { id = 3, pictures = new[] { "data:image/jpeg;base64,AAAA" } }),
        };
        File.WriteAllLines(folder["in.jsonl"], lines);
        Assert.Contains(
            "Fields seen: id, pictures", PristineCommand.Run(["score", "in.jsonl", "--out", "table"], folder.Path).Expect(1).Error,
            StringComparison.Ordinal);
        var scored = PristineCommand.Run(
            ["score", "in.jsonl", "--out", "table", "-m", "brisque,width", "--image-field", "pictures"], folder.Path).Expect(0);
        Assert.Contains("images in 'pictures'", scored.Error, StringComparison.Ordinal);
        PristineCommand.Run(["select", "table", "--keep", "width > 0", "--out", "kept.jsonl"], folder.Path).Expect(0);
        Assert.Equal(lines[..2], File.ReadAllLines(folder["kept.jsonl"]));
        // Nothing has changed, and nothing is read again.
        var again = PristineCommand.Run(["score", "in.jsonl", "--out", "table", "--image-field", "pictures"], folder.Path).Expect(0);
        Assert.Contains("0 read, 3 already in the table", again.Error, StringComparison.Ordinal);
        var rows = PristineCommand.Run("score", folder["in.jsonl"], "-m", "brisque", "--format", "jsonl", "--image-field", "pictures")
            .Expect(0).Lines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(rows[0].GetProperty("brisque").GetDouble(), rows[1].GetProperty("brisque").GetDouble());
        Assert.StartsWith("data:image/jpeg#", rows[1].GetProperty("image").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Tar_archives_are_scored_selected_and_reported_like_files()
    {
        using var folder = TestFiles.NewFolder();
        var photos = Directory.GetFiles(Photos, "mo*.jpg").Order(StringComparer.Ordinal).ToArray();
        for (var shard = 0; shard < 2; shard++)
        {
            using var tar = new System.Formats.Tar.TarWriter(File.Create(folder[$"s-{shard}.tar"]));
            foreach (var (photo, i) in photos.Skip(2 * shard).Take(2).Select((photo, i) => (photo, i)))
            {
                tar.WriteEntry(photo, $"{shard}{i}.jpg");
                tar.WriteEntry(
                    new System.Formats.Tar.PaxTarEntry(
                        System.Formats.Tar.TarEntryType.RegularFile,
                        $"{shard}{i}.txt")
                    { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(new string('x', i + 1))) });
            }
        }
        var files = PristineCommand.Run(
            ["score", .. new[] { Path.Combine(Photos, "mo*.jpg") }, "-m", "brisque,width", "-f", "jsonl"], folder.Path).Expect(0);
        var rows = PristineCommand.Run(["score", "s-{0..1}.tar", "-m", "brisque,width", "-f", "jsonl"], folder.Path).Expect(0);
        Assert.Contains("WebDataset, members .jpg, .txt", rows.Error, StringComparison.Ordinal);
        static IEnumerable<string> Scores(CommandResult result) =>
            result.Lines.Select(line => JsonDocument.Parse(line).RootElement)
            .Select(row => $"{row.GetProperty("brisque")} {row.GetProperty("width")}");
        Assert.Equal(Scores(files), Scores(rows));
        Assert.Equal(["s-0.tar/00.jpg", "s-0.tar/01.jpg", "s-1.tar/10.jpg", "s-1.tar/11.jpg"], Text(rows, "image"));

        PristineCommand.Run(["score", "s-*.tar", "-m", "brisque,width", "--out", "table"], folder.Path).Expect(0);
        var again = PristineCommand.Run(["score", "s-*.tar", "--out", "table"], folder.Path).Expect(0);
        Assert.Contains("0 read, 4 already in the table", again.Error, StringComparison.Ordinal);
        PristineCommand.Run(["select", "table", "--keep", "text_length = 1 and width > 0", "--out", "kept/"], folder.Path).Expect(0);
        PristineCommand.Run(["filter", "s-*.tar", "--keep", "item.txt = 'x' and width > 0", "--out", "kept.tar"], folder.Path).Expect(0);
        Assert.Equal(
            ["00", "10"], Text(PristineCommand.Run(["score", "kept.tar", "-m", "width", "-f", "jsonl"], folder.Path).Expect(0), "id"));
        Assert.Equal(
            ["00", "10"], Text(PristineCommand.Run(["score", "kept/*.tar", "-m", "width", "-f", "jsonl"], folder.Path).Expect(0), "id"));
        PristineCommand.Run(["report", "table", "--out", "report.html"], folder.Path).Expect(0);
        Assert.Contains("data:image/webp;base64", File.ReadAllText(folder["report.html"]), StringComparison.Ordinal);
        Assert.Contains("Unpack it first", PristineCommand.Run(["degrade", "s-0.tar", "--out", "worse"], folder.Path)
            .Expect(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Parquet_files_are_scored_selected_and_reported_like_files()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["set/data"]);
        var photos = Directory.GetFiles(Photos, "mo*.jpg").Order(StringComparer.Ordinal).ToArray();
        for (var file = 0; file < 2; file++)
        {
            var two = photos.Skip(2 * file).Take(2).ToArray();
            WriteParquet(folder[$"set/data/train-{file}.parquet"], [.. two.Select(Path.GetFileNameWithoutExtension)!], [
                .. two.Select(File.ReadAllBytes)], new string('x', file + 1));
        }
        var files = PristineCommand.Run(
            ["score", .. new[] { Path.Combine(Photos, "mo*.jpg") }, "-m", "brisque,width", "-f", "jsonl"], folder.Path).Expect(0);
        var rows = PristineCommand.Run(["score", "set", "-m", "brisque,width", "-f", "jsonl"], folder.Path).Expect(0);
        Assert.Contains("set: Parquet, images in 'image'", rows.Error, StringComparison.Ordinal);
        static IEnumerable<string> Scores(CommandResult result) =>
            result.Lines.Select(line => JsonDocument.Parse(line).RootElement)
            .Select(row => $"{row.GetProperty("brisque")} {row.GetProperty("width")}");
        Assert.Equal(Scores(files), Scores(rows));
        Assert.Equal(
            ["data/train-0.parquet/image#0", "data/train-0.parquet/image#1", "data/train-1.parquet/image#0",
                "data/train-1.parquet/image#1"], Text(rows, "image"));

        PristineCommand.Run(["score", "set", "-m", "brisque,width", "--out", "table"], folder.Path).Expect(0);
        var again = PristineCommand.Run(["score", "set", "--out", "table"], folder.Path).Expect(0);
        Assert.Contains("0 read, 4 already in the table", again.Error, StringComparison.Ordinal);
        PristineCommand.Run(["select", "table", "--keep", "text_length = 2 and width > 0", "--out", "kept/"], folder.Path).Expect(0);
        PristineCommand.Run(
            ["filter", "set/data/train-{0..1}.parquet", "--keep", "item.caption = 'xx' and width > 0", "--out", "kept.parquet"],
            folder.Path).Expect(0);
        var ids = Text(rows, "id").Skip(2).ToArray();
        Assert.Equal(ids, Text(PristineCommand.Run(["score", "kept.parquet", "-m", "width", "-f", "jsonl"], folder.Path).Expect(0), "id"));
        Assert.Equal(ids, Text(PristineCommand.Run(["score", "kept", "-m", "width", "-f", "jsonl"], folder.Path).Expect(0), "id"));
        Assert.False(File.Exists(folder["kept/data/train-0.parquet"]));
        PristineCommand.Run(["report", "table", "--out", "report.html"], folder.Path).Expect(0);
        Assert.Contains("data:image/webp;base64", File.ReadAllText(folder["report.html"]), StringComparison.Ordinal);
        Assert.Contains("cut off", Cut(), StringComparison.Ordinal);

        string Cut()
        {
            File.WriteAllBytes(folder["cut.parquet"], File.ReadAllBytes(folder["kept.parquet"])[..^50]);
            return PristineCommand.Run(["score", "cut.parquet"], folder.Path).Expect(1).Error;
        }
    }

    private static void WriteParquet(string file, string[] ids, byte[][] images, string caption)
    {
        using var writer = new ParquetFileWriter(
            file, [new Column<string>("id"), new Column<byte[]>("image"), new Column<string>("caption")]);
        using (var group = writer.AppendRowGroup())
        {
            using (var column = group.NextColumn().LogicalWriter<string>())
                column.WriteBatch(ids);
            using (var column = group.NextColumn().LogicalWriter<byte[]>())
                column.WriteBatch(images);
            using (var column = group.NextColumn().LogicalWriter<string>())
                column.WriteBatch([.. ids.Select(_ => caption)]);
        }
        writer.Close();
    }

    [Fact]
    public void A_folder_without_images_that_holds_a_dataset_is_refused()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["in/sub"]);
        File.WriteAllText(folder["in/sub/a.jsonl"], "{\"image\": \"a.jpg\"}\n");
        var result = PristineCommand.Run(["score", "in", "-m", "width"], folder.Path).Expect(1);
        Assert.Contains(
            "Expected images in the folder 'in'; found none. It holds 'in/sub/a.jsonl': name that file.", result.Error,
            StringComparison.Ordinal);
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder["in/leaf.jpg"]);
        File.WriteAllText(folder["in/leaf.json"], "{}");
        Assert.DoesNotContain("is not read", PristineCommand.Run(["score", "in", "-m", "width"], folder.Path)
            .Expect(0).Error, StringComparison.Ordinal);
        File.WriteAllText(folder["in/a.jsonl"], "{\"image\": \"leaf.jpg\"}\n");
        Assert.Contains("'in/a.jsonl' is not read: name that file", PristineCommand.Run(["score", "in", "-m", "width"], folder.Path)
            .Expect(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Part_files_of_PaddleMIX_are_opened()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["bad.h5"], "no");
        Assert.Contains("Expected 'bad.h5' to be a part file of PaddleMIX in HDF5", PristineCommand.Run(
            ["filter", "bad.h5", "--keep", "width > 0", "--out", "kept.h5"], folder.Path).Expect(1).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("empty.jsonl", "")]
    [InlineData("empty.json", "[]")]
    [InlineData("images", null)]
    public void Nothing_that_is_kept_is_a_whole_Parquet_file(string input, string? content)
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder["images/leaf.jpg"]);
        if (content != null)
            File.WriteAllText(folder[input], content);
        PristineCommand.Run(["filter", input, "--keep", "width > 100000", "--out", "kept.parquet"], folder.Path).Expect(0);
        Assert.Contains("no items in 'kept.parquet'", PristineCommand.Run(["score", "kept.parquet", "-m", "width"], folder.Path)
            .Expect(0).Error, StringComparison.Ordinal);
    }
}
