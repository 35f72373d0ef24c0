using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pristine.Datasets;

namespace Pristine.Experiments;

/// <summary>What became of an image in a degradation run.</summary>
public enum DegradationOutcome
{
    /// <summary>It was degraded.</summary>
    Degraded,

    /// <summary>It was not chosen; the copy has the original's bytes.</summary>
    Copied,

    /// <summary>It was chosen but could not be decoded or encoded and was copied, or it could not be read or exported at all.</summary>
    Failed,

    /// <summary>There is no such file.</summary>
    Missing,
}

/// <summary>One line of a degradation log: what was done to one image of one item.</summary>
public sealed record DegradationLogEntry
{
    /// <summary>Position of the item in the dataset, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>The item's id.</summary>
    public required string Id { get; init; }

    /// <summary>The image as the dataset names it.</summary>
    public required string Image { get; init; }

    /// <summary>The written file, relative to the target folder, with <c>/</c>; null when none was written.</summary>
    public string? Output { get; init; }

    /// <summary>What became of it.</summary>
    public required DegradationOutcome Outcome { get; init; }

    /// <summary>What was done; null unless <see cref="Outcome"/> is <see cref="DegradationOutcome.Degraded"/>.</summary>
    public Degradation? Degradation { get; init; }

    /// <summary>The run's seed.</summary>
    public required long Seed { get; init; }

    /// <summary>Why it failed; null otherwise.</summary>
    public string? Error { get; init; }
}

/// <summary>
/// The log of a degradation run: JSON lines with <c>index, id, image, output, outcome, kind, level, value, angle, seed, error</c>, one per
/// image of every item, in the dataset's order.
/// </summary>
public static class DegradationLog
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a log.</summary>
    /// <param name="file">The file.</param>
    /// <returns>Its entries in order.</returns>
    /// <exception cref="DatasetException">The file cannot be read, or a line is not an entry; it is named.</exception>
    public static IReadOnlyList<DegradationLogEntry> Read(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        var entries = new List<DegradationLogEntry>();
        var number = 0;
        try
        {
            foreach (var line in File.ReadLines(file))
            {
                number++;
                if (!string.IsNullOrWhiteSpace(line))
                    entries.Add(Parse(line));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot read '{file}': {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException)
        {
            throw new DatasetException($"{file}:{number}: expected an entry of a degradation log: {e.Message}", e);
        }
        return entries;
    }

    /// <summary>Writes one line.</summary>
    internal static void Write(Stream stream, DegradationLogEntry entry)
    {
        using (var json = new Utf8JsonWriter(stream, Readable))
        {
            json.WriteStartObject();
            json.WriteNumber("index", entry.Index);
            json.WriteString("id", entry.Id);
            json.WriteString("image", entry.Image);
            json.WriteString("output", entry.Output);
            json.WriteString("outcome", Name(entry.Outcome));
            if (entry.Degradation is { } done)
            {
                json.WriteString("kind", DegradationDefinition.Get(done.Kind).Name);
                json.WriteNumber("level", done.Level);
                json.WriteNumber("value", done.Value);
                if (done.Kind == DegradationKind.MotionBlur)
                    json.WriteNumber("angle", done.Angle);
                else
                    json.WriteNull("angle");
            }
            else
            {
                foreach (var name in (ReadOnlySpan<string>)["kind", "level", "value", "angle"])
                    json.WriteNull(name);
            }
            json.WriteNumber("seed", entry.Seed);
            json.WriteString("error", entry.Error);
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
    }

    private static DegradationLogEntry Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var entry = document.RootElement;
        Degradation? degradation = null;
        if (entry.GetProperty("kind").GetString() is { } kind)
        {
            var level = entry.GetProperty("level").GetInt32();
            if (level is < 1 or > DegradationDefinition.Levels)
                throw new FormatException(string.Create(
                    CultureInfo.InvariantCulture, $"expected a level from 1 to {DegradationDefinition.Levels}; found {level}."));
            var angle = entry.GetProperty("angle");
            degradation = new Degradation(
                DegradationDefinition.Get(kind).Kind, level, angle.ValueKind == JsonValueKind.Null ? 0 : angle.GetDouble());
        }
        var outcome = entry.GetProperty("outcome").GetString();
        return new DegradationLogEntry
        {
            Index = entry.GetProperty("index").GetInt64(),
            Id = entry.GetProperty("id").GetString()!,
            Image = entry.GetProperty("image").GetString()!,
            Output = entry.GetProperty("output").GetString(),
            Outcome = Enum.GetValues<DegradationOutcome>().Where(value => Name(value) == outcome).Cast<DegradationOutcome?>()
                .FirstOrDefault()
                ?? throw new FormatException($"expected the outcome degraded, copied, failed or missing; found '{outcome}'."),
            Degradation = degradation,
            Seed = entry.GetProperty("seed").GetInt64(),
            Error = entry.GetProperty("error").GetString(),
        };
    }

    private static string Name(DegradationOutcome outcome) => outcome.ToString().ToLowerInvariant();
}
