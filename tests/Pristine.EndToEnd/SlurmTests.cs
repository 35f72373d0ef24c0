using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Pristine.Tests;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary>
/// <c>pristine slurm</c> on a real Slurm of two nodes. Some images of the dataset are at a server of the test, which answers when the test
/// says so: until then each task waits in the middle of its work, however fast or busy the machine is.
/// </summary>
[Trait("kind", "long")]
public sealed partial class SlurmTests : IDisposable
{
    private const int Count = 240;
    private const int Shards = 4;

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly ManualResetEventSlim _answering = new();
    private readonly ModelServer _server = new();

    public SlurmTests()
    {
        var photos = Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")
            .Where(file => new FileInfo(file).Length < 60_000).Order(StringComparer.Ordinal).ToArray();
        _server.Files["late.jpg"] = File.ReadAllBytes(photos[0]);
        _server.Answer = (_, request) =>
        {
            _answering.Wait();
            return _server.File(request);
        };
        // Eight parts of 64 KiB, two for each task, with one late image each.
        File.WriteAllLines(_folder["images.jsonl"], Enumerable.Range(0, Count).Select(i =>
        {
            var image = i % 30 == 20 + (i / 30 % Shards) ? $"{_server.Address}late.jpg?{i}" : photos[i % photos.Length];
            return $$"""{"id": {{i}}, "image": "{{image}}", "text": "{{new string('x', 2_000 - image.Length)}}"}""";
        }));
    }

