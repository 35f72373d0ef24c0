using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Pristine.Datasets;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.Onnx;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;
using Pristine.Tests.Media;
using Pristine.Tests.Models;

namespace Pristine.Tests.Fuzz;

/// <summary>
/// Damaged files of every kind that is read: each gives a result or one of the exceptions that its reader names, and takes no more memory
/// than its size allows. Inputs are made of sound ones by a fixed seed; PRISTINE_FUZZ=20000 for so many of each kind.
/// </summary>
public class FuzzTests
{
    private const int Seed = 14;

    /// <summary>What the managed heap may be asked for besides a multiple of an input's size: buffers, which are reused.</summary>
    private const long Base = 48 << 20;

    private const int PerByte = 400;

    private static readonly int Count =
        int.Parse(Environment.GetEnvironmentVariable("PRISTINE_FUZZ") ?? "2000", CultureInfo.InvariantCulture);

    /// <summary>The kinds of images with what makes one.</summary>
    public static TheoryData<string, string> Images => new()
    {
        { "jpeg", "Q=80" }, { "jpeg", "Q=80,interlace=true" }, { "png", "" }, { "png", "interlace=true" }, { "webp", "Q=60" },
        { "webp", "lossless=true" }, { "gif", "" }, { "tiff", "compression=lzw" }, { "tiff", "compression=jpeg" },
        { "heif", "compression=av1,Q=40" },
    };

    [Theory, Trait("kind", "long")]
    [MemberData(nameof(Images))]
    public void A_damaged_image_is_a_status(string saver, string options)
    {
        var sound = new[] { (40, 24), (17, 33) }.Select(size => VipsEncoder.Encode(
            saver + "save_buffer", options, TestImages.Photo(size.Item1, size.Item2), size.Item1, size.Item2, 3, "srgb")).ToArray();
        using var decoder = new ImageDecoder(new ImagingOptions { MaxPixels = 1_000_000 });
        // Encoding AV1 takes long, and so does decoding it.
        Try(sound, Count / (saver == "heif" ? 20 : 2), bytes =>
        {
            foreach (var input in (ImageInput[])[ImageInput.Header, ImageInput.Rgb | ImageInput.Luma])
            {
                var result = decoder.Decode(bytes, input);
                Assert.True(result.Status == ImageStatus.Ok || result.Error is { Length: > 0 }, "There is no reason.");
                if (input != ImageInput.Header && result.HasPixels)
                    Assert.Equal(3 * decoder.Image.Luma.Length, decoder.Image.Rgb.Length);
            }
        });
    }

    [Theory, Trait("kind", "long")]
    [InlineData("a.json")]
    [InlineData("a.jsonl")]
    [InlineData("coco.json")]
    [InlineData("a.csv")]
    [InlineData("a.txt")]
    [InlineData("a.jsonl.gz")]
    [InlineData("a.tar")]
    [InlineData("a.tar.gz")]
    [InlineData("a.zip")]
    public void A_damaged_dataset_gives_items_or_says_what_is_wrong(string name)
    {
        using var folder = TestFiles.NewFolder();
        var sound = Datasets(name);
        Try(sound, Count, bytes => Read(folder, name, bytes), typeof(PristineException), typeof(IOException));
    }

