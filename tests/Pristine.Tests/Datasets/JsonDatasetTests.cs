using System.Text;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

public sealed class JsonDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Random_arrays_are_cut_into_their_records_and_reproduced_whatever_the_buffer()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new RecordGenerator(seed);
            var count = seed % 7;
            var json = random.Array(count);
            var expected = new RecordGenerator(seed) is var again ? Records(again, count) : [];
            foreach (var bufferSize in new[] { 1, 2, 7, 64, 1 << 16 })
            {
                var dataset = Array(json, bufferSize);
                var output = _folder["out.json"];
                using (var writer = dataset.CreateWriter(output))
                {
                    var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
                    Assert.Equal(expected, items.Select(i => Encoding.UTF8.GetString(i.Raw.Span)));
                    items.ForEach(writer.Write);
                    writer.Complete();
                }
                Assert.Equal(json, Text(output));
            }
        }
    }

    [Fact]
    public void Parts_give_the_elements_of_the_whole_with_their_lines()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            // Each array ends with elements that are no records: their errors name their lines.
            var random = new RecordGenerator(seed);
            var text = random.Array(5).TrimEnd()[..^1]
                .TrimEnd() + (seed % 2 == 0 ? ",\n\n 1, \"two\\n\" ,\n" : ",1,") + "\n[\n3], NaN\n]\n";
            var whole = Array(text).Read(TestContext.Current.CancellationToken).ToList();
            Assert.All(whole.TakeLast(seed % 2 == 0 ? 4 : 3), item => Assert.NotNull(item.Error));
            foreach (var partBytes in new[] { 1, 7, 100, 1000, 100_000 })
            {
                var dataset = new JsonDataset("data.json", "root", () => new MemoryStream(Encoding.UTF8.GetBytes(text)), 5)
                {
                    PartBytes = partBytes,
                };
                var listed = dataset.Parts;
                var parts = listed
                    .Select(part => dataset.OpenPart(part.Name, () => throw new InvalidOperationException("Nothing was listed.")))
                    .Select(part => part.Read(TestContext.Current.CancellationToken).ToList()).ToList();
                Assert.Equal(
                    whole.Select(item => (Encoding.UTF8.GetString(item.Raw.Span), item.Error)),
                    parts.SelectMany(part => part).Select(item => (Encoding.UTF8.GetString(item.Raw.Span), item.Error)));
                Assert.All(
                    parts, part => Assert.Equal(Enumerable.Range(0, part.Count).Select(i => (long)i), part.Select(item => item.Index)));
                Assert.Equal(listed.Select(part => part.Items), parts.Select(part => (long?)part.Count));
                Assert.Equal(parts.Count, listed.Select(part => part.Name).Distinct().Count());
            }
        }
    }

    // The generator draws in the same order for the array as here.
    private static List<string> Records(RecordGenerator random, int count)
    {
        var text = random.Array(count);
        using var document = System.Text.Json.JsonDocument.Parse(text.TrimStart('\uFEFF'));
        return [.. document.RootElement.EnumerateArray().Select(e => e.GetRawText())];
    }

    [Fact]
    public void Any_subset_of_an_array_is_a_valid_array_of_the_same_bytes()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new RecordGenerator(seed);
            var dataset = Array(random.Array(6), 16);
            var kept = new List<string>();
            var output = _folder["out.json"];
            using (var writer = dataset.CreateWriter(output))
            {
                foreach (var item in dataset.Read(TestContext.Current.CancellationToken))
                {
                    if (random.Coin())
                        continue;
                    writer.Write(item);
                    kept.Add(Encoding.UTF8.GetString(item.Raw.Span));
                }
                writer.Complete();
            }
            using var document = System.Text.Json.JsonDocument.Parse(Text(output).TrimStart('\uFEFF'));
            Assert.Equal(kept, document.RootElement.EnumerateArray().Select(e => e.GetRawText()));
        }
    }

    [Fact]
    public void Id_and_images_are_found_in_all_shapes()
    {
        var items = Array("""
            [
              {"id": "a", "image": "x/1.jpg"},
              {"id": 12345678901234567890, "image": ["1.jpg", "2.jpg"]},
              {"image": "/abs/3.jpg", "id": null},
              {"conversations": []},
              {"id": 4, "images": [{"id": 0, "url": "4.png"}, {"id": 1, "url": "5.png"}]},
              {"id": 5, "images": ["6.png"], "image": null},
              {"id": 6, "images": null},
              {"id": 7, "image": "http://host/a.jpg"},
              {"id": 8, "image": "file:///tmp/with%20space.jpg"},
              {"id": 9, "image": ""},
              {"id": 10, "image": {"path": "7.png", "bytes": null}},
              {"id": 11, "image": "old.jpg", "image": "new.jpg"}
            ]
            """).Read(TestContext.Current.CancellationToken).ToList();

        Assert.All(items, i => Assert.Null(i.Error));
        Assert.Equal(["a", "12345678901234567890", "/abs/3.jpg", "#3", "4", "5", "6", "7", "8", "9", "10", "11"], items.Select(i => i.Id));
        Assert.Equal(
            ["root/x/1.jpg", "root/1.jpg root/2.jpg", "/abs/3.jpg", "", "root/4.png root/5.png", "root/6.png", "", "http://host/a.jpg",
                "/tmp/with space.jpg", "", "root/7.png", "root/new.jpg"],
            items.Select(i => string.Join(' ', i.Images.Select(image => image.LocalPath ?? image.Reference))));
        Assert.Equal("x/1.jpg", items[0].Images[0].Reference);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (long)i), items.Select(i => i.Index));
    }

    [Fact]
    public void What_python_writes_beside_json_loses_no_record_whatever_the_buffer()
    {
        string[] records =
        [
            """{"id": 0, "image": "a.jpg", "loss": NaN, "text": "NaN, Infinity"}""",
            """{"id": 1, "image": "b.jpg", "bounds": [-Infinity,Infinity , NaN], "\ud83d": {"x":NaN}}""",
            """{"id": 12345678901234567890123456789, "image": "\ud83d.jpg", "score": 1e999, "text": "half \ude42"}""",
            """{"id":3,"image":"c\ud83d\ude42.jpg","a":-1,"b":-Infinity}""",
        ];
        var json = $"[{string.Join(",\n", records)}]\n";
        foreach (var bufferSize in Enumerable.Range(1, 40).Append(1 << 16))
        {
            var dataset = Array(json, bufferSize);
            using (var writer = dataset.CreateWriter(_folder["out.json"]))
            {
                var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
                Assert.Equal(records, items.Select(i => Encoding.UTF8.GetString(i.Raw.Span)));
                Assert.All(items, i => Assert.Null(i.Error));
                Assert.Equal(["a.jpg", "b.jpg", "\uFFFD.jpg", "c🙂.jpg"], items.Select(i => i.Images.Single().Reference));
                Assert.Equal(["0", "1", "12345678901234567890123456789", "3"], items.Select(i => i.Id));
                Assert.Equal(13, items[0].Record!.Text.Length);
                Assert.Equal(6, items[2].Record!.Text.Length);
                Assert.Equal((string?[])[null, "NaN, Infinity"], items[0].Record!.Fields(["loss", "text"]));
                Assert.Equal((string?[])["1e999", "half \uFFFD"], items[2].Record!.Fields(["score", "text"]));
                items.ForEach(writer.Write);
                writer.Complete();
            }
            Assert.Equal(json, Text(_folder["out.json"]));
        }
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_lose_no_record()
    {
        // As a file of Latin-1 has them that was taken for UTF-8.
        byte[] json =
        [
            .. "[{\"id\": \""u8, 0xDC, .. "\", \"image\": \"a.jpg\", \"text\": \"caf"u8, 0xE9, .. "\\u00e9 <image>\", \"more\": {\"n"u8,
            0xE9,
            .. "e\": [\""u8, 0xFF, .. "\"]}}]"u8,
        ];
        File.WriteAllBytes(_folder["latin.json"], json);
        var dataset = Dataset.Open(_folder["latin.json"]);
        var item = Assert.Single(dataset.Read(TestContext.Current.CancellationToken));
        Assert.Null(item.Error);
        Assert.Equal("a.jpg", Assert.Single(item.Images).Reference);
        Assert.Equal(13, item.Text?.Length);
        Assert.Equal((string?[])["caf\uFFFDé <image>"], item.Record!.Fields(["text"]));
        var fields = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new System.Text.Json.Utf8JsonWriter(fields))
        {
            writer.WriteStartObject();
            item.Record.WriteFields(writer);
            writer.WriteEndObject();
        }
        Assert.Contains("\"n\uFFFDe\": [\"\uFFFD\"]", Encoding.UTF8.GetString(fields.WrittenSpan), StringComparison.Ordinal);
        using (var writer = dataset.CreateWriter(_folder["latin-out.json"]))
        {
            writer.Write(item);
            writer.Complete();
        }
        Assert.Equal(json, File.ReadAllBytes(_folder["latin-out.json"]));
    }

    [Theory]
    [InlineData("[{\"a\":Nan}]", 6)]
    [InlineData("[{\"a\":NaN},{\"a\":-Inf}]", 17)]
    [InlineData("[{\"a\":Infinit", 6)]
    [InlineData("[{\"a\":NaN 1}]", 10)]
    public void Other_words_still_break_an_array(string json, int position)
    {
        foreach (var bufferSize in new[] { 1, 3, 1 << 16 })
        {
            var e = Assert.Throws<DatasetException>(() => Array(json, bufferSize).Read(TestContext.Current.CancellationToken).Count());
            Assert.EndsWith($"(byte {position} of the file).", e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("[1]", "data.json:1: expected a JSON object; found a number.")]
    [InlineData("[\n\n null]", "data.json:3: expected a JSON object; found null.")]
    [InlineData("""[{"id": []}]""", "data.json:1: expected 'id' to be a string or an integer; found an array.")]
    [InlineData(
        """[{"image": 3}]""",
        "data.json:1: expected an image in 'image' to be a path, an object with 'url' or 'path', or null; found a number.")]
    [InlineData("""[{"images": [{"id": 0}]}]""", "data.json:1: expected an object in 'images' to have 'url' or 'path'; found neither.")]
    public void A_record_that_is_not_understood_is_an_item_with_an_error(string json, string error)
    {
        var item = Assert.Single(Array(json).Read(TestContext.Current.CancellationToken));
        Assert.StartsWith(error, item.Error, StringComparison.Ordinal);
        Assert.Empty(item.Images);
        Assert.Equal("#0", item.Id);
    }

    [Theory]
    [InlineData("[{\"id\":1},\n{\"id\":2},\n{\"id\" 3}]", 2, "data.json:3:", 27)]
    [InlineData("[{\"id\":1},\n {\"id\":2},]", 2, "data.json:2:", 21)]
    [InlineData("[{\"id\":1}, // comment\n{\"id\":2}]", 1, "data.json:1:", 11)]
    [InlineData("[{\"id\":1},{\"id\":2", 1, "data.json:1:", 17)]
    [InlineData("[{\"id\":1}]\n{\"id\":2}", 1, "data.json:2:", 11)]
    [InlineData("{\"id\":1}", 0, "data.json:1:", 0)]
    [InlineData("", 0, "data.json:1:", 0)]
    public void Broken_arrays_give_what_stands_before_and_then_the_position(string json, int before, string start, int position)
    {
        foreach (var bufferSize in new[] { 3, 1 << 16 })
        {
            var items = new List<DatasetItem>();
            var e = Assert.Throws<DatasetException>(() => items.AddRange(Lazily(Array(json, bufferSize))));
            Assert.Equal(before, items.Count);
            Assert.StartsWith(start, e.Message, StringComparison.Ordinal);
            Assert.EndsWith($"(byte {position} of the file).", e.Message, StringComparison.Ordinal);
        }

        // AddRange would lose the items before the exception.
        IEnumerable<DatasetItem> Lazily(Dataset dataset)
        {
            foreach (var item in dataset.Read())
                yield return item;
        }
    }

    [Fact]
    public void An_abandoned_array_is_valid_and_has_a_temporary_name()
    {
        var dataset = Array("[\n  {\"id\":1},\n  {\"id\":2},\n  {\"id\":3}\n]\n");
        using (var writer = dataset.CreateWriter(_folder["out.json"]))
            foreach (var item in dataset.Read(TestContext.Current.CancellationToken).Take(2))
                writer.Write(item);
        Assert.False(File.Exists(_folder["out.json"]));
        Assert.Equal("[\n  {\"id\":1},\n  {\"id\":2}\n]\n", Text(_folder["out.json.partial"]));
    }

    [Fact]
    public void A_writer_never_overwrites_the_input()
    {
        var input = _folder["in.json"];
        File.WriteAllText(input, "[{}]");
        File.CreateSymbolicLink(_folder["link.json"], input);
        File.WriteAllText(_folder["b.json"], "[{}]");
        File.CreateSymbolicLink(_folder["a.json.partial"], _folder["b.json"]);
        Assert.Throws<DatasetException>(() => Dataset.Open(input).CreateWriter(input));
        Assert.Throws<DatasetException>(() => Dataset.Open(input).CreateWriter(_folder["link.json"]));
        Assert.Throws<DatasetException>(() => Dataset.Open(_folder["b.json"]).CreateWriter(_folder["a.json"]));
        Assert.Throws<DatasetException>(() => Dataset.Open(input).CreateWriter(_folder.Path));
        Assert.Throws<DatasetException>(() => Dataset.Open(input).CreateWriter(_folder["in.json/out.json"]));
        Assert.Equal("[{}]", File.ReadAllText(input));
        Assert.Equal("[{}]", File.ReadAllText(_folder["b.json"]));
    }

    [Fact]
    public void Reading_stops_when_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var read = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var _ in Array("[{},{},{}]").Read(stop.Token))
            {
                read++;
                stop.Cancel();
            }
        });
        Assert.Equal(1, read);
    }

    private static JsonDataset Array(string json, int bufferSize = 1 << 16) =>
        new("data.json", "root", () => new MemoryStream(Encoding.UTF8.GetBytes(json)), bufferSize);

    private static string Text(string file) => Encoding.UTF8.GetString(File.ReadAllBytes(file));
}
