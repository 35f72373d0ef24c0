using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;

namespace Pristine.Tables;

/// <summary>The result for one image: the row of every table, CSV and JSONL that Pristine writes.</summary>
public sealed record ScoreRow
{
    /// <summary>Position of the image among all images of the dataset, from 0; an item without an image takes one position too.</summary>
    public required long Key { get; init; }

    /// <summary>The item's id.</summary>
    public required string Id { get; init; }

    /// <summary>The image as the dataset names it; null for an item without one.</summary>
    public string? Image { get; init; }

    /// <summary>Position of the image within its item, from 0.</summary>
    public int ImageIndex { get; init; }

    /// <summary>What became of the image.</summary>
    public ImageStatus Status { get; init; }

    /// <summary>Why the status is not <see cref="ImageStatus.Ok"/>; null when it is.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// Which scores were not computed because a gate had failed, and why: <c>resnet50@biq2021: brisque 71.2 fails brisque &lt;= 60</c>,
    /// several separated by a semicolon and a space; null when none was skipped.
    /// </summary>
    public string? Skipped { get; init; }

    /// <summary>Size and format; null when the header could not be read.</summary>
    public ImageHeader? Header { get; init; }

    /// <summary>Position of the item in the dataset, from 0.</summary>
    public long ItemIndex { get; init; }

    /// <summary>Size and time of the file before it was read; null when there was none.</summary>
    public SourceStamp? File { get; init; }

    /// <summary>What the item's text measures; null for items that are no records.</summary>
    public ItemText? Text { get; init; }

    /// <summary>XXH128 of the file's bytes in lower-case hex, 32 digits; null when the file could not be read.</summary>
    public string? ContentHash { get; init; }

    /// <summary>One native score per metric, in the order of <see cref="ScoreColumns.Metrics"/>; NaN where there is none.</summary>
    public required ReadOnlyMemory<double> Scores { get; init; }

    /// <summary>The file's size, also where no header could be read; null when there was no file.</summary>
    public long? Bytes => Header?.Bytes ?? File?.Bytes;

    /// <summary>True when no metric that needs pixels could run: the image is missing, unreadable, too large or timed out.</summary>
    public bool Failed => Status is not (ImageStatus.Ok or ImageStatus.TooSmall or ImageStatus.Partial or ImageStatus.NoImage or ImageStatus.Skipped);
}

/// <summary>An item with the rows of its images; an item without an image has one row with the status <c>no_image</c>.</summary>
/// <param name="Item">The item as read.</param>
/// <param name="Rows">One row per image, in the item's order.</param>
public sealed record ScoredItem(DatasetItem Item, IReadOnlyList<ScoreRow> Rows)
{
    /// <summary>How many of the images were read in this run; the rows of the others were in the score table and still hold.</summary>
    public int ImagesRead { get; init; } = Item.Images.Count;
}

/// <summary>Whether a column holds numbers or text.</summary>
public enum ColumnKind
{
    /// <summary>Numbers; NaN stands for a missing value.</summary>
    Number,

    /// <summary>Text; null stands for a missing value.</summary>
    Text,
}

/// <summary>One column of a result.</summary>
public sealed class ScoreColumn
{
    private readonly Func<ScoreRow, double>? _number;
    private readonly Func<ScoreRow, string?>? _text;

    internal ScoreColumn(string name, Func<ScoreRow, double> number) => (Name, _number) = (name, number);

    internal ScoreColumn(string name, Func<ScoreRow, string?> text) => (Name, _text) = (name, text);

    /// <summary>The name, as in files and rules.</summary>
    public string Name { get; }

    /// <summary>
    /// True for scores and qualities, which tables hold as 32-bit floats: a literal they are compared with is rounded to a float too, so
    /// that <c>brisque_quality &gt;= 0.6</c> includes 0.6.
    /// </summary>
    public bool IsFloat { get; internal init; }

    /// <summary>True for the column of a metric or of its quality, false for one that every result has.</summary>
    public bool IsScore { get; internal init; }

    /// <summary>Numbers or text.</summary>
    public ColumnKind Kind => _number != null ? ColumnKind.Number : ColumnKind.Text;

    /// <summary>The number in a row; NaN when it is missing.</summary>
    /// <param name="row">The row.</param>
    /// <exception cref="InvalidOperationException">The column holds text.</exception>
    public double Number(ScoreRow row) =>
        (_number ?? throw new InvalidOperationException($"The column '{Name}' holds text, not numbers."))(row);

    /// <summary>The text in a row; null when it is missing.</summary>
    /// <param name="row">The row.</param>
    /// <exception cref="InvalidOperationException">The column holds numbers.</exception>
    public string? Text(ScoreRow row) =>
        (_text ?? throw new InvalidOperationException($"The column '{Name}' holds numbers, not text."))(row);
}

/// <summary>The columns of the rows of one run: those of every result, then <c>NAME</c> and <c>NAME_quality</c> for each metric.</summary>
public sealed class ScoreColumns
{
    private static readonly ScoreColumn[] Fixed =
    [
        new("key", row => row.Key),
        new("id", row => row.Id),
        new("image", row => row.Image),
        new("image_index", row => row.ImageIndex),
        new("status", row => row.Status.Name()),
        new("error", row => row.Error),
        new(SkippedScores.Column, row => row.Skipped),
        new("width", row => row.Header?.Width ?? double.NaN),
        new("height", row => row.Header?.Height ?? double.NaN),
        new("format", row => row.Header?.Format),
        new("bytes", row => row.Bytes ?? double.NaN),
        new("content_hash", row => row.ContentHash),
    ];

    private readonly Dictionary<string, ScoreColumn> _byName;

    /// <summary>Makes the columns for some metrics.</summary>
    /// <param name="metrics">The metrics of the run; names are unique.</param>
    public ScoreColumns(IReadOnlyList<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Metrics = metrics;
        var columns = new List<ScoreColumn>(Fixed);
        for (var i = 0; i < metrics.Count; i++)
        {
            var (index, metric) = (i, metrics[i]);
            if (Fixed.All(column => column.Name != metric.Name))
                columns.Add(new ScoreColumn(metric.Name, row => row.Scores.Span[index]) { IsScore = true, IsFloat = metric.Input != ImageInput.Header });
            if (metric.HasQuality)
                columns.Add(new ScoreColumn(metric.Name + QualitySuffix, row => (float)metric.Quality(row.Scores.Span[index])) { IsScore = true, IsFloat = true });
        }
        All = columns;
        _byName = columns.ToDictionary(column => column.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>What is added to a metric's name for its quality in [0,1].</summary>
    public const string QualitySuffix = "_quality";

    /// <summary>The metrics, in the order of <see cref="ScoreRow.Scores"/>.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>All columns in the order in which they are written.</summary>
    public IReadOnlyList<ScoreColumn> All { get; }

    /// <summary>Finds a column; case does not matter, as in SQL. Null when there is none.</summary>
    /// <param name="name">The column's name.</param>
    public ScoreColumn? Find(string name) => _byName.GetValueOrDefault(name);
}
