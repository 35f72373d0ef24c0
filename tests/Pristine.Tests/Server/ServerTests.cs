using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Server;
using Pristine.Tables;
using Pristine.Tests.Selection;

namespace Pristine.Tests.Server;

public class ServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_describes_the_routes_and_only_them()
    {
        await using var served = await ServedPhotos.StartAsync();
        var document = await served.GetAsync("openapi.json");
        var described = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => (method.Name.ToUpperInvariant(), path.Name)));
        Assert.Equal(PristineServer.Routes.Order(), described.Order());
        var select = document.GetProperty("components").GetProperty("schemas").GetProperty("Selection").GetProperty("properties");
        // Every field that is described is understood.
        foreach (var field in select.EnumerateObject())
        {
            var (_, text) = await served.TryPostAsync("select", $"{{\"{field.Name}\": null}}");
            Assert.DoesNotContain("expected the fields", text, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task An_upload_is_scored_as_a_file_is()
    {
        await using var served = await ServedPhotos.StartAsync();
        var photo = Directory.GetFiles(served["photos"], "*.jpg").Order(StringComparer.Ordinal).First(name => !name.Contains("broken"));
        using var content = new ByteArrayContent(await File.ReadAllBytesAsync(photo, Cancellation));
        content.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        using var response = await served.Client.PostAsync(new Uri("score?name=mine.jpg", UriKind.Relative), content, Cancellation);
        var row = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation)).RootElement;
        using var scorer = new ImageScorer(new ScoringOptions { Metrics = [MetricCatalog.Get("sharpness")] });
        Assert.Equal((float)scorer.Score(photo).Scores.Span[0], row.GetProperty("sharpness").GetSingle());
        Assert.Equal("mine.jpg", row.GetProperty("id").GetString());
        // What is wrong with an image is its row.
        using var text = new StringContent("no picture", System.Text.Encoding.UTF8, "application/octet-stream");
        using var answer = await served.Client.PostAsync(new Uri("score", UriKind.Relative), text, Cancellation);
        Assert.Contains("\"status\":\"unreadable\"", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counts_pages_and_the_ledger_are_those_of_select()
    {
        await using var served = await ServedPhotos.StartAsync();
        using var all = served.Table.Select(new SelectionOptions(), Cancellation);
        var names = all.Decisions().Select(decision => decision.Id).ToArray();
        string[] rules = [$"sharpness >= {ValueAt(served, "sharpness", 3)}", $"brightness >= {ValueAt(served, "brightness", 1)}"];
        var request = JsonSerializer.Serialize(rules);
        using var run = served.Table.Select(new SelectionOptions { Keep = rules }, Cancellation);
        var kept = run.Decisions().First(decision => decision.Kept);
        var dropped = run.Decisions().First(decision => !decision.Kept);
        await served.PostAsync("overrides", Said(kept, "false"));
        await served.PostAsync("overrides", Said(dropped, "true"));

        var counts = await served.PostAsync("select", $"{{\"keep\": {request}}}");
        Assert.Equal(run.Items, counts.GetProperty("items").GetInt64());
        Assert.Equal(run.Kept, counts.GetProperty("kept").GetInt64());
        var options = new SelectionOptions { Keep = rules, Overrides = served.Overrides };
        using var overridden = served.Table.Select(options, Cancellation);
        Assert.Equal(overridden.Kept, counts.GetProperty("kept_with_overrides").GetInt64());
        for (var rule = 0; rule < 2; rule++)
        {
            using var alone = served.Table.Select(new SelectionOptions { Keep = [rules[rule]] }, Cancellation);
            using var others = served.Table.Select(new SelectionOptions { Keep = [rules[1 - rule]] }, Cancellation);
            var said = counts.GetProperty("joint").GetProperty("rules")[rule];
            Assert.Equal(alone.Kept, said.GetProperty("keeps_alone").GetInt64());
            Assert.Equal(others.Kept - run.Kept, said.GetProperty("drops_only").GetInt64());
        }

        foreach (var (show, wanted) in ((string, bool?)[])[("all", null), ("kept", true), ("dropped", false)])
        {
            var expected = overridden.Decisions().Where(decision => wanted == null || decision.Kept == wanted)
                .Select(decision => decision.Id);
            Assert.Equal(expected, await Pages(served, $"\"keep\": {request}, \"show\": \"{show}\", \"size\": 2"));
            Assert.Equal(expected.Reverse(),
                await Pages(served, $"\"keep\": {request}, \"show\": \"{show}\", \"size\": 3, \"descending\": true"));
        }
        Assert.Equal(
            new[] { kept.Id, dropped.Id }.Order(StringComparer.Ordinal),
            (await Pages(served, $"\"keep\": {request}, \"show\": \"overridden\"")).Order(StringComparer.Ordinal));
        // Items without a value come last, both ways.
        var ascending = await Pages(served, "\"order\": \"sharpness\", \"size\": 2");
        var descending = await Pages(served, "\"order\": \"sharpness\", \"size\": 2, \"descending\": true");
        Assert.Equal(names.Length, ascending.Distinct().Count());
        Assert.Equal(ascending[..^1].Reverse(), descending[..^1]);
        Assert.Equal("broken.jpg", Path.GetFileName(ascending[^1]));
        Assert.Equal(ascending[^1], descending[^1]);

        using (var ledger = new LedgerWriter(served["ledger.jsonl"]))
            ledger.Write(overridden);
        var (status, exported) = await served.TryPostAsync("export", $"{{\"keep\": {request}}}");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(await File.ReadAllTextAsync(served["ledger.jsonl"], Cancellation), exported);
        var why = (await served.PostAsync("why", $"{{\"keep\": {request}, \"index\": {dropped.ItemIndex}}}")).GetProperty("items")[0];
        Assert.Equal(run.Entries().ElementAt((int)dropped.ItemIndex).Reason, why.GetProperty("reason").GetString());
        Assert.True(why.GetProperty("override").GetProperty("keep").GetBoolean());
        Assert.Equal("ann", why.GetProperty("override").GetProperty("by").GetString());
    }

    [Theory]
    [InlineData(null, "json", "application/json")]
    [InlineData("jsonl", "jsonl", "application/x-ndjson")]
    [InlineData("tar", "tar", "application/x-tar")]
    public async Task The_kept_items_are_those_that_select_exports(string? format, string extension, string type)
    {
        using var folder = TestFiles.NewFolder();
        var dataset = Dataset.Open(TestFiles.InRepository("samples", "captions.json"));
        dataset.ScoreInto(
            folder["scores"], new ScoringOptions { Metrics = [MetricCatalog.Get("width")], Workers = 2 }, cancellation: Cancellation);
        var table = ScoreTable.Open(folder["scores"]);
        var rules = new SelectionOptions { Keep = ["width >= 700"] };
        var kept = 0L;
        using (var run = table.Select(rules, Cancellation))
        {
            var dropped = run.Decisions().First(decision => !decision.Kept);
            await File.WriteAllTextAsync(
                folder["overrides.jsonl"], $"{{\"index\":{dropped.ItemIndex},\"id\":\"{dropped.Id}\",\"keep\":true}}\n", Cancellation);
        }
        using (var expected = table.Select(rules with { Overrides = folder["overrides.jsonl"] }, Cancellation))
        using (var writer = dataset.CreateExport(folder[$"kept.{extension}"]))
        {
            Assert.InRange(expected.Kept, 2, expected.Items - 2);
            kept = expected.Kept;
            foreach (var item in expected.KeptItems(Cancellation))
                writer.TryWrite(item);
            writer.Complete();
        }
        await using var server = await PristineServer.StartAsync(
            table, new ServerOptions { Overrides = folder["overrides.jsonl"], Scoring = new ScoringOptions { Workers = 1 } });
        using var client = new HttpClient { BaseAddress = server.Address };
        var wanted = format == null ? "" : $", \"format\": \"{format}\"";
        using var request = new StringContent($"{{\"what\": \"kept\", \"keep\": \"width >= 700\"{wanted}}}", null, "application/json");
        using var answer = await client.PostAsync(new Uri("export", UriKind.Relative), request, Cancellation);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"kept.{extension}", answer.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
        // The image that is missing was put back by hand or dropped; archives cannot hold one.
        Assert.Single(answer.Headers.GetValues("Pristine-Left-Out"));
        Assert.Equal(kept.ToString(CultureInfo.InvariantCulture), answer.Headers.GetValues("Pristine-Items").Single());
        Assert.Equal(
            await File.ReadAllBytesAsync(folder[$"kept.{extension}"], Cancellation),
            await answer.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Fact]
    public async Task The_formats_of_exports_are_those_that_can_be_made()
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder["leaf.jpg"]);
        await File.WriteAllTextAsync(folder["one.json"], "[{\"id\": 1, \"image\": \"leaf.jpg\"}]", Cancellation);
        await File.WriteAllTextAsync(folder["one.csv"], "image,label\nleaf.jpg,3\n", Cancellation);
        Directory.CreateDirectory(folder["photos"]);
        File.Copy(folder["leaf.jpg"], folder["photos/leaf.jpg"]);
        System.IO.Compression.ZipFile.CreateFromDirectory(folder["photos"], folder["photos.zip"]);
        Directory.CreateDirectory(folder["labelled"]);
        File.Copy(folder["leaf.jpg"], folder["labelled/leaf.jpg"]);
        await File.WriteAllTextAsync(folder["labelled/metadata.csv"], "file_name,label\nleaf.jpg,3\n", Cancellation);
        foreach (var (input, expected) in ((string, string)[])
        [
            ("photos", ":.txt jsonl:.jsonl csv:.csv parquet:.parquet tar:.tar"),
            ("one.json", ":.json jsonl:.jsonl parquet:.parquet tar:.tar"),
            ("one.csv", ":.csv jsonl:.jsonl parquet:.parquet tar:.tar"),
            ("labelled", "jsonl:.jsonl parquet:.parquet tar:.tar"),
            ("photos.zip", "parquet:.parquet tar:.tar"),
        ])
        {
            var scoring = new ScoringOptions { Metrics = [MetricCatalog.Get("width")], Workers = 1 };
            Dataset.Open(folder[input]).ScoreInto(folder["scores-" + input], scoring, cancellation: Cancellation);
            var options = new ServerOptions { Overrides = folder[input + ".jsonl"], Scoring = scoring };
            await using var server = await PristineServer.StartAsync(ScoreTable.Open(folder["scores-" + input]), options);
            using var client = new HttpClient { BaseAddress = server.Address };
            var said = JsonDocument.Parse(await client.GetStringAsync(new Uri("export", UriKind.Relative), Cancellation)).RootElement;
            var kept = said.GetProperty("kept").EnumerateArray()
                .Select(each => (Format: each.GetProperty("format").GetString(), Extension: each.GetProperty("extension").GetString()))
                .ToArray();
            Assert.Equal(expected, string.Join(' ', kept.Select(each => $"{each.Format}:{each.Extension}")));
            // Each of them is made, and a dataset without a format of one file says which there are.
            foreach (var (format, extension) in kept.Prepend((null, null)))
            {
                var body = JsonSerializer.Serialize(new { what = "kept", format });
                using var content = new StringContent(body, null, "application/json");
                using var answer = await client.PostAsync(new Uri("export", UriKind.Relative), content, Cancellation);
                if (format == null && kept[0].Format != null)
                {
                    Assert.Contains(
                        $"expected {string.Join(" or ", kept.Select(each => each.Format))}: ",
                        await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
                    continue;
                }
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Assert.Equal("kept" + (extension ?? kept[0].Extension), answer.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
            }
        }
    }

    [Fact]
    public async Task No_export_takes_an_image_outside_of_the_dataset_or_more_bytes_than_allowed()
    {
        using var folder = TestFiles.NewFolder();
        var photo = TestFiles.InRepository("samples", "photos", "leaf.jpg");
        File.Copy(photo, folder["own.jpg"]);
        await File.WriteAllTextAsync(folder["list.txt"], $"own.jpg\n{photo}\n", Cancellation);
        Dataset.Open(folder["list.txt"], new DatasetOptions { ImageRoot = folder.Path })
            .ScoreInto(
                folder["scores"], new ScoringOptions { Metrics = [MetricCatalog.Get("width")], Workers = 1 }, cancellation: Cancellation);
        var table = ScoreTable.Open(folder["scores"]);
        var options = new ServerOptions { Overrides = folder["overrides.jsonl"], Scoring = new ScoringOptions { Workers = 1 } };
        const string all = "{\"what\": \"kept\", \"format\": \"tar\"}", own = "{\"what\": \"kept\", \"format\": \"tar\", \"limit\": 1}";
        async Task<(HttpStatusCode Status, string Text)> Export(ServerOptions options, string body)
        {
            await using var server = await PristineServer.StartAsync(table, options);
            using var client = new HttpClient { BaseAddress = server.Address };
            using var content = new StringContent(body, null, "application/json");
            using var answer = await client.PostAsync(new Uri("export", UriKind.Relative), content, Cancellation);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        }

        Assert.Equal(HttpStatusCode.OK, (await Export(options, own)).Status);
        var (status, text) = await Export(options, all);
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("lies outside of the dataset", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await Export(options with { Folders = [Path.GetDirectoryName(photo)!] }, all)).Status);
        // A list of paths holds no image.
        Assert.Equal(HttpStatusCode.OK, (await Export(options, "{\"what\": \"kept\"}")).Status);
        (status, text) = await Export(options with { MostExportBytes = 10_000 }, own);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("--max-export-megabytes", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Overrides_survive_and_can_be_taken_back()
    {
        await using var served = await ServedPhotos.StartAsync();
        using var run = served.Table.Select(new SelectionOptions(), Cancellation);
        var item = run.Decisions().First();
        Assert.Equal(JsonValueKind.Null, (await served.PostAsync("overrides", Said(item, "false"))).GetProperty("before").ValueKind);
        // On the disk before the answer, not when the server ends.
        Assert.Single(Overrides.Read(served.Overrides));
        await served.StopAsync();
        await served.ServeAsync();
        Assert.Single((await served.GetAsync("overrides")).GetProperty("overrides").EnumerateArray());
        Assert.False((await served.PostAsync("overrides", Said(item, "null"))).GetProperty("before").GetBoolean());
        Assert.Empty(Overrides.Read(served.Overrides));
        Assert.Equal(HttpStatusCode.Conflict,
            (await served.TryPostAsync("overrides", "{\"index\":0,\"id\":\"other\",\"keep\":true}")).Status);
        Assert.Equal(HttpStatusCode.NotFound,
            (await served.TryPostAsync("overrides", "{\"index\":99,\"id\":\"other\",\"keep\":true}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await served.TryPostAsync("overrides", "{\"index\":0,\"id\":\"x\",\"keep\":1}")).Status);
    }

    [Fact]
    public async Task Pictures_are_those_of_the_dataset_and_nothing_else()
    {
        await using var served = await ServedPhotos.StartAsync(addTo: folder =>
        {
            if (OperatingSystem.IsWindows())
                return;
            File.WriteAllText(Path.Combine(folder, "page.jpg"), "<html><script>1</script></html>");
        });
        var items = (await served.PostAsync("items", "{}")).GetProperty("items").EnumerateArray().ToArray();
        var image = items[1].GetProperty("images")[0];
        var key = image.GetProperty("key").GetInt64();
        using var thumb = await served.Client.GetAsync(new Uri($"thumb?key={key}", UriKind.Relative), Cancellation);
        Assert.Equal("image/webp", thumb.Content.Headers.ContentType!.MediaType);
        var bytes = await served.Client.GetByteArrayAsync(new Uri($"image?key={key}", UriKind.Relative), Cancellation);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(served["photos"], image.GetProperty("image").GetString()!.Split('/')[^1]),
            Cancellation), bytes);
        foreach (var item in items.Where(item => item.GetProperty("images")[0].GetProperty("status").GetString() == "unreadable"))
        {
            var broken = item.GetProperty("images")[0].GetProperty("key").GetInt64();
            foreach (var kind in (string[])["thumb", "image"])
            {
                using var none = await served.Client.GetAsync(new Uri($"{kind}?key={broken}", UriKind.Relative), Cancellation);
                Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
            }
        }
        foreach (var bad in (string[])["999", "-1", "../../etc/passwd", ""])
        {
            using var none = await served.Client.GetAsync(new Uri($"image?key={bad}", UriKind.Relative), Cancellation);
            Assert.True(none.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task A_table_that_names_files_outside_of_its_dataset_shows_none_of_them()
    {
        using var folder = TestFiles.NewFolder();
        var photo = Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")[0];
        var table = SmallTable.Make(
            folder,
            SmallTable.Row(0, 1) with { Image = photo },
            SmallTable.Row(1, 1) with { Image = Path.GetRelativePath(folder.Path, photo) },
            SmallTable.Row(2, 1) with { Image = $"file://{photo}" });
        var options = new ServerOptions { Overrides = folder["overrides.jsonl"], Scoring = new ScoringOptions { Workers = 1 } };
        foreach (var allowed in (bool[])[false, true])
        {
            await using var server = await PristineServer.StartAsync(
                table, options with { Folders = allowed ? [Path.GetDirectoryName(photo)!] : [] });
            using var client = new HttpClient { BaseAddress = server.Address };
            foreach (var key in (int[])[0, 10, 20])
            {
                using var answer = await client.GetAsync(new Uri($"image?key={key}", UriKind.Relative), Cancellation);
                Assert.Equal(allowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
            }
        }
    }

    [Fact]
    public async Task Bad_requests_say_what_was_expected()
    {
        await using var served = await ServedPhotos.StartAsync(options => options with { MostUploadBytes = 1000 });
        foreach (var (path, json, said) in ((string, string, string)[])
        [
            ("select", "{\"keep\": [\"sharpnes > 1\"]}", "sharpness"),
            ("select", "{\"kep\": []}", "kep"),
            ("select", "[]", "an array"),
            ("select", "{", "Expected JSON"),
            ("select", "{\"keep\": [7]}", "a number"),
            ("select", "{\"keep\": [\"\\ud800\"]}", "half of a surrogate pair"),
            ("select", "{\"keep\": \"\\ud800\"}", "\"\\ud800\""),
            ("select", "{\"\\udfff\": 1}", "the name of a field"),
            ("why", "{\"id\": \"a\\ud83d\"}", "\"a\\ud83d\""),
            ("score", "{\"address\": \"https://\\ud800\"}", "Unicode"),
            ("overrides", "{\"index\": 0, \"id\": \"\\ud800\", \"keep\": true}", "Unicode"),
            ("export", "{\"format\": [{\"a\": \"\\ud800\"}]}", "Unicode"),
            ("items", "{\"size\": 501}", "1 to 500"),
            ("items", "{\"order\": \"format\"}", "numbers"),
            ("items", "{\"after\": \"x\"}", "next"),
            ("items", "{\"show\": \"some\"}", "overridden"),
            ("why", "{}", "index"),
            ("export", "{\"format\": \"xml\"}", "parquet"),
            ("export", "{\"what\": \"images\"}", "ledger or kept"),
            ("export", "{\"what\": \"kept\", \"format\": \"zip\"}", "jsonl, csv, parquet, tar"),
            ("export", "{\"what\": \"kept\", \"dropped_only\": true}", "dropped_only"),
            ("score", "{\"path\": \"/etc/passwd\"}", "address"),
            ("score", "{\"address\": \"file:///etc/passwd\"}", "https://"),
            ("score", "{\"address\": \"/etc/passwd\"}", "https://"),
        ])
        {
            var (status, text) = await served.TryPostAsync(path, json);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains(said, JsonDocument.Parse(text).RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await served.TryPostAsync("select", "{}", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await served.TryPostAsync("score", "x", "text/plain")).Status);
        var (tooLarge, largest) = await served.TryPostAsync("score", new string('x', 1001), "application/octet-stream");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLarge);
        Assert.Contains("at most 0.001 MiB (--max-upload-megabytes)", largest, StringComparison.Ordinal);
        foreach (var (method, path, said) in ((HttpMethod, string, string)[])
            [(HttpMethod.Get, "select", "Expected POST at /select; found GET."),
            (HttpMethod.Delete, "overrides", "Expected GET or POST at /overrides; found DELETE.")])
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            using var answer = await served.Client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
            Assert.Contains(said, await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await served.TryPostAsync("nothing", "{}")).Status);
    }

    [Fact]
    public async Task Addresses_of_this_machine_are_not_read()
    {
        await using var served = await ServedPhotos.StartAsync();
        var row = await served.PostAsync("score", $"{{\"address\": \"{served.Server.Address}image?key=0\"}}");
        Assert.NotEqual(ImageStatus.Ok.Name(), row.GetProperty("status").GetString());
        Assert.Contains("public", row.GetProperty("error").GetString(), StringComparison.Ordinal);
        await served.StopAsync();
        await served.ServeAsync(options => options with { ReadsAddresses = false });
        Assert.Equal(HttpStatusCode.Forbidden, (await served.TryPostAsync("score", "{\"address\": \"https://example.com/a.jpg\"}")).Status);
    }

    [Theory]
    [InlineData("Host", "evil.example", 421)]
    [InlineData("Host", "evil.example:7878", 421)]
    [InlineData("Host", "localhost", 200)]
    [InlineData("Host", "friend.example", 200)]
    [InlineData("Origin", "http://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Sec-Fetch-Site", "none", 200)]
    public async Task Requests_that_another_site_makes_a_browser_send_are_refused(string header, string value, int expected)
    {
        await using var served = await ServedPhotos.StartAsync(options => options with { Hosts = ["friend.example"] });
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            using var request = new HttpRequestMessage(method, new Uri(method == HttpMethod.Get ? "table" : "select", UriKind.Relative));
            request.Headers.TryAddWithoutValidation(header, value);
            if (method == HttpMethod.Post)
                request.Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
            using var response = await served.Client.SendAsync(request, Cancellation);
            Assert.Equal(expected, (int)response.StatusCode);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("same-origin", response.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        }
    }

    [Fact]
    public async Task A_token_opens_the_page_and_the_page_keeps_it()
    {
        await using var served = await ServedPhotos.StartAsync(options => options with { Token = "secret" });
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = served.Server.Address };
        async Task<HttpResponseMessage> Get(string path) => await client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Get("table")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Get("table?token=secret")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Get("?token=wrong")).StatusCode);
        var opened = await Get("?token=secret");
        Assert.Equal(HttpStatusCode.Redirect, opened.StatusCode);
        Assert.Contains("httponly", opened.Headers.GetValues("Set-Cookie").Single(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", opened.Headers.GetValues("Set-Cookie").Single(), StringComparison.OrdinalIgnoreCase);
        // The handler holds the cookie now.
        Assert.Equal(HttpStatusCode.OK, (await Get("table")).StatusCode);
        served.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        await served.PostAsync("select", "{}");
    }

    [Fact]
    public async Task The_address_that_is_told_to_others_lets_them_in()
    {
        await using var served = await ServedPhotos.StartAsync();
        await served.StopAsync();
        await served.ServeAsync(options => options with { Address = IPAddress.Any, Token = "secret" });
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = new Uri($"http://127.0.0.1:{served.Server.Address.Port}/") };
        foreach (var (host, expected) in ((string, HttpStatusCode)[])
        [
            (served.Server.Address.Authority, HttpStatusCode.Redirect),
            ($"localhost:{served.Server.Address.Port}", HttpStatusCode.Redirect),
            (client.BaseAddress.Authority, HttpStatusCode.Redirect),
            ("evil.example", HttpStatusCode.MisdirectedRequest),
        ])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("?token=secret", UriKind.Relative));
            request.Headers.Host = host;
            using var answer = await client.SendAsync(request, Cancellation);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_and_an_address_of_another_machine_are_told_of()
    {
        await using var served = await ServedPhotos.StartAsync();
        var options = new ServerOptions { Overrides = served["other.jsonl"], Scoring = new ScoringOptions { Workers = 1 } };
        var taken = await Assert.ThrowsAsync<IOException>(
            () => PristineServer.StartAsync(served.Table, options with { Port = served.Server.Address.Port }));
        Assert.Contains("is in use. --port 0", taken.Message, StringComparison.Ordinal);
        // A network of documentation examples, which no machine has an address of.
        var elsewhere = await Assert.ThrowsAsync<IOException>(
            () => PristineServer.StartAsync(served.Table, options with { Address = IPAddress.Parse("192.0.2.1"), Token = "secret" }));
        Assert.Contains("Expected an address of this machine", elsewhere.Message, StringComparison.Ordinal);
        Assert.Contains("192.0.2.1", elsewhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Others_are_not_let_in_without_a_token()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 1));
        var options = new ServerOptions { Address = IPAddress.Any, Overrides = folder["overrides.jsonl"], Scoring = new ScoringOptions() };
        await Assert.ThrowsAsync<ArgumentException>(() => PristineServer.StartAsync(table, options));
    }

    private static string Said(ItemDecision item, string keep) =>
        $"{{\"index\": {item.ItemIndex}, \"id\": {JsonSerializer.Serialize(item.Id)}, \"keep\": {keep}}}";

    /// <summary>One of the values of a metric in ascending order, as a rule has it.</summary>
    private static string ValueAt(ServedPhotos served, string metric, int rank) => served.Table.ReadRows([MetricCatalog.Get(metric)])
        .Select(row => row.Scores.Span[0]).Where(double.IsFinite).Order().ElementAt(rank).ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The ids of all pages.</summary>
    private static async Task<string[]> Pages(ServedPhotos served, string request)
    {
        var ids = new List<string>();
        var after = "null";
        while (true)
        {
            var page = await served.PostAsync("items", $"{{{request}, \"after\": {after}}}");
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!));
            if (page.GetProperty("next").ValueKind == JsonValueKind.Null)
                return [.. ids];
            after = page.GetProperty("next").GetRawText();
        }
    }
}
