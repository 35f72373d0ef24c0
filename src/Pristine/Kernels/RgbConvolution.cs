namespace Pristine.Kernels;

/// <summary>A small filter mask of odd width and height, row by row.</summary>
internal sealed record ConvolutionMask
{
    public ConvolutionMask(int width, int height, double[] weights)
    {
        if (width % 2 == 0 || height % 2 == 0 || weights.Length != width * height)
            throw new ArgumentException(
                $"Expected odd sides and width x height weights; found {width}x{height} and {weights.Length} weights.", nameof(weights));
        (Width, Height, Weights) = (width, height, weights);
    }

    public int Width { get; }

    public int Height { get; }

    public double[] Weights { get; }
}

/// <summary>
/// Filters interleaved 8-bit RGB: out(x,y) = sum over (i,j) of w(i,j) in(x+i,y+j), the mask centred, border pixels repeated, rounded half
/// up and clipped to 0..255. For masks without negative weights that sum to 1, as blurs have them. One per worker; it keeps its memory.
/// </summary>
/// <remarks>
/// Sums are floats, added in the order of the mask by fused multiply-add on every path, so every path gives the same bytes; against double
/// precision a byte differs by at most 1, where the exact value lies within 1e-4 of a half.
/// </remarks>
internal sealed unsafe class RgbConvolution(SimdPath path)
{
    /// <summary>Vectors summed at once: enough independent additions to hide the latency of one.</summary>
    private const int Unrolled = 4;

    /// <summary>Rows are followed by room for a whole step of the widest path, which reads there and whose sums are thrown away.</summary>
    private const int Slack = Unrolled * 16;

    private readonly ScratchMemory<float> _rows = new();
    private readonly ScratchMemory<float> _sums = new();

    /// <summary>Filters an image.</summary>
    /// <param name="rgb">Width x height x 3 bytes.</param>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <param name="mask">The mask; any size, also larger than the image.</param>
    /// <param name="target">Width x height x 3 bytes that do not overlap <paramref name="rgb"/>.</param>
    public void Apply(ReadOnlySpan<byte> rgb, int width, int height, ConvolutionMask mask, Span<byte> target)
    {
        if (rgb.Length != 3L * width * height || target.Length != rgb.Length)
            throw new ArgumentException(
                $"Expected {3L * width * height} bytes for {width}x{height} RGB; found {rgb.Length} and {target.Length}.", nameof(rgb));
        switch (path)
        {
            case SimdPath.Vector512: Apply<SixteenFloats>(rgb, width, height, mask, target); break;
            case SimdPath.Vector256: Apply<EightFloats>(rgb, width, height, mask, target); break;
            case SimdPath.Vector128: Apply<FourFloats>(rgb, width, height, mask, target); break;
            default: Apply<OneFloat>(rgb, width, height, mask, target); break;
        }
    }

    private void Apply<T>(ReadOnlySpan<byte> rgb, int width, int height, ConvolutionMask mask, Span<byte> target)
        where T : unmanaged, IFloatLanes<T>
    {
        var (radiusX, radiusY) = (mask.Width / 2, mask.Height / 2);
        var samples = 3 * width;
        var stride = 3L * (width + mask.Width - 1) + Slack;
        var rows = _rows.Reserve(stride * mask.Height);
        var sums = _sums.Reserve(samples + Slack);
        var (weights, offsets) = Taps(mask);
        var taps = stackalloc float*[weights.Length];
        // A ring of as many rows as the mask is high; row y stands in slot y modulo that height.
        for (var y = 0; y < Math.Min(radiusY, height); y++)
            LoadRow(rgb.Slice(y * samples, samples), radiusX, rows + y % mask.Height * stride);
        for (var y = 0; y < height; y++)
        {
            var next = y + radiusY;
            if (next < height)
                LoadRow(rgb.Slice(next * samples, samples), radiusX, rows + next % mask.Height * stride);
            for (var i = 0; i < weights.Length; i++)
            {
                var row = Math.Clamp(y + offsets[i].Y - radiusY, 0, height - 1);
                taps[i] = rows + row % mask.Height * stride + 3 * offsets[i].X;
            }
            fixed (float* weight = weights)
                SumTaps<T>(taps, weight, weights.Length, samples, sums);
            var line = target.Slice(y * samples, samples);
            for (var i = 0; i < line.Length; i++)
                line[i] = (byte)Math.Min(sums[i] + 0.5f, 255);
        }
    }

    /// <summary>The mask's weights without its zeros, in its order.</summary>
    private static (float[] Weights, (int X, int Y)[] Offsets) Taps(ConvolutionMask mask)
    {
        var taps = Enumerable.Range(0, mask.Weights.Length).Where(i => mask.Weights[i] != 0).ToArray();
        return ([.. taps.Select(i => (float)mask.Weights[i])], [.. taps.Select(i => (i % mask.Width, i / mask.Width))]);
    }

    private static void LoadRow(ReadOnlySpan<byte> row, int radius, float* target)
    {
        for (var x = 0; x < radius; x++)
            for (var channel = 0; channel < 3; channel++)
                *target++ = row[channel];
        foreach (var value in row)
            *target++ = value;
        for (var x = 0; x < radius; x++)
            for (var channel = 0; channel < 3; channel++)
                *target++ = row[row.Length - 3 + channel];
    }

    // Interleaved samples need no shuffling: a tap i pixels to the right is 3i samples further in the row, for all channels alike.
    private static void SumTaps<T>(float** taps, float* weights, int count, int samples, float* sums) where T : unmanaged, IFloatLanes<T>
    {
        for (var x = 0; x < samples; x += Unrolled * T.Count)
        {
            T sum0 = T.Broadcast(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
            for (var i = 0; i < count; i++)
            {
                var weight = T.Broadcast(weights[i]);
                var tap = taps[i] + x;
                sum0 = T.MultiplyAdd(weight, T.Load(tap), sum0);
                sum1 = T.MultiplyAdd(weight, T.Load(tap + T.Count), sum1);
                sum2 = T.MultiplyAdd(weight, T.Load(tap + 2 * T.Count), sum2);
                sum3 = T.MultiplyAdd(weight, T.Load(tap + 3 * T.Count), sum3);
            }
            sum0.Store(sums + x);
            sum1.Store(sums + x + T.Count);
            sum2.Store(sums + x + 2 * T.Count);
            sum3.Store(sums + x + 3 * T.Count);
        }
    }
}
