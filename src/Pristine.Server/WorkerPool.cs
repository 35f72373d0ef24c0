using System.Collections.Concurrent;

namespace Pristine.Server;

/// <summary>A fixed number of workers with memory of their own, lent to one request at a time; others wait.</summary>
/// <typeparam name="T">The worker.</typeparam>
/// <param name="count">How many there are at most; each is made when it is first needed.</param>
/// <param name="create">Makes one.</param>
internal sealed class WorkerPool<T>(int count, Func<T> create) : IDisposable
    where T : class, IDisposable
{
    private readonly SemaphoreSlim _free = new(count);
    private readonly ConcurrentBag<T> _idle = [];

    /// <summary>
    /// Lends a worker to some work, which runs on a thread of the pool: decoding is nothing that can wait asynchronously.
    /// </summary>
    public async Task<TResult> RunAsync<TResult>(Func<T, TResult> work, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        try
        {
            return await Task.Run(
                () =>
                {
                    var worker = _idle.TryTake(out var idle) ? idle : create();
                    // A worker that has thrown is in an unknown state, and is not lent again.
                    var result = Use(worker, work);
                    _idle.Add(worker);
                    return result;
                },
                cancellation);
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var worker))
            worker.Dispose();
        _free.Dispose();
    }

    private static TResult Use<TResult>(T worker, Func<T, TResult> work)
    {
        try
        {
            return work(worker);
        }
        catch
        {
            worker.Dispose();
            throw;
        }
    }
}
