using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Cleanvision;

/// <summary>
/// The numbers that cleanvision computes of an image's pixels (github.com/cleanlab/cleanvision, January 2026): percentiles of brightness,
/// Pillow's entropy, and the edges and the histogram of the image shrunk to 64 pixels.
/// </summary>
/// <remarks>
/// What cleanvision computes on the mode of the file is computed here on the pixels that all metrics see: alpha dropped, palettes resolved,
/// CMYK as RGB. A picture whose pixels are exactly grey is taken for Pillow's mode L.
/// </remarks>
internal sealed class CleanvisionFeature : Feature
{
    /// <summary>The 5th percentile of brightness, 0 to 1.</summary>
    public const int Brightness5 = 0;

    /// <summary>The 99th percentile of brightness, 0 to 1.</summary>
    public const int Brightness99 = 1;

    /// <summary>Pillow's entropy in bits: of the histograms of all channels as one.</summary>
    public const int Entropy = 2;

    /// <summary>Standard deviation of the edges of the small grey image.</summary>
    public const int EdgeDeviation = 3;

    /// <summary>Standard deviation of the counts of the small grey image's histogram.</summary>
    public const int HistogramDeviation = 4;

    /// <summary>1 where red, green and blue are equal everywhere, else 0.</summary>
    public const int IsGrey = 5;

    private const int Numbers = 6;

    public override string Name => "cleanvision";

    public override string Identity => "cleanvision:1";

    public override int Count => Numbers;

    public override ImageInput Input => ImageInput.Rgb;

    public override FeatureExtractor CreateExtractor() => new Extractor();

    private sealed class Extractor : FeatureExtractor
    {
        private const int Channels = 3;

        /// <summary>The longer side of the small image.</summary>
        private const int SmallSide = 64;

        private readonly int[] _levels = new int[Channels * Histogram.Bins];
        private readonly BrightnessRanks _ranks = new();
        private readonly PillowResize _resize = new();
        private readonly byte[] _small = new byte[Channels * SmallSide * SmallSide];
        private readonly byte[] _grey = new byte[SmallSide * SmallSide];

        public override int Count => Numbers;

        public override void Compute(in ImageView image, Span<double> features)
        {
            var rgb = image.Rgb;
            var isGrey = CountLevels(rgb);
            features[IsGrey] = isGrey ? 1 : 0;
            features[Entropy] = EntropyOf(isGrey ? _levels.AsSpan(0, Histogram.Bins) : _levels);
            _ranks.Count(rgb, isGrey);
            features[Brightness5] = _ranks.Percentile(rgb, 5);
            features[Brightness99] = _ranks.Percentile(rgb, 99);
            var (width, height) = Shrink(rgb, image.Width, image.Height);
            features[EdgeDeviation] = Edges(width, height);
            features[HistogramDeviation] = GreyHistogram(width * height);
        }

        /// <summary>Counts the levels of each channel.</summary>
        /// <returns>Whether the channels are equal everywhere.</returns>
        private bool CountLevels(ReadOnlySpan<byte> rgb)
        {
            Array.Clear(_levels);
            var isGrey = true;
            for (var i = 0; i + 2 < rgb.Length; i += Channels)
            {
                var (red, green, blue) = (rgb[i], rgb[i + 1], rgb[i + 2]);
                isGrey &= red == green && green == blue;
                _levels[red]++;
                _levels[Histogram.Bins + green]++;
                _levels[(2 * Histogram.Bins) + blue]++;
            }
            return isGrey;
        }

        private static double EntropyOf(ReadOnlySpan<int> counts)
        {
            long total = 0;
            foreach (var count in counts)
                total += count;
            var entropy = 0.0;
            foreach (var count in counts)
            {
                if (count == 0)
                    continue;
                var share = (double)count / total;
                entropy -= share * Math.Log2(share);
            }
            return entropy;
        }

        /// <summary>Shrinks to 64 pixels on the longer side as Pillow's resize does by default, and takes Pillow's grey.</summary>
        private (int Width, int Height) Shrink(ReadOnlySpan<byte> rgb, int width, int height)
        {
            var longer = Math.Max(width, height);
            var (smallWidth, smallHeight) = (width, height);
            var small = rgb;
            if (longer > SmallSide)
            {
                (smallWidth, smallHeight) =
                    (Math.Max(1, (int)((long)width * SmallSide / longer)), Math.Max(1, (int)((long)height * SmallSide / longer)));
                var target = _small.AsSpan(0, Channels * smallWidth * smallHeight);
                _resize.Resize(ResampleFilter.Bicubic, rgb, width, height, smallWidth, smallHeight, new PixelWindow(
                    0, 0, smallWidth, smallHeight), target);
                small = target;
            }
            for (int from = 0, to = 0; from < small.Length; from += Channels, to++)
                _grey[to] = (byte)(((19595 * small[from]) + (38470 * small[from + 1]) + (7471 * small[from + 2]) + 0x8000) >> 16);
            return (smallWidth, smallHeight);
        }

