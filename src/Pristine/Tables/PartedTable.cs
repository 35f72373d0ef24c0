using System.Globalization;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>
/// The files of a table that is made in parts. <c>manifest.json</c> lists the parts; <c>done/PART.json</c> says that one is finished, and
/// nothing else does: of several processes that finish a part, the first that writes this file wins. <c>part-0000-PART.parquet</c> holds
/// its rows. <c>work/PART.GENERATION/</c> holds the rows of a part that is not finished, <c>leases/PART.GENERATION</c> says who scores it,
/// <c>failed/PART.json</c> why it could not be read when it was last tried.
/// </summary>
/// <param name="folder">The table's folder.</param>
/// <param name="manifest">Its manifest.</param>
internal sealed class PartedTable(string folder, TableManifest manifest)
{
    private const string Done = "done";
    private const string Work = "work";
    private const string Leases = "leases";
    private const string Failed = "failed";

    /// <summary>The files in which runs say how they are; each run has one.</summary>
    public const string Statuses = ".status-*.json";

    /// <summary>Folders of a table that are there only while it is made in parts.</summary>
    public static IReadOnlyList<string> Folders => [Done, Work, Leases, Failed];

    public string Folder => folder;

    public TableManifest Manifest => manifest;

    /// <summary>Opens a table that is made in parts; null for a folder that is none.</summary>
    public static PartedTable? Open(string folder) =>
        TableManifest.Read(folder) is { } manifest ? new PartedTable(Path.GetFullPath(folder), manifest) : null;

    /// <summary>The name of a part in messages: its number and what it is of the dataset.</summary>
    public string NameOf(int part) => string.Create(CultureInfo.InvariantCulture, $"{part} ({manifest.Parts[part].Name})");

    public string MarkerOf(int part) => Path.Combine(folder, Done, $"{Number(part)}.json");

    /// <summary>Where the rows of a finished part are.</summary>
    public string FileOf(int part) => TablePart.FileOf(folder, 0, part);

    public string LeaseOf(int part, int generation) =>
        Path.Combine(folder, Leases, string.Create(CultureInfo.InvariantCulture, $"{Number(part)}.{generation}"));

    public string WorkOf(int part, int generation) =>
        Path.Combine(folder, Work, string.Create(CultureInfo.InvariantCulture, $"{Number(part)}.{generation}"));

    public string FailureOf(int part) => Path.Combine(folder, Failed, $"{Number(part)}.json");

    /// <summary>Makes the folders that processes put their files into.</summary>
    public void MakeFolders()
    {
        foreach (var name in Folders)
            Directory.CreateDirectory(Path.Combine(folder, name));
    }

    /// <summary>Removes what killed processes have left: files under temporary names, and lists of files that no manifest names.</summary>
    public void RemoveAbandoned()
    {
        foreach (var place in (string[])[folder, Path.Combine(folder, Done), Path.Combine(folder, Failed)])
            WholeFile.RemoveAbandoned(place);
        foreach (var list in Directory.EnumerateFiles(folder, TableManifest.Lists).Where(list => Path.GetFileName(list) != manifest.List))
            Delete(() => File.Delete(list));
    }

    /// <summary>True when a part is finished.</summary>
    public bool IsDone(int part) => File.Exists(MarkerOf(part));

    /// <summary>What is said of the finished parts; null for each that is not.</summary>
    /// <exception cref="ScoreTableException">A file is damaged, or of other work.</exception>
    public PartMarker?[] Markers()
    {
        var markers = new PartMarker?[manifest.Parts.Count];
        var done = Path.Combine(folder, Done);
        if (!Directory.Exists(done))
            return markers;
        foreach (var file in Directory.EnumerateFiles(done, "*.json"))
        {
            var marker = TableManifest.ReadMarker(file);
            if (marker == null)
                continue;
            if (marker.Manifest != manifest.Fingerprint || marker.Part < 0 || marker.Part >= markers.Length)
                throw new ScoreTableException(
                    $"{file} speaks of the part {marker.Part} of other work (fingerprint {marker.Manifest}); the table's is " +
                    $"{manifest.Fingerprint}, in {markers.Length} parts. It does not belong here.");
            markers[marker.Part] = marker;
        }
        return markers;
    }

