using System.Text;

namespace Pristine.Media;

/// <summary>What came of loading one image.</summary>
/// <param name="Status">
/// <see cref="ImageStatus.Ok"/>, <see cref="ImageStatus.Missing"/>, <see cref="ImageStatus.Unreadable"/>,
/// <see cref="ImageStatus.Unsupported"/>, <see cref="ImageStatus.TooLarge"/>, <see cref="ImageStatus.Timeout"/>,
/// <see cref="ImageStatus.Truncated"/>, <see cref="ImageStatus.Partial"/> or <see cref="ImageStatus.Network"/>.
/// </param>
/// <param name="Error">The reason in one line, without the path; null when the status is <see cref="ImageStatus.Ok"/>.</param>
/// <param name="Header">
/// Size and format, whenever the header could be read: also of an image that is too large or damaged further on.
/// </param>
public readonly record struct DecodeResult(ImageStatus Status, string? Error, ImageHeader? Header)
{
    private const int LongestMessage = 300;

    /// <summary>
    /// Of an image whose file ends too early, the share of its rows that are there in full, 0..1; of JPEG and PNG rounded down to eight
    /// rows. Null for every other status, and where no decoder can tell (WebP, AVIF).
    /// </summary>
    public double? RowShare { get; init; }

    /// <summary>Whether there are pixels: the image is whole, or what is there of it was asked for.</summary>
    public bool HasPixels => Status is ImageStatus.Ok or ImageStatus.Partial;

    internal static DecodeResult Ok(ImageHeader header) => new(ImageStatus.Ok, null, header);

    internal static DecodeResult Missing(string error) => new(ImageStatus.Missing, error, null);

    internal static DecodeResult Unreadable(string error, ImageHeader? header = null) => new(ImageStatus.Unreadable, error, header);

    internal static DecodeResult Unsupported(string error, ImageHeader? header = null) => new(ImageStatus.Unsupported, error, header);

    /// <summary>A message on one line: repeated lines once, control characters as spaces, cut where it is very long.</summary>
    internal static string OneLine(string message)
    {
        var lines = message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct();
        var text = new StringBuilder(string.Join("; ", lines));
        for (var i = 0; i < text.Length; i++)
            if (char.IsControl(text[i]))
                text[i] = ' ';
        return text.Length <= LongestMessage ? text.ToString() : text.ToString(0, LongestMessage) + "...";
    }
}
