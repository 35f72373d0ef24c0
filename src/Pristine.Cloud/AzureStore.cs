using System.Globalization;
using System.Text;
using Azure;
using Azure.Core;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Pristine.Remote;

namespace Pristine.Cloud;

/// <summary>Where Azure's containers are, and as whom they are read.</summary>
public sealed record AzureOptions
{
    /// <summary>
    /// A connection string, which names account, key or signature, and perhaps a server of one's own; null for the environment's
    /// AZURE_STORAGE_CONNECTION_STRING, else AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or with neither
    /// for public containers.
    /// </summary>
    public string? ConnectionString { get; init; }

    /// <summary>How often listing and writing are tried. Default 5. Reading is tried again by <see cref="RemoteAccess"/>.</summary>
    public int Attempts { get; init; } = 5;
}

/// <summary>
/// <c>az://container/name</c>: blobs of Azure, of one storage account. Names stand in addresses as they are, nothing is escaped.
/// </summary>
public sealed class AzureStore : RemoteStore
{
    private const string Scheme = "az://";

    private readonly Lazy<BlobServiceClient> _reader;
    private readonly Lazy<BlobServiceClient> _writer;

    /// <summary>Prepares access; nothing is connected to, and credentials are looked for when the first address is read.</summary>
    /// <param name="options">Where and as whom; null for the defaults.</param>
    public AzureStore(AzureOptions? options = null)
    {
        options ??= new AzureOptions();
        // Whoever reads tries again himself; listing and writing are left to the client.
        _reader = new(() => Client(options, attempts: 1));
        _writer = new(() => Client(options, options.Attempts));
    }

