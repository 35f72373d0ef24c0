using System.Buffers;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Remote;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>How a worker reads requests.</summary>
internal sealed record ScoringWorkerOptions
{
    /// <summary>Folder against which relative paths are resolved; empty for the current one.</summary>
    public string ImageRoot { get; init; } = "";

    /// <summary>Reads addresses; null for the default limits.</summary>
    public RemoteAccess? Remote { get; init; }

    /// <summary>The field of records that names their images; null to find it.</summary>
    public string? ImageField { get; init; }

    /// <summary>Longest line that is read, in bytes.</summary>
    public int MostLineBytes { get; init; } = LineReader.MaxRecordBytes;
}

/// <summary>
/// Scores what the lines of a stream ask for, one JSON object each, and writes a JSON object for each of them, in order and as soon as it
/// is known. docs/worker.md describes the lines. What is wrong with one line or image is the answer to it.
/// </summary>
internal static class ScoringWorker
{
    /// <summary>The version of the protocol. Another one means that a program that speaks this one may misunderstand a reply.</summary>
    public const int Protocol = 1;

    /// <summary>Works until the input ends.</summary>
    /// <param name="input">The requests.</param>
    /// <param name="output">Gets the replies; flushed after each.</param>
    /// <param name="scoring">Metrics, workers, decoding.</param>
    /// <param name="options">How requests are read.</param>
    /// <returns>How many rows have failed, lines that are no requests among them.</returns>
    /// <exception cref="ModelException">A metric cannot run here.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public static long Run(Stream input, Stream output, ScoringOptions scoring, ScoringWorkerOptions options)
    {
        scoring.RequireModels();
        var replies = OrderedPipeline<WorkerLine, WorkerReply, WorkerThread>.Run(
            Lines(input, options),
            scoring.Workers,
            scoring.Workers * ScoringRun.ItemsInFlightPerWorker,
            () => new WorkerThread(scoring, options),
            (thread, line) => thread.Answer(line),
            CancellationToken.None,
            line => line.Text.Length);
        using var writer = new WorkerReplyWriter(output, scoring, options);
        var failed = 0L;
        foreach (var reply in replies)
        {
            writer.Write(reply);
            failed += reply.Error != null ? 1 : reply.Rows?.Count(row => row.Failed) ?? 0;
        }
        return failed;
    }

    private static IEnumerable<WorkerLine> Lines(Stream input, ScoringWorkerOptions options)
    {
        var lines = new LineReader(input, "-", longest: options.MostLineBytes);
        var index = 0L;
        while (lines.Next(out var line, out var isTooLong))
            if (isTooLong || !IsBlank(line.Text.Span))
                yield return new WorkerLine(index++, line.Number, line.Text, isTooLong);
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;
}

/// <summary>Writes replies, one line each, and gives the rows their positions.</summary>
internal sealed class WorkerReplyWriter : IDisposable
{
    private readonly Stream _stream;
    private readonly ScoringOptions _scoring;
    private readonly ScoringWorkerOptions _options;
    private readonly TableSchema _columns;
    private readonly ScoreRowJson _rows;
    private readonly ArrayBufferWriter<byte> _buffer = new(1 << 12);
    private readonly Utf8JsonWriter _json;
    private long _items;
    private long _images;

    public WorkerReplyWriter(Stream stream, ScoringOptions scoring, ScoringWorkerOptions options)
    {
        (_stream, _scoring, _options) = (stream, scoring, options);
        _columns = TableSchema.Of(scoring.AllMetrics);
        _rows = new ScoreRowJson(_columns);
        _json = ScoreRowJson.CreateWriter(_buffer);
    }

    /// <summary>Writes a reply and flushes it.</summary>
    /// <param name="reply">The reply.</param>
    public void Write(WorkerReply reply)
    {
        _json.WriteStartObject();
        _json.WritePropertyName("request"u8);
        if (reply.Request.IsEmpty)
            _json.WriteNullValue();
        else
            _json.WriteRawValue(reply.Request.Span, skipInputValidation: true);
        if (reply.Rows is { } rows)
            WriteRows(rows, reply.IsRecord);
        else if (reply.Error is { } error)
        {
            _json.WriteString("status"u8, "bad_request"u8);
            _json.WriteString("error"u8, error);
        }
        else
            WriteHello();
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        _buffer.Write("\n"u8);
        _stream.Write(_buffer.WrittenSpan);
        _stream.Flush();
        _buffer.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void WriteRows(IReadOnlyList<ScoreRow> rows, bool isRecord)
    {
        if (isRecord)
            _json.WriteStartArray("rows"u8);
        foreach (var row in rows)
        {
            if (isRecord)
                _json.WriteStartObject();
            _rows.WriteColumns(_json, row with { Key = _images++, ItemIndex = _items });
            if (isRecord)
                _json.WriteEndObject();
        }
        if (isRecord)
            _json.WriteEndArray();
        _items++;
    }

    private void WriteHello()
    {
        _json.WriteStartObject("hello"u8);
        _json.WriteNumber("protocol"u8, ScoringWorker.Protocol);
        _json.WriteString("program"u8, TableProvenance.CurrentProgram);
        _json.WriteNumber("workers"u8, _scoring.Workers);
        _json.WriteNumber("max_line_bytes"u8, _options.MostLineBytes);
        _json.WriteNumber("max_file_bytes"u8, _scoring.Imaging.MaxFileBytes);
        _json.WriteNumber("max_pixels"u8, _scoring.Imaging.MaxPixels);
        _json.WriteStartArray("metrics"u8);
        foreach (var column in _scoring.AllMetrics.Select(ColumnProvenance.Of))
        {
            _json.WriteStartObject();
            _json.WriteString("name"u8, column.Metric);
            _json.WriteString("version"u8, column.Version);
            _json.WriteString("model_sha256"u8, column.ModelSha256);
            WriteDirection(column.Direction);
            WriteEnd("low"u8, column.Low);
            WriteEnd("high"u8, column.High);
            _json.WriteString("unit"u8, column.Unit);
            _json.WriteString("quality_column"u8, column.QualityColumn);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteStartArray("columns"u8);
        foreach (var column in _columns.Stored)
        {
            _json.WriteStartObject();
            _json.WriteString("name"u8, column.Name);
            _json.WriteString("type"u8, column.SqlType);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void WriteDirection(MetricDirection direction)
    {
        if (direction == MetricDirection.None)
            _json.WriteNull("direction"u8);
        else
            _json.WriteString("direction"u8, direction == MetricDirection.HigherIsBetter ? "higher_is_better"u8 : "lower_is_better"u8);
    }

    private void WriteEnd(ReadOnlySpan<byte> name, double? end)
    {
        if (end is { } number)
            _json.WriteNumber(name, number);
        else
            _json.WriteNull(name);
    }
}
