using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Tables;

/// <summary>A row while it is read from a table, column by column.</summary>
internal sealed class ScoreRowDraft
{
    public long Key { get; set; }

    public string Id { get; set; } = "";

    public string? Image { get; set; }

    public int ImageIndex { get; set; }

    public long ItemIndex { get; set; }

    public ImageStatus Status { get; set; }

    public string? Error { get; set; }

    public SkippedScores? Skipped { get; set; }

    public int? Width { get; set; }

    public int? Height { get; set; }

    public string? Format { get; set; }

    public long? Bytes { get; set; }

    /// <summary>Microseconds since 1970.</summary>
    public long? Modified { get; set; }

    public string? ContentHash { get; set; }

    public string? TextHash { get; set; }

    public long? TextLength { get; set; }

    public long? WordCount { get; set; }

    public long? Turns { get; set; }

    public int? ImageCount { get; set; }

    public long? ImageTokens { get; set; }

    /// <summary>The row, without scores.</summary>
    public ScoreRow ToRow() => new()
    {
        Key = Key,
        Id = Id,
        Image = Image,
        ImageIndex = ImageIndex,
        ItemIndex = ItemIndex,
        Status = Status,
        Error = Error,
        Skipped = Skipped,
        Header = Width is { } width && Height is { } height ? new ImageHeader(width, height, Format!, Bytes ?? 0) : null,
        File = Bytes is { } bytes && Modified is { } modified ? new SourceStamp(bytes, modified) : null,
        ContentHash = ContentHash,
        TextHash = TextHash,
        Text = TextLength is { } length ? new ItemText(length, WordCount ?? 0, Turns ?? 0) { ImageTokens = ImageTokens } : null,
        ImageCount = ImageCount,
        Scores = default,
    };
}
