using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Types;
using ParquetSharp.Arrow;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;
using Encoding = System.Text.Encoding;

namespace Pristine.Tests.Datasets;

public sealed class ParquetDatasetTests : IDisposable
{
    private const string HuggingFace = """{"info": {"features": {"picture": {"_type": "Image"}}}}""";
    private static readonly byte[] Leaf = System.IO.File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly DuckDbConnection _database = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("zstd", 1)]
    [InlineData("zstd", 2)]
    [InlineData("snappy", 3)]
    [InlineData("uncompressed", 2)]
    [InlineData("gzip", 7)]
    [InlineData("lz4_raw", 2)]
    [InlineData("brotli", 5)]
    public void Every_type_of_column_is_written_back_as_it_is_stored(string compression, int every)
    {
        DuckFile("in.parquet", compression);
        var dataset = Dataset.Open(_folder["in.parquet"]);
        dataset.RequireImages(Token);
        Assert.Equal("Parquet, images in 'picture'", dataset.Layout);
        var items = dataset.Read(Token).ToList();
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (long)i), items.Select(item => item.Index));
        Assert.All(items, item => Assert.Null(item.Error));
        var kept = items.Where(item => item.Index % every == 0).ToList();
        Export(dataset, kept, "out.parquet");
        AssertSame("in.parquet", "out.parquet", $"i % {every} = 0");
        Assert.Equal(Raw(items), Raw(dataset.Parts.SelectMany(part => part.Read(Token))));
        // What was written is read as the same items.
        var again = Dataset.Open(_folder["out.parquet"]).Read(Token).ToList();
        Assert.Equal(Raw(kept), Raw(again));
    }

    [Fact]
    public void Types_that_only_Arrow_writes_are_written_back_as_they_are_stored()
    {
        var path = _folder["in.parquet"];
        ArrowFile(path, rows: 1000, rowsPerGroup: 64);
        var dataset = Dataset.Open(path);
        Assert.Equal(16, dataset.Parts.Count);
        var items = dataset.Read(Token).ToList();
        using var decoder = new ImageDecoder();
        decoder.Load(new ImageFinder(_folder.Path).Find("in.parquet/image#777"), ImageInput.Rgb);
        Assert.StartsWith("image 777 ", Encoding.UTF8.GetString(decoder.FileBytes), StringComparison.Ordinal);
        Export(dataset, items, "all.parquet");
        AssertSame("in.parquet", "all.parquet", "true");
        Assert.Equal(ArrowSchema(path), ArrowSchema(_folder["all.parquet"]));
        Export(dataset, items.Where(item => item.Index is >= 60 and < 70 or 999), "some.parquet");
        AssertSame("in.parquet", "some.parquet", "(number >= 60 and number < 70) or number = 999");
        Assert.Equal(ArrowSchema(path), ArrowSchema(_folder["some.parquet"]));
        Export(dataset, [], "none.parquet");
        Assert.Empty(Dataset.Open(_folder["none.parquet"]).Read(Token));
        Assert.Equal(ArrowSchema(path), ArrowSchema(_folder["none.parquet"]));
        // Small groups become larger ones, up to the bound.
        Assert.Single(Dataset.Open(_folder["all.parquet"]).Parts);
        using (var bounded = new ParquetRowWriter(
            _folder["bounded.parquet"], [new ParquetFile("in.parquet", path)])
        { GroupBound = 20_000 })
        {
            items.ForEach(bounded.Write);
            bounded.Complete();
        }
        Assert.InRange(Dataset.Open(_folder["bounded.parquet"]).Parts.Count, 2, 15);
        AssertSame("in.parquet", "bounded.parquet", "true");
    }

    [Fact]
    public void Images_are_bytes_or_paths_in_columns_of_many_shapes()
    {
        System.IO.File.WriteAllBytes(_folder["leaf.jpg"], Leaf);
        var blob = $"'{Convert.ToHexString(Leaf[..40])}'::VARCHAR";
        foreach (var (column, expected) in new (string, string)[]
        {
            ($"{{'bytes': unhex({blob}), 'path': 'leaf.jpg'}} AS image", "t.parquet/image#0"),
            ("{'bytes': NULL::BLOB, 'path': 'leaf.jpg'} AS image", "leaf.jpg"),
            ("{'bytes': NULL::BLOB, 'path': NULL::VARCHAR} AS image", ""),
            ($"unhex({blob}) AS image", "t.parquet/image#0"),
            ($"unhex({blob}) AS jpg, 'x' AS caption", "t.parquet/jpg#0"),
            ($"[{{'bytes': unhex({blob}), 'path': NULL::VARCHAR}}, {{'bytes': NULL::BLOB, 'path': 'leaf.jpg'}}] AS images",
                "t.parquet/images[0]#0 leaf.jpg"),
            ($"[unhex({blob}), unhex({blob})] AS images", "t.parquet/images[0]#0 t.parquet/images[1]#0"),
            ("[]::STRUCT(bytes BLOB, path VARCHAR)[] AS images", ""),
            ($"{{'bytes': unhex({blob}), 'path': 'x'}} AS odd, 'leaf.jpg' AS image", "t.parquet/odd#0"),
            ("'leaf.jpg' AS image", "leaf.jpg"),
            ("'leaf.jpg' AS file_name", "leaf.jpg"),
            ("'https://host/leaf.jpg' AS url, 'caption' AS caption", "https://host/leaf.jpg"),
            ("['leaf.jpg', 'b.jpg'] AS images", "leaf.jpg b.jpg"),
            ("""'[{"role":"user","content":[{"type":"image","image":"leaf.jpg"}]}]' AS messages""", "leaf.jpg"),
            ("[{'role': 'user', 'content': [{'type': 'image', 'image': 'leaf.jpg'}]}] AS messages", "leaf.jpg"),
        })
        {
            _database.Execute($"COPY (SELECT {column}) TO {DuckDbConnection.Literal(_folder["t.parquet"])}");
            var item = Assert.Single(Dataset.Open(_folder["t.parquet"]).Read(Token));
            Assert.Equal((expected, null), (string.Join(' ', item.Images.Select(image => image.Reference)), item.Error));
            using var decoder = new ImageDecoder();
            foreach (var image in item.Images.Where(image => image.Reference == "leaf.jpg"))
                Assert.Equal(ImageStatus.Ok, decoder.Load(image, ImageInput.Rgb).Status);
            foreach (var image in item.Images.Where(image => image.LocalPath == null && image.Reference.StartsWith('t')))
            {
                decoder.Load(new ImageFinder(_folder.Path).Find(image.Reference), ImageInput.Rgb);
                Assert.Equal(Leaf[..40], decoder.FileBytes.ToArray());
            }
        }
        // A field that is asked for, within a struct or not.
        _database.Execute(
            $"COPY (SELECT 'no' AS image, {{'in': {{'scan': unhex({blob})}}, 'p': 'leaf.jpg'}} AS page) TO " +
            $"{DuckDbConnection.Literal(_folder["t.parquet"])}");
        foreach (var (field, expected) in new[] { ("page.in.scan", "t.parquet/page.in.scan#0"), ("page.p", "leaf.jpg"), ("image", "no") })
            Assert.Equal(expected, Dataset.Open(_folder["t.parquet"], new DatasetOptions { ImageField = field }).Read(Token)
                .Single().Images.Single().Reference);
    }

    [Fact]
    public void The_other_columns_are_the_record()
    {
        _database.Execute($$"""
            COPY (SELECT 'a' AS id, 'x.jpg' AS image, 'two words' AS caption, 7::UTINYINT AS n, -1.50::DECIMAL(9,2) AS d, true AS b, DATE '2024-02-29' AS day,
                TIMESTAMP '2024-02-29 12:30:00.5' AS t, [1.5, 2.5] AS embedding, 'x'::BLOB AS blob, NULL::VARCHAR AS nothing, 'NaN'::FLOAT AS nan,
                '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'::UUID AS u, '12345678901234567890123456789012345678'::DECIMAL(38,0) AS big,
                [{'from': 'human', 'value': '<image> hi'}, {'from': 'gpt', 'value': 'ho'}] AS conversations)
            TO {{DuckDbConnection.Literal(_folder["t.parquet"])}}
            """);
        var item = Dataset.Open(_folder["t.parquet"]).Read(Token).Single();
        Assert.Equal("a", item.Id);
        Assert.Equal(new ItemText(21, 5, 2) { ImageTokens = 1 }, item.Record!.Text);
        Assert.Equal(
            (string?[])["two words", "7", "-1.50", "true", "2024-02-29", "2024-02-29T12:30:00.5", null, null, null, null,
                "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "12345678901234567890123456789012345678"],
            item.Record.Fields(["caption", "n", "d", "b", "day", "t", "embedding", "blob", "nothing", "nan", "u", "big"]));
        // The same conversation as the text of a JSON array.
        _database.Execute(
            $"""COPY (SELECT 'x.jpg' AS image, '[["<image> hi","ho"]]' AS conversations) TO {DuckDbConnection.Literal(_folder["t.parquet"])}""");
        Assert.Equal(new ItemText(12, 3, 2) { ImageTokens = 1 }, Dataset.Open(_folder["t.parquet"]).Read(Token).Single().Record!.Text);
    }

    [Fact]
    public void Several_files_are_one_dataset_and_are_written_into_one_file_several_or_files_of_the_same_names()
    {
        for (var file = 0; file < 3; file++)
            ArrowFile(_folder[$"set/data/train-{file}.parquet"], 100, 40, first: file * 100);
        System.IO.File.WriteAllText(_folder["set/README.md"], "x");
        var dataset = Dataset.Open(_folder["set"]);
        Assert.Equal(DatasetFormat.Parquet, dataset.Format);
        Assert.Equal(["data/train-0.parquet#0", "data/train-0.parquet#1", "data/train-0.parquet#2"], dataset.Parts.Take(3)
            .Select(part => part.Name));
        var items = dataset.Read(Token).ToList();
        Assert.Equal(300, items.Count);
        Assert.Equal("data/train-1.parquet/image#83", items[183].Images.Single().Reference);
        foreach (var other in (string[])["set/data/*.parquet", "set/data/train-{0..2}.parquet"])
            Assert.Equal(Raw(items), Raw(Dataset.Open(_folder[other]).Read(Token)));
        Assert.Contains("train-3.parquet", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["set/data/train-{0..3}.parquet"])).Message, StringComparison.Ordinal);

        Export(dataset, items.Where(item => item.Index % 2 == 0), "one.parquet");
        AssertSame("set/data/*.parquet", "one.parquet", "number % 2 = 0");
        Export(dataset, items.Where(item => item.Index is < 100 or >= 250), "kept/");
        Assert.Equal(["train-0.parquet", "train-2.parquet"], Directory.GetFiles(_folder["kept/data"]).Select(Path.GetFileName)
            .Order(StringComparer.Ordinal));
        AssertSame("set/data/train-2.parquet", "kept/data/train-2.parquet", "number >= 250");
        using (var writer = new ParquetRowWriter(_folder["some/k-{000..}.parquet"], [.. Enumerable.Range(0, 3)
            .Select(i => new ParquetFile($"{i}", _folder[$"set/data/train-{i}.parquet"]))])
        { GroupBound = 1, FileBound = 1 })
        {
            items.ForEach(writer.Write);
            Assert.Empty(Directory.GetFiles(_folder["some"], "*.parquet"));
            writer.Complete();
        }
        Assert.Equal(9, Directory.GetFiles(_folder["some"]).Length);
        AssertSame("set/data/*.parquet", "some/*.parquet", "true");
        // What an earlier export has more of, a new one removes and names.
        using (var writer = dataset.CreateWriter(_folder["some/k-{000..}.parquet"]))
        {
            items.ForEach(writer.Write);
            writer.Complete();
            Assert.Equal(Enumerable.Range(1, 8).Select(i => $"k-{i:000}.parquet"), writer.Removed.Select(Path.GetFileName));
        }
        Assert.Single(Directory.GetFiles(_folder["some"]));

        DuckFile("set/data/train-9.parquet", "zstd");
        Assert.Contains("other columns", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["set"]).CreateWriter(_folder["x.parquet"])).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["table"]);
        System.IO.File.WriteAllText(_folder["table/scores.json"], "{}");
        System.IO.File.Copy(_folder["one.parquet"], _folder["table/part-0000-000000.parquet"]);
        Assert.Contains(
            "score table", Assert.Throws<DatasetException>(() => Dataset.Open(_folder["table"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_Parquet_file_or_is_damaged_is_told_with_file_and_place()
    {
        ArrowFile(_folder["whole.parquet"], 1000, 100);
        var whole = System.IO.File.ReadAllBytes(_folder["whole.parquet"]);
        var footer = whole.Length - 8 - BitConverter.ToInt32(whole, whole.Length - 8);
        foreach (var (bytes, found) in new (byte[], string)[]
        {
            ([], "it has 0 bytes"),
            (new byte[100], "found something else"),
            (Encoding.UTF8.GetBytes(new string('{', 100)), "found something else"),
            (whole[..^100], "cut off"),
            ([.. "PARE"u8, .. whole[4..]], "encrypted"),
            ([.. whole[..^8], .. BitConverter.GetBytes(int.MaxValue), .. "PAR1"u8], "its footer is damaged"),
            ([.. whole[..footer], .. new byte[40], .. whole[(footer + 40)..]], "its footer is damaged"),
        })
        {
            System.IO.File.WriteAllBytes(_folder["bad.parquet"], bytes);
            var message = Assert.Throws<DatasetException>(() => Dataset.Open(_folder["bad.parquet"]).Read(Token).Count()).Message;
            Assert.Contains(found, message, StringComparison.Ordinal);
            Assert.Contains("bad.parquet", message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
        // Damage within: the items before it are given.
        var damaged = whole.ToArray();
        damaged.AsSpan(whole.Length / 2, 12_000).Fill(0xFF);
        System.IO.File.WriteAllBytes(_folder["bad.parquet"], damaged);
        var items = new List<DatasetItem>();
        var e = Assert.Throws<DatasetException>(() =>
        {
            foreach (var item in Dataset.Open(_folder["bad.parquet"]).Read(Token))
                items.Add(item);
        });
        Assert.InRange(items.Count, 100, 900);
        Assert.Matches(@"bad\.parquet: .* row group \d, row \d+", e.Message);
        Assert.Contains("none of the 1 rows", Refused("SELECT 'x' AS words, 2 AS n"), StringComparison.Ordinal);
        Assert.Contains("Columns: words, n", Refused("SELECT 'x' AS words, 2 AS n"), StringComparison.Ordinal);
        Assert.Contains("ends in .parquet", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["whole.parquet"]).CreateWriter(_folder["kept.txt"])).Message, StringComparison.Ordinal);
        Assert.Contains("would overwrite", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["whole.parquet"]).CreateWriter(_folder["whole.parquet"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_damage_never_ends_the_process()
    {
        ArrowFile(_folder["whole.parquet"], 300, 50);
        var whole = System.IO.File.ReadAllBytes(_folder["whole.parquet"]);
        var random = new Random(7);
        for (var round = 0; round < 150; round++)
        {
            var bytes = whole.ToArray();
            for (var i = 0; i < 1 + random.Next(8); i++)
                bytes[random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(Math.Min(4000, bytes.Length))] =
                    (byte)random.Next(256);
            System.IO.File.WriteAllBytes(_folder["bad.parquet"], bytes);
            try
            {
                var dataset = Dataset.Open(_folder["bad.parquet"]);
                var items = dataset.Read(Token).Take(400).ToList();
                Export(dataset, items, "out.parquet");
            }
            catch (DatasetException e)
            {
                Assert.Contains("parquet", e.Message, StringComparison.Ordinal);
            }
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Raw(IEnumerable<DatasetItem> items) => items.Select(item => Encoding.UTF8.GetString(item.Raw.Span));

    private string Refused(string sql)
    {
        _database.Execute($"COPY ({sql}) TO {DuckDbConnection.Literal(_folder["t.parquet"])}");
        return Assert.Throws<DatasetException>(() => Dataset.Open(_folder["t.parquet"]).RequireImages(Token)).Message;
    }

    private void Export(Dataset dataset, IEnumerable<DatasetItem> items, string name)
    {
        using var writer = dataset.CreateWriter(_folder[name]);
        foreach (var item in items)
            writer.Write(item);
        writer.Complete();
    }

    /// <summary>Compares through DuckDB: values in order, schema, metadata.</summary>
    private void AssertSame(string input, string output, string condition)
    {
        string[] Lines(string sql)
        {
            using var rows = _database.Query(sql);
            var lines = new List<string>();
            while (rows.Read())
                lines.Add(rows.Text(0)!);
            return [.. lines];
        }
        string Literal(string name) => DuckDbConnection.Literal(_folder[name]);
        string Values(string name, string where) =>
            $"SELECT t::VARCHAR FROM (SELECT * FROM read_parquet({Literal(name)}, filename = false) WHERE {where}) t";
        // Types are annotated in two ways, of which the older (converted_type) says less. Arrow writes the newer (logical_type) always, and
        // the older where it means the same.
        string Schema(string name, string annotation) => $"""
            SELECT row(name, type, type_length, repetition_type, num_children, scale, precision, field_id, {annotation})::VARCHAR
            FROM parquet_schema({Literal(name)}) WHERE file_name = (SELECT min(file_name) FROM parquet_schema({Literal(name)}))
            """;
        string[] Annotations(string name) =>
            Lines($"SELECT CASE WHEN logical_type IS NULL THEN 'converted_type' ELSE 'logical_type' END FROM " +
            $"parquet_schema({Literal(name)}) WHERE file_name = (SELECT min(file_name) FROM parquet_schema({Literal(name)}))");
        string Metadata(string name) => $"SELECT DISTINCT row(key, value)::VARCHAR FROM parquet_kv_metadata({Literal(name)}) ORDER BY 1";
        Assert.Equal(Lines(Values(input, condition)), Lines(Values(output, "true")));
        var annotations = Annotations(input);
        foreach (var annotation in annotations.Distinct())
        {
            var (expected, actual) = (Lines(Schema(input, annotation)), Lines(Schema(output, annotation)));
            Assert.Equal(annotations.Length, actual.Length);
            foreach (var at in Enumerable.Range(1, annotations.Length - 1).Where(at => annotations[at] == annotation))
                Assert.Equal(expected[at], actual[at]);
        }
        string Described(string name) =>
            $"SELECT row(column_name, column_type)::VARCHAR FROM (DESCRIBE SELECT * FROM read_parquet({Literal(name)}))";
        Assert.Equal(Lines(Described(input)), Lines(Described(output)));
        Assert.Equal(Lines(Metadata(input)), Lines(Metadata(output)));
    }

    private void DuckFile(string name, string compression) => _database.Execute($$$"""
        COPY (SELECT i, (i % 200)::UTINYINT AS u8, i::BIGINT * -7 AS i64, (i * 1000000007)::UBIGINT AS u64, i / 3.0 AS d, (i / 7)::FLOAT AS f, i % 2 = 0 AS b,
            CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('ü', (i % 40)::INT) END AS caption, 'c' || (i % 5) AS low, DATE '2000-01-01' + (i % 9999)::INT AS day,
            TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS t, TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL (i) SECOND AS tz, TIME '00:00:00' + INTERVAL (i % 80000) SECOND AS clock,
            (i / 8)::DECIMAL(9,3) AS d9, (i * 12345)::DECIMAL(38,10) AS d38, uuid() AS u, ('x' || i)::BLOB AS blob,
            CASE WHEN i % 11 = 0 THEN NULL ELSE {'bytes': CASE WHEN i % 13 = 0 THEN NULL ELSE ('image ' || i)::BLOB END, 'path': i || '.jpg'} END AS picture,
            CASE WHEN i % 7 = 0 THEN NULL ELSE list_transform(range(i % 6), x -> CASE WHEN x = 2 THEN NULL ELSE x * i END) END AS numbers,
            [[i], [], NULL, [i, NULL]] AS nested,
            MAP {'a': i, 'b': NULL} AS map, [{'from': 'human', 'value': 'q' || i}, {'from': 'gpt', 'value': NULL}] AS conversations,
            {'a': {'b': [{'c': i}]}} AS deep, INTERVAL (i) DAY AS pause
          FROM range(5000) r(i))
        TO {{{DuckDbConnection.Literal(_folder[name])}}} (FORMAT parquet, COMPRESSION {{{compression}}}, ROW_GROUP_SIZE 2048, KV_METADATA {huggingface: '{{{HuggingFace}}}'})
        """);

    private static void ArrowFile(string path, int rows, int rowsPerGroup, int first = 0)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var image = new StructType([new Field("bytes", BinaryType.Default, true), new Field("path", StringType.Default, true)]);
        var schema = new Schema(
            [
                new Field("number", Int64Type.Default, false), new Field("image", image, true),
                new Field("word", new DictionaryType(Int32Type.Default, StringType.Default, false), true),
                new Field("half", HalfFloatType.Default, true), new Field("hash", new FixedSizeBinaryType(4), false),
                new Field("money", new Decimal128Type(20, 4), true),
                new Field("time", new TimestampType(Apache.Arrow.Types.TimeUnit.Nanosecond, "Europe/Berlin"), true),
            ],
            new Dictionary<string,
            string>
            { ["huggingface"] = """{"info": {"features": {"image": {"_type": "Image"}}}}""", ["other"] = "é" });
        using var writer = new FileWriter(path, schema, arrowProperties: StoreSchema());
        for (var from = 0; from < rows; from += rowsPerGroup)
            writer.WriteRecordBatch(Batch(schema, image, first + from, Math.Min(rowsPerGroup, rows - from)), rowsPerGroup);
        writer.Close();
    }

    private static ArrowWriterProperties StoreSchema()
    {
        using var builder = new ArrowWriterPropertiesBuilder();
        return builder.StoreSchema().Build();
    }

    private static RecordBatch Batch(Schema schema, StructType image, int first, int count)
    {
        var range = Enumerable.Range(first, count).ToArray();
        var (numbers, bytes, paths) = (new Int64Array.Builder(), new BinaryArray.Builder(), new StringArray.Builder());
        var (indices, words, halves) =
            (new Int32Array.Builder(), new StringArray.Builder().AppendRange(["red", "green", "blue"]), new HalfFloatArray.Builder());
        var (hashes, money) = (new ArrowBuffer.Builder<int>(), new Decimal128Array.Builder(new Decimal128Type(20, 4)));
        var times = new TimestampArray.Builder(new TimestampType(Apache.Arrow.Types.TimeUnit.Nanosecond, "Europe/Berlin"));
        foreach (var i in range)
        {
            numbers.Append(i);
            if (i % 5 == 0)
                bytes.AppendNull();
            else
                bytes.Append(Encoding.UTF8.GetBytes($"image {i} {new string('x', 100)}").AsSpan());
            paths.Append(i.ToString(CultureInfo.InvariantCulture));
            indices.Append(i % 3);
            halves.Append((Half)i);
            hashes.Append(i);
            money.Append(i / 4m);
            times.Append(DateTimeOffset.UnixEpoch.AddSeconds(i));
        }
        var hash = new Apache.Arrow.Arrays.FixedSizeBinaryArray(
            new ArrayData(new FixedSizeBinaryType(4), count, 0, 0, [ArrowBuffer.Empty, hashes.Build()]));
        return new RecordBatch(
            schema,
            [
                numbers.Build(), new StructArray(image, count, [bytes.Build(), paths.Build()], ArrowBuffer.Empty, 0),
                new DictionaryArray((DictionaryType)schema.GetFieldByName("word").DataType, indices.Build(), words.Build()), halves.Build(),
                hash, money.Build(), times.Build(),
            ],
            count);
    }

    /// <summary>The schema as Arrow reads it, with types that Parquet alone does not have.</summary>
    private static string ArrowSchema(string path)
    {
        using var reader = new FileReader(path);
        return string.Join('\n', reader.Schema.FieldsList.Select(
            field => $"{field.Name} {field.DataType} {(field.DataType as DictionaryType)?.ValueType} {field.IsNullable}")) +
            string.Join(
                '\n', reader.Schema.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
    }
}
