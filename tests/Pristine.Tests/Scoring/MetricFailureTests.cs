using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;

namespace Pristine.Tests.Scoring;

public class MetricFailureTests
{
    [Fact]
    public void A_metric_that_has_not_enough_memory_for_an_image_is_a_row_and_the_other_scores_stand()
    {
        var photo = TestFiles.InRepository("samples", "photos", "leaf.jpg");
        using var scorer = new ImageScorer(
            new ScoringOptions { Metrics = [new Greedy(), MetricCatalog.Get("brisque"), MetricCatalog.Get("min_side")] });
        var row = scorer.Score(photo);
        Assert.Equal(ImageStatus.TooLarge, row.Status);
        Assert.True(row.Failed);
        Assert.Equal("greedy could not score an image of 768x480: no room", row.Error);
        Assert.True(double.IsNaN(row.Scores.Span[0]));
        Assert.InRange(row.Scores.Span[1], 0, 100);
        Assert.Equal(480, row.Scores.Span[2]);
    }

    private sealed class Greedy : StatelessMetric
    {
        public override string Name => "greedy";

        public override string Summary => "Asks for more memory than there is.";

        public override string Formula => "none";

        public override ImageInput Input => ImageInput.Luma;

        protected override double Measure(in ImageView image) => throw new InsufficientMemoryException("no room");
    }
}
