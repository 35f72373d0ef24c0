using Pristine.Datasets;
using Pristine.Native;

namespace Pristine.Selection;

/// <summary>An item that two selections treat differently.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="KeptByFirst">True when the first selection keeps it and the second drops it.</param>
/// <param name="Reason">Why it was dropped by the one that drops it.</param>
public sealed record LedgerDifference(string Id, bool KeptByFirst, string Reason);

/// <summary>What two selections keep differently. Items are the same by their ids; of equal ids the first belongs to the first.</summary>
public sealed record LedgerComparison
{
    /// <summary>Items that both keep.</summary>
    public long KeptByBoth { get; private init; }

    /// <summary>Items that only the first keeps.</summary>
    public long KeptByFirst { get; private init; }

    /// <summary>Items that only the second keeps.</summary>
    public long KeptBySecond { get; private init; }

    /// <summary>Items that both drop.</summary>
    public long DroppedByBoth { get; private init; }

    /// <summary>Items that only the first knows.</summary>
    public long OnlyInFirst { get; private init; }

    /// <summary>Items that only the second knows.</summary>
    public long OnlyInSecond { get; private init; }

    /// <summary>The first differences on each side, in the order of the dataset.</summary>
    public IReadOnlyList<LedgerDifference> Examples { get; private init; } = [];

    /// <summary>Compares two ledgers.</summary>
    /// <param name="first">One; when it holds dropped items only, those that are not in it count as kept.</param>
    /// <param name="second">The other, likewise.</param>
    /// <param name="examples">How many differences of each side to give.</param>
    public static LedgerComparison Of(Ledger first, Ledger second, int examples = 10)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return InStep(first, second, examples) ?? ById(first, second, examples);
    }

    /// <summary>
    /// Compares two ledgers of one dataset by going through both at once, so that none of them has to be in memory.
    /// </summary>
    /// <returns>
    /// Null where the two are not seen to be of one dataset: at a position they have different ids, or only one has an item.
    /// </returns>
    private static LedgerComparison? InStep(Ledger first, Ledger second, int examples)
    {
        // Where only dropped items are told of, nothing but the table says that two positions mean the same item.
        if ((first.HoldsDroppedOnly || second.HoldsDroppedOnly) && (first.Table == null || first.Table != second.Table))
            return null;
        var counts = new long[2, 2];
        var (dropsOfSecond, dropsOfFirst) = (new List<LedgerDifference>(), new List<LedgerDifference>());
        using var ofFirst = first.Read().GetEnumerator();
        using var ofSecond = second.Read().GetEnumerator();
        var (one, other) = (Next(ofFirst), Next(ofSecond));
        while (one != null || other != null)
        {
            var position = Math.Min(one?.Index ?? long.MaxValue, other?.Index ?? long.MaxValue);
            var (a, b) = (one?.Index == position ? one : null, other?.Index == position ? other : null);
            if (a == null ? !first.HoldsDroppedOnly : b == null ? !second.HoldsDroppedOnly : a.Id != b.Id)
                return null;
            var (keptByFirst, keptBySecond) = (a?.Kept ?? true, b?.Kept ?? true);
            counts[keptByFirst ? 1 : 0, keptBySecond ? 1 : 0]++;
            if (keptByFirst && !keptBySecond && dropsOfSecond.Count < examples)
                dropsOfSecond.Add(new LedgerDifference(b!.Id, true, b.Reason));
            if (!keptByFirst && keptBySecond && dropsOfFirst.Count < examples)
                dropsOfFirst.Add(new LedgerDifference(a!.Id, false, a.Reason));
            one = a == null ? one : Next(ofFirst);
            other = b == null ? other : Next(ofSecond);
        }
        return new LedgerComparison
        {
            KeptByBoth = counts[1, 1],
            KeptByFirst = counts[1, 0],
            KeptBySecond = counts[0, 1],
            DroppedByBoth = counts[0, 0],
            Examples = [.. dropsOfSecond, .. dropsOfFirst],
        };

        static LedgerEntry? Next(IEnumerator<LedgerEntry> entries) => entries.MoveNext() ? entries.Current : null;
    }

    /// <summary>Compares two ledgers by the ids of their items, which may be of different datasets: all ids are joined.</summary>
    private static LedgerComparison ById(Ledger first, Ledger second, int examples)
    {
        using var database = DuckDbConnection.Open();
        var (inFirst, inSecond) = (WhenAbsent(first), WhenAbsent(second));
        Ledger.Execute(
            database,
            $"""
            CREATE VIEW compared AS
            SELECT coalesce(a.id, b.id) AS id, coalesce(a."index", b."index") AS position, coalesce(a.kept, {inFirst}) AS a_kept, coalesce(b.kept, {inSecond}) AS b_kept,
              a.reason AS a_reason, b.reason AS b_reason
            FROM ({Numbered(first)}) a FULL OUTER JOIN ({Numbered(second)}) b ON a.id = b.id AND a.nth = b.nth
            """);
        var counts = new Dictionary<(bool? First, bool? Second), long>();
        using (var rows = database.Query("SELECT a_kept, b_kept, count(*) FROM compared GROUP BY ALL"))
        {
            while (rows.Read())
                counts[(rows.IsNull(0) ? null : rows.Boolean(0), rows.IsNull(1) ? null : rows.Boolean(1))] = rows.Int64(2);
        }
        var differences = new List<LedgerDifference>();
        foreach (var keptByFirst in (ReadOnlySpan<bool>)[true, false])
        {
            using var rows = database.Query(
                $"SELECT id, coalesce({(keptByFirst ? "b_reason" : "a_reason")}, '') FROM compared WHERE a_kept = $1 AND b_kept = NOT $1 " +
                $"ORDER BY position LIMIT $2", keptByFirst, examples);
            while (rows.Read())
                differences.Add(new LedgerDifference(rows.Text(0)!, keptByFirst, rows.Text(1)!));
        }
        return new LedgerComparison
        {
            KeptByBoth = counts.GetValueOrDefault((true, true)),
            KeptByFirst = counts.GetValueOrDefault((true, false)),
            KeptBySecond = counts.GetValueOrDefault((false, true)),
            DroppedByBoth = counts.GetValueOrDefault((false, false)),
            OnlyInFirst = counts.Where(count => count.Key.Second == null).Sum(count => count.Value),
            OnlyInSecond = counts.Where(count => count.Key.First == null).Sum(count => count.Value),
            Examples = differences,
        };
    }

    private static string Numbered(Ledger ledger) =>
        $"SELECT *, row_number() OVER (PARTITION BY id ORDER BY \"index\") AS nth FROM {ledger.Source}";

    private static string WhenAbsent(Ledger ledger) => ledger.HoldsDroppedOnly ? "true" : "NULL";
}

