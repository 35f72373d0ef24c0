using System.Runtime.CompilerServices;
using System.Text;
using Pristine.Models;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// The regressor of the LIVE release of BRISQUE: feature scaling and support vectors as LIBSVM text files, <c>allrange</c> and
/// <c>allmodel</c>.
/// </summary>
/// <param name="Range">Scaling of the 36 features.</param>
/// <param name="Regressor">Regression on the 36 scaled features.</param>
public sealed record BrisqueLiveModel(LibSvmRange Range, SupportVectorRegressor Regressor)
{
    /// <summary>Name in the catalog and the store.</summary>
    public const string Name = "brisque-live";

    /// <summary>Number of features.</summary>
    public const int Features = 36;

    /// <summary>Registers the format of the files: see <see cref="ModelFormats"/>.</summary>
    // CA2255: the registry stands in a room below, which must not know the metrics.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RegisterFormat() => ModelFormats.Register("brisque-live", files => Parse(files));

    /// <summary>Reads the model.</summary>
    /// <param name="files">Contents of allmodel and allrange.</param>
    /// <exception cref="ModelException">A file is damaged or takes another number of features than 36.</exception>
    public static BrisqueLiveModel Parse(IReadOnlyList<byte[]> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (files.Count != 2)
            throw new ArgumentException($"Expected the contents of allmodel and allrange; found {files.Count} files.", nameof(files));
        var regressor = LibSvmModel.Parse(Encoding.UTF8.GetString(files[0]), "allmodel");
        if (regressor.Dimension != Features)
            throw new ModelException($"allmodel: expected support vectors of {Features} features; found {regressor.Dimension}.");
        var range = LibSvmRange.Parse(Encoding.UTF8.GetString(files[1]), "allrange");
        if (range.Dimension != Features)
            throw new ModelException($"allrange: expected the ranges of {Features} features; found {range.Dimension}.");
        return new(range, regressor);
    }

    /// <summary>Loads it from a store, its hashes checked.</summary>
    /// <param name="store">The store.</param>
    /// <returns>The model and what the store knows of it.</returns>
    /// <exception cref="ModelException">The store does not have it; or a file is not the one that was imported.</exception>
    public static (BrisqueLiveModel Model, StoredModel Stored) Load(ModelStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (stored, files) = store.Read(Name);
        return (Parse(files), stored);
    }
}
