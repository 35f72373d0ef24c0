using Pristine.Datasets;
using Pristine.Imaging;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Tests.Selection;

/// <summary>Rows made by hand, as a scoring run would give them.</summary>
internal static class Rows
{
    public static ScoreRow Row(KeepRules rules, params (string Column, double Value)[] values) => Row(rules.Columns, ImageStatus.Ok, values);

    public static ScoreRow Row(ScoreColumns columns, ImageStatus status, params (string Column, double Value)[] values)
    {
        var known = values.ToDictionary(pair => pair.Column, pair => pair.Value);
        return new ScoreRow
        {
            Key = 0,
            Id = "id",
            Image = "photo.jpg",
            Status = status,
            Error = status == ImageStatus.Ok ? null : "a reason",
            Header = known.TryGetValue("width", out var width)
                ? new ImageHeader((int)width, (int)known["height"], "jpeg", 1000)
                : null,
            Scores = columns.Metrics.Select(metric => known.GetValueOrDefault(metric.Name, double.NaN)).ToArray(),
        };
    }

    public static ScoredItem Item(params ScoreRow[] rows) => new(
        new DatasetItem
        {
            Index = 7,
            Id = rows[0].Id,
            Images = [.. rows.Where(row => row.Status != ImageStatus.NoImage).Select(row => new DatasetImage(row.Image!, row.Image!))],
            Raw = default,
        },
        rows);
}
