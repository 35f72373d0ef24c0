using System.Globalization;
using Pristine.Native;

namespace Pristine.Selection;

/// <summary>The SQL of rules. It is made from what a rule means, never from the user's text.</summary>
internal static class RuleSql
{
    /// <summary>A number.</summary>
    public static string NumberSql(this RuleExpression expression, Width width) => expression switch
    {
        NumberLiteral literal when width == Width.Native => ((long)literal.Value).ToString(CultureInfo.InvariantCulture),
        NumberLiteral literal =>
            $"CAST('{literal.Value.ToString("R", CultureInfo.InvariantCulture)}' AS {(width == Width.Float ? "FLOAT" : "DOUBLE")})",
        ColumnReference { Kind: ValueKind.Any } field => FiniteSql(Identifier(field)),
        ColumnReference column => width == Width.Double ? $"CAST({Identifier(column)} AS DOUBLE)" : Identifier(column),
        // Dividing by zero gives a missing value.
        Arithmetic { Operator: '/' or '%' } quotient =>
            $"({quotient.Left.NumberSql(Width.Double)} {quotient.Operator} nullif({quotient.Right.NumberSql(Width.Double)}, 0))",
        Arithmetic arithmetic =>
            $"({arithmetic.Left.NumberSql(Width.Double)} {arithmetic.Operator} {arithmetic.Right.NumberSql(Width.Double)})",
        Negation negation => $"(-{negation.Inner.NumberSql(Width.Double)})",
        FunctionCall call => Call(call),
        _ => throw new InvalidOperationException($"{expression.Source} is no number."),
    };

    /// <summary>
    /// The number that a text is; a missing value of another text, and of <c>nan</c> and <c>inf</c>: DuckDB takes them for numbers, and the
    /// first for one above all others.
    /// </summary>
    public static string FiniteSql(string text) =>
        $"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END";

    /// <summary>A text.</summary>
    public static string TextSql(this RuleExpression expression) => expression switch
    {
        TextLiteral literal => DuckDbConnection.Literal(literal.Value),
        ColumnReference reference => reference.Column?.RuleSql ?? Identifier(reference),
        FunctionCall call => Call(call),
        _ => throw new InvalidOperationException($"{expression.Source} is no text."),
    };

    /// <summary>A condition: true, false or NULL.</summary>
    public static string ConditionSql(this RuleExpression expression) => expression switch
    {
        BooleanLiteral literal => literal.Source,
        ColumnReference { Kind: ValueKind.Any } field => $"TRY_CAST({Identifier(field)} AS BOOLEAN)",
        ColumnReference column => Identifier(column),
        Not not => $"(NOT {not.Inner.ConditionSql()})",
        Junction junction => $"({string.Join(junction.IsAnd ? " AND " : " OR ", junction.Conditions.Select(ConditionSql))})",
        Comparison { Left: var left, Right: var right } comparison when KindOf(comparison) is var (kind, width) =>
            $"({left.As(kind, width)} {comparison.Operator} {right.As(kind, width)})",
        Between { Subject: var subject, Low: var low, High: var high } between when KindOf(between) is var (kind, width) =>
            $"({subject.As(kind, width)} BETWEEN {low.As(kind, width)} AND {high.As(kind, width)})",
        Membership membership =>
            $"({string.Join(" OR ", membership.Choices.Select(choice => new Comparison(membership.Subject, "=", choice).ConditionSql()))})",
        Pattern pattern => $"({pattern.Subject.TextSql()} {pattern.Operator} {pattern.Like.TextSql()})",
        IsNull { Subject: var subject } => $"({subject.As(subject.Kind, Width.Double)} IS NULL)",
        _ => throw new InvalidOperationException($"{expression.Source} is no condition."),
    };

    /// <summary>
    /// A whole number that says which comparison made a condition not <paramref name="wanted"/>; comparisons enter themselves into
    /// <paramref name="reasons"/>.
    /// </summary>
    public static string Explain(this RuleExpression expression, ReasonList reasons, bool wanted)
    {
        switch (expression)
        {
            case Not not:
                using (reasons.Negate())
                    return not.Inner.Explain(reasons, !wanted);
            case Junction junction:
                return ExplainParts(junction, reasons, wanted);
            case Comparison { ComparesNumbers: true } comparison:
                return Code(
                    reasons.Add(comparison, ReferenceEquals(comparison.Subject, comparison.Left) ? comparison.Right : comparison.Left));
            case Between { ComparesNumbers: true } between:
                // The end that was passed is the threshold.
                var (low, high) = (reasons.Add(between, between.Low), reasons.Add(between, between.High));
                return $"CASE WHEN {new Comparison(between.Subject, ">", between.High).ConditionSql()} THEN {Code(high)} ELSE " +
                    $"{Code(low)} END";
            default:
                return Code(reasons.Add(expression, null));
        }
    }

    /// <summary>How often columns and constants stand in the SQL of an expression: some parts stand there more than once.</summary>
    public static double Weight(this RuleExpression expression) => expression switch
    {
        Membership membership => membership.Choices.Count * membership.Subject.Weight() + membership.Choices.Sum(Weight),
        FunctionCall call => call.Arguments.Sum(Weight) * call.Function.Repetitions,
        _ => expression.Parts.Any() ? expression.Parts.Sum(Weight) : 1,
    };

    /// <summary>A value of a kind.</summary>
    private static string As(this RuleExpression expression, ValueKind kind, Width width) => kind switch
    {
        ValueKind.Number => expression.NumberSql(width),
        ValueKind.Boolean => expression.ConditionSql(),
        _ => expression.TextSql(),
    };

    private static (ValueKind Kind, Width Width) KindOf(RuleExpression comparison) =>
        (RuleExpression.Common(comparison.Parts), RuleExpression.WidthOf([.. comparison.Parts]));

    private static string ExplainParts(Junction junction, ReasonList reasons, bool wanted)
    {
        // A part that is the opposite of what was wanted explains more than one that is unknown.
        var explained = junction.Conditions.Select(part => (Sql: part.ConditionSql(), Reason: part.Explain(reasons, wanted))).ToArray();
        var (opposite, isWanted) = wanted ? ("IS FALSE", "IS NOT TRUE") : ("IS TRUE", "IS NOT FALSE");
        // Reasons of parts with parts of their own are long, and twice as long at each level if they stood here twice.
        var isLong = junction.Conditions.Any(part => part.HasJunction);
        string Chosen(int i) => isLong ? Code(i + 1) : explained[i].Reason;
        var cases = explained.Select((part, i) => $"WHEN {part.Sql} {opposite} THEN {Chosen(i)}")
            .Concat(explained.Select((part, i) => $"WHEN {part.Sql} {isWanted} THEN {Chosen(i)}"));
        var choice = $"CASE {string.Join(' ', cases)} END";
        return isLong ? $"([{string.Join(", ", explained.Select(part => part.Reason))}])[{choice}]" : choice;
    }

    private static string Call(FunctionCall call) => string.Format(
        CultureInfo.InvariantCulture, call.Function.Sql,
        string.Join(", ", call.Arguments.Select(argument => argument.As(call.Function.Argument, Width.Double))));

    private static string Identifier(ColumnReference column) => DuckDbConnection.Identifier(column.Name);

    private static string Code(int code) => code.ToString(CultureInfo.InvariantCulture);
}
