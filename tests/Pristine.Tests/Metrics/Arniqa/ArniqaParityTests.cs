using System.Runtime.InteropServices;
using System.Text.Json;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Tests.Metrics.Arniqa;

/// <summary>
/// Agreement with the published implementations (official repository, pyiqa, torchmetrics; PyTorch 1.13.1, Pillow 9.4) on files in the
/// release's layout with random weights.
/// </summary>
public sealed class ArniqaParityTests(ArniqaParityTests.Installed installed) : IClassFixture<ArniqaParityTests.Installed>
{
    /// <summary>Floats of another order of summation through 53 layers; scores lie in about [0,1].</summary>
    private const double ScoreTolerance = 1e-4;

    /// <summary>1 - cosine of the angle between two embeddings.</summary>
    private const double EmbeddingTolerance = 1e-4;

    /// <summary>
    /// Images whose pixels our policy reads otherwise than Pillow 9.4, from which the references were made. With Pillow's pixels they
    /// agree too.
    /// </summary>
    private static readonly Dictionary<string, string> OtherPixels = new(StringComparer.Ordinal)
    {
        ["41_gray16.png"] = "Pillow clips 16-bit samples to 255, which makes the image white; we take the high byte",
        ["45_cmyk.jpg"] = "Pillow inverts CMYK without a profile; libvips converts it through one",
        ["36_row64x1.png"] = "one pixel high: there is no half size, and no score in the reference either",
    };

    /// <summary>A store with the reference files, imported once.</summary>
    public sealed class Installed : IDisposable
    {
        private readonly TemporaryFolder _folder = TestFiles.NewFolder();
        private ModelStore? _store;

        internal ModelStore Store
        {
            get
            {
                if (_store != null)
                    return _store;
                var files = TestFiles.Reference("arniqa");
                var store = new ModelStore(_folder.Path);
                foreach (var definition in ModelCatalog.All.Where(
                    model => model.Name.StartsWith(ArniqaModel.Encoder, StringComparison.Ordinal)))
                    store.Import(definition.Name, [Path.Combine(files, definition.Files[0].Name)], UnknownFiles.Trust);
                return _store = store;
            }
        }

        public void Dispose() => _folder.Dispose();
    }

    public static TheoryData<string> Images => [.. TestImages()];

    [Theory]
    [Trait("kind", "long")]
    [MemberData(nameof(Images))]
    public void Scores_and_embeddings_are_those_of_the_reference(string image)
    {
        var store = installed.Store;
        using var json = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Reference("arniqa", "arniqa_scores.json")));
        var reference = json.RootElement.GetProperty(image);
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.Reference("images", image), ImageInput.Rgb).Status);
        var (header, pixels) = AsTheReferenceSawIt(image, decoder.Image);
        var view = new ImageView(header, pixels, []);

        foreach (var (mode, key, dataset) in new (ArniqaMode, string, string)[]
        {
            (ArniqaMode.Official, "official", "official"),
            (ArniqaMode.Training, "official_testpy_bicubic_halfscale", ""),
            (ArniqaMode.Pyiqa, "pyiqa", "pyiqa"),
            (ArniqaMode.TorchMetrics, "torchmetrics", ""),
        })
        {
            using var embedder = new ArniqaExtractor(ArniqaModel.OpenEncoder(store, NetworkPrecision.Float, "cpu"), mode);
            var features = new double[embedder.Count];
            embedder.Compute(view, features);
            var length = features.Length / 2;
            // A row per crop: the embedding at full size, then that at half size.
            float[] embeddings = [.. Enumerable.Range(0, 2 * embedder.Crops)
                .SelectMany(half => embedder.OutputOf(half % 2).Slice(half / 2 * length, length).ToArray())];
            if (dataset != "")
            {
                var name = $"{image.Replace('.', '_')}__{dataset}.f32";
                var expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(TestFiles.Reference("arniqa", "embeddings", name)));
                Assert.Equal(expected.Length, embeddings.Length);
                for (var half = 0; half < embeddings.Length; half += length)
                    Assert.InRange(
                        CosineDistance(expected.Slice(half, length), embeddings.AsSpan(half, length)), -1e-9, EmbeddingTolerance);
            }
            var compared = 0;
            foreach (var scores in reference.GetProperty(key).EnumerateObject())
            {
                var head = ArniqaHead.Get(
                    scores.Name is "tid" or "kadid" or "koniq" ? scores.Name + (scores.Name == "tid" ? "2013" : "10k") : scores.Name);
                var expected = scores.Value.ValueKind == JsonValueKind.Object
                    ? scores.Value.GetProperty("score").GetDouble()
                    : scores.Value.GetDouble();
                var found = ArniqaMetric.Score(features, ArniqaModel.LoadHead(store, head.Name), head, mode);
                Assert.True(
                    Math.Abs(found - expected) <= ScoreTolerance, $"{image}, {mode}, {head.Name}: expected {expected}; found {found}.");
                compared++;
            }
            Assert.True(compared > 0);
        }
    }

    [Fact]
    public void A_scorer_gives_the_score_of_its_name()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Reference("arniqa", "arniqa_scores.json")));
        var reference = json.RootElement.GetProperty("40_16x16.png");
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(TestFiles.Reference("images", "40_16x16.png"), ImageInput.Rgb).Status);
        foreach (var (name, expected) in new[]
        {
            ("arniqa", reference.GetProperty("official").GetProperty("kadid10k").GetProperty("score")),
            ("arniqa@live", reference.GetProperty("official").GetProperty("live").GetProperty("score")),
            ("arniqa:pyiqa@flive", reference.GetProperty("pyiqa").GetProperty("flive")),
            ("arniqa:torchmetrics@koniq10k", reference.GetProperty("torchmetrics").GetProperty("koniq10k")),
        })
        {
            var metric = new ArniqaMetric(Assert.IsType<ArniqaMetric>(MetricCatalog.Get(name)).Options with { Store = installed.Store });
            Assert.Equal(name, metric.Name);
            using var scorer = metric.CreateScorer();
            Assert.InRange(scorer.Score(decoder.Image) - expected.GetDouble(), -ScoreTolerance, ScoreTolerance);
        }
    }

    /// <summary>The pixels that Pillow gave the reference tools, where they are not those of our pixel policy.</summary>
    private static (ImageHeader Header, byte[] Rgb) AsTheReferenceSawIt(string name, in ImageView image)
    {
        var rgb = image.Rgb.ToArray();
        var (width, height) = (image.Width, image.Height);
        if (name != "51_exif6.jpg")
            return (image.Header, rgb);
        // The reference tools ignore EXIF orientation: turn the upright image back by 90 degrees.
        for (var y = 0; y < width; y++)
            for (var x = 0; x < height; x++)
                image.Rgb.Slice(3 * (x * width + width - 1 - y), 3).CopyTo(rgb.AsSpan(3 * (y * height + x)));
        return (image.Header with { Width = height, Height = width }, rgb);
    }

    private static IEnumerable<string> TestImages()
    {
        // Discovery runs in a plain clone too, where the list is one name and the test then skips.
        var path = Path.Combine(TestFiles.Root, "..", "shared", "refs", "arniqa", "arniqa_scores.json");
        if (!File.Exists(path))
            return ["01_astronaut.png"];
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. json.RootElement.EnumerateObject().Select(image => image.Name).Except(OtherPixels.Keys)];
    }

    private static double CosineDistance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (dot, squaresA, squaresB) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            squaresA += (double)a[i] * a[i];
            squaresB += (double)b[i] * b[i];
        }
        return 1 - dot / Math.Sqrt(squaresA * squaresB);
    }
}
