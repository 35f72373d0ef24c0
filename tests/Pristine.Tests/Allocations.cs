namespace Pristine.Tests;

/// <summary>Measures what code allocates on the managed heap.</summary>
/// <remarks>
/// While .NET still replaces a method by a better compiled one (a loop in the middle of its run, on a busy machine at any time later),
/// the compiler itself takes some kilobytes on the thread that runs the method. What the code allocates, it allocates in every run; so
/// the least of several runs is the code's own.
/// </remarks>
internal static class Allocations
{
    private const int MostRuns = 50;

    /// <summary>The bytes that a run allocates on this thread: the least of up to 50 runs, ended by the first of at most so many.</summary>
    /// <param name="run">The code.</param>
    /// <param name="enough">How many bytes are as good as none.</param>
    public static long Least(Action run, long enough = 0)
    {
        var least = long.MaxValue;
        for (var i = 0; i < MostRuns && least > enough; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
