using System.Collections.Concurrent;
using System.Globalization;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>
/// A run that shares a table with others: it scores parts of the dataset, each into files of its own, and says of each when it is finished.
/// No process waits for another one, except at the end for parts that others work on, in case they die. A part that was begun by a process
/// that died goes on where its last rows on disk end. A part that cannot be read is left, told of at the end, and tried again by other
/// processes and by the next run.
/// </summary>
internal sealed class PartedRun : IDisposable
{
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(2);

    private readonly Dataset _dataset;
    private readonly PartedTable _table;
    private readonly ScoringOptions _scoring;
    private readonly ScoreTableOptions _options;
    private readonly List<Metric> _metrics;
    private readonly CancellationToken _cancellation;
    private readonly PartLeases _leases;
    private readonly int[] _share;
    private readonly ConcurrentDictionary<int, string> _unreadable = [];

    /// <summary>Parts that are finished, but of files that have changed since, and how.</summary>
    private readonly List<(int Part, string Reason)> _changed = [];
    private readonly RunWatch _watch;
    private readonly StatusFile _status;
    private readonly DuckDbConnection _writing = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });
    private readonly DuckDbConnection _reading;

    private PartedRun(
        Dataset dataset, PartedTable table, ScoringOptions scoring, ScoreTableOptions options, List<Metric> metrics,
        CancellationToken cancellation)
    {
        (_dataset, _table, _options, _metrics, _cancellation) = (dataset, table, options, metrics, cancellation);
        _watch = scoring.Watch ?? new RunWatch();
        _scoring = scoring with { Metrics = metrics, Watch = _watch };
        _reading = _writing.Another();
        _share = options.Sharding!.Share(table.Manifest.Parts);
        // Of those that take parts as they come each has a number by itself, for its status.
        _watch.Shard = options.Sharding.Shards > 0 ? (options.Sharding.Shard, options.Sharding.Shards) : (LeaseOwner.Number, 0);
        _watch.Total = options.Sharding.Shards > 0 && _share.All(part => table.Manifest.Parts[part].Items != null)
            ? _share.Sum(part => table.Manifest.Parts[part].Items!.Value)
            : null;
        _watch.Begin(scoring.Workers);
        _status = new StatusFile(table.Folder, _watch);
        _leases = new PartLeases(table, options.LeaseTime);
    }

    /// <summary>Scores the run's parts.</summary>
    /// <returns>The items of the parts that this process scored, numbered within their parts.</returns>
    public static IEnumerable<ScoredItem> Score(
        Dataset dataset, string folder, ScoringOptions scoring, ScoreTableOptions options, CancellationToken cancellation)
    {
        var table = TableListing.Open(dataset, folder, scoring, options, out var metrics, cancellation);
        if (options.Sharding == Sharding.Plan)
            yield break;
        using var run = new PartedRun(dataset, table, scoring, options, metrics, cancellation);
        foreach (var item in run.Score())
            yield return item;
    }

    /// <summary>Gives up the parts that are not finished.</summary>
    public void Dispose()
    {
        _status.Dispose();
        _leases.Dispose();
        _reading.Dispose();
        _writing.Dispose();
    }

    private IEnumerable<ScoredItem> Score()
    {
        FindChanged();
        var files = ScoringRun.FilesOf(_dataset);
        var look = _options.LeaseTime / 20;
        look = look < ShortestLook ? ShortestLook : look > LongestLook ? LongestLook : look;
        while (true)
        {
            foreach (var item in ScoreFree(files))
                yield return item;
            if (_share.All(part => _unreadable.ContainsKey(part) || _table.IsDone(part)))
            {
                End();
                yield break;
            }
            if (_cancellation.WaitHandle.WaitOne(look))
                throw new OperationCanceledException(_cancellation);
        }
    }

    /// <summary>Says how it went.</summary>
    /// <exception cref="DatasetException">Parts could not be read, neither by this process nor by another one.</exception>
    private void End()
    {
        string Listed(IEnumerable<(int Part, string Reason)> parts) =>
            FileByFile.Join(parts.Select(part => $"Part {_table.NameOf(part.Part)}: {part.Reason}"));
        var left = _unreadable.Where(part => !_table.IsDone(part.Key)).OrderBy(part => part.Key).ToArray();
        var messages = new List<string>();
        if (left.Length > 0)
            messages.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{left.Length:N0} of {_share.Length:N0} parts could not be read, the others are finished; the same command tries them " +
                $"again: {Listed(left.Select(part => (part.Key, part.Value)))}"));
        if (_changed.Count > 0)
            messages.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{_changed.Count:N0} of {_share.Length:N0} parts are finished, but their files have changed since: {Listed(_changed)}"));
        if (messages.Count == 0)
        {
            _status.End(RunState.Done);
            return;
        }
        var message = string.Join(' ', messages);
        _status.End(RunState.Failed, message);
        throw new DatasetException(message) { IsOfSomeParts = true };
    }

    /// <summary>
    /// Finds finished parts whose files are others than their rows are of: those rows would pass for the new files'. What is said of a part
    /// is read only where its file is not the one that was listed.
    /// </summary>
    private void FindChanged()
    {
        foreach (var part in _share.Where(part => _table.Manifest.Parts[part].FileBytes != null && _table.IsDone(part)))
        {
            var listed = _table.Manifest.Parts[part];
            try
            {
                if (_dataset.OpenPart(listed.Name, OpenList(listed.Name)).File is { } file && SourceStamp.Of(file) is var stamp
                    && !IsSame(stamp, listed.FileBytes, listed.FileModified)
                    && TableManifest.ReadMarker(_table.MarkerOf(part))?.Source is { } scored
                    && !IsSame(stamp, scored.Bytes, scored.Modified))
                    _changed.Add((part, Changed(file, "as it was when it was scored", scored, stamp)));
            }
            catch (Exception exception) when (FileByFile.IsOfFile(exception))
            {
                _changed.Add((part, exception.Message));
            }
        }
    }

    private bool IsSame(SourceStamp? stamp, long? bytes, long? modified) =>
        stamp?.Bytes == bytes && (_options.HasMoved || stamp?.Modified == modified);

    private static string Changed(string file, string how, SourceStamp expected, SourceStamp? stamp) =>
        $"Expected '{file}' to be {how}, {expected.Bytes} bytes; found " +
        $"{(stamp is { } now ? $"{now.Bytes} bytes, written {DateTime.UnixEpoch.AddMicroseconds(now.Modified):u}" : "no file")}. " +
        $"Score into another folder (--out), or finish and merge this one, and bring the merged table up to date.";

    private Func<Stream> OpenList(string part) => () =>
    {
        var list = _table.Manifest.List ?? throw new DatasetException(
            $"Expected {TableManifest.FileName} of {_table.Folder} to name the list of files that the part {part} is of.");
        return DatasetFile.OpenRead(TablePlace.Of(_table.Folder, list, TableManifest.FileName));
    };

    /// <summary>Scores the parts that nobody works on now.</summary>
    private IEnumerable<ScoredItem> ScoreFree(ScoredFiles? files)
    {
        using var free = Free().GetEnumerator();
        // Without a part there is no need for workers, which load their networks.
        if (!free.MoveNext())
            yield break;
        PartAttempt? current = null;
        var isWriting = false;
        try
        {
            foreach (var (item, work) in _status.Guard(
                ScoreTableRun.Through(Works(free), _dataset, files, _metrics, _scoring, _options, _cancellation), _cancellation))
            {
                var attempt = work.Attempt!;
                if (current != attempt && current != null)
                {
                    isWriting = true;
                    _status.Guard(() => Finish(current));
                    isWriting = false;
                }
                current = attempt;
                isWriting = true;
                _status.Guard(() => Write(attempt, () => attempt.Output.Add(item, work.Slots)));
                attempt.Items++;
                isWriting = false;
                _watch.Add(item);
                yield return item;
            }
        }
        finally
        {
            // Also when the dataset breaks off, on Ctrl-C, and when the caller has seen enough; not when writing itself has failed.
            if (!isWriting && current != null)
                _status.Guard(() => Finish(current));
        }
    }

    /// <summary>Takes parts as long as there are free ones.</summary>
    private IEnumerable<PartLease> Free()
    {
        foreach (var part in _share)
            if (!_unreadable.ContainsKey(part) && _leases.TryTake(part) is { } lease)
                yield return lease;
    }

    private IEnumerable<TableWork> Works(IEnumerator<PartLease> free)
    {
        do
        {
            if (TryBegin(free.Current) is not { } attempt)
                continue;
            using var items = ScoringRun.Keyed(
                attempt.Part.ReadFrom(attempt.Numbers, _cancellation), PartNumbering.First(attempt.Lease.Part)).GetEnumerator();
            while (!attempt.Lease.IsLost && TryNext(attempt, items) is { } work)
            {
                attempt.ItemsRead++;
                yield return work;
            }
            // No item will tell that the part is over.
            if (attempt.ItemsRead > 0)
                continue;
            if (attempt.IsRead)
                End(attempt, new PartMarker(attempt.Lease.Part, _table.Manifest.Fingerprint, 0, 0, attempt.Numbers.Lines, null)
                {
                    Source = attempt.Source,
                });
            GiveUp(attempt);
        }
        while (free.MoveNext());
    }

    /// <summary>The next item of a part; null at its end, and where it cannot be read on.</summary>
    private TableWork? TryNext(PartAttempt attempt, IEnumerator<(DatasetItem Item, long Key)> items)
    {
        try
        {
            if (!items.MoveNext())
            {
                attempt.IsRead = !attempt.Lease.IsLost;
                return null;
            }
        }
        catch (Exception exception) when (FileByFile.IsOfFile(exception))
        {
            Fail(attempt.Lease.Part, exception.Message, attempt.Part.IsWholeFile);
            return null;
        }
        var (item, key) = items.Current;
        try
        {
            return new TableWork(item, key, attempt.Known.Take(item, key)) { Attempt = attempt };
        }
        catch (DatasetException exception)
        {
            attempt.IsOfAnother = true;
            Fail(attempt.Lease.Part, exception.Message, attempt.Part.IsWholeFile);
            return null;
        }
    }

    /// <summary>Says that a part could not be read.</summary>
    private void Fail(int part, string reason, bool isReplaceable)
    {
        TableManifest.WriteFailure(_table.FailureOf(part), new PartFailure(part, reason, isReplaceable, Environment.MachineName));
        _unreadable[part] = reason;
    }

    /// <summary>Begins a part, or goes on with it; null where it cannot be opened.</summary>
    private PartAttempt? TryBegin(PartLease lease)
    {
        InputPart part;
        var isReplaced = false;
        try
        {
            part = Open(lease.Part, out isReplaced);
        }
        catch (Exception exception) when (FileByFile.IsOfFile(exception))
        {
            Fail(lease.Part, exception.Message, isReplaceable: false);
            _leases.Release(lease);
            return null;
        }
        var work = _table.WorkOf(lease.Part, lease.Generation);
        Directory.CreateDirectory(work);
        // Rows of a file that was replaced say nothing of the one that is there now.
        for (var before = lease.Generation - 1; before >= 0 && !isReplaced; before--)
            if (Adopt(_table.WorkOf(lease.Part, before), work))
                break;
        var rows = TablePart.List(_reading, work);
        return new PartAttempt(
            lease, part, work, new KnownParts(_reading, rows, _metrics),
            new TableOutput(_writing, work, _metrics, _options, rows.Count == 0 ? 0 : rows.Max(row => row.Sequence) + 1));
    }

    /// <summary>Opens a part of the dataset.</summary>
    /// <param name="number">The part.</param>
    /// <param name="isReplaced">Whether its file is another than was listed: that one could not be read.</param>
    /// <exception cref="DatasetException">It is not there any more, or its file has changed.</exception>
    private InputPart Open(int number, out bool isReplaced)
    {
        isReplaced = false;
        var listed = _table.Manifest.Parts[number];
        var part = _dataset.OpenPart(listed.Name, OpenList(listed.Name));
        if (part.File == null || SourceStamp.Of(part.File) is var stamp && IsSame(stamp, listed.FileBytes, listed.FileModified))
            return part;
        isReplaced = stamp != null && part.IsWholeFile && TableManifest.ReadFailure(_table.FailureOf(number)) is { IsReplaceable: true };
        return isReplaced ? part : throw new DatasetException(Changed(
            part.File, "as it was when the table's parts were listed", new SourceStamp(listed.FileBytes ?? 0, listed.FileModified ?? 0),
            stamp));
    }

    /// <summary>Copies the rows that an earlier owner of a part has written.</summary>
    private static bool Adopt(string from, string to)
    {
        try
        {
            var files = Directory.GetFiles(from, "part-*.parquet").Where(file => PartSeal.IsIntact(file) == true).ToArray();
            foreach (var file in files)
                WholeFile.Make(Path.Combine(to, Path.GetFileName(file)), temporary => File.Copy(file, temporary));
            return files.Length > 0;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Writes rows of a part, as long as they are wanted.</summary>
    private void Write(PartAttempt attempt, Action write)
    {
        if (attempt.Lease.IsLost)
            return;
        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or DuckDbException && _table.IsDone(attempt.Lease.Part))
        {
            // Another process has taken the part over, finished it and removed this attempt.
            attempt.Lease.IsLost = true;
        }
    }

    private void Finish(PartAttempt attempt)
    {
        Write(attempt, attempt.Output.Flush);
        // A run that is stopped may have read on to the end of the part, whose last items were not scored.
        if (attempt.IsRead && attempt.Items == attempt.ItemsRead && !attempt.Lease.IsLost)
            Write(attempt, () =>
            {
                var rows = TablePart.List(_writing, attempt.Folder);
                var file = rows[0].File;
                if (rows.Count > 1)
                    TablePart.Join(_writing, file = TablePart.FileOf(attempt.Folder, 9999, 0), rows);
                End(attempt, new PartMarker(
                    attempt.Lease.Part, _table.Manifest.Fingerprint, rows.Sum(part => part.Contents.Rows), attempt.Items,
                    attempt.Numbers.Lines, Path.GetRelativePath(_table.Folder, file))
                {
                    Source = attempt.Source,
                });
            });
        GiveUp(attempt);
    }

    /// <summary>Leaves a part, with what was written of it for whoever takes it next.</summary>
    private void GiveUp(PartAttempt attempt)
    {
        if (attempt.IsOfAnother && !attempt.Lease.IsLost)
            _table.RemoveWork(attempt.Lease.Part);
        _leases.Release(attempt.Lease);
    }

    private void End(PartAttempt attempt, PartMarker marker)
    {
        _table.TryFinish(marker);
        _table.Clean(attempt.Lease.Part);
    }
}

