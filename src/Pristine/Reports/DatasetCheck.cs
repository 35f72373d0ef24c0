using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Reports;

/// <summary>An image that has an issue.</summary>
/// <param name="Key">The key of its row.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Image">The image as the dataset names it; for a record without one, the id.</param>
/// <param name="Value">The number by which the issue ranks images; null where it ranks none.</param>
public sealed record IssueExample(long Key, string Id, string Image, double? Value);

/// <summary>What a check found of one issue.</summary>
/// <param name="Rule">The issue and its rule in this table.</param>
/// <param name="Count">Images that have it.</param>
/// <param name="NotJudged">Images of which the rule is unknown, because they have no score.</param>
/// <param name="Examples">The worst of them, or the first where none is worse.</param>
/// <param name="Obstacle">Why it could not be looked for at all; null where it could.</param>
public sealed record FoundIssue(IssueRule Rule, long Count, long NotJudged, IReadOnlyList<IssueExample> Examples, string? Obstacle)
{
    /// <summary>
    /// Images that the issue cannot judge whatever their scores: <c>damaged</c> leaves out those that are too small for it.
    /// </summary>
    public long OutOfScope { get; init; }
}

/// <summary>What is wrong with a dataset.</summary>
/// <param name="Images">Its images; one that several items name counts for each.</param>
/// <param name="WithIssue">Images, and items without one, that have at least one issue or whose text has one.</param>
/// <param name="Issues">One entry per issue that was looked for, in the order of the options.</param>
public sealed record CheckResult(long Images, long WithIssue, IReadOnlyList<FoundIssue> Issues)
{
    private static readonly JsonWriterOptions Json = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Items with a record, whose text was looked at, also where it is empty.</summary>
    public long Texts { get; init; }

    /// <summary>Items without an image.</summary>
    public long WithoutImage { get; init; }

    /// <summary>Of how many an issue is one: images, or texts.</summary>
    /// <param name="issue">The issue; null for any.</param>
    public long Of(Issue? issue) => issue == null ? Images + WithoutImage : issue.IsOfText ? Texts : Images;

    /// <summary>
    /// What was found of an issue; null where it was not asked for, or where all issues were and there is nothing that it could be of.
    /// </summary>
    /// <param name="name">The issue's name.</param>
    public FoundIssue? Find(string name) => Issues.FirstOrDefault(found => found.Rule.Issue.Name == name);

