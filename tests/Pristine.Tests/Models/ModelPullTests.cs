using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Pristine.Models;

namespace Pristine.Tests.Models;

/// <summary>Downloads from a real server on a loopback port that misbehaves as servers and networks do.</summary>
public sealed class ModelPullTests : IDisposable
{
    private const string Name = "weights";
    private const string File = "weights.bin";

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly ModelServer _server = new();
    private readonly byte[] _content = Content(seed: 1);
    private readonly ConcurrentQueue<string> _notices = new();

    public ModelPullTests() => _server.Files[File] = _content;

    private string Url => $"{_server.Address}{File}";

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_arrives_is_checked_recorded_and_not_asked_for_again()
    {
        var store = Store();
        var reported = new List<PullProgress>();
        var (model, downloaded) = Assert.Single(
            await store.PullAsync(Name, Quick, new Sink(reported.Add), TestContext.Current.CancellationToken));

        Assert.True(downloaded);
        Assert.Equal(("the release", false), (model.Origin, model.Trusted));
        Assert.Equal(new StoredFile(File, _content.Length, Hash(_content), Url), Assert.Single(model.Files));
        Assert.Equal(_content, Assert.Single(store.Read(Name).Files));
        Assert.Equal((_content.Length, _content.Length), (reported[^1].Received, reported[^1].Total));
        Assert.Equal(["lock"], Leftovers());
        Assert.Null(Assert.Single(_server.Requests)["Range"]);

        Assert.False(Assert.Single(await Pull(store)).Downloaded);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_cut_connection_is_resumed_where_it_broke()
    {
        _server.Answer = (n, request) => _server.File(request) with { CutAfter = n < 3 ? 50_000 : null };
        Assert.True(Assert.Single(await Pull(Store())).Downloaded);

        Assert.Equal([null, "bytes=50000-", "bytes=100000-", "bytes=150000-"], _server.Requests.Select(request => request["Range"]));
        Assert.All(_server.Requests.Skip(1), request => Assert.NotNull(request["If-Range"]));
        Assert.Equal(3, _notices.Count);
        Assert.All(_notices, notice => Assert.Contains($"{Url}: the connection was cut", notice, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_later_pull_goes_on_where_the_first_gave_up()
    {
        _server.Answer = (n, request) => n == 0 ? _server.File(request) with { CutAfter = 70_000 } : new Reply(503, []);
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(Store()));
        Assert.Contains(
            $"{Url}: the server answered 503 Scripted. Gave up after 3 failures in a row; 70000 bytes are kept", error.Message,
            StringComparison.Ordinal);
        // The cut brought something, so it is the first failure of three in a row.
        Assert.Equal(3, _server.Requests.Count);
        Assert.Null(Store().Find(Name));

        _server.Answer = (_, request) => _server.File(request);
        await Pull(Store());
        Assert.Equal("bytes=70000-", _server.Requests[^1]["Range"]);
        Assert.Equal(_content, Store().Read(Name).Files[0]);
    }

    [Fact]
    public async Task A_cancelled_pull_keeps_what_has_arrived()
    {
        _server.Answer = (n, request) => _server.File(request) with { CutAfter = n == 0 ? 60_000 : null, IsSilentAfterCut = n == 0 };
        using var cancellation = new CancellationTokenSource();
        var patient = Quick with { Timeout = TimeSpan.FromMinutes(10) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Store().PullAsync(
                Name, patient, new Sink(value => { if (value.Received >= 60_000) cancellation.Cancel(); }), cancellation.Token));
        await Pull(Store());
        Assert.Equal([null, "bytes=60000-"], _server.Requests.Select(request => request["Range"]));
        Assert.Equal(_content, Store().Read(Name).Files[0]);
    }

    [Fact]
    public async Task A_file_that_changed_between_attempts_is_downloaded_from_its_start()
    {
        var newer = Content(seed: 2);
        _server.Answer = (n, request) =>
        {
            if (n == 1)
                _server.Files[File] = newer;
            return _server.File(request) with { CutAfter = n == 0 ? 90_000 : null };
        };
        var model = Assert.Single(await Pull(Store(Definition(newer)))).Model;
        Assert.Equal(Hash(newer), model.Sha256());
        Assert.Equal(2, _server.Requests.Count);
        Assert.Contains(_notices, notice => notice.Contains("from its start", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Parts_of_two_versions_that_a_server_joins_are_noticed()
    {
        // No ETag, no date, and ranges of whatever is there now: only the hash can tell.
        var older = Content(seed: 2);
        _server.Answer = (n, request) =>
        {
            _server.Files[File] = n == 0 ? older : _content;
            return _server.File(request) with
            {
                CutAfter = n == 0 ? 90_000 : null,
                Headers = [.. _server.File(request).Headers.Where(header => header.Name != "ETag")],
            };
        };
        await Pull(Store());
        Assert.Equal([null, "bytes=90000-", null], _server.Requests.Select(request => request["Range"]));
        Assert.Null(_server.Requests[1]["If-Range"]);
        Assert.Equal(_content, Store().Read(Name).Files[0]);
    }

    [Theory]
    [InlineData("W/\"weak\"")]
    [InlineData("\"strong\"")]
    public async Task Without_a_hash_only_a_version_the_server_vouches_for_is_resumed(string tag)
    {
        _server.ETag = tag;
        _server.Answer = (n, request) => _server.File(request) with { CutAfter = n == 0 ? 90_000 : null };
        await Pull(Store(Definition(null)), Quick with { Unknown = UnknownFiles.Trust });
        Assert.Equal(tag == "\"strong\"" ? "bytes=90000-" : null, _server.Requests[1]["Range"]);
        Assert.Equal(_content, Store(Definition(null)).Read(Name).Files[0]);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_the_whole_again()
    {
        _server.Answer = (n, _) => new Reply(200, _content) { CutAfter = n == 0 ? 90_000 : null };
        await Pull(Store());
        Assert.Equal("bytes=90000-", _server.Requests[1]["Range"]);
        Assert.Equal(_content, Store().Read(Name).Files[0]);
    }

    [Fact]
    public async Task A_server_without_ranges_that_always_cuts_at_the_same_place_is_given_up()
    {
        _server.Answer = (_, _) => new Reply(200, _content) { CutAfter = 90_000 };
        await Assert.ThrowsAsync<IOException>(() => Pull(Store()));
        Assert.Equal(3, _server.Requests.Count);
    }

    [Fact]
    public async Task A_part_that_starts_elsewhere_is_not_used()
    {
        _server.Answer = (n, request) => n switch
        {
            0 => _server.File(request) with { CutAfter = 90_000 },
            1 => new Reply(206, _content[100_000..])
            {
                Headers = [("Content-Range", $"bytes 100000-{_content.Length - 1}/{_content.Length}")],
            },
            _ => _server.File(request),
        };
        await Pull(Store());
        Assert.Equal([null, "bytes=90000-", null], _server.Requests.Select(request => request["Range"]));
        Assert.Equal(_content, Store().Read(Name).Files[0]);
    }

    [Fact]
    public async Task A_partial_file_longer_than_the_servers_is_thrown_away()
    {
        // Without size and hash only the server can tell: 416.
        var definition = Definition(null);
        _server.ETag = "\"never changes\"";
        _server.Answer = (n, request) => n == 0 ? _server.File(request) with { CutAfter = 90_000 } : new Reply(500, []);
        var trusting = Quick with { Unknown = UnknownFiles.Trust };
        await Assert.ThrowsAsync<IOException>(() => Pull(Store(definition), trusting));
        var shorter = _server.Files[File] = _content[..80_000];
        _server.Answer = (n, request) => _server.File(request);
        Assert.Equal(Hash(shorter), Assert.Single(await Pull(Store(definition), trusting)).Model.Sha256());
        Assert.Equal(["bytes=90000-", null], _server.Requests.TakeLast(2).Select(request => request["Range"]));
    }

    [Fact]
    public async Task A_wrong_hash_is_refused_at_once_and_leaves_nothing()
    {
        var other = _server.Files[File] = Content(seed: 2);
        var error = await Assert.ThrowsAsync<ModelException>(() => Pull(Store()));
        Assert.Contains(
            $"{Url}: expected SHA-256 {Hash(_content)}; found {Hash(other)} ({other.Length} bytes)", error.Message,
            StringComparison.Ordinal);
        Assert.Single(_server.Requests);
        Assert.Null(Store().Find(Name));
        Assert.Equal(["download", "lock"], Leftovers());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder["store"], ".work", Name, "download")));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(401)]
    [InlineData(410)]
    public async Task An_answer_that_will_not_change_is_not_asked_for_again(int status)
    {
        _server.Answer = (_, _) => new Reply(status, []);
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(Store()));
        Assert.Equal($"{Url}: the server answered {status} Scripted.", error.Message);
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(429)]
    [InlineData(408)]
    public async Task An_answer_that_may_change_is_asked_for_again(int status)
    {
        _server.Answer = (n, request) => n < 2 ? new Reply(status, []) : _server.File(request);
        await Pull(Store());
        Assert.Equal(3, _server.Requests.Count);
        Assert.All(_notices, notice => Assert.Contains($"answered {status}", notice, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_may_say_when_to_come_back()
    {
        _server.Answer = (n, request) => n == 0 ? new Reply(503, []) { Headers = [("Retry-After", "1")] } : _server.File(request);
        var clock = Stopwatch.StartNew();
        await Pull(Store());
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(1), $"{clock.Elapsed}");

        _server.Answer = (n, request) => new Reply(503, []) { Headers = [("Retry-After", "3600")] };
        Store().Remove(Name);
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(Store()));
        Assert.Contains("asks to come back in 3600 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_grow()
    {
        _server.Answer = (_, _) => new Reply(500, []);
        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAsync<IOException>(() => Pull(
            Store(), Quick with { MaxFailures = 4, FirstDelay = TimeSpan.FromMilliseconds(100), MaxDelay = TimeSpan.FromSeconds(10) }));
        Assert.Equal(4, _server.Requests.Count);
        // 100, 200 and 400 ms, each shortened by half at most.
        Assert.True(clock.Elapsed >= TimeSpan.FromMilliseconds(350), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task A_slow_server_is_not_a_silent_one()
    {
        var options = Quick with { Timeout = TimeSpan.FromSeconds(4) };
        _server.Answer = (_, request) => _server.File(request) with { Piece = _content.Length / 7, Pause = TimeSpan.FromMilliseconds(600) };
        var clock = Stopwatch.StartNew();
        await Pull(Store(), options);
        Assert.True(clock.Elapsed > options.Timeout, $"{clock.Elapsed}");
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData(50_000, "no data within 0.3 s, after 50000 bytes")]
    [InlineData(0, "no data within 0.3 s, after 0 bytes")]
    public async Task A_silent_server_is_left_and_asked_for_the_rest(int arrived, string notice)
    {
        _server.Answer = (n, request) => _server.File(request) with { CutAfter = n == 0 ? arrived : null, IsSilentAfterCut = n == 0 };
        await Pull(Store(), Quick with { Timeout = TimeSpan.FromMilliseconds(300) });
        Assert.Contains(notice, _notices.First(), StringComparison.Ordinal);
        Assert.Equal(arrived > 0 ? $"bytes={arrived}-" : null, _server.Requests[1]["Range"]);
        Assert.Equal(_content, Store().Read(Name).Files[0]);
    }

    [Fact]
    public async Task A_size_other_than_the_released_one_is_noticed_before_the_download()
    {
        // The page of a portal or a login, for example.
        _server.Answer = (_, _) => new Reply(200, "<html>"u8.ToArray())
        {
            Headers = [("Content-Type", "text/html")],
            CutAfter = 0,
            IsSilentAfterCut = true,
        };
        var error = await Assert.ThrowsAsync<ModelException>(() => Pull(Store(), Quick with { Timeout = TimeSpan.FromMinutes(10) }));
        Assert.Contains($"{Url}: expected {_content.Length} bytes; found 6 of text/html", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_sends_more_is_stopped()
    {
        _server.Answer = (_, _) => new Reply(200, [.. _content, 0]) { IsChunked = true };
        var error = await Assert.ThrowsAsync<ModelException>(() => Pull(Store()));
        Assert.Contains($"expected {_content.Length} bytes; the server sends more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_of_unknown_size_that_ends_early_is_resumed()
    {
        _server.Answer = (n, request) => n == 0 ? new Reply(200, _content[..90_000]) { IsChunked = true } : _server.File(request);
        await Pull(Store());
        Assert.Contains($"the answer ended after 90000 of {_content.Length} bytes", Assert.Single(_notices), StringComparison.Ordinal);
        Assert.Equal("bytes=90000-", _server.Requests[1]["Range"]);
    }

    [Fact]
    public async Task Redirects_are_followed_and_the_rest_is_asked_for_behind_them()
    {
        _server.Answer = (n, request) => request.Target == $"/{File}"
            ? new Reply(302, []) { Headers = [("Location", $"/elsewhere/{File}?signature=1")] }
            : _server.File(request) with { CutAfter = n == 1 ? 90_000 : null };
        await Pull(Store());
        Assert.Equal(4, _server.Requests.Count);
        Assert.Equal($"/elsewhere/{File}?signature=1", _server.Requests[3].Target);
        Assert.Equal("bytes=90000-", _server.Requests[3]["Range"]);
    }

    [Fact]
    public async Task A_redirect_without_end_is_an_error()
    {
        _server.Answer = (_, request) => new Reply(302, []) { Headers = [("Location", $"{request.Target}x")] };
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(Store()));
        Assert.Contains("the server answered 302", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_tried_again_then_named()
    {
        var (url, store) = (Url, Store());
        _server.Dispose();
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(store));
        Assert.Contains(url, error.Message, StringComparison.Ordinal);
        Assert.Contains("refused", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(2, _notices.Count);
    }

    [Fact]
    public async Task Pulls_at_the_same_time_download_once()
    {
        _server.Answer = (_, request) => _server.File(request) with { Piece = 40_000, Pause = TimeSpan.FromMilliseconds(100) };
        var pulled = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Pull(Store()))));
        Assert.Single(_server.Requests);
        Assert.Equal(1, pulled.Count(models => models[0].Downloaded));
        Assert.All(pulled, models => Assert.Equal(Hash(_content), models[0].Model.Sha256()));
        Assert.Equal(3, _notices.Count(notice => notice.Contains("waiting", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_file_of_unknown_hash_is_downloaded_on_trust_only_and_recorded_so()
    {
        var store = Store(Definition(null));
        var error = await Assert.ThrowsAsync<ModelException>(() => Pull(store));
        Assert.Contains($"the SHA-256 of {Url} is not known", error.Message, StringComparison.Ordinal);
        Assert.Contains("--trust", error.Message, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);

        var model = Assert.Single(await Pull(store, Quick with { Unknown = UnknownFiles.Trust })).Model;
        Assert.Equal((true, "unknown", Hash(_content)), (model.Trusted, model.Origin, model.Sha256()));
        Assert.Contains(
            "\"trusted\": true", System.IO.File.ReadAllText(Path.Combine(store.Folder, Name, "manifest.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trust_bends_a_known_hash_only_for_an_address_the_caller_names()
    {
        var own = _server.Files[File] = Content(seed: 2)[..100_000];
        var trusting = Quick with { Unknown = UnknownFiles.Trust };
        await Assert.ThrowsAsync<ModelException>(() => Pull(Store(), trusting));
        var model = Assert.Single(await Pull(Store(), trusting with { From = _server.Address })).Model;
        Assert.Equal((true, Hash(own)), (model.Trusted, model.Sha256()));

        // The released file from the mirror needs no trust, and does not get any.
        _server.Files[File] = _content;
        Store().Remove(Name);
        Assert.False(Assert.Single(await Pull(Store(), trusting with { From = _server.Address })).Model.Trusted);
    }

    [Fact]
    public async Task A_mirrors_folder_may_have_a_path_and_its_secrets_stay_out_of_messages()
    {
        var mirror = new Uri($"http://user:pass@127.0.0.1:{_server.Port}/mirror/v1/?token=secret");
        _server.Answer = (_, request) => request.Target == $"/mirror/v1/{File}?token=secret" ? _server.File(request) : new Reply(404, []);
        var model = Assert.Single(await Pull(Store(), Quick with { From = mirror })).Model;
        Assert.Equal($"http://127.0.0.1:{_server.Port}/mirror/v1/{File}", model.Files[0].Source);
        _server.Answer = (_, _) => new Reply(404, []);
        Store().Remove(Name);
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(Store(), Quick with { From = mirror }));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pass", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_on_a_disk_is_a_mirror_too()
    {
        Directory.CreateDirectory(_folder["a mirror"]);
        var options = Quick with { From = new Uri(_folder["a mirror"]) };
        Assert.Contains(Path.Combine(_folder["a mirror"], File), (await Assert.ThrowsAsync<FileNotFoundException>(
            () => Pull(Store(), options))).Message, StringComparison.Ordinal);
        await System.IO.File.WriteAllBytesAsync(Path.Combine(_folder["a mirror"], File), _content, TestContext.Current.CancellationToken);
        var model = Assert.Single(await Pull(Store(), options)).Model;
        Assert.Equal(Path.Combine(_folder["a mirror"], File), model.Files[0].Source);
        Assert.Equal(_content, Store().Read(Name).Files[0]);
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData("ftp://mirror/models")]
    [InlineData("mirror/models")]
    public async Task Other_addresses_are_refused(string from)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => Pull(Store(), Quick with { From = new Uri(from, UriKind.RelativeOrAbsolute) }));
        Assert.Contains($"found '{from}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_an_address_can_only_be_imported()
    {
        var definition = Definition(_content) with { Files = [new ModelFile(File, Hash(_content))] };
        var error = await Assert.ThrowsAsync<ModelException>(() => Pull(Store(definition)));
        Assert.Contains($"no address is known for {File}", error.Message, StringComparison.Ordinal);
        Assert.True(Assert.Single(await Pull(Store(definition), Quick with { From = _server.Address })).Downloaded);
    }

    [Fact]
    public async Task Models_that_belong_together_are_pulled_together()
    {
        _server.Files["head.bin"] = [1, 2, 3];
        var head = new ModelDefinition(
            "head", "the release", [new("head.bin", Hash([1, 2, 3]), 3, new Uri(_server.Address, "head.bin"))], _ => { });
        var store = Store(Definition(_content) with { With = ["head"] }, head);
        Assert.Equal([Name, "head"], (await Pull(store)).Select(pulled => pulled.Model.Name));
        Assert.Equal([Name, "head"], (await Pull(store)).Where(pulled => !pulled.Downloaded).Select(pulled => pulled.Model.Name));
        Assert.Equal(["head", Name], store.List().Select(model => model.Name));
    }

    [Fact]
    public async Task A_damaged_model_is_downloaded_again()
    {
        var store = Store();
        await Pull(store);
        foreach (var damage in (Action<string>[])[System.IO.File.Delete, path => System.IO.File.WriteAllText(path, "{")])
            foreach (var file in (string[])[File, "manifest.json"])
            {
                damage(Path.Combine(store.Folder, Name, file));
                Assert.True(Assert.Single(await Pull(store)).Downloaded);
                Assert.Equal(_content, Assert.Single(store.Read(Name).Files));
            }
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_installed_and_not_resumed()
    {
        var definition = Definition(_content) with { Validate = _ => throw new ModelException("No weights in it.") };
        var error = await Assert.ThrowsAsync<ModelException>(() => Pull(Store(definition)));
        Assert.Contains($"{Url}: No weights in it.", error.Message, StringComparison.Ordinal);
        Assert.Null(Store().Find(Name));
        await Pull(Store());
        Assert.Null(_server.Requests[^1]["Range"]);
    }

    [Fact]
    public async Task A_pull_that_died_between_two_renames_is_completed()
    {
        var store = Store();
        await Pull(store);
        Directory.Move(Path.Combine(store.Folder, Name), Path.Combine(store.Folder, ".work", Name, "retired"));
        Assert.Null(store.Find(Name));
        Assert.False(Assert.Single(await Pull(store)).Downloaded);
        Assert.Equal(_content, Assert.Single(store.Read(Name).Files));
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_full_disk_is_named()
    {
        if (!System.IO.File.Exists("/dev/full"))
            Assert.Skip("Needs /dev/full, which only Linux has.");
        var work = Path.Combine(_folder["store"], ".work", Name, "download");
        Directory.CreateDirectory(work);
        System.IO.File.CreateSymbolicLink(Path.Combine(work, File + ".partial"), "/dev/full");
        var error = await Assert.ThrowsAsync<IOException>(() => Pull(Store()));
        Assert.Contains(
            $"Cannot write {Path.Combine(work, File)}.partial: No space left on device", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{_content.Length} bytes are needed", error.Message, StringComparison.Ordinal);
        Assert.Null(Store().Find(Name));
        // It is no fault of the network, so it was not tried again.
        Assert.Single(_server.Requests);
    }

    private static PullOptions Quick => new()
    {
        MaxFailures = 3,
        FirstDelay = TimeSpan.FromMilliseconds(2),
        MaxDelay = TimeSpan.FromMilliseconds(10),
    };

    private static byte[] Content(int seed)
    {
        var content = new byte[200_000];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private ModelDefinition Definition(byte[]? content) => new(
        Name, "the release", [new(File, content == null ? null : Hash(content), content?.Length, new Uri(_server.Address, File))], _ =>
            { });

    private ModelStore Store(params ModelDefinition[] definitions) =>
        new(_folder["store"], definitions.Length > 0 ? definitions : [Definition(_content)]);

    private Task<IReadOnlyList<PulledModel>> Pull(ModelStore store, PullOptions? options = null) =>
        store.PullAsync(Name, options ?? Quick, new Sink(value =>
        {
            if (value.Notice is { } notice)
                _notices.Enqueue(notice);
        }), TestContext.Current.CancellationToken);

    private string[] Leftovers() =>
        [.. Directory.GetFileSystemEntries(Path.Combine(_folder["store"], ".work", Name)).Select(path => Path.GetFileName(path))
        .Order(StringComparer.Ordinal)];

    private sealed class Sink(Action<PullProgress> action) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => action(value);
    }
}
