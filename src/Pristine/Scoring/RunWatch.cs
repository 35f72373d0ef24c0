using System.Diagnostics;
using System.Diagnostics.Metrics;
using Pristine.Media;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>
/// Counts what a run does and where its time goes, for progress, status files and the sentence at its end: give one to
/// <see cref="ScoringOptions.Watch"/>. It costs some tenths of a microsecond per image. Safe to use from several threads.
/// </summary>
/// <remarks>
/// Stages are <c>list</c> (reading the dataset: its lines, rows and archives; one thread at a time), <c>read</c> (the bytes of images),
/// <c>decode</c>, one for each metric (a feature counts for the first metric that reads it) and <c>write</c> (rows, on one thread). They
/// are wall-clock time of the threads at work, so that waiting for a disk is in <c>read</c>. The same numbers are counters of the meter
/// <see cref="MeterName"/>: <c>pristine.images</c> by status, and <c>pristine.stage.time</c> in seconds by stage.
/// </remarks>
public sealed class RunWatch
{
    /// <summary>The name of the meter, for listeners such as OpenTelemetry's.</summary>
    public const string MeterName = "Pristine";

    internal const string List = "list";
    internal const string Read = "read";
    internal const string Decode = "decode";
    internal const string Write = "write";

    private static readonly Meter Meter = new(MeterName, typeof(RunWatch).Assembly.GetName().Version?.ToString(3));

    private static readonly Counter<long> ImageCounter =
        Meter.CreateCounter<long>("pristine.images", "{image}", "Images that were scored or have failed, by status");

    private static readonly Counter<double> TimeCounter =
        Meter.CreateCounter<double>("pristine.stage.time", "s", "Time of the threads at work, by stage");

    // Of the newest images, so that what was in a table already does not make the rest seem fast.
    private const double Freshness = 0.3;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, StageClock> _stages = [];
    private readonly long[] _statuses = new long[Enum.GetValues<ImageStatus>().Length];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly TimeSpan _processor = ProcessorTime;
    private long _items;
    private long _images;
    private long _failed;
    private long _skipped;
    private long _fresh;
    private long _bytes;
    private int _workers = 1;
    private (TimeSpan At, long Items) _sample;
    private double _recent = double.NaN;

    /// <summary>When the run began, by this machine's clock.</summary>
    public DateTimeOffset Started { get; } = DateTimeOffset.UtcNow;

    /// <summary>Items that the run has to go through, where that is known; null where it is not.</summary>
    public long? Total { get; set; }

    /// <summary>Which shard of how many this run is.</summary>
    internal (int Shard, int Shards) Shard { get; set; } = (0, 1);

    /// <summary>How many shards share the dataset.</summary>
    public int ShardCount => Shard.Shards;

    /// <summary>What is known now.</summary>
    /// <param name="state">The state to tell.</param>
    /// <param name="error">Why the run has failed; null where it has not.</param>
    public RunStatus Snapshot(RunState state = RunState.Running, string? error = null)
    {
        lock (_gate)
        {
            var elapsed = _clock.Elapsed;
            var all = elapsed > TimeSpan.Zero ? _items / elapsed.TotalSeconds : 0;
            if (elapsed - _sample.At >= TimeSpan.FromSeconds(1))
            {
                var now = (_items - _sample.Items) / (elapsed - _sample.At).TotalSeconds;
                _recent = double.IsNaN(_recent) ? now : Freshness * now + (1 - Freshness) * _recent;
                _sample = (elapsed, _items);
            }
            var rate = state == RunState.Running && !double.IsNaN(_recent) ? _recent : all;
            var total = state == RunState.Done ? _items : Total;
            return new RunStatus
            {
                State = state,
                Error = error,
                Host = Environment.MachineName,
                Process = Environment.ProcessId,
                Shard = Shard.Shard,
                Shards = Shard.Shards,
                Started = Started,
                Updated = DateTimeOffset.UtcNow,
                Items = _items,
                Total = total,
                Images = _images,
                Computed = _fresh,
                Failed = _failed,
                Skipped = _skipped,
                Statuses = Enum.GetValues<ImageStatus>().Where(status => status != ImageStatus.Ok && _statuses[(int)status] > 0)
                    .ToDictionary(status => status.Name(), status => _statuses[(int)status]),
                Rate = Math.Round(rate, 2),
                SecondsLeft = state == RunState.Running && total is { } known && rate > 0
                    ? Math.Round(Math.Max(0, known - _items) / rate, 1) : null,
                Seconds = Math.Round(elapsed.TotalSeconds, 3),
                CpuSeconds = Math.Round((ProcessorTime - _processor).TotalSeconds, 3),
                Workers = _workers,
                Cores = Environment.ProcessorCount,
                BytesRead = Interlocked.Read(ref _bytes),
                Stages = _stages.Values.ToDictionary(stage => stage.Name, stage => Math.Round(stage.Seconds, 3)),
            };
        }
    }

