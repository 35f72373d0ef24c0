using System.Text.Json;

namespace Pristine.Tests.Experiments;

/// <summary>Values of scipy; tool, version and command stand in the file.</summary>
internal static class ScipyReference
{
    private static readonly JsonElement Root =
        JsonDocument.Parse(
            File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "References", "correlation_scipy.json"))).RootElement;

    public static JsonElement[] Correlations => [.. Root.GetProperty("correlations").EnumerateArray()];

    public static JsonElement[] Logistic => [.. Root.GetProperty("logistic").EnumerateArray()];

    public static JsonElement[] Areas => [.. Root.GetProperty("auc").EnumerateArray()];

    public static double[] Numbers(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    public static double Number(this JsonElement element, string name) => element.GetProperty(name).GetDouble();
}
