using System.Text;
using Pristine.Tests;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary>Images and datasets at addresses, as a user reads them.</summary>
public sealed class RemoteTests : IDisposable
{
    private readonly ModelServer _server = new();
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public RemoteTests()
    {
        _server.Files["leaf.jpg"] = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        _server.Files["a.jsonl"] = Encoding.UTF8.GetBytes("{\"id\": 1, \"image\": \"leaf.jpg\"}\n{\"id\": 2, \"image\": \"gone.jpg\"}\n");
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private CommandResult Run(params string[] arguments) => PristineCommand.Run(arguments, _folder.Path);

    [Fact]
    public void A_dataset_at_an_address_is_filtered_into_a_file()
    {
        var refused = Run("filter", $"{_server.Address}a.jsonl", "--keep", "width > 0", "--out", "kept.jsonl").Expect(1);
        Assert.Contains("127.0.0.1 is not a public address; --allow-private-hosts allows it", refused.Error, StringComparison.Ordinal);
        Run("filter", $"{_server.Address}a.jsonl", "--allow-private-hosts", "--keep", "width > 0", "--out", "kept.jsonl").Expect(0);
        Assert.Equal("{\"id\": 1, \"image\": \"leaf.jpg\"}\n", File.ReadAllText(_folder["kept.jsonl"]));
    }

    [Theory]
    [InlineData("a.jsonl", 1)]
    [InlineData("a.zip", 2)]
    [InlineData("a.parquet", 2)]
    public void A_report_shows_images_that_lie_at_an_address(string input, int thumbnails)
    {
        Directory.CreateDirectory(_folder["in"]);
        foreach (var name in (string[])["1.jpg", "2.jpg"])
            File.WriteAllBytes(_folder[$"in/{name}"], _server.Files["leaf.jpg"]);
        System.IO.Compression.ZipFile.CreateFromDirectory(_folder["in"], _folder["a.zip"]);
        Run("filter", "a.zip", "--keep", "width > 0", "--out", "a.parquet").Expect(0);
        foreach (var name in (string[])["a.zip", "a.parquet"])
            _server.Files[name] = File.ReadAllBytes(_folder[name]);
        Run("score", $"{_server.Address}{input}", "-m", "sharpness", "--allow-private-hosts", "--out", "table").Expect(0);
        Assert.Contains($" {thumbnails} thumbnails", Run("report", "table", "--allow-private-hosts", "--out", "report.html")
            .Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains(" 0 thumbnails", Run("report", "table", "--out", "report.html").Expect(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Sets_at_addresses_are_compared()
    {
        var set = $"{_server.Address}a.jsonl";
        var result = Run("overlap", set, set, "--allow-private-hosts", "--out", "clean.jsonl").Expect(0);
        Assert.Contains("\"match\":\"exact\"", result.Output, StringComparison.Ordinal);
        Assert.Equal("{\"id\": 2, \"image\": \"gone.jpg\"}\n", File.ReadAllText(_folder["clean.jsonl"]));
    }

    [Fact]
    public void A_run_that_reaches_no_server_is_no_success()
    {
        File.WriteAllText(_folder["a.jsonl"], $"{{\"image\": \"{_server.Address}leaf.jpg\"}}\n");
        _server.Dispose();
        var result = Run("score", "a.jsonl", "--allow-private-hosts", "--network-attempts", "1", "--out", "table").Expect(3);
        Assert.Contains("1 of 1 images could not be fetched, first 'http://127.0.0.1:", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_in_a_bucket_is_said_before_the_run()
    {
        File.WriteAllText(_folder["a.jsonl"], $"{{\"image\": \"{_server.Address}leaf.jpg\"}}\n");
        Assert.Contains("Expected a folder for the score table", Run("score", "a.jsonl", "--out", "s3://bucket/table")
            .Expect(1).Error, StringComparison.Ordinal);
        // Amazon's own settings of whoever runs the test would say a region.
        var nowhere = new[] { "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3" }.Select(name => (name, ""))
            .Append(("AWS_CONFIG_FILE", _folder["none"])).Append(("AWS_SHARED_CREDENTIALS_FILE", _folder["none"]))
            .Append(("AWS_EC2_METADATA_DISABLED", "true")).ToArray();
        var ledger = PristineCommand.Run(
            ["filter", "a.jsonl", "--allow-private-hosts", "--keep", "width > 0", "--out", "kept.jsonl", "--ledger",
                "s3://bucket/ledger.csv"],
            _folder.Path, environment: nowhere).Expect(1);
        Assert.Contains(
            "Cannot write 's3://bucket/ledger.csv': expected the bucket's region by --s3-region, AWS_REGION or a profile; found none.",
            ledger.Error, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
        Assert.Contains("--s3-endpoint: expected an address", Run("score", "a.jsonl", "--s3-endpoint", "minio")
            .Expect(2).Error, StringComparison.Ordinal);
    }
}
