using System.Buffers.Binary;

namespace Pristine.Media;

/// <summary>
/// Whether the data of a WebP's first picture are there. The format has no checksum, and libwebp decodes the zero bytes of an
/// unfinished download as if they were a picture.
/// </summary>
internal static class WebpStructure
{
    // A coder writes hardly any zeros in a row: the most probable symbols of a plain picture of 90 million pixels take 256 such bytes.
    private const int FewZeros = 64;
    private const int ManyZeros = 256;

    /// <summary>What is missing, such as <c>the last 512 bytes of its picture are zero</c>; null when nothing is.</summary>
    public static string? Fault(ReadOnlySpan<byte> file)
    {
        const int riffHeader = 12;
        if (file.Length < riffHeader)
            return "it ends in its header";
        var chunks = file[riffHeader..];
        while (TryTakeChunk(ref chunks, out var type, out var content))
        {
            // A frame of an animation: place, duration and flags, then chunks of its own.
            if (type.SequenceEqual("ANMF"u8) && content.Length >= 16)
                chunks = content[16..];
            else if (type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8))
            {
                var zeros = content.Length - (content.LastIndexOfAnyExcept((byte)0) + 1);
                return zeros >= ManyZeros || (zeros >= FewZeros && zeros >= content.Length / 4)
                    ? $"the last {zeros} bytes of its picture are zero"
                    : null;
            }
        }
        return EndsEarly(file);
    }

    /// <summary>How much of the file is there, such as <c>it has 90 of 100 bytes</c>; null when all of it is.</summary>
    public static string? EndsEarly(ReadOnlySpan<byte> file)
    {
        var declared = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L;
        return declared > file.Length ? $"it has {file.Length} of {declared} bytes" : null;
    }

    private static bool TryTakeChunk(scoped ref ReadOnlySpan<byte> chunks, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> content)
    {
        const int chunkHeader = 8;
        type = content = default;
        if (chunks.Length < chunkHeader)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(chunks[4..]);
        if (length > chunks.Length - chunkHeader)
            return false;
        type = chunks[..4];
        content = chunks.Slice(chunkHeader, (int)length);
        // Chunks begin at even places.
        chunks = chunks[Math.Min(chunks.Length, chunkHeader + (int)length + ((int)length & 1))..];
        return true;
    }
}
