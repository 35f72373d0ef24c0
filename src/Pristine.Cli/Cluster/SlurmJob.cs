using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Cli.Display;
using Pristine.Files;
using Pristine.Tables;

namespace Pristine.Cli.Cluster;

/// <summary>What the nodes of a job get, and how it is submitted.</summary>
internal sealed record SlurmSettings
{
    /// <summary>How a node calls the program, as a line of shell has it.</summary>
    public required string Program { get; init; }

    /// <summary>The folder in which the tasks start.</summary>
    public required string CurrentFolder { get; init; }

    /// <summary>Processors of a task.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>Memory of a task as Slurm writes it; null for the partition's default.</summary>
    public string? Memory { get; init; }

    /// <summary>The partition; null for the default one.</summary>
    public string? Partition { get; init; }

    /// <summary>The time limit of a task as Slurm writes it; null for the partition's default.</summary>
    public string? Time { get; init; }

    /// <summary>Tasks that run at a time; null for as many as there is room for.</summary>
    public int? ArrayLimit { get; init; }

    /// <summary>Seconds before the time limit at which a task stops and goes on as a new one.</summary>
    public int StopSeconds { get; init; } = 60;

    /// <summary>How often a task goes on.</summary>
    public int Restarts { get; init; } = 100;

    /// <summary>More options of <c>sbatch</c>.</summary>
    public IReadOnlyList<string> Sbatch { get; init; } = [];
}

/// <summary>The job of a score table: an array with a task per shard, and a job after it that makes one table of their parts.</summary>
/// <param name="Scoring">The work.</param>
/// <param name="Settings">What the nodes get.</param>
/// <param name="Tasks">The shards to run, in ascending order.</param>
internal sealed record SlurmJob(ShardedScoring Scoring, SlurmSettings Settings, IReadOnlyList<int> Tasks)
{
    /// <summary>The folder of a table in which scripts, logs and the record of the job lie.</summary>
    public static string FolderOf(string table) => Path.Combine(table, "slurm");

    /// <summary>The script of the array.</summary>
    public string ScriptFile => Path.Combine(FolderOf(Scoring.Table), "score.sh");

    /// <summary>The script of the job after it.</summary>
    public string FinishFile => Path.Combine(FolderOf(Scoring.Table), "finish.sh");

    /// <summary>Shards as Slurm writes them: <c>0-63</c>, or <c>3,17-20</c> with at most so many at a time <c>%8</c>.</summary>
    public string Array => Ranges(Tasks) + (Settings.ArrayLimit is { } limit ? $"%{limit}" : "");

    /// <summary>The script of the array.</summary>
    /// <remarks>
    /// Slurm sends USR1 to the shell alone, some seconds before the time limit; the shell stops the run by SIGTERM, which ends its files,
    /// and puts the task back into the queue. A cancelled task gets SIGTERM, which Slurm sends to the run as well: the shell only waits
    /// for it, because a second signal would end the run at once. <c>SLURM_JOB_ID</c> would not do for the queue: that of one task is the
    /// id of the whole array.
    /// </remarks>
    public string Script()
    {
        var text = Head("score", "%A_%a");
        text.Append(CultureInfo.InvariantCulture, $"#SBATCH --array={Array}\n");
        text.Append("#SBATCH --requeue\n");
        text.Append(CultureInfo.InvariantCulture, $"#SBATCH --signal=B:USR1@{Settings.StopSeconds}\n");
        Passed(text);
        var options = string.Concat(Scoring.Options.Select(option => $" {PlainText.ShellWord(option)}"));
        text.Append(string.Create(CultureInfo.InvariantCulture, $$"""

            echo "shard $SLURM_ARRAY_TASK_ID on $SLURMD_NODENAME, start ${SLURM_RESTART_COUNT:-0}" >&2
            {{Settings.Program}} score {{PlainText.ShellWord(Scoring.Input)}} --out {{PlainText.ShellWord(Scoring.Table)}} \
              --shard "$SLURM_ARRAY_TASK_ID/{{Scoring.Shards}}" --workers "${SLURM_CPUS_PER_TASK:-1}"{{options}} &
            run=$! limit=
            trap 'signal=1' TERM
            trap 'signal=1; [ -n "$limit" ] || kill -TERM "$run"; limit=1' USR1
            # A signal ends 'wait' early; the run then still writes what it has.
            while signal=; wait "$run"; code=$?; [ -n "$signal" ]; do :; done
            if [ -n "$limit" ] && [ "$code" -eq 130 ]; then
              if [ "${SLURM_RESTART_COUNT:-0}" -lt {{Settings.Restarts}} ]; then
                until scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; do sleep 5; done
              else
                echo "shard $SLURM_ARRAY_TASK_ID: stopped at its time limit and started again {{Settings.Restarts}} times; not again" >&2
              fi
            fi
            exit "$code"

            """).ReplaceLineEndings("\n"));
        return text.ToString();
    }

