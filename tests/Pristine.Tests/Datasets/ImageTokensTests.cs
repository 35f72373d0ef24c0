using Pristine.Datasets;
using Pristine.Media;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Datasets;

public sealed class ImageTokensTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{"image":"a","conversations":[{"from":"human","value":"<image>\\nWhat? <image>"},{"from":"gpt","value":"x"}]}""", 2)]
    [InlineData("""{"image":"a","conversations":[{"from":"human","value":"What?"}]}""", 0)]
    [InlineData("""{"image":"a","conversations":[["<image> What?","A cat"]]}""", 1)]
    [InlineData(
        """{"images":[{"id":0,"url":"a.png"}],"conversations":[{"from":"user","value":"<image>0</image> What?"},{"from":"assistant","value":null}]}""", 1)]
    [InlineData(
        """{"messages":[{"role":"user","content":"<image><image>"},{"role":"assistant","content":"<image>"}],"images":["a","b"]}""", 3)]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image","image":"a"},{"type":"text","text":"the word <image>"}]}]}""", 1)]
    [InlineData(
        """{"messages":[{"role":"user","content":[{"type":"image"},{"type":"image"},{"type":"text","text":"x"}]}],"images":["a"]}""", 2)]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"a"}}]}]}""", 1)]
    [InlineData("""{"messages":[{"role":"user","content":[{"image":"a"},{"text":"<image>"}]}]}""", 1)]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text","text":"<image>"}]}],"images":["a"]}""", 1)]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"video","video":"a"},{"type":"text","text":"x"}]}]}""", 0)]
    [InlineData("""{"instruction":"<image> What?","input":"","output":"A cat","images":["a"]}""", 1)]
    [InlineData("""{"prompt":"<image> What?","images":["a"]}""", 1)]
    [InlineData("""{"prompt":[{"role":"user","content":"What?"}],"images":["a"]}""", 0)]
    [InlineData("""{"text":"<__dj__image> a cat <|__dj__eoc|>","images":["a"]}""", 1)]
    [InlineData("""{"image":"a","text":"a cat"}""", null)]
    [InlineData("""{"file_name":"a.jpg","captions":["a cat","<image>"]}""", 1)]
    [InlineData("""{"images":["a"],"query":"<image_1> and <image_2>; again <image_1>, <image 2>"}""", 2)]
    [InlineData("""{"images":["a"],"query":"<|image_1|><|image|><image_placeholder><ImageHere>"}""", 4)]
    [InlineData("""{"images":["a"],"messages":[{"role":"user","content":"< image> <images> <IMAGE> &lt;image&gt;"}]}""", 0)]
    [InlineData("""{"image":"a","conversations":"<image>"}""", 1)]
    [InlineData("""{"image":"a","conversations":null}""", null)]
    [InlineData("""{"image":"a","conversations":[1,null,{"value":{}},[null]]}""", 0)]
    public void Places_for_images_are_counted_as_each_layout_has_them(string record, int? tokens)
    {
        File.WriteAllText(_folder["a.jsonl"], record);
        var item = Dataset.Open(_folder["a.jsonl"]).Read(TestContext.Current.CancellationToken).Single();
        Assert.Null(item.Error);
        Assert.Equal(tokens, item.Record!.Text.ImageTokens);
    }

    [Fact]
    public void A_caption_of_an_archive_or_a_table_may_have_placeholders()
    {
        File.WriteAllText(_folder["a.csv"], "image,caption\na.jpg,<image> a cat\nb.jpg,a dog\n");
        Assert.Equal([1L, null], Dataset.Open(_folder["a.csv"]).Read(TestContext.Current.CancellationToken)
            .Select(item => item.Record!.Text.ImageTokens));
        Assert.Equal(3, ItemText.Add(new ItemText { ImageTokens = 1 }, new ItemText { ImageTokens = 2 }).ImageTokens);
        Assert.Equal(1, ItemText.Add(new ItemText { ImageTokens = 1 }, default).ImageTokens);
        Assert.Null(ItemText.Add(default, default).ImageTokens);
    }

    [Fact]
    public void Rules_compare_the_places_with_the_images()
    {
        File.WriteAllText(_folder["a.jsonl"], string.Join('\n', new[]
        {
            """{"id":"equal","image":"a.jpg","conversations":[{"value":"<image>"}]}""",
            """{"id":"none","image":"a.jpg","conversations":[{"value":"x"}]}""",
            """{"id":"text","conversations":[{"value":"x"}]}""",
            """{"id":"more","images":["a.jpg","b.jpg"],"conversations":[{"value":"<image><image><image>"}]}""",
            """{"id":"word","conversations":[{"value":"<image>"}]}""",
            """{"id":"caption","image":"a.jpg","caption":"x"}""",
        }));
        var dataset = Dataset.Open(_folder["a.jsonl"]);
        var table = _folder["scores"];
        var scored = ScoreTableRun.Score(
            dataset, table, new ScoringOptions { Metrics = [], Workers = 1 }, cancellation: TestContext.Current.CancellationToken).ToList();
        Assert.Equal("none more word", string.Join(' ', scored.Where(item => item.HasOtherImageTokens).Select(item => item.Item.Id)));
        Assert.Equal([1d, 1, 0, 2, 0, 1], scored.Select(item => item.Rows[0]["image_count"]));
        Assert.Equal([1d, 0, 0, 3, 1, double.NaN], scored.Select(item => item.Rows[0]["image_tokens"]));
        Assert.Equal("equal text", Kept(new SelectionOptions { Keep = ["image_tokens = image_count"] }));
        Assert.Equal(
            "equal text caption", Kept(new SelectionOptions { Drop = ["image_tokens <> image_count and image_tokens is not null"] }));
        Assert.Equal("equal text caption", Kept(
            new SelectionOptions { Drop = ["image_tokens <> image_count and image_tokens is not null"], Images = ImagePolicy.Mean }));
        Assert.False(new SelectionOptions { Keep = ["image_tokens = image_count"] }.Parse().NeedsImages);

        string Kept(SelectionOptions options)
        {
            using var run = SelectionRun.Run(ScoreTable.Open(table), options, cancellation: TestContext.Current.CancellationToken);
            return string.Join(' ', run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id));
        }
    }

    [Fact]
    public void A_gate_on_the_record_knows_both_numbers()
    {
        var gate = Assert.Single(Cascade.OfItems(new SelectionOptions { Keep = ["image_tokens = image_count"] }.Parse()));
        File.WriteAllText(_folder["a.jsonl"], """{"image":"a.jpg","conversations":[{"value":"<image>"}]}""");
        var item = Dataset.Open(_folder["a.jsonl"]).Read(TestContext.Current.CancellationToken).Single();
        Assert.Null(gate.Failure(item));
        Assert.Equal(MediaKind.Image, item.Sources[0].Kind);
    }
}
