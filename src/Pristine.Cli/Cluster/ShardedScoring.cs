using Pristine.Cli.Commands;
using Pristine.Datasets;

namespace Pristine.Cli.Cluster;

/// <summary>
/// The work that a cluster shares: <c>pristine score INPUT --out TABLE --shard I/N</c> for each I, with options that were checked before
/// anything is submitted.
/// </summary>
/// <param name="Input">The dataset, as the nodes name it.</param>
/// <param name="Table">The score table, as the nodes name it.</param>
/// <param name="Shards">The number of shards.</param>
/// <param name="Options">Options of <c>pristine score</c>, the same for all shards.</param>
internal sealed record ShardedScoring(string Input, string Table, int Shards, IReadOnlyList<string> Options)
{
    /// <summary>What one run sets, or what makes no sense for shards.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new(StringComparer.Ordinal)
    {
        ["--out"] = "name the table with --out before '--'",
        ["--shard"] = "each task is given its own",
        ["--workers"] = "each task has as many threads as processors (--cpus)",
        ["--start"] = "a table knows by itself where to go on",
        ["--format"] = "the rows go into a table",
        ["--write-recipe"] = "every task would write it",
    };

    /// <summary>Checks the options.</summary>
    /// <returns>What opens the dataset, where it can be reached from here, and the columns that are asked for by name.</returns>
    /// <exception cref="UsageException">They are not those of <c>pristine score</c>.</exception>
    public (Func<Dataset> Open, IReadOnlyList<string> Columns) Check() => Input == "-"
        ? throw new UsageException(
            "INPUT: expected a dataset that every node can read; found - (standard input). Write the list to a file.")
        : ScoreCommand.Check([Input, .. Options], Elsewhere);
}
