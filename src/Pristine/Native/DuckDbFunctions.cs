using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// The functions of DuckDB's C API that <see cref="DuckDbConnection"/> and its companions call, by their C names. A state of 0 is
/// success. Texts that DuckDB hands out belong to the object they came from.
/// </summary>
internal static unsafe partial class DuckDbFunctions
{
    private const string Library = NativeLibraries.DuckDb;

    /// <summary>duckdb_result: the first five fields are deprecated, the last is what the functions use.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Result
    {
        private readonly ulong _columnCount;
        private readonly ulong _rowCount;
        private readonly ulong _rowsChanged;
        private readonly nint _columns;
        private readonly nint _errorMessage;
        private readonly nint _internalData;
    }

    [LibraryImport(Library)]
    public static partial int duckdb_create_config(out nint config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_set_config(nint config, string name, string option);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_config(ref nint config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_open_ext(string? path, out nint database, nint config, out nint error);

    [LibraryImport(Library)]
    public static partial void duckdb_close(ref nint database);

    [LibraryImport(Library)]
    public static partial void duckdb_free(nint pointer);

    [LibraryImport(Library)]
    public static partial int duckdb_connect(nint database, out nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_disconnect(ref nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_interrupt(nint connection);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_query(nint connection, string sql, Result* result);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_prepare(nint connection, string sql, out nint statement);

    [LibraryImport(Library)]
    public static partial nint duckdb_prepare_error(nint statement);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_prepare(ref nint statement);

    [LibraryImport(Library)]
    public static partial ulong duckdb_nparams(nint statement);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_null(nint statement, ulong index);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_boolean(nint statement, ulong index, [MarshalAs(UnmanagedType.U1)] bool value);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_int64(nint statement, ulong index, long value);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_float(nint statement, ulong index, float value);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_double(nint statement, ulong index, double value);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_varchar_length(nint statement, ulong index, byte* value, ulong length);

    [LibraryImport(Library)]
    public static partial int duckdb_execute_prepared(nint statement, Result* result);

    [LibraryImport(Library)]
    public static partial int duckdb_pending_prepared_streaming(nint statement, out nint pending);

    [LibraryImport(Library)]
    public static partial nint duckdb_pending_error(nint pending);

    [LibraryImport(Library)]
    public static partial int duckdb_execute_pending(nint pending, Result* result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_pending(ref nint pending);

    [LibraryImport(Library)]
    public static partial nint duckdb_result_error(Result* result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_result(Result* result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_rows_changed(Result* result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_column_count(Result* result);

    [LibraryImport(Library)]
    public static partial nint duckdb_column_name(Result* result, ulong column);

    [LibraryImport(Library)]
    public static partial DuckDbType duckdb_column_type(Result* result, ulong column);

    [LibraryImport(Library)]
    public static partial nint duckdb_fetch_chunk(Result result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_data_chunk_get_size(nint chunk);

    [LibraryImport(Library)]
    public static partial nint duckdb_data_chunk_get_vector(nint chunk, ulong column);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_data_chunk(ref nint chunk);

    [LibraryImport(Library)]
    public static partial void* duckdb_vector_get_data(nint vector);

    [LibraryImport(Library)]
    public static partial ulong* duckdb_vector_get_validity(nint vector);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_appender_create(nint connection, string? schema, string table, out nint appender);

    [LibraryImport(Library)]
    public static partial nint duckdb_appender_error(nint appender);

    [LibraryImport(Library)]
    public static partial int duckdb_appender_close(nint appender);

    [LibraryImport(Library)]
    public static partial int duckdb_appender_destroy(ref nint appender);

    [LibraryImport(Library)]
    public static partial int duckdb_appender_end_row(nint appender);

    [LibraryImport(Library)]
    public static partial int duckdb_append_null(nint appender);

    [LibraryImport(Library)]
    public static partial int duckdb_append_bool(nint appender, [MarshalAs(UnmanagedType.U1)] bool value);

    [LibraryImport(Library)]
    public static partial int duckdb_append_int64(nint appender, long value);

    [LibraryImport(Library)]
    public static partial int duckdb_append_float(nint appender, float value);

    [LibraryImport(Library)]
    public static partial int duckdb_append_double(nint appender, double value);

    [LibraryImport(Library)]
    public static partial int duckdb_append_timestamp(nint appender, long microseconds);

    [LibraryImport(Library)]
    public static partial int duckdb_append_varchar_length(nint appender, byte* value, ulong length);
}

/// <summary>A column's type, as duckdb_type numbers it; only those that <see cref="DuckDbReader"/> reads.</summary>
internal enum DuckDbType
{
    Invalid = 0,
    Boolean = 1,
    TinyInt = 2,
    SmallInt = 3,
    Integer = 4,
    BigInt = 5,
    UTinyInt = 6,
    USmallInt = 7,
    UInteger = 8,
    UBigInt = 9,
    Float = 10,
    Double = 11,
    Timestamp = 12,
    Varchar = 17,
    Blob = 18,
}
