using System.Globalization;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>What a part of a rule yields. <see cref="Any"/> is a field of an item: number or text, as the other side of a comparison has it.</summary>
internal enum ValueKind
{
    Number,
    Text,
    Boolean,
    Any,
}

/// <summary>The width in which numbers are compared.</summary>
internal enum Width
{
    /// <summary>As the column has it: whole numbers.</summary>
    Native,

    /// <summary>32 bits: scores with constants, so that 0.6 means the 0.6 of the column.</summary>
    Float,

    /// <summary>64 bits: everything else.</summary>
    Double,
}

/// <summary>A part of a rule. It is turned into SQL from what it means, never from the user's text.</summary>
/// <param name="Source">As the user wrote it, with white space evened out.</param>
/// <param name="Kind">What it yields.</param>
internal abstract record RuleExpression(string Source, ValueKind Kind)
{
    /// <summary>The parts it is made of.</summary>
    public virtual IEnumerable<RuleExpression> Parts => [];

    /// <summary>How many levels of parts it has; 1 for a column or a constant.</summary>
    public int Depth => 1 + Parts.Select(part => part.Depth).DefaultIfEmpty().Max();

    /// <summary>Whether it, or a part of it, joins conditions.</summary>
    public bool HasJunction => this is Junction || Parts.Any(part => part.HasJunction);

    /// <summary>How many columns and constants it is made of.</summary>
    public int Terms => Parts.Any() ? Parts.Sum(part => part.Terms) : 1;

    /// <summary>How often columns and constants stand in its SQL: some parts stand there more than once.</summary>
    public virtual double Weight => Parts.Any() ? Parts.Sum(part => part.Weight) : 1;

    /// <summary>The columns it reads, in the order of their use.</summary>
    public IEnumerable<ColumnReference> Columns => Parts.SelectMany(part => part.Columns).Concat(this is ColumnReference self ? [self] : []);

    /// <summary>Of a condition: what it compares with something; itself where it compares nothing.</summary>
    public virtual RuleExpression Subject => this;

    /// <summary>Of a condition: whether <see cref="Subject"/> is compared as a number.</summary>
    public virtual bool ComparesNumbers => false;

    /// <summary>The SQL of a number.</summary>
    public virtual string Number(Width width) => throw new InvalidOperationException($"{Source} is no number.");

    /// <summary>The SQL of a text.</summary>
    public virtual string Text => throw new InvalidOperationException($"{Source} is no text.");

    /// <summary>The SQL of a condition: true, false or NULL.</summary>
    public virtual string Condition => throw new InvalidOperationException($"{Source} is no condition.");

    /// <summary>
    /// The SQL of a whole number that says which comparison made this condition not <paramref name="wanted"/>; comparisons enter
    /// themselves into <paramref name="reasons"/>.
    /// </summary>
    public virtual string Explain(ReasonList reasons, bool wanted) =>
        reasons.Add(this, null).ToString(CultureInfo.InvariantCulture);

    /// <summary>The SQL of a value of a kind.</summary>
    public string As(ValueKind kind, Width width) => kind == ValueKind.Number ? Number(width) : kind == ValueKind.Boolean ? Condition : Text;

    /// <summary>The kind in which values are compared: that of the first that has one; fields among themselves are text.</summary>
    internal static ValueKind Common(IEnumerable<RuleExpression> values) =>
        values.Select(value => value.Kind).FirstOrDefault(kind => kind != ValueKind.Any, ValueKind.Text);

    /// <summary>The width in which numbers are compared.</summary>
    internal static Width WidthOf(IReadOnlyCollection<RuleExpression> values)
    {
        if (values.All(value => value is ColumnReference { IsFloat: true } or NumberLiteral) && values.Any(value => value is ColumnReference))
            return Width.Float;
        return values.All(value => value is ColumnReference { IsFloat: false, Kind: ValueKind.Number } or NumberLiteral { IsWhole: true }) ? Width.Native : Width.Double;
    }
}

/// <summary>A column of the table, or <c>item.FIELD</c>.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Kind">What it yields.</param>
/// <param name="Column">The column; null for a field.</param>
/// <param name="ItemField">The field; null for a column.</param>
internal sealed record ColumnReference(string Name, ValueKind Kind, Column? Column, string? ItemField = null) : RuleExpression(Name, Kind)
{
    /// <summary>True for 32-bit floats.</summary>
    public bool IsFloat => Column?.IsFloat == true;

