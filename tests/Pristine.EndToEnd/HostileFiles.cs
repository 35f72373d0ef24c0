using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Pristine.EndToEnd;

/// <summary>A file that a scoring run must survive.</summary>
/// <param name="Path">
/// The path as .NET lists it; for the name that is not UTF-8 its bad byte reads as U+FFFD, so .NET cannot open it by this path.
/// </param>
/// <param name="Kind">What is wrong with it, for example <c>truncated</c>.</param>
/// <param name="MayDecode">
/// True where a row with status ok is legitimate: good pixels under an odd name, or damage that a decoder need not notice.
/// </param>
internal sealed record HostileFile(string Path, string Kind, bool MayDecode);

/// <summary>
/// Fifty files such as a crawl leaves behind, or as someone puts there on purpose. Linux only: names that are not UTF-8, pipes and
/// permissions are part of it.
/// </summary>
internal static class HostileFiles
{
    public const int Count = 50;

    private static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes the files. The same good files and seed give the same names and bytes.</summary>
    /// <param name="folder">Where to; it may hold other files, but none of these names.</param>
    /// <param name="goodJpegs">Sound JPEG files of at least 1 KiB, the raw material.</param>
    /// <param name="seed">Chooses where files are cut and what the random bytes are.</param>
    /// <returns>The <see cref="Count"/> files.</returns>
    public static IReadOnlyList<HostileFile> Create(string folder, IReadOnlyList<string> goodJpegs, int seed)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Expected Linux: pipes and names that are not UTF-8 cannot be made here.");
        var random = new Random(seed);
        var files = new List<HostileFile>(Count);

        string Add(string name, string kind, bool mayDecode = false)
        {
            var path = Path.Combine(folder, name);
            files.Add(new HostileFile(path, kind, mayDecode));
            return path;
        }

