using System.Globalization;
using System.Runtime.CompilerServices;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>The columns that a rule may name.</summary>
/// <param name="columns">Those of a table, or of any table.</param>
/// <param name="metrics">The metrics there are: their aliases stand for their names.</param>
/// <param name="everyMetric">Whether every metric that has a name is a column too, also an unlisted variant.</param>
internal sealed class RuleColumns(TableSchema columns, MetricSet metrics, bool everyMetric = false)
{
    private static readonly ConditionalWeakTable<MetricSet, RuleColumns> OfSets = [];

    /// <summary>The columns that a table with every metric of a set has.</summary>
    public static RuleColumns Any(MetricSet metrics) => OfSets.GetValue(
        metrics, set => new(TableSchema.Of(set.All), set, everyMetric: true));

    public IEnumerable<string> Names => columns.Select(column => column.Name);

    public MetricSet Metrics => metrics;

    /// <summary>
    /// Finds a column; case does not matter, as in SQL. The alias of a metric stands for its name: resnet50, resnet50_quality.
    /// </summary>
    /// <exception cref="RuleException">The name is a variant of a metric that does not exist.</exception>
    public Column? Find(string name)
    {
        if (columns.Find(name) is { } column)
            return column;
        var isQuality = name.EndsWith(Column.QualitySuffix, StringComparison.OrdinalIgnoreCase);
        var asked = isQuality ? name[..^Column.QualitySuffix.Length] : name;
        if ((metrics.Find(asked) ?? metrics.Find(asked.ToLowerInvariant())) is not { } metric)
            return everyMetric && metrics.Fault(asked) is { } fault ? throw new RuleException(fault) : null;
        if (columns.Find(isQuality ? metric.Name + Column.QualitySuffix : metric.Name) is { } aliased)
            return aliased;
        return everyMetric ? TableSchema.Of([metric]).Find(name) : null;
    }

    /// <summary>These and one more.</summary>
    public RuleColumns With(Column column) => new(columns.With(column), metrics, everyMetric);
}

/// <summary>
/// Reads the part of SQL's expressions that rules use, with SQL's precedence and case-insensitive words:
/// <code>
/// rule       := and-rule { "or" and-rule }
/// and-rule   := not-rule { "and" not-rule }
/// not-rule   := "not" not-rule | predicate
/// predicate  := sum [ ( "=" | "==" | "&lt;&gt;" | "!=" | "&lt;" | "&lt;=" | "&gt;" | "&gt;=" ) sum
///                   | [ "not" ] "between" sum "and" sum
///                   | [ "not" ] "in" "(" sum { "," sum } ")"
///                   | [ "not" ] ( "like" | "ilike" ) sum
///                   | "is" [ "not" ] "null" ]
/// sum        := product { ( "+" | "-" ) product }
/// product    := factor { ( "*" | "/" | "%" ) factor }
/// factor     := ( "-" | "+" ) factor | "(" rule ")" | function "(" rule { "," rule } ")" | column | number | 'text' | "true" | "false"
/// column     := name | "name" | "item." ( name | "name" )
/// </code>
/// There is nothing else: no subselect, no function that reads a file, no statement.
/// </summary>
internal sealed class RuleParser
{
    private enum TokenKind
    {
        Word,
        QuotedName,
        ItemField,
        Number,
        Text,
        Symbol,
        End,
    }

    private readonly record struct Token(TokenKind Kind, string Text, int Position);

    /// <summary>Deeper nesting than any human writes; keeps the recursion, here and in the database, within the stack.</summary>
    public const int MaxDepth = 200;

    /// <summary>
    /// More columns and constants than any human writes; keeps the time that the database takes to read a rule within seconds.
    /// </summary>
    public const int MaxTerms = 1000;

    /// <summary>What the longest list of <c>in</c> needs; see <see cref="RuleSql.Weight"/>.</summary>
    private const int MaxWeight = 5 * MaxTerms / 2;

    /// <summary>More characters than <see cref="MaxTerms"/> need.</summary>
    public const int MaxLength = 1_000_000;

    private const int MaxShown = 120;

    private const string ItemPrefix = "item";
    private static readonly string[] Comparisons = ["<=", ">=", "<>", "!=", "==", "<", ">", "="];

