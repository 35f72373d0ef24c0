using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Media;

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

    private static readonly (string Field, byte[] Name, MediaKind Kind)[] Fields =
    [
        ("image", "image"u8.ToArray(), MediaKind.Image),
        ("images", "images"u8.ToArray(), MediaKind.Image),
        ("video", "video"u8.ToArray(), MediaKind.Video),
        ("videos", "videos"u8.ToArray(), MediaKind.Video),
        ("audio", "audio"u8.ToArray(), MediaKind.Audio),
        ("audios", "audios"u8.ToArray(), MediaKind.Audio),
    ];

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
        IReadOnlyList<MediaSource> sources = [];
        try
        {
            using var document = RecordJson.Parse(record);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                id = Id(document.RootElement);
                sources = Sources(document.RootElement, record);
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
            Id = id ?? (sources is [{ Kind: MediaKind.Image } first, ..] ? first.Reference : string.Create(CultureInfo.InvariantCulture, $"#{index}")),
            Sources = sources,
            Raw = record,
            Record = error is null ? new JsonRecord(record) : null,
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

    /// <summary>What a record names: images, then sounds and films.</summary>
    /// <param name="record">The record.</param>
    /// <param name="bytes">The bytes it was parsed from.</param>
    /// <exception cref="FormatException">A field of images has another shape.</exception>
    private List<MediaSource> Sources(JsonElement record, ReadOnlyMemory<byte> bytes)
    {
        var sources = new List<MediaSource>();
        foreach (var (field, name, kind) in Fields)
        {
            if (RecordJson.Field(record, name) is not { } value)
                continue;
            try
            {
                foreach (var path in References(field, value))
                    sources.Add(SourceOf(path, bytes, kind));
            }
            catch (FormatException) when (kind != MediaKind.Image)
            {
                // Sounds and films are carried along and judged by nothing yet; what is odd about their fields is no fault of the item.
            }
        }
        return sources;
    }

    /// <summary>The images' references as written: those of <c>image</c>, then those of <c>images</c>.</summary>
    /// <exception cref="FormatException">A field has another shape.</exception>
    public static IEnumerable<string> Images(JsonElement? image, JsonElement? images)
    {
        foreach (var (field, found) in new[] { ("image", image), ("images", images) })
            if (found is { } value)
                foreach (var reference in References(field, value))
                    yield return RecordJson.Text(reference);
    }

    /// <summary>The strings of a field that are references and not empty.</summary>
    private static IEnumerable<JsonElement> References(string field, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in value.EnumerateArray())
                if (ReferenceIn(field, element) is { } path)
                    yield return path;
        }
        else if (ReferenceIn(field, value) is { } path)
            yield return path;
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

    private static JsonElement? ReferenceIn(string field, JsonElement value)
    {
        var path = value.ValueKind == JsonValueKind.Object
            ? RecordJson.Field(value, "url"u8) ?? RecordJson.Field(value, "path"u8)
                ?? throw new FormatException($"expected an object in '{field}' to have 'url' or 'path'; found neither")
            : value;
        return path.ValueKind switch
        {
            JsonValueKind.String => JsonMarshal.GetRawUtf8Value(path).Length > 2 ? path : null,
            JsonValueKind.Null => null,
            _ => throw new FormatException($"expected an image in '{field}' to be a path, an object with 'url' or 'path', or null; found {Kind(path)}"),
        };
    }

    private MediaSource SourceOf(JsonElement reference, ReadOnlyMemory<byte> record, MediaKind kind)
    {
        // A data: address may be many megabytes; it stays where it is in the record where no escape has to be resolved.
        var raw = JsonMarshal.GetRawUtf8Value(reference)[1..^1];
        if (DataSource.IsData(raw))
        {
            return new DataSource(
                raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(RecordJson.Text(reference))
                : record.Span.Overlaps(raw, out var offset) ? record.Slice(offset, raw.Length)
                : raw.ToArray(),
                kind);
        }
        var text = RecordJson.Text(reference);
        return new FileSource(text, PathOf(text, imageRoot), kind);
    }

    /// <summary>The source of an image whose reference stands in a table. What a dataset holds itself (<c>data:</c>) cannot be found again by it.</summary>
    public static MediaSource SourceOf(string reference, string imageRoot) => new FileSource(reference, PathOf(reference, imageRoot));

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
