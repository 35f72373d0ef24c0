using System.Globalization;
using System.Net;
using System.Text;

namespace Pristine.Experiments;

/// <summary>A table of texts; the first column names the row.</summary>
/// <param name="Columns">The heading of each column.</param>
/// <param name="Rows">As many cells per row.</param>
internal sealed record ResultTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A picture of some numbers; in HTML only.</summary>
internal abstract record ResultChart
{
    /// <summary>What it shows, for those who cannot see it.</summary>
    public abstract string Title { get; }

    /// <summary>Writes it as SVG.</summary>
    public abstract void AppendTo(StringBuilder html);

    /// <summary>The opening tag of a picture of this size.</summary>
    protected void Open(StringBuilder html, int width, int height)
    {
        html.Append(CultureInfo.InvariantCulture, $"<svg role=\"img\" aria-label=\"{ResultPage.Escape(Title)}\" width=\"{width}\" height=\"{height}\" ");
        html.Append(CultureInfo.InvariantCulture, $"viewBox=\"0 0 {width} {height}\">\n");
    }
}

/// <summary>Values with their confidence intervals on one axis.</summary>
/// <param name="Axis">What the values are.</param>
/// <param name="Low">Left end of the axis.</param>
/// <param name="High">Right end of the axis.</param>
/// <param name="Marks">A label and an estimate per line; a NaN has no mark.</param>
internal sealed record IntervalChart(string Axis, double Low, double High, IReadOnlyList<(string Label, Estimate Estimate)> Marks) : ResultChart
{
    private const int LabelWidth = 180, PlotWidth = 480, LineHeight = 24, Margin = 12;

    public override string Title => Axis;

    public override void AppendTo(StringBuilder html)
    {
        // Long labels get room; a character is at most about 7.5 pixels wide.
        var labels = Math.Max(LabelWidth, (int)(7.5 * Marks.Max(mark => mark.Label.Length)) + Margin);
        var axis = Marks.Count * LineHeight + Margin / 2;
        Open(html, labels + PlotWidth + 2 * Margin, (Marks.Count + 1) * LineHeight + Margin);
        for (var tick = 0; tick <= 4; tick++)
        {
            var value = Low + tick * (High - Low) / 4;
            var isZero = Low < 0 && Math.Abs(value) < 1e-9;
            html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(value):F1}\" y1=\"0\" x2=\"{X(value):F1}\" y2=\"{axis}\" stroke=\"currentColor\" stroke-opacity=\"{(isZero ? 0.7 : 0.2)}\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(value):F1}\" y=\"{axis + 16}\" text-anchor=\"middle\">{value:0.##}</text>\n");
        }
        for (var i = 0; i < Marks.Count; i++)
        {
            var (label, estimate) = Marks[i];
            var y = i * LineHeight + LineHeight / 2;
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{labels - Margin}\" y=\"{y + 4}\" text-anchor=\"end\">{ResultPage.Escape(label)}</text>");
            if (!double.IsNaN(estimate.Value))
            {
                if (!double.IsNaN(estimate.Interval.Low))
                    html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(estimate.Interval.Low):F1}\" y1=\"{y}\" x2=\"{X(estimate.Interval.High):F1}\" y2=\"{y}\" stroke=\"#2f6fdf\" stroke-width=\"2\"/>");
                html.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(estimate.Value):F1}\" cy=\"{y}\" r=\"5\" fill=\"#2f6fdf\"/>");
            }
            html.Append('\n');
        }
        html.Append("</svg>\n");

        double X(double value) => labels + PlotWidth * Math.Clamp((value - Low) / (High - Low), 0, 1);
    }
}

/// <summary>A line of a <see cref="LineChart"/>.</summary>
/// <param name="Label">What it is.</param>
/// <param name="IsControl">Drawn in grey and dashed, for what others are compared with.</param>
/// <param name="Points">Places and values with their intervals; a NaN has no mark.</param>
internal sealed record ChartLine(string Label, bool IsControl, IReadOnlyList<(double X, Estimate Y)> Points);

