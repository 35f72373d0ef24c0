using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pristine.Datasets;

namespace Pristine.Experiments;

/// <summary>What the files of a result have in common: how numbers stand in JSON, and that a file has its name only when it is whole.</summary>
internal static class ResultFiles
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>The program's version, for the provenance.</summary>
    public static string? Program => typeof(ResultFiles).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <summary>JSON of a result; numbers in full.</summary>
    public static string ToJson(object data) => JsonSerializer.Serialize(data, Json) + "\n";

    /// <summary>A number, or null for what does not exist, which JSON cannot say otherwise.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;

    /// <summary>An estimate with the ends of its interval.</summary>
    public static object InFull(Estimate estimate) => new { value = Finite(estimate.Value), low = Finite(estimate.Interval.Low), high = Finite(estimate.Interval.High) };

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
