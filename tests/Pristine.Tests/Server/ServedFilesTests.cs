using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Server;
using Pristine.Tables;
using Pristine.Tests.Selection;

namespace Pristine.Tests.Server;

/// <summary>Which files and addresses leave through pictures and exports, whatever a dataset names.</summary>
public class ServedFilesTests
{
    private static readonly string Photo = TestFiles.InRepository("samples", "photos", "leaf.jpg");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A dataset of records in a folder of its own, beside which other files are, and its server.</summary>
    private sealed class Records : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = TestFiles.NewFolder();
        private PristineServer? _server;
        private HttpClient? _client;

        public Records() => File.Copy(Photo, Path.Combine(Directory.CreateDirectory(this["data"]).FullName, "own.jpg"));

        public string this[string name] => _folder[name];

        /// <summary>Scores records and serves them.</summary>
        public async Task ServeAsync(string records)
        {
            await StopAsync();
            await File.WriteAllTextAsync(this["data/data.jsonl"], records, Cancellation);
            if (Directory.Exists(this["scores"]))
                Directory.Delete(this["scores"], recursive: true);
            Dataset.Open(this["data/data.jsonl"], new DatasetOptions()).ScoreInto(
                this["scores"], new ScoringOptions { Metrics = [MetricCatalog.Get("width")], Workers = 1 },
                cancellation: Cancellation);
            await ServeAsync(ScoreTable.Open(this["scores"]));
        }

        /// <summary>Serves records that name an address, without having read it.</summary>
        public async Task ServeAddressAsync(string address, bool readsAddresses)
        {
            await StopAsync();
            await File.WriteAllTextAsync(this["data.jsonl"], $$"""{"id":"i0","image":"{{address}}"}""", Cancellation);
            await ServeAsync(SmallTable.Make(_folder, SmallTable.Row(0, 1) with { Image = address }), readsAddresses);
        }

        private async Task ServeAsync(ScoreTable table, bool readsAddresses = true)
        {
            _server = await PristineServer.StartAsync(
                table,
                new ServerOptions
                {
                    Overrides = this["overrides.jsonl"],
                    Scoring = new ScoringOptions { Workers = 1 },
                    Remote = new RemoteAccess(new RemoteOptions { AllowPrivateHosts = true, Attempts = 1 }),
                    ReadsAddresses = readsAddresses,
                });
            _client = new HttpClient { BaseAddress = _server.Address };
        }

        public async Task<(HttpStatusCode Status, string Text)> GetAsync(string path)
        {
            using var answer = await _client!.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        }

        public async Task<(HttpStatusCode Status, string Text)> ExportAsync(string format)
        {
            using var content = new StringContent($"{{\"what\":\"kept\",\"format\":\"{format}\"}}", Encoding.UTF8, "application/json");
            using var answer = await _client!.PostAsync(new Uri("export", UriKind.Relative), content, Cancellation);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        }

        public async Task ExpectRefusedAsync(string said)
        {
            foreach (var path in (string[])["image?key=0", "thumb?key=0"])
            {
                var (status, text) = await GetAsync(path);
                Assert.True(status == HttpStatusCode.Forbidden, $"{path}: {status}");
                Assert.Contains(said, JsonDocument.Parse(text).RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _folder.Dispose();
        }

        private async Task StopAsync()
        {
            _client?.Dispose();
            if (_server != null)
                await _server.DisposeAsync();
            _server = null;
        }
    }

    [Theory]
    [InlineData("\"audio\":\"../secret.wav\"")]
    [InlineData("\"video\":\"../secret.mp4\"")]
    [InlineData("\"images\":[\"../secret.jpg\"]")]
    public async Task No_export_holds_a_file_outside_of_the_dataset(string field)
    {
        await using var records = new Records();
        foreach (var name in (string[])["secret.wav", "secret.mp4", "secret.jpg"])
            File.Copy(Photo, records[name]);
        await records.ServeAsync($$"""{"image":"own.jpg",{{field}}}""");
        var (status, text) = await records.ExportAsync("tar");
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("lies outside of the dataset", text, StringComparison.Ordinal);
        // A format that holds names only has the record as it is.
        (status, text) = await records.ExportAsync("jsonl");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains(field, text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await records.ExportAsync("parquet")).Status);
    }

