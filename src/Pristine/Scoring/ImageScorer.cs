using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Hashes;
using Pristine.Models;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>A row that a score table has already, in the metrics of the run that continues the table.</summary>
/// <param name="Row">The row; NaN where the table has no score.</param>
/// <param name="Computed">For each metric whether the table has it for this row: a score, or the knowledge that there is none.</param>
internal readonly record struct KnownRow(ScoreRow Row, IReadOnlyList<bool> Computed);

/// <summary>An item to be scored.</summary>
/// <param name="Item">The item.</param>
/// <param name="FirstKey">The key of its first image.</param>
/// <param name="Known">
/// For each image the table's row of it, for an item without an image that of the item; null where there is none, or for all.
/// </param>
internal readonly record struct ScoringWork(DatasetItem Item, long FirstKey, IReadOnlyList<KnownRow?>? Known = null)
{
    /// <summary>The table's row of an image; null where there is none.</summary>
    /// <param name="image">Position of the image.</param>
    public KnownRow? KnownOf(int image) => Known?[image];
}

/// <summary>Scores images on the calling thread: a decoder and the scorers of the metrics, whose memory is reused.</summary>
public sealed class ImageScorer : IDisposable
{
    private readonly ImageDecoder _decoder;
    private readonly IReadOnlyList<Metric> _metrics;
    private readonly MetricScorers _scorers;
    private readonly bool[] _all;
    private readonly TableSchema _columns;
    private readonly bool _hasVectors;
    private readonly bool _keepsTruncated;
    private readonly bool _retriesFailed;
    private readonly ScoringStages _stages;
    private readonly int _batch;
    private readonly List<RowUnderWay> _waiting = [];
    private readonly HashSet<ScoredFile> _claimed = [];
    private readonly IReadOnlyList<ItemGate> _itemGates;
    private readonly ScoredFiles? _files;
    private readonly ItemNumbers _items;
    private readonly StageClocks? _clocks;
    private readonly bool _readsText;

    /// <summary>The text of the item at hand, for metrics of image and text.</summary>
    private string? _text;

    /// <summary>Makes a scorer; it is not thread-safe.</summary>
    /// <param name="options">Metrics and decoding; the number of workers does not matter here.</param>
    public ImageScorer(ScoringOptions? options = null)
        : this(options ?? new ScoringOptions(), null)
    {
    }

    /// <summary>Makes a scorer of a run.</summary>
    /// <param name="options">Metrics, gates, decoding.</param>
    /// <param name="files">The files that all workers of the run have scored; null to share none.</param>
    /// <param name="retriesFailed">Whether rows of a table are computed anew that failed for what the image is.</param>
    internal ImageScorer(ScoringOptions options, ScoredFiles? files, bool retriesFailed = false)
    {
        _retriesFailed = retriesFailed;
        _itemGates = options.ItemGates;
        _metrics = options.AllMetrics;
        _hasVectors = _metrics.Any(metric => metric is FeatureColumn);
        _files = options.SharesFiles ? files : null;
        _columns = TableSchema.Of(_metrics);
        _stages = new ScoringStages(_columns, options.Gates);
        _batch = options.Batch;
        _scorers = new MetricScorers(_metrics);
        _items = new ItemNumbers(_metrics, options.Imaging.MaxPixels);
        _readsText = _metrics.Any(metric => metric.ReadsText);
        _all = [.. _metrics.Select(metric => metric is not ItemMetric)];
        _decoder = new ImageDecoder(options.Imaging);
        _keepsTruncated = options.Imaging.KeepTruncated;
        _clocks = options.Watch is { } watch ? new StageClocks(watch, _metrics) : null;
    }

