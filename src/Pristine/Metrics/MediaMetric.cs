using System.Globalization;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// A number of the sounds or the films that an item names, read from their headers: the mean where there are several. An item without any
/// has none, except that it counts 0. Where one of them is missing or broken the item has no number either, and the status of that file.
/// </summary>
public sealed class MediaMetric : ItemMetric
{
    private readonly string _name;
    private readonly string _unit;
    private readonly string _summary;
    private readonly string _formula;
    private readonly string _notes;
    private readonly string _citation;
    private readonly Func<MediaHeader, double>? _read;

    /// <summary>Of a count of files for which something holds: what; null for the mean of all.</summary>
    private readonly Func<MediaHeader, bool>? _holds;

    private MediaMetric(
        MediaKind kind, string name, string unit, string summary, string formula, Func<MediaHeader, double>? read, string notes = "",
        string citation = "")
    {
        Kind = kind;
        (_name, _unit, _summary, _formula, _read, _notes, _citation) = (name, unit, summary, formula, read, notes, citation);
    }

    private MediaMetric(MediaMetric all, MediaInterval interval)
        : this(
            all.Kind, $"{all.Name}_in:{interval}", "files", $"Files of the item whose {all.Name} lies in {interval}.",
            $"number of its {all.Scope} files with {all.Name} in {interval}", all._read, citation: all._citation) =>
        _holds = header => interval.Contains(all._read!(header));

    private MediaMetric(MediaInterval width, MediaInterval height)
        : this(
            MediaKind.Video, $"{Resolution}_in:{width}x{height}", "files",
            $"Films of the item whose width lies in {width} and whose height lies in {height}.",
            $"number of its video files with video_width in {width} and video_height in {height}", header => header.Width,
            citation: "data-juicer's video_resolution_filter.") =>
        _holds = header => width.Contains(header.Width) && height.Contains(header.Height);

    /// <summary>What counts of films by width and height together begin with; there is no column of this name.</summary>
    internal const string Resolution = "video_resolution";

    /// <summary>Of what it is a number: sounds or films.</summary>
    public MediaKind Kind { get; }

    /// <summary>Whether it is the number of files, for which none is opened.</summary>
    internal bool IsCount => _read == null;

    /// <inheritdoc/>
    public override string Name => _name;

    /// <inheritdoc/>
    public override string Scope => Kind == MediaKind.Audio ? "audio" : "video";

    /// <inheritdoc/>
    public override string Unit => _unit;

    /// <inheritdoc/>
    public override string Summary => _summary;

    /// <inheritdoc/>
    public override string Formula => _formula;

    /// <inheritdoc/>
    public override string Notes => _notes;

    /// <inheritdoc/>
    public override string Citation => _citation.Length > 0 ? _citation : "The header of the file.";

    /// <summary>The number of an item.</summary>
    /// <param name="headers">The headers of its files of this kind.</param>
    /// <returns>NaN where there is no file, or a header does not say.</returns>
    internal double Measure(IReadOnlyList<MediaHeader> headers) =>
        _read == null ? headers.Count
        : _holds != null ? headers.Count(_holds)
        : headers.Count == 0 ? double.NaN
        : headers.Average(_read);

    /// <summary>The number of files of an item whose value lies in an interval.</summary>
    /// <param name="interval">The interval.</param>
    internal MediaMetric In(MediaInterval interval) => new(this, interval);

