using Pristine.Datasets;
using Pristine.Media;
using Pristine.Scoring;

namespace Pristine.Experiments;

/// <summary>What to degrade, and how.</summary>
public sealed record DegradationOptions
{
    /// <summary>
    /// The share of the images that are there to degrade; from 0 to 1, default 1. Exactly this share is drawn, rounded to a whole number of
    /// images; of them those that cannot be decoded are copied as they are.
    /// </summary>
    public double Share { get; init; } = 1;

    /// <summary>The kinds to draw from, each as likely; default all.</summary>
    public IReadOnlyList<DegradationKind> Kinds { get; init; } = Enum.GetValues<DegradationKind>();

    /// <summary>The levels to draw from, each as likely; default 1 to 5.</summary>
    public IReadOnlyList<int> Levels { get; init; } = [1, 2, 3, 4, 5];

    /// <summary>The same seed gives the same files; default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Threads; default one per core.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>How images are decoded.</summary>
    public ImagingOptions Imaging { get; init; } = new();
}

/// <summary>An item with what became of its images.</summary>
/// <param name="Item">The item.</param>
/// <param name="Images">One entry per image, in the item's order.</param>
public sealed record DegradedItem(DatasetItem Item, IReadOnlyList<DegradationLogEntry> Images);

/// <summary>
/// Degrades a share of a dataset's images into a new folder, for experiments that need to know which images are bad. Seed and path below
/// the image root give each image a lot, kind and level; the lowest lots are drawn. Order and threads do not matter, a larger share draws
/// the images of a smaller one and more, and of other images only their number and lots matter.
/// </summary>
/// <remarks>
/// The target receives every image at its path below the dataset's image root, degraded or byte for byte; a JSON or JSONL dataset as a file
/// of the same name with the same items; and the log. Originals are never changed, and a file of another content that is already in the
/// target ends the run: the same command can be run again after an interruption, another one needs another folder.
/// </remarks>
public static class DegradationRun
{
    /// <summary>The log's name in the target folder.</summary>
    public const string LogName = "degraded.jsonl";

    /// <summary>Each in-flight item holds its files in memory, so there are fewer than in scoring.</summary>
    private const int ItemsInFlightPerWorker = 4;

