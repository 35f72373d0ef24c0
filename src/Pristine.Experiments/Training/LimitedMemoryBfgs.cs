using Pristine.Kernels;

namespace Pristine.Experiments.Training;

/// <summary>When a minimisation ends and how much it remembers.</summary>
internal sealed record LimitedMemoryBfgsOptions
{
    /// <summary>Pairs of steps and gradient changes that are kept; at least 1.</summary>
    public int Memory { get; init; } = 10;

    /// <summary>Iterations after which the search ends wherever it is; at least 0.</summary>
    public int MaxIterations { get; init; } = 200;

    /// <summary>The search has converged when no element of the gradient is larger; above 0.</summary>
    public double Tolerance { get; init; } = 1e-5;
}

/// <summary>Where a minimisation ended.</summary>
/// <param name="Value">The function there.</param>
/// <param name="Iterations">Steps taken.</param>
/// <param name="Converged">
/// Whether no element of the gradient is larger than the tolerance; otherwise the iterations ran out, or rounding left no way down.
/// </param>
internal readonly record struct MinimumFound(double Value, int Iterations, bool Converged);

/// <summary>
/// Minimises a smooth function of many variables by limited-memory BFGS: J. Nocedal, S. Wright, "Numerical Optimization", 2nd edition,
/// Springer 2006, DOI 10.1007/978-0-387-40065-5: algorithms 7.4 (two-loop recursion) and 7.5, with the line search of algorithms 3.5 and
/// 3.6, which meets the strong Wolfe conditions. Nothing is random and nothing runs in parallel: same function, same start, same bits.
/// </summary>
internal sealed class LimitedMemoryBfgs
{
    /// <summary>c1 and c2 of the Wolfe conditions, as the book recommends for quasi-Newton methods.</summary>
    private const double SufficientDecrease = 1e-4, Curvature = 0.9;

    /// <summary>
    /// Relative size of what rounding may do to a sum of some thousand terms. Differences of values below it say nothing, and slopes
    /// decide.
    /// </summary>
    private const double ValueNoise = 1e-14;

    /// <summary>
    /// A trial step stays this far from both ends of the interval, as a share of it: otherwise the interval may hardly shrink.
    /// </summary>
    private const double Margin = 0.1;

    private const double Expansion = 4;
    private const int MaxTrials = 40;

    private readonly Func<double[], double[], double> _function;
    private readonly LimitedMemoryBfgsOptions _options;
    private readonly Queue<(double[] Step, double[] Change, double Curvature)> _pairs = new();
    private readonly double[] _direction;
    private double[] _point;
    private double[] _gradient;
    private double[] _trialPoint;
    private double[] _trialGradient;
    private double _value;

    private LimitedMemoryBfgs(Func<double[], double[], double> function, double[] start, LimitedMemoryBfgsOptions options)
    {
        (_function, _options) = (function, options);
        _point = (double[])start.Clone();
        _gradient = new double[start.Length];
        _trialPoint = new double[start.Length];
        _trialGradient = new double[start.Length];
        _direction = new double[start.Length];
        _value = function(_point, _gradient);
    }

    /// <summary>A step along the direction, with the function's value and slope there.</summary>
    private readonly record struct Trial(double Step, double Value, double Slope);

