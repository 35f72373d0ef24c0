using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Metrics;
using Pristine.Metrics.Hashes;
using Pristine.Networks;
using Pristine.Remote;

namespace Pristine.Tables;

/// <summary>
/// A score table that cannot be read, or not be continued as asked. The message says what was expected and found, and what to do.
/// </summary>
/// <param name="message">Expected, found, and the remedy.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class ScoreTableException(string message, Exception? innerException = null) : PristineException(message, innerException);

/// <summary>The dataset that a score table is about.</summary>
/// <param name="Input">As the user named it.</param>
/// <param name="Path">The same as an absolute path or pattern.</param>
/// <param name="ImageRoot">Absolute folder of relative image paths.</param>
/// <param name="Format">Its layout.</param>
public sealed record TableSource(string Input, string Path, string ImageRoot, DatasetFormat Format)
{
    /// <summary>The field of records that names their images; null, and not in the file, where it is found record by record.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ImageField { get; init; }

    /// <summary>Describes a dataset.</summary>
    /// <param name="dataset">A dataset that is not a list on standard input.</param>
    public static TableSource Of(Dataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return new TableSource(
            dataset.Source,
            PlaceOf(dataset.Source),
            PlaceOf(dataset.ImageRoot.Length == 0 ? "." : dataset.ImageRoot),
            dataset.Format)
        {
            ImageField = dataset.ImageField,
        };
    }

    /// <summary>An absolute path without the slash at its end; an address as it is.</summary>
    internal static string PlaceOf(string place) => RemoteAddress.IsRemote(place)
        ? place
        : System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(place));
}

/// <summary>Where the numbers of one column come from.</summary>
public sealed record ColumnProvenance
{
    /// <summary>The metric's name, which is the column's; named modes and regressors are part of it.</summary>
    public required string Metric { get; init; }

    /// <summary>The metric's version: another one may give other numbers for the same pixels.</summary>
    public required string Version { get; init; }

    /// <summary>SHA-256 of the model file; null for a metric without a model.</summary>
    public string? ModelSha256 { get; init; }

    /// <summary>
    /// Where its network ran, <c>cuda</c>; null, and not in the file, for the CPU. Scores of the two differ in their last digits, so one
    /// column is computed on one of them.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Device { get; init; }

    /// <summary>Which end of the scale is good.</summary>
    public required MetricDirection Direction { get; init; }

    /// <summary>Smallest native value; null for an open end.</summary>
    public double? Low { get; init; }

    /// <summary>Largest native value; null for an open end.</summary>
    public double? High { get; init; }

    /// <summary>Unit of the native value.</summary>
    public string Unit { get; init => field = value ?? ""; } = "";

    /// <summary>Paper or program that defines the metric.</summary>
    public string Citation { get; init => field = value ?? ""; } = "";

    /// <summary>The column with the quality in [0,1]; null for a metric without one.</summary>
    public string? QualityColumn { get; init; }

    /// <summary>True for a 32-bit FLOAT column, false for DOUBLE (facts of the header).</summary>
    public bool IsFloat { get; init; }

    /// <summary>Of a column of vectors their length; null for scores, and then not in the file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Length { get; init; }

    /// <summary>Of a column of hashes, which is text, their bits; null for scores, and then not in the file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Bits { get; init; }

    /// <summary>
    /// Of a number of the item what it is computed of, as <c>text</c>; null for scores of images, and then not in the file.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Scope { get; init; }

    /// <summary>True for a column of scores, false for one of vectors or hashes.</summary>
    [JsonIgnore]
    public bool IsScore => Length == null && Bits == null;

    /// <summary>The program that began the column.</summary>
    public string Program { get; init => field = value ?? ""; } = "";

    /// <summary>Two columns are interchangeable when these agree.</summary>
    [JsonIgnore]
    public string Fingerprint => $"{Version} {ModelSha256 ?? "-"}{(Device == null ? "" : $" {Device}")}";

    /// <summary>What a metric of this program writes.</summary>
    /// <param name="metric">The metric.</param>
    public static ColumnProvenance Of(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        return new ColumnProvenance
        {
            Metric = metric.Name,
            Version = metric.Version,
            ModelSha256 = metric.ModelSha256,
            Device = NetworkDevice.KindOf(metric.Device) is var kind && kind == NetworkDevice.Cpu ? null : kind,
            Direction = metric.Direction,
            Low = double.IsFinite(metric.Range.Low) ? metric.Range.Low : null,
            High = double.IsFinite(metric.Range.High) ? metric.Range.High : null,
            Unit = metric.Unit,
            Citation = metric.Citation,
            QualityColumn = metric.HasQuality ? metric.Name + Column.QualitySuffix : null,
            IsFloat = metric.Input != Media.ImageInput.Header,
            Length = metric is FeatureColumn feature and not HashColumn ? feature.Feature.Count : null,
            Scope = (metric as ItemMetric)?.Scope,
            Bits = metric is HashColumn ? PerceptualHash.Bits : null,
            Program = TableProvenance.CurrentProgram,
        };
    }
}

