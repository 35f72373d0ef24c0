using Pristine.Models;

namespace Pristine.Networks;

/// <summary>How the range of an activation is chosen from the values seen.</summary>
public enum CalibrationMethod
{
    /// <summary>The smallest and the largest value.</summary>
    MinMax,

    /// <summary>
    /// The range that leaves out one value in 100,000 at each end. The most precise on ImageNet's ResNet-50, hence the default.
    /// </summary>
    Percentile,

    /// <summary>The range whose 8-bit rounding and clipping make the smallest mean squared error.</summary>
    LeastError,
}

/// <summary>
/// Measures the ranges of a network's activations on images, and writes the network in 8-bit integers with them. Memory does not grow
/// with the number of images.
/// </summary>
internal sealed class Int8Calibration : IDisposable
{
    private readonly NetworkGraphs _graphs;
    private readonly ActivationRange _inputRange;
    private readonly OnnxRuntimeSession _session;
    private readonly OnnxRuntimeWorker _worker;
    private readonly IReadOnlyList<string> _activations;
    private readonly ActivationHistogram[] _histograms;

    /// <summary>Begins without images.</summary>
    /// <param name="graphs">The network.</param>
    /// <param name="inputRange">The values that a pixel can have after normalisation.</param>
    public Int8Calibration(NetworkGraphs graphs, ActivationRange inputRange)
    {
        ArgumentNullException.ThrowIfNull(graphs);
        (_graphs, _inputRange) = (graphs, inputRange);
        (var graph, _activations) = graphs.Probe();
        _session = new OnnxRuntimeSession(graph.ToArray());
        _worker = _session.CreateWorker();
        _histograms = [.. _activations.Select(_ => new ActivationHistogram())];
    }

    /// <summary>Number of crops seen.</summary>
    public int Count { get; private set; }

    /// <summary>Takes one crop into account.</summary>
    /// <param name="planes">Three planes of height x width normalised pixels.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public void Add(ReadOnlySpan<float> planes, int height, int width)
    {
        planes.CopyTo(_worker.Input(1, 3, height, width));
        _worker.Run();
        for (var i = 0; i < _histograms.Length; i++)
            _histograms[i].Add(_worker.Output(i + 1));
        Count++;
    }

    /// <summary>
    /// The range of each activation of the network, by name, the input <c>image</c> included; see <see cref="CalibrationMethod"/>.
    /// </summary>
    /// <param name="method">How ranges are chosen.</param>
    /// <exception cref="InvalidOperationException">No crop was added.</exception>
    public IReadOnlyDictionary<string, ActivationRange> Ranges(CalibrationMethod method = CalibrationMethod.MinMax)
    {
        if (Count == 0)
            throw new InvalidOperationException("Expected at least one image to calibrate with; found none.");
        var ranges = _activations.Zip(_histograms).ToDictionary(pair => pair.First, pair => pair.Second.Range(method));
        ranges[ConvolutionGraph.Image] = _inputRange;
        return ranges;
    }

    /// <summary>The network in 8-bit integers; see <see cref="CalibrationMethod"/>.</summary>
    /// <param name="method">How ranges are chosen.</param>
    /// <exception cref="InvalidOperationException">No crop was added.</exception>
    public OnnxGraph Quantised(CalibrationMethod method = CalibrationMethod.Percentile)
    {
        var graph = _graphs.Int8(Ranges(method));
        graph.Metadata("calibration", $"{method}, {Count} crops");
        return graph;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _worker.Dispose();
        _session.Dispose();
    }
}

/// <summary>
/// A histogram of floats over [-limit, limit]. The limit doubles, and neighbouring bins merge, when a larger value comes, so the values
/// need not be known beforehand.
/// </summary>
internal sealed class ActivationHistogram
{
    private const int HalfBins = 4096;
    private const int Bins = 2 * HalfBins;
    private const double PercentileTail = 1e-5;
    private const int Candidates = 64;

    private readonly long[] _bins = new long[Bins];
    private float _limit = 1f / 1024;
    private float _low;
    private float _high;
    private long _count;

    public void Add(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                throw new ModelException("Expected finite activations; the network overflows on an image used for calibration.");
            _low = Math.Min(_low, value);
            _high = Math.Max(_high, value);
        }
        while (Math.Max(-_low, _high) >= _limit)
            Widen();
        var scale = HalfBins / _limit;
        foreach (var value in values)
            _bins[Math.Clamp((int)MathF.Floor(value * scale) + HalfBins, 0, Bins - 1)]++;
        _count += values.Length;
    }

    public ActivationRange Range(CalibrationMethod method) => method switch
    {
        CalibrationMethod.Percentile => Percentile(),
        CalibrationMethod.LeastError => LeastError(),
        _ => new(_low, _high),
    };

    private void Widen()
    {
        // The middle of the histogram stays where it is: bin HalfBins + k moves to HalfBins + floor(k / 2).
        var old = (long[])_bins.Clone();
        Array.Clear(_bins);
        for (var i = 0; i < Bins; i++)
            _bins[HalfBins + ((i - HalfBins) >> 1)] += old[i];
        _limit *= 2;
    }

    private ActivationRange Percentile()
    {
        var tail = (long)(_count * PercentileTail);
        var (first, last) = (0, Bins - 1);
        for (var below = _bins[0]; below <= tail && first < HalfBins; below += _bins[first])
            first++;
        for (var above = _bins[last]; above <= tail && last >= HalfBins; above += _bins[last])
            last--;
        return new(Math.Max(_low, Edge(first)), Math.Min(_high, Edge(last + 1)));
    }

    /// <summary>Both ends are drawn in together, and the share of the full range with the smallest error wins.</summary>
    private ActivationRange LeastError()
    {
        var (best, smallest) = (new ActivationRange(_low, _high), double.PositiveInfinity);
        for (var i = 0; i < Candidates; i++)
        {
            var share = 1 - 0.75f * i / Candidates;
            var range = new ActivationRange(_low * share, _high * share);
            var error = Error(range);
            if (error < smallest)
                (best, smallest) = (range, error);
        }
        return best;
    }

    private double Error(ActivationRange range)
    {
        var (step, zero) = Quantisation.Of(range);
        var error = 0.0;
        for (var i = 0; i < Bins; i++)
        {
            if (_bins[i] == 0)
                continue;
            double value = (Edge(i) + Edge(i + 1)) / 2;
            var q = Math.Clamp(Math.Round(value / step) + zero, 0, byte.MaxValue);
            var difference = value - (q - zero) * step;
            // Within a step the error is spread evenly: the centre of a bin that is wider than the step says too little.
            var inside = q is > 0 and < byte.MaxValue;
            error += _bins[i] * (inside ? step * (double)step / 12 : difference * difference);
        }
        return error;
    }

    private float Edge(int bin) => (bin - HalfBins) * _limit / HalfBins;
}
