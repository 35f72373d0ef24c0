using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Pristine.Native;

/// <summary>How a database is opened.</summary>
internal sealed record DuckDbOptions
{
    /// <summary>The database's file; null for one in memory.</summary>
    public string? File { get; init; }

    /// <summary>Threads of all queries together; by default one per core.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes that tables, sorts and joins may hold in memory; beyond it they spill to <see cref="TemporaryFolder"/>.</summary>
    public long MemoryLimit { get; init; } = 1L << 30;

    /// <summary>Where to spill; by default a folder in the system's own for temporary files.</summary>
    public string TemporaryFolder { get; init; } =
        Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"pristine-duckdb-{Environment.ProcessId}"));
}

/// <summary>What DuckDB refused, in its own words.</summary>
internal sealed class DuckDbException(string message) : IOException(message);

/// <summary>
/// A connection to a DuckDB database. Extensions are never downloaded or loaded. Not thread-safe; only <see cref="Interrupt"/> may be
/// called from another thread. Values never become part of a statement's text: they are parameters.
/// </summary>
internal sealed unsafe class DuckDbConnection : IDisposable
{
    private readonly Database _database;
    private nint _handle;

    private DuckDbConnection(Database database)
    {
        _database = database;
        if (DuckDbFunctions.duckdb_connect(database.Handle, out _handle) != 0)
            throw new DuckDbException("DuckDB gave no connection to its database.");
        database.Users++;
    }

    /// <summary>Opens a database and connects to it.</summary>
    /// <exception cref="DuckDbException">The file is not a database, or is open elsewhere.</exception>
    /// <exception cref="DllNotFoundException">The library is not here.</exception>
    public static DuckDbConnection Open(DuckDbOptions? options = null)
    {
        options ??= new DuckDbOptions();
        var database = Database.Open(options.File, [
            ("threads", options.Threads.ToString(CultureInfo.InvariantCulture)),
            ("memory_limit", $"{options.MemoryLimit.ToString(CultureInfo.InvariantCulture)}B"),
            ("temp_directory", options.TemporaryFolder),
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
            ("allow_community_extensions", "false"),
        ]);
        try
        {
            return new DuckDbConnection(database);
        }
        catch
        {
            database.Close();
            throw;
        }
    }

    /// <summary>A second connection to the same database, for a query while the result of another is still being read.</summary>
    public DuckDbConnection Another() => new(_database);

    /// <summary>
    /// From now on statements reach no file outside these folders and files, and no setting can be changed: what a user's rule could do
    /// at most is to read the tables that are already there.
    /// </summary>
    /// <param name="folders">Folders whose files may be read and written.</param>
    /// <param name="files">Single files.</param>
    public void Confine(IEnumerable<string> folders, IEnumerable<string> files)
    {
        static string List(IEnumerable<string> paths) => $"[{string.Join(", ", paths.Select(path => Literal(Path.GetFullPath(path))))}]";
        Execute($"SET allowed_directories = {List(folders)}");
        Execute($"SET allowed_paths = {List(files)}");
        Execute("SET enable_external_access = false");
        Execute("SET lock_configuration = true");
    }

    /// <summary>Runs a statement, or several separated by semicolons when there are no parameters.</summary>
    /// <param name="sql">The statement; <c>$1</c>, <c>$2</c> are parameters.</param>
    /// <param name="parameters">Null, bool, int, long, float, double or string.</param>
    /// <returns>The number of rows it inserted, changed or wrote.</returns>
    /// <exception cref="DuckDbException">The statement failed.</exception>
    public long Execute(string sql, params ReadOnlySpan<object?> parameters)
    {
        var result = default(DuckDbFunctions.Result);
        if (parameters.IsEmpty)
        {
            var state = DuckDbFunctions.duckdb_query(_handle, sql, &result);
            return Finish(&result, state);
        }
        var statement = Prepare(sql, parameters);
        try
        {
            var state = DuckDbFunctions.duckdb_execute_prepared(statement, &result);
            return Finish(&result, state);
        }
        finally
        {
            DuckDbFunctions.duckdb_destroy_prepare(ref statement);
        }
    }

    /// <summary>Runs a query whose rows are computed while they are read. Another statement on this connection ends it.</summary>
    /// <param name="sql">The query; <c>$1</c>, <c>$2</c> are parameters.</param>
    /// <param name="parameters">Null, bool, int, long, float, double or string.</param>
    /// <exception cref="DuckDbException">The query failed; it may also fail while it is read.</exception>
    public DuckDbReader Query(string sql, params ReadOnlySpan<object?> parameters)
    {
        var statement = Prepare(sql, parameters);
        nint pending = 0;
        try
        {
            if (DuckDbFunctions.duckdb_pending_prepared_streaming(statement, out pending) != 0)
                throw new DuckDbException(Message(DuckDbFunctions.duckdb_pending_error(pending)));
            var result = default(DuckDbFunctions.Result);
            if (DuckDbFunctions.duckdb_execute_pending(pending, &result) != 0)
            {
                var message = Message(DuckDbFunctions.duckdb_result_error(&result));
                DuckDbFunctions.duckdb_destroy_result(&result);
                throw new DuckDbException(message);
            }
            return new DuckDbReader(result);
        }
        finally
        {
            DuckDbFunctions.duckdb_destroy_pending(ref pending);
            DuckDbFunctions.duckdb_destroy_prepare(ref statement);
        }
    }