    /// <summary>The number of films of an item whose width and height both lie in their interval.</summary>
    /// <param name="width">That of the width.</param>
    /// <param name="height">That of the height.</param>
    internal static MediaMetric ResolutionIn(MediaInterval width, MediaInterval height) => new(width, height);

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<MediaMetric> All { get; } =
    [
        new(MediaKind.Audio, "audio_count", "files", "Sounds that the item names.", "number of audio files", null),
        new(
            MediaKind.Audio, "audio_duration", "seconds", "Length of the item's sounds.", "mean over its audio files of the duration",
            header => header.Duration, "data-juicer decodes the sound; headers of MP3 without an index are estimates.",
            "audio_duration of data-juicer's audio_duration_filter."),
        new(
            MediaKind.Audio, "audio_bytes", "bytes", "Size of the item's audio files.", "mean over its audio files of the size",
            header => header.Bytes, citation: "audio_sizes of data-juicer's audio_size_filter."),
        new(
            MediaKind.Audio, "audio_sample_rate", "Hz", "Samples per second of the item's sounds.", "mean over its audio files",
            header => header.SampleRate),
        new(
            MediaKind.Audio, "audio_channels", "channels", "Channels of the item's sounds.", "mean over its audio files",
            header => header.Channels),
        new(MediaKind.Video, "video_count", "files", "Films that the item names.", "number of video files", null),
        new(
            MediaKind.Video, "video_duration", "seconds", "Length of the item's films.", "mean over its video files of the duration",
            header => header.Duration, "data-juicer rounds it to whole seconds.",
            "video_duration of data-juicer's video_duration_filter."),
        new(
            MediaKind.Video, "video_width", "pixels", "Width of the item's films, as stored.", "mean over its video files",
            header => header.Width, citation: "video_width of data-juicer's video_resolution_filter."),
        new(
            MediaKind.Video, "video_height", "pixels", "Height of the item's films, as stored.", "mean over its video files",
            header => header.Height, citation: "video_height of data-juicer's video_resolution_filter."),
        new(
            MediaKind.Video, "video_aspect_ratio", "", "Width over height of the item's films, as stored.",
            "mean over its video files of width / height", header => header.Width / header.Height,
            citation: "video_aspect_ratios of data-juicer's video_aspect_ratio_filter."),
        new(
            MediaKind.Video, "video_fps", "frames per second", "Frame rate of the item's films.",
            "mean over its video files of the mean frame rate", header => header.FramesPerSecond),
        new(
            MediaKind.Video, "video_frames", "frames", "Frames of the item's films.", "mean over its video files of the number of frames",
            header => header.Frames, "duration x frame rate, rounded, where the header does not count frames (Matroska, WebM)."),
        new(
            MediaKind.Video, "video_bytes", "bytes", "Size of the item's video files.", "mean over its video files of the size",
            header => header.Bytes),
    ];
}

/// <summary>
/// An interval of numbers, as names of metrics have it: <c>[1:20]</c>, <c>(0:inf)</c>; a round bracket leaves the end out.
/// </summary>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
/// <param name="HasLow">Whether the lower end is within.</param>
/// <param name="HasHigh">Whether the upper end is within.</param>
internal readonly record struct MediaInterval(double Low, double High, bool HasLow, bool HasHigh)
{
    /// <summary>Whether a number lies within; not NaN.</summary>
    public bool Contains(double number) => (HasLow ? number >= Low : number > Low) && (HasHigh ? number <= High : number < High);

    /// <summary>Reads an interval; null for anything else.</summary>
    public static MediaInterval? Parse(string text)
    {
        if (text is not ['[' or '(', .. var ends, ']' or ')'] || ends.Split(':') is not [var low, var high]
            || Number(low) is not { } from || Number(high) is not { } to || from > to)
            return null;
        return new(from, to, text[0] == '[', text[^1] == ']');
    }

    /// <inheritdoc/>
    public override string ToString() => $"{(HasLow ? '[' : '(')}{Text(Low)}:{Text(High)}{(HasHigh ? ']' : ')')}";

    private static string Text(double number) => double.IsPositiveInfinity(number) ? "inf" : double.IsNegativeInfinity(number) ? "-inf"
        : number.ToString("R", CultureInfo.InvariantCulture);

    private static double? Number(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture,
            out var number) && double.IsFinite(number) ? number : null,
    };
}

/// <summary>
/// Counts of files within an interval, by their names: <c>audio_duration_in:[1:20]</c>, <c>video_resolution_in:[640:inf]x[360:inf]</c>.
/// </summary>
internal sealed class MediaFamily : MetricFamily
{
    private const string Within = "_in:";

    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        if (name.IndexOf(Within, StringComparison.Ordinal) is not (> 0 and var at))
            return null;
        var (of, text) = (name[..at], name[(at + Within.Length)..]);
        if (of == MediaMetric.Resolution)
        {
            if (text.Split('x') is [var width, var height] && Read(width) is { } columns && Read(height) is { } rows)
                return MediaMetric.ResolutionIn(columns, rows);
            fault = $"Expected two intervals, of width and height, such as [640:inf]x[360:inf] after {of}{Within}; found '{text}'.";
            return null;
        }
        if (MediaMetric.All.FirstOrDefault(metric => !metric.IsCount && metric.Name == of) is not { } all)
            return null;
        if (Read(text) is { } interval)
            return all.In(interval);
        fault = $"Expected an interval such as [1:20] or (0:inf) after {of}{Within}; found '{text}'.";
        return null;
    }

    /// <summary>An interval in the spelling that names have; null for anything else.</summary>
    private static MediaInterval? Read(string text) =>
        MediaInterval.Parse(text) is { } interval && interval.ToString() == text ? interval : null;
}
