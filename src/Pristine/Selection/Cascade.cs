using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>
/// Two-stage scoring: rules on cheap metrics as gates before the costly ones. An image that does not fulfil a rule is not scored by the
/// metrics that only later rules, or none, name; where a rule is unknown because a score is missing, it is not fulfilled.
/// </summary>
public static class Cascade
{
    /// <summary>The gates of some rules on images, for <see cref="ScoringOptions.Gates"/>.</summary>
    /// <param name="rules">Rules, all of which an image must fulfil; they are asked in this order.</param>
    /// <param name="known">The metrics that rules may name; those of this library when null.</param>
    /// <returns>A gate for each rule that needs an image. The metrics that a rule names become metrics of the run.</returns>
    /// <exception cref="RuleException">
    /// A rule cannot be understood, or cannot be judged while an image is scored: it names <c>status</c>, <c>error</c>, <c>skipped</c> or
    /// <c>modified</c>, or joins a field of items and a score with <c>or</c>.
    /// </exception>
    public static IReadOnlyList<ScoringGate> Of(IEnumerable<string> rules, MetricSet? known = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var record = new RecordPart(null);
        var gates = new List<ScoringGate>();
        foreach (var rule in rules.Select(text => Rule.Parse(text, known)))
        {
            if (record.NamesMedia(rule.Condition))
                throw new RuleException(
                    $"In the rule '{rule.Text}': expected what can be judged while an image is scored; found a number of sounds or films. " +
                    "'pristine select' can use it.");
            if (record.Rest(rule.Condition) is not { } condition)
                continue;
            gates.Add(RuleEvaluation.Obstacle(condition) is { } obstacle
                ? throw new RuleException(
                    $"In the rule '{rule.Text}': expected what can be judged while an image is scored (metrics, sizes, format, names); " +
                    $"found {obstacle}. " +
                    "'pristine select' can use it.")
                : new RuleGate(condition, null, isAsked: true, known ?? MetricSet.BuiltIn));
        }
        return gates;
    }

    /// <summary>The gates of some rules on records, for <see cref="ScoringOptions.ItemGates"/>.</summary>
    /// <param name="rules">Rules, all of which an item must fulfil; of each the part counts that reads nothing but the record.</param>
    /// <param name="known">The metrics that rules may name; those of this library when null.</param>
    /// <exception cref="RuleException">A rule cannot be understood.</exception>
    public static IReadOnlyList<ItemGate> OfItems(IEnumerable<string> rules, MetricSet? known = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        return OfItems(rules.Select(rule => Rule.Parse(rule, known)), null, known ?? MetricSet.BuiltIn);
    }

    /// <summary>
    /// The gates of a selection on records, for <see cref="ScoringOptions.ItemGates"/>. An item that fails one of them is dropped whatever
    /// its images are, so nobody needs to open them.
    /// </summary>
    /// <param name="selection">What will be kept.</param>
    public static IReadOnlyList<ItemGate> OfItems(ParsedSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        return OfItems(selection.Rules, selection.ScoreExpression, selection.Options.Known);
    }

    private static IReadOnlyList<ItemGate> OfItems(IEnumerable<Rule> rules, RuleExpression? score, MetricSet known)
    {
        var record = new RecordPart(score);
        return [.. rules.Select(rule => record.OfText(rule.Condition)).OfType<RuleExpression>()
            .Select(part => new RecordGate(part, score, known))];
    }

