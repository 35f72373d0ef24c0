using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Pristine.Media;

namespace Pristine.Datasets;

/// <summary>
/// One record of a dataset: an id, zero or more sources of images, sound and film, and its original bytes, which are exported unchanged.
/// </summary>
public sealed class DatasetItem
{
    private readonly IReadOnlyList<MediaSource> _sources = [];

    /// <summary>Position in the dataset, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>
    /// The item's own id as text (an integer id is written as its digits); the first image's reference where the item has none.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>Everything the item names, in its order; empty for a text-only item.</summary>
    public required IReadOnlyList<MediaSource> Sources
    {
        get => _sources;
        init
        {
            _sources = value;
            Images = value.All(source => source.Kind == MediaKind.Image)
                ? value
                : [.. value.Where(source => source.Kind == MediaKind.Image)];
        }
    }

    /// <summary>Those of <see cref="Sources"/> that are images.</summary>
    public IReadOnlyList<MediaSource> Images { get; private init; } = [];

    /// <summary>
    /// The item's own bytes: the JSON value of a JSON or JSONL record, without separators; the path for folders and lists; the record of a
    /// row of a Parquet file as JSON; empty for a sample of an archive. Rows and samples are copied from their files.
    /// </summary>
    public required ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>
    /// The item's fields and text; null for an item that has none, as those of folders and lists, and for one with an <see cref="Error"/>.
    /// </summary>
    public ItemRecord? Record { get; init; }

    /// <summary>
    /// Null for a sound item; otherwise what was expected and what was found, with file and line, for a record that could not be
    /// understood. Such an item has no images and is never kept.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>Where the sample of an archive stands; null for other items.</summary>
    internal TarSample? Sample { get; init; }

    /// <summary>What the item's text measures; null for items that are no records.</summary>
    internal ItemText? Text => Record is { HasText: true } record ? record.Text : null;

    /// <summary>The item's texts, joined by line ends; null for items that are no records.</summary>
    internal string? WholeText => Record is { HasText: true } record ? string.Join('\n', record.Texts) : null;

    /// <summary>XXH128 of <see cref="WholeText"/> in UTF-8, 32 hexadecimal digits; null for items that are no records.</summary>
    internal string? TextHash => WholeText is { } text
        ? XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(text)).ToString("x32", CultureInfo.InvariantCulture)
        : null;

    /// <summary>The file that the item stands in, relative to the dataset's folder; null where there is only one.</summary>
    internal string? File { get; init; }

    /// <summary>Where the row of a Parquet file stands; null for other items.</summary>
    internal ParquetRow? Row { get; init; }

    /// <summary>Bytes of memory that the item holds on to.</summary>
    internal long HeldBytes =>
        Raw.Length + Before.Length + After.Length + (Sample?.Bytes?.Length ?? 0) + Sources.Sum(source => source.HeldBytes);

    /// <summary>What stood between the previous item and this one (JSON: a comma and white space); empty for the first item.</summary>
    internal ReadOnlyMemory<byte> Before { get; init; }

    /// <summary>What ended the item (lines: white space and the line's end); empty where the input ends without one.</summary>
    internal ReadOnlyMemory<byte> After { get; init; }
}
