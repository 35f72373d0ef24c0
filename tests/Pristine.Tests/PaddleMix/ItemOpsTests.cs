using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Text.Language;
using Pristine.Models;
using Pristine.PaddleMix;
using Pristine.Scoring;
using Pristine.Tests.Media;
using Pristine.Tests.Models;

namespace Pristine.Tests.PaddleMix;

public sealed class ItemOpsTests : IDisposable
{
    private static readonly string Samples = TestFiles.InRepository("samples");
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public ItemOpsTests()
    {
        File.Copy(Path.Combine(Samples, "photos", "moss.jpg"), _folder["good.jpg"]);
        File.Copy(Path.Combine(Samples, "photos", "moss-blur.jpg"), _folder["poor.jpg"]);
        File.WriteAllBytes(_folder["corrupt.jpg"], TestImages.Jpeg(200, 160)[..1000]);
    }

    public void Dispose() => _folder.Dispose();

    private double Quality(string image)
    {
        using var scorer = new ImageScorer();
        return MetricCatalog.Get("brisque").Quality(scorer.Score(_folder[image]).Scores.Span[0]);
    }

    private static MMItem Item(params string[] images) => images.Length switch
    {
        0 => MMItem.Parse("""{"id":"text"}"""),
        1 => MMItem.Parse($$"""{"id":"{{images[0]}}","image":"{{images[0]}}"}"""),
        _ => MMItem.Parse(
            $$"""{"id":"several","images":[{{string.Join(',', images.Select((image, i) => $$"""{"id":{{i}},"url":"{{image}}"}"""))}}]}"""),
    };

    private bool Keeps(MMItem item, double min, double max) => ItemOps.IqaBrisque(min, max, _folder.Path)(item);

    private static readonly string[] Conversations =
    [
        """[["<image>\nWhat is this?", "A dog."], ["And this?", "A cat on a mat, asleep."]]""",
        """[{"from": "human", "value": "<image>\nWhat is this?"}, {"from": "gpt", "value": "A dog."}, {"from": "human", "value": "And this?"}, {"from": "gpt", "value": "A cat on a mat, asleep."}]""",
    ];

    [Fact]
    public void Conversations_in_pairs_and_in_messages_are_the_same_text()
    {
        foreach (var conversations in Conversations)
        {
            var item = MMItem.Parse($$"""{"id": 7, "image": "good.jpg", "more": [1], "conversations": {{conversations}} }""");
            Assert.Equal("What is this?A dog.\n\nAnd this?A cat on a mat, asleep.", ItemOps.TextOf(item));
            Assert.True(ItemOps.ConversationLength(54)(item));
            // As there, the limit itself is too long.
            Assert.False(ItemOps.ConversationLength(53)(item));
            Assert.True(ItemOps.AverageLineLength(17, 17)(item));
            Assert.False(ItemOps.AverageLineLength(17.1)(item));
            Assert.True(ItemOps.MaximumLineLength(32, 32)(item));
            var converted = ItemOps.LlavaConvert("images/")(item)!;
            Assert.Equal(["id", "image", "more", "conversations"], converted.Fields.Select(field => field.Key));
            Assert.Equal("images/good.jpg", converted.GetString("image"));
            Assert.True(System.Text.Json.JsonElement.DeepEquals(
                System.Text.Json.JsonElement.Parse(Conversations[0]), converted["conversations"]!.Value));
        }
    }