    /// <summary>What is said of parts that could not be read and are not finished, in order.</summary>
    /// <exception cref="ScoreTableException">A file is damaged.</exception>
    public IReadOnlyList<PartFailure> Failures()
    {
        var failed = Path.Combine(folder, Failed);
        return !Directory.Exists(failed)
            ? []
            : [.. Directory.EnumerateFiles(failed, "*.json").Order(StringComparer.Ordinal).Select(TableManifest.ReadFailure)
                .OfType<PartFailure>().Where(failure => failure.Part >= 0 && failure.Part < manifest.Parts.Count && !IsDone(failure.Part))];
    }

    /// <summary>Says that a part is finished, and gives its rows their name.</summary>
    /// <param name="marker">What is said of it.</param>
    /// <returns>False where another process has finished it before; the rows of this one are not wanted.</returns>
    public bool TryFinish(PartMarker marker)
    {
        if (!TableManifest.WriteMarker(MarkerOf(marker.Part), marker))
            return false;
        Settle(marker);
        return true;
    }

    /// <summary>Moves the rows of a finished part to their name, where the process that finished it could not do that any more.</summary>
    public void Settle(PartMarker marker)
    {
        if (marker.File == null || File.Exists(FileOf(marker.Part)))
            return;
        try
        {
            File.Move(TablePlace.Of(folder, marker.File, MarkerOf(marker.Part)), FileOf(marker.Part), overwrite: true);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Another process did the same.
            if (!File.Exists(FileOf(marker.Part)))
                throw;
        }
    }

    /// <summary>Where the rows of a finished part are now.</summary>
    /// <exception cref="ScoreTableException">They are gone.</exception>
    public string Find(PartMarker marker)
    {
        // Moved between the first two questions, it is found by the third.
        if (File.Exists(FileOf(marker.Part)))
            return FileOf(marker.Part);
        foreach (var file in (string[])[TablePlace.Of(folder, marker.File!, MarkerOf(marker.Part)), FileOf(marker.Part)])
            if (File.Exists(file))
                return file;
        throw new ScoreTableException(
            $"The rows of the part {NameOf(marker.Part)} are gone: {FileOf(marker.Part)} is not there. Delete {MarkerOf(marker.Part)} " +
            $"and run the same 'pristine score' again: the part is scored anew.");
    }

    /// <summary>Removes what was needed only until a part was finished.</summary>
    public void Clean(int part)
    {
        RemoveWork(part);
        foreach (var lease in Directory.EnumerateFiles(Path.Combine(folder, Leases), $"{Number(part)}.*"))
            Delete(() => File.Delete(lease));
        if (File.Exists(FailureOf(part)))
            Delete(() => File.Delete(FailureOf(part)));
    }

    /// <summary>Removes the rows of a part that is not finished.</summary>
    public void RemoveWork(int part)
    {
        foreach (var abandoned in Directory.EnumerateDirectories(Path.Combine(folder, Work), $"{Number(part)}.*"))
            Delete(() => Directory.Delete(abandoned, recursive: true));
    }

    private static void Delete(Action delete)
    {
        try
        {
            delete();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process removes it too, a process that came back from the dead still writes there, or nothing can be written.
        }
    }

    /// <summary>The finished parts, in order, with the places of their rows in the dataset where all parts are finished.</summary>
    /// <param name="database">Any database.</param>
    /// <param name="markers">For each part what is said of it and the table that has it; null for one that is not finished.</param>
    public static List<TablePart> PartsOf(DuckDbConnection database, IReadOnlyList<(PartedTable Table, PartMarker Marker)?> markers)
    {
        var isWhole = markers.All(marker => marker != null);
        var numbering = isWhole
            ? new PartNumbering(markers.Select(marker => marker!.Value).Select(part => new PartSize(
                part.Marker.Rows, part.Marker.Items, part.Marker.Lines,
                InputPart.BeginsFile(part.Table.Manifest.Parts[part.Marker.Part].Name))))
            : null;
        var found = markers.Where(marker => marker is { Marker.Rows: > 0 }).Select(marker => marker!.Value).ToArray();
        if (found.Length == 0)
            return [];
        var files = TablePart.Of(database, found[0].Table.Folder, [.. found.Select(marker => marker.Table.Find(marker.Marker))]);
        return [.. files.Zip(found, (file, marker) => file.Contents.Rows == marker.Marker.Rows
            ? file with { Shard = 0, Sequence = marker.Marker.Part, Numbering = numbering }
            : throw new ScoreTableException(
                $"Expected {marker.Marker.Rows} rows in {file.File}, as {marker.Table.MarkerOf(marker.Marker.Part)} says; found " +
                $"{file.Contents.Rows}."))];
    }

    private static string Number(int part) => part.ToString("000000", CultureInfo.InvariantCulture);
}
