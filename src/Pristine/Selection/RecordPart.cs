using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>
/// Splits rules into what the record alone decides (an item's text, fields and id) and what needs an image. Of conditions joined with
/// <c>and</c> each is taken by itself. The part on the record judges every item, also one without an image, and before any image is opened.
/// </summary>
/// <param name="score">The expression of the column <c>score</c>; null where there is none.</param>
internal sealed class RecordPart(RuleExpression? score)
{
    /// <summary>True for an expression that reads nothing but the record.</summary>
    public bool IsWhole(RuleExpression expression) => ColumnsOf(expression).All(column => column.IsOfRecord);

    /// <summary>True for an expression that reads nothing but the image's file.</summary>
    public bool IsOfFile(RuleExpression expression) =>
        ColumnsOf(expression).All(column => column.Column is { Source: ColumnSource.File });

    /// <summary>
    /// The part of a condition that the record decides: where it is not true, the condition is not. Null where there is none.
    /// </summary>
    public RuleExpression? Of(RuleExpression condition) => Joined(Conjuncts(condition).Where(IsWhole));

    /// <summary>
    /// As <see cref="Of"/>, without what needs the headers of sounds and films or the other items: what can be judged before any file is
    /// opened.
    /// </summary>
    public RuleExpression? OfText(RuleExpression condition) =>
        Joined(Conjuncts(condition).Where(part => IsWhole(part) && !NamesMedia(part) && !ComparesItems(part)));

    private bool ComparesItems(RuleExpression expression) =>
        ColumnsOf(expression).Any(column => column.Column is { ComparesImages: true });

    /// <summary>True for an expression that reads the header of a sound or a film.</summary>
    public bool NamesMedia(RuleExpression expression) =>
        ColumnsOf(expression).Any(column => column.Column is { Source: ColumnSource.ItemMedia });

    /// <summary>True for an expression that reads the position in the dataset.</summary>
    public static bool NamesPosition(RuleExpression expression, RuleExpression? score) =>
        new RecordPart(score).ColumnsOf(expression).Any(column => column.Name is "key" or "item_index");

    /// <summary>The other part of a condition; null where the record decides the whole.</summary>
    public RuleExpression? Rest(RuleExpression condition) => Joined(Conjuncts(condition).Where(part => !IsWhole(part)));

    private IEnumerable<ColumnReference> ColumnsOf(RuleExpression expression) =>
        expression.Columns.SelectMany(column => score != null && column.Name == ParsedSelection.Score ? score.Columns : [column]);

    /// <summary>The conditions that must all hold for a condition to hold.</summary>
    private static IEnumerable<RuleExpression> Conjuncts(RuleExpression condition) => condition switch
    {
        Junction { IsAnd: true } all => all.Conditions.SelectMany(Conjuncts),
        Not { Inner: Junction { IsAnd: false } none } => none.Conditions.SelectMany(part => Conjuncts(new Not(part))),
        Not { Inner: Not { Inner: var same } } => Conjuncts(same),
        _ => [condition],
    };

    private static RuleExpression? Joined(IEnumerable<RuleExpression> parts) => parts.ToArray() switch
    {
        [] => null,
        [var one] => one,
        var several => new Junction(true, several),
    };
}

/// <summary>The part of a rule that the record decides, asked before an image is opened.</summary>
/// <param name="condition">The part.</param>
/// <param name="score">The expression of the column <c>score</c>; null where there is none.</param>
/// <param name="known">The metrics there are.</param>
internal sealed class RecordGate(RuleExpression condition, RuleExpression? score, MetricSet known) : ItemGate
{
    private readonly TableSchema _columns = TableSchema.Of(RuleGate.MetricsOf(condition.Columns, score, known));

    private readonly string[] _fields =
        [.. condition.Columns.Concat(score?.Columns ?? []).Select(column => column.ItemField).OfType<string>().Distinct()];

    internal override bool JudgesPosition => RecordPart.NamesPosition(condition, score);

    /// <summary>The condition.</summary>
    public override string ToString() => condition.Source;

    /// <inheritdoc/>
    public override string? Failure(DatasetItem item)
    {
        var row = new ScoreRow
        {
            Key = 0,
            ItemIndex = item.Index,
            Id = item.Id,
            Status = item.Images.Count == 0 ? ImageStatus.NoImage : ImageStatus.Ok,
            Text = item.Text,
            TextHash = item.TextHash,
            ImageCount = item.Images.Count,
            Scores = new ItemNumbers(_columns.Metrics).Of(item, withMedia: false, out _),
        };
        var fields = _fields.Length == 0 ? null : _fields.Zip(item.Record?.Fields(_fields) ?? new string?[_fields.Length])
            .ToDictionary(pair => pair.First, pair => pair.Second);
        var evaluation = new RuleEvaluation(row, _columns, score) { Fields = fields };
        return evaluation.Condition(condition) == true ? null : evaluation.Failure(condition);
    }
}
