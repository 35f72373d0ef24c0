using System.Globalization;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>What becomes of the scores of a film's frames.</summary>
public enum FrameSummary
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The smallest.</summary>
    Min,

    /// <summary>The largest.</summary>
    Max,
}

/// <summary>
/// A metric of images on evenly spaced frames of the films that an item names: the mean, smallest or largest score of all of them. An item
/// without a film has none. Where one of them is missing or broken the item has no number either, and the status of that file.
/// </summary>
public sealed class FrameMetric : ItemMetric
{
    /// <summary>Frames of a film unless another number is asked for.</summary>
    public const int DefaultFrames = 8;

    /// <summary>The most frames of a film.</summary>
    public const int MostFrames = 256;

    private const string Prefix = "video_";

    private FrameMetric(Metric image, FrameSummary summary, int frames) => (Image, Summarises, Frames) = (image, summary, frames);

    /// <summary>What a frame is scored by.</summary>
    public Metric Image { get; }

    /// <summary>What becomes of the scores.</summary>
    public FrameSummary Summarises { get; }

    /// <summary>Frames of a film.</summary>
    public int Frames { get; }

    /// <summary>The three of a metric; none for one that frames have no score of.</summary>
    /// <param name="image">A metric of images.</param>
    /// <param name="frames">Frames of a film, 1 to <see cref="MostFrames"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of frames is another.</exception>
    public static IEnumerable<FrameMetric> Of(Metric image, int frames = DefaultFrames)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frames, MostFrames);
        return IsOfImages(image) ? Enum.GetValues<FrameSummary>().Select(summary => new FrameMetric(image, summary, frames)) : [];
    }

    /// <summary>The same with another number of frames.</summary>
    internal FrameMetric With(int frames) => frames == Frames ? this : new(Image, Summarises, frames);

    /// <summary>Reads <c>video_mean_brisque</c>, <c>video_min_sharpness</c>, <c>video_max_brisque</c>.</summary>
    /// <param name="name">The name.</param>
    /// <param name="known">The metrics of images.</param>
    /// <param name="fault">What is wrong with a name that begins so; else null.</param>
    internal static FrameMetric? Parse(string name, MetricSet known, out string? fault)
    {
        fault = null;
        foreach (var summary in Enum.GetValues<FrameSummary>())
        {
            var prefix = NameOf(summary, "");
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            if (known.TryFind(name[prefix.Length..], out var image, out var reason) && IsOfImages(image))
                return new FrameMetric(image, summary, DefaultFrames);
            fault = image == null
                ? $"Expected the name of a metric of images after {prefix}. {reason}"
                : $"Expected a metric of images after {prefix}; {image.Name} gives no number for a frame.";
        }
        return null;
    }

    /// <inheritdoc/>
    public override string Name => NameOf(Summarises, Image.Name);

    /// <inheritdoc/>
    public override string Scope => "video";

    /// <summary>That of the metric of images, and where the frames lie.</summary>
    public override string Version => string.Create(CultureInfo.InvariantCulture, $"{Image.Version} frames:1 {Frames}");

    /// <inheritdoc/>
    public override string? ModelSha256 => Image.ModelSha256;

    /// <inheritdoc/>
    public override string Device => Image.Device;

    /// <inheritdoc/>
    public override Metric WithDevice(string device) =>
        Image.WithDevice(device) is var placed && ReferenceEquals(placed, Image) ? this : new FrameMetric(placed, Summarises, Frames);

    /// <inheritdoc/>
    public override string? Missing =>
        Image.Missing ?? (VideoFrames.AreReadable ? null : $"The metric {Name}: {VideoFrames.MissingProgram}.");

    /// <inheritdoc/>
    public override string Summary => string.Create(
        CultureInfo.InvariantCulture, $"{Word} {Image.Name} of {Frames} evenly spaced frames of the item's films.");

    /// <inheritdoc/>
    public override string Formula => string.Create(
        CultureInfo.InvariantCulture,
        $"{Word.ToLowerInvariant()} over its video files of {Image.Name} of the frames nearest to (k + 0.5) / {Frames} of the duration");

    /// <inheritdoc/>
    public override string Citation => Image.Citation;

    /// <inheritdoc/>
    public override string Unit => Image.Unit;

    /// <inheritdoc/>
    public override MetricDirection Direction => Image.Direction;

    /// <inheritdoc/>
    public override MetricRange Range => Image.Range;

    /// <inheritdoc/>
    public override double Quality(double score) => Image.Quality(score);

    /// <inheritdoc/>
    public override string QualityFormula => Image.QualityFormula;

    private string Word => Summarises switch { FrameSummary.Mean => "Mean", FrameSummary.Min => "Smallest", _ => "Largest" };

    private static string NameOf(FrameSummary summary, string image) => $"{Prefix}{summary.ToString().ToLowerInvariant()}_{image}";

    private static bool IsOfImages(Metric metric) => metric is { HasScore: true, ReadsText: false } and not ItemMetric;
}
