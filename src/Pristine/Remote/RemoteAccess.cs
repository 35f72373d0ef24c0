using System.Buffers;

namespace Pristine.Remote;

/// <summary>
/// Reads what is at addresses: with attempts, waits and limits as <see cref="RemoteOptions"/> says, from the stores that know the kind of
/// address. Safe to use from several threads; connections are shared and kept.
/// </summary>
public sealed class RemoteAccess : IDisposable
{
    private static readonly Lazy<RemoteAccess> Shared = new(() => new RemoteAccess());

    private readonly HttpStore _http;
    private readonly RemoteStore[] _stores;
    private readonly HostGates _gates;
    private readonly List<RemoteFile> _spooled = [];

    /// <summary>Prepares reading; nothing is connected to.</summary>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="stores">Where addresses are read from besides <c>http://</c> and <c>https://</c>.</param>
    /// <exception cref="ArgumentException">A limit makes no sense.</exception>
    public RemoteAccess(RemoteOptions? options = null, params IReadOnlyList<RemoteStore> stores)
    {
        ArgumentNullException.ThrowIfNull(stores);
        Options = options ?? new RemoteOptions();
        Options.Check();
        _http = new HttpStore(Options);
        _stores = [.. stores, _http];
        _gates = new HostGates(Options);
    }

    /// <summary>Limits.</summary>
    public RemoteOptions Options { get; }

    /// <summary>With the default limits, for datasets that are opened without another.</summary>
    internal static RemoteAccess Default => Shared.Value;

    /// <summary>Closes the connections.</summary>
    public void Dispose()
    {
        _http.Dispose();
        _gates.Dispose();
    }

    /// <summary>Held while a temporary file is made, read or removed.</summary>
    internal Lock SpoolGate { get; } = new();

    /// <summary>
    /// Notes a file that gets a temporary file; those of files that nobody reads are removed. They are kept until then, because a dataset
    /// is read in several passes; but one of many files must not fill the disk.
    /// </summary>
    internal void AddSpool(RemoteFile file)
    {
        foreach (var idle in _spooled.Where(other => other != file && !other.IsOpen).ToArray())
        {
            idle.ReleaseSpool();
            _spooled.Remove(idle);
        }
        if (!_spooled.Contains(file))
            _spooled.Add(file);
    }

    /// <summary>The store that reads an address.</summary>
    /// <exception cref="RemoteException">There is none.</exception>
    internal RemoteStore StoreOf(string address) => _stores.FirstOrDefault(store => store.Serves(address))
        ?? throw new RemoteException(RemoteFailure.Missing, RemoteAddress.WhyNot(address));

    /// <summary>
    /// Reads bytes at an address into memory: all, or a range. Nothing that goes wrong is an exception, but cancellation.
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="limit">The most bytes to read.</param>
    /// <param name="share">What it may hold of a budget; null for no bound but the limit.</param>
    /// <param name="estimate">Bytes that the share has for it already.</param>
    /// <param name="cancellation">Ends reading and waiting.</param>
    /// <param name="range">The bytes that are meant; by default all.</param>
    internal async Task<FetchedBytes> FetchAsync(
        string address, long limit, ByteBudget.Share? share, long estimate, CancellationToken cancellation, RemoteRange range = default)
    {
        limit = Math.Min(limit, Options.MaxImageBytes);
        var room = new Room(share, estimate);
        try
        {
            return await InAttemptsAsync(
                () => AttemptAsync(address, range, limit, room, cancellation), () => room.ResizeAsync(0, cancellation), cancellation)
                .ConfigureAwait(false);
        }
        catch (RemoteException failure)
        {
            return new FetchedBytes([], 0, failure);
        }
    }

    /// <summary>Reads a range of what is at an address into memory, and what there is to know of the whole.</summary>
    /// <param name="address">The address.</param>
    /// <param name="range">The bytes, with their number.</param>
    /// <param name="memory">Gets them.</param>
    /// <param name="cancellation">Ends reading and waiting.</param>
    /// <exception cref="RemoteException">It cannot be read, or is of another version than was asked for.</exception>
    internal Task<RemotePiece> ReadRangeAsync(
        string address, RemoteRange range, Memory<byte> memory, CancellationToken cancellation) =>
        InAttemptsAsync(() => AttemptAsync(address, range, memory, cancellation), () => Task.CompletedTask, cancellation);

