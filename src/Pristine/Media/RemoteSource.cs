using Pristine.Kernels;
using Pristine.Remote;

namespace Pristine.Media;

/// <summary>
/// What is at an address: <c>https://host/a.jpg</c>, <c>s3://bucket/a.jpg</c>. A run starts to read it before its turn comes.
/// </summary>
public sealed class RemoteSource : MediaSource
{
    private readonly RemoteAccess _access;
    private readonly SourceStamp? _stamp;
    private readonly RemoteRange _range;
    private readonly Func<ReadOnlySpan<byte>, ReusableBuffer, DecodeResult?>? _unpack;
    private readonly Lock _gate = new();
    private ByteBudget.Share? _share;
    private Task<FetchedBytes>? _fetching;
    private RemoteSource? _twin;

    /// <summary>Names an address; nothing is connected to.</summary>
    /// <param name="reference">The address as the dataset writes it, or a path below the address of a folder.</param>
    /// <param name="address">The address to read.</param>
    /// <param name="access">Reads it.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="stamp">Its size and time where a list tells them; null where nothing is known.</param>
    public RemoteSource(string reference, string address, RemoteAccess access, MediaKind kind = MediaKind.Image, SourceStamp? stamp = null)
        : base(reference, kind)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentException.ThrowIfNullOrEmpty(address);
        ArgumentNullException.ThrowIfNull(access);
        (Address, _access, _stamp) = (address, access, stamp);
    }

    /// <summary>Names a part of what is at an address: a member of an archive.</summary>
    /// <param name="reference">The name that results show.</param>
    /// <param name="address">The address to read.</param>
    /// <param name="access">Reads it.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="range">The bytes that are read.</param>
    /// <param name="unpack">Makes the content of them.</param>
    internal RemoteSource(
        string reference, string address, RemoteAccess access, MediaKind kind, RemoteRange range,
        Func<ReadOnlySpan<byte>, ReusableBuffer, DecodeResult?> unpack)
        : this(reference, address, access, kind) => (_range, _unpack) = (range, unpack);

    /// <summary>The address that is read.</summary>
    public string Address { get; }

    /// <summary>True for a member of an archive; false for all that is at an address.</summary>
    internal bool IsMember => _unpack != null;

    internal override string HeldBy => Address;

    internal override string? SharedName => IsMember ? null : Address;

    /// <summary>
    /// Null where no list has told it: what is at an address counts as unchanged then. To ask the server for each image would take as long
    /// as to read it.
    /// </summary>
    public override SourceStamp? Stamp() => _stamp;

    /// <summary>Starts reading; <see cref="Read"/> waits for the end. Only for the thread that has made the source.</summary>
    /// <param name="limit">The most bytes to read.</param>
    /// <param name="share">What the source's item may hold of the bytes that are read ahead.</param>
    /// <param name="estimate">How many of them are meant for this source.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <returns>The size, once it is known; 0 where nothing was read.</returns>
    internal Task<FetchedBytes> Begin(long limit, ByteBudget.Share share, long estimate, CancellationToken cancellation)
    {
        _share = share;
        // Not on this thread: looking for the address of a host can block.
        return _fetching = Task.Run(() => _access.FetchAsync(
            Address, MostOf(limit), share, estimate, cancellation, _range), cancellation);
    }

    /// <summary>Names a source of the same address that is read ahead: whichever of the two is asked for first takes what comes.</summary>
    internal void Follow(RemoteSource twin) => _twin = twin;

    /// <summary>Forgets what was read ahead; the source can still be read.</summary>
    internal void Release()
    {
        _twin = null;
        Task<FetchedBytes>? fetching;
        lock (_gate)
            (fetching, _fetching) = (_fetching, null);
        fetching?.ContinueWith(
            static fetched =>
                fetched.Result.Dispose(), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _share?.Leave();
    }

    /// <exception cref="OperationCanceledException">The run that reads ahead has ended.</exception>
    internal override DecodeResult? Read(long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        if (_fetching is { } fetching)
            return Take(fetching.GetAwaiter().GetResult(), limit, buffer);
        if (_twin is { } twin && twin._fetching is { } shared)
        {
            var bytes = shared.GetAwaiter().GetResult();
            // The twin's item may be done meanwhile, and its bytes given back.
            lock (twin._gate)
            {
                if (twin._fetching == shared)
                    return Take(bytes, limit, buffer);
            }
        }
        using var fetched = Task.Run(() => _access.FetchAsync(
            Address, MostOf(limit), null, 0, CancellationToken.None, _range)).GetAwaiter().GetResult();
        return Take(fetched, limit, buffer);
    }

    /// <summary>A member has a header besides its content, whose size is checked when it is unpacked.</summary>
    private long MostOf(long limit) => IsMember ? Math.Max(limit, _range.Length ?? 0) : limit;

    /// <summary>What a failure is as a result.</summary>
    internal static DecodeResult Failed(RemoteException failure)
    {
        var status = failure.Failure switch
        {
            RemoteFailure.Missing => ImageStatus.Missing,
            RemoteFailure.Refused => ImageStatus.Unreadable,
            _ => ImageStatus.Network,
        };
        return new DecodeResult(status, DecodeResult.OneLine(failure.Message), null);
    }

    private DecodeResult? Take(FetchedBytes fetched, long limit, ReusableBuffer buffer)
    {
        if (fetched.Failure is { } failure)
            return Failed(failure);
        if (_unpack != null)
            return _unpack(fetched.Span, buffer);
        if (fetched.Length > limit)
            return DecodeResult.Unreadable($"the file has {fetched.Length} bytes; at most {limit} are read");
        fetched.Span.CopyTo(buffer.Resize(fetched.Length));
        return null;
    }
}