    [Fact]
    public void Shares_and_repetitions_are_those_of_DataCopilot()
    {
        MMItem Of(string text) => MMItem.Parse(
            $$"""{"conversations": [["{{text}}", ""]]}""");
        Assert.True(ItemOps.AlphanumericRatio(0.75, 0.75)(Of("ab1!")));
        Assert.True(ItemOps.SpecialCharactersRatio(0.25, 0.25)(Of("ab1!")));
        Assert.True(ItemOps.SpecialCharactersRatio(0, 0)(Of("a-b")));
        Assert.False(ItemOps.AlphanumericRatio()(Of("")));
        Assert.True(ItemOps.CharNgramRepetition()(Of("short")));
        Assert.False(ItemOps.CharNgramRepetition()(Of(new string('a', 100))));
        // "a b" 3 times of 5 sequences of two words: "a b", "b a"; one of two counts, because sqrt(2) is 1.
        Assert.True(ItemOps.WordNgramRepetition(2, 0.6, 0.6)(Of("a b a b a b")));
        Assert.True(ItemOps.WordNgramRepetition()(Of("a b")));
        var tokenizer = Pristine.Tests.Metrics.Text.TextTokenizerTests.File("gpt2.json");
        Assert.True(ItemOps.TokenNum(tokenizer, 9, 9)(Of("a photo of a cat")));
    }

    [Fact]
    public void A_language_is_kept_where_it_is_sure()
    {
        Assert.Throws<ArgumentException>(() => ItemOps.LanguageId("english"));
        if (LanguageScore.Any.Missing is { } missing)
        {
            Assert.Equal(missing, Assert.Throws<ModelException>(() => ItemOps.LanguageId()).Message);
            return;
        }
        var german = MMItem.Parse(
            """{"conversations": [["<image>\nWas ist hier zu sehen?", "Ein rotes Fahrrad lehnt an einer Mauer."]]}""");
        Assert.True(ItemOps.LanguageId("de")(german));
        Assert.False(ItemOps.LanguageId("en", 0)(german));
        Assert.True(ItemOps.LanguageId()(german));
        Assert.False(ItemOps.LanguageId(min: 1.1)(german));
        Assert.Throws<ArgumentException>(() => ItemOps.AlphanumericRatio(1, 0));
    }

    [Fact]
    public void Percentiles_are_of_the_numbers_of_pairs_in_the_dataset()
    {
        MMItem Of(int pairs) => MMItem.Parse(
            $$"""{"conversations": [{{string.Join(',', Enumerable.Repeat("""["q", "a"]""", pairs))}}]}""");
        var dataset = new MMDataset(Enumerable.Range(0, 11).Select(Of));
        int Kept(double low, double high) => dataset.Filter(ItemOps.ConversationPercentage(dataset, low, high)).Count;
        Assert.Equal(11, Kept(0, 100));
        // 0.5 and 9.5: NumPy's percentiles of 0, 1, ... 10.
        Assert.Equal(9, Kept(5, 95));
        Assert.Throws<ArgumentException>(() => ItemOps.ConversationPercentage(dataset, 50, 20));
    }

    [Fact]
    public void Valid_data_and_sizes_of_images()
    {
        bool Valid(string image, string conversations) => ItemOps.ValidData(_folder.Path)(
            MMItem.Parse($$"""{"image": "{{image}}", "conversations": {{conversations}} }"""));
        Assert.All(Conversations, conversations => Assert.True(Valid("good.jpg", conversations)));
        Assert.False(Valid("corrupt.jpg", Conversations[0]));
        Assert.False(Valid("gone.jpg", Conversations[0]));
        Assert.False(Valid("good.jpg", """[["a USER says", "b"]]"""));
        Assert.False(Valid("good.jpg", """[["a", "b", "c"]]"""));
        Assert.False(Valid("good.jpg", """[["a", " "]]"""));
        Assert.False(Valid("good.jpg", """[["a", 1]]"""));
        using var scorer = new ImageScorer();
        var header = scorer.Score(_folder["good.jpg"]).Header!.Value;
        var item = Item("good.jpg");
        Assert.True(ItemOps.ImageResolution(header.Width, header.Height, header.Width, header.Height, _folder.Path)(item));
        Assert.False(ItemOps.ImageResolution(header.Width + 1, 1, imageRoot: _folder.Path)(item));
        var ratio = (double)header.Width / header.Height;
        Assert.True(ItemOps.ImageRatio(ratio, ratio, _folder.Path)(item));
        var kilobytes = new FileInfo(_folder["good.jpg"]).Length / 1024.0;
        Assert.True(ItemOps.ImageFilesize(kilobytes, kilobytes, _folder.Path)(item));
        Assert.False(ItemOps.ImageFilesize(kilobytes + 1, imageRoot: _folder.Path)(item));
        Assert.True(ItemOps.ImageFilesize(imageRoot: _folder.Path)(Item()));
        Assert.False(ItemOps.ImageRatio(imageRoot: _folder.Path)(Item("gone.jpg")));
    }

