using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Pristine.Cloud;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Remote;

/// <summary>Buckets on a real S3 server.</summary>
public sealed class S3Tests : StoreTests
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly S3Server _server;
    private readonly S3Store _store;

    static S3Tests()
    {
        // What s3rver knows; the usual chain of credentials starts with the environment.
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", "S3RVER");
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", "S3RVER");
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true");
    }

    public S3Tests()
    {
        _server = new S3Server("photos", "results");
        _store = new S3Store(new S3Options { Endpoint = new Uri(_server.Address), Attempts = 2 });
    }

    protected override RemoteStore Store => _store;

    protected override void DisposeServer()
    {
        _store.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    private static void WriteAll(Dataset dataset, string output)
    {
        using var writer = dataset.CreateWriter(output);
        foreach (var item in dataset.Read(Cancellation))
            writer.Write(item);
        writer.Complete();
    }

    [Fact]
    public void Images_below_a_prefix_are_a_folder_and_a_glob_chooses_among_them()
    {
        foreach (var key in (string[])["b/two.jpg", "a one#1?.jpg", "b/ten.png", "b/.hidden/x.jpg", "b/notes.txt", "c-other.jpg"])
            Put($"s3://photos/set/{key}", Leaf);
        var dataset = Open("s3://photos/set");
        Assert.Equal(["a one#1?.jpg", "b/ten.png", "b/two.jpg", "c-other.jpg"], Ids(dataset));
        Assert.Equal(["s3://photos/set/b/ten.png", "s3://photos/set/b/two.jpg"], Ids(Open("s3://photos/set/b/t*")));
        Assert.Equal(["s3://photos/set/b/two.jpg", "s3://photos/set/c-other.jpg"], Ids(Open("s3://photos/set/**/{two,x,c-other}.jpg")));
        var rows = ScoringRun.Score(dataset, new ScoringOptions { Workers = 2 }, cancellation: Cancellation).SelectMany(item => item.Rows)
            .ToArray();
        Assert.All(rows, row => Assert.Equal((ImageStatus.Ok, null), (row.Status, row.Error)));
        Assert.All(rows, row => Assert.Equal(Leaf.Length, row.File?.Bytes));
        using (var writer = dataset.CreateExport("s3://results/set.jsonl"))
        {
            foreach (var item in dataset.Read(Cancellation))
                writer.Write(item);
            writer.Complete();
        }
        Assert.Equal("s3://photos/set/a one#1?.jpg", Open("s3://results/set.jsonl").Read(Cancellation).First().Images[0].Reference);
        // The list of the kept is one of addresses, and a dataset again.
        WriteAll(dataset, _folder["kept.txt"]);
        Assert.Equal("s3://photos/set/a one#1?.jpg", File.ReadAllLines(_folder["kept.txt"])[0]);
        Assert.All(ScoringRun.Score(Open(_folder["kept.txt"]), cancellation: Cancellation), item => Assert.Equal(
            ImageStatus.Ok, item.Rows[0].Status));
    }

    [Fact]
    [Trait("kind", "long")]
    public void Many_keys_are_listed_page_by_page()
    {
        var keys = Enumerable.Range(0, 1100).Select(i => $"{i:00000}.jpg").ToArray();
        Parallel.ForEach(keys, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancellation }, key =>
        {
            using var client = new AmazonS3Client(
                new BasicAWSCredentials("S3RVER", "S3RVER"), new AmazonS3Config { ServiceURL = _server.Address, ForcePathStyle = true });
            client.PutObjectAsync(new() { BucketName = "photos", Key = $"many/{key}", ContentBody = "x" }, Cancellation).GetAwaiter()
                .GetResult();
        });
        Assert.Equal(keys, Ids(Open("s3://photos/many/")));
    }

    [Fact]
    public void Records_name_images_in_buckets_and_are_written_into_buckets()
    {
        Put("s3://photos/set/leaf.jpg", Leaf);
        const string records = "{\"id\": 1, \"image\": \"leaf.jpg\"}\n{\"id\": 2, \"image\": \"s3://photos/set/leaf.jpg\"}\n{\"id\": 3, " +
            "\"image\": \"s3://photos/none.jpg\"}\n{\"id\": 4, \"image\": \"gs://photos/leaf.jpg\"}\n";
        Put("s3://photos/set/a.jsonl", Encoding.UTF8.GetBytes(records));
        var dataset = Open("s3://photos/set/a.jsonl");
        var rows = ScoringRun.Score(dataset, cancellation: Cancellation).Select(item => item.Rows[0]).ToArray();
        Assert.Equal([ImageStatus.Ok, ImageStatus.Ok, ImageStatus.Missing, ImageStatus.Missing], rows.Select(row => row.Status));
        Assert.StartsWith("the server answered 404 NoSuchKey", rows[2].Error, StringComparison.Ordinal);
        Assert.Contains("Pristine.Cloud", rows[3].Error, StringComparison.Ordinal);
        WriteAll(dataset, "s3://results/kept/a.jsonl");
        Assert.Equal(records, Encoding.UTF8.GetString(Get("s3://results/kept/a.jsonl")));
        WriteAll(dataset, "s3://results/kept/a.jsonl.gz");
        Assert.Equal(["1", "2", "3", "4"], Ids(Open("s3://results/kept/a.jsonl.gz")));
        Assert.Contains("would overwrite it", Assert.Throws<DatasetException>(
            () => dataset.CreateWriter("s3://photos/set/a.jsonl")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Archives_are_read_from_buckets_and_written_into_them()
    {
        foreach (var (name, key) in ((string, string)[])[("00", "a"), ("01", "b")])
        {
            var archive = new MemoryStream();
            using (var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
                writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"{key}.jpg") { DataStream = new MemoryStream(Leaf) });
            Put($"s3://photos/shard-{name}.tar", archive.ToArray());
        }
        foreach (var input in (string[])["s3://photos/shard-{00..01}.tar", "s3://photos/shard-*.tar"])
        {
            var dataset = Open(input);
            Assert.All(ScoringRun.Score(dataset, cancellation: Cancellation), item => Assert.Equal(ImageStatus.Ok, item.Rows[0].Status));
            WriteAll(dataset, "s3://results/shards/");
            Assert.Equal(["a", "b"], Ids(Open("s3://results/shards/shard-{00..01}.tar")));
            WriteAll(dataset, "s3://results/all-{0..}.tar");
            Assert.Equal(["a", "b"], Ids(Open("s3://results/all-0.tar")));
        }
        Assert.Contains(
            "found none", Assert.Throws<DatasetException>(() => Open("s3://photos/none-*.tar")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parquet_zip_and_Coco_are_read_from_buckets()
    {
        File.WriteAllBytes(_folder["leaf.jpg"], Leaf);
        using (var database = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 }))
            database.Execute(
                $"COPY (SELECT content AS image FROM read_blob('{_folder["leaf.jpg"]}')) TO '{_folder["a.parquet"]}' (FORMAT parquet)");
        Put("s3://photos/t/a.parquet", File.ReadAllBytes(_folder["a.parquet"]));
        Put("s3://photos/t/b.parquet", File.ReadAllBytes(_folder["a.parquet"]));
        var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        using (var entry = zip.CreateEntry("leaf.jpg").Open())
            entry.Write(Leaf);
        Put("s3://photos/a.zip", archive.ToArray());
        Put("s3://photos/leaf.jpg", Leaf);
        Put("s3://photos/coco.json", "{\"images\": [{\"id\": 1, \"file_name\": \"leaf.jpg\"}], \"annotations\": []}"u8.ToArray());
        foreach (var (input, count) in (ReadOnlySpan<(string, int)>)[
            ("s3://photos/t/*.parquet", 2), ("s3://photos/t/a.parquet", 1), ("s3://photos/a.zip", 1), ("s3://photos/coco.json", 1)])
        {
            var items = ScoringRun.Score(Open(input), cancellation: Cancellation).ToArray();
            Assert.Equal(count, items.Length);
            Assert.All(items, item => Assert.Equal((ImageStatus.Ok, null), (item.Rows[0].Status, item.Rows[0].Error)));
        }
        WriteAll(Open("s3://photos/t/*.parquet"), "s3://results/t/kept.parquet");
        Assert.Equal(2, Ids(Open("s3://results/t/kept.parquet")).Length);
        WriteAll(Open("s3://photos/coco.json"), "s3://results/kept.json");
        Assert.Equal(Get("s3://photos/coco.json"), Get("s3://results/kept.json"));
        var dataset = Open("s3://photos/t/a.parquet");
        dataset.RequireImages(Cancellation);
        Put("s3://photos/t/a.parquet", File.ReadAllBytes(_folder["leaf.jpg"]));
        Assert.Contains(
            "has changed since it was first read", Assert.Throws<DatasetException>(() => Ids(dataset)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Google_is_another_server_with_a_scheme_of_its_own()
    {
        using var google = S3Store.OfGoogle(new S3Options { Endpoint = new Uri(_server.Address), Attempts = 1 });
        using var access = new RemoteAccess(null, google);
        using (var upload = google.Create("gs://photos/set/leaf.jpg"))
        {
            upload.Write(Leaf);
            upload.Complete();
        }
        var options = new DatasetOptions { Remote = access };
        Assert.Equal(["leaf.jpg"], Ids(Dataset.Open("gs://photos/set/", options)));
        Assert.Equal(Leaf, Get("s3://photos/set/leaf.jpg"));
        Assert.All(ScoringRun.Score(Dataset.Open("gs://photos/set/*.jpg", options), cancellation: Cancellation), item => Assert.Equal(
            ImageStatus.Ok, item.Rows[0].Status));
        Assert.StartsWith("Cannot list 'gs://none/': the server answered 404 NoSuchBucket", Assert.Throws<DatasetException>(
            () => Ids(Dataset.Open("gs://none/", options))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ledgers_are_written_into_buckets()
    {
        Put("s3://photos/set/a.jpg", Leaf);
        foreach (var _ in ScoreTableRun.Score(Open("s3://photos/set/"), _folder["table"], cancellation: Cancellation))
        {
        }
        var table = ScoreTable.Open(_folder["table"]);
        using var run = SelectionRun.Run(
            table, new SelectionOptions { Keep = ["width < 1"] }, null, () => SelectionRun.OpenDataset(table, Access), Cancellation);
        using (var ledger = new LedgerWriter("s3://results/why.parquet", null, Access))
        {
            Assert.Throws<RemoteException>(() => Get("s3://results/why.parquet"));
            ledger.Write(run);
        }
        File.WriteAllBytes(_folder["why.parquet"], Get("s3://results/why.parquet"));
        Assert.Equal([("a.jpg", false)], Ledger.Open(_folder["why.parquet"]).Read().Select(entry => (entry.Id, entry.Kept)));
        File.WriteAllBytes(_folder["why.parquet.selection.json"], Get("s3://results/why.parquet.selection.json"));
        Assert.Equal(["width < 1"], LedgerSelection.Read(_folder["why.parquet"]).Selection.Keep);
        Assert.Contains("Download it first", Assert.Throws<LedgerException>(
            () => Ledger.Open("s3://results/why.parquet")).Message, StringComparison.Ordinal);
        Assert.Contains("which cannot be written to", Assert.Throws<DatasetException>(
            () => new LedgerWriter("https://host/why.jsonl", null, Access)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_object_is_written_in_parts_and_is_there_only_when_it_is_complete()
    {
        var content = new byte[(20 << 20) + 12345];
        new Random(1).NextBytes(content);
        using (var upload = _store.Create("s3://results/large.bin"))
        {
            upload.Write(content);
            Assert.Equal(RemoteFailure.Missing, Assert.Throws<RemoteException>(() => Get("s3://results/large.bin")).Failure);
        }
        Assert.Throws<RemoteException>(() => Get("s3://results/large.bin"));
        Put("s3://results/large.bin", content);
        Assert.True(content.AsSpan().SequenceEqual(Get("s3://results/large.bin")));
        Put("s3://results/empty.bin", []);
        Assert.Empty(Get("s3://results/empty.bin"));
    }

    [Fact]
    public async Task A_range_is_the_rest_of_an_object()
    {
        Put("s3://photos/leaf.jpg", Leaf);
        using var content = await _store.OpenAsync("s3://photos/leaf.jpg", new RemoteRange(1000), Cancellation);
        var rest = new MemoryStream();
        await content.Body.CopyToAsync(rest, Cancellation);
        Assert.Equal((1000L, (long?)Leaf.Length), (content.Start, content.Length));
        Assert.True(Leaf.AsSpan(1000).SequenceEqual(rest.ToArray()));
        Assert.NotNull(content.Version);
    }

    [Fact]
    public void A_table_of_a_bucket_is_continued_where_images_have_changed()
    {
        foreach (var name in (string[])["a", "b", "c"])
            Put($"s3://photos/set/{name}.jpg", Leaf);
        long Read() =>
            ScoreTableRun.Score(Open("s3://photos/set/"), _folder["table"], new ScoringOptions { Workers = 2 }, cancellation: Cancellation)
            .Sum(item => item.ImagesRead);
        Assert.Equal(3, Read());
        Assert.Equal(0, Read());
        Put("s3://photos/set/b.jpg", File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "clock.jpg")));
        Put("s3://photos/set/d.jpg", Leaf);
        Assert.Equal(2, Read());
        Assert.Null(ScoreTable.Open(_folder["table"]).Incomplete);
    }

    [Fact]
    public void What_goes_wrong_is_told_before_the_work()
    {
        Put("s3://photos/set/a.jpg", Leaf);
        var dataset = Open("s3://photos/set/");
        Assert.StartsWith("Cannot write 's3://none/kept.txt': the server answered 404 NoSuchBucket", Assert.Throws<DatasetException>(
            () => dataset.CreateWriter("s3://none/kept.txt")).Message, StringComparison.Ordinal);
        Assert.StartsWith("Cannot list 's3://none/a/': the server answered 404 NoSuchBucket", Assert.Throws<DatasetException>(
            () => Ids(Open("s3://none/a/"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be written to", Assert.Throws<DatasetException>(
            () => new FileExport("s3://results/copies", FileExportMode.Copy, "")).Message, StringComparison.Ordinal);
        Assert.Contains("are at addresses", Assert.Throws<DatasetException>(
            () => FileExport.For(dataset, _folder["copies"], FileExportMode.Copy)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "az://CONTAINER/NAME", Assert.Throws<DatasetException>(() => Dataset.Open("abfs://container/a.jsonl")).Message,
            StringComparison.Ordinal);
        Assert.Contains("Pristine.Cloud", Assert.Throws<DatasetException>(
            () => Ids(Dataset.Open("s3://photos/a.jsonl"))).Message, StringComparison.Ordinal);
        using var denied = new RemoteAccess(null, new S3Store(new S3Options { Endpoint = new Uri(_server.Address), Anonymous = true }));
        // s3rver lets everyone read; that nothing is signed is all there is to see.
        Assert.Equal(["a.jpg"], Ids(Dataset.Open("s3://photos/set/", new DatasetOptions { Remote = denied })));
    }
}