    /// <inheritdoc/>
    public override bool Serves(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public override async Task<RemoteContent> OpenAsync(string address, RemoteRange range, CancellationToken cancellation)
    {
        var (container, name) = Parts(address);
        var options = new BlobDownloadOptions { Range = new HttpRange(range.From, range.Length) };
        if (range.Version != null)
            options.Conditions = new BlobRequestConditions { IfMatch = new ETag(range.Version) };
        try
        {
            var blob = _reader.Value.GetBlobContainerClient(container).GetBlobClient(name);
            var response = await blob.DownloadStreamingAsync(options, cancellation).ConfigureAwait(false);
            var (details, isPart) = (response.Value.Details, response.GetRawResponse().Status == 206);
            var start = isPart ? range.From : 0;
            return new RemoteContent(response.Value.Content, response.Value)
            {
                Start = start,
                IsPart = isPart,
                Length = isPart && long.TryParse(
                    details.ContentRange?.Split('/')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var whole)
                    ? whole : start + details.ContentLength,
                Version = details.ETag.ToString(),
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
        var (container, start) = Parts(prefix, isNameNeeded: false);
        var blobs = Try(() => _writer.Value.GetBlobContainerClient(container)
            .GetBlobs(BlobTraits.None, BlobStates.None, start, cancellation).GetEnumerator());
        using (blobs)
        {
            while (Try(blobs.MoveNext))
                yield return new RemoteEntry(
                    $"{Scheme}{container}/{blobs.Current.Name}", blobs.Current.Properties.ContentLength ?? 0,
                    blobs.Current.Properties.LastModified?.UtcDateTime ?? DateTime.UnixEpoch);
        }
    }

    /// <inheritdoc/>
    public override UploadStream Create(string address)
    {
        var (container, name) = Parts(address);
        return Try(() => new Upload(this, _writer.Value.GetBlobContainerClient(container).GetBlockBlobClient(name)));
    }

    /// <inheritdoc/>
    public override RemoteException? Explain(Exception exception) => exception switch
    {
        // What was tried several times is told as often.
        AggregateException several when several.InnerExceptions.Count > 0 => Explain(several.InnerExceptions[^1]),
        RequestFailedException { Status: 404 } missing => new(RemoteFailure.Missing, Message(missing), missing),
        RequestFailedException { Status: 412 } changed =>
            new(RemoteFailure.Network, "the file has changed since it was first read", changed),
        RequestFailedException { Status: 0 or 408 or 429 or 500 or 502 or 503 or 504 } failed =>
            new(RemoteFailure.Network, Message(failed), failed) { MayPass = true },
        RequestFailedException refused => new(RemoteFailure.Refused, Message(refused), refused),
        _ => base.Explain(exception),
    };

    private static string Message(RequestFailedException error)
    {
        // The message goes on with all headers of the answer.
        var text = (error.Status == 0 ? error.GetBaseException().Message : error.Message).Split('\n')[0].Trim().TrimEnd('.', ' ');
        return error.Status == 0 ? text : $"the server answered {error.Status} {error.ErrorCode}: {text}";
    }

    private static (string Container, string Name) Parts(string address, bool isNameNeeded = true)
    {
        var rest = address[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (container, name) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        return container.Length > 0 && !(isNameNeeded && name.Length == 0)
            ? (container, name)
            : throw new RemoteException(RemoteFailure.Refused, "expected an address such as az://container/name");
    }

    private static BlobServiceClient Client(AzureOptions options, int attempts)
    {
        var client = new BlobClientOptions();
        client.Retry.MaxRetries = attempts - 1;
        client.Retry.Mode = RetryMode.Exponential;
        try
        {
            if ((options.ConnectionString ?? Variable("AZURE_STORAGE_CONNECTION_STRING")) is { } connection)
                return new BlobServiceClient(connection, client);
            var account = Variable("AZURE_STORAGE_ACCOUNT") ?? throw new RemoteException(
                RemoteFailure.Refused,
                "expected AZURE_STORAGE_CONNECTION_STRING in the environment, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or " +
                "AZURE_STORAGE_SAS_TOKEN, or with neither for public containers; found none of them");
            var server = new Uri($"https://{account}.blob.core.windows.net");
            return Variable("AZURE_STORAGE_KEY") is { } key
                ? new BlobServiceClient(server, new StorageSharedKeyCredential(account, key), client)
                : Variable("AZURE_STORAGE_SAS_TOKEN") is { } signature
                ? new BlobServiceClient(server, new AzureSasCredential(signature), client)
                : new BlobServiceClient(server, client);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            // The message of the client may quote a part of the secret.
            throw new RemoteException(
                RemoteFailure.Refused, "expected a connection string, key or account name of Azure in the environment; found another text",
                exception);
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private T Try<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (Explain(exception) is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>
    /// A blob that is written block by block and exists once its list of blocks is there. Blocks that are in no list are removed by Azure
    /// after a week. One of them is written at once, so that a container that cannot be written to is found before the work.
    /// </summary>
    private sealed class Upload : UploadStream
    {
        /// <summary>A blob may have 50,000 blocks: this is enough for 400 GB.</summary>
        private const int BlockBytes = 8 << 20;

        private readonly AzureStore _store;
        private readonly BlockBlobClient _blob;
        private readonly List<string> _blocks = [];
        private readonly MemoryStream _block = new();
        private long _length;
        private bool _isEnded;

        public Upload(AzureStore store, BlockBlobClient blob)
        {
            (_store, _blob) = (store, blob);
            blob.StageBlock(NameOf(0), new MemoryStream([0]));
        }

        public override long Length => _length;

        public override long Position
        {
            get => _length;
            set => throw new NotSupportedException();
        }

        /// <exception cref="RemoteException">A block cannot be written.</exception>
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            ObjectDisposedException.ThrowIf(_isEnded, this);
            while (!buffer.IsEmpty)
            {
                var taken = (int)Math.Min(buffer.Length, BlockBytes - _block.Length);
                _block.Write(buffer[..taken]);
                _length += taken;
                buffer = buffer[taken..];
                if (_block.Length == BlockBytes)
                    Send();
            }
        }

        /// <exception cref="RemoteException">The blob cannot be completed.</exception>
        public override void Complete()
        {
            ObjectDisposedException.ThrowIf(_isEnded, this);
            if (_block.Length > 0)
                Send();
            _store.Try(() => _blob.CommitBlockList(_blocks));
            _isEnded = true;
        }

        protected override void Dispose(bool disposing)
        {
            _isEnded = true;
            if (disposing)
                _block.Dispose();
            base.Dispose(disposing);
        }

        // All names of a blob's blocks are of one length.
        private static string NameOf(int number) =>
            Convert.ToBase64String(Encoding.ASCII.GetBytes(number.ToString("00000000", CultureInfo.InvariantCulture)));

        private void Send()
        {
            var name = NameOf(_blocks.Count + 1);
            _store.Try(() => _blob.StageBlock(name, new MemoryStream(_block.GetBuffer(), 0, (int)_block.Length, writable: false)));
            _blocks.Add(name);
            _block.SetLength(0);
        }
    }
}
