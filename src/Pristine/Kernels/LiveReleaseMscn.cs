namespace Pristine.Kernels;

/// <summary>
/// Mean-subtracted contrast-normalised coefficients as the LIVE release computes them: (I - mu) / (sigma + 1), where mu is the mean of a
/// 7x7 window under a Gaussian of sigma 7/6 and sigma = sqrt(|mean of I^2 - mu^2|); pixels outside the image are 0. Takes rows from the
/// top, keeps seven; the coefficients of a row come three rows later.
/// </summary>
/// <remarks>
/// The mean is taken as I + sum of w (I' - I) over the neighbours I', first along the row, then along the column. A window of 49 equal
/// pixels thus gives exactly 0, where a plain weighted sum leaves rounding noise whose sign decides the features of flat images. A window
/// that reaches over the border is flat only if it is all 0. Paths differ by rounding: below 1e-9 in a coefficient for 8-bit input.
/// </remarks>
internal sealed class LiveReleaseMscn(SimdPath path)
{
    /// <summary>Rows after the last that bring out the last coefficients.</summary>
    public const int Radius = 3;

    private const int Window = 2 * Radius + 1;

    private static readonly double[] Weights = GaussianWeights();

    /// <summary>The current row with a border of zeros.</summary>
    private double[] _row = [];

    /// <summary>The last seven rows: pixels, and their weighted means and mean squares along the row.</summary>
    private readonly double[][] _pixels = [[], [], [], [], [], [], []], _means = [[], [], [], [], [], [], []],
    _squares = [[], [], [], [], [], [], []];

    private int _width, _pushed;

    /// <summary>Begins an image.</summary>
    public void Start(int width)
    {
        (_width, _pushed) = (width, 0);
        RowBuffer.Reserve(ref _row, width + 2 * Radius);
        Array.Clear(_row);
        foreach (var ring in (ReadOnlySpan<double[][]>)[_pixels, _means, _squares])
            for (var slot = 0; slot < Window; slot++)
            {
                RowBuffer.Reserve(ref ring[slot], width);
                Array.Clear(ring[slot], 0, width);
            }
    }

    /// <summary>Takes the next row and gives the coefficients of the row three above it.</summary>
    /// <param name="row">As many values as the image is wide; no value after the last row, three times, to get the last three.</param>
    /// <param name="mscn">Receives as many coefficients.</param>
    /// <returns>False as long as there is no row three above.</returns>
    public bool Push(ReadOnlySpan<double> row, Span<double> mscn)
    {
        var slot = _pushed % Window;
        if (row.IsEmpty)
        {
            Array.Clear(_means[slot], 0, _width);
            Array.Clear(_squares[slot], 0, _width);
        }
        else
        {
            row[.._width].CopyTo(_row.AsSpan(Radius));
            row[.._width].CopyTo(_pixels[slot]);
            switch (path)
            {
                case SimdPath.Vector512: FilterRow<OneDouble>(slot, FilterRow<EightDoubles>(slot, 0)); break;
                case SimdPath.Vector256: FilterRow<OneDouble>(slot, FilterRow<FourDoubles>(slot, 0)); break;
                case SimdPath.Vector128: FilterRow<OneDouble>(slot, FilterRow<TwoDoubles>(slot, 0)); break;
                default: FilterRow<OneDouble>(slot, 0); break;
            }
        }
        if (++_pushed <= Radius)
            return false;
        mscn = mscn[.._width];
        switch (path)
        {
            case SimdPath.Vector512: Normalise<OneDouble>(mscn, Normalise<EightDoubles>(mscn, 0)); break;
            case SimdPath.Vector256: Normalise<OneDouble>(mscn, Normalise<FourDoubles>(mscn, 0)); break;
            case SimdPath.Vector128: Normalise<OneDouble>(mscn, Normalise<TwoDoubles>(mscn, 0)); break;
            default: Normalise<OneDouble>(mscn, 0); break;
        }
        return true;
    }