    /// <summary>Searches a minimum.</summary>
    /// <param name="function">Given a point, overwrites the gradient and returns the value. Infinity and NaN are taken as too high.</param>
    /// <param name="point">The start, where the value is finite; overwritten with the end.</param>
    /// <param name="options">Memory, iterations, tolerance.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public static MinimumFound Minimise(
        Func<double[], double[], double> function, double[] point, LimitedMemoryBfgsOptions options, CancellationToken cancellation)
    {
        var search = new LimitedMemoryBfgs(function, point, options);
        var found = search.Run(cancellation);
        search._point.CopyTo(point, 0);
        return found;
    }

    private MinimumFound Run(CancellationToken cancellation)
    {
        for (var iteration = 0; ; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            var converged = _gradient.All(element => Math.Abs(element) <= _options.Tolerance);
            if (converged || iteration == _options.MaxIterations || !TryIterate())
                return new(_value, iteration, converged);
        }
    }

    /// <summary>One step downhill; false when there is none that rounding does not hide.</summary>
    private bool TryIterate()
    {
        while (true)
        {
            Direct();
            var slope = Dot(_gradient, _direction);
            if (slope < 0 && TrySearch(slope) is { } found)
            {
                Remember();
                (_point, _trialPoint, _gradient, _trialGradient, _value) = (_trialPoint, _point, _trialGradient, _gradient, found.Value);
                return true;
            }
            if (_pairs.Count == 0)
                return false;
            // What is remembered misleads: begin again with the steepest descent.
            _pairs.Clear();
        }
    }

    /// <summary>
    /// Algorithm 7.4: minus the inverse Hessian, as the pairs suggest it, times the gradient. Without pairs, the steepest descent of length
    /// 1.
    /// </summary>
    private void Direct()
    {
        for (var k = 0; k < _direction.Length; k++)
            _direction[k] = -_gradient[k];
        if (_pairs.Count == 0)
        {
            Scale(_direction, 1 / Math.Max(Math.Sqrt(Dot(_gradient, _gradient)), double.Epsilon));
            return;
        }
        var factors = new double[_pairs.Count];
        var i = _pairs.Count;
        foreach (var (step, change, curvature) in _pairs.Reverse())
        {
            factors[--i] = Dot(step, _direction) / curvature;
            AddScaled(_direction, change, -factors[i]);
        }
        var last = _pairs.Last();
        Scale(_direction, last.Curvature / Dot(last.Change, last.Change));
        foreach (var (step, change, curvature) in _pairs)
            AddScaled(_direction, step, factors[i++] - Dot(change, _direction) / curvature);
    }

    private void Remember()
    {
        var full = _pairs.Count == _options.Memory;
        var (step, change, _) = full ? _pairs.Dequeue() : (new double[_point.Length], new double[_point.Length], 0);
        for (var k = 0; k < step.Length; k++)
        {
            step[k] = _trialPoint[k] - _point[k];
            change[k] = _trialGradient[k] - _gradient[k];
        }
        // Above 0 by the curvature condition, unless rounding or an early end of the line search got in the way.
        var curvature = Dot(step, change);
        if (curvature > double.Epsilon && double.IsFinite(curvature))
            _pairs.Enqueue((step, change, curvature));
    }

    /// <summary>
    /// Algorithm 3.5: lengthens the step until it is good or a good one lies before it. Leaves point and gradient of what it returns in the
    /// trial's arrays.
    /// </summary>
    private Trial? TrySearch(double slope)
    {
        var start = new Trial(0, _value, slope);
        var before = start;
        var step = 1.0;
        for (var trials = 0; trials < MaxTrials; trials++)
        {
            var trial = Try(step);
            if (!Decreases(trial, start) || trials > 0 && !(trial.Value <= before.Value + Noise))
                return Zoom(before, trial, start);
            if (IsFlat(trial, start))
                return trial;
            if (trial.Slope >= 0)
                return Zoom(trial, before, start);
            before = trial;
            step *= Expansion;
        }
        return null;
    }

    /// <summary>Algorithm 3.6: between the best step so far and one that is too far, there is a good one.</summary>
    private Trial? Zoom(Trial low, Trial high, in Trial start)
    {
        for (var trials = 0; trials < MaxTrials; trials++)
        {
            var trial = Try(Interpolate(low, high));
            if (!Decreases(trial, start) || !(trial.Value <= low.Value + Noise))
                high = trial;
            else if (IsFlat(trial, start))
                return trial;
            else
            {
                if (trial.Slope * (high.Step - low.Step) >= 0)
                    high = low;
                low = trial;
            }
        }
        // Any decrease is progress.
        return low.Step > 0 && low.Value < start.Value ? Try(low.Step) : null;
    }

    private double Noise => ValueNoise * Math.Abs(_value);

    private bool Decreases(in Trial trial, in Trial start) =>
        trial.Value <= start.Value + SufficientDecrease * trial.Step * start.Slope + Noise;

    private static bool IsFlat(in Trial trial, in Trial start) => Math.Abs(trial.Slope) <= -Curvature * start.Slope;

    /// <summary>The minimum of the cubic through both ends (the book's equation 3.59), or the middle where there is none inside.</summary>
    private static double Interpolate(in Trial low, in Trial high)
    {
        var width = high.Step - low.Step;
        var middle = low.Step + width / 2;
        var d1 = low.Slope + high.Slope - 3 * (low.Value - high.Value) / (low.Step - high.Step);
        var square = d1 * d1 - low.Slope * high.Slope;
        if (!(square >= 0))
            return middle;
        var d2 = Math.Sign(width) * Math.Sqrt(square);
        var step = high.Step - width * ((high.Slope + d2 - d1) / (high.Slope - low.Slope + 2 * d2));
        var share = (step - low.Step) / width;
        return share is >= Margin and <= 1 - Margin
            ? step : double.IsFinite(share) ? low.Step + width * Math.Clamp(share, Margin, 1 - Margin) : middle;
    }

    private Trial Try(double step)
    {
        for (var k = 0; k < _point.Length; k++)
            _trialPoint[k] = _point[k] + step * _direction[k];
        var value = _function(_trialPoint, _trialGradient);
        return new(step, value, Dot(_trialGradient, _direction));
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        RowProducts.Add(
            new(a, 1, a.Length, a.Length), new(b, 1, b.Length, b.Length), 1, new(new Span<double>(ref sum), 1, 1, 1), Simd.Current);
        return sum;
    }

    private static void AddScaled(double[] target, double[] source, double factor)
    {
        for (var k = 0; k < target.Length; k++)
            target[k] += factor * source[k];
    }

    private static void Scale(double[] target, double factor)
    {
        for (var k = 0; k < target.Length; k++)
            target[k] *= factor;
    }
}
