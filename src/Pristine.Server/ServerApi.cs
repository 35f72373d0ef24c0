using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Models;
using Pristine.Native;
using Pristine.Pages;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Server;

/// <summary>What can be asked over HTTP. <c>openapi.json</c> describes it; a test compares the two.</summary>
internal sealed class ServerApi : IDisposable
{
    private const int MostItems = 500;
    private const int ThumbnailSide = 320;
    private const int ThumbnailQuality = 78;

    private static readonly string[] LedgerFormats = ["jsonl", "csv", "parquet"];

    /// <summary>Pictures that a browser shows as they are; others are converted.</summary>
    private static readonly Dictionary<string, string> Shown = new(StringComparer.Ordinal)
    {
        ["jpeg"] = "image/jpeg",
        ["png"] = "image/png",
        ["webp"] = "image/webp",
        ["gif"] = "image/gif",
        ["avif"] = "image/avif",
    };

    private static readonly Dictionary<string, string> ContentTypes = new(StringComparer.Ordinal)
    {
        [".json"] = "application/json",
        [".jsonl"] = "application/x-ndjson",
        [".csv"] = "text/csv",
        [".tsv"] = "text/tab-separated-values",
        [".parquet"] = "application/vnd.apache.parquet",
        [".tar"] = "application/x-tar",
    };

    private readonly SemaphoreSlim _exporting = new(1);
    private readonly ServerOptions _options;
    private readonly ServedTable _served;
    private readonly OverrideLog _overrides;
    private readonly WorkerPool<ThumbnailMaker> _thumbnails;
    private readonly WorkerPool<ThumbnailMaker> _pictures;
    private readonly WorkerPool<ImageScorer> _scorers;
    private readonly ScoreRowJson _rowJson;

    public ServerApi(ScoreTable table, ServerOptions options)
    {
        _options = options;
        options.Scoring.RequireModels();
        _served = new ServedTable(table, options);
        try
        {
            _overrides = OverrideLog.Open(options.Overrides);
            foreach (var decision in _overrides.Holding)
            {
                if (_served.IdOf(decision.Index) != decision.Id)
                {
                    throw new OverrideException(
                        $"{options.Overrides}: expected overrides of items of the score table {table.Folder}; found item " +
                        $"{decision.Index}, '{decision.Id}', which it does not have there. Name another file with --overrides.");
                }
            }
        }
        catch
        {
            _overrides?.Dispose();
            _served.Dispose();
            throw;
        }
        var workers = options.Scoring.Workers;
        var imaging = options.Scoring.Imaging;
        _thumbnails = new WorkerPool<ThumbnailMaker>(workers, () => new ThumbnailMaker(ThumbnailSide, ThumbnailQuality, imaging));
        _pictures = new WorkerPool<ThumbnailMaker>(1, () => new ThumbnailMaker(16383, 95, imaging));
        _scorers = new WorkerPool<ImageScorer>(workers, () => new ImageScorer(options.Scoring));
        _rowJson = new ScoreRowJson(TableSchema.Of(options.Scoring.AllMetrics));
    }

    private static readonly Lazy<byte[]> OpenApi = new(() =>
    {
        using var stream = typeof(ServerApi).Assembly.GetManifestResourceStream("Pristine.Server.openapi.json")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    });

