using Pristine.Media;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>Where the scores of a metric lie.</summary>
/// <param name="Metric">The metric's name.</param>
/// <param name="Count">Images that have a score.</param>
/// <param name="Low">The 5th percentile, interpolated as in NumPy; NaN where no image has a score, as the others.</param>
/// <param name="Median">The median.</param>
/// <param name="High">The 95th percentile.</param>
public sealed record MetricSummary(string Metric, long Count, double Low, double Median, double High);

/// <summary>A score table in a few numbers.</summary>
/// <param name="Metrics">The table's metrics, in its order; vectors and hashes have no place on a scale.</param>
/// <param name="Statuses">Images by status, the most frequent first.</param>
public sealed record TableSummary(IReadOnlyList<MetricSummary> Metrics, IReadOnlyList<KeyValuePair<ImageStatus, long>> Statuses)
{
    /// <summary>Reads a table.</summary>
    /// <param name="table">The table.</param>
    public static TableSummary Of(ScoreTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        using var database = DuckDbConnection.Open(new DuckDbOptions { MemoryLimit = 1L << 30 });
        database.Confine([table.Folder], []);
        // A metric that was asked for, but that no run has computed yet, has no column in any part.
        var names = table.Provenance.Columns.Where(column => column.Length == null).Select(column => table.Columns.Find(column.Metric))
            .Where(column => column is { IsNumber: true }
            && (TableSchema.Row.Find(column.Name) != null || table.Parts.Any(part => part.Contents.Columns.ContainsKey(column.Name))))
            .Select(column => column!.Name).ToArray();
        var metrics = new List<MetricSummary>();
        // One after the other: exact percentiles hold a column in memory.
        foreach (var name in names)
        {
            var column = $"CAST({DuckDbConnection.Identifier(name)} AS DOUBLE)";
            using var reader = database.Query(
                $"SELECT count({column}), quantile_cont({column}, 0.05), quantile_cont({column}, 0.5), quantile_cont({column}, 0.95) " +
                $"FROM {table.Source}");
            reader.Read();
            double Value(int at) => reader.IsNull(at) ? double.NaN : reader.Double(at);
            metrics.Add(new MetricSummary(name, reader.Int64(0), Value(1), Value(2), Value(3)));
        }
        var statuses = new List<KeyValuePair<ImageStatus, long>>();
        using (var reader = database.Query($"SELECT status, count(*) AS n FROM {table.Source} GROUP BY status ORDER BY n DESC, status"))
            while (reader.Read())
                statuses.Add(new(ImageStatusNames.Parse(reader.Text(0)!), reader.Int64(1)));
        return new TableSummary(metrics, statuses);
    }
}
