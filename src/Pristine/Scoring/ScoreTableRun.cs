using System.Diagnostics;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>How a score table is written.</summary>
public sealed record ScoreTableOptions
{
    /// <summary>
    /// Which parts of the dataset this run scores, where several runs share the work on a table; null, the default, for all of it in one
    /// run. The parts are listed once, in <c>manifest.json</c>; dataset and settings are those of the first run. Items are numbered within
    /// their parts until all parts are finished.
    /// </summary>
    public Sharding? Sharding { get; init; }

    /// <summary>
    /// With <see cref="Sharding"/>: a part is taken over when its process has given no sign of life for so long; the process of another
    /// machine, for it is seen at once whether one of the same machine lives. One minute.
    /// </summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Metrics whose column is computed anew where the table holds it by another version or model. Without it such a table is refused.
    /// </summary>
    public IReadOnlyList<string> Rescore { get; init; } = [];

    /// <summary>
    /// Whether images are tried again that failed for what they are (<c>unreadable</c>, <c>unsupported</c>, <c>truncated</c>,
    /// <c>crashed</c>), though their files are the same: for a program that decodes more. What failed for the network's sake, was missing
    /// or late is tried again in any case.
    /// </summary>
    public bool RetryFailed { get; init; }

    /// <summary>
    /// True when the dataset has moved since the table was made: its rows hold for the files at the new place if they are the same.
    /// </summary>
    public bool HasMoved { get; init; }

    /// <summary>A part is written when it has this many rows; the item that fills it is not divided.</summary>
    public int RowsPerPart { get; init; } = 8192;

    /// <summary>A part is written at least this often: what a killed run loses.</summary>
    public TimeSpan PartInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// Scores a dataset into a score table, or brings a table up to date: images that are new or have changed are scored, new metrics are
/// computed for all images, images that are gone lose their rows, and nothing is computed twice. The process may be killed at any moment:
/// the same run again completes the table, with each image in it exactly once.
/// </summary>
/// <remarks>
/// The table's parts are changed one at a time, each by replacing its file whole, and in between the table is always sound:
/// <list type="bullet">
/// <item>Rows of new images go into new parts.</item>
/// <item>A metric that is added, or an image that has changed, replaces the part of the row. The part notes in its own metadata which
/// metrics it has, by version and model and up to which row, so that an interrupted run goes on from there.</item>
/// <item>Where the dataset's order has changed or images are gone, rows are first given their new keys part by part (see
/// <see cref="TableAlignment"/>); no image is read for that.</item>
/// </list>
/// An image is taken for unchanged when its file has the same size and time; when only those differ, its content hash decides. Rows of
/// images that could not be read, were missing, too large or not opened are tried again. A score that an earlier run skipped
/// (<see cref="ScoreRow.Skipped"/>) is one that the row lacks: it is computed unless a gate of this run skips it too.
/// </remarks>
public static class ScoreTableRun
{
    /// <summary>Scores a dataset into a table.</summary>
    /// <param name="dataset">The dataset; it is read twice when the table has rows already.</param>
    /// <param name="folder">The table; made if it does not exist.</param>
    /// <param name="scoring">Metrics, workers, decoding. Metrics that the table has already need not be named again.</param>
    /// <param name="options">Shard, rescoring, size of parts.</param>
    /// <param name="cancellation">Ends the run: finished rows are written, then <see cref="OperationCanceledException"/> is thrown.</param>
    /// <returns>
    /// All items of the shard in order, each when its rows are known; rows are on disk when a part is full, and at the end.
    /// </returns>
    /// <exception cref="ScoreTableException">The table is of another dataset, or a metric's column of another version or model.</exception>
    /// <exception cref="ModelException">A metric cannot run here (a model is not installed).</exception>
    /// <exception cref="DatasetException">
    /// The dataset's records name no image, and the table has metrics; or it cannot be read on, thrown after the results of the items
    /// before.
    /// </exception>
    /// <exception cref="IOException">The table cannot be written, or another process writes it.</exception>
    public static IEnumerable<ScoredItem> Score(
        Dataset dataset, string folder, ScoringOptions? scoring = null, ScoreTableOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ScoreTable.CheckPlace(folder);
        scoring ??= new ScoringOptions();
        options ??= new ScoreTableOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(scoring.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RowsPerPart, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.LeaseTime, TimeSpan.FromMilliseconds(1));
        scoring.RequireModels();
        if (scoring.NeedsImages || !scoring.AllMetrics.Any(metric => metric is FrameMetric)
            && TableProvenance.Read(folder)?.Columns.Any(column => column.Scope == null) == true)
            dataset.RequireImages(cancellation);
        TableMerge.Recover(folder);
        if (options.Sharding != null)
            return PartedRun.Score(dataset, Path.GetFullPath(folder), scoring, options, cancellation);
        if (File.Exists(Path.Combine(folder, TableManifest.FileName)))
            throw new ScoreTableException(
                $"The table {folder} is made in parts ({TableManifest.FileName}): go on with --shard, or make one table of them first " +
                $"('pristine compact {folder}').");
        return Run(dataset, Path.GetFullPath(folder), scoring, options, cancellation);
    }

