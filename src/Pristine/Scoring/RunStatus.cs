using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Files;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>How it stands with a run.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunState>))]
public enum RunState
{
    /// <summary>It works, or it did when it last told.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>It has reached the end of its dataset or shard.</summary>
    [JsonStringEnumMemberName("done")]
    Done,

    /// <summary>It was stopped; the same command goes on.</summary>
    [JsonStringEnumMemberName("stopped")]
    Stopped,

    /// <summary>It has failed; <see cref="RunStatus.Error"/> says why.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>
/// What is known of a run: a line of <c>--progress json</c>, and the file that a run on a score table leaves beside its parts and renews
/// every few seconds.
/// </summary>
public sealed record RunStatus
{
    /// <summary>How often a run renews its file.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>A running process that has not told anything for this long is stale: it hangs, or it died on another machine.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(60);

    private static readonly RunJson Json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Paths and messages stay readable; the lines are data, never HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>The table's folder, where many are told of; else null and left out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Folder { get; init; }

    /// <summary>How it stands.</summary>
    public RunState State { get; init; }

    /// <summary>Why it has failed; null where it has not.</summary>
    public string? Error { get; init; }

    /// <summary>The machine.</summary>
    public string Host { get; init => field = value ?? field; } = "";

    /// <summary>The process.</summary>
    public int Process { get; init; }

    /// <summary>Which shard it is, from 0.</summary>
    public int Shard { get; init; }

    /// <summary>Of how many shards.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>When it began, by the clock of its machine.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>When this was written, by the same clock.</summary>
    public DateTimeOffset Updated { get; init; }

    /// <summary>Items that are done.</summary>
    public long Items { get; init; }

    /// <summary>Items in all; null where that is not known.</summary>
    public long? Total { get; init; }

    /// <summary>Images of the items that are done.</summary>
    public long Images { get; init; }

    /// <summary>Those of them that this run has read; the others were in the table.</summary>
    public long Computed { get; init; }

    /// <summary>Images that could not be scored.</summary>
    public long Failed { get; init; }

    /// <summary>Images with scores that were not needed.</summary>
    public long Skipped { get; init; }

    /// <summary>Rows by status, for each status but <c>ok</c>.</summary>
    public IReadOnlyDictionary<string, long> Statuses { get; init => field = value ?? field; } = new Dictionary<string, long>();

    /// <summary>Items per second; of a running one lately, else on average.</summary>
    public double Rate { get; init; }

    /// <summary>Seconds to its end at this rate; null where that cannot be told.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>Seconds since it began.</summary>
    public double Seconds { get; init; }

    /// <summary>Processor time of the process since then, in seconds, of all its threads.</summary>
    public double CpuSeconds { get; init; }

    /// <summary>Threads that score.</summary>
    public int Workers { get; init; }

    /// <summary>Processor cores that the process may use.</summary>
    public int Cores { get; init; }

    /// <summary>Bytes of images that were read.</summary>
    public long BytesRead { get; init; }

    /// <summary>Seconds of the threads by stage; see <see cref="RunWatch"/>.</summary>
    public IReadOnlyDictionary<string, double> Stages { get; init => field = value ?? field; } = new Dictionary<string, double>();

    /// <summary>As one line of JSON, without a line break.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json.RunStatus);

    /// <summary>
    /// What stood in the way of a running or finished run: <c>processor</c>, <c>read</c> (the disk or network that images come from),
    /// <c>list</c> (reading the dataset itself, which one thread does), <c>write</c> (writing rows, which one thread does),
    /// <c>workers</c> (there were fewer threads than cores), <c>other programs</c> (they had the processor), or null where nothing stands
    /// out.
    /// </summary>
    public string? Bound
    {
        get
        {
            if (Seconds <= 0)
                return null;
            double Of(string stage) => Stages.GetValueOrDefault(stage);
            var busy = Stages.Where(stage => stage.Key is not (RunWatch.List or RunWatch.Write)).Sum(stage => stage.Value);
            var threads = Seconds * Workers;
            if (Of(RunWatch.List) > MostOfTime * Seconds)
                return RunWatch.List;
            if (Of(RunWatch.Write) > MostOfTime * Seconds)
                return RunWatch.Write;
            if (Of(RunWatch.Read) > busy / 2 && Of(RunWatch.Read) > threads / 2)
                return RunWatch.Read;
            if (CpuSeconds > MostOfTime * Seconds * Cores)
                return "processor";
            if (busy <= threads / 2)
                return null;
            return CpuSeconds < busy / 2 ? "other programs"
                : Workers < Cores ? "workers"
                : busy > MostOfTime * threads ? "processor"
                : null;
        }
    }

