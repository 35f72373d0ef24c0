namespace Pristine.Remote;

/// <summary>Reads the addresses of one kind. Waiting, limits and attempts are not its business.</summary>
public abstract class RemoteStore
{
    /// <summary>True for the addresses that it reads.</summary>
    /// <param name="address">An address.</param>
    public abstract bool Serves(string address);

    /// <summary>Asks for the content of an address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="range">The bytes to send; a server that knows no ranges may send all.</param>
    /// <param name="cancellation">Ends the request.</param>
    /// <exception cref="RemoteException">It cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    public abstract Task<RemoteContent> OpenAsync(string address, RemoteRange range, CancellationToken cancellation);

    /// <summary>What there is under addresses that start so, in the store's order.</summary>
    /// <param name="prefix">The beginning of the addresses.</param>
    /// <param name="cancellation">Ends listing.</param>
    /// <exception cref="RemoteException">It cannot be listed.</exception>
    public virtual IEnumerable<RemoteEntry> List(string prefix, CancellationToken cancellation) =>
        throw new RemoteException(RemoteFailure.Refused, "addresses of this kind cannot be listed");

    /// <summary>Starts to write to an address.</summary>
    /// <param name="address">The address.</param>
    /// <exception cref="RemoteException">It cannot be written to.</exception>
    public virtual UploadStream Create(string address) =>
        throw new RemoteException(RemoteFailure.Refused, "addresses of this kind cannot be written to");

    /// <summary>What an exception while a body is read means; null for one that is a bug.</summary>
    /// <param name="exception">The exception.</param>
    public virtual RemoteException? Explain(Exception exception) => exception switch
    {
        RemoteException known => known,
        InvalidDataException => new RemoteException(RemoteFailure.Network, "the answer is compressed, and damaged or cut off", exception)
        {
            MayPass = true,
        },
        IOException or HttpRequestException => new RemoteException(
            RemoteFailure.Network, $"the connection was cut: {exception.GetBaseException().Message.TrimEnd('.', ' ')}", exception)
        { MayPass = true },
        _ => null,
    };
}

/// <summary>Which bytes of a content are asked for.</summary>
/// <param name="From">The first byte.</param>
/// <param name="Length">How many bytes; null for all that follow.</param>
/// <param name="Version">
/// The version that they must be of, as <see cref="RemoteContent.Version"/> tells it; null for any. A store passes it on to servers that
/// can check it; whoever reads compares in any case.
/// </param>
public readonly record struct RemoteRange(long From, long? Length = null, string? Version = null)
{
    /// <summary>True when it is not the whole content.</summary>
    internal bool IsPart => From > 0 || Length != null;
}

/// <summary>A content on its way here.</summary>
/// <param name="body">The bytes; closed with this object.</param>
/// <param name="owner">What is freed with the content; null for nothing else.</param>
public sealed class RemoteContent(Stream body, IDisposable? owner = null) : IDisposable
{
    /// <summary>The bytes from <see cref="Start"/> on.</summary>
    public Stream Body => body;

    /// <summary>Where the body starts: the byte that was asked for, or 0 where the server has sent all.</summary>
    public long Start { get; init; }

    /// <summary>True when the server sends the range that was asked for, and not all that it has.</summary>
    public bool IsPart { get; init; }

    /// <summary>The size of the whole content; null where it is not known.</summary>
    public long? Length { get; init; }

    /// <summary>Tells one version of the content from another, as an ETag does; null where nothing is known.</summary>
    public string? Version { get; init; }

    /// <summary>Whether the rest can be asked for after a cut.</summary>
    public bool CanResume { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        body.Dispose();
        owner?.Dispose();
    }
}
