using Pristine.Media;
using Pristine.Metrics;
using Pristine.Tests.References;

namespace Pristine.Tests.Metrics;

public class PixelMetricTests
{
    /// <summary>numpy sums in double in another order; 1e-12 relative is a few hundred of its roundings.</summary>
    private const double NumpyRounding = 1e-12;

    private static readonly string[] Names = ["sharpness", "brightness", "contrast", "colorfulness", "entropy"];

    /// <summary>
    /// Values of Debian 12's OpenCV 4.6.0 and numpy 1.24.2 on the image of <see cref="Patterned"/>:
    /// g = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY); cv2.Laplacian(g, cv2.CV_64F, ksize=1).var(); g.mean() / 255; g.std() / 255;
    /// rg = r - g; yb = (r + g) / 2 - b; np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean()**2 + yb.mean()**2);
    /// p = np.bincount(g.ravel()) / g.size; p = p[p > 0]; -(p * np.log2(p)).sum(). The sizes of one and two pixels check the border.
    /// </summary>
    [Theory]
    [InlineData(61, 47, 64, 3370.2991215361067, 0.48804037834177966, 0.12714853980975602, 67.52767141480925, 6.976433813826738)]
    [InlineData(40, 9, 8, 51.52194444444445, 0.24152505446623093, 0.06601797547165107, 31.832076456215233, 5.883439301459126)]
    [InlineData(1, 5, 100, 1311.3600000000001, 0.32941176470588235, 0.0730717785026015, 51.00288570745495, 2.321928094887362)]
    [InlineData(7, 1, 100, 3202.4897959183677, 0.3411764705882353, 0.08017666000102303, 55.40418058100062, 2.807354922057604)]
    [InlineData(2, 2, 100, 12838.0, 0.3029411764705882, 0.06511309771498168, 47.07624424835028, 2.0)]
    public void Agree_with_OpenCV_and_numpy(
        int width, int height, int noise, double sharpness, double brightness, double contrast, double colorfulness, double entropy)
    {
        var rgb = Patterned(width, height, noise);
        double[] expected = [sharpness, brightness, contrast, colorfulness, entropy];
        foreach (var (name, value) in Names.Zip(expected))
        {
            var found = Score(name, rgb, width, height);
            Assert.True(Math.Abs(found - value) <= NumpyRounding * value, $"{name}: expected {value:R}; found {found:R}.");
        }
    }

    [Fact]
    public void Sharpness_by_hand()
    {
        // Luma   0   0   0     Laplacian by mirrored borders:    0   200    0
        //        0 100   0                                     200  -400  200
        //        0   0   0                                       0   200    0     mean 400/9, mean of squares 320000/9
        byte[] luma = [0, 0, 0, 0, 100, 0, 0, 0, 0];
        var expected = 320000 / 9.0 - Math.Pow(400 / 9.0, 2);
        Assert.Equal(expected, Score("sharpness", Grey(luma), 3, 3), 1e-9);
    }

    [Fact]
    public void Colorfulness_by_hand()
    {
        // Pure red: rg = 255, yb = 127.5, no variance.
        Assert.Equal(0.3 * 255 * Math.Sqrt(1.25), Score("colorfulness", [255, 0, 0, 255, 0, 0], 2, 1), 1e-12);
        // Red and cyan cancel in the mean; each axis deviates by its full length.
        Assert.Equal(255 * Math.Sqrt(1.25), Score("colorfulness", [255, 0, 0, 0, 255, 255], 2, 1), 1e-12);
        // Yellow and blue: only the yellow-blue axis.
        Assert.Equal(255, Score("colorfulness", [255, 255, 0, 0, 0, 255], 1, 2));
    }

    [Theory]
    [InlineData("brightness", 0.5)]
    [InlineData("contrast", 0.5)]
    [InlineData("entropy", 1)]
    [InlineData("sharpness", 1020 * 1020)]
    [InlineData("colorfulness", 0)]
    public void A_checkerboard_of_black_and_white(string name, double expected) =>
        Assert.Equal(expected, Score(name, Grey([.. Enumerable.Range(0, 8 * 8).Select(i => (byte)((i % 8 + i / 8) % 2 * 255))]), 8, 8));

