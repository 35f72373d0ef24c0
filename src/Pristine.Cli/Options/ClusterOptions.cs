using System.CommandLine;
using Pristine.Scoring;

namespace Pristine.Cli.Options;

/// <summary>What commands ask for that let a cluster score.</summary>
internal static class ClusterOptions
{
    /// <summary>As many as --shard takes.</summary>
    private const int MostShards = Sharding.MostShards;

    /// <summary>Options of <c>pristine score</c>, which stand after <c>--</c>.</summary>
    public static Argument<string[]> ScoreOptions() => new("SCORE_OPTIONS")
    {
        Description = "After '--': options of 'pristine score', the same for every task",
        HelpName = "-- SCORE_OPTION",
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary>The number of shards.</summary>
    public static Option<int> Shards() => new Option<int>("--shards")
    {
        Description = "Shares of the dataset, each scored by a task of its own",
        HelpName = "N",
        Required = true,
    }.Between(1, MostShards);

    /// <summary>The score table.</summary>
    public static Option<string> Table(string description) => new("--out", "-o")
    {
        Description = description,
        HelpName = "DIR",
        Required = true,
    };
}