        /// <summary>
        /// The standard deviation of Pillow's FIND_EDGES: eight times a pixel less its neighbours, clipped to 8 bits; the outermost pixels
        /// stay.
        /// </summary>
        private double Edges(int width, int height)
        {
            long sum = 0, squares = 0;
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    var at = (y * width) + x;
                    int value = _grey[at];
                    if (x > 0 && y > 0 && x < width - 1 && y < height - 1)
                    {
                        var neighbours = _grey[at - width - 1] + _grey[at - width] + _grey[at - width + 1] + _grey[at - 1] + _grey[at + 1]
                            + _grey[at + width - 1] + _grey[at + width] + _grey[at + width + 1];
                        value = Math.Clamp((8 * value) - neighbours, 0, byte.MaxValue);
                    }
                    sum += value;
                    squares += value * value;
                }
            }
            return Deviation(sum, squares, width * height);
        }

        private double GreyHistogram(int pixels)
        {
            Span<int> counts = stackalloc int[Histogram.Bins];
            counts.Clear();
            foreach (var level in _grey.AsSpan(0, pixels))
                counts[level]++;
            long squares = 0;
            foreach (var count in counts)
                squares += (long)count * count;
            return Deviation(pixels, squares, Histogram.Bins);
        }

        private static double Deviation(long sum, long squares, int count) =>
            Math.Sqrt(Math.Max(0, (squares - ((double)sum * sum / count)) / count));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _resize.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>
    /// Exact percentiles of brightness, sqrt(0.241 R^2 + 0.691 G^2 + 0.068 B^2) / 255, in memory that does not grow with the image: pixels
    /// are counted by 1000 times the square, a whole number, first coarsely, then those of one coarse bin finely.
    /// </summary>
    private sealed class BrightnessRanks
    {
        private const int FineBits = 10;
        private const int Fine = 1 << FineBits;
        private const int Most = (241 + 691 + 68) * byte.MaxValue * byte.MaxValue;

        private readonly int[] _coarse = new int[(Most >> FineBits) + 1];
        private readonly int[] _fine = new int[Fine];
        private int _fineOf;
        private bool _isGrey;

        public void Count(ReadOnlySpan<byte> rgb, bool isGrey)
        {
            (_isGrey, _fineOf) = (isGrey, -1);
            Array.Clear(_coarse);
            for (var i = 0; i + 2 < rgb.Length; i += 3)
                _coarse[Square(rgb, i) >> FineBits]++;
        }

        /// <summary>A percentile of the pixels that were counted, interpolated as in NumPy.</summary>
        public double Percentile(ReadOnlySpan<byte> rgb, int percent)
        {
            var place = percent / 100.0 * ((rgb.Length / 3) - 1);
            var (low, high) = (Brightness(rgb, (int)Math.Floor(place)), Brightness(rgb, (int)Math.Ceiling(place)));
            return low + ((high - low) * (place - Math.Floor(place)));
        }

        /// <summary>The brightness of the pixel at a rank, from 0.</summary>
        private double Brightness(ReadOnlySpan<byte> rgb, int rank)
        {
            var bin = 0;
            while (rank >= _coarse[bin])
                rank -= _coarse[bin++];
            if (_fineOf != bin)
                CountFinely(rgb, bin);
            var fine = 0;
            while (rank >= _fine[fine])
                rank -= _fine[fine++];
            var square = (bin << FineBits) + fine;
            // A grey picture's brightness is its level: no root that is a little beside it.
            return _isGrey ? Math.Round(Math.Sqrt(square / 1000.0)) / byte.MaxValue : Math.Sqrt(square / 1000.0) / byte.MaxValue;
        }

        private void CountFinely(ReadOnlySpan<byte> rgb, int bin)
        {
            Array.Clear(_fine);
            _fineOf = bin;
            for (var i = 0; i + 2 < rgb.Length; i += 3)
                if (Square(rgb, i) is var square && square >> FineBits == bin)
                    _fine[square & (Fine - 1)]++;
        }

        private static int Square(ReadOnlySpan<byte> rgb, int i) =>
            (241 * rgb[i] * rgb[i]) + (691 * rgb[i + 1] * rgb[i + 1]) + (68 * rgb[i + 2] * rgb[i + 2]);
    }
}
