namespace Pristine.Datasets;

/// <summary>An image as an item names it.</summary>
/// <param name="Reference">The path exactly as the dataset writes it.</param>
/// <param name="Path">The file to open: the reference, resolved against the image root.</param>
public readonly record struct DatasetImage(string Reference, string Path);

/// <summary>One record of a dataset: an id, zero or more images, and its original bytes, which are exported unchanged.</summary>
public sealed class DatasetItem
{
    /// <summary>Position in the dataset, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>The item's own id as text (an integer id is written as its digits); the image's path where the item has none.</summary>
    public required string Id { get; init; }

    /// <summary>The images in the item's order; empty for a text-only item.</summary>
    public required IReadOnlyList<DatasetImage> Images { get; init; }

    /// <summary>The item's own bytes: the JSON value of a JSON or JSONL record, without separators; the path for folders and lists.</summary>
    public required ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>
    /// Null for a sound item; otherwise what was expected and what was found, with file and line, for a record that could not be
    /// understood. Such an item has no images and is never kept.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>What stood between the previous item and this one (JSON: a comma and white space); empty for the first item.</summary>
    internal ReadOnlyMemory<byte> Before { get; init; }

    /// <summary>What ended the item (lines: white space and the line's end); empty where the input ends without one.</summary>
    internal ReadOnlyMemory<byte> After { get; init; }
}
