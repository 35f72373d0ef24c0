using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine status DIR</c>: how it stands with the runs on score tables.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var folders = new Argument<string[]>("DIR")
        {
            Description = "Score tables, or folders of them (their subfolders are looked at), for example one for each shard",
            Arity = ArgumentArity.OneOrMore,
        };
        var json = new Option<bool>("--json") { Description = "One JSON object a line for each run, as it left it, with its folder" };
        var command = new CliCommand(
            "status",
            "Tells how far runs on score tables are: done, failures by status, rate, time left, and which have died or hang.",
            "pristine status scores",
            "watch pristine status shards");
        command.Arguments.Add(folders);
        command.Options.Add(json);
        command.SetAction(parsed => Run(parsed.GetRequiredValue(folders), parsed.GetValue(json)));
        return command;
    }

    private static int Run(IReadOnlyList<string> folders, bool asJson)
    {
        var runs = new List<(string Folder, RunStatus Status)>();
        var shared = new Dictionary<string, PartedTable>(StringComparer.Ordinal);
        foreach (var folder in folders.SelectMany(Tables))
        {
            var found = RunStatus.ReadAll(folder);
            var parted = PartedTable.Open(folder);
            if (parted != null)
                shared.TryAdd(folder, parted);
            // What is only planned has no rows, and nobody works on it.
            var isPlanned = found.Count == 0 && parted != null && parted.Markers().All(marker => marker == null);
            runs.AddRange((found.Count > 0 ? found : isPlanned ? [Planned] : OfTable(folder)).Select(status => (folder, status)));
        }
        if (runs.Count == 0)
            throw new ScoreTableException(
                $"Expected a score table with the status of a run, or a folder of some; found none in {string.Join(", ", folders)}.");
        if (asJson)
            foreach (var (folder, status) in runs)
                Console.Out.WriteLine((status with { Folder = folder }).ToJson());
        // What became of a process matters no more when others have finished its parts.
        var finished = shared.Where(table => table.Value.Markers().All(marker => marker != null)).Select(table => table.Key).ToHashSet();
        if (!asJson)
            Write(runs, finished);
        foreach (var (folder, table) in asJson ? [] : shared)
            WriteParts(folder, table);
        return runs.Exists(run => !finished.Contains(run.Folder)
            && (run.Status.State == RunState.Failed || run.Status.IsStale(DateTimeOffset.UtcNow)))
            ? ExitCode.TooManyFailures : ExitCode.Done;
    }

    /// <summary>How far the parts of a table are that several runs share, and which of them could not be read.</summary>
    private static void WriteParts(string folder, PartedTable table)
    {
        var markers = table.Markers();
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{folder}: {markers.Count(marker => marker != null):N0} of {markers.Length:N0} parts are finished."));
        foreach (var failure in table.Failures())
            Console.Error.WriteLine(
                $"pristine: {folder}, part {table.NameOf(failure.Part)} could not be read on {failure.Host}: " +
                PlainText.Clean(failure.Reason));
    }

    /// <summary>The folder itself, where it is a table, and the tables right below it.</summary>
    private static IEnumerable<string> Tables(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ScoreTableException($"Expected a folder; found none at '{folder}'.");
        return new[] { folder }.Concat(Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)).Where(IsTable);
    }

    private static bool IsTable(string folder) =>
        File.Exists(Path.Combine(folder, TableProvenance.FileName)) || RunStatus.ReadAll(folder).Count > 0;

    private static RunStatus Planned => new() { State = RunState.Stopped };

    /// <summary>What a table without the status of a run tells: one that was made before, or copied without it.</summary>
    private static IReadOnlyList<RunStatus> OfTable(string folder)
    {
        var table = ScoreTable.Open(folder);
        var statuses = TableSummary.Of(table).Statuses.Where(status => status.Key != Media.ImageStatus.Ok)
            .ToDictionary(status => Media.ImageStatusNames.Name(status.Key), status => status.Value);
        return
        [
            new RunStatus
            {
                State = table.Incomplete == null ? RunState.Done : RunState.Stopped,
                Shards = table.Provenance.Shards,
                Items = table.RowCount,
                Images = table.RowCount,
                Total = table.Incomplete == null ? table.RowCount : null,
                Statuses = statuses,
            },
        ];
    }

    private static void Write(List<(string Folder, RunStatus Status)> runs, HashSet<string> finished)
    {
        var now = DateTimeOffset.UtcNow;
        var rows = runs.ConvertAll(run => Row(run.Folder, run.Status, now));
        if (runs.Count > 1)
            rows.Add(Sum(runs.ConvertAll(run => run.Status), now));
        TextTable.Write(
            Console.Out, ["TABLE", "SHARD", "STATE", "ITEMS", "OF", "NOT OK", "RATE", "LEFT", "TOLD"], rows,
            TerminalWidth.Of(Console.IsOutputRedirected, plain: 120, most: 160));
        foreach (var (folder, status) in runs.Where(run => run.Status.Error != null && !finished.Contains(run.Folder)))
            Console.Error.WriteLine($"pristine: {folder}, shard {status.Shard}: {PlainText.Clean(status.Error!)}");
        foreach (var (folder, status) in runs.Where(run => run.Status.IsStale(now) && !finished.Contains(run.Folder)))
            Console.Error.WriteLine(
                $"pristine: {folder}, shard {status.Shard}: the process {status.Process} on {status.Host} has died or hangs; the command " +
                "that started it goes on from its last part.");
    }

    private static string[] Row(string folder, RunStatus status, DateTimeOffset now) =>
    [
        folder,
        status.Shards == 0 ? "auto" : string.Create(CultureInfo.InvariantCulture, $"{status.Shard}/{status.Shards}"),
        State(status, now),
        Number(status.Items),
        status.Total is { } total ? Number(total) : "?",
        Failures(status.Statuses),
        status.Rate > 0 ? string.Create(CultureInfo.InvariantCulture, $"{status.Rate:N0}/s") : "",
        status.SecondsLeft is { } left && !status.IsStale(now) ? Progress.Duration(TimeSpan.FromSeconds(left)) : "",
        status.Host.Length > 0 ? $"{Progress.Duration(now > status.Updated ? now - status.Updated : TimeSpan.Zero)} ago" : "",
    ];

    private static string[] Sum(List<RunStatus> all, DateTimeOffset now)
    {
        var running = all.FindAll(status => status.State == RunState.Running && !status.IsStale(now));
        var statuses = all.SelectMany(status => status.Statuses).GroupBy(status => status.Key)
            .ToDictionary(group => group.Key, group => group.Sum(status => status.Value));
        return
        [
            "all",
            "",
            string.Join(", ", all.GroupBy(status => State(status, now)).Select(group => $"{group.Count()} {group.Key}")),
            Number(all.Sum(status => status.Items)),
            all.TrueForAll(status => status.Total != null) ? Number(all.Sum(status => status.Total!.Value)) : "?",
            Failures(statuses),
            running.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"{running.Sum(status => status.Rate):N0}/s") : "",
            // The last one to end is what a user waits for.
            running.Count > 0 && running.TrueForAll(status => status.SecondsLeft != null)
                ? Progress.Duration(TimeSpan.FromSeconds(running.Max(status => status.SecondsLeft!.Value))) : "",
            "",
        ];
    }

    private static string State(RunStatus status, DateTimeOffset now) =>
        status.IsStale(now) ? "stale" : status.State.ToString().ToLowerInvariant();

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Failures(IReadOnlyDictionary<string, long> statuses) => statuses.Count == 0
        ? "0"
        : string.Join(", ", statuses.OrderByDescending(status => status.Value).ThenBy(status => status.Key, StringComparer.Ordinal)
            .Select(status => $"{Number(status.Value)} {status.Key}"));
}
