namespace Pristine.Selection.Duplicates;

/// <summary>
/// Disjoint groups of numbers that several threads join. The first number of a group is its root, in whatever order groups were joined.
/// </summary>
internal sealed class JoinedGroups
{
    // Of a number a smaller one of its group, or itself. It only ever becomes smaller, so threads that see an old value see a right one.
    private readonly int[] _smaller;

    /// <param name="count">How many numbers; each begins as a group.</param>
    public JoinedGroups(int count) => _smaller = [.. Enumerable.Range(0, count)];

    /// <summary>Makes one group of two.</summary>
    public void Join(int a, int b)
    {
        while (true)
        {
            (a, b) = (Root(a), Root(b));
            if (a == b)
                return;
            if (a > b)
                (a, b) = (b, a);
            if (Interlocked.CompareExchange(ref _smaller[b], a, b) == b)
                return;
        }
    }

    /// <summary>Whether two are in one group already; what other threads join meanwhile may be missed.</summary>
    public bool AreJoined(int a, int b) => Root(a) == Root(b);

    /// <summary>The first number of each number's group.</summary>
    public int[] Roots()
    {
        var roots = new int[_smaller.Length];
        for (var i = 0; i < roots.Length; i++)
            roots[i] = _smaller[i] == i ? i : roots[_smaller[i]];
        return roots;
    }

    private int Root(int number)
    {
        while (Volatile.Read(ref _smaller[number]) is var next && next != number)
        {
            var further = Volatile.Read(ref _smaller[next]);
            // Halves the way for those who come later.
            if (further != next)
                Interlocked.CompareExchange(ref _smaller[number], further, next);
            number = further;
        }
        return number;
    }
}