    /// <summary>How other languages write what SQL writes otherwise; the longest first.</summary>
    private static readonly (string Foreign, string Hint)[] ForeignSymbols =
    [
        ("&&", "write and"), ("||", "write or"), ("=<", "write <="), ("=>", "write >="), ("=~", "write like"), ("!~", "write not like"),
        ("**", "write a product, such as brisque * brisque"), ("&", "write and"), ("|", "write or"), ("!", "write not"),
        ("~", "write like"),
        ("^", "write a product, such as brisque * brisque"), ("[", "write in ('a', 'b'), or between 1 and 2"), ("{", "write in ('a', 'b')"),
        ("\u2264", "write <="), ("\u2265", "write >="), ("\u2260", "write <>"),
        ("`", "a column may stand in double quotes, a text in single ones"),
        ("\u2018", "a text stands in straight single quotes: 'jpeg'"), ("\u2019", "a text stands in straight single quotes: 'jpeg'"),
        ("\u201c", "a column may stand in straight double quotes, a text in single ones"), (";", "a rule is one condition"),
    ];
    private static readonly string[] Reserved =
        ["and", "or", "not", "between", "in", "is", "null", "like", "ilike", "select", "from", "case", "cast"];
    private readonly string _text;
    private readonly RuleColumns _columns;
    private readonly List<Token> _tokens;
    private int _next;
    private int _depth;
    private int _terms;
    private int _lists;

    public RuleParser(string text, RuleColumns columns)
    {
        if (text.Length > MaxLength)
            throw new RuleException($"Expected a rule of at most {MaxLength:N0} characters; found {text.Length:N0}.");
        _text = text;
        _columns = columns;
        _tokens = Tokenize();
    }

    /// <summary>Reads a condition.</summary>
    public RuleExpression ParseRule() => End(ParseOr(), "and, or, or the end of the rule");

    /// <summary>Reads a number, for ensembles.</summary>
    public RuleExpression ParseNumber() => AsNumber(End(ParseSum(), "+, -, *, / or the end of the expression"));

    private Token Peek => _tokens[_next];

    private RuleExpression End(RuleExpression expression, string expected)
    {
        if (Peek.Kind != TokenKind.End)
            throw Error(expected);
        if (expression.Weight() > MaxWeight)
            throw Failure("Expected fewer roots and logarithms within one another, or a shorter list or subject of 'in'.");
        // A sum is a tree that leans to the left: each of its terms is a level.
        return expression.Depth <= MaxDepth
            ? expression
            : throw Failure($"Expected at most {MaxDepth} operations within one another, as in a sum; found {expression.Depth}.");
    }

    private RuleExpression ParseOr() => Join("or", isAnd: false, ParseAnd);

    private RuleExpression ParseAnd() => Join("and", isAnd: true, ParseNot);

    private RuleExpression Join(string word, bool isAnd, Func<RuleExpression> parsePart)
    {
        var first = parsePart();
        if (!IsWord(word))
            return first;
        var parts = new List<RuleExpression> { AsCondition(first) };
        while (TakeWord(word))
            parts.Add(AsCondition(parsePart()));
        return new Junction(isAnd, parts);
    }

    private RuleExpression ParseNot() => Nested(() => TakeWord("not") ? new Not(AsCondition(ParseNot())) : ParsePredicate());

    private RuleExpression ParsePredicate()
    {
        var left = ParseSum();
        if (TakeWord("is"))
        {
            var negated = TakeWord("not");
            if (!TakeWord("null"))
                throw Error("null");
            return Negate(new IsNull(left), negated);
        }
        var not = TakeWord("not");
        if (TakeWord("between"))
            return Negate(ParseBetween(left), not);
        if (TakeWord("in"))
            return Negate(ParseIn(left), not);
        foreach (var like in (ReadOnlySpan<string>)["like", "ilike"])
        {
            if (!TakeWord(like))
                continue;
            var pattern = ParseSum();
            CheckText(left);
            CheckText(pattern);
            return Negate(new Pattern(left, like, pattern), not);
        }
        if (not)
            throw Error("between, in or like");
        if (Peek.Kind != TokenKind.Symbol || !Comparisons.Contains(Peek.Text))
            return left;
        var comparison = Peek.Text switch { "==" => "=", "!=" => "<>", var other => other };
        _next++;
        var right = ParseSum();
        CheckKinds(left, right);
        return new Comparison(left, comparison, right);
    }

    private Between ParseBetween(RuleExpression subject)
    {
        var low = ParseSum();
        if (!TakeWord("and"))
            throw Error("and");
        var high = ParseSum();
        CheckKinds(subject, low);
        CheckKinds(subject, high);
        if (low is NumberLiteral { Value: var from } && high is NumberLiteral { Value: var to } && from > to)
            throw new RuleException(
                $"In the rule '{Shown}': between {low.Source} and {high.Source} can never hold; the smaller value comes first.");
        return new Between(subject, low, high);
    }

