using System.Runtime.CompilerServices;

namespace Pristine.Kernels;

/// <summary>
/// Half-size plane (width / 2, height / 2, rounded down) as OpenCV's <c>resize</c> with INTER_CUBIC makes it: four taps in each
/// direction, a = -0.75, no antialiasing, replicated borders, float32. Rows of 0..255 go in from top to bottom, rows of 0..1 (with
/// overshoot) come out as soon as the four rows they need are there.
/// </summary>
/// <remarks>
/// Target column j lies at (j + 0.5) w / (w / 2) - 0.5 of the source: always 2j + 0.5 for an even width; for an odd one the base
/// column is 2j in the left half and 2j + 1 in the right half. Source columns are therefore split into even and odd ones, and each half
/// is a loop without gathers. Additions keep OpenCV's order: left to right across; from the bottom up, in the last
/// (width mod 4) columns from the top down.
/// </remarks>
internal abstract class CubicHalf
{
    /// <summary>An instance for one path.</summary>
    public static CubicHalf Create(SimdPath path) => path switch
    {
        SimdPath.Vector512 => new Impl<SixteenFloats>(),
        SimdPath.Vector256 => new Impl<EightFloats>(),
        SimdPath.Vector128 => new Impl<FourFloats>(),
        _ => new Impl<OneFloat>(),
    };

    /// <summary>Starts a plane; what was begun before is forgotten.</summary>
    /// <param name="width">Source pixels across, at least 2.</param>
    /// <param name="height">Source rows that will be added, at least 2.</param>
    public abstract void Begin(int width, int height);

    /// <summary>Adds the next source row; take all rows that are ready before the next one.</summary>
    /// <param name="row">Pixels 0..255, as many as the source is wide.</param>
    public abstract void AddRow(ReadOnlySpan<byte> row);

    /// <summary>Takes the next target row if it is ready.</summary>
    /// <param name="row">The row, width / 2 pixels; valid until the next call.</param>
    /// <returns>False when more source rows are needed, or all target rows have been taken.</returns>
    public abstract bool TryTakeRow(out ReadOnlySpan<float> row);

    /// <summary>The four weights of a point that lies a fraction right of (below) the second of four neighbours.</summary>
    internal static (float, float, float, float) Weights(float fraction)
    {
        const float a = -0.75f;
        var before = ((a * (fraction + 1) - 5 * a) * (fraction + 1) + 8 * a) * (fraction + 1) - 4 * a;
        var left = ((a + 2) * fraction - (a + 3)) * fraction * fraction + 1;
        var right = ((a + 2) * (1 - fraction) - (a + 3)) * (1 - fraction) * (1 - fraction) + 1;
        return (before, left, right, 1f - before - left - right);
    }

    /// <summary>Where a target index lies in the source: the base index and the fraction beyond it.</summary>
    internal static (int Base, float Fraction) Position(int target, int targetSize, int sourceSize)
    {
        var scale = 1.0 / ((double)targetSize / sourceSize);
        var position = (float)((target + 0.5) * scale - 0.5);
        var floor = MathF.Floor(position);
        return ((int)floor, position - floor);
    }

    private sealed unsafe class Impl<V> : CubicHalf where V : unmanaged, IFloatLanes<V>
    {
        private const int Taps = 4;
        private const int Margin = 16;
        private const float PixelScale = (float)(1 / 255.0);

        private readonly ScratchMemory<float> _floats = new();

        private int _width, _height, _halfWidth, _halfHeight, _stride, _split, _added, _taken;
        private float* _even, _odd, _weights, _ring, _target;

        public override void Begin(int width, int height)
        {
            (_height, _halfWidth, _halfHeight, _added, _taken) = (height, width / 2, height / 2, 0, 0);
            if (width != _width)
                Prepare(width);
            _width = width;
        }

