using System.IO.Compression;
using System.Text;
using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Tests.Datasets;

public sealed class ZipDatasetTests : IDisposable
{
    private static readonly byte[] Leaf = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Images_are_items_and_captions_metadata_and_texts_are_their_records(CompressionLevel level)
    {
        Archive("a.zip", level, ("a.jpg", Leaf), ("sub/b.PNG", Leaf), ("c.jpg", Leaf), ("d.jpg", Leaf), ("d.txt", Bytes(
            "text of d\n")), ("README.md", Bytes("x")),
            ("sub/metadata.jsonl", Bytes("{\"file_name\": \"b.PNG\", \"n\": 2}\n")),
            ("captions.json", Bytes("{\"a.jpg\": \"caption of a\", \"c.jpg\": {\"text\": \"é\", \"n\": 3}}")),
            (".hidden.jpg", Leaf), ("__MACOSX/a.jpg", Leaf));
        var dataset = Dataset.Open(_folder["a.zip"]);
        dataset.RequireImages(Token);
        var items = dataset.Read(Token).ToList();
        Assert.Equal(["a.jpg", "sub/b.PNG", "c.jpg", "d.jpg"], items.Select(item => item.Id));
        Assert.Equal(["caption of a", null, null, "text of d"], items.Select(item => item.Record!.Fields(["caption"])[0]));
        Assert.Equal([null, "2", "3", null], items.Select(item => item.Record!.Fields(["n"])[0]));
        Assert.Equal(1, items[2].Record!.Text.Length);
        using var decoder = new ImageDecoder();
        foreach (var image in items.SelectMany(item => item.Images).Append(new ImageFinder(_folder.Path).Find("a.zip/sub/b.PNG")))
        {
            Assert.Equal(ImageStatus.Ok, decoder.Load(image, ImageInput.Rgb).Status);
            Assert.Equal(Leaf, decoder.FileBytes.ToArray());
            Assert.Equal(Leaf.Length, image.Stamp()!.Value.Bytes);
        }
    }

    [Fact]
    public void Metadata_as_Windows_and_spreadsheets_write_them_are_read()
    {
        byte[] bom = [0xEF, 0xBB, 0xBF];
        Archive(
            "a.zip", CompressionLevel.Optimal, ("a.jpg", Leaf), ("b/c.jpg", Leaf), ("d/e.jpg", Leaf),
            ("metadata.jsonl", [.. bom, .. "{\"file_name\": \"a.jpg\", \"text\": \"x\"}\r\n"u8]),
            ("b/metadata.csv", [.. bom, .. "file_name,text\r\nc.jpg,\"y, \"\"z\"\"\"\r\n"u8]),
            ("d/captions.json", [.. bom, .. "{\"e.jpg\": \"w\"}"u8]));
        var items = Dataset.Open(_folder["a.zip"]).Read(Token).ToList();
        Assert.Equal(["x", "y, \"z\"", null], items.Select(item => item.Record!.Fields(["text"])[0]));
        Assert.Equal("w", items[2].Record!.Fields(["caption"])[0]);
        Assert.Equal((byte)'{', items[0].Raw.Span[0]);
        Archive("bad.zip", CompressionLevel.Optimal, ("a.jpg", Leaf), ("metadata.csv", Bytes("file_name,text\na.jpg\n")));
        Assert.Contains(
            "metadata.csv:2: expected 2 fields as in the header; found 1.", Assert.Throws<DatasetException>(
                () => Dataset.Open(_folder["bad.zip"]).Read(Token).ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_lead_out_of_the_archive_are_errors()
    {
        string[] names = ["../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "c:a.jpg", "x\\..\\a.jpg", "..a.jpg", "fine..jpg"];
        Archive("a.zip", CompressionLevel.NoCompression, [.. names.Select(name => (name, Leaf))]);
        var items = Dataset.Open(_folder["a.zip"]).Read(Token).ToList();
        Assert.Equal(["../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "c:a.jpg", "x\\..\\a.jpg"], items.Where(item => item.Error != null)
            .Select(item => item.Id));
        Assert.All(items.Where(item => item.Error != null), item => Assert.Empty(item.Images));
        Assert.Equal("fine..jpg", items.Single(item => item.Error == null).Id);
    }

    [Fact]
    public void Damage_is_told_of()
    {
        Archive("a.zip", CompressionLevel.Optimal, ("a.jpg", Leaf), ("b.jpg", Leaf));
        var whole = File.ReadAllBytes(_folder["a.zip"]);
        using var decoder = new ImageDecoder();
        string? Error(byte[] archive)
        {
            File.WriteAllBytes(_folder["bad.zip"], archive);
            return decoder.Load(Dataset.Open(_folder["bad.zip"]).Read(Token).First().Images.Single(), ImageInput.Rgb).Error;
        }
        byte[] With(int at, params byte[] bytes)
        {
            var archive = whole.ToArray();
            bytes.CopyTo(archive, at);
            return archive;
        }
        var directory = whole.AsSpan().IndexOf("PK\u0001\u0002"u8);
        Assert.Null(Error(whole));
        Assert.NotNull(Error(With(2000, 0xFF, 0xFE, 0xFD)));
        Assert.Contains("checksum", Error(With(directory + 16, 1, 2, 3, 4)), StringComparison.Ordinal);
        Assert.Contains("does not have the", Error(With(directory + 24, 10, 0, 0, 0)), StringComparison.Ordinal);
        Assert.Contains("at most", Error(With(directory + 24, 0xF0, 0xFF, 0xFF, 0xFF)), StringComparison.Ordinal);
        Assert.Contains("method 12", Error(With(directory + 10, 12, 0)), StringComparison.Ordinal);
        Assert.Contains("encrypted", Error(With(directory + 8, 1, 0)), StringComparison.Ordinal);
        Assert.Contains("not there", Error(With(directory + 42, 9, 0, 0, 0)), StringComparison.Ordinal);
        foreach (var (archive, found) in new[] { (whole[..^100], "cut off"), (With(
            directory, 0), "entry 0"), (new byte[30], "cut off"), (Array.Empty<byte>(), "cut off") })
        {
            File.WriteAllBytes(_folder["bad.zip"], archive);
            Assert.Contains(found, Assert.Throws<DatasetException>(
                () => Dataset.Open(_folder["bad.zip"]).Read(Token).Count()).Message, StringComparison.Ordinal);
        }
        Archive("none.zip", CompressionLevel.Optimal, ("a.doc", Leaf));
        Assert.Contains("none of its 1 entries", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["none.zip"]).RequireImages(Token)).Message, StringComparison.Ordinal);
        var random = new Random(3);
        for (var round = 0; round < 500; round++)
        {
            var archive = whole.ToArray();
            archive[random.Next(2) == 0 ? random.Next(archive.Length) : archive.Length - 1 - random.Next(200)] = (byte)random.Next(256);
            File.WriteAllBytes(_folder["bad.zip"], archive);
            try
            {
                foreach (var item in Dataset.Open(_folder["bad.zip"]).Read(Token))
                    foreach (var image in item.Images)
                        decoder.Load(image, ImageInput.Header);
            }
            catch (DatasetException e)
            {
                Assert.Contains("bad.zip", e.Message, StringComparison.Ordinal);
            }
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private void Archive(string name, CompressionLevel level, params (string Name, byte[] Content)[] entries)
    {
        using var zip = ZipFile.Open(_folder[name], ZipArchiveMode.Create);
        foreach (var (entry, content) in entries)
        {
            using var stream = zip.CreateEntry(entry, level).Open();
            stream.Write(content);
        }
    }
}
