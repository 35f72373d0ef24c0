using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Cluster;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine slurm</c>: scores a dataset on a cluster with Slurm. See docs/cluster.md.</summary>
internal static class SlurmCommand
{
    public static Command Create() => new CliCommand(
        "slurm",
        "Scores a dataset on a cluster with Slurm: a job array with a task per shard, and a job at the end that makes one table of their " +
        "parts.",
        "pristine slurm submit photos --shards 64 --out scores",
        "pristine slurm status scores")
    {
        CreateSubmit(),
        CreateStatus(),
    };

    private static CliCommand CreateSubmit()
    {
        var input = new Argument<string>("INPUT")
        {
            Description = "A dataset that every node reads by this name; see 'pristine score --help'",
        };
        var options = ClusterOptions.ScoreOptions();
        var shards = ClusterOptions.Shards();
        var table = ClusterOptions.Table(
            "Folder for the score table, on a file system of all nodes; scripts and logs lie in its folder slurm");
        var partition = new Option<string?>("--partition") { Description = "Partition; default: Slurm's", HelpName = "NAME" };
        var time = new Option<string?>("--time")
        {
            Description = "Time limit of a task as Slurm writes it, for example 4:00:00; a task that reaches it goes on as a new one",
            HelpName = "TIME",
        };
        var cpus = new Option<int>("--cpus")
        {
            Description = "Processors of a task, and its threads",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        cpus.Between(1, Inputs.MostWorkers);
        var memory = new Option<string?>("--mem")
        {
            Description = "Memory of a task as Slurm writes it, for example 4G",
            HelpName = "SIZE",
        };
        var limit = new Option<int?>("--array-limit") { Description = "Tasks that run at a time", HelpName = "N" };
        limit.AtLeast(1);
        var stop = new Option<int>("--stop-seconds")
        {
            Description = "Seconds before its time limit at which a task writes what it has and goes on as a new one",
            HelpName = "S",
            DefaultValueFactory = _ => 60,
        };
        stop.Between(1, 65535);
        var sbatch = new Option<string[]>("--sbatch")
        {
            Description = "Option for sbatch, for example account=vision; may be repeated",
            HelpName = "OPTION",
        };
        var program = new Option<string?>("--program")
        {
            Description = "How a node calls pristine, as a line of shell; default: by the path of this program",
            HelpName = "COMMAND",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only print what would be submitted" };
        var command = new CliCommand(
            "submit",
            "Submits a job array that scores a dataset into a table, a task per shard. Tasks that are killed or lose their node go on " +
            "where they stopped. For a table that has been submitted before, only what is not finished is submitted again.",
            "pristine slurm submit photos --shards 64 --out scores --cpus 4 --time 1:00:00",
            "pristine slurm submit data.jsonl --shards 8 --out scores -- -m brisque,noise")
        {
            input, options, shards, table, cpus, memory, partition, time, limit, stop, sbatch, program, dryRun,
        };
        command.SetAction(parsed =>
        {
            var scoring = new ShardedScoring(
                parsed.GetRequiredValue(input), Path.GetFullPath(parsed.GetRequiredValue(table)), parsed.GetValue(shards),
                parsed.GetValue(options) ?? []);
            ScoreTable.CheckPlace(parsed.GetRequiredValue(table));
            var (open, columns) = scoring.Check();
            open();
            var settings = new SlurmSettings
            {
                Program = parsed.GetValue(program) ?? ThisProgram(),
                CurrentFolder = Environment.CurrentDirectory,
                Cpus = parsed.GetValue(cpus),
                Memory = parsed.GetValue(memory),
                Partition = parsed.GetValue(partition),
                Time = parsed.GetValue(time),
                ArrayLimit = parsed.GetValue(limit),
                StopSeconds = parsed.GetValue(stop),
                Sbatch = [.. (parsed.GetValue(sbatch) ?? []).Select(SbatchOption)],
            };
            return Submit(scoring, columns, settings, parsed.GetValue(dryRun));
        });
        return command;
    }

    private static CliCommand CreateStatus()
    {
        var table = new Argument<string>("TABLE") { Description = "The table that was named as --out" };
        var check = new Option<bool>("--check") { Description = "Exit with code 1 where the table is not complete" };
        var command = new CliCommand(
            "status",
            "Tells of the job of a table: its tasks by state, and how many of its parts are finished.",
            "pristine slurm status scores",
            "pristine slurm status scores --check && pristine report scores") { table, check };
        command.SetAction(parsed => Status(parsed.GetRequiredValue(table), parsed.GetValue(check)));
        return command;
    }

    private static int Submit(ShardedScoring scoring, IReadOnlyList<string> columns, SlurmSettings settings, bool dryRun)
    {
        var table = scoring.Table;
        var before = SlurmRecord.Read(table);
        if (before != null)
        {
            var states = SlurmPrograms.States(before.Finish == null ? [before.Array] : [before.Array, before.Finish]);
            if (states.Values.Count(state => state.IsActive) is > 0 and var active)
                throw new SlurmException(
                    $"The job {before.Array} of {table} is not over: {active} of its tasks wait or run. 'pristine slurm status {table}' " +
                    $"tells of it; 'scancel {before.Array}' ends it.");
        }
        var parts = PartedTable.Open(table);
        if (parts == null && TableProvenance.Read(table) != null)
        {
            if (before == null)
                throw new ScoreTableException(
                    $"Expected a new folder for the table, or one that is made in parts; {table} was made by one run. 'pristine score " +
                    $"{scoring.Input} --out {table}' brings it up to date.");
            Console.Error.WriteLine(
                $"{table} is finished and one table: nothing is submitted. 'pristine score {scoring.Input} --out {table}' brings it up " +
                "to date.");
            return ExitCode.Done;
        }
        var tasks = Enumerable.Range(0, scoring.Shards).ToArray();
        if (parts != null)
        {
            var there = parts.Manifest.Table.Columns.Select(column => column.Metric).ToArray();
            if (columns.FirstOrDefault(name => !there.Contains(name)) is { } other)
                throw new UsageException(
                    $"--metrics: expected what the parts of {table} are made with ({string.Join(", ", there)}); found '{other}'. Let " +
                    "them be finished, and add it to the table that is made of them, or name another --out.");
            var finished = Finished(parts, scoring.Shards);
            tasks = [.. tasks.Where(shard => !finished[shard])];
            Console.Error.WriteLine(tasks.Length == 0
                ? $"{table}: all {scoring.Shards} shards are finished, nothing is submitted; 'pristine compact {table}' makes one table " +
                "of them."
                : $"{table} was begun before: {scoring.Shards - tasks.Length} of {scoring.Shards} shards are finished, the other " +
                $"{tasks.Length} go on.");
            if (tasks.Length == 0)
                return ExitCode.Done;
        }
        else if (before != null)
            Console.Error.WriteLine($"{table} was submitted before and has nothing yet: all {scoring.Shards} shards are submitted.");
        var job = new SlurmJob(scoring, settings, tasks);
        if (dryRun)
        {
            Console.Out.Write($"# {job.ScriptFile}\n{job.Script()}\n# {job.FinishFile}\n{job.Finish()}\n");
            Console.Out.Write($"sbatch {string.Join(' ', job.SubmitScript.Select(PlainText.ShellWord))}\n");
            Console.Out.Write($"sbatch {string.Join(' ', job.SubmitFinish("JOB").Select(PlainText.ShellWord))}\n");
            return ExitCode.Done;
        }
        SlurmPrograms.Require();
        Directory.CreateDirectory(SlurmJob.FolderOf(table));
        File.WriteAllText(job.ScriptFile, job.Script());
        File.WriteAllText(job.FinishFile, job.Finish());
        var record = new SlurmRecord(
            scoring.Input, scoring.Shards, scoring.Options, settings.CurrentFolder, tasks, SlurmPrograms.Submit(job.SubmitScript));
        // At once: what runs is known also where the second job is refused.
        record.Write(table);
        Console.Out.WriteLine($"job {record.Array}: {tasks.Length} tasks score {scoring.Input} into {table}");
        record = record with { Finish = SlurmPrograms.Submit(job.SubmitFinish(record.Array)) };
        record.Write(table);
        Console.Out.WriteLine($"job {record.Finish}: makes one table of their parts when they have ended");
        Console.Error.WriteLine($"To see how it goes: pristine slurm status {PlainText.ShellWord(table)}");
        return ExitCode.Done;
    }

    private static int Status(string table, bool check)
    {
        var record = SlurmRecord.Read(table) ?? throw new SlurmException(
            $"Expected a table of 'pristine slurm submit'; {Path.Combine(SlurmJob.FolderOf(table), "job.json")} does not exist.");
        var parts = PartedTable.Open(table);
        // A table without a list of parts is one that was made of them, or there is none yet.
        var isMerged = parts == null && TableProvenance.Read(table) != null;
        var finished = parts == null ? [.. Enumerable.Repeat(isMerged, record.Shards)] : Finished(parts, record.Shards);
        var states = SlurmPrograms.States(record.Finish == null ? [record.Array] : [record.Array, record.Finish]);
        var shards = Enumerable.Range(0, record.Shards)
            .Select(shard => (Shard: shard, State: states.GetValueOrDefault($"{record.Array}_{shard}"))).ToArray();
        var words = shards.Select(shard => shard.State is { IsActive: true } active ? Word(active)
            : finished[shard.Shard] ? "finished" : shard.State is { } ended ? Word(ended) : "not finished").ToArray();
        var counts = words.GroupBy(word => word).OrderBy(group => group.Key == "finished" ? 0 : 1)
            .ThenByDescending(group => group.Count()).Select(group => $"{group.Count()} {group.Key}");
        Console.Out.WriteLine($"shards  {record.Shards}: {string.Join(", ", counts)}");
        if (parts != null)
        {
            var markers = parts.Markers();
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"parts   {markers.Count(marker => marker != null):N0} of {markers.Length:N0} finished, with " +
                $"{markers.Sum(marker => marker?.Rows ?? 0):N0} rows"));
        }
        else if (isMerged)
            Console.Out.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"table   one, with {ScoreTable.Open(table).RowCount:N0} rows"));
        if (record.Finish is { } finish && states.GetValueOrDefault(finish) is { } after)
            Console.Out.WriteLine($"merge   {Word(after)}{(after.Detail.Length > 0 ? $" ({after.Detail})" : "")}");
        var stopped = shards.Where((shard, i) => shard.State is not { IsActive: true } && words[i] != "finished").ToArray();
        if (stopped.Length > 0)
        {
            var named = stopped.Take(10).Select(
                shard => shard.State is { Detail.Length: > 0 } state ? $"{shard.Shard} ({state.Detail})" : $"{shard.Shard}");
            Console.Out.WriteLine(
                $"stopped {string.Join(", ", named)}{(stopped.Length > 10 ? $" and {stopped.Length - 10} more" : "")}");
            Console.Error.WriteLine(
                $"Their logs: {SlurmJob.FolderOf(table)}. 'pristine slurm submit' with the same arguments submits what is not finished.");
        }
        if (!check)
            return ExitCode.Done;
        var fault = parts == null && !isMerged ? "none of its tasks has begun"
            : parts != null && parts.Markers().Count(marker => marker == null) is > 0 and var missing
            ? $"{missing} of {parts.Manifest.Parts.Count} parts are not finished"
            : ScoreTable.Open(table).Incomplete;
        if (fault == null)
            return ExitCode.Done;
        Console.Error.WriteLine($"pristine: The table {table} is not complete: {fault}.");
        return ExitCode.Failed;
    }

    private static string Word(SlurmState state) => state.State.ToLowerInvariant().Replace('_', ' ');

    /// <summary>For each shard whether all of its parts are finished.</summary>
    private static bool[] Finished(PartedTable table, int shards)
    {
        var markers = table.Markers();
        return [.. Enumerable.Range(0, shards).Select(shard => Array.TrueForAll(
            Sharding.Of(shard, shards).Share(table.Manifest.Parts), part => markers[part] != null))];
    }

    /// <summary>How this very program is called.</summary>
    private static string ThisProgram()
    {
        var path = Environment.ProcessPath
            ?? throw new SlurmException("Expected to know the path of this program; name it with --program.");
        // 'dotnet Pristine.Cli.dll' as well as a program of its own.
        return string.Join(' ', (Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? [path, Path.GetFullPath(Environment.GetCommandLineArgs()[0])]
            : (string[])[path]).Select(PlainText.ShellWord));
    }

    private static string SbatchOption(string option)
    {
        var text = option.StartsWith('-') ? option : $"--{option}";
        var name = text.Split('=', ' ')[0];
        return text.IndexOfAny(['\n', '\r']) >= 0 ? throw new UsageException($"--sbatch: expected one line; found '{option}'.")
            : name is "--array" or "-a" or "--wrap" or "--dependency" or "-d" or "--signal" or "--parsable"
            ? throw new UsageException($"--sbatch: {name} is set by 'pristine slurm submit' itself; found '{option}'.")
            : text;
    }
}
