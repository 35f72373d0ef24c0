using Pristine.Media;
using Pristine.Metrics;

namespace Pristine.Tests.Metrics;

public class HeaderMetricsTests
{
    [Theory]
    [InlineData("width", 640)]
    [InlineData("height", 480)]
    [InlineData("min_side", 480)]
    [InlineData("max_side", 640)]
    [InlineData("pixels", 307200)]
    [InlineData("aspect_ratio", 4.0 / 3)]
    [InlineData("bytes", 1234)]
    public void Are_read_off_the_header(string name, double expected)
    {
        using var scorer = MetricCatalog.Get(name).CreateScorer();
        Assert.Equal(expected, scorer.Score(new ImageView(new ImageHeader(640, 480, "jpeg", 1234), [], [])));
    }

    [Fact]
    public void Pixel_count_does_not_overflow()
    {
        using var scorer = MetricCatalog.Get("pixels").CreateScorer();
        Assert.Equal(1.6e9, scorer.Score(new ImageView(new ImageHeader(40_000, 40_000, "png", 1), [], [])));
    }
}