    /// <summary>True for what the item's record alone tells.</summary>
    public bool IsOfRecord => Column?.IsOfRecord ?? true;

    private string Identifier => DuckDbConnection.Identifier(Name);

    public override string Number(Width width) => Kind == ValueKind.Any ? $"TRY_CAST({Identifier} AS DOUBLE)"
        : width == Width.Double ? $"CAST({Identifier} AS DOUBLE)"
        : Identifier;

    public override string Text => Column?.RuleSql ?? Identifier;

    public override string Condition => Kind == ValueKind.Any ? $"TRY_CAST({Identifier} AS BOOLEAN)" : Identifier;
}

internal sealed record NumberLiteral(string Source, double Value) : RuleExpression(Source, ValueKind.Number)
{
    /// <summary>Whole numbers up to here are exact in 64-bit floats.</summary>
    private const double LargestExact = 1L << 53;

    public bool IsWhole => Value == Math.Floor(Value) && Math.Abs(Value) <= LargestExact;

    public override string Number(Width width) => width == Width.Native
        ? ((long)Value).ToString(CultureInfo.InvariantCulture)
        : $"CAST('{Value.ToString("R", CultureInfo.InvariantCulture)}' AS {(width == Width.Float ? "FLOAT" : "DOUBLE")})";
}

