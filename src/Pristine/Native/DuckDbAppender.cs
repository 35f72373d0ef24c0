using System.Text;
using DuckDB.NET.Native;
using Functions = DuckDB.NET.Native.NativeMethods.Appender;

namespace Pristine.Native;

/// <summary>
/// Appends rows to a table, value by value in the order of its columns: the fast way in. Rows are in the table after
/// <see cref="Complete"/>; without it the last of them may be lost. DuckDB.NET.Data's appender takes 0.8 of the processor time and
/// allocates an object per row; it would bring a second kind of connection.
/// </summary>
internal sealed class DuckDbAppender : IDisposable
{
    private readonly string _table;
    private readonly DuckDBAppender _handle;

    internal DuckDbAppender(DuckDBNativeConnection connection, string table)
    {
        _table = table;
        if (Functions.DuckDBAppenderCreate(connection, null, table, out _handle) == DuckDBState.Success)
            return;
        var message = Error();
        Dispose();
        throw new DuckDbException(message);
    }

    public void Append(string? text)
    {
        if (text == null)
            AppendNull();
        else
            Check(Functions.DuckDBAppendVarchar(_handle, text, Encoding.UTF8.GetByteCount(text)));
    }

    public void Append(bool value) => Check(Functions.DuckDBAppendBool(_handle, value));

    /// <summary>Appends to a column of whole numbers of any width; a value that does not fit fails.</summary>
    public void Append(long value) => Check(Functions.DuckDBAppendInt64(_handle, value));

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
            Check(Functions.DuckDBAppendFloat(_handle, (float)value));
    }

    /// <summary>Appends to a DOUBLE column; NaN, which stands for a missing score, becomes NULL.</summary>
    public void AppendDouble(double value)
    {
        if (double.IsNaN(value))
            AppendNull();
        else
            Check(Functions.DuckDBAppendDouble(_handle, value));
    }

    /// <summary>Appends to a TIMESTAMP column.</summary>
    /// <param name="microseconds">Since 1970-01-01 UTC; null for NULL.</param>
    public void AppendTimestamp(long? microseconds)
    {
        if (microseconds is { } present)
            Check(Functions.DuckDBAppendTimestamp(_handle, new DuckDBTimestampStruct { Micros = present }));
        else
            AppendNull();
    }

    public void AppendNull() => Check(Functions.DuckDBAppendNull(_handle));

    /// <summary>Ends a row.</summary>
    /// <exception cref="DuckDbException">It has too few values.</exception>
    public void EndRow() => Check(Functions.DuckDBAppenderEndRow(_handle));

    /// <summary>Puts all rows into the table.</summary>
    /// <exception cref="DuckDbException">A row breaks a constraint of the table, or is not whole.</exception>
    public void Complete() => Check(Functions.DuckDBAppenderClose(_handle));

    public void Dispose() => _handle.Dispose();

    private void Check(DuckDBState state)
    {
        if (state != DuckDBState.Success)
            throw new DuckDbException($"Appending to the table '{_table}': {Error()}");
    }

    private string Error()
    {
        using var error = Functions.DuckDBAppenderErrorData(_handle);
        return NativeMethods.ErrorData.DuckDBErrorDataMessage(error);
    }
}
