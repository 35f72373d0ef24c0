using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Pristine.Datasets;

namespace Pristine.PaddleMix;

/// <summary>
/// One record of an <see cref="MMDataset"/>: named JSON values in their order, with numbers spelt as they were read. Immutable:
/// <see cref="With"/> makes another item, so datasets can share items and none changes behind another's back.
/// </summary>
public sealed class MMItem
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = RecordReader.MaxDepth };

    private readonly KeyValuePair<string, JsonElement>[] _fields;

    // Of an item with Python's NaN, Infinity or -Infinity: its values with texts in their place, see RecordJson.WithoutWords.
    private readonly JsonElement[]? _marked;

    private MMItem(KeyValuePair<string, JsonElement>[] fields, JsonElement[]? marked = null) => (_fields, _marked) = (fields, marked);

    /// <summary>
    /// What a function that gives up an item leaves in its place, as Python's <c>None</c>: it has no fields, is exported as
    /// <c>null</c>, and <see cref="MMDataset.Nonempty"/> drops it.
    /// </summary>
    public static MMItem Null { get; } = new([]);

    /// <summary>An item without fields, <c>{}</c>.</summary>
    public static MMItem Empty { get; } = new([]);

    /// <summary>Reads an item from JSON.</summary>
    /// <param name="json">A JSON object, or <c>null</c>.</param>
    /// <returns>The item.</returns>
    /// <exception cref="FormatException">The text is not JSON, or of another kind.</exception>
    public static MMItem Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Parse(Encoding.UTF8.GetBytes(json));
    }

    /// <summary>Reads an item from JSON in UTF-8.</summary>
    /// <param name="json">
    /// A JSON object, or <c>null</c>. Python's <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> are JSON's null to whoever reads the item,
    /// and are exported as they are.
    /// </param>
    /// <returns>The item; it keeps no reference to the bytes.</returns>
    /// <exception cref="FormatException">The text is not JSON in UTF-8, or of another kind.</exception>
    public static MMItem Parse(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            throw new FormatException("expected JSON in UTF-8; found other bytes");
        try
        {
            var root = JsonElement.Parse(json, Strict);
            return root.ValueKind switch
            {
                JsonValueKind.Object => new MMItem([.. root.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value))]),
                JsonValueKind.Null => Null,
                _ => throw new FormatException($"expected a JSON object; found {RecordReader.Kind(root)}"),
            };
        }
        catch (JsonException) when (RecordJson.WithoutWords(json) is { } readable)
        {
            var item = Parse(readable);
            var marked = JsonElement.Parse(RecordJson.WithoutWords(json, asTexts: true)!, Strict);
            return new MMItem(item._fields, [.. marked.EnumerateObject().Select(field => field.Value)]);
        }
        catch (JsonException e)
        {
            throw new FormatException($"expected a JSON object; {RecordReader.Describe(e)} (byte {e.BytePositionInLine} of the record)", e);
        }
        // A name with a lone surrogate.
        catch (InvalidOperationException e)
        {
            throw new FormatException($"expected names in Unicode; {e.Message}", e);
        }
    }

    /// <summary>Makes an item of a JSON object, which is copied.</summary>
    /// <param name="fields">The object.</param>
    /// <returns>The item.</returns>
    public static MMItem From(JsonObject fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return Parse(fields.ToJsonString());
    }

    /// <summary>The value of a field, or null where there is none. Of a name that occurs twice, the last counts.</summary>
    /// <param name="field">Name, exactly.</param>
    public JsonElement? this[string field] => Array.FindLastIndex(_fields, f => f.Key == field) is var i and >= 0 ? _fields[i].Value : null;

    /// <summary>The fields in their order, names that occur twice included.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonElement>> Fields => _fields.AsReadOnly();

    /// <summary>Whether Python's words, which JSON does not have, are among the values.</summary>
    internal bool HasWords => _marked != null;

    /// <summary>The fields as they are written: Python's words are texts that begin with <see cref="RecordJson.WordMark"/>.</summary>
    internal IEnumerable<KeyValuePair<string, JsonElement>> Written =>
        _marked == null ? _fields : _fields.Select((pair, i) => KeyValuePair.Create(pair.Key, _marked[i]));

    /// <summary>The same item with Python's words where another one, of which it is a changed copy, has them.</summary>
    internal MMItem WithWordsOf(MMItem other)
    {
        if (other._marked == null)
            return this;
        var marked = Array.ConvertAll(_fields, field =>
            Array.FindLastIndex(other._fields, same => same.Key == field.Key) is var at and >= 0
            && JsonElement.DeepEquals(other._fields[at].Value, field.Value)
                ? other._marked[at]
                : field.Value);
        return new MMItem(_fields, marked);
    }

    /// <summary>True for an item without fields and for <see cref="Null"/>.</summary>
    public bool IsEmpty => _fields.Length == 0;

    /// <summary>The id as text; null where there is none or it is neither text nor a number.</summary>
    public string? Id => this["id"] is { ValueKind: JsonValueKind.String or JsonValueKind.Number } id ? id.ToString() : null;

    /// <summary>The images' paths as written, of <c>image</c> and <c>images</c>; empty for an item without an image.</summary>
    /// <exception cref="FormatException">A field has a shape that names no image; the message says which.</exception>
    public IReadOnlyList<string> Images => [.. RecordReader.Images(this["image"], this["images"])];

    /// <summary>A field's text; null where there is none or it is not text.</summary>
    /// <param name="field">Name.</param>
    public string? GetString(string field) => this[field] is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>A field's number; null where there is none or it is not a number. Beyond the range of double it is infinite.</summary>
    /// <param name="field">Name.</param>
    public double? GetDouble(string field) => this[field] is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    /// <summary>The same item with a field set: in its place where it exists, otherwise at the end.</summary>
    /// <param name="field">Name.</param>
    /// <param name="value">Text, number, boolean, object, array, or null for JSON's null. It is copied.</param>
    /// <returns>Another item; this one is unchanged.</returns>
    /// <exception cref="ArgumentException">The value has no JSON form, for example NaN.</exception>
    public MMItem With(string field, JsonNode? value)
    {
        ArgumentNullException.ThrowIfNull(field);
        var pair = KeyValuePair.Create(field, JsonElement.Parse(value?.ToJsonString() ?? "null", Strict));
        var at = Array.FindLastIndex(_fields, f => f.Key == field);
        var fields = at < 0
            ? new KeyValuePair<string, JsonElement>[_fields.Length + 1]
            : new KeyValuePair<string, JsonElement>[_fields.Length];
        _fields.CopyTo(fields, 0);
        fields[at < 0 ? ^1 : at] = pair;
        JsonElement[]? marked = _marked == null ? null : [.. _marked, .. at < 0 ? [pair.Value] : (JsonElement[])[]];
        if (marked != null && at >= 0)
            marked[at] = pair.Value;
        return new MMItem(fields, marked);
    }

    /// <summary>The same item without a field.</summary>
    /// <param name="field">Name.</param>
    /// <returns>Another item; this one where it has no such field.</returns>
    public MMItem Without(string field) => this[field] is null
        ? this
        : new MMItem(
            [.. _fields.Where(f => f.Key != field)], _marked == null ? null : [.. _marked.Where((_, i) => _fields[i].Key != field)]);

    /// <summary>
    /// A copy to work on, with null for Python's <c>NaN</c>; <see cref="From"/> makes an item of it again. Of a name that occurs twice, the
    /// last counts.
    /// </summary>
    public JsonObject ToJsonObject()
    {
        var copy = new JsonObject();
        foreach (var (name, value) in _fields)
            copy[name] = JsonNode.Parse(JsonMarshal.GetRawUtf8Value(value), documentOptions: Strict);
        return copy;
    }

    /// <summary>The item as compact JSON, non-ASCII characters kept.</summary>
    public override string ToString()
    {
        using var text = new StringWriter();
        new PythonJsonWriter(text, PythonJsonStyle.Compact with { EscapesNonAscii = false }).Write(this);
        return text.ToString();
    }
}
