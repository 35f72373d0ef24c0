namespace Pristine;

/// <summary>
/// What a mistyped name may have meant: metrics, columns, models, commands, options. A name that goes on as the typed one begins comes
/// first, then names of the same parts in another order, names of which a part begins so, then those with the fewest letters added, lost,
/// changed or swapped.
/// </summary>
internal static class NearestNames
{
    private const int PrefixLetters = 3;

    /// <summary>The nearest names, best first, whether or not they are near.</summary>
    public static IEnumerable<string> Of(string typed, IEnumerable<string> names, int count = 3) =>
        Ranked(typed, names).Select(pair => pair.Name).Take(count);

    /// <summary>The nearest names that are near enough to be asked about; may be none.</summary>
    public static IReadOnlyList<string> Similar(string typed, IEnumerable<string> names, int count = 3)
    {
        var tolerance = Math.Max(1.5, Math.Min(3, typed.Length / 3));
        return [.. Ranked(typed, names).Where(pair => pair.Rank <= tolerance).Select(pair => pair.Name).Take(count)];
    }

    /// <summary>A question to put behind a message: <c> Did you mean a or b?</c>; empty when nothing is near.</summary>
    public static string Question(string typed, IEnumerable<string> names) =>
        Similar(typed, names) is { Count: > 0 } similar ? $" Did you mean {string.Join(" or ", similar)}?" : "";

    private static IEnumerable<(string Name, double Rank)> Ranked(string typed, IEnumerable<string> names) => names
        .Distinct(StringComparer.Ordinal)
        .Select(name => (Name: name, Rank: Rank(typed.ToLowerInvariant(), name.ToLowerInvariant())))
        .OrderBy(pair => pair.Rank).ThenBy(pair => pair.Name, StringComparer.Ordinal);

    private static double Rank(string typed, string name)
    {
        if (typed == name)
            return 0;
        // Fractions of a letter order names of one kind by their length.
        var length = name.Length / 1000.0;
        if (typed.Length >= PrefixLetters && name.StartsWith(typed, StringComparison.Ordinal))
            return 0.1 + length;
        if (Parts(typed).Order(StringComparer.Ordinal).SequenceEqual(Parts(name).Order(StringComparer.Ordinal)))
            return 0.2;
        if (typed.Length >= PrefixLetters && Parts(name).Any(part => part.StartsWith(typed, StringComparison.Ordinal)))
            return 0.5 + length;
        // "blr" is nearer to gaussian_blur than the whole names show.
        return Parts(name).Where(part => part.Length >= PrefixLetters).Select(part => Distance(typed, part) + 0.4 + length)
            .Append(Distance(typed, name)).Min();
    }

    private static string[] Parts(string name) => name.Split('-', '_', ':', '@', '.');

    /// <summary>The optimal string alignment distance: letters added, lost or changed, and neighbours swapped, count one each.</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var changed = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, changed);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[a.Length, b.Length];
    }
}
