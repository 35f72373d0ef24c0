using System.Formats.Tar;
using System.Text;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;
using Pristine.PaddleMix;

namespace Pristine.Tests.Datasets;

/// <summary>Exports from every format into every other: what arrives is read again and compared with what was there.</summary>
public sealed class ItemExportTests : IDisposable
{
    private static readonly string[] Photos = ["leaf.jpg", "moss-blur.jpg", "moss.jpg"];
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public ItemExportTests()
    {
        Directory.CreateDirectory(_folder["photos"]);
        foreach (var photo in Photos)
            File.Copy(TestFiles.InRepository("samples", "photos", photo), _folder[$"photos/{photo}"]);
        File.WriteAllText(_folder["photos/moss.txt"], "a caption");
        string[] records =
        [
            """{"id":"a","image":"photos/leaf.jpg","caption":"ä \"leaf\"","n":1,"f":0.1,"big":123456789012345678901234567890,"mixed":1,"conversations":[{"from":"human","value":"<image> hi"}],"nothing":null}""",
            """{"id":"b","image":"photos/moss-blur.jpg","caption":"two","n":-5,"f":2,"big":2,"mixed":"x","ok":true,"tags":["x",{"y":1}]}""",
            """{"id":"c","image":"photos/moss.jpg","caption":"three","n":null,"f":1e3,"big":3,"mixed":null}""",
        ];
        File.WriteAllLines(_folder["data.jsonl"], records);
        File.WriteAllText(
            _folder["data.json"],
            $"[\n  {string.Join(",\n  ", records.Select(record => record.Replace(",\"caption\"", ",\n    \"caption\"", StringComparison.Ordinal)))}\n]\n");
        File.WriteAllText(
            _folder["data.csv"],
            "image,caption,n\nphotos/leaf.jpg,\"ä \"\"leaf\"\"\",1\nphotos/moss-blur.jpg,two,-5\nphotos/moss.jpg,three,\n");
        using (var tar = new TarWriter(File.Create(_folder["data.tar"])))
        {
            for (var i = 0; i < 3; i++)
            {
                tar.WriteEntry(_folder[$"photos/{Photos[i]}"], $"../../key{i}.jpg");
                tar.WriteEntry(new PaxTarEntry(
                    TarEntryType.RegularFile, $"../../key{i}.txt")
                { DataStream = new MemoryStream("words here"u8.ToArray()) });
                tar.WriteEntry(new PaxTarEntry(
                    TarEntryType.RegularFile, $"../../key{i}.json")
                { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(records[i])) });
            }
        }
        PartFiles.Register();
        MMDataset.FromJsonl(_folder["data.jsonl"]).ExportH5(_folder["data.h5"]);
        using (var zip = System.IO.Compression.ZipFile.Open(_folder["data.zip"], System.IO.Compression.ZipArchiveMode.Create))
        {
            foreach (var photo in Photos)
            {
                using var entry = zip.CreateEntry(photo).Open();
                entry.Write(File.ReadAllBytes(_folder[$"photos/{photo}"]));
            }
            using var metadata = new StreamWriter(zip.CreateEntry("metadata.jsonl").Open());
            metadata.Write("{\"file_name\": \"leaf.jpg\", \"n\": 1, \"caption\": \"ä\"}\n");
        }
        using var database = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });
        database.Execute($"""
            COPY (SELECT i AS n, [struct_pack(bytes := content, path := 'x'), struct_pack(bytes := content, path := 'y')] AS images, 'cap ' || i AS caption, [1.5, i] AS vector
                FROM read_blob('{_folder.Path}/photos/*.jpg'), range(1) r(i) ORDER BY filename) TO '{_folder["data.parquet"]}'
            """);
    }

    public void Dispose() => _folder.Dispose();

    // What datasets 4 does in folder_based_builder.py: the first of file_name, *_file_name (column image, *) and file_names, *_file_names
    // that the metadata has names files in every row, beside the metadata; a column of the same name would take its place.
    [Theory]
    [InlineData("file_name", "data.jsonl", "data.json", "data.csv", "data.tar", "data.zip")]
    [InlineData("file_names", "data.parquet")]
    public void A_folder_of_images_is_one_that_load_dataset_reads(string column, params string[] inputs)
    {
        foreach (var input in inputs)
        {
            Export(input, $"folder of {input}", dataset => dataset.Read(Token));
            CheckImageFolder(_folder[$"folder of {input}"], column, 3);
        }
    }

    [Fact]
    public void A_folder_of_items_with_one_image_and_with_several_has_lists_in_every_row()
    {
        File.WriteAllText(_folder["mixed.jsonl"], """
            {"id":"a","image":"photos/leaf.jpg","left_file_name":"x.jpg","n":1}
            {"id":"b","images":["photos/moss.jpg","photos/leaf.jpg"],"n":2}
            {"id":"c","n":3}
            """);
        Export("mixed.jsonl", "folder", dataset => dataset.Read(Token), "item 'c' has no image");
        CheckImageFolder(_folder["folder"], "file_names", 2);
        Assert.Equal(
            [
                """{"file_names":["000000000.jpg"],"id":"a","image":"photos/leaf.jpg","n":1}""",
                """{"file_names":["000000001.0.jpg","000000001.1.jpg"],"id":"b","n":2}""",
            ],
            File.ReadAllLines(_folder["folder/metadata.jsonl"]));
    }

    private void Export(string input, string output, Func<Dataset, IEnumerable<DatasetItem>> kept, string? reason = null)
    {
        var dataset = Dataset.Open(_folder[input]);
        using var writer = ItemExport.Open(dataset, _folder[output], asFolder: true);
        var reasons = new List<string>();
        foreach (var item in kept(dataset))
            writer.Survey(item);
        foreach (var item in kept(dataset))
            if (writer.TryWrite(item) is { } found)
                reasons.Add(found);
        writer.Complete();
        Assert.Equal(reason == null ? 0 : 1, reasons.Count);
        Assert.StartsWith(reason ?? "", reasons.FirstOrDefault() ?? "", StringComparison.Ordinal);
    }

    private static void CheckImageFolder(string folder, string column, int count)
    {
        var rows = File.ReadAllLines(Path.Combine(folder, "metadata.jsonl"));
        Assert.Equal(count, rows.Length);
        var named = new List<string>();
        foreach (var row in rows)
        {
            using var document = System.Text.Json.JsonDocument.Parse(row);
            var fields = document.RootElement.EnumerateObject().Select(field => field.Name).ToArray();
            Assert.Equal([column], fields.Where(
                name => name is "file_name" or "file_names" || name.EndsWith("_file_name", StringComparison.Ordinal)
                    || name.EndsWith("_file_names", StringComparison.Ordinal)));
            Assert.DoesNotContain(column == "file_name" ? "image" : "images", fields);
            var value = document.RootElement.GetProperty(column);
            var files = column == "file_name" ? [value.GetString()!] : value.EnumerateArray().Select(file => file.GetString()!).ToArray();
            Assert.NotEmpty(files);
            Assert.All(files, file => Assert.Equal(Path.GetFileName(file), file));
            named.AddRange(files);
        }
        Assert.Equal(
            named.Append("metadata.jsonl").Order(StringComparer.Ordinal),
            Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file))
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("photos", "kept.txt")]
    [InlineData("photos", "kept.txt.gz")]
    [InlineData("photos", "kept.csv")]
    [InlineData("photos", "kept.csv.zst")]
    [InlineData("photos", "kept.parquet")]
    [InlineData("photos", "kept.tar")]
    [InlineData("photos", "kept-{000..}.tar.gz")]
    [InlineData("data.jsonl", "kept.jsonl.gz")]
    [InlineData("data.jsonl", "kept.jsonl.zst")]
    [InlineData("data.jsonl", "kept.tar.zst")]
    [InlineData("data.jsonl", "kept-{00..}.parquet")]
    [InlineData("data.json", "kept.json")]
    [InlineData("data.json", "kept.json.gz")]
    [InlineData("data.json", "kept.jsonl.gz")]
    [InlineData("data.csv", "kept.csv.gz")]
    [InlineData("data.tar", "kept.tar")]
    [InlineData("data.tar", "kept.tar.gz")]
    [InlineData("data.tar", "kept-{0..}.tar.zst")]
    [InlineData("data.tar", "copied/")]
    [InlineData("data.zip", "kept.parquet")]
    [InlineData("data.parquet", "kept.parquet")]
    [InlineData("data.parquet", "kept-{00..}.parquet")]
    public void What_is_given_up_before_an_item_was_written_leaves_no_file(string input, string output)
    {
        var before = Directory.GetFiles(_folder.Path);
        using (var writer = ItemExport.Open(Dataset.Open(_folder[input]), _folder[output], output == "copied/"))
            // Several outputs are held by a file beside them.
            Assert.Equal(
                before.Length + (output == "copied/" ? 0 : output.Contains('{', StringComparison.Ordinal) ? 2 : 1),
                Directory.GetFiles(_folder.Path).Length);
        Assert.Equal(before, Directory.GetFiles(_folder.Path));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.partial", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("photos", "kept.csv", "image\n")]
    [InlineData("photos", "kept.txt.gz", null)]
    [InlineData("data.jsonl", "kept.jsonl.zst", null)]
    [InlineData("data.csv", "kept.csv.gz", null)]
    [InlineData("data.tar", "kept.tar.gz", null)]
    public void What_is_given_up_later_can_be_read_as_far_as_it_goes(string input, string output, string? header)
    {
        var dataset = Dataset.Open(_folder[input]);
        var items = dataset.Read(Token).ToList();
        using (var writer = ItemExport.Open(dataset, _folder[output], asFolder: false))
        {
            writer.Write(items[0]);
            writer.Write(items[1]);
        }
        var extensions = output[output.IndexOf('.', StringComparison.Ordinal)..];
        File.Move(_folder[$"{output}.partial"], _folder[$"rest{extensions}"]);
        if (header != null)
            Assert.StartsWith(header, File.ReadAllText(_folder[$"rest{extensions}"]), StringComparison.Ordinal);
        Assert.Equal(2, Dataset.Open(_folder[$"rest{extensions}"]).Read(Token).Count());
    }

    [Theory]
    [InlineData("data.tar", "kept/", "data.tar", "other.tar")]
    [InlineData("data.parquet", "kept/", "data.parquet", "other.parquet")]
    [InlineData("data.tar", "kept/s-{000..}.tar", "s-007.tar", "s-07.tar")]
    [InlineData("data.jsonl", "kept/s-{000..}.tar.gz", "s-1234.tar.gz", "s-x01.tar.gz")]
    [InlineData("data.jsonl", "kept/s-{00..}-of.parquet", "s-07-of.parquet", "s-07.parquet")]
    [InlineData("data.parquet", "kept/{00..}.parquet", "03.parquet", "3.parquet")]
    public void What_a_killed_run_has_left_of_outputs_goes_with_the_next_run(string input, string output, string abandoned, string foreign)
    {
        Directory.CreateDirectory(_folder["kept"]);
        foreach (var name in (string[])[abandoned, foreign])
            File.WriteAllText(_folder[$"kept/{name}.partial"], "half of it");
        using (var writer = ItemExport.Open(Dataset.Open(_folder[input]), _folder[output], asFolder: false))
        {
            Assert.False(File.Exists(_folder[$"kept/{abandoned}.partial"]));
            Assert.True(File.Exists(_folder[$"kept/{foreign}.partial"]));
        }
    }

    [Theory]
    [InlineData("photos", "kept.parquet", "caption=")]
    [InlineData("photos", "kept.jsonl", "")]
    [InlineData("photos", "kept.csv", "")]
    [InlineData("photos", "kept.tar", "txt=a caption")]
    [InlineData("photos/*.jpg", "deep/kept.parquet", "")]
    [InlineData("data.jsonl", "kept.parquet", "n=1 f=0.1 mixed=1 caption=ä \"leaf\"")]
    [InlineData("data.jsonl", "deep/kept.tar", "n=1 f=0.1 mixed=1 caption=ä \"leaf\" big=123456789012345678901234567890")]
    [InlineData("data.jsonl", "kept-{00..}.tar", "n=1 caption=ä \"leaf\"")]
    [InlineData("data.jsonl", "copied/", "n=1 f=0.1 caption=ä \"leaf\" big=123456789012345678901234567890")]
    [InlineData("data.json", "kept.jsonl", "n=1 f=0.1 caption=ä \"leaf\"")]
    [InlineData("data.json", "kept.parquet", "n=1 f=0.1")]
    [InlineData("data.csv", "kept.jsonl", "n=1 caption=ä \"leaf\"")]
    [InlineData("data.csv", "kept.parquet", "n=1 caption=ä \"leaf\"")]
    [InlineData("data.csv", "kept.tar", "n=1 caption=ä \"leaf\"")]
    [InlineData("data.tar", "kept.parquet", "n=1 f=0.1 txt=words here caption=ä \"leaf\"")]
    [InlineData("data.tar", "kept-{000..}.parquet", "n=1 txt=words here")]
    [InlineData("data.tar", "copied/", "n=1 txt=words here")]
    [InlineData("data.zip", "kept.parquet", "n=1 caption=ä")]
    [InlineData("data.zip", "kept.tar", "n=1 caption=ä")]
    [InlineData("data.zip", "copied/", "n=1 caption=ä")]
    [InlineData("data.parquet", "kept.tar", "n=0 caption=cap 0")]
    [InlineData("data.parquet", "copied/", "n=0 caption=cap 0")]
    public void Images_and_fields_arrive(string input, string output, string expected)
    {
        var dataset = Dataset.Open(_folder[input]);
        var asFolder = output == "copied/";
        Assert.Null(ItemExport.Refusal(dataset, _folder[output], asFolder));
        using (var writer = ItemExport.Open(dataset, _folder[output], asFolder))
        {
            if (writer.NeedsSurvey)
                foreach (var item in dataset.Read(Token))
                    writer.Survey(item);
            foreach (var item in dataset.Read(Token))
                Assert.Null(writer.TryWrite(item));
            writer.Complete();
        }
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.partial", SearchOption.AllDirectories));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "..", "..", "key0.jpg")));
        // Paths of records stay as they are written.
        var root = new DatasetOptions { ImageRoot = input is "data.jsonl" or "data.json" or "data.csv" ? _folder.Path : null };
        var again = Dataset.Open(
            _folder[output.Replace("{00..}", "00", StringComparison.Ordinal).Replace("{000..}", "000", StringComparison.Ordinal)], root);
        again.RequireImages(Token);
        var items = again.Read(Token).ToList();
        Assert.Equal(Contents(dataset.Read(Token)), Contents(items));
        foreach (var pair in expected.Split(' ')
            .Aggregate(
                new List<string>(), (pairs, word) =>
                {
                    if (word.Contains('=', StringComparison.Ordinal) || pairs.Count == 0) pairs.Add(
                    word);
                    else pairs[^1] += $" {word}"; return pairs;
                }).Where(pair => pair.Length > 0 && !pair.EndsWith('=')))
        {
            var (name, value) =
                (pair[..pair.IndexOf('=', StringComparison.Ordinal)], pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            var of = input == "photos" ? items[2] : items[0];
            Assert.Equal(value, of.Record!.Fields([name])[0]);
        }
        if (input != "photos" && !input.Contains('*', StringComparison.Ordinal))
            Assert.Equal(dataset.Read(Token).First().Record!.Text.Turns, items[0].Record!.Text.Turns);
    }

    [Theory]
    [InlineData("data.tar", "kept.jsonl", "cannot hold images")]
    [InlineData("data.parquet", "kept.csv", "cannot hold images")]
    [InlineData("data.jsonl", "kept.csv", "may be lists and objects")]
    [InlineData("data.jsonl", "kept.txt", "cannot hold the fields of records")]
    [InlineData("data.tar", "kept.txt", "cannot hold the fields of records")]
    [InlineData("data.zip", "kept.zip", "only read")]
    public void What_an_output_cannot_hold_is_refused(string input, string output, string reason)
    {
        var dataset = Dataset.Open(_folder[input]);
        Assert.Contains(reason, ItemExport.Refusal(dataset, _folder[output], asFolder: false), StringComparison.Ordinal);
        Assert.Contains(
            reason, Assert.Throws<DatasetException>(() => dataset.CreateExport(_folder[output])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_matrix_of_the_documentation_is_what_is_refused()
    {
        var lines = File.ReadLines(TestFiles.InRepository("docs", "formats.md"))
            .SkipWhile(line => !line.StartsWith("| from |", StringComparison.Ordinal)).TakeWhile(line => line.StartsWith('|')).ToArray();
        static string[] Cells(string line) => [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];
        var targets = Cells(lines[0])[1..];
        Assert.Equal(5, targets.Length);
        Assert.Equal(6, lines.Length - 2);
        foreach (var line in lines.Skip(2))
        {
            var cells = Cells(line);
            foreach (var input in cells[0].Split('`').Where((_, i) => i % 2 == 1))
            {
                foreach (var (target, says) in targets.Zip(cells[1..]))
                {
                    var refusal = ItemExport.Refusal(
                        Dataset.Open(_folder[input]), $"kept{target.Split('`')[1]}", target.Contains("--copy", StringComparison.Ordinal));
                    Assert.True(says == "no" == (refusal != null), $"{input} to {target}: {says}; {refusal}");
                }
            }
        }
    }

    [Fact]
    public void An_image_that_is_missing_is_told_of_and_its_sample_is_left_out()
    {
        File.AppendAllText(_folder["data.jsonl"], "{\"image\":\"gone.jpg\"}\n");
        var dataset = Dataset.Open(_folder["data.jsonl"]);
        using (var writer = dataset.CreateExport(_folder["kept.tar"]))
        {
            Assert.Equal([null, null, null, "'gone.jpg': there is no such file"], dataset.Read(Token).Select(writer.TryWrite));
            writer.Complete();
        }
        Assert.Equal(3, Dataset.Open(_folder["kept.tar"]).Read(Token).Count());
        using var database = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });
        database.Execute($"COPY (SELECT 'x'::BLOB AS image, 'y'::BLOB AS pickle) TO '{_folder["odd.parquet"]}'");
        Assert.Contains(
            "the column 'pickle'", ItemExport.Refusal(Dataset.Open(_folder["odd.parquet"]), "kept.tar", false), StringComparison.Ordinal);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static List<string> Contents(IEnumerable<DatasetItem> items)
    {
        using var decoder = new ImageDecoder();
        return [.. items.Select(
            item => string.Join(
                ' ', item.Images.Select(
                    image =>
                        $"{decoder.Load(image, ImageInput.Header).Status} " +
                        $"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(decoder.FileBytes))}")))];
    }
}
