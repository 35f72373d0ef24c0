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
    /// <summary>
    /// Why a score that the comparison reads was not computed, for example <c>brisque 71.2 fails brisque &lt;= 60</c>; null where none was
    /// skipped.
    /// </summary>
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
        [.. Columns.Where(column => column.Key == SkippedScores.Column)
        .SelectMany(column => SkippedScores.Parse(column.Value)?.Metrics ?? [])];
}

/// <summary>Why an item was kept or dropped.</summary>
/// <param name="Decision">What the ledger says of it.</param>
/// <param name="Images">Its images; for an item without one, its only row.</param>
public sealed record ItemExplanation(LedgerEntry Decision, IReadOnlyList<ImageExplanation> Images)
{
    /// <summary>
    /// The outcome of every rule for the mean of several images (<see cref="ImagePolicy.Mean"/>), which are then not judged one by one;
    /// otherwise empty.
    /// </summary>
    public IReadOnlyList<RuleOutcome> OfMean { get; init; } = [];
}

/// <summary>Explains single decisions of a selection.</summary>
public static class Explanation
{
    private const string HasName = "id = $1 OR image = $1";

    private const string FileName = "regexp_extract(coalesce(image, id), '[^/]*$')";

    /// <summary>Explains what became of the items with a name.</summary>
    /// <param name="run">The selection.</param>
    /// <param name="name">
    /// The id of an item; the name of an image as the dataset, a list of kept images or the file system has it; or a file name that only
    /// one item has.
    /// </param>
    /// <returns>One explanation per item; none where the table has no such item.</returns>
    public static IReadOnlyList<ItemExplanation> Of(SelectionRun run, string name)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(name);
        foreach (var known in Names(run.ScoreTable.Provenance.Dataset, name))
        {
            if (Decisions(run, HasName, known) is { Count: > 0 } found)
                return Explained(run, found);
        }
        return Decisions(run, $"{FileName} = $1", name) is [var only] ? Explained(run, [only]) : [];
    }

    /// <summary>Explains what became of the item at a position; null where the table has none.</summary>
    internal static ItemExplanation? Of(SelectionRun run, long index) =>
        run.Entries([index]) is [var decision] ? Explained(run, decision) : null;

    /// <summary>
    /// The ids that a name that was not found may stand for: those of images with this file name, then those spelled most alike.
    /// </summary>
    /// <param name="run">The selection.</param>
    /// <param name="name">The name.</param>
    /// <param name="count">How many at most.</param>
    public static IReadOnlyList<string> Nearest(SelectionRun run, string name, int count = 3)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(name);
        var nearest = new List<string>();
        using var rows = run.Database.Query(
            $"""
            SELECT id FROM {run.TableSource}
            GROUP BY id
            ORDER BY max({FileName} = regexp_extract($1, '[^/]*$')) DESC, least(levenshtein(lower(id), lower($1)), min(levenshtein(lower({FileName}), lower($1)))), min(key)
            LIMIT $2
            """,
            name,
            count);
        while (rows.Read())
            nearest.Add(rows.Text(0)!);
        return nearest;
    }

    /// <summary>What a user may call an image, in the words of the table.</summary>
    private static IEnumerable<string> Names(TableSource dataset, string name)
    {
        yield return name;
        // A list of kept images names a folder's images below the folder as it was named.
        var folder = Path.TrimEndingDirectorySeparator(dataset.Input) + "/";
        if (name.StartsWith(folder, StringComparison.Ordinal))
            yield return name[folder.Length..];
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
            yield break;
        var path = Path.GetFullPath(name);
        yield return path;
        foreach (var root in (string[])[dataset.Path, dataset.ImageRoot])
        {
            if (path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                yield return Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
        }
    }

    /// <summary>The decisions about the items with a row that fulfils a condition, whichever of their images decided.</summary>
    private static List<LedgerEntry> Decisions(SelectionRun run, string condition, string name)
    {
        var decisions = new List<LedgerEntry>();
        var items = $"d.item_index IN (SELECT item_index FROM {run.TableSource} WHERE {condition})";
        using var ledger = run.Database.Query(
            $"SELECT \"index\", id, kept, rule, reason FROM ({run.LedgerQuery(droppedOnly: false, items)})", name);
        while (ledger.Read())
            decisions.Add(new LedgerEntry(ledger.Int64(0), ledger.Text(1)!, ledger.Boolean(2), ledger.Text(3), ledger.Text(4)!));
        return decisions;
    }

    private static ItemExplanation[] Explained(SelectionRun run, List<LedgerEntry> decisions) =>
        [.. decisions.Select(decision => Explained(run, decision))];

    private static ItemExplanation Explained(SelectionRun run, LedgerEntry decision)
    {
        var images = Images(run, decision.Index);
        return run.Options.Images == ImagePolicy.Mean && images.Count > 1
            ? new ItemExplanation(decision, [.. images.Select(image => image with { Rules = [] })]) { OfMean = images[0].Rules }
            : new ItemExplanation(decision, images);
    }

    private static List<ImageExplanation> Images(SelectionRun run, long itemIndex)
    {
        var columns = new List<List<KeyValuePair<string, string?>>>();
        // Not by "key" alone: that is the text of the result, in which 10 comes before 9.
        var shown = string.Join(", ", run.Columns.Where(column => column.Type is ColumnType.Map or ColumnType.Floats)
            .Select(column => column.Type == ColumnType.Map
            ? $"{column.RuleSql} AS {column.Identifier}"
            : $"len({column.Identifier}) || ' numbers' AS {column.Identifier}"));
        using (var rows = run.Database.Query(
            $"SELECT COLUMNS(r.*)::VARCHAR FROM (SELECT * REPLACE ({shown}) FROM {run.TableSource}) r WHERE r.item_index = $1 ORDER BY " +
            $"r.key", itemIndex))
        {
            while (rows.Read())
                columns.Add([.. Enumerable.Range(0, rows.ColumnCount).Select(i => KeyValuePair.Create(rows.Name(i), rows.Text(i)))]);
        }
        var outcomes = columns.Select(_ => new List<RuleOutcome>()).ToArray();
        foreach (var rule in run.Parsed.Rules)
        {
            var reasons = new ReasonList(run.Parsed.ScoreExpression) { Rule = rule.Text };
            var condition = rule.Condition;
            var why = $"CASE WHEN {condition.ConditionSql()} IS TRUE THEN {condition.Explain(reasons, wanted: false)} ELSE " +
                $"{condition.Explain(reasons, wanted: true)} END";
            using var rows = run.Database.Query(
                $"""
                SELECT holds, why, {reasons.CaseOfCode("why", reason => reason.Value)} AS value, {reasons.CaseOfCode("why", reason => reason.Threshold)} AS threshold,
                  {reasons.SkippedOfCode("why", SkippedScores.Column)} AS because
                FROM (SELECT *, {condition.ConditionSql()} AS holds, {why} AS why FROM rows WHERE item_index = $1) ORDER BY key
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
