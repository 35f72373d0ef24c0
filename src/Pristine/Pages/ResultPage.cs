using System.Globalization;
using System.Text;

namespace Pristine.Pages;

/// <summary>A heading with text, a list of points, a chart and a table, each of which may be missing.</summary>
internal sealed record ResultSection(
    string Heading, string Text, PageTable? Table = null, PageChart? Chart = null, IReadOnlyList<string>? Points = null);

/// <summary>A result for people to read, as Markdown or as one HTML file.</summary>
internal sealed record ResultPage(string Title, string Introduction, IReadOnlyList<ResultSection> Sections)
{
    /// <summary>A number with so many decimals, or a dash for NaN.</summary>
    public static string Number(double value, int decimals = 3) =>
        double.IsNaN(value) ? "–" : value.ToString($"F{decimals}", CultureInfo.InvariantCulture);

    /// <summary>The page as Markdown, without its charts.</summary>
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
            text.Append('\n').Append(table.ToMarkdown());
        }
        return text.ToString();
    }

    /// <summary>The page as HTML.</summary>
    public string ToHtml()
    {
        var body = new StringBuilder("<header>\n<p class=\"brand\">Pristine</p>\n");
        body.Append(
            CultureInfo.InvariantCulture,
            $"<h1>{HtmlPage.Escape(Title)}</h1>\n<p class=\"hint\">{HtmlPage.Escape(Introduction)}</p>\n</header>\n<main>\n");
        foreach (var section in Sections)
        {
            body.Append(CultureInfo.InvariantCulture, $"<section>\n<h2>{HtmlPage.Escape(section.Heading)}</h2>\n");
            if (section.Text.Length > 0)
                body.Append(CultureInfo.InvariantCulture, $"<p class=\"hint\">{HtmlPage.Escape(section.Text)}</p>\n");
            if (section.Points is { } points)
                body.Append("<ul class=\"card\">\n").AppendJoin("", points.Select(point => $"<li>{HtmlPage.Escape(point)}</li>\n"))
                    .Append("</ul>\n");
            if (section.Chart is { } chart)
            {
                body.Append("<div class=\"card scroll\">\n");
                chart.AppendTo(body);
                body.Append("</div>\n");
            }
            if (section.Table is { } table)
            {
                body.Append("<div class=\"card scroll results\">\n");
                table.AppendTo(body);
                body.Append("</div>\n");
            }
            body.Append("</section>\n");
        }
        using var page = new MemoryStream();
        new HtmlPage(Title, HtmlPage.Resource("results.css"))
            .Write(page, output => HtmlPage.WriteText(output, body.Append("</main>\n").ToString()));
        return Encoding.UTF8.GetString(page.GetBuffer().AsSpan(0, (int)page.Length));
    }
}
