using System.Runtime.InteropServices;

namespace Pristine.Media;

/// <summary>From the samples a file has to the 8-bit grey or RGB that metrics see.</summary>
internal static class PixelLayout
{
    /// <summary>Takes the first channels of every pixel, of 16-bit samples the high byte.</summary>
    /// <param name="samples">Pixels x bands samples, 16-bit ones in the machine's byte order.</param>
    /// <param name="bands">Samples per pixel, at least <paramref name="channels"/>.</param>
    /// <param name="wide">Whether samples have 16 bits.</param>
    /// <param name="channels">How many to take: 1 (grey) or 3 (RGB).</param>
    /// <param name="target">Pixels x channels bytes.</param>
    public static void Reduce(ReadOnlySpan<byte> samples, int bands, bool wide, int channels, Span<byte> target)
    {
        if (wide)
        {
            var values = MemoryMarshal.Cast<byte, ushort>(samples);
            for (int from = 0, to = 0; to < target.Length; from += bands, to += channels)
                for (var channel = 0; channel < channels; channel++)
                    target[to + channel] = (byte)(values[from + channel] >> 8);
        }
        else
        {
            for (int from = 0, to = 0; to < target.Length; from += bands, to += channels)
                for (var channel = 0; channel < channels; channel++)
                    target[to + channel] = samples[from + channel];
        }
    }

    /// <summary>
    /// Turns ink (0 none, 255 full) into RGB without a profile, as Pillow and OpenCV do: each of R, G, B is (255 - K) less its ink's share
    /// of it, c (255 - K) / 255 rounded to the nearest level. Of 16-bit samples the high byte counts.
    /// </summary>
    /// <param name="samples">Pixels x bands samples, C M Y K first.</param>
    /// <param name="bands">Samples per pixel, at least 4.</param>
    /// <param name="wide">Whether samples have 16 bits.</param>
    /// <param name="rgb">Pixels x 3 bytes.</param>
    public static void CmykToRgb(ReadOnlySpan<byte> samples, int bands, bool wide, Span<byte> rgb)
    {
        var size = wide ? sizeof(ushort) : 1;
        // The high byte of a 16-bit sample in the machine's byte order.
        var high = wide && BitConverter.IsLittleEndian ? 1 : 0;
        for (int from = high, to = 0; to < rgb.Length; from += bands * size, to += 3)
        {
            var paper = 255 - samples[from + 3 * size];
            for (var channel = 0; channel < 3; channel++)
            {
                var ink = samples[from + channel * size] * paper + 128;
                rgb[to + channel] = (byte)(paper - (((ink >> 8) + ink) >> 8));
            }
        }
    }

    /// <summary>Makes R = G = B of grey.</summary>
    public static void Spread(ReadOnlySpan<byte> grey, Span<byte> rgb)
    {
        for (int from = 0, to = 0; from < grey.Length; from++, to += 3)
            rgb[to] = rgb[to + 1] = rgb[to + 2] = grey[from];
    }
}
