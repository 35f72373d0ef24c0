using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Azure.Storage.Blobs;
using Pristine.Cloud;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Remote;
using Pristine.Scoring;

namespace Pristine.Tests.Remote;

/// <summary>Azure's containers, on Microsoft's own test server (npm's azurite).</summary>
public sealed class AzureTests : StoreTests
{
    private const string Package = "azurite@3.37.0";

    private static readonly NpmPackage Installed = new(Package);

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly Process _server;
    private readonly string _connection;
    private readonly AzureStore _store;

    public AzureTests()
    {
        if (Installed.Folder is not { } folder)
        {
            _folder.Dispose();
            Assert.Skip($"Needs the server {Package} from npm: {Installed.Why}");
            throw new InvalidOperationException();
        }
        // An account of our own: the key is made for this test.
        var key = Convert.ToBase64String(Guid.NewGuid().ToByteArray());
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            [Path.Combine(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js"), "--inMemoryPersistence", "--blobPort", "0",
            "--skipApiVersionCheck", "--disableTelemetry"])
            start.ArgumentList.Add(argument);
        start.WorkingDirectory = _folder.Path;
        start.Environment["AZURITE_ACCOUNTS"] = $"tester:{key}";
        _server = Process.Start(start)!;
        var error = _server.StandardError.ReadToEndAsync();
        string? line;
        while ((line = _server.StandardOutput.ReadLine()) != null && !line.Contains("listens on", StringComparison.Ordinal))
        {
        }
        if (line == null)
            throw new InvalidOperationException($"azurite did not start: {error.Result}");
        _ = _server.StandardOutput.ReadToEndAsync();
        _connection =
            $"DefaultEndpointsProtocol=http;AccountName=tester;AccountKey={key};BlobEndpoint={line.Split("listens on ")[1].Trim()}/tester;";
        var service = new BlobServiceClient(_connection);
        service.CreateBlobContainer("photos");
        service.CreateBlobContainer("results");
        _store = new AzureStore(new AzureOptions { ConnectionString = _connection, Attempts = 1 });
    }

    protected override RemoteStore Store => _store;

    protected override void DisposeServer()
    {
        _server?.Kill(entireProcessTree: true);
        _server?.WaitForExit();
        _server?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Blobs_are_read_in_ranges_of_one_version_and_are_there_once_they_are_complete()
    {
        var content = new byte[(9 << 20) + 5];
        new Random(1).NextBytes(content);
        using (var upload = _store.Create("az://results/a b#1?.bin"))
        {
            upload.Write(content);
            Assert.Equal(RemoteFailure.Missing, Assert.Throws<RemoteException>(() => Get("az://results/a b#1?.bin")).Failure);
        }
        Put("az://results/a b#1?.bin", content);
        Assert.True(content.AsSpan().SequenceEqual(Get("az://results/a b#1?.bin")));
        Put("az://results/empty.bin", []);
        Assert.Empty(Get("az://results/empty.bin"));
        string version;
        using (var part = await _store.OpenAsync("az://results/a b#1?.bin", new RemoteRange(1000, 20), Cancellation))
        {
            var bytes = new MemoryStream();
            await part.Body.CopyToAsync(bytes, Cancellation);
            Assert.Equal((1000L, true, (long?)content.Length), (part.Start, part.IsPart, part.Length));
            Assert.True(content.AsSpan(1000, 20).SequenceEqual(bytes.ToArray()));
            version = part.Version!;
        }
        using (await _store.OpenAsync("az://results/a b#1?.bin", new RemoteRange(0, 20, version), Cancellation))
            Put("az://results/a b#1?.bin", content);
        var changed = await Assert.ThrowsAsync<RemoteException>(
            () => _store.OpenAsync("az://results/a b#1?.bin", new RemoteRange(0, 20, version), Cancellation));
        Assert.Equal("the file has changed since it was first read", changed.Message);
    }

    [Fact]
    public void Datasets_are_read_from_containers_and_written_into_them()
    {
        foreach (var name in (string[])["b/two.jpg", "a one#1?.jpg", "b/.hidden/x.jpg", "b/notes.txt"])
            Put($"az://photos/set/{name}", Leaf);
        const string records = "{\"id\": 1, \"image\": \"b/two.jpg\"}\n{\"id\": 2, \"image\": \"az://photos/none.jpg\"}\n";
        Put("az://photos/set/a.jsonl", Encoding.UTF8.GetBytes(records));
        var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        using (var entry = zip.CreateEntry("leaf.jpg").Open())
            entry.Write(Leaf);
        Put("az://photos/a.zip", archive.ToArray());
        Assert.Equal(["a one#1?.jpg", "b/two.jpg"], Ids(Open("az://photos/set")));
        Assert.Equal(["az://photos/set/b/two.jpg"], Ids(Open("az://photos/set/b/t*.jpg")));
        foreach (var input in (string[])["az://photos/set/", "az://photos/a.zip"])
            Assert.All(ScoringRun.Score(Open(input), cancellation: Cancellation), item => Assert.Equal(
                (ImageStatus.Ok, null), (item.Rows[0].Status, item.Rows[0].Error)));
        var dataset = Open("az://photos/set/a.jsonl");
        var rows = ScoringRun.Score(dataset, cancellation: Cancellation).Select(item => item.Rows[0]).ToArray();
        Assert.Equal([ImageStatus.Ok, ImageStatus.Missing], rows.Select(row => row.Status));
        Assert.StartsWith("the server answered 404 BlobNotFound", rows[1].Error, StringComparison.Ordinal);
        using (var writer = dataset.CreateWriter("az://results/kept/a.jsonl.gz"))
        {
            foreach (var item in dataset.Read(Cancellation))
                writer.Write(item);
            writer.Complete();
        }
        Assert.Equal(["1", "2"], Ids(Open("az://results/kept/a.jsonl.gz")));
        Assert.StartsWith("Cannot write 'az://none/kept.jsonl': the server answered 404", Assert.Throws<DatasetException>(
            () => dataset.CreateWriter("az://none/kept.jsonl")).Message, StringComparison.Ordinal);
        Assert.StartsWith("Cannot list 'az://none/': the server answered 404 ContainerNotFound", Assert.Throws<DatasetException>(
            () => Ids(Open("az://none/"))).Message, StringComparison.Ordinal);
    }
}
