using System.Globalization;
using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Pristine.Remote;

namespace Pristine.Cloud;

/// <summary>
/// <c>s3://bucket/key</c>: S3, and whatever speaks its protocol. Keys stand in addresses as they are, nothing is escaped.
/// </summary>
public sealed class S3Store : RemoteStore, IDisposable
{
    private const string Google = "https://storage.googleapis.com";

    private readonly string _scheme;
    private readonly S3Options _options;
    private readonly Lazy<AmazonS3Client> _reader;
    private readonly Lazy<AmazonS3Client> _writer;

    /// <summary>Prepares access; nothing is connected to, and credentials are looked for when the first address is read.</summary>
    /// <param name="options">Where and as whom; null for the defaults.</param>
    public S3Store(S3Options? options = null)
        : this("s3://", options ?? new S3Options())
    {
    }

    private S3Store(string scheme, S3Options options)
    {
        (_scheme, _options) = (scheme, options);
        // Whoever reads tries again himself; listing and writing are left to the client.
        _reader = new(() => Client(attempts: 1));
        _writer = new(() => Client(_options.Attempts));
    }

    /// <summary>
    /// <c>gs://bucket/key</c>: Google's buckets, which speak the protocol of S3 at an address of their own. Credentials are the keys that
    /// Google gives out for that (HMAC), found as Amazon's are.
    /// </summary>
    /// <param name="options">As whom; an endpoint that is not named is Google's.</param>
    public static S3Store OfGoogle(S3Options? options = null)
    {
        options ??= new S3Options();
        return new S3Store("gs://", options with { Endpoint = options.Endpoint ?? new Uri(Google), Region = options.Region ?? "auto" });
    }

    /// <inheritdoc/>
    public override bool Serves(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.StartsWith(_scheme, StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public override async Task<RemoteContent> OpenAsync(string address, RemoteRange range, CancellationToken cancellation)
    {
        var (bucket, key) = Parts(address);
        var request = new GetObjectRequest { BucketName = bucket, Key = key };
        if (range is { From: > 0 } or { Length: not null })
            request.ByteRange = new ByteRange($"bytes={range.From}-{range.From + range.Length - 1}");
        if (range.Version != null)
            request.EtagToMatch = range.Version;
        try
        {
            var response = await _reader.Value.GetObjectAsync(request, cancellation).ConfigureAwait(false);
            // A server without ranges sends all.
            var isPart = response.HttpStatusCode == HttpStatusCode.PartialContent;
            var start = isPart ? range.From : 0;
            return new RemoteContent(response.ResponseStream, response)
            {
                Start = start,
                IsPart = isPart,
                Length = isPart && long.TryParse(
                    response.ContentRange?.Split('/')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var whole)
                    ? whole : start + response.ContentLength,
                Version = response.ETag,
                CanResume = true,
            };
        }
        catch (Exception exception) when (Explain(exception) is { } failure)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<RemoteEntry> List(string prefix, CancellationToken cancellation)
    {
        var (bucket, key) = Parts(prefix, isKeyNeeded: false);
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = key };
        for (var next = ListAsync(request, cancellation); next != null;)
        {
            var page = next.GetAwaiter().GetResult();
            request.ContinuationToken = page.NextContinuationToken;
            // The next page comes while this one is worked on.
            next = page.IsTruncated == true ? ListAsync(request, cancellation) : null;
            foreach (var found in page.S3Objects ?? [])
                yield return new RemoteEntry(
                    $"{_scheme}{bucket}/{found.Key}", found.Size ?? 0, found.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch);
        }
    }

    /// <inheritdoc/>
    public override UploadStream Create(string address)
    {
        var (bucket, key) = Parts(address);
        return S3UploadStream.Start(_writer.Value, this, bucket, key);
    }

    /// <inheritdoc/>
    public override RemoteException? Explain(Exception exception) => exception switch
    {
        AmazonServiceException { StatusCode: HttpStatusCode.NotFound } missing => new(RemoteFailure.Missing, Message(missing), missing),
        AmazonServiceException
        {
            StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
            or >= HttpStatusCode.InternalServerError
        } failed =>
            new(RemoteFailure.Network, Message(failed), failed) { MayPass = failed.StatusCode != HttpStatusCode.NotImplemented },
        AmazonServiceException { StatusCode: 0 } cut => new(RemoteFailure.Network, Message(cut), cut) { MayPass = true },
        AmazonServiceException { StatusCode: HttpStatusCode.PreconditionFailed } changed =>
            new(RemoteFailure.Network, "the file has changed since it was first read", changed),
        AmazonServiceException refused => new(RemoteFailure.Refused, Message(refused), refused),
        // No credentials, or a content whose checksum is wrong.
        AmazonClientException client when client.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) =>
            new(RemoteFailure.Refused, $"{OneLine(client.Message)}; --s3-anonymous reads public buckets without", client),
        AmazonClientException client => new(RemoteFailure.Network, OneLine(client.Message), client) { MayPass = true },
        _ => base.Explain(exception),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_reader.IsValueCreated)
            _reader.Value.Dispose();
        if (_writer.IsValueCreated)
            _writer.Value.Dispose();
    }

