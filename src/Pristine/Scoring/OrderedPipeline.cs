using System.Runtime.ExceptionServices;

namespace Pristine.Scoring;

/// <summary>
/// Runs work on a fixed number of threads and gives the results in the order of the input. Each thread owns one worker object. At most
/// <c>capacity</c> inputs are under way or waiting to be consumed, and as many as together weigh <see cref="Budget"/> bytes (a single one
/// may weigh more), so memory does not grow with the input.
/// </summary>
/// <remarks>
/// Threads pull their own input under a lock (reading an item is cheap beside decoding an image) and block when the window is full. All
/// waiting is on monitors: no spinning, which would count as CPU time of the run.
/// </remarks>
internal sealed class OrderedPipeline<TInput, TOutput, TWorker>
    where TWorker : IDisposable
{
    /// <summary>Bytes that inputs under way may hold together before the next one is read.</summary>
    private const long Budget = 256 << 20;

    /// <summary>How long a run that ends waits for an input that is being read, in milliseconds.</summary>
    private const int PatienceWithSource = 1000;

    /// <summary>
    /// How long a cancelled run waits for inputs that are worked on, in milliseconds: one may hang in a library that nobody can interrupt,
    /// and schedulers kill a process some seconds after they have asked it to stop.
    /// </summary>
    private const int PatienceWithWork = 5000;

    private readonly Lock _sourceGate = new();
    private readonly object _gate = new();
    private readonly IEnumerator<TInput> _source;
    private readonly Func<TWorker> _createWorker;
    private readonly Func<TWorker, TInput, TOutput> _work;
    private readonly CancellationToken _cancellation;
    private readonly TOutput?[] _window;
    private readonly bool[] _ready;
    private readonly long[] _weights;
    private readonly Func<TInput, long>? _weigh;
    private long _taken;
    private long _consumed;
    private long _held;
    private int _running;

    /// <summary>Threads that take an input, or wait until they can.</summary>
    private int _taking;
    private bool _isReading;
    private bool _sourceEnded;
    private volatile bool _abandoned;

    /// <summary>
    /// When what is still worked on is given up, by <see cref="Environment.TickCount64"/>; null while nobody stops the run.
    /// </summary>
    private long? _end;
    private ExceptionDispatchInfo? _failure;

    private OrderedPipeline(
        IEnumerator<TInput> source,
        Func<TWorker> createWorker,
        Func<TWorker, TInput, TOutput> work,
        int capacity,
        Func<TInput, long>? weigh,
        CancellationToken cancellation)
    {
        _source = source;
        _createWorker = createWorker;
        _work = work;
        _cancellation = cancellation;
        _window = new TOutput?[capacity];
        _ready = new bool[capacity];
        _weights = new long[capacity];
        _weigh = weigh;
    }

    /// <summary>
    /// Runs the pipeline. Results that were finished, in unbroken order, are given before an exception of the source or of a worker is
    /// thrown, and before <see cref="OperationCanceledException"/> when the token is cancelled. Inputs that are worked on then are
    /// finished, unless one takes longer than <see cref="PatienceWithWork"/>: its thread, one of the background, is left to itself.
    /// </summary>
    /// <param name="source">The inputs; reading the next one must be cheap.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="capacity">Inputs that may be under way or waiting to be consumed.</param>
    /// <param name="createWorker">Makes the worker object of a thread.</param>
    /// <param name="work">Works on an input.</param>
    /// <param name="cancellation">Ends the run.</param>
    /// <param name="weigh">Tells how many bytes an input and its output hold; null where they hold few.</param>
    /// <param name="stop">Called when no more results are wanted, before the threads are waited for; optional.</param>
    public static IEnumerable<TOutput> Run(
        IEnumerable<TInput> source,
        int workers,
        int capacity,
        Func<TWorker> createWorker,
        Func<TWorker, TInput, TOutput> work,
        CancellationToken cancellation,
        Func<TInput, long>? weigh = null,
        Action? stop = null)
    {
        using var enumerator = source.GetEnumerator();
        var pipeline = new OrderedPipeline<TInput, TOutput, TWorker>(enumerator, createWorker, work, capacity, weigh, cancellation);
        var threads = new Thread[workers];
        pipeline._running = workers;
        using var wake = cancellation.Register(pipeline.Stop);
        for (var i = 0; i < workers; i++)
        {
            threads[i] = new Thread(pipeline.Work) { IsBackground = true, Name = $"pristine-worker-{i}" };
            threads[i].Start();
        }
        try
        {
            var garbage = new GarbageBudget();
            while (pipeline.TryConsume(out var output))
            {
                yield return output;
                garbage.Check();
            }
        }
        finally
        {
            pipeline.Abandon();
            stop?.Invoke();
            if (pipeline.WaitForThreads())
                foreach (var thread in threads)
                    thread.Join();
        }
        pipeline._failure?.Throw();
        cancellation.ThrowIfCancellationRequested();
    }

    private bool TryConsume(out TOutput output)
    {
        lock (_gate)
        {
            var slot = (int)(_consumed % _window.Length);
            while (!_ready[slot] && _running > 0 && !WaitsForSourceAlone && PatienceLeft != 0)
                Monitor.Wait(_gate, PatienceLeft);
            if (!_ready[slot])
            {
                output = default!;
                return false;
            }
            output = _window[slot]!;
            _window[slot] = default;
            _ready[slot] = false;
            _held -= _weights[slot];
            _consumed++;
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    private void Work()
    {
        try
        {
            using var worker = _createWorker();
            while (TryTake(out var sequence, out var input))
            {
                var output = _work(worker, input);
                lock (_gate)
                {
                    var slot = (int)(sequence % _window.Length);
                    _window[slot] = output;
                    _ready[slot] = true;
                    if (sequence == _consumed)
                        Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException
            || !(_cancellation.IsCancellationRequested || _abandoned))
        {
            // Not hidden: the consumer throws it, after the results that were finished before it.
            lock (_gate)
                _failure ??= ExceptionDispatchInfo.Capture(exception);
            Abandon();
        }
        catch (OperationCanceledException)
        {
            Abandon();
        }
        finally
        {
            lock (_gate)
            {
                _running--;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>
    /// True where the run ends and all that is under way is reading the next input, which may never come: a list on standard input whose
    /// writer says nothing.
    /// </summary>
    private bool WaitsForSourceAlone => IsEnding && _isReading && _taking == _running;

    /// <summary>Whether no further input is wanted: the run is cancelled, a worker has failed, or nobody takes the results.</summary>
    private bool IsEnding => _abandoned || _cancellation.IsCancellationRequested;

    /// <summary>Milliseconds for which a cancelled run still waits for what is worked on; -1 where nobody has stopped the run.</summary>
    private int PatienceLeft => _end is { } end ? (int)Math.Max(0, end - Environment.TickCount64) : Timeout.Infinite;

    /// <summary>Waits for the threads to end, but not for ever for an input or a cancelled run.</summary>
    /// <returns>False when a thread still reads or works. It is one of the background, and ends when its reading or work does.</returns>
    private bool WaitForThreads()
    {
        var until = Environment.TickCount64 + PatienceWithSource;
        lock (_gate)
        {
            while (_running > 0)
            {
                var left = WaitsForSourceAlone ? (int)Math.Max(0, until - Environment.TickCount64) : PatienceLeft;
                if (left == 0)
                    return false;
                Monitor.Wait(_gate, left);
            }
        }
        return true;
    }

    private void Stop()
    {
        lock (_gate)
        {
            _end = Environment.TickCount64 + PatienceWithWork;
            Monitor.PulseAll(_gate);
        }
    }

    private bool TryTake(out long sequence, out TInput input)
    {
        lock (_gate)
        {
            _taking++;
            if (IsEnding)
                Monitor.PulseAll(_gate);
        }
        try
        {
            return TryTakeNext(out sequence, out input);
        }
        finally
        {
            lock (_gate)
                _taking--;
        }
    }

    private bool TryTakeNext(out long sequence, out TInput input)
    {
        lock (_sourceGate)
        {
            sequence = _taken;
            input = default!;
            lock (_gate)
            {
                while (!_abandoned && (sequence - _consumed >= _window.Length || _held > Budget && sequence > _consumed))
                    Monitor.Wait(_gate);
                if (_sourceEnded || IsEnding)
                    return false;
                _isReading = true;
            }
            try
            {
                if (!_source.MoveNext())
                {
                    _sourceEnded = true;
                    return false;
                }
            }
            catch
            {
                _sourceEnded = true;
                throw;
            }
            finally
            {
                lock (_gate)
                    _isReading = false;
            }
            // Whoever consumes may have left in the meantime.
            if (IsEnding)
            {
                _source.Dispose();
                return false;
            }
            input = _source.Current;
            _taken++;
            var weight = _weigh?.Invoke(input) ?? 0;
            lock (_gate)
            {
                _weights[sequence % _window.Length] = weight;
                _held += weight;
            }
            return true;
        }
    }

    private void Abandon()
    {
        lock (_gate)
        {
            _abandoned = true;
            Monitor.PulseAll(_gate);
        }
    }
}
