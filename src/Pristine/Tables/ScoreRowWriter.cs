using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Pristine.Tables;

/// <summary>
/// Writes rows to a stream, one line each. A missing value is <c>null</c> in JSONL and empty in CSV; NaN and infinity never appear.
/// </summary>
public abstract class ScoreRowWriter : IDisposable
{
    private const int FlushAt = 1 << 16;
    private readonly Stream _stream;

    /// <summary>Makes a writer on a stream that stays the caller's.</summary>
    /// <param name="stream">Where to write.</param>
    /// <param name="columns">The columns of the rows.</param>
    protected ScoreRowWriter(Stream stream, TableSchema columns)
    {
        _stream = stream;
        Columns = [.. columns.Stored];
    }

    /// <summary>Opens a writer for a format.</summary>
    /// <param name="format"><c>jsonl</c> or <c>csv</c>.</param>
    /// <param name="stream">Where to write; not closed.</param>
    /// <param name="columns">The columns of the rows.</param>
    /// <exception cref="ArgumentException">The format is neither.</exception>
    public static ScoreRowWriter Create(string format, Stream stream, TableSchema columns) => format switch
    {
        "jsonl" => new JsonlRowWriter(stream, columns),
        "csv" => new CsvRowWriter(stream, columns),
        _ => throw new ArgumentException($"Expected the format jsonl or csv; found '{format}'.", nameof(format)),
    };

    /// <summary>The columns of the file.</summary>
    protected IReadOnlyList<Column> Columns { get; }

    /// <summary>Whole lines that are not yet on the stream.</summary>
    protected ArrayBufferWriter<byte> Buffer { get; } = new(FlushAt * 2);

    /// <summary>Writes a row as a whole line.</summary>
    /// <param name="row">The row.</param>
    public void Write(ScoreRow row)
    {
        AppendLine(row);
        if (Buffer.WrittenCount >= FlushAt)
            Flush();
    }

    /// <summary>Puts all whole lines on the stream.</summary>
    public void Flush()
    {
        _stream.Write(Buffer.WrittenSpan);
        _stream.Flush();
        Buffer.ResetWrittenCount();
    }

    /// <summary>Appends the row's line to <see cref="Buffer"/>.</summary>
    /// <param name="row">The row.</param>
    protected abstract void AppendLine(ScoreRow row);

    /// <summary>
    /// The shortest text that gives the same number back: as a float for scores (that is what they are rounded to), exact for whole
    /// numbers.
    /// </summary>
    protected internal static string Number(double value) =>
        value == Math.Floor(value) && Math.Abs(value) < 1e15
            ? value.ToString("F0", CultureInfo.InvariantCulture)
            : (float)value == value
            ? ((float)value).ToString("R", CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Flushes.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Flush();
    }
}

/// <summary>One JSON object per row; keys are the columns' names, and only a map has keys of its own.</summary>
internal sealed class JsonlRowWriter : ScoreRowWriter
{
    private readonly Utf8JsonWriter _json;
    private readonly ScoreRowJson _rows;

    public JsonlRowWriter(Stream stream, TableSchema columns)
        : base(stream, columns) => (_json, _rows) = (ScoreRowJson.CreateWriter(Buffer), new ScoreRowJson(columns));

    protected override void AppendLine(ScoreRow row)
    {
        _json.WriteStartObject();
        _rows.WriteColumns(_json, row);
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        Buffer.Write("\n"u8);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _json.Dispose();
    }
}

/// <summary>
/// Writes the columns of rows into JSON objects: <c>null</c> for what is missing, numbers as <see cref="ScoreRowWriter"/> writes them.
/// </summary>
/// <param name="columns">The columns of the rows.</param>
internal sealed class ScoreRowJson(TableSchema columns)
{
    private readonly (Column Column, JsonEncodedText Name)[] _columns =
        [.. columns.Stored.Select(column => (column, JsonEncodedText.Encode(column.Name)))];

    /// <summary>Makes a JSON writer. Paths and captions in any language stay readable; the output is not embedded in HTML.</summary>
    /// <param name="buffer">Gets the bytes.</param>
    public static Utf8JsonWriter CreateWriter(IBufferWriter<byte> buffer) =>
        new(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Writes a property for each column into the object that the writer has open.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="row">The row.</param>
    public void WriteColumns(Utf8JsonWriter json, ScoreRow row)
    {
        foreach (var (column, name) in _columns)
        {
            json.WritePropertyName(name);
            if (column.MapOf is { } map)
                WriteMap(json, map(row));
            else if (column.VectorOf is { } vector)
                WriteVector(json, vector(row));
            else if (!column.IsNumber)
                json.WriteStringValue(column.Text(row));
            else if (column.Number(row) is var number && double.IsFinite(number))
                json.WriteRawValue(ScoreRowWriter.Number(number), skipInputValidation: true);
            else
                json.WriteNullValue();
        }
    }

    private static void WriteVector(Utf8JsonWriter json, float[]? vector)
    {
        if (vector == null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartArray();
        foreach (var number in vector)
        {
            if (float.IsFinite(number))
                json.WriteNumberValue(number);
            else
                json.WriteNullValue();
        }
        json.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter json, SkippedScores? map)
    {
        if (map == null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        foreach (var (name, text) in map)
            json.WriteString(name, text);
        json.WriteEndObject();
    }
}

/// <summary>RFC 4180 with a header line and LF line ends.</summary>
internal sealed class CsvRowWriter : ScoreRowWriter
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");
    private readonly StringBuilder _line = new();

    public CsvRowWriter(Stream stream, TableSchema columns)
        : base(stream, columns) =>
        Encoding.UTF8.GetBytes(string.Join(',', Columns.Select(column => Quoted(column.Name))) + "\n", Buffer);

    protected override void AppendLine(ScoreRow row)
    {
        _line.Clear();
        foreach (var column in Columns)
        {
            if (_line.Length > 0)
                _line.Append(',');
            if (!column.IsNumber)
                _line.Append(Quoted(column.Text(row) ?? ""));
            else if (column.Number(row) is var number && double.IsFinite(number))
                _line.Append(Number(number));
        }
        _line.Append('\n');
        Encoding.UTF8.GetBytes(_line.ToString(), Buffer);
    }

    internal static string Quoted(string text) =>
        text.AsSpan().ContainsAny(NeedQuotes) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
