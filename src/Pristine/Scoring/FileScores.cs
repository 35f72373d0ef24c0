using System.IO.Hashing;
using System.Runtime.InteropServices;
using Pristine.Media;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>What was computed from a file: the part of a row that does not depend on the item that names the file.</summary>
/// <param name="Stamp">Size and time of the file before it was read.</param>
/// <param name="IsWhole">True when every metric was computed; false for the metrics that a row of a table lacked.</param>
/// <param name="Row">A row without what the item says of the image.</param>
internal sealed record FileScores(SourceStamp? Stamp, bool IsWhole, ScoreRow Row);

/// <summary>
/// The files that a run has scored, so that a file which many items name is decoded once. Shared by all workers: while one scores a file,
/// others that need it wait. It remembers the last <c>capacity</c> files, so memory does not grow with the dataset.
/// </summary>
/// <param name="capacity">How many files to remember.</param>
internal sealed class ScoredFiles(int capacity = ScoredFiles.DefaultCapacity)
{
    /// <summary>About 50 MB, reached by lists and records that name so many different files.</summary>
    public const int DefaultCapacity = 1 << 17;

    private readonly Dictionary<UInt128, ScoredFile> _entries = [];
    private readonly Queue<UInt128> _order = [];
    private readonly Lock _gate = new();

    /// <summary>Asks for the scores of a file. The first who asks has to score it, and to say what came of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wanted">The metrics to compute.</param>
    /// <param name="isMine">True for the first.</param>
    public ScoredFile Find(string path, ReadOnlySpan<bool> wanted, out bool isMine)
    {
        var key = Key(path, wanted);
        lock (_gate)
        {
            isMine = !_entries.TryGetValue(key, out var file);
            if (isMine)
            {
                _entries.Add(key, file = new ScoredFile());
                _order.Enqueue(key);
                if (_order.Count > capacity)
                    _entries.Remove(_order.Dequeue());
            }
            return file!;
        }
    }

    private static UInt128 Key(string path, ReadOnlySpan<bool> wanted)
    {
        var hash = new XxHash128();
        hash.Append(MemoryMarshal.AsBytes(path.AsSpan()));
        hash.Append(MemoryMarshal.AsBytes(wanted));
        return hash.GetCurrentHashAsUInt128();
    }
}

/// <summary>A file that somebody of a run scores, or has scored.</summary>
internal sealed class ScoredFile
{
    private readonly object _gate = new();
    private FileScores? _scores;
    private bool _isDone;

    /// <summary>Whether it is known what came of it.</summary>
    public bool IsDone
    {
        get
        {
            lock (_gate)
                return _isDone;
        }
    }

    /// <summary>Says what came of it. Also when scoring failed: others must not wait for ever.</summary>
    /// <param name="scores">The scores; null when there are none.</param>
    public void Complete(FileScores? scores)
    {
        lock (_gate)
        {
            (_scores, _isDone) = (scores, true);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Waits until it is known what came of it. Who waits must have completed all files of its own: two could wait for each other.
    /// </summary>
    public FileScores? Wait()
    {
        lock (_gate)
        {
            while (!_isDone)
                Monitor.Wait(_gate);
            return _scores;
        }
    }
}
