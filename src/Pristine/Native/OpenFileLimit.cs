using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// How many files this process may hold open (<c>ulimit -n</c>). The runtime has already raised the soft limit to the hard one.
/// </summary>
internal static partial class OpenFileLimit
{
    /// <summary>The limit; <see cref="long.MaxValue"/> where there is none.</summary>
    public static long Current => OperatingSystem.IsWindows() || getrlimit(OperatingSystem.IsMacOS() ? 8 : 7, out var limit) != 0
        ? long.MaxValue
        : (long)Math.Min(limit.Soft, long.MaxValue);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, out ResourceLimit limit);

    private struct ResourceLimit
    {
        public nuint Soft;
        public nuint Hard;
    }
}
