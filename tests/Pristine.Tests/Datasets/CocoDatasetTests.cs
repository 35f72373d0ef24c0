using System.Text;
using System.Text.Json;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

/// <summary>COCO files: images are items, and the export has the kept ones with their annotations, and all else byte for byte.</summary>
public sealed class CocoDatasetTests : IDisposable
{
    private const string Pretty = """
        {
          "info": {"description": "a } ] \" [ {", "images": [{"file_name": "not.jpg"}]},
          "images": [
            {"id": 5, "file_name": "a.jpg", "width": 640},
            {"id": 6, "file_name": "d/b.jpg", "height": 480} ,
            {"file_name": "c.jpg", "id": 7}
          ],
          "annotations": [
            {"id": 1, "image_id": 6, "bbox": [1.50, 2, 3, 4], "area": NaN},
            {"id": 2, "image_id": 5, "segmentation": {"counts": "]}\"[", "size": [2, 3]}},
            {"id": 3, "image_id": 6, "caption": "x"},{"id": 4, "image_id": 7}
          ],
          "categories": [{"id": 1, "name": "cat"}]
        }

        """;

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private Dataset Open(string content)
    {
        File.WriteAllText(_folder["a.json"], content);
        var dataset = Dataset.Open(_folder["a.json"]);
        Assert.Equal(DatasetFormat.Coco, dataset.Format);
        return dataset;
    }

    private string Export(string content, Func<DatasetItem, bool> isKept)
    {
        var dataset = Open(content);
        using (var writer = dataset.CreateWriter(_folder["out.json"]))
        {
            foreach (var item in dataset.Read(TestContext.Current.CancellationToken).Where(isKept))
                writer.Write(item);
            writer.Complete();
        }
        return File.ReadAllText(_folder["out.json"]);
    }

    [Fact]
    public void Images_are_the_items()
    {
        var dataset = Open(Pretty);
        var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(["5", "6", "7"], items.Select(item => item.Id));
        Assert.Equal(["a.jpg", "d/b.jpg", "c.jpg"], items.Select(item => item.Images.Single().Reference));
        Assert.Equal(_folder["d/b.jpg"], items[1].Images[0].LocalPath);
        Assert.Equal("640", items[0].Record!.Fields(["width"])[0]);
        Assert.Null(items[0].Text!.Value.ImageTokens);
        dataset.RequireImages(TestContext.Current.CancellationToken);
        Assert.Equal("COCO, images in 'images'", dataset.Layout);
    }

    [Fact]
    public void All_kept_is_byte_equal() => Assert.Equal(Pretty, Export(Pretty, _ => true));

    [Theory]
    [InlineData("6", "a.jpg,c.jpg", "2,4")]
    [InlineData("5,7", "d/b.jpg", "1,3")]
    [InlineData("5", "d/b.jpg,c.jpg", "1,3,4")]
    [InlineData("5,6,7", "", "")]
    public void Images_out_and_their_annotations_out(string dropped, string images, string annotations)
    {
        var ids = dropped.Split(',');
        var kept = Export(Pretty, item => !ids.Contains(item.Id));
        // Python reads NaN.
        using var document = JsonDocument.Parse(kept.Replace("NaN", "null", StringComparison.Ordinal));
        string Names(string list, string field) => string.Join(
            ',', document.RootElement.GetProperty(list).EnumerateArray().Select(element => element.GetProperty(field).ToString()));
        Assert.Equal((images, annotations), (Names("images", "file_name"), Names("annotations", "id")));
        Assert.StartsWith(Pretty[..(Pretty.IndexOf("\"images\": [\n", StringComparison.Ordinal) + 12)], kept, StringComparison.Ordinal);
        Assert.EndsWith("\n  ],\n  \"categories\": [{\"id\": 1, \"name\": \"cat\"}]\n}\n", kept, StringComparison.Ordinal);
    }

    [Fact]
    public void The_lists_may_come_in_any_order_and_ids_be_texts()
    {
        const string content =
            """{"annotations":[{"image_id":"x","id":1},{"image_id":"1","id":2},{"image_id":1,"id":3},{"image_id":1.5,"id":4},{"id":5}],"images":[{"id":"x","file_name":"a.jpg"},{"id":"1","file_name":"b.jpg"},{"id":1,"file_name":"c.jpg"},{"id":1.5,"file_name":"d.jpg"}]}""";
        Assert.Equal(content, Export(content, _ => true));
        Assert.Equal(
            """{"annotations":[{"image_id":"1","id":2},{"image_id":1.5,"id":4}],"images":[{"id":"1","file_name":"b.jpg"},{"id":1.5,"file_name":"d.jpg"}]}""", Export(content, item => item.Index is 1 or 3));
    }