/// <summary>Values with their confidence intervals over another number; large numbers stand on the left.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="XAxis">What lies along the horizontal axis, with its unit.</param>
/// <param name="YAxis">What lies along the vertical axis, with its unit.</param>
/// <param name="Lines">The lines.</param>
/// <param name="Reference">A level that is drawn across; null for none.</param>
internal sealed record LineChart(string Title, string XAxis, string YAxis, IReadOnlyList<ChartLine> Lines, (string Label, double Value)? Reference) : ResultChart
{
    private const int Left = 64, Top = 12, PlotWidth = 560, PlotHeight = 300, Below = 48, Legend = 230, LineHeight = 20;
    private static readonly string[] Colors = ["#2f6fdf", "#d9730d", "#2e9e5b", "#a347c4", "#c0392b", "#0e9aa7", "#8a6d00", "#d6457f"];

    public override string Title { get; } = Title;

    public override void AppendTo(StringBuilder html)
    {
        var values = Lines.SelectMany(line => line.Points).SelectMany(point => new[] { point.Y.Value, point.Y.Interval.Low, point.Y.Interval.High })
            .Append(Reference?.Value ?? double.NaN).Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
        var step = Step(values.Max() - values.Min());
        var (low, high) = (Math.Floor(values.Min() / step) * step, Math.Ceiling(values.Max() / step) * step);
        if (high <= low)
            high = low + step;
        var places = Lines.SelectMany(line => line.Points).Select(point => point.X).Distinct().OrderDescending().ToArray();
        var (first, last) = (places.Max(), places.Min() == places.Max() ? places.Min() - 1 : places.Min());
        Open(html, Left + PlotWidth + Legend, Math.Max(Top + PlotHeight + Below, Top + (Lines.Count + 1) * LineHeight));
        for (var value = low; value <= high + step / 2; value += step)
        {
            html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{Y(value):F1}\" x2=\"{Left + PlotWidth}\" y2=\"{Y(value):F1}\" stroke=\"currentColor\" stroke-opacity=\"0.15\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(value) + 4:F1}\" text-anchor=\"end\">{Math.Round(value, 6):0.###}</text>\n");
        }
        // Places that lie close together share a number.
        var written = double.NegativeInfinity;
        foreach (var place in places.Where(place => X(place) - written > 36 && (written = X(place)) > double.NegativeInfinity))
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(place):F1}\" y=\"{Top + PlotHeight + 18}\" text-anchor=\"middle\">{place:0.#}</text>");
        html.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + PlotWidth / 2}\" y=\"{Top + PlotHeight + 40}\" text-anchor=\"middle\">{ResultPage.Escape(XAxis)}</text>");
        html.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate(14 {Top + PlotHeight / 2}) rotate(-90)\" text-anchor=\"middle\">{ResultPage.Escape(YAxis)}</text>\n");
        var legend = Top + LineHeight / 2;
        if (Reference is { } reference && double.IsFinite(reference.Value))
        {
            html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{Y(reference.Value):F1}\" x2=\"{Left + PlotWidth}\" y2=\"{Y(reference.Value):F1}\" stroke=\"currentColor\" stroke-width=\"1.5\" stroke-dasharray=\"2 4\"/>\n");
            AppendLegend(reference.Label, "currentColor", "2 4");
        }
        var color = 0;
        for (var i = 0; i < Lines.Count; i++)
        {
            var line = Lines[i];
            var (stroke, dashes) = line.IsControl ? ("#8a8a8a", "6 4") : (Colors[color++ % Colors.Length], "none");
            // Side by side, so that intervals at the same place can be told apart.
            var shift = (i - (Lines.Count - 1) / 2.0) * 5;
            var points = line.Points.Where(point => double.IsFinite(point.Y.Value)).OrderByDescending(point => point.X).ToArray();
            html.Append(CultureInfo.InvariantCulture, $"<g stroke=\"{stroke}\" fill=\"{stroke}\"><polyline fill=\"none\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\" points=\"");
            html.AppendJoin(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X) + shift:F1},{Y(point.Y.Value):F1}"))).Append("\"/>");
            foreach (var (x, y) in points)
            {
                if (double.IsFinite(y.Interval.Low))
                    html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(x) + shift:F1}\" y1=\"{Y(y.Interval.Low):F1}\" x2=\"{X(x) + shift:F1}\" y2=\"{Y(y.Interval.High):F1}\" stroke-opacity=\"0.6\"/>");
                html.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(x) + shift:F1}\" cy=\"{Y(y.Value):F1}\" r=\"4\"/>");
            }
            html.Append("</g>\n");
            AppendLegend(line.Label, stroke, dashes);
        }
        html.Append("</svg>\n");

        double X(double value) => Left + 24 + (PlotWidth - 48) * (first - value) / (first - last);
        double Y(double value) => Top + PlotHeight * (1 - (value - low) / (high - low));

        void AppendLegend(string label, string stroke, string dashes)
        {
            var x = Left + PlotWidth + 16;
            html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x}\" y1=\"{legend}\" x2=\"{x + 24}\" y2=\"{legend}\" stroke=\"{stroke}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + 32}\" y=\"{legend + 4}\">{ResultPage.Escape(label)}</text>\n");
            legend += LineHeight;
        }
    }

    /// <summary>A round step that divides a range into four to ten.</summary>
    private static double Step(double range)
    {
        if (!(range > 0))
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(range / 4)));
        return new[] { 1, 2, 5, 10 }.Select(factor => factor * power).Last(step => step <= range / 4 * 1.0000001);
    }
}

