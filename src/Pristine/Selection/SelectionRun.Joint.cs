using Pristine.Media;

namespace Pristine.Selection;

/// <content>Counts of several rules together.</content>
public sealed partial class SelectionRun
{
    /// <summary>
    /// Counts what each of the rules keeps, and every subset of them, in one pass over the table. The other steps of the selection, such as
    /// <see cref="SelectionOptions.Top"/> and <see cref="SelectionOptions.Overrides"/>, do not take part.
    /// </summary>
    /// <exception cref="RuleException">There are more rules than <see cref="JointCounts.MostRules"/>.</exception>
    public JointCounts CountJointly()
    {
        var rules = _parsed.Rules;
        if (rules.Count > JointCounts.MostRules)
            throw new RuleException($"Expected at most {JointCounts.MostRules} rules to count together; found {rules.Count}.");
        // As Judge decides: the record's part of a rule judges every item, the rest only images.
        var failures = rules.Select((rule, bit) =>
            $"CASE WHEN {(_record.Of(rule.Condition) is { } part ? $"({part.ConditionSql()} IS NOT TRUE) OR " : "")}" +
            $"(status <> 'no_image' AND {rule.Condition.ConditionSql()} IS NOT TRUE) THEN {1u << bit} ELSE 0 END").ToList();
        var broken = rules.Any(rule => JudgesBroken(rule.Condition))
            ? "false"
            : $"status IN ('{ImageStatus.Unreadable.Name()}', '{ImageStatus.Truncated.Name()}')";
        failures.Add(
            $"CASE WHEN (folder IS NULL AND status <> 'no_image') OR {broken}" +
            $"{(Options.KeepItemsWithoutImage ? "" : " OR status = 'no_image'")} THEN {JointCounts.Always} ELSE 0 END");
        var masks = $"SELECT item_index, ({string.Join(" + ", failures)})::UINTEGER AS mask FROM rows";
        var items = !HasSeveralImages ? $"SELECT mask::VARCHAR AS masks FROM ({masks})" : Options.Images switch
        {
            ImagePolicy.Worst => $"SELECT bit_or(mask)::VARCHAR AS masks FROM ({masks}) GROUP BY item_index",
            ImagePolicy.Any => $"SELECT bit_and(mask)::VARCHAR AS masks FROM ({masks}) GROUP BY item_index",
            _ => $"SELECT string_agg(DISTINCT mask::VARCHAR, ' ' ORDER BY mask::VARCHAR) AS masks FROM ({masks}) GROUP BY item_index",
        };
        using var connection = _database.Another();
        using var groups = connection.Query($"SELECT masks, count(*) FROM ({items}) GROUP BY masks");
        return JointCounts.Of([.. rules.Select(rule => rule.Text)], Read());

        IEnumerable<(string, long)> Read()
        {
            while (groups.Read())
                yield return (groups.Text(0)!, groups.Int64(1));
        }
    }
}
