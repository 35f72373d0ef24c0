using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DuckDB.NET.Native;
using Functions = DuckDB.NET.Native.NativeMethods;

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

    /// <summary>
    /// Where to spill; null for a folder in the system's own for temporary files, which goes with the database; empty for nowhere.
    /// </summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>
    /// Whether what Parquet files say of themselves stays in memory, for many queries of the same files; a file that has changed is read
    /// again.
    /// </summary>
    public bool KeepsFileMetadata { get; init; }
}

/// <summary>What DuckDB refused, in its own words.</summary>
internal sealed class DuckDbException(string message) : IOException(message);

/// <summary>
/// A connection to a DuckDB database. Extensions are never downloaded or loaded. Not thread-safe; only <see cref="Interrupt"/> may be
/// called from another thread. Values never become part of a statement's text: they are parameters.
/// </summary>
internal sealed partial class DuckDbConnection : IDisposable
{
    private readonly Database _database;
    private readonly DuckDBNativeConnection _handle;
    private bool _disposed;

    private DuckDbConnection(Database database)
    {
        _database = database;
        if (Functions.Startup.DuckDBConnect(database.Handle, out _handle) != DuckDBState.Success)
            throw new DuckDbException("DuckDB gave no connection to its database.");
        database.Users++;
    }