    [Fact, Trait("kind", "long")]
    public void A_damaged_Parquet_file_gives_items_or_says_what_is_wrong()
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder["leaf.jpg"]);
        var dataset = Dataset.Open(folder["leaf.jpg"]);
        // A score table's part is a Parquet file; its checksum, which no other Parquet file has, is not asked of a dataset.
        dataset.ScoreInto(folder["table"], new ScoringOptions { Workers = 1 }, cancellation: TestContext.Current.CancellationToken);
        var part = File.ReadAllBytes(Directory.GetFiles(folder["table"], "part-*.parquet").Single());
        Try([part], Count, bytes => Read(folder, "a.parquet", bytes), typeof(PristineException), typeof(IOException));
        Try([part], Count / 10, bytes =>
        {
            File.WriteAllBytes(Directory.GetFiles(folder["table"], "part-*.parquet").Single(), bytes);
            _ = TableSummary.Of(ScoreTable.Open(folder["table"]));
        }, typeof(PristineException), typeof(IOException));
    }

    [Fact, Trait("kind", "long")]
    public void A_damaged_provenance_says_what_is_wrong()
    {
        using var folder = TestFiles.NewFolder();
        Dataset.Open(TestFiles.InRepository("samples", "photos", "leaf.jpg"))
            .ScoreInto(folder["table"], new ScoringOptions { Workers = 1 }, cancellation: TestContext.Current.CancellationToken);
        var file = Path.Combine(folder["table"], TableProvenance.FileName);
        Try([File.ReadAllBytes(file)], Count / 2, bytes =>
        {
            File.WriteAllBytes(file, bytes);
            _ = ScoreTable.Open(folder["table"]).Incomplete;
        }, typeof(PristineException), typeof(IOException));
        var status = Directory.GetFiles(folder["table"], ".status-*.json").Single();
        Try([File.ReadAllBytes(status)], Count / 2, bytes =>
        {
            File.WriteAllBytes(status, bytes);
            foreach (var run in RunStatus.ReadAll(folder["table"]))
                _ = (run.Bound, run.IsStale(DateTimeOffset.UtcNow));
        }, typeof(PristineException), typeof(IOException));
    }

    [Fact, Trait("kind", "long")]
    public void A_damaged_rule_is_refused_or_understood()
    {
        byte[][] sound =
        [
            .. ((string[])[
                "brisque <= 40 and min_side >= 256", "not (status = 'ok') or width * height > 1e6",
                "folder like 'a%' and format in ('jpeg', 'png')", "percentile(brisque) <= 0.5",
                "item.label = \"x\" and text_length between 3 and 99", "abs(sharpness - 3.5) < 2 or copies = 1",
                "coalesce(brisque, 100) + 2 * sqrt(pixels) / 3 <> -1", "(((((width > 1)))))"]).Select(Encoding.UTF8.GetBytes),
        ];
        Try(sound, Count * 5, bytes => _ = Rule.Parse(Encoding.UTF8.GetString(bytes)).Text, typeof(RuleException));
        // Nothing a stack can bear is too deep to be refused.
        foreach (var (open, close) in (ValueTuple<string, string>[])[("(", ")"), ("not ", ""), ("-", ""), ("abs(", ")")])
            foreach (var depth in (int[])[10, 100, 10_000, 200_000])
            {
                var (before, behind) = (Enumerable.Repeat(open, depth), Enumerable.Repeat(close, depth));
                Accept(() => _ = Rule.Parse($"{string.Concat(before)}width{string.Concat(behind)} > 1"), typeof(RuleException));
            }
    }

    [Fact, Trait("kind", "long")]
    public void A_damaged_checkpoint_is_refused()
    {
        byte[][] dicts =
        [
            new TorchFile().Tensor("a.weight", [1, 2, 3, 4, 5, 6], 2, 3).Tensor("a.bias", [7], 1).ToArray(),
            new TorchFile().Tensor("b", [1, 2], 2).ToArray(CompressionLevel.Fastest),
        ];
        Try(dicts, Count, bytes =>
        {
            foreach (var tensor in TorchCheckpoint.ReadStateDict(bytes, "a.pth").Values)
                _ = tensor.ToFloats();
        }, typeof(ModelException));
        byte[][] modules = [new TorchFile(isModule: true).Tensor("weights", [1, 2], 2).Tensor("biases", [3]).ToArray()];
        Try(modules, Count, bytes =>
        {
            foreach (var tensor in TorchCheckpoint.ReadModule(bytes, "a.pth").Values)
                _ = tensor.ToFloats();
        }, typeof(ModelException));
    }

    [Fact, Trait("kind", "long")]
    public void A_damaged_model_file_is_refused()
    {
        var manifest = File.ReadAllBytes(TestFiles.InRepository("docs", "networks.md"));
        var json = Encoding.UTF8.GetString(manifest).Split("```json\n")[1].Split("```")[0];
        Try([Encoding.UTF8.GetBytes(json)], Count, bytes => OnnxManifest.Parse(bytes, "a.json"), typeof(PristineException));
        Try([File.ReadAllBytes(TestFiles.InRepository("models", "catalog.json"))], Count / 4,
            bytes => ModelCatalog.Parse(bytes, "catalog.json"), typeof(PristineException));
        Try([File.ReadAllBytes(TestFiles.InRepository("models", "resnet50-damage.head"))], Count,
            bytes => QualityHead.Parse(bytes, "a.head"), typeof(PristineException));
        Accept(
            () => QualityHead.Parse("{\"format\": \"\\ud800\"}\n"u8, "a.head"), typeof(PristineException));
        const string model =
            "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 2\nrho -153.5\nSV\n1 1:0.5 2:-0.25\n-1 1:0.1 2:0.75\n";
        Try(
            [Encoding.UTF8.GetBytes(model)], Count, bytes => LibSvmModel.Parse(Encoding.UTF8.GetString(bytes), "a"),
            typeof(PristineException));
        const string range = "x\n-1 1\n1 0.3 10\n2 0.1 5.5\n";
        Try(
            [Encoding.UTF8.GetBytes(range)], Count, bytes => LibSvmRange.Parse(Encoding.UTF8.GetString(bytes), "a"),
            typeof(PristineException));
    }

    [Fact, Trait("kind", "long")]
    public void A_damaged_sound_is_a_status()
    {
        var wave = new byte[44 + 2000];
        "RIFF"u8.CopyTo(wave);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(4), wave.Length - 8);
        "WAVEfmt "u8.CopyTo(wave.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(24), 8000);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(28), 16000);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(34), 16);
        "data"u8.CopyTo(wave.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(40), 2000);
        // What is no WAV is given to ffprobe, a process for each: a few of them.
        Try([wave], Count / 50, bytes => _ = MediaProbe.Read(new MemorySource("a.wav", bytes, null, MediaKind.Audio), out _));
    }

    private static void Read(TemporaryFolder folder, string name, byte[] bytes)
    {
        File.WriteAllBytes(folder[name], bytes);
        using var buffer = new ReusableBuffer();
        foreach (var item in Dataset.Open(folder[name]).Read(TestContext.Current.CancellationToken))
        {
            _ = (item.Id, item.Text, item.Raw.Length);
            foreach (var source in item.Images)
                source.Read(1 << 20, buffer);
        }
    }

    private static byte[][] Datasets(string name)
    {
        using var folder = TestFiles.NewFolder();
        const string lines =
            "{\"id\": 1, \"image\": \"a.jpg\", \"text\": \"caf\\u00e9 <image>\", \"n\": [1, 2.5e3, null, true]}\n" +
            "{\"messages\": [{\"role\": \"user\", \"content\": \"<image> what?\"}], \"images\": [\"b.jpg\", \"c.png\"]}\n";
        var text = name switch
        {
            "a.json" => $"[{lines.Trim().Replace("\n", ",\n", StringComparison.Ordinal)}]",
            "coco.json" => """
                {"info": {}, "images": [{"id": 1, "file_name": "a.jpg", "width": 3}, {"id": 2, "file_name": "b.jpg"}],
                "annotations": [{"id": 1, "image_id": 1, "bbox": [0, 0, 8, 8], "caption": "x"}], "categories": []}
                """,
            "a.csv" => "image,caption,n\na.jpg,\"one, \"\"two\"\"\",1\nb.jpg,three,2\n",
            "a.txt" => "a.jpg\nsub/b.jpg\n",
            "a.jsonl" or "a.jsonl.gz" => lines,
            _ => null,
        };
        if (text != null && !name.EndsWith(".gz", StringComparison.Ordinal))
            return [Encoding.UTF8.GetBytes(text)];
        using var bytes = new MemoryStream();
        var members = (ValueTuple<string, string>[])
            [("a/001.jpg", "not a picture"), ("a/001.txt", "a caption"), ("a/002.json", "{\"image\": \"001.jpg\"}")];
        if (name.EndsWith(".zip", StringComparison.Ordinal))
        {
            using var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true);
            foreach (var (member, content) in members)
            {
                using var entry = zip.CreateEntry(member).Open();
                entry.Write(Encoding.UTF8.GetBytes(content));
            }
        }
        else
        {
            using var packed = name.EndsWith(".gz", StringComparison.Ordinal)
                ? new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true) : null;
            var target = (Stream?)packed ?? bytes;
            if (text != null)
                target.Write(Encoding.UTF8.GetBytes(text));
            else
            {
                using var tar = new System.Formats.Tar.TarWriter(target, System.Formats.Tar.TarEntryFormat.Pax, leaveOpen: true);
                foreach (var (member, content) in members)
                    tar.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, member)
                    {
                        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
                    });
            }
        }
        return [bytes.ToArray()];
    }

    /// <summary>Tries damaged inputs, and the sound ones.</summary>
    private static void Try(byte[][] sound, int count, Action<byte[]> read, params Type[] allowed)
    {
        var random = new Random(Seed);
        foreach (var bytes in sound)
            Accept(() => read(bytes), allowed);
        for (var i = 0; i < count; i++)
        {
            var bytes = Mutation.Of(sound[random.Next(sound.Length)], random, sound);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Accept(() => read(bytes), allowed);
            }
            catch (Exception exception)
            {
                throw new Xunit.Sdk.XunitException(
                    $"Input {i} of seed {Seed}: {exception.GetType().Name}: {exception.Message}\n" +
                    $"Base64: {Convert.ToBase64String(bytes)}\n{exception}");
            }
            var taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(
                taken <= Base + PerByte * (long)bytes.Length,
                $"Input {i} of seed {Seed}, {bytes.Length} bytes, took {taken >> 20} MiB. Base64: {Convert.ToBase64String(bytes)}");
        }
    }

    private static void Accept(Action read, params Type[] allowed)
    {
        try
        {
            read();
        }
        catch (Exception exception) when (allowed.Any(type => type.IsInstanceOfType(exception)))
        {
            Assert.False(string.IsNullOrWhiteSpace(exception.Message));
        }
    }
}
