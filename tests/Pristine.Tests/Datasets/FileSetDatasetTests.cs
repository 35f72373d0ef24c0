using System.Text;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

/// <summary>Several files of one kind as one dataset.</summary>
public sealed class FileSetDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    private string Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], content);
        return _folder[name];
    }

    private string Exported(Dataset dataset, string output)
    {
        using (var writer = dataset.CreateExport(_folder[output]))
        {
            foreach (var item in dataset.Read(Token))
                writer.Write(item);
            writer.Complete();
        }
        return File.ReadAllText(_folder[output]);
    }

    [Fact]
    public void Lines_of_several_files_are_one_dataset_and_are_exported_unchanged()
    {
        Write("a-0.jsonl", "{\"image\": \"x.png\", \"n\":  1}\nnone\n{\"text\": \"without an image\"}");
        Write("a-1.jsonl", "{\"image\": \"y.png\"}\n");
        var dataset = Dataset.Open(_folder["a-{0..1}.jsonl"]);
        dataset.RequireImages(Token);
        Assert.Equal("2 files, records, images in 'image'", dataset.Layout);
        Assert.Equal(DatasetFormat.Jsonl, dataset.Format);
        var items = dataset.Read(Token).ToArray();
        Assert.Equal([0L, 1, 2, 3], items.Select(item => item.Index));
        Assert.Equal(["x.png", "#1", "#2", "y.png"], items.Select(item => item.Id));
        Assert.StartsWith($"{_folder["a-0.jsonl"]}:2: ", items[1].Error, StringComparison.Ordinal);
        Assert.Equal(_folder["y.png"], items[3].Images[0].LocalPath);
        Assert.Equal(
            File.ReadAllText(_folder["a-0.jsonl"]) + "\n" + File.ReadAllText(_folder["a-1.jsonl"]), Exported(dataset, "kept.jsonl"));
        Assert.Contains(
            "would overwrite", Assert.Throws<DatasetException>(() => dataset.CreateExport(_folder["a-1.jsonl"])).Message,
            StringComparison.Ordinal);
        Assert.Equal(["a-0.jsonl", "a-1.jsonl"], dataset.Parts.Select(part => part.Name));
    }

    [Fact]
    public void Tables_are_written_as_one_where_their_headers_are_the_same()
    {
        Write("t/a.csv", "image,n\nx.png,1\n");
        Write("t/b.csv", "image,n\r\ny.png,2\r\n");
        Assert.Equal("image,n\nx.png,1\ny.png,2\r\n", Exported(Dataset.Open(_folder["t/*.csv"]), "kept.csv"));
        Write("t/c.csv", "n,image\n3,z.png\n");
        var dataset = Dataset.Open(_folder["t/*.csv"]);
        Assert.Equal(["x.png", "y.png", "z.png"], dataset.Read(Token).Select(item => item.Id));
        Assert.Contains(
            "the same header", Assert.Throws<DatasetException>(() => dataset.CreateExport(_folder["kept.csv"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_several_folders_need_a_folder_for_their_images()
    {
        Write("p/1/a.jsonl", "{\"image\": \"x.png\"}\n");
        Write("p/2/a.jsonl", "{\"image\": \"y.png\"}\n");
        Assert.Contains(
            "--image-root", Assert.Throws<DatasetException>(() => Dataset.Open(_folder["p/*/a.jsonl"])).Message, StringComparison.Ordinal);
        var dataset = Dataset.Open(_folder["p/*/a.jsonl"], new DatasetOptions { ImageRoot = _folder.Path });
        Assert.Equal([_folder["x.png"], _folder["y.png"]], dataset.Read(Token).Select(item => item.Images[0].LocalPath));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_told_of_after_the_others()
    {
        Write("a-0.jsonl.gz", "no gzip at all");
        using (var gzip = new System.IO.Compression.GZipStream(
            File.Create(_folder["a-1.jsonl.gz"]), System.IO.Compression.CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes("{\"image\": \"y.png\"}\n"));
        var dataset = Dataset.Open(_folder["a-*.jsonl.gz"]);
        var seen = new List<string>();
        var message = Assert.Throws<DatasetException>(() =>
        {
            foreach (var item in dataset.Read(Token))
                seen.Add(item.Id);
        }).Message;
        Assert.Equal(["y.png"], seen);
        Assert.Contains("1 of 2 files", message, StringComparison.Ordinal);
        Assert.Contains("a-0.jsonl.gz", message, StringComparison.Ordinal);
    }
}
