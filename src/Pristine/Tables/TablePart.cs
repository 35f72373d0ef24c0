using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Files;
using Pristine.Media;
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
/// <param name="HasSkipped">Whether it has the column <c>skipped</c>, which parts of the first programs lack.</param>
internal sealed record PartContents(long Rows, long FirstKey, long LastKey, IReadOnlyDictionary<string, PartColumn> Columns, bool HasSkipped = false);

/// <summary>
/// One Parquet file of a score table, <c>part-SHARD-SEQUENCE.parquet</c>. It is written whole under a temporary name and renamed, so it is
/// there with all its rows or not at all, also when it replaces an older version of itself.
/// </summary>
internal sealed partial record TablePart(string File, int Shard, int Sequence, PartContents Contents)
{
    private const string MetadataKey = "pristine";
    private const string Rows = "part_rows";

    /// <summary>SQL that stands for the column <c>skipped</c> where a part lacks it.</summary>
    public const string NoneSkipped = $"CAST(NULL AS VARCHAR) AS {SkippedScores.Column}";

    /// <summary>The columns that every part has, with their types; <c>NAME</c> and <c>NAME_quality</c> of the metrics follow them.</summary>
    public static readonly IReadOnlyList<(string Name, string Type)> FixedColumns =
    [
        ("key", "BIGINT"),
        ("id", "VARCHAR"),
        ("image", "VARCHAR"),
        ("image_index", "INTEGER"),
        ("item_index", "BIGINT"),
        ("folder", "VARCHAR"),
        ("status", "VARCHAR"),
        ("error", "VARCHAR"),
        (SkippedScores.Column, "VARCHAR"),
        ("width", "INTEGER"),
        ("height", "INTEGER"),
        ("format", "VARCHAR"),
        ("bytes", "BIGINT"),
        ("modified", "TIMESTAMP"),
        ("content_hash", "VARCHAR"),
        ("text_length", "BIGINT"),
        ("word_count", "BIGINT"),
        ("turns", "BIGINT"),
    ];

    private static readonly Dictionary<string, ImageStatus> Statuses = Enum.GetValues<ImageStatus>().ToDictionary(ImageStatusNames.Name);

