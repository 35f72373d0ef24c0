using System.Globalization;
using Pristine.Datasets;
using Pristine.Selection;

namespace Pristine.Server;

/// <summary>
/// Writes the kept items of a selection to a file of this machine's temporary folder, as <c>pristine select --out</c> does, for a client to
/// download. No request names a file: the format is chosen from a list, and images are those of the dataset's folders.
/// </summary>
/// <param name="options">Limits.</param>
/// <param name="served">Says what may leave.</param>
internal sealed class KeptExport(ServerOptions options, ServedTable served)
{
    private const int ItemsBetweenChecks = 64;

    private static readonly string[] Formats = ["jsonl", "csv", "parquet", "tar"];

    /// <summary>The formats in which a dataset's kept items can be exported, its own first: null, where there is one file of it.</summary>
    /// <param name="dataset">The dataset.</param>
    public static IEnumerable<(string? Format, string Extension)> FormatsOf(Dataset dataset) =>
        ((string?[])[null, .. Formats]).Where(format => RefusalOf(dataset, format) == null)
            .Select(format => (Format: format, Extension: Extension(dataset, format))).DistinctBy(format => format.Extension);

    /// <summary>The formats that a request may name, for any dataset.</summary>
    public static IReadOnlyList<(string? Format, string Extension)> AllFormats { get; } =
        [.. Formats.Select(format => ((string?)format, "." + format))];

    /// <summary>The extension of an export of a dataset.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="format">What the request asks for; null for the dataset's own format.</param>
    /// <exception cref="RequestException">There is no such format, or it cannot hold what the dataset has.</exception>
    public static string ExtensionFor(Dataset dataset, string? format) =>
        RefusalOf(dataset, format) is { } refusal ? throw new RequestException(400, refusal) : Extension(dataset, format);

    private static string Extension(Dataset dataset, string? format) => format != null ? "." + format : dataset.Format switch
    {
        DatasetFormat.Json or DatasetFormat.Coco => ".json",
        DatasetFormat.Jsonl => ".jsonl",
        DatasetFormat.Csv => dataset.Source.Contains(".tsv", StringComparison.OrdinalIgnoreCase) ? ".tsv" : ".csv",
        DatasetFormat.PartFile => ".h5",
        DatasetFormat.WebDataset => ".tar",
        DatasetFormat.Parquet => ".parquet",
        _ => ".txt",
    };

    /// <summary>Why a dataset cannot be exported so; null where it can.</summary>
    private static string? RefusalOf(Dataset dataset, string? format)
    {
        if (format != null && !Formats.Contains(format))
            return $"Format: expected {string.Join(", ", Formats)}, or none for the dataset's own; found '{format}'.";
        if (format == null && dataset.Format is DatasetFormat.ImageFolder or DatasetFormat.Zip)
        {
            var others = Formats.Where(other => RefusalOf(dataset, other) == null);
            return $"Format: expected {string.Join(" or ", others)}: this dataset cannot be written in its own format as one file.";
        }
        var extension = Extension(dataset, format);
        return ItemExport.Refusal(dataset, "kept" + extension, asFolder: false) is { } refusal
            ? $"Format {extension[1..]}: {refusal}"
            : null;
    }

    /// <summary>Writes the kept items.</summary>
    /// <param name="run">The selection.</param>
    /// <param name="dataset">Its dataset.</param>
    /// <param name="path">The file; what else its folder has counts as written.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>How many items were left out because an image of theirs cannot be read.</returns>
    /// <exception cref="RequestException">Something that the file would hold may not leave, or the file becomes too long.</exception>
    public long Write(SelectionRun run, Dataset dataset, string path, CancellationToken cancellation)
    {
        using var writer = dataset.CreateExport(path);
        if (writer.NeedsSurvey)
        {
            foreach (var item in run.KeptItems(cancellation))
                writer.Survey(item);
        }
        var (names, scores) = !dataset.HasRecords && writer.NeedsScores ? run.KeptScores() : ([], null);
        using (scores)
        {
            if (scores != null)
                writer.SetScores(names, scores);
            var (count, leftOut) = (0L, 0L);
            foreach (var item in run.KeptItems(cancellation))
            {
                foreach (var source in writer.ReadFor(item))
                    if (source.HeldBy is { } place)
                        served.Check(source.Reference, place);
                leftOut += writer.TryWrite(item) == null ? 0 : 1;
                if (++count % ItemsBetweenChecks == 0)
                    CheckLength(path);
            }
            writer.Complete();
            CheckLength(path);
            return leftOut;
        }
    }

    private void CheckLength(string path)
    {
        var written = new DirectoryInfo(Path.GetDirectoryName(path)!).EnumerateFiles().Sum(file => file.Length);
        if (written > options.MostExportBytes)
        {
            throw new RequestException(413, string.Create(
                CultureInfo.InvariantCulture,
                $"Expected an export of at most {options.MostExportBytes >> 20} MiB (--max-export-megabytes). " +
                $"'pristine select --out' has no limit."));
        }
    }
}
