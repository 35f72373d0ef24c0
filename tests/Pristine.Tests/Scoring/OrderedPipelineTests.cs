using Pristine.Scoring;

namespace Pristine.Tests.Scoring;

public class OrderedPipelineTests
{
    private sealed class Worker(Action onDispose) : IDisposable
    {
        public void Dispose() => onDispose();
    }

    private static IEnumerable<int> Run(
        IEnumerable<int> source, Func<int, int> work, int workers = 3, int capacity = 8, Action? onDispose = null,
        CancellationToken? cancellation = null) =>
        OrderedPipeline<int, int, Worker>.Run(
            source, workers, capacity, () => new Worker(onDispose ?? (() => { })), (_, input) => work(input),
            cancellation ?? TestContext.Current.CancellationToken);

    /// <summary>Gives 1 and 2 at once, and 3 when it is let.</summary>
    private static IEnumerable<int> SilentAfterTwo(ManualResetEventSlim answer)
    {
        yield return 1;
        yield return 2;
        answer.Wait(CancellationToken.None);
        yield return 3;
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 8)]
    [InlineData(8, 64)]
    public void Keeps_the_order_whatever_finishes_first(int workers, int capacity)
    {
        var random = new Random(1);
        var spins = Enumerable.Range(0, 500).Select(_ => random.Next(20_000)).ToArray();
        var results = Run(Enumerable.Range(0, 500), i => { Thread.SpinWait(spins[i]); return i * 2; }, workers, capacity);
        Assert.Equal(Enumerable.Range(0, 500).Select(i => i * 2), results);
    }

    [Fact]
    public void Takes_no_more_than_its_window_ahead_of_the_consumer()
    {
        var taken = 0;
        IEnumerable<int> Source()
        {
            for (var i = 0; i < 1000; i++)
            {
                Interlocked.Increment(ref taken);
                yield return i;
            }
        }
        var consumed = 0;
        foreach (var _ in Run(Source(), i => i, workers: 4, capacity: 16))
        {
            consumed++;
            Assert.InRange(Volatile.Read(ref taken), consumed, consumed + 16);
        }
        Assert.Equal(1000, consumed);
    }

    [Fact]
    public void Takes_no_more_bytes_than_its_budget_ahead_of_the_consumer()
    {
        const long weight = 100 << 20;
        var taken = 0;
        var source = Enumerable.Range(0, 50).Select(i => { Interlocked.Increment(ref taken); return i; });
        var consumed = 0;
        var results = OrderedPipeline<int, int, Worker>.Run(
            source, 4, 16, () => new Worker(() => { }), (_, input) => input, TestContext.Current.CancellationToken, input =>
                input == 30 ? 10 * weight : weight);
        foreach (var result in results)
        {
            Assert.Equal(consumed++, result);
            // Below 256 MiB one more is taken.
            Assert.InRange(Volatile.Read(ref taken), consumed, consumed + 3);
        }
        Assert.Equal(50, consumed);
    }

    [Fact]
    public void Gives_what_came_before_a_failing_source_then_throws_its_exception()
    {
        static IEnumerable<int> Source()
        {
            for (var i = 0; i < 10; i++)
                yield return i;
            throw new InvalidDataException("line 11");
        }
        var seen = new List<int>();
        var exception = Assert.Throws<InvalidDataException>(() => seen.AddRange(Run(Source(), i => { Thread.Sleep(i % 3); return i; })));
        Assert.Equal("line 11", exception.Message);
        Assert.Equal(Enumerable.Range(0, 10), seen);
    }

    [Fact]
    public void A_failing_worker_ends_the_run_with_its_exception()
    {
        var seen = new List<int>();
        Assert.Throws<InvalidOperationException>(
            () => seen.AddRange(Run(Enumerable.Range(0, 1000), i => i == 20 ? throw new InvalidOperationException() : i)));
        Assert.Equal(Enumerable.Range(0, seen.Count), seen);
        Assert.InRange(seen.Count, 0, 20);
    }

    [Fact]
    public void Cancellation_gives_finished_results_then_throws()
    {
        using var cancellation = new CancellationTokenSource();
        var seen = new List<int>();
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var result in Run(Enumerable.Range(0, 100_000), i => i, cancellation: cancellation.Token))
            {
                seen.Add(result);
                if (seen.Count == 100)
                    cancellation.Cancel();
            }
        });
        Assert.Equal(Enumerable.Range(0, seen.Count), seen);
        Assert.InRange(seen.Count, 100, 120);
    }

    [Fact]
    public void Cancellation_ends_a_run_whose_source_never_answers()
    {
        using var cancellation = new CancellationTokenSource();
        using var answer = new ManualResetEventSlim();
        using var freed = new CountdownEvent(3);
        var results = new List<int>();
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var result in Run(SilentAfterTwo(answer), i => i, onDispose: () => freed.Signal(), cancellation: cancellation.Token))
            {
                results.Add(result);
                if (results.Count == 2)
                    cancellation.Cancel();
            }
        });
        Assert.Equal([1, 2], results);
        // The threads end when the source lets them.
        answer.Set();
        freed.Wait(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_failure_or_a_consumer_that_leaves_ends_a_run_whose_source_never_answers(bool fails)
    {
        using var answer = new ManualResetEventSlim();
        using var freed = new CountdownEvent(3);
        var results = Run(
            SilentAfterTwo(answer), i => fails && i == 2 ? throw new InvalidOperationException() : i, onDispose: () => freed.Signal());
        if (fails)
            Assert.Throws<InvalidOperationException>(() => results.Count());
        else
            Assert.Equal([1, 2], results.Take(2));
        // The threads end when the source lets them.
        answer.Set();
        freed.Wait(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Cancellation_ends_a_run_whose_worker_hangs()
    {
        using var cancellation = new CancellationTokenSource();
        using var answer = new ManualResetEventSlim();
        using var freed = new CountdownEvent(3);
        using var hangs = new ManualResetEventSlim();
        int Work(int input)
        {
            if (input != 20)
                return input;
            hangs.Set();
            answer.Wait(CancellationToken.None);
            return input;
        }
        var results = new List<int>();
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var result in Run(
                Enumerable.Range(0, 1000), Work, onDispose: () => freed.Signal(), cancellation: cancellation.Token))
            {
                results.Add(result);
                if (result < 19)
                    continue;
                hangs.Wait(TestContext.Current.CancellationToken);
                cancellation.Cancel();
            }
        });
        // What was finished behind the one that hangs is not given: results are in order.
        Assert.Equal(Enumerable.Range(0, 20), results);
        answer.Set();
        freed.Wait(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_consumer_that_stops_early_frees_every_worker()
    {
        var disposed = 0;
        Assert.Equal([0, 1, 2], Run(
            Enumerable.Range(0, int.MaxValue), i => i, workers: 4, onDispose: () => Interlocked.Increment(ref disposed)).Take(3));
        Assert.Equal(4, disposed);
    }

    [Fact]
    public void An_empty_source_gives_nothing() => Assert.Empty(Run([], i => i));
}
