namespace Pristine.Datasets;

/// <summary>Checks that the name of an output does not promise another format than the one that is written.</summary>
internal static class OutputName
{
    private static readonly string[] OtherFormats =
    [
        ".json", ".jsonl", ".ndjson", ".txt", ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".tar", ".tgz", ".zip", ".gz", ".zst",
        ".bz2", ".xz", ".h5", ".hdf5", ".npy", ".pkl", ".xlsx", ".html", ".htm", ".yaml", ".yml",
    ];

    /// <summary>The name, when its extension is one of the format's own or one that stands for no format.</summary>
    /// <param name="path">The output; <c>-</c> for standard output.</param>
    /// <param name="format">What is written.</param>
    /// <exception cref="DatasetException">The extension is that of another format.</exception>
    public static string Checked(string path, DatasetFormat format)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var (written, own) = format switch
        {
            DatasetFormat.Coco => ("a COCO file", (string[])[".json"]),
            DatasetFormat.Json => ("a JSON array", (string[])[".json"]),
            DatasetFormat.Jsonl => ("JSON lines", [".jsonl", ".ndjson", ".json"]),
            DatasetFormat.PartFile => ("a part file of PaddleMIX", [".h5"]),
            DatasetFormat.Csv => ("rows of a table", [".csv", ".tsv"]),
            _ => ("a list of paths", [".txt"]),
        };
        return IsOf(path, own) ? path : throw new DatasetException(
            $"Expected a name that ends in {string.Join(" or ", own)} for the kept items, which are written as {written}, the format " +
            $"of the dataset; found '{path}'.")
        {
            IsOfRequest = true,
        };
    }

    /// <summary>The name of an output that is no dataset, when its extension is one of its own or one that stands for no format.</summary>
    /// <param name="path">The output; <c>-</c> for standard output.</param>
    /// <param name="what">What is written, such as <c>a ledger</c>.</param>
    /// <param name="own">The extensions that it may have.</param>
    /// <exception cref="DatasetException">The extension is that of another format.</exception>
    public static string Checked(string path, string what, params ReadOnlySpan<string> own)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var isParquet = DatasetFile.ExtensionOf(path) == ".parquet" && DatasetFile.IsCompressed(path);
        return IsOf(path, own) && !isParquet ? path : throw new DatasetException(
            $"Expected a name that ends in {string.Join(" or ", own.ToArray())} for {what}; found '{path}'.")
        {
            IsOfRequest = true,
        };
    }

    /// <summary>The name of a page in HTML, likewise.</summary>
    /// <exception cref="DatasetException">The extension is that of another format.</exception>
    public static string Page(string path) => Checked(path, "a page", ".html", ".htm");

    private static bool IsOf(string path, ReadOnlySpan<string> own) => DatasetFile.ExtensionOf(path) is var extension
        && (own.Contains(extension) || !(OtherFormats.Contains(extension) || FolderDataset.IsImageName(path)));
}
