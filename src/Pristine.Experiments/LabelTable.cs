using nietras.SeparatedValues;
using Pristine.Datasets;

namespace Pristine.Experiments;

/// <summary>
/// A label file with a header: CSV as in RFC 4180, with the comma, semicolon or tab that the header has most of. Fields may hold line
/// breaks in quotes. Rows may have fewer or more fields than the header; empty lines are passed over.
/// </summary>
internal sealed class LabelTable
{
    private readonly string _file;

    private LabelTable(string file, IReadOnlyList<string> columns, int headerLine, IReadOnlyList<LabelRow> rows) =>
        (_file, Columns, HeaderLine, Rows) = (file, columns, headerLine, rows);

    /// <summary>The fields of the header, without space around them.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The rows in the file's order.</summary>
    public IReadOnlyList<LabelRow> Rows { get; }

    private int HeaderLine { get; }

    /// <summary>Reads a table.</summary>
    /// <param name="file">What the file is called in messages.</param>
    /// <param name="text">Its text.</param>
    /// <exception cref="DatasetException">There is no header, or a quote has no end.</exception>
    public static LabelTable Read(string file, string text)
    {
        IReadOnlyList<string>? columns = null;
        var headerLine = 0;
        var rows = new List<LabelRow>();
        try
        {
            using var reader = Sep.New(SeparatorOf(text))
                .Reader(options => options with { HasHeader = false, Unescape = true, DisableColCountCheck = true }).FromText(text);
            foreach (var row in reader)
            {
                if (row.Span.IsWhiteSpace())
                    continue;
                var fields = new string[row.ColCount];
                for (var i = 0; i < fields.Length; i++)
                    fields[i] = row[i].ToString();
                if (columns == null)
                    (columns, headerLine) = ([.. fields.Select(field => field.Trim())], row.LineNumberFrom);
                else
                    rows.Add(new(row.LineNumberFrom, fields));
            }
        }
        catch (InvalidDataException error)
        {
            throw new DatasetException($"Expected a CSV file in '{file}'; {error.Message}", error);
        }
        return columns == null
            ? throw new DatasetException($"Expected a header such as image,label in '{file}'; found an empty file.")
            : new LabelTable(file, columns, headerLine, rows);
    }

    /// <summary>The position of the first of some columns that the header has, or null; case does not matter.</summary>
    public int? Find(IEnumerable<string> names)
    {
        foreach (var name in names)
            for (var i = 0; i < Columns.Count; i++)
                if (Columns[i].Equals(name, StringComparison.OrdinalIgnoreCase))
                    return i;
        return null;
    }

    /// <summary>The position of the first of some columns that the header has.</summary>
    /// <param name="names">Their names; case does not matter.</param>
    /// <param name="content">What is in such a column, for example <c>an image</c>; null when the user named it.</param>
    /// <exception cref="DatasetException">The header has none of them.</exception>
    public int Require(IReadOnlyCollection<string> names, string? content = null) => Find(names) ?? throw new DatasetException(
        $"{_file}:{HeaderLine}: expected a column{(content == null ? "" : $" with {content}")}, called {string.Join(", ", names)}; found " +
        $"the columns {string.Join(", ", Columns)}.");

    /// <summary>Whichever of comma, semicolon and tab the first line with a text has most of.</summary>
    private static char SeparatorOf(string text)
    {
        ReadOnlySpan<char> header = "";
        foreach (var line in text.AsSpan().EnumerateLines())
            if (header.IsWhiteSpace())
                header = line;
        var (best, most) = (',', 0);
        foreach (var candidate in ",;\t")
            if (header.Count(candidate) is var count && count > most)
                (best, most) = (candidate, count);
        return best;
    }
}

/// <summary>A row of a label file.</summary>
/// <param name="Line">The line it begins in, from 1.</param>
/// <param name="Fields">Its fields, without their quotes.</param>
internal sealed record LabelRow(int Line, IReadOnlyList<string> Fields);
