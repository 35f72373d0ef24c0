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

/// <summary>Scores images one at a time on the calling thread: a decoder and the scorers of the metrics, whose memory is reused.</summary>
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
    private readonly string?[] _failures;
    private readonly IReadOnlyList<ItemGate> _itemGates;
    private readonly ScoredFiles? _files;

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
        _failures = new string?[_metrics.Count];
        _scorers = new MetricScorers(_metrics);
        _all = [.. _metrics.Select(_ => true)];
        _decoder = new ImageDecoder(options.Imaging);
        _keepsTruncated = options.Imaging.KeepTruncated;
    }

    /// <summary>Scores all images of an item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="firstKey">The key of its first image.</param>
    /// <exception cref="ModelException">A metric cannot run here.</exception>
    public ScoredItem Score(DatasetItem item, long firstKey)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Update(item, firstKey, new KnownRow?[Math.Max(1, item.Images.Count)]);
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
        return Score(image, new ScoreRow { Key = 0, Id = image.Reference, Image = image.Reference, ImageCount = 1, File = image.Stamp(), Columns = _columns, Scores = default }, _all, null);
    }

    /// <summary>
    /// The rows of an item in a score table: what the table has is kept as long as the file is the same, what it lacks is computed.
    /// </summary>
    /// <param name="item">The item.</param>
    /// <param name="firstKey">The key of its first image.</param>
    /// <param name="known">For each image the table's row of it, for an item without an image that of the item; null where there is none.</param>
    /// <returns>Rows; one that has not changed is the very object that was given.</returns>
    internal ScoredItem Update(DatasetItem item, long firstKey, IReadOnlyList<KnownRow?> known)
    {
        var text = item.Text;
        if (item.Images.Count == 0)
        {
            var fresh = WithoutImage(item, firstKey) with { Text = text };
            return new ScoredItem(item, [OldIfSame(known[0]?.Row, fresh)]);
        }
        var needless = _itemGates.Select(gate => gate.Failure(item)).FirstOrDefault(failure => failure != null);
        var read = 0;
        var rows = new ScoreRow[item.Images.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var (image, isRead) = (item.Images[i], false);
            var place = Place(item, i, firstKey) with { Text = text, File = image.Stamp() };
            var row = needless == null ? Update(image, place, known[i], out isRead) : Unopened(place, known[i], needless);
            rows[i] = OldIfSame(known[i]?.Row, row);
            read += isRead ? 1 : 0;
        }
        return new ScoredItem(item, rows) { ImagesRead = read };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _decoder.Dispose();
        _scorers.Dispose();
    }

    /// <summary>The table's own row where nothing has changed, so that its part need not be written again.</summary>
    private static ScoreRow OldIfSame(ScoreRow? old, ScoreRow fresh) =>
        old != null && old with { Columns = fresh.Columns, Scores = fresh.Scores } == fresh && old.Scores.Span.SequenceEqual(fresh.Scores.Span) ? old : fresh;

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

    private ScoreRow Update(MediaSource image, ScoreRow place, KnownRow? known, out bool isRead)
    {
        isRead = true;
        if (known is not { } table || MayBeOtherwiseNow(table.Row))
            return Score(image, place, _all, null);
        var (row, missing) = (table.Row, MissingIn(table));
        if (row.File == place.File)
        {
            isRead = false;
            if (!missing.Contains(true))
                return OfItem(row, place);
            if (row.Failed)
                return Failed(place, row.Status, row.Error, row.Header, row.ContentHash);
            if (_stages.SkippedWithoutReading(row, missing) is { } unneeded)
                return OfItem(row, place) with { Skipped = unneeded };
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
            var missing = MissingIn(table);
            return OfItem(table.Row, place) with { Skipped = SkippedScores.Of(_metrics.Where((_, i) => missing[i]).Select(metric => metric.Name), reason) };
        }
        return place with
        {
            Status = ImageStatus.Skipped,
            Error = $"not opened: {reason}",
            Skipped = SkippedScores.Of(_metrics.Select(metric => metric.Name), reason),
            Scores = HeaderScores(null),
        };
    }

    /// <summary>A row of the table with what the item's record says today; the very row where that is the same.</summary>
    private static ScoreRow OfItem(ScoreRow row, ScoreRow place) =>
        row.Text == place.Text && row.ImageCount == place.ImageCount ? row : row with { Text = place.Text, ImageCount = place.ImageCount };

    /// <summary>The metrics that a row of the table lacks.</summary>
    private bool[] MissingIn(KnownRow known)
    {
        var skipped = known.Row.Skipped?.Metrics.ToArray() ?? [];
        return [.. _metrics.Select((metric, i) => !known.Computed[i] || skipped.Contains(metric.Name))];
    }

    /// <summary>Statuses that do not lie in the file's content alone, or that the options would change: such images are tried again.</summary>
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
    private ScoreRow Score(MediaSource image, ScoreRow place, bool[] wanted, ScoreRow? known) => _files == null || image.SharedName is not { } name
        ? Measure(image, place, wanted, known).Row
        : Shared(_files, name, image, place, wanted, known);

    private ScoreRow Shared(ScoredFiles files, string name, MediaSource image, ScoreRow place, bool[] wanted, ScoreRow? known)
    {
        var scores = files.Get(
            name,
            wanted,
            fits: file => file.Stamp == place.File && (file.IsWhole || file.Row.ContentHash == known?.ContentHash),
            score: () => Measure(image, place with { Id = "", Image = null }, wanted, known));
        var row = scores.Row;
        return place with
        {
            Status = row.Status,
            Error = row.Error,
            Skipped = row.Skipped,
            Header = row.Header,
            ContentHash = row.ContentHash,
            Scores = row.Scores,
            Vectors = row.Vectors,
        };
    }

    private FileScores Measure(MediaSource image, ScoreRow place, bool[] wanted, ScoreRow? known)
    {
        var decoded = _decoder.Load(image, InputOf(wanted));
        var hash = _decoder.FileBytes.IsEmpty ? null : XxHash128.HashToUInt128(_decoder.FileBytes).ToString("x32", CultureInfo.InvariantCulture);
        if (known != null && hash != known.ContentHash)
            return Measure(image, place, _all, null);
        var row = known is { Failed: true } ? Failed(place, known.Status, known.Error, known.Header, hash)
            : !decoded.HasPixels ? Failed(place, decoded.Status, decoded.Error, decoded.Header, hash)
            : Decoded(place with { Status = decoded.Status, Error = decoded.Error }, hash, wanted, known);
        return new FileScores(place.File, known == null, row);
    }

    /// <summary>Scores the image that the decoder holds.</summary>
    private ScoreRow Decoded(ScoreRow place, string? hash, bool[] wanted, ScoreRow? known)
    {
        var image = _decoder.Image;
        var scores = new double[_metrics.Count];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = wanted[i] ? double.NaN : known!.Scores.Span[i];
        // Gates see the scores in this row as they come.
        var vectors = _hasVectors ? new float[]?[scores.Length] : null;
        var row = place with { Header = image.Header, ContentHash = hash, Scores = scores, Vectors = vectors };
        Array.Clear(_failures);
        _scorers.BeginImage();
        var (last, skipped) = (_stages.Last, (SkippedScores?)null);
        for (var stage = 0; stage <= last; stage++)
        {
            for (var i = 0; i < scores.Length; i++)
                if (wanted[i] && _stages.Of(i) == stage && !IsTooSmall(image, _metrics[i]))
                    scores[i] = Score(i, image, vectors);
            if (_stages.Failure(stage, row) is { } reason)
                (last, skipped) = (stage, _stages.SkippedAfter(stage, wanted, reason));
        }
        var (status, error) = (place.Status, place.Error);
        for (var i = 0; i < scores.Length; i++)
        {
            var metric = _metrics[i];
            if (wanted[i] && _stages.Of(i) > last)
                continue;
            if (IsTooSmall(image, metric))
            {
                status = status == ImageStatus.Partial ? status : ImageStatus.TooSmall;
                error ??= $"{metric.Name} needs at least {metric.MinSide} pixels on each side; the image has {image.Width}x{image.Height}";
            }
            else if (_failures[i] != null)
                (status, error) = (ImageStatus.TooLarge, _failures[i]);
        }
        return row with { Status = status, Error = error, Skipped = skipped };
    }

    private static bool IsTooSmall(in ImageView image, Metric metric) => Math.Min(image.Width, image.Height) < metric.MinSide;

    /// <summary>
    /// An image within the decoder's limits may still ask a metric for more memory than there is (networks need hundreds of bytes per
    /// pixel). That is the image's row, not the end of the run; its other scores stand.
    /// </summary>
    /// <returns>The score; NaN where it failed, and why is in <see cref="_failures"/>.</returns>
    private double Score(int metric, in ImageView image, float[]?[]? vectors)
    {
        // Tables hold scores as FLOAT; rounding here makes every output and every rule see the same number. Facts of the header stay exact.
        if (_metrics[metric].Input == ImageInput.Header)
            return _scorers.Score(metric, image);
        try
        {
            if (_metrics[metric] is FeatureColumn { Feature: var feature })
            {
                var numbers = _scorers.Features(feature, image);
                var vector = vectors![metric] = new float[numbers.Length];
                for (var i = 0; i < vector.Length; i++)
                    vector[i] = (float)numbers[i];
                return double.NaN;
            }
            return (float)_scorers.Score(metric, image);
        }
        catch (Exception exception) when (exception is OutOfMemoryException or OnnxRuntimeException)
        {
            _failures[metric] = $"{_metrics[metric].Name} could not score an image of {image.Width}x{image.Height}: {exception.Message}";
            return double.NaN;
        }
    }

    private ScoreRow Failed(ScoreRow place, ImageStatus status, string? error, ImageHeader? header, string? hash) =>
        place with { Status = status, Error = error, Header = header, ContentHash = hash, Scores = HeaderScores(header) };

    /// <summary>What the header alone tells is known even where the pixels are not.</summary>
    private double[] HeaderScores(ImageHeader? header)
    {
        var scores = new double[_metrics.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = header is { } known && _metrics[i].Input == ImageInput.Header
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
