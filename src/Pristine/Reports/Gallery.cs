using System.Collections.Concurrent;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;

namespace Pristine.Reports;

/// <summary>A picture in a report.</summary>
/// <param name="Image">The image.</param>
/// <param name="Thumbnail">A WebP file; null where none could be made.</param>
/// <param name="Crop">The middle of the image pixel by pixel, a WebP file; null where there is none.</param>
/// <param name="File">The image's file or address; null where it is a part of an archive.</param>
/// <param name="Missing">Why there is no thumbnail; null where there is one.</param>
internal sealed record Picture(ReportImage Image, byte[]? Thumbnail, byte[]? Crop, string? File, string? Missing);

/// <summary>
/// The images that a report shows: the ends of each metric, images spread evenly between them, and those on which metrics disagree.
/// </summary>
internal sealed class Gallery
{
    /// <summary>Long side of a thumbnail in pixels: sharp at the size of the page's tiles on a fine screen.</summary>
    private const int ThumbnailSide = 240;

    private const int ThumbnailQuality = 72;

    /// <summary>Pictures at each end of a metric, and of each side of a disagreement.</summary>
    private const int MostAtAnEnd = 12;
    private const int MostDisagreements = 6;

    /// <summary>Of the thumbnails at most this part shows issues.</summary>
    private const int IssuePart = 3;
    public const int MostIssueExamples = 8;

    /// <summary>Side of the square from the middle of an image that is shown pixel by pixel.</summary>
    private const int CropSide = 320;

    /// <summary>All crops together.</summary>
    private const long MostCropBytes = 4L << 20;

    /// <summary>All thumbnails together, so that the file stays below 20 MB with the crops: base64 makes four bytes of three.</summary>
    private const long MostBytes = 8L << 20;

    private Gallery(IReadOnlyList<Picture> pictures, IReadOnlyList<long>[] lowest, IReadOnlyList<long>[] highest) =>
        (Pictures, Lowest, Highest) = (pictures, lowest, highest);

    /// <summary>All pictures, by ascending key.</summary>
    public IReadOnlyList<Picture> Pictures { get; }

    /// <summary>For each metric the keys of the images with the smallest values, the smallest first.</summary>
    public IReadOnlyList<IReadOnlyList<long>> Lowest { get; }

    /// <summary>For each metric the keys of the images with the largest values, the largest first.</summary>
    public IReadOnlyList<IReadOnlyList<long>> Highest { get; }

    /// <summary>How many images to show for each side of a disagreement of two metrics.</summary>
    public static int Disagreements(IReadOnlyList<ReportMetric> metrics, int thumbnails)
    {
        var rated = metrics.Count(metric => metric.Direction != MetricDirection.None);
        var sides = rated * (rated - 1);
        return sides == 0 ? 0 : Math.Min(MostDisagreements, thumbnails / 4 / sides);
    }

    /// <summary>How many images of each issue to show.</summary>
    public static int IssueExamples(ReportOptions options) =>
        Math.Min(
            MostIssueExamples, options.Thumbnails / IssuePart / Math.Max(1, options.Issues.Issues.Count(issue => !issue.IsOfText)));

    /// <summary>Chooses images and makes their thumbnails.</summary>
    public static Gallery Choose(
        TableReading reading, MetricSample sample, IReadOnlyList<MetricPair> pairs, CheckResult issues, DuplicateSummary duplicates,
        string imageRoot,
        Func<Dataset> openDataset, ReportOptions options, CancellationToken cancellation)
    {
        var keys = pairs.SelectMany(pair => pair.FirstPrefers.Concat(pair.SecondPrefers)).ToHashSet();
        keys.UnionWith(duplicates.Largest.SelectMany(group => group.Images).Select(image => image.Key));
        keys.UnionWith(
            issues.Issues.Where(issue => !issue.Rule.Issue.IsOfText).SelectMany(issue => issue.Examples).Select(example => example.Key));
        var left = Math.Max(0, options.Thumbnails - keys.Count);
        var perMetric = left / Math.Max(1, reading.Metrics.Count);
        // Fewer than metrics: one for each of the first.
        var withOne = perMetric == 0 ? left : 0;
        var atAnEnd = Math.Min(MostAtAnEnd, perMetric / 3);
        var lowest = reading.Metrics.Select((_, metric) => reading.Extremes(metric, atAnEnd, largest: false)).ToArray();
        var highest = reading.Metrics.Select((_, metric) => reading.Extremes(metric, atAnEnd, largest: true)).ToArray();
        foreach (var end in lowest.Concat(highest))
            keys.UnionWith(end);
        for (var metric = 0; metric < reading.Metrics.Count; metric++)
            keys.UnionWith(sample.Ladder(metric, metric < withOne ? 1 : perMetric - (2 * atAnEnd)));
        return new Gallery(Draw(reading.Images(keys), imageRoot, openDataset, options, cancellation), lowest, highest);
    }

    private static List<Picture> Draw(
        IReadOnlyList<ReportImage> images, string imageRoot, Func<Dataset> openDataset, ReportOptions options,
        CancellationToken cancellation)
    {
        var drawn = new Picture[images.Count];
        var makers = new ConcurrentBag<ThumbnailMaker>();
        var held = ImageFinder.Held(images.Select(image => image.Image), openDataset, cancellation);
        var finder = new ImageFinder(imageRoot, held, options.Remote);
        try
        {
            Parallel.For(
                0, images.Count, new ParallelOptions { MaxDegreeOfParallelism = options.Workers, CancellationToken = cancellation },
                () =>
                {
                    var maker = new ThumbnailMaker(ThumbnailSide, ThumbnailQuality);
                    makers.Add(maker);
                    return maker;
                },
                (i, _, maker) =>
                {
                    var source = finder.Find(images[i].Image);
                    var path = source.LocalPath == null ? null : Path.GetFullPath(source.LocalPath);
                    var result = maker.Make(source, CropSide, out var thumbnail, out var crop);
                    drawn[i] = result.Status == ImageStatus.Ok
                        ? new Picture(images[i], thumbnail, crop, path, null)
                        : new Picture(images[i], null, null, path, result.Error);
                    return maker;
                },
                _ => { });
        }
        finally
        {
            foreach (var maker in makers)
                maker.Dispose();
        }
        var (bytes, cropBytes) = (0L, 0L);
        return
        [
            .. drawn.Select(picture => picture.Thumbnail is { } thumbnail && (bytes += thumbnail.Length) > MostBytes
                ? picture with { Thumbnail = null, Crop = null, Missing = "left out: the report's thumbnails are large enough without it" }
                : picture.Crop is { } crop && (cropBytes += crop.Length) > MostCropBytes ? picture with { Crop = null } : picture),
        ];
    }
}
