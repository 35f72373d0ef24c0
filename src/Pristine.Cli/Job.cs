using Pristine.Cli.Display;

namespace Pristine.Cli;

/// <summary>Work that Ctrl-C and SIGTERM stop so that it can end its files; a second signal ends the process at once.</summary>
internal static class Job
{
    /// <summary>Does the work.</summary>
    /// <param name="stopped">What a stopped run says: what is left of it, and how to go on.</param>
    /// <param name="work">The work; gives the exit code.</param>
    /// <param name="progress">Told of a failure; optional.</param>
    public static int Run(Func<string> stopped, Func<CancellationToken, int> work, Progress? progress = null)
    {
        using var interruption = new Interruption();
        try
        {
            return work(interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return Stop(stopped);
        }
        catch (Exception exception) when (progress != null)
        {
            progress.Fail(exception);
            throw;
        }
    }

    /// <summary>The same for work that waits.</summary>
    public static async Task<int> RunAsync(Func<string> stopped, Func<CancellationToken, Task<int>> work)
    {
        using var interruption = new Interruption();
        try
        {
            return await work(interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return Stop(stopped);
        }
    }

    private static int Stop(Func<string> stopped)
    {
        LiveLine.Clear();
        Console.Error.WriteLine(stopped());
        return ExitCode.Interrupted;
    }
}
