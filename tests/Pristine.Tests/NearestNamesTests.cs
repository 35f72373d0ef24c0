using Pristine.Metrics;

namespace Pristine.Tests;

public class NearestNamesTests
{
    [Theory]
    [InlineData("resnet", "resnet50")]
    [InlineData("brisk", "brisque")]
    [InlineData("brisuqe", "brisque")]
    [InlineData("SHARPNESS", "sharpness")]
    [InlineData("live", "arniqa@live")]
    [InlineData("live-brisque", "brisque-live")]
    [InlineData("arniqa@koniq", "arniqa@koniq10k")]
    public void The_nearest_metric_comes_first(string typed, string nearest) =>
        Assert.Equal(nearest, NearestNames.Of(typed, MetricSet.BuiltIn.Names).First());

    [Fact]
    public void Only_near_names_are_asked_about()
    {
        string[] commands = ["score", "filter", "select", "why", "export", "report"];
        Assert.Equal(" Did you mean filter?", NearestNames.Question("filtr", commands));
        Assert.Equal(" Did you mean export or report?", NearestNames.Question("eport", commands));
        Assert.Equal("", NearestNames.Question("photos", commands));
        Assert.Equal("", NearestNames.Question("x", commands));
        Assert.Equal("", NearestNames.Question("", commands));
    }
}
