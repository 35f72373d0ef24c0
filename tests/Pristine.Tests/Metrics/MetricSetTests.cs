using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;

namespace Pristine.Tests.Metrics;

public sealed class MetricSetTests
{
    [Fact]
    public void A_set_with_more_metrics_leaves_the_first_as_it_was()
    {
        var named = new Named("mine", "short");
        var known = MetricSet.BuiltIn.With(named);
        Assert.Same(named, known.Get("mine"));
        Assert.Same(named, known.Get("short"));
        Assert.Equal([.. MetricSet.BuiltIn.All, named], known.All);
        Assert.Null(MetricSet.BuiltIn.Find("mine"));
        Assert.Null(known.Find("Mine"));
        Assert.Same(ResNetMetric.Biq2021, known.Get("resnet50"));
    }

    [Theory]
    [InlineData("brisque", "x")]
    [InlineData("x", "resnet50")]
    [InlineData("arniqa:pyiqa@koniq10k", "x")]
    public void A_name_is_given_once(string name, string alias) =>
        Assert.Contains("already", Assert.Throws<ArgumentException>(
            () => MetricSet.BuiltIn.With(new Named(name, alias))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("status", "x")]
    [InlineData("Key", "x")]
    [InlineData("image_tokens", "x")]
    [InlineData("x", "folder")]
    [InlineData("score", "x")]
    public void A_name_of_a_column_is_no_name_of_a_metric(string name, string alias)
    {
        var message = Assert.Throws<ArgumentException>(() => MetricSet.BuiltIn.With(new Named(name, alias))).Message;
        Assert.StartsWith(
            $"Expected a metric whose name is not that of a column; found '{(name == "x" ? alias : name)}'", message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Pristine.Tables.TableSchema.Of([new Named(name, alias)]));
    }

    [Theory]
    [InlineData("brisk", "There is no metric 'brisk'. Nearest: brisque")]
    [InlineData("", "There is no metric ''")]
    [InlineData("arniqa@koniq10k:pyiqa", "ARNIQA has no regressor 'koniq10k:pyiqa'")]
    [InlineData("arniqa@koniq10k:pyiqa", "a mode stands before the @")]
    [InlineData("arniqa:fast", "ARNIQA has no variant 'fast'. Known: official")]
    public void An_unknown_name_is_one_clear_line(string name, string message)
    {
        Assert.False(MetricSet.BuiltIn.TryFind(name, out _, out var reason));
        Assert.Contains(message, reason, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', reason);
        Assert.Equal(reason, Assert.Throws<ArgumentException>(() => MetricSet.BuiltIn.Get(name)).Message);
    }

    private sealed class Named(string name, string alias) : StatelessMetric
    {
        public override string Name => name;

        public override IReadOnlyList<string> Aliases => [alias];

        public override string Summary => "Zero.";

        public override string Formula => "0";

        public override ImageInput Input => ImageInput.Header;

        protected override double Measure(in ImageView image) => 0;
    }
}
