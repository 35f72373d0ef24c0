namespace Pristine.Remote;

/// <summary>How long to wait before something that has failed is tried again.</summary>
internal static class Backoff
{
    /// <summary>
    /// A wait that doubles with each failure, shortened at random by up to half: many jobs of a cluster fail at the same moment and must
    /// not come back at the same moment.
    /// </summary>
    /// <param name="failures">Failures so far, at least 1.</param>
    /// <param name="first">The wait after the first.</param>
    /// <param name="longest">The longest wait.</param>
    /// <param name="retryAfter">What the server asks for, which is waited at least; null for nothing.</param>
    public static TimeSpan Wait(int failures, TimeSpan first, TimeSpan longest, TimeSpan? retryAfter)
    {
        var doubled = first * Math.Pow(2, failures - 1);
        var limited = doubled < longest ? doubled : longest;
        var wait = limited * (.5 + .5 * Random.Shared.NextDouble());
        return retryAfter > wait ? retryAfter.Value : wait;
    }
}