    private static readonly (string Method, string Path, Func<ServerApi, HttpContext, Task> Answer)[] Endpoints =
    [
        ("GET", "/", (_, context) => ReviewPage.WriteAsync(context)),
        // Browsers ask for one; the page has none.
        ("GET", "/favicon.ico", (_, context) => Task.FromResult(context.Response.StatusCode = StatusCodes.Status204NoContent)),
        ("GET", "/openapi.json", (_, context) => WriteAsync(context, "application/json", OpenApi.Value)),
        ("GET", "/table", (api, context) => api.TableAsync(context)),
        ("POST", "/score", (api, context) => api.ScoreAsync(context)),
        ("POST", "/select", (api, context) => api.SelectAsync(context)),
        ("POST", "/items", (api, context) => api.ItemsAsync(context)),
        ("GET", "/thumb", (api, context) => api.ThumbAsync(context)),
        ("GET", "/image", (api, context) => api.ImageAsync(context)),
        ("POST", "/why", (api, context) => api.WhyAsync(context)),
        ("GET", "/export", (api, context) => api.ExportsAsync(context)),
        ("POST", "/export", (api, context) => api.ExportAsync(context)),
        ("GET", "/overrides", (api, context) => api.OverridesAsync(context)),
        ("POST", "/overrides", (api, context) => api.OverrideAsync(context)),
    ];

    public static IReadOnlyList<(string Method, string Path)> Routes { get; } =
        [.. Endpoints.Select(endpoint => (endpoint.Method, endpoint.Path))];

    public void MapTo(IEndpointRouteBuilder builder)
    {
        foreach (var (method, path, answer) in Endpoints)
            builder.MapMethods(path, [method], (RequestDelegate)(context => answer(this, context)));
    }

    public void Dispose()
    {
        _exporting.Dispose();
        _thumbnails.Dispose();
        _pictures.Dispose();
        _scorers.Dispose();
        _overrides.Dispose();
        _served.Dispose();
    }