    // Of this process and those that decode for it.
    private static TimeSpan ProcessorTime => Environment.CpuUsage.TotalTime + DecoderProcess.ProcessorTime;

    /// <summary>Tells how many threads score.</summary>
    internal void Begin(int workers) => _workers = workers;

    /// <summary>A sequence whose reading counts as a stage; the same where nobody watches.</summary>
    internal static IEnumerable<T> Timed<T>(RunWatch? watch, string stage, IEnumerable<T> source)
    {
        return watch == null ? source : Iterate(watch.Of(stage));

        IEnumerable<T> Iterate(StageClock clock)
        {
            using var items = source.GetEnumerator();
            while (true)
            {
                var start = Stopwatch.GetTimestamp();
                var isThere = items.MoveNext();
                clock.AddSince(start);
                if (!isThere)
                    yield break;
                yield return items.Current;
            }
        }
    }

    /// <summary>The clock of a stage; the same for all threads.</summary>
    internal StageClock Of(string stage)
    {
        lock (_gate)
        {
            if (!_stages.TryGetValue(stage, out var clock))
                _stages.Add(stage, clock = new StageClock(stage));
            return clock;
        }
    }

    /// <summary>Counts bytes of an image that was read.</summary>
    internal void AddBytes(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Counts an item whose rows are known.</summary>
    internal void Add(ScoredItem item)
    {
        lock (_gate)
        {
            _items++;
            _fresh += item.ImagesRead;
            foreach (var row in item.Rows)
            {
                _images += row.Image != null ? 1 : 0;
                _failed += row.Failed ? 1 : 0;
                _skipped += row.Skipped != null || row.Status == ImageStatus.Skipped ? 1 : 0;
                _statuses[(int)row.Status]++;
            }
        }
        if (ImageCounter.Enabled && item.ImagesRead > 0)
            foreach (var row in item.Rows)
                ImageCounter.Add(1, new KeyValuePair<string, object?>("status", row.Status.Name()));
    }

    /// <summary>The time of the threads in one stage.</summary>
    internal sealed class StageClock(string name)
    {
        private readonly KeyValuePair<string, object?> _tag = new("stage", name);
        private long _ticks;

        public string Name => name;

        public double Seconds => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _ticks)).TotalSeconds;

        /// <summary>Adds the time since a timestamp.</summary>
        /// <returns>The timestamp of now, where the next stage begins.</returns>
        public long AddSince(long timestamp)
        {
            var now = Stopwatch.GetTimestamp();
            Add(now - timestamp);
            return now;
        }

        /// <summary>Adds ticks of <see cref="Stopwatch"/>.</summary>
        public void Add(long ticks)
        {
            Interlocked.Add(ref _ticks, ticks);
            if (TimeCounter.Enabled)
                TimeCounter.Add(Stopwatch.GetElapsedTime(0, ticks).TotalSeconds, _tag);
        }
    }
}