/// <summary>A heading with text, a list of points, a chart and a table, each of which may be missing.</summary>
internal sealed record ResultSection(string Heading, string Text, ResultTable? Table = null, ResultChart? Chart = null, IReadOnlyList<string>? Points = null);

/// <summary>A result for people to read, as Markdown or as one HTML file that loads nothing.</summary>
internal sealed record ResultPage(string Title, string Introduction, IReadOnlyList<ResultSection> Sections)
{
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
            text.Append(CultureInfo.InvariantCulture, $"\n## {section.Heading}\n\n");
            if (section.Text.Length > 0)
                text.Append(section.Text).Append('\n');
            foreach (var point in section.Points ?? [])
                text.Append(CultureInfo.InvariantCulture, $"- {point}\n");
            if (section.Table is not { } table)
                continue;
            text.Append('\n').Append(Markdown(table));
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
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Escape(section.Heading)}</h2>\n");
            if (section.Text.Length > 0)
                html.Append(CultureInfo.InvariantCulture, $"<p>{Escape(section.Text)}</p>\n");
            if (section.Points is { } points)
                html.Append("<ul>\n").AppendJoin("", points.Select(point => $"<li>{Escape(point)}</li>\n")).Append("</ul>\n");
            section.Chart?.AppendTo(html);
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

    /// <summary>A table as Markdown.</summary>
    public static string Markdown(ResultTable table)
    {
        var text = new StringBuilder(MarkdownRow(table.Columns)).Append(MarkdownRow([.. table.Columns.Select((_, i) => i == 0 ? "---" : "---:")]));
        foreach (var row in table.Rows)
            text.Append(MarkdownRow(row));
        return text.ToString();
    }

    /// <summary>A table in aligned columns for a terminal: the first from the left, the others from the right.</summary>
    public static string Aligned(ResultTable table)
    {
        var rows = table.Rows.Prepend(table.Columns).ToArray();
        var widths = table.Columns.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        return string.Concat(rows.Select(row => string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))).TrimEnd() + "\n"));
    }

    private static string MarkdownRow(IReadOnlyList<string> cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n";

    internal static string Escape(string text) => WebUtility.HtmlEncode(text);
}