    [Theory]
    [InlineData("tar")]
    [InlineData("zip")]
    [InlineData("parquet")]
    public async Task Pictures_in_archives_outside_of_the_dataset_are_not_shown(string kind)
    {
        await using var records = new Records();
        var name = MakeArchive(records["o." + kind], kind);
        await records.ServeAsync($$"""{"image":"../o.{{kind}}/{{name}}"}""");
        await records.ExpectRefusedAsync("lies outside of the dataset");
        // Not by way of an archive of its own either.
        MakeArchive(records["data/own.parquet"], "parquet");
        await records.ServeAsync($$"""{"image":"own.parquet/../../o.{{kind}}/{{name}}"}""");
        await records.ExpectRefusedAsync("lies outside of the dataset");
        // What lies within is shown.
        File.Move(records["o." + kind], records["data/o." + kind]);
        await records.ServeAsync($$"""{"image":"o.{{kind}}/{{name}}"}""");
        Assert.Equal(HttpStatusCode.OK, (await records.GetAsync("image?key=0")).Status);
    }

    [Fact]
    public async Task A_link_in_the_dataset_is_part_of_it_and_leads_no_further()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        await using var records = new Records();
        Directory.CreateDirectory(records["elsewhere/inner"]);
        foreach (var place in (string[])["elsewhere/inner/a.jpg", "elsewhere/b.jpg"])
            File.Copy(Photo, records[place]);
        await File.WriteAllTextAsync(records["elsewhere/o.parquet"], "not the table that was checked", Cancellation);
        MakeArchive(records["data/o.parquet"], "parquet");
        Directory.CreateSymbolicLink(records["data/link"], records["elsewhere/inner"]);
        await records.ServeAsync("""
            {"image":"link/a.jpg"}
            {"image":"link/../b.jpg"}
            {"image":"link/../o.parquet/jpg#0"}
            """);
        Assert.Equal(HttpStatusCode.OK, (await records.GetAsync("image?key=0")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await records.GetAsync("image?key=1")).Status);
        Assert.Equal(HttpStatusCode.OK, (await records.GetAsync("image?key=2")).Status);
    }

    [Fact]
    public async Task A_name_that_no_file_has_is_one_that_is_not_there()
    {
        await using var records = new Records();
        await records.ServeAsync("""{"image":"a\u0000.jpg"}""");
        var (status, text) = await records.GetAsync("image?key=0");
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("NUL", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.jpg")]
    [InlineData("a.zip/a.jpg")]
    [InlineData("a.parquet/jpg#0")]
    public async Task Nothing_at_an_address_is_read_where_none_may_be(string name)
    {
        await using var records = new Records();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/{name}";
        await records.ServeAddressAsync(address, readsAddresses: false);
        await records.ExpectRefusedAsync("--no-addresses");
        Assert.Equal(HttpStatusCode.Forbidden, (await records.ExportAsync("tar")).Status);
        Assert.False(listener.Pending());
        // The test sees who asks.
        await records.ServeAddressAsync(address, readsAddresses: true);
        var asking = records.GetAsync("image?key=0");
        using (await listener.AcceptTcpClientAsync(Cancellation))
            listener.Stop();
        Assert.Equal(HttpStatusCode.NotFound, (await asking).Status);
    }

    [Fact]
    public async Task Images_of_a_page_that_the_dataset_holds_itself_are_read_together()
    {
        await using var records = new Records();
        var photo = Convert.ToBase64String(await File.ReadAllBytesAsync(Photo, Cancellation));
        await records.ServeAsync(string.Join('\n', ((string[])["jpg", "jpeg", "png"]).Select(type =>
            $$"""{"image":"data:image/{{type}};base64,{{photo}}"}""")));
        Assert.Equal(HttpStatusCode.OK, (await records.GetAsync("image?key=0")).Status);
        await File.WriteAllTextAsync(records["data/data.jsonl"], "", Cancellation);
        foreach (var path in (string[])["image?key=1", "thumb?key=2", "thumb?key=0"])
            Assert.Equal(HttpStatusCode.OK, (await records.GetAsync(path)).Status);
    }

    /// <summary>Puts a photograph into an archive or table.</summary>
    /// <returns>Its name in it.</returns>
    private static string MakeArchive(string path, string kind)
    {
        switch (kind)
        {
            case "tar":
                using (var tar = new TarWriter(File.Create(path)))
                    tar.WriteEntry(Photo, "leaf.jpg");
                return "leaf.jpg";
            case "zip":
                using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
                    zip.CreateEntryFromFile(Photo, "leaf.jpg");
                return "leaf.jpg";
            default:
                var images = path + ".tar";
                MakeArchive(images, "tar");
                var dataset = Dataset.Open(images, new DatasetOptions());
                using (var writer = dataset.CreateExport(path))
                {
                    foreach (var item in dataset.Read(Cancellation))
                        writer.Survey(item);
                    foreach (var item in dataset.Read(Cancellation))
                        writer.Write(item);
                    writer.Complete();
                }
                File.Delete(images);
                return "jpg#0";
        }
    }
}
