using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Pristine.Native;

namespace Pristine.Selection;

/// <summary>
/// What DuckDB makes of texts: numbers, truth values, upper and lower case. Rules that are judged in memory use it, so that they mean the
/// same as their SQL. DuckDB itself is asked; answers are remembered.
/// </summary>
internal static class EngineText
{
    private const int MostAnswers = 10_000;
    private const int CodePoints = 0x110000;
    private static readonly Lock Gate = new();
    private static readonly Lazy<DuckDbConnection> Database = new(
        () => DuckDbConnection.Open(new DuckDbOptions { Threads = 1, TemporaryFolder = "" }));
    private static readonly Lazy<Dictionary<int, int>> LowerCase = new(() => CaseOf("lower"));
    private static readonly Lazy<Dictionary<int, int>> UpperCase = new(() => CaseOf("upper"));
    private static readonly ConcurrentDictionary<string, double?> Numbers = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, bool?> Conditions = new(StringComparer.Ordinal);

    /// <summary>The number that a text is, as <see cref="RuleSql.FiniteSql"/> has it.</summary>
    public static double? Number(string text)
    {
        if (IsJsonNumber(text) && double.Parse(text, CultureInfo.InvariantCulture) is var number && double.IsFinite(number) && number != 0)
            return number;
        return Ask(Numbers, text, RuleSql.FiniteSql("$1"), reader => reader.Double(0));
    }

    /// <summary>TRY_CAST(text AS BOOLEAN).</summary>
    public static bool? Condition(string text) => Ask(Conditions, text, "TRY_CAST($1 AS BOOLEAN)", reader => reader.Boolean(0));

    /// <summary>lower(text).</summary>
    public static string Lower(string text) => Map(text, LowerCase.Value);

    /// <summary>upper(text).</summary>
    public static string Upper(string text) => Map(text, UpperCase.Value);

    /// <summary>
    /// Numbers as JSON writes them are the common case, and read alike everywhere unless they leave the range of 64-bit floats.
    /// </summary>
    private static bool IsJsonNumber(string text)
    {
        var i = text.StartsWith('-') ? 1 : 0;
        var start = i;
        while (i < text.Length && char.IsAsciiDigit(text[i]))
            i++;
        if (i == start)
            return false;
        if (i < text.Length && text[i] == '.')
        {
            start = ++i;
            while (i < text.Length && char.IsAsciiDigit(text[i]))
                i++;
            if (i == start)
                return false;
        }
        if (i < text.Length && text[i] is 'e' or 'E')
        {
            i += i + 1 < text.Length && text[i + 1] is '+' or '-' ? 2 : 1;
            start = i;
            while (i < text.Length && char.IsAsciiDigit(text[i]))
                i++;
            if (i == start)
                return false;
        }
        return i == text.Length;
    }

    private static T? Ask<T>(ConcurrentDictionary<string, T?> known, string text, string sql, Func<DuckDbReader, T> read)
        where T : struct
    {
        if (known.TryGetValue(text, out var answer))
            return answer;
        lock (Gate)
        {
            using var reader = Database.Value.Query($"SELECT {sql}", text);
            reader.Read();
            answer = reader.IsNull(0) ? null : read(reader);
        }
        if (known.Count >= MostAnswers)
            known.Clear();
        known[text] = answer;
        return answer;
    }

    /// <summary>The characters that a function changes, each by itself, as DuckDB does it.</summary>
    private static Dictionary<int, int> CaseOf(string function)
    {
        var changed = new Dictionary<int, int>();
        lock (Gate)
        {
            using var reader = Database.Value.Query(
                $"""
                SELECT i, unicode({function}(chr(i))) FROM (SELECT CAST(range AS INTEGER) AS i FROM range(1, {CodePoints}))
                WHERE i NOT BETWEEN 55296 AND 57343 AND {function}(chr(i)) <> chr(i)
                """);
            while (reader.Read())
                changed[(int)reader.Int64(0)] = (int)reader.Int64(1);
        }
        return changed;
    }

    private static string Map(string text, Dictionary<int, int> changed)
    {
        var mapped = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            mapped.Append((changed.TryGetValue(rune.Value, out var other) ? new Rune(other) : rune).ToString());
        return mapped.ToString();
    }
}
