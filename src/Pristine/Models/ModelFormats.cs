namespace Pristine.Models;

/// <summary>
/// The formats of models that may enter the store. Each metric registers its own when the library is loaded, before any other code of it
/// runs: what can read a file stands beside the metric that uses it.
/// </summary>
internal static class ModelFormats
{
    private static readonly Dictionary<string, Action<IReadOnlyList<byte[]>>> Known = new(StringComparer.Ordinal);

    /// <summary>The names of the formats.</summary>
    public static IEnumerable<string> Names => Known.Keys.Order(StringComparer.Ordinal);

    /// <summary>Registers a format; called by the module initialiser of its metric and nobody else.</summary>
    /// <param name="name">As <c>models/catalog.json</c> names it.</param>
    /// <param name="validate">Throws <see cref="ModelException"/> when the contents of a model's files are not of the format.</param>
    public static void Register(string name, Action<IReadOnlyList<byte[]>> validate) => Known.Add(name, validate);

    /// <summary>What tells whether files are of a format; null for a format that is not known.</summary>
    /// <param name="name">Its name.</param>
    public static Action<IReadOnlyList<byte[]>>? Find(string name) => Known.GetValueOrDefault(name);
}
