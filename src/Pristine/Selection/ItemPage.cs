using System.Globalization;

namespace Pristine.Selection;

/// <summary>Which items a page has.</summary>
internal enum ItemChoice
{
    /// <summary>Every item.</summary>
    All,

    /// <summary>Those that the selection and the overrides keep.</summary>
    Kept,

    /// <summary>Those that they drop.</summary>
    Dropped,

    /// <summary>Those that an override is about.</summary>
    Overridden,
}

/// <summary>The last item of a page, after which the next one begins.</summary>
/// <param name="Value">Its value in the column of the order; infinite for none.</param>
/// <param name="Index">Its position.</param>
internal readonly record struct ItemCursor(double Value, long Index)
{
    /// <summary>Reads what <see cref="ToString"/> writes; null for anything else.</summary>
    public static ItemCursor? Parse(string text) =>
        text.Split('_') is [var value, var index]
        && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && long.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
        ? new ItemCursor(number, position)
        : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value:R}_{Index}");
}

/// <summary>A page of items that is asked for.</summary>
internal sealed record ItemPageRequest
{
    public ItemChoice Choice { get; init; }

    /// <summary>The last item of the page before; null for the first page.</summary>
    public ItemCursor? After { get; init; }

    /// <summary>Whether the largest values come first; of the order of the dataset, the last items.</summary>
    public bool Descending { get; init; }

    /// <summary>The most items.</summary>
    public int Size { get; init; } = 50;

    /// <summary>Decisions of people, by position, whatever file they are in.</summary>
    public IReadOnlyDictionary<long, bool> Overrides { get; init; } = new Dictionary<long, bool>();
}

/// <summary>A page of items.</summary>
/// <param name="Items">What the rules say about each of them, without overrides.</param>
/// <param name="Next">Where the next page begins; null where this one is the last.</param>
internal sealed record ItemPage(IReadOnlyList<LedgerEntry> Items, ItemCursor? Next);

/// <content>Pages of items, each found by the last item of the one before: the last page costs no more than the first.</content>
public sealed partial class SelectionRun
{
    /// <summary>Reads a page in the order of <see cref="SelectionOptions.Order"/>, of equals in that of the dataset.</summary>
    internal ItemPage ReadPage(ItemPageRequest request)
    {
        var isOrdered = _parsed.By != null;
        // Items without a value come last, whatever the direction.
        var value = isOrdered ? $"coalesce(by_value, '{(request.Descending ? "-" : "")}infinity'::DOUBLE)" : "0::DOUBLE";
        var (direction, beyond) = request.Descending ? ("DESC", "<") : ("ASC", ">");
        var indexBeyond = isOrdered ? ">" : beyond;
        var conditions = new List<string> { ConditionOf(request) };
        object?[] parameters = [];
        if (request.After is { } after && isOrdered)
        {
            conditions.Add($"({value} {beyond} $1 OR ({value} = $1 AND item_index > $2))");
            parameters = [after.Value, after.Index];
        }
        else if (request.After is { } place)
        {
            conditions.Add($"item_index {indexBeyond} $1");
            parameters = [place.Index];
        }
        var order = isOrdered ? $"{value} {direction}, item_index" : $"item_index {direction}";
        using var connection = _database.Another();
        var found = new List<ItemCursor>();
        using (var rows = connection.Query(
            $"SELECT {value}, item_index FROM {_decided} WHERE {string.Join(" AND ", conditions)} ORDER BY {order} LIMIT " +
            $"{(request.Size + 1).ToString(CultureInfo.InvariantCulture)}", parameters))
        {
            while (rows.Read())
                found.Add(new ItemCursor(rows.Double(0), rows.Int64(1)));
        }
        var hasMore = found.Count > request.Size;
        if (hasMore)
            found.RemoveAt(found.Count - 1);
        var entries = Entries(found.Select(cursor => cursor.Index)).ToDictionary(entry => entry.Index);
        return new ItemPage([.. found.Select(cursor => entries[cursor.Index])], hasMore ? found[^1] : null);
    }

    /// <summary>What became of some items, by their positions.</summary>
    internal IReadOnlyList<LedgerEntry> Entries(IEnumerable<long> items)
    {
        var entries = new List<LedgerEntry>();
        var list = ListOf(items);
        if (list.Length == 0)
            return entries;
        using var connection = _database.Another();
        using var rows = connection.Query(
            $"SELECT \"index\", id, kept, rule, reason FROM ({LedgerQuery(droppedOnly: false, $"d.item_index IN ({list})")})");
        while (rows.Read())
            entries.Add(new LedgerEntry(rows.Int64(0), rows.Text(1)!, rows.Boolean(2), rows.Text(3), rows.Text(4)!));
        return entries;
    }

    /// <summary>How many items are kept once decisions of people have the last word.</summary>
    /// <param name="overrides">The decisions, by position.</param>
    internal long KeptWith(IReadOnlyDictionary<long, bool> overrides)
    {
        if (overrides.Count == 0)
            return Kept;
        using var connection = _database.Another();
        using var rows = connection.Query(
            $"SELECT item_index, {SelectionCode.Kept} FROM {_decided} WHERE item_index IN ({ListOf(overrides.Keys)})");
        var kept = Kept;
        while (rows.Read())
            kept += (overrides[rows.Int64(0)] ? 1 : 0) - (rows.Boolean(1) ? 1 : 0);
        return kept;
    }

    private static string ConditionOf(ItemPageRequest request)
    {
        if (request.Choice == ItemChoice.All)
            return "true";
        string In(IEnumerable<long> items, string otherwise) =>
            ListOf(items) is { Length: > 0 } list ? $"item_index IN ({list})" : otherwise;
        var overrides = request.Overrides;
        if (request.Choice == ItemChoice.Overridden)
            return In(overrides.Keys, "false");
        var kept = In(overrides.Where(pair => pair.Value).Select(pair => pair.Key), "false");
        var dropped = In(overrides.Where(pair => !pair.Value).Select(pair => pair.Key), "false");
        return request.Choice == ItemChoice.Kept
            ? $"(({SelectionCode.Kept} OR {kept}) AND NOT {dropped})"
            : $"((NOT {SelectionCode.Kept} OR {dropped}) AND NOT {kept})";
    }

    private static string ListOf(IEnumerable<long> items) =>
        string.Join(',', items.Select(item => item.ToString(CultureInfo.InvariantCulture)));
}
