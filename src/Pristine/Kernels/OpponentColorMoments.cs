using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>Mean and variance of the two opponent colour axes of interleaved RGB pixels in one pass.</summary>
internal static class OpponentColorMoments
{
    private const int PixelsPerStep = 8;

    // A step reads 16 bytes from the fourth pixel on and uses 12 of them.
    private const int BytesRead = 12 + 16;

    // One step adds at most 2 x 510^2 = 520,200 to a 32-bit lane, which holds 4,128 such steps.
    private const int StepsPerBlock = 4096;

    /// <summary>Measures pixels.</summary>
    /// <param name="rgb">R G B, 0..255, three bytes per pixel.</param>
    /// <returns>
    /// Exact moments of R - G (within ±255) and of R + G - 2 B (within ±510, twice the yellow-blue axis, so that it is an integer); the
    /// same on every path.
    /// </returns>
    public static (Moments RedGreen, Moments TwiceYellowBlue) Measure(ReadOnlySpan<byte> rgb) => Measure(rgb, Simd.Current);

    internal static (Moments RedGreen, Moments TwiceYellowBlue) Measure(ReadOnlySpan<byte> rgb, SimdPath path)
    {
        var (redGreen, yellowBlue) = (default(Moments), default(Moments));
        while (path >= SimdPath.Vector128 && rgb.Length >= BytesRead)
        {
            var steps = Math.Min((rgb.Length - BytesRead) / (3 * PixelsPerStep) + 1, StepsPerBlock);
            var block = path == SimdPath.Vector128 ? MeasureHalves(rgb, steps) : MeasureBlock(rgb, steps);
            redGreen += block.RedGreen;
            yellowBlue += block.TwiceYellowBlue;
            rgb = rgb[(steps * 3 * PixelsPerStep)..];
        }
        var rest = MeasureScalar(rgb);
        return (redGreen + rest.RedGreen, yellowBlue + rest.TwiceYellowBlue);
    }

    private static (Moments RedGreen, Moments TwiceYellowBlue) MeasureScalar(ReadOnlySpan<byte> rgb)
    {
        long redGreenSum = 0, redGreenSquares = 0, yellowBlueSum = 0, yellowBlueSquares = 0;
        for (var i = 0; i + 2 < rgb.Length; i += 3)
        {
            var redGreen = rgb[i] - rgb[i + 1];
            var yellowBlue = rgb[i] + rgb[i + 1] - 2 * rgb[i + 2];
            redGreenSum += redGreen;
            redGreenSquares += redGreen * redGreen;
            yellowBlueSum += yellowBlue;
            yellowBlueSquares += yellowBlue * yellowBlue;
        }
        var count = rgb.Length / 3;
        return (new Moments(count, redGreenSum, redGreenSquares), new Moments(count, yellowBlueSum, yellowBlueSquares));
    }

    /// <summary>
    /// Eight pixels a step, four in each 128-bit half. A half becomes eight 16-bit values: R - G of its four pixels, then R + G - 2 B
    /// of the same four. So the lower two 32-bit lanes of each half add up the red-green axis and the upper two the yellow-blue axis.
    /// 512-bit vectors gain nothing beside the cost of decoding the pixels.
    /// </summary>
    private static (Moments RedGreen, Moments TwiceYellowBlue) MeasureBlock(ReadOnlySpan<byte> rgb, int steps)
    {
        const byte None = 0x80; // pshufb writes zero for an index with the top bit set
        var redAndGreen = TwiceOver(Vector128.Create((byte)0, 1, 3, 4, 6, 7, 9, 10, 0, 1, 3, 4, 6, 7, 9, 10));
        var blue = TwiceOver(Vector128.Create(None, None, None, None, None, None, None, None, 2, None, 5, None, 8, None, 11, None));
        var weights = TwiceOver(Vector128.Create((sbyte)1, -1, 1, -1, 1, -1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1).AsByte()).AsSByte();
        var redGreenLanes = TwiceOver(Vector128.Create(-1, -1, 0, 0).AsByte()).AsInt32();

        var sums = Vector256<int>.Zero;
        var squares = Vector256<int>.Zero;
        for (var i = 0; i < steps * 3 * PixelsPerStep; i += 3 * PixelsPerStep)
        {
            var pixels = Vector256.Create(Vector128.Create(rgb.Slice(i, 16)), Vector128.Create(rgb.Slice(i + 12, 16)));
            var axes = Avx2.MultiplyAddAdjacent(Avx2.Shuffle(pixels, redAndGreen), weights) - (Avx2.Shuffle(pixels, blue).AsInt16() << 1);
            sums += Avx2.MultiplyAddAdjacent(axes, Vector256<short>.One);
            squares += Avx2.MultiplyAddAdjacent(axes, axes);
        }
        var count = (long)steps * PixelsPerStep;
        return (
            new Moments(count, SixteenShorts.Total(sums & redGreenLanes), SixteenShorts.Total(squares & redGreenLanes)),
            new Moments(count, SixteenShorts.Total(Vector256.AndNot(sums, redGreenLanes)), SixteenShorts.Total(
                Vector256.AndNot(squares, redGreenLanes))));
    }

    /// <summary>
    /// The same with vectors of 128 bits, four pixels each, on any processor that has them: the eight 16-bit values are R + weight x G - 2
    /// B, where R and G are there twice, and blue and a weight of -1 or 1 make the axes.
    /// </summary>
    private static (Moments RedGreen, Moments TwiceYellowBlue) MeasureHalves(ReadOnlySpan<byte> rgb, int steps)
    {
        const byte None = 0x80; // an index outside of the vector gives zero
        var red = Vector128.Create((byte)0, None, 3, None, 6, None, 9, None, 0, None, 3, None, 6, None, 9, None);
        var green = Vector128.Create((byte)1, None, 4, None, 7, None, 10, None, 1, None, 4, None, 7, None, 10, None);
        var blue = Vector128.Create(None, None, None, None, None, None, None, None, 2, None, 5, None, 8, None, 11, None);
        var weights = Vector128.Create((short)-1, -1, -1, -1, 1, 1, 1, 1);

        Vector128<int> redGreenSums = default, redGreenSquares = default, yellowBlueSums = default, yellowBlueSquares = default;
        for (var i = 0; i < steps * 3 * PixelsPerStep; i += 3 * PixelsPerStep / 2)
        {
            var pixels = Vector128.Create(rgb.Slice(i, 16));
            var axes = Vector128.Shuffle(pixels, red)
                .AsInt16() + (Vector128.Shuffle(pixels, green).AsInt16() * weights) - (Vector128.Shuffle(pixels, blue).AsInt16() << 1);
            var (redGreen, yellowBlue) = Vector128.Widen(axes);
            redGreenSums += redGreen;
            redGreenSquares += redGreen * redGreen;
            yellowBlueSums += yellowBlue;
            yellowBlueSquares += yellowBlue * yellowBlue;
        }
        var count = (long)steps * PixelsPerStep;
        return (
            new Moments(count, EightShorts.Total(redGreenSums), EightShorts.Total(redGreenSquares)),
            new Moments(count, EightShorts.Total(yellowBlueSums), EightShorts.Total(yellowBlueSquares)));
    }

    private static Vector256<byte> TwiceOver(Vector128<byte> half) => Vector256.Create(half, half);
}
