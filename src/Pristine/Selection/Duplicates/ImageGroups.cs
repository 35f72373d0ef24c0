using System.Globalization;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Selection.Duplicates;

/// <summary>
/// The groups of a table's images in a database: the view <see cref="View"/> with <c>key</c>, <c>item_index</c>, <c>image_index</c> and
/// <c>duplicate_group</c>, which is NULL for an image that cannot be compared. Equal hashes are one before anything is compared, so a group
/// of a million equal images costs no more than one image.
/// </summary>
internal static class ImageGroups
{
    /// <summary>The view's name.</summary>
    public const string View = "image_groups";

    /// <summary>The column with the group: of exact duplicates their content hash, of near ones the smallest hash of the group.</summary>
    public const string Group = "duplicate_group";

    private const string Roots = "near_roots";
    private const string Hash = "phash";
    private const string Content = "content_hash";

    /// <summary>The columns that a table needs.</summary>
    public static string ColumnOf(DuplicateKind kind) => kind == DuplicateKind.Exact ? Content : Hash;

    /// <summary>Makes the view.</summary>
    /// <param name="database">The database.</param>
    /// <param name="source">SQL of the table; it has the column that the method needs.</param>
    /// <param name="method">How images are compared.</param>
    /// <param name="threads">Threads; they do not change the result.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ScoreTableException">The column <c>phash</c> holds something else.</exception>
    public static void Create(DuckDbConnection database, string source, DuplicateMethod method, int threads, CancellationToken cancellation)
    {
        const string columns = "r.key, r.item_index, r.image_index";
        if (method.Kind == DuplicateKind.Exact)
        {
            database.Execute($"CREATE OR REPLACE VIEW {View} AS SELECT {columns}, {Content} AS {Group} FROM {source} r");
            return;
        }
        var hashes = Hashes(database, source);
        var roots = NearHashes.Group(hashes, method.Distance, threads, cancellation);
        database.Execute($"CREATE OR REPLACE TABLE {Roots} (hash VARCHAR, root VARCHAR)");
        using (var appender = database.Append(Roots))
        {
            for (var i = 0; i < hashes.Length; i++)
            {
                if (roots[i] == i)
                    continue;
                appender.Append(Text(hashes[i]));
                appender.Append(Text(hashes[roots[i]]));
                appender.EndRow();
            }
            appender.Complete();
        }
        database.Execute(
            $"""
            CREATE OR REPLACE VIEW {View} AS
            SELECT {columns}, coalesce(n.root, r.{Hash}, r.{Content}) AS {Group} FROM {source} r LEFT JOIN {Roots} n ON r.{Hash} = n.hash
            """);
    }

    /// <summary>SQL of the number of bits in which two hashes differ; NULL where one is missing.</summary>
    public static string DistanceSql(string a, string b) => $"bit_count(xor(('0x' || {a})::UBIGINT, ('0x' || {b})::UBIGINT))";

    /// <summary>The different perceptual hashes of a table, in ascending order.</summary>
    public static ulong[] Hashes(DuckDbConnection database, string source)
    {
        var hashes = new ulong[database.QueryInt64($"SELECT count(DISTINCT {Hash}) FROM {source}") ?? 0];
        var count = 0;
        using (var rows = database.Query($"SELECT DISTINCT {Hash} FROM {source} WHERE {Hash} IS NOT NULL"))
        {
            while (rows.Read())
            {
                hashes[count++] = rows.Utf8(0) is { Length: 16 } digits
                    && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash)
                    ? hash
                    : throw new ScoreTableException(
                        $"Expected a hash of 16 hexadecimal digits in the column {Hash}; found '{rows.Text(0)}'.");
            }
        }
        Array.Sort(hashes);
        return hashes;
    }

    /// <summary>A hash as tables have it.</summary>
    public static string Text(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);
}
