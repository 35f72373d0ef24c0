using System.Text;

namespace Pristine.Models;

/// <summary>A file of a model: the name it must have, and the SHA-256 (lower-case hex) that it has in the release.</summary>
/// <param name="Name">File name without a folder.</param>
/// <param name="Sha256">SHA-256 of the released file, in lower-case hex.</param>
public sealed record ModelFile(string Name, string Sha256);

/// <summary>A model that Pristine can use: what its files are called, where they come from, how to tell that they are sound.</summary>
/// <param name="Name">Name in the store, for example <c>brisque-live</c>.</param>
/// <param name="Origin">Where the files with the known hashes come from.</param>
/// <param name="Files">Its files.</param>
/// <param name="Validate">Throws <see cref="InvalidDataException"/> when the contents, in the order of the files, are no such model.</param>
public sealed record ModelDefinition(string Name, string Origin, IReadOnlyList<ModelFile> Files, Action<IReadOnlyList<byte[]>> Validate)
{
    /// <summary>All models that can be imported.</summary>
    public static IReadOnlyList<ModelDefinition> All { get; } = [BrisqueLiveModel.Definition];

    /// <summary>Finds a definition by the exact name of the model.</summary>
    /// <param name="name">For example <c>brisque-live</c>.</param>
    /// <exception cref="ArgumentException">No model has the name; the message lists all.</exception>
    public static ModelDefinition Get(string name) =>
        All.FirstOrDefault(definition => definition.Name == name)
        ?? throw new ArgumentException($"There is no model '{name}'. Known: {string.Join(", ", All.Select(d => d.Name))}.", nameof(name));
}

/// <summary>
/// The regressor of the LIVE release of BRISQUE: feature scaling and support vectors as LIBSVM text files, <c>allrange</c> and
/// <c>allmodel</c>.
/// </summary>
/// <param name="Range">Scaling of the 36 features.</param>
/// <param name="Regressor">Regression on the 36 scaled features.</param>
public sealed record BrisqueLiveModel(LibSvmRange Range, SupportVectorRegressor Regressor)
{
    /// <summary>Number of features.</summary>
    public const int Features = 36;

    /// <summary>The files and their hashes in the LIVE release.</summary>
    public static ModelDefinition Definition { get; } = new(
        "brisque-live",
        "LIVE release",
        [
            new("allmodel", "8b04d6045f1b27261610c8ab1730fdcc14ec80bfab0f1ab5f703bbc2927314de"),
            new("allrange", "e47d753d96b631e1aa2dbac8c4e51ade767f2def8ce678c7130b6b3f90ee915f"),
        ],
        files => Parse(files));

    /// <summary>Reads the model.</summary>
    /// <param name="files">Contents of allmodel and allrange.</param>
    /// <exception cref="InvalidDataException">A file is damaged or takes another number of features than 36.</exception>
    public static BrisqueLiveModel Parse(IReadOnlyList<byte[]> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (files.Count != 2)
            throw new ArgumentException($"Expected the contents of allmodel and allrange; found {files.Count} files.", nameof(files));
        var regressor = LibSvmModel.Parse(Encoding.UTF8.GetString(files[0]), "allmodel");
        if (regressor.Dimension != Features)
            throw new InvalidDataException($"allmodel: expected support vectors of {Features} features; found {regressor.Dimension}.");
        var range = LibSvmRange.Parse(Encoding.UTF8.GetString(files[1]), "allrange");
        if (range.Dimension != Features)
            throw new InvalidDataException($"allrange: expected the ranges of {Features} features; found {range.Dimension}.");
        return new(range, regressor);
    }

    /// <summary>Loads it from a store, its hashes checked.</summary>
    /// <param name="store">The store.</param>
    /// <returns>The model and what the store knows of it.</returns>
    /// <exception cref="InvalidOperationException">The store does not have it.</exception>
    /// <exception cref="InvalidDataException">A file is not the one that was imported.</exception>
    public static (BrisqueLiveModel Model, StoredModel Stored) Load(ModelStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (stored, files) = store.Read(Definition.Name);
        return (Parse(files), stored);
    }
}