internal sealed record TextLiteral(string Value) : RuleExpression($"'{Value.Replace("'", "''", StringComparison.Ordinal)}'", ValueKind.Text)
{
    public override string Text => DuckDbConnection.Literal(Value);
}

internal sealed record BooleanLiteral(bool Value) : RuleExpression(Value ? "true" : "false", ValueKind.Boolean)
{
    public override string Condition => Source;
}

/// <summary>Addition, subtraction, multiplication, division, remainder; in 64 bits. Dividing by zero gives a missing value.</summary>
internal sealed record Arithmetic(RuleExpression Left, char Operator, RuleExpression Right)
    : RuleExpression($"{Bracketed(Left)} {Operator} {Bracketed(Right)}", ValueKind.Number)
{
    public override IEnumerable<RuleExpression> Parts => [Left, Right];

    public override string Number(Width width)
    {
        var (left, right) = (Left.Number(Width.Double), Right.Number(Width.Double));
        return $"({left} {Operator} {(Operator is '/' or '%' ? $"nullif({right}, 0)" : right)})";
    }

    private static string Bracketed(RuleExpression part) => part is Arithmetic ? $"({part.Source})" : part.Source;
}

internal sealed record Negation(RuleExpression Inner) : RuleExpression($"-{Inner.Source}", ValueKind.Number)
{
    public override IEnumerable<RuleExpression> Parts => [Inner];

    public override string Number(Width width) => $"(-{Inner.Number(Width.Double)})";
}

/// <summary>A call of one of the functions that rules may use; none of them reads anything but its arguments.</summary>
internal sealed record FunctionCall(RuleFunction Function, IReadOnlyList<RuleExpression> Arguments)
    : RuleExpression($"{Function.Name}({string.Join(", ", Arguments.Select(argument => argument.Source))})", Function.Result)
{
    public override IEnumerable<RuleExpression> Parts => Arguments;

    public override double Weight => base.Weight * Function.Repetitions;

    public override string Number(Width width) => Call();

    public override string Text => Call();

    private string Call() => string.Format(
        CultureInfo.InvariantCulture, Function.Sql, string.Join(", ", Arguments.Select(argument => argument.As(Function.Argument, Width.Double))));
}

/// <summary>Several conditions joined with <c>and</c> or <c>or</c>.</summary>
internal sealed record Junction(bool IsAnd, IReadOnlyList<RuleExpression> Conditions)
    : RuleExpression(string.Join(IsAnd ? " and " : " or ", Conditions.Select(part => part is Junction ? $"({part.Source})" : part.Source)), ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => Conditions;

    public override string Condition => $"({string.Join(IsAnd ? " AND " : " OR ", Conditions.Select(part => part.Condition))})";

    public override string Explain(ReasonList reasons, bool wanted)
    {
        // A part that is the opposite of what was wanted explains more than one that is unknown.
        var explained = Conditions.Select(part => (Sql: part.Condition, Reason: part.Explain(reasons, wanted))).ToArray();
        var (opposite, isWanted) = wanted ? ("IS FALSE", "IS NOT TRUE") : ("IS TRUE", "IS NOT FALSE");
        // Reasons of parts with parts of their own are long, and twice as long at each level if they stood here twice.
        var isLong = Conditions.Any(part => part.HasJunction);
        string Chosen(int i) => isLong ? (i + 1).ToString(CultureInfo.InvariantCulture) : explained[i].Reason;
        var cases = explained.Select((part, i) => $"WHEN {part.Sql} {opposite} THEN {Chosen(i)}").Concat(explained.Select((part, i) => $"WHEN {part.Sql} {isWanted} THEN {Chosen(i)}"));
        var choice = $"CASE {string.Join(' ', cases)} END";
        return isLong ? $"([{string.Join(", ", explained.Select(part => part.Reason))}])[{choice}]" : choice;
    }
}

internal sealed record Not(RuleExpression Inner) : RuleExpression($"not {(Inner is Junction ? $"({Inner.Source})" : Inner.Source)}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Inner];

    public override string Condition => $"(NOT {Inner.Condition})";

    public override string Explain(ReasonList reasons, bool wanted)
    {
        using (reasons.Negate())
            return Inner.Explain(reasons, !wanted);
    }
}

internal sealed record Comparison(RuleExpression Left, string Operator, RuleExpression Right)
    : RuleExpression($"{Left.Source} {Operator} {Right.Source}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Left, Right];

    public override RuleExpression Subject => Left.Columns.Any() || !Right.Columns.Any() ? Left : Right;

    public override bool ComparesNumbers => Common(Parts) == ValueKind.Number;

    public override string Condition
    {
        get
        {
            var (kind, width) = (Common(Parts), WidthOf([Left, Right]));
            return $"({Left.As(kind, width)} {Operator} {Right.As(kind, width)})";
        }
    }

    public override string Explain(ReasonList reasons, bool wanted) =>
        reasons.Add(this, ComparesNumbers ? ReferenceEquals(Subject, Left) ? Right : Left : null).ToString(CultureInfo.InvariantCulture);
}

internal sealed record Between(RuleExpression Subject, RuleExpression Low, RuleExpression High)
    : RuleExpression($"{Subject.Source} between {Low.Source} and {High.Source}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject, Low, High];

    public override RuleExpression Subject { get; } = Subject;

    public override bool ComparesNumbers => Common(Parts) == ValueKind.Number;

    public override string Condition
    {
        get
        {
            var (kind, width) = (Common(Parts), WidthOf([Subject, Low, High]));
            return $"({Subject.As(kind, width)} BETWEEN {Low.As(kind, width)} AND {High.As(kind, width)})";
        }
    }

    public override string Explain(ReasonList reasons, bool wanted)
    {
        if (!ComparesNumbers)
            return reasons.Add(this, null).ToString(CultureInfo.InvariantCulture);
        // The end that was passed is the threshold.
        var (low, high) = (reasons.Add(this, Low), reasons.Add(this, High));
        return string.Create(CultureInfo.InvariantCulture, $"CASE WHEN {new Comparison(Subject, ">", High).Condition} THEN {high} ELSE {low} END");
    }
}

internal sealed record Membership(RuleExpression Subject, IReadOnlyList<RuleExpression> Choices)
    : RuleExpression($"{Subject.Source} in ({string.Join(", ", Choices.Select(choice => choice.Source))})", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject, .. Choices];

    public override double Weight => Choices.Count * Subject.Weight + Choices.Sum(choice => choice.Weight);

    public override RuleExpression Subject { get; } = Subject;

    public override bool ComparesNumbers => Common(Parts) == ValueKind.Number;

    public override string Condition => $"({string.Join(" OR ", Choices.Select(choice => new Comparison(Subject, "=", choice).Condition))})";

}

internal sealed record Pattern(RuleExpression Subject, string Operator, RuleExpression Like)
    : RuleExpression($"{Subject.Source} {Operator} {Like.Source}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject, Like];

    public override RuleExpression Subject { get; } = Subject;

    public override string Condition => $"({Subject.Text} {Operator} {Like.Text})";
}

internal sealed record IsNull(RuleExpression Subject) : RuleExpression($"{Subject.Source} is null", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject];

    public override RuleExpression Subject { get; } = Subject;

    public override bool ComparesNumbers => Subject.Kind == ValueKind.Number;

    public override string Condition => Subject.Kind switch
    {
        ValueKind.Number => $"({Subject.Number(Width.Double)} IS NULL)",
        ValueKind.Boolean => $"({Subject.Condition} IS NULL)",
        _ => $"({Subject.Text} IS NULL)",
    };
}
