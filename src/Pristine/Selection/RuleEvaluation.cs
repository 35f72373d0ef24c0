using System.Globalization;
using System.Text;
using Pristine.Media;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>
/// Judges rules on one row in memory and means by them what DuckDB means by their SQL: NULL where a value is missing, three-valued logic,
/// scores compared with constants in 32 bits, text by the bytes of its UTF-8, NaN equal to itself and above every number. Tests compare the
/// two on random rows. What cannot be judged alike is not judged here: see <see cref="Obstacle"/>.
/// </summary>
/// <param name="Row">The row.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Score">The expression of the column <c>score</c>; null where there is none.</param>
internal sealed record RuleEvaluation(ScoreRow Row, TableSchema Columns, RuleExpression? Score = null)
{
    /// <summary>The fields of the item by their names; null where no rule reads any.</summary>
    public IReadOnlyDictionary<string, string?>? Fields { get; init; }

    /// <summary>
    /// The part of a rule for which it cannot be judged while an image is scored; null where it can. Some columns are known only in a
    /// table; fields of items are judged before an image is opened (<see cref="RecordPart"/>), not together with its scores.
    /// </summary>
    public static string? Obstacle(RuleExpression rule) => rule switch
    {
        ColumnReference { ItemField: not null } or ColumnReference { Column.Source: ColumnSource.Outcome }
            or ColumnReference { Column.ComparesImages: true } => rule.Source,
        _ => rule.Parts.Select(Obstacle).FirstOrDefault(obstacle => obstacle != null),
    };

    /// <summary>A condition: true, false, or null for unknown.</summary>
    public bool? Condition(RuleExpression expression)
    {
        switch (expression)
        {
            case BooleanLiteral literal:
                return literal.Value;
            case ColumnReference { Name: "has_image" }:
                return Row.Status != ImageStatus.NoImage;
            case ColumnReference { ItemField: { } field }:
                return Field(field) is { } value ? EngineText.Condition(value) : null;
            case Not not:
                return !Condition(not.Inner);
            case Junction junction:
                return Join(junction);
            case Comparison comparison:
                return Holds(comparison.Operator, Compare(comparison.Left, comparison.Right, comparison.Parts));
            case Between between:
                return And(Holds(">=", Compare(between.Subject, between.Low, between.Parts)), Holds(
                    "<=", Compare(between.Subject, between.High, between.Parts)));
            case Membership membership:
                return Contains(membership);
            case Pattern pattern:
                return Text(pattern.Subject) is not { } text || Text(pattern.Like) is not { } like ? null
                    : pattern.Operator == "ilike" ? Matches(EngineText.Lower(text), EngineText.Lower(like))
                    : Matches(text, like);
            case IsNull { Subject: var subject }:
                return subject.Kind switch
                {
                    ValueKind.Number => Number(subject, Width.Double) == null,
                    ValueKind.Boolean => Condition(subject) == null,
                    _ => Text(subject) == null,
                };
            default:
                throw new InvalidOperationException($"{expression.Source} is no condition.");
        }
    }

