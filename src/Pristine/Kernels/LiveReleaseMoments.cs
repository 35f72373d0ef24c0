namespace Pristine.Kernels;

/// <summary>Sums over all pixels of one product of neighbouring coefficients.</summary>
internal struct ProductSums
{
    /// <summary>Sum of absolute values.</summary>
    public double Absolute;

    /// <summary>Sum of squares of the negative and of the positive products.</summary>
    public double NegativeSquares, PositiveSquares;

    /// <summary>How many are negative and how many positive; zeros are in neither.</summary>
    public double Negatives, Positives;
}

/// <summary>
/// What the generalised Gaussian fits need to know of an image of MSCN coefficients: sums over the coefficients and over the products
/// with their neighbours on the left, above, above left and above right. The image is a torus, as under MATLAB's circshift: the left
/// neighbour of the first column is the last one, the row above the first is the last. Takes rows from the top, keeps three.
/// </summary>
internal sealed class LiveReleaseMoments(SimdPath path)
{
    public const int Horizontal = 0, Vertical = 1, MainDiagonal = 2, SecondaryDiagonal = 3;

    private readonly ProductSums[] _products = new ProductSums[4];

    /// <summary>Rows with one value before the first: the last one again.</summary>
    private double[] _current = [], _previous = [], _first = [];

    private int _width, _height;

    /// <summary>Number of coefficients.</summary>
    public long Count => (long)_width * _height;

    /// <summary>Sum of the absolute values of the coefficients.</summary>
    public double Absolute { get; private set; }

    /// <summary>Sum of their squares.</summary>
    public double Squares { get; private set; }

    /// <summary>The sums of the products, by the four constants.</summary>
    public ReadOnlySpan<ProductSums> Products => _products;

    /// <summary>The row to be filled before <see cref="Push"/>.</summary>
    public Span<double> Row => _current.AsSpan(1, _width);

    /// <summary>Begins an image.</summary>
    public void Start(int width)
    {
        (_width, _height, Absolute, Squares) = (width, 0, 0, 0);
        Array.Clear(_products);
        RowBuffer.Reserve(ref _current, width + 1);
        RowBuffer.Reserve(ref _previous, width + 1);
        RowBuffer.Reserve(ref _first, width + 1);
    }

    /// <summary>Adds the coefficients in <see cref="Row"/>.</summary>
    public void Push()
    {
        _current[0] = _current[_width];
        AddRow();
        Add(Horizontal, ref RowBuffer.At(_current, 1), ref RowBuffer.At(_current, 0));
        if (_height++ == 0)
            _current.AsSpan(0, _width + 1).CopyTo(_first);
        else
            AddBetween(_current, _previous);
        (_current, _previous) = (_previous, _current);
    }

    /// <summary>Closes the torus after the last row.</summary>
    public void Finish() => AddBetween(_first, _previous);

    private void AddBetween(double[] lower, double[] upper)
    {
        Add(Vertical, ref RowBuffer.At(lower, 1), ref RowBuffer.At(upper, 1));
        Add(MainDiagonal, ref RowBuffer.At(lower, 1), ref RowBuffer.At(upper, 0));
        Add(SecondaryDiagonal, ref RowBuffer.At(lower, 0), ref RowBuffer.At(upper, 1));
    }

    private void AddRow()
    {
        switch (path)
        {
            case SimdPath.Vector512: AddRow<OneDouble>(AddRow<EightDoubles>(0)); break;
            case SimdPath.Vector256: AddRow<OneDouble>(AddRow<FourDoubles>(0)); break;
            case SimdPath.Vector128: AddRow<OneDouble>(AddRow<TwoDoubles>(0)); break;
            default: AddRow<OneDouble>(0); break;
        }
    }

    private int AddRow<TLanes>(int x) where TLanes : struct, IDoubleLanes<TLanes>
    {
        ref var row = ref RowBuffer.At(_current, 1);
        TLanes absolute = default, squares = default;
        for (var end = _width - TLanes.Count; x <= end; x += TLanes.Count)
        {
            var value = TLanes.Load(ref row, x);
            absolute += TLanes.Abs(value);
            squares = TLanes.MultiplyAdd(value, value, squares);
        }
        Absolute += absolute.Sum();
        Squares += squares.Sum();
        return x;
    }

    private void Add(int product, ref double left, ref double right)
    {
        ref var sums = ref _products[product];
        switch (path)
        {
            case SimdPath.Vector512:
                Add<OneDouble>(
                ref left, ref right, Add<EightDoubles>(ref left, ref right, 0, ref sums), ref sums); break;
            case SimdPath.Vector256:
                Add<OneDouble>(
                ref left, ref right, Add<FourDoubles>(ref left, ref right, 0, ref sums), ref sums); break;
            case SimdPath.Vector128:
                Add<OneDouble>(
                ref left, ref right, Add<TwoDoubles>(ref left, ref right, 0, ref sums), ref sums); break;
            default: Add<OneDouble>(ref left, ref right, 0, ref sums); break;
        }
    }

    private int Add<TLanes>(ref double left, ref double right, int x, ref ProductSums sums) where TLanes : struct, IDoubleLanes<TLanes>
    {
        TLanes zero = default, one = TLanes.Broadcast(1);
        TLanes absolute = default, negativeSquares = default, positiveSquares = default, negatives = default, positives = default;
        for (var end = _width - TLanes.Count; x <= end; x += TLanes.Count)
        {
            var product = TLanes.Load(ref left, x) * TLanes.Load(ref right, x);
            var square = product * product;
            absolute += TLanes.Abs(product);
            negativeSquares += TLanes.WhereLess(product, zero, square);
            positiveSquares += TLanes.WhereLess(zero, product, square);
            negatives += TLanes.WhereLess(product, zero, one);
            positives += TLanes.WhereLess(zero, product, one);
        }
        sums.Absolute += absolute.Sum();
        sums.NegativeSquares += negativeSquares.Sum();
        sums.PositiveSquares += positiveSquares.Sum();
        sums.Negatives += negatives.Sum();
        sums.Positives += positives.Sum();
        return x;
    }
}
