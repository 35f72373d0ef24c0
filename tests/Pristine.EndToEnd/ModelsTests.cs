using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Pristine.Tests;
using Pristine.Tests.Metrics.Brisque;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary><c>pristine models</c> against real servers and proxies on loopback ports, in processes of its own.</summary>
public sealed class ModelsTests : IDisposable
{
    private const string Model = "brisque-live";

    /// <summary>A name that no resolver knows (RFC 2606): who gets through asked the proxy.</summary>
    private const string Host = "models.invalid";

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly ModelServer _server = new();
    private readonly string[] _files;

    public ModelsTests()
    {
        _files = SyntheticBrisqueLive.Write(_folder["source"]);
        foreach (var file in _files)
            _server.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
    }

    private string[] PullArguments => ["models", "pull", Model, "--from", _server.Address.ToString(), "--trust"];

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_model_is_pulled_used_verified_repaired_and_removed()
    {
        Assert.Equal("absent", State());
        var pulled = Run(PullArguments).Expect(0);
        Assert.Equal(
            _files.Select(file => $"{Model}\t{Path.GetFileName(file)}\t{new FileInfo(file).Length}\t{Hash(file)}\tunknown origin, trusted"),
            pulled.Lines);
        Assert.Equal("trusted", State());
        var row = Run("score", TestFiles.InRepository("samples", "photos", "boats.jpg"), "--metrics", Model).Expect(0).Output;
        Assert.Matches("\"brisque-live\": ?-?[0-9]", row);

        Assert.All(Run("models", "verify").Expect(0).Lines, line => Assert.EndsWith("\tok", line, StringComparison.Ordinal));
        File.AppendAllText(_folder[$"store/{Model}/allrange"], " ");
        var damaged = Run("models", "verify", Model).Expect(1);
        Assert.Contains($"allrange\texpected SHA-256 {Hash(_files[1])}; found ", damaged.Output, StringComparison.Ordinal);
        Run(PullArguments).Expect(0);
        Run("models", "verify", Model).Expect(0);

        Run("models", "remove", Model).Expect(0);
        Assert.Equal("absent", State());
        Assert.Contains("not installed", Run("models", "verify", Model).Expect(1).Output, StringComparison.Ordinal);
        Assert.Contains("was not installed", Run("models", "remove", Model).Expect(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_is_imported_from_a_folder_or_files()
    {
        Assert.Contains(
            "expected SHA-256 8b04d604", Run("models", "import", Model, _folder["source"]).Expect(1).Error, StringComparison.Ordinal);
        Run("models", "import", Model, _folder["source"], "--trust").Expect(0);
        Run(["models", "import", Model, .. _files, "--trust"]).Expect(0);
        Assert.Contains("expected the files allmodel, allrange", Run("models", "import", Model, _files[0], "--trust")
            .Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("expected the files allmodel, allrange", Run("models", "import", Model, _files[0], _files[0], "--trust")
            .Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_pulled_says_why()
    {
        Assert.Contains("pristine models import brisque-live DIR", Run("models", "pull", Model).Expect(1).Error, StringComparison.Ordinal);
        var unknown = Run("models", "pull", "arniqa-live").Expect(1).Error;
        Assert.Contains(
            "the SHA-256 of https://github.com/miccunifi/ARNIQA/releases/download/weights/regressor_live.pth is not known", unknown,
            StringComparison.Ordinal);
        Assert.Contains("--trust", unknown, StringComparison.Ordinal);
        Run("models", "pull", "arnica").Expect(2);
        Assert.Contains(
            "--from: expected an address", Run("models", "pull", Model, "--from", "ftp://host/").Expect(2).Error, StringComparison.Ordinal);
        // The mirror's file is not the released one, and nobody vouches for it.
        _server.Files["regressor_kadid10k.pth"] = new byte[19_778];
        var wrong = Run("models", "pull", "arniqa-kadid10k", "--from", _server.Address.ToString()).Expect(1).Error;
        Assert.Contains($"{_server.Address}regressor_kadid10k.pth: expected SHA-256 4315bf47", wrong, StringComparison.Ordinal);
        Assert.Contains($"{_server.Address}ARNIQA.pth: the server answered 404", Run(
            "models", "pull", "arniqa", "--from", _server.Address.ToString()).Expect(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_processes_download_once()
    {
        // Slow enough that the second one comes while the first is at it.
        _server.Answer = (_, request) => _server.File(request) with { Piece = 2_000, Pause = TimeSpan.FromMilliseconds(200) };
        var processes = Enumerable.Range(0, 2).Select(_ => PristineCommand.Start(PullArguments, _folder.Path, Store)).ToArray();
        var errors = processes.Select(process => PristineCommand.Finish(process, null).Expect(0).Error).ToArray();
        Assert.Equal(["allmodel", "allrange"], _server.Requests.Select(request => request.Name));
        Assert.Single(errors, error => error.Contains("Pulled", StringComparison.Ordinal));
        Assert.Single(errors, error => error.Contains("is there already", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("TERM")]
    public void A_download_that_was_stopped_is_resumed_by_the_next_process(string signal)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Needs signals.");
        _server.Answer = (n, request) => _server.File(request) with { CutAfter = n == 0 ? 5_000 : null, IsSilentAfterCut = n == 0 };
        var process = PristineCommand.Start(PullArguments, _folder.Path, Store);
        var partial = _folder[$"store/.work/{Model}/download/allmodel.partial"];
        while (!process.HasExited && !(File.Exists(partial) && new FileInfo(partial).Length == 5_000))
            Thread.Sleep(20);
        Assert.False(process.HasExited);
        using (Process.Start("kill", ["-s", signal, process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            var result = PristineCommand.Finish(process, null);
            if (signal == "TERM")
                Assert.Contains("Stopped. What has arrived is kept", result.Expect(130).Error, StringComparison.Ordinal);
        }
        Assert.Equal("absent", State());
        Run(PullArguments).Expect(0);
        Assert.Equal([null, "bytes=5000-", null], _server.Requests.Select(request => request["Range"]));
        Run("models", "verify", Model).Expect(0);
    }

    [Fact]
    public void Http_goes_through_the_proxy_of_the_environment()
    {
        using var proxy = new LoopbackProxy(_server.Port);
        Run(["models", "pull", Model, "--from", $"http://{Host}/v1", "--trust"], ("http_proxy", proxy.Address)).Expect(0);
        Assert.Equal([$"GET http://{Host}/v1/allmodel", $"GET http://{Host}/v1/allrange"], proxy.Asked);
        Assert.Equal(["/v1/allmodel", "/v1/allrange"], _server.Requests.Select(request => request.Target));
    }

    [Fact]
    public void Https_goes_through_a_tunnel_of_the_proxy_and_certificates_are_checked()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Needs SSL_CERT_FILE to name a certificate to trust, which .NET reads on Linux only.");
        using var certificate = Certificate();
        using var server = new ModelServer(certificate);
        foreach (var (name, content) in _server.Files)
            server.Files[name] = content;
        using var proxy = new LoopbackProxy(server.Port);
        string[] pull = ["models", "pull", Model, "--from", $"https://{Host}/v1", "--trust"];

        var refused = Run(pull, ("HTTPS_PROXY", proxy.Address)).Expect(1);
        Assert.Contains($"https://{Host}/v1/allmodel: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("certificate", refused.Error, StringComparison.OrdinalIgnoreCase);
        // A certificate does not get better by asking again.
        Assert.Single(proxy.Asked);
        Assert.Empty(server.Requests);

        File.WriteAllText(_folder["trusted.pem"], certificate.ExportCertificatePem());
        Run(pull, ("HTTPS_PROXY", proxy.Address), ("SSL_CERT_FILE", _folder["trusted.pem"])).Expect(0);
        Assert.All(proxy.Asked, asked => Assert.Equal($"CONNECT {Host}:443", asked));
        Assert.Equal(["/v1/allmodel", "/v1/allrange"], server.Requests.Select(request => request.Target));
    }

    private (string, string) Store => ("PRISTINE_MODELS", _folder["store"]);

    private static X509Certificate2 Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={Host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Host);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    private CommandResult Run(params string[] arguments) => Run(arguments, []);

    private CommandResult Run(string[] arguments, params (string Name, string Value)[] environment) =>
        PristineCommand.Run(arguments, _folder.Path, null, [Store, .. environment]);

    /// <summary>What <c>models list</c> says of the model.</summary>
    private string State() =>
        Run("models", "list").Expect(0).Lines.Select(line => line.Split('\t')).Single(columns => columns[0] == Model)[1];
}
