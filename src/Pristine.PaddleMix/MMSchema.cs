using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Pristine.Datasets;

namespace Pristine.PaddleMix;

/// <summary>The shape that the records of an <see cref="MMDataset"/> should have. Further fields are always allowed.</summary>
public enum MMSchema
{
    /// <summary>No shape: every record is valid.</summary>
    None,

    /// <summary>
    /// <c>id</c> (text that is not blank, or an integer from 0), <c>image</c> (a path ending in .jpg, .jpeg or .png, all lower or all upper
    /// case), <c>conversations</c> (at least one <c>{from: human|gpt, value}</c>, no blank value); where there is a <c>meta</c>, it has
    /// <c>width</c>, <c>height</c> (integer or null) and <c>is_valid</c> (boolean).
    /// </summary>
    MM,

    /// <summary>
    /// <c>id</c> as in MM, <c>images</c> (null, or at least one <c>{id, url}</c>, the url ending as in MM or in .webp),
    /// <c>conversations</c> (at least one <c>{from: user|assistant, value}</c>, the value text or null).
    /// </summary>
    MIX,
}

/// <summary>The rules of PaddleMIX's schemas, and the way from one to the other.</summary>
public static partial class MMSchemas
{
    /// <summary>Says what keeps an item from being valid.</summary>
    /// <param name="item">The item.</param>
    /// <param name="schema">The schema.</param>
    /// <returns>Null for a valid item; otherwise field, expected and found.</returns>
    public static string? Violation(MMItem item, MMSchema schema)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (schema == MMSchema.None)
            return null;
        if (ReferenceEquals(item, MMItem.Null))
            return "expected an object; found null";
        try
        {
            return FirstViolation(item, schema);
        }
        // Thrown by JsonElement for a name or text with a lone surrogate.
        catch (InvalidOperationException e)
        {
            return $"expected text in Unicode; {e.Message}";
        }
    }

    /// <summary>Makes an MM item a MIX item.</summary>
    /// <param name="item">An item with <c>conversations</c>; without an <c>image</c> its <c>images</c> becomes null.</param>
    /// <returns>The item with <c>images</c> and with <c>human</c> as <c>user</c>, any other speaker as <c>assistant</c>; where there is an
    /// image, each question says <c>&lt;image&gt;0&lt;/image&gt;</c> for <c>&lt;image&gt;</c>, or begins with it. All other fields
    /// stay.</returns>
    /// <exception cref="FormatException">Image or conversations have another shape.</exception>
    public static MMItem ToMix(MMItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var image = item["image"];
        if (image is { } path && !IsText(path))
            throw new FormatException($"expected 'image' to be a string; found {RecordReader.Kind(path)}");
        if (item["conversations"] is not { ValueKind: JsonValueKind.Array } conversations)
            throw new FormatException("expected 'conversations' to be a list of turns; found none");
        var images = image is null ? null : new JsonArray(new JsonObject { ["id"] = 0, ["url"] = image.Value.GetString() });
        var turns = new JsonArray([.. conversations.EnumerateArray().Select(turn => ConvertTurn(turn, image is not null))]);

        var converted = new JsonObject();
        if (item["id"] is { } id)
            converted["id"] = JsonValue.Create(id);
        converted["images"] = images;
        converted["conversations"] = turns;
        foreach (var (name, value) in item.ToJsonObject())
            if (name != "image" && !converted.ContainsKey(name))
                converted[name] = value?.DeepClone();
        return MMItem.From(converted).WithWordsOf(item);
    }

    private static string? FirstViolation(MMItem item, MMSchema schema) =>
        Check(item["id"], "id", "text that is not blank, or an integer from 0", IsId)
            ?? (schema == MMSchema.MM
                ? Check(item["image"], "image", "a path ending in .jpg, .jpeg or .png", v => IsText(v) && MMImage().IsMatch(v.GetString()!))
                : Check(item["images"], "images", "null, or a list of at least one image", v => v.ValueKind == JsonValueKind.Null || IsList(
                    v))
                    ?? Each(item["images"], "images", MixImage))
            ?? Check(item["conversations"], "conversations", "a list of at least one turn", IsList)
            ?? Each(item["conversations"], "conversations", schema == MMSchema.MM ? MMTurn : MixTurn)
            ?? (schema == MMSchema.MM && item["meta"] is { } meta ? Meta(meta) : null);

    private static JsonObject ConvertTurn(JsonElement turn, bool hasImage)
    {
        if (!IsObject(turn) || Property(turn, "from") is not { ValueKind: JsonValueKind.String } from
            || Property(turn, "value") is not { ValueKind: JsonValueKind.String } value)
            throw new FormatException("expected a turn {from, value} in 'conversations'; found another shape");
        var converted = JsonObject.Create(turn)!;
        var isHuman = from.GetString() == "human";
        converted["from"] = isHuman ? "user" : "assistant";
        if (isHuman && hasImage)
        {
            var text = value.GetString()!;
            converted["value"] = text.Contains("<image>", StringComparison.Ordinal)
                ? text.Replace("<image>", "<image>0</image>", StringComparison.Ordinal)
                : "<image>0</image>\n" + text;
        }
        return converted;
    }

    private static string? MMTurn(JsonElement turn, string where) =>
        Check(Property(turn, "from"), where + ".from", "human or gpt", v => IsText(v) && v.GetString() is "human" or "gpt")
        ?? Check(Property(turn, "value"), where + ".value", "text that is not blank", v => IsText(v) && !IsBlank(v.GetString()!));

    private static string? MixTurn(JsonElement turn, string where) =>
        Check(Property(turn, "from"), where + ".from", "user or assistant", v => IsText(v) && v.GetString() is "user" or "assistant")
        ?? Check(Property(turn, "value"), where + ".value", "text or null", v => IsText(v) || v.ValueKind == JsonValueKind.Null);

    private static string? MixImage(JsonElement image, string where) =>
        Check(Property(image, "id"), where + ".id", "an integer from 0", IsIndex)
        ?? Check(Property(image, "url"),
        where + ".url", "a path ending in .jpg, .jpeg, .png or .webp", v => IsText(v) && MixImageName().IsMatch(v.GetString()!))
        // "heigh" is how the published schema spells it.
        ?? (Property(image, "heigh") is { } height ? Check(height, where + ".heigh", "an integer from 0", IsIndex) : null)
        ?? (Property(image, "width") is { } width ? Check(width, where + ".width", "an integer from 0", IsIndex) : null);

    private static string? Meta(JsonElement meta) =>
        Check(meta, "meta", "an object", IsObject)
        ?? Check(Property(meta, "width"), "meta.width", "an integer or null", IsIntegerOrNull)
        ?? Check(Property(meta, "height"), "meta.height", "an integer or null", IsIntegerOrNull)
        ?? Check(
            Property(meta, "is_valid"), "meta.is_valid", "true or false", v => v.ValueKind is JsonValueKind.True or JsonValueKind.False);

    private static string? Each(JsonElement? list, string name, Func<JsonElement, string, string?> check)
    {
        if (list is not { ValueKind: JsonValueKind.Array } array)
            return null;
        var index = 0;
        foreach (var element in array.EnumerateArray())
        {
            var where = string.Create(CultureInfo.InvariantCulture, $"{name}[{index++}]");
            if ((Check(element, where, "an object", IsObject) ?? check(element, where)) is { } violation)
                return violation;
        }
        return null;
    }

    private static string? Check(JsonElement? value, string name, string expected, Func<JsonElement, bool> isValid)
    {
        if (value is not { } found)
            return $"{name}: expected {expected}; found no such field";
        return isValid(found) ? null : $"{name}: expected {expected}; found {Shorten(found.GetRawText())}";
    }

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..77] + "...";

    private static JsonElement? Property(JsonElement value, string name) => value.TryGetProperty(name, out var found) ? found : null;

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String;

    private static bool IsObject(JsonElement value) => value.ValueKind == JsonValueKind.Object;

    private static bool IsList(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0;

    private static bool IsId(JsonElement value) => IsText(value) ? !IsBlank(value.GetString()!) : IsIndex(value);

    private static bool IsIndex(JsonElement value) => IsInteger(value) && value.GetDouble() >= 0;

    private static bool IsIntegerOrNull(JsonElement value) => value.ValueKind == JsonValueKind.Null || IsInteger(value);

    // JSON Schema's integers: 1.0 and 1e3 are some, 1e400 (infinite in Python) is none.
    private static bool IsInteger(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return false;
        if (value.GetRawText().AsSpan().IndexOfAny(".eE") < 0)
            return true;
        var number = value.GetDouble();
        return double.IsFinite(number) && Math.Floor(number) == number;
    }

    // Python's white space: Unicode's, and the four separators of ASCII.
    private static bool IsBlank(string text) => text.All(c => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f');

    [GeneratedRegex(@"\.(jpg|jpeg|png|JPG|JPEG|PNG)$")]
    private static partial Regex MMImage();

    [GeneratedRegex(@"\.(jpg|jpeg|png|webp|JPG|JPEG|PNG)$")]
    private static partial Regex MixImageName();
}
