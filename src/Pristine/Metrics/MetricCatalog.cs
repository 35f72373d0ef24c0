using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.ResNet;

namespace Pristine.Metrics;

/// <summary>
/// The metrics of this library: the one list that the command line, docs/metrics.md and the provenance of results are made from. Sets with
/// metrics of the user's own are <see cref="MetricSet"/>s.
/// </summary>
public static class MetricCatalog
{
    /// <summary>All metrics: those of the header first, then the pixel metrics. A new metric is one file and one line here.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        .. HeaderMetric.All,
        new BrisqueMetric(),
        new BrisqueLive(),
        new Sharpness(),
        new Brightness(),
        new Contrast(),
        new Colorfulness(),
        new Entropy(),
        .. ArniqaMetric.All,
        ResNetMetric.Biq2021,
    ];

    /// <summary>Finds a metric of this library by its exact name.</summary>
    /// <param name="name">For example <c>brisque</c>.</param>
    /// <returns>The metric.</returns>
    /// <exception cref="ArgumentException">No metric has the name; the message lists the nearest ones.</exception>
    public static Metric Get(string name) => MetricSet.BuiltIn.Get(name);

    /// <summary>Finds a metric of this library as <see cref="MetricSet.Find"/> does, or null.</summary>
    /// <param name="name">For example <c>brisque</c> or <c>arniqa:pyiqa@koniq10k</c>.</param>
    public static Metric? Find(string name) => MetricSet.BuiltIn.Find(name);

    /// <summary>The three known names that are closest to a misspelt one (Levenshtein distance).</summary>
    /// <param name="name">The misspelt name.</param>
    /// <param name="known">Names to choose from.</param>
    public static IEnumerable<string> Nearest(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        return known.OrderBy(k => Distance(name, k)).ThenBy(k => k, StringComparer.Ordinal).Take(3);
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
