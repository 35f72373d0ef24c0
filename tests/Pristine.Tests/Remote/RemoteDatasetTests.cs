using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;
using Pristine.Tests.Models;

namespace Pristine.Tests.Remote;

/// <summary>Datasets that are at addresses themselves.</summary>
public sealed class RemoteDatasetTests : IDisposable
{
    private static readonly byte[] Leaf = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));

    private readonly ModelServer _server = new();
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly RemoteAccess _access = new(new RemoteOptions
    {
        AllowPrivateHosts = true,
        Attempts = 3,
        FirstDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(1),
    });

    public RemoteDatasetTests() => _server.Files["leaf.jpg"] = Leaf;

    public void Dispose()
    {
        _access.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Dataset Open(string name) => Dataset.Open(_server.Address + name, new DatasetOptions { Remote = _access });

    private static byte[] Compressed(byte[] content)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(content);
        return packed.ToArray();
    }

    private static byte[] Tar(params string[] keys)
    {
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var key in keys)
            {
                writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"{key}.jpg") { DataStream = new MemoryStream(Leaf) });
                writer.WriteEntry(new UstarTarEntry(
                    TarEntryType.RegularFile, $"{key}.txt")
                { DataStream = new MemoryStream(Encoding.UTF8.GetBytes($"caption of {key}")) });
            }
        }
        return archive.ToArray();
    }

    private void ExpectLeaves(Dataset dataset, params string[] ids)
    {
        var items = ScoringRun.Score(dataset, new ScoringOptions { Workers = 2 }, cancellation: Cancellation).ToArray();
        Assert.Equal(ids, items.Select(item => item.Item.Id));
        Assert.All(items, item => Assert.All(item.Rows, row => Assert.Equal((ImageStatus.Ok, null), (row.Status, row.Error))));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"id\": 1, \"image\": \"leaf.jpg\"}\n{\"id\": 2, \"image\": \"./leaf.jpg\"}\n")]
    [InlineData("a.json", "[{\"id\": 1, \"image\": \"leaf.jpg\"},\n {\"id\": 2, \"image\": \"leaf.jpg\"}]\n")]
    [InlineData("b.json", "{\"id\": 1, \"image\": \"leaf.jpg\"}\n{\"id\": 2, \"image\": \"leaf.jpg\"}\n")]
    [InlineData("a.csv", "id,image\n1,leaf.jpg\n2,leaf.jpg\n")]
    [InlineData("a.jsonl?signature=b.txt", "{\"id\": 1, \"image\": \"leaf.jpg\"}\n{\"id\": 2, \"image\": \"leaf.jpg\"}\n")]
    public void Records_name_images_relative_to_their_own_address_and_are_written_back(string name, string content)
    {
        var plain = name.Split('?')[0];
        _server.Files[plain] = Encoding.UTF8.GetBytes(content);
        _server.Files[plain + ".gz"] = Compressed(_server.Files[plain]);
        foreach (var address in (string[])[name, name.Replace(plain, plain + ".gz", StringComparison.Ordinal)])
        {
            var dataset = Open(address);
            ExpectLeaves(dataset, "1", "2");
            var output = _folder[$"kept-{plain}"];
            using (var writer = dataset.CreateWriter(output))
            {
                foreach (var item in dataset.Read(Cancellation))
                    writer.Write(item);
                writer.Complete();
            }
            Assert.Equal(content, File.ReadAllText(output));
        }
    }

    [Fact]
    public void A_file_that_its_server_calls_encoded_is_taken_as_it_is()
    {
        _server.Files["a.jsonl.gz"] = Compressed("{\"id\": 1, \"image\": \"leaf.jpg\"}\n"u8.ToArray());
        _server.Answer = (_, request) =>
        {
            var reply = _server.File(request);
            return request.Name.EndsWith("gz", StringComparison.Ordinal)
                ? reply with { Headers = [.. reply.Headers, ("Content-Encoding", "gzip")] }
                : reply;
        };
        ExpectLeaves(Open("a.jsonl.gz"), "1");
    }

    [Fact]
    public void A_list_and_an_image_are_datasets()
    {
        _server.Files["list.txt"] = Encoding.UTF8.GetBytes(
            $"leaf.jpg\n{_server.Address}leaf.jpg\n{TestFiles.InRepository("samples", "photos", "leaf.jpg")}\n");
        ExpectLeaves(Open("list.txt"), "leaf.jpg", $"{_server.Address}leaf.jpg", TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        ExpectLeaves(Open("leaf.jpg"), $"{_server.Address}leaf.jpg");
    }

    [Fact]
    public void Archives_are_streamed_and_their_samples_written_back()
    {
        _server.Files["shard-00.tar"] = Tar("a", "b");
        _server.Files["shard-01.tar"] = Tar("c");
        _server.Files["packed.tar.gz"] = Compressed(Tar("d"));
        var dataset = Open("shard-{00..01}.tar?token=1");
        ExpectLeaves(dataset, "a", "b", "c");
        Assert.Equal(["shard-00.tar/a.jpg", "shard-00.tar/b.jpg", "shard-01.tar/c.jpg"], dataset.Read(Cancellation)
            .Select(item => item.Images[0].Reference));
        ExpectLeaves(Open("packed.tar.gz"), "d");
        using (var writer = dataset.CreateWriter(_folder["kept/"]))
        {
            foreach (var item in dataset.Read(Cancellation))
                writer.Write(item);
            writer.Complete();
        }
        ExpectLeaves(Dataset.Open(_folder["kept/shard-{00..01}.tar"]), "a", "b", "c");
        Assert.Equal(_server.Files["shard-00.tar"].AsSpan().TrimEnd((byte)0).ToArray(), File.ReadAllBytes(_folder["kept/shard-00.tar"])
            .AsSpan().TrimEnd((byte)0).ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_stream_that_is_cut_goes_on_where_it_was(bool hasRanges)
    {
        var content = new byte[5_000_000];
        new Random(1).NextBytes(content);
        _server.Files["a"] = content;
        _server.Answer = (n, request) =>
        {
            var reply = hasRanges ? _server.File(request) : _server.File(request with { Headers = new Dictionary<string, string>() });
            return n < 6 ? reply with { CutAfter = (int)Math.Min(reply.Body.Length, hasRanges ? 700_000 : 700_000 * (n + 1)) } : reply;
        };
        using var stream = new RemoteStream(_access, _server.Address + "a");
        var read = new MemoryStream();
        stream.CopyTo(read);
        Assert.True(content.AsSpan().SequenceEqual(read.ToArray()));
        Assert.Equal(content.Length, stream.Position);
        Assert.Equal(7, _server.Requests.Count);
        Assert.All(_server.Requests.Skip(1), request => Assert.StartsWith("bytes=", request["Range"], StringComparison.Ordinal));
    }

    [Fact]
    public void A_stream_that_is_cut_and_has_changed_since_is_not_joined()
    {
        _server.Files["a"] = new byte[1_000_000];
        _server.Answer = (n, request) =>
        {
            _server.ETag = $"\"{n}\"";
            return _server.File(request) with { CutAfter = 300_000 };
        };
        using var stream = new RemoteStream(_access, _server.Address + "a");
        var error = Assert.Throws<RemoteException>(() => stream.CopyTo(Stream.Null));
        Assert.EndsWith("and the file has changed since", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_says_which_address_without_its_secrets()
    {
        _server.Files["a.jsonl"] = "{\"image\": \"leaf.jpg\"}\n"u8.ToArray();
        var missing = Assert.Throws<DatasetException>(() => Open("none.jsonl?secret=1").Read(Cancellation).Count());
        Assert.Equal($"Cannot read '{_server.Address}none.jsonl': the server answered 404 Scripted.", missing.Message);
        var archive = Assert.Throws<DatasetException>(() => Open("none.tar?secret=1").Read(Cancellation).Count());
        Assert.StartsWith($"Cannot read '{_server.Address}none.tar': the server answered 404", archive.Message, StringComparison.Ordinal);
        var closed = Assert.Throws<DatasetException>(() => Dataset.Open(_server.Address + "a.jsonl").Read(Cancellation).Count());
        Assert.Contains("--allow-private-hosts", closed.Message, StringComparison.Ordinal);
        Assert.Contains(
            "Cannot read 'abfs://bucket/a.jsonl': Azure's containers are read as az://CONTAINER/NAME",
            Assert.Throws<DatasetException>(() => Dataset.Open("abfs://bucket/a.jsonl")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "whose extension is none of these", Assert.Throws<DatasetException>(() => Open("folder")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_of_a_dataset_at_an_address_is_continued_and_selected_from()
    {
        _server.Files["a.jsonl"] = Encoding.UTF8.GetBytes(string.Concat(
            Enumerable.Range(0, 6).Select(i => $$"""{"id": {{i}}, "image": "leaf.jpg", "text": "{{new string('x', i)}}"}""" + "\n")));
        Assert.Equal(6, ScoreTableRun.Score(Open(
            "a.jsonl"), _folder["table"], new ScoringOptions { Workers = 2 }, cancellation: Cancellation).Sum(item => item.ImagesRead));
        Assert.Equal(0, ScoreTableRun.Score(Open(
            "a.jsonl"), _folder["table"], new ScoringOptions { Workers = 2 }, cancellation: Cancellation).Sum(item => item.ImagesRead));
        var table = ScoreTable.Open(_folder["table"]);
        using var run = SelectionRun.Run(table, new SelectionOptions { Keep = ["text_length >= 3"] }, null, () => SelectionRun.OpenDataset(
            table, _access), Cancellation);
        Assert.Equal(["3", "4", "5"], run.KeptItems(Cancellation).Select(item => item.Id));
    }

    [Fact]
    public void Nothing_is_written_to_an_address()
    {
        _server.Files["a.jsonl"] = "{\"image\": \"leaf.jpg\"}\n"u8.ToArray();
        Assert.Contains("which cannot be written to", Assert.Throws<DatasetException>(
            () => Open("a.jsonl").CreateWriter("https://host/kept.jsonl")).Message, StringComparison.Ordinal);
        Assert.Contains("which cannot be written to", Assert.Throws<DatasetException>(
            () => OutputPlace.CheckFolder("https://host/kept")).Message, StringComparison.Ordinal);
        foreach (var place in (string[])["s3://bucket/table", "https://host/table"])
        {
            Assert.Contains("Expected a folder for the score table", Assert.Throws<ScoreTableException>(
                () => ScoreTableRun.Score(Open("a.jsonl"), place, cancellation: Cancellation)).Message, StringComparison.Ordinal);
            Assert.Throws<ScoreTableException>(() => ScoreTable.Open(place));
        }
    }
}
