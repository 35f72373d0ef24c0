using System.ComponentModel;
using System.Diagnostics;

namespace Pristine.Cli.Cluster;

/// <summary>What Slurm knows of a task, or of the job after the array.</summary>
/// <param name="State">Slurm's word: <c>RUNNING</c>, <c>PENDING</c>, <c>NODE_FAIL</c>, ...</param>
/// <param name="Detail">Why it waits, where it runs or what its exit code was; empty where there is nothing to say.</param>
internal sealed record SlurmState(string State, string Detail)
{
    private static readonly string[] Ended =
    [
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT",
    ];

    /// <summary>Whether it waits or runs.</summary>
    public bool IsActive => !Ended.Contains(State);
}

/// <summary>Slurm's programs.</summary>
internal static class SlurmPrograms
{
    /// <summary>Makes sure that jobs can be submitted from here.</summary>
    /// <exception cref="SlurmException">There is no <c>sbatch</c>.</exception>
    public static void Require()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, "sbatch"))))
            throw new SlurmException(
                "Expected Slurm's program 'sbatch' on the path; found none. Call this on a machine from which jobs are submitted (a " +
                "login node); --dry-run shows the job without it.");
    }

    /// <summary>Submits a script.</summary>
    /// <returns>The id of the job.</returns>
    /// <exception cref="SlurmException">There is no <c>sbatch</c>, or it refuses.</exception>
    public static string Submit(IReadOnlyList<string> arguments)
    {
        Require();
        var (code, output, error) = Run("sbatch", arguments) ?? throw new SlurmException("The program 'sbatch' cannot be started.");
        if (code != 0)
            throw new SlurmException($"sbatch: {OneLine(error)}");
        Warn(error);
        // JOB, or JOB;CLUSTER.
        return output.Trim().Split(';')[0];
    }

    /// <summary>What is known of jobs and of the tasks of an array, by their ids: <c>123_7</c>, <c>124</c>.</summary>
    /// <returns>What was found; what ended long ago is known only where Slurm keeps accounts.</returns>
    public static IReadOnlyDictionary<string, SlurmState> States(IEnumerable<string> jobs)
    {
        var ids = string.Join(',', jobs);
        var states = new Dictionary<string, SlurmState>(StringComparer.Ordinal);
        foreach (var line in Lines("sacct", $"--jobs={ids}", "--allocations", "--noheader", "--parsable2", "--format=JobID,State,ExitCode"))
        {
            // "CANCELLED by 1000".
            if (line.Split('|') is [var id, var state, var code])
                states[id] = new SlurmState(state.Split(' ')[0], $"exit code {code}");
        }
        // What is still in the queue is known better there.
        foreach (var line in Lines("squeue", $"--jobs={ids}", "--states=all", "--array", "--noheader", "--format=%i|%T|%r|%N"))
            if (line.Split('|') is [var id, var state, var reason, var nodes])
                states[id] = new SlurmState(state, nodes.Length > 0 ? nodes : reason is "None" ? "" : reason);
        return states;
    }

    /// <summary>
    /// The lines of a program that may be missing, have no accounts to read or know the job no more; what else it says is told.
    /// </summary>
    private static string[] Lines(string program, params string[] arguments)
    {
        if (Run(program, arguments) is not { } result)
            return [];
        if (result.Code != 0)
        {
            if (!result.Error.Contains("Invalid job id", StringComparison.Ordinal)
                && !result.Error.Contains("accounting storage is disabled", StringComparison.OrdinalIgnoreCase))
                Warn($"{program}: {OneLine(result.Error)}");
            return [];
        }
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static void Warn(string text)
    {
        if (text.Trim().Length > 0)
            Console.Error.WriteLine($"pristine: {OneLine(text)}");
    }

    private static string OneLine(string text) => text.Trim().ReplaceLineEndings(" ");

    /// <summary>Runs a program; null where there is none of that name.</summary>
    private static (int Code, string Output, string Error)? Run(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}

/// <summary>Slurm does not do what it is asked for; the message says why.</summary>
internal sealed class SlurmException(string message) : PristineException(message);
