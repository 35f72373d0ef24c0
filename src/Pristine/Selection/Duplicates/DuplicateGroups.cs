using System.Globalization;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Selection.Duplicates;

/// <summary>An image that has duplicates.</summary>
/// <param name="Group">
/// The number of its group, from 1: the largest first, of equally large ones the one that comes first in the dataset.
/// </param>
/// <param name="Copies">Images of the group.</param>
/// <param name="Id">The id of its item.</param>
/// <param name="Image">The image as the dataset names it.</param>
/// <param name="Width">Its width in pixels; null where it is not known.</param>
/// <param name="Height">Its height in pixels; null where it is not known.</param>
/// <param name="Bytes">The size of its file; null where it is not known.</param>
/// <param name="Distance">
/// In how many bits its perceptual hash differs from that of the first image of the group; null unless hashes were compared.
/// </param>
/// <param name="Similarity">
/// The cosine of its feature and that of the first image of the group, to four digits; null unless features were compared.
/// </param>
public sealed record DuplicateImage(
    long Group, long Copies, string Id, string? Image, int? Width, int? Height, long? Bytes, int? Distance, double? Similarity = null);

/// <summary>
/// The groups of images of a score table that are duplicates of each other. Memory is bounded as in <see cref="NearHashes"/>; no image is
/// read.
/// </summary>
public sealed class DuplicateGroups : IDisposable
{
    private const string Sizes = "group_sizes";
    private readonly DuckDbConnection _database;
    private readonly ScoreTable _table;

    private DuplicateGroups(ScoreTable table, DuplicateMethod method, SelectionResources resources)
    {
        (_table, Method) = (table, method);
        _database = DuckDbConnection.Open(new DuckDbOptions { Threads = resources.Threads, MemoryLimit = resources.MemoryLimit });
    }

    /// <summary>How images were compared.</summary>
    public DuplicateMethod Method { get; }

    /// <summary>Images of the table.</summary>
    public long Images { get; private set; }

    /// <summary>Images that could not be compared: there is no file, or it could not be read.</summary>
    public long NotCompared { get; private set; }

    /// <summary>Groups of at least two images.</summary>
    public long Groups { get; private set; }

    /// <summary>Images of these groups without the first of each.</summary>
    public long Surplus { get; private set; }

    /// <summary>Finds the groups.</summary>
    /// <param name="table">The table.</param>
    /// <param name="method">How images are compared.</param>
    /// <param name="resources">Threads and memory.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RuleException">The table lacks the column that the method needs: <c>phash</c>, or that of a feature.</exception>
    public static DuplicateGroups Find(
        ScoreTable table, DuplicateMethod method, SelectionResources? resources = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(method);
        method.Check();
        ImageGroups.Require(method, new RuleColumns(table.Columns, Metrics.MetricSet.BuiltIn));
        resources ??= new SelectionResources();
        var found = new DuplicateGroups(table, method, resources);
        try
        {
            using var interruption = cancellation.Register(found._database.Interrupt);
            ImageGroups.Create(found._database, table.Source, method, resources.Threads, cancellation);
            found.Count();
            return found;
        }
        catch (DuckDbException) when (cancellation.IsCancellationRequested)
        {
            found.Dispose();
            throw new OperationCanceledException(cancellation);
        }
        catch
        {
            found.Dispose();
            throw;
        }
    }

    /// <summary>The images that have duplicates, group by group.</summary>
    public IEnumerable<DuplicateImage> Read()
    {
        using var connection = _database.Another();
        using var rows = connection.Query(
            $"SELECT \"group\", copies, id, image, width, height, bytes, {ImageGroups.DistanceName(Method)} FROM ({List})");
        var isSimilar = Method.Kind == DuplicateKind.Similar;
        while (rows.Read())
        {
            int? Whole(int column) => rows.IsNull(column) ? null : (int)rows.Int64(column);
            yield return new DuplicateImage(
                rows.Int64(0), rows.Int64(1), rows.Text(2)!, rows.Text(3), Whole(4), Whole(5), rows.IsNull(6)
                    ? null
                    : rows.Int64(6), isSimilar ? null : Whole(7), isSimilar && !rows.IsNull(7) ? rows.Double(7) : null);
        }
    }

