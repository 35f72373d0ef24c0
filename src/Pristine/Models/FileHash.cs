using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Pristine.Models;

/// <summary>SHA-256 of files on disk. A file is read once, and again when its size or its time of writing changes.</summary>
internal static class FileHash
{
    private static readonly ConcurrentDictionary<string, (long Bytes, DateTime Written, string Sha256)> Known = new(StringComparer.Ordinal);

    /// <summary>The hash of a file.</summary>
    /// <param name="path">Its full path.</param>
    /// <returns>Lower-case hex; null when there is no such file.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string? Of(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            return null;
        if (Known.TryGetValue(path, out var known) && (known.Bytes, known.Written) == (file.Length, file.LastWriteTimeUtc))
            return known.Sha256;
        using var content = file.OpenRead();
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        Known[path] = (file.Length, file.LastWriteTimeUtc, hash);
        return hash;
    }
}
