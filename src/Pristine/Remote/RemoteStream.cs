using System.Buffers;
using System.Threading.Channels;

namespace Pristine.Remote;

/// <summary>The version of what several streams read one after the other: that which the first has found.</summary>
internal sealed class RemoteVersion
{
    private string? _known;

    /// <summary>Notes the first version; false for one that differs from it. A server that tells none is believed.</summary>
    public bool Accepts(string? version) =>
        version == null || (Interlocked.CompareExchange(ref _known, version, null) ?? version) == version;
}

/// <summary>
/// What is at an address, read once from start to end. A thread of the pool reads ahead by some megabytes; after a cut the rest is asked
/// for, as long as it is of the same version.
/// </summary>
internal sealed class RemoteStream : InputStream
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Blocks that wait to be read.</summary>
    private const int MostBlocks = 16;

    private readonly RemoteAccess _access;
    private readonly string _address;
    private readonly RemoteVersion? _expected;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<(byte[] Block, int Length)> _blocks = Channel.CreateBounded<(byte[], int)>(MostBlocks);
    private readonly Task _reading;
    private byte[]? _block;
    private int _at;
    private int _end;

    /// <summary>Starts reading.</summary>
    /// <param name="access">Reads.</param>
    /// <param name="address">The address.</param>
    /// <param name="version">Of what earlier passes have read, which must be the same; null where that does not matter.</param>
    public RemoteStream(RemoteAccess access, string address, RemoteVersion? version = null)
    {
        (_access, _address, _expected) = (access, address, version);
        _reading = Task.Run(ReadAllAsync);
    }

    /// <summary>The version of what is read, once something was read; null where the server does not tell.</summary>
    public string? Version { get; private set; }

    /// <exception cref="RemoteException">The address cannot be read, or not be read on.</exception>
    protected override int ReadNext(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        while (_at == _end)
        {
            Return();
            if (!_blocks.Reader.TryRead(out var next))
            {
                if (!_blocks.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                    return 0;
                continue;
            }
            (_block, _at, _end) = (next.Block, 0, next.Length);
        }
        var length = Math.Min(buffer.Length, _end - _at);
        _block.AsSpan(_at, length).CopyTo(buffer);
        _at += length;
        return length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_stop.IsCancellationRequested)
        {
            _stop.Cancel();
            _reading.Wait();
            Return();
            while (_blocks.Reader.TryRead(out var left))
                ArrayPool<byte>.Shared.Return(left.Block);
            _stop.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Return()
    {
        if (_block is { } block)
            ArrayPool<byte>.Shared.Return(block);
        (_block, _at, _end) = (null, 0, 0);
    }

    /// <summary>Reads with as many attempts as it takes; what goes wrong is thrown where the stream is read.</summary>
    private async Task ReadAllAsync()
    {
        var progress = new Progress();
        var furthest = 0L;
        for (var failures = 0; ;)
        {
            TimeSpan wait;
            try
            {
                await ReadOnAsync(progress).ConfigureAwait(false);
                _blocks.Writer.Complete();
                return;
            }
            catch (RemoteException failure) when (failure.MayPass && !(failure.RetryAfter > _access.Options.MaxRetryAfter))
            {
                failures = progress.Position > furthest ? 1 : failures + 1;
                furthest = progress.Position;
                if (failures >= _access.Options.Attempts)
                {
                    _blocks.Writer.Complete(new RemoteException(
                        failure.Failure, $"{failure.Message} (after {progress.Position} bytes; gave up after {failures} failures in a row)",
                        failure));
                    return;
                }
                wait = _access.Options.WaitAfter(failures, failure.RetryAfter);
            }
            catch (Exception exception)
            {
                // Not hidden: thrown by Read.
                _blocks.Writer.Complete(exception);
                return;
            }
            try
            {
                await Task.Delay(wait, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException exception)
            {
                _blocks.Writer.Complete(exception);
                return;
            }
        }
    }

    /// <summary>How far reading has come, and of what.</summary>
    private sealed class Progress
    {
        public long Position { get; set; }

        public RemoteContent? First { get; set; }
    }

    private async Task ReadOnAsync(Progress progress)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var from = progress.First is { CanResume: true } ? progress.Position : 0;
        using var content = await _access.OpenAsync(_address, new RemoteRange(from), stall, _stop.Token).ConfigureAwait(false);
        if (progress.First == null && _expected?.Accepts(content.Version) == false)
            throw RemoteException.Changed();
        progress.First ??= content;
        // Seen by whoever reads, as it is written before the first block is given.
        Version = progress.First.Version;
        if (progress.Position > 0 && (content.Version == null || content.Version != progress.First.Version))
        {
            throw new RemoteException(RemoteFailure.Network, content.Version == null
                ? $"the connection was cut after {progress.Position} bytes, and the server does not tell the version (ETag), so that the " +
                $"rest may be another's"
                : $"the connection was cut after {progress.Position} bytes, and the file has changed since");
        }
        for (var at = content.Start; ;)
        {
            var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
            var isGiven = false;
            try
            {
                // What is here already is read once more where the server sends all.
                var skipped = (int)Math.Min(block.Length, Math.Max(0, progress.Position - at));
                var room = skipped > 0 ? skipped : block.Length;
                var length = await _access.ReadAsync(_address, content, block.AsMemory(0, room), stall, _stop.Token).ConfigureAwait(false);
                if (length == 0 && at < content.Length)
                    throw new RemoteException(RemoteFailure.Network, $"the answer ended after {at} of {content.Length} bytes")
                    {
                        MayPass = true,
                    };
                if (length == 0)
                    return;
                at += length;
                if (skipped > 0)
                    continue;
                stall.CancelAfter(Timeout.InfiniteTimeSpan);
                await _blocks.Writer.WriteAsync((block, length), _stop.Token).ConfigureAwait(false);
                isGiven = true;
                progress.Position = at;
            }
            finally
            {
                if (!isGiven)
                    ArrayPool<byte>.Shared.Return(block);
            }
        }
    }
}
