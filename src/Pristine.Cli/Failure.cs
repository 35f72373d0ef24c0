using Pristine.Datasets;
using Pristine.Native;
using Pristine.Selection;

namespace Pristine.Cli;

/// <summary>
/// Turns what ended a command into one line on stderr and an exit code, so that a user's mistake, a failure and a bug look different.
/// </summary>
internal static class Failure
{
    /// <summary>Set to <c>1</c>, it shows where an exception came from.</summary>
    private const string DebugVariable = "PRISTINE_DEBUG";

    /// <summary>Fewer open files do not even load the program's own parts.</summary>
    public const int LeastOpenFiles = 128;

    /// <summary>What is not there for the program to run at all; null when all is well.</summary>
    public static string? OfSurroundings() => OpenFileLimit.Current is var limit && limit < LeastOpenFiles
        ? $"Expected a limit of at least {LeastOpenFiles} open files; found {limit}. Raise it, for example: ulimit -n 1024"
        : null;

    /// <summary>Writes the line.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception exception)
    {
        var (message, code) = Describe(exception);
        Console.Error.WriteLine($"pristine: {message}");
        if (Environment.GetEnvironmentVariable(DebugVariable) == "1")
            Console.Error.WriteLine(exception);
        return code;
    }

    /// <summary>The line that tells of an exception, and the exit code.</summary>
    public static (string Message, int Code) Describe(Exception exception)
    {
        var cause = Cause(exception);
        return cause switch
        {
            UsageException or RuleException or DatasetException { IsOfRequest: true } => (cause.Message, ExitCode.Usage),
            PristineException or IOException or UnauthorizedAccessException or DllNotFoundException or PlatformNotSupportedException
                => (cause.Message, ExitCode.Failed),
            OutOfMemoryException => ($"There is not enough memory. {cause.Message}", ExitCode.Failed),
            _ => (Bug(cause), ExitCode.Failed),
        };
    }

    private static string Bug(Exception exception) =>
        $"This is a bug of Pristine, please report it with the command: {exception.GetType().Name}: "
        + $"{exception.Message.ReplaceLineEndings(" ")} ({DebugVariable}=1 shows where)";

    /// <summary>What workers and static constructors wrap.</summary>
    private static Exception Cause(Exception exception) => exception switch
    {
        AggregateException { InnerExceptions: [var single] } => Cause(single),
        TypeInitializationException { InnerException: { } inner } => Cause(inner),
        _ => exception,
    };
}
