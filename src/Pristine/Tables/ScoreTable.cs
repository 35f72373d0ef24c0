using System.Globalization;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Tables;

/// <summary>A score table, opened for reading: one row per image, in Parquet files that any tool can read.</summary>
public sealed class ScoreTable
{
    /// <summary>Rows that are sorted at a time where they are read in order.</summary>
    internal const long RowsPerRange = 1 << 17;

    private ScoreTable(string folder, TableProvenance provenance, IReadOnlyList<TablePart> parts)
    {
        (Folder, Provenance, Parts) = (folder, provenance, parts);
        Columns = TableSchema.Of(provenance.Columns);
    }

    /// <summary>The table's folder, absolute.</summary>
    public string Folder { get; }

    /// <summary>Where the numbers come from.</summary>
    public TableProvenance Provenance { get; }

    /// <summary>The columns: those of every table, then the metrics with their qualities.</summary>
    public TableSchema Columns { get; }

    /// <summary>Number of rows.</summary>
    public long RowCount => Parts.Sum(part => part.Contents.Rows);

    internal IReadOnlyList<TablePart> Parts { get; }

    /// <summary>Of a table that is made in parts those that are not finished; null for any other.</summary>
    internal int[]? Unfinished { get; private init; }

    private int _partCount;

    /// <summary>
    /// Null for a table that is whole; otherwise what is missing: shards or columns that a run has not finished. What is there can be used.
    /// </summary>
    public string? Incomplete
    {
        get
        {
            if (Unfinished is { Length: > 0 } parts)
                return $"{parts.Length} of {_partCount} parts are not finished";
            var behind = Parts.Count(
                part => Provenance.Columns.Any(column => !part.Has(column.Metric, column.Fingerprint, part.Contents.LastKey)));
            var missing = Provenance.IsComplete && Parts.Count > 0 && Unfinished == null
                ? Parts.Max(part => part.Contents.LastKey) + 1 - RowCount
                : 0;
            return missing > 0 ? $"{missing} rows are missing"
                : behind > 0 ? $"{behind} of {Parts.Count} parts lack a column or have it by an older model"
                : !Provenance.IsComplete && Unfinished == null
                ? $"{Provenance.FinishedShards.Count} of {Provenance.Shards} shards are finished"
                : null;
        }
    }

    /// <summary>
    /// Null for a table whose metrics this program has; otherwise which columns it does not know. They can be read and selected by, but not
    /// computed.
    /// </summary>
    public string? UnknownMetrics
    {
        get
        {
            var unknown = Provenance.Columns.Where(column => MetricSet.BuiltIn.Find(column.Metric) == null
                && FeatureColumn.Find(column.Metric) == null).Select(column => $"{column.Metric} ({column.Program} made it)").ToArray();
            return unknown.Length == 0 ? null : $"this program does not have the metric of the column {string.Join(", ", unknown)}";
        }
    }

    /// <summary>Makes sure that a table can be at a place.</summary>
    /// <exception cref="ScoreTableException">The place is an address.</exception>
    internal static void CheckPlace(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (RemoteAddress.HasScheme(folder))
        {
            throw new ScoreTableException(
                $"Expected a folder for the score table; found the address '{RemoteAddress.Display(folder)}'. A table is written in " +
                $"place, part by part, which no bucket can: make it in a folder and copy that afterwards.");
        }
    }

    /// <summary>Opens a table.</summary>
    /// <param name="folder">Its folder.</param>
    /// <exception cref="ScoreTableException">The folder holds no table, or a damaged one.</exception>
    public static ScoreTable Open(string folder)
    {
        CheckPlace(folder);
        TableMerge.Recover(folder);
        var provenance = TableProvenance.Read(folder) ?? throw new ScoreTableException(
            $"Expected a score table, which 'pristine score INPUT --out DIR' makes; '{folder}' has no {TableProvenance.FileName}.");
        folder = Path.GetFullPath(folder);
        using var database = DuckDbConnection.Open();
        if (PartedTable.Open(folder) is { } parted)
            return Open(
                database, folder, provenance,
                [.. parted.Markers().Select(marker => marker == null ? ((PartedTable, PartMarker)?)null : (parted, marker))]);
        var parts = TablePart.List(database, folder);
        foreach (var part in parts)
            part.CheckIntact(database);
        // A dataset without items has a table without parts.
        return parts.Count > 0 || provenance.IsComplete
            ? new ScoreTable(folder, provenance, parts)
            : throw new ScoreTableException(
                $"The score table {folder} has no rows yet: its run was stopped before the first part was written.");
    }

