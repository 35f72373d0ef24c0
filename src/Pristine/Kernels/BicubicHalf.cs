namespace Pristine.Kernels;

/// <summary>
/// Half-size image as MATLAB's imresize(image, 0.5) makes it: bicubic with a = -0.5, stretched by 2 against aliasing, borders mirrored,
/// size rounded up. Takes rows from the top, keeps eight.
/// </summary>
/// <remarks>
/// At a factor of 0.5 all output pixels lie midway between two input pixels, so the eight taps are the same everywhere: -3, -9, 29, 111,
/// 111, 29, -9, -3 over 256. They add up to 1 and are binary fractions, hence every result for 8-bit input is exact in double precision,
/// in any order of summation; a flat area stays flat to the last bit.
/// </remarks>
internal sealed class BicubicHalf(SimdPath path)
{
    private const double Inner = 111.0 / 256, Second = 29.0 / 256, Third = -9.0 / 256, Outer = -3.0 / 256;

    /// <summary>Mirrored samples on either side of a row that is split into even and odd columns.</summary>
    private const int Margin = 2;

    private readonly double[][] _rows = [[], [], [], [], [], [], [], []];
    private double[] _even = [], _odd = [];
    private int _width, _height, _pushed, _taken;

    /// <summary>Pixels across of the half-size image.</summary>
    public int Width => Half(_width);

    /// <summary>Size after halving: rounded up.</summary>
    public static int Half(int size) => (size + 1) / 2;

    /// <summary>Begins an image.</summary>
    public void Start(int width, int height)
    {
        (_width, _height, _pushed, _taken) = (width, height, 0, 0);
        RowBuffer.Reserve(ref _even, Width + 2 * Margin);
        RowBuffer.Reserve(ref _odd, Width + 2 * Margin);
        foreach (ref var row in _rows.AsSpan())
            RowBuffer.Reserve(ref row, Width);
    }

    /// <summary>Takes the next row of the input.</summary>
    /// <param name="row">As many values as the image is wide.</param>
    public void Push(ReadOnlySpan<double> row)
    {
        Split(row);
        var target = _rows[_pushed++ & 7];
        switch (path)
        {
            case SimdPath.Vector512: FilterRow<OneDouble>(target, FilterRow<EightDoubles>(target, 0)); break;
            case SimdPath.Vector256: FilterRow<OneDouble>(target, FilterRow<FourDoubles>(target, 0)); break;
            case SimdPath.Vector128: FilterRow<OneDouble>(target, FilterRow<TwoDoubles>(target, 0)); break;
            default: FilterRow<OneDouble>(target, 0); break;
        }
    }

    /// <summary>Gives the next row of the half-size image, if the rows it needs have been pushed.</summary>
    /// <param name="row">Receives <see cref="Width"/> values.</param>
    /// <returns>False when more rows must be pushed first, or all have been taken.</returns>
    public bool TryTake(Span<double> row)
    {
        if (_taken == Half(_height) || Math.Min(2 * _taken + 4, _height - 1) >= _pushed)
            return false;
        var y = 2 * _taken++;
        row = row[..Width];
        switch (path)
        {
            case SimdPath.Vector512: FilterColumns<OneDouble>(y, row, FilterColumns<EightDoubles>(y, row, 0)); break;
            case SimdPath.Vector256: FilterColumns<OneDouble>(y, row, FilterColumns<FourDoubles>(y, row, 0)); break;
            case SimdPath.Vector128: FilterColumns<OneDouble>(y, row, FilterColumns<TwoDoubles>(y, row, 0)); break;
            default: FilterColumns<OneDouble>(y, row, 0); break;
        }
        return true;
    }

    /// <summary>Splits a row into even and odd columns, so that the taps of neighbouring outputs are neighbours in memory.</summary>
    private void Split(ReadOnlySpan<double> row)
    {
        var pairs = _width / 2;
        for (var x = 0; x < pairs; x++)
        {
            _even[x + Margin] = row[2 * x];
            _odd[x + Margin] = row[2 * x + 1];
        }
        for (var x = -Margin; x < 0; x++)
            SplitMirrored(row, x);
        for (var x = pairs; x < Width + Margin; x++)
            SplitMirrored(row, x);
    }

    private void SplitMirrored(ReadOnlySpan<double> row, int x)
    {
        _even[x + Margin] = row[Mirror(2 * x, _width)];
        _odd[x + Margin] = row[Mirror(2 * x + 1, _width)];
    }

    /// <summary>An index outside mirrored at the border, the border pixel repeated: -1 is 0, -2 is 1.</summary>
    private static int Mirror(int index, int size)
    {
        var inPeriod = index % (2 * size);
        if (inPeriod < 0)
            inPeriod += 2 * size;
        return inPeriod < size ? inPeriod : 2 * size - 1 - inPeriod;
    }

    private int FilterRow<TLanes>(double[] target, int x) where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var even = ref RowBuffer.At(_even, Margin);
        ref var odd = ref RowBuffer.At(_odd, Margin);
        ref var half = ref RowBuffer.At(target, 0);
        for (var end = Width - TLanes.Count; x <= end; x += TLanes.Count)
            Combine(
                TLanes.Load(ref even, x) + TLanes.Load(ref odd, x),
                TLanes.Load(ref odd, x - 1) + TLanes.Load(ref even, x + 1),
                TLanes.Load(ref even, x - 1) + TLanes.Load(ref odd, x + 1),
                TLanes.Load(ref odd, x - 2) + TLanes.Load(ref even, x + 2)).Store(ref half, x);
        return x;
    }

    private int FilterColumns<TLanes>(int y, Span<double> target, int x) where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var above4 = ref Row(y - 3);
        ref var above3 = ref Row(y - 2);
        ref var above2 = ref Row(y - 1);
        ref var above = ref Row(y);
        ref var below = ref Row(y + 1);
        ref var below2 = ref Row(y + 2);
        ref var below3 = ref Row(y + 3);
        ref var below4 = ref Row(y + 4);
        ref var half = ref target[0];
        for (var end = Width - TLanes.Count; x <= end; x += TLanes.Count)
            Combine(
                TLanes.Load(ref above, x) + TLanes.Load(ref below, x),
                TLanes.Load(ref above2, x) + TLanes.Load(ref below2, x),
                TLanes.Load(ref above3, x) + TLanes.Load(ref below3, x),
                TLanes.Load(ref above4, x) + TLanes.Load(ref below4, x)).Store(ref half, x);
        return x;
    }

    private ref double Row(int y) => ref RowBuffer.At(_rows[Mirror(y, _height) & 7], 0);

    private static TLanes Combine<TLanes>(TLanes inner, TLanes second, TLanes third, TLanes outer)
        where TLanes : struct, IDoubleLanes<TLanes> =>
        TLanes.MultiplyAdd(TLanes.Broadcast(Inner), inner,
            TLanes.MultiplyAdd(TLanes.Broadcast(Second), second,
                TLanes.MultiplyAdd(TLanes.Broadcast(Third), third, TLanes.Broadcast(Outer) * outer)));
}