    private static IEnumerable<ScoredItem> Run(
        Dataset dataset, string folder, ScoringOptions scoring, ScoreTableOptions options, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        using var writer = TableLock.OfWriter(folder);
        foreach (var abandoned in Directory.EnumerateFiles(folder, "part-*" + WholeFile.Suffix))
            File.Delete(abandoned);
        using var writing = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });
        using var reading = writing.Another();
        var parts = TablePart.List(writing, folder);
        foreach (var part in parts)
            part.CheckIntact(writing);
        var metrics = Begin(dataset, folder, scoring, options);
        var watch = scoring.Watch ?? new RunWatch();
        scoring = scoring with { Metrics = metrics, Watch = watch };
        watch.Begin(scoring.Workers);
        using var status = new StatusFile(folder, watch);

        IEnumerable<(DatasetItem Item, long Key)> Items() =>
            ScoringRun.Keyed(scoring.NeedsImages ? dataset.ReadImages(cancellation) : dataset.Read(cancellation));
        if (parts.Count > 0)
        {
            TableAlignment.Align(writing, parts, Items, metrics);
            parts = TablePart.List(writing, folder);
        }
        var known = new KnownParts(reading, parts, metrics);
        var output = new TableOutput(writing, folder, metrics, options, parts.Count == 0 ? 0 : parts.Max(part => part.Sequence) + 1);
        var works = Items().Select(keyed => new TableWork(keyed.Item, keyed.Key, known.Take(keyed.Item, keyed.Key)));
        var isWriting = false;
        try
        {
            foreach (var (item, work) in status.Guard(
                Through(works, dataset, ScoringRun.FilesOf(dataset), metrics, scoring, options, cancellation), cancellation))
            {
                isWriting = true;
                status.Guard(() => output.Add(item, work.Slots));
                isWriting = false;
                watch.Add(item);
                yield return item;
            }
        }
        finally
        {
            // Also when the dataset breaks off, on Ctrl-C, and when the caller has seen enough; not when writing itself has failed.
            if (!isWriting)
                status.Guard(output.Flush);
        }
        Update(folder, provenance => provenance with { FinishedShards = [0] });
        status.End(RunState.Done);
    }

    /// <summary>Scores works and gives them with their rows, in order.</summary>
    internal static IEnumerable<(ScoredItem Item, TableWork Work)> Through(
        IEnumerable<TableWork> works, Dataset dataset, ScoredFiles? files, List<Metric> metrics, ScoringOptions scoring,
        ScoreTableOptions options, CancellationToken cancellation)
    {
        using var ahead = new ReadAhead<TableWork>(
            work => work.Item, work => IsRead(work, metrics, scoring, options), scoring, cancellation);
        var results = OrderedPipeline<TableWork[], IEnumerable<(ScoredItem Item, TableWork Work)>, ImageScorer>.Run(
            ScoringRun.Batches(RunWatch.Timed(scoring.Watch, RunWatch.List, ahead.Of(works)), scoring.Batch),
            scoring.Workers,
            scoring.BatchesInFlight,
            () => new ImageScorer(scoring, files, options.RetryFailed),
            (worker, batch) => ScoringRun.Released(worker.Update(Array.ConvertAll(batch, work => work.Scoring))).Zip(batch),
            cancellation,
            batch => batch.Sum(work => work.Item.HeldBytes),
            ahead.Stop);
        foreach (var batch in results)
            foreach (var result in batch)
                yield return result;
    }

    /// <summary>Whether images of an item will be read: the table lacks something of them, and no rule drops the item before.</summary>
    private static bool IsRead(TableWork work, List<Metric> metrics, ScoringOptions scoring, ScoreTableOptions options) =>
        ScoringRun.IsOpened(work.Item, scoring) && work.Slots.Index().Any(slot => slot.Item is not { Known: { Row: var row } known }
            || row.ContentHash == null
            || work.Item.Images[slot.Index].Stamp() != row.File
            || row.Failed && options.RetryFailed
            || !row.Failed && metrics.Exists(metric => metric.ReadsText) && work.Item.TextHash != row.TextHash
            || !row.Failed && (known.Computed.Where((_, i) => metrics[i] is not ItemMetric).Contains(false)
            || row.Skipped is { } skipped && metrics.Any(metric => skipped.Metrics.Contains(metric.Name))));

    /// <summary>Checks that the table can be continued like this, and enters what is new into its provenance.</summary>
    /// <returns>The metrics of the table that are known here, then those that are new.</returns>
    private static List<Metric> Begin(Dataset dataset, string folder, ScoringOptions scoring, ScoreTableOptions options)
    {
        var metrics = new List<Metric>();
        Update(folder, TableSource.Of(dataset), options.HasMoved, old =>
        {
            foreach (var column in old.Columns)
            {
                // Columns of metrics that are not known here stay as they are.
                var named = scoring.AllMetrics.FirstOrDefault(metric => metric.Name == column.Metric) ?? scoring.Known.Find(column.Metric)
                    ?? FeatureColumn.Find(column.Metric);
                if (named != null)
                    metrics.Add(Checked(scoring.Place(named), column, folder, options));
            }
            metrics.AddRange(scoring.AllMetrics.Where(metric => metrics.All(known => known.Name != metric.Name)));
            if (metrics.FirstOrDefault(metric => metric.Missing != null) is { } absent)
                throw new ModelException(absent.Missing!);
            var asked = metrics.Select(ColumnProvenance.Of).ToArray();
            var all = old.Columns.Select(column => asked.FirstOrDefault(now => now.Metric == column.Metric) ?? column)
                .Concat(asked.Where(column => old.Columns.All(known => known.Metric != column.Metric)));
            var columns = all.Select(column => old.Columns.FirstOrDefault(
                known => known.Metric == column.Metric && known.Fingerprint == column.Fingerprint) ?? column).ToArray();
            return old with
            {
                Layout = TableProvenance.CurrentLayout,
                Columns = columns,
                Decoders = [.. old.Decoders.Append(ImageDecoder.Description).Distinct()],
                FinishedShards = [],
            };
        });
        return metrics;
    }

    /// <summary>The metric of a column, if it computes what the column holds.</summary>
    private static Metric Checked(Metric metric, ColumnProvenance column, string folder, ScoreTableOptions options)
    {
        var here = ColumnProvenance.Of(metric);
        if (here.Fingerprint == column.Fingerprint || options.Rescore.Contains(metric.Name))
            return metric;
        var differences = new List<string>();
        if (here.Version != column.Version)
            differences.Add($"version {column.Version} in the table, {here.Version} here");
        if (here.ModelSha256 != column.ModelSha256)
            differences.Add($"model {column.ModelSha256 ?? "none"} in the table, {here.ModelSha256 ?? "none"} here");
        if (here.Device != column.Device)
            differences.Add(
                $"on the device {column.Device ?? NetworkDevice.Cpu} in the table, {here.Device ?? NetworkDevice.Cpu} here (--device)");
        throw new ScoreTableException(
            $"The column {metric.Name} of the table {folder} was computed otherwise: {string.Join("; ", differences)}. " +
            $"To compute the column anew: --rescore {metric.Name}. To keep the old one: another --out.");
    }

    private static void Update(string folder, Func<TableProvenance, TableProvenance> change)
    {
        using var gate = TableLock.OfProvenance(folder);
        var old = TableProvenance.Read(folder)
            ?? throw new ScoreTableException($"The file {TableProvenance.FileName} of the table {folder} has vanished.");
        change(old).Write(folder);
    }

    private static void Update(string folder, TableSource source, bool hasMoved, Func<TableProvenance, TableProvenance> change)
    {
        using var gate = TableLock.OfProvenance(folder);
        var old = TableProvenance.Read(folder);
        if (old == null && Directory.EnumerateFiles(folder, "part-*.parquet").Any())
            throw new ScoreTableException(
                $"{folder} has parts of a score table, but no {TableProvenance.FileName} that says where they come from. Name another " +
                $"--out.");
        old ??= new TableProvenance { Dataset = source };
        if (!hasMoved && (old.Dataset.Path, old.Dataset.ImageRoot) != (source.Path, source.ImageRoot))
        {
            throw new ScoreTableException(
                $"The table {folder} is about {old.Dataset.Path} with images in {old.Dataset.ImageRoot}; found {source.Path} with images " +
                $"in {source.ImageRoot}. " +
                "Name another --out, or say --moved if it is the same dataset at a new place.");
        }
        if (old.Shards != 1)
            throw new ScoreTableException(
                $"The table {folder} is made in {old.Shards} shards by an earlier version of this program. Name another --out.");
        change(old with { Dataset = source }).Write(folder);
    }
}

