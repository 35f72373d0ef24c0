using System.Diagnostics.Metrics;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;

namespace Pristine.Tests.Scoring;

public class RunStatusTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    [Theory]
    [InlineData("processor", 2, 19.0, 0.1, 0.1, 10, 9)]
    [InlineData("read", 2, 2.0, 0.1, 0.1, 14, 1)]
    [InlineData("list", 2, 9.5, 9.0, 0.1, 2, 2)]
    [InlineData("write", 2, 9.5, 0.1, 9.0, 2, 2)]
    [InlineData("other programs", 2, 3.0, 0.1, 0.1, 1, 17)]
    [InlineData("workers", 1, 9.5, 0.1, 0.1, 1, 8.5)]
    [InlineData(null, 2, 3.0, 3.0, 0.1, 2, 1)]
    public void What_a_run_lacks_is_told_from_its_stages(
        string? bound, int workers, double cpu, double list, double write, double read, double decode)
    {
        var status = new RunStatus
        {
            Seconds = 10,
            Workers = workers,
            Cores = 2,
            CpuSeconds = cpu,
            Stages = new Dictionary<string, double> { ["list"] = list, ["write"] = write, ["read"] = read, ["decode"] = decode },
        };
        Assert.Equal(bound, status.Bound);
    }

    [Fact]
    public void A_run_leaves_its_status_beside_the_table_and_counts_images_and_times()
    {
        using var folder = TestFiles.NewFolder();
        var dataset = Dataset.Open(Photos);
        var watch = new RunWatch();
        var options = new ScoringOptions { Metrics = [MetricCatalog.Get("sharpness")], Watch = watch, Workers = 2 };
        var images = 0L;
        var stages = new HashSet<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == RunWatch.MeterName)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref images, count));
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            lock (stages)
                stages.Add((string)tags[0].Value!);
        });
        listener.Start();
        var summary = dataset.ScoreInto(folder["table"], options, cancellation: TestContext.Current.CancellationToken);
        listener.Dispose();

        var status = Assert.Single(RunStatus.ReadAll(folder["table"]));
        Assert.Equal(
            (RunState.Done, summary.Items, summary.Items, summary.Images, summary.Read, summary.Failed),
            (status.State, status.Items, status.Total, status.Images, status.Computed, status.Failed));
        Assert.Equal(summary.Failed, status.Statuses.Values.Sum());
        Assert.Equal(["decode", "list", "read", "sharpness", "write"], status.Stages.Keys.Order(StringComparer.Ordinal));
        Assert.True(status.Stages["decode"] > 0 && status.BytesRead > 0);
        // Other tests of this process may score at the same time.
        Assert.True(images >= summary.Images, $"{images} images were counted, {summary.Images} scored.");
        Assert.Superset(new HashSet<string> { "decode", "list", "read", "sharpness", "write" }, stages);
        Assert.Empty(Directory.GetFiles(folder["table"], "*.partial"));
    }

    [Fact]
    public void A_run_that_fails_or_is_left_says_so()
    {
        using var folder = TestFiles.NewFolder();
        var dataset = Dataset.Open(Photos);
        foreach (var _ in ScoreTableRun.Score(
            dataset, folder["left"], new ScoringOptions { Workers = 1 }, cancellation: TestContext.Current.CancellationToken))
            break;
        Assert.Equal(RunState.Stopped, Assert.Single(RunStatus.ReadAll(folder["left"])).State);

        File.WriteAllText(folder["broken.json"], $$"""[{"image": "{{Photos}}/leaf.jpg"}, {"image": """);
        Assert.Throws<DatasetException>(
            () => Dataset.Open(folder["broken.json"]).ScoreInto(folder["failed"], cancellation: TestContext.Current.CancellationToken));
        var failed = Assert.Single(RunStatus.ReadAll(folder["failed"]));
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("broken.json", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_without_its_lists_is_read()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder[".status-0000.json"], """{"state":"running","host":null,"statuses":null,"stages":null,"seconds":1}""");
        var status = Assert.Single(RunStatus.ReadAll(folder.Path));
        Assert.Null(status.Bound);
        Assert.Empty(status.Statuses);
        File.WriteAllText(folder[".status-0000.json"], "{");
        Assert.Contains(
            ".status-0000.json", Assert.Throws<IOException>(() => RunStatus.ReadAll(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_one_is_stale_when_its_process_is_gone_or_says_nothing()
    {
        var now = DateTimeOffset.UtcNow;
        var here = new RunStatus { Host = Environment.MachineName, Process = Environment.ProcessId, Updated = now };
        Assert.False(here.IsStale(now));
        Assert.True(here.IsStale(now + RunStatus.StaleAfter + TimeSpan.FromSeconds(1)));
        // A clock that was set back makes nothing stale.
        Assert.False(here.IsStale(now - TimeSpan.FromHours(1)));
        Assert.True((here with { Process = int.MaxValue }).IsStale(now));
        Assert.False((here with { Process = int.MaxValue, Host = "elsewhere" }).IsStale(now));
        Assert.False((here with { Process = int.MaxValue, State = RunState.Done }).IsStale(now));
    }
}
