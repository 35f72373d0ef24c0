using System.Buffers.Binary;
using System.IO.Compression;

namespace Pristine.Tests.Media;

/// <summary>Makes TIFFs whose directory stands before the pixels, with any tags.</summary>
internal static class TestTiff
{
    public const ushort Bits = 258;
    public const ushort Compression = 259;
    public const ushort Photometric = 262;
    public const ushort SampleFormat = 339;
    public const ushort Planar = 284;
    public const ushort TileWidth = 322;

    /// <summary>An RGB picture in one strip.</summary>
    /// <param name="rgb">Width x height x 3 bytes.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="changed">Tags that have another value than a plain picture's, or that it lacks.</param>
    public static byte[] Make(byte[] rgb, int width, int height, params (ushort Tag, int Value)[] changed) =>
        WithStrip(rgb, width, height, changed);

    /// <summary>As <see cref="Make"/>, compressed with Deflate.</summary>
    public static byte[] MakeDeflated(byte[] rgb, int width, int height)
    {
        using var deflated = new MemoryStream();
        using (var compressor = new ZLibStream(deflated, CompressionLevel.Optimal))
            compressor.Write(rgb);
        return WithStrip(deflated.ToArray(), width, height, (Compression, 8));
    }

    /// <summary>As <see cref="Make"/>, in strips of 4 rows.</summary>
    public static byte[] MakeInStrips(byte[] rgb, int width, int height)
    {
        // Their places and sizes stand between the directory and the pixels.
        const int rows = 4;
        var strips = (height + rows - 1) / rows;
        var file = Make(rgb, width, height, (278, rows));
        var pixels = file.Length - rgb.Length;
        var result = new byte[file.Length + 8 * strips];
        file.AsSpan(0, pixels).CopyTo(result);
        rgb.CopyTo(result, pixels + 8 * strips);
        for (var entry = 10; entry + 12 <= pixels; entry += 12)
        {
            var tag = BinaryPrimitives.ReadUInt16LittleEndian(result.AsSpan(entry));
            if (tag is not (273 or 279))
                continue;
            var list = pixels + (tag == 273 ? 0 : 4 * strips);
            BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(entry + 4), strips);
            BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(entry + 8), list);
            for (var strip = 0; strip < strips; strip++)
            {
                var first = strip * rows * width * 3;
                var value = tag == 273 ? pixels + 8 * strips + first : Math.Min(rgb.Length - first, rows * width * 3);
                BinaryPrimitives.WriteInt32LittleEndian(result.AsSpan(list + 4 * strip), value);
            }
        }
        return result;
    }

    private static byte[] WithStrip(byte[] strip, int width, int height, params (ushort Tag, int Value)[] changed)
    {
        var tags = new SortedDictionary<ushort, int>
        {
            [256] = width,
            [257] = height,
            [Bits] = 8,
            [Compression] = 1,
            [Photometric] = 2,
            [273] = 0,
            [277] = 3,
            [278] = height,
            [279] = strip.Length,
        };
        foreach (var (tag, value) in changed)
            tags[tag] = value;
        var pixels = 8 + 2 + 12 * tags.Count + 4 + 6;
        tags[273] = pixels;
        var file = new byte[pixels + strip.Length];
        "II*\0"u8.CopyTo(file);
        file[4] = 8;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), (ushort)tags.Count);
        var at = 10;
        foreach (var (tag, value) in tags)
        {
            // The bits of three samples do not fit into the entry; they stand behind the directory.
            var isBits = tag == Bits;
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), tag);
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at + 2), (ushort)(isBits ? 3 : 4));
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at + 4), isBits ? 3 : 1);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at + 8), isBits ? pixels - 6 : value);
            at += 12;
        }
        for (var sample = 0; sample < 3; sample++)
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(pixels - 6 + 2 * sample), (ushort)tags[Bits]);
        strip.CopyTo(file, pixels);
        return file;
    }
}