/// <summary>Puts dropped items back.</summary>
public static class Restoration
{
    /// <summary>Checks that a ledger dropped items with these ids and by these rules.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="ids">Ids of items to put back.</param>
    /// <param name="rules">Rules, as the ledger writes them, whose items are to be put back.</param>
    /// <exception cref="RuleException">It did not; the message says what the ledger has.</exception>
    public static void Check(Ledger ledger, IEnumerable<string> ids, IEnumerable<string> rules)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(rules);
        using var database = DuckDbConnection.Open();
        foreach (var id in ids.Distinct())
        {
            // Read first, so that a file that is no ledger is told as such.
            using (var known = Ledger.Query(
                database, $"SELECT bool_or(NOT kept) FROM {ledger.Source} WHERE id = {DuckDbConnection.Literal(id)}"))
            {
                known.Read();
                if (!known.IsNull(0) && known.Boolean(0))
                    continue;
                if (!known.IsNull(0))
                    throw new RuleException($"Expected the id of an item that the ledger {ledger.File} dropped; it kept '{id}'.");
            }
            var nearest = Texts(
                database,
                $"SELECT id FROM {ledger.Source} WHERE NOT kept GROUP BY id ORDER BY levenshtein(lower(id), " +
                $"lower({DuckDbConnection.Literal(id)})), min(\"index\") LIMIT 3");
            throw new RuleException(
                $"Expected the id of an item that the ledger {ledger.File} dropped; found '{id}'. " +
                $"{(nearest.Length == 0 ? "It dropped none." : $"Nearest: {string.Join(", ", nearest)}.")}");
        }
        string[]? dropping = null;
        foreach (var rule in rules)
        {
            dropping ??= Texts(database, $"SELECT DISTINCT rule FROM {ledger.Source} WHERE NOT kept AND rule IS NOT NULL ORDER BY rule");
            if (!dropping.Contains(rule))
                throw new RuleException(
                    $"Expected a rule that dropped items in the ledger {ledger.File}; found '{rule}'. " +
                    $"{(dropping.Length == 0 ? "No rule did." : $"Those are: {string.Join("; ", dropping)}.")}");
        }
    }

    private static string[] Texts(DuckDbConnection database, string sql)
    {
        var texts = new List<string>();
        using var rows = Ledger.Query(database, sql);
        while (rows.Read())
            texts.Add(rows.Text(0)!);
        return [.. texts];
    }

    /// <summary>
    /// The items of a dataset that a ledger keeps, and those of its dropped ones that are put back, unchanged and in the dataset's order.
    /// </summary>
    /// <param name="ledger">The ledger; when it holds dropped items only, those that are not in it were kept.</param>
    /// <param name="dataset">The dataset it is about.</param>
    /// <param name="isRestored">Which dropped items to put back.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">The dataset is not the one that the ledger is about.</exception>
    public static IEnumerable<DatasetItem> Items(
        Ledger ledger, Dataset dataset, Func<LedgerEntry, bool> isRestored, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(isRestored);
        var isPartial = ledger.HoldsDroppedOnly;
        using var entries = ledger.Read().GetEnumerator();
        var more = entries.MoveNext();
        foreach (var item in dataset.Read(cancellation))
        {
            if (!more || entries.Current.Index != item.Index)
            {
                if (!isPartial)
                    throw new DatasetException(
                        $"Item {item.Index} of {dataset.Source}, '{item.Id}', is not in the ledger {ledger.File}: the dataset has " +
                        $"changed since.");
                yield return item;
                continue;
            }
            var entry = entries.Current;
            if (entry.Id != item.Id)
                throw new DatasetException(
                    $"Item {item.Index} of {dataset.Source} is '{item.Id}'; in the ledger {ledger.File} it is '{entry.Id}': the dataset " +
                    $"has changed since.");
            more = entries.MoveNext();
            if (entry.Kept || isRestored(entry))
                yield return item;
        }
        if (more)
            throw new DatasetException(
                $"{dataset.Source} ends before item {entries.Current.Index}, '{entries.Current.Id}', which is in the ledger {ledger.File}.");
    }
}