    /// <summary>The first images of the largest groups.</summary>
    /// <param name="groups">The most groups.</param>
    /// <param name="images">The most images of each.</param>
    /// <returns>
    /// Of each group how many images it has, and the keys of its first ones with their distances or similarities to the first.
    /// </returns>
    internal IReadOnlyList<(long Copies, IReadOnlyList<(long Key, double? Distance)> Images)> Largest(int groups, int images)
    {
        // The few groups first, so that the many images that are not shown are not joined with the table.
        using var rows = _database.Query(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                WITH s AS (SELECT * FROM {Sizes} ORDER BY copies DESC, first LIMIT {groups}),
                m AS (SELECT s.copies, s.first, g.key FROM s JOIN {ImageGroups.View} g ON s.{ImageGroups.Group} = g.{ImageGroups.Group}
                  QUALIFY row_number() OVER (PARTITION BY s.first ORDER BY g.key) <= {images})
                SELECT m.copies, m.first, m.key, CAST({ImageGroups.DistanceSql(Method, "r", "f")} AS DOUBLE)
                FROM m JOIN {_table.Source} r ON m.key = r.key JOIN {_table.Source} f ON m.first = f.key
                ORDER BY m.copies DESC, m.first, m.key
                """));
        var found = new List<(long Copies, IReadOnlyList<(long Key, double? Distance)> Images)>();
        var (last, members) = (-1L, new List<(long Key, double? Distance)>());
        while (rows.Read())
        {
            if (rows.Int64(1) != last)
                found.Add((rows.Int64(0), members = []));
            last = rows.Int64(1);
            members.Add((rows.Int64(2), rows.IsNull(3) ? null : rows.Double(3)));
        }
        return found;
    }

    /// <summary>Writes the images that have duplicates, group by group.</summary>
    /// <param name="file">The file, or <c>-</c> for standard output.</param>
    /// <param name="format"><c>parquet</c>, <c>csv</c> or <c>jsonl</c>.</param>
    /// <exception cref="DatasetException">The file cannot be written.</exception>
    public void WriteList(string file, string format) => Write(file, format, List);

    /// <summary>
    /// Writes <c>duplicate_group</c> and <c>copies</c> for every image of the table, in the order of the dataset, and beside it
    /// <c>FILE.duplicates.json</c>, which says where they come from.
    /// </summary>
    /// <param name="file">The file, or <c>-</c> for standard output, which has nothing beside it.</param>
    /// <param name="format"><c>parquet</c>, <c>csv</c> or <c>jsonl</c>.</param>
    /// <exception cref="DatasetException">The file cannot be written.</exception>
    public void WriteColumns(string file, string format)
    {
        Ledger.Checked(file, "the images and their groups");
        Write(
            file,
            format,
            $"""
            SELECT r.key, r.id, r.image, r.image_index, g.{ImageGroups.Group}, CASE WHEN g.{ImageGroups.Group} IS NOT NULL THEN coalesce(s.copies, 1) END AS copies
            FROM {_table.Source} r JOIN {ImageGroups.View} g ON r.key = g.key LEFT JOIN {Sizes} s ON g.{ImageGroups.Group} = s.{ImageGroups.Group} ORDER BY r.key
            """);
        if (file == "-")
            return;
        using var beside = PartialFile.Create(file + ".duplicates.json", null);
        using (var json = new Utf8JsonWriter(beside.Stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("table", _table.Folder);
            json.WriteString("method", Method.ToString());
            json.WriteString("column", Method.Column);
            json.WriteString("version", _table.Provenance.Columns.FirstOrDefault(
                column => column.Metric == Method.Column)?.Version ?? "XXH128");
            json.WriteString("program", TableProvenance.CurrentProgram);
            json.WriteNumber("images", Images);
            json.WriteNumber("groups", Groups);
            json.WriteNumber("surplus", Surplus);
            json.WriteEndObject();
        }
        beside.Stream.Write("\n"u8);
        beside.Complete();
    }

    /// <summary>Frees the database.</summary>
    public void Dispose() => _database.Dispose();

    private string List =>
        $"""
        SELECT dense_rank() OVER (ORDER BY s.copies DESC, s.first) AS "group", s.copies, r.key, r.id, r.image, r.width, r.height, r.bytes, s.{ImageGroups.Group},
          {ImageGroups.DistanceSql(Method, "r", "f")} AS {ImageGroups.DistanceName(Method)}
        FROM {Sizes} s JOIN {ImageGroups.View} g ON s.{ImageGroups.Group} = g.{ImageGroups.Group}
        JOIN {_table.Source} r ON g.key = r.key JOIN {_table.Source} f ON s.first = f.key
        ORDER BY s.copies DESC, s.first, r.key
        """;

    private void Count()
    {
        _database.Execute(
            $"""
            CREATE TABLE {Sizes} AS SELECT {ImageGroups.Group}, count(*) AS copies, min(key) AS first FROM {ImageGroups.View}
            WHERE {ImageGroups.Group} IS NOT NULL GROUP BY {ImageGroups.Group} HAVING count(*) > 1
            """);
        Images = _database.QueryInt64($"SELECT count(*) FROM {_table.Source} WHERE image IS NOT NULL") ?? 0;
        NotCompared = _database.QueryInt64(
            $"SELECT count(*) FROM {_table.Source} r JOIN {ImageGroups.View} g ON r.key = g.key WHERE r.image IS NOT NULL AND " +
            $"g.{ImageGroups.Group} IS NULL") ?? 0;
        Groups = _database.QueryInt64($"SELECT count(*) FROM {Sizes}") ?? 0;
        Surplus = _database.QueryInt64($"SELECT CAST(sum(copies - 1) AS BIGINT) FROM {Sizes}") ?? 0;
    }

    private void Write(string file, string format, string query)
    {
        using var output = PartialFile.Create(file, null);
        // DuckDB writes files; from there the bytes go to wherever the user wants them, also to a pipe.
        using var scratch = ScratchFolder.Create("duplicates");
        var temporary = scratch.FileOf("groups");
        _database.Execute(
            $"COPY ({ScoreTable.Written(_database, query, format)}) TO {DuckDbConnection.Literal(temporary)} " +
            $"{ScoreTable.CopyOptions(format)}");
        using (var written = File.OpenRead(temporary))
            written.CopyTo(output.Stream);
        output.Complete();
    }
}
