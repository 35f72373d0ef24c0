using System.Text;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

public sealed class FileListTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_gives_its_images_in_ordinal_order_of_their_paths()
    {
        Make("b.jpg", "a/z.PNG", "a.jpg", "a/caption.txt", "A/x.webp", "sub dir/ü.heic", ".hidden.jpg", ".git/x.jpg", "odd.jpg/inner.bmp",
            "line\nfeed.jpg");
        var items = Read(_folder.Path);
        Assert.Equal(
            ["A/x.webp", "a.jpg", "a/z.PNG", "b.jpg", "line\nfeed.jpg", "odd.jpg", "odd.jpg/inner.bmp", "sub dir/ü.heic"],
            items.Select(i => i.Id));
        Assert.Equal(items.Select(i => $"{_folder.Path}/{i.Id}"), items.Select(i => i.Images.Single().LocalPath));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => (long)i), items.Select(i => i.Index));
        Assert.Equal(DatasetFormat.Folder, Dataset.Open(_folder.Path).Format);
    }

    [Fact]
    public void Links_to_folders_are_followed_but_not_in_circles()
    {
        Make("real/a.jpg", "data/b.jpg");
        Directory.CreateSymbolicLink(_folder["data/linked"], "../real");
        Directory.CreateSymbolicLink(_folder["real/loop"], "../data");
        Directory.CreateSymbolicLink(_folder["data/self"], ".");
        File.CreateSymbolicLink(_folder["data/dangling.jpg"], "/nowhere.jpg");
        Assert.Equal(["b.jpg", "dangling.jpg", "linked/a.jpg"], Read(_folder["data"]).Select(i => i.Id));
    }

    [Fact]
    public void Folders_that_link_to_one_another_are_each_searched_once()
    {
        const int folders = 8;
        for (var i = 0; i < folders; i++)
            Make($"in/f{i}/{i}.jpg");
        for (var i = 0; i < folders; i++)
            for (var j = 0; j < folders; j++)
                if (i != j)
                    Directory.CreateSymbolicLink(_folder[$"in/f{i}/to{j}"], $"../f{j}");
        Assert.Equal(Enumerable.Range(0, folders).Select(i => $"f{i}/{i}.jpg"), Read(_folder["in"]).Select(i => i.Id));
        Assert.Equal(folders, Read(_folder["in/**/*.jpg"]).Count);
        Assert.Equal(folders, Read(_folder["in/**"]).Count);
        // A shell lists these under the names of the links.
        Assert.Equal([_folder["in/f0/to1/1.jpg"], _folder["in/f0/to2/2.jpg"]], Read(_folder["in/f0/to[12]/*.jpg"]).Select(i => i.Id));
    }

    [Fact]
    public void Links_lead_to_folders_outside_and_to_hidden_ones_once()
    {
        Make("in/.store/a.jpg", "out/b.jpg", "out/deep/c.jpg", "in/v3/d.jpg");
        Directory.CreateSymbolicLink(_folder["in/1"], "../out/deep");
        Directory.CreateSymbolicLink(_folder["in/2"], "../out");
        Directory.CreateSymbolicLink(_folder["in/3"], "../out");
        Directory.CreateSymbolicLink(_folder["in/4"], ".store");
        Directory.CreateSymbolicLink(_folder["in/latest"], "v3");
        Directory.CreateSymbolicLink(_folder["out/up"], "..");
        Assert.Equal(["1/c.jpg", "2/b.jpg", "4/a.jpg", "v3/d.jpg"], Read(_folder["in"]).Select(i => i.Id));
        Assert.Equal([_folder["in/latest/d.jpg"]], Read(_folder["in/**/latest/*.jpg"]).Select(i => i.Id));
    }

    [Fact]
    public void A_folder_that_cannot_be_listed_is_an_item_with_an_error()
    {
        Make("a.jpg", "b/c.jpg", "d.jpg");
        var items = new List<DatasetItem>();
        foreach (var item in Dataset.Open(_folder.Path).Read(TestContext.Current.CancellationToken))
        {
            // Gone between the listing of its parent and its own.
            if (items.Count == 0)
                Directory.Delete(_folder["b"], recursive: true);
            items.Add(item);
        }
        Assert.Equal(["a.jpg", "b/", "d.jpg"], items.Select(i => i.Id));
        Assert.StartsWith($"Cannot list the folder '{_folder["b"]}'", items[1].Error, StringComparison.Ordinal);
        Assert.Empty(items[1].Images);
    }

    [Theory]
    [InlineData("*.jpg", "a.jpg b.jpg")]
    [InlineData("?.jp*", "a.jpg b.jpg")]
    [InlineData("**/*.jpg", "a.jpg b.jpg s/c.jpg s/t/d.jpg")]
    [InlineData("**", "a.jpg b.jpg s/c.jpg s/e.png s/t/d.jpg")]
    [InlineData("s/*.{jpg,png}", "s/c.jpg s/e.png")]
    [InlineData("[!a].jpg", "b.jpg")]
    [InlineData("[a-b].*", "a.jpg b.jpg")]
    [InlineData("s/**/d.jpg", "s/t/d.jpg")]
    [InlineData("*/t/*", "s/t/d.jpg")]
    [InlineData(".h/*.jpg", ".h/f.jpg")]
    [InlineData("{s,.h}/*.jpg", "s/c.jpg")]
    [InlineData("s/*.dat", "s/n.dat")]
    [InlineData("*.JPG", "")]
    [InlineData("a[.jpg*", "a[.jpg")]
    public void A_glob_gives_what_a_shell_would_list(string pattern, string expected)
    {
        Make("a.jpg", "b.jpg", "s/c.jpg", "s/e.png", "s/n.dat", "s/t/d.jpg", ".h/f.jpg");
        if (pattern.StartsWith("a[", StringComparison.Ordinal))
            Make("a[.jpg");
        var items = Read(_folder[pattern]);
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => _folder[name]), items.Select(i => i.Id));
        Assert.Equal(items.Select(i => i.Id), items.Select(i => i.Images.Single().LocalPath));
    }

    [Theory]
    [InlineData("s/*.txt")]
    [InlineData("*.json")]
    [InlineData("part-*.h5")]
    public void A_glob_of_dataset_files_that_can_only_be_read_one_at_a_time_is_refused(string pattern)
    {
        Make("a.jpg", "s/n.txt");
        var error = Assert.Throws<DatasetException>(() => Dataset.Open(_folder[pattern]));
        Assert.Contains($"'{_folder[pattern]}' names dataset files", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.jpg\nwith space.jpg\n\nlast.jpg", "a.jpg|with space.jpg|last.jpg")]
    [InlineData("\uFEFFa.jpg\r\nb.jpg\r\n", "a.jpg|b.jpg")]
    [InlineData("a\nb.jpg\0c.jpg\0", "a\nb.jpg|c.jpg")]
    [InlineData(" a.jpg ", " a.jpg ")]
    [InlineData("", "")]
    public void A_list_is_separated_by_line_ends_or_nul_and_written_back_alike(string list, string expected)
    {
        var dataset = Dataset.Open("-", new DatasetOptions { Input = new MemoryStream(Encoding.UTF8.GetBytes(list)), ImageRoot = "root" });
        var output = _folder["kept.txt"];
        using (var writer = dataset.CreateWriter(output))
        {
            var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
            Assert.Equal(expected, string.Join('|', items.Select(i => i.Id)));
            Assert.All(items, i => Assert.Equal(Path.Combine("root", i.Id), i.Images.Single().LocalPath));
            items.ForEach(writer.Write);
            writer.Complete();
        }
        Assert.Equal(list.Replace("\n\n", "\n", StringComparison.Ordinal), Encoding.UTF8.GetString(File.ReadAllBytes(output)));
        Assert.Throws<DatasetException>(() => dataset.Read(TestContext.Current.CancellationToken).Count());
    }

    [Fact]
    public void The_kept_list_of_a_folder_is_read_again_even_with_line_feeds_in_names()
    {
        Make("a.jpg", "b\nc.jpg", "d.jpg");
        foreach (var without in new[] { "b\nc.jpg", "none" })
        {
            var dataset = Dataset.Open(_folder.Path);
            using (var writer = dataset.CreateWriter(_folder["kept.txt"]))
            {
                foreach (var item in dataset.Read(TestContext.Current.CancellationToken).Where(i => i.Id != without))
                    writer.Write(item);
                writer.Complete();
            }
            var expected = new[] { "a.jpg", "b\nc.jpg", "d.jpg" }.Where(name => name != without).Select(name => $"{_folder.Path}/{name}")
                .ToList();
            Assert.Equal(expected, Read(_folder["kept.txt"]).Select(i => i.Images.Single().LocalPath));
            Assert.Equal(without == "none" ? '\0' : '\n', File.ReadAllText(_folder["kept.txt"])[^1]);
        }
    }

    [Fact]
    public void Names_that_are_not_utf8_are_items_too()
    {
        byte[] list = [.. "bad-"u8, 0xFF, .. ".jpg\n"u8];
        var item = Assert.Single(
            Dataset.Open("-", new DatasetOptions { Input = new MemoryStream(list) }).Read(TestContext.Current.CancellationToken));
        Assert.Equal("bad-\uFFFD.jpg", item.Id);
        Assert.Equal(list[..^1], item.Raw.ToArray());
    }

    [Fact]
    public void The_kind_of_an_input_is_seen_from_name_and_first_byte()
    {
        Make("one.jpg", "real[1].jpg", "x.rar");
        File.WriteAllText(_folder["array.json"], "\uFEFF \n[{\"id\":1}]");
        File.WriteAllText(_folder["lines.json"], "{\"id\":1}\n{\"id\":2}\n");
        File.WriteAllText(_folder["object.json"], "{\n\"images\": []\n}\n");
        File.WriteAllText(_folder["empty.json"], " ");
        File.WriteAllText(_folder["word.json"], "null");
        File.WriteAllText(_folder["data.ndjson"], "{\"image\":\"one.jpg\"}");
        Assert.Equal(DatasetFormat.Json, Dataset.Open(_folder["array.json"]).Format);
        Assert.Equal(["1", "2"], Read(_folder["lines.json"]).Select(i => i.Id));
        Assert.Equal(_folder["one.jpg"], Read(_folder["data.ndjson"]).Single().Images.Single().LocalPath);
        Assert.Equal(_folder["one.jpg"], Read(_folder["one.jpg"]).Single().Images.Single().LocalPath);
        Assert.Equal(_folder["real[1].jpg"], Read(_folder["real[1].jpg"]).Single().Id);
        Assert.Contains(
            "found neither", Assert.Throws<DatasetException>(() => Read(_folder["object.json"])).Message, StringComparison.Ordinal);
        Assert.Contains(
            "empty", Assert.Throws<DatasetException>(() => Dataset.Open(_folder["empty.json"])).Message, StringComparison.Ordinal);
        foreach (var wrong in new[] { "word.json", "x.rar", "absent.json", "absent/*.jpg", "*.jsonl", "{a.jpg" })
            Assert.Contains(
                "xpected", Assert.Throws<DatasetException>(() => Dataset.Open(_folder[wrong])).Message, StringComparison.Ordinal);
        Assert.Contains(
            "Pristine.Cloud", Assert.Throws<DatasetException>(() => Dataset.Open("gs://bucket/a.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_root_replaces_the_folder_of_the_file()
    {
        File.WriteAllText(_folder["data.jsonl"], "{\"image\":\"a.jpg\"}");
        var dataset = Dataset.Open(_folder["data.jsonl"], new DatasetOptions { ImageRoot = "/elsewhere" });
        Assert.Equal("/elsewhere/a.jpg", dataset.Read(TestContext.Current.CancellationToken).Single().Images.Single().LocalPath);
    }

    private static List<DatasetItem> Read(string input) => [.. Dataset.Open(input).Read()];

    private void Make(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllText(_folder[name], name);
        }
    }
}
