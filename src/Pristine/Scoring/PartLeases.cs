using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>A part that this process works on.</summary>
/// <param name="part">The part.</param>
/// <param name="generation">How often it has been taken over.</param>
internal sealed class PartLease(int part, int generation)
{
    private volatile bool _isLost;

    public int Part => part;

    public int Generation => generation;

    /// <summary>True when another process has taken the part over, or has finished it.</summary>
    public bool IsLost { get => _isLost; set => _isLost = value; }
}

/// <summary>
/// Says which parts this process works on, and takes over those of processes that are dead. A lease is a file that names its owner and is
/// written again every few seconds, by the owner alone. Whoever has watched such a file for the length of the lease without seeing it
/// change takes the part over by making the file of the next generation, which only one process can. Clocks of different machines are
/// never compared: what is measured is the observer's own waiting. Where the owner was a process of the same machine, it is asked whether
/// it still lives.
/// </summary>
/// <remarks>
/// Leases save work; they are not what makes results right. An owner that was only slow goes on, and both finish the part: the first
/// marker counts (<see cref="PartedTable.TryFinish"/>).
/// </remarks>
internal sealed class PartLeases : IDisposable
{
    private const string Released = "released";

    private readonly PartedTable _table;
    private readonly TimeSpan _time;
    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly Lock _gate = new();
    private readonly List<PartLease> _held = [];
    private readonly Dictionary<int, (int Generation, string Text, long Since)> _watched = [];
    private readonly Timer _timer;
    private long _beat;

    /// <param name="table">The table.</param>
    /// <param name="time">How long an owner may give no sign of life.</param>
    public PartLeases(PartedTable table, TimeSpan time)
    {
        (_table, _time) = (table, time);
        var interval = time / 4;
        _timer = new Timer(_ => Beat(), null, interval, interval);
    }

    /// <summary>Takes a part.</summary>
    /// <returns>Null where it is finished, or another process works on it.</returns>
    public PartLease? TryTake(int part)
    {
        if (_table.IsDone(part))
            return null;
        var generation = -1;
        while (File.Exists(_table.LeaseOf(part, generation + 1)))
            generation++;
        if (generation >= 0 && !IsFree(part, generation))
            return null;
        var lease = new PartLease(part, generation + 1);
        try
        {
            using var file = new FileStream(_table.LeaseOf(part, lease.Generation), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            file.Write(Encoding.UTF8.GetBytes(Text()));
        }
        catch (IOException) when (File.Exists(_table.LeaseOf(part, lease.Generation)))
        {
            return null;
        }
        if (_table.IsDone(part))
        {
            // It was finished between the first question and the lease.
            _table.Clean(part);
            return null;
        }
        lock (_gate)
            _held.Add(lease);
        return lease;
    }

    /// <summary>Gives a part up: the next process that looks takes it at once.</summary>
    public void Release(PartLease lease)
    {
        lock (_gate)
            if (!_held.Remove(lease))
                return;
        try
        {
            using var file = new FileStream(_table.LeaseOf(lease.Part, lease.Generation), FileMode.Open, FileAccess.Write, FileShare.Read);
            file.SetLength(0);
            file.Write(Encoding.UTF8.GetBytes(Released));
        }
        catch (IOException)
        {
            // It is gone, with the part, or cannot be written; then it runs out.
        }
    }

    /// <summary>Ends the signs of life and gives up what is held.</summary>
    public void Dispose()
    {
        using (var stopped = new ManualResetEvent(false))
        {
            if (_timer.Dispose(stopped))
                stopped.WaitOne();
        }
        while (true)
        {
            PartLease? lease;
            lock (_gate)
                lease = _held.FirstOrDefault();
            if (lease == null)
                return;
            Release(lease);
        }
    }

    /// <summary>Whether the owner of a lease is known to be dead, has given it up, or was not seen to live for its time.</summary>
    private bool IsFree(int part, int generation)
    {
        string text;
        try
        {
            using var file = new FileStream(
                _table.LeaseOf(part, generation), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            text = reader.ReadToEnd();
        }
        catch (IOException)
        {
            // It has just been removed, or its machine cannot be reached; the next look tells.
            return false;
        }
        if (text == Released || LeaseOwner.IsDead(text))
            return true;
        lock (_gate)
        {
            if (_watched.TryGetValue(part, out var seen) && seen.Generation == generation && seen.Text == text)
                return Stopwatch.GetElapsedTime(seen.Since) > _time;
            _watched[part] = (generation, text, Stopwatch.GetTimestamp());
            return false;
        }
    }

    private string Text() => string.Create(
        CultureInfo.InvariantCulture, $"{LeaseOwner.Here}\n{_owner}\n{Interlocked.Increment(ref _beat)}\n");

    private void Beat()
    {
        PartLease[] held;
        lock (_gate)
            held = [.. _held];
        foreach (var lease in held)
        {
            try
            {
                if (File.Exists(_table.LeaseOf(lease.Part, lease.Generation + 1)))
                {
                    lease.IsLost = true;
                    continue;
                }
                using var file = new FileStream(
                    _table.LeaseOf(lease.Part, lease.Generation), FileMode.Open, FileAccess.Write, FileShare.Read);
                file.SetLength(0);
                file.Write(Encoding.UTF8.GetBytes(Text()));
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                lease.IsLost |= _table.IsDone(lease.Part);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The file system does not answer now; the next beat tries again.
            }
        }
    }
}

/// <summary>The process that holds a lease, as its file names it: machine, start of the machine, process and its start.</summary>
internal static class LeaseOwner
{
    /// <summary>Names this process.</summary>
    public static string Here { get; } = string.Create(
        CultureInfo.InvariantCulture,
        $"{Environment.MachineName}\n{Place()}\n{Environment.ProcessId}\n{StartOf(Environment.ProcessId)}");

    /// <summary>A number that no other process on the table is likely to have.</summary>
    public static int Number { get; } =
        (int)(System.IO.Hashing.XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(Here)) % 1_000_000_000);

    /// <summary>True where the process was one of this machine and does not live any more.</summary>
    /// <param name="text">What a lease says.</param>
    public static bool IsDead(string text) => text.Split('\n') is [_, var place, var process, var start, ..] && place == Place()
        && place.Length > 0 && int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        && StartOf(id) != start;

    /// <summary>Tells machines, and containers with process numbers of their own, apart; empty where that cannot be told.</summary>
    private static string Place()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() + File.ResolveLinkTarget("/proc/self/ns/pid", false)?.Name;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not Linux: leases run out by their time alone.
            return "";
        }
    }

    /// <summary>When a process began, in ticks of its machine; null where there is none, or it has ended.</summary>
    private static string? StartOf(int process)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            // After the name, which may hold spaces: the state, and 19 fields later the start.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
