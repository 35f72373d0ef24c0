using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pristine.Models;

/// <summary>What to do with files whose hashes are not those of the release.</summary>
public enum UnknownFiles
{
    /// <summary>Do not let them in.</summary>
    Refuse,

    /// <summary>Accept them on the caller's word; the store remembers that it was so.</summary>
    Trust,
}

/// <summary>A file in the store.</summary>
/// <param name="Name">File name without a folder.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">SHA-256 in lower-case hex.</param>
/// <param name="Source">The address or path it was taken from; null for models that were imported before this was recorded.</param>
public sealed record StoredFile(string Name, long Bytes, string Sha256, string? Source = null);

/// <summary>A model in the store, as its manifest describes it.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Origin">The release its hashes are known from, or <c>unknown</c>.</param>
/// <param name="Trusted">True when the hashes are unknown and somebody vouched for the files.</param>
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

/// <summary>What became of a file in the store.</summary>
/// <param name="Path">Full path of the file.</param>
/// <param name="Expected">The SHA-256 it must have, in lower-case hex.</param>
/// <param name="Found">The SHA-256 it has; null when it is missing.</param>
public sealed record FileCheck(string Path, string Expected, string? Found)
{
    /// <summary>True when the file is the one that was pulled or imported.</summary>
    public bool IsSound => Found == Expected;
}

/// <summary>
/// The folder where models live that Pristine does not bring along: one folder per model with its files and a manifest. Nothing enters
/// whose SHA-256 is not the released one, unless somebody vouches for it, nor what does not parse; nothing is handed out whose SHA-256 is
/// not the one in the manifest. Writers of one model wait for each other, and what they write appears whole or not at all.
/// </summary>
public sealed partial class ModelStore
{
    /// <summary>Names another folder for <see cref="Default"/>.</summary>
    public const string Variable = "PRISTINE_MODELS";

    internal const string ManifestName = "manifest.json";

    private const string PartialSuffix = ".partial";

    /// <summary>A store in a folder, which need not exist yet.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="definitions">The models it may hold; those of <see cref="ModelCatalog"/> when null.</param>
    public ModelStore(string folder, IReadOnlyList<ModelDefinition>? definitions = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = Path.GetFullPath(folder);
        Definitions = definitions ?? ModelCatalog.All;
    }

    /// <summary>
    /// The user's store: <see cref="Variable"/>, otherwise pristine/models in the cache folder ($XDG_CACHE_HOME or ~/.cache;
    /// ~/Library/Caches on macOS; %LOCALAPPDATA% on Windows).
    /// </summary>
    public static ModelStore Default => new(ChooseFolder(Environment.GetEnvironmentVariable));

    /// <summary>Full path of the folder.</summary>
    public string Folder { get; }

    /// <summary>The models it may hold.</summary>
    public IReadOnlyList<ModelDefinition> Definitions { get; }

    /// <summary>The models in the store, by name. Manifests are read, files are not.</summary>
    /// <exception cref="ModelException">A manifest is damaged.</exception>
    public IReadOnlyList<StoredModel> List() =>
        [.. Definitions.Select(definition => Find(definition.Name)).OfType<StoredModel>()
        .OrderBy(model => model.Name, StringComparer.Ordinal)];