    /// <summary>A number; null where it is missing.</summary>
    public double? Number(RuleExpression expression, Width width) => expression switch
    {
        NumberLiteral literal when width == Width.Float =>
            float.Parse(literal.Value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        NumberLiteral literal => literal.Value,
        ColumnReference { Name: ParsedSelection.Score } when Score != null => Number(Score, Width.Double),
        ColumnReference { ItemField: { } field } => Field(field) is { } value ? EngineText.Number(value) : null,
        ColumnReference column => Column(column).Number(Row) is var value && double.IsNaN(value) ? null : value,
        Negation negation => -Number(negation.Inner, Width.Double),
        Arithmetic arithmetic => Calculate(arithmetic),
        FunctionCall { Function.Measure: { } measure } call => Text(call.Arguments[0]) is { } text ? measure(text) : null,
        FunctionCall { Function.Calculate: { } calculate } call =>
            calculate([.. call.Arguments.Select(argument => Number(argument, Width.Double))]),
        _ => throw new InvalidOperationException($"{expression.Source} is no number."),
    };

    /// <summary>A text; null where it is missing.</summary>
    public string? Text(RuleExpression expression) => expression switch
    {
        TextLiteral literal => literal.Value,
        ColumnReference { ItemField: { } field } => Field(field),
        ColumnReference column => Column(column).Text(Row),
        FunctionCall { Function.Change: { } change } call => Text(call.Arguments[0]) is { } text ? change(text) : null,
        _ => throw new InvalidOperationException($"{expression.Source} is no text."),
    };

    /// <summary>Why a rule is not true, in the words of the ledger: <c>brisque 71.2 fails brisque &lt;= 60</c>.</summary>
    /// <param name="rule">A rule that is false or unknown.</param>
    public string Failure(RuleExpression rule)
    {
        var (condition, isNegated) = Decisive(rule, wanted: true, isNegated: false);
        var comparison = isNegated ? $"not {condition.Source}" : condition.Source;
        var subject = condition.Subject.Columns.Any() ? condition.Subject.Source : null;
        if (Condition(rule) == null)
            return subject == null
                ? $"{comparison} is unknown"
                : $"missing {(new RecordPart(Score).IsWhole(condition) ? "" : "score ")}{subject} leaves {comparison} unknown";
        var value = condition.ComparesNumbers ? Number(condition.Subject, Width.Double) : null;
        return $"{(subject == null ? "" : $"{subject} ")}{(subject == null || value == null ? "" : string.Create(CultureInfo.InvariantCulture, $"{value:0.####} "))}fails {comparison}";
    }

    /// <summary>
    /// The comparison that made a condition not what was wanted, as <see cref="RuleSql.Explain"/> finds it, and whether it stands below
    /// "not".
    /// </summary>
    private (RuleExpression Condition, bool IsNegated) Decisive(RuleExpression expression, bool wanted, bool isNegated) => expression switch
    {
        Not not => Decisive(not.Inner, !wanted, !isNegated),
        Junction junction => Decisive(
            junction.Conditions.FirstOrDefault(part => Condition(part) == !wanted)
                ?? junction.Conditions.First(part => Condition(part) != wanted), wanted, isNegated),
        _ => (expression, isNegated),
    };

    private Column Column(ColumnReference column) =>
        Columns.Find(column.Name) ?? throw new InvalidOperationException($"The row has no column '{column.Name}'.");

    private string? Field(string name) =>
        Fields is { } fields ? fields[name] : throw new InvalidOperationException($"The row has no field '{name}' of its item.");

    private bool? Join(Junction junction)
    {
        bool? joined = junction.IsAnd;
        foreach (var condition in junction.Conditions)
            joined = junction.IsAnd ? And(joined, Condition(condition)) : !And(!joined, !Condition(condition));
        return joined;
    }

    private bool? Contains(Membership membership)
    {
        bool? isOneOf = false;
        foreach (var choice in membership.Choices)
            isOneOf = !And(!isOneOf, !Holds("=", Compare(membership.Subject, choice, [membership.Subject, choice])));
        return isOneOf;
    }

    private static bool? And(bool? left, bool? right) =>
        left == false || right == false ? false : left == null || right == null ? null : true;

    private static bool? Holds(string comparison, int? order) => order is not { } known ? null : comparison switch
    {
        "=" => known == 0,
        "<>" => known != 0,
        "<" => known < 0,
        "<=" => known <= 0,
        ">" => known > 0,
        ">=" => known >= 0,
        _ => throw new InvalidOperationException($"There is no comparison {comparison}."),
    };

    /// <summary>The order of two values among those they are compared with; null where one is missing.</summary>
    private int? Compare(RuleExpression left, RuleExpression right, IEnumerable<RuleExpression> compared)
    {
        RuleExpression[] all = [.. compared];
        switch (RuleExpression.Common(all))
        {
            case ValueKind.Number:
                var width = RuleExpression.WidthOf(all);
                return Number(left, width) is { } low && Number(right, width) is { } high ? Order(low, high) : null;
            case ValueKind.Boolean:
                return Condition(left) is { } first && Condition(right) is { } second ? first.CompareTo(second) : null;
            default:
                return Text(left) is { } one && Text(right) is { } other
                    ? Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other))
                    : null;
        }
    }

    /// <summary>The order of two numbers: NaN equals itself and stands above every number.</summary>
    internal static int Order(double left, double right) =>
        left < right ? -1 : left > right ? 1 : left == right ? 0 : double.IsNaN(left).CompareTo(double.IsNaN(right));

    private double? Calculate(Arithmetic arithmetic)
    {
        if (Number(arithmetic.Left, Width.Double) is not { } left || Number(arithmetic.Right, Width.Double) is not { } right)
            return null;
        return arithmetic.Operator switch
        {
            '+' => left + right,
            '-' => left - right,
            '*' => left * right,
            '/' => right == 0 ? null : left / right,
            '%' => right == 0 ? null : left % right,
            _ => throw new InvalidOperationException($"There is no operator {arithmetic.Operator}."),
        };
    }

    /// <summary>Whether a text is like a pattern: % stands for any text, _ for any one character.</summary>
    private static bool Matches(string text, string pattern)
    {
        Rune[] characters = [.. text.EnumerateRunes()], wanted = [.. pattern.EnumerateRunes()];
        var (at, next, restart, afterAny) = (0, 0, 0, -1);
        while (at < characters.Length)
        {
            if (next < wanted.Length && wanted[next].Value == '%')
            {
                (afterAny, restart) = (++next, at);
            }
            else if (next < wanted.Length && (wanted[next].Value == '_' || wanted[next] == characters[at]))
            {
                at++;
                next++;
            }
            else if (afterAny >= 0)
            {
                // The last % takes one character more.
                (next, at) = (afterAny, ++restart);
            }
            else
            {
                return false;
            }
        }
        return wanted.AsSpan(next).IndexOfAnyExcept(new Rune('%')) < 0;
    }
}
