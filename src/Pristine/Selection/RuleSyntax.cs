using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>
/// What a part of a rule yields. <see cref="Any"/> is a field of an item: number or text, as the other side of a comparison has it.
/// </summary>
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

/// <summary>
/// A part of a rule as its parser understood it. <see cref="RuleSql"/> turns it into SQL, <see cref="RuleEvaluation"/> judges it in memory.
/// </summary>
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

    /// <summary>The columns it reads, in the order of their use.</summary>
    public IEnumerable<ColumnReference> Columns =>
        Parts.SelectMany(part => part.Columns).Concat(this is ColumnReference self ? [self] : []);

    /// <summary>Of a condition: what it compares with something; itself where it compares nothing.</summary>
    public virtual RuleExpression Subject => this;

    /// <summary>Of a condition: whether <see cref="Subject"/> is compared as a number.</summary>
    public virtual bool ComparesNumbers => false;

    /// <summary>The kind in which values are compared: that of the first that has one; fields among themselves are text.</summary>
    internal static ValueKind Common(IEnumerable<RuleExpression> values) =>
        values.Select(value => value.Kind).FirstOrDefault(kind => kind != ValueKind.Any, ValueKind.Text);

    /// <summary>The width in which numbers are compared.</summary>
    internal static Width WidthOf(IReadOnlyCollection<RuleExpression> values)
    {
        if (values.All(value => value is ColumnReference { IsFloat: true } or NumberLiteral)
            && values.Any(value => value is ColumnReference))
            return Width.Float;
        return values.All(value => value is ColumnReference { IsFloat: false, Kind: ValueKind.Number } or NumberLiteral { IsWhole: true })
            ? Width.Native
            : Width.Double;
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
}

internal sealed record NumberLiteral(string Source, double Value) : RuleExpression(Source, ValueKind.Number)
{
    /// <summary>Whole numbers up to here are exact in 64-bit floats.</summary>
    private const double LargestExact = 1L << 53;

    public bool IsWhole => Value == Math.Floor(Value) && Math.Abs(Value) <= LargestExact;
}

internal sealed record TextLiteral(string Value)
    : RuleExpression($"'{Value.Replace("'", "''", StringComparison.Ordinal)}'", ValueKind.Text);

internal sealed record BooleanLiteral(bool Value) : RuleExpression(Value ? "true" : "false", ValueKind.Boolean);

/// <summary>Addition, subtraction, multiplication, division, remainder; in 64 bits. Dividing by zero gives a missing value.</summary>
internal sealed record Arithmetic(RuleExpression Left, char Operator, RuleExpression Right)
    : RuleExpression($"{Bracketed(Left)} {Operator} {Bracketed(Right)}", ValueKind.Number)
{
    public override IEnumerable<RuleExpression> Parts => [Left, Right];

    private static string Bracketed(RuleExpression part) => part is Arithmetic ? $"({part.Source})" : part.Source;
}

internal sealed record Negation(RuleExpression Inner) : RuleExpression($"-{Inner.Source}", ValueKind.Number)
{
    public override IEnumerable<RuleExpression> Parts => [Inner];
}

/// <summary>A call of one of the functions that rules may use; none of them reads anything but its arguments.</summary>
internal sealed record FunctionCall(RuleFunction Function, IReadOnlyList<RuleExpression> Arguments)
    : RuleExpression($"{Function.Name}({string.Join(", ", Arguments.Select(argument => argument.Source))})", Function.Result)
{
    public override IEnumerable<RuleExpression> Parts => Arguments;
}

/// <summary>Several conditions joined with <c>and</c> or <c>or</c>.</summary>
internal sealed record Junction(bool IsAnd, IReadOnlyList<RuleExpression> Conditions)
    : RuleExpression(string.Join(
        IsAnd ? " and " : " or ", Conditions.Select(part => part is Junction ? $"({part.Source})" : part.Source)), ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => Conditions;
}

internal sealed record Not(RuleExpression Inner)
    : RuleExpression($"not {(Inner is Junction ? $"({Inner.Source})" : Inner.Source)}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Inner];
}

internal sealed record Comparison(RuleExpression Left, string Operator, RuleExpression Right)
    : RuleExpression($"{Left.Source} {Operator} {Right.Source}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Left, Right];

    public override RuleExpression Subject => Left.Columns.Any() || !Right.Columns.Any() ? Left : Right;

    public override bool ComparesNumbers => Common(Parts) == ValueKind.Number;
}

internal sealed record Between(RuleExpression Subject, RuleExpression Low, RuleExpression High)
    : RuleExpression($"{Subject.Source} between {Low.Source} and {High.Source}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject, Low, High];

    public override RuleExpression Subject { get; } = Subject;

    public override bool ComparesNumbers => Common(Parts) == ValueKind.Number;
}

internal sealed record Membership(RuleExpression Subject, IReadOnlyList<RuleExpression> Choices)
    : RuleExpression($"{Subject.Source} in ({string.Join(", ", Choices.Select(choice => choice.Source))})", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject, .. Choices];

    public override RuleExpression Subject { get; } = Subject;

    public override bool ComparesNumbers => Common(Parts) == ValueKind.Number;
}

internal sealed record Pattern(RuleExpression Subject, string Operator, RuleExpression Like)
    : RuleExpression($"{Subject.Source} {Operator} {Like.Source}", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject, Like];

    public override RuleExpression Subject { get; } = Subject;
}

internal sealed record IsNull(RuleExpression Subject) : RuleExpression($"{Subject.Source} is null", ValueKind.Boolean)
{
    public override IEnumerable<RuleExpression> Parts => [Subject];

    public override RuleExpression Subject { get; } = Subject;

    public override bool ComparesNumbers => Subject.Kind == ValueKind.Number;
}
