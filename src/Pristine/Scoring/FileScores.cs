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

    private readonly Dictionary<UInt128, Entry> _entries = [];
    private readonly Queue<UInt128> _order = [];
    private readonly Lock _gate = new();

    private sealed class Entry
    {
        public FileScores? Scores { get; set; }

        public bool IsDone { get; set; }
    }

    /// <summary>The scores of a file, from memory or by scoring it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wanted">The metrics to compute.</param>
    /// <param name="fits">Whether scores that are there still hold for this item.</param>
    /// <param name="score">Scores the file.</param>
    public FileScores Get(string path, ReadOnlySpan<bool> wanted, Func<FileScores, bool> fits, Func<FileScores> score)
    {
        var key = Key(path, wanted);
        Entry? entry;
        bool isMine;
        lock (_gate)
        {
            isMine = !_entries.TryGetValue(key, out entry);
            if (isMine)
            {
                _entries.Add(key, entry = new Entry());
                _order.Enqueue(key);
                if (_order.Count > capacity)
                    _entries.Remove(_order.Dequeue());
            }
        }
        if (!isMine && Wait(entry!) is { } known && fits(known))
            return known;
        FileScores? scores = null;
        try
        {
            return scores = score();
        }
        finally
        {
            // Also when scoring failed: others must not wait for ever.
            lock (entry!)
            {
                (entry.Scores, entry.IsDone) = (scores, true);
                Monitor.PulseAll(entry);
            }
        }
    }

    private static FileScores? Wait(Entry entry)
    {
        lock (entry)
        {
            while (!entry.IsDone)
                Monitor.Wait(entry);
            return entry.Scores;
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
