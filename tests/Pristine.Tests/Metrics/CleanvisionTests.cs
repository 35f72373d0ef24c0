using System.Text.Json;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Cleanvision;
using Pristine.Selection;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics;

/// <summary>cleanvision's scores against its formulas on Pillow and numpy: cleanvision.json, which cleanvision.py writes.</summary>
public class CleanvisionTests
{
    /// <summary>Sums in another order, and a square root that numpy takes of a sum of rounded products.</summary>
    private const double Rounding = 1e-12;

    [Fact]
    public void Scores_are_those_of_the_formulas_on_Pillow_and_numpy()
    {
        using var json = JsonDocument.Parse(
            File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "cleanvision.json")));
        var cases = json.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        Assert.Equal(60, cases.Length);
        foreach (var expected in cases)
        {
            var (kind, width, height) = (expected.GetProperty("kind").GetString()!, expected.GetProperty("width")
                .GetInt32(), expected.GetProperty("height").GetInt32());
            var rgb = Synthetic(kind, width, height);
            foreach (var metric in CleanvisionMetric.All)
            {
                using var scorer = metric.CreateScorer();
                var found = scorer.Score(new ImageView(new ImageHeader(width, height, "png", 0), rgb, PixelMetricReference.Luma(rgb)));
                var value = expected.GetProperty(metric.Name[Issue.Cleanvision.Length..]).GetDouble();
                Assert.True(
                    Math.Abs(found - value) <= Rounding, $"{kind} {width}x{height}, {metric.Name}: expected {value:R}; found {found:R}.");
                Assert.InRange(found, 0, 1);
            }
        }
    }

    [Fact]
    public void One_scorer_gives_the_same_for_an_image_after_another()
    {
        foreach (var metric in CleanvisionMetric.All)
        {
            using var scorer = metric.CreateScorer();
            double Of(string kind, int side) =>
                scorer.Score(new ImageView(new ImageHeader(side, side, "png", 0), Synthetic(kind, side, side), []));
            var first = Of("noise", 90);
            Of("dark", 200);
            Assert.Equal(first, Of("noise", 90));
        }
    }

    /// <summary>The images of cleanvision.py.</summary>
    private static byte[] Synthetic(string kind, int width, int height)
    {
        var rgb = new byte[3 * width * height];
        var state = 12345u;
        for (var i = 0; i < rgb.Length; i++)
        {
            state = unchecked((state * 1664525) + 1013904223);
            rgb[i] = (byte)(state >> 24);
        }
        for (var i = 0; i < rgb.Length; i++)
        {
            var (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
            rgb[i] = kind switch
            {
                "dark" => (byte)(rgb[i] / 8),
                "light" => (byte)(255 - (rgb[i] / 16)),
                "flat" => y < height / 2 ? (byte)200 : (byte)(rgb[i] / 64 * 64),
                "grey" => rgb[i - channel],
                "ramp" => channel switch { 0 => Ramp(x), 1 => Ramp(width - 1 - x), _ => 77 },
                _ => rgb[i],
            };
        }
        return rgb;

        byte Ramp(int x) => (byte)(x * 255 / Math.Max(1, width - 1));
    }
}