    /// <summary>Scores all images of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="firstKey">The key of its first image.</param>
    /// <exception cref="ModelException">A metric cannot run here.</exception>
    public ScoredItem Score(DatasetItem item, long firstKey)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Update([new ScoringWork(item, firstKey)])[0];
    }

    /// <summary>Scores one image file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The row, with the path as id.</returns>
    /// <exception cref="ModelException">A metric cannot run here.</exception>
    public ScoreRow Score(string path) => Score(new FileSource(path, path));

    /// <summary>Scores one image.</summary>
    /// <param name="image">Where its bytes are.</param>
    /// <returns>The row, with the image's reference as id.</returns>
    /// <exception cref="ModelException">A metric cannot run here.</exception>
    public ScoreRow Score(MediaSource image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var place = new ScoreRow
        {
            Key = 0,
            Id = image.Reference,
            Image = image.Reference,
            ImageCount = 1,
            File = image.Stamp(),
            Columns = _columns,
            Scores = default,
        };
        _text = null;
        var row = Score(image, place, _all, null);
        ComputeWaiting();
        return row.Row;
    }

    /// <summary>
    /// The rows of items in a score table: what the table has is kept as long as the file is the same, what it lacks is computed. Networks
    /// compute several images of these items together.
    /// </summary>
    /// <param name="items">The items.</param>
    /// <returns>Their rows; one that has not changed is the very object that was given.</returns>
    internal ScoredItem[] Update(IReadOnlyList<ScoringWork> items)
    {
        var begun = new (RowUnderWay[] Rows, int Read)[items.Count];
        for (var i = 0; i < begun.Length; i++)
            begun[i] = Begin(items[i]);
        ComputeWaiting();
        var done = new ScoredItem[items.Count];
        for (var i = 0; i < done.Length; i++)
        {
            var work = items[i];
            // What a rule on the record has dropped is not opened.
            var isOpened = begun[i].Rows is not [{ Row.Status: ImageStatus.Skipped }, ..];
            var numbers = _items.Of(work.Item, isOpened, out var failure);
            done[i] = new ScoredItem(
                work.Item,
                [.. begun[i].Rows.Select((row, image) => OldIfSame(work.KnownOf(image)?.Row, _items.Put(row.Row, numbers, failure)))])
            {
                ImagesRead = begun[i].Read,
            };
        }
        return done;
    }

    private (RowUnderWay[] Rows, int Read) Begin(ScoringWork work)
    {
        var item = work.Item;
        var (text, textHash) = (item.Text, item.TextHash);
        _text = _readsText ? item.WholeText : null;
        if (item.Images.Count == 0)
            return ([Final(WithoutImage(item, work.FirstKey) with { Text = text, TextHash = textHash })], 0);
        var needless = _itemGates.Select(gate => gate.Failure(item)).FirstOrDefault(failure => failure != null);
        var read = 0;
        var rows = new RowUnderWay[item.Images.Count];
        // Gates read the numbers of the item while its images are scored.
        var numbers = _stages.Last > 0 ? _items.Of(item, withMedia: false, out _) : null;
        for (var i = 0; i < rows.Length; i++)
        {
            var (image, isRead) = (item.Images[i], false);
            var place = Place(item, i, work.FirstKey) with { Text = text, TextHash = textHash, File = image.Stamp(), Scores = numbers };
            rows[i] = needless == null
                ? Update(image, place, MediaHasFailed(work, i) ? null : work.KnownOf(i), out isRead)
                : Final(Unopened(place, work.KnownOf(i), needless));
            read += isRead ? 1 : 0;
            if (_waiting.Count >= _batch)
                ComputeWaiting();
        }
        return (rows, read);
    }

    /// <summary>
    /// Whether a row of the table may have failed for a sound or film of its item: nothing is known then of the image.
    /// </summary>
    private bool MediaHasFailed(ScoringWork work, int image) =>
        work.Item.Sources.Count > work.Item.Images.Count && work.KnownOf(image) is { Row.Failed: true };

    /// <inheritdoc/>
    public void Dispose()
    {
        // After a failure others must not wait for what will never come.
        foreach (var file in _claimed)
            file.Complete(null);
        foreach (var row in _waiting)
            row.Release();
        _decoder.Dispose();
        _scorers.Dispose();
        _items.Dispose();
    }

    /// <summary>The table's own row where nothing has changed, so that its part need not be written again.</summary>
    private static ScoreRow OldIfSame(ScoreRow? old, ScoreRow fresh) =>
        old != null && old with { Columns = fresh.Columns, Scores = fresh.Scores } == fresh
        && old.Scores.Span.SequenceEqual(fresh.Scores.Span) ? old : fresh;

    private ScoreRow Place(DatasetItem item, int imageIndex, long firstKey) => new()
    {
        Key = firstKey + imageIndex,
        ItemIndex = item.Index,
        Id = item.Id,
        Image = item.Images[imageIndex].Reference,
        ImageIndex = imageIndex,
        ImageCount = item.Images.Count,
        Columns = _columns,
        Scores = default,
    };

    private ScoreRow WithoutImage(DatasetItem item, long key) => new()
    {
        Key = key,
        ItemIndex = item.Index,
        Id = item.Id,
        Status = item.Error == null ? ImageStatus.NoImage : ImageStatus.Unreadable,
        Error = item.Error,
        ImageCount = item.Images.Count,
        Columns = _columns,
        Scores = HeaderScores(null),
    };

    private static RowUnderWay Final(ScoreRow row) => new(row, []);

    private RowUnderWay Update(MediaSource image, ScoreRow place, KnownRow? known, out bool isRead)
    {
        isRead = true;
        if (known is not { } table || MayBeOtherwiseNow(table.Row))
            return Score(image, place, _all, null);
        var (row, missing) = (table.Row, MissingIn(table, place));
        if (row.File == place.File)
        {
            isRead = false;
            if (!missing.Contains(true))
                return Final(OfItem(row, place));
            if (row.Failed)
                return Final(Failed(place, row.Status, row.Error, row.Header, row.ContentHash));
            if (_stages.SkippedWithoutReading(row, missing) is { } unneeded)
                return Final(OfItem(row, place) with { Skipped = unneeded });
            isRead = true;
        }
        // The scores that are there hold if the content is the same; its hash is known only after reading it.
        return Score(image, place, missing, row);
    }

    /// <summary>The row of an image that is not opened because a gate on the record has failed. Scores that the table has stay.</summary>
    private ScoreRow Unopened(ScoreRow place, KnownRow? known, string reason)
    {
        if (known is { } table && table.Row.File == place.File && table.Row.Status != ImageStatus.Skipped)
        {
            if (table.Row.Failed)
                return OfItem(table.Row, place);
            var missing = MissingIn(table, place);
            return OfItem(table.Row, place) with
            {
                Skipped = SkippedScores.Of(_metrics.Where((_, i) => missing[i]).Select(metric => metric.Name), reason),
            };
        }
        return place with
        {
            Status = ImageStatus.Skipped,
            Error = $"not opened: {reason}",
            Skipped = SkippedScores.Of(_metrics.Where((_, i) => _all[i]).Select(metric => metric.Name), reason),
            Scores = HeaderScores(null),
        };
    }

    /// <summary>A row of the table with what the item's record says today; the very row where that is the same.</summary>
    private static ScoreRow OfItem(ScoreRow row, ScoreRow place) =>
        (row.Text, row.TextHash, row.ImageCount) == (place.Text, place.TextHash, place.ImageCount)
        ? row
        : row with { Text = place.Text, TextHash = place.TextHash, ImageCount = place.ImageCount };

    /// <summary>The metrics that a row of the table lacks, or has of another text.</summary>
    private bool[] MissingIn(KnownRow known, ScoreRow place)
    {
        var skipped = known.Row.Skipped?.Metrics.ToArray() ?? [];
        var isOther = known.Row.TextHash != place.TextHash;
        return [.. _metrics.Select((metric, i) =>
            _all[i] && (!known.Computed[i] || skipped.Contains(metric.Name) || isOther && metric.ReadsText))];
    }

    /// <summary>
    /// Statuses that do not lie in the file's content alone, or that the options would change: such images are tried again.
    /// </summary>
    private bool MayBeOtherwiseNow(ScoreRow row) =>
        row.ContentHash == null ||
        row.Status is ImageStatus.Missing or ImageStatus.Timeout or ImageStatus.TooLarge or ImageStatus.Network ||
        row.Failed && _retriesFailed ||
        row.Status == (_keepsTruncated ? ImageStatus.Truncated : ImageStatus.Partial);

    /// <summary>The row of an image, scored here or, where another item names the same file, there.</summary>
    /// <param name="image">Where its bytes are.</param>
    /// <param name="place">The row as far as it is known without the image.</param>
    /// <param name="wanted">The metrics to compute.</param>
    /// <param name="known">The row that has the other metrics, if the content is the same.</param>
    private RowUnderWay Score(MediaSource image, ScoreRow place, bool[] wanted, ScoreRow? known) =>
        _files == null || image.SharedName is not { } name
        ? Measure(image, place, wanted, known)
        : Shared(_files, name, image, place, wanted, known);

    private RowUnderWay Shared(ScoredFiles files, string name, MediaSource image, ScoreRow place, bool[] wanted, ScoreRow? known)
    {
        var file = files.Find(name, wanted, out var isMine);
        if (!isMine)
        {
            // Others may wait for rows that wait here: theirs and ours must not wait for each other.
            if (!file.IsDone)
                ComputeWaiting();
            if (file.Wait() is { } there && there.Stamp == place.File && (there.IsWhole || there.Row.ContentHash == known?.ContentHash))
                return Final(RowUnderWay.OfItem(place, there.Row));
        }
        _claimed.Add(file);
        var row = Measure(image, place with { Id = "", Image = null }, wanted, known);
        row.Share(file, place);
        if (!row.IsWaiting)
            _claimed.Remove(file);
        return row;
    }

    private RowUnderWay Measure(MediaSource image, ScoreRow place, bool[] wanted, ScoreRow? known)
    {
        var start = Stopwatch.GetTimestamp();
        var decoded = _decoder.Load(image, InputOf(wanted));
        _clocks?.AddDecoded(start, _decoder);
        var hash = _decoder.FileBytes.IsEmpty
            ? null
            : XxHash128.HashToUInt128(_decoder.FileBytes).ToString("x32", CultureInfo.InvariantCulture);
        if (known != null && hash != known.ContentHash)
            return Measure(image, place, _all, null);
        if (known is not { Failed: true } && decoded.HasPixels)
            return Decoded(place with { Status = decoded.Status, Error = decoded.Error }, hash, wanted, known);
        var row = new RowUnderWay(place, []) { IsWhole = known == null };
        row.Settle(known is { Failed: true }
            ? Failed(place, known.Status, known.Error, known.Header, hash)
            : Failed(place, decoded.Status, decoded.Error, decoded.Header, hash));
        return row;
    }

    /// <summary>Scores the image that the decoder holds, save what waits for other images.</summary>
    private RowUnderWay Decoded(ScoreRow place, string? hash, bool[] wanted, ScoreRow? known)
    {
        var image = _decoder.Image;
        var scores = new double[_metrics.Count];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = wanted[i] || known == null ? double.NaN : known.Scores.Span[i];
        _items.Copy(place.Scores.Span, scores);
        // Gates see the scores in this row as they come.
        var vectors = _hasVectors ? new float[]?[scores.Length] : null;
        var row = new RowUnderWay(place with { Header = image.Header, ContentHash = hash, Scores = scores, Vectors = vectors }, scores)
        {
            Wanted = wanted,
            IsWhole = known == null,
            LastStage = _stages.Last,
            ItemText = _text,
        };
        _scorers.BeginImage();
        var at = Stopwatch.GetTimestamp();
        for (var stage = 0; stage <= row.LastStage; stage++)
        {
            for (var i = 0; i < scores.Length; i++)
                if (wanted[i] && _stages.Of(i) == stage && !IsTooSmall(image.Header, _metrics[i]))
                {
                    Score(i, image, row);
                    if (_clocks != null)
                        at = _clocks.Metrics[i].AddSince(at);
                }
            if (_stages.Failure(stage, row.Row) is { } reason)
                (row.LastStage, row.Skipped) = (stage, _stages.SkippedAfter(stage, wanted, reason));
        }
        if (row.IsWaiting)
            _waiting.Add(row);
        else
            row.Settle(Finished(row));
        return row;
    }

    /// <summary>Computes what rows wait for: each feature for all of their images together.</summary>
    private void ComputeWaiting()
    {
        if (_waiting.Count == 0)
            return;
        foreach (var extractor in _waiting.SelectMany(row => row.Extractors).Distinct().ToArray())
            Compute(extractor, _waiting.FindAll(row => row.Extractors.Contains(extractor)));
        foreach (var row in _waiting)
        {
            row.Release();
            row.Settle(Finished(row));
        }
        _waiting.Clear();
        _claimed.Clear();
    }

    private void Compute(FeatureExtractor extractor, List<RowUnderWay> rows)
    {
        var numbers = new double[rows.Count * extractor.Count];
        var start = Stopwatch.GetTimestamp();
        try
        {
            extractor.Compute(rows.ConvertAll(row => row.Prepared(extractor)), numbers);
        }
        catch (Exception exception) when (IsOfImage(exception))
        {
            // There may be too little memory for all of them together and enough for each.
            if (rows.Count > 1)
                rows.ForEach(row => Compute(extractor, [row]));
            else
                foreach (var metric in rows[0].WaitingFor(extractor))
                    Fail(rows[0], metric, exception);
            return;
        }
        finally
        {
            _clocks?.Metrics[rows[0].WaitingFor(extractor).First()].AddSince(start);
        }
        for (var i = 0; i < rows.Count; i++)
            foreach (var metric in rows[i].WaitingFor(extractor))
                Take(rows[i], metric, numbers.AsSpan(i * extractor.Count, extractor.Count));
    }

    /// <summary>The row of an image whose scores are all there: its status says what is missing, and why.</summary>
    private ScoreRow Finished(RowUnderWay under)
    {
        var row = under.Row;
        var header = row.Header!.Value;
        var (status, error) = (row.Status, row.Error);
        for (var i = 0; i < _metrics.Count; i++)
        {
            var metric = _metrics[i];
            if (under.Wanted[i] && _stages.Of(i) > under.LastStage)
                continue;
            if (IsTooSmall(header, metric))
            {
                status = status == ImageStatus.Partial ? status : ImageStatus.TooSmall;
                error ??= $"{metric.Name} needs at least {metric.MinSide} pixels on each side; the image has {header.Width}x{header.Height}";
            }
            else if (under.Failures?[i] is { } failure)
                (status, error) = (ImageStatus.TooLarge, failure);
        }
        return row with { Status = status, Error = error, Skipped = under.Skipped };
    }

    /// <summary>Where a worker's time goes.</summary>
    private sealed class StageClocks(RunWatch watch, IReadOnlyList<Metric> metrics)
    {
        private readonly RunWatch.StageClock _read = watch.Of(RunWatch.Read);
        private readonly RunWatch.StageClock _decode = watch.Of(RunWatch.Decode);

        public RunWatch.StageClock[] Metrics { get; } = [.. metrics.Select(metric => watch.Of(metric.Name))];

        public void AddDecoded(long start, ImageDecoder decoder)
        {
            _read.Add(decoder.ReadTicks);
            _decode.Add(Stopwatch.GetTimestamp() - start - decoder.ReadTicks);
            watch.AddBytes(decoder.FileBytes.Length);
        }
    }

    private static bool IsTooSmall(ImageHeader image, Metric metric) => Math.Min(image.Width, image.Height) < metric.MinSide;

    /// <summary>
    /// True for what may happen at one image: within the decoder's limits it may still ask a metric for more memory than there is (networks
    /// need hundreds of bytes per pixel). That is the image's row, not the end of the run; its other scores stand.
    /// </summary>
    private static bool IsOfImage(Exception exception) => exception is OutOfMemoryException or OnnxRuntimeException;

    private void Fail(RowUnderWay row, int metric, Exception exception)
    {
        var header = row.Row.Header!.Value;
        row.Fail(metric, $"{_metrics[metric].Name} could not score an image of {header.Width}x{header.Height}: {exception.Message}");
    }

    /// <summary>Computes a score, or lets it wait.</summary>
    private void Score(int metric, in ImageView image, RowUnderWay row)
    {
        if (_metrics[metric].Input == ImageInput.Header)
        {
            row.Scores[metric] = _scorers.Score(metric, image);
            return;
        }
        try
        {
            // What a gate reads cannot wait.
            if (_batch > 1 && _stages.Of(metric) == _stages.Last && _scorers.ExtractorOf(metric) is { ComputesTogether: true } extractor)
                row.Wait(metric, extractor, image);
            else if (_metrics[metric] is FeatureColumn { Feature: var feature })
                Take(row, metric, _scorers.Features(feature, image));
            else
                row.Scores[metric] = (float)_scorers.Score(metric, image, row.ItemText);
        }
        catch (Exception exception) when (IsOfImage(exception))
        {
            Fail(row, metric, exception);
        }
    }

    /// <summary>
    /// Makes a column of a feature. Tables hold scores as FLOAT; rounding here makes every output and every rule see the same number. Facts
    /// of the header stay exact.
    /// </summary>
    private void Take(RowUnderWay row, int metric, ReadOnlySpan<double> numbers)
    {
        if (_metrics[metric] is FeatureMetric head)
        {
            try
            {
                row.Scores[metric] = (float)head.Score(numbers, row.ItemText);
            }
            catch (Exception exception) when (IsOfImage(exception))
            {
                Fail(row, metric, exception);
            }
            return;
        }
        var vector = row.Row.Vectors![metric] = new float[numbers.Length];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)numbers[i];
    }

    private ScoreRow Failed(ScoreRow place, ImageStatus status, string? error, ImageHeader? header, string? hash) =>
        place with { Status = status, Error = error, Header = header, ContentHash = hash, Scores = HeaderScores(header) };

    /// <summary>What the header alone tells is known even where the pixels are not.</summary>
    private double[] HeaderScores(ImageHeader? header)
    {
        var scores = new double[_metrics.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = header is { } known && _all[i] && _metrics[i].Input == ImageInput.Header
                ? _scorers.Score(i, new ImageView(known, [], []))
                : double.NaN;
        }
        return scores;
    }

    private ImageInput InputOf(bool[] wanted)
    {
        var input = ImageInput.Header;
        for (var i = 0; i < wanted.Length; i++)
            if (wanted[i])
                input |= _metrics[i].Input;
        return input;
    }
}
