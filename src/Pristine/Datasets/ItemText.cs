using System.Text;
using System.Text.Json;

namespace Pristine.Datasets;

/// <summary>
/// What the text of an item measures. Its text is what stands in the top-level fields <c>caption</c>, <c>captions</c> and <c>text</c> (a
/// text or a list of texts) and in the messages of <c>conversations</c> and <c>messages</c>: objects with <c>value</c> or <c>content</c>,
/// or lists of texts such as [question, answer]. Placeholders like <c>&lt;image&gt;</c> count as text, as they do in the file.
/// </summary>
/// <param name="Length">Unicode characters (code points) of all texts.</param>
/// <param name="Words">Words of all texts: runs of characters that are not white space.</param>
/// <param name="Turns">Messages; a [question, answer] pair has two.</param>
public readonly record struct ItemText(long Length, long Words, long Turns)
{
    /// <summary>Measures an item of a dataset.</summary>
    /// <param name="item">The item.</param>
    /// <param name="format">The dataset's layout.</param>
    /// <returns>Null where there is no record that could have text: items of folders and lists, and broken records.</returns>
    public static ItemText? Of(DatasetItem item, DatasetFormat format)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Error != null || format is not (DatasetFormat.Json or DatasetFormat.Jsonl))
            return null;
        using var document = RecordJson.Parse(item.Raw);
        var sum = default(ItemText);
        foreach (var field in document.RootElement.EnumerateObject())
        {
            if (RecordJson.IsNamed(field, "caption"u8) || RecordJson.IsNamed(field, "captions"u8) || RecordJson.IsNamed(field, "text"u8))
                sum += OfTexts(field.Value);
            else if (RecordJson.IsNamed(field, "conversations"u8) || RecordJson.IsNamed(field, "messages"u8))
                sum += OfMessages(field.Value);
        }
        return sum;
    }

    /// <summary>The sums of both.</summary>
    public static ItemText operator +(ItemText left, ItemText right) => Add(left, right);

    /// <summary>The sums of both.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static ItemText Add(ItemText left, ItemText right) =>
        new(left.Length + right.Length, left.Words + right.Words, left.Turns + right.Turns);

    private static ItemText OfTexts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => OfText(RecordJson.Text(value)),
        JsonValueKind.Array => value.EnumerateArray().Aggregate(default(ItemText), (sum, element) => sum + OfTexts(element)),
        _ => default,
    };

    private static ItemText OfMessages(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array)
            return OfTexts(messages);
        var sum = default(ItemText);
        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind == JsonValueKind.Array)
            {
                sum += OfTexts(message) with { Turns = message.GetArrayLength() };
                continue;
            }
            var text = message.ValueKind == JsonValueKind.Object
                ? RecordJson.Field(message, "value"u8) ?? RecordJson.Field(message, "content"u8) ?? default
                : message;
            sum += OfTexts(text) with { Turns = 1 };
        }
        return sum;
    }

    private static ItemText OfText(string text)
    {
        var (length, words, inWord) = (0L, 0L, false);
        foreach (var rune in text.EnumerateRunes())
        {
            length++;
            var space = Rune.IsWhiteSpace(rune);
            if (!space && !inWord)
                words++;
            inWord = !space;
        }
        return new ItemText(length, words, 0);
    }
}

/// <summary>Reads named top-level fields of records, for rules on <c>item.FIELD</c>.</summary>
public static class ItemFields
{
    /// <summary>Reads fields of an item.</summary>
    /// <param name="item">An item.</param>
    /// <param name="format">The dataset's layout.</param>
    /// <param name="names">The names of the fields, exactly as the record spells them.</param>
    /// <returns>
    /// A text for each name: a string's content, a number as it is written, <c>true</c> or <c>false</c>; null for null, lists, objects, a
    /// field the record does not have, and items that are no records.
    /// </returns>
    public static string?[] Read(DatasetItem item, DatasetFormat format, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(item);
        ArgumentNullException.ThrowIfNull(names);
        var values = new string?[names.Count];
        if (item.Error != null || format is not (DatasetFormat.Json or DatasetFormat.Jsonl))
            return values;
        using var document = RecordJson.Parse(item.Raw);
        for (var i = 0; i < values.Length; i++)
        {
            if (RecordJson.Field(document.RootElement, Encoding.UTF8.GetBytes(names[i])) is not { } value)
                continue;
            values[i] = value.ValueKind switch
            {
                JsonValueKind.String => RecordJson.Text(value),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => null,
            };
        }
        return values;
    }
}