    /// <summary>Does work as often as it takes, with waits between.</summary>
    /// <exception cref="RemoteException">The last failure; its message tells how often it was tried.</exception>
    private async Task<T> InAttemptsAsync<T>(Func<Task<T>> work, Func<Task> afterFailure, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan wait;
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (RemoteException failure)
            {
                await afterFailure().ConfigureAwait(false);
                if ((!failure.MayPass || attempt == Options.Attempts) && attempt == 1)
                    throw;
                if (!failure.MayPass || attempt == Options.Attempts)
                    throw Told(failure, $"{failure.Message}; gave up after {attempt} attempts");
                if (failure.RetryAfter > Options.MaxRetryAfter)
                    throw Told(failure, $"{failure.Message} and asks to come back in {failure.RetryAfter.Value.TotalSeconds:0} s");
                wait = Options.WaitAfter(attempt, failure.RetryAfter);
            }
            await Task.Delay(wait, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a content and waits for its first sign, with the store's failures and silence as exceptions of one kind.</summary>
    /// <exception cref="RemoteException">It cannot be read.</exception>
    internal async Task<RemoteContent> OpenAsync(
        string address, RemoteRange range, CancellationTokenSource stall, CancellationToken cancellation)
    {
        stall.CancelAfter(Options.Timeout);
        try
        {
            return await StoreOf(address).OpenAsync(address, range, stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw Silent("no answer", error);
        }
    }

    /// <summary>Reads some bytes of a content.</summary>
    /// <exception cref="RemoteException">The connection was cut, or is silent.</exception>
    internal async ValueTask<int> ReadAsync(
        string address, RemoteContent content, Memory<byte> buffer, CancellationTokenSource stall, CancellationToken cancellation)
    {
        stall.CancelAfter(Options.Timeout);
        try
        {
            return await content.Body.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw Silent("no data", error);
        }
        catch (Exception error) when (error is not (RemoteException or OperationCanceledException)
            && StoreOf(address).Explain(error) is { } failure)
        {
            throw failure;
        }
    }

    private RemoteException Silent(string what, Exception error) =>
        new(RemoteFailure.Network, $"{what} within {Options.Timeout.TotalSeconds:0.#} s", error) { MayPass = true };

    private static RemoteException Told(RemoteException failure, string message) => new(failure.Failure, message, failure)
    {
        RetryAfter = failure.RetryAfter,
    };

    private async Task<RemotePiece> AttemptAsync(
        string address, RemoteRange range, Memory<byte> memory, CancellationToken cancellation)
    {
        using var place = await _gates.EnterAsync(RemoteAddress.HostOf(address), cancellation).ConfigureAwait(false);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            using var content = await OpenAsync(address, range, stall, cancellation).ConfigureAwait(false);
            CheckVersion(content, range);
            var length = 0;
            for (int read; content.IsPart && length < memory.Length && (read = await ReadAsync(
                address, content, memory[length..], stall, cancellation).ConfigureAwait(false)) > 0;)
                length += read;
            var expected = Math.Min(memory.Length, (content.Length ?? long.MaxValue) - range.From);
            if (content.IsPart && length < expected)
                throw new RemoteException(RemoteFailure.Network, $"the answer ended after {length} of {expected} bytes") { MayPass = true };
            return new RemotePiece(length, content.IsPart, content.Length, content.Version);
        }
        catch (RemoteException failure) when (failure.RetryAfter is { } pause && pause <= Options.MaxRetryAfter)
        {
            place.Pause(pause);
            throw;
        }
    }

    private static void CheckVersion(RemoteContent content, RemoteRange range)
    {
        if (range.Version != null && content.Version != range.Version)
            throw RemoteException.Changed();
    }

    private async Task<FetchedBytes> AttemptAsync(
        string address, RemoteRange range, long limit, Room room, CancellationToken cancellation)
    {
        using var place = await _gates.EnterAsync(RemoteAddress.HostOf(address), cancellation).ConfigureAwait(false);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var started = Environment.TickCount64;
        try
        {
            using var content = await OpenAsync(address, range, stall, cancellation).ConfigureAwait(false);
            CheckVersion(content, range);
            if (range.IsPart && !content.IsPart)
                throw new RemoteException(RemoteFailure.Refused, "the server sends no ranges");
            var whole = range.Length is { } asked && content.Length - range.From is { } left ? Math.Min(asked, left) : content.Length;
            if (whole > limit)
                throw TooLong($"the file has {whole} bytes", limit);
            stall.CancelAfter(Timeout.InfiniteTimeSpan);
            await GrowAsync(room, whole ?? FirstBytes, place, cancellation).ConfigureAwait(false);
            // One byte more, so that the end is seen without another piece.
            var bytes = ArrayPool<byte>.Shared.Rent((int)(whole ?? FirstBytes) + 1);
            try
            {
                var length = 0;
                for (int read; (read = await ReadAsync(address, content, bytes.AsMemory(length), stall, cancellation)
                    .ConfigureAwait(false)) > 0;)
                {
                    length += read;
                    if (length > limit)
                        throw TooLong("the server sends more", limit);
                    if (Environment.TickCount64 - started > Options.Deadline.TotalMilliseconds)
                        throw new RemoteException(
                            RemoteFailure.Network, $"not whole within {Options.Deadline.TotalSeconds:0.#} s, after {length} bytes");
                    if (length < bytes.Length)
                        continue;
                    stall.CancelAfter(Timeout.InfiniteTimeSpan);
                    var more = (int)Math.Min(Array.MaxLength, Math.Min(limit + 1, bytes.Length * 2L));
                    await GrowAsync(room, more, place, cancellation).ConfigureAwait(false);
                    var larger = ArrayPool<byte>.Shared.Rent(more);
                    bytes.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(bytes);
                    bytes = larger;
                }
                if (length < whole)
                    throw new RemoteException(RemoteFailure.Network, $"the answer ended after {length} of {whole} bytes")
                    {
                        MayPass = true,
                    };
                await room.ResizeAsync(length, cancellation).ConfigureAwait(false);
                return new FetchedBytes(bytes, length, null);
            }
            catch
            {
                ArrayPool<byte>.Shared.Return(bytes);
                throw;
            }
        }
        catch (RemoteException failure) when (failure.RetryAfter is { } pause && pause <= Options.MaxRetryAfter)
        {
            place.Pause(pause);
            throw;
        }
    }

    private static RemoteException TooLong(string found, long limit) => new(RemoteFailure.Refused, $"{found}; at most {limit} are read");

    /// <summary>
    /// Waits for room. Others may use the connection's place meanwhile: an older image may need it, and give back its room after that.
    /// </summary>
    private static async Task GrowAsync(Room room, long bytes, HostGates.Place place, CancellationToken cancellation)
    {
        var growing = room.ResizeAsync(bytes, cancellation);
        if (!growing.IsCompleted)
            place.Dispose();
        await growing.ConfigureAwait(false);
    }

    private const int FirstBytes = 64 << 10;

    /// <summary>What one image holds of its item's share of a budget.</summary>
    private sealed class Room(ByteBudget.Share? share, long held)
    {
        private long _held = held;

        public Task ResizeAsync(long bytes, CancellationToken cancellation)
        {
            var more = bytes - _held;
            _held = bytes;
            return share == null || more == 0 ? Task.CompletedTask : share.GrowAsync(more, cancellation);
        }
    }
}

/// <summary>What came of a range.</summary>
/// <param name="Length">Bytes that were read; fewer than asked for where the content ends.</param>
/// <param name="IsPart">False where the server sends no ranges; nothing was read then.</param>
/// <param name="Whole">The size of the whole content; null where the server does not tell.</param>
/// <param name="Version">The content's version; null where the server does not tell.</param>
internal readonly record struct RemotePiece(int Length, bool IsPart, long? Whole, string? Version);

/// <summary>The bytes at an address, in memory that is used again; or why they are not here.</summary>
/// <param name="memory">The memory.</param>
/// <param name="length">How much of it counts.</param>
/// <param name="failure">Null when the bytes are here.</param>
internal sealed class FetchedBytes(byte[] memory, int length, RemoteException? failure) : IDisposable
{
    private byte[]? _memory = memory;

    public RemoteException? Failure => failure;

    public int Length => length;

    public ReadOnlySpan<byte> Span => (_memory ?? throw new ObjectDisposedException(nameof(FetchedBytes))).AsSpan(0, length);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _memory, null) is { Length: > 0 } memory)
            ArrayPool<byte>.Shared.Return(memory);
    }
}