    [Fact]
    public void Entropy_of_all_levels_is_8_bits() =>
        Assert.Equal(8, Score("entropy", Grey([.. Enumerable.Range(0, 256).Select(i => (byte)i)]), 16, 16), 1e-12);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 9)]
    [InlineData(33, 33)]
    public void A_flat_image_has_only_brightness(int width, int height)
    {
        var rgb = Grey([.. Enumerable.Repeat((byte)51, width * height)]);
        foreach (var name in Names)
            Assert.Equal(name == "brightness" ? 0.2 : 0, Score(name, rgb, width, height));
    }

    [Fact]
    public void Scores_stay_within_the_declared_range()
    {
        var random = new Random(5);
        foreach (var metric in Names.Select(MetricCatalog.Get))
            for (var width = 1; width <= 20; width++)
            {
                // Only extreme bytes: these reach the ends of the ranges.
                var rgb = Enumerable.Range(0, width * 3 * 3).Select(_ => (byte)(random.Next(2) * 255)).ToArray();
                Assert.InRange(Score(metric.Name, rgb, width, 3), metric.Range.Low, metric.Range.High);
            }
    }

    [Fact]
    public void The_most_colorful_image_reaches_the_end_of_the_range()
    {
        // A share p of one corner of the hexagon and 1 - p of the opposite one, with mean / deviation = 0.3.
        var p = (1 + 0.3 / Math.Sqrt(1.09)) / 2;
        const int Pixels = 100_000;
        var rgb = Enumerable.Range(0, Pixels).SelectMany(i => (byte[])(i < p * Pixels ? [255, 0, 0] : [0, 255, 255])).ToArray();
        var high = MetricCatalog.Get("colorfulness").Range.High;
        Assert.InRange(Score("colorfulness", rgb, Pixels, 1), high - 1e-6, high);
    }

    [Fact]
    public void Sharpness_quality_is_one_half_at_the_customary_threshold()
    {
        var metric = MetricCatalog.Get("sharpness");
        Assert.Equal(0, metric.Quality(0));
        Assert.Equal(0.5, metric.Quality(Sharpness.CustomaryThreshold));
        Assert.Equal(0.9, metric.Quality(900), 1e-15);
        Assert.True(metric.Quality(metric.Range.High) < 1);
        Assert.Equal(double.NaN, metric.Quality(double.NaN));
    }

    [Theory]
    [InlineData("brightness")]
    [InlineData("contrast")]
    [InlineData("colorfulness")]
    [InlineData("entropy")]
    public void Styles_have_no_quality(string name)
    {
        var metric = MetricCatalog.Get(name);
        Assert.False(metric.HasQuality);
        Assert.Equal("", metric.QualityFormula);
        Assert.Equal(double.NaN, metric.Quality(metric.Range.High));
    }

    [Fact]
    public void Scoring_does_not_allocate()
    {
        AssertScoringDoesNotAllocate(Names, Patterned(320, 240, 64));
    }

    /// <summary>Fails when a second score allocates on the managed heap.</summary>
    /// <param name="names">The metrics.</param>
    /// <param name="rgb">An image of 320 x 240 pixels.</param>
    internal static void AssertScoringDoesNotAllocate(IEnumerable<string> names, byte[] rgb)
    {
        var luma = PixelMetricReference.Luma(rgb);
        foreach (var name in names)
        {
            using var scorer = MetricCatalog.Get(name).CreateScorer();
            var header = new ImageHeader(320, 240, "png", 0);
            scorer.Score(new ImageView(header, rgb, luma));
            var allocated = Allocations.Least(() => scorer.Score(new ImageView(header, rgb, luma)));
            Assert.True(allocated == 0, $"{name} allocates {allocated} bytes.");
        }
    }

    private static double Score(string name, byte[] rgb, int width, int height)
    {
        using var scorer = MetricCatalog.Get(name).CreateScorer();
        return scorer.Score(new ImageView(new ImageHeader(width, height, "png", 0), rgb, PixelMetricReference.Luma(rgb)));
    }

    private static byte[] Grey(byte[] luma) => [.. luma.SelectMany(v => (byte[])[v, v, v])];

    /// <summary>
    /// Gradients with noise, made with the linear congruential generator of C's old rand so that any language can repeat it.
    /// </summary>
    private static byte[] Patterned(int width, int height, int noise)
    {
        var rgb = new byte[width * height * 3];
        var state = 12345L;
        for (var i = 0; i < rgb.Length; i++)
        {
            var (x, y, channel) = (i / 3 % width, i / 3 / width, i % 3);
            state = (state * 1103515245 + 12345) % (1L << 31);
            var gradient = (x * (2 + channel) + y * (4 - channel)) % 256 / 2;
            rgb[i] = (byte)Math.Min(255, gradient + (state >> 16) % noise + 30 * channel);
        }
        return rgb;
    }
}
