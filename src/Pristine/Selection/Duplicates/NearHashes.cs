using System.Numerics;

namespace Pristine.Selection.Duplicates;

/// <summary>
/// Finds hashes that differ in few bits. Exact: no pair at or below the distance is missed. The time grows with the hashes and, where many
/// of them share long runs of bits, with the pairs of these; memory is about 24 bytes per hash and thread, and 12 per hash besides.
/// </summary>
internal static class NearHashes
{
    /// <summary>
    /// Groups hashes: two that differ in at most so many bits are in one group, and so are two that a chain of such pairs joins.
    /// </summary>
    /// <param name="hashes">Hashes, each once.</param>
    /// <param name="distance">Bits, 0 to <see cref="BlockChoices.MostDistance"/>.</param>
    /// <param name="threads">Threads, at least 1. They do not change the result.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>For each hash the position of the first hash of its group.</returns>
    public static int[] Group(ulong[] hashes, int distance, int threads, CancellationToken cancellation = default)
    {
        var groups = new JoinedGroups(hashes.Length);
        if (distance == 0 || hashes.Length < 2)
            return groups.Roots();
        ForEachChoice(BlockChoices.Of(distance, hashes.Length), threads, () => new MaskedOrder(hashes.Length), (order, mask) =>
        {
            order.Sort(hashes, mask);
            for (int start = 0, end; start < hashes.Length; start = end)
            {
                end = order.EndOfRun(start, mask);
                if (end - start > 1)
                    Join(order.Hashes[start..end], order.Positions[start..end], distance, groups, cancellation);
            }
        }, cancellation);
        return groups.Roots();
    }

    /// <summary>Finds for each of some hashes the nearest among others.</summary>
    /// <param name="hashes">Hashes, each once.</param>
    /// <param name="others">Hashes, each once.</param>
    /// <param name="distance">Bits, 0 to <see cref="BlockChoices.MostDistance"/>: hashes farther away do not count.</param>
    /// <param name="threads">Threads, at least 1. They do not change the result.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>
    /// For each of <paramref name="hashes"/> the position in <paramref name="others"/> of the nearest, of equally near ones the first; -1
    /// where none is near.
    /// </returns>
    public static int[] Nearest(ulong[] hashes, ulong[] others, int distance, int threads, CancellationToken cancellation = default)
    {
        var nearest = new long[hashes.Length];
        Array.Fill(nearest, long.MaxValue);
        // Without a difference every choice of bits is the whole hash.
        var choices = distance == 0 ? [ulong.MaxValue] : BlockChoices.Of(distance, Math.Max(hashes.Length, others.Length));
        ForEachChoice(
            choices, threads, () => (Mine: new MaskedOrder(hashes.Length), Others: new MaskedOrder(others.Length)), (orders, mask) =>
        {
            orders.Mine.Sort(hashes, mask);
            orders.Others.Sort(others, mask);
            for (int start = 0, at = 0, end; start < hashes.Length; start = end)
            {
                end = orders.Mine.EndOfRun(start, mask);
                var key = orders.Mine.Hashes[start] & mask;
                while (at < others.Length && (orders.Others.Hashes[at] & mask) < key)
                    at++;
                if (at == others.Length || (orders.Others.Hashes[at] & mask) != key)
                    continue;
                var last = orders.Others.EndOfRun(at, mask);
                for (var i = start; i < end; i++)
                    Nearest(orders.Mine.Hashes[i], orders.Others.Hashes[at..last], orders.Others.Positions[at..last], distance,
                        ref nearest[orders.Mine.Positions[i]]);
                cancellation.ThrowIfCancellationRequested();
                at = last;
            }
        }, cancellation);
        return [.. nearest.Select(found => found == long.MaxValue ? -1 : (int)found)];
    }

    private static void ForEachChoice<T>(
        IReadOnlyList<ulong> masks, int threads, Func<T> memory, Action<T, ulong> work, CancellationToken cancellation)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Min(threads, masks.Count), CancellationToken = cancellation };
        var next = -1;
        // One memory per thread, and a thread that takes one choice after the other.
        Parallel.For(0, options.MaxDegreeOfParallelism, options, _ =>
        {
            var own = memory();
            for (int i; (i = Interlocked.Increment(ref next)) < masks.Count;)
            {
                cancellation.ThrowIfCancellationRequested();
                work(own, masks[i]);
            }
        });
    }

    private static void Join(
        ReadOnlySpan<ulong> hashes, ReadOnlySpan<int> positions, int distance, JoinedGroups groups, CancellationToken cancellation)
    {
        for (var i = 0; i < hashes.Length; i++)
        {
            var hash = hashes[i];
            for (var j = i + 1; j < hashes.Length; j++)
                if (BitOperations.PopCount(hash ^ hashes[j]) <= distance)
                    groups.Join(positions[i], positions[j]);
            if (hashes.Length > 1000)
                cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>
    /// Distance in the high half, position in the low: the smaller number is the nearer hash, of equally near ones the first.
    /// </summary>
    private static void Nearest(ulong hash, ReadOnlySpan<ulong> others, ReadOnlySpan<int> positions, int distance, ref long nearest)
    {
        var best = long.MaxValue;
        for (var i = 0; i < others.Length; i++)
            if (BitOperations.PopCount(hash ^ others[i]) is var bits && bits <= distance)
                best = Math.Min(best, ((long)bits << 32) | (uint)positions[i]);
        for (var seen = Volatile.Read(ref nearest); best < seen;)
            seen = Interlocked.CompareExchange(ref nearest, best, seen) is var found && found == seen ? best : found;
    }
}
