using System.Globalization;
using System.IO.Hashing;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>Lists the parts of a dataset for a table that is made in parts, or finds that they are listed for the same work.</summary>
internal static class TableListing
{
    /// <summary>Opens a table that is made in parts; makes one where there is none. Several processes may do so at once.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="folder">The table's folder.</param>
    /// <param name="scoring">How it is scored; without metrics those of the table.</param>
    /// <param name="options">Whether the dataset has moved.</param>
    /// <param name="metrics">The table's metrics.</param>
    /// <param name="cancellation">Stops the listing.</param>
    /// <exception cref="ScoreTableException">The table is of another dataset or of other settings, or not made in parts.</exception>
    public static PartedTable Open(
        Dataset dataset, string folder, ScoringOptions scoring, ScoreTableOptions options, out List<Metric> metrics,
        CancellationToken cancellation)
    {
        if (options.Rescore.Count > 0 || options.RetryFailed)
            throw new ScoreTableException(
                $"A table that is made in parts has each part once: make one table of them first ('pristine compact {folder}'), then " +
                $"score columns or failed images again.");
        if (scoring.Gates.Any(gate => gate.JudgesPosition) || scoring.ItemGates.Any(gate => gate.JudgesPosition))
            throw new ScoreTableException(
                "A cascade cannot ask for key or item_index while parts are scored: how many images stand before a part is not known yet.");
        Directory.CreateDirectory(folder);
        var source = TableSource.Of(dataset);
        var settings = SettingsOf(scoring);
        var manifest = TableManifest.Read(folder);
        if (manifest == null)
        {
            if (TableProvenance.Read(folder) != null || Directory.EnumerateFiles(folder, "part-*.parquet").Any())
                throw new ScoreTableException(
                    $"The table {folder} was made by one run; parts (--shard) begin in an empty folder. Name another --out, or go on " +
                    $"without --shard.");
            Make(dataset, folder, source, settings, scoring, cancellation);
            manifest = TableManifest.Read(folder)!;
        }
        Check(manifest, folder, source, settings, options);
        metrics = MetricsOf(manifest, folder, scoring);
        var table = new PartedTable(folder, manifest);
        table.MakeFolders();
        table.RemoveAbandoned();
        manifest.Table.WriteOnce(folder);
        return table;
    }

    /// <summary>What can change a row besides the metrics.</summary>
    private static Dictionary<string, string> SettingsOf(ScoringOptions scoring)
    {
        var imaging = scoring.Imaging;
        return new(StringComparer.Ordinal)
        {
            ["decoder"] = ImageDecoder.Description,
            ["cascade"] = string.Join(" and ", scoring.Gates),
            ["records"] = string.Join(" and ", scoring.ItemGates),
            ["pixels"] = string.Create(
                CultureInfo.InvariantCulture, $"at most {imaging.MaxPixels}, files of at most {imaging.MaxFileBytes} bytes"),
            ["timeout"] = imaging.Timeout.ToString("c", CultureInfo.InvariantCulture),
            ["truncated"] = imaging.KeepTruncated ? "as far as it goes" : "not scored",
        };
    }

    private static void Make(
        Dataset dataset, string folder, TableSource source, Dictionary<string, string> settings, ScoringOptions scoring,
        CancellationToken cancellation)
    {
        var temporary = Path.Combine(folder, $"files-{Guid.NewGuid().ToString("N")[..12]}.list{WholeFile.Suffix}");
        try
        {
            IReadOnlyList<InputPart> parts;
            string? list = null;
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                parts = dataset.ListParts(stream, cancellation);
                stream.Flush(flushToDisk: true);
                if (stream.Length > 0)
                {
                    stream.Position = 0;
                    var hash = new XxHash128();
                    hash.Append(stream);
                    list = $"files-{Convert.ToHexStringLower(hash.GetCurrentHash())}.list";
                }
            }
            if (parts.Count >= PartNumbering.MostParts)
                throw new DatasetException(
                    $"Expected fewer than {PartNumbering.MostParts} parts; {dataset.Source} has {parts.Count}. Larger archives or groups " +
                    $"of rows make fewer.");
            // Its files would never be parts of the table.
            if (parts.FirstOrDefault(part => part.Name.EndsWith('/')) is { } unlisted)
                throw new DatasetException(
                    $"Expected folders that can be listed, so that all parts of '{dataset.Source}' are known; " +
                    $"'{unlisted.Name}' cannot be.");
            if (list != null)
                File.Move(temporary, Path.Combine(folder, list), overwrite: true);
            var table = new TableProvenance
            {
                Dataset = source,
                Columns = [.. scoring.AllMetrics.Select(ColumnProvenance.Of)],
                Decoders = [ImageDecoder.Description],
            };
            ManifestPart[] listed = [.. parts.Select(ManifestPart.Of)];
            new TableManifest
            {
                Fingerprint = TableManifest.FingerprintOf(listed, settings, table, list),
                Settings = settings,
                List = list,
                Table = table,
                Parts = listed,
            }.WriteOnce(folder);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void Check(
        TableManifest manifest, string folder, TableSource source, Dictionary<string, string> settings, ScoreTableOptions options)
    {
        var old = manifest.Table.Dataset;
        if (!options.HasMoved && (old.Path, old.ImageRoot) != (source.Path, source.ImageRoot))
            throw new ScoreTableException(
                $"The table {folder} is about {old.Path} with images in {old.ImageRoot}; found {source.Path} with images in " +
                $"{source.ImageRoot}. Name another --out, or say --moved if it is the same dataset at a new place.");
        if ((old.Format, old.ImageField) != (source.Format, source.ImageField))
            throw new ScoreTableException(
                $"The table {folder} is about a dataset of the format {old.Format} with images in {old.ImageField ?? "the usual fields"};" +
                $" found {source.Format} with images in {source.ImageField ?? "the usual fields"}.");
        foreach (var (name, value) in settings)
            if (manifest.Settings.GetValueOrDefault(name) is var before && before != value)
                throw new ScoreTableException(
                    $"The parts of the table {folder} are scored with {name} '{before}'; found '{value}'. All parts are scored alike: " +
                    $"give the same options, or name another --out.");
    }

    private static List<Metric> MetricsOf(TableManifest manifest, string folder, ScoringOptions scoring)
    {
        var asked = scoring.AllMetrics;
        var metrics = new List<Metric>();
        foreach (var column in manifest.Table.Columns)
        {
            var metric = asked.FirstOrDefault(metric => metric.Name == column.Metric) ?? scoring.Known.Find(column.Metric)
                ?? FeatureColumn.Find(column.Metric);
            if (metric == null)
                throw new ScoreTableException(
                    $"The parts of the table {folder} have the column {column.Metric}, whose metric is not known here.");
            metric = scoring.Place(metric);
            if (metric.Missing != null)
                throw new ModelException(metric.Missing);
            if (ColumnProvenance.Of(metric).Fingerprint is var here && here != column.Fingerprint)
                throw new ScoreTableException(
                    $"The parts of the table {folder} have {column.Metric} by version, model and device '{column.Fingerprint}'; found " +
                    $"'{here}'. All parts are scored alike.");
            metrics.Add(metric);
        }
        if (asked.FirstOrDefault(metric => manifest.Table.Columns.All(column => column.Metric != metric.Name)) is { } other)
            throw new ScoreTableException(
                $"The parts of the table {folder} have {string.Join(", ", manifest.Table.Columns.Select(column => column.Metric))}; " +
                $"found {other.Name}. All parts are scored alike: name another --out, or make one table of the parts first ('pristine " +
                $"compact {folder}') and add the metric to that.");
        return metrics;
    }
}
