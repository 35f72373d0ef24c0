using System.Numerics;

namespace Pristine.Selection.Duplicates;

/// <summary>
/// The ways in which two hashes of 64 bits that differ in few of them must agree. A hash is cut into blocks; of two hashes that differ in
/// at most d bits at most d blocks differ, so all others are equal. Whoever compares, for each choice of so many blocks, the hashes that
/// are equal in them meets every pair (G. S. Manku et al., Detecting Near-Duplicates for Web Crawling, WWW 2007).
/// </summary>
internal static class BlockChoices
{
    /// <summary>Bits of a hash.</summary>
    public const int Bits = 64;

    /// <summary>The largest distance: beyond it unrelated pictures meet, and there are too many choices.</summary>
    public const int MostDistance = 16;

    /// <summary>More blocks in one choice make more choices than they save comparisons.</summary>
    private const int MostChosen = 4;

    /// <summary>What sorting a hash into its place costs, in comparisons of two hashes.</summary>
    private const double CostOfSorting = 12;

    /// <summary>
    /// The masks of the bits that are equal: one mask for each choice. The number of blocks is the one that costs least for so many hashes.
    /// </summary>
    /// <param name="distance">Bits in which two hashes may differ, 1 to <see cref="MostDistance"/>.</param>
    /// <param name="count">Different hashes.</param>
    public static IReadOnlyList<ulong> Of(int distance, long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(distance, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(distance, MostDistance);
        var chosen = Enumerable.Range(1, MostChosen).MinBy(chosen => Cost(distance, chosen, count));
        var blocks = distance + chosen;
        var ends = Enumerable.Range(0, blocks + 1).Select(i => i * Bits / blocks).ToArray();
        var masks = Enumerable.Range(0, blocks).Select(i => Mask(ends[i + 1]) ^ Mask(ends[i])).ToArray();
        return [.. Enumerable.Range(0, 1 << blocks).Where(choice => BitOperations.PopCount((uint)choice) == chosen)
            .Select(choice => masks.Where((_, i) => (choice >> i & 1) == 1).Aggregate(0UL, (all, mask) => all | mask))];
    }

    private static double Cost(int distance, int chosen, long count)
    {
        var blocks = distance + chosen;
        var choices = Enumerable.Range(1, chosen).Aggregate(1.0, (product, i) => product * (distance + i) / i);
        return choices * count * (CostOfSorting + count / 2.0 / Math.Pow(2, Bits * chosen / blocks));
    }

    private static ulong Mask(int bits) => bits == Bits ? ulong.MaxValue : (1UL << bits) - 1;
}
