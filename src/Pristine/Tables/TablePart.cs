using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Files;
using Pristine.Metrics;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>What a part says about one metric column.</summary>
/// <param name="Fingerprint">Version and model of the metric that computed it.</param>
/// <param name="Through">
/// The last key up to which it is computed, when a run that added the column was interrupted within the part; null when it is whole.
/// </param>
internal sealed record PartColumn(string Fingerprint, long? Through = null);

/// <summary>What a part says about itself, in the metadata of its Parquet file.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="FirstKey">Key of its first row; keys ascend.</param>
/// <param name="LastKey">Key of its last row.</param>
/// <param name="Columns">The metrics it has been asked for, by name.</param>
/// <param name="HasSkipped">Of a part without <paramref name="RowColumns"/>: whether it has the column <c>skipped</c>, as text.</param>
/// <param name="RowColumns">
/// The columns of every row that it has; null in parts of programs that had <c>skipped</c> as text or not at all.
/// </param>
internal sealed record PartContents(
    long Rows, long FirstKey, long LastKey, IReadOnlyDictionary<string, PartColumn> Columns, bool HasSkipped = false,
    IReadOnlyList<string>? RowColumns = null);

/// <summary>Where rows that are written stood before, for the columns that the program does not know.</summary>
/// <param name="Part">The part that is replaced.</param>
/// <param name="Rows">For each row its position there; null for a row whose old values do not hold any more.</param>
internal sealed record PartOrigin(TablePart Part, IReadOnlyList<int?> Rows);

/// <summary>
/// One Parquet file of a score table, <c>part-SHARD-SEQUENCE.parquet</c>. It is written whole under a temporary name and renamed, so it is
/// there with all its rows or not at all, also when it replaces an older version of itself.
/// </summary>
internal sealed partial record TablePart(string File, int Shard, int Sequence, PartContents Contents)
{
    private const string MetadataKey = "pristine";
    private const string Rows = "part_rows";

    private const string Origin = "pristine_origin";

    /// <summary>What every part had before parts said which columns they have; <c>skipped</c> was text, or was not there.</summary>
    private static readonly string[] FirstRowColumns =
    [
        "key", "id", "image", "image_index", "item_index", "folder", "status", "error", "width", "height", "format", "bytes", "modified",
        "content_hash",
        "text_length", "word_count", "turns",
    ];

    private static IEnumerable<Column> RowColumns => TableSchema.Row.Stored;

    /// <summary>Gives the rows of a table in parts their places in the dataset; null where the file says them.</summary>
    public PartNumbering? Numbering { get; init; }

    /// <summary>The parts of a table in the order of their names.</summary>
    /// <exception cref="ScoreTableException">A file is damaged or not a part.</exception>
    public static IReadOnlyList<TablePart> List(DuckDbConnection database, string folder)
    {
        var files = Directory.EnumerateFiles(folder, "part-*.parquet").Where(file => Name().IsMatch(file)).Order(StringComparer.Ordinal)
            .ToArray();
        return Of(database, folder, files);
    }

