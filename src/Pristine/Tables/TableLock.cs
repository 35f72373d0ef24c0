using System.Diagnostics;
using Pristine.Files;

namespace Pristine.Tables;

/// <summary>Files that one process at a time holds open. The system frees them when a process is killed.</summary>
internal static class TableLock
{
    private const string WriterFile = ".table.lock";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Held for a whole run.</summary>
    /// <exception cref="IOException">Another process writes the table.</exception>
    public static FileStream OfWriter(string folder)
    {
        var file = Path.Combine(folder, WriterFile);
        return TryTake(file) ?? throw new IOException($"Another process is writing the table {folder} (it holds {file}).");
    }

    /// <summary>The same, waiting for a process that holds it for a moment.</summary>
    /// <exception cref="IOException">Another process holds it for long.</exception>
    public static FileStream OfWriterSoon(string folder) => Take(Path.Combine(folder, WriterFile));

    /// <summary>Held while scores.json is read and written.</summary>
    /// <exception cref="IOException">Another process holds it for long.</exception>
    public static FileStream OfProvenance(string folder) => Take(Path.Combine(folder, ".scores.lock"));

    private static FileStream Take(string file)
    {
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
        catch (IOException exception) when (WholeFile.IsHeld(exception))
        {
            // What else is wrong, such as a read-only file system, is told as it is.
            return null;
        }
    }
}
