using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Pristine.Tests.Remote;

/// <summary>
/// A real S3 server in a process of its own: npm's s3rver. Tests that need it are skipped where it cannot be installed.
/// </summary>
internal sealed class S3Server : IDisposable
{
    private const string Package = "s3rver@3.7.1";

    private static readonly NpmPackage Installed = new(Package);

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly Process _process;

    /// <param name="buckets">Buckets to make.</param>
    public S3Server(params string[] buckets)
    {
        if (Installed.Folder is not { } folder)
        {
            _folder.Dispose();
            Assert.Skip($"Needs the S3 server {Package} from npm: {Installed.Why}");
            throw new InvalidOperationException();
        }
        Port = FreePort();
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            ["--openssl-legacy-provider", Path.Combine(
                folder, "node_modules", "s3rver", "bin", "s3rver.js"), "-d", _folder.Path, "-a", "127.0.0.1", "-p", $"{Port}", "--silent"])
            start.ArgumentList.Add(argument);
        foreach (var bucket in buckets)
        {
            start.ArgumentList.Add("--configure-bucket");
            start.ArgumentList.Add(bucket);
        }
        _process = Process.Start(start)!;
        var output = _process.StandardOutput.ReadToEndAsync();
        var error = _process.StandardError.ReadToEndAsync();
        while (!IsUp())
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"s3rver did not start: {output.Result} {error.Result}");
            Thread.Sleep(50);
        }
    }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private bool IsUp()
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
