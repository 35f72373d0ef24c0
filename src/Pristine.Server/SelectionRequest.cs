using System.Text.Json;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Selection;
using Pristine.Selection.Duplicates;

namespace Pristine.Server;

/// <summary>Reads a selection as requests have it: an object with the names of the options of <c>pristine select</c>.</summary>
internal static class SelectionRequest
{
    private static readonly string[] Fields =
        ["keep", "drop", "drop_issue", "score", "dedup", "keep_best", "keep_top", "keep_between", "by", "per", "limit", "images",
            "no_image"];

    /// <summary>Reads a selection.</summary>
    /// <param name="root">The object.</param>
    /// <param name="known">The metrics that rules may name.</param>
    /// <param name="others">Further fields of the object, which mean something else.</param>
    /// <exception cref="RequestException">A field is unknown or not what it should be.</exception>
    /// <exception cref="RuleException">A rule cannot be understood.</exception>
    public static SelectionOptions Read(JsonElement root, MetricSet known, params ReadOnlySpan<string> others)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Bad($"expected a JSON object; found {Kind(root)}");
        foreach (var field in root.EnumerateObject())
        {
            if (!Fields.Contains(field.Name) && !others.Contains(field.Name))
                throw Bad($"expected the fields {string.Join(", ", [.. Fields, .. others])}; found '{field.Name}'");
        }
        var dedup = Text(root, "dedup");
        return new SelectionOptions
        {
            Known = known,
            Keep = Texts(root, "keep"),
            Drop = Texts(root, "drop"),
            DropIssues = [.. Texts(root, "drop_issue").Select(IssueOf)],
            Score = Text(root, "score"),
            Dedup = dedup == null ? null : DuplicateMethod.Parse(dedup),
            KeepBest = Text(root, "keep_best"),
            Top = Text(root, "keep_top") is { } top ? TopShare.Parse(top) : null,
            Between = Text(root, "keep_between") is { } between ? PercentileRange.Parse(between) : null,
            By = Text(root, "by"),
            Per = Text(root, "per"),
            Limit = Whole(root, "limit"),
            Images = Text(root, "images") is not { } images ? ImagePolicy.Worst
                : Enum.GetValues<ImagePolicy>().Where(policy => NameOf(policy) == images).Cast<ImagePolicy?>().FirstOrDefault()
                ?? throw Bad($"images: expected {string.Join(", ", Enum.GetValues<ImagePolicy>().Select(NameOf))}; found '{images}'"),
            KeepItemsWithoutImage = Text(root, "no_image") switch
            {
                null or "keep" => true,
                "drop" => false,
                var other => throw Bad($"no_image: expected keep or drop; found '{other}'"),
            },
        };
    }

    /// <summary>
    /// Checks all names and texts of a value, before any of them is asked for: JSON can write half of a surrogate pair, and bytes that are
    /// no UTF-8, and reading such a text is an <see cref="InvalidOperationException"/>.
    /// </summary>
    /// <exception cref="RequestException">One is no Unicode text.</exception>
    public static void RequireUnicode(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var field in value.EnumerateObject())
                {
                    Require(field, static named => named.Name, static _ => "the name of a field");
                    RequireUnicode(field.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (var element in value.EnumerateArray())
                    RequireUnicode(element);
                break;
            case JsonValueKind.String:
                Require(value, static text => text.GetString(), RecordJson.Raw);
                break;
        }
    }

    private static void Require<T>(T of, Func<T, string?> read, Func<T, string> show)
    {
        try
        {
            read(of);
        }
        catch (InvalidOperationException)
        {
            throw Bad($"expected Unicode texts; found {show(of)} with half of a surrogate pair, or with bytes that are no UTF-8");
        }
    }

    /// <summary>A text; null where the object has none.</summary>
    public static string? Text(JsonElement root, string name) => !root.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        // 80 and "80" are the same to who writes JSON by hand.
        JsonValueKind.Number => value.GetRawText(),
        _ => throw Bad($"{name}: expected a text; found {Kind(value)}"),
    };

    /// <summary>A whole number; null where the object has none.</summary>
    public static long? Whole(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw Bad(
            $"{name}: expected a whole number; found {(value.ValueKind == JsonValueKind.Number ? value.GetRawText() : Kind(value))}");

    /// <summary>A sentence about a request that cannot be understood.</summary>
    public static RequestException Bad(string message) => new(400, char.ToUpperInvariant(message[0]) + message[1..] + ".");

    /// <summary>What kind of value it is.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private static string NameOf(ImagePolicy policy) => policy.ToString().ToLowerInvariant();

    private static Issue IssueOf(string name) => Issue.All.FirstOrDefault(issue => issue.Name == name)
        ?? throw Bad($"drop_issue: expected one of {string.Join(", ", Issue.All.Select(issue => issue.Name))}; found '{name}'");

    /// <summary>A list of texts, or one; empty where the object has none.</summary>
    public static string[] Texts(JsonElement root, string name) => !root.TryGetProperty(name, out var value) ? [] : value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => [.. value.EnumerateArray().Select(element => element.ValueKind == JsonValueKind.String
            ? element.GetString()!
            : throw Bad($"{name}: expected texts; found {Kind(element)}"))],
        _ => throw Bad($"{name}: expected a list of texts; found {Kind(value)}"),
    };
}