    /// <summary>Files of a table as parts.</summary>
    /// <exception cref="ScoreTableException">A file is damaged or not a part.</exception>
    public static IReadOnlyList<TablePart> Of(DuckDbConnection database, string folder, IReadOnlyList<string> files)
    {
        if (files.Count == 0)
            return [];
        Dictionary<string, PartContents> contents;
        try
        {
            contents = ReadContents(database, files);
        }
        catch (Exception exception) when (exception is DuckDbException or JsonException)
        {
            throw DamagedOf(database, files)
                ?? new ScoreTableException($"The score table {folder} cannot be read: {exception.Message}", exception);
        }
        return [.. files.Select(file =>
        {
            var name = Name().Match(file);
            return new TablePart(
                file,
                int.Parse(name.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
                int.Parse(name.Groups[2].ValueSpan, CultureInfo.InvariantCulture),
                contents.GetValueOrDefault(file) ?? throw (PartSeal.IsIntact(file) == false
                    ? Damaged(file, "it does not say what it holds", null)
                    : new ScoreTableException(
                        $"Expected {file} to be a part of a score table; it is a Parquet file of another program. Move it out of {folder}.")));
        })];
    }

    /// <summary>Checks that the bytes of the part are those that were written.</summary>
    /// <param name="database">Any database.</param>
    /// <exception cref="ScoreTableException">They are not; the message names the part and the remedy.</exception>
    public void CheckIntact(DuckDbConnection database)
    {
        switch (PartSeal.IsIntact(File))
        {
            case false:
                throw Damaged(File, "its checksum does not fit its content", null);
            case null:
                // Written by a program that knew no seal, or rewritten by another: what can be read in full is taken for sound.
                try
                {
                    database.Execute($"SELECT max(hash(COLUMNS(*))) FROM read_parquet({DuckDbConnection.Literal(File)})");
                }
                catch (DuckDbException exception)
                {
                    throw Damaged(File, exception.Message, exception);
                }
                break;
        }
    }

    private static Dictionary<string, PartContents> ReadContents(DuckDbConnection database, IEnumerable<string> files)
    {
        var contents = new Dictionary<string, PartContents>(StringComparer.Ordinal);
        using var reader = database.Query(
            $"SELECT file_name, decode(value) FROM parquet_kv_metadata({FileList(files)}) WHERE decode(key) = '{MetadataKey}'");
        while (reader.Read())
            contents[reader.Text(0)!] = JsonSerializer.Deserialize(reader.Utf8(1), TableJson.Default.PartContents)!;
        return contents;
    }

    /// <summary>The first of some files that cannot be read; null where each can by itself.</summary>
    private static ScoreTableException? DamagedOf(DuckDbConnection database, IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            try
            {
                ReadContents(database, [file]);
            }
            catch (Exception exception) when (exception is DuckDbException or JsonException)
            {
                return Damaged(file, exception.Message, exception);
            }
        }
        return null;
    }

    private static ScoreTableException Damaged(string file, string reason, Exception? cause)
    {
        var message = $"The part {file} of a score table is damaged: {reason.Split('\n')[0].TrimEnd('.')}. " +
            "Delete this file and run the same 'pristine score' or 'pristine filter' again: its rows are scored anew, and no others.";
        return cause == null ? new ScoreTableException(message) : new ScoreTableException(message, cause);
    }