    /// <summary>
    /// The result as JSON: <c>images</c>, <c>texts</c>, <c>with_issue</c>, and <c>issues</c>, each with its rule, count and examples.
    /// </summary>
    public string ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, Json))
        {
            json.WriteStartObject();
            json.WriteNumber("images", Images);
            json.WriteNumber("texts", Texts);
            json.WriteNumber("with_issue", WithIssue);
            json.WriteStartArray("issues");
            foreach (var found in Issues)
                Write(json, found);
            json.WriteEndArray();
            json.WriteString("program", TableProvenance.CurrentProgram);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private void Write(Utf8JsonWriter json, FoundIssue found)
    {
        var issue = found.Rule.Issue;
        json.WriteStartObject();
        json.WriteString("name", issue.Name);
        json.WriteString("summary", issue.Summary);
        if (found.Rule.Threshold is { } threshold)
            json.WriteNumber("threshold", threshold);
        json.WriteString("rule", found.Rule.Rule);
        if (found.Rule.Dedup is { } method)
            json.WriteString("dedup", method.ToString());
        if (found.Obstacle != null)
        {
            json.WriteString("not_looked_for", found.Obstacle);
        }
        else
        {
            json.WriteNumber("count", found.Count);
            json.WriteNumber("share", Of(issue) is > 0 and var all ? (double)found.Count / all : 0);
            json.WriteNumber("not_judged", found.NotJudged);
            json.WriteNumber("out_of_scope", found.OutOfScope);
            json.WriteStartArray("examples");
            foreach (var example in found.Examples)
            {
                json.WriteStartObject();
                json.WriteString("id", example.Id);
                json.WriteString("image", example.Image);
                if (example.Value is { } value)
                    json.WriteNumber("value", Math.Round(value, 6));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteString("reason", issue.Reason);
        json.WriteString("calibration", issue.Calibration);
        json.WriteEndObject();
    }
}

/// <summary>How a check is made.</summary>
public sealed record CheckOptions
{
    /// <summary>Which issues, and with which thresholds.</summary>
    public IssueOptions Issues { get; init; } = new();

    /// <summary>Examples of each issue; by default three.</summary>
    public int Examples { get; init; } = 3;

    /// <summary>Threads; by default one per core. They do not change the result.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes for sorts and joins; beyond them they spill to disk. By default 1 GiB.</summary>
    public long MemoryLimit { get; init; } = 1L << 30;
}

/// <summary>
/// Tells what is wrong with the images of a score table: which have which issue, by the rules of <see cref="Issue.All"/>.
/// </summary>
public static class DatasetCheck
{
    /// <summary>The metrics that issues need and that can run here: what to score before a check.</summary>
    /// <param name="issues">The issues.</param>
    public static IReadOnlyList<Metric> Metrics(IEnumerable<Issue> issues)
    {
        ArgumentNullException.ThrowIfNull(issues);
        return [.. issues.SelectMany(issue => issue.Metrics).DistinctBy(metric => metric.Name).Where(metric => metric.Missing == null)];
    }

    /// <summary>The issues that can be looked for in a dataset: of one whose records name no image, those of texts.</summary>
    /// <param name="issues">The issues that are asked for.</param>
    /// <param name="dataset">The dataset; its beginning is read.</param>
    /// <param name="reason">Why the others are left out; null where none is.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DatasetException">There is no image, and no issue of texts is asked for.</exception>
    internal static IReadOnlyList<Issue> PossibleIn(
        IReadOnlyList<Issue> issues, Dataset dataset, out string? reason, CancellationToken cancellation = default)
    {
        reason = null;
        try
        {
            dataset.RequireImages(cancellation);
            return issues;
        }
        catch (DatasetException exception) when (dataset.HasRecords && issues.Any(issue => issue.IsOfText))
        {
            // A wrong guess of the field is seen at the beginning.
            reason = exception.Message;
            return [.. issues.Where(issue => issue.IsOfText)];
        }
    }

    /// <summary>Checks.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ScoreTableException">The table cannot be read.</exception>
    public static CheckResult Check(this ScoreTable table, CheckOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        options ??= new CheckOptions();
        try
        {
            using var database = DuckDbConnection.Open(new DuckDbOptions { Threads = options.Workers, MemoryLimit = options.MemoryLimit });
            using var interruption = cancellation.Register(database.Interrupt);
            database.Confine([table.Folder], []);
            return Check(database, table, options, cancellation);
        }
        catch (DuckDbException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (DuckDbException exception)
        {
            throw new ScoreTableException($"The score table {table.Folder} cannot be read: {exception.Message}", exception);
        }
    }

    private static CheckResult Check(DuckDbConnection database, ScoreTable table, CheckOptions options, CancellationToken cancellation)
    {
        var rules = IssueRules.Of(table, options.Issues);
        var obstacles = rules.Select(rule => Obstacle(table, rule.Issue)).ToArray();
        CreateImages(database, table, [.. rules.Where((rule, i) => obstacles[i] == null).Select(rule => rule.Dedup)
            .OfType<DuplicateMethod>()], options.Workers, cancellation);
        var columns = new RuleColumns(table.Columns, MetricSet.BuiltIn);
        var conditions = rules.Select((rule, i) => obstacles[i] != null
            ? null : rule.Dedup is { } method ? CopyOf(method) : $"({Selection.Rule.Parse(rule.Rule!, columns).Condition.ConditionSql()})")
            .ToArray();
        var scopes = rules.Select(rule => rule.Issue.Scope is { } scope
            ? Selection.Rule.Parse(scope.Rule, columns).Condition.ConditionSql() : null).ToArray();
        var (images, imageIssues) = Count(database, ImagesView, conditions, scopes, i => !rules[i].Issue.IsOfText);
        var (texts, textIssues) = Count(database, TextsView, conditions, scopes, i => rules[i].Issue.IsOfText);
        var found = conditions.Select((_, i) => rules[i].Issue.IsOfText ? textIssues[i] : imageIssues[i]).ToArray();
        string AnyOf(bool ofText) => string.Join(" OR ", conditions
            .Where((condition, i) => condition != null && rules[i].Issue.IsOfText == ofText)
            .Select(condition => $"coalesce({condition}, false)").DefaultIfEmpty("false"));
        var withIssue = database.QueryInt64(
            texts == 0
            ? $"SELECT count(*) FROM {ImagesView} WHERE {AnyOf(ofText: false)}"
            : $"SELECT count(*) FROM {table.Source} WHERE key IN (SELECT key FROM {ImagesView} WHERE {AnyOf(ofText: false)}) OR " +
            $"item_index IN (SELECT item_index FROM {TextsView} WHERE {AnyOf(ofText: true)})") ?? 0;
        var withoutImage = database.QueryInt64($"SELECT count(*) FROM {table.Source} WHERE status = '{ImageStatus.NoImage.Name()}'") ?? 0;
        // Where both kinds of issues are asked for, those of what is not there say nothing.
        var areBothAsked = rules.Any(rule => rule.Issue.IsOfText) && rules.Any(rule => !rule.Issue.IsOfText);
        bool IsNowhere(Issue issue) => issue.IsOfText ? texts == 0 : images == 0 && texts > 0;
        return new CheckResult(images, withIssue,
        [
            .. rules.Select((rule, i) => new FoundIssue(
                rule, found[i].Count, found[i].NotJudged, found[i].Count == 0
                    ? []
                    : Examples(database, rule.Issue, conditions[i]!, columns, options.Examples),
                obstacles[i] ?? (IsNowhere(rule.Issue) ? $"no item has {(rule.Issue.IsOfText ? "a text" : "an image")}" : null))
            {
                OutOfScope = found[i].OutOfScope,
            })
                .Where(issue => !areBothAsked || !IsNowhere(issue.Rule.Issue)),
        ])
        {
            Texts = texts,
            WithoutImage = withoutImage,
        };
    }

    private const string ImagesView = "images";
    private const string TextsView = "texts";

    /// <summary>How many rows a view has; for some conditions, for how many they hold, are unknown, and cannot judge.</summary>
    private static (long Rows, (long Count, long NotJudged, long OutOfScope)[] Found) Count(
        DuckDbConnection database, string view, string?[] conditions, string?[] scopes, Func<int, bool> isOfView)
    {
        static string Those(string where) => $"count(*) FILTER (WHERE {where})";
        var counts = conditions.Select((condition, i) => condition == null || !isOfView(i)
            ? "0, 0, 0"
            : $"{Those(condition)}, {Those($"{condition} IS NULL")}, {Those($"NOT ({scopes[i] ?? "true"})")}");
        using var reader = database.Query($"SELECT {string.Join(", ", counts.Prepend("count(*)"))} FROM {view}");
        reader.Read();
        return (reader.Int64(0),
            [.. conditions.Select((_, i) => (reader.Int64(1 + (3 * i)), reader.Int64(2 + (3 * i)), reader.Int64(3 + (3 * i))))]);
    }

    /// <summary>The column that says whether an image is a copy of an earlier one, by another name.</summary>
    private static string CopyOf(DuplicateMethod method) => method.Kind == DuplicateKind.Exact ? "is_copy" : "is_near_copy";

    /// <summary>
    /// The view <c>images</c>: what rules see, without items that have no image, and whether an image is a copy; and the view <c>texts</c>,
    /// of items with a record.
    /// </summary>
    private static void CreateImages(
        DuckDbConnection database, ScoreTable table, IReadOnlyList<DuplicateMethod> methods, int threads, CancellationToken cancellation)
    {
        var derived = TableSchema.Row.Where(column => column.Derivation != null)
            .Select(column => $"{column.Derivation} AS {column.Identifier}");
        // A metric that was asked for, but that no run has computed yet, has no column in any part.
        var absent = table.Provenance.Columns.Where(column => TableSchema.Row.Find(column.Metric) == null
            && !table.Parts.Any(part => part.Contents.Columns.ContainsKey(column.Metric)))
            .Select(column => TableSchema.Of([column]).Get(column.Metric))
            .Select(column => $"NULL::{column.SqlType} AS {column.Identifier}");
        database.Execute(
            $"CREATE VIEW present AS SELECT *, {string.Join(", ", derived.Concat(absent))} FROM {table.Source} WHERE status <> " +
            $"'{ImageStatus.NoImage.Name()}'");
        // An item once, whatever its images are.
        var (firsts, repeats) = TableSchema.RepeatsTextSql(table.Source);
        database.Execute(
            $"""
            CREATE VIEW {TextsView} AS SELECT r.*, {string.Join(", ", derived.Concat(absent).Append(repeats))}
            FROM {table.Source} r LEFT JOIN ({firsts}) t ON r.text_hash = t.text_hash WHERE r.image_index = 0 AND r.text_length IS NOT NULL
            """);
        foreach (var method in methods)
        {
            ImageGroups.Create(database, "present", method, threads, cancellation);
            database.Execute(
                $"""
                CREATE TEMP TABLE {CopyOf(method)} AS SELECT key FROM (
                  SELECT key, image <> first_value(image) OVER (PARTITION BY {ImageGroups.Group} ORDER BY key) AS differs
                  FROM {ImageGroups.View} JOIN present USING (key) WHERE {ImageGroups.Group} IS NOT NULL) WHERE differs
                """);
        }
        var copies = methods.Select(method => $", {CopyOf(method)}.key IS NOT NULL AS {CopyOf(method)}");
        var joins = methods.Select(method => $" LEFT JOIN {CopyOf(method)} ON present.key = {CopyOf(method)}.key");
        database.Execute($"CREATE VIEW images AS SELECT present.*{string.Concat(copies)} FROM present{string.Concat(joins)}");
    }

    /// <summary>Why an issue cannot be looked for: its metric cannot run here, or the table lacks it.</summary>
    private static string? Obstacle(ScoreTable table, Issue issue)
    {
        var absent = issue.Metrics.Where(metric => table.Columns.Find(metric.Name) == null).ToArray();
        if (absent.Length == 0)
            return null;
        return absent.FirstOrDefault(metric => metric.Missing != null) is { } missing
            ? missing.Missing
            : $"the table has no {string.Join(", ", absent.Select(metric => metric.Name))}";
    }

    private static List<IssueExample> Examples(DuckDbConnection database, Issue issue, string condition, RuleColumns columns, int most)
    {
        var by = issue.By == null ? "NULL::DOUBLE" : RuleParser.ReadNumber(issue.By, columns).NumberSql(Width.Double);
        var order = issue.By == null ? "" : $"{by} {(issue.IsLargestWorst ? "DESC" : "ASC")}, ";
        var examples = new List<IssueExample>();
        var (name, view) = issue.IsOfText ? ("id", TextsView) : ("coalesce(image, id)", ImagesView);
        using var reader = database.Query(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT key, id, {name}, {by} FROM {view} WHERE {condition} ORDER BY {order}key LIMIT {most}"));
        while (reader.Read())
            examples.Add(new IssueExample(reader.Int64(0), reader.Text(1)!, reader.Text(2)!, reader.IsNull(3) ? null : reader.Double(3)));
        return examples;
    }
}
