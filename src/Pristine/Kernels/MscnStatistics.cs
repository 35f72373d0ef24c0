using System.Numerics;
using System.Runtime.CompilerServices;

namespace Pristine.Kernels;

/// <summary>What an asymmetric distribution is fitted from: sums over the values of either sign. Zeros count in neither.</summary>
internal struct SignedMoments
{
    /// <summary>Sum of |x|.</summary>
    public double AbsoluteSum;

    /// <summary>Sum of x^2 over x below 0.</summary>
    public double NegativeSquareSum;

    /// <summary>Sum of x^2 over x above 0.</summary>
    public double PositiveSquareSum;

    /// <summary>How many x are below 0.</summary>
    public long NegativeCount;

    /// <summary>How many x are above 0.</summary>
    public long PositiveCount;
}

/// <summary>
/// Statistics of the mean-subtracted, contrast-normalised (MSCN) pixels of one plane and of the products of neighbours, as OpenCV's
/// quality module takes them. With I in 0..1, G the 7x7 Gaussian of sigma 7/6 and replicated borders,
/// <code>
/// mu = G * I,   var = G * I^2 - mu^2,   m = (I - mu) / (sqrt(var) + 1/255),   m = 0 where rounding makes var negative
/// </code>
/// A product whose neighbour lies outside the plane is 0.
/// Rows go in from top to bottom; three rows later their statistics are taken. Memory is some 30 rows, whatever the height.
/// </summary>
/// <remarks>
/// All arithmetic is float32 in the order of OpenCV's own filters, fused where they fuse: where a window is flat, I - mu is nothing but
/// rounding, its sign decides the counts, and only the same order gives the same sign. Sums are taken in float over at most
/// <see cref="Impl{V}.MaxAdditions"/> values per lane, then in double. Paths differ in the order of these sums alone.
/// </remarks>
internal abstract class MscnStatistics
{
    /// <summary>
    /// Number of statistics: m itself, then its products with the neighbour to the right, below, below right and below left.
    /// </summary>
    public const int Fields = 5;

    /// <summary>Half of the window: a row is finished when this many rows below it are known.</summary>
    protected const int Radius = 3;

    /// <summary>An instance for one path.</summary>
    public static MscnStatistics Create(SimdPath path) => path switch
    {
        SimdPath.Vector512 => new Impl<SixteenFloats>(),
        SimdPath.Vector256 => new Impl<EightFloats>(),
        SimdPath.Vector128 => new Impl<FourFloats>(),
        _ => new Impl<OneFloat>(),
    };

    /// <summary>Starts a plane; what was begun before is forgotten.</summary>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Rows that will be added, at least 1.</param>
    public abstract void Begin(int width, int height);

    /// <summary>Adds the next row.</summary>
    /// <param name="row">Pixels 0..255, as many as the width; they are scaled to 0..1.</param>
    public abstract void AddRow(ReadOnlySpan<byte> row);

    /// <summary>Adds the next row.</summary>
    /// <param name="row">Pixels 0..1, as many as the width.</param>
    public abstract void AddRow(ReadOnlySpan<float> row);

    /// <summary>Gives the statistics, after the last row.</summary>
    /// <param name="moments"><see cref="Fields"/> entries, overwritten.</param>
    public abstract void Finish(Span<SignedMoments> moments);

    private sealed unsafe class Impl<V> : MscnStatistics where V : unmanaged, IFloatLanes<V>
    {
        /// <summary>The additions a float sum takes before it goes to double: 1,000 were enough to move a fitted shape parameter.</summary>
        private const int MaxAdditions = 256;

        /// <summary>The rows in reach of the filter are seven; a power of two makes their place in the ring a mask.</summary>
        private const int Ring = 8;

        /// <summary>Left of each row, for the replicated border; a multiple of the widest vector keeps the rows aligned.</summary>
        private const int Margin = 16;

        private const int SumsPerField = 3;

        private const float PixelScale = (float)(1 / 255.0);
        private const float C = (float)(1 / 255.0);

        // exp(-d^2 / (2 sigma^2)) for d = 3, 2, 1, 0, normalised to a sum of 1 over the seven taps.
        private static readonly float[] Taps = GaussianTaps();

        private readonly ScratchMemory<float> _floats = new();
        private readonly ScratchMemory<ulong> _words = new();
        private readonly SignedMoments[] _moments = new SignedMoments[Fields];

        private int _width, _height, _stride, _added, _finished, _additions;
        private float* _pixels, _means, _squares, _mscn, _sums;
        private ulong* _signs;

        /// <summary>Words of sign bits per row, without the empty one at the end.</summary>
        private int Words => (_width + 63) / 64;

