using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>Hard links, which .NET 10 does not offer.</summary>
internal static partial class HardLink
{
    /// <summary>Gives a file a second name.</summary>
    /// <param name="existing">The file; not a symbolic link.</param>
    /// <param name="link">The new name.</param>
    /// <exception cref="IOException">The system refuses, for example across file systems.</exception>
    public static void Create(string existing, string link)
    {
        var isMade = OperatingSystem.IsWindows() ? CreateHardLink(link, existing, 0) : PosixLink(existing, link) == 0;
        if (!isMade)
            throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixLink(string existing, string link);

    [LibraryImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLink(string link, string existing, nint security);
}
