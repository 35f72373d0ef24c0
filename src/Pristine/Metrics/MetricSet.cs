using System.Diagnostics.CodeAnalysis;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.Hashes;
using Pristine.Metrics.Onnx;
using Pristine.Metrics.Text;
using Pristine.Metrics.Text.Language;
using Pristine.Models;

namespace Pristine.Metrics;

/// <summary>Metrics that are made from their names and not listed, such as the modes of ARNIQA.</summary>
public abstract class MetricFamily
{
    /// <summary>Reads a name.</summary>
    /// <param name="name">For example <c>arniqa:pyiqa@koniq10k</c>.</param>
    /// <param name="fault">What is wrong with a name that begins as the family's do; else null.</param>
    /// <returns>The metric; null when there is none of that name.</returns>
    public abstract Metric? Parse(string name, out string? fault);
}

/// <summary>A kind of file that holds a metric of the user's own. The metric says how it is read; options are made of it.</summary>
/// <param name="Kind">What such a file is called: the option <c>--head</c> takes a <c>head</c>.</param>
/// <param name="Pattern">How its name is shown, for example <c>FILE.json</c>.</param>
/// <param name="Description">What it is, in one sentence without a full stop.</param>
/// <param name="Read">
/// Reads the metric; throws <see cref="ModelException"/> or <see cref="ArgumentException"/> where there is none in the file.
/// </param>
internal sealed record MetricFile(string Kind, string Pattern, string Description, Func<string, Metric> Read);

/// <summary>Which names a metric may have. Tables, which stand above, refuse those of columns that every row has.</summary>
internal static class MetricNames
{
    /// <summary>Throws <see cref="ArgumentException"/> for a name that is refused; registered when the library is loaded.</summary>
    public static Action<Metric> Check { get; set; } = _ => { };
}

/// <summary>
/// The metrics that a run may use: those of this library, and the user's own. Immutable; options, rules and tables are given one.
/// </summary>
public sealed class MetricSet
{
    private readonly IReadOnlyList<MetricFamily> _families;
    private readonly Dictionary<string, Metric> _byName = new(StringComparer.Ordinal);

    private MetricSet(IReadOnlyList<Metric> metrics, IReadOnlyList<MetricFamily> families)
    {
        (All, _families) = (metrics, families);
        foreach (var metric in metrics)
            foreach (var name in metric.Aliases.Prepend(metric.Name))
                _byName.Add(name, metric);
    }

    /// <summary>Networks that the user has added to the model store.</summary>
    internal static AddedMetrics Added { get; } = new();

    /// <summary>
    /// The metrics of this library; <see cref="Find"/> also finds, by name, those that <c>pristine models add</c> brought into the store.
    /// </summary>
    public static MetricSet BuiltIn { get; } =
        new(MetricCatalog.All,
        [
            new ArniqaFamily(), new HashFamily(), new FeatureFamily(), new RepetitionFamily(), new LanguageFamily(), new TokenCountFamily(),
            new MediaFamily(), Added,
        ]);

    /// <summary>The listed metrics: those of this library, then those that were added.</summary>
    public IReadOnlyList<Metric> All { get; }

    /// <summary>The names and aliases of the listed metrics.</summary>
    public IEnumerable<string> Names => _byName.Keys;

    /// <summary>The set with more metrics, such as heads that <c>pristine fit</c> trained.</summary>
    /// <param name="metrics">The metrics.</param>
    /// <exception cref="ArgumentException">A name is taken already, by a metric or by a column that every row has.</exception>
    public MetricSet With(params ReadOnlySpan<Metric> metrics)
    {
        var all = new List<Metric>(All);
        foreach (var metric in metrics)
        {
            MetricNames.Check(metric);
            foreach (var name in metric.Aliases.Prepend(metric.Name))
                if (all.Exists(other => other.Name == name || other.Aliases.Contains(name)) || Find(name) != null)
                    throw new ArgumentException($"There is a metric '{name}' already; give the new one another name.");
            all.Add(metric);
        }
        return new MetricSet(all, _families);
    }

    /// <summary>Finds a metric by its name, an alias, or the name of an unlisted variant.</summary>
    /// <param name="name">For example <c>brisque</c>, <c>resnet50</c> or <c>arniqa:pyiqa@koniq10k</c>; case matters.</param>
    /// <returns>The metric; null when there is none.</returns>
    public Metric? Find(string name) => TryFind(name, out var metric, out _) ? metric : null;

    /// <summary>Finds a metric, or says in one line why there is none.</summary>
    /// <param name="name">As for <see cref="Find"/>.</param>
    /// <param name="metric">The metric, if there is one.</param>
    /// <param name="reason">Otherwise a sentence with the known variants or the nearest names.</param>
    public bool TryFind(string name, [NotNullWhen(true)] out Metric? metric, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(name);
        reason = null;
        if (_byName.TryGetValue(name, out metric))
            return true;
        metric = OfFamily(name, out reason);
        if (metric != null)
            return true;
        reason ??= $"There is no metric '{name}'. Nearest: {string.Join(", ", NearestNames.Of(name, Names))}.";
        return false;
    }

    /// <summary>
    /// What is wrong with a name that begins as those of a family do, for example of an unknown mode of ARNIQA; null for other names.
    /// </summary>
    /// <param name="name">The name.</param>
    public string? Fault(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        OfFamily(name, out var fault);
        return fault;
    }

    /// <summary>Gets a metric.</summary>
    /// <param name="name">As for <see cref="Find"/>.</param>
    /// <exception cref="ArgumentException">There is none; the message is that of <see cref="TryFind"/>.</exception>
    public Metric Get(string name) => TryFind(name, out var metric, out var reason) ? metric : throw new ArgumentException(reason);

    private Metric? OfFamily(string name, out string? fault)
    {
        fault = null;
        foreach (var family in _families)
            if (family.Parse(name, out fault) is { } metric)
                return metric;
            else if (fault != null)
                return null;
        return FrameMetric.Parse(name, this, out fault);
    }
}
