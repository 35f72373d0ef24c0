using System.Buffers;
using System.Text;

namespace Pristine.Native;

/// <summary>
/// Appends rows to a table, value by value in the order of its columns: the fast way in. Rows are in the table after
/// <see cref="Complete"/>; without it the last of them may be lost.
/// </summary>
internal sealed unsafe class DuckDbAppender : IDisposable
{
    private readonly string _table;
    private nint _handle;

    internal DuckDbAppender(nint connection, string table)
    {
        _table = table;
        if (DuckDbFunctions.duckdb_appender_create(connection, null, table, out _handle) == 0)
            return;
        var message = Error();
        Dispose();
        throw new DuckDbException(message);
    }

    public void Append(string? text)
    {
        if (text == null)
        {
            AppendNull();
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length) + 1);
        var length = Encoding.UTF8.GetBytes(text, buffer);
        fixed (byte* start = buffer)
            Check(DuckDbFunctions.duckdb_append_varchar_length(_handle, start, (ulong)length));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    public void Append(bool value) => Check(DuckDbFunctions.duckdb_append_bool(_handle, value));

    /// <summary>Appends to a column of whole numbers of any width; a value that does not fit fails.</summary>
    public void Append(long value) => Check(DuckDbFunctions.duckdb_append_int64(_handle, value));

    public void Append(long? value)
    {
        if (value is { } present)
            Append(present);
        else
            AppendNull();
    }

    /// <summary>Appends to a FLOAT column; NaN, which stands for a missing score, becomes NULL.</summary>
    public void AppendFloat(double value)
    {
        if (double.IsNaN(value))
            AppendNull();
        else
            Check(DuckDbFunctions.duckdb_append_float(_handle, (float)value));
    }

    /// <summary>Appends to a DOUBLE column; NaN, which stands for a missing score, becomes NULL.</summary>
    public void AppendDouble(double value)
    {
        if (double.IsNaN(value))
            AppendNull();
        else
            Check(DuckDbFunctions.duckdb_append_double(_handle, value));
    }

    /// <summary>Appends to a TIMESTAMP column.</summary>
    /// <param name="microseconds">Since 1970-01-01 UTC; null for NULL.</param>
    public void AppendTimestamp(long? microseconds)
    {
        if (microseconds is { } present)
            Check(DuckDbFunctions.duckdb_append_timestamp(_handle, present));
        else
            AppendNull();
    }

    public void AppendNull() => Check(DuckDbFunctions.duckdb_append_null(_handle));

    /// <summary>Ends a row.</summary>
    /// <exception cref="DuckDbException">It has too few values.</exception>
    public void EndRow() => Check(DuckDbFunctions.duckdb_appender_end_row(_handle));

    /// <summary>Puts all rows into the table.</summary>
    /// <exception cref="DuckDbException">A row breaks a constraint of the table, or is not whole.</exception>
    public void Complete() => Check(DuckDbFunctions.duckdb_appender_close(_handle));

    public void Dispose()
    {
        // Its state repeats what Complete told, or concerns rows that were given up.
        if (_handle != 0)
            _ = DuckDbFunctions.duckdb_appender_destroy(ref _handle);
        _handle = 0;
    }

    private void Check(int state)
    {
        if (state != 0)
            throw new DuckDbException($"Appending to the table '{_table}': {Error()}");
    }

    private string Error() => DuckDbConnection.Message(DuckDbFunctions.duckdb_appender_error(_handle));
}
