using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Pristine.Kernels;

namespace Pristine.Media;

/// <summary>Where an entry of a zip archive is, as the archive's directory says.</summary>
/// <param name="Offset">Where its header begins.</param>
/// <param name="Packed">Bytes that it has in the archive.</param>
/// <param name="Length">Bytes of its content.</param>
/// <param name="Crc">The checksum of its content.</param>
/// <param name="Method">How it is compressed: 0 is not at all, 8 is deflate.</param>
/// <param name="IsEncrypted">True where it needs a password.</param>
internal readonly record struct ZipPlace(long Offset, long Packed, long Length, uint Crc, int Method, bool IsEncrypted);

/// <summary>An entry of a zip archive, stored or deflated.</summary>
/// <param name="reference">The name that results show.</param>
/// <param name="file">The archive.</param>
/// <param name="place">Where it is.</param>
/// <param name="kind">What it holds.</param>
internal sealed class ZipSource(string reference, SlicedFile file, ZipPlace place, MediaKind kind = MediaKind.Image)
    : MediaSource(reference, kind)
{
    private const int Stored = 0;
    private const int Deflated = 8;
    private const int HeaderBytes = 30;

    /// <summary>The entry's size and the time of the archive.</summary>
    public override SourceStamp? Stamp() => file.Stamp() is { } stamp ? stamp with { Bytes = place.Length } : null;

    internal override DecodeResult? Read(long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        if (place.IsEncrypted)
            return DecodeResult.Unreadable("the entry of the archive is encrypted");
        if (place.Method is not (Stored or Deflated))
            return DecodeResult.Unreadable($"expected an entry that is stored or deflated; found method {place.Method}");
        if (place.Length > limit || place.Packed > limit)
            return DecodeResult.Unreadable($"the entry has {Math.Max(place.Length, place.Packed)} bytes; at most {limit} are read");
        try
        {
            return Fill(buffer.Resize((int)place.Length)) is { } fault ? Empty(buffer, DecodeResult.Unreadable(fault)) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Empty(buffer, DecodeResult.Missing($"there is no file {DecodeResult.OneLine(file.Path)}"));
        }
        catch (UnauthorizedAccessException)
        {
            return Empty(buffer, DecodeResult.Unreadable("permission denied"));
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Empty(buffer, DecodeResult.Unreadable(DecodeResult.OneLine(e.Message)));
        }
    }

    /// <summary>Reads the content.</summary>
    /// <returns>Null, or what is wrong with the entry.</returns>
    private string? Fill(Span<byte> content)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (file.Read(header, place.Offset) < HeaderBytes || !header.StartsWith("PK\u0003\u0004"u8))
            return "the archive's directory names an entry that is not there";
        var start = place.Offset + HeaderBytes + BinaryPrimitives.ReadUInt16LittleEndian(header[26..])
            + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        if (place.Method == Stored)
        {
            if (place.Packed != place.Length || file.Read(content, start) < content.Length)
                return "the entry is cut off";
        }
        else
        {
            var packed = new byte[place.Packed];
            if (file.Read(packed, start) < packed.Length)
                return "the entry is cut off";
            using var inflated = new DeflateStream(new MemoryStream(packed, writable: false), CompressionMode.Decompress);
            if (inflated.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) < content.Length || inflated.ReadByte() >= 0)
                return $"the entry does not have the {place.Length} bytes that the archive's directory says";
        }
        return Crc32.HashToUInt32(content) == place.Crc ? null : "the entry's checksum differs: it is damaged";
    }

    private static DecodeResult Empty(ReusableBuffer buffer, DecodeResult result)
    {
        buffer.Resize(0);
        return result;
    }
}
