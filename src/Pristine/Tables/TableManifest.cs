using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;

namespace Pristine.Tables;

/// <summary>A part of the dataset as a manifest lists it.</summary>
/// <param name="Name">Its name, by which the dataset opens it.</param>
/// <param name="Bytes">Its size; null where that is not known.</param>
/// <param name="Items">How many items it has; null where that is not known.</param>
/// <param name="FileBytes">The size of the file that it lies in; null where there is no local file.</param>
/// <param name="FileModified">When that file was last written, in microseconds since 1970.</param>
internal sealed record ManifestPart(string Name, long? Bytes, long? Items, long? FileBytes, long? FileModified)
{
    /// <summary>Describes a part.</summary>
    public static ManifestPart Of(InputPart part)
    {
        var stamp = part.File == null ? null : SourceStamp.Of(part.File);
        return new ManifestPart(part.Name, part.Bytes, part.Items, stamp?.Bytes, stamp?.Modified);
    }

    /// <summary>What it costs beside the others: its bytes, or its items where those are not known.</summary>
    [JsonIgnore]
    public long Weight => Math.Max(1, Bytes ?? Items ?? 1);
}

/// <summary>
/// The file <c>manifest.json</c> of a table that is made in parts: the parts of the dataset, and how they are scored. It is written once,
/// before the first part is scored, and never changed.
/// </summary>
internal sealed partial record TableManifest
{
    /// <summary>The file's name within the table.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The names of the lists of files that a table may keep.</summary>
    public const string Lists = "files-*.list";

    /// <summary>The layout that this program writes and reads.</summary>
    public const int CurrentLayout = 1;

    private static readonly TableManifestJson Json = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter<DatasetFormat>(
            JsonNamingPolicy.SnakeCaseLower), new JsonStringEnumConverter<MetricDirection>(JsonNamingPolicy.SnakeCaseLower) },
    });

    /// <summary>The layout of the file.</summary>
    public int Layout { get; init; } = CurrentLayout;

    /// <summary>Tells the work from any other: the parts of the dataset by name and size, and the settings.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>How the parts are scored, by name; only what can change a row.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>The file beside it with what was found in a folder or a bucket; null where nothing had to be searched for.</summary>
    public string? List { get; init; }

    /// <summary>What <c>scores.json</c> says.</summary>
    public required TableProvenance Table { get; init; }

    /// <summary>The parts in the dataset's order.</summary>
    public required IReadOnlyList<ManifestPart> Parts { get; init; }

    /// <summary>The fingerprint of some work.</summary>
    public static string FingerprintOf(
        IEnumerable<ManifestPart> parts, IReadOnlyDictionary<string, string> settings, TableProvenance table, string? list)
    {
        var hash = new XxHash128();
        void Add(string text)
        {
            hash.Append(Encoding.UTF8.GetBytes(text));
            hash.Append("\0"u8);
        }
        Add($"{table.Dataset.Format} {table.Dataset.ImageField} {list}");
        foreach (var (name, value) in settings.OrderBy(setting => setting.Key, StringComparer.Ordinal))
            Add($"{name}={value}");
        foreach (var column in table.Columns)
            Add($"{column.Metric} {column.Fingerprint}");
        // Times are left out: a copy of the dataset on another disk is the same dataset.
        foreach (var part in parts)
            Add(string.Create(CultureInfo.InvariantCulture, $"{part.Name} {part.Bytes} {part.Items} {part.FileBytes}"));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>Reads the file of a table.</summary>
    /// <returns>Null when the folder has no such file.</returns>
    /// <exception cref="ScoreTableException">The file is not what a table has, or of a later program.</exception>
    public static TableManifest? Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
            return null;
        try
        {
            using var stream = File.OpenRead(file);
            var read = JsonSerializer.Deserialize(stream, Json.TableManifest)
                ?? throw new ScoreTableException($"Expected the list of a table's parts in {file}; found null.");
            return read.Layout == CurrentLayout
                ? read
                : throw new ScoreTableException(
                    $"{file}: expected the layout {CurrentLayout}; found {read.Layout}, which a later version of this program wrote.");
        }
        catch (JsonException exception)
        {
            throw new ScoreTableException($"Expected the list of a table's parts in {file}; {exception.Message}", exception);
        }
    }

    /// <summary>Writes the file, unless another process has written it first.</summary>
    public void WriteOnce(string folder) =>
        WholeFile.WriteOnce(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Json.TableManifest));

    /// <summary>Reads what is said of a finished part; null where it is not finished.</summary>
    /// <exception cref="ScoreTableException">The file is damaged.</exception>
    internal static PartMarker? ReadMarker(string file) => ReadWhere(
        file, Json.PartMarker, "what is said of a finished part",
        "Delete this file and run the same 'pristine score' again: the part is scored anew.");

    /// <summary>Says that a part is finished, unless that was said before.</summary>
    /// <returns>False where it was said before: the rows of this attempt are not wanted.</returns>
    internal static bool WriteMarker(string file, PartMarker marker) =>
        WholeFile.WriteOnce(file, stream => JsonSerializer.Serialize(stream, marker, Json.PartMarker));

    /// <summary>Reads why a part could not be read; null where nothing is said.</summary>
    /// <exception cref="ScoreTableException">The file is damaged.</exception>
    internal static PartFailure? ReadFailure(string file) =>
        ReadWhere(file, Json.PartFailure, "why a part could not be read", "Delete this file: the part is tried again.");

    /// <summary>Reads a file that is written once or anew as a whole; null where there is none.</summary>
    private static T? ReadWhere<T>(string file, JsonTypeInfo<T> type, string what, string remedy)
        where T : class
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return JsonSerializer.Deserialize(stream, type);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new ScoreTableException($"Expected {what} in {file}; {exception.Message} {remedy}", exception);
        }
    }

    /// <summary>Says why a part could not be read.</summary>
    internal static void WriteFailure(string file, PartFailure failure) =>
        WholeFile.Write(file, stream => JsonSerializer.Serialize(stream, failure, Json.PartFailure));

    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(TableManifest))]
    [JsonSerializable(typeof(PartMarker))]
    [JsonSerializable(typeof(PartFailure))]
    private sealed partial class TableManifestJson : JsonSerializerContext;
}

/// <summary>What is said of a finished part.</summary>
/// <param name="Part">The part, from 0.</param>
/// <param name="Manifest">The fingerprint of the work that it is a part of.</param>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Items">Items of the dataset.</param>
/// <param name="Lines">Lines of the dataset's file; 0 where it is not made of lines.</param>
/// <param name="File">
/// Where the rows were written, relative to the table; they are moved to their own name afterwards. Null for none.
/// </param>
internal sealed record PartMarker(int Part, string Manifest, long Rows, long Items, long Lines, string? File)
{
    /// <summary>The stamp of the dataset's file that the rows are of; null where it is none, or an older program wrote this.</summary>
    public SourceStamp? Source { get; init; }
}

/// <summary>Why a part could not be read. It is tried again by every run.</summary>
/// <param name="Part">The part, from 0.</param>
/// <param name="Reason">What was expected, and what was found.</param>
/// <param name="IsReplaceable">
/// Whether another file may take the place of its file: the part is a whole file, and that was the one that was listed.
/// </param>
/// <param name="Host">The machine that tried it.</param>
internal sealed record PartFailure(int Part, string Reason, bool IsReplaceable, string Host);
