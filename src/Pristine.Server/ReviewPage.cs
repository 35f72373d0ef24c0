using Microsoft.AspNetCore.Http;
using Pristine.Pages;

namespace Pristine.Server;

/// <summary>
/// The page at <c>/</c>: filter by several rules, look at images, keep and drop by hand. It loads nothing from elsewhere.
/// </summary>
internal static class ReviewPage
{
    private static readonly Lazy<(byte[] Page, string Policy)> Page = new(() =>
    {
        var page = new HtmlPage("Pristine review", Resource("review.css"), Resource("review.js")) { IsServed = true };
        using var stream = new MemoryStream();
        page.Write(stream, output => HtmlPage.WriteText(output, Resource("review.html")));
        return (stream.ToArray(), page.Policy);
    });

    public static async Task WriteAsync(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy = $"{Page.Value.Policy}; frame-ancestors 'none'";
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.Body.WriteAsync(Page.Value.Page, context.RequestAborted);
    }

    private static string Resource(string name)
    {
        using var stream = typeof(ReviewPage).Assembly.GetManifestResourceStream($"Pristine.Server.Page.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
