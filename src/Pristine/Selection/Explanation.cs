using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>What one rule says about one image.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Holds">Whether it holds; null where a missing score leaves it unknown.</param>
/// <param name="Comparison">The comparison within the rule that made it so.</param>
/// <param name="Value">The number that was compared; null where it is missing or none.</param>
/// <param name="Threshold">What it was compared with; null where that is no number.</param>
public sealed record RuleOutcome(string Rule, bool? Holds, string Comparison, double? Value, double? Threshold)
{
    /// <summary>Why a score that the comparison reads was not computed, for example <c>brisque 71.2 fails brisque &lt;= 60</c>; null where none was skipped.</summary>
    public string? Skipped { get; init; }

    /// <summary>Value minus threshold.</summary>
    public double? Margin => Value - Threshold;
}

/// <summary>One image of an item, with everything the table has about it.</summary>
/// <param name="Columns">Name and text of each column; null where it is missing.</param>
/// <param name="Rules">The outcome of every rule, in their order.</param>
public sealed record ImageExplanation(IReadOnlyList<KeyValuePair<string, string?>> Columns, IReadOnlyList<RuleOutcome> Rules)
{
    /// <summary>The metrics whose scores were not computed because a gate had failed; <c>skipped</c> among the columns tells why.</summary>
    public IReadOnlyList<string> SkippedMetrics =>
        [.. Columns.Where(column => column.Key == SkippedScores.Column).SelectMany(column => SkippedScores.Metrics(column.Value))];
}

/// <summary>Why an item was kept or dropped.</summary>
/// <param name="Decision">What the ledger says of it.</param>
/// <param name="Images">Its images; for an item without one, its only row.</param>
public sealed record ItemExplanation(LedgerEntry Decision, IReadOnlyList<ImageExplanation> Images);

/// <summary>Explains single decisions of a selection.</summary>
public static class Explanation
{
    /// <summary>Explains what became of the items with an id.</summary>
    /// <param name="run">The selection.</param>
    /// <param name="id">The id of an item, or the name of an image as the dataset has it.</param>
    /// <returns>One explanation per item; none where the table has no such item.</returns>
    public static IReadOnlyList<ItemExplanation> Of(SelectionRun run, string id)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(id);
        var decisions = new List<LedgerEntry>();
        using (var ledger = run.Database.Query($"SELECT \"index\", id, kept, rule, reason FROM ({run.LedgerQuery(droppedOnly: false, "r.id = $1 OR r.image = $1")})", id))
        {
            while (ledger.Read())
                decisions.Add(new LedgerEntry(ledger.Int64(0), ledger.Text(1)!, ledger.Boolean(2), ledger.Text(3), ledger.Text(4)!));
        }
        return [.. decisions.Select(decision => new ItemExplanation(decision, Images(run, decision.Index)))];
    }

    private static List<ImageExplanation> Images(SelectionRun run, long itemIndex)
    {
        var columns = new List<List<KeyValuePair<string, string?>>>();
        using (var rows = run.Database.Query($"SELECT COLUMNS(*)::VARCHAR FROM {run.TableSource} WHERE item_index = $1 ORDER BY key", itemIndex))
        {
            while (rows.Read())
                columns.Add([.. Enumerable.Range(0, rows.ColumnCount).Select(i => KeyValuePair.Create(rows.Name(i), rows.Text(i)))]);
        }
        var outcomes = columns.Select(_ => new List<RuleOutcome>()).ToArray();
        foreach (var rule in run.Parsed.Rules)
        {
            var reasons = new ReasonList(run.Parsed.ScoreExpression) { Rule = rule.Text };
            var condition = rule.Condition;
            var why = $"CASE WHEN {condition.Condition} IS TRUE THEN {condition.Explain(reasons, wanted: false)} ELSE {condition.Explain(reasons, wanted: true)} END";
            using var rows = run.Database.Query(
                $"""
                SELECT holds, why, {reasons.CaseOfCode("why", reason => reason.Value)} AS value, {reasons.CaseOfCode("why", reason => reason.Threshold)} AS threshold,
                  {reasons.SkippedOfCode("why", SkippedScores.Column)} AS because
                FROM (SELECT *, {condition.Condition} AS holds, {why} AS why FROM rows WHERE item_index = $1) ORDER BY key
                """,
                itemIndex);
            for (var i = 0; rows.Read(); i++)
            {
                var reason = reasons.All[(int)rows.Int64(1) - ReasonList.FirstCode];
                outcomes[i].Add(new RuleOutcome(
                    rule.Text,
                    rows.IsNull(0) ? null : rows.Boolean(0),
                    reason.Comparison,
                    rows.IsNull(2) ? null : rows.Double(2),
                    rows.IsNull(3) ? null : rows.Double(3))
                { Skipped = rows.Text(4) });
            }
        }
        return [.. columns.Zip(outcomes, (image, rules) => new ImageExplanation(image, rules))];
    }
}
