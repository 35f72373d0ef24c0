using Pristine.Kernels;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>Reads the bytes of an image file, and says what is wrong with a path from which none can be read.</summary>
internal static class ImageFile
{
    /// <summary>Reads a whole file.</summary>
    /// <param name="path">Any path; links are followed.</param>
    /// <param name="limit">The largest file to read, in bytes.</param>
    /// <param name="buffer">Holds the bytes afterwards; empty when reading failed.</param>
    /// <returns>Null when the file was read; otherwise a result with the reason.</returns>
    public static DecodeResult? Read(string path, long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        if (path.Contains('\0'))
            return DecodeResult.Unreadable("the path has a NUL character");
        try
        {
            // A pipe without a writer would block whoever opens it.
            return Vips.IsRegularFile(path) ? ReadRegular(path, limit, buffer) : Explain(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return DecodeResult.Missing("there is no such file");
        }
        catch (UnauthorizedAccessException)
        {
            return DecodeResult.Unreadable("permission denied");
        }
        catch (IOException e)
        {
            return DecodeResult.Unreadable(DecodeResult.OneLine(e.Message));
        }
    }

    private static DecodeResult? ReadRegular(string path, long limit, ReusableBuffer buffer)
    {
        using var handle = File.OpenHandle(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(handle);
        if (length > limit)
            return DecodeResult.Unreadable($"the file has {length} bytes; at most {limit} are read");
        var bytes = buffer.Resize((int)length);
        var done = 0;
        for (int read; done < bytes.Length && (read = RandomAccess.Read(handle, bytes[done..], done)) > 0;)
            done += read;
        buffer.Trim(done);
        return null;
    }

    private static DecodeResult Explain(string path)
    {
        if (path.Length == 0)
            return DecodeResult.Missing("the path is empty");
        if (Directory.Exists(path))
            return DecodeResult.Unreadable("the path is a directory");
        // The replacement character is what .NET makes of bytes that are not UTF-8; the name can then not be turned back into the file's.
        if (path.Contains('\uFFFD') && !File.Exists(path))
            return DecodeResult.Unreadable("the file name is not valid UTF-8");
        // Throws when there is neither a link nor anything else.
        if (File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: false } target)
            return DecodeResult.Missing($"a link to {DecodeResult.OneLine(target.FullName)}, which does not exist");
        return DecodeResult.Unreadable("not a regular file (a pipe, socket or device)");
    }
}
