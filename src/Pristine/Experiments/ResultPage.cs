using System.Globalization;
using System.Net;
using System.Text;

namespace Pristine.Experiments;

/// <summary>A table of texts; the first column names the row.</summary>
/// <param name="Columns">The heading of each column.</param>
/// <param name="Rows">As many cells per row.</param>
internal sealed record ResultTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>Values with their confidence intervals on one axis; in HTML only.</summary>
/// <param name="Axis">What the values are.</param>
/// <param name="Low">Left end of the axis.</param>
/// <param name="High">Right end of the axis.</param>
/// <param name="Marks">A label and an estimate per line; a NaN has no mark.</param>
internal sealed record IntervalChart(string Axis, double Low, double High, IReadOnlyList<(string Label, Estimate Estimate)> Marks);

/// <summary>A heading with text, a chart and a table, each of which may be missing.</summary>
internal sealed record ResultSection(string Heading, string Text, ResultTable? Table = null, IntervalChart? Chart = null);

/// <summary>A result for people to read, as Markdown or as one HTML file that loads nothing.</summary>
internal sealed record ResultPage(string Title, string Introduction, IReadOnlyList<ResultSection> Sections)
{
    private const int LabelWidth = 180, PlotWidth = 480, LineHeight = 24, Margin = 12;

    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 85rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        .wide { overflow-x: auto; }
        th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; }
        svg { max-width: 100%; height: auto; }
        svg text { font: 13px system-ui, sans-serif; fill: currentColor; }
        @media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #181818; } th, td { border-color: #444; } }
        """;

    /// <summary>A number with so many decimals, or a dash for NaN.</summary>
    public static string Number(double value, int decimals = 3) =>
        double.IsNaN(value) ? "–" : value.ToString($"F{decimals}", CultureInfo.InvariantCulture);

    /// <summary>A value and its interval: <c>0.512 (0.480 to 0.544)</c>.</summary>
    public static string Number(Estimate estimate) =>
        double.IsNaN(estimate.Value) ? "–" : $"{Number(estimate.Value)} ({Number(estimate.Interval.Low)} to {Number(estimate.Interval.High)})";

    public string ToMarkdown()
    {
        var text = new StringBuilder($"# {Title}\n\n{Introduction}\n");
        foreach (var section in Sections)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {section.Heading}\n\n{section.Text}\n");
            if (section.Table is not { } table)
                continue;
            text.Append('\n').Append(MarkdownRow(table.Columns)).Append(MarkdownRow([.. table.Columns.Select((_, i) => i == 0 ? "---" : "---:")]));
            foreach (var row in table.Rows)
                text.Append(MarkdownRow(row));
        }
        return text.ToString();
    }

    public string ToHtml()
    {
        var html = new StringBuilder("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<title>{Escape(Title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n");
        html.Append(CultureInfo.InvariantCulture, $"<h1>{Escape(Title)}</h1>\n<p>{Escape(Introduction)}</p>\n");
        foreach (var section in Sections)
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Escape(section.Heading)}</h2>\n<p>{Escape(section.Text)}</p>\n");
            if (section.Chart is { } chart)
                AppendChart(html, chart);
            if (section.Table is not { } table)
                continue;
            html.Append("<div class=\"wide\"><table>\n<thead><tr>");
            foreach (var column in table.Columns)
                html.Append(CultureInfo.InvariantCulture, $"<th>{Escape(column)}</th>");
            html.Append("</tr></thead>\n<tbody>\n");
            foreach (var row in table.Rows)
                html.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Escape(cell)}</td>")).Append("</tr>\n");
            html.Append("</tbody>\n</table></div>\n");
        }
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void AppendChart(StringBuilder html, IntervalChart chart)
    {
        var height = (chart.Marks.Count + 1) * LineHeight + Margin;
        var axis = chart.Marks.Count * LineHeight + Margin / 2;
        html.Append(CultureInfo.InvariantCulture, $"<svg role=\"img\" aria-label=\"{Escape(chart.Axis)}\" width=\"{LabelWidth + PlotWidth + 2 * Margin}\" height=\"{height}\" ");
        html.Append(CultureInfo.InvariantCulture, $"viewBox=\"0 0 {LabelWidth + PlotWidth + 2 * Margin} {height}\">\n");
        for (var tick = 0; tick <= 4; tick++)
        {
            var value = chart.Low + tick * (chart.High - chart.Low) / 4;
            html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(value):F1}\" y1=\"0\" x2=\"{X(value):F1}\" y2=\"{axis}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(value):F1}\" y=\"{axis + 16}\" text-anchor=\"middle\">{value:0.##}</text>\n");
        }
        for (var i = 0; i < chart.Marks.Count; i++)
        {
            var (label, estimate) = chart.Marks[i];
            var y = i * LineHeight + LineHeight / 2;
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - Margin}\" y=\"{y + 4}\" text-anchor=\"end\">{Escape(label)}</text>");
            if (!double.IsNaN(estimate.Value))
            {
                if (!double.IsNaN(estimate.Interval.Low))
                    html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(estimate.Interval.Low):F1}\" y1=\"{y}\" x2=\"{X(estimate.Interval.High):F1}\" y2=\"{y}\" stroke=\"#2f6fdf\" stroke-width=\"2\"/>");
                html.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(estimate.Value):F1}\" cy=\"{y}\" r=\"5\" fill=\"#2f6fdf\"/>");
            }
            html.Append('\n');
        }
        html.Append("</svg>\n");

        double X(double value) => LabelWidth + PlotWidth * Math.Clamp((value - chart.Low) / (chart.High - chart.Low), 0, 1);
    }

    private static string MarkdownRow(IReadOnlyList<string> cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
