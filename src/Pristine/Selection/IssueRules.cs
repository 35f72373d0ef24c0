using System.Globalization;
using Pristine.Native;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>An issue with the rule that finds it in a certain table.</summary>
/// <param name="Issue">The issue.</param>
/// <param name="Threshold">The threshold that its rule has; null for an issue without one.</param>
/// <param name="Rule">The rule: it holds for the images that have the issue. Null where <paramref name="Dedup"/> says it.</param>
/// <param name="Dedup">For <c>duplicates</c> and <c>near_duplicates</c> how images are compared; otherwise null.</param>
public sealed record IssueRule(Issue Issue, double? Threshold, string? Rule, DuplicateMethod? Dedup);

/// <summary>Which issues to look for, and with which thresholds.</summary>
public sealed record IssueOptions
{
    /// <summary>The issues; by default those of <see cref="Issue.All"/> that are <see cref="Issue.IsDefault"/>.</summary>
    public IReadOnlyList<Issue> Issues { get; init; } = [.. Issue.All.Where(issue => issue.IsDefault)];

    /// <summary>Thresholds by the names of issues, where they are not the default ones.</summary>
    public IReadOnlyDictionary<string, double> Thresholds { get; init; } = new Dictionary<string, double>();

    /// <summary>The threshold of an issue; null for one that has none.</summary>
    /// <param name="issue">The issue.</param>
    public double? ThresholdOf(Issue issue)
    {
        ArgumentNullException.ThrowIfNull(issue);
        return Thresholds.TryGetValue(issue.Name, out var given) ? given : issue.Threshold;
    }
}

/// <summary>Makes the rules of issues.</summary>
public static class IssueRules
{
    /// <summary>The rules of some issues for a table; that of <c>odd_size</c> depends on the table's sizes.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">Which issues; null for the defaults.</param>
    /// <returns>One per issue, in their order.</returns>
    public static IReadOnlyList<IssueRule> Of(ScoreTable table, IssueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        options ??= new IssueOptions();
        return [.. options.Issues.Select(issue => new IssueRule(issue, options.ThresholdOf(issue), RuleOf(
            table, issue, options.ThresholdOf(issue)), MethodOf(issue, options.ThresholdOf(issue))))];
    }

    /// <summary>What an issue is with some options, whatever the table: equal texts find the same images.</summary>
    internal static string Definition(Issue issue, IssueOptions options)
    {
        var threshold = options.ThresholdOf(issue);
        return MethodOf(issue, threshold) is { } method ? $"--dedup {method}"
            : issue.Kind == IssueKind.Sizes
                ? string.Create(CultureInfo.InvariantCulture, $"{issue.By} beyond {threshold} interquartile ranges")
                : threshold is { } number ? issue.Rule(number) : issue.Rule();
    }

    /// <summary>How an issue compares images; null for one with a rule.</summary>
    /// <exception cref="RuleException">The threshold is no number of bits.</exception>
    internal static DuplicateMethod? MethodOf(Issue issue, double? threshold) => issue.Kind switch
    {
        IssueKind.Copies => DuplicateMethod.Exact,
        IssueKind.NearCopies when threshold is >= 0 and <= DuplicateMethod.MostDistance && threshold == Math.Floor(threshold.Value) =>
            DuplicateMethod.Near with { Distance = (int)threshold },
        IssueKind.NearCopies =>
            throw new RuleException(
                $"Expected 0 to {DuplicateMethod.MostDistance} whole bits for {issue.Name}; found " +
                $"{threshold?.ToString("R", CultureInfo.InvariantCulture)}."),
        _ => null,
    };

    private static string? RuleOf(ScoreTable table, Issue issue, double? threshold) => issue.Kind switch
    {
        IssueKind.Copies or IssueKind.NearCopies => null,
        IssueKind.Sizes => issue.Rule(Fences(table, threshold!.Value)),
        _ => threshold is { } number ? issue.Rule(number) : issue.Rule(),
    };

    /// <summary>
    /// The ends of the usual sizes: the quartiles of the square root of the area, interpolated as in NumPy, and so many times their
    /// distance beyond. Outwards to whole pixels, so that the rule can be read; a size of the quartiles is within.
    /// </summary>
    private static double[] Fences(ScoreTable table, double factor)
    {
        using var database = DuckDbConnection.Open();
        database.Confine([table.Folder], []);
        using var sizes = database.Query(
            $"""
            SELECT quantile_cont(size, 0.25), quantile_cont(size, 0.75) FROM (
              SELECT sqrt(CAST(width AS DOUBLE) * height) AS size FROM {table.Source} WHERE width IS NOT NULL AND height IS NOT NULL)
            """);
        if (!sizes.Read() || sizes.IsNull(0))
            return [0, 1e9];
        var (low, high) = (sizes.Double(0), sizes.Double(1));
        var beyond = factor * (high - low);
        return [Math.Max(0, Math.Floor(low - beyond)), Math.Ceiling(high + beyond)];
    }
}
