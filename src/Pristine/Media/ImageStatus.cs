namespace Pristine.Media;

/// <summary>
/// What became of one image. Exactly one per row of a result; only <see cref="Ok"/>, <see cref="TooSmall"/> and <see cref="Partial"/>
/// carry scores.
/// </summary>
public enum ImageStatus
{
    /// <summary>Decoded, and every metric gave a score.</summary>
    Ok,

    /// <summary>The file is there, but it is no picture, it is damaged, or it may not be read.</summary>
    Unreadable,

    /// <summary>There is no file at the path, or the server of the address says that there is none.</summary>
    Missing,

    /// <summary>The header promises more pixels than the limit; the pixels were not read.</summary>
    TooLarge,

    /// <summary>Decoded, but smaller than at least one metric needs; that metric's score is missing, the others are there.</summary>
    TooSmall,

    /// <summary>Decoding took longer than <see cref="ImagingOptions.Timeout"/>.</summary>
    Timeout,

    /// <summary>The item has no image.</summary>
    NoImage,

    /// <summary>The image was not opened: a rule on the item's record had dropped the item.</summary>
    Skipped,

    /// <summary>A picture of a kind that is not decoded: another format (HEIC, BMP), or a rare kind of one that is (12-bit JPEG).</summary>
    Unsupported,

    /// <summary>The file ends before its picture does; the reason says how many of its rows are there. Nothing was scored.</summary>
    Truncated,

    /// <summary>
    /// As <see cref="Truncated"/>, but what is there was scored, because <see cref="ImagingOptions.KeepTruncated"/> asks for it.
    /// </summary>
    Partial,

    /// <summary>The image is at an address, and the network or the server failed; a table that is continued tries it again.</summary>
    Network,

    /// <summary>
    /// The process that decoded it (<see cref="ImagingOptions.Isolation"/>) died, again and again, or needed more memory than it may have.
    /// </summary>
    Crashed,
}

/// <summary>The names of statuses as they stand in every file Pristine writes.</summary>
public static class ImageStatusNames
{
    /// <summary>
    /// The lower-case name: <c>ok</c>, <c>unreadable</c>, <c>missing</c>, <c>too_large</c>, <c>too_small</c>, <c>timeout</c>,
    /// <c>no_image</c>, <c>skipped</c>, <c>unsupported</c>, <c>truncated</c>, <c>partial</c>,
    /// <c>network</c>, <c>crashed</c>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a status.</exception>
    public static string Name(this ImageStatus status) => status switch
    {
        ImageStatus.Ok => "ok",
        ImageStatus.Unreadable => "unreadable",
        ImageStatus.Missing => "missing",
        ImageStatus.TooLarge => "too_large",
        ImageStatus.TooSmall => "too_small",
        ImageStatus.Timeout => "timeout",
        ImageStatus.NoImage => "no_image",
        ImageStatus.Skipped => "skipped",
        ImageStatus.Unsupported => "unsupported",
        ImageStatus.Truncated => "truncated",
        ImageStatus.Partial => "partial",
        ImageStatus.Network => "network",
        ImageStatus.Crashed => "crashed",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Expected a value of ImageStatus."),
    };

    /// <summary>The status of a name.</summary>
    /// <param name="name">As <see cref="Name"/> gives it.</param>
    /// <exception cref="ArgumentException">No status has the name.</exception>
    public static ImageStatus Parse(string name) => ByName.TryGetValue(name, out var status)
        ? status
        : throw new ArgumentException($"Expected a status ({string.Join(", ", ByName.Keys)}); found '{name}'.", nameof(name));

    private static readonly Dictionary<string, ImageStatus> ByName = Enum.GetValues<ImageStatus>().ToDictionary(Name);
}
