using System.Collections.Concurrent;
using Pristine.Models;

namespace Pristine.Metrics.Onnx;

/// <summary>
/// Metrics of the user's own that <c>pristine models add</c> has copied into the model store: known by their names from then on, in every
/// command, without their manifest. They stand in <c>metrics/NAME</c> of the store, the manifest unchanged, so that their provenance is
/// that of the files they were.
/// </summary>
internal sealed class AddedMetrics(ModelStore? store = null) : MetricFamily
{
    private const string ManifestName = "manifest.json";

    /// <summary>A metric that was found is the same object as long as its manifest is.</summary>
    private readonly ConcurrentDictionary<(string Path, DateTime Written), OnnxMetric> _read = [];

    private readonly ModelStore? _store = store;

    /// <summary>The folder of all of them.</summary>
    public string Folder => Path.Combine((_store ?? ModelStore.Default).Folder, "metrics");

    /// <summary>Their names, in order.</summary>
    public IReadOnlyList<string> Names => !Directory.Exists(Folder) ? [] :
        [.. Directory.EnumerateDirectories(Folder).Select(Path.GetFileName).OfType<string>()
            .Where(name => OnnxManifest.IsName(name) && File.Exists(ManifestOf(name))).Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        if (!OnnxManifest.IsName(name) || !File.Exists(ManifestOf(name)))
            return null;
        try
        {
            return Get(name);
        }
        catch (Exception failure) when (failure is ModelException or IOException or UnauthorizedAccessException)
        {
            fault = failure.Message;
            return null;
        }
    }

    /// <summary>Reads one that was added.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ModelException">Its manifest was damaged since.</exception>
    public OnnxMetric Get(string name)
    {
        var path = ManifestOf(name);
        return _read.GetOrAdd((path, File.GetLastWriteTimeUtc(path)), key => OnnxMetric.Read(key.Path));
    }

    /// <summary>The bytes of its files.</summary>
    /// <param name="name">Its name.</param>
    public long Bytes(string name) =>
        new DirectoryInfo(Path.Combine(Folder, name)).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    /// <summary>Copies a manifest and its network into the store. A process that dies in the middle leaves no half of it.</summary>
    /// <param name="manifest">The manifest's path.</param>
    /// <returns>The metric.</returns>
    /// <exception cref="ModelException">It is none, its network is not there, or its name is taken.</exception>
    /// <exception cref="ArgumentException">Its name is that of a column that every row has.</exception>
    /// <exception cref="IOException">Something cannot be read or written.</exception>
    public OnnxMetric Add(string manifest)
    {
        var content = File.ReadAllBytes(manifest);
        var parsed = OnnxManifest.Parse(content, manifest);
        var source = Path.GetDirectoryName(Path.GetFullPath(manifest))!;
        foreach (var (field, file, _) in parsed.Files)
        {
            var named = Path.GetFullPath(Path.Combine(source, file));
            if (Path.IsPathRooted(file) || !named.StartsWith(source + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new ModelException(
                    $"{manifest}: {field}: expected the file beside the manifest or below it, so that both can be copied; found '{file}'.");
            if (!File.Exists(named))
                throw new ModelException($"{manifest}: {field}: expected a file at '{named}'; there is no such file.");
        }
        if (File.Exists(ManifestOf(parsed.Name)))
            throw new ModelException(
                $"There is an added metric '{parsed.Name}' already; to replace it: pristine models remove {parsed.Name}");
        if (MetricSet.BuiltIn.Find(parsed.Name) != null)
            throw new ModelException($"{manifest}: name: there is a metric '{parsed.Name}' already; give this one another name.");
        MetricNames.Check(OnnxMetric.Read(manifest));

        var target = Path.Combine(Folder, parsed.Name);
        var partial = Path.Combine(Folder, $".{parsed.Name}.partial");
        if (Directory.Exists(partial))
            Directory.Delete(partial, recursive: true);
        // A network of more than 2 GB has its weights in files beside it.
        var files = parsed.Files.Select(entry => Path.GetFullPath(Path.Combine(source, entry.File)))
            .SelectMany(file => Directory.EnumerateFiles(Path.GetDirectoryName(file)!, Path.GetFileName(file) + "*"));
        foreach (var file in files.Distinct().Order())
        {
            var copy = Path.Combine(partial, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        File.WriteAllBytes(Path.Combine(partial, ManifestName), content);
        if (Directory.Exists(target))
            Directory.Delete(target, recursive: true);
        Directory.Move(partial, target);
        return Get(parsed.Name);
    }

    /// <summary>Deletes one from the store.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string name)
    {
        if (!OnnxManifest.IsName(name) || !File.Exists(ManifestOf(name)))
            return false;
        // Without its manifest it is none, whatever happens to the rest.
        File.Delete(ManifestOf(name));
        Directory.Delete(Path.Combine(Folder, name), recursive: true);
        return true;
    }

    private string ManifestOf(string name) => Path.Combine(Folder, name, ManifestName);
}
