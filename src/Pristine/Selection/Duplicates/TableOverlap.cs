using Pristine.Datasets;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Selection.Duplicates;

/// <summary>An image of one table that another table has too.</summary>
/// <param name="ItemIndex">The position of its item in its dataset.</param>
/// <param name="Id">The id of its item.</param>
/// <param name="Image">The image as its dataset names it.</param>
/// <param name="OtherId">The item with its counterpart: of several equal or equally near ones the first.</param>
/// <param name="OtherImage">The counterpart as the other dataset names it.</param>
/// <param name="OtherImages">
/// How many images of the other table are equal to the counterpart: have its bytes, or its perceptual hash.
/// </param>
/// <param name="IsExact">Whether the files have the same bytes.</param>
/// <param name="Distance">In how many bits the perceptual hashes differ; 0 for the same bytes.</param>
public sealed record OverlapImage(
    long ItemIndex, string Id, string? Image, string OtherId, string? OtherImage, long OtherImages, bool IsExact, int Distance);

/// <summary>
/// The images of one score table that another has too: the test images that a model has been trained on. Memory is bounded as in
/// <see cref="NearHashes"/>; no image is read.
/// </summary>
public sealed class TableOverlap : IDisposable
{
    private const string Nearest = "nearest_hashes";
    private const string Found = "overlap";
    private const long RowsPerRange = 1 << 17;
    private readonly DuckDbConnection _database;
    private readonly ScoreTable _table;

    private TableOverlap(ScoreTable table, DuplicateMethod method, SelectionResources resources)
    {
        (_table, Method) = (table, method);
        _database = DuckDbConnection.Open(new DuckDbOptions { Threads = resources.Threads, MemoryLimit = resources.MemoryLimit });
    }

    /// <summary>How images were compared.</summary>
    public DuplicateMethod Method { get; }

    /// <summary>Images of the table that was looked through.</summary>
    public long Images { get; private set; }

    /// <summary>Of these, images that could not be compared: there is no file, or it could not be read.</summary>
    public long NotCompared { get; private set; }

    /// <summary>Images with the same bytes as one of the other table.</summary>
    public long Exact { get; private set; }

    /// <summary>Images that are near one of the other table and have not the bytes of any.</summary>
    public long Near { get; private set; }

    /// <summary>Finds the images of a table that another has too.</summary>
    /// <param name="table">The table that is looked through, for example of a test set.</param>
    /// <param name="other">The other, for example of a training set.</param>
    /// <param name="method">How images are compared; near duplicates include exact ones.</param>
    /// <param name="resources">Threads and memory.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RuleException">
    /// A table has no column <c>phash</c>, which near duplicates need, or the two have it by different versions.
    /// </exception>
    public static TableOverlap Find(
        ScoreTable table, ScoreTable other, DuplicateMethod method, SelectionResources? resources = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(method);
        method.Check();
        if (method.Kind == DuplicateKind.Similar)
            throw new RuleException($"Expected exact or near to compare two tables by; found the feature {method.Feature}.");
        var column = method.Column;
        var versions = ((ScoreTable[])[table, other]).Select(one =>
        {
            RuleParser.ReadColumn(column, new RuleColumns(one.Columns, Metrics.MetricSet.BuiltIn));
            return one.Provenance.Columns.FirstOrDefault(known => known.Metric == column)?.Version;
        }).ToArray();
        if (versions[0] != versions[1])
            throw new RuleException(
                $"Expected the column {column} by one version in both tables; {table.Folder} has {versions[0]}, {other.Folder} " +
                $"{versions[1]}. 'pristine score --rescore {column}' computes it anew.");
        resources ??= new SelectionResources();
        var overlap = new TableOverlap(table, method, resources);
        try
        {
            using var interruption = cancellation.Register(overlap._database.Interrupt);
            overlap.Compare(table, other, resources.Threads, cancellation);
            return overlap;
        }
        catch (DuckDbException) when (cancellation.IsCancellationRequested)
        {
            overlap.Dispose();
            throw new OperationCanceledException(cancellation);
        }
        catch
        {
            overlap.Dispose();
            throw;
        }
    }

    /// <summary>The images that the other table has too, in the order of the dataset.</summary>
    public IEnumerable<OverlapImage> Read()
    {
        using var connection = _database.Another();
        using var rows = connection.Query(
            $"SELECT item_index, id, image, other_id, other_image, other_images, is_exact, distance FROM {Found} ORDER BY key");
        while (rows.Read())
        {
            yield return new OverlapImage(
                rows.Int64(0), rows.Text(1)!, rows.Text(2), rows.Text(3)!, rows.Text(4), rows.Int64(5), rows.Boolean(6),
                (int)rows.Int64(7));
        }
    }

