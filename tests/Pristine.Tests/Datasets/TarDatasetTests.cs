using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Tests.Datasets;

public sealed class TarDatasetTests : IDisposable
{
    private static readonly byte[] Leaf = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TarEntryFormat.V7, "a.tar")]
    [InlineData(TarEntryFormat.Ustar, "a.tar")]
    [InlineData(TarEntryFormat.Pax, "a.tar")]
    [InlineData(TarEntryFormat.Gnu, "a.tar")]
    [InlineData(TarEntryFormat.Pax, "a.tar.gz")]
    [InlineData(TarEntryFormat.Gnu, "a.tgz")]
    [InlineData(TarEntryFormat.Pax, "a.tar.zst")]
    public void Samples_are_neighbours_with_the_same_key_and_are_written_back_byte_for_byte(TarEntryFormat format, string name)
    {
        Archive(name, format, ("d.x/000.jpg", Leaf), ("d.x/000.txt", Bytes("a caption\n")), ("d.x/000.json", Bytes(
            """{"lang":"en","n":1}""")),
            ("001.left.JPG", Leaf), ("001.right.png", Bytes("no image")), ("001.cls", Bytes("7")), ("002.txt", Bytes("")),
            ("d.x/000.jpg", Leaf));
        var dataset = Dataset.Open(_folder[name]);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        Assert.All(items, item => Assert.Null(item.Error));
        Assert.Equal(["d.x/000", "001", "002", "d.x/000"], items.Select(item => item.Id));
        Assert.Equal([0, 1, 2, 3], items.Select(item => item.Index));
        Assert.Equal(
            [$"{name}/d.x/000.jpg", $"{name}/001.left.JPG {name}/001.right.png", "", $"{name}/d.x/000.jpg"],
            items.Select(item => string.Join(' ', item.Images.Select(image => image.Reference))));
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(items[1].Images[0], ImageInput.Rgb).Status);
        Assert.Equal(Leaf, decoder.FileBytes.ToArray());
        Assert.Equal(Leaf.Length, items[0].Images[0].Stamp()!.Value.Bytes);
        Assert.Equal(new ItemText(9, 2, 0), items[0].Record!.Text);
        Assert.Equal((string?[])["en", "1", "a caption", null], items[0].Record!.Fields(["lang", "n", "txt", "cls"]));
        Assert.Equal((string?[])["7"], items[1].Record!.Fields(["cls"]));

        Assert.Equal(Uncompressed(name), Uncompressed(Export(dataset, items, "all" + name[1..])));
        Assert.Equal(["001.left.JPG", "001.right.png", "001.cls"], Names(Export(dataset, items.Skip(1).Take(1), "one.tar")));
        Assert.Equal(
            items.Select(item => item.Id), dataset.Parts.Single().Read(TestContext.Current.CancellationToken).Select(item => item.Id));
    }

    [Theory]
    [InlineData("a.tar")]
    [InlineData("a.tar.gz")]
    public void A_sample_whose_json_is_broken_is_an_item_with_an_error(string name)
    {
        (string Json, bool IsGood)[] cases =
            [("{\"n\": 1}", true), ("{\"n\": \"cut of", false), ("", false), ("[1]", true), ("{\"n\": NaN}", true), ("no json", false)];
        Archive(name, TarEntryFormat.Pax, [.. cases.SelectMany((one, i) => (
            (string, byte[])[])[($"{i}.jpg", Leaf), ($"{i}.json", Bytes(one.Json)), ($"{i}.txt", Bytes("a caption"))])]);
        var items = Dataset.Open(_folder[name]).Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(cases.Length, items.Count);
        foreach (var (item, one) in items.Zip(cases))
        {
            Assert.Equal(one.IsGood, item.Error == null);
            if (one.IsGood)
            {
                Assert.Equal("a caption", item.Record!.Fields(["txt"])[0]);
                continue;
            }
            Assert.Contains($"{name}: expected JSON in '{item.Id}.json'; ", item.Error!, StringComparison.Ordinal);
            Assert.Null(item.Record);
            Assert.Empty(item.Images);
        }
    }

    [Fact]
    public void A_text_member_stands_for_a_field_of_its_name_wherever_it_is_read()
    {
        Archive("a.tar", TarEntryFormat.Pax, ("1.jpg", Leaf), ("1.json", Bytes("""{"txt": "of the json", "n": 1}""")),
            ("1.txt", Bytes("of the member")));
        var record = Dataset.Open(_folder["a.tar"]).Read(TestContext.Current.CancellationToken).Single().Record!;
        Assert.Equal(13, record.Text.Length);
        Assert.Equal(["n", "txt"], record.FieldNames);
        Assert.Equal((string?[])["of the member", "1"], record.Fields(["txt", "n"]));
        using var written = new MemoryStream();
        using (var json = new System.Text.Json.Utf8JsonWriter(written))
        {
            json.WriteStartObject();
            record.WriteFields(json);
            json.WriteEndObject();
        }
        Assert.Equal("""{"n":1,"txt":"of the member"}""", Encoding.UTF8.GetString(written.ToArray()));
    }

    [Fact]
    public void A_header_that_promises_gigabytes_of_attributes_takes_no_memory_for_them()
    {
        using var folder = TestFiles.NewFolder();
        var bytes = new MemoryStream();
        using (var tar = new System.Formats.Tar.TarWriter(bytes, System.Formats.Tar.TarEntryFormat.Pax, leaveOpen: true))
            tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "a/001.jpg")
            {
                DataStream = new MemoryStream([1, 2, 3]),
            });
        var archive = bytes.ToArray();
        // The size of the extended attributes, in octal digits.
        "07777777777"u8.CopyTo(archive.AsSpan(124));
        File.WriteAllBytes(folder["a.tar"], archive);
        var dataset = Dataset.Open(folder["a.tar"]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refused = Assert.Throws<DatasetException>(() => dataset.Read(TestContext.Current.CancellationToken).ToList());
        Assert.Contains("at most 1048576 bytes of names and attributes; found 1073741823", refused.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 16 << 20);
    }

    [Fact]
    public void Long_names_links_folders_and_odd_names_are_defined()
    {
        var longName = new string('l', 240);
        using (var writer = new TarWriter(File.Create(_folder["a.tar"]), TarEntryFormat.Pax))
        {
            writer.WriteEntry(new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["comment"] = "x" }));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "d"));
            writer.WriteEntry(Entry("d/1.jpg", Leaf));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "d/1.link.jpg") { LinkName = "/etc/passwd" });
            writer.WriteEntry(Entry("d/1.txt", Bytes("x")));
            writer.WriteEntry(Entry("__meta__", Bytes("x")));
            writer.WriteEntry(Entry("no dot", Bytes("x")));
            writer.WriteEntry(Entry(".hidden", Bytes("x")));
            writer.WriteEntry(Entry("../../out.jpg", Leaf));
            writer.WriteEntry(Entry($"{longName}/{longName}.jpg", Leaf));
            writer.WriteEntry(Entry("é中.jpg", Leaf));
        }
        var dataset = Dataset.Open(_folder["a.tar"]);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(["d/1", "../../out", $"{longName}/{longName}", "é中"], items.Select(item => item.Id));
        Assert.Equal(["a.tar/d/1.jpg"], items[0].Images.Select(image => image.Reference));
        using var decoder = new ImageDecoder();
        Assert.All(items, item => Assert.Equal(ImageStatus.Ok, decoder.Load(item.Images[0], ImageInput.Rgb).Status));
        // The output is filled up with zeros, as GNU tar and Python do it.
        var original = File.ReadAllBytes(_folder["a.tar"]);
        Assert.Equal(original, File.ReadAllBytes(Export(dataset, items, "all.tar"))[..original.Length]);
    }

    [Fact]
    public void A_suffix_that_comes_twice_is_an_item_with_an_error()
    {
        Archive("a.tar", TarEntryFormat.Ustar, ("1.jpg", Leaf), ("1.JPG", Leaf), ("2.jpg", Leaf));
        var items = Dataset.Open(_folder["a.tar"]).Read(TestContext.Current.CancellationToken).ToList();
        Assert.Contains("one member .jpg in the sample '1'", items[0].Error, StringComparison.Ordinal);
        Assert.Empty(items[0].Images);
        Assert.Null(items[1].Error);
    }

    [Theory]
    [InlineData("a.tar")]
    [InlineData("a.tar.gz")]
    [InlineData("a.tar.zst")]
    public void An_archive_that_is_cut_off_gives_the_samples_before_and_then_says_so(string name)
    {
        Archive("whole.tar", TarEntryFormat.Ustar, ("1.jpg", Leaf), ("1.txt", Bytes("x")), ("2.jpg", Leaf), ("3.jpg", Leaf));
        var bytes = File.ReadAllBytes(_folder["whole.tar"]);
        var size = 512 + ((Leaf.Length + 511) / 512 * 512);
        foreach (var (length, samples) in new[] { (size + 1024 + size + 100, 1), (size + 1024 + (2 * size) - 700, 2), (100, 0) })
        {
            Write(name, bytes[..length]);
            var items = new List<DatasetItem>();
            var e = Assert.Throws<DatasetException>(() =>
            {
                foreach (var item in Dataset.Open(_folder[name]).Read(TestContext.Current.CancellationToken))
                    items.Add(item);
            });
            Assert.Equal(samples, items.Count);
            Assert.Contains(_folder[name], e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_no_archive_or_two_is_refused()
    {
        File.WriteAllText(_folder["text.tar"], new string('x', 2000));
        Assert.Contains("expected the header", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["text.tar"]).Read(TestContext.Current.CancellationToken).Count()).Message, StringComparison.Ordinal);
        Archive("a.tar", TarEntryFormat.Ustar, ("1.jpg", Leaf));
        File.WriteAllBytes(_folder["two.tar"], [.. File.ReadAllBytes(_folder["a.tar"]), .. File.ReadAllBytes(_folder["a.tar"])]);
        Assert.Contains("another archive", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["two.tar"]).Read(TestContext.Current.CancellationToken).Count()).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["empty.tar"], new byte[1024]);
        Assert.Empty(Dataset.Open(_folder["empty.tar"]).Read(TestContext.Current.CancellationToken));
        Archive("texts.tar", TarEntryFormat.Ustar, ("1.mp3", Bytes("x")), ("1.txt", Bytes("x")));
        Assert.Contains("Members seen: .mp3, .txt", Assert.Throws<DatasetException>(() => Dataset.Open(_folder["texts.tar"])
            .RequireImages(TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_archives_are_named_by_numbers_or_a_glob_and_written_alike()
    {
        for (var i = 0; i < 12; i++)
            Archive($"in/s-{i:00}.tar", TarEntryFormat.Ustar, ($"{i}a.jpg", Leaf), ($"{i}a.txt", Bytes("x")), ($"{i}b.jpg", Leaf));
        var numbered = Dataset.Open(_folder["in/s-{00..11}.tar"]);
        Assert.Equal(12, numbered.Parts.Count);
        var items = numbered.Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(24, items.Count);
        Assert.Equal("s-07.tar/7b.jpg", items[15].Images.Single().Reference);
        Assert.Equal(items.Select(item => item.Id), Dataset.Open(_folder["in/*.tar"]).Read(TestContext.Current.CancellationToken)
            .Select(item => item.Id));
        Assert.Equal(["1a", "1b", "3a", "3b"], Dataset.Open(_folder["in/s-{01,03}.tar"]).Read(TestContext.Current.CancellationToken)
            .Select(item => item.Id));
        Assert.Contains("s-12.tar", Assert.Throws<DatasetException>(
            () => Dataset.Open(_folder["in/s-{00..12}.tar"])).Message, StringComparison.Ordinal);
        Assert.Throws<DatasetException>(() => Dataset.Open(_folder["in/none-*.tar"]));

        Directory.CreateDirectory(_folder["out"]);
        Export(numbered, items.Where(item => item.Index is not (0 or 1 or 5)), "out");
        Assert.Equal(Enumerable.Range(1, 11).Select(i => _folder[$"out/s-{i:00}.tar"]), Directory.GetFiles(_folder["out"])
            .Order(StringComparer.Ordinal));
        Assert.Equal(["2a.jpg", "2a.txt"], Names(_folder["out/s-02.tar"]));
        Assert.Equal(File.ReadAllBytes(_folder["in/s-07.tar"]), File.ReadAllBytes(_folder["out/s-07.tar"]));

        using (var writer = new TarSampleWriter(_folder["kept/k-{000..}.tar"], []) { Bound = 3 * Leaf.Length })
        {
            items.ForEach(writer.Write);
            Assert.Empty(Directory.GetFiles(_folder["kept"], "*.tar"));
            writer.Complete();
        }
        var kept = Directory.GetFiles(_folder["kept"]).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(Enumerable.Range(0, kept.Length).Select(i => _folder[$"kept/k-{i:000}.tar"]), kept);
        Assert.InRange(kept.Length, 6, 12);
        Assert.Equal(items.Select(item => item.Id), Dataset.Open(_folder["kept/*.tar"]).Read(TestContext.Current.CancellationToken)
            .Select(item => item.Id));
    }

    [Fact]
    public void An_export_of_fewer_archives_leaves_none_of_an_earlier_one()
    {
        for (var i = 0; i < 3; i++)
            Archive($"in/k-{i}.tar", TarEntryFormat.Ustar, ($"{i}a.jpg", Leaf), ($"{i}b.jpg", Leaf));
        var dataset = Dataset.Open(_folder["in/k-{0..2}.tar"]);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        IEnumerable<string> Numbered(int count, (string, string)[] inputs)
        {
            using var writer = new TarSampleWriter(_folder["out/k-{0..}.tar"], inputs) { Bound = 1 };
            items.Take(count).ToList().ForEach(writer.Write);
            Assert.Empty(writer.Removed);
            writer.Complete();
            return writer.Removed.Select(file => Path.GetFileName(file));
        }
        Assert.Empty(Numbered(6, []));
        // After a gap begins another set; a file that is read stays.
        File.Copy(_folder["out/k-5.tar"], _folder["out/k-7.tar"]);
        Assert.Equal(["k-2.tar", "k-3.tar", "k-5.tar"], Numbered(2, [("k-4.tar", _folder["out/k-4.tar"])]));
        Assert.Equal(["k-0.tar", "k-1.tar", "k-4.tar", "k-7.tar"], Directory.GetFiles(_folder["out"]).Select(Path.GetFileName).Order());

        IEnumerable<string> IntoFolder(IEnumerable<DatasetItem> kept)
        {
            using var writer = dataset.CreateWriter(_folder["folder/"]);
            kept.ToList().ForEach(writer.Write);
            writer.Complete();
            return writer.Removed.Select(file => Path.GetFileName(file));
        }
        Assert.Empty(IntoFolder(items));
        File.Copy(_folder["out/k-7.tar"], _folder["folder/other.tar"]);
        Assert.Equal(["k-0.tar", "k-2.tar"], IntoFolder(items[2..3]));
        Assert.Equal(["k-1.tar", "other.tar"], Directory.GetFiles(_folder["folder"]).Select(Path.GetFileName).Order());
        Assert.Equal(3, Directory.GetFiles(_folder["in"]).Length);
    }

    [Fact]
    public void An_archive_is_never_overwritten_by_what_is_kept_of_it()
    {
        Archive("s-0.tar", TarEntryFormat.Ustar, ("1.jpg", Leaf));
        Archive("s-1.tar", TarEntryFormat.Ustar, ("2.jpg", Leaf));
        var dataset = Dataset.Open(_folder["s-{0..1}.tar"]);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        foreach (var output in new[] { _folder["s-0.tar"], _folder["s-1.tar"], _folder.Path, _folder["s-{0..}.tar"] })
            Assert.Contains(
                "would overwrite", Assert.Throws<DatasetException>(() => Export(dataset, items, output)).Message, StringComparison.Ordinal);
        Assert.Contains(
            ".tar", Assert.Throws<DatasetException>(() => dataset.CreateWriter(_folder["kept.jsonl"])).Message, StringComparison.Ordinal);
        Assert.Equal(2, dataset.Read(TestContext.Current.CancellationToken).Count());
    }

    [Fact]
    public void A_folder_of_archives_alone_is_read_and_one_with_images_is_a_folder_of_these()
    {
        Archive("set/s-1.tar", TarEntryFormat.Pax, ("2.jpg", Leaf));
        Archive("set/s-0.tar", TarEntryFormat.Pax, ("1.jpg", Leaf), ("1.json", Bytes("\uFEFF{\"n\": 7}")));
        // As img2dataset writes them.
        Write("set/s-0.parquet", Bytes("x"));
        Write("set/s-0_stats.json", Bytes("{}"));
        var dataset = Dataset.Open(_folder["set"]);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(["s-0.tar/1.jpg", "s-1.tar/2.jpg"], items.SelectMany(item => item.Images).Select(image => image.Reference));
        Assert.Equal("7", items[0].Record!.Fields(["n"])[0]);
        Export(dataset, items, _folder["kept"] + "/");
        foreach (var name in (string[])["s-0.tar", "s-1.tar"])
            Assert.Equal(File.ReadAllBytes(_folder[$"set/{name}"]), File.ReadAllBytes(_folder[$"kept/{name}"]));
        Write("set/deep/3.jpg", Leaf.ToArray());
        Assert.Equal(DatasetFormat.Folder, Dataset.Open(_folder["set/deep"]).Format);
        Assert.NotEqual(DatasetFormat.WebDataset, Dataset.Open(_folder["set"]).Format);
    }

    [Fact]
    public void Images_are_found_again_by_their_references()
    {
        Archive("s.tar", TarEntryFormat.Pax, ("d/1.jpg", Leaf));
        File.WriteAllBytes(_folder["a.jpg"], Leaf);
        var finder = new ImageFinder(_folder.Path);
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(finder.Find("s.tar/d/1.jpg"), ImageInput.Rgb).Status);
        Assert.Equal(ImageStatus.Ok, decoder.Load(finder.Find("a.jpg"), ImageInput.Rgb).Status);
        Assert.Equal(ImageStatus.Missing, decoder.Load(finder.Find("s.tar/d/2.jpg"), ImageInput.Rgb).Status);
    }

    private void Archive(string name, TarEntryFormat format, params (string Name, ReadOnlyMemory<byte> Content)[] members)
    {
        using var output = new MemoryStream();
        using (var writer = new TarWriter(output, format, leaveOpen: true))
            foreach (var (member, content) in members)
                writer.WriteEntry(Entry(member, content.Span, format));
        output.Write(new byte[(10240 - (output.Length % 10240)) % 10240]);
        Write(name, output.ToArray());
    }

    private void Write(string name, byte[] archive)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        using var file = File.Create(_folder[name]);
        using var target = name.EndsWith("gz", StringComparison.Ordinal) ? (Stream)new GZipStream(file, CompressionLevel.Fastest)
            : name.EndsWith("zst", StringComparison.Ordinal) ? new ZstdSharp.CompressionStream(file) : file;
        target.Write(archive);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static TarEntry Entry(string name, ReadOnlySpan<byte> content, TarEntryFormat format = TarEntryFormat.Pax)
    {
        var data = new MemoryStream(content.ToArray());
        return format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name) { DataStream = data },
            TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
            _ => new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
        };
    }

    private string Export(Dataset dataset, IEnumerable<DatasetItem> items, string output)
    {
        var path = Path.IsPathRooted(output) ? output : _folder[output];
        using var writer = dataset.CreateWriter(path);
        foreach (var item in items)
            writer.Write(item);
        writer.Complete();
        return path;
    }

    private byte[] Uncompressed(string path)
    {
        using var file = File.OpenRead(Path.IsPathRooted(path) ? path : _folder[path]);
        using var source = path.EndsWith("gz", StringComparison.Ordinal) ? (Stream)new GZipStream(file, CompressionMode.Decompress)
            : path.EndsWith("zst", StringComparison.Ordinal) ? new ZstdSharp.DecompressionStream(file) : file;
        using var bytes = new MemoryStream();
        source.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static List<string> Names(string archive)
    {
        using var reader = new TarReader(File.OpenRead(archive));
        var names = new List<string>();
        while (reader.GetNextEntry() is { } entry)
            names.Add(entry.Name);
        return names;
    }
}
