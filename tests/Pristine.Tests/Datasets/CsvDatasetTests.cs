using System.IO.Compression;
using System.Text;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

public sealed class CsvDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("image,caption\na.jpg,\"one, \"\"two\"\"\"\nb.jpg,x\n", "a.jpg b.jpg", "one, \"two\"|x")]
    [InlineData("id;image_path;text\r\n7;a.jpg;\"line\nfeed\"\r\n8;b.jpg;5\" pipe\r\n", "a.jpg b.jpg", "line\nfeed|5\" pipe")]
    [InlineData("\uFEFFcaption\tFile_Name\nx\ta.jpg\n\ny\tb.jpg", "a.jpg b.jpg", "x|y")]
    [InlineData("caption,path,image_url\nx,a.jpg,https://h/a.jpg\ny,,\n", "a.jpg -", "x|y")]
    [InlineData("image,caption\n", "", "")]
    [InlineData("", "", "")]
    public void Rows_are_items_and_are_written_back_byte_for_byte(string table, string images, string captions)
    {
        var column = table.Contains("text", StringComparison.Ordinal) ? "text" : "caption";
        foreach (var bufferSize in new[] { 1, 7, 1 << 16 })
        {
            var dataset = new CsvDataset("t.csv", "root", () => new MemoryStream(Encoding.UTF8.GetBytes(table)), bufferSize);
            var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
            Assert.All(items, item => Assert.Null(item.Error));
            Assert.Equal(images, string.Join(' ', items.Select(item => item.Images.SingleOrDefault()?.Reference ?? "-")));
            Assert.Equal(captions, string.Join('|', items.Select(item => item.Record!.Fields([column])[0])));
            Assert.All(
                items.SelectMany(item => item.Images), image => Assert.Equal(Path.Combine("root", image.Reference), image.LocalPath));
            Assert.Equal(table.Replace("\n\n", "\n", StringComparison.Ordinal), Export(dataset, items));
            var header = table.Length == 0 ? "" : table[..(table.IndexOf('\n', StringComparison.Ordinal) + 1)];
            Assert.Equal(header, Export(dataset, []));
            if (items.Count == 2)
                Assert.Equal(
                    header + Encoding.UTF8.GetString([.. items[1].Raw.Span, .. items[1].After.Span]), Export(dataset, items.Skip(1)));
        }
    }

    [Fact]
    public void Ids_texts_and_named_columns_are_found()
    {
        File.WriteAllText(_folder["t.tsv"], "ID\tpicture\timage\tcaption\tTEXT\n1\ta.jpg\tb.jpg\tone two\tthree\n");
        var item = Dataset.Open(_folder["t.tsv"], new DatasetOptions { ImageField = "picture" }).Read(TestContext.Current.CancellationToken)
            .Single();
        Assert.Equal(("1", "a.jpg", new ItemText(12, 3, 0)), (item.Id, item.Images.Single().Reference, item.Record!.Text));
    }

    [Fact]
    public void Broken_rows_are_items_with_an_error_and_unknown_columns_are_refused()
    {
        File.WriteAllText(_folder["t.csv"], "image,n\na.jpg\nb.jpg,1\n\"c.jpg,2\nd.jpg,3\n");
        var items = Dataset.Open(_folder["t.csv"]).Read(TestContext.Current.CancellationToken).ToList();
        Assert.Contains("t.csv:2: expected 2 fields as in the header; found 1", items[0].Error, StringComparison.Ordinal);
        Assert.Null(items[1].Error);
        Assert.Contains("t.csv:4: expected the closing quote", items[2].Error, StringComparison.Ordinal);
        File.WriteAllText(_folder["u.csv"], "picture,n\na.jpg,1\n");
        Assert.Contains("found the columns picture, n", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["u.csv"]).RequireImages(TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Dataset.Open(_folder["t.csv"]).RequireImages(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("a.jsonl.gz", "{\"image\":\"a.jpg\"}\n{\"image\":\"b.jpg\"}\n")]
    [InlineData("a.json.gz", "[{\"image\":\"a.jpg\"},\n {\"image\":\"b.jpg\"}]\n")]
    [InlineData("a.json.gz", "{\"image\":\"a.jpg\"}\n{\"image\":\"b.jpg\"}\n")]
    [InlineData("a.csv.gz", "image\na.jpg\nb.jpg\n")]
    [InlineData("a.txt.gz", "a.jpg\nb.jpg\n")]
    [InlineData("a.jsonl.zst", "{\"image\":\"a.jpg\"}\n{\"image\":\"b.jpg\"}\n")]
    [InlineData("a.json.zst", "[{\"image\":\"a.jpg\"},\n {\"image\":\"b.jpg\"}]\n")]
    [InlineData("a.csv.zst", "image\na.jpg\nb.jpg\n")]
    public void Compressed_files_are_read_and_written(string name, string content)
    {
        using (var target = Compress(name))
            target.Write(Encoding.UTF8.GetBytes(content));
        var dataset = Dataset.Open(_folder[name]);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(["a.jpg", "b.jpg"], items.Select(item => item.Images.Single().Reference));
        dataset.RequireImages(TestContext.Current.CancellationToken);
        Assert.Equal(content, Export(dataset, items));
        var output = _folder["kept" + name[1..]];
        using (var writer = dataset.CreateWriter(output))
        {
            items.ForEach(writer.Write);
            writer.Complete();
        }
        using var file = File.OpenRead(output);
        using var reader = new StreamReader(name.EndsWith("zst", StringComparison.Ordinal)
            ? new ZstdSharp.DecompressionStream(file)
            : new GZipStream(file, CompressionMode.Decompress));
        Assert.Equal(content, reader.ReadToEnd());
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".zst")]
    public void A_compressed_file_that_is_cut_off_or_damaged_is_told_of(string extension)
    {
        var random = new Random(1);
        var lines = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{\"image\":\"{random.NextInt64()}.jpg\"}}\n"));
        using (var target = Compress($"a.jsonl{extension}"))
            target.Write(Encoding.UTF8.GetBytes(lines));
        var bytes = File.ReadAllBytes(_folder[$"a.jsonl{extension}"]);
        File.WriteAllBytes(_folder[$"cut.jsonl{extension}"], bytes[..(bytes.Length / 2)]);
        bytes.AsSpan(bytes.Length / 2, 2000).Fill(0xFF);
        File.WriteAllBytes(_folder[$"damaged.jsonl{extension}"], bytes);
        foreach (var name in new[] { $"cut.jsonl{extension}", $"damaged.jsonl{extension}" })
        {
            var read = 0;
            var e = Assert.Throws<DatasetException>(() =>
            {
                foreach (var _ in Dataset.Open(_folder[name]).Read(TestContext.Current.CancellationToken))
                    read++;
            });
            Assert.Contains("damaged or cut off", e.Message, StringComparison.Ordinal);
            Assert.InRange(read, 1000, 19_999);
        }
    }

    private Stream Compress(string name)
    {
        var file = File.Create(_folder[name]);
        return name.EndsWith("zst", StringComparison.Ordinal)
            ? new ZstdSharp.CompressionStream(file, leaveOpen: false)
            : new GZipStream(file, CompressionLevel.Fastest);
    }

    private string Export(Dataset dataset, IEnumerable<DatasetItem> items)
    {
        using (var writer = dataset.CreateWriter(_folder["kept"]))
        {
            foreach (var item in items)
                writer.Write(item);
            writer.Complete();
        }
        return Encoding.UTF8.GetString(File.ReadAllBytes(_folder["kept"]));
    }
}
