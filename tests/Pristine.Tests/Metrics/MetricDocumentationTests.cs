using Pristine.Media;
using Pristine.Metrics;

namespace Pristine.Tests.Metrics;

public class MetricDocumentationTests
{
    private const string Refresh = "dotnet run -c Release -v q --project src/Pristine.Cli -- metrics --markdown > docs/metrics.md";

    public static TheoryData<string> Names => [.. MetricCatalog.All.Select(m => m.Name)];

    [Fact]
    public void The_document_is_fresh()
    {
        var written = File.ReadAllText(TestFiles.InRepository("docs", "metrics.md"));
        Assert.True(
            written == MetricDocumentation.ToMarkdown(), $"docs/metrics.md differs from the metric catalog. Refresh it with:\n{Refresh}");
        Assert.Contains(Refresh, written, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_unique() =>
        Assert.Empty(MetricCatalog.All.GroupBy(m => m.Name).Where(same => same.Count() > 1).Select(same => same.Key));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_metric_describes_itself(string name)
    {
        var metric = MetricCatalog.Get(name);
        Assert.Matches("^[a-z][a-z0-9_@:-]*$", metric.Name);
        Assert.EndsWith(".", metric.Summary, StringComparison.Ordinal);
        Assert.NotEmpty(metric.Formula);
        Assert.True(metric.Range.Low < metric.Range.High, $"{name}: range {metric.Range}.");
        Assert.True(metric is HeaderMetric || metric.Citation.Length > 0, $"{name} cites no source.");
        foreach (var (label, text) in MetricDocumentation.Facts(metric))
            Assert.False(
                text.Contains('\n', StringComparison.Ordinal), $"{name}: {label} must be one line, for Markdown lists and tables.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Quality_runs_from_0_to_1_towards_the_good_end(string name)
    {
        var metric = MetricCatalog.Get(name);
        Assert.Equal(metric.HasQuality, metric.QualityFormula.Length > 0);
        Assert.Equal(double.NaN, metric.Quality(double.NaN));
        if (!metric.HasQuality)
            return;
        var sign = metric.Direction == MetricDirection.HigherIsBetter ? 1 : -1;
        var low = double.IsFinite(metric.Range.Low) ? metric.Range.Low : -1000;
        var high = double.IsFinite(metric.Range.High) ? metric.Range.High : 1000;
        var qualities = Enumerable.Range(0, 101).Select(i => metric.Quality(low + (high - low) * i / 100)).ToArray();
        Assert.All(qualities, quality => Assert.InRange(quality, 0, 1));
        Assert.All(qualities.Zip(qualities.Skip(1)), pair => Assert.True(sign * (pair.Second - pair.First) >= 0));
        Assert.True(sign * (qualities[^1] - qualities[0]) > 0);
    }

    [Fact]
    public void The_linear_quality_states_its_formula()
    {
        Assert.Equal("(100 - clip(test, 0, 100)) / 100", new Linear(MetricDirection.LowerIsBetter, new(0, 100)).QualityFormula);
        Assert.Equal("clip(test, 0, 1)", new Linear(MetricDirection.HigherIsBetter, new(0, 1)).QualityFormula);
        Assert.Equal("(clip(test, 1, 5) - 1) / 4", new Linear(MetricDirection.HigherIsBetter, new(1, 5)).QualityFormula);
    }

    [Fact]
    public void Ranges_in_words()
    {
        Assert.Equal("1 to 5", MetricDocumentation.Range(new Linear(MetricDirection.None, new(1, 5))));
        Assert.Equal("0 and more", MetricDocumentation.Range(new Linear(MetricDirection.None, new(0, double.PositiveInfinity))));
        Assert.Equal("3.5 and less", MetricDocumentation.Range(new Linear(MetricDirection.None, new(double.NegativeInfinity, 3.5))));
        Assert.Equal("any number", MetricDocumentation.Range(
            new Linear(MetricDirection.None, new(double.NegativeInfinity, double.PositiveInfinity))));
    }

    private sealed class Linear(MetricDirection direction, MetricRange range) : StatelessMetric
    {
        public override string Name => "test";

        public override string Summary => "A test.";

        public override string Formula => "width";

        public override MetricDirection Direction => direction;

        public override MetricRange Range => range;

        public override ImageInput Input => ImageInput.Header;

        protected override double Measure(in ImageView image) => image.Width;
    }
}
