using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Reports;

/// <summary>A numeric column of a score table that a report is about: a metric, or a fact of the header that every table has.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="IsFloat">Whether it holds 32-bit floats.</param>
/// <param name="Direction">Which end is good.</param>
/// <param name="Unit">The unit of its values; may be empty.</param>
/// <param name="Summary">One sentence about it; empty for a metric that this program does not have.</param>
internal sealed record ReportMetric(string Name, bool IsFloat, MetricDirection Direction, string Unit, string Summary)
{
    /// <summary>The metrics of a table: those with a good end first, then the other pixel metrics, then what the header tells.</summary>
    public static IReadOnlyList<ReportMetric> Of(ScoreTable table)
    {
        var scored = table.Provenance.Columns.Where(column => column.IsScore)
            .Select(column => new ReportMetric(column.Metric, column.IsFloat, column.Direction, column.Unit, SummaryOf(column.Metric)));
        // Facts of the file that a table has whether or not they were asked for as metrics.
        var facts = TableSchema.Row.Where(column => column is { IsNumber: true, Source: ColumnSource.File })
            .Select(column => MetricCatalog.Get(column.Name))
            .Select(metric => new ReportMetric(metric.Name, false, metric.Direction, metric.Unit, metric.Summary));
        return
        [
            .. scored.Concat(facts).DistinctBy(metric => metric.Name)
                .OrderBy(metric => metric.Direction == MetricDirection.None ? 1 : 0)
                .ThenBy(metric => metric.IsFloat ? 0 : 1),
        ];
    }

    private static string SummaryOf(string name) => MetricSet.BuiltIn.Find(name)?.Summary ?? "";
}
