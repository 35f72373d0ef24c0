using System.Globalization;

namespace Pristine.Selection;

/// <content>The last step: what people decided about single items.</content>
public sealed partial class SelectionRun
{
    /// <summary>What a ledger names where a rule would stand.</summary>
    private const string OverrideRule = "override";

    private const string OverrideTable = "overridden";

    private static readonly string IsByHand = $"code IN ({SelectionCode.KeptByHand}, {SelectionCode.DroppedByHand})";

    private bool _isOverridden;

    /// <summary>
    /// Applies the decisions of a file. One belongs to the item of its id at its position; where the dataset has changed since, to the only
    /// item of that id.
    /// </summary>
    /// <exception cref="OverrideException">The file cannot be read, or names an item that the table does not have.</exception>
    private void Override(string file)
    {
        var decisions = Overrides.Read(file);
        _database.Execute("CREATE TABLE given (item_index BIGINT, id VARCHAR, keep BOOLEAN, said VARCHAR)");
        using (var appender = _database.Append("given"))
        {
            foreach (var decision in decisions)
            {
                appender.Append(decision.Index);
                appender.Append(decision.Id);
                appender.Append(decision.Keep == true);
                appender.Append(SaidOf(decision));
                appender.EndRow();
            }
            appender.Complete();
        }
        _database.Execute(
            $"""
            CREATE TABLE {OverrideTable} AS
            WITH named AS (SELECT DISTINCT item_index, id FROM {_table.Source} WHERE id IN (SELECT id FROM given)),
              placed AS (SELECT g.*, n.item_index AS place FROM given g LEFT JOIN named n ON g.id = n.id AND g.item_index = n.item_index)
            SELECT coalesce(place, o.item_index) AS item_index, p.item_index AS given_index, p.id, keep, said
            FROM placed p LEFT JOIN (SELECT id, min(item_index) AS item_index FROM named GROUP BY id HAVING count(*) = 1) o
              ON place IS NULL AND p.id = o.id
            """);
        using (var unknown = _database.Query($"SELECT given_index, id FROM {OverrideTable} WHERE item_index IS NULL ORDER BY given_index"))
        {
            if (unknown.Read())
            {
                throw new OverrideException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file}: expected overrides of items of the score table {Table}; found item {unknown.Int64(0)}, " +
                    $"'{unknown.Text(1)}', which it does not have there, nor once elsewhere."));
            }
        }
        using (var twice = _database.Query(
            $"SELECT id FROM {OverrideTable} GROUP BY item_index, id HAVING count(*) > 1 ORDER BY item_index"))
        {
            if (twice.Read())
            {
                throw new OverrideException(
                    $"{file}: expected one position of '{twice.Text(0)}'; found several, of which none need be the one it has now.");
            }
        }
        Decide(
            $"""
            SELECT d.* REPLACE (CASE WHEN o.keep IS NULL THEN code WHEN o.keep THEN {SelectionCode.KeptByHand} ELSE {SelectionCode.DroppedByHand} END AS code)
            FROM {_decided} d LEFT JOIN {OverrideTable} o ON d.item_index = o.item_index
            """);
        _isOverridden = true;
    }

    private static string SaidOf(ItemOverride decision) =>
        (decision.By == null ? "" : $" by {decision.By}")
        + (decision.At is { } at ? string.Create(CultureInfo.InvariantCulture, $" at {at:yyyy-MM-ddTHH:mm:ssZ}") : "");

    /// <summary>SQL of the sentence about an overridden item.</summary>
    private string OverrideReason() =>
        $"concat(CASE code WHEN {SelectionCode.KeptByHand} THEN 'kept' ELSE 'dropped' END, ' by hand', " +
        $"{(_isOverridden ? "h.said" : "NULL")})";

    private string OverrideJoin() => _isOverridden ? $" LEFT JOIN {OverrideTable} h ON d.item_index = h.item_index" : "";
}
