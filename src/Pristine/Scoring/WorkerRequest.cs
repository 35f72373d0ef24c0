using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>A line of a worker's input.</summary>
/// <param name="Index">Its position among the lines that are not blank, from 0.</param>
/// <param name="Number">Its line number, from 1.</param>
/// <param name="Text">The line; empty where it is too long.</param>
/// <param name="IsTooLong">True when it is longer than is read.</param>
internal readonly record struct WorkerLine(long Index, long Number, ReadOnlyMemory<byte> Text, bool IsTooLong);

/// <summary>What a worker says to a line.</summary>
internal sealed record WorkerReply
{
    /// <summary>The request's own name for itself, as JSON; empty where it has none.</summary>
    public ReadOnlyMemory<byte> Request { get; init; }

    /// <summary>The rows of the images; null where nothing was scored.</summary>
    public IReadOnlyList<ScoreRow>? Rows { get; init; }

    /// <summary>True when the request was a record, whose rows are a list.</summary>
    public bool IsRecord { get; init; }

    /// <summary>What was expected and found, where the line was no request; else null.</summary>
    public string? Error { get; init; }
}

/// <summary>One thread of a worker: understands requests and scores what they name.</summary>
/// <param name="scoring">Metrics, gates, decoding.</param>
/// <param name="options">How requests are read.</param>
internal sealed class WorkerThread(ScoringOptions scoring, ScoringWorkerOptions options) : IDisposable
{
    private const string Name = "name";
    private const string Request = "request";
    private static readonly string[] Kinds = ["path", "bytes", "record", "hello"];

    private readonly ImageScorer _scorer = new(scoring, null);
    private readonly RecordReader _records = new(options.ImageRoot, options.ImageField, options.Remote);

    /// <summary>Answers a line. Whatever is wrong with it becomes the reply.</summary>
    /// <param name="line">The line.</param>
    public WorkerReply Answer(WorkerLine line)
    {
        var request = ReadOnlyMemory<byte>.Empty;
        string error;
        try
        {
            if (line.IsTooLong)
                throw new FormatException($"expected lines of at most {options.MostLineBytes} bytes; found a longer one");
            using var document = RecordJson.Parse(line.Text);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new FormatException($"expected a JSON object; found {RecordReader.Kind(root)}");
            if (RecordJson.Field(root, "request"u8) is { } id)
                request = RequestId(id);
            return Answer(root, line) with { Request = request };
        }
        catch (JsonException exception)
        {
            error = $"expected a JSON object; {RecordReader.Describe(exception)} (byte {exception.BytePositionInLine} of the line)";
        }
        catch (FormatException exception)
        {
            error = exception.Message;
        }
        return new WorkerReply { Request = request, Error = string.Create(CultureInfo.InvariantCulture, $"line {line.Number}: {error}") };
    }

    /// <inheritdoc/>
    public void Dispose() => _scorer.Dispose();

    private WorkerReply Answer(JsonElement root, WorkerLine line)
    {
        var (kind, value, name) = Read(root);
        if (name != null && kind != "bytes")
            throw new FormatException("expected 'name' beside 'bytes' only");
        return kind switch
        {
            "path" => Row(RecordReader.SourceOf(Text(kind, value), options.ImageRoot, options.Remote)),
            "bytes" => Row(new MemorySource(name ?? string.Create(CultureInfo.InvariantCulture, $"#{line.Index}"), Bytes(value))),
            "record" => Record(value, line),
            _ => Hello(value),
        };
    }

    /// <summary>The one field that says what is asked, and the name of bytes.</summary>
    /// <exception cref="FormatException">There is none, there are two, or one that is not known.</exception>
    private static (string Kind, JsonElement Value, string? Name) Read(JsonElement root)
    {
        string? kind = null;
        string? name = null;
        JsonElement value = default;
        foreach (var field in root.EnumerateObject())
        {
            var found = RecordJson.Name(field);
            if (found == Name)
                name = Text(Name, field.Value);
            else if (Array.IndexOf(Kinds, found) >= 0)
            {
                if (kind != null)
                    throw new FormatException($"expected one of {string.Join(", ", Kinds)}; found '{kind}' and '{found}'");
                (kind, value) = (found, field.Value);
            }
            else if (found != Request)
                throw new FormatException($"expected the fields {string.Join(", ", Kinds)}, {Name}, {Request}; found '{found}'");
        }
        return kind == null
            ? throw new FormatException($"expected one of the fields {string.Join(", ", Kinds)}; found none")
            : (kind, value, name);
    }

    private WorkerReply Row(MediaSource image) => new() { Rows = [_scorer.Score(image)] };

    private WorkerReply Record(JsonElement value, WorkerLine line)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw new FormatException($"expected 'record' to be an object; found {RecordReader.Kind(value)}");
        var raw = JsonMarshal.GetRawUtf8Value(value);
        var record = line.Text.Span.Overlaps(raw, out var offset) ? line.Text.Slice(offset, raw.Length) : raw.ToArray();
        var item = _records.Read(line.Index, default, record, default, string.Create(CultureInfo.InvariantCulture, $"line {line.Number}"));
        return new WorkerReply { Rows = _scorer.Score(item, 0).Rows, IsRecord = true };
    }

    private static WorkerReply Hello(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var protocol) && protocol == ScoringWorker.Protocol
            ? new WorkerReply()
            : throw new FormatException(
                $"expected 'hello' to be the version of the protocol, {ScoringWorker.Protocol}; found {Shown(value)}");

    /// <summary>A number or a string as it stands in the line; empty for null.</summary>
    private static ReadOnlyMemory<byte> RequestId(JsonElement id) => id.ValueKind switch
    {
        JsonValueKind.Null => default,
        JsonValueKind.Number => JsonMarshal.GetRawUtf8Value(id).ToArray(),
        JsonValueKind.String when Utf8.IsValid(JsonMarshal.GetRawUtf8Value(id)) => JsonMarshal.GetRawUtf8Value(id).ToArray(),
        JsonValueKind.String => throw new FormatException("expected 'request' to be text in UTF-8; found other bytes"),
        _ => throw new FormatException($"expected 'request' to be a string or a number; found {RecordReader.Kind(id)}"),
    };

    private static string Text(string field, JsonElement value) => value.ValueKind != JsonValueKind.String
        ? throw new FormatException($"expected '{field}' to be a string; found {RecordReader.Kind(value)}")
        : RecordJson.Text(value) is { Length: > 0 } text ? text
        : throw new FormatException($"expected '{field}' to be a text; found an empty one");

    private static byte[] Bytes(JsonElement value) =>
        value.ValueKind != JsonValueKind.String
        ? throw new FormatException($"expected 'bytes' to be a string of base64; found {RecordReader.Kind(value)}")
        : value.TryGetBytesFromBase64(out var bytes) ? bytes
        : throw new FormatException("expected 'bytes' to be valid base64; it is not");

    private static string Shown(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number ? value.GetRawText() : RecordReader.Kind(value);
}