    public static string FileOf(string folder, int shard, int sequence) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"part-{shard:0000}-{sequence:000000}.parquet"));

    /// <summary>Files as an SQL list, for <c>read_parquet</c>.</summary>
    public static string FileList(IEnumerable<string> files) => $"[{string.Join(", ", files.Select(DuckDbConnection.Literal))}]";

    /// <summary>Whether a row of this part has a metric.</summary>
    public bool Has(string metric, string fingerprint, long key) =>
        Contents.Columns.TryGetValue(metric, out var column) && column.Fingerprint == fingerprint
        && (column.Through is not { } through || key <= through);

    /// <summary>
    /// Parts as something to select from: columns that a part lacks are NULL, and those of older parts have the types of today.
    /// </summary>
    /// <param name="parts">The parts.</param>
    /// <param name="condition">SQL that rows must fulfil as they are in the files; null for all.</param>
    public static string Source(IReadOnlyList<TablePart> parts, string? condition = null)
    {
        var groups = parts.GroupBy(part => (part.Conversion, part.Numbering)).Select(group =>
        {
            // Only of parts that have different metrics must columns be found by their names.
            var isUniform = group.All(part => part.Contents.Columns.Keys.ToHashSet().SetEquals(group.First().Contents.Columns.Keys));
            var files = $"read_parquet({FileList(group.Select(part => part.File))}{(isUniform ? "" : ", union_by_name = true")})";
            var rows = group.Key.Conversion.Length == 0 ? files : $"(SELECT *{group.Key.Conversion} FROM {files})";
            if (condition != null)
                rows = $"(SELECT * FROM {rows} WHERE {condition})";
            return group.Key.Numbering == null ? rows : $"(SELECT * REPLACE ({group.Key.Numbering.Sql}) FROM {rows})";
        }).ToArray();
        return groups.Length == 1 ? groups[0] : $"({string.Join(" UNION ALL BY NAME ", groups.Select(group => $"SELECT * FROM {group}"))})";
    }

    /// <summary>SQL after <c>SELECT *</c> that gives the part the columns of today; empty for one that has them.</summary>
    private string Conversion
    {
        get
        {
            var absent = RowColumns.Where(column => !Holds(column.Name))
                .Select(column => $", CAST(NULL AS {column.SqlType}) AS {column.Identifier}");
            var skipped = DuckDbConnection.Identifier(SkippedScores.Column);
            var replaced = Contents.RowColumns == null && Contents.HasSkipped
                ? $" REPLACE ({SkippedScores.MapSql(skipped)} AS {skipped})"
                : "";
            return replaced + string.Concat(absent);
        }
    }

    /// <summary>Whether the part has a column of every row.</summary>
    private bool Holds(string column) => Contents.RowColumns?.Contains(column)
        ?? (FirstRowColumns.Contains(column) || (column == SkippedScores.Column && Contents.HasSkipped));

    /// <summary>Reads all rows, in the order of their keys.</summary>
    /// <param name="database">Any database.</param>
    /// <param name="metrics">
    /// The metrics whose scores are wanted; NaN where the part does not have them, or has them of another model.
    /// </param>
    /// <param name="fingerprints">Version and model of each.</param>
    public ScoreRow[] ReadRows(DuckDbConnection database, IReadOnlyList<Metric> metrics, IReadOnlyList<string> fingerprints)
    {
        var schema = TableSchema.Of(metrics);
        var columns = RowColumns.ToArray();
        var scores = metrics.Select(metric => Contents.Columns.ContainsKey(metric.Name) && TableSchema.Row.Find(metric.Name) == null
            && metric is not FeatureColumn).ToArray();
        // As text where they are put together from text again; a timestamp is a number here.
        var selected = columns.Select(column => column.Type == ColumnType.Map ? column.RuleSql : column.Identifier)
            .Concat(metrics.Where((_, i) => scores[i]).Select(metric => DuckDbConnection.Identifier(metric.Name)));
        var rows = new ScoreRow[Contents.Rows];
        var count = 0;
        using var reader = database.Query($"SELECT {string.Join(", ", selected)} FROM {Source([this])} ORDER BY key");
        while (reader.Read())
        {
            var draft = new ScoreRowDraft();
            for (var i = 0; i < columns.Length; i++)
                columns[i].Restore!(draft, reader, i);
            var row = draft.ToRow();
            var values = new double[metrics.Count];
            for (int i = 0, column = columns.Length; i < values.Length; i++)
            {
                values[i] = TableSchema.Row.Find(metrics[i].Name) is { } fact ? row.Header == null ? double.NaN : fact.Number(row)
                    : scores[i] && !reader.IsNull(column) && Has(metrics[i].Name, fingerprints[i], row.Key) ? reader.Double(column)
                    : double.NaN;
                column += scores[i] ? 1 : 0;
            }
            rows[count++] = row with { Columns = schema, Scores = values };
        }
        return rows;
    }

    /// <summary>Writes rows as a part.</summary>
    /// <param name="database">A database in memory.</param>
    /// <param name="file">The part's name; replaced if it is there.</param>
    /// <param name="rows">At least one row, in the order of the keys.</param>
    /// <param name="metrics">The metrics of the rows' scores.</param>
    /// <param name="columns">What the part says of the metrics it has, also of those that the program does not know.</param>
    /// <param name="origin">The part that is replaced; its columns that the program does not know are kept. Null for a new part.</param>
    public static PartContents Write(
        DuckDbConnection database,
        string file,
        IReadOnlyList<ScoreRow> rows,
        IReadOnlyList<Metric> metrics,
        IReadOnlyDictionary<string, PartColumn> columns,
        PartOrigin? origin = null)
    {
        var schema = TableSchema.Of(metrics);
        var there = origin == null ? [] : origin.Part.ColumnsInFile(database);
        var kept = origin == null ? [] : origin.Part.UnknownColumns(there, schema, columns);
        var vectors = schema.Stored.Where(column => column.StaysInFile).ToArray();
        // A row that is not new has no vectors in memory: they stay in the file.
        var joins = kept.Length > 0 || vectors.Any(column => there.Contains(column.Name));
        var types = schema.Stored.Select(column => $"{column.Identifier} {column.StagingType}").Concat(joins ? [$"{Origin} BIGINT"] : []);
        database.Execute($"CREATE OR REPLACE TABLE {Rows} ({string.Join(", ", types)})");
        using (var appender = database.Append(Rows))
        {
            var stored = schema.Stored.ToArray();
            for (var i = 0; i < rows.Count; i++)
            {
                foreach (var column in stored)
                    column.Append(appender, rows[i]);
                if (joins)
                    appender.Append((long?)origin!.Rows[i]);
                appender.EndRow();
            }
            appender.Complete();
        }
        var contents = new PartContents(
            rows.Count, rows[0].Key, rows[^1].Key, columns, HasSkipped: true, [.. RowColumns.Select(column => column.Name)]);
        var metadata = DuckDbConnection.Literal(JsonSerializer.Serialize(contents, TableJson.Default.PartContents));
        var restored = schema.Where(column => column.Type == ColumnType.Map)
            .Select(column => $"{SkippedScores.MapSql($"r.{column.Identifier}")} AS {column.Identifier}")
            .Concat(vectors.Select(column => $"{VectorSql(column, there)} AS {column.Identifier}"));
        var source = $"SELECT r.* {(joins ? $"EXCLUDE ({Origin}) " : "")}REPLACE " +
            $"({string.Join(", ", restored)}){string.Concat(kept.Select(name => $", o.{name}"))} FROM {Rows} r";
        if (joins)
        {
            source +=
                $" LEFT JOIN read_parquet({DuckDbConnection.Literal(origin!.Part.File)}, file_row_number = true) o ON r.{Origin} = " +
                $"o.file_row_number ORDER BY r.key";
        }
        WholeFile.Make(file, temporary =>
        {
            database.Execute(
                $"COPY ({source}) TO {DuckDbConnection.Literal(temporary)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, " +
                $"KV_METADATA {{{MetadataKey}: {metadata}}}); DROP TABLE {Rows}");
            PartSeal.Add(temporary);
        });
        return contents;
    }

    /// <summary>Writes rows of some parts as one part, in the order of their keys.</summary>
    /// <param name="database">A database in memory.</param>
    /// <param name="file">The part's name; replaced if it is there.</param>
    /// <param name="parts">Parts that have the same columns, at least one.</param>
    /// <param name="condition">SQL that rows must fulfil as they are in the files; null for all.</param>
    /// <param name="first">The key of the first row; null where the parts say it.</param>
    /// <param name="rows">How many rows that are; null for all.</param>
    public static void Join(
        DuckDbConnection database, string file, IReadOnlyList<TablePart> parts, string? condition = null, long? first = null,
        long? rows = null)
    {
        var count = rows ?? parts.Sum(part => part.Contents.Rows);
        var contents = parts[0].Contents with
        {
            Rows = count,
            FirstKey = first ?? parts.Min(part => part.Contents.FirstKey),
            LastKey = first + count - 1 ?? parts.Max(part => part.Contents.LastKey),
        };
        var metadata = DuckDbConnection.Literal(JsonSerializer.Serialize(contents, TableJson.Default.PartContents));
        WholeFile.Make(file, temporary =>
        {
            var written = database.Execute(
                $"COPY (SELECT * FROM {Source(parts, condition)} ORDER BY key) TO {DuckDbConnection.Literal(temporary)} " +
                $"(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {{{MetadataKey}: {metadata}}})");
            if (written != count)
                throw new ScoreTableException($"Expected {count} rows for {file}; found {written}.");
            PartSeal.Add(temporary);
        });
    }

    /// <summary>
    /// The columns of the part that the program does not know, as SQL identifiers: scores of metrics of another program, and whatever else
    /// was put into it. Columns of metrics that the part will not say it has are left out: they are not whole.
    /// </summary>
    private string[] UnknownColumns(IEnumerable<string> there, TableSchema schema, IReadOnlyDictionary<string, PartColumn> columns)
    {
        var outdated = Contents.Columns.Keys.Where(metric => !columns.ContainsKey(metric))
            .SelectMany(metric => new[] { metric, metric + Column.QualitySuffix }).ToHashSet();
        return [.. there.Where(name => schema.Find(name) == null && !outdated.Contains(name)).Select(DuckDbConnection.Identifier)];
    }

    private string[] ColumnsInFile(DuckDbConnection database)
    {
        using var reader = database.Query($"SELECT * FROM read_parquet({DuckDbConnection.Literal(File)}) LIMIT 0");
        return [.. Enumerable.Range(0, reader.ColumnCount).Select(reader.Name)];
    }

    private static string VectorSql(Column column, string[] there)
    {
        var fresh = $"CAST(r.{column.Identifier} AS {column.SqlType})";
        return there.Contains(column.Name) ? $"coalesce({fresh}, o.{column.Identifier})" : fresh;
    }

    [GeneratedRegex(@"part-(\d{4})-(\d{6})\.parquet\z")]
    private static partial Regex Name();
}
