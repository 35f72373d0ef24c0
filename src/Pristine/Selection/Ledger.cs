using System.Text.Json;
using Pristine.Datasets;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;

namespace Pristine.Selection;

/// <summary>A ledger that is not there or cannot be read. The message says what was expected and found.</summary>
/// <param name="message">Expected, found and file.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class LedgerException(string message, Exception? innerException = null) : PristineException(message, innerException);

/// <summary>What a ledger was made of: the file <c>LEDGER.selection.json</c> beside it.</summary>
/// <param name="Table">The score table's folder.</param>
/// <param name="Selection">What was asked for.</param>
public sealed record LedgerSelection(string Table, SelectionOptions Selection)
{
    /// <summary>What is added to a ledger's name.</summary>
    public const string Suffix = ".selection.json";

    /// <summary>Reads the file beside a ledger.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <exception cref="LedgerException">It is not there, or not what it should be.</exception>
    public static LedgerSelection Read(string ledger)
    {
        var file = ledger + Suffix;
        if (!File.Exists(file))
            throw new LedgerException($"Expected {file} beside the ledger {ledger}: it says which table and rules the ledger comes from.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = document.RootElement;
            return new LedgerSelection(
                root.GetProperty("table").GetString()!, SelectionOptions.FromJson(root.GetProperty("selection").GetRawText()));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new LedgerException($"Expected a selection in {file}; {exception.Message}", exception);
        }
    }

    internal void Write(string ledger, RemoteAccess? remote)
    {
        using var file = PartialFile.Create(ledger + Suffix, null, remote);
        using (var writer = new StreamWriter(file.Stream, leaveOpen: true) { NewLine = "\n" })
            writer.WriteLine(
                $"{{\n  \"table\": \"{JsonEncodedText.Encode(Table)}\",\n  \"selection\": " +
                $"{Selection.ToJson().Replace("\n", "\n  ", StringComparison.Ordinal)}\n}}");
        file.Complete();
    }
}

/// <summary>
/// A ledger that is to be written: what became of every item, with the rule, value, threshold and margin that decided, in the order of the
/// dataset. It is opened before the work begins, so that a place that cannot be written to is found at once, and has its name only when it
/// is complete. Beside it stands <c>LEDGER.selection.json</c>, by which 'pristine why' and 'restore' know where it comes from.
/// </summary>
public sealed class LedgerWriter : IDisposable
{
    private readonly string _path;
    private readonly RemoteAccess? _remote;
    private readonly PartialFile _file;

    /// <summary>Opens a ledger.</summary>
    /// <param name="path">
    /// The file, or <c>-</c> for standard output; a name that ends in <c>.parquet</c> gives Parquet, <c>.csv</c> CSV, any other JSON lines,
    /// unless it promises something else.
    /// </param>
    /// <param name="input">The dataset's file, which must not be overwritten; null when there is none.</param>
    /// <param name="remote">Writes to addresses of buckets; null for files only.</param>
    /// <exception cref="DatasetException">The file is the input, a folder, or cannot be written.</exception>
    public LedgerWriter(string path, string? input = null, RemoteAccess? remote = null)
    {
        (_path, _remote, _file) = (path, remote, PartialFile.Create(Ledger.Checked(path, "a ledger"), input, remote));
        if (_file.HasName && !RemoteAddress.IsBucket(path))
            OutputPlace.CheckFile(path + LedgerSelection.Suffix);
    }

    /// <summary>Writes the ledger of a selection and gives it its name.</summary>
    /// <param name="run">The selection.</param>
    /// <param name="droppedOnly">Leaves the kept items out.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(SelectionRun run, bool droppedOnly = false)
    {
        ArgumentNullException.ThrowIfNull(run);
        run.WriteLedger(_file.Stream, Ledger.FormatOf(_path), droppedOnly);
        _file.Complete();
        if (_file.HasName)
            new LedgerSelection(run.Table, run.Options).Write(_path, _remote);
    }

    /// <summary>Closes the file; when it was not completed, it stays under a temporary name.</summary>
    public void Dispose() => _file.Dispose();
}

/// <summary>An item as a ledger has it.</summary>
/// <param name="Index">Its position in the dataset, from 0.</param>
/// <param name="Id">Its id.</param>
/// <param name="Kept">True when it was kept.</param>
/// <param name="Rule">The rule that dropped it; null when it was kept or no rule was reached.</param>
/// <param name="Reason">One sentence.</param>
public sealed record LedgerEntry(long Index, string Id, bool Kept, string? Rule, string Reason);