    /// <summary>The script of the job after the array: it fails where a part is missing, and says so; else it makes one table.</summary>
    public string Finish()
    {
        var text = Head("finish", "%j");
        Passed(text);
        text.Append(
            CultureInfo.InvariantCulture,
            $"\n{Settings.Program} slurm status {PlainText.ShellWord(Scoring.Table)} --check && " +
            $"{Settings.Program} compact {PlainText.ShellWord(Scoring.Table)}\n");
        return text.ToString();
    }

    /// <summary>The arguments of <c>sbatch</c> for the array.</summary>
    public IReadOnlyList<string> SubmitScript => ["--parsable", ScriptFile];

    /// <summary>The arguments of <c>sbatch</c> for the job after an array, however its tasks end.</summary>
    public IReadOnlyList<string> SubmitFinish(string array) => ["--parsable", $"--dependency=afterany:{array}", FinishFile];

    private StringBuilder Head(string name, string number)
    {
        var log = Path.Combine(FolderOf(Scoring.Table).Replace("%", "%%", StringComparison.Ordinal), $"{name}-{number}.log");
        var text = new StringBuilder("#!/bin/bash\n");
        text.Append(CultureInfo.InvariantCulture, $"#SBATCH --job-name=pristine-{name}\n");
        text.Append(CultureInfo.InvariantCulture, $"#SBATCH --chdir={Quoted(Settings.CurrentFolder)}\n");
        text.Append(CultureInfo.InvariantCulture, $"#SBATCH --output={Quoted(log)}\n");
        text.Append("#SBATCH --open-mode=append\n");
        text.Append(CultureInfo.InvariantCulture, $"#SBATCH --cpus-per-task={Settings.Cpus}\n");
        foreach (var (option, value) in (ReadOnlySpan<(string, string?)>)
            [("mem", Settings.Memory), ("partition", Settings.Partition), ("time", Settings.Time)])
            if (value != null)
                text.Append(CultureInfo.InvariantCulture, $"#SBATCH --{option}={Quoted(value)}\n");
        return text;
    }

    private void Passed(StringBuilder text)
    {
        foreach (var option in Settings.Sbatch)
            text.Append(CultureInfo.InvariantCulture, $"#SBATCH {option}\n");
    }

    /// <summary>A value as a line of <c>#SBATCH</c> has it.</summary>
    private static string Quoted(string value) => value.All(letter => char.IsAsciiLetterOrDigit(letter)
        || "_./:@%+=,-".Contains(letter, StringComparison.Ordinal))
        ? value
        : value.IndexOfAny(['"', '\\', '\n']) < 0
        ? $"\"{value}\""
        : throw new UsageException($"Expected a name without quotes, backslashes and line breaks, for Slurm's sake; found '{value}'.");

    private static string Ranges(IReadOnlyList<int> numbers)
    {
        var ranges = new List<string>();
        for (var i = 0; i < numbers.Count;)
        {
            var first = i++;
            while (i < numbers.Count && numbers[i] == numbers[i - 1] + 1)
                i++;
            ranges.Add(i - first == 1
                ? numbers[first].ToString(CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"{numbers[first]}-{numbers[i - 1]}"));
        }
        return string.Join(',', ranges);
    }
}

/// <summary>What was last submitted for a table: <c>slurm/job.json</c> in it.</summary>
/// <param name="Input">The dataset.</param>
/// <param name="Shards">The number of shards.</param>
/// <param name="Options">Options of <c>pristine score</c>.</param>
/// <param name="CurrentFolder">The folder in which the tasks start.</param>
/// <param name="Tasks">The shards that were submitted.</param>
/// <param name="Array">The id of the array.</param>
/// <param name="Finish">The id of the job after it; null where it could not be submitted.</param>
internal sealed partial record SlurmRecord(
    string Input, int Shards, IReadOnlyList<string> Options, string CurrentFolder, IReadOnlyList<int> Tasks, string Array,
    string? Finish = null)
{
    private static readonly RecordJson Json = new(new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    });

    /// <summary>The record of a table; null where nothing was submitted for it.</summary>
    /// <exception cref="ScoreTableException">The file is damaged.</exception>
    public static SlurmRecord? Read(string table)
    {
        var file = FileOf(table);
        if (!File.Exists(file))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), Json.SlurmRecord) is { Input: not null, Array: not null } record
                ? record
                : throw new JsonException("it names no job");
        }
        catch (JsonException exception)
        {
            throw new ScoreTableException(
                $"Expected the record of a job in {file}, which 'pristine slurm submit' writes; {exception.Message}", exception);
        }
    }

    public void Write(string table) =>
        WholeFile.Write(FileOf(table), stream => JsonSerializer.Serialize(stream, this, Json.SlurmRecord));

    private static string FileOf(string table) => Path.Combine(SlurmJob.FolderOf(table), "job.json");

    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(SlurmRecord))]
    private sealed partial class RecordJson : JsonSerializerContext;
}
