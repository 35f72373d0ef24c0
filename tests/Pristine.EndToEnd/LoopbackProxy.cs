using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary>
/// An HTTP proxy on a loopback port: CONNECT for https, absolute addresses for http. Whatever host is asked for, it connects to one local
/// server: a client that reached that server by a name that does not exist came through the proxy.
/// </summary>
internal sealed class LoopbackProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _serverPort;
    private readonly ConcurrentQueue<string> _asked = new();

    public LoopbackProxy(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Method and target of each request.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = RelayAsync(client);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                var near = client.GetStream();
                var request = await HttpHead.ReadAsync(near, CancellationToken.None);
                if (request == null)
                    return;
                _asked.Enqueue($"{request.Method} {request.Target}");
                await server.ConnectAsync(IPAddress.Loopback, _serverPort);
                var far = server.GetStream();
                if (request.Method == "CONNECT")
                    await near.WriteAsync("HTTP/1.1 200 Connected\r\n\r\n"u8.ToArray());
                else
                {
                    var head = new StringBuilder($"{request.Method} {new Uri(request.Target).PathAndQuery} HTTP/1.1\r\n");
                    foreach (var (name, value) in request.Headers)
                        head.Append(name).Append(": ").Append(value).Append("\r\n");
                    await far.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()));
                }
                await Task.WhenAny(near.CopyToAsync(far), far.CopyToAsync(near));
            }
            catch (IOException)
            {
                // One of the two left.
            }
        }
    }
}
