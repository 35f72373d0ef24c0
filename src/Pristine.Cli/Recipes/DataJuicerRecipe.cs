using System.Globalization;
using System.Text.RegularExpressions;
using Pristine.Metrics;
using Pristine.Metrics.Text.Language;

namespace Pristine.Cli.Recipes;

/// <summary>
/// A configuration of data-juicer as a recipe: its filters as rules, with the names, defaults and intervals of data-juicer. An operation
/// that Pristine does not have is never passed over in silence: it is an error, unless it is named in <c>--skip</c>, and then it is told.
/// </summary>
internal static partial class DataJuicerRecipe
{
    /// <summary>Keys that name files or say how to work, and change no decision.</summary>
    private static readonly string[] Irrelevant =
    [
        "project_name", "executor_type", "open_tracer", "op_list_to_trace", "trace_num", "trace_keys", "op_fusion", "fusion_strategy",
        "cache_compress", "use_cache", "ds_cache_dir",
        "temp_dir", "use_checkpoint", "open_monitor", "open_insight_mining", "export_shard_size", "export_in_parallel", "export_type",
        "export_extra_args", "keep_stats_in_res_ds",
        "keep_hashes_in_res_ds", "skip_op_error", "image_special_token", "image_bytes_key", "video_key", "video_special_token", "audio_key",
        "audio_special_token", "eoc_special_token",
        "suffixes", "add_suffix", "turbo", "auto", "debug", "work_dir", "event_log_dir", "job_id", "data_probe_algo", "data_probe_ratio",
        "hpo_config", "adaptive_batch_size",
        "percentiles", "auto_op_parallelism", "ray_address", "export_original_dataset", "save_stats_in_one_file",
    ];

    /// <summary>Parameters of every operation that say how to work, and change no decision.</summary>
    private static readonly string[] IrrelevantParameters =
        ["num_proc", "np", "cpu_required", "mem_required", "num_gpus", "gpu_required", "accelerator", "batch_size", "batch_mode",
        "skip_op_error", "work_dir", "turbo", "auto_op_parallelism"];

    /// <summary>Whether a file is such a configuration: it has a list of operations.</summary>
    public static bool Is(RecipeFields root) => root.Find("process") != null && root.Find(Recipe.CommandKey) == null;

    /// <summary>Reads a configuration.</summary>
    /// <param name="root">Its content.</param>
    /// <param name="file">The file, for messages.</param>
    /// <param name="skipped">Operations that are left out.</param>
    /// <param name="own">Names of metrics that the user's files bring.</param>
    /// <param name="tell">Takes what a user should know.</param>
    /// <exception cref="UsageException">A key, operation or parameter is unknown, or means what Pristine cannot do.</exception>
    public static Recipe Read(
        RecipeFields root, string file, IReadOnlyList<string> skipped, IReadOnlyList<string> own, Action<string> tell)
    {
        var values = new List<RecipeValue>();
        var ignored = new List<string>();
        var textKey = "text";
        foreach (var (key, node) in root.Fields)
        {
            string Text() => node is RecipeText { IsNull: false, Value: { Length: > 0 } text }
                ? text
                : throw new UsageException($"{file}:{node.Line}: {key}: expected a text.");
            switch (key)
            {
                case "process":
                    break;
                case "dataset_path":
                    values.Add(new("input", [Text()]));
                    break;
                case "export_path":
                    values.Add(new("out", [Text()]));
                    break;
                case "np":
                    values.Add(new("workers", [Text()]));
                    break;
                case "image_key":
                    values.Add(new("image-field", [Text()]));
                    break;
                case "text_keys" or "text_key":
                    textKey = node is RecipeList { Items: [RecipeText only] } ? only.Value : Text();
                    break;
                default:
                    ignored.Add(Irrelevant.Contains(key) ? key : throw new UsageException(
                        $"{file}:{node.Line}: expected a key of data-juicer that is understood here; found '{key}'. Nearest: "
                        + $"{string.Join(", ", NearestNames.Of(key, [.. Irrelevant, "dataset_path", "export_path", "np", "image_key", "text_keys", "process"]))}."));
                    break;
            }
        }
        if (ignored.Count > 0)
            tell($"{file}: without effect on what is kept: {string.Join(", ", ignored)}.");
        values.AddRange(Process(root.Find("process")!, file, textKey, skipped, own, tell));
        return new Recipe("filter", values, []);
    }

