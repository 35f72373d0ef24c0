using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Pristine.Pages;

namespace Pristine.Reports;

/// <summary>Puts the report together: its body, style and scripts from this assembly, and the data as JSON.</summary>
internal static class ReportPage
{
    private const string Folder = "Pristine.Reports.Page.";

    /// <summary>In the order in which they are defined before they are used.</summary>
    private static readonly string[] Scripts = [
        "elements.js", "counts.js", "address.js", "threshold.js", "together.js", "gallery.js", "issues.js", "duplicates.js", "breakdown.js",
        "pairs.js",
        "facts.js", "report.js"];

    /// <summary>
    /// Letters of all languages as they are; the characters that mean something in HTML (less-than, ampersand, quotes) as escapes,
    /// so that no text can end the script element that the data stands in.
    /// </summary>
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    /// <summary>Writes the page.</summary>
    /// <param name="output">Where to; stays the caller's.</param>
    /// <param name="writeData">Writes one JSON value.</param>
    public static void Write(Stream output, Action<Utf8JsonWriter> writeData)
    {
        var script = "'use strict';\n{\n" + string.Concat(Scripts.Select(Resource)) + "}\n";
        new HtmlPage("Pristine report", Resource("report.css"), script).Write(output, body =>
        {
            HtmlPage.WriteText(body, Resource("report.html") + "<script type=\"application/json\" id=\"data\">");
            using (var json = new Utf8JsonWriter(body, Json))
                writeData(json);
            HtmlPage.WriteText(body, "</script>\n");
        });
    }

    private static string Resource(string name) => HtmlPage.Read(Folder + name);
}
