using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Brisque;
using Pristine.Models;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.Brisque;

public sealed class BrisqueLiveTests : IDisposable
{
    /// <summary>Coefficients differ by 1e-9 at most, hence their moments do.</summary>
    private const double FeatureTolerance = 1e-8;

    /// <summary>The synthetic model has 40 coefficients of up to 125: a change of the features by 1e-8 moves its answer by less.</summary>
    private const double ScoreTolerance = 1e-5;

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly ModelStore _store;
    private readonly BrisqueLive _metric;

    public BrisqueLiveTests()
    {
        _store = new(_folder["store"]);
        _metric = new(_store);
    }

    public static TheoryData<SimdPath> Paths() => [.. Simd.Supported];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [Trait("kind", "kernel")]
    [MemberData(nameof(Paths))]
    public void Features_and_score_are_those_of_the_reference(SimdPath path)
    {
        var files = Import();
        string[] model = File.ReadAllLines(files[0]), range = File.ReadAllLines(files[1]);
        using var scorer = new BrisqueLive(_store, path).CreateScorer();
        var extractor = new BrisqueLiveFeatures(path);
        var features = new double[BrisqueLiveFeatures.Count];
        foreach (var (width, height) in ((int, int)[])[(64, 48), (16, 16), (17, 90), (101, 33)])
            foreach (var rgb in Textures(width, height))
            {
                var expected = LiveBrisqueReference.Features(LiveBrisqueReference.Grey(rgb, width, height));
                extractor.Compute(View(rgb, width, height), features);
                if (expected.Any(double.IsNaN))
                {
                    // 8x8 coefficients of noise beside a border of zeros: no product is negative.
                    Assert.Equal((16, 16), (width, height));
                    Assert.Contains(double.NaN, features);
                    Assert.Equal(-SyntheticBrisqueLive.Rho, scorer.Score(View(rgb, width, height)));
                    continue;
                }
                for (var i = 0; i < features.Length; i++)
                    Assert.Equal(expected[i], features[i], FeatureTolerance);
                Assert.Equal(LiveBrisqueReference.Score(expected, model, range), scorer.Score(View(rgb, width, height)), ScoreTolerance);
            }
    }

    [Theory]
    [Trait("kind", "kernel")]
    [MemberData(nameof(Paths))]
    public void An_image_without_features_is_infinitely_far_from_every_support_vector(SimdPath path)
    {
        Import();
        using var scorer = new BrisqueLive(_store, path).CreateScorer();
        foreach (var level in (byte[])[0, 128, 255])
            foreach (var (width, height) in ((int, int)[])[(16, 16), (40, 17)])
            {
                var rgb = new byte[width * height * 3];
                Array.Fill(rgb, level);
                Assert.Equal(-SyntheticBrisqueLive.Rho, scorer.Score(View(rgb, width, height)));
            }
    }

    [Theory]
    [Trait("kind", "kernel")]
    [MemberData(nameof(Paths))]
    public void An_image_leaves_nothing_behind_and_allocates_nothing(SimdPath path)
    {
        Import();
        using var scorer = new BrisqueLive(_store, path).CreateScorer();
        var small = Textures(48, 32).First();
        var first = scorer.Score(View(small, 48, 32));
        var large = Textures(90, 60).First();
        scorer.Score(View(large, 90, 60));
        var again = double.NaN;
        var allocated = Allocations.Least(() =>
        {
            again = scorer.Score(View(small, 48, 32));
            scorer.Score(View(large, 90, 60));
        });
        Assert.Equal(0, allocated);
        Assert.Equal(first, again);
    }

    [Theory]
    [Trait("kind", "kernel")]
    [MemberData(nameof(Paths))]
    public void A_flat_wall_beside_a_texture_has_exact_zeros(SimdPath path)
    {
        var random = new Random(9);
        var rgb = new byte[96 * 64 * 3];
        for (var i = 0; i < rgb.Length; i++)
            rgb[i] = (byte)(i / 3 % 96 < 48 ? 200 : random.Next(256));
        var expected = LiveBrisqueReference.FeaturesWithExactZeros(LiveBrisqueReference.Grey(rgb, 96, 64));
        var features = new double[BrisqueLiveFeatures.Count];
        new BrisqueLiveFeatures(path).Compute(View(rgb, 96, 64), features);
        for (var i = 0; i < features.Length; i++)
            Assert.Equal(expected[i], features[i], FeatureTolerance);
    }

    [Fact]
    public void Says_how_to_install_the_model()
    {
        Assert.Null(_metric.ModelSha256);
        Assert.Contains("pristine models import brisque-live DIR", _metric.Missing, StringComparison.Ordinal);
        Assert.Equal(_metric.Missing, Assert.Throws<ModelException>(_metric.CreateScorer).Message);
        Import();
        Assert.Null(_metric.Missing);
        Assert.Equal(_store.Find("brisque-live")!.Sha256(), _metric.ModelSha256);
        _metric.CreateScorer().Dispose();
    }

    [Fact]
    public void A_model_that_was_tampered_with_is_refused()
    {
        Import();
        File.AppendAllText(Path.Combine(_store.Folder, "brisque-live", "allmodel"), "\n");
        Assert.Contains("expected SHA-256", Assert.Throws<ModelException>(_metric.CreateScorer).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-7, 1)]
    [InlineData(0, 1)]
    [InlineData(25, .75)]
    [InlineData(100, 0)]
    [InlineData(153.591, 0)]
    [InlineData(double.NaN, double.NaN)]
    public void Quality_falls_from_1_to_0_over_0_to_100(double score, double quality) => Assert.Equal(quality, _metric.Quality(score));

    [Fact]
    public void Is_in_the_catalog() => Assert.IsType<BrisqueLive>(MetricCatalog.Get("brisque-live"));

    [Fact]
    public void Features_check_their_arguments()
    {
        var extractor = new BrisqueLiveFeatures();
        var features = new double[36];
        Assert.Contains("found 15x40", Assert.Throws<ArgumentException>(
            () => extractor.Compute(View(new byte[15 * 40 * 3], 15, 40), features)).Message, StringComparison.Ordinal);
        Assert.Contains("found none", Assert.Throws<ArgumentException>(
            () => extractor.Compute(View([], 40, 40), features)).Message, StringComparison.Ordinal);
        Assert.Contains("found 35", Assert.Throws<ArgumentException>(
            () => extractor.Compute(View(new byte[40 * 40 * 3], 40, 40), new double[35])).Message, StringComparison.Ordinal);
    }

    private string[] Import()
    {
        var files = SyntheticBrisqueLive.Write(_folder["source"]);
        _store.Import("brisque-live", files, UnknownFiles.Trust);
        return files;
    }

    private static ImageView View(byte[] rgb, int width, int height) => new(new ImageHeader(width, height, "png", rgb.Length), rgb, []);

    /// <summary>Noise, and a coloured wave under noise: no flat areas, in which the last bit decides.</summary>
    private static IEnumerable<byte[]> Textures(int width, int height)
    {
        var random = new Random(width * height);
        var noise = new byte[width * height * 3];
        random.NextBytes(noise);
        yield return noise;
        var wave = new byte[noise.Length];
        for (var i = 0; i < wave.Length; i++)
        {
            int x = i / 3 % width, y = i / 3 / width;
            wave[i] = (byte)(128 + 80 * Math.Sin(x * .21 + i % 3) * Math.Cos(y * .13) + random.Next(-12, 13));
        }
        yield return wave;
    }
}