    /// <summary>Opens a database and connects to it.</summary>
    /// <exception cref="DuckDbException">The file is not a database, or is open elsewhere.</exception>
    /// <exception cref="DllNotFoundException">The library is not here.</exception>
    public static DuckDbConnection Open(DuckDbOptions? options = null)
    {
        options ??= new DuckDbOptions();
        var scratch = options.TemporaryFolder == null ? Database.Scratch() : null;
        var database = Database.Open(options.File, scratch, [
            ("threads", options.Threads.ToString(CultureInfo.InvariantCulture)),
            ("memory_limit", $"{options.MemoryLimit.ToString(CultureInfo.InvariantCulture)}B"),
            ("temp_directory", scratch?.FileOf("spill") ?? options.TemporaryFolder ?? ""),
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
            ("allow_community_extensions", "false"),
        ]);
        try
        {
            var connection = new DuckDbConnection(database);
            if (options.KeepsFileMetadata)
                connection.Execute("SET GLOBAL parquet_metadata_cache = true");
            return connection;
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
        DuckDBResult result;
        if (parameters.IsEmpty)
        {
            var state = Functions.Query.DuckDBQuery(_handle, sql, out result);
            return Finish(ref result, state);
        }
        using (var statement = Prepare(sql, parameters))
        {
            var state = Functions.PreparedStatements.DuckDBExecutePrepared(statement, out result);
            return Finish(ref result, state);
        }
    }

    /// <summary>Runs a query whose rows are computed while they are read. Another statement on this connection ends it.</summary>
    /// <param name="sql">The query; <c>$1</c>, <c>$2</c> are parameters.</param>
    /// <param name="parameters">Null, bool, int, long, float, double or string.</param>
    /// <exception cref="DuckDbException">The query failed; it may also fail while it is read.</exception>
    public DuckDbReader Query(string sql, params ReadOnlySpan<object?> parameters)
    {
        using var statement = Prepare(sql, parameters);
        if (Functions.PreparedStatements.DuckDBExecutePreparedStreaming(statement, out var result) == DuckDBState.Success)
            return new DuckDbReader(result);
        var message = Functions.Query.DuckDBResultError(ref result);
        Functions.Query.DuckDBDestroyResult(ref result);
        throw new DuckDbException(message);
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
    public void Interrupt() => Functions.Startup.DuckDBInterrupt(_handle);

    /// <summary>A text as an SQL literal.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A name as an SQL identifier.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _handle.Dispose();
        if (--_database.Users == 0)
            _database.Close();
    }

    private static long Finish(ref DuckDBResult result, DuckDBState state)
    {
        try
        {
            return state == DuckDBState.Success
                ? Functions.Query.DuckDBRowsChanged(ref result)
                : throw new DuckDbException(Functions.Query.DuckDBResultError(ref result));
        }
        finally
        {
            Functions.Query.DuckDBDestroyResult(ref result);
        }
    }

    private DuckDBPreparedStatement Prepare(string sql, ReadOnlySpan<object?> parameters)
    {
        var state = Functions.PreparedStatements.DuckDBPrepare(_handle, sql, out var statement);
        try
        {
            if (state != DuckDBState.Success)
                throw new DuckDbException(Functions.PreparedStatements.DuckDBPrepareError(statement));
            var expected = Functions.PreparedStatements.DuckDBParams(statement);
            if (expected != parameters.Length)
                throw new ArgumentException($"Expected {expected} parameters for '{sql}'; found {parameters.Length}.", nameof(parameters));
            for (var i = 0; i < parameters.Length; i++)
                Bind(statement, i + 1, parameters[i]);
            return statement;
        }
        catch
        {
            statement.Dispose();
            throw;
        }
    }

    private static void Bind(DuckDBPreparedStatement statement, long index, object? value)
    {
        var state = value switch
        {
            null => Functions.PreparedStatements.DuckDBBindNull(statement, index),
            bool truth => Functions.PreparedStatements.DuckDBBindBoolean(statement, index, truth),
            int whole => Functions.PreparedStatements.DuckDBBindInt64(statement, index, whole),
            long whole => Functions.PreparedStatements.DuckDBBindInt64(statement, index, whole),
            float single => Functions.PreparedStatements.DuckDBBindFloat(statement, index, single),
            double number => Functions.PreparedStatements.DuckDBBindDouble(statement, index, number),
            string text => BindText(statement, index, text),
            _ => throw new ArgumentException(
                $"Expected null, bool, int, long, float, double or string; found {value.GetType()}.", nameof(value)),
        };
        if (state != DuckDBState.Success)
            throw new DuckDbException($"DuckDB did not take parameter {index}.");
    }

    private static DuckDBState BindText(DuckDBPreparedStatement statement, long index, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return duckdb_bind_varchar_length(statement, (ulong)index, bytes, (ulong)bytes.Length);
    }

    // The package's DuckDBBindVarchar ends a text at its first NUL.
    [LibraryImport(NativeLibraries.DuckDb)]
    private static partial DuckDBState duckdb_bind_varchar_length(
        DuckDBPreparedStatement statement, ulong index, ReadOnlySpan<byte> text, ulong length);

    /// <summary>The database that connections share; closed with the last of them.</summary>
    private sealed class Database(DuckDBDatabase handle, ScratchFolder? scratch)
    {
        public DuckDBDatabase Handle { get; } = handle;

        public int Users { get; set; }

        /// <summary>A folder to spill to; null where none can be made, as in a container without a place for temporary files.</summary>
        public static ScratchFolder? Scratch()
        {
            try
            {
                return ScratchFolder.Create("duckdb");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }

        public static Database Open(string? file, ScratchFolder? scratch, IEnumerable<(string Name, string Value)> settings)
        {
            DuckDb.Load();
            if (Functions.Configuration.DuckDBCreateConfig(out var config) != DuckDBState.Success)
                throw new DuckDbException("DuckDB gave no configuration.");
            using (config)
            {
                foreach (var (name, value) in settings)
                    if (Functions.Configuration.DuckDBSetConfig(config, name, value) != DuckDBState.Success)
                        throw new DuckDbException($"DuckDB does not know the setting {name} = {value}.");
                return Functions.Startup.DuckDBOpen(file, out var handle, config, out var error) == DuckDBState.Success
                    ? new Database(handle, scratch)
                    : throw new DuckDbException(error);
            }
        }

        public void Close()
        {
            Handle.Dispose();
            scratch?.Dispose();
        }
    }
}
