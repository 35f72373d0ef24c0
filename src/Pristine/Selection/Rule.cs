using System.Globalization;
using Pristine.Imaging;
using Pristine.Scoring;

namespace Pristine.Selection;

/// <summary>
/// A condition on the columns of a row, written as an SQL boolean expression: <c>brisque &lt;= 40 and min_side between 256 and 4096</c>.
/// A missing value follows SQL's NULL: a comparison with it is unknown, and a rule that is not true drops the image.
/// </summary>
public sealed class Rule
{
    private readonly RuleNode _root;

    private Rule(string text, RuleNode root) => (Text, _root) = (text, root);

    /// <summary>The rule as the user wrote it.</summary>
    public string Text { get; }

    /// <summary>The columns the rule reads, without repeats, in the order of their first use.</summary>
    public IReadOnlyList<string> Columns => [.. _root.Columns().Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>Reads a rule. Any column that a run could have may be named.</summary>
    /// <param name="text">The SQL expression; see docs/rules.md for the grammar.</param>
    /// <returns>The rule.</returns>
    /// <exception cref="RuleException">The text is not a rule; the message shows the place and what was expected.</exception>
    public static Rule Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new Rule(text.Trim(), new RuleParser(text).Parse());
    }

    /// <summary>Makes the rule <c>NAME_quality between low and high</c>; both ends are inclusive.</summary>
    /// <param name="metric">A metric with a quality.</param>
    /// <param name="low">Smallest quality that is kept, in [0,1].</param>
    /// <param name="high">Largest quality that is kept, in [0,1].</param>
    /// <exception cref="RuleException">An end is outside [0,1], or low is above high.</exception>
    public static Rule QualityBetween(string metric, double low, double high)
    {
        if (!(low is >= 0 and <= 1 && high is >= 0 and <= 1))
            throw new RuleException($"Expected quality limits between 0 and 1; found {Invariant(low)} and {Invariant(high)}.");
        if (low > high)
            throw new RuleException($"Expected the smallest quality to be at most the largest; found {Invariant(low)} and {Invariant(high)}.");
        return Parse($"\"{metric}{ScoreColumns.QualitySuffix}\" between {Invariant(low)} and {Invariant(high)}");
    }

    /// <summary>Applies the rule to one row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="columns">The columns of the run; they include <see cref="Columns"/>.</param>
    /// <returns>True, false, or null where a missing value leaves it unknown.</returns>
    public bool? Evaluate(ScoreRow row, ScoreColumns columns) => _root.Evaluate(new RowView(row, columns));

    /// <summary>For a row that the rule does not hold for: the comparison that decided.</summary>
    /// <param name="row">The row.</param>
    /// <param name="columns">The columns of the run.</param>
    internal Verdict Explain(ScoreRow row, ScoreColumns columns) => _root.Explain(new RowView(row, columns), wanted: true);

