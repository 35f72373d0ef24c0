using System.Buffers;
using System.Text;
using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Remote;
using Pristine.Reports;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Server;

/// <summary>
/// The tools of <c>pristine mcp</c>: what a model may call over stdin and stdout. docs/mcp.md describes them. Schemas are written and
/// arguments read by hand: nothing here needs reflection.
/// </summary>
/// <param name="scoring">How images are scored where a call names no metrics.</param>
/// <param name="remote">Reads addresses.</param>
internal sealed class McpTools(ScoringOptions scoring, RemoteAccess? remote)
{
    /// <summary>The most images of one call: its rows go into the model's context.</summary>
    private const int MostImages = 200;

    private static readonly (string Name, string Description, bool Writes, string Properties, string Required)[] Definitions =
    [
        ("score", "Scores images with no-reference quality metrics: one row per image, with its status where it cannot be scored.", false,
            $$"""
            "images": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": {{MostImages}}, "description": "paths of image files, or https:// addresses"},
            "metrics": {"type": "array", "items": {"type": "string"}, "description": "names of metrics; default: those of the command line"}
            """,
            "\"images\""),
        ("check",
            "Says what is wrong with the images and texts of a dataset or score table: unreadable, duplicate, dark, empty text and so " +
            "on, with rule and examples.",
            false,
            """
            "input": {"type": "string", "description": "a folder, a dataset file or a score table"},
            "issues": {"type": "array", "items": {"type": "string"}, "description": "names of issues; default: the usual ones"},
            "examples": {"type": "integer", "minimum": 0, "maximum": 50, "description": "images or texts to name for each issue; default 3"}
            """,
            "\"input\""),
        ("select", "Counts what rules keep of a score table: all together, each alone, and what only one of them drops. Writes nothing.",
            false,
            $"{TableProperty},\n{SelectionProperties}", "\"table\""),
        ("why", "Explains why an item of a score table is kept or dropped: every rule with value, threshold and margin.", false,
            $"{TableProperty},\n\"id\": {{\"type\": \"string\", \"description\": \"the item's id, or the name of its image\"}},\n" +
            SelectionProperties,
            "\"table\", \"id\""),
        ("report", "Writes one HTML file about a score table: thresholds to drag, galleries, agreement of metrics, failures.", true,
            $$"""
            {{TableProperty}},
            "out": {"type": "string", "description": "the HTML file to write"},
            "thumbnails": {"type": "integer", "minimum": 0, "maximum": {{ReportOptions.MostThumbnails}}, "description": "pictures in it"}
            """,
            "\"table\", \"out\""),
    ];

    private const string TableProperty =
        "\"table\": {\"type\": \"string\", \"description\": \"a score table, which 'pristine score INPUT --out TABLE' makes\"}";

    private const string SelectionProperties =
        """
        "keep": {"type": "array", "items": {"type": "string"}, "description": "rules that a kept image fulfils, all of them, for example brisque <= 40"},
        "drop": {"type": "array", "items": {"type": "string"}, "description": "rules that no kept image fulfils"},
        "drop_issue": {"type": "array", "items": {"type": "string"}, "description": "issues that no kept image has"},
        "score": {"type": "string", "description": "an ensemble, which rules know as the column score"},
        "dedup": {"type": "string", "description": "exact, near or near:BITS"},
        "keep_best": {"type": "string", "description": "the column that says which duplicate is kept"},
        "keep_top": {"type": "string", "description": "1000 or 80%"},
        "keep_between": {"type": "string", "description": "p5..p95"},
        "by": {"type": "string", "description": "the column of keep_top and keep_between"},
        "per": {"type": "string", "description": "the column within whose values the steps hold"},
        "limit": {"type": "integer", "minimum": 0},
        "images": {"type": "string", "enum": ["worst", "mean", "best", "any"]},
        "no_image": {"type": "string", "enum": ["keep", "drop"]}
        """;

    /// <summary>The tools with their schemas.</summary>
    public static IReadOnlyList<Tool> List { get; } = [.. Definitions.Select(tool =>
    {
        using var schema = JsonDocument.Parse(
            $"{{\"type\": \"object\", \"properties\": {{{tool.Properties}}}, \"required\": [{tool.Required}], " +
            $"\"additionalProperties\": false}}");
        return new Tool
        {
            Name = tool.Name,
            Description = tool.Description,
            InputSchema = schema.RootElement.Clone(),
            Annotations = new ToolAnnotations { ReadOnlyHint = !tool.Writes, DestructiveHint = tool.Writes, IdempotentHint = true },
        };
    })];

