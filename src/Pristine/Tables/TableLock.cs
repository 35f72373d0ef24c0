using System.Diagnostics;

namespace Pristine.Tables;

/// <summary>Files that one process at a time holds open. The system frees them when a process is killed.</summary>
internal static class TableLock
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // How systems say that another process has a file open: EWOULDBLOCK, ERROR_SHARING_VIOLATION.
    private const int HeldOnLinux = 11;
    private const int HeldOnMacOS = 35;
    private const int HeldOnWindows = unchecked((int)0x80070020);

    /// <summary>Held for a whole run.</summary>
    /// <exception cref="IOException">Another process writes the table.</exception>
    public static FileStream OfWriter(string folder)
    {
        var file = Path.Combine(folder, ".table.lock");
        return TryTake(file) ?? throw new IOException($"Another process is writing the table {folder} (it holds {file}).");
    }

    /// <summary>Held while scores.json is read and written.</summary>
    /// <exception cref="IOException">Another process holds it for long.</exception>
    public static FileStream OfProvenance(string folder)
    {
        var file = Path.Combine(folder, ".scores.lock");
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            if (TryTake(file) is { } taken)
                return taken;
            if (waiting.Elapsed > Patience)
                throw new IOException($"Another process holds {file} for more than {Patience.TotalSeconds} s.");
            Thread.Sleep(20);
        }
    }

    private static FileStream? TryTake(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception.HResult is HeldOnLinux or HeldOnMacOS or HeldOnWindows)
        {
            // What else is wrong, such as a read-only file system, is told as it is.
            return null;
        }
    }
}