    /// <summary>Opens a table that is made in parts.</summary>
    /// <param name="database">Any database.</param>
    /// <param name="folder">The folder that the table goes by.</param>
    /// <param name="provenance">Where its numbers come from.</param>
    /// <param name="markers">For each part what is said of it and the table that has it; null for one that is not finished.</param>
    internal static ScoreTable Open(
        DuckDbConnection database, string folder, TableProvenance provenance,
        IReadOnlyList<(PartedTable Table, PartMarker Marker)?> markers)
    {
        var parts = PartedTable.PartsOf(database, markers);
        foreach (var part in parts)
            part.CheckIntact(database);
        int[] unfinished = [.. Enumerable.Range(0, markers.Count).Where(part => markers[part] == null)];
        return parts.Count > 0 || unfinished.Length == 0
            ? new ScoreTable(folder, provenance, parts) { Unfinished = unfinished, _partCount = markers.Count }
            : throw new ScoreTableException($"The score table {folder} has no rows yet: none of its {markers.Count} parts is finished.");
    }

    /// <summary>How many parts of a table that is made in parts are finished, and how many there are.</summary>
    /// <param name="folder">The table.</param>
    /// <exception cref="ScoreTableException">It is not made in parts.</exception>
    internal static (int Done, int All) PartsOf(string folder)
    {
        var table = PartedTable.Open(folder)
            ?? throw new ScoreTableException($"Expected a table that is made in parts; '{folder}' has no {TableManifest.FileName}.");
        return (table.Markers().Count(marker => marker != null), table.Manifest.Parts.Count);
    }