    /// <summary>Answers until the input ends.</summary>
    public async Task RunAsync(Stream input, Stream output, CancellationToken cancellation)
    {
        var options = new McpServerOptions
        {
            ServerInfo = new Implementation { Name = "pristine", Version = TableProvenance.CurrentProgram.Split(' ')[1] },
            Capabilities = new ServerCapabilities { Tools = new ToolsCapability() },
            Handlers = new McpServerHandlers
            {
                ListToolsHandler = (_, _) => ValueTask.FromResult(new ListToolsResult { Tools = [.. List] }),
                CallToolHandler = async (request, stop) => await Task.Run(() => Call(request.Params!, stop), stop),
            },
        };
        await using var transport = new StreamServerTransport(input, output, "pristine");
        await using var server = McpServer.Create(transport, options);
        await server.RunAsync(cancellation);
    }

    /// <summary>Answers a call. What is wrong with it is the answer, in the words of the command line.</summary>
    internal CallToolResult Call(CallToolRequestParams call, CancellationToken cancellation)
    {
        try
        {
            var arguments = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(arguments))
            {
                json.WriteStartObject();
                foreach (var (name, value) in call.Arguments ?? new Dictionary<string, JsonElement>())
                {
                    SelectionRequest.RequireUnicode(value);
                    json.WritePropertyName(name);
                    value.WriteTo(json);
                }
                json.WriteEndObject();
            }
            using var document = JsonDocument.Parse(arguments.WrittenMemory);
            var root = document.RootElement;
            return call.Name switch
            {
                "score" => Score(root, cancellation),
                "check" => Check(root, cancellation),
                "select" => Select(root, cancellation),
                "why" => Why(root, cancellation),
                "report" => WriteReport(root, cancellation),
                _ => throw new RequestException(404,
                    $"Expected one of the tools {string.Join(", ", List.Select(tool => tool.Name))}; found '{call.Name}'."),
            };
        }
        catch (Exception exception) when (exception is RequestException or PristineException or IOException or UnauthorizedAccessException
            or ArgumentException)
        {
            return new CallToolResult { IsError = true, Content = [new TextContentBlock { Text = exception.Message }] };
        }
    }

    private CallToolResult Score(JsonElement root, CancellationToken cancellation)
    {
        RequireFields(root, "images", "metrics");
        var images = SelectionRequest.Texts(root, "images");
        if (images.Length is 0 or > MostImages)
            throw new RequestException(400, $"Images: expected 1 to {MostImages}; found {images.Length}.");
        var named = SelectionRequest.Texts(root, "metrics");
        var options = named.Length == 0 ? scoring
            : scoring with { Metrics = [.. named.Select(MetricOf)], Gates = [], ItemGates = [], Features = [] };
        options.RequireModels();
        using var list = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\0', images) + '\0'));
        var dataset = PathListDataset.FromStream("images", list, new DatasetOptions { Remote = remote });
        var rows = new ScoreRowJson(TableSchema.Of(options.AllMetrics));
        return Answer(json =>
        {
            json.WriteStartArray("rows"u8);
            foreach (var row in dataset.Score(options, cancellation).SelectMany(item => item.Rows))
            {
                json.WriteStartObject();
                rows.WriteColumns(json, row);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
    }

    private CallToolResult Check(JsonElement root, CancellationToken cancellation)
    {
        RequireFields(root, "input", "issues", "examples");
        var input = Required(root, "input");
        var names = SelectionRequest.Texts(root, "issues");
        var options = new CheckOptions
        {
            Issues = names.Length == 0 ? new IssueOptions() : new IssueOptions { Issues = [.. names.Select(IssueOf)] },
            Examples = (int)(SelectionRequest.Whole(root, "examples") ?? 3),
            Workers = scoring.Workers,
        };
        if (File.Exists(Path.Combine(input, TableProvenance.FileName)))
            return Text(ScoreTable.Open(input).Check(options, cancellation).ToJson());
        var dataset = Dataset.Open(input, new DatasetOptions { Remote = remote });
        options = options with
        {
            Issues = options.Issues with { Issues = DatasetCheck.PossibleIn(options.Issues.Issues, dataset, out _, cancellation) },
        };
        using var scratch = ScratchFolder.Create("check");
        var folder = scratch.Path;
        dataset.ScoreInto(
            folder, scoring with { Metrics = DatasetCheck.Metrics(options.Issues.Issues), Gates = [], ItemGates = [], Features = [] },
            cancellation: cancellation);
        return Text(ScoreTable.Open(folder).Check(options, cancellation).ToJson());
    }

    private CallToolResult Select(JsonElement root, CancellationToken cancellation)
    {
        var options = SelectionRequest.Read(root, scoring.Known, "table");
        var table = ScoreTable.Open(Required(root, "table"));
        using var run = SelectionRun.Run(table, options, Resources, () => SelectionRun.OpenDataset(table, remote), cancellation);
        return Answer(SelectionCounts.Of(run).Write);
    }

    private CallToolResult Why(JsonElement root, CancellationToken cancellation)
    {
        var options = SelectionRequest.Read(root, scoring.Known, "table", "id");
        var (table, id) = (ScoreTable.Open(Required(root, "table")), Required(root, "id"));
        using var run = SelectionRun.Run(table, options, Resources, () => SelectionRun.OpenDataset(table, remote), cancellation);
        var items = Explanation.Of(run, id);
        if (items.Count == 0)
            throw new RequestException(
                404, $"The table {table.Folder} has no item or image '{id}'. Nearest: {string.Join(", ", Explanation.Nearest(run, id))}.");
        return Answer(json =>
        {
            json.WriteStartArray("items"u8);
            foreach (var item in items)
            {
                json.WriteStartObject();
                ExplanationJson.Write(json, item);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
    }

    private CallToolResult WriteReport(JsonElement root, CancellationToken cancellation)
    {
        RequireFields(root, "table", "out", "thumbnails");
        var (table, file) = (Required(root, "table"), Required(root, "out"));
        if (file == "-")
            throw new RequestException(400, "Out: expected the name of a file; found '-'.");
        var options = new ReportOptions
        {
            Thumbnails = (int)(SelectionRequest.Whole(root, "thumbnails") ?? ReportOptions.MostThumbnails),
            Workers = scoring.Workers,
            Remote = remote,
        };
        var summary = Report.Write(ScoreTable.Open(table), table, file, options, cancellation);
        return Answer(json =>
        {
            json.WriteString("file"u8, Path.GetFullPath(file));
            json.WriteNumber("items"u8, summary.Items);
            json.WriteNumber("thumbnails"u8, summary.Thumbnails);
            json.WriteNumber("bytes"u8, summary.Bytes);
        });
    }

    private SelectionResources Resources => new() { Threads = scoring.Workers };

    private Metric MetricOf(string name) => scoring.Known.TryFind(name, out var metric, out var reason)
        ? metric
        : throw new RequestException(400, $"Metrics: {reason}");

    private static Issue IssueOf(string name) => Issue.All.FirstOrDefault(issue => issue.Name == name)
        ?? throw new RequestException(400,
            $"Issues: expected some of {string.Join(", ", Issue.All.Select(issue => issue.Name))}; found '{name}'.");

    private static string Required(JsonElement root, string name) => SelectionRequest.Text(root, name) is { Length: > 0 } text
        ? text
        : throw SelectionRequest.Bad($"expected the field {name}; found none");

    private static void RequireFields(JsonElement root, params ReadOnlySpan<string> names)
    {
        foreach (var field in root.EnumerateObject())
            if (!names.Contains(field.Name))
                throw SelectionRequest.Bad($"expected the fields {string.Join(", ", names!)}; found '{field.Name}'");
    }

    /// <summary>An answer as an object, once for programs and once as text for models that see nothing else.</summary>
    private static CallToolResult Answer(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = ScoreRowJson.CreateWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return Text(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static CallToolResult Text(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new CallToolResult
        {
            Content = [new TextContentBlock { Text = json }],
            StructuredContent = document.RootElement.Clone(),
        };
    }
}
