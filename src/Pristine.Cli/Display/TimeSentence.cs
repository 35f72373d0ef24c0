using System.Globalization;
using Pristine.Scoring;

namespace Pristine.Cli.Display;

/// <summary>Says where the time of a run went, and what more of would make it faster.</summary>
internal static class TimeSentence
{
    private const int MostStages = 8;

    /// <summary>For example: <c>Time of 2 threads: brisque 55 %, decode 41 %, read 2 %; ...</c></summary>
    public static string Of(RunStatus run)
    {
        var threads = Math.Max(run.Seconds * run.Workers, double.Epsilon);
        var shares = run.Stages.Where(stage => stage.Key is not ("list" or "write")).OrderByDescending(stage => stage.Value)
            .Select(stage => (stage.Key, Share: stage.Value / threads)).Where(stage => stage.Share >= 0.005).Take(MostStages);
        var busy = string.Join(", ", shares.Select(stage => $"{stage.Key} {Percent(stage.Share)}"));
        var cores = run.CpuSeconds / Math.Max(run.Seconds, double.Epsilon);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Time of {run.Workers} {(run.Workers == 1 ? "thread" : "threads")}: {(busy.Length == 0 ? "waiting" : busy)}; of one thread: " +
            $"list {Percent(Of(run, "list"))}, write {Percent(Of(run, "write"))}. Processor: {cores:0.0} of {run.Cores} cores. " +
            $"{Advice(run.Bound)}");
    }

    private static double Of(RunStatus run, string stage) =>
        run.Stages.GetValueOrDefault(stage) / Math.Max(run.Seconds, double.Epsilon);

    private static string Percent(double share) => share.ToString("0 %", CultureInfo.InvariantCulture);

    private static string Advice(string? bound) => bound switch
    {
        "processor" => "Bound by the processor: more or faster cores help.",
        "read" => "Bound by reading images: a faster disk or network, or more --workers, help.",
        "list" => "Bound by reading the dataset, which one thread does: more shards (--shard) help.",
        "write" => "Bound by writing rows, which one thread does: a faster disk or more shards (--shard) help.",
        "workers" => "Bound by the number of threads: more --workers help.",
        "other programs" => "Bound by the processor, of which other programs had a part.",
        _ => "Nothing alone holds it back.",
    };
}
