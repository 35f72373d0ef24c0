using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>Makes items of records: their ids, strings or numbers, and what they name, as <see cref="RecordLayout"/> finds it.</summary>
/// <param name="imageRoot">Folder against which relative paths are resolved.</param>
/// <param name="imageField">The field of images; null to search for it.</param>
/// <param name="remote">Reads addresses; null for the default limits.</param>
internal sealed partial class RecordReader(string imageRoot, string? imageField = null, RemoteAccess? remote = null)
{
    /// <summary>Deepest nesting of a record that is read.</summary>
    public const int MaxDepth = 256;

    private readonly RecordLayout _layout = new(imageField);

    /// <summary>Whether <c>file_name</c> and its like come before other fields of images.</summary>
    public bool PrefersFileNames { get => _layout.PrefersFileNames; init => _layout.PrefersFileNames = value; }

    /// <summary>The field in which the images of the latest record were found; null where it names none.</summary>
    public string? ImageField { get; private set; }

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
            Id = id ?? (sources is [{ Kind: MediaKind.Image } first, ..]
                ? first.Reference
                : string.Create(CultureInfo.InvariantCulture, $"#{index}")),
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
    private MediaSource[] Sources(JsonElement record, ReadOnlyMemory<byte> bytes)
    {
        var found = new List<RecordReference>();
        ImageField = _layout.Find(record, found);
        return [.. found.Select(reference => SourceOf(reference.Reference, bytes, reference.Kind))];
    }

    /// <summary>The images' references as written: those of <c>image</c>, then those of <c>images</c>.</summary>
    /// <exception cref="FormatException">A field has another shape.</exception>
    public static IEnumerable<string> Images(JsonElement? image, JsonElement? images)
    {
        foreach (var (field, found) in new[] { ("image", image), ("images", images) })
            if (found is { } value)
                foreach (var reference in RecordLayout.References(field, value))
                    yield return RecordJson.Text(reference);
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
        return PlaceOf(RecordJson.Text(reference), imageRoot, remote, kind);
    }

    /// <summary>The source of an image that a text names: a file, an address, or a <c>data:</c> address.</summary>
    public static MediaSource SourceOf(string reference, string imageRoot, RemoteAccess? remote = null)
    {
        var address = reference.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? Encoding.UTF8.GetBytes(reference) : [];
        return address.Length > 0 ? new DataSource(address) : PlaceOf(reference, imageRoot, remote, MediaKind.Image);
    }

    private static MediaSource PlaceOf(string reference, string imageRoot, RemoteAccess? remote, MediaKind kind)
    {
        var place = PathOf(reference, imageRoot);
        return RemoteAddress.HasScheme(place)
            ? new RemoteSource(reference, place, remote ?? RemoteAccess.Default, kind)
            : new FileSource(reference, place, kind);
    }

    /// <summary>
    /// The file or address that a reference names. Addresses other than file:// stay as they are; an image root may be one.
    /// </summary>
    public static string PathOf(string reference, string imageRoot)
    {
        if (!Address().IsMatch(reference))
            return RemoteAddress.IsRemote(imageRoot) ? RemoteAddress.Join(imageRoot, reference) : Path.Combine(imageRoot, reference);
        return reference.StartsWith("file://", StringComparison.OrdinalIgnoreCase)
            && Uri.TryCreate(reference, UriKind.Absolute, out var uri)
            ? uri.LocalPath
            : reference;
    }

    [GeneratedRegex(@"\A(?:[A-Za-z][A-Za-z0-9+.-]+://|data:)")]
    private static partial Regex Address();
}
