using System.Globalization;
using System.IO.Enumeration;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Metrics;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>
/// Makes one table of the parts that several runs have scored, in one folder or in several. Its rows are those that one run would have
/// written, and it can be continued as such a table.
/// </summary>
public static partial class TableMerge
{
    /// <summary>The size of part files, about: 64 MiB.</summary>
    public const long DefaultPartBytes = 64 << 20;

    /// <summary>
    /// What a row without vectors is taken for, in bytes. An estimate by columns, not by files: the same rows give the same files.
    /// </summary>
    private const long RowBytes = 256;

    private const string Staging = "compact";
    private const string Journal = "compact.json";

    /// <summary>The most missing parts that a message names.</summary>
    private const int MostNamed = 20;

    private const string Parts = "part-*.parquet";

    private static readonly MergeJson Json = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<DatasetFormat>(
            JsonNamingPolicy.SnakeCaseLower), new JsonStringEnumConverter<MetricDirection>(JsonNamingPolicy.SnakeCaseLower) },
    });

    /// <summary>Opens the parts of one work, which lie in one folder or in several, as one table.</summary>
    /// <param name="folders">The folders, at least one. Of a part that is in several the first counts.</param>
    /// <exception cref="ScoreTableException">A part is missing, damaged, or of other work; the message lists them.</exception>
    public static ScoreTable Open(IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        ArgumentOutOfRangeException.ThrowIfZero(folders.Count);
        foreach (var folder in folders)
        {
            ScoreTable.CheckPlace(folder);
            Recover(folder);
        }
        if (folders.Count == 1 && !File.Exists(Path.Combine(folders[0], TableManifest.FileName)))
            return Whole(ScoreTable.Open(folders[0]));
        var tables = folders.Select(folder => PartedTable.Open(folder) ?? throw new ScoreTableException(
            File.Exists(Path.Combine(folder, TableProvenance.FileName))
            ? $"Expected parts of a table, which 'pristine score --shard' makes; '{folder}' was made by one run, and is a table by itself."
            : $"Expected parts of a table, which 'pristine score --shard' makes; '{folder}' has no {TableManifest.FileName}.")).ToArray();
        foreach (var table in tables)
            table.RemoveAbandoned();
        var first = tables[0].Manifest;
        foreach (var table in tables.Skip(1).Where(table => table.Manifest.Fingerprint != first.Fingerprint))
            throw new ScoreTableException(
                $"Expected parts of the same work as in {tables[0].Folder}; found others in {table.Folder}: " +
                $"{Difference(first, table.Manifest)}.");
        var found = new (PartedTable Table, PartMarker Marker)?[first.Parts.Count];
        foreach (var table in tables)
        {
            foreach (var marker in table.Markers().OfType<PartMarker>())
            {
                if (found[marker.Part] is { } other && (other.Marker.Rows, other.Marker.Items) != (marker.Rows, marker.Items))
                    throw new ScoreTableException(
                        $"The part {table.NameOf(marker.Part)} has {other.Marker.Rows} rows in {other.Table.Folder} and {marker.Rows} in " +
                        $"{table.Folder}: the dataset was not the same.");
                found[marker.Part] ??= (table, marker);
            }
        }
        int[] missing = [.. Enumerable.Range(0, found.Length).Where(part => found[part] == null)];
        if (missing.Length > 0)
        {
            var names = missing.Take(MostNamed).Select(tables[0].NameOf);
            var reasons = tables.SelectMany(table => table.Failures()).Where(failure => missing.Contains(failure.Part))
                .DistinctBy(failure => failure.Part).OrderBy(failure => failure.Part).Take(MostNamed)
                .Select(failure => $" Part {tables[0].NameOf(failure.Part)} could not be read: {failure.Reason}");
            throw new ScoreTableException(
                $"{missing.Length} of {found.Length} parts are missing: {string.Join(", ", names)}" +
                $"{(missing.Length > MostNamed ? $" and {missing.Length - MostNamed} more" : "")}. The same 'pristine score --shard' " +
                $"scores them.{string.Concat(reasons)}");
        }
        using var database = DuckDbConnection.Open();
        return ScoreTable.Open(
            database, tables[0].Folder, tables[0].Manifest.Table with { FinishedShards = [0] }, found);
    }

    /// <summary>Writes a whole table into a folder of its own, in part files of about the same size.</summary>
    /// <param name="table">The table.</param>
    /// <param name="folder">The folder; it must not exist, or be empty. It has its name when the table is whole.</param>
    /// <param name="partBytes">The size of part files, about.</param>
    /// <returns>The number of part files.</returns>
    /// <exception cref="ScoreTableException">The folder is not empty, or a part of the table is damaged.</exception>
    public static int Write(ScoreTable table, string folder, long partBytes = DefaultPartBytes)
    {
        ArgumentNullException.ThrowIfNull(table);
        ScoreTable.CheckPlace(folder);
        Whole(table);
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(folder) || Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new ScoreTableException($"Expected a new or empty folder for the merged table; '{folder}' is there already.");
        var partial = WholeFile.TemporaryOf(folder);
        if (Directory.Exists(partial))
            Directory.Delete(partial, recursive: true);
        Directory.CreateDirectory(partial);
        var files = WriteParts(table, partial, 0, partBytes);
        (table.Provenance with { FinishedShards = [0] }).Write(partial);
        if (Directory.Exists(folder))
            Directory.Delete(folder);
        Directory.Move(partial, folder);
        return files.Count;
    }

    /// <summary>
    /// Writes a whole table anew in its folder, in part files of about the same size. A table that was made in parts is one table
    /// afterwards. Killed at any moment, it is the old table or the new one.
    /// </summary>
    /// <param name="folder">The table; no run may be on it.</param>
    /// <param name="partBytes">The size of part files, about.</param>
    /// <returns>The number of part files.</returns>
    /// <exception cref="ScoreTableException">The table is not whole, or damaged.</exception>
    public static int Compact(string folder, long partBytes = DefaultPartBytes)
    {
        ScoreTable.CheckPlace(folder);
        folder = Path.GetFullPath(folder);
        var table = Open([folder]);
        using var writer = TableLock.OfWriter(folder);
        var staging = Path.Combine(folder, Staging);
        if (Directory.Exists(staging))
            Directory.Delete(staging, recursive: true);
        Directory.CreateDirectory(staging);
        var manifest = TableManifest.Read(folder);
        var old = Directory.EnumerateFiles(folder, Parts).Select(file => Path.GetFileName(file)).ToList();
        // New names, so that a half replaced table cannot be taken for a whole one.
        var next = manifest?.Parts.Count ?? (table.Parts.Count == 0 ? 0 : table.Parts.Max(part => part.Sequence) + 1);
        var files = WriteParts(table, staging, next, partBytes);
        if (manifest != null)
            old.AddRange([
                TableManifest.FileName, .. manifest.List is { } list ? (string[])[list] : [], .. PartedTable.Folders,
                // What became of the processes matters no more.
                .. Directory.EnumerateFiles(folder, PartedTable.Statuses).Select(file => Path.GetFileName(file))]);
        WholeFile.Write(Path.Combine(folder, Journal), stream => JsonSerializer.Serialize(
            stream, new CompactJournal(table.Provenance with { FinishedShards = [0] }, old, files), Json.CompactJournal));
        Finish(folder);
        return files.Count;
    }

    /// <summary>Ends a compaction that was stopped after its files were written.</summary>
    /// <exception cref="ScoreTableException">Its journal is damaged, or another process is at it for long.</exception>
    internal static void Recover(string folder)
    {
        if (!File.Exists(Path.Combine(folder, Journal)))
            return;
        try
        {
            using var writer = TableLock.OfWriterSoon(folder);
            Finish(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ScoreTableException(
                $"A compaction of the table {folder} was stopped and cannot be ended: {exception.Message}", exception);
        }
    }

    /// <summary>Puts the files of a compaction in the places of the old ones, as its journal says. The table is locked.</summary>
    private static void Finish(string folder)
    {
        var file = Path.Combine(folder, Journal);
        // Another process may have ended it, before the table was locked here.
        if (!File.Exists(file))
            return;
        CompactJournal journal;
        try
        {
            using var stream = File.OpenRead(file);
            journal = JsonSerializer.Deserialize(stream, Json.CompactJournal) is { Table: not null, Old: not null, New: not null } read
                ? read : throw new JsonException("fields are missing");
        }
        catch (JsonException exception)
        {
            throw new ScoreTableException($"{file} is damaged: {exception.Message}", exception);
        }
        // All names are looked at before anything is done.
        var old = journal.Old.Select(name => PlaceOf(folder, name, IsOld(name))).ToArray();
        var made = journal.New.Select(name => (
            From: Path.Combine(folder, Staging, name), To: PlaceOf(folder, name, IsMatch(Parts, name)))).ToArray();
        foreach (var place in old)
        {
            if (Directory.Exists(place))
                Directory.Delete(place, recursive: true);
            else
                File.Delete(place);
        }
        foreach (var (from, to) in made)
            if (File.Exists(from))
                File.Move(from, to, overwrite: true);
        journal.Table.Write(folder);
        if (Directory.Exists(Path.Combine(folder, Staging)))
            Directory.Delete(Path.Combine(folder, Staging), recursive: true);
        File.Delete(file);
    }

    /// <summary>Whether a compaction removes files or folders of this name.</summary>
    private static bool IsOld(string name) => name == TableManifest.FileName || PartedTable.Folders.Contains(name)
        || IsMatch(Parts, name) || IsMatch(TableManifest.Lists, name) || IsMatch(PartedTable.Statuses, name);

    private static bool IsMatch(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private static string PlaceOf(string folder, string name, bool isKnown) => isKnown && Path.GetFileName(name) == name
        ? TablePlace.Of(folder, name, Journal)
        : throw new ScoreTableException($"{Path.Combine(folder, Journal)} names '{name}', which is no file of a table: it is damaged.");

    private static ScoreTable Whole(ScoreTable table) => table.Incomplete is { } missing
        ? throw new ScoreTableException($"The table {table.Folder} is not complete: {missing}. 'pristine score' goes on with it.")
        : table;

    /// <summary>What is different between two works.</summary>
    private static string Difference(TableManifest a, TableManifest b)
    {
        foreach (var (name, value) in a.Settings)
            if (b.Settings.GetValueOrDefault(name) is var other && other != value)
                return $"{name} '{value}' there, '{other}' here";
        var (before, now) = (
            a.Table.Columns.Select(column => $"{column.Metric} {column.Fingerprint}"),
            b.Table.Columns.Select(column => $"{column.Metric} {column.Fingerprint}"));
        if (!before.SequenceEqual(now))
            return $"metrics {string.Join(", ", before)} there, {string.Join(", ", now)} here";
        if (a.Parts.Count != b.Parts.Count)
            return $"{a.Parts.Count} parts of {a.Table.Dataset.Input} there, {b.Parts.Count} of {b.Table.Dataset.Input} here";
        var part = Enumerable.Range(0, a.Parts.Count).FirstOrDefault(
            part => (a.Parts[part] with { FileModified = null }) != (b.Parts[part] with { FileModified = null }), -1);
        return part < 0
            ? $"the files of {a.Table.Dataset.Input} there, of {b.Table.Dataset.Input} here"
            : $"part {part} is {Of(a.Parts[part])} there, {Of(b.Parts[part])} here";

        static string Of(ManifestPart part) =>
            string.Create(CultureInfo.InvariantCulture, $"{part.Name} ({part.Bytes} bytes, {part.Items} items)");
    }

    /// <summary>Writes all rows in part files.</summary>
    /// <returns>The names of the files.</returns>
    private static List<string> WriteParts(ScoreTable table, string folder, int sequence, long partBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partBytes, 1);
        using var database = DuckDbConnection.Open();
        var width = RowBytes + table.Provenance.Columns.Sum(column => (column.Length ?? 0) * (long)sizeof(float));
        var rowsPerFile = Math.Max(1, partBytes / width);
        var parts = table.Parts.OrderBy(part => part.Contents.FirstKey).ToArray();
        var starts = new long[parts.Length];
        for (var i = 1; i < parts.Length; i++)
            starts[i] = starts[i - 1] + parts[i - 1].Contents.Rows;
        var isNumbered = parts is [{ Numbering: not null }, ..];
        var (rows, files, from) = (table.RowCount, new List<string>(), 0);
        for (var first = 0L; first < rows; first += rowsPerFile)
        {
            var count = Math.Min(rowsPerFile, rows - first);
            var (low, high) = (KeyAt(first), KeyAt(first + count - 1));
            while (isNumbered && parts[from].Contents.LastKey < low)
                from++;
            var touched = parts.Skip(from).TakeWhile(part => part.Contents.FirstKey <= high).Where(part => part.Contents.LastKey >= low)
                .ToArray();
            var file = TablePart.FileOf(folder, 0, sequence + files.Count);
            TablePart.Join(database, file, touched, $"key BETWEEN {low} AND {high}", first, count);
            files.Add(Path.GetFileName(file));
        }
        return files;

        // Keys of a part are without gaps; those of a table that is whole too.
        long KeyAt(long row)
        {
            if (!isNumbered)
                return row;
            var part = Array.BinarySearch(starts, row);
            part = part < 0 ? ~part - 1 : part;
            return parts[part].Contents.FirstKey + (row - starts[part]);
        }
    }

    /// <summary>What replaces what when a table is compacted.</summary>
    /// <param name="Table">What the table says afterwards.</param>
    /// <param name="Old">Files and folders that go.</param>
    /// <param name="New">Files that come.</param>
    private sealed record CompactJournal(TableProvenance Table, IReadOnlyList<string> Old, IReadOnlyList<string> New);

    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(CompactJournal))]
    private sealed partial class MergeJson : JsonSerializerContext;
}
