using System.Buffers.Binary;

namespace Pristine.Media;

/// <summary>
/// The first frame of a GIF and how to decode it. GIFs are decoded here and not by libvips, for two reasons: libvips makes pixels that
/// never arrived black without a word, and it makes transparent pixels black, where all other formats give their stored colour.
/// The pixels are those of Pillow's <c>convert("RGB")</c>.
/// </summary>
/// <param name="Width">Pixels across: of the screen, or of the frame where it reaches beyond.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Left">Where the frame begins on the screen.</param>
/// <param name="Top">Where the frame begins on the screen.</param>
/// <param name="FrameWidth">Pixels across the frame.</param>
/// <param name="FrameHeight">Pixels down the frame.</param>
/// <param name="IsInterlaced">Whether rows come in four passes.</param>
/// <param name="Uncovered">Index of the colour of the pixels that the frame does not cover: the transparent one, else 0.</param>
/// <param name="Palette">Where the palette stands in the file; R, G, B each.</param>
/// <param name="Colours">How many colours it has; 0 without a palette, and an index is then a grey level.</param>
/// <param name="Data">Where the compressed data begin in the file.</param>
internal readonly record struct GifFrame(
    int Width, int Height, int Left, int Top, int FrameWidth, int FrameHeight, bool IsInterlaced, int Uncovered, int Palette, int Colours,
    int Data)
{
    private const string BadCode = "it has a code that stands for nothing";
    private const int ScreenBytes = 13;
    private const int DescriptorBytes = 10;
    private const int TableSize = 1 << 12;
    private const int WidestCode = 12;

    /// <summary>Bytes that <see cref="Decode"/> needs besides the pixels: one for each pixel of the frame.</summary>
    public long IndexCount => (long)FrameWidth * FrameHeight;

    /// <summary>Whether the pixels of a frame ended too early, and not at a code that stands for nothing.</summary>
    public bool EndsEarly(int arrived, string fault) => arrived > 0 && fault != BadCode;

    /// <summary>Whether the file ends within the blocks of the frame's pixels. They may be incomplete nevertheless.</summary>
    /// <param name="file">The whole file.</param>
    public bool BlocksEndEarly(ReadOnlySpan<byte> file) => SkipBlocks(file, Data + 1) > file.Length;

    /// <summary>Whether a GIF ends with its trailer, not counting zero bytes behind it.</summary>
    public static bool EndsWithTrailer(ReadOnlySpan<byte> file) => file.TrimEnd((byte)0).EndsWith(";"u8);

    /// <summary>Finds the first frame.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="fault">What is wrong; null when the frame is found.</param>
    public static bool TryRead(ReadOnlySpan<byte> file, out GifFrame frame, out string? fault)
    {
        frame = default;
        fault = "it ends before its first picture";
        if (file.Length < ScreenBytes)
            return false;
        var (width, height) = (Read16(file[6..]), Read16(file[8..]));
        var (palette, colours) = (ScreenBytes, PaletteSize(file[10]));
        var transparent = 0;
        for (var at = ScreenBytes + 3 * colours; at < file.Length;)
        {
            switch (file[at])
            {
                case (byte)';':
                    fault = "it has no picture";
                    return false;
                case (byte)'!':
                    // Extension: label, then blocks; the graphic control block names the transparent colour.
                    if (at + 7 < file.Length && file[at + 1] == 0xF9 && file[at + 2] >= 4 && (file[at + 3] & 1) != 0)
                        transparent = file[at + 6];
                    at = SkipBlocks(file, at + 2);
                    break;
                case (byte)',':
                    if (at + DescriptorBytes >= file.Length)
                        return false;
                    var place = file.Slice(at + 1, DescriptorBytes - 1);
                    var (left, top, across, down) = (Read16(place), Read16(place[2..]), Read16(place[4..]), Read16(place[6..]));
                    at += DescriptorBytes;
                    if (PaletteSize(place[8]) is > 0 and var local)
                    {
                        (palette, colours) = (at, local);
                        at += 3 * local;
                    }
                    if (at >= file.Length)
                        return false;
                    (width, height) = (Math.Max(width, left + across), Math.Max(height, top + down));
                    if (across == 0 || down == 0)
                    {
                        fault = $"its first picture is {across}x{down}";
                        return false;
                    }
                    frame = new(width, height, left, top, across, down, (place[8] & 0x40) != 0, transparent, palette, colours, at);
                    fault = null;
                    return true;
                default:
                    // Stray bytes between blocks do no harm.
                    at++;
                    break;
            }
        }
        return false;
    }

    /// <summary>Decodes the frame.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="indices"><see cref="IndexCount"/> bytes of scratch memory.</param>
    /// <param name="rgb">Width x height x 3 bytes; every one is written, those of pixels that did not arrive as uncovered ones.</param>
    /// <param name="fault">What is wrong; null when every pixel arrived.</param>
    /// <returns>How many pixels of the frame arrived.</returns>
    public int Decode(ReadOnlySpan<byte> file, Span<byte> indices, Span<byte> rgb, out string? fault)
    {
        var done = Decompress(file[Data..], indices, out fault);
        indices[done..].Fill((byte)Uncovered);
        Span<byte> colours = stackalloc byte[3 * 256];
        for (var i = 0; i < 256; i++)
            colours.Slice(3 * i, 3).Fill((byte)i);
        file.Slice(Palette, 3 * Colours).CopyTo(colours);

        if (IndexCount < (long)Width * Height)
        {
            for (var i = 0; i < rgb.Length; i += 3)
                colours.Slice(3 * Uncovered, 3).CopyTo(rgb[i..]);
        }
        for (var row = 0; row < FrameHeight; row++)
        {
            var target = rgb.Slice(3 * ((Top + (IsInterlaced ? InterlacedRow(row) : row)) * Width + Left), 3 * FrameWidth);
            var source = indices.Slice(row * FrameWidth, FrameWidth);
            for (int x = 0, to = 0; x < source.Length; x++, to += 3)
            {
                var from = 3 * source[x];
                target[to] = colours[from];
                target[to + 1] = colours[from + 1];
                target[to + 2] = colours[from + 2];
            }
        }
        return done;
    }

    // Rows 0, 8, 16 ...; 4, 12 ...; 2, 6 ...; 1, 3 ....
    private int InterlacedRow(int row)
    {
        foreach (var (first, step) in (ReadOnlySpan<(int, int)>)[(0, 8), (4, 8), (2, 4), (1, 2)])
        {
            var rows = (FrameHeight - first + step - 1) / step;
            if (row < rows)
                return first + row * step;
            row -= Math.Max(rows, 0);
        }
        return 0;
    }

    /// <summary>
    /// LZW with codes that grow from the first byte's bits + 1 to 12 bits. An entry of the table is a stretch of the output: what the
    /// code before stood for, and one index more. Copying it from front to back also serves a code that stands for the entry being made.
    /// </summary>
    private static int Decompress(ReadOnlySpan<byte> data, Span<byte> indices, out string? fault)
    {
        fault = null;
        int minimum = data[0];
        if (minimum is < 1 or >= WidestCode)
        {
            fault = $"expected codes of 1 to 11 bits; found {minimum}";
            return 0;
        }
        Span<int> starts = stackalloc int[TableSize];
        Span<int> lengths = stackalloc int[TableSize];
        var (clear, next, width) = (1 << minimum, (1 << minimum) + 2, minimum + 1);
        var (previousStart, previousLength) = (0, 0);
        var (at, blockEnd, done) = (1, 1, 0);
        var (bits, held) = (0u, 0);
        while (done < indices.Length)
        {
            while (held < width)
            {
                if (at == blockEnd)
                {
                    if (at < data.Length && data[at] == 0)
                    {
                        fault = "its data end";
                        return done;
                    }
                    if (at < data.Length)
                        blockEnd = at + 1 + data[at];
                    at++;
                }
                if (at >= data.Length)
                {
                    fault = "the file ends";
                    return done;
                }
                bits |= (uint)data[at++] << held;
                held += 8;
            }
            var code = (int)(bits & ((1u << width) - 1));
            bits >>= width;
            held -= width;
            if (code == clear)
            {
                (next, width, previousLength) = (clear + 2, minimum + 1, 0);
                continue;
            }
            if (code == clear + 1)
            {
                fault = "its data end";
                return done;
            }
            if (previousLength > 0 && next < TableSize)
            {
                (starts[next], lengths[next]) = (previousStart, previousLength + 1);
                next++;
                if (next == 1 << width && width < WidestCode)
                    width++;
            }
            var (from, length) = (done, 1);
            if (code < clear)
                indices[done] = (byte)code;
            else if (code < next)
            {
                (from, length) = (starts[code], lengths[code]);
                var copied = Math.Min(length, indices.Length - done);
                for (var i = 0; i < copied; i++)
                    indices[done + i] = indices[from + i];
            }
            else
            {
                fault = BadCode;
                return done;
            }
            (previousStart, previousLength) = (done, length);
            done += Math.Min(length, indices.Length - done);
        }
        return done;
    }

    // From the first sub-block on to behind the empty one that ends them.
    private static int SkipBlocks(ReadOnlySpan<byte> file, int at)
    {
        while (at < file.Length && file[at] != 0)
            at += 1 + file[at];
        return at + 1;
    }

    private static int PaletteSize(byte flags) => (flags & 0x80) != 0 ? 2 << (flags & 7) : 0;

    private static int Read16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);
}
