namespace Pristine.Selection;

/// <summary>
/// A function that rules may use: its SQL, and the same computed in memory. Both give a missing value where the function is not defined;
/// tests compare them on random rows.
/// </summary>
/// <param name="Name">Its name, as in SQL.</param>
/// <param name="Sql">Its SQL; {0} is the argument, or the list of them.</param>
internal sealed record RuleFunction(string Name, string Sql)
{
    /// <summary>All functions.</summary>
    public static IReadOnlyList<RuleFunction> All { get; } =
    [
        OfNumber("abs", "abs({0})", value => Math.Abs(value)),
        OfNumber("ceil", "ceil({0})", value => Math.Ceiling(value)),
        OfNumber("floor", "floor({0})", value => Math.Floor(value)),
        OfNumber("round", "round({0})", value => Math.Round(value, MidpointRounding.AwayFromZero)),
        OfNumber("sqrt", "(CASE WHEN {0} >= 0 THEN sqrt({0}) END)", value => RuleEvaluation.Order(value, 0) >= 0 ? Math.Sqrt(value) : null),
        OfNumber("ln", "(CASE WHEN {0} > 0 THEN ln({0}) END)", value => RuleEvaluation.Order(value, 0) > 0 ? Math.Log(value) : null),
        OfNumber(
            "log10", "(CASE WHEN {0} > 0 THEN log10({0}) END)", value => RuleEvaluation.Order(value, 0) > 0 ? Math.Log10(value) : null),
        OfNumbers(
            "least", "least({0})", known => known.Aggregate((least, other) => RuleEvaluation.Order(other, least) < 0 ? other : least)),
        OfNumbers("greatest", "greatest({0})", known => known.Aggregate(
            (greatest, other) => RuleEvaluation.Order(other, greatest) > 0 ? other : greatest)),
        OfNumbers("coalesce", "coalesce({0})", known => known[0]),
        new("length", "CAST(length({0}) AS DOUBLE)") { Argument = ValueKind.Text, Measure = text => text.EnumerateRunes().Count() },
        OfText("lower", "lower({0})", EngineText.Lower),
        OfText("upper", "upper({0})", EngineText.Upper),
    ];

    /// <summary>What its arguments are.</summary>
    public ValueKind Argument { get; private init; }

    /// <summary>What it yields.</summary>
    public ValueKind Result { get; private init; }

    /// <summary>True when it takes one or more arguments, false when exactly one.</summary>
    public bool TakesAny { get; private init; }

    /// <summary>How often its argument stands in its SQL.</summary>
    public int Repetitions => Sql.Split("{0}").Length - 1;

    /// <summary>Of a function of numbers: its value, null where it has none. A missing argument is null.</summary>
    public Func<IReadOnlyList<double?>, double?>? Calculate { get; private init; }

    /// <summary>Of a function from text to numbers: its value.</summary>
    public Func<string, double>? Measure { get; private init; }

    /// <summary>Of a function from text to text: its value.</summary>
    public Func<string, string>? Change { get; private init; }

    /// <summary>A function of one number; it is missing where its argument is.</summary>
    private static RuleFunction OfNumber(string name, string sql, Func<double, double?> calculate) =>
        new(name, sql) { Calculate = arguments => arguments[0] is { } value ? calculate(value) : null };

    /// <summary>A function of the numbers that are not missing; it is missing where all of them are.</summary>
    private static RuleFunction OfNumbers(string name, string sql, Func<double[], double> calculate) =>
        new(name, sql)
        {
            TakesAny = true,
            Calculate = arguments => arguments.OfType<double>()
        .ToArray() is { Length: > 0 } known ? calculate(known) : null
        };

    private static RuleFunction OfText(string name, string sql, Func<string, string> change) =>
        new(name, sql) { Argument = ValueKind.Text, Result = ValueKind.Text, Change = change };
}