/// <summary>An item on its way through the run, with the table's rows for its images; null where it has none.</summary>
internal sealed record TableWork(DatasetItem Item, long Key, PartSlot?[] Slots)
{
    /// <summary>What a scorer needs of it.</summary>
    public ScoringWork Scoring => new(Item, Key, [.. Slots.Select(slot => slot?.Known)]);

    /// <summary>The part that the item is of, in a table that is made in parts; else null.</summary>
    public PartAttempt? Attempt { get; init; }
}

/// <summary>A row's place in a part that is being brought up to date.</summary>
internal sealed record PartSlot(OpenPart Part, int Index, KnownRow Known);

/// <summary>A part whose rows are in memory because the run is passing through it.</summary>
internal sealed class OpenPart(TablePart part, ScoreRow[] rows)
{
    /// <summary>The part as it is on disk.</summary>
    public TablePart Part { get; set; } = part;

    public ScoreRow[] Rows { get; } = rows;

    /// <summary>
    /// For each row its position in the file; null where an image has changed, so that what the file says of it does not hold.
    /// </summary>
    public int?[] Origins { get; } = [.. Enumerable.Range(0, rows.Length)];

    /// <summary>Puts a row in the place of an older one.</summary>
    /// <param name="index">The place.</param>
    /// <param name="row">The row.</param>
    /// <param name="isUnknown">
    /// Whether the program does not have a metric of the table. Its score is kept as long as the image is the same.
    /// </param>
    public void Replace(int index, ScoreRow row, Func<string, bool> isUnknown)
    {
        var old = Rows[index];
        if (ReferenceEquals(old, row))
            return;
        var skipped = SkippedScores.With(row.Skipped, old.Skipped, isUnknown);
        if (row.ContentHash != old.ContentHash)
        {
            Origins[index] = null;
            var lost = SkippedScores.Of(Part.Contents.Columns.Keys.Where(
                isUnknown), "the image has changed, and the program that scored it does not have the metric");
            skipped = SkippedScores.With(skipped, lost, isUnknown);
        }
        Rows[index] = row with { Skipped = skipped };
    }