    /// <summary>The items of a dataset none of whose images the other table has, unchanged and in order.</summary>
    /// <param name="dataset">The dataset of the table that was looked through.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">An item is not the one that was scored.</exception>
    public IEnumerable<DatasetItem> Others(Dataset dataset, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return SelectionRun.DecidedItems(dataset, Decisions(), cancellation).Where(decided => decided.Decision.Kept)
            .Select(decided => decided.Item);
    }

    /// <summary>Frees the database.</summary>
    public void Dispose() => _database.Dispose();

    /// <summary>What is kept of the items, a range of rows at a time.</summary>
    private IEnumerable<ItemDecision> Decisions()
    {
        using var connection = _database.Another();
        var last = -1L;
        foreach (var range in _table.Ranges(RowsPerRange))
        {
            var rows = $"{range.Source} WHERE {range.Has("key")}";
            using var items = connection.Query(
                $"""
                WITH items AS (SELECT item_index, any_value(id) AS id FROM {rows} GROUP BY item_index),
                  ends AS (SELECT min(item_index) AS first, max(item_index) AS last FROM items)
                SELECT i.item_index, i.id,
                  i.item_index NOT IN (SELECT item_index FROM {Found}, ends WHERE item_index BETWEEN first AND last)
                FROM items i ORDER BY i.item_index
                """);
            while (items.Read())
            {
                // The images of an item may stand in two ranges.
                if (items.Int64(0) <= last)
                    continue;
                last = items.Int64(0);
                yield return new ItemDecision(last, items.Text(1)!, items.Boolean(2));
            }
        }
    }

    private void Compare(ScoreTable table, ScoreTable other, int threads, CancellationToken cancellation)
    {
        var isNear = Method.Kind == DuplicateKind.Near;
        _database.Execute($"CREATE VIEW mine AS SELECT * FROM {table.Source}; CREATE VIEW others AS SELECT * FROM {other.Source}");
        _database.Execute($"CREATE TABLE {Nearest} (hash VARCHAR, other VARCHAR)");
        if (isNear)
        {
            var (mine, others) = (ImageGroups.Hashes(_database, "mine"), ImageGroups.Hashes(_database, "others"));
            var nearest = NearHashes.Nearest(mine, others, Method.Distance, threads, cancellation);
            using var appender = _database.Append(Nearest);
            for (var i = 0; i < mine.Length; i++)
            {
                if (nearest[i] < 0)
                    continue;
                appender.Append(ImageGroups.Text(mine[i]));
                appender.Append(ImageGroups.Text(others[nearest[i]]));
                appender.EndRow();
            }
            appender.Complete();
        }
        static string First(string column) =>
            $"(SELECT {column} AS hash, count(*) AS images, min(key) AS first FROM others WHERE {column} IS NOT NULL GROUP BY {column})";
        var nearJoin = isNear ? $"LEFT JOIN {Nearest} n ON m.phash = n.hash LEFT JOIN {First("phash")} p ON n.other = p.hash" : "";
        var (nearFirst, nearImages, distance) = isNear
            ? ("p.first", "p.images", ImageGroups.DistanceSql("f.mine", "f.other"))
            : ("NULL", "NULL", "0");
        _database.Execute(
            $"""
            CREATE TABLE {Found} AS
            SELECT f.key, f.item_index, f.id, f.image, o.id AS other_id, o.image AS other_image, f.other_images, f.is_exact,
              CAST(CASE WHEN f.is_exact THEN 0 ELSE {distance} END AS INTEGER) AS distance
            FROM (
              SELECT m.key, m.item_index, m.id, m.image, coalesce(c.first, {nearFirst}) AS first, coalesce(c.images, {nearImages}) AS other_images, c.first IS NOT NULL AS is_exact,
                {(isNear ? "m.phash AS mine, n.other AS other" : "NULL AS mine, NULL AS other")}
              FROM mine m LEFT JOIN {First("content_hash")} c ON m.content_hash = c.hash {nearJoin}) f
            JOIN others o ON f.first = o.key
            """);
        Images = _database.QueryInt64("SELECT count(*) FROM mine WHERE image IS NOT NULL") ?? 0;
        NotCompared = _database.QueryInt64("SELECT count(*) FROM mine WHERE image IS NOT NULL AND content_hash IS NULL") ?? 0;
        Exact = _database.QueryInt64($"SELECT count(*) FROM {Found} WHERE is_exact") ?? 0;
        Near = _database.QueryInt64($"SELECT count(*) FROM {Found} WHERE NOT is_exact") ?? 0;
    }
}
