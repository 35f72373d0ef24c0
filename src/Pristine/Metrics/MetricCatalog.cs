using System.Collections.Concurrent;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.ResNet;

namespace Pristine.Metrics;

/// <summary>Every metric Pristine knows: the one list that the command line, docs/metrics.md and the provenance of results are made from.</summary>
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

    private static readonly ConcurrentDictionary<string, Metric> Added = new(StringComparer.Ordinal);

    /// <summary>Finds a metric by its exact name.</summary>
    /// <param name="name">For example <c>brisque</c>.</param>
    /// <returns>The metric.</returns>
    /// <exception cref="ArgumentException">No metric has the name; the message lists the nearest ones.</exception>
    public static Metric Get(string name) =>
        Find(name) ?? throw new ArgumentException(
            $"There is no metric '{name}'. Nearest: {string.Join(", ", Nearest(name, All.Select(m => m.Name)))}. All: {string.Join(", ", All.Select(m => m.Name))}.",
            nameof(name));

    /// <summary>
    /// Finds a metric by its exact name, or null. Variants of ARNIQA that <see cref="All"/> does not list, metrics that were added, and
    /// <c>resnet50</c> for <c>resnet50@biq2021</c> are found too.
    /// </summary>
    /// <param name="name">For example <c>brisque</c> or <c>arniqa:pyiqa@koniq10k</c>.</param>
    /// <exception cref="ArgumentException">The name is a variant of ARNIQA that does not exist.</exception>
    public static Metric? Find(string name) =>
        name == ResNetMetric.BaseName ? ResNetMetric.Biq2021
        : All.FirstOrDefault(m => m.Name == name) ?? Added.GetValueOrDefault(name) ?? ArniqaMetric.Parse(name);

    /// <summary>Makes a metric of the user's own, such as a head that <c>pristine fit</c> trained, known by its name in this process.</summary>
    /// <param name="metric">The metric.</param>
    /// <exception cref="ArgumentException">Another metric has the name.</exception>
    public static void Add(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        if (Find(metric.Name) != null || !Added.TryAdd(metric.Name, metric))
            throw new ArgumentException($"There is a metric '{metric.Name}' already; train the head under another name (--name).", nameof(metric));
    }

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