    /// <summary>Tells that the rows are in the file as they are here: vectors need not be held any longer.</summary>
    public void Settle()
    {
        for (var i = 0; i < Rows.Length; i++)
        {
            Origins[i] = i;
            if (Rows[i].Vectors != null)
                Rows[i] = Rows[i] with { Vectors = null };
        }
    }

    /// <summary>How many rows have been brought up to date.</summary>
    public int Done { get; set; }

    /// <summary>Whether the file is behind the rows.</summary>
    public bool IsChanged { get; set; }
}

/// <summary>
/// The table's rows in the order of the dataset. Parts may overlap in their keys (images that were added between others have parts of
/// their own); each is read when the run reaches its first key.
/// </summary>
internal sealed class KnownParts(DuckDbConnection database, IEnumerable<TablePart> parts, IReadOnlyList<Metric> metrics)
{
    private readonly Queue<TablePart> _waiting = new(parts.OrderBy(part => part.Contents.FirstKey));
    private readonly List<(OpenPart Part, int Next)> _open = [];
    private readonly string[] _fingerprints = [.. metrics.Select(metric => ColumnProvenance.Of(metric).Fingerprint)];

    /// <summary>The rows of an item. Items come in order.</summary>
    public PartSlot?[] Take(DatasetItem item, long firstKey)
    {
        var slots = new PartSlot?[Math.Max(1, item.Images.Count)];
        for (var i = 0; i < slots.Length; i++)
            slots[i] = TakeRow(item, firstKey + i);
        return slots;
    }

