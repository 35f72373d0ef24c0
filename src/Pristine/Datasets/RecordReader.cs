using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Pristine.Datasets;

/// <summary>
/// Finds id and images in a record of an MM, MIX or LLaVA dataset. Ids are strings or numbers; images stand in <c>image</c> or
/// <c>images</c> as a path, an object with <c>url</c> or <c>path</c>, or a list of either; null, an empty text or an absent field is no image.
/// </summary>
/// <param name="imageRoot">Folder against which relative paths are resolved.</param>
internal sealed partial class RecordReader(string imageRoot)
{
    /// <summary>Deepest nesting of a record that is read.</summary>
    public const int MaxDepth = 256;

    /// <summary>Makes an item of a record's bytes. What is wrong with the record becomes <see cref="DatasetItem.Error"/>.</summary>
    /// <param name="index">Position in the dataset.</param>
    /// <param name="before">Bytes before the record.</param>
    /// <param name="record">The record.</param>
    /// <param name="after">Bytes after it.</param>
    /// <param name="place">File and line for the message.</param>
    public DatasetItem Read(long index, ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> record, ReadOnlyMemory<byte> after, string place)
    {
        string? id = null;
        string? error = null;
        IReadOnlyList<DatasetImage> images = [];
        try
        {
            using var document = RecordJson.Parse(record);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                id = Id(document.RootElement);
                images = [.. Images(RecordJson.Field(document.RootElement, "image"u8), RecordJson.Field(document.RootElement, "images"u8)).Select(Resolve)];
            }
            else
                error = $"expected a JSON object; found {Kind(document.RootElement)}";
        }
        catch (JsonException e)
        {
            error = $"expected a JSON object; {Describe(e)} (byte {e.BytePositionInLine} of the record)";
        }
        catch (FormatException e)
        {
            error = e.Message;
        }
        return new DatasetItem
        {
            Index = index,
            Id = id ?? (images.Count > 0 ? images[0].Reference : string.Create(CultureInfo.InvariantCulture, $"#{index}")),
            Images = images,
            Raw = record,
            Error = error is null ? null : $"{place}: {error}.",
            Before = before,
            After = after,
        };
    }

    /// <summary>The record's id as text; null where it has none.</summary>
    /// <exception cref="FormatException">The id is neither text nor a number.</exception>
    private static string? Id(JsonElement record)
    {
        if (RecordJson.Field(record, "id"u8) is not { } id)
            return null;
        return id.ValueKind switch
        {
            JsonValueKind.String => RecordJson.Text(id),
            JsonValueKind.Number => id.GetRawText(),
            JsonValueKind.Null => null,
            _ => throw new FormatException($"expected 'id' to be a string or an integer; found {Kind(id)}"),
        };
    }

    /// <summary>The images' paths as written: those of <c>image</c>, then those of <c>images</c>.</summary>
    /// <exception cref="FormatException">A field has another shape.</exception>
    public static IEnumerable<string> Images(JsonElement? image, JsonElement? images)
    {
        foreach (var (field, found) in new[] { ("image", image), ("images", images) })
        {
            if (found is { ValueKind: JsonValueKind.Array } list)
            {
                foreach (var element in list.EnumerateArray())
                    if (PathIn(field, element) is { } path)
                        yield return path;
            }
            else if (found is { } value && PathIn(field, value) is { } path)
                yield return path;
        }
    }

    /// <summary>What kind of JSON value it is, with an article.</summary>
    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    /// <summary>The parser's message without its own account of the position, which ours replaces.</summary>
    public static string Describe(JsonException e)
    {
        var cut = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (cut < 0 ? e.Message : e.Message[..cut]).TrimEnd('.');
    }

    private static string? PathIn(string field, JsonElement value)
    {
        var path = value.ValueKind == JsonValueKind.Object
            ? RecordJson.Field(value, "url"u8) ?? RecordJson.Field(value, "path"u8)
                ?? throw new FormatException($"expected an object in '{field}' to have 'url' or 'path'; found neither")
            : value;
        return path.ValueKind switch
        {
            JsonValueKind.String => RecordJson.Text(path) is { Length: > 0 } text ? text : null,
            JsonValueKind.Null => null,
            _ => throw new FormatException($"expected an image in '{field}' to be a path, an object with 'url' or 'path', or null; found {Kind(path)}"),
        };
    }

    private DatasetImage Resolve(string reference) => new(reference, PathOf(reference, imageRoot));

    /// <summary>The file that a reference names. Addresses other than file:// stay as they are: nothing is downloaded.</summary>
    public static string PathOf(string reference, string imageRoot)
    {
        if (!Address().IsMatch(reference))
            return Path.Combine(imageRoot, reference);
        return reference.StartsWith("file://", StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(reference, UriKind.Absolute, out var uri)
            ? uri.LocalPath
            : reference;
    }

    [GeneratedRegex(@"\A(?:[A-Za-z][A-Za-z0-9+.-]+://|data:)")]
    private static partial Regex Address();
}
