using System.Globalization;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>
/// A condition on the columns of a score table, written as an SQL boolean expression: <c>brisque &lt;= 40 and min_side between 256 and
/// 4096</c>. A missing value follows SQL's NULL: a comparison with it is unknown, and a rule that is not true drops the image.
/// </summary>
/// <remarks>
/// Rules compare columns, <c>item.FIELD</c> (a top-level field of the dataset's records), numbers and texts; they know <c>+ - * / %</c>,
/// <c>and or not</c>, <c>between</c>, <c>in</c>, <c>like</c>, <c>ilike</c>, <c>is null</c>, and the functions <c>abs ceil floor round sqrt
/// ln log10 least greatest coalesce length lower upper</c>. A score compared with a constant is compared in 32 bits, as tables hold it;
/// arithmetic is done in 64 bits. A division by zero, and a function outside its domain, give a missing value.
/// </remarks>
public sealed class Rule
{
    private Rule(string text, RuleExpression condition) => (Text, Condition) = (text, condition);

    /// <summary>The rule as the user wrote it.</summary>
    public string Text { get; }

    /// <summary>
    /// The columns the rule reads, without repeats, in the order of their first use; fields of items as <c>item.FIELD</c>.
    /// </summary>
    public IReadOnlyList<string> Columns => [.. Condition.Columns.Select(column => column.Name).Distinct()];

    internal RuleExpression Condition { get; }

    /// <summary>Reads a rule. Any column that a table with this program's metrics could have may be named.</summary>
    /// <param name="text">The SQL expression.</param>
    /// <param name="known">The metrics that it may name; those of this library when null.</param>
    /// <returns>The rule.</returns>
    /// <exception cref="RuleException">The text is not a rule; the message shows the place and what was expected.</exception>
    public static Rule Parse(string text, MetricSet? known = null) => Parse(text, RuleColumns.Any(known ?? MetricSet.BuiltIn));

    /// <summary>The rule that a metric's quality lies in a range; both ends are inclusive.</summary>
    /// <param name="metric">A metric with a quality.</param>
    /// <param name="low">Smallest quality that is kept, in [0,1].</param>
    /// <param name="high">Largest quality that is kept, in [0,1].</param>
    /// <returns>The text of the rule <c>NAME_quality between low and high</c>.</returns>
    /// <exception cref="RuleException">An end is outside [0,1], or low is above high.</exception>
    public static string QualityBetween(string metric, double low, double high)
    {
        if (!(low is >= 0 and <= 1 && high is >= 0 and <= 1))
            throw new RuleException($"Expected quality limits between 0 and 1; found {Invariant(low)} and {Invariant(high)}.");
        if (low > high)
            throw new RuleException(
                $"Expected the smallest quality to be at most the largest; found {Invariant(low)} and {Invariant(high)}.");
        return $"\"{metric}{Column.QualitySuffix}\" between {Invariant(low)} and {Invariant(high)}";
    }

    /// <summary>The metrics that some rules and expressions need.</summary>
    /// <param name="columns">Names of columns.</param>
    /// <param name="known">The metrics there are; those of this library when null.</param>
    /// <returns>Each metric once, in the order of the first use.</returns>
    public static IReadOnlyList<Metric> MetricsOf(IEnumerable<string> columns, MetricSet? known = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return [.. columns.Select(column => MetricOf(column, known ?? MetricSet.BuiltIn)).OfType<Metric>()
            .DistinctBy(metric => metric.Name)];
    }

    internal static Rule Parse(string text, RuleColumns columns)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new Rule(text.Trim(), RuleParser.ReadRule(text, columns));
    }

    /// <summary>The rule that is true where another is false: where that is unknown, it is unknown too.</summary>
    internal static Rule Against(Rule rule) => new($"not ({rule.Text})", new Not(rule.Condition));

    private static Metric? MetricOf(string column, MetricSet known) =>
        TableSchema.Row.Find(column) != null ? null
        : column.EndsWith(Column.QualitySuffix, StringComparison.Ordinal) && known.Find(column[..^Column.QualitySuffix.Length]) is { } rated
        ? rated
        : known.Find(column);

    private static string Invariant(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>A rule that cannot be understood. The message shows the rule, the place, and what was expected.</summary>
/// <param name="message">Expected, found, and the place.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class RuleException(string message, Exception? innerException = null) : PristineException(message, innerException);
