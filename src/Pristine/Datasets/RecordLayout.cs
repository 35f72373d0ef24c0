using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Pristine.Media;

namespace Pristine.Datasets;

/// <summary>Something that a record names.</summary>
/// <param name="Reference">A JSON string that is not empty.</param>
/// <param name="Kind">What it names.</param>
internal readonly record struct RecordReference(JsonElement Reference, MediaKind Kind);

/// <summary>
/// Finds what a record names. Each record is searched by itself, so that a dataset may mix layouts; the first way that finds an image
/// counts:
/// <list type="number">
/// <item><c>image</c> and <c>images</c> (LLaVA, PaddleMIX MM and MIX, LlamaFactory, data-juicer);</item>
/// <item>the parts of chat messages (Qwen, OpenAI, Hugging Face chat templates);</item>
/// <item><c>file_name</c>, <c>*_file_name</c> and their plurals (Hugging Face folders);</item>
/// <item>other names of fields for one image;</item>
/// <item>a field for any file, where its extension is that of an image.</item>
/// </list>
/// </summary>
/// <param name="imageField">
/// The one field of images, which the user names; a path such as <c>messages.content.image_url.url</c>. Null to search.
/// </param>
internal sealed class RecordLayout(string? imageField)
{
    private static readonly (string Name, byte[] Utf8, MediaKind Kind)[] Media =
    [
        .. Named(MediaKind.Image, "image", "images"), .. Named(MediaKind.Video, "video", "videos"),
        .. Named(MediaKind.Audio, "audio", "audios"),
    ];

    private static readonly (string Name, byte[] Utf8, MediaKind Kind)[] Messages = Named(
        MediaKind.Image, "messages", "conversations", "conversation", "prompt");

    // Of two that name one image, such as a local copy and its address, the first counts.
    private static readonly (string Name, byte[] Utf8, MediaKind Kind)[] Others = Named(
        MediaKind.Image,
        "image_path", "image_paths", "image_file", "image_files", "img_path", "img_paths", "img", "imgs", "jpg", "jpeg", "png", "webp",
        "image_url", "image_urls");

    private static readonly (string Name, byte[] Utf8, MediaKind Kind)[] AnyFile = Named(
        MediaKind.Image, "filename", "file_path", "filepath", "file", "path", "url", "URL");

    private readonly string[]? _asked = imageField?.Split('.');

    /// <summary>Whether <c>file_name</c> and its like come before all other fields.</summary>
    public bool PrefersFileNames { get; set; }

    /// <summary>True for <c>file_name</c>, <c>*_file_name</c> and their plurals.</summary>
    public static bool IsFileName(string name) =>
        name is "file_name" or "file_names" || name.EndsWith("_file_name", StringComparison.Ordinal)
        || name.EndsWith("_file_names", StringComparison.Ordinal);

    /// <summary>Finds what a record names: images, then sounds and films.</summary>
    /// <param name="record">A JSON object.</param>
    /// <param name="found">Gets the references in order.</param>
    /// <returns>The field in which the images were found; null where there are none.</returns>
    /// <exception cref="FormatException"><c>image</c>, <c>images</c> or the field that was asked for has another shape.</exception>
    public string? Find(JsonElement record, List<RecordReference> found)
    {
        if (_asked != null)
        {
            Walk(record, _asked, found);
            return found.Count > 0 ? imageField : null;
        }
        if (PrefersFileNames && InFileNames(record, found) is { } named)
            return named;
        found.Clear();
        var field = (string?)null;
        foreach (var (name, utf8, kind) in Media)
        {
            if (RecordJson.Field(record, utf8) is not { } value)
                continue;
            if (kind == MediaKind.Image)
                AddAll(name, value, kind, found);
            else
                TryAddAll(value, kind, found);
            field ??= found.Count > 0 && kind == MediaKind.Image ? name : null;
        }
        if (field != null)
            return field;
        // Images come before what is carried along.
        var others = found.ToArray();
        found.Clear();
        field = InMessages(record, found) ?? InFileNames(record, found) ?? InOthers(record, found) ?? InAnyFile(record, found);
        found.AddRange(others);
        return field;
    }

    /// <summary>The references of a field that may be a path, an object with <c>url</c> or <c>path</c>, null, or a list of these.</summary>
    /// <exception cref="FormatException">The field has another shape.</exception>
    public static IEnumerable<JsonElement> References(string field, JsonElement value)
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

    private static string? InMessages(JsonElement record, List<RecordReference> found)
    {
        foreach (var (name, utf8, _) in Messages)
        {
            if (RecordJson.Field(record, utf8) is not { ValueKind: JsonValueKind.Array } messages)
                continue;
            var images = 0;
            foreach (var message in messages.EnumerateArray())
                if (message.ValueKind == JsonValueKind.Object
                    && RecordJson.Field(message, "content"u8) is { ValueKind: JsonValueKind.Array } parts)
                    foreach (var part in parts.EnumerateArray())
                        images += AddPart(part, found);
            if (images > 0)
                return $"{name}.content";
        }
        return null;
    }

    /// <summary>
    /// True for a part of a message that is an image, also where it does not name one: it takes the next of <c>images</c>.
    /// </summary>
    /// <param name="part">A JSON object.</param>
    public static bool IsImagePart(JsonElement part) => RecordJson.Field(part, "type"u8) is { ValueKind: JsonValueKind.String } type
        ? RecordJson.Text(type) is "image" or "image_url" or "input_image"
        : RecordJson.Field(part, "image"u8) is { ValueKind: not JsonValueKind.Null }
        || RecordJson.Field(part, "image_url"u8) is { ValueKind: not JsonValueKind.Null };

