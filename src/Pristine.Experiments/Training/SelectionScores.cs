using System.Globalization;
using System.Text;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Experiments.Training;

/// <summary>What selections need to know of every image that may be trained on.</summary>
internal sealed class SelectionScores
{
    private readonly Dictionary<string, double[]> _scores = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool[]> _passes = new(StringComparer.Ordinal);
    private readonly string?[] _errors;

    private SelectionScores(int images) => _errors = new string?[images];

    public static SelectionScores Compute(
        ClassifiedImages dataset, string table, string list, ExperimentOptions options, IExperimentProgress? progress,
        CancellationToken cancellation)
    {
        // Images that are never trained on need no scores.
        var positions = Enumerable.Range(0, dataset.Images.Count).Where(i => dataset.Images[i].Part is null or DatasetPart.Train).ToArray();
        var metrics = options.Selections.SelectMany(selection => selection.Metrics).Distinct().ToArray();
        using (var file = PartialFile.Create(list, null))
        {
            // NUL separates, so that any name can stand in the list.
            foreach (var i in positions)
                file.Stream.Write(Encoding.UTF8.GetBytes(dataset.Images[i].Path + '\0'));
            file.Complete();
        }
        progress?.Begin(
            string.Create(
                CultureInfo.InvariantCulture,
                $"scoring {positions.Length:N0} images by {string.Join(", ", metrics.Select(metric => metric.Name))}"));
        var images = Dataset.Open(list);
        var scores = new SelectionScores(dataset.Images.Count);
        foreach (var metric in metrics)
            scores._scores[metric.Name] = [.. Enumerable.Repeat(double.NaN, dataset.Images.Count)];
        // A row's scores are those of every metric of the table, in its own order; they are read by name below.
        foreach (var item in ScoreTableRun.Score(images, table, options.Scoring with { Metrics = metrics }, cancellation: cancellation))
        {
            var row = item.Rows[0];
            var position = positions[item.Item.Index];
            scores._errors[position] = row.Status is Media.ImageStatus.Ok or Media.ImageStatus.TooSmall ? null : row.Error
                ?? Media.ImageStatusNames.Name(row.Status);
            progress?.Image(!row.Failed);
        }
        var opened = ScoreTable.Open(table);
        scores.ReadColumns(opened, metrics, positions);
        foreach (var rule in options.Selections.Select(selection => selection.Rule).OfType<string>())
        {
            var passes = scores._passes[rule] = new bool[dataset.Images.Count];
            using var run = SelectionRun.Run(
                opened, new SelectionOptions { Keep = [rule], Known = options.Scoring.Known },
                new SelectionResources { Threads = options.Scoring.Workers }, () => images, cancellation);
            foreach (var decision in run.Decisions())
                passes[positions[decision.ItemIndex]] = decision.Kept;
        }
        return scores;
    }

    public string? ErrorOf(int image) => _errors[image];

    public int[] Select(TrainingSelection selection, int[] images, bool reverse) => selection.Select(
        images,
        image => _scores[selection.By!.Name][image],
        image => _passes[selection.Rule!][image],
        reverse);

    private void ReadColumns(ScoreTable table, Metric[] metrics, int[] positions)
    {
        foreach (var row in table.ReadRows(metrics))
            for (var i = 0; i < metrics.Length; i++)
                _scores[metrics[i].Name][positions[row.ItemIndex]] = row.Scores.Span[i];
    }
}
