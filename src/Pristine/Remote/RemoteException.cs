namespace Pristine.Remote;

/// <summary>Why an address could not be read.</summary>
public enum RemoteFailure
{
    /// <summary>The network or the server failed; another time it may go well.</summary>
    Network,

    /// <summary>The server says that there is nothing.</summary>
    Missing,

    /// <summary>It may not be read: the server forbids it, or a limit or setting here does.</summary>
    Refused,
}

/// <summary>An address that could not be read or written. The message says why in one line, without the address.</summary>
/// <param name="failure">The kind of failure.</param>
/// <param name="message">What happened, without a full stop.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class RemoteException(RemoteFailure failure, string message, Exception? innerException = null)
    : IOException(message, innerException)
{
    /// <summary>The kind of failure.</summary>
    public RemoteFailure Failure => failure;

    /// <summary>Whether it is worth while to try again at once; only for <see cref="RemoteFailure.Network"/>.</summary>
    public bool MayPass { get; init; }

    /// <summary>The exception for a content whose parts would be of several versions.</summary>
    internal static RemoteException Changed() => new(RemoteFailure.Network, "the file has changed since it was first read");

    /// <summary>How long the server asks to wait; null for nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
