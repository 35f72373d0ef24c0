using System.Text;
using System.Text.Json;

namespace Pristine.Datasets;

/// <summary>
/// What the text of an item measures. Its text is what stands in the top-level fields <c>caption</c>, <c>captions</c> and <c>text</c> (a
/// text or a list of texts) and in the messages of <c>conversations</c> and <c>messages</c>: objects with <c>value</c> or <c>content</c>,
/// or lists of texts such as [question, answer]; of content that is a list of parts, the parts' <c>text</c>. Placeholders like
/// <c>&lt;image&gt;</c> count as text, as they do in the file.
/// </summary>
/// <param name="Length">Unicode characters (code points) of all texts.</param>
/// <param name="Words">Words of all texts: runs of characters that are not white space.</param>
/// <param name="Turns">Messages; a [question, answer] pair has two.</param>
public readonly record struct ItemText(long Length, long Words, long Turns)
{
    /// <summary>
    /// Places in the text where an image belongs: placeholders such as <c>&lt;image&gt;</c>, and parts of messages that are an image. Null
    /// where the item has no messages and no placeholder.
    /// </summary>
    public long? ImageTokens { get; init; }

    /// <summary>Measures a record.</summary>
    /// <param name="record">A JSON object.</param>
    internal static ItemText Of(JsonElement record)
    {
        var (sum, tokens) = (default(ItemText), new ImageTokens());
        tokens.Add(record);
        var turns = Visit(record, text => sum += OfText(text));
        return sum with { Turns = turns, ImageTokens = tokens.Count };
    }

    /// <summary>The texts of a record, in its order.</summary>
    /// <param name="record">A JSON object.</param>
    internal static List<string> TextsOf(JsonElement record)
    {
        var texts = new List<string>();
        Visit(record, texts.Add);
        return texts;
    }

    /// <summary>Measures a text that is no message.</summary>
    internal static ItemText Of(string text)
    {
        var tokens = new ImageTokens();
        tokens.Add(text);
        return OfText(text) with { ImageTokens = tokens.Count };
    }

    /// <summary>The sums of both.</summary>
    public static ItemText operator +(ItemText left, ItemText right) => Add(left, right);

    /// <summary>The sums of both.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static ItemText Add(ItemText left, ItemText right) =>
        new(left.Length + right.Length, left.Words + right.Words, left.Turns + right.Turns)
        {
            ImageTokens = left.ImageTokens is null && right.ImageTokens is null ? null : (left.ImageTokens ?? 0) + (right.ImageTokens ?? 0),
        };

    /// <summary>Hands out the texts of a record.</summary>
    /// <returns>How many messages there are.</returns>
    private static long Visit(JsonElement record, Action<string> take)
    {
        var turns = 0L;
        foreach (var field in record.EnumerateObject())
        {
            if (RecordJson.IsNamed(field, "caption"u8) || RecordJson.IsNamed(field, "captions"u8) || RecordJson.IsNamed(field, "text"u8))
                VisitTexts(field.Value, take);
            else if (RecordJson.IsNamed(field, "conversations"u8) || RecordJson.IsNamed(field, "messages"u8))
                turns += VisitMessages(field.Value, take);
        }
        return turns;
    }

    private static void VisitTexts(JsonElement value, Action<string> take)
    {
        if (value.ValueKind == JsonValueKind.String)
            take(RecordJson.Text(value));
        else if (value.ValueKind == JsonValueKind.Array)
            foreach (var element in value.EnumerateArray())
                VisitTexts(element, take);
    }

    /// <summary>A message's content, which may be a list of parts: texts, or objects with a <c>text</c>.</summary>
    private static void VisitContent(JsonElement content, Action<string> take)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            VisitTexts(content, take);
            return;
        }
        foreach (var part in content.EnumerateArray())
            VisitTexts(part.ValueKind == JsonValueKind.Object && RecordJson.Field(part, "text"u8) is { } text ? text : part, take);
    }

    private static long VisitMessages(JsonElement messages, Action<string> take)
    {
        if (messages.ValueKind != JsonValueKind.Array)
        {
            VisitTexts(messages, take);
            return 0;
        }
        var turns = 0L;
        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind == JsonValueKind.Array)
            {
                VisitTexts(message, take);
                turns += message.GetArrayLength();
                continue;
            }
            var text = message.ValueKind == JsonValueKind.Object
                ? RecordJson.Field(message, "value"u8) ?? RecordJson.Field(message, "content"u8) ?? default
                : message;
            VisitContent(text, take);
            turns++;
        }
        return turns;
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
