using System.Text;
using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Tests.Datasets;

public sealed class JsonlDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Kept_lines_are_the_input_lines_byte_for_byte()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new RecordGenerator(seed);
            var lines = Enumerable.Range(0, 8).Select(i => random.Space() + random.Record(i) + random.Space() + random.Pick(["\n", "\r\n"]))
                .ToArray();
            if (random.Coin())
                lines[^1] = lines[^1].TrimEnd();
            var bom = random.Coin() ? "\uFEFF" : "";
            var keep = lines.Select(_ => random.Coin()).ToArray();
            foreach (var bufferSize in new[] { 1, 5, 1 << 16 })
            {
                var dataset = Lines(bom + string.Concat(lines), bufferSize);
                Assert.Equal(bom + string.Concat(lines), Export(dataset, _ => true));
                var expected = string.Concat(lines.Where((_, i) => keep[i]));
                Assert.Equal(expected.Length == 0 ? "" : bom + expected, Export(dataset, item => keep[item.Index]));
            }
        }
    }

    [Fact]
    public void A_broken_line_is_an_item_with_an_error_and_reading_goes_on()
    {
        var items = Lines("{\"id\":1}\n{\"id\":}\n\n  \n[1]\n{\"id\":2} x\n{\"id\":3,}\n{\"id\":4")
            .Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(["1", "#1", "#2", "#3", "#4", "#5"], items.Select(i => i.Id));
        Assert.Null(items[0].Error);
        Assert.StartsWith(
            "data.jsonl:2: expected a JSON object; '}' is an invalid start of a value (byte 6 of the record)", items[1].Error,
            StringComparison.Ordinal);
        Assert.Equal("data.jsonl:5: expected a JSON object; found an array.", items[2].Error);
        Assert.StartsWith("data.jsonl:6:", items[3].Error, StringComparison.Ordinal);
        Assert.Contains("trailing comma", items[4].Error, StringComparison.Ordinal);
        Assert.StartsWith("data.jsonl:8:", items[5].Error, StringComparison.Ordinal);
        Assert.Equal("{\"id\":}", Encoding.UTF8.GetString(items[1].Raw.Span));
    }

    [Fact]
    public void The_last_line_without_an_end_gets_one_when_another_item_follows()
    {
        var items = Lines("{\"id\":1}\n{\"id\":2}").Read(TestContext.Current.CancellationToken).ToList();
        using (var writer = Lines("").CreateWriter(_folder["out"]))
        {
            writer.Write(items[1]);
            writer.Write(items[0]);
            writer.Complete();
        }
        Assert.Equal("{\"id\":2}\n{\"id\":1}\n", File.ReadAllText(_folder["out"]));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_kept()
    {
        byte[] line = [.. "{\"id\":1,\"caption\":\""u8, 0xFF, 0xC3, .. "\"}\n"u8];
        var dataset = new JsonlDataset("data.jsonl", "", () => new MemoryStream(line));
        using (var writer = dataset.CreateWriter(_folder["out"]))
        {
            foreach (var item in dataset.Read(TestContext.Current.CancellationToken))
            {
                Assert.Null(item.Error);
                writer.Write(item);
            }
            writer.Complete();
        }
        Assert.Equal(line, File.ReadAllBytes(_folder["out"]));
        Assert.False(File.Exists(_folder["out.partial"]));
    }

    [Theory]
    [InlineData("{\n  \"id\": 1,\n  \"image\": \"a.jpg\"\n}\n{\n  \"id\": 2\n}\n", "goes over several lines")]
    [InlineData("{ \"id\": 1,\n\n  \"image\":\n\"a.jpg\"}", "goes over several lines")]
    [InlineData("[{\"id\":1},\n{\"id\":2}]", "a JSON array")]
    [InlineData("[\n{\"id\":1}]", "a JSON array")]
    [InlineData("{\"id\":1}\r{\"id\":2}\r", "a carriage return alone")]
    [InlineData("{\"id\":NaN}\r{\"id\":2}", "a carriage return alone")]
    public void A_file_that_is_no_json_lines_is_refused_in_one_sentence(string text, string reason)
    {
        foreach (var bufferSize in new[] { 1, 1 << 16 })
            Assert.Contains(reason, Assert.Throws<DatasetException>(
                () => Lines(text, bufferSize).Read(TestContext.Current.CancellationToken).Count()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"id\":1,\"im\n{\"id\":2}\n")]
    [InlineData("{\"id\":1,\n{\"id\":2}\n")]
    [InlineData("{\"id\":1 \n{\"id\":2}\n")]
    [InlineData("x\n{\"id\":2}\n")]
    [InlineData("{\"id\":x\r\n{\"id\":2}\r\n")]
    public void A_broken_first_line_alone_does_not_lose_the_file(string text)
    {
        var items = Lines(text).Read(TestContext.Current.CancellationToken).ToList();
        Assert.NotNull(items[0].Error);
        Assert.Null(items[1].Error);
        Assert.Equal("2", items[1].Id);
    }

    [Theory]
    [InlineData("utf-16", "UTF-16")]
    [InlineData("utf-16BE", "UTF-16")]
    [InlineData("utf-16 without a mark", "NUL bytes")]
    [InlineData("gzip", "gzip")]
    public void A_file_of_another_encoding_is_refused_in_one_sentence(string encoding, string reason)
    {
        const string text = "{\"id\":1,\"image\":\"a.jpg\"}\n{\"id\":2}\n";
        var bytes = encoding switch
        {
            "gzip" => Gzip(Encoding.UTF8.GetBytes(text)),
            "utf-16 without a mark" => Encoding.Unicode.GetBytes(text),
            _ => [.. Encoding.GetEncoding(encoding).GetPreamble(), .. Encoding.GetEncoding(encoding).GetBytes(text)],
        };
        foreach (var name in new[] { "a.jsonl", "a.json", "a.ndjson", "a.txt" })
        {
            if (encoding == "utf-16 without a mark" && name == "a.txt")
                continue;
            File.WriteAllBytes(_folder[name], bytes);
            var error = Assert.Throws<DatasetException>(
                () => Dataset.Open(_folder[name]).Read(TestContext.Current.CancellationToken).Count());
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.Contains(_folder[name], error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Records_without_a_known_image_are_refused_where_images_are_needed()
    {
        File.WriteAllText(
            _folder["hf.jsonl"], "{\"picture\":\"a.jpg\",\"text\":\"x\"}\n{\"picture\":\"b.jpg\",\"\\ud800\":1,\"label\":NaN}\n");
        var error = Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["hf.jsonl"]).RequireImages(TestContext.Current.CancellationToken));
        Assert.Contains("none of the 2 records", error.Message, StringComparison.Ordinal);
        Assert.Contains("Fields seen: picture, text, \uFFFD, label.", error.Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["broken.json"], "[{\"image\":1}]");
        error = Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["broken.json"]).RequireImages(TestContext.Current.CancellationToken));
        Assert.Contains("broken.json:1: expected an image", error.Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["late.jsonl"], "{\"text\":\"x\"}\n{\"image\":\"b.jpg\"}\n");
        File.WriteAllText(_folder["empty.jsonl"], "");
        foreach (var sound in new[] { "late.jsonl", "empty.jsonl" })
            Dataset.Open(_folder[sound]).RequireImages(TestContext.Current.CancellationToken);
        error = Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder.Path).RequireImages(TestContext.Current.CancellationToken));
        Assert.Contains("It holds '" + _folder["broken.json"] + "': name that file.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_addresses_sounds_and_films_are_sources()
    {
        var items = Lines("""
            {"id":1,"image":["data:image/png;base64,AAAA","a.jpg"],"video":"v.mp4","audios":["s.wav",{"path":"t.wav"}]}
            {"image":"data:image\/png;base64,AA\/A"}
            {"video":"v.mp4"}
            {"id":4,"image":"b.jpg","videos":7}
            """).Read(TestContext.Current.CancellationToken).ToList();
        Assert.All(items, item => Assert.Null(item.Error));
        Assert.Equal(
            ["Image", "Image a.jpg", "Video v.mp4", "Audio s.wav", "Audio t.wav"],
            items[0].Sources.Select(source => source is DataSource ? "Image" : $"{source.Kind} {source.Reference}"));
        Assert.Equal(["root/a.jpg"], items[0].Images.Skip(1).Select(image => image.LocalPath));
        Assert.Equal(new DataSource("data:image/png;base64,AA/A"u8.ToArray()).Reference, items[1].Id);
        Assert.Equal(("#2", 0, 1), (items[2].Id, items[2].Images.Count, items[2].Sources.Count));
        Assert.Equal(["b.jpg"], items[3].Sources.Select(source => source.Reference));
    }

    [Fact]
    public void Parts_give_the_lines_of_the_whole()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new RecordGenerator(seed);
            var text = (random.Coin() ? "\uFEFF" : "") + string.Concat(
                Enumerable.Range(0, 12).Select(i => random.Record(i) + random.Pick(["\n", "\r\n", "\n\n"])));
            var whole = Lines(text).Read(TestContext.Current.CancellationToken).ToList();
            foreach (var partBytes in new[] { 1, 7, 100, 1000, 100_000 })
            {
                var dataset = new JsonlDataset("data.jsonl", "root", () => new MemoryStream(Encoding.UTF8.GetBytes(text)), 5)
                {
                    PartBytes = partBytes,
                };
                var parts = dataset.Parts.Select(part => part.Read(TestContext.Current.CancellationToken).ToList()).ToList();
                Assert.Equal(whole.Select(item => Encoding.UTF8.GetString(item.Raw.Span)), parts.SelectMany(part => part)
                    .Select(item => Encoding.UTF8.GetString(item.Raw.Span)));
                Assert.All(
                    parts, part => Assert.Equal(Enumerable.Range(0, part.Count).Select(i => (long)i), part.Select(item => item.Index)));
                Assert.Equal(parts.Count, dataset.Parts.Select(part => part.Name).Distinct().Count());
            }
        }
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(output, System.IO.Compression.CompressionLevel.Fastest))
            gzip.Write(bytes);
        return output.ToArray();
    }

    private static JsonlDataset Lines(string text, int bufferSize = 1 << 16) =>
        new("data.jsonl", "root", () => new MemoryStream(Encoding.UTF8.GetBytes(text)), bufferSize);

    private string Export(Dataset dataset, Func<DatasetItem, bool> keep)
    {
        using (var writer = dataset.CreateWriter(_folder["kept"]))
        {
            foreach (var item in dataset.Read().Where(keep))
                writer.Write(item);
            writer.Complete();
        }
        return Encoding.UTF8.GetString(File.ReadAllBytes(_folder["kept"]));
    }
}
