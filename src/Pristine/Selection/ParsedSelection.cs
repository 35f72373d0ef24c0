using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>A selection whose rules have been read; see <see cref="SelectionOptions.Parse"/>.</summary>
public sealed class ParsedSelection
{
    /// <summary>The name of the ensemble as a column.</summary>
    internal const string Score = "score";

    /// <summary>The columns and constants of all rules; see <see cref="RuleParser.MaxTerms"/>.</summary>
    private const int MaxTerms = 2 * RuleParser.MaxTerms;

    private readonly ColumnReference[] _columns;

    private ParsedSelection(
        SelectionOptions options, IReadOnlyList<Rule> rules, RuleExpression? score, ColumnReference? by, ColumnReference? per,
        ColumnReference? hash, ColumnReference? best,
        ParsedSelection? needed)
    {
        (Options, Rules, ScoreExpression, By, Per, Hash, KeepBest) = (options, rules, score, by, per, hash, best);
        _columns = needed?._columns ?? [.. rules.Select(rule => rule.Condition)
            .Concat(new[] { score, by, per, hash, best }.OfType<RuleExpression>()).SelectMany(part => part.Columns)];
        Columns = [.. _columns.Select(column => column.Name).Where(name => name != Score).Distinct()];
        Metrics = Rule.MetricsOf(Columns, options.Known);
    }

    /// <summary>What was read.</summary>
    public SelectionOptions Options { get; }

    /// <summary>
    /// What a kept image fulfils: <see cref="SelectionOptions.Keep"/>, then the opposite of each of <see cref="SelectionOptions.Drop"/>.
    /// </summary>
    public IReadOnlyList<Rule> Rules { get; }

    /// <summary>The columns that rules, score and the other steps name, without repeats, in the order of their first use.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The metrics of <see cref="Columns"/>: a table needs them for this selection.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>
    /// True when a rule, or a column to select by, is about images and not about the record alone (its id, text and fields).
    /// </summary>
    public bool NeedsImages => _columns.Any(column => column.Name != Score && !column.IsOfRecord);

    /// <summary>The expression of the column <c>score</c>; null where there is none.</summary>
    internal RuleExpression? ScoreExpression { get; }

    /// <summary>The column of shares and percentiles; null where there are none.</summary>
    internal ColumnReference? By { get; }

    /// <summary>Whether the smallest value of <see cref="By"/> is the best.</summary>
    internal bool SmallestIsBest { get; private init; }

    /// <summary>The column within whose values steps hold; null where they hold for the whole.</summary>
    internal ColumnReference? Per { get; }

    /// <summary>The column by which duplicates are found; null where nobody looks for them.</summary>
    internal ColumnReference? Hash { get; }

    /// <summary>The column that says which duplicate is kept; null for the first.</summary>
    internal ColumnReference? KeepBest { get; }

    /// <summary>Whether the smallest value of <see cref="KeepBest"/> is kept.</summary>
    internal bool SmallestIsKept { get; private init; }

    /// <summary>Whether a rule, or a column to select by, says how many copies an image has, or which.</summary>
    internal bool NamesCopies => _columns.Any(column => column.Column is { ComparesImages: true });

    /// <summary>The fields of items that rules, score and the other steps name.</summary>
    internal IReadOnlyList<string> ItemFields => [.. _columns.Select(column => column.ItemField).OfType<string>().Distinct()];

    /// <summary>
    /// Checks that the fields of items that rules name are there, by reading the dataset's records until each field has been met.
    /// </summary>
    /// <param name="dataset">The dataset; one that can be read again.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="RuleException">A rule names a field that no item has.</exception>
    public void CheckFields(Dataset dataset, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var fields = ItemFields;
        if (fields.Count == 0)
            return;
        var known = new KnownFields(fields, dataset);
        foreach (var item in dataset.Read(cancellation))
        {
            known.Add(item);
            if (known.AreAll)
                return;
        }
        known.Check();
    }

    /// <summary>Reads a selection.</summary>
    /// <param name="options">What to keep.</param>
    /// <param name="columns">What it may name: the columns of a table, or those that some table could have.</param>
    /// <param name="needed">The same with the rules of its issues, for the columns that it needs; null where it has none.</param>
    /// <exception cref="RuleException">A rule cannot be understood, or the steps do not go together.</exception>
    internal static ParsedSelection Of(SelectionOptions options, RuleColumns columns, ParsedSelection? needed = null)
    {
        var score = options.Score == null ? null : RuleParser.ReadNumber(options.Score, columns);
        if (score != null)
            columns = columns.With(new Column(Score, ColumnType.Double) { Direction = MetricDirection.HigherIsBetter });
        if ((options.Top != null || options.Between != null) != (options.By != null))
        {
            throw new RuleException(options.By == null
                ? "Expected a column to keep the best or a range of percentiles by; found none."
                : $"Expected a share or a range of percentiles to keep by {options.By}; found none.");
        }
        if (options.Per != null && options.By == null && options.Dedup == null)
            throw new RuleException(
                $"Expected duplicates, a share or a range of percentiles to look at within each {options.Per}; found none.");
        if (options.KeepBest != null && options.Dedup == null)
            throw new RuleException($"Expected a way to find duplicates, of which the best by {options.KeepBest} is kept; found none.");
        options.Dedup?.Check();
        if (options.Limit < 0)
            throw new RuleException($"Expected a limit of at least 0; found {options.Limit}.");
        if (options.Order != null && options.By != null && options.Order != options.By)
            throw new RuleException($"Expected {options.By}, which is selected by, as the order; found {options.Order}.");
        var by = (options.By ?? options.Order) is { } name ? Column(name, columns) : null;
        if (by is { Kind: ValueKind.Text or ValueKind.Boolean })
            throw new RuleException($"Expected a column of numbers to select by; '{by.Name}' holds text.");
        var best = options.KeepBest == null ? null : Column(options.KeepBest, columns);
        if (best is { Kind: ValueKind.Text or ValueKind.Boolean })
            throw new RuleException($"Expected a column of numbers that says which duplicate is best; '{options.KeepBest}' holds text.");
        var rules = new List<Rule>();
        var terms = 0;
        foreach (var (text, isDrop) in options.Keep.Select(rule => (rule, false)).Concat(options.Drop.Select(rule => (rule, true))))
        {
            var rule = Rule.Parse(text, columns);
            if ((terms += rule.Condition.Terms) > MaxTerms)
                throw new RuleException($"Expected at most {MaxTerms:N0} columns and constants in all rules together; found more.");
            rules.Add(isDrop ? Rule.Against(rule) : rule);
        }
        var per = options.Per == null ? null : Column(options.Per, columns);
        var hash = options.Dedup == null ? null : ImageGroups.Require(options.Dedup, columns);
        return new ParsedSelection(options, rules, score, by, per, hash, best, needed)
        {
            SmallestIsBest = by != null && columns.Find(by.Name)?.Direction == MetricDirection.LowerIsBetter,
            SmallestIsKept = best != null && columns.Find(best.Name)?.Direction == MetricDirection.LowerIsBetter,
        };
    }

    private static ColumnReference Column(string name, RuleColumns columns) => RuleParser.ReadColumn(name, columns);
}