    [Fact]
    public void The_range_includes_both_ends()
    {
        var quality = Quality("good.jpg");
        Assert.InRange(quality, 0.05, 0.95);
        var item = Item("good.jpg");
        Assert.True(Keeps(item, quality, quality));
        Assert.True(Keeps(item, 0, 1));
        Assert.False(Keeps(item, Math.BitIncrement(quality), 1));
        Assert.False(Keeps(item, 0, Math.BitDecrement(quality)));
    }

    [Fact]
    public void An_item_without_an_image_is_kept_and_one_whose_image_has_no_score_is_not()
    {
        Assert.True(Keeps(Item(), 0.9, 1));
        Assert.False(Keeps(Item("no such.jpg"), 0, 1));
        Assert.False(Keeps(Item("corrupt.jpg"), 0, 1));
        Assert.False(Keeps(Item("good.jpg", "no such.jpg"), 0, 1));
    }

    [Fact]
    public void A_bad_image_aborts_nothing()
    {
        var dataset = new MMDataset([Item("corrupt.jpg"), Item("good.jpg"), Item("no such.jpg"), Item()]);
        var kept = dataset.Filter(ItemOps.IqaBrisque(0, 1, _folder.Path), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["good.jpg", "text"], kept.Select(item => item.Id));
        Assert.Empty(kept.Failures);
    }

    [Fact]
    public void Of_several_images_the_worst_decides()
    {
        var (good, poor) = (Quality("good.jpg"), Quality("poor.jpg"));
        Assert.True(poor < good);
        var item = Item("good.jpg", "poor.jpg");
        Assert.Equal(poor, ItemOps.TagBrisque(_folder.Path).Quality(item));
        Assert.True(Keeps(item, poor, poor));
        Assert.False(Keeps(item, good, 1));
    }

