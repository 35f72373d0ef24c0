using System.Formats.Tar;
using System.Text;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;

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
