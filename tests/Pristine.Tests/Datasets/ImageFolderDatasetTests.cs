using System.Text;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

/// <summary>Hugging Face folders: their rows are the items, and what is kept is such a folder again.</summary>
public sealed class ImageFolderDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private void Put(string file, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllText(_folder[file], content);
    }

    private List<DatasetItem> Items(string folder = "in") => [.. Dataset.Open(_folder[folder]).Read(TestContext.Current.CancellationToken)];

    /// <summary>Exports items as the command does.</summary>
    private string[] Export(Func<DatasetItem, bool> isKept)
    {
        var dataset = Dataset.Open(_folder["in"]);
        var images = FileExport.For(dataset, _folder["out"], FileExportMode.Copy);
        using var rows = dataset.CreateWriter(_folder["out"]);
        foreach (var item in dataset.Read(TestContext.Current.CancellationToken).Where(isKept))
        {
            foreach (var image in item.Images)
                images.Add(image);
            rows.Write(item);
        }
        rows.Complete();
        return [.. Directory.EnumerateFiles(_folder["out"], "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(_folder["out"], file)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public void Rows_of_every_metadata_file_are_items_named_from_the_folder()
    {
        Put("in/train/metadata.jsonl", """
            {"file_name": "a.jpg", "text": "a cat"}
            {"id": 7, "file_name": "deep/b.jpg", "split": "other"}

            """);
        Put("in/test-00/metadata.jsonl", """{"file_name":"a.jpg","image":"not this.jpg"}""");
        Put("in/README.md", "x");
        var items = Items();
        Assert.Equal(["test-00/a.jpg", "train/a.jpg", "7"], items.Select(item => item.Id));
        Assert.Equal(["test-00/a.jpg", "train/a.jpg", "train/deep/b.jpg"], items.Select(item => item.Images.Single().Reference));
        Assert.Equal([0L, 1, 2], items.Select(item => item.Index));
        Assert.Equal(_folder["in/train/deep/b.jpg"], items[2].Images[0].LocalPath);
        Assert.Equal(["test", "train", "other"], items.Select(item => item.Record!.Fields(["split"])[0]));
        Assert.Equal(["file_name", "text", "split"], items[1].Record!.FieldNames);
        Assert.Equal(5, items[1].Text!.Value.Length);
        var dataset = Dataset.Open(_folder["in"]);
        dataset.RequireImages(TestContext.Current.CancellationToken);
        Assert.Equal("Hugging Face folder, 2 files metadata.jsonl (Hugging Face metadata, images in 'file_name')", dataset.Layout);
        Assert.Equal(["test-00/metadata.jsonl", "train/metadata.jsonl"], dataset.Parts.Select(part => part.Name.Split('#')[0]));
        Assert.Equal([1, 2], dataset.Parts.Select(part => part.Read(TestContext.Current.CancellationToken).Count()));
    }

    [Theory]
    [InlineData(
        "metadata.jsonl",
        "{\"file_name\": \"a.jpg\", \"n\": 1.50}\r\n{\"left_file_name\":\"a.jpg\",\"right_file_names\":[\"d/b.jpg\"]}\n " +
        "{\"file_name\":\"d/c.jpg\"}")]
    [InlineData("metadata.csv", "\uFEFFfile_name,text\r\na.jpg,\"x\ny\"\r\nd/b.jpg,\nd/c.jpg,z")]
    [InlineData("metadata.csv", "left_file_name;right_file_name\na.jpg;d/b.jpg\nd/c.jpg;\na.jpg;d/c.jpg\n")]
    public void All_kept_is_byte_equal_and_half_kept_are_these_rows_with_their_images(string name, string metadata)
    {
        Put($"in/{name}", metadata);
        foreach (var image in new[] { "a.jpg", "d/b.jpg", "d/c.jpg", "no row.jpg" })
            Put($"in/{image}", $"the image {image}");
        Put("in/a.txt", "a sidecar");
        Assert.Equal(3, Items().Count);
        string[] expected = ["a.jpg", "a.txt", "d/b.jpg", "d/c.jpg", name];
        Assert.Equal(expected, Export(_ => true));
        Assert.Equal(File.ReadAllBytes(_folder[$"in/{name}"]), File.ReadAllBytes(_folder[$"out/{name}"]));
        Directory.Delete(_folder["out"], recursive: true);
        var kept = Items().Where(item => item.Index != 1).ToList();
        Export(item => item.Index != 1);
        Assert.Equal(kept.Select(item => Encoding.UTF8.GetString(item.Raw.Span)), Items("out")
            .Select(item => Encoding.UTF8.GetString(item.Raw.Span)));
        Assert.Equal(kept.SelectMany(item => item.Images).Select(image => image.Reference), Items("out").SelectMany(item => item.Images)
            .Select(image => image.Reference));
        Assert.All(Items("out").SelectMany(item => item.Images), image => Assert.True(File.Exists(image.LocalPath), image.Reference));
    }

    [Fact]
    public void Metadata_may_be_Parquet()
    {
        foreach (var image in new[] { "a.jpg", "d/b.jpg", "c.jpg" })
            Put($"in/train/{image}", $"the image {image}");
        using (var database = Pristine.Native.DuckDbConnection.Open())
            database.Execute(
                $"COPY (SELECT * FROM (VALUES ('a.jpg', 'x', 1), ('d/b.jpg', 'y', 2), ('c.jpg', NULL, 3)) t(file_name, text, n)) TO " +
                $"{Pristine.Native.DuckDbConnection.Literal(_folder["in/train/metadata.parquet"])} (FORMAT parquet)");
        var items = Items();
        Assert.Equal(["train/a.jpg", "train/d/b.jpg", "train/c.jpg"], items.Select(item => item.Images.Single().Reference));
        Assert.Equal(["train/a.jpg", "train/d/b.jpg", "train/c.jpg"], items.Select(item => item.Id));
        Assert.Equal("2 train", string.Join(" ", items[1].Record!.Fields(["n", "split"])));
        Assert.Equal(["train/a.jpg", "train/c.jpg", "train/metadata.parquet"], Export(item => item.Index != 1));
        Assert.Equal(["1", "3"], Items("out").Select(item => item.Record!.Fields(["n"])[0]));
    }

    [Fact]
    public void A_split_of_which_nothing_is_kept_is_not_there()
    {
        foreach (var split in new[] { "train", "test" })
        {
            Put($"in/data/{split}/metadata.csv", "file_name\na.jpg\n");
            Put($"in/data/{split}/a.jpg", split);
        }
        Assert.Equal(["data/train/a.jpg", "data/train/metadata.csv"], Export(item => item.Id.Contains("train", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("../a.jpg")]
    [InlineData("d/../../a.jpg")]
    [InlineData("/etc/a.jpg")]
    [InlineData("https://host/a.jpg")]
    [InlineData("file:///a.jpg")]
    public void A_row_that_leads_out_of_the_folder_is_an_error(string path)
    {
        Put("in/metadata.jsonl", $$"""
            {"file_name":"a.jpg"}
            {"file_name":"{{path}}"}
            """);
        var items = Items();
        Assert.Null(items[0].Error);
        Assert.Equal(
            $"{_folder["in/metadata.jsonl"]}: expected a path within the folder of the metadata, as load_dataset does; found " +
            $"'{path}'.", items[1].Error);
        Assert.Empty(items[1].Images);
    }

    [Fact]
    public void What_names_no_files_is_no_metadata_and_what_cannot_be_read_is_refused()
    {
        Put("in/a.jpg", "x");
        Put("in/metadata.jsonl", """{"camera":"x"}""");
        Assert.Equal(DatasetFormat.Folder, Dataset.Open(_folder["in"]).Format);
        Put("in/metadata.csv", "file_name\na.jpg\n");
        Assert.Equal(DatasetFormat.ImageFolder, Dataset.Open(_folder["in"]).Format);
        Put("in/metadata.jsonl", """{"file_name":"a.jpg"}""");
        var several = Assert.Throws<DatasetException>(() => Dataset.Open(_folder["in"]));
        Assert.Contains("metadata of one kind", several.Message, StringComparison.Ordinal);
        Put("parquet/train/metadata.parquet", "PAR1");
        Assert.Throws<DatasetException>(() => Dataset.Open(_folder["parquet"]));
        Put("out.txt", "");
        File.Delete(_folder["in/metadata.csv"]);
        var dataset = Dataset.Open(_folder["in"]);
        Assert.Throws<DatasetException>(() => dataset.CreateWriter(_folder["out.txt"]));
        Assert.Throws<DatasetException>(() => dataset.CreateWriter(_folder["in/kept"]));
    }

    [Theory]
    [InlineData("cats/a.jpg", "cats", null)]
    [InlineData("train/cats/a.jpg", "cats", "train")]
    [InlineData("data/Validation/a.jpg", null, "validation")]
    [InlineData("my-dev-set/x/a.jpg", "x", "validation")]
    [InlineData("test_01/a.jpg", null, "test")]
    [InlineData("contest/a.jpg", "contest", null)]
    [InlineData("a.jpg", null, null)]
    public void Folders_give_the_class_and_the_split(string image, string? label, string? split)
    {
        Put($"in/{image}", "x");
        var item = Items().Single();
        Assert.Equal((label, split), (item.Record!.Fields(["label"])[0], item.Record.Fields(["split"])[0]));
        Assert.Equal(new[] { label == null ? null : "label", split == null ? null : "split" }.OfType<string>(), item.Record.FieldNames);
        Assert.Null(item.Text);
        Assert.Equal(_folder[$"in/{image}"], Encoding.UTF8.GetString(item.Raw.Span));
    }
}
