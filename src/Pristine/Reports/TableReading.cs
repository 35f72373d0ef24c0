using System.Globalization;
using Pristine.Media;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Reports;

/// <summary>Smallest, largest and mean value of a metric over all images that have it.</summary>
internal sealed record MetricExtent(long Count, double Low, double High, double Mean);

/// <summary>One image of a table.</summary>
/// <param name="Key">The row's key.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Image">The image as the dataset names it.</param>
/// <param name="Width">Pixels across; null when unknown.</param>
/// <param name="Height">Pixels down; null when unknown.</param>
/// <param name="Format">The file's format; null when unknown.</param>
/// <param name="Bytes">The file's size; null when unknown.</param>
/// <param name="Skipped">Which scores a cascade skipped, and why; null for none.</param>
/// <param name="Values">One per metric; NaN where there is none.</param>
internal sealed record ReportImage(
    long Key, string Id, string Image, long? Width, long? Height, string? Format, long? Bytes, string? Skipped, double[] Values);

/// <summary>A reason why images have no score.</summary>
/// <param name="Status">Their status.</param>
/// <param name="Error">The message.</param>
/// <param name="Count">How many images have it.</param>
/// <param name="Example">The first of them: its name, or the item's id.</param>
internal sealed record FailureReason(string Status, string Error, long Count, string Example);

/// <summary>Images without a score that a cascade made needless.</summary>
/// <param name="Metric">Position of the metric.</param>
/// <param name="Rule">What they have in common: <c>fails brisque &lt;= 60</c>.</param>
/// <param name="Count">How many images have it in common.</param>
/// <param name="Example">The first of them: its name, or the item's id.</param>
/// <param name="All">How many images skipped the metric, for whatever rule.</param>
internal sealed record SkippedReason(int Metric, string Rule, long Count, string Example, long All);

/// <summary>
/// The queries of a report. Everything that grows with the table stays in DuckDB; what comes out is aggregated or a bounded sample.
/// </summary>
internal sealed class TableReading : IDisposable
{
    /// <summary>Of the most frequent reasons for failures so many are told for each status.</summary>
    private const int ReasonsPerStatus = 5;

    private readonly DuckDbConnection _database;
    private readonly string _columns;