        void Write(string name, string kind, byte[] bytes, bool mayDecode = false) => File.WriteAllBytes(Add(name, kind, mayDecode), bytes);
        byte[] Good() => File.ReadAllBytes(goodJpegs[random.Next(goodJpegs.Count)]);
        byte[] Noise(int length)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            return bytes;
        }

        // Cut off. The last bytes are left alone: a file that lacks only its end marker still has all its pixels.
        for (var i = 0; i < 11; i++)
        {
            var good = Good();
            Write($"truncated-{i:00}.jpg", "truncated", good[..random.Next(2, good.Length - 512)]);
        }
        Write("truncated.png", "truncated", Png(64, 64, 8, Compress(new byte[64 * 65]))[..60]);
        Write("one-byte.jpg", "truncated", [0xFF]);

        // Not an image at all.
        foreach (var extension in (string[])["jpg", "png", "webp"])
        {
            Write($"random-{extension}.{extension}", "random bytes", Noise(20_000));
            Write($"zero-{extension}.{extension}", "zero bytes", []);
        }
        Write("zeros.jpg", "all zero", new byte[10_000]);
        Write("text.jpg", "wrong extension", Encoding.UTF8.GetBytes("The image is not available in your country.\n"));
        Write("page.png", "wrong extension", Encoding.UTF8.GetBytes("<!doctype html><title>404 Not Found</title><h1>Not Found</h1>\n"));
        Write("answer.webp", "wrong extension", Encoding.UTF8.GetBytes("{\"error\":\"rate limit\"}\n"));
        Write("jpeg-named.png", "wrong extension", Good(), mayDecode: true);
        Write("document.jpg", "document", Encoding.UTF8.GetBytes(
            "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"));
        Write("drawing.jpg", "document", Encoding.UTF8.GetBytes(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"64\" height=\"64\"><image href=\"file:///etc/passwd\"/></svg>\n"));

        // Headers that promise more than memory holds, and bodies that unfold to far more than the header says.
        Write("huge.png", "huge header", Png(40_000, 40_000, 8, Compress(new byte[40_001])));
        Write("huge-bits.png", "huge header", Png(int.MaxValue, int.MaxValue, 1, Compress(new byte[64])));
        Write("huge.jpg", "huge header", WithJpegSize(Good(), 65_500, 65_500));
        Write("huge.gif", "huge header", Gif(65_535, 65_535, Noise(100)));
        Write("bomb-pixels.png", "decompression bomb", Png(64, 64, 8, Compress(new byte[64 << 20])), mayDecode: true);
        Write("bomb-text.png", "decompression bomb", Png(64, 64, 8, Compress(new byte[64 * 65]),
            Chunk("zTXt", [(byte)'b', 0, 0, .. Compress(new byte[64 << 20])])), mayDecode: true);

        // Damaged inside.
        const int headerChecksum = 29;
        Write("bad-crc.png", "damaged", WithFlippedBit(Png(64, 64, 8, Compress(new byte[64 * 65])), headerChecksum), mayDecode: true);
        Write("zero-width.png", "damaged", Png(0, 64, 8, Compress(new byte[64])));
        Write("no-pixels.png", "damaged", [.. PngSignature, .. Header(64, 64, 8), .. Chunk("IEND", [])]);
        Write("noise.gif", "damaged", Gif(64, 64, Noise(500)));
        Write("short.webp", "damaged", [.. "RIFF"u8, 255, 255, 0, 0, .. "WEBPVP8 "u8, 240, 255, 0, 0, .. Noise(200)]);
        Write("loop.tif", "damaged", LoopingTiff(), mayDecode: true);
        var flipped = Good();
        Write("flipped-bit.jpg", "damaged", WithFlippedBit(
            flipped, random.Next(flipped.Length / 2, flipped.Length - 512)), mayDecode: true);

        // Formats that the decoder does not read.
        Write("photo.heic", "unsupported format", [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8, .. Noise(500)]);
        Write("photo.jxl", "unsupported format", [0xFF, 0x0A, .. Noise(500)]);
        Write("photo.bmp", "unsupported format", Bmp(16, 16));

        // Good pixels under names that break careless listings.
        Write("with spaces and, a comma.jpg", "odd name", Good(), mayDecode: true);
        Write("with\nnewline.jpg", "odd name", Good(), mayDecode: true);
        Write("-\"quoted\"\t'$(reboot)'.jpg", "odd name", Good(), mayDecode: true);
        var badName = Add("not-utf8-\uFFFD.jpg", "name not UTF-8", mayDecode: true);
        Shell("cp -- \"$0\" \"${1%/*}\"/$'not-utf8-\\xff.jpg'", goodJpegs[0], badName);

        // Not a file that can be read.
        File.CreateSymbolicLink(Add("dangling.jpg", "dangling link"), Path.Combine(folder, "nowhere.jpg"));
        Directory.CreateDirectory(Add("folder.jpg", "directory"));
        Shell("mkfifo -- \"$0\"", Add("pipe.jpg", "named pipe"));
        var locked = Path.Combine(folder, "locked.jpg");
        File.WriteAllBytes(locked, Good());
        File.SetUnixFileMode(locked, UnixFileMode.None);
        Add("locked.jpg", "no permission", CanRead(locked)); // root reads it all the same

        return files.Count == Count ? files : throw new InvalidOperationException($"Expected {Count} hostile files; made {files.Count}.");
    }

    /// <summary>Deletes a folder that holds such files; .NET's own recursive delete cannot name the one that is not UTF-8.</summary>
    public static void Delete(string folder) => Shell("rm -rf -- \"$0\"", folder);

    private static bool CanRead(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Shell(string script, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", script, .. arguments]) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{script}' ended with exit code {process.ExitCode}: {errors}");
    }

    private static byte[] WithFlippedBit(byte[] bytes, int position)
    {
        bytes[position] ^= 0x10;
        return bytes;
    }

    /// <summary>A grey PNG whose chunks have valid checksums, whatever the header and the pixels say.</summary>
    private static byte[] Png(int width, int height, byte bits, byte[] pixels, byte[]? extraChunk = null) =>
        [.. PngSignature, .. Header(width, height, bits), .. extraChunk ?? [], .. Chunk("IDAT", pixels), .. Chunk("IEND", [])];

    private static byte[] Header(int width, int height, byte bits)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = bits;
        return Chunk("IHDR", header);
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        var chunk = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(data.Length + 8), Crc32.HashToUInt32(chunk.AsSpan(4, data.Length + 4)));
        return chunk;
    }

    private static byte[] Compress(byte[] data)
    {
        using var result = new MemoryStream();
        using (var zlib = new ZLibStream(result, CompressionLevel.Fastest))
            zlib.Write(data);
        return result.ToArray();
    }

    /// <summary>The JPEG with another size in its frame header; the rest stays sound.</summary>
    private static byte[] WithJpegSize(byte[] jpeg, ushort width, ushort height)
    {
        for (var position = 2; position + 9 < jpeg.Length && jpeg[position] == 0xFF;)
        {
            if (jpeg[position + 1] is 0xC0 or 0xC1 or 0xC2)
            {
                BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(position + 5), height);
                BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(position + 7), width);
                return jpeg;
            }
            position += 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(position + 2));
        }
        throw new ArgumentException(
            "Expected a baseline or progressive JPEG with a frame header before its pixels; found none.", nameof(jpeg));
    }

    /// <summary>A GIF of one frame in two colours, whose compressed data is whatever is given.</summary>
    private static byte[] Gif(ushort width, ushort height, byte[] data)
    {
        byte[] size = [(byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8)];
        return [
            .. "GIF89a"u8, .. size, 0x80, 0, 0, 0, 0, 0, 255, 255, 255,
            (byte)',', 0, 0, 0, 0, .. size, 0, 2,
            .. data.Chunk(255).SelectMany(block => (byte[])[(byte)block.Length, .. block]), 0, (byte)';',
        ];
    }

    /// <summary>A TIFF of one sound grey pixel whose directory names itself as the next page: counting the pages never ends.</summary>
    private static byte[] LoopingTiff()
    {
        // width, height, bits, compression, black is zero, strip at, rows per strip, bytes per strip
        (byte Tag, byte Value)[] entries = [(0, 1), (1, 1), (2, 8), (3, 1), (6, 1), (17, 4), (22, 1), (23, 1)];
        return [
            .. "II"u8, 42, 0, 8, 0, 0, 0, (byte)entries.Length, 0,
            .. entries.SelectMany(entry => (byte[])[entry.Tag, 1, 3, 0, 1, 0, 0, 0, entry.Value, 0, 0, 0]), 8, 0, 0, 0,
        ];
    }

    /// <summary>A sound black bitmap, 24 bits a pixel.</summary>
    private static byte[] Bmp(byte width, byte height)
    {
        var length = 54 + ((width * 3) + 3) / 4 * 4 * height;
        var bmp = new byte[length];
        "BM"u8.CopyTo(bmp);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(2), length);
        bmp[10] = 54;
        bmp[14] = 40;
        bmp[18] = width;
        bmp[22] = height;
        bmp[26] = 1;
        bmp[28] = 24;
        return bmp;
    }
}
