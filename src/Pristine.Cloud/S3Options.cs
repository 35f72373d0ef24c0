namespace Pristine.Cloud;

/// <summary>Where buckets are, and as whom they are read.</summary>
public sealed record S3Options
{
    /// <summary>
    /// The server, for example <c>https://storage.googleapis.com</c> or <c>http://minio:9000</c>; null for the environment's
    /// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else Amazon's.
    /// </summary>
    public Uri? Endpoint { get; init; }

    /// <summary>
    /// Whether a bucket is in the path of an address (<c>https://host/bucket/key</c>) and not in its host; null for yes with an endpoint of
    /// one's own, else no.
    /// </summary>
    public bool? PathStyle { get; init; }

    /// <summary>The region; null for AWS_REGION, the profile's, or us-east-1 with an endpoint of one's own.</summary>
    public string? Region { get; init; }

    /// <summary>
    /// Whether requests are not signed, as for public buckets. Default false: environment, profile, container or machine say who asks.
    /// </summary>
    public bool Anonymous { get; init; }

    /// <summary>Requests at a time. Default 32.</summary>
    public int MaxConnections { get; init; } = 32;

    /// <summary>How often listing and writing are tried. Default 5. Reading is tried again by <see cref="Remote.RemoteAccess"/>.</summary>
    public int Attempts { get; init; } = 5;
}
