namespace Pristine.Experiments;

/// <summary>Losing detail by way of a smaller image; the size stays as it was. Interleaved 8-bit RGB.</summary>
internal static class Resampling
{
    /// <summary>
    /// Takes every so many pixels and repeats them: nearest-neighbour scaling to the given share of each side and back, source position
    /// floor(position x scale).
    /// </summary>
    public static void Pixelate(ReadOnlySpan<byte> rgb, int width, int height, double share, Span<byte> target)
    {
        var columns = NearestTwice(width, share);
        var rows = NearestTwice(height, share);
        for (int y = 0, to = 0; y < height; y++)
        {
            foreach (var column in columns)
            {
                rgb.Slice(3 * (rows[y] * width + column), 3).CopyTo(target[to..]);
                to += 3;
            }
        }
    }

    /// <summary>Scales down by a factor, averaging the area under each new pixel, and up again linearly.</summary>
    public static void Soften(ReadOnlySpan<byte> rgb, int width, int height, double factor, Span<byte> target)
    {
        int lowWidth = LowSide(width, 1 / factor), lowHeight = LowSide(height, 1 / factor);
        var samples = new float[rgb.Length];
        for (var i = 0; i < samples.Length; i++)
            samples[i] = rgb[i];
        // Along a row neighbours are 3 samples apart and every row is a line of its own; down a column they are a row apart.
        samples = Scale(samples, 3, height, AreaTaps(width, lowWidth));
        samples = Scale(samples, 3 * lowWidth, 1, AreaTaps(height, lowHeight));
        samples = Scale(samples, 3 * lowWidth, 1, LinearTaps(lowHeight, height));
        samples = Scale(samples, 3, height, LinearTaps(lowWidth, width));
        for (var i = 0; i < target.Length; i++)
            target[i] = (byte)(samples[i] + 0.5f);
    }

    private static int LowSide(int side, double share) => Math.Max(1, (int)(side * share));

    private static int[] NearestTwice(int side, double share)
    {
        var low = LowSide(side, share);
        var positions = new int[side];
        for (var i = 0; i < side; i++)
            positions[i] = (int)((long)i * low / side * side / low);
        return positions;
    }

    /// <summary>A new pixel as a weighted sum of old ones: the first one's position and the weights, which sum to 1.</summary>
    private readonly record struct Taps(int First, float[] Weights);

    private static Taps[] AreaTaps(int from, int to)
    {
        var scale = (double)from / to;
        var taps = new Taps[to];
        for (var i = 0; i < to; i++)
        {
            double start = i * scale, end = start + scale;
            var first = (int)start;
            var last = Math.Min((int)Math.Ceiling(end), from) - 1;
            taps[i] = new Taps(first, [
                .. Enumerable.Range(first, last - first + 1).Select(j => (float)((Math.Min(end, j + 1) - Math.Max(start, j)) / scale))]);
        }
        return taps;
    }

    private static Taps[] LinearTaps(int from, int to)
    {
        var taps = new Taps[to];
        for (var i = 0; i < to; i++)
        {
            var position = Math.Clamp((i + 0.5) * from / to - 0.5, 0, from - 1);
            var first = Math.Min((int)position, Math.Max(0, from - 2));
            var share = (float)(position - first);
            taps[i] = new Taps(first, from == 1 ? [1] : [1 - share, share]);
        }
        return taps;
    }

    /// <summary>Scales one dimension of an array that is lines x positions x samples.</summary>
    /// <param name="source">The array.</param>
    /// <param name="step">Samples at one position.</param>
    /// <param name="lines">Lines.</param>
    /// <param name="taps">One entry per new position.</param>
    private static float[] Scale(float[] source, int step, int lines, Taps[] taps)
    {
        var sourceLine = source.Length / lines;
        var target = new float[lines * taps.Length * step];
        for (var line = 0; line < lines; line++)
        {
            for (var i = 0; i < taps.Length; i++)
            {
                var sums = target.AsSpan((line * taps.Length + i) * step, step);
                for (var tap = 0; tap < taps[i].Weights.Length; tap++)
                {
                    var weight = taps[i].Weights[tap];
                    var samples = source.AsSpan(line * sourceLine + (taps[i].First + tap) * step, step);
                    for (var sample = 0; sample < step; sample++)
                        sums[sample] += weight * samples[sample];
                }
            }
        }
        return target;
    }
}
