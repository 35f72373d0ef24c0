namespace Pristine.Kernels;

/// <summary>Interpolation filters of antialiased resizing.</summary>
internal enum ResampleFilter
{
    /// <summary>Triangle: 1 - |x| within 1.</summary>
    Bilinear,

    /// <summary>Cubic convolution with a = -0.5, within 2.</summary>
    Bicubic,
}

/// <summary>
/// The weights of an antialiased resize along one axis: when it shrinks, the filter is stretched over the input pixels that an output
/// pixel covers. Output pixel i is the sum over k of Weights[i * Size + k] x input[Starts[i] + k], k below Counts[i]; weights sum to 1.
/// </summary>
internal sealed class ResampleTaps
{
    private int[] _starts = [];
    private int[] _counts = [];
    private double[] _weights = [];

    /// <summary>Room per output pixel in <see cref="Weights"/>.</summary>
    public int Size { get; private set; }

    /// <summary>First input pixel of each output pixel.</summary>
    public ReadOnlySpan<int> Starts => _starts;

    /// <summary>Number of input pixels of each output pixel.</summary>
    public ReadOnlySpan<int> Counts => _counts;

    /// <summary>The weights.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>Computes the taps of a range of output pixels, in double precision and in the order of operations of Pillow.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="inputs">Input pixels along the axis.</param>
    /// <param name="outputs">Output pixels along the whole axis.</param>
    /// <param name="first">First output pixel wanted.</param>
    /// <param name="count">Number of output pixels wanted.</param>
    public void Compute(ResampleFilter filter, int inputs, int outputs, int first, int count)
    {
        var scale = (double)inputs / outputs;
        var stretch = Math.Max(scale, 1);
        var support = (filter == ResampleFilter.Bilinear ? 1 : 2) * stretch;
        Size = (int)Math.Ceiling(support) * 2 + 1;
        Reserve(count);
        for (var i = 0; i < count; i++)
        {
            var center = (first + i + 0.5) * scale;
            var start = Math.Max((int)(center - support + 0.5), 0);
            var end = Math.Min((int)(center + support + 0.5), inputs);
            var weights = _weights.AsSpan(i * Size, end - start);
            var sum = 0.0;
            for (var k = 0; k < weights.Length; k++)
            {
                weights[k] = Weight(filter, (k + start - center + 0.5) * (1 / stretch));
                sum += weights[k];
            }
            if (sum != 0)
                foreach (ref var weight in weights)
                    weight /= sum;
            (_starts[i], _counts[i]) = (start, weights.Length);
        }
    }

    private static double Weight(ResampleFilter filter, double x)
    {
        x = Math.Abs(x);
        if (filter == ResampleFilter.Bilinear)
            return x < 1 ? 1 - x : 0;
        const double a = -0.5;
        return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
            : x < 2 ? (((x - 5) * x + 8) * x - 4) * a
            : 0;
    }

    private void Reserve(int count)
    {
        if (_starts.Length < count)
            (_starts, _counts) = (new int[count], new int[count]);
        if (_weights.Length < count * Size)
            _weights = new double[count * Size];
    }
}
