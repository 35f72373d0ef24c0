using System.Text.Json.Nodes;
using Pristine.Datasets;
using Pristine.PaddleMix;

namespace Pristine.Tests.PaddleMix;

public sealed class MMDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private static MMDataset Numbers(int count, MMSchema schema = MMSchema.MIX) =>
        new(Enumerable.Range(0, count).Select(i => MMItem.Parse($$"""{"id":{{i}}}""")), schema);

    private static IEnumerable<string?> Ids(MMDataset dataset) => dataset.Select(item => item.Id);

    [Fact]
    public void Slices_index_lists_and_sums_keep_schema_and_order()
    {
        var dataset = Numbers(6);
        Assert.Equal(["1", "2"], Ids(dataset[1..3]));
        Assert.Equal(["4", "5"], Ids(dataset[^2..]));
        Assert.Equal(6, dataset[..1000].Count);
        Assert.Empty(dataset[4..2]);
        Assert.Empty(dataset[10..20]);
        Assert.Equal(6, dataset[^100..].Count);
        Assert.Equal(["5", "0", "5"], Ids(dataset[[5, 0, 5]]));
        Assert.Equal("5", dataset[^1].Id);
        Assert.Equal(["4", "5", "0"], Ids(dataset[4..] + dataset[..1]));
        Assert.Equal(MMSchema.MIX, (dataset[4..] + dataset[..1]).Schema);
        Assert.Equal(MMSchema.None, (dataset + Numbers(1, MMSchema.MM)).Schema);
        Assert.Equal(MMSchema.MIX, dataset.Head(2).Shuffle(1).Sort(i => i.Id).Nonempty().Sanitize(MMSchema.None).Schema);
        Assert.Equal(10, Numbers(20).Head().Count);
        Assert.Throws<IndexOutOfRangeException>(() => dataset[6]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Map_and_filter_keep_the_order_and_leave_the_source_alone(int workers)
    {
        var dataset = Numbers(500);
        var options = new MapOptions { Workers = workers };
        var mapped = dataset.Map(i => i.With("twice", i.GetDouble("id") * 2), options, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (double?)i * 2), mapped.Select(i => i.GetDouble("twice")));
        Assert.All(dataset, i => Assert.Null(i["twice"]));
        var even = mapped.Filter(i => i.GetDouble("id") % 2 == 0, options, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"{2 * i}"), Ids(even));
        Assert.Empty(even.Failures);
        Assert.Equal(MMSchema.MIX, even.Schema);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_function_that_throws_costs_its_own_item_only(int workers)
    {
        var options = new MapOptions { Workers = workers };
        var dataset = Numbers(100);
        var mapped = dataset.Map(i => i.GetDouble("id") % 10 == 3 ? throw new InvalidDataException("three") : i.With(
            "done", true), options, TestContext.Current.CancellationToken);
        Assert.Equal(100, mapped.Count);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => i * 10 + 3), mapped.Failures.Select(f => f.Index));
        Assert.All(mapped.Failures, f => Assert.Same(dataset[f.Index], mapped[f.Index]));
        Assert.All(mapped.Failures, f => Assert.IsType<InvalidDataException>(f.Error));

        var filtered = mapped.Filter(
            i => i.Id == "7" ? throw new InvalidDataException("seven") : true, options, TestContext.Current.CancellationToken);
        Assert.Equal(99, filtered.Count);
        Assert.DoesNotContain("7", Ids(filtered));
        Assert.Equal(11, filtered[..5].Failures.Count);
        Assert.Equal(11, (filtered[..5] + filtered[5..]).Failures.Count);

        var e = Assert.Throws<DatasetException>(() => dataset.Map(
            i => i.Id == "50"
                ? throw new InvalidDataException("fifty")
                : i, options with { OnError = ItemErrors.Throw }, TestContext.Current.CancellationToken));
        Assert.Equal("Item 50 (id '50') failed: fifty", e.Message);
    }

    [Fact]
    public void Progress_ends_at_the_total_and_cancelling_stops()
    {
        var reports = new Reports();
        Numbers(300).Map(
            i => i.Id == "5"
                ? throw new InvalidDataException()
                : i, new MapOptions { Workers = 3, Progress = reports }, TestContext.Current.CancellationToken);
        Assert.Equal(new MapProgress(300, 300, 1), reports.All[^1]);
        Assert.Equal(reports.All.OrderBy(r => r.Done), reports.All);

        using var stop = new CancellationTokenSource();
        var calls = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => Numbers(1000).Filter(
            _ =>
            {
                if (Interlocked.Increment(ref calls) == 10)
                    stop.Cancel();
                return true;
            },
            new MapOptions { Workers = 1 },
            stop.Token));
        Assert.InRange(calls, 10, 999);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Numbers(1).Map(i => i, new MapOptions { Workers = 0 }, TestContext.Current.CancellationToken));
    }

    private sealed class Reports : IProgress<MapProgress>
    {
        public List<MapProgress> All { get; } = [];

        public void Report(MapProgress value) => All.Add(value);
    }

    [Fact]
    public void Null_keeps_its_place_until_nonempty_drops_it()
    {
        var mapped = Numbers(3).Map(i => i.Id == "1" ? null : i, cancellation: TestContext.Current.CancellationToken);
        Assert.Same(MMItem.Null, mapped[1]);
        mapped.ExportJsonl(_folder["out.jsonl"]);
        Assert.Equal("{\"id\":0}\nnull\n{\"id\":2}", File.ReadAllText(_folder["out.jsonl"]));
        Assert.Equal(["0", "2"], Ids(MMDataset.FromJsonl(_folder["out.jsonl"]).Nonempty()));
        Assert.Empty(new MMDataset([MMItem.Empty, MMItem.Null]).Nonempty());
    }

    [Fact]
    public void Shuffle_and_sample_repeat_with_a_seed_and_draw_each_item_once()
    {
        var dataset = Numbers(50);
        Assert.Equal(Ids(dataset.Shuffle(7)), Ids(dataset.Shuffle(7)));
        Assert.NotEqual(Ids(dataset.Shuffle(7)), Ids(dataset.Shuffle(8)));
        Assert.Equal(Ids(dataset), dataset.Shuffle(7).Select(i => i.Id)
            .OrderBy(id => int.Parse(id!, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(20, dataset.Sample(20, 3).Select(i => i.Id).Distinct().Count());
        Assert.Equal(Ids(dataset.Sample(20, 3)), Ids(dataset.Sample(20, 3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => dataset.Sample(51));
        Assert.Equal("0", dataset[0].Id);
    }

    [Fact]
    public void Sorting_is_stable_and_ordinal()
    {
        var dataset = new MMDataset(new[] { "b1", "B1", "a2", "b2", "ä1" }.Select(id => MMItem.Empty.With("id", id)));
        Assert.Equal(["B1", "a2", "b1", "b2", "ä1"], Ids(dataset.Sort(i => i.Id)));
        Assert.Equal(["b1", "B1", "ä1", "a2", "b2"], Ids(dataset.Sort(i => i.Id![1])));
        Assert.Equal(["a2", "b2", "b1", "B1", "ä1"], Ids(dataset.SortDescending(i => i.Id![1])));
    }

    [Fact]
    public void Exports_are_what_python_writes()
    {
        // Python 3.11: items = json.loads(source); json.dump(items, f, ensure_ascii=False, indent=4)
        // and "\n".join(json.dumps(item, separators=(",", ":")) for item in items).
        const string source = """
            [{"id": 1, "text": "é 中 \ud83d\ude42 \u0000\u001f\u007f\" \\ \/ \b\f\n\r\t\u2028", "none": null,
              "empty": [{}, [], [[]]], "n": [0, -1, 1.5, 1e-07, 12345678901234567890], "é": true}, {}, {"b": {"a": false}}]
            """;
        const string json = "[\n    {\n        \"id\": 1,\n        \"text\": \"é 中 🙂 \\u0000\\u001f\u007f\\\" \\\\ / " +
            "\\b\\f\\n\\r\\t\u2028\",\n        \"none\": null,\n        \"empty\": [\n            {},\n            [],\n            [\n  " +
            "              []\n            ]\n        ],\n        \"n\": [\n            0,\n            -1,\n            1.5,\n          " +
            "  1e-07,\n            12345678901234567890\n        ],\n        \"é\": true\n    },\n    {},\n    {\n        \"b\": {\n     " +
            "       \"a\": false\n        }\n    }\n]";
        const string jsonl = "{\"id\":1,\"text\":\"\\u00e9 \\u4e2d \\ud83d\\ude42 \\u0000\\u001f\\u007f\\\" \\\\ / " +
            "\\b\\f\\n\\r\\t\\u2028\",\"none\":null,\"empty\":[{},[],[[]]],\"n\":[0,-1,1.5,1e-07,12345678901234567890],\"\\u00e9\":true}\n{}\n{\"b\":{\"a\":false}}";
        File.WriteAllText(_folder["in.json"], source);
        var dataset = MMDataset.FromJson(_folder["in.json"]);
        dataset.ExportJson(_folder["out.json"]);
        dataset.ExportJsonl(_folder["out.jsonl"]);
        Assert.Equal(json, File.ReadAllText(_folder["out.json"]));
        Assert.Equal(jsonl, File.ReadAllText(_folder["out.jsonl"]));
        MMDataset.FromJsonl(_folder["out.jsonl"]).ExportJson(_folder["again.json"]);
        Assert.Equal(json, File.ReadAllText(_folder["again.json"]));
        new MMDataset([]).ExportJson(_folder["out.json"]);
        Assert.Equal("[]", File.ReadAllText(_folder["out.json"]));
    }

    [Fact]
    public void Items_keep_spelling_order_and_what_is_unknown()
    {
        const string text = """{"z":1.0,"a":1e400,"s":"\ud800","n":-0,"z2":{"k":1,"k":2}}""";
        var item = MMItem.Parse(text);
        Assert.Equal(text, item.ToString());
        Assert.Equal("""{"z":2.5,"a":1e400,"s":"\ud800","n":-0,"z2":{"k":1,"k":2},"__tag":0.25}""", item.With("z", 2.5).With("__tag", 0.25)
            .ToString());
        Assert.Equal("""{"a":1e400,"n":-0}""", item.Without("z").Without("s").Without("z2").ToString());
        Assert.Equal(text, item.ToString());
        Assert.Same(item, item.Without("absent"));
        Assert.Equal(double.PositiveInfinity, item.GetDouble("a"));
        Assert.Null(item.GetString("z"));
        Assert.Throws<ArgumentException>(() => item.With("x", double.NaN));

        var copy = MMItem.Parse("""{"a":{"b":1.0}}""").ToJsonObject();
        copy["a"]!["c"] = new JsonArray(1, "é");
        Assert.Equal("""{"a":{"b":1.0,"c":[1,"é"]}}""", MMItem.From(copy).ToString());
        Assert.Equal(["1.jpg", "2.png"], MMItem.Parse("""{"image":"1.jpg","images":[{"id":0,"url":"2.png"}]}""").Images);
        foreach (var wrong in new[] { "", "[1]", "{", "3", "{\"a\":1,}" })
            Assert.Throws<FormatException>(() => MMItem.Parse(wrong));
    }

    [Theory]
    [InlineData("""{"id":"a","image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", true)]
    [InlineData("""{"id":0,"image":"x.PNG","conversations":[{"from":"gpt","value":"v","more":1}],"more":{}}""", true)]
    [InlineData(
        """{"id":1.0,"image":"x.jpeg","conversations":[{"from":"gpt","value":"v"}],"meta":{"width":1,"height":null,"is_valid":true}}""",
        true)]
    [InlineData("""{"id":"a","image":"x.jpg\n","conversations":[{"from":"human","value":"v"}]}""", true)]
    [InlineData("""{"id":" \u001c\u00a0","image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":-1,"image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":1.5,"image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":1e400,"image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":true,"image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"image":"x.jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"image":"x.Jpg","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"image":"x.webp","conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"conversations":[{"from":"human","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"image":"x.jpg","conversations":[]}""", false)]
    [InlineData("""{"id":1,"image":"x.jpg","conversations":[["q","a"]]}""", false)]
    [InlineData("""{"id":1,"image":"x.jpg","conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"image":"x.jpg","conversations":[{"from":"gpt","value":" \n"}]}""", false)]
    [InlineData("""{"id":1,"image":"x.jpg","conversations":[{"from":"gpt","value":"\ud800"}]}""", false)]
    [InlineData("""{"id":1,"image":"x.jpg","conversations":[{"from":"gpt","value":"v"}],"meta":{"width":1}}""", false)]
    [InlineData("null", false)]
    public void Mm_rules(string json, bool isValid) => AssertValid(json, MMSchema.MM, isValid);

    [Theory]
    [InlineData("""{"id":1,"images":null,"conversations":[{"from":"user","value":null}]}""", true)]
    [InlineData("""{"id":1,"images":[{"id":0,"url":"a.webp","width":3}],"conversations":[{"from":"assistant","value":""}]}""", true)]
    [InlineData("""{"id":1,"conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"images":[],"conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"images":["a.jpg"],"conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"images":[{"id":-1,"url":"a.jpg"}],"conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"images":[{"id":0,"url":"a.gif"}],"conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"images":[{"id":0,"url":"a.jpg","width":1.5}],"conversations":[{"from":"user","value":"v"}]}""", false)]
    [InlineData("""{"id":1,"images":null,"conversations":[{"from":"human","value":"v"}]}""", false)]
    public void Mix_rules(string json, bool isValid) => AssertValid(json, MMSchema.MIX, isValid);

    private static void AssertValid(string json, MMSchema schema, bool isValid)
    {
        var item = MMItem.Parse(json);
        var violation = MMSchemas.Violation(item, schema);
        Assert.Equal(isValid, violation is null);
        Assert.Equal(isValid ? 1 : 0, new MMDataset([item], schema).Sanitize().Count);
        Assert.Single(new MMDataset([item], schema).Sanitize(MMSchema.None));
        if (!isValid)
            Assert.Contains("expected", violation!, StringComparison.Ordinal);
    }

    [Fact]
    public void Mm_becomes_mix()
    {
        // Without further fields, what convert_schema of PaddleMIX gives; further fields stay.
        var dataset = new MMDataset(new[]
        {
            """{"id":"a","image":"1.jpg","conversations":[{"from":"human","value":"<image>\nWhat?"},{"from":"gpt","value":"A <image>."}],"extra":1.0}""",
            """{"image":"2.jpg","id":2,"conversations":[{"from":"human","value":"Why?"}]}""",
            """{"id":3,"conversations":[{"from":"human","value":"<image> as text"}]}""",
            """{"id":4,"conversations":[["q","a"]]}""",
        }.Select(MMItem.Parse));
        var mix = dataset.ConvertSchema(MMSchema.MIX);
        Assert.Equal(MMSchema.MIX, mix.Schema);
        Assert.Equal(
            [
                """{"id":"a","images":[{"id":0,"url":"1.jpg"}],"conversations":[{"from":"user","value":"<image>0</image>\nWhat?"},{"from":"assistant","value":"A <image>."}],"extra":1.0}""",
                """{"id":2,"images":[{"id":0,"url":"2.jpg"}],"conversations":[{"from":"user","value":"<image>0</image>\nWhy?"}]}""",
                """{"id":3,"images":null,"conversations":[{"from":"user","value":"<image> as text"}]}""",
                """{"id":4,"conversations":[["q","a"]]}""",
            ],
            mix.Select(i => i.ToString()));
        Assert.Equal([3], mix.Failures.Select(f => f.Index));
        Assert.Equal(3, mix.Sanitize().Count);
        Assert.Equal(MMSchema.MM, dataset.Schema);
        Assert.Throws<NotSupportedException>(() => mix.ConvertSchema(MMSchema.MM));
    }

    [Fact]
    public void FromAuto_reads_files_folders_globs_and_lists()
    {
        File.WriteAllText(_folder["b.json"], """[{"id":1,"images":null}, {"id":2}]""");
        File.WriteAllText(_folder["a.jsonl"], "\n{\"id\":3}\r\n\n{\"id\":4}");
        File.WriteAllText(_folder["note.txt"], "no");
        Directory.CreateDirectory(_folder["deeper"]);
        File.WriteAllText(_folder["deeper/c.json"], "[]");
        Assert.Equal(["3", "4", "1", "2"], Ids(MMDataset.FromAuto(_folder.Path)));
        Assert.Equal(["3", "4", "1", "2"], Ids(MMDataset.FromAuto(_folder["*.json*"])));
        Assert.Equal(["1", "2"], Ids(MMDataset.FromAuto(_folder["b.json"])));
        Assert.Equal(["1", "2", "3", "4"], Ids(MMDataset.FromAuto([_folder["b.json"], _folder["a.jsonl"]])));
        Assert.Equal(MMSchema.MIX, MMDataset.FromAuto(_folder.Path).Schema);
        Assert.Equal(MMSchema.MM, MMDataset.FromAuto(_folder["a.jsonl"]).Schema);
        Assert.Equal(MMSchema.None, MMDataset.FromAuto(_folder["a.jsonl"], MMSchema.None).Schema);
        foreach (var wrong in new[] { "absent.json", "note.txt", "*.csv", "nowhere/*.json" })
            Assert.Throws<DatasetException>(() => MMDataset.FromAuto(_folder[wrong]));
        File.WriteAllText(_folder["x.h5"], "");
        Assert.Contains("part file of PaddleMIX in HDF5", Assert.Throws<DatasetException>(
            () => MMDataset.FromAuto(_folder["x.h5"])).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["bad.jsonl"], "{\"id\":1}\n{\"id\"}\n");
        Assert.StartsWith($"{_folder["bad.jsonl"]}:2: expected a JSON object;", Assert.Throws<DatasetException>(
            () => MMDataset.FromJsonl(_folder["bad.jsonl"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_Python_writes_beside_JSON_is_null_to_read_and_stays_in_exports()
    {
        const string line =
            """{"id":1,"image":"a.jpg","area":NaN,"box":[1.50,-Infinity,{"x":Infinity}],"text":"NaN \u00e4","conversations":[{"from":"human","value":"x"}]}""";
        File.WriteAllText(_folder["a.jsonl"], line);
        File.WriteAllText(_folder["a.json"], $"[{line}]");
        foreach (var file in new[] { "a.jsonl", "a.json" })
        {
            var dataset = MMDataset.FromAuto(_folder[file]);
            Assert.Equal(System.Text.Json.JsonValueKind.Null, dataset[0]["area"]!.Value.ValueKind);
            dataset.ExportJsonl(_folder["out"]);
            Assert.Equal(line, File.ReadAllText(_folder["out"]));
            dataset.ExportJson(_folder["out"]);
            Assert.Contains("\"area\": NaN,\n        \"box\": [\n            1.50,\n            -Infinity,", File.ReadAllText(
                _folder["out"]), StringComparison.Ordinal);
            // A changed copy has them where it was not changed.
            new MMDataset([dataset[0].With("area", 3).Without("text").With("new", "x")]).ExportJsonl(_folder["out"]);
            Assert.Equal(
                """{"id":1,"image":"a.jpg","area":3,"box":[1.50,-Infinity,{"x":Infinity}],"conversations":[{"from":"human","value":"x"}],"new":"x"}""", File.ReadAllText(_folder["out"]));
            dataset.ConvertSchema(MMSchema.MIX).ExportJsonl(_folder["out"]);
            Assert.EndsWith(""","area":NaN,"box":[1.50,-Infinity,{"x":Infinity}],"text":"NaN \u00e4"}""", File.ReadAllText(
                _folder["out"]), StringComparison.Ordinal);
        }
        File.WriteAllText(_folder["bad.jsonl"], """{"id":1,"area":NaN,}""");
        Assert.Throws<DatasetException>(() => MMDataset.FromJsonl(_folder["bad.jsonl"]));
    }

    [Fact]
    public void Part_files_in_HDF5_have_the_records_in_order()
    {
        File.WriteAllText(
            _folder["a.jsonl"],
            string.Join(
                '\n', Enumerable.Range(0, 500)
                    .Select(i =>
                    $$"""{"id":{{i}},"image":"{{i}}.jpg","text":"{{new string('x', i * 97 % 300)}}\u00e4","area":NaN,"big":1.50}""")
                    .Append("null").Append("{}")));
        var dataset = MMDataset.FromJsonl(_folder["a.jsonl"]);
        dataset.ExportH5(_folder["parts/a-part-00000_0000.h5"]);
        dataset.Filter(item => item.Id?.EndsWith('7') == true, cancellation: TestContext.Current.CancellationToken)
            .ExportH5(_folder["parts/a-part-00000_0001.h5"]);
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(_folder["parts"]).Count());
        var again = MMDataset.FromH5(_folder["parts/a-part-00000_0000.h5"]);
        again.ExportJsonl(_folder["b.jsonl"]);
        Assert.Equal(File.ReadAllText(_folder["a.jsonl"]), File.ReadAllText(_folder["b.jsonl"]));
        var all = MMDataset.FromAuto(_folder["parts"]);
        Assert.Equal(502 + 50, all.Count);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{(10 * i) + 7}"), all[502..].Select(item => item.Id));
        new MMDataset([]).ExportH5(_folder["empty.h5"]);
        Assert.Empty(MMDataset.FromH5(_folder["empty.h5"]));
        File.WriteAllBytes(_folder["cut.h5"], File.ReadAllBytes(_folder["parts/a-part-00000_0000.h5"])[..200]);
        Assert.Contains(
            "cut.h5", Assert.Throws<DatasetException>(() => MMDataset.FromH5(_folder["cut.h5"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_part_file_is_a_dataset_whose_kept_records_are_written_byte_for_byte()
    {
        PartFiles.Register();
        File.WriteAllLines(
            _folder["a.jsonl"], Enumerable.Range(0, 9).Select(i => $$"""{"id":{{i}},"image":"{{i}}.jpg","area":NaN,"text":"ä"}"""));
        MMDataset.FromJsonl(_folder["a.jsonl"]).ExportH5(_folder["a.h5"]);
        var dataset = Dataset.Open(_folder["a.h5"]);
        dataset.RequireImages(TestContext.Current.CancellationToken);
        Assert.Equal("records, images in 'image'", dataset.Layout);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(_folder["4.jpg"], items[4].Images.Single().LocalPath);
        Export("all.h5", _ => true);
        Assert.Equal(Lines("a.h5"), Lines("all.h5"));
        Export("kept.h5", index => index % 2 == 0);
        Assert.Equal(Lines("a.h5").Where((_, i) => i % 2 == 0), Lines("kept.h5"));
        Export("none.h5", _ => false);
        Assert.Empty(Lines("none.h5"));
        Export("kept.h5.gz", index => index > 4);
        Export("kept.jsonl", index => index % 2 == 0);
        Assert.Equal(Lines("kept.h5"), File.ReadAllLines(_folder["kept.jsonl"]));
        Assert.Contains(
            "part file of PaddleMIX", Assert.Throws<DatasetException>(() => dataset.CreateExport(_folder["kept.json"])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "would overwrite", Assert.Throws<DatasetException>(() => dataset.CreateExport(_folder["a.h5"])).Message,
            StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.partial"));

        void Export(string name, Func<long, bool> isKept)
        {
            using var writer = dataset.CreateExport(_folder[name]);
            foreach (var item in items.Where(item => isKept(item.Index)))
                writer.Write(item);
            writer.Complete();
        }

        string[] Lines(string name)
        {
            MMDataset.FromH5(_folder[name]).ExportJsonl(_folder["lines"]);
            return File.ReadAllText(_folder["lines"]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    [Fact]
    public void Info_counts()
    {
        var dataset = new MMDataset(new[]
        {
            """{"id":1,"image":"x.jpg","conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}]}""",
            """{"id":2,"image":["x.jpg","y.jpg"]}""",
            "{}",
            """{"id":3,"image":5}""",
        }.Select(MMItem.Parse));
        Assert.Equal(new MMDatasetInfo(4, MMSchema.MM) { Empty = 1, WithoutImage = 2, Images = 3, Turns = 2, Invalid = 3 }, dataset.Info());
    }
}