    // A share of the time from which on something stands in the way.
    private const double MostOfTime = 0.8;

    /// <summary>True for a running one whose process is known to be gone, or that has not told anything for long.</summary>
    /// <param name="now">The time to judge by.</param>
    public bool IsStale(DateTimeOffset now) => State == RunState.Running && (now - Updated > StaleAfter || IsGone);

    private bool IsGone
    {
        get
        {
            if (Host != Environment.MachineName)
                return false;
            try
            {
                using var process = System.Diagnostics.Process.GetProcessById(Process);
                return process.HasExited;
            }
            catch (ArgumentException)
            {
                // There is no such process.
                return true;
            }
        }
    }

    /// <summary>The name of a run's file in its table's folder.</summary>
    /// <param name="shard">The shard.</param>
    internal static string FileName(int shard) => string.Create(CultureInfo.InvariantCulture, $".status-{shard:0000}.json");

    /// <summary>Reads the files that runs have left in a table's folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>One for each shard, in their order; none where no run has left any.</returns>
    /// <exception cref="IOException">A file cannot be read, or it is no such file; the message names it.</exception>
    public static IReadOnlyList<RunStatus> ReadAll(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var found = new List<RunStatus>();
        foreach (var file in Directory.EnumerateFiles(folder, PartedTable.Statuses).Order(StringComparer.Ordinal))
        {
            try
            {
                if (JsonSerializer.Deserialize(File.ReadAllBytes(file), Json.RunStatus) is { } status)
                    found.Add(status);
            }
            catch (FileNotFoundException)
            {
                // A run that begins anew has just replaced it.
            }
            catch (JsonException exception)
            {
                throw new IOException($"Expected the status of a run in {file}; found other content: {exception.Message}", exception);
            }
        }
        return found;
    }

    /// <summary>Writes the file of a run, whole: whoever reads it finds the old one or the new one.</summary>
    internal void Write(string folder)
    {
        var file = Path.Combine(folder, FileName(Shard));
        WholeFile.Renew(file, ToJson() + "\n");
    }
}

/// <summary>How <see cref="RunStatus"/> is read and written, made when the program is built.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunStatus))]
internal sealed partial class RunJson : JsonSerializerContext;

/// <summary>Renews the status file of a run while it works.</summary>
internal sealed class StatusFile : IDisposable
{
    private readonly string _folder;
    private readonly RunWatch _watch;
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private readonly RunWatch.StageClock _writing;
    private bool _isOver;

    public StatusFile(string folder, RunWatch watch)
    {
        (_folder, _watch) = (folder, watch);
        _writing = watch.Of(RunWatch.Write);
        watch.Snapshot().Write(folder);
        _timer = new Timer(_ => Renew(), null, RunStatus.Interval, RunStatus.Interval);
    }

    /// <summary>The results of the run; a failure is told before it is thrown on.</summary>
    /// <param name="results">The results.</param>
    /// <param name="cancellation">What stops the run, which is no failure.</param>
    public IEnumerable<T> Guard<T>(IEnumerable<T> results, CancellationToken cancellation)
    {
        using var items = results.GetEnumerator();
        while (true)
        {
            try
            {
                if (!items.MoveNext())
                    yield break;
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellation.IsCancellationRequested)
            {
                End(RunState.Failed, exception.Message);
                throw;
            }
            yield return items.Current;
        }
    }

    /// <summary>Writes rows: that is a stage, and a failure is told before it is thrown on.</summary>
    public void Guard(Action write)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            write();
        }
        catch (Exception exception)
        {
            End(RunState.Failed, exception.Message);
            throw;
        }
        finally
        {
            _writing.AddSince(start);
        }
    }

    /// <summary>Writes how the run has ended.</summary>
    public void End(RunState state, string? error = null)
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            _isOver = true;
            Write(state, error);
        }
    }

    /// <summary>Ends it; a run that has not said how it ended was stopped.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        End(RunState.Stopped);
    }

    private void Renew()
    {
        lock (_gate)
            if (!_isOver)
                Write(RunState.Running, null);
    }

    private void Write(RunState state, string? error)
    {
        try
        {
            _watch.Snapshot(state, error).Write(_folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The rows are what counts: where the disk is full or gone, writing them says so, and an old status is seen to be stale.
        }
    }
}
