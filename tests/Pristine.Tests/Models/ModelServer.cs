using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Pristine.Tests.Models;

/// <summary>A request as it came over the wire.</summary>
internal sealed record ServedRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string Name => Target[(Target.LastIndexOf('/') + 1)..].Split('?')[0];

    public string? this[string header] => Headers.GetValueOrDefault(header);
}

/// <summary>An answer, and what goes wrong while it is sent.</summary>
internal sealed record Reply(int Status, byte[] Body)
{
    public (string Name, string Value)[] Headers { get; init; } = [];

    /// <summary>Close the connection after so many bytes of the body.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Instead of closing the connection after <see cref="CutAfter"/>, say nothing more until the client leaves.</summary>
    public bool IsSilentAfterCut { get; init; }

    /// <summary>Send the body in pieces of this size, each after <see cref="Pause"/>.</summary>
    public int Piece { get; init; } = int.MaxValue;

    public TimeSpan Pause { get; init; }

    /// <summary>Send the body in chunks, so that the client does not learn its size beforehand.</summary>
    public bool IsChunked { get; init; }
}

/// <summary>
/// A real HTTP server on a loopback port. It serves files, with ranges and ETags as RFC 9110 has them, unless a test scripts another
/// answer; one request per connection, so that each attempt of a client is one entry in <see cref="Requests"/>.
/// </summary>
internal sealed class ModelServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<ServedRequest> _requests = new();
    private readonly X509Certificate2? _certificate;
    private int _count;

    /// <summary>A developer's proxy cannot reach our ports; the processes that tests start inherit this.</summary>
    static ModelServer() => Environment.SetEnvironmentVariable("no_proxy", "127.0.0.1");

    /// <param name="certificate">Speak TLS with it; null for plain HTTP.</param>
    public ModelServer(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        Answer = (_, request) => File(request);
        _listener.Start();
        _ = AcceptAsync();
    }

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Null for the hash of the content, which is what good servers send.</summary>
    public string? ETag { get; set; }

    /// <summary>Makes the answer to the request with a number, counted from 0.</summary>
    public Func<int, ServedRequest, Reply> Answer { get; set; }

    public IReadOnlyList<ServedRequest> Requests => [.. _requests];

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>The answer of a well-behaved file server.</summary>
    public Reply File(ServedRequest request)
    {
        if (!Files.TryGetValue(request.Name, out var content))
            return new Reply(404, "not here"u8.ToArray());
        var tag = ETag ?? $"\"{Convert.ToHexString(SHA256.HashData(content))[..16]}\"";
        var headers = new List<(string, string)> { ("ETag", tag), ("Accept-Ranges", "bytes") };
        if (request["If-Match"] is { } wanted && wanted != tag)
            return new Reply(412, []) { Headers = [.. headers] };
        if (request["Range"] is not { } range || (request["If-Range"] is { } condition && condition != tag))
            return new Reply(200, content) { Headers = [.. headers] };
        var ends = range["bytes=".Length..].Split('-');
        var start = int.Parse(ends[0], CultureInfo.InvariantCulture);
        var end = ends[1].Length > 0 ? Math.Min(int.Parse(ends[1], CultureInfo.InvariantCulture) + 1, content.Length) : content.Length;
        if (start >= content.Length)
            return new Reply(416, []) { Headers = [("Content-Range", $"bytes */{content.Length}")] };
        headers.Add(("Content-Range", $"bytes {start}-{end - 1}/{content.Length}"));
        return new Reply(206, content[start..end]) { Headers = [.. headers] };
    }

    public void Dispose()
    {
        // The source is not disposed: answers that are under way still look at it.
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_stop.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                if (_certificate != null)
                {
                    var secure = new SslStream(stream);
                    await secure.AuthenticateAsServerAsync(_certificate);
                    stream = secure;
                }
                await using (stream)
                {
                    var request = await HttpHead.ReadAsync(stream, _stop.Token);
                    if (request == null)
                        return;
                    Reply reply;
                    // One at a time: the number of a request is its place in Requests.
                    lock (_requests)
                    {
                        _requests.Enqueue(request);
                        reply = Answer(_count++, request);
                    }
                    await SendAsync(stream, reply);
                }
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The client left, or the test is over.
            }
        }
    }

    private async Task SendAsync(Stream stream, Reply reply)
    {
        var head = new StringBuilder($"HTTP/1.1 {reply.Status} Scripted\r\nConnection: close\r\n");
        head.Append(reply.IsChunked ? "Transfer-Encoding: chunked\r\n" : $"Content-Length: {reply.Body.Length}\r\n");
        foreach (var (name, value) in reply.Headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), _stop.Token);
        var end = Math.Min(reply.CutAfter ?? int.MaxValue, reply.Body.Length);
        for (var at = 0; at < end;)
        {
            await Task.Delay(reply.Pause, _stop.Token);
            var piece = reply.Body.AsMemory(at, Math.Min(reply.Piece, end - at));
            if (reply.IsChunked)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), _stop.Token);
            await stream.WriteAsync(piece, _stop.Token);
            if (reply.IsChunked)
                await stream.WriteAsync("\r\n"u8.ToArray(), _stop.Token);
            at += piece.Length;
        }
        if (reply.IsSilentAfterCut)
            await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, _stop.Token);
        else if (reply.IsChunked && reply.CutAfter == null)
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), _stop.Token);
    }
}

/// <summary>The head of an HTTP request.</summary>
internal static class HttpHead
{
    /// <summary>Reads up to the empty line; null when the client left before.</summary>
    public static async Task<ServedRequest?> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (bytes.Count < 4 || !bytes[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, cancellation) == 0)
                return null;
            bytes.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var first = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        return new ServedRequest(first[0], first[1], headers);
    }
}
