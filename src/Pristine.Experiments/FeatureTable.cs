using System.Text;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Experiments;

/// <summary>The features of one image, or why there are none.</summary>
/// <param name="Path">The image file.</param>
/// <param name="Features">The features; null when the image could not be used.</param>
/// <param name="Error">The reason in one line; null when there are features.</param>
public readonly record struct ImageFeatures(string Path, float[]? Features, string? Error);

/// <summary>
/// The features of images, as <c>score --features</c> computes them, perhaps in a score table: what stands in the table is not computed
/// again. Without a table nothing is kept.
/// </summary>
public static class FeatureTable
{
    /// <summary>The images that a table of ours is about.</summary>
    private const string ListFile = "images.txt";

    /// <summary>Computes the features of images; a bad image gets an error, it does not stop the run.</summary>
    /// <param name="features">Which features.</param>
    /// <param name="paths">The image files; each is computed once.</param>
    /// <param name="scoring">Workers, decoding, batch; the metrics do not matter. Defaults when null.</param>
    /// <param name="table">
    /// A score table. One that is not there is made, about these images, and follows them from run to run. One that is about another
    /// dataset is brought up to date with it, and must have the images. Null to keep nothing.
    /// </param>
    /// <param name="onImage">Called after each image, with true or, where it cannot be used, false; optional.</param>
    /// <param name="cancellation">Ends the run with <see cref="OperationCanceledException"/>; what a table has got stays in it.</param>
    /// <returns>The images in their order.</returns>
    /// <exception cref="ModelException">The features cannot be computed here.</exception>
    /// <exception cref="ScoreTableException">The table's features are of another version, model or device; or it is damaged.</exception>
    /// <exception cref="DatasetException">The folder of the table is a file.</exception>
    public static IReadOnlyList<ImageFeatures> Compute(
        Feature features, IReadOnlyList<string> paths, ScoringOptions? scoring = null, string? table = null, Action<bool>? onImage = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(paths);
        if (features.Missing is { } missing)
            throw new ModelException(missing);
        var column = new FeatureColumn(features);
        var options = (scoring ?? new ScoringOptions()) with
        {
            Metrics = [],
            Gates = [],
            ItemGates = [],
            Features = [features],
            Device = features.Device,
        };
        var asked = new Dictionary<string, ImageFeatures>(StringComparer.Ordinal);
        foreach (var path in paths)
            asked.TryAdd(Path.GetFullPath(path), new(path, null, null));
        // In the table already: read afterwards.
        var stored = new Dictionary<(long Item, int Image), string>();
        foreach (var item in Items(asked.Keys, options, table, cancellation))
            for (var i = 0; i < item.Rows.Count; i++)
            {
                var row = item.Rows[i];
                if (row.Image == null || item.Item.Images[i].LocalPath is not { } file
                    || !asked.TryGetValue(Path.GetFullPath(file), out var image))
                    continue;
                var error = row.Status == ImageStatus.Ok ? null : row.Error ?? row.Status.Name();
                if (error == null && row.Vectors == null)
                    stored[(row.ItemIndex, row.ImageIndex)] = Path.GetFullPath(file);
                else
                    asked[Path.GetFullPath(file)] = Checked(image.Path, error == null ? row.Feature(column.Name).ToArray() : null, error);
                onImage?.Invoke(error == null);
            }
        if (stored.Count > 0)
            foreach (var (item, image, numbers) in ScoreTable.Open(table!).ReadVectors(column.Name))
                if (stored.TryGetValue((item, image), out var file))
                    asked[file] = Checked(asked[file].Path, numbers, null);
        return [.. paths.Select(path => asked[Path.GetFullPath(path)] is { Features: null, Error: null } absent
            ? absent with { Path = path, Error = $"the table {table} is about another dataset and does not have the image" }
            : asked[Path.GetFullPath(path)] with { Path = path })];
    }

    private static ImageFeatures Checked(string path, float[]? numbers, string? error) =>
        error != null ? new(path, null, error)
        : numbers is { Length: > 0 } && numbers.All(float.IsFinite) ? new(path, numbers, null)
        : new(path, null, "a feature does not exist for this image (it may be a single colour)");

    private static IEnumerable<ScoredItem> Items(
        IReadOnlyCollection<string> files, ScoringOptions options, string? table, CancellationToken cancellation)
    {
        // NUL separates, so that any name can stand in the list.
        var list = Encoding.UTF8.GetBytes(string.Concat(files.Select(file => file + '\0')));
        if (table == null)
            return ScoringRun.Score(PathListDataset.FromStream(
                "the images", new MemoryStream(list), new DatasetOptions()), options, cancellation: cancellation);
        OutputPlace.CheckFolder(table);
        var own = Path.GetFullPath(Path.Combine(table, ListFile));
        if (TableProvenance.Read(table) is { } provenance && provenance.Dataset.Path != own)
            return ScoreTableRun.Score(SelectionRun.OpenDataset(ScoreTable.Open(table)), table, options, cancellation: cancellation);
        WholeFile.Write(own, stream => stream.Write(list));
        return ScoreTableRun.Score(Dataset.Open(own), table, options, cancellation: cancellation);
    }
}