    [Fact]
    public void Annotations_of_no_image_go_with_the_first_image_that_is_dropped()
    {
        const string content =
            """{"images":[{"id":1,"file_name":"a.jpg"},{"id":2,"file_name":"b.jpg"}],"annotations":[{"image_id":3},{"image_id":1}]}""";
        Assert.Equal(content, Export(content, _ => true));
        Assert.Equal(
            """{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":1}]}""", Export(content, item => item.Index == 0));
    }

    [Fact]
    public void Images_without_a_name_or_of_another_shape_are_items_with_an_error()
    {
        var items = Open(
            """{"images":[{"id":1,"file_name":"a.jpg"},{"id":2},3,null,"x",{"id":{},"file_name":"b.jpg"},{broken}],"annotations":[]}""")
                .Read(TestContext.Current.CancellationToken).ToList();
        Assert.Equal(7, items.Count);
        Assert.Null(items[0].Error);
        Assert.All(items.Skip(1), item => Assert.Matches(@"a\.json, byte \d+: expected ", item.Error));
    }

    [Theory]
    [InlineData("""{"images":[{"file_name":"a.jpg"}""", "cut off")]
    [InlineData("""{"images":[{"file_name":"a.jpg"}],"annotations":[{"image_id":1},""", "cut off")]
    [InlineData("""{"images":[{"file_name":"a.jpg"}],"x":"abc""", "cut off")]
    [InlineData("""{"images":[{"file_name":"a.jpg"}],"x":1""", "cut off")]
    [InlineData("""{"images":[{"file_name":"a.jpg"},]}""", "after a comma")]
    [InlineData("""{"images":[{"file_name":"a.jpg"} {"file_name":"b.jpg"}]}""", "a comma between")]
    [InlineData("""{"images":[{"file_name":"a.jpg"}]}}""", "end of the file")]
    [InlineData("""{"images":[{"file_name":"a.jpg"}]} more""", "end of the file")]
    public void A_file_that_is_broken_gives_its_images_up_to_there(string content, string message)
    {
        var items = new List<DatasetItem>();
        var broken = Assert.Throws<DatasetException>(() => items.AddRange(Open(content).Read(TestContext.Current.CancellationToken)));
        Assert.Contains(message, broken.Message, StringComparison.Ordinal);
        Assert.Matches(@"\(byte \d+ of the file\)", broken.Message);
    }

    [Theory]
    [InlineData("""{"images":["a.jpg"],"annotations":[]}""")]
    [InlineData("""{"images":[{"id":0,"url":"a.png"}],"conversations":[]}""")]
    [InlineData("""{"id":1,"image":"a.jpg"}""")]
    [InlineData("""{"meta":{"images":[{"file_name":"a.jpg"}]},"image":"a.jpg"}""")]
    public void Records_are_taken_for_none(string record)
    {
        File.WriteAllText(_folder["a.json"], $"{record}\n{record}\n");
        Assert.Equal(DatasetFormat.Jsonl, Dataset.Open(_folder["a.json"]).Format);
        Assert.Equal(2, Dataset.Open(_folder["a.json"]).Read(TestContext.Current.CancellationToken).Count());
    }

    [Fact]
    public void Empty_lists_are_a_dataset_without_items()
    {
        Assert.Empty(Open("""{"images":[ ],"annotations":[]}""").Read(TestContext.Current.CancellationToken));
        Assert.Equal("""{"images":[ ],"annotations":[]}""", Export("""{"images":[ ],"annotations":[]}""", _ => true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(4096)]
    public void Pieces_are_the_file_at_any_size_of_the_buffer(int bufferSize)
    {
        var bytes = Encoding.UTF8.GetBytes("\uFEFF" + Pretty.Replace("cat", "größe 🖼", StringComparison.Ordinal));
        var reader = new CocoReader(new MemoryStream(bytes), "a.json", bufferSize);
        var (found, kinds) = (new List<byte>(), new List<CocoPieceKind>());
        while (reader.Next(out var piece))
        {
            found.AddRange(piece.Before.Span);
            Assert.Equal(found.Count, piece.Offset);
            found.AddRange(piece.Value.Span);
            kinds.Add(piece.Kind);
        }
        Assert.Equal(bytes, found);
        Assert.Equal((3, 4), (kinds.Count(kind => kind == CocoPieceKind.Image), kinds.Count(kind => kind == CocoPieceKind.Annotation)));
    }

    [Fact]
    public void An_export_that_does_not_end_leaves_nothing()
    {
        var dataset = Open(Pretty);
        dataset.CreateWriter(_folder["out.json"]).Dispose();
        Assert.Equal([_folder["a.json"]], Directory.EnumerateFileSystemEntries(_folder.Path));
        Assert.Throws<DatasetException>(() => dataset.CreateWriter(_folder["a.json"]));
        Assert.Throws<DatasetException>(() => dataset.CreateWriter(_folder["out.jsonl"]));
    }
}
