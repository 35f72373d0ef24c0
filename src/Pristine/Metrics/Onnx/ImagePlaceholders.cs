using System.Text.RegularExpressions;

namespace Pristine.Metrics.Onnx;

/// <summary>
/// What stands in texts for images, sounds and films (docs/formats.md), and is no text for a network that compares the two.
/// </summary>
internal static partial class ImagePlaceholders
{
    /// <summary>A text without them, and without white space at its ends.</summary>
    /// <param name="text">The text.</param>
    public static string Without(string text) => text.Contains('<', StringComparison.Ordinal)
        ? Placeholder().Replace(text, "").Trim()
        : text.Trim();

    [GeneratedRegex(
        @"<image>[0-9]+</image>|<(?:image|video|audio)>|<__dj__(?:image|video|audio)>|<\|__dj__eoc\|>|<\|(?:image|video|audio)\|>|" +
        @"<image_placeholder>|<ImageHere>|<\|?image[ _][0-9]{1,4}\|?>", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
