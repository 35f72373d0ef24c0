namespace Pristine.Datasets;

/// <summary>
/// Tells from a file's first bytes that it is no text in UTF-8, so that it is refused in one sentence and not line by line.
/// </summary>
internal static class FileKind
{
    /// <summary>So many bytes are enough to tell.</summary>
    public const int Bytes = 8;

    private static readonly (byte[] Start, string Kind)[] Kinds =
    [
        ([0xFF, 0xFE], "text in UTF-16"),
        ([0xFE, 0xFF], "text in UTF-16"),
        ([0x00, 0x00, 0xFE, 0xFF], "text in UTF-32"),
        ([0x1F, 0x8B], "a file compressed with gzip"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a file compressed with Zstandard"),
        ([0xFD, .. "7zXZ"u8], "a file compressed with xz"),
        ([.. "BZh"u8], "a file compressed with bzip2"),
        ([.. "PK\u0003\u0004"u8], "a zip archive"),
        ([.. "PAR1"u8], "a Parquet file"),
        ([0x89, .. "HDF"u8], "an HDF5 file"),
    ];

    /// <summary>What a file is, when it is no text in UTF-8.</summary>
    /// <param name="start">The first bytes of the file.</param>
    /// <returns>For example <c>a file compressed with gzip</c>; null when nothing speaks against text.</returns>
    public static string? OtherThanText(ReadOnlySpan<byte> start)
    {
        foreach (var (bytes, kind) in Kinds)
            if (start.StartsWith(bytes))
                return kind;
        return null;
    }

    /// <summary>True when more bytes can make a file one of the kinds that are no text.</summary>
    /// <param name="start">The first bytes of the file, as far as they are known.</param>
    public static bool IsUndecided(ReadOnlySpan<byte> start)
    {
        foreach (var (bytes, _) in Kinds)
            if (start.Length < bytes.Length && bytes.AsSpan().StartsWith(start))
                return true;
        return false;
    }

    /// <summary>What a file that should be JSON is instead: JSON cannot have a NUL, which stands beside every letter in UTF-16.</summary>
    /// <param name="start">The first bytes of the file.</param>
    /// <returns>Null when nothing speaks against JSON in UTF-8.</returns>
    public static string? OtherThanJson(ReadOnlySpan<byte> start) =>
        OtherThanText(start) ?? (start[..Math.Min(4, start.Length)].Contains((byte)0) ? "NUL bytes, as in UTF-16 or UTF-32" : null);

    /// <summary>The exception for a file of another kind.</summary>
    /// <param name="name">The file.</param>
    /// <param name="expected">What it should be.</param>
    /// <param name="found">What it is.</param>
    public static DatasetException Refusal(string name, string expected, string found) => new(
        $"Expected '{name}' to be {expected} in UTF-8; found {found}. " +
        $"{(found.StartsWith("a ", StringComparison.Ordinal) ? "Unpack or convert it first." : "Convert it to UTF-8 first.")}");
}
