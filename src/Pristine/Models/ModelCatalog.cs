using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Pristine.Models;

/// <summary>
/// Every model Pristine can pull or import: the content of <c>models/catalog.json</c>, which is part of the assembly. A new model is one
/// entry there; a new kind of file registers its format (<see cref="ModelFormats"/>).
/// </summary>
public static partial class ModelCatalog
{
    /// <summary>All models, in the order of the file.</summary>
    public static IReadOnlyList<ModelDefinition> All { get; } = ReadEmbedded();

    /// <summary>Finds a definition by the exact name of the model.</summary>
    /// <param name="name">For example <c>brisque-live</c>.</param>
    /// <exception cref="ArgumentException">No model has the name; the message lists all.</exception>
    public static ModelDefinition Get(string name) => Get(All, name);

    internal static ModelDefinition Get(IReadOnlyList<ModelDefinition> definitions, string name) =>
        definitions.FirstOrDefault(definition => definition.Name == name)
        ?? throw new ArgumentException(
            $"There is no model '{name}'. Known: {string.Join(", ", definitions.Select(d => d.Name))}.", nameof(name));

    /// <summary>Reads a catalog.</summary>
    /// <param name="json">Its text in UTF-8.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="ModelException">
    /// The text is no catalog; the message says model, file, what was expected and what was found.
    /// </exception>
    internal static IReadOnlyList<ModelDefinition> Parse(ReadOnlySpan<byte> json, string file)
    {
        Document document;
        try
        {
            document = JsonSerializer.Deserialize(json, CatalogJson.Default.Document)
                ?? throw new ModelException($"{file}: expected an object with models; found null.");
        }
        catch (JsonException error)
        {
            throw new ModelException($"{file}: expected a catalog of models in JSON; {error.Message}", error);
        }
        foreach (var entry in document.Models)
            if (Fault(entry, document) is { } fault)
                throw new ModelException($"{file}, model {entry.Name}: {fault}.");
        return [.. document.Models.Select(
            entry => new ModelDefinition(entry.Name, entry.Origin, entry.Files, ModelFormats.Find(entry.Format)!)
        {
            Summary = entry.Summary,
            Licence = entry.Licence,
            Citation = entry.Citation,
            With = entry.With ?? [],
        })];
    }

    private static string? Fault(Entry entry, Document document)
    {
        // Names become folders and files of the store, beside its own.
        if (!PlainName().IsMatch(entry.Name))
            return "expected a name of letters, digits, '-', '_' and '.' that starts with a letter or digit";
        if (document.Models.Count(other => other.Name == entry.Name) > 1)
            return "expected one entry of this name; found several";
        if (ModelFormats.Find(entry.Format) == null)
            return $"expected one of the formats {string.Join(", ", ModelFormats.Names)}; found '{entry.Format}'";
        if (entry.With?.FirstOrDefault(name => name == entry.Name || document.Models.All(other => other.Name != name)) is { } stranger)
            return $"expected the names of other models in 'with'; found '{stranger}'";
        if (entry.Files.Count == 0)
            return "expected at least one file; found none";
        foreach (var file in entry.Files)
        {
            if (!PlainName().IsMatch(file.Name) || file.Name == ModelStore.ManifestName
                || entry.Files.Count(other => other.Name == file.Name) > 1)
                return $"expected plain names of files, each once, and not {ModelStore.ManifestName}; found '{file.Name}'";
            if (file.Sha256 is { } hash && !Hash().IsMatch(hash))
                return $"expected the SHA-256 of {file.Name} as 64 hexadecimal digits in lower case; found '{hash}'";
            if (file.Bytes <= 0)
                return $"expected a size of {file.Name} above 0; found {file.Bytes}";
            if (file.Url is { } url && (!url.IsAbsoluteUri || url.Scheme != Uri.UriSchemeHttps))
                return $"expected an https address of {file.Name}; found '{url}'";
        }
        return null;
    }

    private static IReadOnlyList<ModelDefinition> ReadEmbedded()
    {
        using var stream = typeof(ModelCatalog).Assembly.GetManifestResourceStream("models.json")
            ?? throw new InvalidOperationException("The catalog of models is missing in this build.");
        var json = new byte[stream.Length];
        stream.ReadExactly(json);
        return Parse(json, "models/catalog.json");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Hash();

    // CA1812: made by the JSON reader.
#pragma warning disable CA1812
    private sealed record Document(IReadOnlyList<Entry> Models);

    private sealed record Entry(
        string Name, string Summary, string Format, string Origin, string Licence, string Citation, IReadOnlyList<ModelFile> Files,
        IReadOnlyList<string>? With = null);
#pragma warning restore CA1812

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(Document))]
    private sealed partial class CatalogJson : JsonSerializerContext;
}