    public TableReading(ScoreTable table, IReadOnlyList<ReportMetric> metrics, int threads, long memoryLimit)
    {
        Metrics = metrics;
        _columns = string.Join(", ", metrics.Select(metric => DuckDbConnection.Identifier(metric.Name)));
        _database = DuckDbConnection.Open(new DuckDbOptions { Threads = threads, MemoryLimit = memoryLimit });
        try
        {
            // The table is data of whoever made it: nothing in it may make the engine reach further.
            _database.Confine([table.Folder], []);
            // A metric that was asked for, but that no run has computed yet, has no column in any part.
            var absent = metrics.Where(metric => TableSchema.Row.Find(metric.Name) == null
                && !table.Parts.Any(part => part.Contents.Columns.ContainsKey(metric.Name)));
            var columns = absent.Select(metric => $", NULL::FLOAT AS {DuckDbConnection.Identifier(metric.Name)}");
            _database.Execute($"CREATE VIEW images AS SELECT *{string.Concat(columns)} FROM {table.Source}");
            HasSeveralImages = _database.QueryInt64("SELECT max(image_index) FROM images") > 0;
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    /// <summary>The metrics, in the order of every list of values here.</summary>
    public IReadOnlyList<ReportMetric> Metrics { get; }

    /// <summary>Whether items have several images.</summary>
    public bool HasSeveralImages { get; }

    public DuckDbConnection Database => _database;

    /// <summary>Images by status, most frequent first.</summary>
    public IReadOnlyList<(string Status, long Count)> Statuses()
    {
        var statuses = new List<(string, long)>();
        using var reader = _database.Query("SELECT status, count(*) AS n FROM images GROUP BY status ORDER BY n DESC, status");
        while (reader.Read())
            statuses.Add((reader.Text(0)!, reader.Int64(1)));
        return statuses;
    }

    /// <summary>The most frequent reasons of each status, with an example.</summary>
    public IReadOnlyList<FailureReason> FailureReasons()
    {
        var reasons = new List<FailureReason>();
        using var reader = _database.Query(
            $"""
            SELECT status, error, n, example FROM (
              SELECT status, coalesce(error, '') AS error, count(*) AS n, arg_min(coalesce(image, id), key) AS example FROM images
              WHERE status NOT IN ('{ImageStatus.Ok.Name()}', '{ImageStatus.NoImage.Name()}', '{ImageStatus.Skipped.Name()}') GROUP BY ALL)
            QUALIFY row_number() OVER (PARTITION BY status ORDER BY n DESC, error) <= {ReasonsPerStatus}
            ORDER BY status, n DESC, error
            """);
        while (reader.Read())
            reasons.Add(new FailureReason(reader.Text(0)!, reader.Text(1)!, reader.Int64(2), reader.Text(3)!));
        return reasons;
    }

    /// <summary>The scores that were skipped, by metric and the rule that decided; the most frequent rules of each metric.</summary>
    public IReadOnlyList<SkippedReason> Skipped()
    {
        var skipped = new List<SkippedReason>();
        for (var i = 0; i < Metrics.Count; i++)
        {
            // The value before the rule is another for every image.
            var reason = SkippedScores.ReasonSql(SkippedScores.Column, Metrics[i].Name);
            using var reader = _database.Query(
                $"""
                SELECT coalesce(nullif(regexp_extract(reason, 'fails .*'), ''), reason) AS rule, count(*) AS n, arg_min(coalesce(image, id), key), CAST(sum(count(*)) OVER () AS BIGINT)
                FROM (SELECT *, {reason} AS reason FROM images WHERE {SkippedScores.Column} IS NOT NULL) WHERE reason IS NOT NULL
                GROUP BY rule ORDER BY n DESC, rule LIMIT {ReasonsPerStatus}
                """);
            while (reader.Read())
                skipped.Add(new SkippedReason(i, reader.Text(0)!, reader.Int64(1), reader.Text(2)!, reader.Int64(3)));
        }
        return skipped;
    }

    /// <summary>Extent of each metric; null for one that no image has.</summary>
    public MetricExtent?[] Extents()
    {
        var aggregates = Metrics.Select(metric => DuckDbConnection.Identifier(metric.Name))
            .Select(name => $"count({name}), min({name}), max({name}), avg({name})");
        using var reader = _database.Query($"SELECT {string.Join(", ", aggregates)} FROM images");
        reader.Read();
        return [.. Metrics.Select((_, i) => reader.Int64(4 * i) == 0
            ? null
            : new MetricExtent(reader.Int64(4 * i), reader.Double((4 * i) + 1), reader.Double((4 * i) + 2), reader.Double((4 * i) + 3)))];
    }

    /// <summary>All images with their values, or of a larger table a sample spread evenly over it, the same in every run.</summary>
    /// <param name="most">About how many images to take.</param>
    /// <param name="rows">The number of images of the table.</param>
    public MetricSample Sample(long most, long rows)
    {
        // Multiples of the golden ratio modulo 1 fall evenly into [0, 1): those below a share are a sample of that share.
        const long modulus = 1L << 32;
        var limit = rows <= most ? modulus : (long)((double)most / rows * modulus);
        var keys = new List<long>();
        var values = Metrics.Select(_ => new List<double>()).ToArray();
        using var reader = _database.Query(
            $"SELECT key, {_columns} FROM images WHERE ((key % 2147483648) * 2654435769) % {modulus} < $1 ORDER BY key", limit);
        while (reader.Read())
        {
            keys.Add(reader.Int64(0));
            for (var i = 0; i < values.Length; i++)
                values[i].Add(Value(reader, i + 1));
        }
        return new MetricSample([.. keys], [.. values.Select(list => list.ToArray())], IsWhole: rows <= most);
    }

    /// <summary>The keys of the images with the smallest or largest values of a metric; ties in the order of the dataset.</summary>
    public IReadOnlyList<long> Extremes(int metric, int count, bool largest)
    {
        var name = DuckDbConnection.Identifier(Metrics[metric].Name);
        var keys = new List<long>();
        using var reader = _database.Query(
            $"SELECT key FROM images WHERE {name} IS NOT NULL AND image IS NOT NULL ORDER BY {name} {(largest ? "DESC" : "ASC")}, key " +
            $"LIMIT $1", count);
        while (reader.Read())
            keys.Add(reader.Int64(0));
        return keys;
    }

    /// <summary>Images by their keys, in ascending order.</summary>
    public IReadOnlyList<ReportImage> Images(IEnumerable<long> keys)
    {
        var list = string.Join(", ", keys.Select(key => key.ToString(CultureInfo.InvariantCulture)));
        var images = new List<ReportImage>();
        if (list.Length == 0)
            return images;
        using var reader = _database.Query(
            $"SELECT key, id, image, width, height, format, bytes, {SkippedScores.TextSql(SkippedScores.Column)}, {_columns} FROM images " +
            $"WHERE key IN ({list}) AND image IS NOT NULL ORDER BY key");
        while (reader.Read())
        {
            long? Whole(int column) => reader.IsNull(column) ? null : (long)reader.Double(column);
            const int firstValue = 8;
            images.Add(new ReportImage(
                reader.Int64(0), reader.Text(1)!, reader.Text(2)!, Whole(3), Whole(4), reader.Text(5), Whole(6), reader.Text(7),
                [.. Metrics.Select((_, i) => Value(reader, firstValue + i))]));
        }
        return images;
    }

    public void Dispose() => _database.Dispose();

    /// <summary>A number, or NaN for NULL.</summary>
    public static double Value(DuckDbReader reader, int column) => reader.IsNull(column) ? double.NaN : reader.Double(column);
}