    /// <summary>Writes all rows to one file, in the order of the dataset.</summary>
    /// <param name="file">The file, replaced if it is there, or <c>-</c> for standard output; missing folders are made.</param>
    /// <param name="format"><c>parquet</c>, <c>csv</c> or <c>jsonl</c>.</param>
    /// <returns>The number of rows.</returns>
    /// <exception cref="ArgumentException">The format is none of the three.</exception>
    /// <exception cref="DatasetException">The file is a folder or cannot be written.</exception>
    public long Export(string file, string format)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        CopyOptions(format);
        OutputName.Checked(file, $"a table as {format}", format == "jsonl" ? [".jsonl", ".ndjson", ".json"] : [$".{format}"]);
        using var database = DuckDbConnection.Open();
        using var scratch = ScratchFolder.Create("export");
        if (file != "-" && !DatasetFile.IsCompressed(file) && !(File.Exists(file) && !Vips.IsRegularFile(file)))
        {
            OutputPlace.CheckFile(file);
            WholeFile.MakeAlone(Path.GetFullPath(file), partial =>
            {
                using var stream = File.Create(partial);
                Copy(database, RowsInOrder(database), format, scratch, stream);
            });
            return RowCount;
        }
        // Standard output, a device or a pipe, or a file that is compressed.
        using var output = PartialFile.Create(file, null);
        Copy(database, RowsInOrder(database), format, scratch, output.Stream);
        output.Complete();
        return RowCount;
    }

    /// <summary>Queries that give the rows with all columns, range by range.</summary>
    private IEnumerable<string> RowsInOrder(DuckDbConnection database)
    {
        // Parts of one range may lack columns that others have.
        var (names, none) = (new List<string>(), new List<string>());
        using (var described = database.Query($"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {Source})"))
        {
            while (described.Read())
            {
                names.Add(DuckDbConnection.Identifier(described.Text(0)!));
                none.Add($"NULL::{described.Text(1)} AS {names[^1]}");
            }
        }
        return Ranges(RowsPerRange).Select(range =>
            $"SELECT {string.Join(", ", names)} FROM (SELECT * FROM {range.Source} WHERE {range.Has("key")} UNION ALL BY NAME " +
            $"SELECT {string.Join(", ", none)} WHERE false) ORDER BY key");
    }

    /// <summary>Reads the rows, part by part.</summary>
    /// <param name="metrics">The metrics whose scores are wanted; NaN where a row has none.</param>
    /// <returns>Rows in the order of the parts, which need not be that of the dataset.</returns>
    internal IEnumerable<ScoreRow> ReadRows(IReadOnlyList<Metric> metrics)
    {
        using var database = DuckDbConnection.Open();
        var fingerprints = metrics.Select(metric => ColumnProvenance.Of(metric).Fingerprint).ToArray();
        foreach (var part in Parts)
            foreach (var row in part.ReadRows(database, metrics, fingerprints))
                yield return row;
    }

    /// <summary>Reads the vectors of a feature's column.</summary>
    /// <param name="column">The column's name.</param>
    /// <returns>The position of the item and of the image in it, and the numbers; null where the row has none.</returns>
    internal IEnumerable<(long Item, int Image, float[]? Numbers)> ReadVectors(string column)
    {
        using var database = DuckDbConnection.Open();
        using var reader = database.Query(
            $"SELECT item_index, image_index, CAST({DuckDbConnection.Identifier(column)} AS FLOAT[]) FROM {Source}");
        while (reader.Read())
            yield return (reader.Int64(0), (int)reader.Int64(1), reader.IsNull(2) ? null : reader.Floats(2).ToArray());
    }

    /// <summary>
    /// The rows as something to select from. A dataset without items has a table without parts: no rows, but the same columns.
    /// </summary>
    internal string Source => Parts.Count > 0 ? TablePart.Source(Parts) : $"({NoRows})";

    /// <summary>
    /// The rows in ranges, in the order of the dataset, for what sorts or joins them: one range at a time takes the same memory in a table
    /// of any size. A dataset without items has one range, without rows.
    /// </summary>
    /// <param name="rows">How many keys a range has.</param>
    internal IEnumerable<RowRange> Ranges(long rows)
    {
        if (Parts.Count == 0)
            yield return new RowRange(Source, 0, 0);
        var parts = Places();
        var (start, end, count) = (-1L, 0L, 0L);
        foreach (var (first, last) in Spans(parts))
        {
            for (end = first; end <= last;)
            {
                start = start < 0 ? end : start;
                var taken = Math.Min(rows - count, last + 1 - end);
                (end, count) = (end + taken, count + taken);
                if (count < rows)
                    continue;
                yield return Range();
                (start, count) = (-1, 0);
            }
        }
        if (count > 0)
            yield return Range();

        RowRange Range() => new(
            SourceOf([.. parts.Where(place => place.First < end && place.Last >= start).Select(place => place.Part)]), start, end);
    }

    /// <summary>The parts with their first and last key as <see cref="Source"/> has them, ascending.</summary>
    private (TablePart Part, long First, long Last)[] Places()
    {
        long before = 0;
        return [.. Parts.OrderBy(part => part.Contents.FirstKey).Select(part =>
        {
            var contents = part.Contents;
            if (part.Numbering == null)
                return (part, contents.FirstKey, contents.LastKey);
            // The keys in the file are those within a part of the dataset; those of the rows count all rows before, without a gap.
            before += contents.Rows;
            return (part, before - contents.Rows, before - 1);
        })];
    }

    /// <summary>The keys of parts that overlap, or follow one another, as one: between them are keys that no part has.</summary>
    private static IEnumerable<(long First, long Last)> Spans((TablePart Part, long First, long Last)[] parts)
    {
        (long First, long Last)? span = null;
        foreach (var (_, first, last) in parts)
        {
            if (span is { } open && first <= open.Last + 1)
            {
                span = (open.First, Math.Max(open.Last, last));
                continue;
            }
            if (span is { } done)
                yield return done;
            span = (first, last);
        }
        if (span is { } rest)
            yield return rest;
    }

    /// <summary>Some parts as something to select from that has all columns of the table.</summary>
    private string SourceOf(TablePart[] parts)
    {
        var source = TablePart.Source(parts);
        return Provenance.Columns.All(column => parts.Any(part => part.Contents.Columns.ContainsKey(column.Metric)))
            ? source
            : $"(SELECT * FROM {source} UNION ALL BY NAME {NoRows})";
    }

    private string NoRows =>
        $"SELECT {string.Join(", ", Columns.Stored.Select(column => $"NULL::{column.SqlType} AS {column.Identifier}"))} WHERE false";

    /// <summary>
    /// A query as a format shows its rows: in text, numbers as JSON lines of <c>score</c> have them, 32 bits short and whole ones without
    /// <c>.0</c>.
    /// </summary>
    internal static string Written(DuckDbConnection database, string query, string format)
    {
        if (format == "parquet")
            return query;
        var columns = new List<string>();
        using var described = database.Query($"SELECT column_name, column_type FROM (DESCRIBE {query})");
        while (described.Read())
        {
            var name = DuckDbConnection.Identifier(described.Text(0)!);
            var text = $"regexp_replace(CAST({name} AS VARCHAR), '\\.0$', '')";
            if (described.Text(1) is "FLOAT" or "DOUBLE")
                columns.Add($"{(format == "csv" ? text : $"CAST({text} AS JSON)")} AS {name}");
            else
                columns.Add(name);
        }
        return $"SELECT {string.Join(", ", columns)} FROM ({query})";
    }

    /// <summary>Writes the rows of queries, one after the other, as one file.</summary>
    /// <param name="database">Any database that may write into the folder.</param>
    /// <param name="queries">The queries, which have the same columns: at least one.</param>
    /// <param name="format"><c>parquet</c>, <c>csv</c> or <c>jsonl</c>.</param>
    /// <param name="scratch">A folder for what is written first.</param>
    /// <param name="stream">Where the file goes.</param>
    internal static void Copy(
        DuckDbConnection database, IEnumerable<string> queries, string format, ScratchFolder scratch, Stream stream)
    {
        var options = CopyOptions(format);
        var pieces = new List<string>();
        foreach (var query in queries)
        {
            pieces.Add(scratch.FileOf($"piece-{pieces.Count}.{format}"));
            Execute(Written(database, query, format), pieces[^1]);
            if (format == "parquet")
                continue;
            Move(pieces[^1]);
            // Only the first piece has the names of the columns.
            options = CopyOptions(format).Replace("HEADER", "HEADER false", StringComparison.Ordinal);
        }
        if (format != "parquet")
            return;
        if (pieces.Count > 1)
        {
            var whole = scratch.FileOf("whole.parquet");
            Execute($"SELECT * FROM read_parquet({TablePart.FileList(pieces)})", whole);
            pieces.ForEach(File.Delete);
            pieces = [whole];
        }
        Move(pieces.Single());

        void Execute(string query, string file) => database.Execute($"COPY ({query}) TO {DuckDbConnection.Literal(file)} {options}");

        void Move(string file)
        {
            using (var written = File.OpenRead(file))
                written.CopyTo(stream);
            File.Delete(file);
        }
    }

    /// <summary>How DuckDB writes a format.</summary>
    internal static string CopyOptions(string format) => format switch
    {
        "parquet" => "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
        "csv" => "(FORMAT csv, HEADER, USE_TMP_FILE false)",
        "jsonl" => "(FORMAT json, USE_TMP_FILE false)",
        _ => throw new ArgumentException($"Expected the format parquet, csv or jsonl; found '{format}'.", nameof(format)),
    };
}

/// <summary>The rows of a table whose keys lie in a range.</summary>
/// <param name="Source">Something to select from that has them, among others.</param>
/// <param name="First">The first key.</param>
/// <param name="End">The key after the last.</param>
internal sealed record RowRange(string Source, long First, long End)
{
    /// <summary>SQL: whether a key lies in the range.</summary>
    /// <param name="key">The column of keys.</param>
    public string Has(string key) => string.Create(CultureInfo.InvariantCulture, $"{key} >= {First} AND {key} < {End}");
}
