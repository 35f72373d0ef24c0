namespace Pristine.Models;

/// <summary>A file of a model as it was released.</summary>
/// <param name="Name">File name without a folder.</param>
/// <param name="Sha256">SHA-256 in lower-case hex; null where it is not known, and the file is accepted only on trust.</param>
/// <param name="Bytes">Size; null where it is not known.</param>
/// <param name="Url">Where it can be downloaded; null where no address is known, and the file can only be imported.</param>
/// <param name="Folder">The folder that it has in its archive, where the archive has other files of its name; null for any.</param>
public sealed record ModelFile(string Name, string? Sha256 = null, long? Bytes = null, Uri? Url = null, string? Folder = null);

/// <summary>A model that Pristine can use: what its files are called, where they come from, how to tell that they are sound.</summary>
/// <param name="Name">Name in the store, for example <c>brisque-live</c>.</param>
/// <param name="Origin">The release that the names, hashes and addresses are those of.</param>
/// <param name="Files">Its files.</param>
/// <param name="Validate">Throws <see cref="ModelException"/> when the contents, in the order of the files, are no such model.</param>
public sealed record ModelDefinition(string Name, string Origin, IReadOnlyList<ModelFile> Files, Action<IReadOnlyList<byte[]>> Validate)
{
    /// <summary>What it is, in one sentence without a full stop.</summary>
    public string Summary { get; init; } = "";

    /// <summary>Licence of the files: an SPDX identifier, or a sentence where none fits.</summary>
    public string Licence { get; init; } = "";

    /// <summary>The publication to cite.</summary>
    public string Citation { get; init; } = "";

    /// <summary>Names of models that are pulled with this one, because it is of little use without them.</summary>
    public IReadOnlyList<string> With { get; init; } = [];

    /// <summary>Size of all files in bytes; null where one is not known.</summary>
    public long? Bytes => Files.All(file => file.Bytes != null) ? Files.Sum(file => file.Bytes) : null;
}
