using System.Numerics;
using Pristine.Selection.Duplicates;

namespace Pristine.Tests.Selection.Duplicates;

public sealed class NearHashesTests
{
    /// <summary>Random hashes, half of them copies of others with a few changed bits, so that there are pairs at every distance.</summary>
    private static ulong[] Hashes(int count, int seed)
    {
        var random = new Random(seed);
        var hashes = new HashSet<ulong>();
        while (hashes.Count < count)
        {
            var hash = (ulong)random.NextInt64();
            hashes.Add(hash);
            for (var copy = random.Next(3); copy > 0 && hashes.Count < count; copy--)
            {
                var other = hash;
                for (var bits = random.Next(1, 14); bits > 0; bits--)
                    other ^= 1UL << random.Next(64);
                hashes.Add(other);
            }
        }
        return [.. hashes];
    }

    private static int[] BruteForce(ulong[] hashes, int distance)
    {
        var root = Enumerable.Range(0, hashes.Length).ToArray();
        int Root(int i) => root[i] == i ? i : root[i] = Root(root[i]);
        for (var i = 0; i < hashes.Length; i++)
            for (var j = i + 1; j < hashes.Length; j++)
                if (BitOperations.PopCount(hashes[i] ^ hashes[j]) <= distance && Root(i) is var a && Root(j) is var b && a != b)
                    root[Math.Max(a, b)] = Math.Min(a, b);
        return [.. Enumerable.Range(0, hashes.Length).Select(Root)];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    public void Groups_are_those_of_comparing_every_pair(int distance)
    {
        var hashes = Hashes(2_000, distance);
        var expected = BruteForce(hashes, distance);
        Assert.Equal(expected, NearHashes.Group(hashes, distance, threads: 1, TestContext.Current.CancellationToken));
        Assert.Equal(expected, NearHashes.Group(hashes, distance, threads: 3, TestContext.Current.CancellationToken));
        Assert.Equal(distance == 0, expected.Distinct().Count() == hashes.Length);
    }

    [Fact]
    public void Twenty_thousand_hashes_are_grouped_as_by_comparing_every_pair()
    {
        var hashes = Hashes(20_000, 20);
        Assert.Equal(BruteForce(hashes, 4), NearHashes.Group(hashes, 4, threads: 2, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_crowd_of_hashes_that_share_most_bits_is_one_group()
    {
        var hashes = Enumerable.Range(0, 5_000).Select(i => 0xABCD_0000_0000_0000UL + (uint)i).ToArray();
        Assert.All(NearHashes.Group(hashes, 4, threads: 2, TestContext.Current.CancellationToken), root => Assert.Equal(0, root));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(8)]
    public void The_nearest_is_that_of_comparing_every_pair(int distance)
    {
        var all = Hashes(3_000, 50 + distance);
        var (mine, others) =
            (all.Where((_, i) => i % 5 < 2).Append(all[4]).Distinct().ToArray(), all.Where((_, i) => i % 5 >= 2).ToArray());
        var expected = mine.Select(hash =>
        {
            var best = others.Select((other, i) => (Bits: BitOperations.PopCount(hash ^ other), Index: i)).Min();
            return best.Bits <= distance ? best.Index : -1;
        });
        var found = NearHashes.Nearest(mine, others, distance, threads: 2, TestContext.Current.CancellationToken);
        Assert.Equal(expected, found);
        Assert.Contains(found, index => index >= 0);
        Assert.Contains(-1, found);
    }

    [Fact]
    public void Nothing_and_one_hash_are_groups_too()
    {
        Assert.Empty(NearHashes.Group([], 4, 2, TestContext.Current.CancellationToken));
        Assert.Equal([0], NearHashes.Group([7], 4, 2, TestContext.Current.CancellationToken));
        Assert.Equal([-1], NearHashes.Nearest([7], [], 4, 2, TestContext.Current.CancellationToken));
        Assert.Empty(NearHashes.Nearest([], [7], 4, 2, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_long_search_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => NearHashes.Group(Hashes(1_000, 1), 8, 2, stop.Token));
    }

    /// <summary>Whatever bits two hashes differ in, some choice leaves all of them out.</summary>
    [Theory]
    [InlineData(1, 10)]
    [InlineData(4, 1_000_000)]
    [InlineData(8, 10_000_000)]
    [InlineData(16, 1_000_000)]
    public void Some_choice_of_bits_avoids_any_difference(int distance, long count)
    {
        var random = new Random(distance);
        var masks = BlockChoices.Of(distance, count);
        for (var trial = 0; trial < 2_000; trial++)
        {
            var difference = 0UL;
            for (var bit = 0; bit < distance; bit++)
                difference |= 1UL << random.Next(64);
            Assert.Contains(masks, mask => (mask & difference) == 0);
        }
    }
}
