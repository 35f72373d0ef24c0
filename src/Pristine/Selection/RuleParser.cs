using System.Globalization;
using Pristine.Scoring;

namespace Pristine.Selection;

/// <summary>
/// Reads the part of SQL's boolean expressions that rules use, with SQL's precedence (not, and, or) and case-insensitive words:
/// <code>
/// rule       := and-rule { "or" and-rule }
/// and-rule   := not-rule { "and" not-rule }
/// not-rule   := "not" not-rule | "(" rule ")" | comparison
/// comparison := operand ( "=" | "==" | "&lt;&gt;" | "!=" | "&lt;" | "&lt;=" | "&gt;" | "&gt;=" ) operand
///             | operand [ "not" ] "between" operand "and" operand
///             | operand [ "not" ] "in" "(" operand { "," operand } ")"
///             | operand "is" [ "not" ] "null"
/// operand    := column | "column" | number | 'text'
/// </code>
/// </summary>
internal sealed class RuleParser
{
    private enum TokenKind
    {
        Word,
        QuotedName,
        Number,
        Text,
        Symbol,
        End,
    }

    private readonly record struct Token(TokenKind Kind, string Text, int Position);

    /// <summary>Deeper nesting than any human writes; keeps the recursion within the stack.</summary>
    private const int MaxDepth = 200;

    private static readonly string[] Comparisons = ["<=", ">=", "<>", "!=", "==", "<", ">", "="];
    private static readonly string[] Reserved = ["and", "or", "not", "between", "in", "is", "null"];
    private readonly string _text;
    private readonly List<Token> _tokens;
    private int _next;
    private int _depth;

    public RuleParser(string text)
    {
        _text = text;
        _tokens = Tokenize();
    }

    public RuleNode Parse()
    {
        var rule = ParseOr();
        return Peek.Kind == TokenKind.End ? rule : throw Error("and, or, or the end of the rule");
    }

    private Token Peek => _tokens[_next];

    private RuleNode ParseOr() => Join("or", isAnd: false, ParseAnd);

    private RuleNode ParseAnd() => Join("and", isAnd: true, ParseNot);

    private RuleNode Join(string word, bool isAnd, Func<RuleNode> parsePart)
    {
        var parts = new List<RuleNode> { parsePart() };
        while (TakeWord(word))
            parts.Add(parsePart());
        return parts.Count == 1 ? parts[0] : new JunctionNode(isAnd, parts);
    }

    private RuleNode ParseNot()
    {
        if (++_depth > MaxDepth)
            throw Error($"at most {MaxDepth} nested conditions");
        try
        {
            if (TakeWord("not"))
                return new NotNode(ParseNot());
            if (!TakeSymbol("("))
                return ParseComparison();
            var inner = ParseOr();
            return TakeSymbol(")") ? inner : throw Error("')'");
        }
        finally
        {
            _depth--;
        }
    }

    private RuleNode ParseComparison()
    {
        var left = ParseOperand();
        if (TakeWord("is"))
        {
            var negated = TakeWord("not");
            if (!TakeWord("null"))
                throw Error("null");
            return Negate(new IsNullNode(left), negated);
        }
        var not = TakeWord("not");
        if (TakeWord("between"))
        {
            var low = ParseOperand();
            if (!TakeWord("and"))
                throw Error("and");
            var high = ParseOperand();
            CheckKinds(left, low);
            CheckKinds(left, high);
            if (low is ConstantOperand { Constant: var from } && high is ConstantOperand { Constant: var to } && Value.Compare(from, to) > 0)
                throw new RuleException($"In the rule '{_text.Trim()}': between {low.Source} and {high.Source} can never hold; the smaller value comes first.");
            return Negate(new BetweenNode(left, low, high), not);
        }
        if (TakeWord("in"))
        {
            if (!TakeSymbol("("))
                throw Error("'('");
            var choices = new List<Operand>();
            do
            {
                choices.Add(ParseOperand());
                CheckKinds(left, choices[^1]);
            }
            while (TakeSymbol(","));
            if (!TakeSymbol(")"))
                throw Error("',' or ')'");
            return Negate(new InNode(left, choices), not);
        }
        if (not)
            throw Error("between or in");
        if (Peek.Kind != TokenKind.Symbol || !Comparisons.Contains(Peek.Text))
            throw Error("a comparison (=, <>, <, <=, >, >=, between, in, is null)");
        var comparison = Peek.Text switch { "==" => "=", "!=" => "<>", var other => other };
        _next++;
        var right = ParseOperand();
        CheckKinds(left, right);
        return new ComparisonNode(left, comparison, right);
    }

