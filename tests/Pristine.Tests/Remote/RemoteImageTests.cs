using System.Globalization;
using System.IO.Compression;
using System.Net;
using Pristine.Datasets;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Tables;
using Pristine.Tests.Models;

namespace Pristine.Tests.Remote;

/// <summary>Images at addresses, read from a server that fails in all ways servers do.</summary>
public sealed class RemoteImageTests : IDisposable
{
    private static readonly byte[] Leaf = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));

    private readonly ModelServer _server = new();
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    /// <summary>Short waits: the tests fail on purpose.</summary>
    private static readonly RemoteOptions Quick = new()
    {
        AllowPrivateHosts = true,
        Attempts = 3,
        FirstDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(1),
        Timeout = TimeSpan.FromSeconds(20),
    };

    public RemoteImageTests()
    {
        _server.Files["leaf.jpg"] = Leaf;
        _server.Files["text.jpg"] = "<html>not here</html>"u8.ToArray();
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private ScoreRow Score(string path, RemoteOptions? options = null, long? limit = null)
    {
        using var access = new RemoteAccess(options ?? Quick);
        using var scorer = new ImageScorer(new ScoringOptions { Imaging = new ImagingOptions { MaxFileBytes = limit ?? 1 << 30 } });
        var address = path.Contains("://", StringComparison.Ordinal) ? path : _server.Address + path;
        return scorer.Score(new RemoteSource(address, address, access));
    }

    private void ExpectLeaf(ScoreRow row)
    {
        using var scorer = new ImageScorer();
        var local = scorer.Score(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        Assert.Equal((ImageStatus.Ok, null), (row.Status, row.Error));
        Assert.Equal((local.ContentHash, local.Scores.ToArray()[0]), (row.ContentHash, row.Scores.ToArray()[0]));
    }

    [Fact]
    public void An_image_at_an_address_is_scored_as_the_file_is()
    {
        ExpectLeaf(Score("leaf.jpg?token=1"));
        Assert.Null(Score("leaf.jpg").File);
        Assert.StartsWith("pristine/", _server.Requests[0]["User-Agent"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, ImageStatus.Missing, 1)]
    [InlineData(410, ImageStatus.Missing, 1)]
    [InlineData(401, ImageStatus.Unreadable, 1)]
    [InlineData(403, ImageStatus.Unreadable, 1)]
    [InlineData(204, ImageStatus.Unreadable, 1)]
    [InlineData(429, ImageStatus.Network, 3)]
    [InlineData(500, ImageStatus.Network, 3)]
    [InlineData(503, ImageStatus.Network, 3)]
    [InlineData(505, ImageStatus.Network, 1)]
    public void An_answer_that_is_no_content_is_a_status(int answer, ImageStatus status, int requests)
    {
        _server.Answer = (_, _) => new Reply(answer, answer == 204 ? [] : "sorry"u8.ToArray());
        var row = Score("leaf.jpg");
        Assert.Equal(status, row.Status);
        Assert.Contains(answer.ToString(CultureInfo.InvariantCulture), row.Error, StringComparison.Ordinal);
        Assert.Equal(requests, _server.Requests.Count);
    }

    [Fact]
    public void Failures_that_pass_leave_no_trace()
    {
        _server.Answer = (n, request) => n switch
        {
            0 => new Reply(500, []),
            1 => _server.File(request) with { CutAfter = 1000 },
            _ => _server.File(request),
        };
        ExpectLeaf(Score("leaf.jpg"));
        Assert.Equal(3, _server.Requests.Count);
    }

    [Fact]
    public void Retry_After_is_honoured()
    {
        _server.Answer = (n, request) => n == 0 ? new Reply(429, []) { Headers = [("Retry-After", "1")] } : _server.File(request);
        var started = Environment.TickCount64;
        ExpectLeaf(Score("leaf.jpg"));
        Assert.True(Environment.TickCount64 - started >= 990);
        _server.Answer = (_, _) => new Reply(503, []) { Headers = [("Retry-After", "3600")] };
        var row = Score("leaf.jpg");
        Assert.Equal((ImageStatus.Network, "the server answered 503 Scripted and asks to come back in 3600 s"), (row.Status, row.Error));
    }

    [Fact]
    public void A_connection_that_is_always_cut_is_a_failure_of_the_network()
    {
        _server.Answer = (_, request) => _server.File(request) with { CutAfter = 1000 };
        var row = Score("leaf.jpg");
        Assert.Equal(ImageStatus.Network, row.Status);
        Assert.Contains("gave up after 3 attempts", row.Error, StringComparison.Ordinal);
        // Chunks without their end as well: nothing of it counts as the image.
        _server.Answer = (_, request) => _server.File(request) with { CutAfter = 1000, IsChunked = true };
        Assert.Equal(ImageStatus.Network, Score("leaf.jpg").Status);
    }

    [Fact]
    public void Silence_is_a_failure_of_the_network()
    {
        _server.Answer = (_, request) => _server.File(request) with { CutAfter = 1000, IsSilentAfterCut = true };
        var row = Score("leaf.jpg", Quick with { Timeout = TimeSpan.FromSeconds(.3), Attempts = 2 });
        Assert.Equal((ImageStatus.Network, "no data within 0.3 s; gave up after 2 attempts"), (row.Status, row.Error));
    }

    [Fact]
    public void A_slow_server_is_waited_for_but_not_for_ever()
    {
        _server.Answer = (_, request) => _server.File(request) with
        {
            Piece = (Leaf.Length / 4) + 1,
            Pause = TimeSpan.FromMilliseconds(100),
        };
        ExpectLeaf(Score("leaf.jpg"));
        _server.Answer = (_, request) => _server.File(request) with { Piece = 1000, Pause = TimeSpan.FromMilliseconds(50) };
        var row = Score("leaf.jpg", Quick with { Deadline = TimeSpan.FromSeconds(.2) });
        Assert.Equal(ImageStatus.Network, row.Status);
        Assert.StartsWith("not whole within 0.2 s, after ", row.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "at most 10000 are read")]
    [InlineData(true, "the server sends more; at most 10000 are read")]
    public void A_content_that_is_too_large_is_not_read(bool isChunked, string reason)
    {
        _server.Answer = (_, request) => _server.File(request) with { IsChunked = isChunked };
        foreach (var row in (ScoreRow[])[Score("leaf.jpg", limit: 10_000), Score("leaf.jpg", Quick with { MaxImageBytes = 10_000 })])
        {
            Assert.Equal(ImageStatus.Unreadable, row.Status);
            Assert.EndsWith(reason, row.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_endless_body_ends_at_the_limit()
    {
        _server.Answer = (_, _) => new Reply(200, new byte[50 << 20]) { IsChunked = true, Piece = 100_000 };
        Assert.EndsWith("at most 1000000 are read", Score("leaf.jpg", limit: 1_000_000).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_content_without_a_length_is_read_to_its_end()
    {
        _server.Answer = (_, request) => _server.File(request) with { IsChunked = true, Piece = 10_000 };
        ExpectLeaf(Score("leaf.jpg"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public void A_content_that_is_compressed_unasked_is_decompressed_up_to_the_limit(string encoding)
    {
        var packed = new MemoryStream();
        Stream compressor = encoding switch
        {
            "gzip" => new GZipStream(packed, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest),
            _ => new BrotliStream(packed, CompressionLevel.Fastest),
        };
        using (compressor)
            compressor.Write(Leaf);
        _server.Answer = (_, _) => new Reply(200, packed.ToArray()) { Headers = [("Content-Encoding", encoding)] };
        ExpectLeaf(Score("leaf.jpg"));
        Assert.EndsWith("at most 10000 are read", Score("leaf.jpg", limit: 10_000).Error, StringComparison.Ordinal);
        _server.Answer = (_, _) => new Reply(200, packed.ToArray()[..^2000]) { Headers = [("Content-Encoding", encoding)] };
        Assert.Equal(ImageStatus.Network, Score("leaf.jpg").Status);
    }

    [Fact]
    public void A_page_in_place_of_an_image_is_no_image()
    {
        var row = Score("text.jpg");
        Assert.Equal(ImageStatus.Unreadable, row.Status);
        Assert.NotNull(row.ContentHash);
    }

    [Fact]
    public void Redirects_are_followed_but_not_for_ever()
    {
        _server.Answer = (_, request) => request.Name switch
        {
            "a" => new Reply(302, []) { Headers = [("Location", "/b")] },
            "b" => new Reply(307, []) { Headers = [("Location", $"{_server.Address}leaf.jpg")] },
            "loop" => new Reply(301, []) { Headers = [("Location", "loop")] },
            "file" => new Reply(302, []) { Headers = [("Location", "file:///etc/passwd")] },
            _ => _server.File(request),
        };
        ExpectLeaf(Score("a"));
        var loop = Score("loop");
        Assert.Equal((ImageStatus.Unreadable, $"more than 5 redirects, the last to {_server.Address}loop"), (loop.Status, loop.Error));
        Assert.Equal(
            (ImageStatus.Unreadable, "a redirect from http to file, which is not followed"), (Score("file").Status, Score("file").Error));
    }

    [Fact]
    public void Nobody_at_home_is_a_failure_of_the_network()
    {
        var port = _server.Port;
        _server.Dispose();
        Assert.Equal(ImageStatus.Network, Score($"http://127.0.0.1:{port}/a.jpg").Status);
        Assert.Equal(ImageStatus.Network, Score("http://no-such-host.invalid/a.jpg").Status);
    }

    [Fact]
    public void Hosts_that_are_not_public_are_refused()
    {
        var closed = Quick with { AllowPrivateHosts = false };
        foreach (var address in (string[])["http://127.0.0.1:{0}/leaf.jpg", "http://localhost:{0}/leaf.jpg",
            "http://2130706433:{0}/leaf.jpg", "http://0x7f.1:{0}/leaf.jpg", "http://[::ffff:127.0.0.1]:{0}/leaf.jpg"])
        {
            var row = Score(string.Format(CultureInfo.InvariantCulture, address, _server.Port), closed);
            Assert.Equal(ImageStatus.Network, row.Status);
            Assert.EndsWith("is not a public address; --allow-private-hosts allows it", row.Error, StringComparison.Ordinal);
        }
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public void A_redirect_to_a_private_host_is_refused()
    {
        // Only the second address counts as private here: a test has no public one.
        using var inner = new ModelServer();
        inner.Files["leaf.jpg"] = Leaf;
        var names = new Dictionary<string, string> { ["public.test"] = "127.0.0.1", ["inner.test"] = "127.0.0.2" };
        var options = Quick with
        {
            AllowPrivateHosts = false,
            IsPrivate = address => address.ToString() != "127.0.0.1",
            Resolve = (host, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(names.GetValueOrDefault(host, host))]),
        };
        _server.Answer = (_, request) => request.Name == "go"
            ? new Reply(302, []) { Headers = [("Location", $"http://inner.test:{inner.Port}/leaf.jpg")] }
            : _server.File(request);
        ExpectLeaf(Score($"http://public.test:{_server.Port}/leaf.jpg", options));
        var row = Score($"http://public.test:{_server.Port}/go", options);
        Assert.Equal(ImageStatus.Network, row.Status);
        Assert.StartsWith("the host inner.test leads to 127.0.0.2", row.Error, StringComparison.Ordinal);
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public void A_name_that_changes_its_address_between_check_and_connection_leads_nowhere()
    {
        var asked = 0;
        var options = Quick with
        {
            AllowPrivateHosts = false,
            IsPrivate = address => address.ToString() != "127.0.0.1",
            Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(asked++ == 0 ? "127.0.0.1" : "127.0.0.2")]),
        };
        // What was looked up first is what is connected to; there is no second look.
        ExpectLeaf(Score($"http://rebinding.test:{_server.Port}/leaf.jpg", options));
        Assert.Equal(1, asked);
    }

    [Fact]
    public void A_dataset_with_addresses_gives_the_rows_in_order_and_reads_each_address_once()
    {
        const int count = 60;
        _server.Answer = (_, request) =>
            request.Name == "missing.jpg" ? new Reply(404, []) : _server.File(request with { Target = "/leaf.jpg" });
        File.WriteAllLines(_folder["a.jsonl"], Enumerable.Range(0, count).Select(i =>
            $$"""{"id": {{i}}, "image": "{{(i % 10 == 3 ? $"{_server.Address}missing.jpg" : i % 10 == 4 ? TestFiles.InRepository("samples", "photos", "leaf.jpg") : $"{_server.Address}{i / 2}.jpg")}}"}"""));
        using var access = new RemoteAccess(Quick);
        var dataset = Dataset.Open(_folder["a.jsonl"], new DatasetOptions { Remote = access });
        var items = ScoringRun.Score(dataset, new ScoringOptions { Workers = 3 }, cancellation: TestContext.Current.CancellationToken)
            .ToArray();
        Assert.Equal(Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture)), items.Select(item => item.Item.Id));
        Assert.All(items, (item, i) => Assert.Equal(i % 10 == 3 ? ImageStatus.Missing : ImageStatus.Ok, item.Rows[0].Status));
        Assert.Single(items.Where(item => item.Rows[0].Status == ImageStatus.Ok).Select(item => item.Rows[0].ContentHash).Distinct());
        Assert.Equal(_server.Requests.Count, _server.Requests.Select(request => request.Name).Distinct().Count());
    }

    [Fact]
    public void Whichever_of_two_items_with_one_address_is_read_first_takes_what_was_read_ahead()
    {
        File.WriteAllLines(_folder["a.jsonl"], Enumerable.Repeat($$"""{"image": "{{_server.Address}}leaf.jpg"}""", 2));
        using var access = new RemoteAccess(Quick);
        var dataset = Dataset.Open(_folder["a.jsonl"], new DatasetOptions { Remote = access });
        var cancellation = TestContext.Current.CancellationToken;
        using var ahead = new ReadAhead<DatasetItem>(
            item => item, _ => true, new ScoringOptions { Metrics = ["brightness"] }, cancellation);
        var items = ahead.Of(dataset.Read(cancellation)).ToArray();
        var expected = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        using var buffer = new ReusableBuffer();
        foreach (var item in items.Reverse())
        {
            Assert.Null(item.Images[0].Read(int.MaxValue, buffer));
            Assert.Equal(expected, buffer.Span.ToArray());
        }
        Assert.Single(_server.Requests);
        // What the first has given back, the second reads itself.
        ReadAhead<DatasetItem>.Release(items[0]);
        Assert.Null(items[1].Images[0].Read(int.MaxValue, buffer));
        Assert.Equal(expected, buffer.Span.ToArray());
        Assert.Equal(2, _server.Requests.Count);
    }

    [Fact]
    public void Items_that_their_record_drops_are_not_fetched()
    {
        File.WriteAllLines(_folder["a.jsonl"], Enumerable.Range(0, 10)
            .Select(i => $$"""{"text": "{{new string('x', i)}}", "image": "{{_server.Address}}leaf.jpg?{{i}}"}"""));
        using var access = new RemoteAccess(Quick);
        var options = new ScoringOptions { ItemGates = Pristine.Selection.Cascade.OfItems(["text_length >= 5"], MetricSet.BuiltIn) };
        var items = ScoringRun.Score(
            Dataset.Open(_folder["a.jsonl"], new DatasetOptions { Remote = access }), options,
            cancellation: TestContext.Current.CancellationToken).ToArray();
        Assert.Equal(5, items.Count(item => item.Rows[0].Status == ImageStatus.Ok));
        Assert.Equal(5, _server.Requests.Count);
    }

    [Fact]
    public void A_run_whose_caller_has_seen_enough_ends_though_servers_are_silent()
    {
        _server.Answer = (n, request) => n < 2 ? _server.File(request) : _server.File(request) with
        {
            CutAfter = 10,
            IsSilentAfterCut = true,
        };
        File.WriteAllLines(_folder["a.jsonl"], Enumerable.Range(0, 40).Select(i => $$"""{"image": "{{_server.Address}}leaf.jpg?{{i}}"}"""));
        using var access = new RemoteAccess(Quick with { Timeout = TimeSpan.FromHours(1), MaxConnectionsPerHost = 1 });
        var dataset = Dataset.Open(_folder["a.jsonl"], new DatasetOptions { Remote = access });
        Assert.Single(ScoringRun.Score(dataset, new ScoringOptions { Workers = 2 }, cancellation: TestContext.Current.CancellationToken)
            .Take(1).ToArray());
        using var cancel = new CancellationTokenSource();
        // Its images never come: it waits until it is cancelled.
        cancel.CancelAfter(TimeSpan.FromSeconds(.5));
        Assert.Throws<OperationCanceledException>(
            () => ScoringRun.Score(dataset, new ScoringOptions { Workers = 2 }, cancellation: cancel.Token).ToArray());
    }

    [Fact]
    public void A_table_that_is_continued_fetches_what_the_network_did_not_give_and_nothing_else()
    {
        File.WriteAllLines(_folder["a.jsonl"], Enumerable.Range(0, 10)
            .Select(i => $$"""{"image": "{{_server.Address}}{{(i == 7 ? "text.jpg" : "leaf.jpg")}}?{{i}}"}"""));
        ScoredItem[] Run(ScoreTableOptions? options = null)
        {
            using var access = new RemoteAccess(Quick);
            return [.. ScoreTableRun.Score(
                Dataset.Open(_folder["a.jsonl"], new DatasetOptions { Remote = access }), _folder["table"],
                new ScoringOptions { Workers = 2 }, options, TestContext.Current.CancellationToken)];
        }
        string[] Asked(int since) => [.. _server.Requests.Skip(since).Select(request => request.Target).Distinct().Order()];
        _server.Answer = (_, request) =>
            request.Target.EndsWith('3') ? new Reply(503, []) : request.Target.EndsWith('5') ? new Reply(404, []) : _server.File(request);
        var first = Run().Select(item => item.Rows[0].Status).ToArray();
        Assert.Equal((ImageStatus.Network, ImageStatus.Missing, ImageStatus.Unreadable), (first[3], first[5], first[7]));
        var before = _server.Requests.Count;
        _server.Answer = (_, request) => _server.File(request);
        var second = Run();
        Assert.Equal(["/leaf.jpg?3", "/leaf.jpg?5"], Asked(before));
        Assert.Equal(9, second.Count(item => item.Rows[0].Status == ImageStatus.Ok));
        // A page in place of an image is no failure of the network.
        before = _server.Requests.Count;
        Assert.Equal(0, Run().Sum(item => item.ImagesRead));
        Run(new ScoreTableOptions { RetryFailed = true });
        Assert.Equal(["/text.jpg?7"], Asked(before));
    }

    [Fact]
    public void The_bytes_that_are_read_ahead_are_bounded_and_large_images_do_not_block_one_another()
    {
        // Noise compresses badly: the budget holds two of these at most, and asks for many at once.
        File.WriteAllLines(_folder["a.jsonl"], Enumerable.Range(0, 30)
            .Select(i => $$"""{"images": ["{{_server.Address}}leaf.jpg?{{i}}", "{{_server.Address}}leaf.jpg?{{i}}b"]}"""));
        using var access = new RemoteAccess(Quick with { MaxConnectionsPerHost = 2 });
        var options = new ScoringOptions { Workers = 1 };
        var dataset = Dataset.Open(_folder["a.jsonl"], new DatasetOptions { Remote = access });
        using var ahead = new ReadAhead<DatasetItem>(
            item => item, _ => true, options, TestContext.Current.CancellationToken, budget: Leaf.Length * 3);
        using var scorer = new ImageScorer(options);
        var statuses = new List<ImageStatus>();
        var asked = new List<int>();
        foreach (var item in ahead.Of(dataset.Read(TestContext.Current.CancellationToken)))
        {
            statuses.AddRange(scorer.Score(item, 0).Rows.Select(row => row.Status));
            asked.Add(_server.Requests.Count - (2 * asked.Count));
            ReadAhead<DatasetItem>.Release(item);
        }
        Assert.Equal(60, statuses.Count(status => status == ImageStatus.Ok));
        Assert.Equal(60, _server.Requests.Count);
        // The estimate at the start is larger than the budget: one item, then a few.
        Assert.InRange(asked.Max(), 2, 14);
    }
}
