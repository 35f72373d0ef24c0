using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Pristine.Kernels;
using Pristine.Remote;

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

    // What programs put into the header of an entry and not into the directory, such as times.
    private const int MostMore = 128;

    internal override string HeldBy => file.Path;

    /// <summary>The entry's size and the time of the archive.</summary>
    public override SourceStamp? Stamp() => file.Stamp() is { } stamp ? stamp with { Bytes = place.Length } : null;

    internal override DecodeResult? Read(long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        if (Refuse(place, limit) is { } refused)
            return refused;
        try
        {
            return Fill(place, file.Read, buffer.Resize((int)place.Length)) is { } fault
                ? Empty(buffer, DecodeResult.Unreadable(fault))
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Empty(buffer, DecodeResult.Missing($"there is no file {DecodeResult.OneLine(file.Path)}"));
        }
        catch (UnauthorizedAccessException)
        {
            return Empty(buffer, DecodeResult.Unreadable("permission denied"));
        }
        catch (RemoteException e)
        {
            return Empty(buffer, RemoteSource.Failed(e));
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Empty(buffer, DecodeResult.Unreadable(DecodeResult.OneLine(e.Message)));
        }
    }

    /// <summary>
    /// An entry of an archive at an address. Its bytes are read with one request, which may start before its turn; where its header is
    /// longer than the archive's directory lets expect, with two.
    /// </summary>
    /// <param name="reference">The name that results show.</param>
    /// <param name="archive">The archive.</param>
    /// <param name="place">Where the entry is.</param>
    /// <param name="nameBytes">Bytes of its name and of what else the directory says of it, which its header repeats.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="limit">The most bytes of an entry.</param>
    public static MediaSource At(
        string reference, RemoteFile archive, ZipPlace place, int nameBytes, MediaKind kind, long limit)
    {
        var slices = new SlicedFile(archive);
        var length = Math.Min(HeaderBytes + nameBytes + MostMore + place.Packed, archive.Length - place.Offset);
        if (Refuse(place, limit) != null || !archive.HasRanges || length < HeaderBytes)
            return new ZipSource(reference, slices, place, kind);
        DecodeResult? Unpack(ReadOnlySpan<byte> entry, ReusableBuffer buffer)
        {
            if (Refuse(place, limit) is { } refused)
                return refused;
            var held = entry.ToArray();
            int ReadHeld(Span<byte> bytes, long offset)
            {
                var from = (int)(offset - place.Offset);
                if (from + bytes.Length > held.Length)
                    return slices.Read(bytes, offset);
                held.AsSpan(from, bytes.Length).CopyTo(bytes);
                return bytes.Length;
            }
            try
            {
                return Fill(place, ReadHeld, buffer.Resize((int)place.Length)) is { } fault
                    ? Empty(buffer, DecodeResult.Unreadable(fault))
                    : null;
            }
            catch (RemoteException e)
            {
                return Empty(buffer, RemoteSource.Failed(e));
            }
            catch (InvalidDataException e)
            {
                return Empty(buffer, DecodeResult.Unreadable(DecodeResult.OneLine(e.Message)));
            }
        }
        return new RemoteSource(
            reference, archive.Address, archive.Access, kind, new RemoteRange(place.Offset, length, archive.Version), Unpack);
    }

    /// <summary>Why an entry is not read, as far as the archive's directory tells; null where nothing speaks against it.</summary>
    private static DecodeResult? Refuse(ZipPlace place, long limit) =>
        place.IsEncrypted ? DecodeResult.Unreadable("the entry of the archive is encrypted")
        : place.Method is not (Stored or Deflated)
        ? DecodeResult.Unreadable($"expected an entry that is stored or deflated; found method {place.Method}")
        : place.Length > limit || place.Packed > limit
        ? DecodeResult.Unreadable($"the entry has {Math.Max(place.Length, place.Packed)} bytes; at most {limit} are read")
        : null;

    private delegate int Reader(Span<byte> bytes, long offset);

    /// <summary>Reads the content.</summary>
    /// <returns>Null, or what is wrong with the entry.</returns>
    private static string? Fill(ZipPlace place, Reader read, Span<byte> content)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (read(header, place.Offset) < HeaderBytes || !header.StartsWith("PK\u0003\u0004"u8))
            return "the archive's directory names an entry that is not there";
        var start = place.Offset + HeaderBytes + BinaryPrimitives.ReadUInt16LittleEndian(header[26..])
            + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        if (place.Method == Stored)
        {
            if (place.Packed != place.Length || read(content, start) < content.Length)
                return "the entry is cut off";
        }
        else
        {
            var packed = new byte[place.Packed];
            if (read(packed, start) < packed.Length)
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
