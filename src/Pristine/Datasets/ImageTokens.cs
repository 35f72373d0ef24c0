using System.Text.Json;
using System.Text.RegularExpressions;

namespace Pristine.Datasets;

/// <summary>
/// Counts the places in an item's text where its images belong. Trainers put one image at each; where there are more places or fewer than
/// images, they stop, or leave an image out without a word.
/// <list type="bullet">
/// <item>The placeholders of LLaVA, LlamaFactory, ms-swift and PaddleMIX (<c>&lt;image&gt;</c>, in MIX
/// <c>&lt;image&gt;0&lt;/image&gt;</c>), data-juicer (<c>&lt;__dj__image&gt;</c>), Llama (<c>&lt;|image|&gt;</c>), DeepSeek
/// (<c>&lt;image_placeholder&gt;</c>) and XComposer (<c>&lt;ImageHere&gt;</c>).</item>
/// <item>Numbered ones (<c>&lt;image_1&gt;</c>, <c>&lt;image 1&gt;</c>, <c>&lt;|image_1|&gt;</c>): each number once, because a text may
/// name an image again.</item>
/// <item>Parts of messages that are an image, as Qwen, OpenAI and Transformers write them. Where there are some, text is not
/// searched.</item>
/// </list>
/// Messages and instructions have such places, so that finding none there means 0. A caption need not have any: without one, nothing is
/// known.
/// </summary>
internal sealed partial class ImageTokens
{
    private readonly HashSet<string> _numbers = new(StringComparer.Ordinal);
    private long _words;
    private long _parts;
    private bool _hasMessages;

    /// <summary>How many there are; null where the item has no place for them.</summary>
    public long? Count
    {
        get
        {
            var count = _parts > 0 ? _parts : _words + _numbers.Count;
            return count > 0 || _hasMessages ? count : null;
        }
    }

    /// <summary>Adds those of a record.</summary>
    /// <param name="record">A JSON object.</param>
    public void Add(JsonElement record)
    {
        foreach (var field in record.EnumerateObject())
        {
            if (IsOneOf(field, "messages"u8, "conversations"u8, "conversation"u8, "prompt"u8))
                AddMessages(field.Value);
            else if (IsOneOf(field, "instruction"u8, "input"u8, "query"u8, "question"u8))
                AddContent(field.Value, isMessage: true);
            else if (IsOneOf(field, "text"u8, "caption"u8, "captions"u8, default))
                AddContent(field.Value, isMessage: false);
        }
    }

    /// <summary>Adds those of a text.</summary>
    /// <param name="text">A text that is no message.</param>
    public void Add(string text)
    {
        // Nearly all texts have none, and no bracket either.
        if (!text.Contains('<', StringComparison.Ordinal))
            return;
        foreach (Match match in Placeholder().Matches(text))
        {
            if (match.Groups[1].Success)
                _numbers.Add(match.Groups[1].Value);
            else
                _words++;
        }
    }

    private void AddMessages(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array)
        {
            AddContent(messages, isMessage: true);
            return;
        }
        _hasMessages = true;
        foreach (var message in messages.EnumerateArray())
        {
            var content = message.ValueKind == JsonValueKind.Object
                ? RecordJson.Field(message, "value"u8) ?? RecordJson.Field(message, "content"u8) ?? default
                : message;
            AddContent(content, isMessage: true);
        }
    }

    /// <summary>A text, or a list of texts and parts.</summary>
    private void AddContent(JsonElement content, bool isMessage)
    {
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                _hasMessages |= isMessage;
                Add(RecordJson.Text(content));
                break;
            case JsonValueKind.Array:
                foreach (var part in content.EnumerateArray())
                    AddContent(part, isMessage);
                break;
            case JsonValueKind.Object when isMessage:
                if (RecordLayout.IsImagePart(content))
                    _parts++;
                else if (RecordJson.Field(content, "text"u8) is { } text)
                    AddContent(text, isMessage);
                break;
        }
    }

    private static bool IsOneOf(
        JsonProperty field, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d) =>
        RecordJson.IsNamed(field, a) || RecordJson.IsNamed(field, b) || RecordJson.IsNamed(field, c)
        || (!d.IsEmpty && RecordJson.IsNamed(field, d));

    [GeneratedRegex(
        @"<image>|<__dj__image>|<\|image\|>|<image_placeholder>|<ImageHere>|<\|?image[ _]([0-9]{1,4})\|?>", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
