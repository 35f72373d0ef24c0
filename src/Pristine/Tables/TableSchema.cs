using System.Collections;
using System.Runtime.CompilerServices;
using Pristine.Media;
using Pristine.Metrics;

namespace Pristine.Tables;

/// <summary>An ordered set of columns: those of a run's rows, or of a score table.</summary>
public sealed class TableSchema : IReadOnlyList<Column>
{
    private const string StatusColumn = "status";

    private readonly Column[] _columns;
    private readonly Dictionary<string, Column> _byName;

    private TableSchema(IReadOnlyList<Metric> metrics, IEnumerable<Column> columns)
    {
        Metrics = metrics;
        _columns = [.. columns];
        _byName = _columns.ToDictionary(column => column.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>
    /// The columns that every row has, in the order of the files. A column that is added here is in every table, JSON line and CSV, in
    /// rules, in the documentation and in <c>why</c>; tables written before have no value in it.
    /// </summary>
    public static TableSchema Row { get; } = new([],
    [
        new("key", ColumnType.BigInt)
        {
            Summary = "position of the image among all images of the dataset, from 0",
            Source = ColumnSource.Place,
            Mean = ColumnMean.Smallest,
            NumberOf = row => row.Key,
            Restore = (row, reader, at) => row.Key = reader.Int64(at),
        },
        new("id", ColumnType.Varchar)
        {
            Summary = "the item's own id; the path where it has none",
            Source = ColumnSource.Item,
            TextOf = row => row.Id,
            Restore = (row, reader, at) => row.Id = reader.Text(at)!,
        },
        new("image", ColumnType.Varchar)
        {
            Summary = "the image as the dataset names it; missing for an item without one",
            Source = ColumnSource.Place,
            TextOf = row => row.Image,
            Restore = (row, reader, at) => row.Image = reader.Text(at),
        },
        new("image_index", ColumnType.Integer)
        {
            Summary = "position of the image within its item, from 0",
            Source = ColumnSource.Place,
            Mean = ColumnMean.Smallest,
            NumberOf = row => row.ImageIndex,
            Restore = (row, reader, at) => row.ImageIndex = (int)reader.Int64(at),
        },
        new("item_index", ColumnType.BigInt)
        {
            Summary = "position of the item in the dataset, from 0",
            Source = ColumnSource.Item,
            Mean = ColumnMean.Smallest,
            NumberOf = row => row.ItemIndex,
            Restore = (row, reader, at) => row.ItemIndex = reader.Int64(at),
        },
        new("folder", ColumnType.Varchar)
        {
            Summary = "the folder part of `image`",
            Source = ColumnSource.Place,
            TextOf = row => FolderOf(row.Image),
            Restore = (_, _, _) => { },
        },
        new(StatusColumn, ColumnType.Varchar)
        {
            Summary =
                $"what became of the image: {string.Join(", ", Enum.GetValues<ImageStatus>().Select(status => $"`{status.Name()}`"))}",
            Source = ColumnSource.Outcome,
            TextOf = row => row.Status.Name(),
            Restore = (row, reader, at) => row.Status = ImageStatusNames.Parse(reader.Text(at)!),
        },
        new("error", ColumnType.Varchar)
        {
            Summary = "why the status is not `ok`",
            Source = ColumnSource.Outcome,
            TextOf = row => row.Error,
            Restore = (row, reader, at) => row.Error = reader.Text(at),
        },
        new(SkippedScores.Column, ColumnType.Map)
        {
            Summary =
                "by metric, why its score was not needed ([cascade](#two-stages), [rule on the record](rules.md#rules-on-the-record))",
            Source = ColumnSource.Outcome,
            MapOf = row => row.Skipped,
            Restore = (row, reader, at) => row.Skipped = SkippedScores.Parse(reader.Text(at)),
        },
        new("width", ColumnType.Integer)
        {
            Summary = "width of the upright image in pixels; missing where the header could not be read",
            Unit = "pixels",
            Mean = ColumnMean.RoundedMean,
            NumberOf = row => row.Header?.Width ?? double.NaN,
            Restore = (row, reader, at) => row.Width = reader.IsNull(at) ? null : (int)reader.Int64(at),
        },
        new("height", ColumnType.Integer)
        {
            Summary = "height of the upright image in pixels",
            Unit = "pixels",
            Mean = ColumnMean.RoundedMean,
            NumberOf = row => row.Header?.Height ?? double.NaN,
            Restore = (row, reader, at) => row.Height = reader.IsNull(at) ? null : (int)reader.Int64(at),
        },
        new("format", ColumnType.Varchar)
        {
            Summary = "the file's format (`jpeg`, `png`, ...), told from the content, not from the name",
            TextOf = row => row.Header?.Format,
            Restore = (row, reader, at) => row.Format = reader.Text(at),
        },
        new("bytes", ColumnType.BigInt)
        {
            Summary = "size of the file in bytes",
            Unit = "bytes",
            Mean = ColumnMean.RoundedMean,
            NumberOf = row => row.Bytes ?? double.NaN,
            Restore = (row, reader, at) => row.Bytes = reader.IsNull(at) ? null : reader.Int64(at),
        },
        new("modified", ColumnType.Timestamp)
        {
            Summary = "when the file was last changed (UTC)",
            NumberOf = row => row.File?.Modified ?? double.NaN,
            Restore = (row, reader, at) => row.Modified = reader.IsNull(at) ? null : reader.Int64(at),
        },
        new("content_hash", ColumnType.Varchar)
        {
            Summary = "XXH128 of the file's bytes, 32 hexadecimal digits: equal for identical files",
            TextOf = row => row.ContentHash,
            Restore = (row, reader, at) => row.ContentHash = reader.Text(at),
        },
        new("text_length", ColumnType.BigInt)
        {
            Summary = "characters of the item's text; missing for folders and lists",
            Unit = "characters",
            Source = ColumnSource.ItemText,
            Mean = ColumnMean.Mean,
            NumberOf = row => row.Text?.Length ?? double.NaN,
            Restore = (row, reader, at) => row.TextLength = reader.IsNull(at) ? null : reader.Int64(at),
        },
        new("word_count", ColumnType.BigInt)
        {
            Summary = "words of the item's text",
            Unit = "words",
            Source = ColumnSource.ItemText,
            Mean = ColumnMean.Mean,
            NumberOf = row => row.Text?.Words ?? double.NaN,
            Restore = (row, reader, at) => row.WordCount = reader.IsNull(at) ? null : reader.Int64(at),
        },
        new("turns", ColumnType.BigInt)
        {
            Summary = "messages of the item's text",
            Unit = "messages",
            Source = ColumnSource.ItemText,
            Mean = ColumnMean.Mean,
            NumberOf = row => row.Text?.Turns ?? double.NaN,
            Restore = (row, reader, at) => row.Turns = reader.IsNull(at) ? null : reader.Int64(at),
        },
        new("image_count", ColumnType.Integer)
        {
            Summary = "images of the item",
            Source = ColumnSource.Item,
            Mean = ColumnMean.Smallest,
            NumberOf = row => row.ImageCount ?? double.NaN,
            Restore = (row, reader, at) => row.ImageCount = reader.IsNull(at) ? null : (int)reader.Int64(at),
        },
        new("image_tokens", ColumnType.BigInt)
        {
            Summary =
                "[places for images](formats.md#placeholders) in the item's text, such as `<image>`; missing where its layout has none",
            Source = ColumnSource.ItemText,
            Mean = ColumnMean.Smallest,
            NumberOf = row => row.Text?.ImageTokens ?? double.NaN,
            Restore = (row, reader, at) => row.ImageTokens = reader.IsNull(at) ? null : reader.Int64(at),
        },
        new("text_hash", ColumnType.Varchar)
        {
            Summary = "XXH128 of the item's text, 32 hexadecimal digits: equal for equal texts; missing for folders and lists",
            Source = ColumnSource.ItemText,
            TextOf = row => row.TextHash,
            Restore = (row, reader, at) => row.TextHash = reader.Text(at),
        },
        new("has_image", ColumnType.Boolean)
        {
            Summary = "whether the item has an image; rules know it, files have no such column",
            Source = ColumnSource.Item,
            Derivation = $"({StatusColumn} <> '{ImageStatus.NoImage.Name()}')",
        },
        new("copies", ColumnType.BigInt)
        {
            Summary =
                "[images of the table that are duplicates of it](duplicates.md#in-rules), itself included; rules know it, files have no " +
                "such column",
            Unit = "images",
            Source = ColumnSource.Outcome,
            Mean = ColumnMean.Mean,
            ComparesImages = true,
        },
        new("duplicate_group", ColumnType.Varchar)
        {
            Summary = "the same for images that are duplicates of each other; rules know it, files have no such column",
            Source = ColumnSource.Outcome,
            ComparesImages = true,
        },
        new(RepeatsText, ColumnType.Boolean)
        {
            Summary = "whether an earlier item has the same text, which is not empty; rules know it, files have no such column",
            Source = ColumnSource.Item,
            ComparesImages = true,
        },
    ]);

    /// <summary>The column that says whether an earlier item has the same text.</summary>
    internal const string RepeatsText = "repeats_text";

    /// <summary>
    /// SQL of the items whose texts are there first, with <c>text_hash</c> and <c>first_item</c>, and of the column
    /// <see cref="RepeatsText"/> of rows <c>r</c> joined with them as <c>t</c>.
    /// </summary>
    /// <param name="source">SQL of the table.</param>
    internal static (string Firsts, string Column) RepeatsTextSql(string source) => (
        $"SELECT text_hash, min(item_index) AS first_item FROM {source} WHERE text_length > 0 GROUP BY text_hash",
        $"CASE WHEN r.text_hash IS NOT NULL THEN coalesce(r.item_index > t.first_item, false) END AS {RepeatsText}");

    /// <summary>The columns of the rows of a run: those of every row, then <c>NAME</c> and <c>NAME_quality</c> for each metric.</summary>
    /// <param name="metrics">The metrics of the run; names are unique.</param>
    /// <exception cref="ArgumentException">A metric has the name of a column that every row has.</exception>
    public static TableSchema Of(IReadOnlyList<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        foreach (var metric in metrics)
            CheckName(metric);
        var scores = metrics.SelectMany((metric, index) => Column.Of(metric, index));
        return new TableSchema(metrics, WithRow(scores));
    }

    /// <summary>Registers <see cref="CheckName"/> with the metrics, which do not know tables.</summary>
    // CA2255: the metrics stand in a room below.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RegisterNames() => MetricNames.Check = CheckName;

    /// <summary>
    /// Refuses a metric whose column would be another one: only those of this library (width, bytes) may be columns of every row.
    /// </summary>
    /// <param name="metric">The metric.</param>
    /// <exception cref="ArgumentException">It has the name of a column that every row has.</exception>
    internal static void CheckName(Metric metric)
    {
        if (MetricCatalog.All.Any(own => own.GetType() == metric.GetType()))
            return;
        foreach (var name in metric.Aliases.Prepend(metric.Name))
        {
            if (Row.Find(name) != null || name.Equals(EnsembleName, StringComparison.OrdinalIgnoreCase))
                throw new ArgumentException(
                    $"Expected a metric whose name is not that of a column; found '{name}', which every row has or rules use " +
                    $"({string.Join(", ", Row.Select(column => column.Name))}, {EnsembleName}). Give it another name.");
        }
    }

    // The column of a weighted sum in rules.
    private const string EnsembleName = "score";

    /// <summary>The columns of a score table. Its scores are read from the table, not from rows.</summary>
    /// <param name="metrics">The metric columns of its provenance.</param>
    public static TableSchema Of(IEnumerable<ColumnProvenance> metrics) => new([], WithRow(metrics.SelectMany(Column.Of)));

    /// <summary>These columns and one more.</summary>
    internal TableSchema With(Column column) => new(Metrics, _columns.Append(column));

    /// <summary>The metrics, in the order of <see cref="ScoreRow.Scores"/>; empty for the columns of a table.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>The columns that files have, in their order.</summary>
    public IEnumerable<Column> Stored => _columns.Where(column => column.Derivation == null && !column.ComparesImages);

    /// <inheritdoc/>
    public int Count => _columns.Length;

    /// <inheritdoc/>
    public Column this[int index] => _columns[index];

    /// <summary>Finds a column; case does not matter, as in SQL. Null when there is none.</summary>
    /// <param name="name">The column's name.</param>
    public Column? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Gets a column.</summary>
    /// <param name="name">The column's name.</param>
    /// <exception cref="ArgumentException">There is none; the message names the nearest ones.</exception>
    public Column Get(string name) => Find(name) ?? throw new ArgumentException(
        $"There is no column '{name}'. Nearest: {string.Join(", ", NearestNames.Of(name, _columns.Select(column => column.Name)))}.",
        nameof(name));

    /// <inheritdoc/>
    public IEnumerator<Column> GetEnumerator() => ((IEnumerable<Column>)_columns).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => _columns.GetEnumerator();

    /// <summary>The folder part of an image's name as the dataset writes it; empty where it has none.</summary>
    private static string? FolderOf(string? image) => image == null ? null : image[..Math.Max(0, image.LastIndexOf('/'))];

    /// <summary>A metric that is a column of every row (width, height, bytes) has no column of its own.</summary>
    private static IEnumerable<Column> WithRow(IEnumerable<Column> scores) =>
        Row.Concat(scores.Where(column => Row.Find(column.Name) == null));
}
