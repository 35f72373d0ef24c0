namespace Pristine;

/// <summary>
/// A folder for what is needed only for a while. It lies in the system's folder for temporary files and goes when it is disposed of. What
/// a process that was killed has left, the next one removes: the owner holds a file in the folder open, which the system lets go of
/// however the process ends. Killed between making the folder and the file, it leaves an empty folder, which stays: it may be anyone's.
/// </summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "pristine-";
    private const string OwnerName = ".pristine-scratch";
    private static readonly Lock Sweeping = new();
    private static bool _isSwept;
    private readonly FileStream _owner;

    private ScratchFolder(string path, FileStream owner) => (Path, _owner) = (path, owner);

    /// <summary>The folder, absolute.</summary>
    public string Path { get; }

    /// <summary>Makes a folder.</summary>
    /// <param name="purpose">Stands in its name.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static ScratchFolder Create(string purpose)
    {
        lock (Sweeping)
        {
            if (!_isSwept)
                RemoveAbandoned(System.IO.Path.GetTempPath());
            _isSwept = true;
        }
        while (true)
        {
            string path;
            try
            {
                path = Directory.CreateTempSubdirectory($"{Prefix}{purpose}-").FullName;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new IOException(
                    $"Cannot make a folder for temporary files in '{System.IO.Path.GetTempPath()}': {exception.Message} TMPDIR names " +
                    "another.",
                    exception);
            }
            if (Own(path, FileMode.CreateNew) is { } owner)
                return new ScratchFolder(path, owner);
        }
    }

    /// <summary>A file in the folder.</summary>
    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Leaves the folder to the user: it stays as it is.</summary>
    public void Keep()
    {
        var name = _owner.Name;
        _owner.Dispose();
        File.Delete(name);
    }

    /// <summary>Removes the folder with all that is in it, unless it is kept.</summary>
    public void Dispose()
    {
        if (_owner.SafeFileHandle.IsClosed)
            return;
        Remove(Path, _owner);
    }

    /// <summary>Removes the folders whose owners are gone. One that belongs to another user stays.</summary>
    /// <param name="folder">The folder for temporary files.</param>
    internal static void RemoveAbandoned(string folder)
    {
        foreach (var path in Directory.EnumerateDirectories(folder, Prefix + "*"))
        {
            try
            {
                if (File.Exists(System.IO.Path.Combine(path, OwnerName)) && Own(path, FileMode.Open) is { } owner)
                    Remove(path, owner);
            }
            catch (UnauthorizedAccessException)
            {
                // Another user's.
            }
        }
    }

    /// <summary>Takes a folder; null where another process has it, or has just removed it.</summary>
    private static FileStream? Own(string path, FileMode mode)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, OwnerName), mode, FileAccess.Write, FileShare.None, 1);
        }
        catch (IOException) when (mode == FileMode.Open || !Directory.Exists(path) || File.Exists(System.IO.Path.Combine(path, OwnerName)))
        {
            return null;
        }
    }

    private static void Remove(string path, FileStream owner)
    {
        // Unix removes a file that is open, so that nobody else takes the folder meanwhile; Windows does not.
        if (OperatingSystem.IsWindows())
            owner.Dispose();
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process has done it.
        }
        owner.Dispose();
    }
}
