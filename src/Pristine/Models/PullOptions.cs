namespace Pristine.Models;

/// <summary>How <see cref="ModelStore.PullAsync"/> downloads.</summary>
public sealed record PullOptions
{
    /// <summary>
    /// Address of the folder (http, https or file) that holds the files instead of those in the catalog; null for the catalog's.
    /// </summary>
    public Uri? From { get; init; }

    /// <summary>
    /// What to do with files whose hash the catalog does not know. With <see cref="From"/>, trust extends to files that differ from the
    /// released ones: own weights on an own server. Without it a known hash is always enforced.
    /// </summary>
    public UnknownFiles Unknown { get; init; } = UnknownFiles.Refuse;

    /// <summary>
    /// How long a server may show no sign: until it answers, and between two pieces of data. Whole downloads may take any time.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Give up after so many failures in a row without a byte more than before. At least 1.</summary>
    public int MaxFailures { get; init; } = 6;

    /// <summary>Wait after the first failure; it doubles with each that follows, and is shortened at random by up to half.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait of our own choice; a server that asks for up to two minutes gets them.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>True when the caller vouches for what <see cref="From"/> holds, so that it need not be what was released.</summary>
    internal bool Vouched => From != null && Unknown == UnknownFiles.Trust;

    /// <summary>Where a file is downloaded from, or null when no address is known.</summary>
    internal Uri? AddressOf(ModelFile file)
    {
        if (From == null)
            return file.Url;
        var address = new UriBuilder(From);
        address.Path = $"{address.Path.TrimEnd('/')}/{Uri.EscapeDataString(file.Name)}";
        return address.Uri;
    }

    internal void Check()
    {
        if (From is { } from
            && !(from.IsAbsoluteUri && (from.IsFile || from.Scheme == Uri.UriSchemeHttp || from.Scheme == Uri.UriSchemeHttps)))
            throw new ArgumentException(
                $"{nameof(From)}: expected an address that starts with https://, http:// or file://; found '{from}'.");
        if (Timeout <= TimeSpan.Zero || FirstDelay < TimeSpan.Zero || MaxDelay < FirstDelay)
            throw new ArgumentException(
                $"Expected {nameof(Timeout)} above 0, {nameof(FirstDelay)} of 0 or more, and {nameof(MaxDelay)} not below it; found " +
                $"{Timeout}, {FirstDelay}, {MaxDelay}.");
        if (MaxFailures < 1)
            throw new ArgumentException($"{nameof(MaxFailures)}: expected at least 1; found {MaxFailures}.");
    }
}

/// <summary>How a download goes; reported from one thread at a time, in order.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="File">Name of the file; null before the first.</param>
/// <param name="Received">Bytes of it that are on disk, those of earlier attempts included.</param>
/// <param name="Total">Its size, or null when neither the catalog nor the server tells.</param>
/// <param name="Notice">Something a person should know, such as a failure that is retried; null for mere progress.</param>
public sealed record PullProgress(string Model, string? File, long Received, long? Total, string? Notice = null);

/// <summary>A model that was asked for.</summary>
/// <param name="Model">The model as it stands in the store.</param>
/// <param name="Downloaded">False when a sound one was there already.</param>
public sealed record PulledModel(StoredModel Model, bool Downloaded);