    /// <summary>
    /// The gates of a selection, for <see cref="ScoringOptions.Gates"/>: <see cref="SelectionOptions.Keep"/>, then
    /// <see cref="SelectionOptions.Drop"/>. A table that was scored with them gives the same selection as one with all scores, also the
    /// same ledger: an image that fails a rule fails it in both, and nobody asks for its later scores.
    /// </summary>
    /// <param name="selection">What will be kept.</param>
    /// <returns>
    /// A gate for each rule that needs an image. A rule that cannot be judged while an image is scored is there too, but stops nothing.
    /// </returns>
    /// <exception cref="RuleException">
    /// A rule cannot be understood; or skipping could change what is kept: with <see cref="ImagePolicy.Mean"/>, because a mean needs every
    /// image's score, and with <see cref="ImagePolicy.Best"/> and a share by a score that may be skipped, because an item's best value may
    /// be that of an image that fails a rule.
    /// </exception>
    public static IReadOnlyList<ScoringGate> Of(ParsedSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Options.Images == ImagePolicy.Any)
            throw new RuleException(
                "Expected items that are judged by one image, to skip scores; for each rule another image may be enough (any), so all " +
                "scores are needed. Score without a cascade.");
        if (selection.Options.Images == ImagePolicy.Mean)
            throw new RuleException(
                "Expected items that are judged by their images one by one, to skip scores; the mean of several images needs all of " +
                "their scores. Score without a cascade.");
        var gates = new List<RuleGate>();
        // The status of an image is final only when all metrics have been computed; a rule that names it makes later skips visible.
        var isAsked = true;
        var record = new RecordPart(selection.ScoreExpression);
        foreach (var rule in selection.Rules)
        {
            if (record.Rest(rule.Condition) is not { } condition)
                continue;
            isAsked &= !rule.Condition.Columns.Any(column => column.Column is { Source: ColumnSource.Outcome });
            gates.Add(new RuleGate(
                condition, selection.ScoreExpression, isAsked && RuleEvaluation.Obstacle(condition) == null, selection.Options.Known));
        }
        foreach (var (by, option) in selection.Options.Images != ImagePolicy.Best
            ? []
            : new[] { (selection.By, "--by"), (selection.KeepBest, "--keep-best"), (selection.Hash, "--dedup") })
        {
            if (by == null)
                continue;
            var first = gates.FindIndex(gate => gate.IsAsked);
            var always = gates.Take(first + 1).SelectMany(gate => gate.Metrics).Select(metric => metric.Name).ToHashSet();
            if (first >= 0 && RuleGate.MetricsOf([by], selection.ScoreExpression, selection.Options.Known)
                .FirstOrDefault(metric => !always.Contains(metric.Name)) is { } skipped)
            {
                throw new RuleException(
                    $"Expected every image to have {skipped.Name}, by which the best image of an item is found ({option} {by.Name}); a " +
                    $"cascade skips it. Score without a cascade, or judge items by their worst image.");
            }
        }
        return gates;
    }
}

/// <summary>The part of a rule that needs an image, as a gate.</summary>
/// <param name="condition">The part.</param>
/// <param name="score">The expression of the column <c>score</c>; null where there is none.</param>
/// <param name="isAsked">False for a rule that stops no image, because it cannot be judged yet.</param>
/// <param name="known">The metrics there are.</param>
internal sealed class RuleGate(RuleExpression condition, RuleExpression? score, bool isAsked, MetricSet known) : ScoringGate
{
    public bool IsAsked => isAsked;

    internal override bool JudgesPosition => RecordPart.NamesPosition(condition, score);

    /// <summary>The condition.</summary>
    public override string ToString() => condition.Source;

    public override IReadOnlyList<Metric> Metrics { get; } = MetricsOf(condition.Columns, score, known);

    public override bool JudgesFileAlone { get; } = !isAsked || new RecordPart(score).IsOfFile(condition);

    public override string? Failure(ScoreRow row, TableSchema columns)
    {
        if (!isAsked)
            return null;
        var evaluation = new RuleEvaluation(row, columns, score);
        return evaluation.Condition(condition) == true ? null : evaluation.Failure(condition);
    }

    /// <summary>The metrics of columns; of the column <c>score</c> those of its expression.</summary>
    public static IReadOnlyList<Metric> MetricsOf(IEnumerable<ColumnReference> columns, RuleExpression? score, MetricSet known) =>
        Rule.MetricsOf(columns.SelectMany(column => score != null && column.Name == ParsedSelection.Score ? score.Columns : [column])
        .Select(column => column.Name), known);
}