    /// <summary>The parts of a table in the order of their names.</summary>
    /// <exception cref="ScoreTableException">A file is damaged or not a part.</exception>
    public static IReadOnlyList<TablePart> List(DuckDbConnection database, string folder)
    {
        var files = Directory.EnumerateFiles(folder, "part-*.parquet").Where(file => Name().IsMatch(file)).Order(StringComparer.Ordinal).ToArray();
        if (files.Length == 0)
            return [];
        Dictionary<string, PartContents> contents;
        try
        {
            contents = ReadContents(database, files);
        }
        catch (Exception exception) when (exception is DuckDbException or JsonException)
        {
            throw DamagedOf(database, files) ?? new ScoreTableException($"The score table {folder} cannot be read: {exception.Message}", exception);
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
            contents[reader.Text(0)!] = JsonSerializer.Deserialize<PartContents>(reader.Utf8(1))!;
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
        Contents.Columns.TryGetValue(metric, out var column) && column.Fingerprint == fingerprint && (column.Through is not { } through || key <= through);

    /// <summary>Reads all rows, in the order of their keys.</summary>
    /// <param name="database">Any database.</param>
    /// <param name="metrics">The metrics whose scores are wanted; NaN where the part does not have them, or has them of another model.</param>
    /// <param name="fingerprints">Version and model of each.</param>
    public ScoreRow[] ReadRows(DuckDbConnection database, IReadOnlyList<Metric> metrics, IReadOnlyList<string> fingerprints)
    {
        var scores = metrics.Select(metric => Contents.Columns.ContainsKey(metric.Name) && !IsFixed(metric.Name)).ToArray();
        var names = FixedColumns.Select(column => column.Name).Concat(metrics.Where((_, i) => scores[i]).Select(metric => metric.Name)).Select(DuckDbConnection.Identifier);
        if (!Contents.HasSkipped)
            names = names.Select(name => name == DuckDbConnection.Identifier(SkippedScores.Column) ? NoneSkipped : name);
        var rows = new ScoreRow[Contents.Rows];
        var count = 0;
        using var reader = database.Query(
            $"SELECT {string.Join(", ", names)} FROM read_parquet({DuckDbConnection.Literal(File)}) ORDER BY key");
        while (reader.Read())
        {
            var row = ReadRow(reader);
            var values = new double[metrics.Count];
            for (int i = 0, column = FixedColumns.Count; i < values.Length; i++)
            {
                values[i] = IsFixed(metrics[i].Name) ? FixedScore(row.Header, metrics[i])
                    : scores[i] && !reader.IsNull(column) && Has(metrics[i].Name, fingerprints[i], row.Key) ? reader.Double(column)
                    : double.NaN;
                column += scores[i] ? 1 : 0;
            }
            rows[count++] = row with { Scores = values };
        }
        return rows;
    }

    /// <summary>Writes rows as a part.</summary>
    /// <param name="database">A database in memory.</param>
    /// <param name="file">The part's name; replaced if it is there.</param>
    /// <param name="rows">At least one row, in the order of the keys.</param>
    /// <param name="metrics">The metrics of the rows' scores.</param>
    /// <param name="columns">What the part says of them.</param>
    /// <param name="foreign">Columns of an earlier version of the part that are carried along; null for none.</param>
    public static PartContents Write(
        DuckDbConnection database, string file, IReadOnlyList<ScoreRow> rows, IReadOnlyList<Metric> metrics, IReadOnlyDictionary<string, PartColumn> columns,
        ForeignColumns? foreign = null)
    {
        var scores = new ScoreColumns(metrics).All.Where(column => column.IsScore).ToArray();
        var types = FixedColumns.Concat(scores.Select(column => (column.Name, Type: column.IsFloat ? "FLOAT" : "DOUBLE")));
        database.Execute($"CREATE OR REPLACE TABLE {Rows} ({string.Join(", ", types.Select(column => $"{DuckDbConnection.Identifier(column.Name)} {column.Type}"))})");
        using (var appender = database.Append(Rows))
        {
            foreach (var row in rows)
                AppendRow(appender, row, scores);
            appender.Complete();
        }
        if (foreign != null)
            columns = columns.Concat(foreign.Join(database, Rows)).ToDictionary();
        var contents = new PartContents(rows.Count, rows[0].Key, rows[^1].Key, columns, HasSkipped: true);
        var metadata = DuckDbConnection.Literal(JsonSerializer.Serialize(contents));
        WholeFile.Make(file, temporary =>
        {
            database.Execute(
                $"COPY {(foreign == null ? Rows : ForeignColumns.Joined)} TO {DuckDbConnection.Literal(temporary)} "
                + $"(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {{{MetadataKey}: {metadata}}}); DROP TABLE {Rows}");
            PartSeal.Add(temporary);
        });
        if (foreign != null)
            ForeignColumns.Drop(database);
        return contents;
    }

    /// <summary>The folder part of an image's name as the dataset writes it; empty where it has none.</summary>
    internal static string? FolderOf(string? image) => image == null ? null : image[..Math.Max(0, image.LastIndexOf('/'))];

    private static bool IsFixed(string metric) => metric is "width" or "height" or "bytes";

    private static double FixedScore(ImageHeader? header, Metric metric) => header is not { } known ? double.NaN : metric.Name switch
    {
        "width" => known.Width,
        "height" => known.Height,
        _ => known.Bytes,
    };

    private static ScoreRow ReadRow(DuckDbReader reader)
    {
        long? Whole(int column) => reader.IsNull(column) ? null : reader.Int64(column);
        var (bytes, modified, length) = (Whole(12), Whole(13), Whole(15));
        return new ScoreRow
        {
            Key = reader.Int64(0),
            Id = reader.Text(1)!,
            Image = reader.Text(2),
            ImageIndex = (int)reader.Int64(3),
            ItemIndex = reader.Int64(4),
            Status = Statuses[reader.Text(6)!],
            Error = reader.Text(7),
            Skipped = reader.Text(8),
            Header = Whole(9) is { } width ? new ImageHeader((int)width, (int)reader.Int64(10), reader.Text(11)!, bytes ?? 0) : null,
            File = bytes != null && modified != null ? new SourceStamp(bytes.Value, modified.Value) : null,
            ContentHash = reader.Text(14),
            Text = length != null ? new Datasets.ItemText(length.Value, reader.Int64(16), reader.Int64(17)) : null,
            Scores = default,
        };
    }

    private static void AppendRow(DuckDbAppender appender, ScoreRow row, ScoreColumn[] scores)
    {
        appender.Append(row.Key);
        appender.Append(row.Id);
        appender.Append(row.Image);
        appender.Append(row.ImageIndex);
        appender.Append(row.ItemIndex);
        appender.Append(FolderOf(row.Image));
        appender.Append(row.Status.Name());
        appender.Append(row.Error);
        appender.Append(row.Skipped);
        appender.Append((long?)row.Header?.Width);
        appender.Append((long?)row.Header?.Height);
        appender.Append(row.Header?.Format);
        appender.Append(row.Bytes);
        appender.AppendTimestamp(row.File?.Modified);
        appender.Append(row.ContentHash);
        appender.Append(row.Text?.Length);
        appender.Append(row.Text?.Words);
        appender.Append(row.Text?.Turns);
        foreach (var column in scores)
        {
            if (column.IsFloat)
                appender.AppendFloat(column.Number(row));
            else
                appender.AppendDouble(column.Number(row));
        }
        appender.EndRow();
    }

    [GeneratedRegex(@"part-(\d{4})-(\d{6})\.parquet\z")]
    private static partial Regex Name();
}
