using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Pristine.Datasets;

/// <summary>
/// Parses records as the programs of our users write them. Python's <c>json</c> writes <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>,
/// which JSON does not have, and half of a surrogate pair as <c>\ud83d</c>, which is no Unicode text. Neither loses a record: the three
/// words are read as null, what is no text as U+FFFD. The record's own bytes are exported unchanged in any case.
/// </summary>
internal static class RecordJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = RecordReader.MaxDepth };
    private static readonly byte[][] NotNumbers = ["NaN"u8.ToArray(), "Infinity"u8.ToArray(), "-Infinity"u8.ToArray()];

    /// <summary>Parses a record.</summary>
    /// <param name="record">The bytes of one JSON value.</param>
    /// <exception cref="JsonException">It is not JSON, also with Python's words read as null.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> record)
    {
        record = WithoutBom(record);
        try
        {
            return JsonDocument.Parse(record, Strict);
        }
        catch (JsonException) when (WithoutWords(record.Span) is { } readable)
        {
            return JsonDocument.Parse(readable, Strict);
        }
    }

    /// <summary>The bytes after a byte order mark, with which Windows begins texts in UTF-8.</summary>
    public static ReadOnlyMemory<byte> WithoutBom(ReadOnlyMemory<byte> text) =>
        text.Span.StartsWith(LineReader.Bom) ? text[LineReader.Bom.Length..] : text;

    /// <summary>
    /// Looks for one of Python's words at the start of bytes that stand outside of a string.
    /// </summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="length">The word's length; 0 where there is none.</param>
    /// <returns>True where the bytes start with a word, or end within one.</returns>
    public static bool StartsWithWord(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        foreach (var word in NotNumbers)
        {
            if (bytes.StartsWith(word))
                length = word.Length;
            else if (bytes.IsEmpty || bytes.Length >= word.Length || !word.AsSpan().StartsWith(bytes))
                continue;
            return true;
        }
        return false;
    }

    /// <summary>A field of an object; the last of several that have the name. Null where there is none.</summary>
    /// <param name="record">A JSON object.</param>
    /// <param name="name">The field's name.</param>
    public static JsonElement? Field(JsonElement record, ReadOnlySpan<byte> name)
    {
        try
        {
            return record.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            // Another name of the object is no Unicode text.
            JsonElement? found = null;
            foreach (var field in record.EnumerateObject())
                if (IsNamed(field, name))
                    found = field.Value;
            return found;
        }
    }

    /// <summary>True when a field has this name.</summary>
    /// <param name="field">A field of an object.</param>
    /// <param name="name">The name.</param>
    public static bool IsNamed(JsonProperty field, ReadOnlySpan<byte> name)
    {
        try
        {
            return field.NameEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>A field's name; what is no Unicode text in it is U+FFFD.</summary>
    /// <param name="field">A field of an object.</param>
    public static string Name(JsonProperty field)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }

    /// <summary>The text of a JSON string; what is no Unicode text in it is U+FFFD.</summary>
    /// <param name="value">A JSON string.</param>
    public static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(Raw(value).AsSpan()[1..^1]);
        }
    }

    /// <summary>A value as it is written; bytes that are no UTF-8, which may stand in its texts and names, are U+FFFD.</summary>
    /// <param name="value">A value of a record.</param>
    public static string Raw(JsonElement value) => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value));

    private static string Unescape(ReadOnlySpan<char> raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            if (raw[++i] == 'u')
            {
                text.Append((char)ushort.Parse(raw.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
                continue;
            }
            text.Append(raw[i] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var same => same });
        }
        // Enumerating runes gives U+FFFD for each half of a surrogate pair.
        var sound = new StringBuilder(text.Length);
        foreach (var rune in text.ToString().EnumerateRunes())
            sound.Append(rune.ToString());
        return sound.ToString();
    }

    /// <summary>What begins the texts by which <see cref="WithoutWords"/> marks Python's words: no character.</summary>
    public const char WordMark = '\uFDD0';

    /// <summary>The record with Python's words replaced by null; null where it has none outside of its strings.</summary>
    /// <param name="record">The bytes of one JSON value.</param>
    /// <param name="asTexts">True to replace them by texts of <see cref="WordMark"/> and the word instead.</param>
    public static byte[]? WithoutWords(ReadOnlySpan<byte> record, bool asTexts = false)
    {
        if (record.IndexOf("NaN"u8) < 0 && record.IndexOf("Infinity"u8) < 0)
            return null;
        var readable = new MemoryStream(record.Length + 64);
        var (found, start, inString) = (false, 0, false);
        for (var i = 0; i < record.Length; i++)
        {
            if (inString)
            {
                if (record[i] == '\\')
                    i++;
                else
                    inString = record[i] != '"';
            }
            else if (record[i] == '"')
                inString = true;
            else if (record[i] is (byte)'N' or (byte)'I' or (byte)'-' && StartsWithWord(record[i..], out var length) && length > 0)
            {
                readable.Write(record[start..i]);
                readable.Write(
                    asTexts ? Encoding.UTF8.GetBytes($"\"{WordMark}{Encoding.UTF8.GetString(record.Slice(i, length))}\"") : "null"u8);
                i += length - 1;
                (found, start) = (true, i + 1);
            }
        }
        readable.Write(record[Math.Min(start, record.Length)..]);
        return found ? readable.ToArray() : null;
    }
}
