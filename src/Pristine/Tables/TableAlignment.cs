using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>
/// Makes the rows of a table stand where the dataset has their images now. A row belongs to an image by the item's id, the image's name
/// and its position within the item; of equals the first belongs to the first. Rows get the keys of their images and rows without an image
/// go, part by part, without reading an image. Killed in between, some parts have new keys and some old ones; each row is still there once,
/// and the next run finishes.
/// </summary>
internal static class TableAlignment
{
    private const string Identity = "key, item_index, id, image, image_index";

    /// <summary>Compares, and changes what has to change.</summary>
    /// <param name="database">A database in memory; joins larger than its limit spill to disk.</param>
    /// <param name="parts">The shard's parts.</param>
    /// <param name="items">Reads the shard's items with the keys of their first images.</param>
    /// <param name="metrics">The table's metrics.</param>
    public static void Align(
        DuckDbConnection database, IReadOnlyList<TablePart> parts, Func<IEnumerable<(DatasetItem Item, long Key)>> items,
        IReadOnlyList<Metric> metrics)
    {
        var source = $"read_parquet({TablePart.FileList(parts.Select(part => part.File))}, filename = true, file_row_number = true)";
        if (IsAligned(database, source, items()))
            return;
        database.Execute("CREATE TABLE listing (key BIGINT, item_index BIGINT, id VARCHAR, image VARCHAR, image_index INTEGER)");
        using (var appender = database.Append("listing"))
        {
            foreach (var (item, key) in items())
                List(appender, item, key);
            appender.Complete();
        }
        if (database.QueryInt64("SELECT count(*) FROM listing") == 0)
            throw new DatasetException(
                "The dataset has no items, but its score table has rows. If it is meant to be empty, delete the table.");
        database.Execute(
            $"""
            CREATE TABLE moves AS
            SELECT old.filename AS part, old.file_row_number AS row, new.key, new.item_index
            FROM (SELECT *, row_number() OVER (PARTITION BY id, image, image_index ORDER BY key, filename) AS nth FROM {source}) old
            JOIN (SELECT *, row_number() OVER (PARTITION BY id, image, image_index ORDER BY key) AS nth FROM listing) new
            ON old.id = new.id AND old.image IS NOT DISTINCT FROM new.image AND old.image_index = new.image_index AND old.nth = new.nth
            """);
        foreach (var part in parts)
            Move(database, part, metrics);
        database.Execute("DROP TABLE moves; DROP TABLE listing");
    }

    private static bool IsAligned(DuckDbConnection database, string source, IEnumerable<(DatasetItem Item, long Key)> items)
    {
        using var rows = database.Query($"SELECT {Identity} FROM {source} ORDER BY key");
        var more = rows.Read();
        foreach (var (item, firstKey) in items)
        {
            for (var i = 0; i < Math.Max(1, item.Images.Count) && more; i++)
            {
                if (rows.Int64(0) > firstKey + i)
                    continue;
                var image = item.Images.Count == 0 ? null : item.Images[i].Reference;
                if ((rows.Int64(0), rows.Int64(1), rows.Text(2), rows.Text(3), rows.Int64(
                    4)) != (firstKey + i, item.Index, item.Id, image, i))
                    return false;
                more = rows.Read();
            }
            if (!more)
                return true;
        }
        return !more;
    }

    private static void List(DuckDbAppender appender, DatasetItem item, long key)
    {
        for (var i = 0; i < Math.Max(1, item.Images.Count); i++)
        {
            appender.Append(key + i);
            appender.Append(item.Index);
            appender.Append(item.Id);
            appender.Append(item.Images.Count == 0 ? null : item.Images[i].Reference);
            appender.Append(i);
            appender.EndRow();
        }
    }

    private static void Move(DuckDbConnection database, TablePart part, IReadOnlyList<Metric> metrics)
    {
        // Columns that an interrupted run left unfinished start again: "up to key N" means nothing under new keys.
        var whole = part.Contents.Columns.Where(column => column.Value.Through == null)
            .ToDictionary(column => column.Key, column => column.Value);
        var kept = metrics.Where(metric => whole.ContainsKey(metric.Name)).ToArray();
        var rows = part.ReadRows(database, kept, [.. kept.Select(metric => whole[metric.Name].Fingerprint)]);
        var moved = new List<ScoreRow>(rows.Length);
        var origins = new List<int?>(rows.Length);
        using (var moves = database.Query("SELECT row, key, item_index FROM moves WHERE part = $1 ORDER BY key", part.File))
        {
            while (moves.Read())
            {
                moved.Add(rows[moves.Int64(0)] with { Key = moves.Int64(1), ItemIndex = moves.Int64(2) });
                origins.Add((int)moves.Int64(0));
            }
        }
        if (moved.Count == 0)
            File.Delete(part.File);
        else if (moved.Count != rows.Length
            || moved.Where((row, i) => origins[i] != i || row.Key != rows[i].Key || row.ItemIndex != rows[i].ItemIndex).Any())
            TablePart.Write(database, part.File, moved, kept, whole, new PartOrigin(part, origins));
    }
}
