using Pristine.Media;
using Pristine.Tables;
using Pristine.Tests.Selection;

namespace Pristine.Tests.Tables;

public class TableSummaryTests
{
    [Fact]
    public void Percentiles_are_those_of_the_images_with_a_score()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, [
            .. Enumerable.Range(0, 21).Select(i => SmallTable.Row(i, 2 * i)), SmallTable.Row(21, 0, status: ImageStatus.Truncated)]);
        var summary = TableSummary.Of(table);
        Assert.Equal(new MetricSummary("brisque", 21, 2, 20, 38), summary.Metrics[0]);
        Assert.Equal(new MetricSummary("sharpness", 21, 100, 100, 100), summary.Metrics[1]);
        Assert.Equal([new(ImageStatus.Ok, 21), new(ImageStatus.Truncated, 1)], summary.Statuses);
    }

    [Fact]
    public void A_table_without_scores_has_none()
    {
        using var folder = TestFiles.NewFolder();
        var summary = TableSummary.Of(SmallTable.Make(folder, SmallTable.Row(0, 0, status: ImageStatus.Missing)));
        Assert.Equal((0, double.NaN), (summary.Metrics[0].Count, summary.Metrics[0].Median));
    }
}