/// <summary>A part that is being scored.</summary>
/// <param name="lease">Says that this process does it.</param>
/// <param name="part">The part of the dataset.</param>
/// <param name="folder">Where its rows are written.</param>
/// <param name="known">The rows that an earlier attempt has left.</param>
/// <param name="output">Writes the rows.</param>
internal sealed class PartAttempt(PartLease lease, InputPart part, string folder, KnownParts known, TableOutput output)
{
    private volatile bool _isRead;

    public PartLease Lease => lease;

    public InputPart Part => part;

    /// <summary>The stamp of the file that the part is of, when it was opened; null where it is none.</summary>
    public SourceStamp? Source { get; } = part.File == null ? null : SourceStamp.Of(part.File);

    public string Folder => folder;

    public KnownParts Known => known;

    public TableOutput Output => output;

    public PartNumbers Numbers { get; } = new()
    {
        FirstItem = PartNumbering.First(lease.Part),
        FirstLine = PartNumbering.First(lease.Part),
    };

    /// <summary>Items that have been written.</summary>
    public long Items { get; set; }

    /// <summary>Items that have been read.</summary>
    public long ItemsRead { get; set; }

    /// <summary>Whether the rows of an earlier attempt are of other items than are there now.</summary>
    public bool IsOfAnother { get; set; }

    /// <summary>Whether all items have been read.</summary>
    public bool IsRead { get => _isRead; set => _isRead = value; }
}
