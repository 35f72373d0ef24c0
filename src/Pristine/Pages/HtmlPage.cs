using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Pristine.Pages;

/// <summary>
/// One HTML file that loads nothing, in the style of all pages. Its content security policy lets the browser apply this style and run this
/// script, known by their hashes, show pictures that are in the page, and nothing else.
/// </summary>
/// <param name="title">Its title.</param>
/// <param name="style">Style sheet of this kind of page; it follows that of all pages.</param>
/// <param name="script">Its script; null for none.</param>
internal sealed class HtmlPage(string title, string style, string? script = null)
{
    private const string Folder = "Pristine.Pages.";

    /// <summary>True for a page that asks the server it comes from for data and pictures; else it loads nothing.</summary>
    public bool IsServed { get; init; }

    /// <summary>Its content security policy.</summary>
    public string Policy =>
        $"default-src 'none'; {(script == null ? "" : $"script-src '{Hash(script)}'; ")}style-src '{Hash(Sheet)}'; img-src " +
        $"{(IsServed ? "'self'; connect-src 'self'" : "data:")}; base-uri 'none'; form-action 'none'";

    private string Sheet => Resource("base.css") + style;

    /// <summary>Writes the page.</summary>
    /// <param name="output">Where to; stays the caller's.</param>
    /// <param name="writeBody">Writes what stands in the body, before the script.</param>
    public void Write(Stream output, Action<Stream> writeBody)
    {
        WriteText(
            output,
            $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>{Escape(title)}</title>
            <style>{Sheet}</style>
            </head>
            <body>

            """.ReplaceLineEndings("\n"));
        writeBody(output);
        if (script != null)
            WriteText(output, $"<script>{script}</script>\n");
        WriteText(output, "</body>\n</html>\n");
        output.Flush();
    }

    /// <summary>A text as it stands in HTML.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Writes text in UTF-8.</summary>
    public static void WriteText(Stream output, string text) => output.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>A style sheet of this room.</summary>
    public static string Resource(string name) => Read(Folder + name);

    /// <summary>A text that is part of this assembly.</summary>
    /// <param name="resource">Its name.</param>
    public static string Read(string resource)
    {
        using var stream = typeof(HtmlPage).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The resource {resource} is missing in this build.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // Browsers read CRLF as LF, and hash what they have read.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string Hash(string content) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
}