        /// <summary>
        /// What may be read and written of a row: whole words of 64 columns, and a vector more for the neighbour to the right.
        /// </summary>
        private int RowLength => Words * 64 + Margin;

        public override void Begin(int width, int height)
        {
            (_width, _height, _added, _finished, _additions) = (width, height, 0, 0, 0);
            _stride = Margin + RowLength;
            var rows = _floats.Reserve((3L * Ring + 2) * _stride + Fields * SumsPerField * V.Count);
            _pixels = rows + Margin;
            _means = _pixels + Ring * _stride;
            _squares = _means + Ring * _stride;
            _mscn = _squares + Ring * _stride;
            _sums = rows + (3 * Ring + 2) * _stride;
            new Span<float>(_mscn, _stride + RowLength).Clear();
            new Span<float>(_sums, Fields * SumsPerField * V.Count).Clear();

            var words = 4 * (Words + 1);
            _signs = _words.Reserve(words);
            new Span<ulong>(_signs, words).Clear();
            Array.Clear(_moments);
        }

        public override void AddRow(ReadOnlySpan<byte> row)
        {
            var pixels = RowOf(_pixels, _added);
            fixed (byte* source = row)
                Scale(source, pixels, _width);
            AddRow(pixels);
        }

        public override void AddRow(ReadOnlySpan<float> row)
        {
            var pixels = RowOf(_pixels, _added);
            row.CopyTo(new Span<float>(pixels, _width));
            AddRow(pixels);
        }

        public override void Finish(Span<SignedMoments> moments)
        {
            if (_added != _height)
                throw new InvalidOperationException($"Expected {_height} rows; found {_added}.");
            while (_finished < _height)
                FinishRow(_finished++);
            FlushSums();
            _moments.CopyTo(moments);
        }

        private static float[] GaussianTaps()
        {
            const double sigma = 7.0 / 6;
            var weights = Enumerable.Range(-Radius, 2 * Radius + 1).Select(d => Math.Exp(-d * d / (2 * sigma * sigma))).ToArray();
            return [.. weights.Take(Radius + 1).Select(w => (float)(w / weights.Sum()))];
        }

        private float* RowOf(float* ring, int row) => ring + (row & (Ring - 1)) * _stride;

        private void AddRow(float* pixels)
        {
            new Span<float>(pixels - Radius, Radius).Fill(pixels[0]);
            new Span<float>(pixels + _width, Radius).Fill(pixels[_width - 1]);
            FilterRow(pixels, RowOf(_means, _added), RowOf(_squares, _added), _width);
            _added++;
            if (_added - _finished > Radius)
                FinishRow(_finished++);
        }

        private void FinishRow(int row)
        {
            var offsets = stackalloc nint[2 * Radius + 1];
            for (var k = 0; k <= 2 * Radius; k++)
                offsets[k] = (nint)(RowOf(_means, Math.Clamp(row + k - Radius, 0, _height - 1)) - _means);
            // Two rows of m and of its signs, in turns; the one above the first is 0.
            float* mscn = _mscn + (row & 1) * _stride, above = _mscn + (~row & 1) * _stride;
            Signs signs = SignsOf(row), signsAbove = SignsOf(row - 1);
            Normalise(_means, _squares, offsets, RowOf(_pixels, row), mscn, _width);
            // Columns past the edge: 0, so that they count nowhere and make every product with them 0.
            new Span<float>(mscn + _width, RowLength - _width).Clear();
            TakeSigns(mscn, signs, Words);
            CountSigns(signs, signsAbove, Words, _moments);
            AddSums(mscn, above);
        }

        private Signs SignsOf(int row)
        {
            var negative = _signs + (row & 1) * 2 * (Words + 1);
            return new Signs { Negative = negative, Positive = negative + Words + 1 };
        }

        private void AddSums(float* mscn, float* above)
        {
            var vectors = (_width + V.Count - 1) / V.Count;
            for (var start = 0; start < vectors; start += MaxAdditions)
            {
                var count = Math.Min(MaxAdditions, vectors - start);
                if (_additions + count > MaxAdditions)
                    FlushSums();
                _additions += count;
                SumWithinRow(mscn + start * V.Count, count, _sums);
                SumAcrossRows(mscn + start * V.Count, above + start * V.Count, count, _sums + 2 * SumsPerField * V.Count);
            }
        }

