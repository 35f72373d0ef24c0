using System.Text;

namespace Pristine.Pages;

/// <summary>A table of texts; the first column names the row.</summary>
/// <param name="Columns">The heading of each column.</param>
/// <param name="Rows">As many cells per row.</param>
internal sealed record PageTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>The table as Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder(MarkdownRow(Columns)).Append(MarkdownRow([.. Columns.Select((_, i) => i == 0 ? "---" : "---:")]));
        foreach (var row in Rows)
            text.Append(MarkdownRow(row));
        return text.ToString();
    }

    /// <summary>The table in aligned columns for a terminal: the first from the left, the others from the right.</summary>
    public string ToText()
    {
        var rows = Rows.Prepend(Columns).ToArray();
        var widths = Columns.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        return string.Concat(rows.Select(row =>
            string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column])))
            .TrimEnd() + "\n"));
    }

    /// <summary>Writes the table as HTML.</summary>
    public void AppendTo(StringBuilder html)
    {
        html.Append("<table>\n<thead><tr>").AppendJoin("", Columns.Select(column => $"<th scope=\"col\">{HtmlPage.Escape(column)}</th>"))
            .Append("</tr></thead>\n<tbody>\n");
        foreach (var row in Rows)
        {
            html.Append("<tr>").AppendJoin("", row.Select((cell, column) =>
                column == 0 ? $"<th scope=\"row\">{HtmlPage.Escape(cell)}</th>" : $"<td>{HtmlPage.Escape(cell)}</td>")).Append("</tr>\n");
        }
        html.Append("</tbody>\n</table>\n");
    }

    private static string MarkdownRow(IReadOnlyList<string> cells) =>
        $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n";
}