    /// <summary>The first value of a query's first row, or null.</summary>
    public long? QueryInt64(string sql, params ReadOnlySpan<object?> parameters)
    {
        using var reader = Query(sql, parameters);
        return reader.Read() && !reader.IsNull(0) ? reader.Int64(0) : null;
    }

    /// <summary>Opens a table for appending rows.</summary>
    /// <param name="table">A table of this database.</param>
    /// <exception cref="DuckDbException">There is no such table.</exception>
    public DuckDbAppender Append(string table) => new(_handle, table);

    /// <summary>Ends the statement that is running, from any thread; it fails with DuckDB's message about an interruption.</summary>
    public void Interrupt() => DuckDbFunctions.duckdb_interrupt(_handle);

    /// <summary>A text as an SQL literal.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A name as an SQL identifier.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public void Dispose()
    {
        if (_handle == 0)
            return;
        DuckDbFunctions.duckdb_disconnect(ref _handle);
        _handle = 0;
        if (--_database.Users == 0)
            _database.Close();
    }

    internal static string Message(nint text) => Marshal.PtrToStringUTF8(text) ?? "DuckDB failed without a message.";

    private static long Finish(DuckDbFunctions.Result* result, int state)
    {
        try
        {
            if (state != 0)
                throw new DuckDbException(Message(DuckDbFunctions.duckdb_result_error(result)));
            return (long)DuckDbFunctions.duckdb_rows_changed(result);
        }
        finally
        {
            DuckDbFunctions.duckdb_destroy_result(result);
        }
    }

    private nint Prepare(string sql, ReadOnlySpan<object?> parameters)
    {
        if (DuckDbFunctions.duckdb_prepare(_handle, sql, out var statement) != 0)
        {
            var message = Message(DuckDbFunctions.duckdb_prepare_error(statement));
            DuckDbFunctions.duckdb_destroy_prepare(ref statement);
            throw new DuckDbException(message);
        }
        try
        {
            var expected = DuckDbFunctions.duckdb_nparams(statement);
            if (expected != (ulong)parameters.Length)
                throw new ArgumentException($"Expected {expected} parameters for '{sql}'; found {parameters.Length}.", nameof(parameters));
            for (var i = 0; i < parameters.Length; i++)
                Bind(statement, (ulong)i + 1, parameters[i]);
            return statement;
        }
        catch
        {
            DuckDbFunctions.duckdb_destroy_prepare(ref statement);
            throw;
        }
    }

    private static void Bind(nint statement, ulong index, object? value)
    {
        var state = value switch
        {
            null => DuckDbFunctions.duckdb_bind_null(statement, index),
            bool truth => DuckDbFunctions.duckdb_bind_boolean(statement, index, truth),
            int whole => DuckDbFunctions.duckdb_bind_int64(statement, index, whole),
            long whole => DuckDbFunctions.duckdb_bind_int64(statement, index, whole),
            float single => DuckDbFunctions.duckdb_bind_float(statement, index, single),
            double number => DuckDbFunctions.duckdb_bind_double(statement, index, number),
            string text => BindText(statement, index, text),
            _ => throw new ArgumentException($"Expected null, bool, int, long, float, double or string; found {value.GetType()}.", nameof(value)),
        };
        if (state != 0)
            throw new DuckDbException($"DuckDB did not take parameter {index}.");
    }

    private static int BindText(nint statement, ulong index, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* start = bytes)
        {
            byte empty = 0;
            return DuckDbFunctions.duckdb_bind_varchar_length(statement, index, start == null ? &empty : start, (ulong)bytes.Length);
        }
    }

    /// <summary>The database that connections share; closed with the last of them.</summary>
    private sealed class Database(nint handle)
    {
        private nint _handle = handle;

        public nint Handle => _handle;

        public int Users { get; set; }

        public static Database Open(string? file, IEnumerable<(string Name, string Value)> settings)
        {
            if (DuckDbFunctions.duckdb_create_config(out var config) != 0)
                throw new DuckDbException("DuckDB gave no configuration.");
            try
            {
                foreach (var (name, value) in settings)
                    if (DuckDbFunctions.duckdb_set_config(config, name, value) != 0)
                        throw new DuckDbException($"DuckDB does not know the setting {name} = {value}.");
                if (DuckDbFunctions.duckdb_open_ext(file, out var handle, config, out var error) == 0)
                    return new Database(handle);
                var message = Message(error);
                DuckDbFunctions.duckdb_free(error);
                throw new DuckDbException(message);
            }
            finally
            {
                DuckDbFunctions.duckdb_destroy_config(ref config);
            }
        }

        public void Close() => DuckDbFunctions.duckdb_close(ref _handle);
    }
}
