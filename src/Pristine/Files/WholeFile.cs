using System.IO.Hashing;
using System.Text;

namespace Pristine.Files;

/// <summary>
/// A file that has its name only when it is whole. It is written under a temporary name in the same folder, flushed to the disk and
/// renamed; whoever finds the file finds all of it, also after a crash. Every file that this program writes under a name that the user
/// or a later run relies on is written here.
/// </summary>
internal sealed class WholeFile : IDisposable
{
    /// <summary>What a temporary name ends in.</summary>
    public const string Suffix = ".partial";

    /// <summary>
    /// The longest file name of Linux, macOS and Windows file systems, in bytes of UTF-8 (on the last two it is counted in characters).
    /// </summary>
    public const int MaxNameBytes = 255;

    // How systems say that another process has a file open: EWOULDBLOCK, ERROR_SHARING_VIOLATION.
    private const int HeldOnLinux = 11;
    private const int HeldOnMacOS = 35;
    private const int HeldOnWindows = unchecked((int)0x80070020);

    private const int BufferSize = 1 << 16;
    private const int CopyBufferSize = 1 << 20;

    // Nobody else writes it meanwhile. Windows lets an open file be renamed only where deleting is shared, which elsewhere is no lock.
    private static readonly FileShare Alone = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;
    private static readonly TimeSpan YoungAge = TimeSpan.FromMinutes(1);
    private readonly FileStream _stream;

    private WholeFile(string path, FileStream stream) => (Path, _stream) = (path, stream);

    /// <summary>The final name.</summary>
    public string Path { get; }

    /// <summary>Where the content is written.</summary>
    public Stream Stream => _stream;

    /// <summary>Opens a file for writing under <see cref="TemporaryOf"/>, which replaces what an interrupted run has left there.</summary>
    /// <param name="path">The final name.</param>
    /// <exception cref="IOException">The file cannot be made, or another process is writing it.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made.</exception>
    public static WholeFile Create(string path)
    {
        var temporary = TemporaryOf(path);
        while (true)
        {
            FileStream stream;
            try
            {
                // Nothing of it is touched before it is known that nobody else writes it.
                stream = new FileStream(temporary, FileMode.OpenOrCreate, FileAccess.ReadWrite, Alone, BufferSize);
            }
            catch (IOException exception) when (IsHeld(exception))
            {
                throw HeldByAnother(temporary, exception);
            }
            if (File.Exists(temporary))
            {
                stream.SetLength(0);
                return new(path, stream);
            }
            // Between opening and locking it got its final name: what was opened is another run's result.
            stream.Dispose();
        }
    }