    /// <summary>Adds what a part of a message names.</summary>
    /// <returns>How many images there are among it.</returns>
    private static int AddPart(JsonElement part, List<RecordReference> found)
    {
        if (part.ValueKind != JsonValueKind.Object)
            return 0;
        var type = RecordJson.Field(part, "type"u8) is { ValueKind: JsonValueKind.String } text ? RecordJson.Text(text) : null;
        var kind = type is "video" or "video_url"
            ? MediaKind.Video : type is "audio" or "audio_url" or "input_audio" ? MediaKind.Audio : MediaKind.Image;
        if (type is not (null or "image" or "image_url" or "input_image") && kind == MediaKind.Image)
            return 0;
        var before = found.Count;
        foreach (var name in kind switch
        {
            MediaKind.Video => (string[])["video", "video_url", "url", "path"],
            MediaKind.Audio => ["audio", "audio_url", "url", "path"],
            _ when type == null => ["image", "image_url"],
            _ => ["image", "image_url", "url", "path"],
        })
        {
            if (RecordJson.Field(part, Encoding.UTF8.GetBytes(name)) is { } value)
                TryAddAll(value, kind, found);
            if (found.Count > before)
                break;
        }
        return kind == MediaKind.Image ? found.Count - before : 0;
    }

    private static string? InFileNames(JsonElement record, List<RecordReference> found)
    {
        var field = (string?)null;
        foreach (var property in record.EnumerateObject())
        {
            var name = RecordJson.Name(property);
            if (!IsFileName(name))
                continue;
            var before = found.Count;
            TryAddAll(property.Value, MediaKind.Image, found);
            for (var i = before; i < found.Count; i++)
                found[i] = found[i] with { Kind = MediaNames.KindOf(RecordJson.Text(found[i].Reference)) ?? MediaKind.Image };
            if (found.Skip(before).Any(reference => reference.Kind == MediaKind.Image))
                field ??= name;
        }
        return field;
    }

    private static string? InOthers(JsonElement record, List<RecordReference> found)
    {
        foreach (var (name, utf8, kind) in Others)
            if (RecordJson.Field(record, utf8) is { } value && TryAddAll(value, kind, found))
                return name;
        return null;
    }

    private static string? InAnyFile(JsonElement record, List<RecordReference> found)
    {
        foreach (var (name, utf8, kind) in AnyFile)
        {
            if (RecordJson.Field(record, utf8) is not { ValueKind: JsonValueKind.String } value
                || MediaNames.KindOf(RecordJson.Text(value)) != MediaKind.Image)
                continue;
            found.Add(new RecordReference(value, kind));
            return name;
        }
        return null;
    }

    /// <summary>Adds the references at the end of a path of fields; lists on the way are gone through.</summary>
    private void Walk(JsonElement value, ReadOnlySpan<string> path, List<RecordReference> found)
    {
        if (path.IsEmpty)
        {
            AddAll(imageField!, value, MediaKind.Image, found);
            return;
        }
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in value.EnumerateArray())
                Walk(element, path, found);
            return;
        }
        if (value.ValueKind != JsonValueKind.Object)
            return;
        // A field may have dots in its name.
        for (var length = path.Length; length > 0; length--)
        {
            if (RecordJson.Field(value, Encoding.UTF8.GetBytes(string.Join('.', path[..length]!))) is not { } next)
                continue;
            Walk(next, path[length..], found);
            return;
        }
    }

    private static void AddAll(string field, JsonElement value, MediaKind kind, List<RecordReference> found)
    {
        foreach (var reference in References(field, value))
            found.Add(new RecordReference(reference, kind));
    }

    /// <summary>Adds the references of a field that may be anything else as well.</summary>
    /// <returns>True when it had some.</returns>
    private static bool TryAddAll(JsonElement value, MediaKind kind, List<RecordReference> found)
    {
        var before = found.Count;
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in value.EnumerateArray())
                if (element.ValueKind != JsonValueKind.Array)
                    TryAddAll(element, kind, found);
            return found.Count > before;
        }
        var path = value.ValueKind == JsonValueKind.Object ? RecordJson.Field(value, "url"u8) ?? RecordJson.Field(value, "path"u8) : value;
        if (path is { ValueKind: JsonValueKind.String } text && IsNotEmpty(text))
            found.Add(new RecordReference(text, kind));
        return found.Count > before;
    }

    private static JsonElement? ReferenceIn(string field, JsonElement value)
    {
        var path = value.ValueKind == JsonValueKind.Object
            ? RecordJson.Field(value, "url"u8) ?? RecordJson.Field(value, "path"u8)
                ?? throw new FormatException($"expected an object in '{field}' to have 'url' or 'path'; found neither")
            : value;
        return path.ValueKind switch
        {
            JsonValueKind.String => IsNotEmpty(path) ? path : null,
            JsonValueKind.Null => null,
            _ => throw new FormatException(
                $"expected an image in '{field}' to be a path, an object with 'url' or 'path', or null; found {RecordReader.Kind(path)}"),
        };
    }

    private static bool IsNotEmpty(JsonElement text) => JsonMarshal.GetRawUtf8Value(text).Length > 2;

    private static (string, byte[], MediaKind)[] Named(MediaKind kind, params string[] names) =>
        [.. names.Select(name => (name, Encoding.UTF8.GetBytes(name), kind))];
}
