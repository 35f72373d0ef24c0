using System.Text;
using System.Text.RegularExpressions;
using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Tests.Datasets;

public sealed partial class RecordLayoutTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public static TheoryData<string, string> Examples { get; } = [.. File.ReadAllLines(TestFiles.InRepository("docs", "formats.md"))
        .Select(line => Row().Match(line)).Where(match => match.Success)
        .Select(match => new TheoryDataRow<string, string>(
            match.Groups[1].Value, string.Join(' ', Code().Matches(match.Groups[2].Value).Select(code => code.Groups[1].Value))))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_layout_of_the_documentation_is_read(string record, string images)
    {
        File.WriteAllText(_folder["a.jsonl"], record + "\n");
        File.WriteAllText(_folder["a.json"], $"[{record}]");
        foreach (var file in new[] { "a.jsonl", "a.json" })
        {
            var item = Dataset.Open(_folder[file]).Read(TestContext.Current.CancellationToken).Single();
            Assert.Null(item.Error);
            Assert.Equal(images, string.Join(' ', item.Images.Select(image => image.Reference)));
            Assert.Equal(record, Encoding.UTF8.GetString(item.Raw.Span));
        }
    }

    [Fact]
    public void The_documentation_has_examples() => Assert.InRange(Examples.Count, 15, 100);

    [Theory]
    [InlineData("pictures", """{"pictures":["a.jpg",null,{"path":"b.jpg"}],"image":"no.jpg"}""", "a.jpg b.jpg")]
    [InlineData(
        "messages.content.image_url.url",
        """{"messages":[{"content":"text"},{"content":[{"image_url":{"url":"a.jpg"}},{"text":"x"}]},{"content":[{"image_url":{"url":"b.jpg"}}]}]}""", "a.jpg b.jpg")]
    [InlineData("meta.image", """{"meta":{"image":"a.jpg"}}""", "a.jpg")]
    [InlineData("meta.image", """{"meta.image":"a.jpg","meta":{"image":"b.jpg"}}""", "a.jpg")]
    [InlineData("meta.image", """{"meta":{"other":"a.jpg"}}""", "")]
    public void The_field_of_images_can_be_named(string field, string record, string images)
    {
        File.WriteAllText(_folder["a.jsonl"], record);
        var item = Dataset.Open(_folder["a.jsonl"], new DatasetOptions { ImageField = field }).Read(TestContext.Current.CancellationToken)
            .Single();
        Assert.Equal(images, string.Join(' ', item.Images.Select(image => image.Reference)));
    }

    [Fact]
    public void Odd_fields_of_other_layouts_are_no_fault_of_an_item()
    {
        File.WriteAllText(_folder["a.jsonl"], """
            {"messages":[1,{"content":[3,{"type":"image"},{"type":"image","image":7},{"type":"text","text":"a.jpg"}]}],"img":{"a":1},"file_name":4}
            {"messages":{"content":1},"jpg":[["a.jpg"]],"path":7}
            {"image":null,"images":[],"img":"a.jpg"}
            """);
        var items = Dataset.Open(_folder["a.jsonl"]).Read(TestContext.Current.CancellationToken).ToList();
        Assert.All(items, item => Assert.Null(item.Error));
        Assert.Equal([0, 0, 1], items.Select(item => item.Images.Count));
        Assert.Equal(5, items[0].Record!.Text.Length);
    }

    [Theory]
    [InlineData("""{"id":1,"image":"a.jpg","conversations":[]}""", "LLaVA records, images in 'image'")]
    [InlineData("""{"messages":[{"content":[{"type":"image","image":"a.jpg"}]}]}""", "chat records, images in 'messages.content'")]
    [InlineData("""{"file_name":"a.jpg"}""", "Hugging Face metadata, images in 'file_name'")]
    [InlineData("""{"img":"a.jpg"}""", "records, images in 'img'")]
    public void The_layout_is_told(string record, string layout)
    {
        File.WriteAllText(_folder["a.jsonl"], record);
        var dataset = Dataset.Open(_folder["a.jsonl"]);
        dataset.RequireImages(TestContext.Current.CancellationToken);
        Assert.Equal(layout, dataset.Layout);
    }

    [Fact]
    public void The_names_of_files_tell_films_from_images()
    {
        File.WriteAllText(_folder["a.jsonl"], """{"file_name":"a.mp4","other_file_name":"b.WAV","third_file_name":"c"}""");
        var item = Dataset.Open(_folder["a.jsonl"]).Read(TestContext.Current.CancellationToken).Single();
        Assert.Equal([MediaKind.Video, MediaKind.Audio, MediaKind.Image], item.Sources.Select(source => source.Kind));
    }

    [GeneratedRegex(@"^\|[^|]*\| `(\{.*\})` \|(.*)\|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Code();
}