        private void FlushSums()
        {
            for (var field = 0; field < Fields; field++)
            {
                var sums = _sums + field * SumsPerField * V.Count;
                _moments[field].AbsoluteSum += V.Sum(V.Load(sums));
                _moments[field].NegativeSquareSum += V.Sum(V.Load(sums + V.Count));
                _moments[field].PositiveSquareSum += V.Sum(V.Load(sums + 2 * V.Count));
            }
            new Span<float>(_sums, Fields * SumsPerField * V.Count).Clear();
            _additions = 0;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Scale(byte* source, float* target, int width)
        {
            var scale = V.Broadcast(PixelScale);
            var x = 0;
            for (; x <= width - V.Count; x += V.Count)
                (V.Load(source + x) * scale).Store(target + x);
            for (; x < width; x++)
                target[x] = source[x] * PixelScale;
        }

        /// <summary>The horizontal half of the Gaussian, over the pixels and over their squares.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void FilterRow(float* pixels, float* means, float* squares, int width)
        {
            V k3 = V.Broadcast(Taps[0]), k2 = V.Broadcast(Taps[1]), k1 = V.Broadcast(Taps[2]), k0 = V.Broadcast(Taps[3]);
            for (var x = 0; x < width; x += V.Count)
            {
                V a = V.Load(pixels + x - 3), b = V.Load(pixels + x - 2), c = V.Load(pixels + x - 1), d = V.Load(pixels + x);
                V e = V.Load(pixels + x + 1), f = V.Load(pixels + x + 2), g = V.Load(pixels + x + 3);
                var mean = V.MultiplyAdd(b, k2, a * k3);
                var square = V.MultiplyAdd(b * b, k2, a * a * k3);
                mean = V.MultiplyAdd(c, k1, mean);
                square = V.MultiplyAdd(c * c, k1, square);
                mean = V.MultiplyAdd(d, k0, mean);
                square = V.MultiplyAdd(d * d, k0, square);
                mean = V.MultiplyAdd(e, k1, mean);
                square = V.MultiplyAdd(e * e, k1, square);
                mean = V.MultiplyAdd(f, k2, mean);
                square = V.MultiplyAdd(f * f, k2, square);
                V.MultiplyAdd(g, k3, mean).Store(means + x);
                V.MultiplyAdd(g * g, k3, square).Store(squares + x);
            }
        }

        /// <summary>The vertical half of the Gaussian, then m.</summary>
        /// <param name="means">The ring of filtered pixels.</param>
        /// <param name="squares">The ring of filtered squares.</param>
        /// <param name="offsets">Where in both rings the seven rows are, from top to bottom.</param>
        /// <param name="pixels">The row itself.</param>
        /// <param name="mscn">m, out; written in whole vectors.</param>
        /// <param name="width">Columns.</param>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Normalise(float* means, float* squares, nint* offsets, float* pixels, float* mscn, int width)
        {
            V k3 = V.Broadcast(Taps[0]), k2 = V.Broadcast(Taps[1]), k1 = V.Broadcast(Taps[2]), k0 = V.Broadcast(Taps[3]);
            var c = V.Broadcast(C);
            var zero = V.Broadcast(0);
            nint up3 = offsets[0], up2 = offsets[1], up1 = offsets[2], here = offsets[3], down1 = offsets[4], down2 = offsets[5],
            down3 = offsets[6];
            for (var x = 0; x < width; x += V.Count, means += V.Count, squares += V.Count)
            {
                var mean = V.Load(means + here) * k0;
                mean = V.MultiplyAdd(V.Load(means + up1) + V.Load(means + down1), k1, mean);
                mean = V.MultiplyAdd(V.Load(means + up2) + V.Load(means + down2), k2, mean);
                mean = V.MultiplyAdd(V.Load(means + up3) + V.Load(means + down3), k3, mean);
                var square = V.Load(squares + here) * k0;
                square = V.MultiplyAdd(V.Load(squares + up1) + V.Load(squares + down1), k1, square);
                square = V.MultiplyAdd(V.Load(squares + up2) + V.Load(squares + down2), k2, square);
                square = V.MultiplyAdd(V.Load(squares + up3) + V.Load(squares + down3), k3, square);
                var variance = square - mean * mean;
                var centred = V.WhereNotNegative(variance, V.Load(pixels + x) - mean);
                (centred / (V.Sqrt(V.Max(variance, zero)) + c)).Store(mscn + x);
            }
        }

        /// <summary>The signs of a row, 64 columns to a word; the row is 0 up to the end of its last word.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void TakeSigns(float* mscn, Signs signs, int words)
        {
            for (var word = 0; word < words; word++, mscn += 64)
            {
                ulong negative = 0, positive = 0;
                for (var lane = 0; lane < 64; lane += V.Count)
                {
                    var m = V.Load(mscn + lane);
                    negative |= V.NegativeBits(m) << lane;
                    positive |= V.PositiveBits(m) << lane;
                }
                signs.Negative[word] = negative;
                signs.Positive[word] = positive;
            }
        }

        /// <summary>Counts the signs of m and of its products.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void CountSigns(Signs row, Signs above, int words, SignedMoments[] moments)
        {
            long n0 = 0, p0 = 0, n1 = 0, p1 = 0, n2 = 0, p2 = 0, n3 = 0, p3 = 0, n4 = 0, p4 = 0;
            for (var word = 0; word < words; word++)
            {
                ulong n = row.Negative[word], p = row.Positive[word], nUp = above.Negative[word], pUp = above.Positive[word];
                ulong nRight = Right(row.Negative, word), pRight = Right(row.Positive, word);
                ulong nUpRight = Right(above.Negative, word), pUpRight = Right(above.Positive, word);
                // A product is negative where one factor is below and the other above zero.
                n0 += BitOperations.PopCount(n);
                p0 += BitOperations.PopCount(p);
                n1 += BitOperations.PopCount(n & pRight | p & nRight);
                p1 += BitOperations.PopCount(n & nRight | p & pRight);
                n2 += BitOperations.PopCount(n & pUp | p & nUp);
                p2 += BitOperations.PopCount(n & nUp | p & pUp);
                n3 += BitOperations.PopCount(nUp & pRight | pUp & nRight);
                p3 += BitOperations.PopCount(nUp & nRight | pUp & pRight);
                n4 += BitOperations.PopCount(n & pUpRight | p & nUpRight);
                p4 += BitOperations.PopCount(n & nUpRight | p & pUpRight);
            }
            Add(ref moments[0], n0, p0);
            Add(ref moments[1], n1, p1);
            Add(ref moments[2], n2, p2);
            Add(ref moments[3], n3, p3);
            Add(ref moments[4], n4, p4);

            // Shifted by one column, so that bit i is the neighbour to the right of pixel i; there is an empty word at the end.
            static ulong Right(ulong* bits, int word) => bits[word] >> 1 | bits[word + 1] << 63;

            static void Add(ref SignedMoments moments, long negative, long positive)
            {
                moments.NegativeCount += negative;
                moments.PositiveCount += positive;
            }
        }

        /// <summary>Sums of m and of m x right neighbour.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void SumWithinRow(float* row, int vectors, float* sums)
        {
            var self = Sums.Load(sums);
            var right = Sums.Load(sums + SumsPerField * V.Count);
            for (var i = 0; i < vectors; i++, row += V.Count)
            {
                var m = V.Load(row);
                self.Add(m);
                right.Add(m * V.Load(row + 1));
            }
            self.Store(sums);
            right.Store(sums + SumsPerField * V.Count);
        }

        /// <summary>Sums of the products of this row with the one above: straight, down to the right, and down to the left.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void SumAcrossRows(float* row, float* above, int vectors, float* sums)
        {
            var down = Sums.Load(sums);
            var downRight = Sums.Load(sums + SumsPerField * V.Count);
            var downLeft = Sums.Load(sums + 2 * SumsPerField * V.Count);
            for (var i = 0; i < vectors; i++, row += V.Count, above += V.Count)
            {
                V m = V.Load(row), up = V.Load(above);
                down.Add(m * up);
                downRight.Add(up * V.Load(row + 1));
                downLeft.Add(m * V.Load(above + 1));
            }
            down.Store(sums);
            downRight.Store(sums + SumsPerField * V.Count);
            downLeft.Store(sums + 2 * SumsPerField * V.Count);
        }

        /// <summary>Where a row's pixels below zero are, and those above: one bit each.</summary>
        private struct Signs
        {
            public ulong* Negative;
            public ulong* Positive;
        }

        /// <summary>The running sums of one field, in registers while a row is summed.</summary>
        private struct Sums
        {
            private V _absolute, _negativeSquares, _positiveSquares;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public static Sums Load(float* source) => new()
            {
                _absolute = V.Load(source),
                _negativeSquares = V.Load(source + V.Count),
                _positiveSquares = V.Load(source + 2 * V.Count),
            };

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void Store(float* target)
            {
                _absolute.Store(target);
                _negativeSquares.Store(target + V.Count);
                _positiveSquares.Store(target + 2 * V.Count);
            }

            /// <remarks>
            /// Each sign has its own sum. The difference of a sum of all and a signed sum would be cheaper and is wrong where one sign
            /// is rare: what remains of it is rounding, and it may come out below zero.
            /// </remarks>
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public void Add(V x)
            {
                var zero = V.Broadcast(0);
                V negative = V.Min(x, zero), positive = V.Max(x, zero);
                _absolute += V.Abs(x);
                _negativeSquares = V.MultiplyAdd(negative, negative, _negativeSquares);
                _positiveSquares = V.MultiplyAdd(positive, positive, _positiveSquares);
            }
        }
    }
}
