using System.Globalization;
using System.IO.Compression;
using System.Text;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Tables;
using Pristine.Tests.Models;

namespace Pristine.Tests.Remote;

/// <summary>
/// Datasets at addresses that are read in places, not from start to end: Parquet and zip; and COCO, which is read in passes.
/// </summary>
public sealed class RemoteFileTests : IDisposable
{
    private static readonly byte[] Leaf = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));

    private readonly ModelServer _server = new();
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly RemoteAccess _access = Access(new RemoteOptions());

    // To hash the content for each range would be most of the work.
    public RemoteFileTests() => _server.ETag = "\"1\"";

    public void Dispose()
    {
        _access.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static RemoteAccess Access(RemoteOptions options) => new(options with
    {
        AllowPrivateHosts = true,
        Attempts = 3,
        FirstDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(1),
    });

    private Dataset Open(string name, RemoteAccess? access = null) =>
        Dataset.Open(_server.Address + name, new DatasetOptions { Remote = access ?? _access });

    /// <summary>Answers as servers do that know no ranges.</summary>
    private void ForgetRanges() =>
        _server.Answer = (_, request) => _server.File(request with { Headers = new Dictionary<string, string>() });

    private static byte[] Noise(int bytes, int seed)
    {
        var content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    private void AddParquet(string name, int rows)
    {
        // More than is read ahead, so that it shows whether the column is read.
        File.WriteAllBytes(_folder["noise"], Noise(12 << 20, 3));
        File.WriteAllBytes(_folder["leaf.jpg"], Leaf);
        using var database = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });
        database.Execute(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            COPY (SELECT {DuckDbConnection.Literal(name)} || i AS id, (SELECT content FROM read_blob('{_folder["leaf.jpg"]}')) AS image,
                (SELECT content FROM read_blob('{_folder["noise"]}')) AS tensor, i AS n FROM range({rows}) t(i))
            TO '{_folder[name]}' (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 2048)
            """));
        _server.Files[name] = File.ReadAllBytes(_folder[name]);
    }

    private void AddZip(string name)
    {
        var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string entry, byte[] content, CompressionLevel level)
            {
                using var stream = zip.CreateEntry(entry, level).Open();
                stream.Write(content);
            }
            Add("a.jpg", Leaf, CompressionLevel.NoCompression);
            Add("a.txt", "text of a\n"u8.ToArray(), CompressionLevel.Optimal);
            Add("noise.bin", Noise(12 << 20, 4), CompressionLevel.NoCompression);
            Add("sub/b.jpg", Leaf, CompressionLevel.Optimal);
            Add("captions.json", "{\"sub/b.jpg\": \"caption of b\"}"u8.ToArray(), CompressionLevel.Optimal);
        }
        _server.Files[name] = archive.ToArray();
    }

    private static void WriteAll(Dataset dataset, DatasetWriter writer)
    {
        using (writer)
        {
            foreach (var item in dataset.Read(Cancellation))
                writer.Write(item);
            writer.Complete();
        }
    }

    private static ScoredItem[] Score(Dataset dataset) =>
        [.. ScoringRun.Score(dataset, new ScoringOptions { Workers = 2 }, cancellation: Cancellation)];

    private static void ExpectAllOk(IEnumerable<ScoredItem> items) =>
        Assert.All(items, item => Assert.All(item.Rows, row => Assert.Equal((ImageStatus.Ok, null), (row.Status, row.Error))));

    /// <summary>Bytes that the requests asked for, of a file.</summary>
    private long Asked(string name) => _server.Requests.Where(request => request.Name == name).Sum(request =>
    {
        var ends = request["Range"]!["bytes=".Length..].Split('-');
        return Math.Min(_server.Files[name].Length, long.Parse(ends[1], CultureInfo.InvariantCulture) + 1)
            - long.Parse(ends[0], CultureInfo.InvariantCulture);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_is_read_in_any_order(bool hasRanges)
    {
        _server.Files["a"] = Noise((RemoteFile.BlockBytes * 20) + 1234, 1);
        if (!hasRanges)
            ForgetRanges();
        var file = new RemoteFile(_access, _server.Address + "a");
        Assert.Equal((_server.Files["a"].Length, hasRanges), (file.Length, file.HasRanges));
        using var stream = file.OpenStream();
        var random = new Random(2);
        for (var i = 0; i < 100; i++)
        {
            var buffer = new byte[random.Next(1, 3 * RemoteFile.BlockBytes)];
            stream.Position = random.NextInt64(file.Length);
            var expected = _server.Files["a"].AsSpan((int)stream.Position)[..(int)Math.Min(buffer.Length, file.Length - stream.Position)];
            Assert.Equal(expected.Length, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
            Assert.True(expected.SequenceEqual(buffer.AsSpan(0, expected.Length)));
        }
        // Each block once, whatever the order; or all once. The first request asks what there is.
        Assert.Equal(hasRanges ? 22 : 2, _server.Requests.Count);
        if (hasRanges)
            Assert.All(_server.Requests.Skip(1), request => Assert.Equal(file.Version, request["If-Match"]));
    }

    [Fact]
    public void More_than_is_held_is_read_again_and_threads_do_not_disturb_each_other()
    {
        var content = Noise(RemoteFile.BlockBytes * (RemoteFile.MostBlocks + 40), 1);
        _server.Files["a"] = content;
        var file = new RemoteFile(_access, _server.Address + "a");
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, seed =>
        {
            var random = new Random(seed);
            using var stream = file.OpenStream();
            var buffer = new byte[RemoteFile.BlockBytes];
            for (var i = 0; i < 100; i++)
            {
                stream.Position = random.NextInt64(file.Length - buffer.Length);
                var expected = content.AsSpan((int)stream.Position, buffer.Length);
                stream.ReadExactly(buffer);
                Assert.True(expected.SequenceEqual(buffer));
            }
        });
    }

    [Fact]
    public void Of_Parquet_only_the_columns_that_are_needed_are_fetched()
    {
        AddParquet("a.parquet", 2);
        var dataset = Open("a.parquet?token=1");
        dataset.RequireImages(Cancellation);
        Assert.Equal("Parquet, images in 'image'", dataset.Layout);
        var items = Score(dataset);
        Assert.Equal(["a.parquet0", "a.parquet1"], items.Select(item => item.Item.Id));
        Assert.Equal("a.parquet/image#1", items[1].Item.Images[0].Reference);
        ExpectAllOk(items);
        // Three passes: the layout, the items, and each ends within what is read ahead.
        Assert.InRange(Asked("a.parquet"), 1, _server.Files["a.parquet"].Length - (12 << 20));
        WriteAll(dataset, dataset.CreateWriter(_folder["kept.parquet"]));
        using var database = DuckDbConnection.Open();
        Assert.Equal(2, database.QueryInt64(
            $"SELECT count(*) FROM (SELECT * FROM '{_folder["a.parquet"]}' INTERSECT ALL SELECT * FROM '{_folder["kept.parquet"]}')"));
    }

    [Fact]
    public void Several_Parquet_files_are_one_dataset_and_their_server_may_know_no_ranges()
    {
        AddParquet("p-0.parquet", 1);
        AddParquet("p-1.parquet", 2);
        ForgetRanges();
        var dataset = Open("p-{0..1}.parquet");
        dataset.RequireImages(Cancellation);
        Assert.Equal(
            "Parquet, images in 'image', through a temporary file because the server sends no ranges", dataset.Layout);
        var items = Score(dataset);
        Assert.Equal(["p-0.parquet0", "p-1.parquet0", "p-1.parquet1"], items.Select(item => item.Item.Id));
        ExpectAllOk(items);
        using var small = Access(new RemoteOptions { MaxSpoolBytes = 1 << 20 });
        var refused = Assert.Throws<DatasetException>(() => Open("p-0.parquet", small).RequireImages(Cancellation));
        Assert.Equal(
            $"Cannot read '{_server.Address}p-0.parquet': the server sends no ranges, so that the whole file is needed on the disk; the " +
            $"file has {_server.Files["p-0.parquet"].Length} bytes, at most 1048576 are read.", refused.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_a_zip_archive_the_directory_and_the_images_are_fetched(bool hasRanges)
    {
        AddZip("a.zip");
        if (!hasRanges)
            ForgetRanges();
        var dataset = Open("a.zip?token=1");
        dataset.RequireImages(Cancellation);
        Assert.Equal(
            "zip archive of images" + (hasRanges ? "" : ", through a temporary file because the server sends no ranges"), dataset.Layout);
        var items = Score(dataset);
        Assert.Equal(["a.jpg", "sub/b.jpg"], items.Select(item => item.Item.Id));
        Assert.Equal(["a.zip/a.jpg", "a.zip/sub/b.jpg"], items.Select(item => item.Item.Images[0].Reference));
        Assert.Equal(["text of a", "caption of b"], items.Select(item => item.Item.Record!.Fields(["caption"])[0]));
        ExpectAllOk(items);
        if (hasRanges)
            Assert.InRange(Asked("a.zip"), 1, _server.Files["a.zip"].Length - (10 << 20));
        WriteAll(dataset, dataset.CreateExport(_folder["kept.tar"]));
        var kept = Dataset.Open(_folder["kept.tar"]).Read(Cancellation).ToArray();
        Assert.Equal(2, kept.Length);
        using var decoder = new ImageDecoder();
        foreach (var item in kept)
        {
            decoder.Load(item.Images[0], ImageInput.Rgb);
            Assert.Equal(Leaf, decoder.FileBytes.ToArray());
        }
    }

    [Fact]
    public void Members_of_a_zip_archive_that_the_network_loses_have_its_status()
    {
        AddZip("a.zip");
        var dataset = Open("a.zip");
        dataset.RequireImages(Cancellation);
        var items = dataset.Read(Cancellation).ToArray();
        _server.Answer = (_, _) => new Reply(503, []);
        using var decoder = new ImageDecoder();
        var result = decoder.Load(items[1].Images[0], ImageInput.Rgb);
        Assert.Equal(ImageStatus.Network, result.Status);
        Assert.Contains("503", result.Error, StringComparison.Ordinal);
        // What is read of the directory and of texts ends the run: nothing can be said of the items then.
        Assert.Contains(
            "503", Assert.Throws<DatasetException>(() => Open("a.zip").Read(Cancellation).Count()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.parquet")]
    [InlineData("a.zip")]
    public void Ranges_that_are_cut_are_asked_for_again_and_those_of_a_changed_file_refused(string name)
    {
        AddParquet("a.parquet", 1);
        AddZip("a.zip");
        _server.Answer = (n, request) => _server.File(request) is var reply && n % 3 == 1 ? reply with { CutAfter = 100 } : reply;
        ExpectAllOk(Score(Open(name)));
        _server.Answer = (_, request) => _server.File(request);
        var dataset = Open(name);
        dataset.RequireImages(Cancellation);
        foreach (var checks in (bool[])[true, false])
        {
            _server.ETag = $"\"another {checks}\"";
            // Not every server looks at If-Match.
            _server.Answer = (_, request) => checks ? _server.File(request)
                : _server.File(request with { Headers = request.Headers.Where(header => header.Key != "If-Match").ToDictionary() });
            Assert.Equal(
                $"Cannot read '{_server.Address}{name}': the file has changed since it was first read.",
                Assert.Throws<DatasetException>(() => dataset.Read(Cancellation).Count()).Message);
        }
    }

    [Theory]
    [InlineData("coco.json")]
    [InlineData("coco.json.gz")]
    public void Coco_is_streamed_and_an_export_is_of_one_version(string name)
    {
        const string coco = """
            {"images": [{"id": 1, "file_name": "leaf.jpg"}, {"id": 2, "file_name": "leaf.jpg"}],
             "annotations": [{"id": 7, "image_id": 1}, {"id": 8, "image_id": 2}], "categories": []}
            """;
        _server.Files["leaf.jpg"] = Leaf;
        _server.Files["coco.json"] = Encoding.UTF8.GetBytes(coco);
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(_server.Files["coco.json"]);
        _server.Files["coco.json.gz"] = packed.ToArray();
        var dataset = Open(name);
        Assert.Equal(DatasetFormat.Coco, dataset.Format);
        ExpectAllOk(Score(dataset));
        WriteAll(dataset, dataset.CreateWriter(_folder["all.json"]));
        Assert.Equal(coco, File.ReadAllText(_folder["all.json"]));
        using var writer = dataset.CreateWriter(_folder["some.json"]);
        writer.Write(dataset.Read(Cancellation).ElementAt(1));
        _server.ETag = "\"another\"";
        Assert.Contains(
            "has changed since it was first read", Assert.Throws<DatasetException>(writer.Complete).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["some.json"]));
    }
}
