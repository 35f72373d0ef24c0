using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class StatusTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    [Fact]
    public void Progress_as_json_ends_with_counts_and_stages_and_status_shows_the_same()
    {
        using var folder = TestFiles.NewFolder();
        var run = PristineCommand.Run(
            "score", Photos, "--out", folder["table"], "--metrics", "sharpness", "--progress", "json").Expect(0);
        var lines = run.Error.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement)
            .ToArray();
        var last = lines[^1];
        Assert.Equal("done", last.GetProperty("state").GetString());
        Assert.Equal(last.GetProperty("items").GetInt64(), last.GetProperty("total").GetInt64());
        Assert.True(last.GetProperty("stages").GetProperty("decode").GetDouble() > 0);

        var table = PristineCommand.Run("status", folder["table"]).Expect(0);
        Assert.Contains(" done ", table.Output, StringComparison.Ordinal);
        var json = PristineCommand.Run("status", folder.Path, "--json").Expect(0);
        var told = JsonDocument.Parse(Assert.Single(json.Lines)).RootElement;
        Assert.Equal(folder["table"], told.GetProperty("folder").GetString());
        Assert.Equal(last.GetProperty("items").GetInt64(), told.GetProperty("items").GetInt64());
    }

    [Fact]
    public void A_run_that_was_killed_is_stale_and_shards_are_added_up()
    {
        using var folder = TestFiles.NewFolder();
        foreach (var shard in (string[])["0/2", "1/2"])
            PristineCommand.Run(
                "score", Photos, "--out", folder[$"shards/{shard[0]}"], "--metrics", "sharpness", "--shard", shard).Expect(0);
        Assert.Contains("2 done", PristineCommand.Run("status", folder["shards"]).Expect(0).Output, StringComparison.Ordinal);

        // As kill -9 leaves it: running, and no such process.
        var file = folder["shards/1/.status-0001.json"];
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"done\"", "\"running\"", StringComparison.Ordinal));
        // Its parts are finished, by whomever.
        Assert.Equal("", PristineCommand.Run("status", folder["shards/1"]).Expect(0).Error);
        File.Delete(Assert.Single(Directory.GetFiles(folder["shards/1/done"])));
        var killed = PristineCommand.Run("status", folder["shards"]).Expect(3);
        Assert.Contains("1 done, 1 stale", killed.Output, StringComparison.Ordinal);
        Assert.Contains("goes on from its last part", killed.Error, StringComparison.Ordinal);

        // A table that was copied without the status of its run.
        PristineCommand.Run("score", Photos, "--out", folder["plain"], "--metrics", "sharpness").Expect(0);
        File.Delete(folder["plain/.status-0000.json"]);
        Assert.Contains(" done ", PristineCommand.Run("status", folder["plain"]).Expect(0).Output, StringComparison.Ordinal);
        var none = PristineCommand.Run("status", Photos).Expect(1);
        Assert.Contains("found none in", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counters_are_sent_to_a_collector()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        var received = ReceiveAsync(collector);
        var address = $"http://127.0.0.1:{((IPEndPoint)collector.LocalEndpoint).Port}";
        PristineCommand.Run("score", Photos, "--metrics", "sharpness", "--otlp", address).Expect(0);
        var text = await received;
        Assert.StartsWith("POST /v1/metrics ", text, StringComparison.Ordinal);
        foreach (var name in (string[])["pristine.images", "pristine.stage.time", "decode", "sharpness", "truncated"])
            Assert.Contains(name, text, StringComparison.Ordinal);
        Assert.Contains(
            "--otlp", PristineCommand.Run("score", Photos, "--otlp", "localhost:4318").Expect(2).Error, StringComparison.Ordinal);
    }

    private static async Task<string> ReceiveAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var received = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (true)
        {
            received.Write(buffer, 0, await stream.ReadAsync(buffer, TestContext.Current.CancellationToken));
            var text = Encoding.Latin1.GetString(received.ToArray());
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head < 0)
                continue;
            var length = text.Split("\r\n")
                .Single(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)).Split(':')[1];
            if (text.Length - head - 4 < int.Parse(length, System.Globalization.CultureInfo.InvariantCulture))
                continue;
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            return text;
        }
    }
}
