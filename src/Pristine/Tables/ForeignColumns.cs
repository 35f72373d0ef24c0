using Pristine.Native;

namespace Pristine.Tables;

/// <summary>
/// Columns of a part whose metrics this program does not have, such as a head that another run was given: they are carried along when the part
/// is written again. An image whose content has changed loses its values there, and the column counts as computed up to the image before.
/// </summary>
/// <param name="part">The part as it is on disk.</param>
/// <param name="columns">The columns in question; those that the part does not have do not matter.</param>
/// <param name="moves">A table with the columns part, row and key: the new keys of the part's rows; null where keys stay.</param>
internal sealed class ForeignColumns(TablePart part, IReadOnlyList<ColumnProvenance> columns, string? moves = null)
{
    /// <summary>The table that <see cref="Join"/> makes.</summary>
    public const string Joined = "part_with_foreign";

    private readonly ColumnProvenance[] _here = [.. columns.Where(column =>
        part.Contents.Columns.TryGetValue(column.Metric, out var known) && (moves == null || known.Through == null))];

    /// <summary>Joins the columns to rows.</summary>
    /// <param name="database">A database in memory.</param>
    /// <param name="rows">A table with the rows of the part.</param>
    /// <returns>What the part says of the columns from now on.</returns>
    public IReadOnlyDictionary<string, PartColumn> Join(DuckDbConnection database, string rows)
    {
        var names = _here.SelectMany(column => new[] { column.Metric, column.QualityColumn }).OfType<string>().Select(DuckDbConnection.Identifier).ToArray();
        var file = $"read_parquet({DuckDbConnection.Literal(part.File)}, file_row_number = true)";
        var old = moves == null
            ? $"SELECT key, content_hash{string.Concat(names.Select(name => $", {name}"))} FROM {file}"
            : $"SELECT moved.key, content_hash{string.Concat(names.Select(name => $", old.{name}"))} FROM {file} old "
                + $"JOIN {moves} moved ON moved.part = {DuckDbConnection.Literal(part.File)} AND moved.row = old.file_row_number";
        database.Execute($"CREATE OR REPLACE TEMP TABLE foreign_old AS {old}");
        const string isSame = "old.content_hash IS NOT DISTINCT FROM fresh.content_hash";
        database.Execute(
            $"CREATE OR REPLACE TEMP TABLE {Joined} AS SELECT fresh.*{string.Concat(names.Select(name => $", CASE WHEN {isSame} THEN old.{name} END AS {name}"))} "
            + $"FROM {rows} fresh LEFT JOIN foreign_old old ON old.key = fresh.key ORDER BY fresh.key");
        var changed = database.QueryInt64($"SELECT coalesce(min(fresh.key), -1) FROM {rows} fresh LEFT JOIN foreign_old old ON old.key = fresh.key WHERE NOT ({isSame})");
        return _here.ToDictionary(column => column.Metric, column =>
        {
            var known = part.Contents.Columns[column.Metric];
            return changed is null or < 0 ? known : known with { Through = Math.Min(known.Through ?? long.MaxValue, changed.Value - 1) };
        });
    }

    /// <summary>Drops what <see cref="Join"/> made.</summary>
    public static void Drop(DuckDbConnection database) => database.Execute($"DROP TABLE {Joined}; DROP TABLE foreign_old");
}
