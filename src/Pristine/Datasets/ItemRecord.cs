using System.Text;
using System.Text.Json;

namespace Pristine.Datasets;

/// <summary>
/// What an item says in words: its text, and fields that have names. Items of folders and lists have none. It is a view over bytes that the
/// item holds and is read when it is asked.
/// </summary>
public abstract class ItemRecord
{
    private protected ItemRecord()
    {
    }

    /// <summary>What its text measures.</summary>
    public abstract ItemText Text { get; }

    /// <summary>The texts that <see cref="Text"/> measures, in their order.</summary>
    internal abstract IReadOnlyList<string> Texts { get; }

    /// <summary>False for what has fields but no text at all.</summary>
    internal virtual bool HasText => true;

    /// <summary>The names of its top-level fields, in order.</summary>
    public abstract IReadOnlyList<string> FieldNames { get; }

    /// <summary>Reads top-level fields.</summary>
    /// <param name="names">The names of the fields, exactly as the record spells them.</param>
    /// <returns>
    /// A text for each name: a string's content, a number as it is written, <c>true</c> or <c>false</c>; null for null, lists, objects and
    /// a field that the record does not have.
    /// </returns>
    public abstract string?[] Fields(IReadOnlyList<string> names);

    /// <summary>Writes all fields into a JSON object that was begun.</summary>
    /// <param name="json">Gets names and values.</param>
    internal virtual void WriteFields(Utf8JsonWriter json)
    {
        var names = FieldNames;
        foreach (var (name, value) in names.Zip(Fields(names)))
            json.WriteString(name, value);
    }
}

/// <summary>The record of an item that is a JSON object.</summary>
/// <param name="json">The object's bytes.</param>
internal sealed class JsonRecord(ReadOnlyMemory<byte> json) : ItemRecord
{
    public override ItemText Text
    {
        get
        {
            using var document = RecordJson.Parse(json);
            return ItemText.Of(document.RootElement);
        }
    }

    internal override IReadOnlyList<string> Texts
    {
        get
        {
            using var document = RecordJson.Parse(json);
            return ItemText.TextsOf(document.RootElement);
        }
    }

    public override IReadOnlyList<string> FieldNames
    {
        get
        {
            using var document = RecordJson.Parse(json);
            return [.. document.RootElement.EnumerateObject().Select(RecordJson.Name)];
        }
    }

    internal override void WriteFields(Utf8JsonWriter target) => WriteFields(target, _ => true);

    /// <summary>Writes some of the fields.</summary>
    public void WriteFields(Utf8JsonWriter target, Func<string, bool> isWanted)
    {
        using var document = RecordJson.Parse(json);
        foreach (var field in document.RootElement.EnumerateObject())
        {
            var name = RecordJson.Name(field);
            if (!isWanted(name))
                continue;
            target.WritePropertyName(name);
            target.WriteRawValue(RecordJson.Raw(field.Value), skipInputValidation: true);
        }
    }

    public override string?[] Fields(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var values = new string?[names.Count];
        using var document = RecordJson.Parse(json);
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
