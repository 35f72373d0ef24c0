using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Pristine.Models;

/// <summary>What to do with files whose hashes are not those of the release.</summary>
public enum UnknownFiles
{
    /// <summary>Do not import them.</summary>
    Refuse,

    /// <summary>Import them on the caller's word; the store remembers that it was so.</summary>
    Trust,
}

/// <summary>A file in the store.</summary>
/// <param name="Name">File name without a folder.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">SHA-256 in lower-case hex.</param>
public sealed record StoredFile(string Name, long Bytes, string Sha256);

/// <summary>A model in the store, as its manifest describes it.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Origin">The release its hashes are known from, or <c>unknown</c>.</param>
/// <param name="Trusted">True when the hashes are unknown and somebody vouched for the files on import.</param>
/// <param name="Files">Its files, in the order of the definition.</param>
public sealed record StoredModel(string Name, string Origin, bool Trusted, IReadOnlyList<StoredFile> Files)
{
    /// <summary>
    /// One hash for the whole model, in lower-case hex: that of its file, or of the lines "hash, two spaces, name, newline" if there are
    /// several, which is what <c>sha256sum FILE... | sha256sum</c> prints.
    /// </summary>
    public string Sha256() => Files.Count == 1
        ? Files[0].Sha256
        : ModelStore.Hash(Encoding.UTF8.GetBytes(string.Concat(Files.Select(file => $"{file.Sha256}  {file.Name}\n"))));
}

/// <summary>
/// The folder where models live that Pristine does not bring along: one folder per model with its files and a manifest. Nothing enters
/// that does not parse; nothing is handed out whose SHA-256 is not the one in the manifest.
/// </summary>
public sealed class ModelStore
{
    /// <summary>Names another folder for <see cref="Default"/>.</summary>
    public const string Variable = "PRISTINE_MODELS";

    private const string ManifestName = "manifest.json";

    private static readonly JsonSerializerOptions ManifestFormat = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>A store in a folder, which need not exist yet.</summary>
    /// <param name="folder">The folder.</param>
    public ModelStore(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = Path.GetFullPath(folder);
    }

    /// <summary>
    /// The user's store: <see cref="Variable"/>, otherwise pristine/models in the cache folder ($XDG_CACHE_HOME or ~/.cache;
    /// ~/Library/Caches on macOS; %LOCALAPPDATA% on Windows).
    /// </summary>
    public static ModelStore Default => new(ChooseFolder(Environment.GetEnvironmentVariable));

    /// <summary>Full path of the folder.</summary>
    public string Folder { get; }

    /// <summary>The models in the store, by name. Manifests are read, files are not.</summary>
    /// <exception cref="InvalidDataException">A manifest is damaged.</exception>
    public IReadOnlyList<StoredModel> List() =>
        [.. ModelDefinition.All.Select(definition => Find(definition.Name)).OfType<StoredModel>().OrderBy(model => model.Name, StringComparer.Ordinal)];

