using Pristine.Datasets;
using Pristine.Files;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Reports;

/// <summary>How a report is made.</summary>
public sealed record ReportOptions
{
    /// <summary>The most thumbnails a report can have.</summary>
    public const int MostThumbnails = 600;

    /// <summary>How many thumbnails to make at most, 0 to <see cref="MostThumbnails"/>; by default <see cref="MostThumbnails"/>.</summary>
    public int Thumbnails { get; init; } = MostThumbnails;

    /// <summary>Folder of relative image paths, if the images are no longer where they were scored; null for where they were.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Reads images at addresses; null for <c>http(s)://</c> with the default limits. Whoever made it disposes of it.</summary>
    public RemoteAccess? Remote { get; init; }

    /// <summary>The issues that the page shows, and their thresholds; those that the table has no scores for are named.</summary>
    public IssueOptions Issues { get; init; } = new();

    /// <summary>Threads; by default one per core. They do not change the report.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes for sorts and joins of the table; beyond them they spill to disk. By default 1 GiB.</summary>
    public long MemoryLimit { get; init; } = 1L << 30;

    /// <summary>
    /// Up to this many images, correlations and disagreements are computed from all of them; of a larger table from about this many,
    /// spread evenly over it. Counts are always of all items. By default a million.
    /// </summary>
    public long SampleSize { get; init; } = 1_000_000;
}

/// <summary>What a report holds.</summary>
/// <param name="Images">Rows of the table.</param>
/// <param name="Items">Items of the dataset.</param>
/// <param name="Thumbnails">Thumbnails in the page.</param>
/// <param name="WithoutThumbnail">Images that the page shows without one: they are missing or unreadable by now.</param>
/// <param name="Bytes">Size of the file.</param>
public sealed record ReportSummary(long Images, long Items, int Thumbnails, int WithoutThumbnail, long Bytes);

/// <summary>
/// Makes one HTML file about a score table: thresholds with what they keep and drop, galleries, agreement of metrics, failures, provenance.
/// The file needs no network and holds everything; texts of the dataset can do nothing in it.
/// </summary>
public static class Report
{
    /// <summary>Writes a report.</summary>
    /// <param name="table">The table.</param>
    /// <param name="name">The table as the user names it; it stands in the command lines of the page.</param>
    /// <param name="file">The HTML file; replaced if it is there, and never half written under this name.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Ends the work; no file is left.</param>
    /// <returns>What the report holds.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="ScoreTableException">The table cannot be read.</exception>
    /// <exception cref="DatasetException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ReportSummary Write(
        ScoreTable table, string name, string file, ReportOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentException.ThrowIfNullOrEmpty(file);
        options ??= new ReportOptions();
        if (options.Thumbnails is < 0 or > ReportOptions.MostThumbnails)
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Thumbnails, $"Expected 0 to {ReportOptions.MostThumbnails} thumbnails.");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SampleSize, 2, nameof(options));

        // Before the work, so that a name that cannot be written is told of at once.
        using var output = PartialFile.Create(OutputName.Page(file), null);
        var content = Read(table, options, cancellation);
        var page = new CountingStream(output.Stream);
        ReportPage.Write(page, json => content.WriteJson(json, name));
        output.Complete();
        var thumbnails = content.Gallery.Pictures.Count(picture => picture.Thumbnail != null);
        return new ReportSummary(
            table.RowCount, content.Breakdown.All.Items, thumbnails, content.Gallery.Pictures.Count - thumbnails, page.Position);
    }

    /// <summary>What is wrong, with as many images as there are thumbnails for; texts are named and need none.</summary>
    private static CheckResult Issues(ScoreTable table, ReportOptions options, CancellationToken cancellation)
    {
        var check = new CheckOptions
        {
            Issues = options.Issues,
            Examples = Gallery.MostIssueExamples,
            Workers = options.Workers,
            MemoryLimit = options.MemoryLimit,
        };
        var result = table.Check(check, cancellation);
        var images = Gallery.IssueExamples(options);
        return result with
        {
            Issues = [.. result.Issues.Select(found => found.Rule.Issue.IsOfText
                ? found
                : found with { Examples = [.. found.Examples.Take(images)] })],
        };
    }

    private static ReportContent Read(ScoreTable table, ReportOptions options, CancellationToken cancellation)
    {
        try
        {
            using var reading = new TableReading(table, ReportMetric.Of(table), options.Workers, options.MemoryLimit);
            using var interruption = cancellation.Register(reading.Database.Interrupt);
            var extents = reading.Extents();
            var sample = reading.Sample(options.SampleSize, table.RowCount);
            var scales = new ThresholdScale?[extents.Length];
            var medians = new double[extents.Length];
            for (var i = 0; i < scales.Length; i++)
            {
                if (extents[i] is not { } extent)
                    continue;
                // A sample may miss the few images that have a rare metric.
                var sorted = sample.Sorted(i) is { Length: > 0 } values ? values : [extent.Low, extent.High];
                scales[i] = ThresholdScale.Of(extent.Low, extent.High, sorted);
                medians[i] = ThresholdScale.Quantile(sorted, 0.5);
            }
            var breakdown = Breakdown.Of(reading, scales, cancellation);
            var pairs = MetricPairs.Compare(
                sample, reading.Metrics, scales, Gallery.Disagreements(reading.Metrics, options.Thumbnails), cancellation);
            var issues = Issues(table, options, cancellation);
            var duplicates = DuplicateSummary.Of(table, options, cancellation);
            var imageRoot = options.ImageRoot ?? table.Provenance.Dataset.ImageRoot;
            return new ReportContent
            {
                Table = table,
                Metrics = reading.Metrics,
                Extents = extents,
                Medians = medians,
                Scales = scales,
                Breakdown = breakdown,
                Pairs = pairs,
                Statuses = reading.Statuses(),
                FailureReasons = reading.FailureReasons(),
                Skipped = reading.Skipped(),
                Issues = issues,
                Duplicates = duplicates,
                Gallery = Gallery.Choose(
                    reading, sample, pairs, issues, duplicates, imageRoot, () => SelectionRun.OpenDataset(table, options.Remote), options,
                    cancellation),
                SampleSize = sample.Keys.Length,
                IsSampled = !sample.IsWhole,
            };
        }
        catch (DuckDbException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (DuckDbException exception)
        {
            throw new ScoreTableException($"The score table {table.Folder} cannot be read: {exception.Message}", exception);
        }
    }
}