    private static List<RecipeValue> Process(
        RecipeNode process, string file, string textKey, IReadOnlyList<string> skipped, IReadOnlyList<string> own, Action<string> tell)
    {
        if (process is not RecipeList { Items: var items })
            throw new UsageException($"{file}:{process.Line}: process: expected a list of operations.");
        var (rules, unknown, policies) = (new List<string>(), new List<string>(), new List<(string Operation, string Policy)>());
        var lacking = new List<(string Name, string Needs)>();
        foreach (var item in items)
        {
            var (name, fields) = item switch
            {
                RecipeText { Value: var only } => (only, new RecipeFields(item.Line, [])),
                RecipeFields { Fields: [{ Key: var only, Value: RecipeFields parameters }] } => (only, parameters),
                RecipeFields { Fields: [{ Key: var only, Value: RecipeText { IsNull: true } }] } => (only, new RecipeFields(item.Line, [])),
                _ => throw new UsageException($"{file}:{item.Line}: expected the name of an operation with its parameters."),
            };
            if (skipped.Contains(name))
            {
                tell($"{file}:{item.Line}: {name} is skipped, as asked: what it would drop is kept.");
                continue;
            }
            if (!DataJuicerFilter.TryGet(name, out var filter))
            {
                unknown.Add($"{name} (line {item.Line})");
                continue;
            }
            if (!filter.IsHere(own))
            {
                lacking.Add((name, $"{name} (line {item.Line}) needs {filter.Needs}"));
                continue;
            }
            var known = new DataJuicerParameters(fields, $"{file}:{item.Line}: {name}", textKey);
            rules.Add(filter.Rule(known));
            if (filter.IsOfImages)
                policies.Add((name, known.Choice("any_or_all", "any", "any", "all")));
            if (known.Unread(IrrelevantParameters) is { } other)
                throw new UsageException(
                    $"{file}:{item.Line}: {name}: expected a parameter that is understood here; found '{other}'. Nearest: " +
                    $"{string.Join(", ", NearestNames.Of(other, known.Read))}.");
        }
        if (unknown.Count > 0)
        {
            throw new UsageException(
                $"{file}: Pristine does not have: {string.Join(", ", unknown)}. To run the others: --skip " +
                $"{string.Join(" --skip ", unknown.Select(name => name.Split(' ')[0]).Distinct())}. "
                + $"It has: {string.Join(", ", DataJuicerFilter.Names)}.");
        }
        if (lacking.Count > 0)
        {
            throw new UsageException(
                $"{file}: {string.Join("; ", lacking.Select(filter => filter.Needs))}. To run the others: --skip " +
                $"{string.Join(" --skip ", lacking.Select(filter => filter.Name).Distinct())}.");
        }
        if (skipped.FirstOrDefault(name => !items.Any(item => item is RecipeText { Value: var only }
            ? only == name
            : item is RecipeFields fields && fields.Find(name) != null)) is { } absent)
            throw new UsageException($"--skip {absent}: expected an operation of {file}; it has none of that name.");
        if (rules.Count == 0)
            throw new UsageException($"{file}: expected an operation that filters; found none that is left.");
        if (policies.Select(policy => policy.Policy).Distinct().Count() > 1)
            throw new UsageException(
                $"{file}: expected one any_or_all for all operations on images; found " +
                $"{string.Join(", ", policies.Select(policy => $"{policy.Policy} for {policy.Operation}"))}.");
        var values = new List<RecipeValue> { new("keep", rules) };
        if (policies is [(_, "any"), ..])
            values.Add(new("images", ["any"]));
        return values;
    }

    [GeneratedRegex(@"^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*$", RegexOptions.IgnoreCase)]
    internal static partial Regex Size();
}

/// <summary>The parameters of one operation of data-juicer, with its defaults.</summary>
/// <param name="fields">The parameters as they are in the file.</param>
/// <param name="place">File, line and operation, for messages.</param>
/// <param name="textKey">The field with the text of a record.</param>
internal sealed class DataJuicerParameters(RecipeFields fields, string place, string textKey)
{
    private readonly List<string> _read = [];

    /// <summary>The parameters that were asked for.</summary>
    public IEnumerable<string> Read => _read;

    /// <summary>The field with the text of a record.</summary>
    public string TextKey { get; } = textKey;

    /// <summary>The first parameter of the file that nobody asked for; null where all were.</summary>
    public string? Unread(IEnumerable<string> others) =>
        fields.Fields.Select(field => field.Key).FirstOrDefault(key => !_read.Contains(key) && !others.Contains(key));

    /// <summary>A number; infinite where the file says so.</summary>
    public double Number(string name, double otherwise) => Text(name) is not { } text ? otherwise
        : text.TrimStart('+', '-') is ".inf" or ".Inf" or ".INF" or "inf"
        ? text.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity
        : text == "sys.maxsize" ? double.PositiveInfinity
        // Fractions such as 9/21 are among data-juicer's values.
        : text.Split('/') is [var high, var low] && Parse(high) is { } above && Parse(low) is { } below && below != 0 ? above / below
        : Parse(text) ?? throw new UsageException($"{place}: {name}: expected a number; found '{text}'.");

    /// <summary>A size in bytes: <c>124KB</c> has 124 x 1024.</summary>
    public double Size(string name, string otherwise)
    {
        var text = Text(name) ?? otherwise;
        var match = DataJuicerRecipe.Size().Match(text);
        if (!match.Success)
            throw new UsageException($"{place}: {name}: expected a size such as 124KB; found '{text}'.");
        var power = "KMGT".IndexOf(match.Groups[2].Value.ToUpperInvariant(), StringComparison.Ordinal)
            + (match.Groups[2].Length > 0 ? 1 : 0);
        return Math.Floor(double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * Math.Pow(1024, power));
    }