    public void Dispose()
    {
        _answering.Set();
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_node_that_dies_loses_no_row_and_the_table_is_that_of_one_machine()
    {
        Assert.SkipWhen(SlurmCluster.Missing != null, SlurmCluster.Missing ?? "");
        using var cluster = new SlurmCluster();
        var watch = Stopwatch.StartNew();
        var job = Submit(cluster);
        // Both nodes have a task that waits for an image, with the rows before it on disk.
        var (survivor, victim) = (-1, -1);
        cluster.WaitUntil("a task with rows on each node", () =>
        {
            var queue = cluster.Queue();
            survivor = TaskOn(queue, job, "n1");
            victim = TaskOn(queue, job, "n2");
            return survivor >= 0 && victim >= 0 && RowsOf(survivor) > 0 && RowsOf(victim) > 0;
        });
        var before = RowsOf(victim);
        var killed = cluster.Kill("n2");
        cluster.WaitUntil("the task to be back in the queue", () => cluster.Queue()[$"{job}_{victim}"].State == "PENDING");
        var again = PristineCommand.Run(SubmitArguments, _folder.Path, null, cluster.Environment).Expect(1);
        Assert.Contains($"The job {job} of {_folder["scores"]} is not over", again.Error, StringComparison.Ordinal);
        Assert.Contains("pending", Status(cluster).Expect(0).Output, StringComparison.Ordinal);
        Status(cluster, "--check").Expect(1);

        _answering.Set();
        WaitForEnd(cluster);
        Assert.Equal("COMPLETED", cluster.Queue()[FinishOf()].State);
        var status = Status(cluster, "--check").Expect(0).Output;
        Assert.Equal($"shards  {Shards}: {Shards} finished\ntable   one, with {Count} rows\nmerge   completed (n1)\n", status);
        Assert.False(File.Exists(_folder["scores/manifest.json"]));
        var log = Log(job, victim);
        Assert.Contains($"shard {victim} on n2, start 0", log, StringComparison.Ordinal);
        Assert.Contains($"shard {victim} on n1, start 1", log, StringComparison.Ordinal);
        var kept = int.Parse(AlreadyThere().Match(log).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.True(kept >= before, $"Expected at least the {before} rows that were on disk to be kept; found {kept}. {log}");
        AssertEqualsOneMachine();
        Print(
            $"{Count} images in {Shards} tasks on 2 nodes, {cluster.Run("sinfo", "--version").Trim()}: node n2 was killed ({killed} " +
            $"processes) with {before} rows of shard {victim} on disk; the task went on from {kept} on n1; the table equals one " +
            $"machine's byte for byte; {watch.Elapsed.TotalSeconds:0.0} s from submission to the end");
        var nothing = PristineCommand.Run(SubmitArguments, _folder.Path, null, cluster.Environment).Expect(0);
        Assert.Contains("nothing is submitted", nothing.Error, StringComparison.Ordinal);
        Assert.Empty(nothing.OutputBytes);
    }

    [Fact]
    public void A_task_at_its_time_limit_goes_on_and_one_that_was_cancelled_when_it_is_submitted_again()
    {
        Assert.SkipWhen(SlurmCluster.Missing != null, SlurmCluster.Missing ?? "");
        using var cluster = new SlurmCluster();
        var job = Submit(cluster);
        var (limited, cancelled) = (-1, -1);
        cluster.WaitUntil("a task with rows on each node", () =>
        {
            var queue = cluster.Queue();
            limited = TaskOn(queue, job, "n1");
            cancelled = TaskOn(queue, job, "n2");
            return limited >= 0 && cancelled >= 0 && RowsOf(limited) > 0 && RowsOf(cancelled) > 0;
        });
        // What Slurm sends before the limit, which is a minute at least.
        cluster.WaitUntil("the signal to be taken", () => HasStopped(job, limited)
            || cluster.TryRun("scancel", "--batch", "--signal=USR1", $"{job}_{limited}").ExitCode == 0);
        cluster.WaitUntil("the task at its limit to stop", () => HasStopped(job, limited));
        cluster.WaitUntil("the other to be cancelled", () => HasStopped(job, cancelled)
            || cluster.TryRun("scancel", $"{job}_{cancelled}").ExitCode == 0);
        cluster.WaitUntil("the cancelled task to stop", () => HasStopped(job, cancelled));
        // Others may have the nodes now, and wait for their images: none would ever be free.
        _answering.Set();
        WaitForEnd(cluster);
        Assert.Contains("start 1", Log(job, limited), StringComparison.Ordinal);
        Assert.DoesNotContain("start 1", Log(job, cancelled), StringComparison.Ordinal);
        Assert.Matches(AlreadyThere(), Log(job, limited));
        Assert.Equal("CANCELLED", cluster.Queue()[$"{job}_{cancelled}"].State);
        Assert.Equal("FAILED", cluster.Queue()[FinishOf()].State);
        var status = Status(cluster, "--check").Expect(1);
        Assert.Contains($"{Shards}: {Shards - 1} finished, 1 cancelled", status.Output, StringComparison.Ordinal);
        Assert.Contains("The table scores is not complete: 2 of 8 parts are not finished", status.Error, StringComparison.Ordinal);

        var again = PristineCommand.Run(SubmitArguments, _folder.Path, null, cluster.Environment).Expect(0);
        Assert.Contains($"{Shards - 1} of {Shards} shards are finished, the other 1 go on", again.Error, StringComparison.Ordinal);
        Assert.Contains("1 tasks score", again.Output, StringComparison.Ordinal);
        WaitForEnd(cluster);
        Status(cluster, "--check").Expect(0);
        AssertEqualsOneMachine();
    }

    private static string[] Scoring =>
        ["--metrics", "brisque,sharpness,noise", "--allow-private-hosts", "--network-timeout", "3600", "--part-seconds", "0"];

    private static string[] SubmitArguments =>
        ["slurm", "submit", "images.jsonl", "--shards", $"{Shards}", "--out", "scores", "--mem", "400", "--", .. Scoring];

    /// <returns>The id of the array.</returns>
    private string Submit(SlurmCluster cluster)
    {
        var result = PristineCommand.Run(SubmitArguments, _folder.Path, null, cluster.Environment).Expect(0);
        Assert.Contains($": {Shards} tasks score images.jsonl into {_folder["scores"]}", result.Output, StringComparison.Ordinal);
        return Record("array");
    }

    private string FinishOf() => Record("finish");

    private string Record(string name)
    {
        using var record = System.Text.Json.JsonDocument.Parse(File.ReadAllText(_folder["scores/slurm/job.json"]));
        return record.RootElement.GetProperty(name).GetString()!;
    }

    private CommandResult Status(SlurmCluster cluster, params string[] options) =>
        PristineCommand.Run(["slurm", "status", "scores", .. options], _folder.Path, null, cluster.Environment);

    private void WaitForEnd(SlurmCluster cluster)
    {
        var finish = FinishOf();
        cluster.WaitUntil("the job at the end", () => cluster.Queue()[finish].State is "COMPLETED" or "FAILED" or "CANCELLED");
    }

    /// <summary>The task that runs on a node; -1 where none does.</summary>
    private static int TaskOn(IReadOnlyDictionary<string, (string State, string Node)> queue, string job, string node) => queue
        .Where(task => task.Key.StartsWith($"{job}_", StringComparison.Ordinal) && task.Value == ("RUNNING", node))
        .Select(task => int.Parse(task.Key.Split('_')[1], CultureInfo.InvariantCulture)).FirstOrDefault(-1);

    /// <summary>
    /// Rows that a task has on disk of the first of its two parts, which waits for an image: each row is a file (<c>--part-seconds 0</c>).
    /// </summary>
    private int RowsOf(int shard)
    {
        try
        {
            return Directory.GetDirectories(_folder["scores/work"], $"{2 * shard:000000}.*")
                .Sum(part => Directory.GetFiles(part, "part-*.parquet").Length);
        }
        catch (DirectoryNotFoundException)
        {
            // No task has begun yet.
            return 0;
        }
    }

    private string Log(string job, int shard) => File.ReadAllText(_folder[$"scores/slurm/score-{job}_{shard}.log"]);

    /// <summary>Whether a task's run was stopped by a signal and has written what it had.</summary>
    private bool HasStopped(string job, int shard) => Log(job, shard).Contains("All of them are in", StringComparison.Ordinal);

    private void AssertEqualsOneMachine()
    {
        PristineCommand.Run(["score", "images.jsonl", "--out", "one", .. Scoring], _folder.Path).Expect(0);
        foreach (var format in (string[])["jsonl", "csv", "parquet"])
        {
            foreach (var table in (string[])["one", "scores"])
                PristineCommand.Run(["export", table, "--format", format, "--out", $"{table}.{format}"], _folder.Path).Expect(0);
            Assert.Equal(File.ReadAllBytes(_folder[$"one.{format}"]), File.ReadAllBytes(_folder[$"scores.{format}"]));
        }
        var rows = File.ReadAllLines(_folder["one.jsonl"]);
        Assert.Equal(Count, rows.Length);
        Assert.DoesNotContain(rows, row => row.Contains("\"status\":\"network\"", StringComparison.Ordinal));
    }

    private static void Print(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);

    [GeneratedRegex(@"read, ([1-9][0-9]*) already in the table")]
    private static partial Regex AlreadyThere();
}
