namespace Pristine.Server;

/// <summary>A request that is answered with a status and one sentence.</summary>
/// <param name="status">The status, from 400.</param>
/// <param name="message">What was expected and what was found.</param>
internal sealed class RequestException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
