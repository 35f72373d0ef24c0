using System.Net;
using System.Net.Http.Headers;

namespace Pristine.Remote;

/// <summary>Which failures of HTTP may pass, and what they say.</summary>
internal static class HttpFailure
{
    public static bool MayPass(HttpStatusCode status) => (int)status is 408 or 425 or 429 or 500 or 502 or 503 or 504;

    public static bool MayPass(HttpRequestException error) => error.HttpRequestError switch
    {
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ResponseEnded
            or HttpRequestError.InvalidResponse
            or HttpRequestError.HttpProtocolError => true,
        HttpRequestError.ProxyTunnelError => error.StatusCode is { } status && MayPass(status),
        // A certificate that is not accepted will not be accepted later.
        _ => false,
    };

    /// <summary>The innermost message says what happened, for example with a certificate; the outer ones only that something did.</summary>
    public static string Reason(HttpRequestException error)
    {
        var inner = error.GetBaseException();
        return (error.Message.Contains(
            inner.Message, StringComparison.Ordinal)
                ? error.Message
                : $"{error.Message.TrimEnd('.', ' ')} ({inner.Message.TrimEnd('.', ' ')})").TrimEnd('.', ' ');
    }

    public static TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header?.Delta ?? (header?.Date - DateTimeOffset.UtcNow);
}