    /// <summary>Writes a file, or replaces it whole. Several processes may do so at once; the last one wins.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="write">Writes the content.</param>
    public static void Write(string path, Action<Stream> write) => Make(path, temporary =>
    {
        using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferSize);
        write(stream);
    });

    /// <summary>
    /// Writes a file that is never changed. Of several processes that do so at once, one succeeds; whoever finds the file finds all of it.
    /// </summary>
    /// <param name="path">The final name.</param>
    /// <param name="write">Writes the content.</param>
    /// <returns>False where the file was there before, and was left as it is.</returns>
    public static bool WriteOnce(string path, Action<Stream> write)
    {
        var temporary = WithSuffix(path, $".{Guid.NewGuid().ToString("N")[..12]}{Suffix}");
        try
        {
            // Open until it has its name: that tells other processes that its owner lives.
            using var stream = new FileStream(
                temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, BufferSize);
            write(stream);
            stream.Flush(flushToDisk: true);
            // Without overwriting the move is a link and an unlink: it fails where the name is taken.
            File.Move(temporary, path);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
            return false;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As <see cref="Write"/>, for a writer that opens the file by its name.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="write">Makes the file of the name that it is given.</param>
    public static void Make(string path, Action<string> write) =>
        Make(WithSuffix(path, $".{Guid.NewGuid().ToString("N")[..12]}{Suffix}"), write, temporary => Finish(temporary, path));

    /// <summary>
    /// As <see cref="Make(string, Action{string})"/> for a file that one process at a time writes: a run that was killed leaves at most one
    /// file under <see cref="TemporaryOf"/>, which the next replaces.
    /// </summary>
    /// <param name="path">The final name.</param>
    /// <param name="write">Makes the file of the name that it is given.</param>
    /// <exception cref="IOException">Another process is writing it.</exception>
    public static void MakeAlone(string path, Action<string> write)
    {
        // The writer opens the file by its name: what is held meanwhile is a file beside it.
        using var held = Hold(path);
        File.Delete(TemporaryOf(path));
        Make(TemporaryOf(path), write, temporary => Finish(temporary, path));
    }

    /// <summary>
    /// Makes a file that must not be there yet. Its content is not forced to the disk: this is for copies, which are many and can be made
    /// again.
    /// </summary>
    /// <param name="path">The final name.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">
    /// Something of that name is there, another process is writing it, or the file cannot be made.
    /// </exception>
    public static void MakeNew(string path, Action<FileStream> write)
    {
        using var file = Create(path);
        try
        {
            write(file._stream);
            file._stream.Flush();
            File.Move(TemporaryOf(path), path);
        }
        catch
        {
            file.Discard();
            throw;
        }
    }

    /// <summary>Copies a file, with its permissions and the time at which it was last written, to a name that must be free.</summary>
    /// <param name="source">The file.</param>
    /// <param name="path">The name.</param>
    /// <exception cref="IOException">
    /// Something of that name is there, another process is writing it, or one of the files cannot be read or made.
    /// </exception>
    public static void CopyNew(string source, string path)
    {
        using var read = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        MakeNew(path, copy =>
        {
            read.CopyTo(copy, CopyBufferSize);
            copy.Flush();
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(copy.SafeFileHandle, File.GetUnixFileMode(read.SafeFileHandle));
            File.SetLastWriteTimeUtc(copy.SafeFileHandle, File.GetLastWriteTimeUtc(read.SafeFileHandle));
        });
    }

    /// <summary>Holds a name for a run that writes files of that name, or in a folder of that name, until the result is disposed.</summary>
    /// <param name="path">The name. Beside a file, or in a folder, there is a file while it is held.</param>
    /// <exception cref="IOException">Another process holds it.</exception>
    public static IDisposable Hold(string path) =>
        new Held(Create(Directory.Exists(path) ? System.IO.Path.Combine(path, ".pristine-export") : WithSuffix(path, ".lock")));

    /// <summary>Removes a file that a killed process has left under a temporary name, if it is there.</summary>
    /// <param name="temporary">The file.</param>
    /// <exception cref="IOException">A process is writing it.</exception>
    public static void RemoveLeft(string temporary)
    {
        try
        {
            using var stream = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite, Alone, 1);
            File.Delete(temporary);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // There is none.
        }
        catch (IOException exception) when (IsHeld(exception))
        {
            throw HeldByAnother(temporary, exception);
        }
    }

    /// <summary>Whether a file could not be opened because another process has it open.</summary>
    public static bool IsHeld(IOException exception) => exception.HResult is HeldOnLinux or HeldOnMacOS or HeldOnWindows;

    /// <summary>
    /// Replaces a small file that one process at a time renews every few seconds. It is not forced to the disk: after a crash of the
    /// machine nobody needs its content.
    /// </summary>
    /// <param name="path">The final name.</param>
    /// <param name="content">The whole content.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public static void Renew(string path, string content)
    {
        File.WriteAllText(TemporaryOf(path), content);
        File.Move(TemporaryOf(path), path, overwrite: true);
    }

    /// <summary>
    /// Removes from a folder what killed processes have left under temporary names. What a process has open stays, and so does what is
    /// younger than a minute by the clock of the file system: whoever has made it is about to open it.
    /// </summary>
    /// <param name="folder">The folder; it may be missing, or read-only: then nothing is done.</param>
    public static void RemoveAbandoned(string folder)
    {
        try
        {
            var found = Directory.Exists(folder) ? Directory.GetFiles(folder, "*" + Suffix) : [];
            if (found.Length == 0)
                return;
            var clock = System.IO.Path.Combine(folder, $".{Guid.NewGuid():N}");
            using var now = new FileStream(clock, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            now.WriteByte(0);
            now.Flush();
            var before = File.GetLastWriteTimeUtc(clock) - YoungAge;
            foreach (var file in found.Where(file => File.GetLastWriteTimeUtc(file) < before && !IsOpen(file)))
                File.Delete(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process does the same, or nothing can be written here. What is left harms nobody.
        }

        static bool IsOpen(string file)
        {
            try
            {
                new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1).Dispose();
                return false;
            }
            catch (IOException)
            {
                return true;
            }
        }
    }

    /// <summary>
    /// The temporary name that is always the same for a path: one writer at a time, and a run that was killed leaves at most one file.
    /// </summary>
    /// <param name="path">The final name.</param>
    public static string TemporaryOf(string path) => WithSuffix(path, Suffix);

    /// <summary>
    /// A file's path with something put after its name; a name that would be too long for the file system is cut, and told apart by its
    /// hash.
    /// </summary>
    /// <param name="path">The path.</param>
    /// <param name="suffix">Put at the end.</param>
    public static string WithSuffix(string path, string suffix)
    {
        var name = System.IO.Path.GetFileName(path);
        var space = MaxNameBytes - Encoding.UTF8.GetByteCount(suffix);
        if (Encoding.UTF8.GetByteCount(name) <= space)
            return path + suffix;
        var hash = XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(name)).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        return $"{path[..^name.Length]}{Shorten(name, space - hash.Length - 1)}~{hash}{suffix}";
    }

    /// <summary>The longest start of a name that has at most so many bytes of UTF-8.</summary>
    public static string Shorten(string name, int bytes)
    {
        var (length, used) = (0, 0);
        foreach (var rune in name.EnumerateRunes())
        {
            if ((used += rune.Utf8SequenceLength) > bytes)
                break;
            length += rune.Utf16SequenceLength;
        }
        return name[..length];
    }

    /// <summary>Flushes the content to the disk. The file keeps its temporary name, and no other process can write it.</summary>
    public void Flush()
    {
        if (_stream.CanWrite)
            _stream.Flush(flushToDisk: true);
    }

    /// <summary>Flushes the content to the disk and gives the file its name.</summary>
    public void Complete()
    {
        Flush();
        // Held until it has its name.
        File.Move(TemporaryOf(Path), Path, overwrite: true);
        _stream.Dispose();
    }

    /// <summary>Removes the file, of whose content nothing is wanted.</summary>
    public void Discard()
    {
        // Held until it is gone; Windows removes it when it is closed.
        File.Delete(TemporaryOf(Path));
        _stream.Dispose();
    }

    /// <summary>Closes the file. One that was not completed keeps its temporary name.</summary>
    public void Dispose() => _stream.Dispose();

    private static IOException HeldByAnother(string temporary, IOException exception) =>
        new($"another process is writing it (it holds '{temporary}')", exception);

    /// <summary>A name that is held by a file, which is there as long as it is held.</summary>
    private sealed class Held(WholeFile file) : IDisposable
    {
        public void Dispose() => file.Discard();
    }

    private static void Finish(string temporary, string path)
    {
        using var written = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        written.Flush(flushToDisk: true);
        File.Move(temporary, path, overwrite: true);
    }

    private static void Make(string temporary, Action<string> write, Action<string> finish)
    {
        try
        {
            write(temporary);
            finish(temporary);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
