using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pristine.Datasets;
using Pristine.Pages;

namespace Pristine.Experiments;

/// <summary>
/// What the files of a result have in common: how numbers stand in JSON, and that a file has its name only when it is whole.
/// </summary>
internal static class ResultFiles
{
    private static readonly JsonWriterOptions Json = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    /// <summary>The program's version, for the provenance.</summary>
    public static string? Program =>
        typeof(ResultFiles).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <summary>JSON of a result; numbers in full.</summary>
    public static string ToJson(JsonObject data)
    {
        ArgumentNullException.ThrowIfNull(data);
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, Json))
            data.WriteTo(writer);
        text.WriteByte((byte)'\n');
        return Encoding.UTF8.GetString(text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    /// <summary>A list in JSON.</summary>
    public static JsonArray List(IEnumerable<JsonNode?> values) => new([.. values]);

    /// <summary>Texts as a list in JSON.</summary>
    public static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>Numbers as a list in JSON, null for what does not exist.</summary>
    public static JsonArray List(IEnumerable<double> numbers) => new([.. numbers.Select(number => (JsonNode?)Finite(number))]);

    /// <summary>A number, or null for what does not exist, which JSON cannot say otherwise.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;

    /// <summary>An estimate with the ends of its interval.</summary>
    public static JsonObject InFull(Estimate estimate) =>
        new() { ["value"] = Finite(estimate.Value), ["low"] = Finite(estimate.Interval.Low), ["high"] = Finite(estimate.Interval.High) };

    /// <summary>An estimate for people: <c>0.512 (0.480 to 0.544)</c>.</summary>
    public static string InText(Estimate estimate) => double.IsNaN(estimate.Value) ? "–"
        : $"{ResultPage.Number(estimate.Value)} ({ResultPage.Number(estimate.Interval.Low)} to {ResultPage.Number(estimate.Interval.High)})";

    /// <summary>An estimate as a mark of a chart.</summary>
    public static ChartValue InChart(Estimate estimate) => new(estimate.Value, estimate.Interval.Low, estimate.Interval.High);

    /// <summary>Writes files of text; those of the same names are replaced.</summary>
    /// <param name="folder">The folder; made if it does not exist.</param>
    /// <param name="files">Names and contents.</param>
    /// <exception cref="DatasetException">A file cannot be written.</exception>
    public static void Write(string folder, params ReadOnlySpan<(string Name, string Text)> files)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        foreach (var (name, text) in files)
        {
            using var file = PartialFile.Create(Path.Combine(folder, name), null);
            file.Stream.Write(Encoding.UTF8.GetBytes(text));
            file.Complete();
        }
    }
}