    [Fact]
    public void The_tag_is_the_quality_or_null()
    {
        var tagger = ItemOps.TagBrisque(_folder.Path);
        Assert.Equal("__tag_brisque", tagger.Field);
        var tagged = new MMDataset([Item("good.jpg"), Item("poor.jpg"), Item("corrupt.jpg"), Item()])
            .Map(tagger, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal([Quality("good.jpg"), Quality("poor.jpg"), null, null], tagged.Select(item => item.GetDouble("__tag_brisque")));
        Assert.All(tagged.Select(item => item.GetDouble("__tag_brisque")).OfType<double>(), quality => Assert.InRange(quality, 0, 1));
        Assert.EndsWith("\"__tag_brisque\":null}", tagged[2].ToString(), StringComparison.Ordinal);
        Assert.Equal("""{"id":"text"}""", tagged[3].ToString());
        Assert.Empty(tagged.Failures);
    }

    [Fact]
    public void An_ensemble_is_the_weighted_sum()
    {
        var quality = Quality("good.jpg");
        QualityTagger[] taggers = [ItemOps.TagBrisque(_folder.Path), ItemOps.TagBrisque(_folder.Path)];
        // Both weights are powers of two and their sum is exact in binary.
        var sum = quality * 0.5 + quality * 0.25;
        bool Keeps(MMItem item, double min, double max) => ItemOps.Ensemble(taggers, [0.5, 0.25], min, max)(item);
        Assert.True(Keeps(Item("good.jpg"), sum, sum));
        Assert.False(Keeps(Item("good.jpg"), Math.BitIncrement(sum), 1));
        Assert.False(Keeps(Item("good.jpg"), 0, Math.BitDecrement(sum)));
        Assert.True(Keeps(Item(), 0.99, 1));
        Assert.False(Keeps(Item("corrupt.jpg"), -1, 2));
    }

    [Fact]
    public void Arniqa_is_that_of_PaddleMIX_with_an_inclusive_range_and_a_tag()
    {
        var options = InstallArniqa();
        var metric = new ArniqaMetric(options);
        Assert.Equal("arniqa:pyiqa@koniq10k", metric.Name);
        double Expected(string image)
        {
            using var scorer = new ImageScorer(new ScoringOptions { Metrics = [metric] });
            return metric.Quality(scorer.Score(_folder[image]).Scores.Span[0]);
        }
        var (good, poor) = (Expected("good.jpg"), Expected("poor.jpg"));
        Assert.All([good, poor], quality => Assert.InRange(quality, 0.001, 0.999));
        Assert.NotEqual(good, poor);

        bool Keeps(MMItem item, double min, double max) => ItemOps.IqaArniqa(min, max, _folder.Path, options)(item);
        Assert.True(Keeps(Item("good.jpg"), good, good));
        Assert.False(Keeps(Item("good.jpg"), Math.BitIncrement(good), 1));
        Assert.False(Keeps(Item("good.jpg"), 0, Math.BitDecrement(good)));
        Assert.True(Keeps(Item("good.jpg", "poor.jpg"), Math.Min(good, poor), Math.Min(good, poor)));
        Assert.True(Keeps(Item(), 0.99, 1));
        Assert.False(Keeps(Item("corrupt.jpg"), 0, 1));

        var tagger = ItemOps.TagArniqa(_folder.Path, options);
        Assert.Equal("__tag_arniqa", tagger.Field);
        var tagged = new MMDataset([Item("good.jpg"), Item("poor.jpg"), Item("corrupt.jpg"), Item()])
            .Map(tagger, new MapOptions { Workers = 2 }, TestContext.Current.CancellationToken);
        Assert.Equal([good, poor, null, null], tagged.Select(item => item.GetDouble("__tag_arniqa")));
        Assert.Equal("""{"id":"text"}""", tagged[3].ToString());

        var sum = good * 0.5 + Quality("good.jpg") * 0.25;
        Assert.True(ItemOps.Ensemble([tagger, ItemOps.TagBrisque(_folder.Path)], [0.5, 0.25], sum, sum)(Item("good.jpg")));
    }

    [Fact]
    public void Arniqa_without_its_weights_is_refused_before_any_item()
    {
        var options = Arniqa(new ModelStore(_folder["empty"]));
        Assert.Contains("pristine models pull arniqa", Assert.Throws<ModelException>(
            () => ItemOps.IqaArniqa(options: options)).Message, StringComparison.Ordinal);
        Assert.Contains("pristine models pull arniqa", Assert.Throws<ModelException>(
            () => ItemOps.TagArniqa(options: options)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ItemOps.IqaArniqa(0.6, 0.4, options: InstallArniqa()));
    }

    private static ArniqaOptions Arniqa(ModelStore store) => new()
    {
        Mode = ArniqaMode.Pyiqa,
        Head = ArniqaHead.Get("koniq10k"),
        Store = store,
    };

    /// <summary>A network with few channels, whose scores of photos lie within the range of KonIQ-10k.</summary>
    private ArniqaOptions InstallArniqa()
    {
        File.WriteAllBytes(_folder["ARNIQA.pth"], new TinyResNet().TorchFile());
        var weights = Enumerable.Range(0, 2 * TinyResNet.Features).Select(i => i % 3 - 1f).ToArray();
        File.WriteAllBytes(_folder["regressor_koniq10k.pth"], TinyResNet.Regressor(weights, 50));
        var store = new ModelStore(_folder["store"]);
        store.Import(ArniqaModel.Encoder, [_folder["ARNIQA.pth"]], UnknownFiles.Trust);
        store.Import(ArniqaModel.HeadName("koniq10k"), [_folder["regressor_koniq10k.pth"]], UnknownFiles.Trust);
        return Arniqa(store);
    }

    [Fact]
    public void Wrong_arguments_are_refused_at_once()
    {
        var tagger = ItemOps.TagBrisque();
        Assert.Contains(
            "min 0.6 and max 0.4", Assert.Throws<ArgumentException>(() => ItemOps.IqaBrisque(0.6, 0.4)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ItemOps.IqaBrisque(double.NaN));
        Assert.Throws<ArgumentException>(() => ItemOps.Ensemble([tagger], [1], 1, 0));
        Assert.Throws<ArgumentException>(() => ItemOps.Ensemble([], []));
        Assert.Throws<ArgumentException>(() => ItemOps.Ensemble([tagger, tagger], [1]));
    }

    [Theory]
    [InlineData("captions.json", MMSchema.MM)]
    [InlineData("dialogs.jsonl", MMSchema.MIX)]
    public void Any_number_of_workers_gives_the_same_and_leaves_the_source_as_it_was(string file, MMSchema schema)
    {
        var dataset = MMDataset.FromAuto(Path.Combine(Samples, file));
        Assert.Equal(schema, dataset.Schema);
        var before = dataset.Select(item => item.ToString()).ToArray();
        string[] Tagged(int workers) =>
            [.. dataset.Map(ItemOps.TagBrisque(Samples), new MapOptions { Workers = workers }, TestContext.Current.CancellationToken)
            .Select(item => item.ToString())];
        string?[] Kept(int workers) =>
            [.. dataset.Filter(ItemOps.IqaBrisque(
                0.6, 1, Samples), new MapOptions { Workers = workers }, TestContext.Current.CancellationToken).Select(item => item.Id)];
        Assert.Equal(Tagged(1), Tagged(4));
        var kept = Kept(1);
        Assert.Equal(kept, Kept(4));
        Assert.InRange(kept.Length, 1, dataset.Count - 1);
        Assert.Equal(before, dataset.Select(item => item.ToString()));
    }

    [Fact]
    public void A_paddlemix_script_translates_line_by_line()
    {
        // os.chdir('samples'); here the root is named, since the current folder belongs to all tests.
        // dataset = MMDataset.from_json('captions.json')
        var dataset = MMDataset.FromJson(Path.Combine(Samples, "captions.json"));
        // dataset = dataset.sanitize().nonempty()
        dataset = dataset.Sanitize().Nonempty();
        Assert.Equal(38, dataset.Count);
        // dataset = dataset.map(tag_brisque, max_workers=2)
        dataset = dataset.Map(ItemOps.TagBrisque(Samples), new MapOptions { Workers = 2 }, TestContext.Current.CancellationToken);
        // good = dataset.filter(partial(iqa_brisque, min_score=0.7), max_workers=2)
        var good = dataset.Filter(
            ItemOps.IqaBrisque(0.7, 1, Samples), new MapOptions { Workers = 2 }, TestContext.Current.CancellationToken);
        // best = good.sort(key=lambda item: item['__tag_brisque'], reverse=True)[:3]
        var best = good.SortDescending(item => item.GetDouble("__tag_brisque")).Head(3);
        // mixed = (best + good.shuffle()[:2]).map(partial(convert_schema, out_schema=SCHEMA.MIX))
        var mixed = (best + good.Shuffle(seed: 1)[..2]).ConvertSchema(MMSchema.MIX);
        // mixed.export_jsonl('best.jsonl')
        mixed.ExportJsonl(_folder["best.jsonl"]);

        var read = MMDataset.FromJsonl(_folder["best.jsonl"]);
        Assert.Equal((5, MMSchema.MIX), (read.Count, read.Schema));
        Assert.Equal(5, read.Sanitize().Count);
        var qualities = read.Select(item => item.GetDouble("__tag_brisque")!.Value).ToArray();
        Assert.All(qualities, quality => Assert.InRange(quality, 0.7, 1));
        Assert.Equal(good.Select(item => item.GetDouble("__tag_brisque")!.Value).OrderDescending().Take(3), qualities[..3]);
        Assert.Equal(dataset.Count(item => item.GetDouble("__tag_brisque") >= 0.7), good.Count);
    }
}