    /// <summary>Answers with a status and a sentence.</summary>
    public static Task WriteErrorAsync(HttpContext context, int status, string message)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }
        context.Response.StatusCode = status;
        return WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("error"u8, message);
            json.WriteEndObject();
        });
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 12);
        using (var json = ScoreRowJson.CreateWriter(buffer))
            write(json);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, string type, ReadOnlyMemory<byte> bytes)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static async Task<JsonDocument> ReadJsonAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true)
            throw new RequestException(415, $"Expected the Content-Type application/json; found '{context.Request.ContentType}'.");
        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new RequestException(400, $"Expected JSON in the body; {exception.Message}");
        }
        try
        {
            SelectionRequest.RequireUnicode(document.RootElement);
            return document;
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    private Task TableAsync(HttpContext context)
    {
        var provenance = _served.Table.Provenance;
        return WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("program"u8, TableProvenance.CurrentProgram);
            json.WriteString("table"u8, _served.Table.Folder);
            json.WriteString("dataset"u8, provenance.Dataset.Input);
            json.WriteNumber("images"u8, _served.Table.RowCount);
            json.WriteString("incomplete"u8, _served.Table.Incomplete);
            json.WriteString("overrides"u8, _overrides.Path);
            json.WriteNumber("most_upload_bytes"u8, _options.MostUploadBytes);
            json.WriteNumber("most_items"u8, MostItems);
            json.WriteStartArray("columns"u8);
            foreach (var column in _served.Table.Columns)
            {
                if (column.Type is ColumnType.Floats)
                    continue;
                json.WriteStartObject();
                json.WriteString("name"u8, column.Name);
                json.WriteString("type"u8, column.SqlType);
                json.WriteString("metric"u8, column.Metric);
                json.WriteString("direction"u8, column.Direction switch
                {
                    Metrics.MetricDirection.HigherIsBetter => "higher_is_better",
                    Metrics.MetricDirection.LowerIsBetter => "lower_is_better",
                    _ => null,
                });
                json.WriteString("summary"u8, column.Summary);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("score_metrics"u8);
            foreach (var metric in _options.Scoring.AllMetrics)
                json.WriteStringValue(metric.Name);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private async Task ScoreAsync(HttpContext context)
    {
        var type = context.Request.ContentType ?? "";
        MediaSource source;
        if (type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            using var document = await ReadJsonAsync(context);
            source = AddressOf(document.RootElement);
        }
        else if (type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase))
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var name = context.Request.Query["name"].ToString();
            source = new MemorySource(name.Length == 0 ? "upload" : name, body.GetBuffer().AsMemory(0, (int)body.Length));
        }
        else
        {
            throw new RequestException(
                415,
                $"Expected an image as the body, with the Content-Type image/* or application/octet-stream, or JSON with its address; " +
                $"found '{type}'.");
        }
        var row = await _scorers.RunAsync(scorer => scorer.Score(source), context.RequestAborted);
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            _rowJson.WriteColumns(json, row);
            json.WriteEndObject();
        });
    }

    /// <summary>The image at an address. Which hosts may be connected to is decided when that happens, also after redirects.</summary>
    private RemoteSource AddressOf(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Any(field => field.Name != "address")
            || SelectionRequest.Text(root, "address") is not { Length: > 0 } address)
            throw new RequestException(400, "Expected {\"address\": \"https://...\"}.");
        if (!_options.ReadsAddresses)
            throw new RequestException(403, "Addresses are not read here; upload the image.");
        // Never a path: files of this machine are none of a client's business.
        if (!RemoteAddress.IsHttp(address))
            throw new RequestException(400,
                $"Expected an address that starts with https:// or http://; found '{RemoteAddress.Display(address)}'.");
        return new RemoteSource(address, address, _options.Remote ?? RemoteAccess.Default);
    }

    private async Task SelectAsync(HttpContext context)
    {
        using var document = await ReadJsonAsync(context);
        var options = SelectionRequest.Read(document.RootElement, _options.Known);
        var overrides = Decisions();
        var (counts, kept) = await Task.Run(
            () => _served.Use(options, run => (SelectionCounts.Of(run), run.KeptWith(overrides)), context.RequestAborted),
                context.RequestAborted);
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("overrides"u8, overrides.Count);
            json.WriteNumber("kept_with_overrides"u8, kept);
            counts.Write(json);
            json.WriteEndObject();
        });
    }

    private async Task ItemsAsync(HttpContext context)
    {
        using var document = await ReadJsonAsync(context);
        var root = document.RootElement;
        var options = SelectionRequest.Read(root, _options.Known, "show", "order", "descending", "after", "size") with
        {
            Order = SelectionRequest.Text(root, "order"),
        };
        var size = SelectionRequest.Whole(root, "size") ?? 50;
        if (size is < 1 or > MostItems)
            throw new RequestException(400, $"Size: expected 1 to {MostItems}; found {size}.");
        var show = SelectionRequest.Text(root, "show") ?? "all";
        var after = SelectionRequest.Text(root, "after");
        var overrides = _overrides.Holding.ToDictionary(decision => decision.Index);
        var request = new ItemPageRequest
        {
            Choice = Enum.GetValues<ItemChoice>().Where(choice => Named(choice) == show).Cast<ItemChoice?>()
                .FirstOrDefault()
                ?? throw new RequestException(400, $"Show: expected all, kept, dropped or overridden; found '{show}'."),
            After = after == null ? null : ItemCursor.Parse(after)
                ?? throw new RequestException(400, $"After: expected the 'next' of an earlier page; found '{after}'."),
            Descending = root.TryGetProperty("descending", out var descending) && descending.ValueKind == JsonValueKind.True,
            Size = (int)size,
            Overrides = overrides.ToDictionary(pair => pair.Key, pair => pair.Value.Keep == true),
        };
        var page = await Task.Run(() => _served.Use(options, run => run.ReadPage(request), context.RequestAborted), context.RequestAborted);
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            WriteItems(json, page.Items, overrides);
            json.WriteString("next"u8, page.Next?.ToString());
            json.WriteEndObject();
        });
    }

    private static string Named(ItemChoice choice) => choice switch
    {
        ItemChoice.All => "all",
        ItemChoice.Kept => "kept",
        ItemChoice.Dropped => "dropped",
        _ => "overridden",
    };

    private void WriteItems(Utf8JsonWriter json, IReadOnlyList<LedgerEntry> entries, Dictionary<long, ItemOverride> overrides)
    {
        var columns = _served.ImageColumns;
        var images = new Dictionary<long, ArrayBufferWriter<byte>>();
        _served.ReadImages(entries.Select(entry => entry.Index), (item, rows) =>
        {
            var buffer = images.TryGetValue(item, out var begun) ? begun : images[item] = new ArrayBufferWriter<byte>(256);
            if (buffer.WrittenCount > 0)
                buffer.Write(","u8);
            using var image = ScoreRowJson.CreateWriter(buffer);
            image.WriteStartObject();
            for (var i = 0; i < columns.Count; i++)
                WriteValue(image, columns[i], rows, i);
            image.WriteEndObject();
        });
        json.WriteStartArray("items"u8);
        foreach (var entry in entries)
        {
            var said = overrides.GetValueOrDefault(entry.Index);
            json.WriteStartObject();
            json.WriteNumber("index"u8, entry.Index);
            json.WriteString("id"u8, entry.Id);
            json.WriteBoolean("kept"u8, said?.Keep ?? entry.Kept);
            json.WriteBoolean("kept_by_rules"u8, entry.Kept);
            json.WriteString("rule"u8, entry.Rule);
            json.WriteString("reason"u8, entry.Reason);
            WriteOverride(json, said);
            json.WritePropertyName("images"u8);
            var list = images.TryGetValue(entry.Index, out var written) ? Encoding.UTF8.GetString(written.WrittenSpan) : "";
            json.WriteRawValue($"[{list}]", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteOverride(Utf8JsonWriter json, ItemOverride? said)
    {
        if (said == null)
        {
            json.WriteNull("override"u8);
            return;
        }
        json.WriteStartObject("override"u8);
        json.WriteBoolean("keep"u8, said.Keep == true);
        json.WriteString("by"u8, said.By);
        if (said.At is { } at)
            json.WriteString("at"u8, at);
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, Column column, DuckDbReader rows, int at)
    {
        json.WritePropertyName(column.Name);
        if (rows.IsNull(at))
            json.WriteNullValue();
        else if (!column.IsNumber || column.Type == ColumnType.Timestamp)
            json.WriteStringValue(rows.Text(at));
        else if (column.Type is ColumnType.Integer or ColumnType.BigInt)
            json.WriteNumberValue(rows.Int64(at));
        else if (rows.Double(at) is var number && double.IsFinite(number))
            json.WriteRawValue(ScoreRowWriter.Number(number), true);
        else
            json.WriteNullValue();
    }

    private static long KeyOf(HttpContext context)
    {
        var text = context.Request.Query["key"].ToString();
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var key)
            ? key
            : throw new RequestException(400, $"Expected ?key=N, the key of an image; found '{text}'.");
    }

    private async Task ThumbAsync(HttpContext context)
    {
        var source = await Task.Run(() => _served.SourceOf(KeyOf(context), context.RequestAborted), context.RequestAborted);
        var (result, picture) = await _thumbnails.RunAsync(
            maker => (maker.Make(source, out var thumbnail), thumbnail), context.RequestAborted);
        await WritePictureAsync(context, result, "image/webp", picture);
    }

    private async Task ImageAsync(HttpContext context)
    {
        var source = await Task.Run(() => _served.SourceOf(KeyOf(context), context.RequestAborted), context.RequestAborted);
        // As the dataset has it, if that is a picture that browsers show; whatever else it is stays here.
        var (fault, type, bytes) = await _pictures.RunAsync(
            maker =>
            {
                using var buffer = new Kernels.ReusableBuffer();
                if (source.Read(_options.Scoring.Imaging.MaxFileBytes, buffer) is { } fault)
                    return (fault, "", []);
                if (ImageFormat.Recognise(buffer.Span) is { } format && Shown.TryGetValue(format.Name, out var type))
                    return (default(DecodeResult?), type, buffer.Span.ToArray());
                var result = maker.Make(source, out var converted);
                return result.Status == ImageStatus.Ok ? (null, "image/webp", converted) : (result, "", []);
            },
            context.RequestAborted);
        await WritePictureAsync(context, fault ?? new DecodeResult(ImageStatus.Ok, null, null), type, bytes);
    }

    private static Task WritePictureAsync(HttpContext context, DecodeResult result, string type, byte[] bytes)
    {
        if (result.Status != ImageStatus.Ok)
            throw new RequestException(404,
                $"There is no picture of it: {result.Status.Name()}{(result.Error == null ? "" : $", {result.Error}")}.");
        context.Response.Headers.CacheControl = "private, max-age=3600";
        return WriteAsync(context, type, bytes);
    }

    private async Task WhyAsync(HttpContext context)
    {
        using var document = await ReadJsonAsync(context);
        var root = document.RootElement;
        var options = SelectionRequest.Read(root, _options.Known, "index", "id");
        var (index, id) = (SelectionRequest.Whole(root, "index"), SelectionRequest.Text(root, "id"));
        if (index == null == (id == null))
            throw new RequestException(400, "Expected one of index, an item's position, and id, its name.");
        var found = await Task.Run(
            () => _served.Use(
                options,
                run => index is { } at ? (Explanation.Of(run, at) is { } only ? [only] : []) : Explanation.Of(run, id!),
                    context.RequestAborted),
            context.RequestAborted);
        if (found.Count == 0)
            throw new RequestException(404, $"The table has no item {(id == null ? index : $"'{id}'")}.");
        var overrides = _overrides.Holding.ToDictionary(decision => decision.Index);
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("items"u8);
            foreach (var item in found)
            {
                json.WriteStartObject();
                WriteOverride(json, overrides.GetValueOrDefault(item.Decision.Index));
                ExplanationJson.Write(json, item);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>
    /// What kept items can be exported as. Of a dataset that is not there any more, all formats: an export says what is wrong.
    /// </summary>
    private async Task ExportsAsync(HttpContext context)
    {
        var formats = await Task.Run(
            () =>
            {
                try
                {
                    return [.. KeptExport.FormatsOf(SelectionRun.OpenDataset(_served.Table, _options.Remote))];
                }
                catch (Exception exception) when (exception is PristineException or IOException or UnauthorizedAccessException)
                {
                    return KeptExport.AllFormats;
                }
            },
            context.RequestAborted);
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("kept"u8);
            foreach (var (format, extension) in formats)
            {
                json.WriteStartObject();
                json.WriteString("format"u8, format);
                json.WriteString("extension"u8, extension);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("ledger"u8);
            foreach (var format in LedgerFormats)
                json.WriteStringValue(format);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>
    /// The ledger of a selection with its overrides, or its kept items: the very files that <c>pristine select --overrides</c> writes.
    /// </summary>
    private async Task ExportAsync(HttpContext context)
    {
        using var document = await ReadJsonAsync(context);
        var root = document.RootElement;
        var options = SelectionRequest.Read(root, _options.Known, "what", "format", "dropped_only");
        var what = SelectionRequest.Text(root, "what") ?? "ledger";
        if (what is not ("ledger" or "kept"))
            throw new RequestException(400, $"What: expected ledger or kept; found '{what}'.");
        var format = SelectionRequest.Text(root, "format");
        if (what == "ledger" && !LedgerFormats.Contains(format ??= LedgerFormats[0]))
            throw new RequestException(400, $"Format: expected {string.Join(", ", LedgerFormats)}; found '{format}'.");
        var droppedOnly = root.TryGetProperty("dropped_only", out var only) && only.ValueKind == JsonValueKind.True;
        if (droppedOnly && what == "kept")
            throw new RequestException(400, "Expected dropped_only with the ledger only; found it with kept items.");
        // One at a time: each may fill the disk up to the limit.
        await _exporting.WaitAsync(context.RequestAborted);
        try
        {
            using var scratch = ScratchFolder.Create("export");
            var (path, items, leftOut) = await Task.Run(
                () =>
                {
                    var dataset = new Lazy<Dataset>(() => SelectionRun.OpenDataset(_served.Table, _options.Remote));
                    var file = what == "ledger"
                        ? scratch.FileOf("ledger." + format)
                        : scratch.FileOf("kept" + KeptExport.ExtensionFor(dataset.Value, format));
                    using var run = SelectionRun.Run(
                        _served.Table, options with { Overrides = _overrides.Path },
                        new SelectionResources { Threads = _options.Scoring.Workers, MemoryLimit = 512L << 20 },
                        () => dataset.Value, context.RequestAborted);
                    if (what == "kept")
                    {
                        var unread = new KeptExport(_options, _served).Write(run, dataset.Value, file, context.RequestAborted);
                        return (file, run.Kept, unread);
                    }
                    using var stream = new FileStream(file, FileMode.CreateNew);
                    run.WriteLedger(stream, format!, droppedOnly);
                    return (file, droppedOnly ? run.Dropped : run.Items, 0L);
                },
                context.RequestAborted);
            await using var content = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous);
            var headers = context.Response.Headers;
            context.Response.ContentType = ContentTypes.GetValueOrDefault(Path.GetExtension(path), "text/plain; charset=utf-8");
            headers.ContentDisposition = $"attachment; filename=\"{Path.GetFileName(path)}\"";
            headers["Pristine-Items"] = items.ToString(CultureInfo.InvariantCulture);
            if (what == "kept")
                headers["Pristine-Left-Out"] = leftOut.ToString(CultureInfo.InvariantCulture);
            context.Response.ContentLength = content.Length;
            await content.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
        finally
        {
            _exporting.Release();
        }
    }

    private Dictionary<long, bool> Decisions() =>
        _overrides.Holding.ToDictionary(decision => decision.Index, decision => decision.Keep == true);

    private Task OverridesAsync(HttpContext context) => WriteAsync(context, json =>
    {
        json.WriteStartObject();
        json.WriteString("file"u8, _overrides.Path);
        json.WriteStartArray("overrides"u8);
        foreach (var decision in _overrides.Holding)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, decision.Index);
            json.WriteString("id"u8, decision.Id);
            WriteOverride(json, decision);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>Keeps, drops, or takes a decision back. The answer is sent when the decision is on the disk.</summary>
    private async Task OverrideAsync(HttpContext context)
    {
        using var document = await ReadJsonAsync(context);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Any(field => field.Name is not ("index" or "id" or "keep"))
            || !root.TryGetProperty("keep", out var said)
                || said.ValueKind is not (JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null))
            throw new RequestException(400, "Expected {\"index\": N, \"id\": \"...\", \"keep\": true, false or null}.");
        var index = SelectionRequest.Whole(root, "index")
            ?? throw new RequestException(400, "Expected the field index, an item's position.");
        var id = SelectionRequest.Text(root, "id");
        var known = await Task.Run(() => _served.IdOf(index), context.RequestAborted);
        if (known == null)
            throw new RequestException(404, $"The table has no item {index}.");
        if (id != known)
            throw new RequestException(409, $"Expected the id of item {index}, '{known}'; found '{id}'.");
        bool? keep = said.ValueKind == JsonValueKind.Null ? null : said.ValueKind == JsonValueKind.True;
        var now = DateTime.UtcNow;
        var decision = new ItemOverride(
            index, known, keep, _options.By, now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond)));
        var before = await Task.Run(() => _overrides.Add(decision));
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, index);
            WriteOverride(json, keep == null ? null : decision);
            json.WritePropertyName("before"u8);
            if (before == null)
                json.WriteNullValue();
            else
                json.WriteBooleanValue(before.Keep == true);
            json.WriteEndObject();
        });
    }
}