    private static RuleNode Negate(RuleNode node, bool negated) => negated ? new NotNode(node) : node;

    private Operand ParseOperand()
    {
        var token = Peek;
        _next++;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new ConstantOperand(
                    token.Text, ColumnKind.Number, Value.OfNumber(double.Parse(token.Text, CultureInfo.InvariantCulture), isFloat: false));
            case TokenKind.Text:
                return new ConstantOperand($"'{token.Text}'", ColumnKind.Text, Value.OfText(token.Text));
            case TokenKind.QuotedName:
            case TokenKind.Word when !Reserved.Contains(token.Text, StringComparer.OrdinalIgnoreCase):
                return ParseColumn(token);
            default:
                _next--;
                throw Error("a column, a number or a 'text'");
        }
    }

    private ColumnOperand ParseColumn(Token token)
    {
        var name = token.Text.ToLowerInvariant();
        try
        {
            var metric = ScoreColumns.MetricOf(name);
            var column = new ScoreColumns(metric == null ? [] : [metric]).Find(name)!;
            return new ColumnOperand(column.Name, column.Kind);
        }
        catch (ArgumentException exception)
        {
            throw new RuleException($"In the rule '{_text.Trim()}': {exception.Message.Split(" (Parameter", 2)[0]}");
        }
    }

    private void CheckKinds(Operand left, Operand right)
    {
        if (left.Kind != right.Kind)
        {
            static string Name(Operand operand) => $"{operand.Source} ({(operand.Kind == ColumnKind.Text ? "text" : "a number")})";
            throw new RuleException($"In the rule '{_text.Trim()}': {Name(left)} cannot be compared with {Name(right)}.");
        }
    }

    private bool TakeWord(string word)
    {
        if (Peek.Kind != TokenKind.Word || !Peek.Text.Equals(word, StringComparison.OrdinalIgnoreCase))
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
                var start = i;
                while (i < _text.Length && (char.IsAsciiLetterOrDigit(_text[i]) || _text[i] == '_'))
                    i++;
                tokens.Add(new Token(TokenKind.Word, _text[start..i], start));
                // SQL would read brisque-live as a subtraction; a metric's name is what the user means.
                if (i < _text.Length && _text[i] is '-' or '@' or ':')
                    JoinMetricName(tokens, start, ref i);
            }
            else if (char.IsAsciiDigit(c) || c is '.' or '-' or '+')
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
                var symbol = Comparisons.FirstOrDefault(s => string.CompareOrdinal(_text, at, s, 0, s.Length) == 0) ?? (c is '(' or ')' or ',' ? c.ToString() : null);
                if (symbol == null)
                    throw Error($"no '{c}' here", i);
                tokens.Add(new Token(TokenKind.Symbol, symbol, i));
                i += symbol.Length;
            }
        }
        tokens.Add(new Token(TokenKind.End, "the end of the rule", _text.Length));
        return tokens;
    }

    private void JoinMetricName(List<Token> tokens, int start, ref int i)
    {
        var end = i;
        while (end < _text.Length && (char.IsAsciiLetterOrDigit(_text[end]) || _text[end] is '_' or '-' or '@' or ':'))
            end++;
        var name = _text[start..end];
        if (!ScoreColumns.Known.Contains(name, StringComparer.OrdinalIgnoreCase))
            return;
        tokens[^1] = new Token(TokenKind.QuotedName, name, start);
        i = end;
    }

    private Token ReadNumber(ref int i)
    {
        var start = i;
        if (_text[i] is '-' or '+')
            i++;
        while (i < _text.Length && (char.IsAsciiLetterOrDigit(_text[i]) || _text[i] == '.' || (_text[i] is '-' or '+' && _text[i - 1] is 'e' or 'E')))
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

    private RuleException Error(string expected) => Error(expected, Peek.Position, Peek.Text);

    private RuleException Error(string expected, int position, string? found = null) => new(
        $"In the rule '{_text.Trim()}' at character {position + 1}: expected {expected}{(found == null ? "" : $"; found {found}")}.");
}
