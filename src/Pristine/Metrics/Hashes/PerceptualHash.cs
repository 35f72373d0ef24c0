using System.Globalization;
using System.Numerics;
using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Hashes;

/// <summary>
/// A perceptual hash of 64 bits: images that look alike have hashes that differ in few bits, also when one of them was resized or
/// compressed again. After C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1 (the DCT hash
/// of pHash).
/// </summary>
/// <remarks>
/// <para>
/// Luma of the upright image, area averages on a grid of 32 x 32, two-dimensional DCT-II; of the coefficients those with horizontal
/// frequency 1..8 and vertical frequency 1..8; a bit is 1 where its coefficient is larger than the median of the 64, the mean of the two in
/// the middle. Bits stand row by row: horizontal frequency grows first, the first bit is the highest.
/// </para>
/// <para>
/// Deviations from pHash: area averages in place of its 7 x 7 mean filter and nearest neighbours, and BT.601 luma as everywhere in
/// Pristine. From imagehash and imagededup it also differs in the frequencies: theirs are 0..7. Hashes of different programs cannot be
/// compared. All arithmetic is in whole numbers, so the hash is the same on every machine, and coefficients that symmetry makes zero are
/// zero.
/// </para>
/// <para>
/// An image whose 32 x 32 averages deviate by less than one grey level from their mean has no hash: its bits would be noise, and all images
/// without content would be duplicates of each other.
/// </para>
/// </remarks>
internal sealed class PerceptualHash : Feature
{
    /// <summary>Bits of a hash.</summary>
    public const int Bits = 64;

    private const int Side = 32;
    private const int Frequencies = 8;

    /// <summary>The hash as a feature: words of 16 bits, which 32-bit floats hold exactly.</summary>
    private const int BitsPerWord = 16;
    private const int Words = Bits / BitsPerWord;

    /// <summary>Averages are kept in 4096ths of a grey level and cosines in 16384ths: the largest coefficient has 58 bits.</summary>
    private const int AverageBits = 12;
    private const int CosineBits = 14;

    /// <inheritdoc/>
    public override string Name => "phash";

    /// <inheritdoc/>
    public override string Identity => "phash:1";

    /// <inheritdoc/>
    public override int Count => Words;

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    public override FeatureExtractor CreateExtractor() => new Extractor();

    /// <summary>The hash of which the feature's numbers are; null where it is missing.</summary>
    public static ulong? Of(ReadOnlySpan<float> words)
    {
        if (words.IsEmpty || float.IsNaN(words[0]))
            return null;
        ulong hash = 0;
        foreach (var word in words)
            hash = (hash << BitsPerWord) | (ushort)word;
        return hash;
    }

    /// <summary>A hash as tables have it: 16 hexadecimal digits.</summary>
    public static string Text(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>In how many bits two hashes differ.</summary>
    public static int Distance(ulong a, ulong b) => BitOperations.PopCount(a ^ b);

    private sealed class Extractor : FeatureExtractor
    {
        private static readonly long[] Cosines = [.. Enumerable.Range(0, Frequencies * Side).Select(i =>
            (long)Math.Round((1 << CosineBits) * Math.Cos((2 * (i % Side) + 1) * (i / Side + 1) * Math.PI / (2 * Side))))];

        private readonly AreaSums _sums = new(Side);
        private readonly long[] _averages = new long[Side * Side];
        private readonly long[] _rows = new long[Side * Frequencies];
        private readonly long[] _coefficients = new long[Bits];
        private readonly long[] _sorted = new long[Bits];

        public override int Count => Words;

        public override void Compute(in ImageView image, Span<double> features)
        {
            _sums.Measure(image.Luma, image.Width, image.Height, _averages);
            var pixels = (long)image.Width * image.Height;
            for (var i = 0; i < _averages.Length; i++)
                _averages[i] = (_averages[i] << AverageBits) / pixels;
            if (IsFlat(_averages))
            {
                features.Fill(double.NaN);
                return;
            }
            Transform();
            _coefficients.CopyTo(_sorted, 0);
            Array.Sort(_sorted);
            var twiceTheMedian = _sorted[Bits / 2 - 1] + _sorted[Bits / 2];
            for (var word = 0; word < Words; word++)
            {
                var bits = 0;
                foreach (var coefficient in _coefficients.AsSpan(word * BitsPerWord, BitsPerWord))
                    bits = (bits << 1) | (2 * coefficient > twiceTheMedian ? 1 : 0);
                features[word] = bits;
            }
        }

        /// <summary>Whether the standard deviation is below one grey level.</summary>
        private static bool IsFlat(long[] averages)
        {
            long sum = 0, squares = 0;
            foreach (var average in averages)
            {
                sum += average;
                squares += average * average;
            }
            const long count = Side * Side;
            return (Int128)count * squares - (Int128)sum * sum < (Int128)count * count << (2 * AverageBits);
        }

        private void Transform()
        {
            for (var y = 0; y < Side; y++)
                for (var u = 0; u < Frequencies; u++)
                {
                    var sum = 0L;
                    for (var x = 0; x < Side; x++)
                        sum += _averages[y * Side + x] * Cosines[u * Side + x];
                    _rows[y * Frequencies + u] = sum;
                }
            for (var v = 0; v < Frequencies; v++)
                for (var u = 0; u < Frequencies; u++)
                {
                    var sum = 0L;
                    for (var y = 0; y < Side; y++)
                        sum += _rows[y * Frequencies + u] * Cosines[v * Side + y];
                    _coefficients[v * Frequencies + u] = sum;
                }
        }
    }
}