    private Membership ParseIn(RuleExpression subject)
    {
        if (!TakeSymbol("("))
            throw Error("'('");
        var choices = new List<RuleExpression>();
        _lists++;
        do
        {
            choices.Add(ParseSum());
            CheckKinds(subject, choices[^1]);
        }
        while (TakeSymbol(","));
        _lists--;
        if (!TakeSymbol(")"))
            throw Error("',' or ')'");
        return new Membership(subject, choices);
    }

    private RuleExpression ParseSum() => ParseLeft("+-", ParseProduct);

    private RuleExpression ParseProduct() => ParseLeft("*/%", ParseFactor);

    private RuleExpression ParseLeft(string operators, Func<RuleExpression> parsePart)
    {
        var left = parsePart();
        while (Peek.Kind == TokenKind.Symbol && operators.Contains(Peek.Text, StringComparison.Ordinal))
        {
            var symbol = Peek.Text[0];
            _next++;
            left = new Arithmetic(AsNumber(left), symbol, AsNumber(parsePart()));
        }
        return left;
    }

    private RuleExpression ParseFactor()
    {
        if (TakeSymbol("+"))
            return Nested(() => AsNumber(ParseFactor()));
        if (TakeSymbol("-"))
        {
            return Nested(() => AsNumber(ParseFactor()) is var inner && inner is NumberLiteral { Value: var value }
                ? new NumberLiteral($"-{inner.Source}", -value)
                : new Negation(inner));
        }
        if (TakeSymbol("("))
        {
            var inner = Nested(ParseOr);
            return TakeSymbol(")") ? inner : throw Error("')'");
        }
        if (++_terms > MaxTerms)
            throw Failure($"Expected at most {MaxTerms:N0} columns and constants; found more.");
        var token = Peek;
        _next++;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return ParseLiteral(token);
            case TokenKind.Text:
                return new TextLiteral(token.Text);
            case TokenKind.ItemField:
                return new ColumnReference($"item.{token.Text}", ValueKind.Any, null, token.Text);
            case TokenKind.Word when Peek is { Kind: TokenKind.Symbol, Text: "(" } && !IsReserved(token.Text):
                return ParseCall(token);
            case TokenKind.Word when token.Text.ToLowerInvariant() is "true" or "false":
                return new BooleanLiteral(token.Text.Equals("true", StringComparison.OrdinalIgnoreCase));
            case TokenKind.QuotedName:
            case TokenKind.Word when !IsReserved(token.Text):
                return ParseColumn(token.Text, mayBeText: token.Kind == TokenKind.QuotedName || IsComparedWithText(_next - 1));
            default:
                _next--;
                throw Error("a column, a number or a 'text'", token.Text.Equals(
                    "null", StringComparison.OrdinalIgnoreCase) ? "write is null" : null);
        }
    }

    /// <summary>A comma after a number is a decimal comma where no list of values is being read.</summary>
    private NumberLiteral ParseLiteral(Token token)
    {
        var isList = _lists > 0;
        if (!isList && Peek is { Kind: TokenKind.Symbol, Text: "," } comma && _tokens[_next + 1] is { Kind: TokenKind.Number } decimals
            && comma.Position == token.Position + token.Text.Length && decimals.Position == comma.Position + 1)
            throw Failure($"expected a number with a point; found {token.Text},{decimals.Text}. Write {token.Text}.{decimals.Text}.");
        return new NumberLiteral(token.Text, double.Parse(token.Text, CultureInfo.InvariantCulture));
    }

    /// <summary>True if the token stands right behind <c>TEXT COLUMN =</c>, so that a name there was meant to be a text.</summary>
    private bool IsComparedWithText(int at) => at >= 2
        && (_tokens[at - 1] is { Kind: TokenKind.Symbol } symbol
        ? Comparisons.Contains(symbol.Text)
        : _tokens[at - 1].Text is "like" or "ilike")
        && _tokens[at - 2] is { Kind: TokenKind.Word or TokenKind.QuotedName or TokenKind.ItemField } left
        && (left.Kind == TokenKind.ItemField || _columns.Find(left.Text) is { IsNumber: false, Type: not ColumnType.Boolean });

    private FunctionCall ParseCall(Token name)
    {
        var function = RuleFunction.All.FirstOrDefault(known => known.Name.Equals(name.Text, StringComparison.OrdinalIgnoreCase))
            ?? throw Failure(
                $"There is no function '{name.Text}' for rules. There are " +
                $"{string.Join(", ", RuleFunction.All.Select(known => known.Name))}.");
        _next++;
        var arguments = new List<RuleExpression>();
        _lists++;
        do
        {
            var argument = Nested(ParseOr);
            if (function.Argument == ValueKind.Number)
                AsNumber(argument);
            else
                CheckText(argument);
            arguments.Add(argument);
        }
        while (TakeSymbol(","));
        _lists--;
        if (!function.TakesAny && arguments.Count != 1)
            throw Failure($"{function.Name} takes one argument; found {arguments.Count}.");
        return TakeSymbol(")") ? new FunctionCall(function, arguments) : throw Error("',' or ')'");
    }

    private ColumnReference ParseColumn(string name, bool mayBeText = false)
    {
        if (_columns.Find(name) is { Type: ColumnType.Floats })
            throw Failure($"'{name}' holds vectors, which rules cannot compare.");
        if (_columns.Find(name) is { } column)
        {
            var kind = column.IsNumber ? ValueKind.Number : column.Type == ColumnType.Boolean ? ValueKind.Boolean : ValueKind.Text;
            return new ColumnReference(column.Name, kind, column);
        }
        var nearest = $"Nearest: {string.Join(", ", NearestNames.Of(name, _columns.Names))}";
        throw Failure(RuleColumns.Any(_columns.Metrics).Find(name) == null
            ? $"There is no column '{name}'. {(mayBeText ? $"A text stands in single quotes: '{name}'. " : "")}{nearest}; a field of the " +
            $"dataset's items is item.{name}."
            : $"The table has no column '{name}'; 'pristine score INPUT --out TABLE --metrics ...' adds it. {nearest}.");
    }

    private RuleExpression Nested(Func<RuleExpression> parse)
    {
        if (++_depth > MaxDepth)
            throw Error($"at most {MaxDepth} nested conditions");
        try
        {
            return parse();
        }
        finally
        {
            _depth--;
        }
    }

    private static RuleExpression Negate(RuleExpression node, bool negated) => negated ? new Not(node) : node;

    /// <summary>A number or a text alone is no condition: its comparison is missing.</summary>
    private RuleExpression AsCondition(RuleExpression expression) => expression.Kind is ValueKind.Boolean or ValueKind.Any
        ? expression
        : throw Error("a comparison (=, <>, <, <=, >, >=, between, in, like, is null)");

    private RuleExpression AsNumber(RuleExpression expression) => expression.Kind is ValueKind.Number or ValueKind.Any
        ? expression
        : throw Failure($"expected a number; {Described(expression)} is none.");

    private void CheckText(RuleExpression expression)
    {
        if (expression.Kind is not (ValueKind.Text or ValueKind.Any))
            throw Failure($"expected text; {Described(expression)} is none.");
    }

    private void CheckKinds(RuleExpression left, RuleExpression right)
    {
        if (left.Kind != right.Kind && left.Kind != ValueKind.Any && right.Kind != ValueKind.Any)
            throw Failure($"{Described(left)} cannot be compared with {Described(right)}.");
    }

    private static string Described(RuleExpression expression)
    {
        var kind = expression.Kind switch { ValueKind.Text => "text", ValueKind.Boolean => "true or false", _ => "a number" };
        return $"{expression.Source} ({kind})";
    }

    private static bool IsReserved(string word) => Reserved.Contains(word, StringComparer.OrdinalIgnoreCase);

    private bool IsWord(string word) => Peek.Kind == TokenKind.Word && Peek.Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    private bool TakeWord(string word)
    {
        if (!IsWord(word))
            return false;
        _next++;
        return true;
    }

    private bool TakeSymbol(string symbol)
    {
        if (Peek.Kind != TokenKind.Symbol || Peek.Text != symbol)
            return false;
        _next++;
        return true;
    }

    /// <summary>Checks that what was read is a condition.</summary>
    public static RuleExpression ReadRule(string text, RuleColumns columns)
    {
        var parser = new RuleParser(text, columns);
        return parser.AsCondition(parser.ParseRule());
    }

    /// <summary>Reads an expression that gives a number.</summary>
    public static RuleExpression ReadNumber(string text, RuleColumns columns) => new RuleParser(text, columns).ParseNumber();

    /// <summary>Reads the name of one column.</summary>
    public static ColumnReference ReadColumn(string text, RuleColumns columns)
    {
        // A plain name need not be quoted here, whatever stands in it.
        if (columns.Find(text) != null)
            return new RuleParser("", columns).ParseColumn(text);
        var parser = new RuleParser(text, columns);
        return parser.End(parser.ParseFactor(), "the name of one column") as ColumnReference
            ?? throw parser.Failure("expected the name of one column.");
    }

    private List<Token> Tokenize()
    {
        var tokens = new List<Token>();
        var i = 0;
        while (i < _text.Length)
        {
            var c = _text[i];
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                tokens.Add(ReadName(ref i));
            }
            else if (char.IsAsciiDigit(c) || c == '.')
            {
                tokens.Add(ReadNumber(ref i));
            }
            else if (c is '\'' or '"')
            {
                tokens.Add(ReadQuoted(ref i));
            }
            else
            {
                var at = i;
                // Before the symbols that exist: "=<" begins with one of them.
                if (ForeignSymbols.FirstOrDefault(other => string.CompareOrdinal(
                    _text, at, other.Foreign, 0, other.Foreign.Length) == 0) is { Foreign: { } foreign } found
                    && !(foreign == "!" && at + 1 < _text.Length && _text[at + 1] == '='))
                    throw Error($"no '{foreign}' here; {found.Hint}", i);
                var symbol = Comparisons.FirstOrDefault(s => string.CompareOrdinal(_text, at, s, 0, s.Length) == 0)
                    ?? ("(),+-*/%".Contains(c, StringComparison.Ordinal) ? c.ToString() : throw Error($"no '{c}' here", i));
                tokens.Add(new Token(TokenKind.Symbol, symbol, i));
                i += symbol.Length;
            }
        }
        tokens.Add(new Token(TokenKind.End, "the end of the rule", _text.Length));
        return tokens;
    }

    private Token ReadName(ref int i)
    {
        var start = i;
        var word = ReadWord(ref i);
        if (word.Equals(ItemPrefix, StringComparison.OrdinalIgnoreCase) && i < _text.Length && _text[i] == '.')
        {
            i++;
            if (i < _text.Length && _text[i] == '"')
                return ReadQuoted(ref i) with { Kind = TokenKind.ItemField, Position = start };
            var field = ReadWord(ref i);
            return field.Length > 0 ? new Token(TokenKind.ItemField, field, start) : throw Error("the name of a field after 'item.'", i);
        }
        // SQL would read brisque-live as a subtraction; a metric's name is what the user means.
        if (i < _text.Length && _text[i] is '-' or '@' or ':')
        {
            var end = i;
            while (end < _text.Length && (char.IsAsciiLetterOrDigit(_text[end]) || _text[end] is '_' or '-' or '@' or ':'))
                end++;
            if (_columns.Find(_text[start..end]) != null || RuleColumns.Any(_columns.Metrics).Find(_text[start..end]) != null)
            {
                i = end;
                return new Token(TokenKind.QuotedName, _text[start..end], start);
            }
            // A dash may be a minus; the other signs stand in names alone.
            if (_text.AsSpan(start..end).ContainsAny('@', ':'))
                ParseColumn(_text[start..end]);
        }
        return new Token(TokenKind.Word, word, start);
    }

    private string ReadWord(ref int i)
    {
        var start = i;
        while (i < _text.Length && (char.IsAsciiLetterOrDigit(_text[i]) || _text[i] == '_'))
            i++;
        return _text[start..i];
    }

    private Token ReadNumber(ref int i)
    {
        var start = i;
        while (i < _text.Length
            && (char.IsAsciiLetterOrDigit(_text[i]) || _text[i] == '.' || (_text[i] is '-' or '+' && _text[i - 1] is 'e' or 'E')))
            i++;
        var text = _text[start..i];
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? new Token(TokenKind.Number, text, start)
            : throw Error($"a number instead of '{text}'", start);
    }

    private Token ReadQuoted(ref int i)
    {
        var (quote, start) = (_text[i], i);
        var content = new System.Text.StringBuilder();
        for (i++; i < _text.Length; i++)
        {
            if (_text[i] != quote)
            {
                content.Append(_text[i]);
            }
            else if (i + 1 < _text.Length && _text[i + 1] == quote)
            {
                content.Append(quote);
                i++;
            }
            else
            {
                i++;
                return new Token(quote == '"' ? TokenKind.QuotedName : TokenKind.Text, content.ToString(), start);
            }
        }
        throw Error($"a closing {quote}", start);
    }

    /// <summary>The rule as messages show it.</summary>
    private string Shown => _text.Trim() is var text && text.Length <= MaxShown ? text : $"{text[..MaxShown]}...";

    private RuleException Failure(string message) => new($"In the rule '{Shown}': {message}");

    private RuleException Error(string expected, string? hint = null) =>
        Error(expected, Peek.Position, hint == null ? Peek.Text : $"{Peek.Text}; {hint}");

    private RuleException Error(string expected, int position, string? found = null) => new(
        $"In the rule '{Shown}' at character {position + 1}: expected {expected}{(found == null ? "" : $"; found {found}")}.");
}