        /// <summary>Lays out the memory and the weights, which depend on the width alone.</summary>
        private void Prepare(int width)
        {
            // A margin on the left for the column before the first, one on the right for what whole vectors overshoot; the second
            // loop of a row may start at any column, so it overshoots by almost a vector more.
            _stride = Margin + (_halfWidth + 2 * Margin - 1) / Margin * Margin + Margin;
            _even = _floats.Reserve((2L + Taps + Taps + 1) * _stride) + Margin;
            _odd = _even + _stride;
            _weights = _odd + _stride;
            _ring = _weights + Taps * _stride;
            _target = _ring + Taps * _stride;

            _split = _halfWidth;
            for (var x = 0; x < _halfWidth; x++)
            {
                var (column, fraction) = Position(x, _halfWidth, width);
                if (column != 2 * x)
                    _split = Math.Min(_split, x);
                (_weights[x], _weights[_stride + x], _weights[2 * _stride + x], _weights[3 * _stride + x]) = Weights(fraction);
            }
        }

        public override void AddRow(ReadOnlySpan<byte> row)
        {
            fixed (byte* source = row)
                Split(source);
            var target = RingRow(_added++);
            FilterRow(_odd - 1, _even, _odd, _even + 1, target, 0, _split);
            FilterRow(_even, _odd, _even + 1, _odd + 1, target, _split, _halfWidth);
        }

        public override bool TryTakeRow(out ReadOnlySpan<float> row)
        {
            row = default;
            if (_taken == _halfHeight)
                return false;
            var (line, fraction) = Position(_taken, _halfHeight, _height);
            if (_added <= Math.Min(line + 2, _height - 1))
                return false;
            FilterColumns(ClampedRow(line - 1), ClampedRow(line), ClampedRow(line + 1), ClampedRow(line + 2), Weights(fraction));
            row = new ReadOnlySpan<float>(_target, _halfWidth);
            _taken++;
            return true;
        }

        private float* RingRow(int row) => _ring + (row & (Taps - 1)) * _stride;

        private float* ClampedRow(int row) => RingRow(Math.Clamp(row, 0, _height - 1));

        /// <summary>Splits a row into its even and odd columns, scaled to 0..1, and replicates its ends.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Split(byte* source)
        {
            var scale = V.Broadcast(PixelScale);
            var x = 0;
            for (; x <= _halfWidth - V.Count; x += V.Count)
            {
                V.LoadPairs(source + 2 * x, out var even, out var odd);
                (even * scale).Store(_even + x);
                (odd * scale).Store(_odd + x);
            }
            for (; x < _halfWidth; x++)
            {
                _even[x] = source[2 * x] * PixelScale;
                _odd[x] = source[2 * x + 1] * PixelScale;
            }
            _odd[-1] = _even[0];
            _even[_halfWidth] = _odd[_halfWidth] = source[_width - 1] * PixelScale;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void FilterRow(float* a, float* b, float* c, float* d, float* target, int from, int to)
        {
            float* w0 = _weights, w1 = w0 + _stride, w2 = w1 + _stride, w3 = w2 + _stride;
            for (var x = from; x < to; x += V.Count)
            {
                var sum = V.Load(a + x) * V.Load(w0 + x) + V.Load(b + x) * V.Load(w1 + x);
                (sum + V.Load(c + x) * V.Load(w2 + x) + V.Load(d + x) * V.Load(w3 + x)).Store(target + x);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void FilterColumns(float* a, float* b, float* c, float* d, (float A, float B, float C, float D) weight)
        {
            V wa = V.Broadcast(weight.A), wb = V.Broadcast(weight.B), wc = V.Broadcast(weight.C), wd = V.Broadcast(weight.D);
            for (var x = 0; x < _halfWidth; x += V.Count)
                (V.Load(a + x) * wa + (V.Load(b + x) * wb + (V.Load(c + x) * wc + V.Load(d + x) * wd))).Store(_target + x);
            for (var x = _halfWidth & ~3; x < _halfWidth; x++)
                _target[x] = a[x] * weight.A + b[x] * weight.B + c[x] * weight.C + d[x] * weight.D;
        }
    }
}