    private static string Invariant(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>A rule that cannot be understood. The message shows the rule, the place, and what was expected.</summary>
public sealed class RuleException : Exception
{
    /// <summary>Makes one with a message.</summary>
    /// <param name="message">Expected and found.</param>
    public RuleException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and the cause.</summary>
    /// <param name="message">Expected and found.</param>
    /// <param name="inner">The cause.</param>
    public RuleException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Makes one without a message.</summary>
    public RuleException()
    {
    }
}

/// <summary>Why a comparison came out as it did.</summary>
/// <param name="Column">The column that was compared; null for a comparison of constants.</param>
/// <param name="Value">Its number; null when it is missing or text.</param>
/// <param name="Threshold">The number it was compared with (of a range, the end that was passed); null where that was text or missing.</param>
/// <param name="Comparison">The comparison as text, for example <c>brisque &lt;= 40</c>.</param>
internal sealed record Verdict(string? Column, double? Value, double? Threshold, string Comparison)
{
    /// <summary>Value minus threshold.</summary>
    public double? Margin => Value - Threshold;
}

/// <summary>A row as the nodes of a rule see it.</summary>
internal readonly struct RowView(ScoreRow row, ScoreColumns columns)
{
    public ImageStatus Status => row.Status;

    public Value Read(string column)
    {
        var found = columns.Find(column) ?? throw new RuleException($"The column '{column}' is not among the scores of this run.");
        if (found.Kind == ColumnKind.Text)
            return Value.OfText(found.Text(row));
        return Value.OfNumber(found.Number(row), found.IsFloat);
    }
}

/// <summary>A number, a text, or a missing value of either kind.</summary>
internal readonly record struct Value(double Number, string? Text, bool IsMissing, bool IsFloat)
{
    public static Value OfNumber(double number, bool isFloat) => new(number, null, double.IsNaN(number), isFloat);

    public static Value OfText(string? text) => new(double.NaN, text, text == null, false);

    public double? NumberOrNull => IsMissing || Text != null ? null : Number;

    /// <summary>Null when either side is missing; otherwise the order of the two.</summary>
    public static int? Compare(Value left, Value right)
    {
        if (left.IsMissing || right.IsMissing)
            return null;
        if (left.Text != null)
            return string.CompareOrdinal(left.Text, right.Text);
        return left.IsFloat || right.IsFloat
            ? ((float)left.Number).CompareTo((float)right.Number)
            : left.Number.CompareTo(right.Number);
    }
}

/// <summary>A part of a rule that yields a value.</summary>
internal abstract record Operand(string Source, ColumnKind Kind)
{
    public abstract Value Read(RowView row);
}

internal sealed record ColumnOperand(string Column, ColumnKind Kind) : Operand(Column, Kind)
{
    public override Value Read(RowView row) => row.Read(Column);
}

internal sealed record ConstantOperand(string Source, ColumnKind Kind, Value Constant) : Operand(Source, Kind)
{
    public override Value Read(RowView row) => Constant;
}

/// <summary>A part of a rule that is true, false or unknown.</summary>
internal abstract record RuleNode
{
    public abstract bool? Evaluate(RowView row);

    /// <summary>The comparison because of which this node is not <paramref name="wanted"/>.</summary>
    public abstract Verdict Explain(RowView row, bool wanted);

    public abstract IEnumerable<string> Columns();

    protected static IEnumerable<string> ColumnsOf(params IEnumerable<Operand> operands) =>
        operands.OfType<ColumnOperand>().Select(operand => operand.Column);

    protected static Verdict Decided(RowView row, Operand subject, Operand? threshold, string comparison) =>
        new((subject as ColumnOperand)?.Column, subject.Read(row).NumberOrNull, threshold?.Read(row).NumberOrNull, comparison);
}

/// <summary>Several nodes joined with <c>and</c> or <c>or</c>, by SQL's three-valued logic.</summary>
internal sealed record JunctionNode(bool IsAnd, IReadOnlyList<RuleNode> Parts) : RuleNode
{
    public override bool? Evaluate(RowView row)
    {
        // "and" is decided by one false part, "or" by one true part; else an unknown part makes the whole unknown.
        bool? result = IsAnd;
        foreach (var part in Parts)
        {
            var value = part.Evaluate(row);
            if (value == !IsAnd)
                return value;
            if (value == null)
                result = null;
        }
        return result;
    }

    public override Verdict Explain(RowView row, bool wanted)
    {
        // A part that is the opposite of what was wanted explains more than one that is unknown.
        var opposite = Parts.FirstOrDefault(part => part.Evaluate(row) == !wanted);
        return (opposite ?? Parts.First(part => part.Evaluate(row) != wanted)).Explain(row, wanted);
    }

    public override IEnumerable<string> Columns() => Parts.SelectMany(part => part.Columns());
}

internal sealed record NotNode(RuleNode Inner) : RuleNode
{
    public override bool? Evaluate(RowView row) => !Inner.Evaluate(row);

    public override Verdict Explain(RowView row, bool wanted)
    {
        var inner = Inner.Explain(row, !wanted);
        return inner with { Comparison = $"not {inner.Comparison}" };
    }

    public override IEnumerable<string> Columns() => Inner.Columns();
}

internal sealed record ComparisonNode(Operand Left, string Operator, Operand Right) : RuleNode
{
    public override bool? Evaluate(RowView row) => Value.Compare(Left.Read(row), Right.Read(row)) is not { } order
        ? null
        : Operator switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            ">=" => order >= 0,
            "=" => order == 0,
            _ => order != 0,
        };

    public override Verdict Explain(RowView row, bool wanted)
    {
        var (subject, threshold) = Left is ColumnOperand || Right is not ColumnOperand ? (Left, Right) : (Right, Left);
        return Decided(row, subject, threshold, $"{Left.Source} {Operator} {Right.Source}");
    }

    public override IEnumerable<string> Columns() => ColumnsOf(Left, Right);
}

internal sealed record BetweenNode(Operand Subject, Operand Low, Operand High) : RuleNode
{
    public override bool? Evaluate(RowView row)
    {
        var value = Subject.Read(row);
        bool? aboveLow = Value.Compare(value, Low.Read(row)) is { } low ? low >= 0 : null;
        bool? belowHigh = Value.Compare(value, High.Read(row)) is { } high ? high <= 0 : null;
        return aboveLow & belowHigh;
    }

    public override Verdict Explain(RowView row, bool wanted)
    {
        var aboveHigh = Value.Compare(Subject.Read(row), High.Read(row)) > 0;
        return Decided(row, Subject, aboveHigh ? High : Low, $"{Subject.Source} between {Low.Source} and {High.Source}");
    }

    public override IEnumerable<string> Columns() => ColumnsOf(Subject, Low, High);
}

internal sealed record InNode(Operand Subject, IReadOnlyList<Operand> Choices) : RuleNode
{
    public override bool? Evaluate(RowView row)
    {
        bool? result = false;
        foreach (var choice in Choices)
        {
            var order = Value.Compare(Subject.Read(row), choice.Read(row));
            if (order == 0)
                return true;
            if (order == null)
                result = null;
        }
        return result;
    }

    public override Verdict Explain(RowView row, bool wanted) =>
        Decided(row, Subject, null, $"{Subject.Source} in ({string.Join(", ", Choices.Select(choice => choice.Source))})");

    public override IEnumerable<string> Columns() => ColumnsOf([Subject, .. Choices]);
}

internal sealed record IsNullNode(Operand Subject) : RuleNode
{
    public override bool? Evaluate(RowView row) => Subject.Read(row).IsMissing;

    public override Verdict Explain(RowView row, bool wanted) => Decided(row, Subject, null, $"{Subject.Source} is null");

    public override IEnumerable<string> Columns() => ColumnsOf(Subject);
}
