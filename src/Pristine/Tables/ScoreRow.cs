using Pristine.Datasets;
using Pristine.Media;

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

    /// <summary>Which scores were not computed because a gate had failed, and why; null when none was skipped.</summary>
    public SkippedScores? Skipped { get; init; }

    /// <summary>Size and format; null when the header could not be read.</summary>
    public ImageHeader? Header { get; init; }

    /// <summary>Position of the item in the dataset, from 0.</summary>
    public long ItemIndex { get; init; }

    /// <summary>Size and time of the file before it was read; null when there was none.</summary>
    public SourceStamp? File { get; init; }

    /// <summary>How many images the item has; null in rows of tables that were written without it.</summary>
    public int? ImageCount { get; init; }

    /// <summary>What the item's text measures; null for items that are no records.</summary>
    public ItemText? Text { get; init; }

    /// <summary>XXH128 of the item's text in UTF-8, in lower-case hex, 32 digits; null for items that are no records.</summary>
    public string? TextHash { get; init; }

    /// <summary>XXH128 of the file's bytes in lower-case hex, 32 digits; null when the file could not be read.</summary>
    public string? ContentHash { get; init; }

    /// <summary>One native score per metric, in the order of <see cref="TableSchema.Metrics"/>; NaN where there is none.</summary>
    public required ReadOnlyMemory<double> Scores { get; init; }

    /// <summary>The columns of the run or table that the row is of; without a run those that every row has.</summary>
    public TableSchema Columns { get; internal init; } = TableSchema.Row;

    /// <summary>
    /// The features that were computed in this run, in the order of <see cref="Scores"/>; null for none, and in rows read from a table.
    /// </summary>
    internal float[]?[]? Vectors { get; init; }

    /// <summary>A feature of the row, which must have been computed in this run; empty where it is missing.</summary>
    /// <param name="column">The column's name, for example <c>resnet50-embedding_features</c>.</param>
    /// <exception cref="ArgumentException">The row has no such column.</exception>
    /// <exception cref="InvalidOperationException">The column holds no vectors.</exception>
    public ReadOnlyMemory<float> Feature(string column) =>
        (Columns.Get(column).VectorOf ?? throw new InvalidOperationException($"Expected a column of vectors; '{column}' is none."))(this);

    /// <summary>
    /// A number of the row: <c>row["brisque"]</c>, <c>row["brisque_quality"]</c>, <c>row["width"]</c>. NaN where it is missing.
    /// </summary>
    /// <param name="column">The column's name; case does not matter.</param>
    /// <exception cref="ArgumentException">The row has no such column.</exception>
    /// <exception cref="InvalidOperationException">The column holds no numbers.</exception>
    public double this[string column] => Columns.Get(column).Number(this);

    /// <summary>The file's size, also where no header could be read; null when there was no file.</summary>
    public long? Bytes => Header?.Bytes ?? File?.Bytes;

    /// <summary>True when no metric that needs pixels could run: the image is missing, unreadable, too large or timed out.</summary>
    public bool Failed =>
        Status is not (ImageStatus.Ok or ImageStatus.TooSmall or ImageStatus.Partial or ImageStatus.NoImage or ImageStatus.Skipped);
}

/// <summary>An item with the rows of its images; an item without an image has one row with the status <c>no_image</c>.</summary>
/// <param name="Item">The item as read.</param>
/// <param name="Rows">One row per image, in the item's order.</param>
public sealed record ScoredItem(DatasetItem Item, IReadOnlyList<ScoreRow> Rows)
{
    /// <summary>How many of the images were read in this run; the rows of the others were in the score table and still hold.</summary>
    public int ImagesRead { get; init; } = Item.Images.Count;

    /// <summary>
    /// True when the item's text has another number of places for images than the item has images; see <see cref="ItemText.ImageTokens"/>.
    /// False where nothing is known of such places.
    /// </summary>
    public bool HasOtherImageTokens => Rows is [{ Text.ImageTokens: { } tokens }, ..] && tokens != Item.Images.Count;
}
