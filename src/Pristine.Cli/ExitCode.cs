using System.CommandLine;

namespace Pristine.Cli;

/// <summary>The exit codes, which scripts rely on.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>Done, but more images failed than <c>--max-failures</c> allows, or a condition of <c>--fail-on</c> holds.</summary>
    public const int TooManyFailures = 3;

    /// <summary>Stopped by Ctrl-C or SIGTERM, as shells report it.</summary>
    public const int Interrupted = 130;
}

/// <summary>The command was used wrongly; the message says what was expected and what was found.</summary>
internal sealed class UsageException(string message) : Exception(message);

internal static class Usage
{
    /// <summary>The command and its parents, for example <c>pristine filter</c>.</summary>
    public static string Path(Command command)
    {
        var names = new List<string>();
        for (Symbol? at = command; at != null; at = at.Parents.FirstOrDefault())
            names.Add(at.Name);
        names.Reverse();
        return string.Join(' ', names);
    }
}