    /// <summary>A message without line ends, full stop, and the list of all places where no credentials were found.</summary>
    private static string OneLine(string message) =>
        (message.StartsWith("Failed to resolve AWS credentials", StringComparison.Ordinal)
            ? "no credentials of Amazon were found in the environment, in a profile or on the machine" : message)
        .ReplaceLineEndings(" ").Trim().TrimEnd('.', ' ');

    private static string Message(AmazonServiceException error)
    {
        // The innermost of a failure without an answer says what happened.
        var text = OneLine(error.StatusCode == 0 ? error.GetBaseException().Message : error.Message);
        return error.StatusCode == 0 ? text
            : $"the server answered {(int)error.StatusCode} {error.ErrorCode}{(text.Length > 0 && text != error.ErrorCode ? $": {text}" : "")}".TrimEnd();
    }

    private (string Bucket, string Key) Parts(string address, bool isKeyNeeded = true)
    {
        var rest = address[_scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (bucket, key) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        return bucket.Length > 0 && !(isKeyNeeded && key.Length == 0)
            ? (bucket, key)
            : throw new RemoteException(RemoteFailure.Refused, $"expected an address such as {_scheme}bucket/key");
    }

    private async Task<ListObjectsV2Response> ListAsync(ListObjectsV2Request request, CancellationToken cancellation)
    {
        try
        {
            return await _writer.Value.ListObjectsV2Async(request, cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (Explain(exception) is { } failure)
        {
            throw failure;
        }
    }

    private AmazonS3Client Client(int attempts)
    {
        var endpoint = _options.Endpoint?.AbsoluteUri ?? Variable("AWS_ENDPOINT_URL_S3") ?? Variable("AWS_ENDPOINT_URL");
        var config = new AmazonS3Config
        {
            MaxErrorRetry = attempts - 1,
            RetryMode = RequestRetryMode.Standard,
            MaxConnectionsPerServer = _options.MaxConnections,
            // Many servers know only the checksums that they must.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (endpoint != null)
        {
            (config.ServiceURL, config.ForcePathStyle) = (endpoint, _options.PathStyle ?? true);
            config.AuthenticationRegion = _options.Region ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION") ?? "us-east-1";
        }
        else
        {
            config.ForcePathStyle = _options.PathStyle ?? false;
            if ((_options.Region ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION")) is { } region)
                config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            else if (_options.Anonymous)
                config.RegionEndpoint = RegionEndpoint.USEast1;
        }
        try
        {
            return _options.Anonymous ? new AmazonS3Client(new AnonymousAWSCredentials(), config) : new AmazonS3Client(config);
        }
        catch (AmazonClientException exception) when (exception.Message.Contains("RegionEndpoint", StringComparison.Ordinal))
        {
            throw new RemoteException(
                RemoteFailure.Refused, "expected the bucket's region by --s3-region, AWS_REGION or a profile; found none", exception);
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