/// <summary>Reads ledgers: files with what became of each item of a dataset, or of each that was dropped.</summary>
public sealed class Ledger
{
    private bool? _holdsDroppedOnly;

    private Ledger(string file) => File = file;

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The formats of ledgers, by the ends of their names: <c>parquet</c>, <c>csv</c>, else <c>jsonl</c>.</summary>
    /// <param name="file">The name.</param>
    public static string FormatOf(string file) => DatasetFile.ExtensionOf(file) switch
    {
        ".parquet" => "parquet",
        ".csv" => "csv",
        _ => "jsonl",
    };

    /// <summary>The name of a file in one of these formats.</summary>
    /// <exception cref="DatasetException">It promises another.</exception>
    internal static string Checked(string file, string what) =>
        OutputName.Checked(file, what, ".jsonl", ".ndjson", ".json", ".csv", ".parquet");

    /// <summary>Opens a ledger.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="LedgerException">It is not there.</exception>
    public static Ledger Open(string file) =>
        RemoteAddress.HasScheme(file)
        ? throw new LedgerException(
            $"Expected a ledger on a disk; found the address '{RemoteAddress.Display(file)}'. Download it first, with the file " +
            $"{LedgerSelection.Suffix} beside it.")
        : System.IO.File.Exists(file)
        ? new Ledger(Path.GetFullPath(file))
        : throw new LedgerException($"Expected a ledger; '{file}' does not exist.");

    /// <summary>Reads the entries in the order of the dataset, which is that of the file unless someone has sorted it.</summary>
    /// <exception cref="LedgerException">The file is no ledger.</exception>
    public IEnumerable<LedgerEntry> Read()
    {
        using var database = DuckDbConnection.Open();
        var order = IsInOrder(database) ? "" : " ORDER BY \"index\"";
        using var rows = Query(database, $"SELECT \"index\", id, kept, rule, reason FROM {Source}{order}");
        while (rows.Read())
            yield return new LedgerEntry(rows.Int64(0), rows.Text(1)!, rows.Boolean(2), rows.Text(3), rows.Text(4)!);
    }

    /// <summary>True when the file has the order of the dataset, so that reading it needs no sort of all of it.</summary>
    private bool IsInOrder(DuckDbConnection database)
    {
        try
        {
            using var rows = Query(database, $"SELECT \"index\" FROM {Source}");
            for (var last = -1L; rows.Read(); last = rows.Int64(0))
                if (rows.IsNull(0) || rows.Int64(0) < last)
                    return false;
            return true;
        }
        catch (DuckDbException exception)
        {
            throw NoLedger(exception);
        }
    }

    /// <summary>The score table that the ledger is of; null where the file beside it does not tell.</summary>
    internal string? Table => System.IO.File.Exists(File + LedgerSelection.Suffix) ? LedgerSelection.Read(File).Table : null;

    /// <summary>True when no entry was kept: the file is taken for one of the dropped items only.</summary>
    internal bool HoldsDroppedOnly => _holdsDroppedOnly ??= FindHoldsDroppedOnly();

    private bool FindHoldsDroppedOnly()
    {
        using var database = DuckDbConnection.Open();
        using var rows = Query(database, $"SELECT 1 FROM {Source} WHERE kept LIMIT 1");
        return !rows.Read();
    }

    /// <summary>The ledger as something to select from.</summary>
    internal string Source
    {
        get
        {
            const string columns =
                "{\"index\": 'BIGINT', id: 'VARCHAR', image: 'VARCHAR', kept: 'BOOLEAN', status: 'VARCHAR', rule: 'VARCHAR', " +
                "\"column\": 'VARCHAR', value: 'DOUBLE', threshold: 'DOUBLE', margin: 'DOUBLE', reason: 'VARCHAR'}";
            var file = DuckDbConnection.Literal(File);
            return FormatOf(File) switch
            {
                "parquet" => $"read_parquet({file})",
                "csv" =>
                    $"read_csv({file}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {columns})",
                _ => $"read_json({file}, format = 'newline_delimited', columns = {columns})",
            };
        }
    }

    internal static void Execute(DuckDbConnection database, string sql)
    {
        try
        {
            database.Execute(sql);
        }
        catch (DuckDbException exception)
        {
            throw NoLedger(exception);
        }
    }

    internal static DuckDbReader Query(DuckDbConnection database, string sql)
    {
        try
        {
            return database.Query(sql);
        }
        catch (DuckDbException exception)
        {
            throw NoLedger(exception);
        }
    }

    private static LedgerException NoLedger(DuckDbException exception) =>
        new($"Expected a ledger that 'pristine select' wrote. {exception.Message}", exception);
}
