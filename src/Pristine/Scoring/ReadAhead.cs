using System.IO.Hashing;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Scoring;

/// <summary>
/// Starts to read images at addresses before a worker asks for them, so that workers wait for no network. How far ahead is a matter of
/// bytes: images of 50 KB are read far ahead, those of 50 MB hardly. Datasets of files pass as they are.
/// </summary>
/// <typeparam name="T">An item on its way through a run.</typeparam>
internal sealed class ReadAhead<T> : IDisposable
{
    /// <summary>Bytes that may be read ahead.</summary>
    public const long Budget = 128 << 20;

    /// <summary>Items that may be read ahead: records without large images weigh little, but not nothing.</summary>
    private const int MostItems = 4096;

    /// <summary>Addresses that are remembered, so that one which many items name is read once.</summary>
    private const int KnownAddresses = 1 << 17;

    private readonly Func<T, DatasetItem> _itemOf;
    private readonly Func<T, bool> _isWanted;
    private readonly long _limit;
    private readonly bool _readsOnce;
    private readonly CancellationTokenSource _stop;
    private readonly ByteBudget _budget;
    private readonly Queue<T> _queue = [];
    private readonly HashSet<UInt128> _known = [];
    private readonly Queue<UInt128> _knownOrder = [];
    private readonly Dictionary<UInt128, RemoteSource> _begun = [];
    private readonly Queue<UInt128> _begunOrder = [];
    private readonly object _gate = new();
    private ExceptionDispatchInfo? _failure;
    private bool _isEnded;
    private volatile bool _isLeft;
    private long _estimate = 256 << 10;

    /// <param name="itemOf">The item of an input.</param>
    /// <param name="isWanted">Whether its images will be read at all, as far as can be told cheaply.</param>
    /// <param name="options">
    /// How the run scores: the largest image that is read, and whether images that several items name are read once.
    /// </param>
    /// <param name="cancellation">Ends reading.</param>
    /// <param name="budget">Bytes that may be read ahead.</param>
    public ReadAhead(
        Func<T, DatasetItem> itemOf, Func<T, bool> isWanted, ScoringOptions options, CancellationToken cancellation, long budget = Budget)
    {
        (_itemOf, _isWanted, _limit, _readsOnce) = (itemOf, isWanted, options.Imaging.MaxFileBytes, options.SharesFiles);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _budget = new ByteBudget(budget) { Freed = Wake };
    }

    /// <summary>The inputs, in order. From the first with an image at an address on, a thread of its own reads them.</summary>
    /// <param name="source">The inputs.</param>
    public IEnumerable<T> Of(IEnumerable<T> source)
    {
        using var inner = source.GetEnumerator();
        while (inner.MoveNext())
        {
            var isRemote = Begin(inner.Current);
            yield return inner.Current;
            if (!isRemote)
                continue;
            foreach (var input in Ahead(inner))
                yield return input;
        }
    }

    /// <summary>Gives back what was read for an item.</summary>
    public static void Release(DatasetItem item)
    {
        foreach (var image in item.Images)
            (image as RemoteSource)?.Release();
    }

    /// <summary>Ends reading: those who wait for an image get <see cref="OperationCanceledException"/>.</summary>
    public void Stop()
    {
        _stop.Cancel();
        Wake();
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private IEnumerable<T> Ahead(IEnumerator<T> inner)
    {
        var reader = new Thread(() => Fill(inner)) { IsBackground = true, Name = "pristine-read-ahead" };
        reader.Start();
        try
        {
            while (TryDequeue(out var input))
                yield return input;
        }
        finally
        {
            // What was given out is still read: workers wait for it.
            _isLeft = true;
            Wake();
            reader.Join();
        }
        _failure?.Throw();
    }

    private bool TryDequeue(out T input)
    {
        lock (_gate)
        {
            while (_queue.Count == 0 && !_isEnded)
                Monitor.Wait(_gate);
            var isThere = _queue.TryDequeue(out input!);
            Monitor.PulseAll(_gate);
            return isThere;
        }
    }

    private void Fill(IEnumerator<T> inner)
    {
        try
        {
            while (WaitForRoom() && inner.MoveNext())
            {
                Begin(inner.Current);
                lock (_gate)
                {
                    _queue.Enqueue(inner.Current);
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception exception)
        {
            // Not hidden: thrown where the inputs end.
            _failure = ExceptionDispatchInfo.Capture(exception);
        }
        lock (_gate)
        {
            _isEnded = true;
            Monitor.PulseAll(_gate);
        }
    }

    private bool WaitForRoom()
    {
        lock (_gate)
        {
            // An empty queue is filled in any case: the bytes are held by workers then.
            while (!_stop.IsCancellationRequested && !_isLeft && _queue.Count > 0 && (_queue.Count >= MostItems || !_budget.HasRoom))
                Monitor.Wait(_gate);
            return !_stop.IsCancellationRequested && !_isLeft;
        }
    }

    /// <summary>Starts to read an item's images.</summary>
    /// <returns>Whether it has images at addresses.</returns>
    private bool Begin(T input)
    {
        var item = _itemOf(input);
        var remote = item.Images.OfType<RemoteSource>().ToArray();
        if (remote.Length == 0)
            return false;
        var fresh = _isWanted(input) ? [.. remote.Where(IsFresh)] : Array.Empty<RemoteSource>();
        var estimate = Interlocked.Read(ref _estimate);
        var share = fresh.Length == 0 ? null : _budget.Enter(item.HeldBytes + fresh.Length * estimate);
        foreach (var image in fresh)
            image.Begin(_limit, share!, estimate, _stop.Token)
                .ContinueWith(
                    Learn, CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return true;
    }

    /// <summary>Sizes of the past foretell those to come; each counts for an eighth.</summary>
    private void Learn(Task<FetchedBytes> fetched)
    {
        if (fetched.Result is { Length: > 0 and var length })
            Interlocked.Exchange(ref _estimate, (Interlocked.Read(ref _estimate) * 7 + length) / 8);
    }

    private bool IsFresh(RemoteSource image)
    {
        if (!_readsOnce || image.IsMember)
            return true;
        var key = XxHash128.HashToUInt128(MemoryMarshal.AsBytes(image.Address.AsSpan()));
        if (!_known.Add(key))
        {
            // Another item may be scored first, by another worker.
            if (_begun.TryGetValue(key, out var twin))
                image.Follow(twin);
            return false;
        }
        _begun[key] = image;
        _begunOrder.Enqueue(key);
        if (_begunOrder.Count > MostItems)
            _begun.Remove(_begunOrder.Dequeue());
        _knownOrder.Enqueue(key);
        if (_knownOrder.Count > KnownAddresses)
            _known.Remove(_knownOrder.Dequeue());
        return true;
    }

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }
}
