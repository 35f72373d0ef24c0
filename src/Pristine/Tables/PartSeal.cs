using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace Pristine.Tables;

/// <summary>
/// The checksum of a part. Parquet pages have none that readers check, so a flipped bit could become another score. The seal stands between
/// the last column and the footer, where no reader looks: <c>PRISTSUM</c> and the XXH128 of all other bytes of the file.
/// </summary>
internal static class PartSeal
{
    private const int HashBytes = 16;
    private const int BufferBytes = 1 << 20;

    /// <summary>A Parquet file ends in the length of its footer (4 bytes) and PAR1.</summary>
    private const int EndBytes = 8;

    private static ReadOnlySpan<byte> Mark => "PRISTSUM"u8;

    private static int SealBytes => Mark.Length + HashBytes;

    /// <summary>Puts the seal into a Parquet file that has none.</summary>
    /// <param name="path">The file.</param>
    public static void Add(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var footer = FooterOf(file) ?? throw new InvalidDataException($"Expected a Parquet file; {path} does not end like one.");
        var end = new byte[file.Length - footer];
        file.Position = footer;
        file.ReadExactly(end);
        var hash = new XxHash128();
        Append(hash, file, 0, footer);
        hash.Append(end);
        file.Position = footer;
        file.Write(Mark);
        file.Write(hash.GetCurrentHash());
        file.Write(end);
    }

    /// <summary>Compares a file with its seal.</summary>
    /// <returns>True when they agree, false when they do not; null for a file without a seal.</returns>
    public static bool? IsIntact(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        if (FooterOf(file) is not { } footer || footer < SealBytes)
            return null;
        var seal = new byte[SealBytes];
        file.Position = footer - SealBytes;
        file.ReadExactly(seal);
        if (!seal.AsSpan().StartsWith(Mark))
            return null;
        var hash = new XxHash128();
        Append(hash, file, 0, footer - SealBytes);
        Append(hash, file, footer, file.Length - footer);
        return hash.GetCurrentHash().AsSpan().SequenceEqual(seal.AsSpan(Mark.Length));
    }

    /// <summary>Where the footer begins; null where the file does not end like Parquet.</summary>
    private static long? FooterOf(FileStream file)
    {
        if (file.Length < EndBytes)
            return null;
        Span<byte> end = stackalloc byte[EndBytes];
        file.Position = file.Length - EndBytes;
        file.ReadExactly(end);
        var footer = file.Length - EndBytes - BinaryPrimitives.ReadUInt32LittleEndian(end);
        return end.EndsWith("PAR1"u8) && footer >= 0 ? footer : null;
    }

    private static void Append(XxHash128 hash, FileStream file, long start, long length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        file.Position = start;
        while (length > 0)
        {
            var read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, length));
            if (read == 0)
                break;
            hash.Append(buffer.AsSpan(0, read));
            length -= read;
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
