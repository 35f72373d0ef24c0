using System.IO.Compression;
using ZstdSharp;

namespace Pristine.Datasets;

/// <summary>The ways in which dataset files are compressed as a whole, told by the end of the name: gzip and Zstandard.</summary>
internal static class FileCompression
{
    private static readonly (string Extension, Func<Stream, Stream> Read, Func<Stream, Stream> Write)[] Kinds =
    [
        (".gz", compressed => new GZipStream(compressed, CompressionMode.Decompress), target => new GZipStream(
            target, CompressionLevel.Optimal, leaveOpen: true)),
        (".tgz", compressed => new GZipStream(compressed, CompressionMode.Decompress), target => new GZipStream(
            target, CompressionLevel.Optimal, leaveOpen: true)),
        (".zst", compressed => new ZstandardStream(compressed), target => new CompressionStream(target, leaveOpen: true)),
    ];

    /// <summary>The end of the name that says so, such as <c>.gz</c>; null for a file that is not compressed.</summary>
    public static string? ExtensionOf(string name) =>
        Kinds.Select(kind => kind.Extension).FirstOrDefault(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    /// <summary>Decompresses as the name says. Data that are damaged or cut off are an <see cref="InvalidDataException"/>.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="compressed">Its content, which is closed with the result.</param>
    public static Stream Read(string name, Stream compressed) => Kinds.First(kind => kind.Extension == ExtensionOf(name)).Read(compressed);

    /// <summary>Compresses as the name says.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="target">Gets the compressed data; it stays open.</param>
    public static Stream Write(string name, Stream target) => Kinds.First(kind => kind.Extension == ExtensionOf(name)).Write(target);
}

/// <summary>Reads Zstandard. What is wrong with the data is told as of gzip.</summary>
/// <param name="compressed">The compressed data, which are closed with the stream.</param>
internal sealed class ZstandardStream(Stream compressed) : InputStream
{
    private readonly DecompressionStream _inner = new(compressed, leaveOpen: false);

    protected override int ReadNext(Span<byte> buffer)
    {
        try
        {
            return _inner.Read(buffer);
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException)
        {
            throw new InvalidDataException($"Zstandard: {e.Message}", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inner.Dispose();
        base.Dispose(disposing);
    }
}