    /// <summary>What the store knows of a model, or null. The manifest is read, the files are not.</summary>
    /// <param name="name">Name of the model.</param>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged.</exception>
    public StoredModel? Find(string name)
    {
        var definition = ModelDefinition.Get(name);
        var path = Path.Combine(Folder, name, ManifestName);
        if (!File.Exists(path))
            return null;
        StoredModel? model;
        try
        {
            model = JsonSerializer.Deserialize<StoredModel>(File.ReadAllBytes(path), ManifestFormat);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path}: expected a manifest in JSON; {error.Message} Import the model again.", error);
        }
        if (model?.Name != name || model.Files == null || !model.Files.Select(file => file.Name).SequenceEqual(definition.Files.Select(file => file.Name)))
            throw new InvalidDataException(
                $"{path}: expected a manifest of {name} with the files {string.Join(", ", definition.Files.Select(file => file.Name))}. Import the model again.");
        return model;
    }

    /// <summary>Reads the files of a model and checks that they are the ones that were imported.</summary>
    /// <param name="name">Name of the model.</param>
    /// <returns>The manifest, and the contents in the order of its files.</returns>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    /// <exception cref="InvalidOperationException">The model is not installed.</exception>
    /// <exception cref="InvalidDataException">The manifest or a file is not as it was imported.</exception>
    public (StoredModel Model, IReadOnlyList<byte[]> Files) Read(string name)
    {
        var model = Find(name) ?? throw new InvalidOperationException($"The model {name} is not installed in {Folder}.");
        var definition = ModelDefinition.Get(name);
        var contents = new List<byte[]>();
        foreach (var (file, released) in model.Files.Zip(definition.Files))
        {
            var path = Path.Combine(Folder, name, file.Name);
            // The bytes that are checked are the bytes that are used: the file is read once.
            var content = File.ReadAllBytes(path);
            var expected = model.Trusted ? file.Sha256 : released.Sha256;
            var found = Hash(content);
            if (found != expected || found != file.Sha256)
                throw new InvalidDataException($"{path}: expected SHA-256 {expected}; found {found}. The file was changed after it was imported; import the model again.");
            contents.Add(content);
        }
        return (model, contents);
    }

    /// <summary>
    /// Copies the files of a model into the store, after checking that they are the released ones, or trusted, and that they can be
    /// read. The model appears whole or not at all, and replaces one of the same name.
    /// </summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="files">Paths of its files, in any order; their names are those of the release.</param>
    /// <param name="unknown">What to do with files whose hashes are not those of the release.</param>
    /// <returns>The model as it stands in the store.</returns>
    /// <exception cref="ArgumentException">There is no such model, or its files are others.</exception>
    /// <exception cref="InvalidDataException">A file has an unknown hash and is not trusted, or is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read, or the store not written.</exception>
    public StoredModel Import(string name, IEnumerable<string> files, UnknownFiles unknown = UnknownFiles.Refuse)
    {
        ArgumentNullException.ThrowIfNull(files);
        var definition = ModelDefinition.Get(name);
        var byName = files.ToLookup(path => Path.GetFileName(path), StringComparer.Ordinal);
        var expected = string.Join(", ", definition.Files.Select(file => file.Name));
        if (byName.Count != definition.Files.Count || definition.Files.Any(file => byName[file.Name].Count() != 1))
            throw new ArgumentException($"Expected the files {expected} for {name}; found {string.Join(", ", byName.SelectMany(group => group))}.", nameof(files));

        var contents = new List<byte[]>();
        var stored = new List<StoredFile>();
        var known = true;
        foreach (var file in definition.Files)
        {
            var path = byName[file.Name].Single();
            var content = File.ReadAllBytes(path);
            var hash = Hash(content);
            if (hash != file.Sha256 && unknown == UnknownFiles.Refuse)
                throw new InvalidDataException(
                    $"{path}: expected SHA-256 {file.Sha256} ({definition.Origin}); found {hash}. If you trust where the file comes from, import it with --trust.");
            known &= hash == file.Sha256;
            contents.Add(content);
            stored.Add(new(file.Name, content.Length, hash));
        }
        definition.Validate(contents);
        var model = new StoredModel(name, known ? definition.Origin : "unknown", !known, stored);
        Write(model, contents);
        return model;
    }

    internal static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Writes a model into a folder of a temporary name, then renames it.</summary>
    private void Write(StoredModel model, List<byte[]> contents)
    {
        Directory.CreateDirectory(Folder);
        var target = Path.Combine(Folder, model.Name);
        var staging = Path.Combine(Folder, $".{model.Name}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(staging);
        try
        {
            foreach (var (file, content) in model.Files.Zip(contents))
                File.WriteAllBytes(Path.Combine(staging, file.Name), content);
            File.WriteAllBytes(Path.Combine(staging, ManifestName), JsonSerializer.SerializeToUtf8Bytes(model, ManifestFormat));
            if (Directory.Exists(target))
            {
                var retired = staging + "-old";
                Directory.Move(target, retired);
                Directory.Move(staging, target);
                Directory.Delete(retired, recursive: true);
            }
            else
                Directory.Move(staging, target);
        }
        finally
        {
            if (Directory.Exists(staging))
                Directory.Delete(staging, recursive: true);
        }
    }

    internal static string ChooseFolder(Func<string, string?> environment) =>
        environment(Variable) is { Length: > 0 } folder ? folder : Path.Combine(CacheFolder(environment), "pristine", "models");

    private static string CacheFolder(Func<string, string?> environment)
    {
        if (OperatingSystem.IsWindows())
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsMacOS())
            return Path.Combine(home, "Library", "Caches");
        // The XDG rules: a relative path in the variable is to be ignored.
        return environment("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache) ? cache : Path.Combine(home, ".cache");
    }
}
