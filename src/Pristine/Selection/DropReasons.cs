using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>Why an item may be dropped.</summary>
/// <param name="Code">The number that stands for it in the decisions.</param>
/// <param name="Rule">The rule as the user wrote it.</param>
/// <param name="Comparison">The comparison that decided.</param>
/// <param name="Column">What was compared; null where that is no column.</param>
/// <param name="Value">SQL of its number; null where it is none.</param>
/// <param name="Threshold">SQL of the number it was compared with; null where there is none.</param>
/// <param name="Metrics">The metrics that the comparison reads.</param>
/// <param name="IsOfRecord">True when the comparison reads nothing but the item's record.</param>
internal sealed record DropReason(
    int Code, string Rule, string Comparison, string? Column, string? Value, string? Threshold, IReadOnlyList<string> Metrics,
    bool IsOfRecord);

/// <summary>Numbers the comparisons of all rules.</summary>
/// <param name="score">The expression of the column <c>score</c>; null where there is none.</param>
internal sealed class ReasonList(RuleExpression? score)
{
    /// <summary>Codes below are those of <see cref="SelectionCode"/>.</summary>
    public const int FirstCode = 10;

    private readonly List<DropReason> _all = [];
    private bool _isNegated;

    /// <summary>The rule whose comparisons are being entered.</summary>
    public string Rule { get; set; } = "";

    public IReadOnlyList<DropReason> All => _all;

    /// <summary>SQL that has for each code what a reason says; NULL for the others.</summary>
    public string CaseOfCode(string code, Func<DropReason, string?> value, string type = "DOUBLE")
    {
        var cases = _all.Select(reason => (reason.Code, Value: value(reason))).Where(pair => pair.Value != null).ToArray();
        return cases.Length == 0
            ? $"CAST(NULL AS {type})"
            : $"CASE {code} {string.Join(' ', cases.Select(pair => $"WHEN {pair.Code} THEN {pair.Value}"))} END";
    }

    /// <summary>SQL that has for each code why a score that the comparison reads was skipped; NULL where none was.</summary>
    /// <param name="code">SQL of the code.</param>
    /// <param name="skipped">SQL of the column <c>skipped</c>.</param>
    public string SkippedOfCode(string code, string skipped) => CaseOfCode(
        code,
        reason => reason.Metrics.Count == 0
            ? null
            : $"coalesce({string.Join(", ", reason.Metrics.Select(metric => SkippedScores.ReasonSql(skipped, metric)))})",
        "VARCHAR");

    /// <summary>Enters a reason that is no comparison of a rule.</summary>
    /// <param name="rule">What it says of itself.</param>
    /// <param name="column">The column whose value may be missing; null where none may.</param>
    public int Add(string rule, ColumnReference? column) =>
        Add(rule, rule, column?.Name, null, null, column == null ? [] : [column], column != null && new RecordPart(score).IsWhole(column));

    /// <summary>Enters a comparison of the current rule.</summary>
    /// <param name="condition">The comparison.</param>
    /// <param name="threshold">What its subject is compared with, as a number; null where that is none.</param>
    public int Add(RuleExpression condition, RuleExpression? threshold) => Add(
        Rule,
        _isNegated ? $"not {condition.Source}" : condition.Source,
        condition.Subject.Columns.Any() ? condition.Subject.Source : null,
        condition.ComparesNumbers ? condition.Subject.NumberSql(Width.Double) : null,
        threshold?.NumberSql(Width.Double),
        condition.Columns,
        new RecordPart(score).IsWhole(condition));

    private int Add(
        string rule, string comparison, string? column, string? value, string? threshold, IEnumerable<ColumnReference> columns,
        bool isOfRecord)
    {
        var metrics = columns.SelectMany(used => score != null && used.Name == ParsedSelection.Score ? score.Columns : [used])
            .Select(used => used.Column?.Metric).OfType<string>().Distinct();
        _all.Add(new DropReason(FirstCode + _all.Count, rule, comparison, column, value, threshold, [.. metrics], isOfRecord));
        return _all[^1].Code;
    }

    /// <summary>Comparisons that are entered until the result is disposed stand below one more "not".</summary>
    public IDisposable Negate()
    {
        _isNegated = !_isNegated;
        return new Restoration(this);
    }

    private sealed class Restoration(ReasonList list) : IDisposable
    {
        public void Dispose() => list._isNegated = !list._isNegated;
    }
}
