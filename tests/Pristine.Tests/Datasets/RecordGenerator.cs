using System.Text;

namespace Pristine.Tests.Datasets;

/// <summary>Random records with everything that a careless reader or writer would change.</summary>
internal sealed class RecordGenerator(int seed)
{
    private static readonly string[] Numbers = ["0", "-0", "1.0", "1.50", "1e400", "-1E-7", "12345678901234567890123", "0.1e+2"];
    private static readonly string[] Texts =
        ["", "é中文🙂", @"\u00e9\/\n", @"\ud83d\ude42", @"\ud800", "a \\\"quoted\\\" word", "[{,}]", "\u2028"];
    private static readonly string[] Spaces = ["", " ", "  ", "\t", " \t "];

    private readonly Random _random = new(seed);

    /// <summary>A JSON object on one line, as text without surrounding white space.</summary>
    public string Record(int index)
    {
        var text = new StringBuilder("{");
        text.Append(Space()).Append("\"id\"").Append(Space()).Append(':').Append(Space()).Append(index);
        text.Append(Space()).Append(",\"image\":").Append(_random.Next(3) == 0 ? "null" : $"\"photos/{index}.jpg\"");
        for (var i = _random.Next(4); i > 0; i--)
            text.Append(',').Append(Space()).Append($"\"k{_random.Next(2)}\":").Append(Value(0)).Append(Space());
        return text.Append('}').ToString();
    }

    /// <summary>An array of records with irregular white space around them.</summary>
    public string Array(int count)
    {
        var text = new StringBuilder(_random.Next(2) == 0 ? "\uFEFF" : "").Append(Gap()).Append('[').Append(Gap());
        for (var i = 0; i < count; i++)
            text.Append(i == 0 ? "" : Gap() + "," + Gap()).Append(Record(i));
        return text.Append(Gap()).Append(']').Append(Gap()).ToString();
    }

    public string Space() => Pick(Spaces);

    public T Pick<T>(T[] choices) => choices[_random.Next(choices.Length)];

    public bool Coin() => _random.Next(2) == 0;

    private string Gap() => Pick(["", " ", "\n", "\r\n  ", "\n\n\t"]);

    private string Value(int depth) => _random.Next(depth > 3 ? 3 : 6) switch
    {
        0 => Pick(Numbers),
        1 => $"\"{Pick(Texts)}\"",
        2 => Pick(["true", "false", "null", "{}", "[]", "{ }", "[ ]"]),
        3 => $"[{Space()}{Value(depth + 1)}{Space()},{Value(depth + 1)}]",
        4 => $"{{\"a\":{Value(depth + 1)},{Space()}\"a\" :{Value(depth + 1)}}}",
        _ => $"\"{new string('x', _random.Next(300))}\"",
    };
}