    /// <summary>Runs while its result is consumed; log and dataset file have temporary names until the last item has been.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="target">
    /// The folder to write to; made if it does not exist. For a folder or glob it must lie outside of the searched folder.
    /// </param>
    /// <param name="options">Share, kinds, levels, seed; null for the defaults.</param>
    /// <param name="cancellation">Ends the run with <see cref="OperationCanceledException"/> after the items that were finished.</param>
    /// <returns>The items in order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="DatasetException">
    /// The dataset cannot be read on, or the target cannot be written or holds another file at an image's place.
    /// </exception>
    public static IEnumerable<DegradedItem> Run(
        Dataset dataset, string target, DegradationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentException.ThrowIfNullOrEmpty(target);
        options ??= new DegradationOptions();
        if (options.Share is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(options), options.Share, "Expected a share from 0 to 1.");
        if (options.Kinds.Count == 0)
            throw new ArgumentOutOfRangeException(nameof(options), "Expected at least one kind of degradation; found none.");
        if (options.Levels.Count == 0 || options.Levels.Any(level => level is < 1 or > DegradationDefinition.Levels))
            throw new ArgumentOutOfRangeException(
                nameof(options), $"Expected levels from 1 to {DegradationDefinition.Levels}; found {string.Join(", ", options.Levels)}.");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1);
        if (!dataset.HasImageFiles)
            throw new DatasetException(
                $"Expected a dataset whose images are files, copies of which are degraded; found '{dataset.Source}', which holds them " +
                $"itself. Unpack it first.");
        dataset.RequireImages(cancellation);
        return RunChecked(dataset, target, options, cancellation);
    }

    private static IEnumerable<DegradedItem> RunChecked(
        Dataset dataset, string target, DegradationOptions options, CancellationToken cancellation)
    {
        var export = FileExport.For(dataset, target, FileExportMode.Copy);
        var hasFile = dataset.HasRecords;
        var datasetFile = dataset.IsFolderWithImages ? target : Path.Combine(target, Path.GetFileName(dataset.Source));
        var logFile = Path.Combine(target, LogName);
        if (hasFile && datasetFile == logFile)
            throw new DatasetException($"Expected a dataset file of another name than the log's; found '{dataset.Source}'.");
        using var items = hasFile ? dataset.CreateWriter(datasetFile) : null;
        using var log = PartialFile.Create(logFile, hasFile ? dataset.Source : null);
        var highest = HighestLot(dataset, export, options, cancellation);
        var results = OrderedPipeline<DatasetItem, WorkResult, Worker>.Run(
            dataset.Read(cancellation),
            options.Workers,
            options.Workers * ItemsInFlightPerWorker,
            () => new Worker(export, hasFile ? Path.GetFullPath(target) : null, options, highest),
            (worker, item) => worker.Work(item),
            cancellation);
        foreach (var (item, images) in results)
        {
            var entries = images.Select((image, i) => Write(export, item.Images[i], image.Entry, image.File)).ToArray();
            foreach (var entry in entries)
                DegradationLog.Write(log.Stream, entry);
            items?.Write(item);
            yield return new DegradedItem(item, entries);
        }
        items?.Complete();
        log.Complete();
    }

    /// <summary>
    /// The highest lot that is drawn, so that the share is met; -1 where no image is drawn. Keeps a number for each image.
    /// </summary>
    private static double HighestLot(Dataset dataset, FileExport export, DegradationOptions options, CancellationToken cancellation)
    {
        if (options.Share is 0 or 1)
            return options.Share == 0 ? -1 : 1;
        // A set, because an image that several items name has one file and one lot.
        var lots = new HashSet<double>();
        foreach (var image in dataset.Read(cancellation).SelectMany(item => item.Images))
        {
            if (!IsNamed(image.LocalPath) || !File.Exists(image.LocalPath))
                continue;
            var random = RandomStream.Of(options.Seed, export.PlaceOf(image));
            lots.Add(random.NextDouble());
        }
        var drawn = (int)Math.Round(options.Share * lots.Count, MidpointRounding.AwayFromZero);
        return drawn == 0 ? -1 : lots.Order().ElementAt(drawn - 1);
    }

    private static bool IsNamed(string? path) => path is { Length: > 0 };

    private static DegradationLogEntry Write(FileExport export, MediaSource image, DegradationLogEntry entry, byte[] file)
    {
        try
        {
            if (entry.Output != null)
                export.Put(image, file);
            return entry;
        }
        // Below the target a path is longer than below the dataset; one image must not stop the run.
        catch (DatasetException e) when (e.InnerException is PathTooLongException)
        {
            return entry with
            {
                Output = null,
                Outcome = DegradationOutcome.Failed,
                Degradation = null,
                Error = "its name is too long to be written",
            };
        }
    }

    private sealed record WorkResult(DatasetItem Item, (DegradationLogEntry Entry, byte[] File)[] Images);

    /// <param name="export">Tells an image's place in the target; only its pure functions are used here.</param>
    /// <param name="itemRoot">The folder against which the exported items' paths will be resolved; null when no items are exported.</param>
    /// <param name="options">Kinds, levels, seed.</param>
    /// <param name="highestLot">Images with this lot or a lower one are degraded.</param>
    private sealed class Worker(FileExport export, string? itemRoot, DegradationOptions options, double highestLot) : IDisposable
    {
        private readonly ImageDecoder _decoder = new(options.Imaging);
        private readonly ImageDegrader _degrader = new();

        public WorkResult Work(DatasetItem item)
        {
            var images = new (DegradationLogEntry, byte[])[item.Images.Count];
            for (var i = 0; i < images.Length; i++)
                images[i] = Work(item, item.Images[i]);
            return new WorkResult(item, images);
        }

        public void Dispose()
        {
            _decoder.Dispose();
            _degrader.Dispose();
        }

        private (DegradationLogEntry Entry, byte[] File) Work(DatasetItem item, MediaSource image)
        {
            if (image is FileSource && !IsNamed(image.LocalPath))
                return Entry(null, DegradationOutcome.Failed, null, "the path is empty or has a NUL character", []);
            if (image.LocalPath == null)
                return Entry(
                    null, DegradationOutcome.Failed, null, "it is no file of its own, so the exported item would not show the copy", []);
            var place = export.PlaceOf(image);
            var random = RandomStream.Of(options.Seed, place);
            var degradation = Draw(ref random);
            var loaded = _decoder.Load(image, degradation == null ? ImageInput.Header : ImageInput.Rgb);
            if (loaded.Status == ImageStatus.Missing)
                return Entry(null, DegradationOutcome.Missing, null, loaded.Error, []);
            if (_decoder.FileBytes.IsEmpty)
                return Entry(null, DegradationOutcome.Failed, null, loaded.Error, []);
            if (itemRoot != null
                && Path.GetFullPath(RecordReader.PathOf(image.Reference, itemRoot)) != Path.GetFullPath(Path.Combine(itemRoot, place)))
                return Entry(
                    null, DegradationOutcome.Failed, null,
                    "the item names it by an absolute path or outside of the image root, so the exported item would not show the copy", []);
            if (degradation == null)
                return Entry(place, DegradationOutcome.Copied, null, null, _decoder.FileBytes.ToArray());
            var file = Array.Empty<byte>();
            var error = loaded.Status == ImageStatus.Ok
                ? _degrader.Degrade(_decoder.Image, degradation.Value, ref random, out file)
                : loaded.Error;
            return error == null
                ? Entry(place, DegradationOutcome.Degraded, degradation, null, file)
                : Entry(place, DegradationOutcome.Failed, null, error, _decoder.FileBytes.ToArray());

            (DegradationLogEntry, byte[]) Entry(
                string? output, DegradationOutcome outcome, Degradation? done, string? reason, byte[] bytes) => (
                new DegradationLogEntry
                {
                    Index = item.Index,
                    Id = item.Id,
                    Image = image.Reference,
                    Output = output,
                    Outcome = outcome,
                    Degradation = done,
                    Seed = options.Seed,
                    Error = reason,
                },
                bytes);
        }

        private Degradation? Draw(ref RandomStream random)
        {
            if (random.NextDouble() > highestLot)
                return null;
            var kind = options.Kinds[random.Next(options.Kinds.Count)];
            var level = options.Levels[random.Next(options.Levels.Count)];
            return new Degradation(kind, level, kind == DegradationKind.MotionBlur ? 180 * random.NextDouble() : 0);
        }
    }
}