/// <summary>The file <c>scores.json</c> of a score table: what it is about and where its numbers come from.</summary>
public sealed partial record TableProvenance
{
    /// <summary>The file's name within the table.</summary>
    public const string FileName = "scores.json";

    /// <summary>The layout that this program writes. It reads the earlier ones.</summary>
    public const int CurrentLayout = 2;

    private static readonly ProvenanceJson Json = new(new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<DatasetFormat>(
            JsonNamingPolicy.SnakeCaseLower), new JsonStringEnumConverter<MetricDirection>(JsonNamingPolicy.SnakeCaseLower) },
    });

    /// <summary>The provenance of a table without columns, in one shard.</summary>
    public TableProvenance()
    {
    }

    /// <summary>For JSON: a generated reader sets every other property, to null where the JSON leaves it out.</summary>
    [JsonConstructor]
    internal TableProvenance(int layout = CurrentLayout, int shards = 1) => (Layout, Shards) = (layout, shards);

    /// <summary>The table's layout. In layout 1 <c>skipped</c> was text.</summary>
    public int Layout { get; init; } = CurrentLayout;

    /// <summary>The dataset.</summary>
    public required TableSource Dataset { get; init; }

    /// <summary>How many shards share the work; each writes parts of its own.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>The shards that have been through the whole dataset since the table was last asked for something new.</summary>
    public IReadOnlyList<int> FinishedShards { get; init => field = value ?? []; } = [];

    /// <summary>The decoders that read the images, with the policy for pixels, in the order of their first use.</summary>
    public IReadOnlyList<string> Decoders { get; init => field = value ?? []; } = [];

    /// <summary>The metric columns in the order in which they were asked for.</summary>
    public IReadOnlyList<ColumnProvenance> Columns { get; init => field = value ?? []; } = [];

    /// <summary>True when every shard has been through the whole dataset.</summary>
    [JsonIgnore]
    public bool IsComplete => Enumerable.Range(0, Shards).All(FinishedShards.Contains);

    /// <summary>Name and version of this program, for example <c>pristine 0.1.0</c>.</summary>
    public static string CurrentProgram { get; } =
        $"pristine " +
        $"{typeof(TableProvenance).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]}";

    /// <summary>Reads the file of a table.</summary>
    /// <param name="folder">The table.</param>
    /// <returns>Null when the folder has no such file.</returns>
    /// <exception cref="ScoreTableException">The file is not what a table has, or of a later program.</exception>
    public static TableProvenance? Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
            return null;
        try
        {
            using var stream = File.OpenRead(file);
            var read = JsonSerializer.Deserialize(stream, Json.TableProvenance)
                ?? throw new ScoreTableException($"Expected the provenance of a score table in {file}; found null.");
            return read.Layout is >= 1 and <= CurrentLayout
                ? read
                : throw new ScoreTableException(
                    $"{file}: expected a layout from 1 to {CurrentLayout}; found {read.Layout}, which a later version of this program " +
                    $"wrote. " +
                    "Use that version, or score the dataset into another folder.");
        }
        catch (JsonException exception)
        {
            throw new ScoreTableException($"Expected the provenance of a score table in {file}; {exception.Message}", exception);
        }
    }

    /// <summary>Writes the file under a temporary name, then renames it. Only the one process that has the table does that.</summary>
    /// <param name="folder">The table.</param>
    internal void Write(string folder)
    {
        using var file = WholeFile.Create(Path.Combine(folder, FileName));
        WriteTo(file.Stream);
        file.Complete();
    }

    /// <summary>Writes the file of a table that is made in parts, which no process changes afterwards.</summary>
    /// <param name="folder">The table.</param>
    internal void WriteOnce(string folder)
    {
        if (!File.Exists(Path.Combine(folder, FileName)))
            WholeFile.WriteOnce(Path.Combine(folder, FileName), WriteTo);
    }

    private void WriteTo(Stream stream)
    {
        JsonSerializer.Serialize(stream, this, Json.TableProvenance);
        stream.Write("\n"u8);
    }

    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(TableProvenance))]
    private sealed partial class ProvenanceJson : JsonSerializerContext;
}
