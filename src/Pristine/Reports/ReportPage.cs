using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Pristine.Reports;

/// <summary>
/// Puts the page together: the document, its style and scripts from this assembly, and the data as JSON. Its content security policy lets
/// the browser run this one script and apply this one style, known by their hashes, show pictures that are in the page, and nothing else.
/// </summary>
internal static class ReportPage
{
    private const string Folder = "Pristine.Reports.Page.";

    /// <summary>In the order in which they are defined before they are used.</summary>
    private static readonly string[] Scripts = ["elements.js", "counts.js", "address.js", "threshold.js", "together.js", "gallery.js", "issues.js", "breakdown.js", "pairs.js", "facts.js", "report.js"];

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
        var style = Resource("report.css");
        var script = "'use strict';\n{\n" + string.Concat(Scripts.Select(Resource)) + "}\n";
        var policy = $"default-src 'none'; script-src '{Hash(script)}'; style-src '{Hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'";
        foreach (var part in Resource("report.html").Split("<!--", StringSplitOptions.None))
        {
            var (name, rest) = part.IndexOf("-->", StringComparison.Ordinal) is var end and >= 0 ? (part[..end], part[(end + 3)..]) : ("", part);
            switch (name)
            {
                case "":
                    break;
                case "policy":
                    WriteText(output, policy);
                    break;
                case "style":
                    WriteText(output, style);
                    break;
                case "script":
                    WriteText(output, script);
                    break;
                case "data":
                    using (var json = new Utf8JsonWriter(output, Json))
                        writeData(json);
                    break;
                default:
                    throw new InvalidDataException($"Expected a part of the page that is known; found <!--{name}-->.");
            }
            WriteText(output, rest);
        }
        output.Flush();
    }

    private static void WriteText(Stream output, string text) => output.Write(Encoding.UTF8.GetBytes(text));

    private static string Hash(string content) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";

    private static string Resource(string name)
    {
        using var stream = typeof(ReportPage).Assembly.GetManifestResourceStream(Folder + name)
            ?? throw new InvalidDataException($"Expected the resource {Folder}{name} in this assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // Browsers read CRLF as LF, and hash what they have read.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
