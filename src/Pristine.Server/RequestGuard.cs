using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Pristine.Server;

/// <summary>
/// Lets in only who may ask. A page of another site can make a browser send requests to this machine, and a name that such a site owns can
/// be made to mean this machine (DNS rebinding): so the Host header must be ours, and what a browser says of the request's origin too.
/// </summary>
/// <param name="options">Address, names, token.</param>
internal sealed class RequestGuard(ServerOptions options)
{
    /// <summary>The cookie that holds the token once the page was opened with it.</summary>
    public const string Cookie = "pristine_token";

    /// <summary>The field of the query that holds the token in the address that is told when the server starts.</summary>
    public const string Query = "token";

    private readonly byte[]? _token = options.Token == null ? null : Encoding.UTF8.GetBytes(options.Token);

    /// <summary>The longest body in megabytes, as its option has it.</summary>
    public string MostUploadMegabytes { get; } =
        (options.MostUploadBytes / (double)(1 << 20)).ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>Checks a request.</summary>
    /// <exception cref="RequestException">It may not come in.</exception>
    public void Check(HttpContext context)
    {
        var request = context.Request;
        if (!IsOurs(request.Host))
        {
            throw new RequestException(
                StatusCodes.Status421MisdirectedRequest,
                $"Expected the Host {string.Join(" or ", options.Names)}; found '{request.Host.Value}'. " +
                $"--allow-host lets another name in.");
        }
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var isNavigation = HttpMethods.IsGet(request.Method) && request.Path == "/" && request.Headers["Sec-Fetch-Mode"] == "navigate";
        if (site is "cross-site" or "same-site" && !isNavigation)
            throw new RequestException(StatusCodes.Status403Forbidden,
                $"Expected a request of our own page; found one of another ({site}).");
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase))
            throw new RequestException(StatusCodes.Status403Forbidden, $"Expected a request of our own page; found the origin '{origin}'.");
        if (_token != null && !Shown(request).Any(IsToken))
        {
            throw new RequestException(
                StatusCodes.Status401Unauthorized,
                "Expected the token: open the address that 'pristine serve' printed, or send 'Authorization: Bearer TOKEN'.");
        }
    }

    /// <summary>True where the page was opened with the right token in its address, which then belongs into a cookie.</summary>
    public bool HasTokenInQuery(HttpRequest request) => _token != null && IsToken(request.Query[Query].ToString());

    private static IEnumerable<string> Shown(HttpRequest request)
    {
        const string bearer = "Bearer ";
        if (request.Headers.Authorization.ToString() is var header && header.StartsWith(bearer, StringComparison.OrdinalIgnoreCase))
            yield return header[bearer.Length..].Trim();
        if (request.Cookies.TryGetValue(Cookie, out var cookie))
            yield return cookie;
        if (HttpMethods.IsGet(request.Method) && request.Path == "/")
            yield return request.Query[Query].ToString();
    }

    private bool IsToken(string shown) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(shown), _token);

    private bool IsOurs(HostString host)
    {
        // Where a token is needed, a name that leads here by deceit has no cookie of ours to send; an address is no name.
        if (!IPAddress.IsLoopback(options.Address) && IPAddress.TryParse(host.Host.Trim('[', ']'), out _))
            return true;
        return options.Names.Contains(host.Host, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>What every answer says: nothing of another site may frame, read or guess it.</summary>
    public static void AddHeaders(IHeaderDictionary headers)
    {
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
        headers[HeaderNames.XFrameOptions] = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers[HeaderNames.ContentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'; sandbox";
        headers[HeaderNames.CacheControl] = "no-store";
    }
}
