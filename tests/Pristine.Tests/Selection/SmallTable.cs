using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Selection;

/// <summary>Score tables made by hand, with the metrics brisque and sharpness.</summary>
internal static class SmallTable
{
    private static readonly Metric[] Metrics = [MetricCatalog.Get("brisque"), MetricCatalog.Get("sharpness")];

    public static ScoreRow Row(
        long item, double brisque, double sharpness = 100, int imageIndex = 0, int side = 640, string folder = "f",
        ImageStatus status = ImageStatus.Ok) => new()
        {
            Key = (item * 10) + imageIndex,
            ItemIndex = item,
            Id = $"i{item}",
            Image = status == ImageStatus.NoImage ? null : $"{folder}/{item}-{imageIndex}.jpg",
            ImageIndex = imageIndex,
            Status = status,
            Error = status is ImageStatus.Ok or ImageStatus.NoImage ? null : "a reason",
            Header = status == ImageStatus.Ok ? new ImageHeader(side, 480, "jpeg", 1000) : null,
            Scores = status == ImageStatus.Ok ? new[] { (double)(float)brisque, (float)sharpness } : [double.NaN, double.NaN],
        };

    /// <summary>Writes rows as a table in parts of two rows, so that every test crosses parts.</summary>
    public static ScoreTable Make(TemporaryFolder folder, params ScoreRow[] rows) => Make(folder, Metrics, rows);

    /// <summary>The same for rows with the scores of other metrics.</summary>
    public static ScoreTable Make(TemporaryFolder folder, IReadOnlyList<Metric> metrics, params ScoreRow[] rows)
    {
        new TableProvenance
        {
            Dataset = new TableSource(folder["data.jsonl"], folder["data.jsonl"], folder.Path, DatasetFormat.Jsonl),
            FinishedShards = [0],
            Columns = [.. metrics.Select(ColumnProvenance.Of)],
        }.Write(folder.Path);
        using var database = DuckDbConnection.Open();
        var columns = metrics.ToDictionary(metric => metric.Name, metric => new PartColumn(ColumnProvenance.Of(metric).Fingerprint));
        foreach (var (part, index) in rows.Chunk(2).Select((part, index) => (part, index)))
            TablePart.Write(database, TablePart.FileOf(folder.Path, 0, index), part, metrics, columns);
        return ScoreTable.Open(folder.Path);
    }

    /// <summary>The ids that a selection keeps, without the letter.</summary>
    public static string Kept(this ScoreTable table, SelectionOptions options, int threads = 2)
    {
        using var run = SelectionRun.Run(table, options, new SelectionResources { Threads = threads });
        return string.Join(' ', run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id[1..]));
    }
}
