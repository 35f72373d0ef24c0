using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// Standard input and output of a process that may have been started without them (<c>&lt;&amp;-</c>, <c>&gt;&amp;-</c>). The runtime then
/// gives their numbers to files and pipes of its own; reading from such a pipe never ends.
/// </summary>
internal static partial class StandardStreams
{
    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1;

    /// <summary>True if the process was started with a standard input.</summary>
    public static bool HasInput { get; } = IsInherited(0);

    /// <summary>True if the process was started with a standard output.</summary>
    public static bool HasOutput { get; } = IsInherited(1);

    /// <summary>True if the process was started with a standard error.</summary>
    public static bool HasError { get; } = IsInherited(2);

    /// <summary>Opens standard input.</summary>
    /// <exception cref="IOException">The process was started without it.</exception>
    public static Stream OpenInput() =>
        HasInput
        ? Console.OpenStandardInput()
        : throw new IOException("Standard input cannot be read: the program was started without it.");

    /// <summary>Opens standard output.</summary>
    /// <exception cref="IOException">The process was started without it.</exception>
    public static Stream OpenOutput() =>
        HasOutput
        ? Console.OpenStandardOutput()
        : throw new IOException("Standard output cannot be written: the program was started without it.");

    /// <summary>A descriptor that came through exec is not marked close-on-exec; the runtime marks all that it opens.</summary>
    private static bool IsInherited(int descriptor) =>
        OperatingSystem.IsWindows() || (fcntl(descriptor, GetDescriptorFlags) is var flags && flags >= 0 && (flags & CloseOnExec) == 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command);
}