    private PartSlot? TakeRow(DatasetItem item, long key)
    {
        while (_waiting.TryPeek(out var part) && part.Contents.FirstKey <= key)
            _open.Add((new OpenPart(_waiting.Dequeue(), part.ReadRows(database, metrics, _fingerprints)), 0));
        for (var i = 0; i < _open.Count; i++)
        {
            var (part, next) = _open[i];
            var row = part.Rows[next];
            if (row.Key > key)
                continue;
            if (row.Key < key || row.Id != item.Id)
                throw new DatasetException(
                    $"The dataset changed while it was scored: its image {row.Key} was '{row.Image ?? row.Id}' before. Run it again.");
            if (next + 1 < part.Rows.Length)
                _open[i] = (part, next + 1);
            else
                _open.RemoveAt(i);
            return new PartSlot(
                part, next, new KnownRow(row, [.. metrics.Select((metric, m) => part.Part.Has(metric.Name, _fingerprints[m], key))]));
        }
        return null;
    }
}

/// <summary>Collects rows and writes them: new ones into new parts, others into the parts they stand in.</summary>
internal sealed class TableOutput(
    DuckDbConnection database, string folder, IReadOnlyList<Metric> metrics, ScoreTableOptions options, int nextSequence)
{
    private readonly Dictionary<string, PartColumn> _whole =
        metrics.ToDictionary(metric => metric.Name, metric => new PartColumn(ColumnProvenance.Of(metric).Fingerprint));

    /// <summary>Vectors that are held before they are written.</summary>
    private const long MostVectorBytes = 64 << 20;

    private readonly List<ScoreRow> _fresh = [];
    private long _vectorBytes;
    private readonly HashSet<OpenPart> _open = [];
    private readonly Stopwatch _sinceFlush = Stopwatch.StartNew();

    public void Add(ScoredItem item, PartSlot?[] slots)
    {
        for (var i = 0; i < slots.Length; i++)
        {
            _vectorBytes += item.Rows[i].Vectors?.Sum(vector => (vector?.Length ?? 0) * (long)sizeof(float)) ?? 0;
            if (slots[i] is not { } slot)
            {
                _fresh.Add(item.Rows[i]);
                continue;
            }
            var part = slot.Part;
            part.IsChanged |= !ReferenceEquals(slot.Known.Row, item.Rows[i]) || slot.Known.Computed.Contains(false);
            part.Replace(slot.Index, item.Rows[i], IsUnknown);
            _open.Add(part);
            if (++part.Done == part.Rows.Length)
            {
                Write(part);
                _open.Remove(part);
            }
        }
        if (_fresh.Count >= options.RowsPerPart)
            WriteFresh();
        if (_sinceFlush.Elapsed >= options.PartInterval || _vectorBytes >= MostVectorBytes)
            Flush();
    }

    /// <summary>Writes everything that is not on disk yet.</summary>
    public void Flush()
    {
        foreach (var part in _open)
            Write(part);
        WriteFresh();
        _vectorBytes = 0;
        _sinceFlush.Restart();
    }

    /// <summary>True for a metric of the table that this program does not have.</summary>
    private bool IsUnknown(string metric) => !_whole.ContainsKey(metric);

    private void WriteFresh()
    {
        if (_fresh.Count == 0)
            return;
        TablePart.Write(database, TablePart.FileOf(folder, 0, nextSequence++), _fresh, metrics, _whole);
        _fresh.Clear();
    }

    private void Write(OpenPart part)
    {
        if (!part.IsChanged)
            return;
        var columns = part.Done == part.Rows.Length ? new Dictionary<string, PartColumn>(_whole) : Partial(part);
        foreach (var (name, column) in part.Part.Contents.Columns.Where(column => IsUnknown(column.Key)))
            columns[name] = column;
        var contents = TablePart.Write(database, part.Part.File, part.Rows, metrics, columns, new PartOrigin(part.Part, part.Origins));
        part.Part = part.Part with { Contents = contents };
        part.Settle();
        part.IsChanged = false;
    }

    /// <summary>
    /// Of a part that the run has not passed through to its end: columns that were whole stay so, the others reach as far as the run.
    /// </summary>
    private Dictionary<string, PartColumn> Partial(OpenPart part)
    {
        var through = part.Rows[part.Done - 1].Key;
        return _whole.ToDictionary(column => column.Key, column =>
        {
            var was = part.Part.Contents.Columns.GetValueOrDefault(column.Key);
            return was?.Fingerprint != column.Value.Fingerprint ? column.Value with { Through = through }
                : was.Through is { } before ? was with { Through = Math.Max(before, through) }
                : was;
        });
    }
}
