using System.IO.Compression;
using System.Net;
using System.Net.Sockets;

namespace Pristine.Remote;

/// <summary>
/// <c>http://</c> and <c>https://</c>. Every connection is made to an address that was checked, so that no name can lead elsewhere later.
/// </summary>
internal sealed class HttpStore : RemoteStore, IDisposable
{
    private readonly RemoteOptions _options;
    private readonly HttpClient _client;

    public HttpStore(RemoteOptions options)
    {
        _options = options;
        // HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are the handler's own business.
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            MaxConnectionsPerServer = options.MaxConnectionsPerHost,
            // Names are looked up again at times, and sockets of hosts that are done with are closed.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            ConnectCallback = ConnectAsync,
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new("pristine", typeof(HttpStore).Assembly.GetName().Version!.ToString(3)));
    }

    public override bool Serves(string address) => RemoteAddress.IsHttp(address);

    public override async Task<RemoteContent> OpenAsync(string address, RemoteRange range, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw new RemoteException(RemoteFailure.Refused, "expected an address such as https://host/path");
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendAsync(uri, range, cancellation).ConfigureAwait(false);
            if (TargetOf(response, uri) is not { } target)
                return await ContentOfAsync(response, address, range, cancellation).ConfigureAwait(false);
            response.Dispose();
            if (redirects == _options.MaxRedirects)
                throw new RemoteException(
                    RemoteFailure.Refused,
                    $"more than {_options.MaxRedirects} redirects, the last to {RemoteAddress.Display(target.AbsoluteUri)}");
            if (!Serves(target.AbsoluteUri) || uri.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps)
                throw new RemoteException(RemoteFailure.Refused, $"a redirect from {uri.Scheme} to {target.Scheme}, which is not followed");
            uri = target;
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Uri uri, RemoteRange range, CancellationToken cancellation)
    {
        await CheckBehindProxyAsync(uri, cancellation).ConfigureAwait(false);
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.AcceptEncoding.Add(new("identity"));
        if (range.IsPart)
            request.Headers.Range = new(range.From, range.From + range.Length - 1);
        // A version that is made of other things than a tag is compared by whoever reads.
        if (range.Version is ['"', ..] tag)
            request.Headers.IfMatch.Add(new(tag));
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException error) when (error.GetBaseException() is RemoteException refused)
        {
            throw new RemoteException(refused.Failure, refused.Message, error);
        }
        catch (HttpRequestException error)
        {
            throw new RemoteException(RemoteFailure.Network, HttpFailure.Reason(error), error) { MayPass = HttpFailure.MayPass(error) };
        }
    }

    /// <summary>Where an answer sends us; null for one that is no redirect.</summary>
    private static Uri? TargetOf(HttpResponseMessage response, Uri from) =>
        (int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location
        ? new Uri(from, location)
        : null;

    private static async Task<RemoteContent> ContentOfAsync(
        HttpResponseMessage response, string address, RemoteRange range, CancellationToken cancellation)
    {
        try
        {
            CheckStatus(response, range);
            var (headers, body) = (response.Content.Headers, await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
            var isPart = response.StatusCode == HttpStatusCode.PartialContent;
            var start = isPart ? headers.ContentRange?.From ?? -1 : 0;
            if (isPart ? start != range.From && start != 0 : start != 0)
                throw new RemoteException(RemoteFailure.Network, $"asked for byte {range.From}, the server sends byte {start}");
            var isEncoded = IsEncoded(response, address);
            var length = headers.ContentRange?.Length ?? headers.ContentLength;
            return new RemoteContent(isEncoded ? Decoded(body, headers.ContentEncoding) : body, response)
            {
                Start = start,
                // Parts of what is compressed on its way cannot be told from it.
                IsPart = isPart && start == range.From && !isEncoded,
                Length = isEncoded ? null : length,
                // Of weak tags the bytes may differ.
                Version = response.Headers.ETag is { IsWeak: false } tag
                    ? tag.Tag : headers.LastModified?.ToString("R") is { } modified ? $"{modified} {length}" : null,
                CanResume = !isEncoded,
            };
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static void CheckStatus(HttpResponseMessage response, RemoteRange range)
    {
        var status = response.StatusCode;
        if (status == HttpStatusCode.OK || status == HttpStatusCode.PartialContent && range.IsPart)
            return;
        if (status == HttpStatusCode.PreconditionFailed && range.Version != null)
            throw RemoteException.Changed();
        var reason = $"the server answered {(int)status} {response.ReasonPhrase}".TrimEnd();
        if (HttpFailure.MayPass(status))
            throw new RemoteException(RemoteFailure.Network, reason)
            {
                MayPass = true,
                RetryAfter = HttpFailure.RetryAfter(response.Headers.RetryAfter),
            };
        throw new RemoteException(
            status is HttpStatusCode.NotFound or HttpStatusCode.Gone
                ? RemoteFailure.Missing : (int)status >= 500 ? RemoteFailure.Network : RemoteFailure.Refused, reason);
    }

    /// <summary>
    /// True when the body has to be decoded. A file that is compressed itself is sent as it is by servers that call that its encoding.
    /// </summary>
    private static bool IsEncoded(HttpResponseMessage response, string address)
    {
        var encodings = response.Content.Headers.ContentEncoding;
        if (encodings.All(encoding => encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
            return false;
        var name = RemoteAddress.NameOf(address);
        return !(name.EndsWith("gz", StringComparison.OrdinalIgnoreCase)
            && encodings.All(encoding => encoding.EndsWith("gzip", StringComparison.OrdinalIgnoreCase)));
    }

    private static Stream Decoded(Stream body, ICollection<string> encodings)
    {
        foreach (var encoding in encodings.Reverse())
        {
            body = encoding.ToLowerInvariant() switch
            {
                "identity" => body,
                "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress),
                "deflate" => new ZLibStream(body, CompressionMode.Decompress),
                "br" => new BrotliStream(body, CompressionMode.Decompress),
                _ => throw new RemoteException(
                    RemoteFailure.Refused, $"the server sends the encoding '{encoding}', which was not asked for"),
            };
        }
        return body;
    }

    /// <summary>Connects to an address of the host that is allowed; what was checked is what is connected to.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        // A proxy was named by the user. What it connects to is looked at before each request.
        var isProxy = context.InitialRequestMessage.RequestUri is { } target
            && !(target.IdnHost.Trim('[', ']') == host.Trim('[', ']') && target.Port == port);
        var addresses = isProxy
            ? await Dns.GetHostAddressesAsync(host, cancellation).ConfigureAwait(false)
            : await AllowedAsync(host, cancellation).ConfigureAwait(false);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The addresses of a host that may be connected to.</summary>
    /// <exception cref="RemoteException">It has none but private ones.</exception>
    private async Task<IPAddress[]> AllowedAsync(string host, CancellationToken cancellation)
    {
        var addresses = await _options.Resolve(host, cancellation).ConfigureAwait(false);
        if (_options.AllowPrivateHosts)
            return addresses;
        var allowed = addresses.Where(address => !_options.IsPrivate(address)).ToArray();
        if (allowed.Length == 0 && addresses.Length > 0)
            throw Private(host, addresses[0]);
        return allowed;
    }

    /// <summary>Behind a proxy the name is looked up there; what can be told here is refused here.</summary>
    private async Task CheckBehindProxyAsync(Uri uri, CancellationToken cancellation)
    {
        if (_options.AllowPrivateHosts || HttpClient.DefaultProxy.GetProxy(uri) is null)
            return;
        var addresses = Array.Empty<IPAddress>();
        try
        {
            addresses = await _options.Resolve(uri.IdnHost, cancellation).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // Names of the internet are often known to the proxy alone.
        }
        if (addresses.Length > 0 && addresses.All(_options.IsPrivate))
            throw Private(uri.IdnHost, addresses[0]);
    }

    /// <summary>Nothing is wrong with the file, which another run may be allowed to ask for: it was not reached.</summary>
    private static RemoteException Private(string host, IPAddress address) =>
        new(RemoteFailure.Network,
        $"the host {host}{(host == address.ToString() ? "" : $" leads to {address}, which")} is not a public address; " +
        $"--allow-private-hosts allows it");
}
