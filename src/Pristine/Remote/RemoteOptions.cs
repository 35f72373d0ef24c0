using System.Net;

namespace Pristine.Remote;

/// <summary>Limits of what is read from addresses.</summary>
public sealed record RemoteOptions
{
    /// <summary>
    /// Whether addresses may lead to hosts that are not public: loopback, private, link-local and other reserved ranges. Datasets come from
    /// anywhere, and their addresses are opened from within the user's network. What counts is the address that is connected to, also after
    /// redirects. Default false.
    /// </summary>
    public bool AllowPrivateHosts { get; init; }

    /// <summary>Requests to one host at a time. Default 32, at least 1.</summary>
    public int MaxConnectionsPerHost { get; init; } = 32;

    /// <summary>Requests to all hosts together at a time. Default 256, at least 1.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>How long a server may show no sign: until it answers, and between two pieces of data. Default 30 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one attempt to read an image may take in all. Default 5 minutes.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How often an image is asked for before it fails; an input that is read as a stream fails after so many attempts without a new byte.
    /// Default 5, at least 1.
    /// </summary>
    public int Attempts { get; init; } = 5;

    /// <summary>
    /// Wait after the first failure; it doubles with each that follows, and is shortened at random by up to half. Default half a second.
    /// </summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(.5);

    /// <summary>The longest wait of our own choice. Default 20 seconds.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The longest wait that a server may ask for (Retry-After); one that asks for more is given up. Default 2 minutes.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Redirects that are followed. Default 5; 0 for none.</summary>
    public int MaxRedirects { get; init; } = 5;

    /// <summary>The most bytes that are read of an image at an address. Default 256 MiB, at least 1.</summary>
    public long MaxImageBytes { get; init; } = 256 << 20;

    /// <summary>
    /// The most bytes that are read into a temporary file of a dataset that must be read in places (Parquet, zip), where the server sends
    /// no ranges. Default 4 GiB; 0 to refuse such servers.
    /// </summary>
    public long MaxSpoolBytes { get; init; } = 4L << 30;

    /// <summary>Finds the addresses of a host; for tests.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>Tells an address that is not public; for tests.</summary>
    internal Func<IPAddress, bool> IsPrivate { get; init; } = PrivateAddresses.Contain;

    /// <summary>The wait before the next attempt.</summary>
    /// <param name="failures">Failures so far, at least 1.</param>
    /// <param name="retryAfter">What the server asks for; null for nothing.</param>
    internal TimeSpan WaitAfter(int failures, TimeSpan? retryAfter) => Backoff.Wait(failures, FirstDelay, MaxDelay, retryAfter);

    /// <exception cref="ArgumentException">A limit makes no sense.</exception>
    internal void Check()
    {
        if (MaxConnectionsPerHost < 1 || MaxConnections < 1 || Attempts < 1 || MaxRedirects < 0 || MaxImageBytes < 1
            || MaxSpoolBytes < 0)
        {
            throw new ArgumentException(
                $"Expected at least 1 for {nameof(MaxConnectionsPerHost)}, {nameof(MaxConnections)}, {nameof(Attempts)} and " +
                $"{nameof(MaxImageBytes)}, and 0 or more for {nameof(MaxRedirects)} and {nameof(MaxSpoolBytes)}; " +
                $"found {MaxConnectionsPerHost}, {MaxConnections}, {Attempts}, {MaxImageBytes}, {MaxRedirects} and {MaxSpoolBytes}.");
        }
        if (Timeout <= TimeSpan.Zero || Deadline <= TimeSpan.Zero || FirstDelay < TimeSpan.Zero || MaxDelay < FirstDelay
            || MaxRetryAfter < TimeSpan.Zero)
        {
            throw new ArgumentException(
                $"Expected {nameof(Timeout)} and {nameof(Deadline)} above 0, {nameof(FirstDelay)} and {nameof(MaxRetryAfter)} of 0 or " +
                $"more, and {nameof(MaxDelay)} not below {nameof(FirstDelay)}; " +
                $"found {Timeout}, {Deadline}, {FirstDelay}, {MaxRetryAfter} and {MaxDelay}.");
        }
    }
}
