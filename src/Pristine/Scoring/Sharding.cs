using System.Globalization;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>Which parts of a dataset a run scores, when several runs share the work on a table.</summary>
public sealed record Sharding
{
    /// <summary>The most shards.</summary>
    public const int MostShards = 10_000;

    private Sharding(int shard, int shards) => (Shard, Shards) = (shard, shards);

    /// <summary>Takes the next part that nobody works on, until none is left.</summary>
    public static Sharding Auto { get; } = new(-1, 0);

    /// <summary>Lists the parts and scores none, so that the runs after it need not.</summary>
    public static Sharding Plan { get; } = new(-1, 1);

    /// <summary>The shard, from 0; -1 where there is none.</summary>
    public int Shard { get; }

    /// <summary>How many shards there are.</summary>
    public int Shards { get; }

    /// <summary>A share of the parts that is fixed by a number.</summary>
    /// <param name="shard">The shard, from 0.</param>
    /// <param name="shards">How many there are; another run may have another number.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such shard.</exception>
    public static Sharding Of(int shard, int shards)
    {
        if (shards is < 1 or > MostShards || shard < 0 || shard >= shards)
            throw new ArgumentOutOfRangeException(
                nameof(shard), $"Expected a shard from 0 to {shards - 1}, of at most {MostShards}; found {shard} of {shards}.");
        return new Sharding(shard, shards);
    }

    /// <summary>As the command line writes it.</summary>
    public override string ToString() => this == Auto ? "auto" : this == Plan ? "plan"
        : string.Create(CultureInfo.InvariantCulture, $"{Shard}/{Shards}");

    /// <summary>The parts that are the run's, in order.</summary>
    internal int[] Share(IReadOnlyList<ManifestPart> parts)
    {
        if (this == Plan)
            return [];
        if (this == Auto)
            return [.. Enumerable.Range(0, parts.Count)];
        // By bytes where all are known, else by items, else each counts the same.
        Func<ManifestPart, double> weight = parts.All(part => part.Bytes != null) ? part => part.Bytes!.Value + 1
            : parts.All(part => part.Items != null) ? part => part.Items!.Value + 1
            : _ => 1;
        var total = parts.Sum(weight);
        var share = new List<int>();
        var before = 0.0;
        for (var part = 0; part < parts.Count; part++)
        {
            var size = weight(parts[part]);
            if (Math.Min(Shards - 1, (int)((before + (size / 2)) / total * Shards)) == Shard)
                share.Add(part);
            before += size;
        }
        return [.. share];
    }
}