    /// <summary>One of some words.</summary>
    public string Choice(string name, string otherwise, params ReadOnlySpan<string> words)
    {
        var text = Text(name) ?? otherwise;
        foreach (var word in words)
            if (string.Equals(text, word, StringComparison.OrdinalIgnoreCase))
                return word;
        throw new UsageException($"{place}: {name}: expected {string.Join(" or ", words.ToArray())}; found '{text}'.");
    }

    /// <summary>A truth value.</summary>
    public bool IsTrue(string name, bool otherwise) => Choice(name, otherwise ? "true" : "false", "true", "false") == "true";

    /// <summary>A parameter that must have the value that Pristine's metric has.</summary>
    public void Expect(string name, string value)
    {
        if (Text(name) is { } text && !string.Equals(text, value, StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"{place}: {name}: expected {value}, the only one that is here; found '{text}'.");
    }

    /// <summary>A whole number from 1 to 1000.</summary>
    public int Length(string name, int otherwise) =>
        Number(name, otherwise) is var number and >= 1 and <= 1000 && number == Math.Floor(number)
        ? (int)number
        : throw new UsageException($"{place}: {name}: expected a whole number from 1 to 1000; found '{Text(name)}'.");

    /// <summary>Takes a parameter that decides nothing.</summary>
    public void Ignore(string name) => Text(name);

    /// <summary>Metrics of text read the fields that are known to hold it.</summary>
    public void ExpectKnownText()
    {
        if (TextKey is not ("text" or "caption" or "captions"))
            throw new UsageException(
                $"{place}: expected text_keys to be text, caption or captions, which metrics of text read; found '{TextKey}'.");
    }

    /// <summary>The top-level field that an operation names.</summary>
    public string Field(string name)
    {
        var text = Text(name) ?? throw new UsageException($"{place}: {name}: expected the name of a field; found none.");
        return !text.Contains('.', StringComparison.Ordinal) ? ItemField(text)
            : throw new UsageException(
                $"{place}: {name}: expected a field at the top of a record; found '{text}', which is within another.");
    }

    /// <summary>Texts, one or a list.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        _read.Add(name);
        return fields.Find(name) switch
        {
            RecipeText { IsNull: false, Value: var only } => [only],
            RecipeList list => [
                .. list.Items.Select(item => (item as RecipeText)?.Value ?? throw new UsageException($"{place}: {name}: expected texts."))],
            _ => throw new UsageException($"{place}: {name}: expected a text or a list of texts; found none."),
        };
    }

    /// <summary>Texts, one or a list; none where the file has none, or an empty text.</summary>
    public IReadOnlyList<string> TextsOrNone(string name) =>
        fields.Find(name) is RecipeList ? Texts(name) : Text(name) is { Length: > 0 } only ? [only] : [];

    /// <summary>The metric of a language.</summary>
    public string Language(string code) => LanguageScore.Languages.Contains(code)
        ? $"{LanguageScore.Base}:{code}"
        : throw new UsageException(
            $"{place}: lang: expected a code of a language such as en; found '{code}'. Nearest: " +
            $"{string.Join(", ", NearestNames.Of(code, LanguageScore.Languages))}.");

    /// <summary>
    /// The rule that a value lies between two ends, as data-juicer's <c>get_keep_boolean</c> says: ends count unless the interval is open,
    /// and <c>reversed_range</c> keeps what lies outside.
    /// </summary>
    public string Range(string column, double low, double high)
    {
        var atLow = IsTrue("min_closed_interval", true) ? ">=" : ">";
        var atHigh = IsTrue("max_closed_interval", true) ? "<=" : "<";
        var ends = new List<string>();
        if (!double.IsNegativeInfinity(low))
            ends.Add($"{column} {atLow} {Shown(low)}");
        if (!double.IsPositiveInfinity(high))
            ends.Add($"{column} {atHigh} {Shown(high)}");
        var range = ends.Count > 0 ? string.Join(" and ", ends) : $"{column} is not null";
        return IsTrue("reversed_range", false) ? $"not ({range})" : range;
    }

    /// <summary>The interval of two ends, as names of metrics have it; ends count unless the interval is open.</summary>
    public MediaInterval Interval(double low, double high) =>
        new(low, high, IsTrue("min_closed_interval", true), IsTrue("max_closed_interval", true));

    /// <summary>A field of the record in a rule.</summary>
    public static string ItemField(string name) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        ? $"item.{name}"
        : $"item.\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A number in a rule.</summary>
    public static string Shown(double number) =>
        number.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal);

    private static double? Parse(string text) =>
        double.TryParse(
            text.Trim().Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && double.IsFinite(number) ? number : null;

    private string? Text(string name)
    {
        if (!_read.Contains(name))
            _read.Add(name);
        return fields.Find(name) switch
        {
            null or RecipeText { IsNull: true } => null,
            RecipeText { Value: var text } => text,
            _ => throw new UsageException($"{place}: {name}: expected one value."),
        };
    }
}
