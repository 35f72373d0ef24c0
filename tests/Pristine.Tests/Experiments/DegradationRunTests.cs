using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments;

public class DegradationRunTests
{
    private static readonly DegradationOptions Half = new() { Share = 0.5, Seed = 4, Workers = 2 };

    private static TemporaryFolder Images(int count)
    {
        var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["in/sub"]);
        for (var i = 0; i < count; i++)
            File.WriteAllBytes(folder[i % 2 == 0 ? $"in/{i:000}.jpg" : $"in/sub/{i:000}.png"], i % 2 == 0 ? TestImages.Jpeg(
                48 + i, 40) : TestImages.Png(48, 40 + i));
        return folder;
    }

    private static DegradedItem[] Run(string input, string target, DegradationOptions options) =>
        [.. DegradationRun.Run(Dataset.Open(input), target, options, TestContext.Current.CancellationToken)];

    private static Dictionary<string, byte[]> Files(string folder) =>
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllBytes);

    [Fact]
    public void The_same_seed_gives_the_same_files_in_any_order_on_any_number_of_threads()
    {
        using var folder = Images(24);
        Run(folder["in"], folder["one"], Half with { Workers = 1 });
        Run(folder["in"], folder["four"], Half with { Workers = 4 });
        Run(folder["in"], folder["other"], Half with { Seed = 5 });
        Assert.Equal(Files(folder["one"]), Files(folder["four"]));
        Assert.NotEqual(Files(folder["one"]), Files(folder["other"]));
        // Fewer images: those that are drawn of the rest get the same kind and level.
        Run(folder["in"], folder["every"], Half with { Share = 1 });
        foreach (var file in Directory.GetFiles(folder["in"], "*.jpg"))
            File.Delete(file);
        var rest = Run(folder["in"], folder["rest"], Half).SelectMany(item => item.Images).ToArray();
        Assert.Equal(6, rest.Count(entry => entry.Outcome == DegradationOutcome.Degraded));
        Assert.All(rest, entry => Assert.Equal(
            File.ReadAllBytes(folder[$"{(entry.Degradation == null ? "in" : "every")}/{entry.Output}"]),
            File.ReadAllBytes(folder[$"rest/{entry.Output}"])));
    }

    [Theory]
    [InlineData(0.5, 13, 7)]
    [InlineData(0.04, 13, 1)]
    [InlineData(0.03, 13, 0)]
    [InlineData(0.3, 10, 3)]
    [InlineData(0.99, 13, 13)]
    public void Exactly_the_share_is_drawn_and_a_larger_one_draws_the_same_and_more(double share, int images, int degraded)
    {
        using var folder = Images(images);
        // Images that are not there and items that name an image again change nothing.
        File.WriteAllLines(folder["data.jsonl"], Directory.GetFiles(folder["in"], "*", SearchOption.AllDirectories)
            .Append(folder["in/none.jpg"]).Append(folder["in/000.jpg"])
            .Select(file => $"{{\"image\":\"{Path.GetRelativePath(folder.Path, file)}\"}}"));
        foreach (var seed in (int[])[1, 2, 3])
        {
            HashSet<string> Degraded(double part, string target) =>
                [.. Run(folder["data.jsonl"], folder[$"{target}{seed}"], Half with { Share = part, Seed = seed })
                .SelectMany(item => item.Images).Where(entry => entry.Outcome == DegradationOutcome.Degraded)
                .Select(entry => entry.Output!)];
            var drawn = Degraded(share, "out");
            Assert.Equal(degraded, drawn.Count);
            Assert.Subset(Degraded(Math.Min(1, share + 0.2), "more"), drawn);
        }
    }

    [Fact]
    public void Images_that_are_not_drawn_keep_their_bytes_and_originals_are_never_touched()
    {
        using var folder = Images(30);
        var before = Files(folder["in"]);
        var items = Run(folder["in"], folder["out"], Half);
        Assert.Equal(before, Files(folder["in"]));
        Assert.Equal(before.Keys.Append(DegradationRun.LogName)
            .Order(StringComparer.Ordinal), Files(folder["out"]).Keys.Order(StringComparer.Ordinal));
        var entries = items.SelectMany(item => item.Images).ToArray();
        Assert.Equal(15, entries.Count(entry => entry.Outcome == DegradationOutcome.Degraded));
        Assert.Equal(30, entries.Length);
        foreach (var entry in entries)
        {
            var same = File.ReadAllBytes(folder[$"out/{entry.Output}"]).AsSpan().SequenceEqual(before[entry.Image]);
            Assert.Equal(entry.Outcome == DegradationOutcome.Copied, same);
        }
        Assert.Equal(entries, DegradationLog.Read(folder[$"out/{DegradationRun.LogName}"]));
    }

    [Fact]
    public void Share_kinds_and_levels_are_followed()
    {
        using var folder = Images(40);
        Assert.All(Run(folder["in"], folder["none"], Half with { Share = 0 })
            .SelectMany(item => item.Images), entry => Assert.Equal(DegradationOutcome.Copied, entry.Outcome));
        var entries = Run(folder["in"], folder["all"], new DegradationOptions
        {
            Kinds = [
            DegradationKind.Darken, DegradationKind.MotionBlur],
            Levels = [2, 4]
        })
            .SelectMany(item => item.Images).Select(entry => entry.Degradation!.Value).ToArray();
        Assert.Equal(40, entries.Length);
        Assert.Equal([DegradationKind.MotionBlur, DegradationKind.Darken], entries.Select(done => done.Kind).Distinct().Order());
        Assert.Equal([2, 4], entries.Select(done => done.Level).Distinct().Order());
        Assert.All(entries, done => Assert.Equal(done.Kind == DegradationKind.MotionBlur, done.Angle > 0));
    }

    [Fact]
    public void A_json_dataset_is_copied_with_the_same_items_whose_images_are_the_copies()
    {
        using var folder = TestFiles.NewFolder();
        var captions = TestFiles.InRepository("samples", "captions.json");
        var items = Run(captions, folder["out"], new DegradationOptions { Kinds = [DegradationKind.Quantise], Workers = 2 });
        Assert.Equal(File.ReadAllBytes(captions), File.ReadAllBytes(folder["out/captions.json"]));
        var copies = Dataset.Open(folder["out/captions.json"]).Read(TestContext.Current.CancellationToken).SelectMany(item => item.Images)
            .ToArray();
        var entries = items.SelectMany(item => item.Images).ToArray();
        Assert.Equal(entries.Length, copies.Length);
        for (var i = 0; i < entries.Length; i++)
            Assert.Equal(entries[i].Outcome != DegradationOutcome.Missing, File.Exists(copies[i].LocalPath));
        // One image of the samples is absent, one is cut off and copied as it is.
        Assert.Equal("photos/lighthouse.jpg", entries.Single(entry => entry.Outcome == DegradationOutcome.Missing).Image);
        var failed = entries.Single(entry => entry.Outcome == DegradationOutcome.Failed);
        Assert.Contains("cut off", failed.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "corrupt.jpg")), File.ReadAllBytes(
            folder[$"out/{failed.Output}"]));
    }

    [Fact]
    public void An_item_that_would_still_show_the_original_is_told_of()
    {
        using var folder = Images(2);
        var image = folder["in/000.jpg"];
        File.WriteAllText(
            folder["data.jsonl"],
            $"{{\"image\":\"{image}\"}}\n{{\"image\":\"in/000.jpg\"}}\n{{\"image\":\"../{Path.GetFileName(folder.Path)}/in/000.jpg\"}}\n");
        var entries = Run(folder["data.jsonl"], folder["out"], new DegradationOptions { Workers = 1 }).SelectMany(item => item.Images)
            .ToArray();
        Assert.Equal(
            [DegradationOutcome.Failed, DegradationOutcome.Degraded, DegradationOutcome.Failed], entries.Select(entry => entry.Outcome));
        Assert.Contains("absolute path", entries[0].Error, StringComparison.Ordinal);
        Assert.Null(entries[2].Output);
    }

    [Fact]
    public void Names_that_cannot_be_read_or_written_do_not_stop_the_run()
    {
        using var folder = Images(2);
        // As long as a name can be on Linux: also the temporary name of the copy must not be longer.
        var longName = new string('n', 251) + ".jpg";
        File.Copy(folder["in/000.jpg"], folder[$"in/{longName}"]);
        File.WriteAllText(
            folder["data.jsonl"], $"{{\"image\":\"in/a\\u0000b.jpg\"}}\n{{\"image\":\"in/{longName}\"}}\n{{\"image\":\"in/000.jpg\"}}\n");
        var entries = Run(folder["data.jsonl"], folder["out"], new DegradationOptions { Workers = 1 }).SelectMany(item => item.Images)
            .ToArray();
        Assert.Equal(
            [DegradationOutcome.Failed, DegradationOutcome.Degraded, DegradationOutcome.Degraded], entries.Select(entry => entry.Outcome));
        Assert.Contains("NUL", entries[0].Error, StringComparison.Ordinal);
        Assert.True(File.Exists(folder[$"out/in/{longName}"]));
        Assert.Equal(entries, DegradationLog.Read(folder[$"out/{DegradationRun.LogName}"]));
    }

    [Fact]
    public void The_same_run_can_be_repeated_into_its_folder_and_another_cannot()
    {
        using var folder = Images(12);
        Run(folder["in"], folder["out"], Half);
        var first = Files(folder["out"]);
        Run(folder["in"], folder["out"], Half);
        Assert.Equal(first, Files(folder["out"]));
        var error = Assert.Throws<DatasetException>(() => Run(folder["in"], folder["out"], Half with { Seed = 77, Share = 1 }));
        Assert.Contains("another file is there already", error.Message, StringComparison.Ordinal);
        Assert.Throws<DatasetException>(() => Run(folder["in"], folder["in/out"], Half));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        using var folder = Images(1);
        foreach (var options in (DegradationOptions[])[Half with { Share = 1.1 }, Half with { Share = double.NaN },
            Half with { Kinds = [] }, Half with { Levels = [0] }, Half with { Levels = [] }, Half with { Workers = 0 }])
            Assert.Throws<ArgumentOutOfRangeException>(() => Run(folder["in"], folder["out"], options));
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Theory]
    [InlineData("{\"index\":0}", "degraded.jsonl:2")]
    [InlineData("not json", "degraded.jsonl:2")]
    [InlineData(
        "{\"index\":0,\"id\":\"a\",\"image\":\"a\",\"output\":\"a\",\"outcome\":\"degraded\",\"kind\":\"fog\",\"level\":1,\"value\":1,\"angle\":null,\"seed\":1,\"error\":null}", "There is no degradation 'fog'")]
    [InlineData(
        "{\"index\":0,\"id\":\"a\",\"image\":\"a\",\"output\":\"a\",\"outcome\":\"degraded\",\"kind\":\"jpeg\",\"level\":9,\"value\":1,\"angle\":null,\"seed\":1,\"error\":null}", "found 9")]
    [InlineData(
        "{\"index\":0,\"id\":\"a\",\"image\":\"a\",\"output\":\"a\",\"outcome\":\"lost\",\"kind\":null,\"level\":null,\"value\":null,\"angle\":null,\"seed\":1,\"error\":null}", "found 'lost'")]
    public void A_line_that_is_no_entry_is_told_with_its_place(string line, string message)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["degraded.jsonl"], $"\n{line}\n");
        Assert.Contains(message, Assert.Throws<DatasetException>(
            () => DegradationLog.Read(folder["degraded.jsonl"])).Message, StringComparison.Ordinal);
    }
}
