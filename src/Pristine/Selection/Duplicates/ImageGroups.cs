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

    /// <summary>
    /// The column with the group: of exact duplicates their content hash, of near ones the smallest hash of the group, of similar ones the
    /// content hash of the first.
    /// </summary>
    public const string Group = "duplicate_group";

    private const string Roots = "near_roots";
    private const string SimilarRoots = "similar_roots";

    /// <summary>Vectors that are read at once: the database holds them in memory.</summary>
    private const int RowsAtOnce = 4096;

    /// <summary>The column of perceptual hashes.</summary>
    public const string Hash = "phash";

    /// <summary>The column of hashes of the bytes.</summary>
    public const string Content = "content_hash";

    /// <summary>The column that a method needs.</summary>
    /// <param name="method">How images are compared.</param>
    /// <param name="columns">Those that there are.</param>
    /// <exception cref="RuleException">It is not there.</exception>
    public static ColumnReference Require(DuplicateMethod method, RuleColumns columns) =>
        columns.Find(method.Column) is { Type: ColumnType.Floats } feature
            ? new ColumnReference(feature.Name, ValueKind.Text, feature)
            : RuleParser.ReadColumn(method.Column, columns);

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
        if (method.Kind == DuplicateKind.Similar)
        {
            FindSimilar(database, source, method, threads, cancellation);
            database.Execute(
                $"""
                CREATE OR REPLACE VIEW {View} AS
                SELECT {columns},
                  CASE WHEN s.root IS NULL THEN r.{Content} ELSE coalesce(f.{Content}, concat('row-', s.root)) END AS {Group}
                FROM {source} r LEFT JOIN {SimilarRoots} s ON r.key = s.key LEFT JOIN {source} f ON s.root = f.key
                """);
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

    /// <summary>
    /// SQL of how far two rows are from each other, as <see cref="DuplicateImage"/> has it; NULL where it cannot be told.
    /// </summary>
    public static string DistanceSql(DuplicateMethod method, string a, string b) => method.Kind switch
    {
        DuplicateKind.Exact => "NULL::INTEGER",
        DuplicateKind.Near => $"CAST({DistanceSql($"{a}.{Hash}", $"{b}.{Hash}")} AS INTEGER)",
        _ => SimilaritySql($"{a}.{VectorOf(method)}", $"{b}.{VectorOf(method)}"),
    };

    /// <summary>SQL of the cosine to four digits; rounding may give a little more than 1. NULL for vectors without a direction.</summary>
    private static string SimilaritySql(string a, string b) =>
        $"CASE WHEN isfinite(list_inner_product({a}, {b})) AND list_inner_product({a}, {a}) > 0 AND list_inner_product({b}, {b}) > 0 " +
        $"THEN round(least(1, CAST(list_cosine_similarity({a}, {b}) AS DOUBLE)), 4) END";

    /// <summary>What the distance is called: in bits a distance, of features a similarity.</summary>
    public static string DistanceName(DuplicateMethod method) => method.Kind == DuplicateKind.Similar ? "similarity" : "distance";

    private static string VectorOf(DuplicateMethod method) => DuckDbConnection.Identifier(method.Column);

    /// <summary>Makes the table of the rows that have the feature, each with the first row of its group.</summary>
    private static void FindSimilar(
        DuckDbConnection database, string source, DuplicateMethod method, int threads, CancellationToken cancellation)
    {
        var keys = new List<long>();
        var positions = new List<int>();
        SimilarVectors? vectors = null;
        try
        {
            // In the order of the keys, and so that the database never holds more than some rows.
            var last = database.QueryInt64($"SELECT max(key) FROM {source}") ?? -1;
            for (long start = 0; start <= last; start += RowsAtOnce)
            {
                cancellation.ThrowIfCancellationRequested();
                using var rows = database.Query(
                    $"SELECT key, CAST({VectorOf(method)} AS FLOAT[]) FROM {source} WHERE key >= $1 AND key < $2 AND " +
                    $"{VectorOf(method)} IS NOT NULL ORDER BY key", start, start + RowsAtOnce);
                while (rows.Read())
                {
                    var vector = rows.Floats(1);
                    vectors ??= new SimilarVectors(vector.Length);
                    if (vectors.Add(vector) is >= 0 and var position)
                    {
                        keys.Add(rows.Int64(0));
                        positions.Add(position);
                    }
                }
            }
            var roots = vectors?.Group(method.Similarity!.Value, threads, cancellation) ?? [];
            var first = new long[roots.Length];
            for (var i = keys.Count - 1; i >= 0; i--)
                first[positions[i]] = keys[i];
            database.Execute($"CREATE OR REPLACE TABLE {SimilarRoots} (key BIGINT, root BIGINT)");
            using var appender = database.Append(SimilarRoots);
            for (var i = 0; i < keys.Count; i++)
            {
                appender.Append(keys[i]);
                appender.Append(first[roots[positions[i]]]);
                appender.EndRow();
            }
            appender.Complete();
        }
        finally
        {
            vectors?.Dispose();
        }
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