    private int FilterRow<TLanes>(int slot, int x) where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var pixels = ref RowBuffer.At(_row, Radius);
        ref var means = ref RowBuffer.At(_means[slot], 0);
        ref var squares = ref RowBuffer.At(_squares[slot], 0);
        for (var end = _width - TLanes.Count; x <= end; x += TLanes.Count)
        {
            var centre = TLanes.Load(ref pixels, x);
            var left1 = TLanes.Load(ref pixels, x - 1);
            var left2 = TLanes.Load(ref pixels, x - 2);
            var left3 = TLanes.Load(ref pixels, x - 3);
            var right1 = TLanes.Load(ref pixels, x + 1);
            var right2 = TLanes.Load(ref pixels, x + 2);
            var right3 = TLanes.Load(ref pixels, x + 3);
            Mean(centre, left1 + right1, left2 + right2, left3 + right3).Store(ref means, x);
            WeightedSum(
                centre * centre,
                TLanes.MultiplyAdd(left1, left1, right1 * right1),
                TLanes.MultiplyAdd(left2, left2, right2 * right2),
                TLanes.MultiplyAdd(left3, left3, right3 * right3)).Store(ref squares, x);
        }
        return x;
    }

    private int Normalise<TLanes>(Span<double> target, int x) where TLanes : struct, IDoubleLanes<TLanes>
    {
        // The newest row is three below the one that is made; rings are addressed upwards from the oldest.
        int r0 = _pushed % Window, r1 = (_pushed + 1) % Window, r2 = (_pushed + 2) % Window, r3 = (_pushed + 3) % Window,
            r4 = (_pushed + 4) % Window, r5 = (_pushed + 5) % Window, r6 = (_pushed + 6) % Window;
        ref var pixels = ref RowBuffer.At(_pixels[r3], 0);
        ref var mscn = ref target[0];
        ref double m0 = ref RowBuffer.At(_means[r0], 0), m1 = ref RowBuffer.At(_means[r1], 0), m2 = ref RowBuffer.At(_means[r2], 0),
            m3 = ref RowBuffer.At(_means[r3], 0), m4 = ref RowBuffer.At(_means[r4], 0), m5 = ref RowBuffer.At(_means[r5], 0),
            m6 = ref RowBuffer.At(_means[r6], 0);
        ref double s0 = ref RowBuffer.At(_squares[r0], 0), s1 = ref RowBuffer.At(_squares[r1], 0), s2 = ref RowBuffer.At(_squares[r2], 0),
            s3 = ref RowBuffer.At(_squares[r3], 0), s4 = ref RowBuffer.At(_squares[r4], 0), s5 = ref RowBuffer.At(_squares[r5], 0),
            s6 = ref RowBuffer.At(_squares[r6], 0);
        var one = TLanes.Broadcast(1);
        for (var end = _width - TLanes.Count; x <= end; x += TLanes.Count)
        {
            var mean = Mean(
                TLanes.Load(ref m3, x),
                TLanes.Load(ref m2, x) + TLanes.Load(ref m4, x),
                TLanes.Load(ref m1, x) + TLanes.Load(ref m5, x),
                TLanes.Load(ref m0, x) + TLanes.Load(ref m6, x));
            var square = WeightedSum(
                TLanes.Load(ref s3, x),
                TLanes.Load(ref s2, x) + TLanes.Load(ref s4, x),
                TLanes.Load(ref s1, x) + TLanes.Load(ref s5, x),
                TLanes.Load(ref s0, x) + TLanes.Load(ref s6, x));
            var deviation = TLanes.Sqrt(TLanes.Abs(square - mean * mean));
            ((TLanes.Load(ref pixels, x) - mean) / (deviation + one)).Store(ref mscn, x);
        }
        return x;
    }

    /// <summary>
    /// The centre plus the weighted differences of the sums of two neighbours each: exactly the centre when all are equal.
    /// </summary>
    private static TLanes Mean<TLanes>(TLanes centre, TLanes pair1, TLanes pair2, TLanes pair3) where TLanes : struct, IDoubleLanes<TLanes>
    {
        var twice = centre + centre;
        return TLanes.MultiplyAdd(TLanes.Broadcast(Weights[3]), pair3 - twice,
            TLanes.MultiplyAdd(TLanes.Broadcast(Weights[2]), pair2 - twice,
                TLanes.MultiplyAdd(TLanes.Broadcast(Weights[1]), pair1 - twice, centre)));
    }

    private static TLanes WeightedSum<TLanes>(TLanes centre, TLanes pair1, TLanes pair2, TLanes pair3)
        where TLanes : struct, IDoubleLanes<TLanes> =>
        TLanes.MultiplyAdd(TLanes.Broadcast(Weights[3]), pair3,
            TLanes.MultiplyAdd(TLanes.Broadcast(Weights[2]), pair2,
                TLanes.MultiplyAdd(TLanes.Broadcast(Weights[1]), pair1, TLanes.Broadcast(Weights[0]) * centre)));

    /// <summary>Weights at distance 0 to 3, the two-sided sum being 1.</summary>
    private static double[] GaussianWeights()
    {
        const double Sigma = 7.0 / 6;
        var weights = new double[Radius + 1];
        for (var i = 0; i <= Radius; i++)
            weights[i] = Math.Exp(-i * i / (2 * Sigma * Sigma));
        var sum = weights[0] + 2 * (weights[1] + weights[2] + weights[3]);
        for (var i = 0; i <= Radius; i++)
            weights[i] /= sum;
        return weights;
    }
}
