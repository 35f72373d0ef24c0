using Pristine.Datasets;
using Pristine.Media;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>How a run went that scored a dataset into a table.</summary>
/// <param name="Folder">The table.</param>
/// <param name="Items">Items of the dataset, or of the shard.</param>
/// <param name="Images">Their images.</param>
/// <param name="Read">Images that were read; the rows of the others were in the table and still hold.</param>
/// <param name="Failed">Images without pixels to score (missing, damaged, too large and so on), and records that are not valid.</param>
/// <param name="Skipped">Images that a gate made needless, wholly or for some metrics.</param>
public sealed record ScoringSummary(string Folder, long Items, long Images, long Read, long Failed, long Skipped)
{
    /// <summary>Opens the table.</summary>
    /// <exception cref="ScoreTableException">It has been damaged since.</exception>
    public ScoreTable Open() => ScoreTable.Open(Folder);
}

/// <summary>Scores datasets.</summary>
public static class DatasetScoring
{
    /// <summary>Scores a dataset and gives the items one after the other, as soon as each is known. See <see cref="ScoringRun"/>.</summary>
    /// <param name="dataset">The dataset; it is read while the results are consumed.</param>
    /// <param name="options">Metrics, workers, decoding.</param>
    /// <param name="cancellation">
    /// Ends the run: finished results are given first, then <see cref="OperationCanceledException"/> is thrown.
    /// </param>
    /// <returns>The items with their rows, in order.</returns>
    public static IEnumerable<ScoredItem> Score(
        this Dataset dataset, ScoringOptions? options = null, CancellationToken cancellation = default) =>
        ScoringRun.Score(dataset, options, cancellation: cancellation);

    /// <summary>
    /// Scores a dataset into a table, or brings a table up to date, and returns when that is done. See <see cref="ScoreTableRun"/>, which
    /// gives the items one by one.
    /// </summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="folder">The table; made if it does not exist.</param>
    /// <param name="scoring">Metrics, workers, decoding.</param>
    /// <param name="options">Shard, rescoring, size of parts.</param>
    /// <param name="progress">Called for each item, in their order, on the calling thread; optional.</param>
    /// <param name="cancellation">Ends the run: finished rows are written, then <see cref="OperationCanceledException"/> is thrown.</param>
    /// <returns>How it went.</returns>
    /// <exception cref="ScoreTableException">The table is of another dataset, or a metric's column of another version or model.</exception>
    /// <exception cref="DatasetException">The dataset cannot be read on.</exception>
    /// <exception cref="IOException">The table cannot be written, or another process writes the same shard.</exception>
    public static ScoringSummary ScoreInto(
        this Dataset dataset,
        string folder,
        ScoringOptions? scoring = null,
        ScoreTableOptions? options = null,
        Action<ScoredItem>? progress = null,
        CancellationToken cancellation = default)
    {
        var summary = new ScoringSummary(folder, 0, 0, 0, 0, 0);
        foreach (var item in ScoreTableRun.Score(dataset, folder, scoring, options, cancellation))
        {
            progress?.Invoke(item);
            summary = summary with
            {
                Items = summary.Items + 1,
                Images = summary.Images + item.Item.Images.Count,
                Read = summary.Read + item.ImagesRead,
                Failed = summary.Failed + item.Rows.Count(row => row.Failed),
                Skipped = summary.Skipped + item.Rows.Count(row => row.Skipped != null || row.Status == ImageStatus.Skipped),
            };
        }
        return summary;
    }
}
