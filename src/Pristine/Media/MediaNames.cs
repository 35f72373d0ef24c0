using System.Collections.Frozen;

namespace Pristine.Media;

/// <summary>Tells from a name what kind of media a file holds.</summary>
internal static class MediaNames
{
    // Also kinds that no decoder here reads: they become rows with a status and do not vanish.
    private static readonly FrozenSet<string> Images = Set(
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".avif",
        ".bmp", ".dib", ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico", ".svg", ".psd");

    private static readonly FrozenSet<string> Sounds = Set(
        ".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aiff", ".wma");

    private static readonly FrozenSet<string> Films = Set(
        ".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".flv", ".wmv", ".ogv");

    /// <summary>The kind that a path's or address's extension says, in any case; null for any other name.</summary>
    /// <param name="name">A path, or an address, whose query does not count.</param>
    public static MediaKind? KindOf(ReadOnlySpan<char> name)
    {
        if (name.Contains("://", StringComparison.Ordinal) && name.IndexOfAny('?', '#') is var end and >= 0)
            name = name[..end];
        var extension = Path.GetExtension(name);
        return Contains(Images, extension) ? MediaKind.Image
            : Contains(Films, extension) ? MediaKind.Video
            : Contains(Sounds, extension) ? MediaKind.Audio
            : null;
    }

    private static bool Contains(FrozenSet<string> set, ReadOnlySpan<char> extension) =>
        set.GetAlternateLookup<ReadOnlySpan<char>>().Contains(extension);

    private static FrozenSet<string> Set(params string[] extensions) => extensions.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}