    /// <summary>What the store knows of a model, or null. The manifest is read, the files are not.</summary>
    /// <param name="name">Name of the model.</param>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    /// <exception cref="ModelException">The manifest is damaged, or claims the release for other files than the released ones.</exception>
    public StoredModel? Find(string name)
    {
        var definition = ModelCatalog.Get(Definitions, name);
        var path = Path.Combine(Folder, name, ManifestName);
        if (!File.Exists(path))
            return null;
        StoredModel? model;
        try
        {
            model = JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJson.Default.StoredModel);
        }
        catch (JsonException error)
        {
            throw new ModelException($"{path}: expected a manifest in JSON; {error.Message} Pull or import the model again.", error);
        }
        if (model?.Name != name || model.Files == null
            || !model.Files.Select(file => file.Name).SequenceEqual(definition.Files.Select(file => file.Name)))
            throw new ModelException(
                $"{path}: expected a manifest of {name} with the files {string.Join(", ", definition.Files.Select(file => file.Name))}. " +
                $"Pull or import the model again.");
        foreach (var (file, released) in model.Files.Zip(definition.Files))
            if (!model.Trusted && file.Sha256 != released.Sha256)
                throw new ModelException(
                    $"{path}: expected SHA-256 {released.Sha256 ?? "of a file that is trusted"} of {file.Name} ({definition.Origin}); " +
                    $"found {file.Sha256}. Pull or import the model again.");
        return model;
    }

    /// <summary>Reads the files of a model and checks that they are the ones that came in.</summary>
    /// <param name="name">Name of the model.</param>
    /// <returns>The manifest, and the contents in the order of its files.</returns>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    /// <exception cref="ModelException">The model is not installed; or the manifest or a file is not as it came in.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public (StoredModel Model, IReadOnlyList<byte[]> Files) Read(string name)
    {
        var model = Find(name) ?? throw new ModelException($"The model {name} is not installed in {Folder}.");
        var contents = new List<byte[]>();
        foreach (var file in model.Files)
        {
            var path = Path.Combine(Folder, name, file.Name);
            // The bytes that are checked are the bytes that are used: the file is read once.
            var content = File.ReadAllBytes(path);
            if (Hash(content) is var found && found != file.Sha256)
                throw new ModelException(
                    $"{path}: expected SHA-256 {file.Sha256}; found {found}. The file has changed in the store; pull or import the model " +
                    $"again.");
            contents.Add(content);
        }
        return (model, contents);
    }

    /// <summary>Reads every file of an installed model and compares its hash.</summary>
    /// <param name="name">Name of the model.</param>
    /// <returns>One check per file; none when the model is not installed.</returns>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    /// <exception cref="ModelException">The manifest is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public IReadOnlyList<FileCheck> Verify(string name)
    {
        if (Find(name) is not { } model)
            return [];
        var checks = new List<FileCheck>();
        foreach (var file in model.Files)
        {
            var path = Path.Combine(Folder, name, file.Name);
            string? found = null;
            if (File.Exists(path))
            {
                using var stream = File.OpenRead(path);
                found = Convert.ToHexStringLower(SHA256.HashData(stream));
            }
            checks.Add(new(path, file.Sha256, found));
        }
        return checks;
    }

    /// <summary>
    /// Copies the files of a model into the store, after checking that they are the released ones, or trusted, and that they can be
    /// read. The model appears whole or not at all, and replaces one of the same name.
    /// </summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="files">
    /// Paths of its files, in any order, of folders that hold them, or of .tgz archives; their names are those of the release.
    /// </param>
    /// <param name="unknown">What to do with files whose hashes are not those of the release.</param>
    /// <returns>The model as it stands in the store.</returns>
    /// <exception cref="ArgumentException">There is no such model, or its files are others.</exception>
    /// <exception cref="ModelException">A file has an unknown hash and is not trusted, or is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read, or the store not written.</exception>
    public StoredModel Import(string name, IEnumerable<string> files, UnknownFiles unknown = UnknownFiles.Refuse)
    {
        ArgumentNullException.ThrowIfNull(files);
        var definition = ModelCatalog.Get(Definitions, name);
        var contents = new List<byte[]>();
        var stored = new List<StoredFile>();
        foreach (var (file, offered) in definition.Files.Zip(ModelFiles.Find(definition, files)))
        {
            var path = offered.Source;
            var content = offered.Read();
            var hash = Hash(content);
            if (hash != file.Sha256 && unknown == UnknownFiles.Refuse)
                throw new ModelException(
                    $"{path}: expected SHA-256 {file.Sha256 ?? "(not known)"} ({definition.Origin}); found {hash}. If you trust where " +
                    $"the file comes from, import it with --trust.");
            contents.Add(content);
            stored.Add(new(file.Name, content.Length, hash, path));
        }
        definition.Validate(contents);
        var model = Describe(definition, stored);
        var work = WorkFolder(name);
        Directory.CreateDirectory(work);
        using var held = ModelLock.Acquire(LockPath(name));
        PutBack(name);
        var staging = Path.Combine(work, "import");
        DeleteFolder(staging);
        Directory.CreateDirectory(staging);
        try
        {
            foreach (var (file, content) in stored.Zip(contents))
                WriteThrough(Path.Combine(staging, file.Name), content);
            Publish(model, staging);
        }
        finally
        {
            DeleteFolder(staging);
        }
        return model;
    }

    /// <summary>
    /// Downloads a model, and those that its definition names beside it, unless sound ones are there. Downloads are resumed; hashes are
    /// checked before anything appears in the store; when several processes ask at once, one downloads and the others wait for it.
    /// </summary>
    /// <param name="name">Name of the model.</param>
    /// <param name="options">From where, and how; defaults when null.</param>
    /// <param name="progress">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops; what has arrived is kept for the next time.</param>
    /// <returns>The model first, then those beside it.</returns>
    /// <exception cref="ArgumentException">There is no such model, or the options contradict themselves.</exception>
    /// <exception cref="ModelException">
    /// No address is known; or a file is another than was expected, or its hash is not known and it is not trusted.
    /// </exception>
    /// <exception cref="IOException">A file cannot be downloaded, or the store not written.</exception>
    public async Task<IReadOnlyList<PulledModel>> PullAsync(
        string name, PullOptions? options = null, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new();
        options.Check();
        var definition = ModelCatalog.Get(Definitions, name);
        var pulled = new List<PulledModel>();
        using var client = CreateClient();
        foreach (var each in definition.With.Select(other => ModelCatalog.Get(Definitions, other)).Prepend(definition))
            pulled.Add(await PullOneAsync(each, options, client, progress, cancellation).ConfigureAwait(false));
        return pulled;
    }

    /// <summary>Deletes a model and what has arrived of a download of it.</summary>
    /// <param name="name">Name of the model.</param>
    /// <returns>True when it was installed, sound or not.</returns>
    /// <exception cref="ArgumentException">There is no such model.</exception>
    /// <exception cref="IOException">A file cannot be deleted.</exception>
    public bool Remove(string name)
    {
        ModelCatalog.Get(Definitions, name);
        var target = Path.Combine(Folder, name);
        var work = WorkFolder(name);
        if (!Directory.Exists(target) && !Directory.Exists(work))
            return false;
        Directory.CreateDirectory(work);
        using var held = ModelLock.Acquire(LockPath(name));
        PutBack(name);
        var isInstalled = Directory.Exists(target);
        // Renamed first: a reader finds the whole model or none.
        if (isInstalled)
            Directory.Move(target, RemovedFolder(name));
        foreach (var folder in Directory.GetDirectories(work))
            Directory.Delete(folder, recursive: true);
        return isInstalled;
    }

    internal static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private async Task<PulledModel> PullOneAsync(
        ModelDefinition definition, PullOptions options, HttpClient client, IProgress<PullProgress>? progress,
        CancellationToken cancellation)
    {
        // Before the lock, so that a store that is installed but not writable will do.
        if (FindSound(definition.Name) is { } installed)
            return new(installed, Downloaded: false);
        CheckCanPull(definition, options);
        Directory.CreateDirectory(WorkFolder(definition.Name));
        void Report(string? file, long received, long? total, string? notice) =>
            progress?.Report(new(definition.Name, file, received, total, notice));
        using var held = await ModelLock.AcquireAsync(
            LockPath(definition.Name), () => Report(null, 0, null, $"{definition.Name}: waiting for another process that is writing it"),
            cancellation).ConfigureAwait(false);
        PutBack(definition.Name);
        if (FindSound(definition.Name) is { } meanwhile)
            return new(meanwhile, Downloaded: false);

        var staging = Path.Combine(WorkFolder(definition.Name), "download");
        Directory.CreateDirectory(staging);
        var stored = new List<StoredFile>();
        var contents = new List<byte[]>();
        var downloads = new List<FileDownload>();
        foreach (var file in definition.Files)
        {
            var address = options.AddressOf(file)!;
            var (bytes, sha256) = options.Vouched ? (null, null) : (file.Bytes, file.Sha256);
            var download = new FileDownload(client, options, address, Path.Combine(staging, file.Name + PartialSuffix), bytes, sha256,
                (received, total, notice) => Report(file.Name, received, total, notice));
            downloads.Add(download);
            var (content, hash) = await download.RunAsync(cancellation).ConfigureAwait(false);
            contents.Add(content);
            stored.Add(new(file.Name, content.Length, hash, FileDownload.Display(address)));
        }
        try
        {
            definition.Validate(contents);
        }
        catch (ModelException error)
        {
            // What is here is complete and useless: nothing to resume.
            downloads.ForEach(download => download.Discard());
            throw new ModelException(
                $"{string.Join(", ", stored.Select(file => file.Source))}: {error.Message} Nothing was installed.", error);
        }
        var model = Describe(definition, stored);
        foreach (var file in stored)
            File.Move(Path.Combine(staging, file.Name + PartialSuffix), Path.Combine(staging, file.Name), overwrite: true);
        foreach (var other in Directory.GetFiles(staging).Where(path => stored.All(file => file.Name != Path.GetFileName(path))))
            File.Delete(other);
        Publish(model, staging);
        return new(model, Downloaded: true);
    }

    /// <summary>
    /// The model when it is installed and every file is as it came in. A damaged one counts as absent: pulling it repairs it.
    /// </summary>
    private StoredModel? FindSound(string name)
    {
        try
        {
            return Verify(name) is { Count: > 0 } checks && checks.All(check => check.IsSound) ? Find(name) : null;
        }
        catch (ModelException)
        {
            return null;
        }
    }

    private static void CheckCanPull(ModelDefinition definition, PullOptions options)
    {
        var unreachable = definition.Files.Where(file => options.AddressOf(file) == null).Select(file => file.Name).ToArray();
        if (unreachable.Length > 0)
            throw new ModelException(
                $"{definition.Name}: no address is known for {string.Join(", ", unreachable)}. Get the files of the {definition.Origin} " +
                $"and run: pristine models import {definition.Name} DIR, or name a mirror with --from URL.");
        if (options.Unknown == UnknownFiles.Refuse && definition.Files.FirstOrDefault(file => file.Sha256 == null) is { } unknown)
            throw new ModelException(
                $"{definition.Name}: the SHA-256 of {FileDownload.Display(options.AddressOf(unknown)!)} is not known, so the download " +
                $"could not be checked. If you trust the address, add --trust; what arrives is then recorded as trusted, with its hash.");
    }

    private static HttpClient CreateClient()
    {
        // HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are the handler's own business. Nothing is decompressed: hashes are of files.
        var client = new HttpClient(new SocketsHttpHandler { MaxAutomaticRedirections = 10 }) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new("pristine", typeof(ModelStore).Assembly.GetName().Version!.ToString(3)));
        return client;
    }

    private static StoredModel Describe(ModelDefinition definition, List<StoredFile> files)
    {
        var known = files.Zip(definition.Files).All(pair => pair.First.Sha256 == pair.Second.Sha256);
        return new(definition.Name, known ? definition.Origin : "unknown", !known, files);
    }

    /// <summary>Completes a folder that holds a model's files with its manifest, and gives it the model's name.</summary>
    private void Publish(StoredModel model, string staging)
    {
        WriteThrough(Path.Combine(staging, ManifestName), JsonSerializer.SerializeToUtf8Bytes(model, ManifestJson.Default.StoredModel));
        var (target, retired) = (Path.Combine(Folder, model.Name), RetiredFolder(model.Name));
        if (Directory.Exists(target))
            Directory.Move(target, retired);
        Directory.Move(staging, target);
        DeleteFolder(retired);
    }

    /// <summary>
    /// Undoes what a process left behind that died between the two renames of <see cref="Publish"/>, and deletes what others did.
    /// </summary>
    private void PutBack(string name)
    {
        DeleteFolder(RemovedFolder(name));
        var (target, retired) = (Path.Combine(Folder, name), RetiredFolder(name));
        if (Directory.Exists(retired) && !Directory.Exists(target))
            Directory.Move(retired, target);
        else
            DeleteFolder(retired);
    }

    /// <summary>
    /// The store's own folder for a model: lock, partial downloads, folders that are about to get or have lost the model's name.
    /// </summary>
    private string WorkFolder(string name) => Path.Combine(Folder, ".work", name);

    private string LockPath(string name) => Path.Combine(WorkFolder(name), "lock");

    private string RetiredFolder(string name) => Path.Combine(WorkFolder(name), "retired");

    private string RemovedFolder(string name) => Path.Combine(WorkFolder(name), "removed");

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Writes a file to the disk itself: a rename that survives a power failure must not name an empty file.</summary>
    private static void WriteThrough(string path, byte[] content)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        file.Write(content);
        file.Flush(flushToDisk: true);
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

    [JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(StoredModel))]
    private sealed partial class ManifestJson : JsonSerializerContext;
}
