using System.Buffers.Binary;
using System.Text;

namespace Pristine.Tests.Media;

/// <summary>Pixels and files that tests decode.</summary>
internal static class TestImages
{
    /// <summary>Smooth colour with seeded texture: every pixel differs from its neighbours, as in a photograph.</summary>
    public static byte[] Photo(int width, int height, int channels = 3, int seed = 1)
    {
        var random = new Random(seed);
        var pixels = new byte[width * height * channels];
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < channels; c++, i++)
                    pixels[i] = (byte)Math.Clamp(
                        128 + 80 * Math.Sin((x + 20 * c) / 23.0) + 40 * Math.Cos(y / (9.0 + c)) + random.Next(-12, 13), 0, 255);
        return pixels;
    }

    /// <summary>16-bit samples whose low bytes would round the high byte up half the time.</summary>
    public static ushort[] Photo16(int width, int height, int channels, int seed = 1)
    {
        var random = new Random(seed + 100);
        return Photo(width, height, channels, seed).Select(high => (ushort)(high << 8 | random.Next(256))).ToArray();
    }

    public static byte[] Jpeg(int width, int height, string options = "Q=90") =>
        VipsEncoder.Encode("jpegsave_buffer", options, Photo(width, height), width, height, 3, "srgb");

    public static byte[] Png(int width, int height, string options = "") =>
        VipsEncoder.Encode("pngsave_buffer", options, Photo(width, height), width, height, 3, "srgb");

    /// <summary>Puts an EXIF segment with an orientation behind a JPEG's first marker.</summary>
    public static byte[] WithOrientation(byte[] jpeg, int orientation, bool bigEndian = false) =>
        WithSegment(jpeg, 0xE1, [.. "Exif\0\0"u8, .. OrientationTiff(orientation, bigEndian)]);

    /// <summary>A TIFF header and one directory with an orientation and, before and behind it, other tags.</summary>
    public static byte[] OrientationTiff(int orientation, bool bigEndian)
    {
        var bytes = new List<byte>(bigEndian ? "MM\0*"u8.ToArray() : "II*\0"u8.ToArray());
        Add32(8);
        Add16(3);
        AddEntry(0x0100, 64);
        AddEntry(0x0112, orientation);
        AddEntry(0x0128, 2);
        Add32(0);
        return [.. bytes];

        void AddEntry(int tag, int value)
        {
            Add16(tag);
            Add16(3);
            Add32(1);
            Add16(value);
            Add16(0);
        }

        void Add16(int value) => bytes.AddRange(bigEndian ? [(byte)(value >> 8), (byte)value] : new[] { (byte)value, (byte)(value >> 8) });

        void Add32(int value)
        {
            Add16(bigEndian ? value >> 16 : value & 0xFFFF);
            Add16(bigEndian ? value & 0xFFFF : value >> 16);
        }
    }

    public static byte[] WithSegment(byte[] jpeg, byte marker, byte[] content)
    {
        var length = content.Length + 2;
        return [0xFF, 0xD8, 0xFF, marker, (byte)(length >> 8), (byte)length, .. content, .. jpeg[2..]];
    }

    /// <summary>A PNG of any claimed size with no pixels behind the header.</summary>
    public static byte[] PngHeader(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return
        [
            0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A,
            .. Chunk("IHDR", header), .. Chunk("IDAT", [0x78, 0x9C, 0x63, 0, 0, 0, 1, 0, 1]), .. Chunk("IEND", []),
        ];
    }

    /// <summary>Puts a chunk behind the header of a PNG, or elsewhere.</summary>
    public static byte[] WithChunk(byte[] png, string type, byte[] content, int at = 33) =>
        [.. png[..at], .. Chunk(type, content), .. png[at..]];

    /// <summary>Changes a byte of a PNG's header, whose checksum is right afterwards.</summary>
    public static byte[] WithHeader(byte[] png, int at, byte value)
    {
        var header = png[16..29];
        header[at - 16] = value;
        return [.. png[..8], .. Chunk("IHDR", header), .. png[33..]];
    }

    private static byte[] Chunk(string type, byte[] content)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(type), .. content];
        var crc = 0xFFFFFFFFu;
        foreach (var value in named)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        var bytes = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, content.Length);
        named.CopyTo(bytes, 4);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8 + content.Length), ~crc);
        return bytes;
    }
}
