using System.Text.Json;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics.Brisque;
using Pristine.Models;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics.Brisque;

/// <summary>
/// brisque-live against release_octave in ../shared/refs/brisque_peers.json: the LIVE release's MATLAB code run in GNU Octave on the same
/// pixels, its score computed from full-precision features.
/// </summary>
public sealed class BrisqueLiveParityTests : IDisposable
{
    /// <summary>Same order of summation, other Gamma function and summation of the moments: 3e-11 is reached.</summary>
    private const double ReferenceTolerance = 1e-8;

    /// <summary>What users can see: scores are quoted with two decimals. 2e-3 is reached.</summary>
    private const double ScoreTolerance = .05;

    /// <summary>The same definition computed slowly; what is left is rounding.</summary>
    private const double OwnTolerance = 1e-6;

    /// <summary>-rho, the score of an image whose features do not exist; the release gives NaN.</summary>
    private const double Undefined = 153.591;

    /// <summary>
    /// Images whose flat areas decide the release's score: there its coefficients are rounding noise, of which the sign counts, and ours
    /// are exactly 0.
    /// </summary>
    private static readonly Dictionary<string, string> Flat = new(StringComparer.Ordinal)
    {
        ["12_face_q10.jpg"] = "JPEG of quality 10: blocks with nothing but their mean, 2.6 % of the windows flat",
        ["17_coffee_dark.png"] = "darkened to 0.15: few levels are left, 3.3 % of the windows flat",
        ["19_astronaut_posterised.png"] = "two bits per channel: 31 % of the windows flat",
        ["56_half_white.png"] = "the right half is white: 48 % of the windows flat",
    };

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public static TheoryData<string> Images()
    {
        // Not TestFiles.Reference: where the data is missing the list must not be empty, or the runner reports a failure instead of a skip.
        var folder = Path.GetFullPath(Path.Combine(TestFiles.Root, "..", "shared", "refs", "images"));
        return Directory.Exists(folder)
            ? [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Where(name => name != "NOTES.json")
            .Order(StringComparer.Ordinal)]
            : ["01_astronaut.png"];
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [Trait("kind", "long")]
    [MemberData(nameof(Images))]
    public void The_reference_gives_the_release_s_score(string name)
    {
        var (rgb, width, height) = Decode(name);
        var features = LiveBrisqueReference.Features(LiveBrisqueReference.OctaveGrey(rgb, width, height));
        // Both are NaN where the image is flat or has only a few pixels.
        Assert.Equal(Expected(name) ?? double.NaN, LiveBrisqueReference.Score(
            features, File.ReadAllLines(Model("allmodel")), File.ReadAllLines(Model("allrange"))), ReferenceTolerance);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void The_metric_gives_the_release_s_score_away_from_flat_areas(string name)
    {
        var store = new ModelStore(_folder.Path);
        store.Import("brisque-live", [Model("allmodel"), Model("allrange")]);
        var expected = Expected(name);
        var (rgb, width, height) = Decode(name);
        if (Math.Min(width, height) < BrisqueLiveFeatures.MinSide)
        {
            Assert.Null(expected);
            return;
        }
        var view = new ImageView(new ImageHeader(width, height, "png", 0), rgb, []);
        var own = LiveBrisqueReference.Score(
            LiveBrisqueReference.FeaturesWithExactZeros(LiveBrisqueReference.Grey(rgb, width, height)),
            File.ReadAllLines(Model("allmodel")),
            File.ReadAllLines(Model("allrange")));
        foreach (var path in Simd.Supported)
        {
            using var scorer = new BrisqueLive(store, path).CreateScorer();
            var score = scorer.Score(view);
            Assert.Equal(double.IsNaN(own) ? Undefined : own, score, OwnTolerance);
            if (!Flat.ContainsKey(name))
                Assert.Equal(expected ?? Undefined, score, ScoreTolerance);
        }
    }

    private static string Model(string name) => TestFiles.Reference("brisque-live", name);

    private static double? Expected(string name)
    {
        using var peers = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Reference("brisque_peers.json")));
        var score = peers.RootElement.GetProperty(name).GetProperty("release_octave").GetProperty("score");
        return score.ValueKind == JsonValueKind.Number ? score.GetDouble() : null;
    }

    private static (byte[] Rgb, int Width, int Height) Decode(string name)
    {
        using var decoder = new ImageDecoder();
        var result = decoder.Load(TestFiles.Reference("images", name), ImageInput.Rgb);
        if (name.EndsWith(".bmp", StringComparison.Ordinal))
        {
            Assert.Equal(ImageStatus.Unsupported, result.Status);
            Assert.Skip("No decoder for BMP.");
        }
        Assert.Equal(ImageStatus.Ok, result.Status);
        return (decoder.Image.Rgb.ToArray(), decoder.Image.Width, decoder.Image.Height);
    }
}
