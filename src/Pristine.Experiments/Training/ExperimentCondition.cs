using Pristine.Metrics;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Experiments.Training;

/// <summary>What a condition trains on.</summary>
public enum ConditionKind
{
    /// <summary>All training images of the seed.</summary>
    Everything,

    /// <summary>What a selection keeps of them.</summary>
    Selection,

    /// <summary>As many as the selection keeps, drawn at random: tells quality from quantity.</summary>
    Random,

    /// <summary>
    /// All but the images that are known to be degraded: what a metric could reach that found every one of them. Only where the experiment
    /// is told which they are.
    /// </summary>
    Oracle,

    /// <summary>The opposite of the selection: of a share the worst images, as many; of a rule those that fail it.</summary>
    Reverse,
}

/// <summary>
/// What to keep of the training images: either those that fulfil a rule, or the best share or a range of percentiles by a metric, of the
/// training images of each seed. An image without a score is dropped.
/// </summary>
public sealed record TrainingSelection
{
    private TrainingSelection()
    {
    }

    /// <summary>A condition in the language of <c>--keep</c>; null for a share or range.</summary>
    public string? Rule { get; private init; }

    /// <summary>The share to keep, or the number of images; null for a rule or range.</summary>
    public TopShare? Top { get; private init; }

    /// <summary>The range of percentiles to keep; null for a rule or share.</summary>
    public PercentileRange? Between { get; private init; }

    /// <summary>The metrics that <see cref="Rule"/> may name.</summary>
    internal MetricSet Known { get; private init; } = MetricSet.BuiltIn;

    /// <summary>The metric of <see cref="Top"/> and <see cref="Between"/>.</summary>
    public Metric? By { get; private init; }

    /// <summary>In a few words, for example <c>best 80% by brisque</c>.</summary>
    public string Name =>
        Rule ?? (Top != null ? $"best {Top} by {By!.Name}" : $"{Between} of {By!.Name}");

    /// <summary>The metrics whose scores are needed.</summary>
    public IReadOnlyList<Metric> Metrics => By != null ? [By] : new SelectionOptions { Keep = [Rule!], Known = Known }.Parse().Metrics;

    /// <summary>Those that fulfil a rule.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="known">The metrics that it may name; those of this library when null.</param>
    /// <exception cref="RuleException">
    /// The rule cannot be understood, or asks for what is not known of an image: an item's text or fields.
    /// </exception>
    public static TrainingSelection Of(string rule, MetricSet? known = null)
    {
        known ??= MetricSet.BuiltIn;
        var unknown = new SelectionOptions { Keep = [rule], Known = known }.Parse().Columns
            .FirstOrDefault(column => TableSchema.Row.Find(column) is { Source: ColumnSource.ItemText }
            || column.StartsWith("item.", StringComparison.OrdinalIgnoreCase));
        return unknown == null
            ? new() { Rule = rule, Known = known }
            : throw new RuleException(
                $"The rule '{rule}' names {unknown}: expected a rule about images here, whose items are not looked at. Select the items " +
                $"first, with 'pristine select' or 'pristine filter'.");
    }

    /// <summary>The best by a metric.</summary>
    /// <param name="top">How many, or which share; of a share that is no whole number of images, one more is kept.</param>
    /// <param name="by">A metric with a good end.</param>
    /// <exception cref="ArgumentException">The metric has no good end.</exception>
    public static TrainingSelection Of(TopShare top, Metric by)
    {
        ArgumentNullException.ThrowIfNull(top);
        ArgumentNullException.ThrowIfNull(by);
        return by.HasQuality
            ? new() { Top = top, By = by }
            : throw new ArgumentException(
                $"Expected a metric with a good end to keep the best by; {by.Name} has none. A range of its percentiles, or a rule, " +
                $"needs none.", nameof(by));
    }

    /// <summary>A range of percentiles of a metric.</summary>
    /// <param name="between">The percentiles; both ends are kept.</param>
    /// <param name="by">The metric.</param>
    public static TrainingSelection Of(PercentileRange between, Metric by)
    {
        ArgumentNullException.ThrowIfNull(between);
        ArgumentNullException.ThrowIfNull(by);
        return new() { Between = between, By = by };
    }

    /// <summary>What is kept of some images.</summary>
    /// <param name="images">Positions of the images, ascending.</param>
    /// <param name="scores">The score of <see cref="By"/> at each position of the dataset; NaN for none. Not used for a rule.</param>
    /// <param name="passes">Whether the image at a position fulfils <see cref="Rule"/>. Not used otherwise.</param>
    /// <param name="reverse">For the opposite, see <see cref="ConditionKind.Reverse"/>.</param>
    /// <returns>Positions, ascending.</returns>
    internal int[] Select(int[] images, Func<int, double> scores, Func<int, bool> passes, bool reverse)
    {
        if (Rule != null)
            return [.. images.Where(i => passes(i) != reverse)];
        var scored = images.Where(i => !double.IsNaN(scores(i))).ToArray();
        var ascending = By!.Direction == MetricDirection.LowerIsBetter != reverse;
        if (Top != null)
        {
            var count = Math.Min(scored.Length, Top.IsPercent ? (int)Math.Ceiling(scored.Length * Top.Amount / 100) : (int)Math.Min(
                Top.Amount, int.MaxValue));
            var ordered = ascending ? scored.OrderBy(scores) : scored.OrderByDescending(scores);
            // OrderBy is stable: of equals the first in the dataset.
            return [.. ordered.Take(count).Order()];
        }
        var sorted = scored.Select(scores).Order().ToArray();
        var (low, high) =
            (Bootstrap.Percentile(sorted, (double)Between!.Low / 100), Bootstrap.Percentile(sorted, (double)Between.High / 100));
        return [.. scored.Where(i => scores(i) >= low && scores(i) <= high != reverse)];
    }
}
