using Pristine.Native;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Selection;

/// <content>The step that keeps one of several duplicates.</content>
public sealed partial class SelectionRun
{
    /// <summary>The items that were dropped as duplicates, each with the item that was kept instead.</summary>
    private const string DroppedDuplicates = "dropped_duplicates";

    /// <summary>The items that were kept instead of others, each with their number.</summary>
    private const string KeptDuplicates = "kept_duplicates";

    private int? _duplicateCode;

    /// <summary>
    /// Of items with the same images, image by image, keeps the best one. Only what rules have left takes part, so that a duplicate is
    /// never dropped for the sake of an item that is dropped too. An item with an image that cannot be compared has no duplicates.
    /// </summary>
    private void KeepOneOfDuplicates(DuplicateMethod method, CancellationToken cancellation)
    {
        var best = _parsed.KeepBest;
        var rule = $"{method.Description}{(best == null ? "" : $", best by {best.Name}")}{PerText}";
        var code = _reasons.Add(rule, best);
        _duplicateCode = code;
        // There already where a rule counts copies.
        if (!_parsed.NamesCopies)
            ImageGroups.Create(_database, _table.Source, method, _threads, cancellation);
        var groups = _database.QueryInt64($"SELECT max(image_index) FROM {_table.Source}") > 0
            ? $"SELECT item_index, string_agg({ImageGroups.Group}, ' ' ORDER BY image_index) AS images FROM {ImageGroups.View} GROUP BY " +
            $"item_index HAVING count({ImageGroups.Group}) = count(*)"
            : $"SELECT item_index, {ImageGroups.Group} AS images FROM {ImageGroups.View} WHERE {ImageGroups.Group} IS NOT NULL";
        // Of an item with several images the value of its worst, or with --images best of its best.
        var isSmallest = _parsed.SmallestIsKept;
        var values = best == null ? "SELECT 0 AS item_index, NULL::DOUBLE AS best WHERE false"
            : $"SELECT item_index, " +
            $"{(isSmallest == (Options.Images == ImagePolicy.Worst) ? "max" : "min")}({best.NumberSql(Width.Double)}) AS best FROM rows " +
            $"GROUP BY item_index";
        _database.Execute(
            $"""
            CREATE OR REPLACE TABLE {DroppedDuplicates} AS
            SELECT f.item_index, f.kept_index, f.value, f.kept_value, k.id AS kept_id,
              CASE WHEN strpos(images, ' ') = 0 THEN {ImageGroups.DistanceSql(method, "m", "k")} END AS distance
            FROM (
              SELECT d.item_index, d.key, g.images, v.best AS value, first_value(d.item_index) OVER kept AS kept_index, first_value(d.key) OVER kept AS kept_key,
                first_value(v.best) OVER kept AS kept_value
              FROM {_decided} d JOIN ({groups}) g ON d.item_index = g.item_index LEFT JOIN ({values}) v ON d.item_index = v.item_index
              WHERE d.code = {SelectionCode.Passes}
              WINDOW kept AS (PARTITION BY d.per, g.images ORDER BY v.best {(isSmallest ? "ASC" : "DESC")} NULLS LAST, d.item_index)) f
            JOIN {_table.Source} k ON f.kept_key = k.key JOIN {_table.Source} m ON f.key = m.key
            WHERE f.item_index <> f.kept_index
            """);
        _database.Execute(
            $"CREATE OR REPLACE TABLE {KeptDuplicates} AS SELECT kept_index, count(*) AS copies FROM {DroppedDuplicates} GROUP BY " +
            $"kept_index");
        Decide(
            $"""
            SELECT d.key, d.item_index, d.status, d.by_value, d.per, CASE WHEN u.item_index IS NOT NULL THEN {code} ELSE d.code END AS code,
              CASE WHEN u.item_index IS NOT NULL THEN u.value ELSE d.value END AS value,
              CASE WHEN u.item_index IS NOT NULL THEN u.kept_value ELSE d.threshold END AS threshold
            FROM {_decided} d LEFT JOIN {DroppedDuplicates} u ON d.item_index = u.item_index
            """);
    }

    /// <summary>
    /// SQL of rows with the columns <c>copies</c> and <c>duplicate_group</c>: over the whole table, before any rule, by the way in which
    /// duplicates are looked for, or else by their bytes; and with <c>repeats_text</c>.
    /// </summary>
    private string WithCopies(string rows, CancellationToken cancellation)
    {
        ImageGroups.Create(_database, _table.Source, Options.Dedup ?? DuplicateMethod.Exact, _threads, cancellation);
        const string sizes = "copies_of_groups", group = ImageGroups.Group;
        _database.Execute(
            $"CREATE TABLE {sizes} AS SELECT {group}, count(*) AS copies FROM {ImageGroups.View} WHERE {group} IS NOT NULL " +
            $"GROUP BY {group} HAVING count(*) > 1");
        var (firsts, repeats) = TableSchema.RepeatsTextSql(_table.Source);
        return
            $"""
            SELECT r.*, g.{group}, CASE WHEN g.{group} IS NOT NULL THEN coalesce(s.copies, 1) END AS copies, {repeats}
            FROM ({rows}) r JOIN {ImageGroups.View} g ON r.key = g.key LEFT JOIN {sizes} s ON g.{group} = s.{group}
              LEFT JOIN ({firsts}) t ON r.text_hash = t.text_hash
            """;
    }

    /// <summary>SQL of what a ledger says of a duplicate, of the row <c>u</c> of those that were dropped.</summary>
    private string DuplicateReason()
    {
        var name = _parsed.KeepBest == null ? "" : DuckDbConnection.Literal(_parsed.KeepBest.Name);
        static string Shown(string value) => $"coalesce(rtrim(rtrim(printf('%.4f', {value}), '0'), '.'), 'nothing')";
        var comparison = _parsed.KeepBest == null
            ? "''"
            : $"concat(': ', {name}, ' ', {Shown("u.value")}, ' against ', {Shown("u.kept_value")})";
        var kind = Options.Dedup!.Kind == DuplicateKind.Exact ? "'duplicate of '" : "'near duplicate of '";
        return $"concat({kind}, u.kept_id, ' ({ImageGroups.DistanceName(Options.Dedup)} ' || u.distance || ')', {comparison})";
    }

    /// <summary>
    /// SQL after the ledger's sources that gives the rows <c>u</c>, of dropped duplicates, and <c>o</c>, of those kept instead.
    /// </summary>
    private string DuplicateJoins() => _duplicateCode == null ? "" :
        $" LEFT JOIN {DroppedDuplicates} u ON d.item_index = u.item_index LEFT JOIN {KeptDuplicates} o ON d.item_index = o.kept_index";
}
