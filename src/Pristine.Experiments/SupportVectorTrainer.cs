using Pristine.Datasets;
using Pristine.Metrics.Brisque;

namespace Pristine.Experiments;

/// <summary>How to train a support vector regression.</summary>
public sealed record SupportVectorOptions
{
    /// <summary>C, the weight of deviations beyond <see cref="Epsilon"/>; above 0. 1024 in BRISQUE's release.</summary>
    public double Cost { get; init; } = 1024;

    /// <summary>Width of the kernel exp(-gamma |x - y|^2); above 0. 0.05 in BRISQUE's release.</summary>
    public double Gamma { get; init; } = 0.05;

    /// <summary>Deviations up to this do not count, in the targets' unit; at least 0. LIBSVM's default is 0.1.</summary>
    public double Epsilon { get; init; } = 0.1;

    /// <summary>
    /// Training ends when no pair of variables violates the optimality conditions by more than this; above 0. LIBSVM's default is 0.001.
    /// </summary>
    public double Tolerance { get; init; } = 0.001;
}

/// <summary>
/// Trains an epsilon-insensitive support vector regression with a Gaussian kernel: minimises 1/2 |w|^2 + C sum (xi + xi*) with
/// |f(x_i) - y_i| at most epsilon + xi. In its dual there are two variables per row, a and a* from 0 to C; sequential minimal optimisation
/// changes two at a time, chosen by second-order information: R.-E. Fan, P.-H. Chen, C.-J. Lin, "Working Set Selection Using Second Order
/// Information for Training Support Vector Machines", JMLR 6, 2005. The result does not depend on the number of processors.
/// </summary>
public static class SupportVectorTrainer
{
    /// <summary>The kernel between all pairs of rows is kept in 32-bit floats: 1.6 GB for this many.</summary>
    public const int MaxRows = 20_000;

    /// <summary>Stands for a curvature that rounding made zero or negative, as in the paper.</summary>
    private const double SmallestCurvature = 1e-12;

    /// <summary>Trains.</summary>
    /// <param name="rows">Scaled features, all rows of the same length; finite.</param>
    /// <param name="targets">A finite number per row.</param>
    /// <param name="options">Cost, gamma, epsilon, tolerance; defaults when null.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">
    /// There are no rows or more than <see cref="MaxRows"/>, their lengths differ, a value is not finite, or an option is out of range.
    /// </exception>
    /// <exception cref="DatasetException">
    /// All targets lie within epsilon of one number: a constant fits, and there are no support vectors.
    /// </exception>
    public static SupportVectorRegressor Train(
        IReadOnlyList<double[]> rows, ReadOnlySpan<double> targets, SupportVectorOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        options ??= new SupportVectorOptions();
        Check(rows, targets, options);
        var problem = new Problem(rows, targets.ToArray(), options);
        problem.Solve(cancellation);

        var (coefficients, vectors) = (new List<double>(), new List<double>());
        for (var i = 0; i < rows.Count; i++)
        {
            var coefficient = problem.Coefficient(i);
            if (coefficient == 0)
                continue;
            coefficients.Add(coefficient);
            vectors.AddRange(rows[i]);
        }
        return coefficients.Count > 0
            ? new(options.Gamma, problem.Rho(), [.. coefficients], [.. vectors])
            : throw new DatasetException(
                $"Expected targets that differ by more than twice epsilon, {options.Epsilon}; a constant fits all {rows.Count} of them. " +
                $"Choose a smaller epsilon.");
    }

    private static void Check(IReadOnlyList<double[]> rows, ReadOnlySpan<double> targets, SupportVectorOptions options)
    {
        if (rows.Count is 0 or > MaxRows || rows.Count != targets.Length)
            throw new ArgumentException(
                $"Expected 1 to {MaxRows} rows and a target for each; found {rows.Count} rows and {targets.Length} targets.", nameof(rows));
        if (rows.Any(row => row.Length != rows[0].Length || row.Length == 0 || !row.All(double.IsFinite)))
            throw new ArgumentException($"Expected rows of {rows[0].Length} finite features; one is not.", nameof(rows));
        foreach (var target in targets)
            if (!double.IsFinite(target))
                throw new ArgumentException($"Expected finite targets; found {target}.", nameof(targets));
        foreach (var (name, value) in new[] { ("Cost", options.Cost), ("Gamma", options.Gamma), ("Tolerance", options.Tolerance) })
            if (!(value > 0 && double.IsFinite(value)))
                throw new ArgumentException($"Expected {name} above 0; found {value}.", nameof(options));
        if (!(options.Epsilon >= 0 && double.IsFinite(options.Epsilon)))
            throw new ArgumentException($"Expected Epsilon of at least 0; found {options.Epsilon}.", nameof(options));
    }

    /// <summary>
    /// The dual: minimise 1/2 x^T Q x + p^T x with s^T x = 0 and 0 &lt;= x &lt;= C, where x = (a, a*), s = (+1.., -1..),
    /// p = (epsilon - y, epsilon + y) and Q_ij = s_i s_j K_ij.
    /// </summary>
    private sealed class Problem
    {
        private readonly SupportVectorOptions _options;
        private readonly float[][] _kernel;
        private readonly double[] _variables;
        private readonly double[] _gradient;
        private readonly int _rows;

        public Problem(IReadOnlyList<double[]> rows, double[] targets, SupportVectorOptions options)
        {
            (_options, _rows) = (options, rows.Count);
            _kernel = new float[_rows][];
            Parallel.For(0, _rows, i =>
            {
                var kernel = new float[_rows];
                for (var j = 0; j < kernel.Length; j++)
                {
                    var distance = 0.0;
                    for (var k = 0; k < rows[i].Length; k++)
                        distance += (rows[i][k] - rows[j][k]) * (rows[i][k] - rows[j][k]);
                    kernel[j] = (float)Math.Exp(-options.Gamma * distance);
                }
                _kernel[i] = kernel;
            });
            _variables = new double[2 * _rows];
            // All variables are 0 at first, so the gradient Q x + p is p.
            _gradient = [.. targets.Select(y => options.Epsilon - y), .. targets.Select(y => options.Epsilon + y)];
        }

        public double Coefficient(int row) => _variables[row] - _variables[row + _rows];

        public void Solve(CancellationToken cancellation)
        {
            while (Select(out var i, out var j))
            {
                cancellation.ThrowIfCancellationRequested();
                Step(i, j);
            }
        }

        /// <summary>
        /// The offset: the mean of -s times the gradient where it is determined, at variables strictly between the bounds; otherwise the
        /// middle of what the others allow.
        /// </summary>
        public double Rho()
        {
            var (free, sum, upper, lower) = (0, 0.0, double.PositiveInfinity, double.NegativeInfinity);
            for (var t = 0; t < _variables.Length; t++)
            {
                var value = Sign(t) * _gradient[t];
                if (_variables[t] > 0 && _variables[t] < _options.Cost)
                {
                    free++;
                    sum += value;
                }
                else if (_variables[t] == 0 == Sign(t) > 0)
                    upper = Math.Min(upper, value);
                else
                    lower = Math.Max(lower, value);
            }
            return free > 0 ? sum / free : (upper + lower) / 2;
        }

        private double Sign(int t) => t < _rows ? 1 : -1;

        private bool CanRise(int t) => t < _rows ? _variables[t] < _options.Cost : _variables[t] > 0;

        private bool CanFall(int t) => t < _rows ? _variables[t] > 0 : _variables[t] < _options.Cost;

        /// <summary>
        /// The variable that violates the conditions most, and the one that lowers the objective most together with it. False at the
        /// optimum.
        /// </summary>
        private bool Select(out int first, out int second)
        {
            (first, second) = (-1, -1);
            var (highest, lowest) = (double.NegativeInfinity, double.PositiveInfinity);
            for (var t = 0; t < _variables.Length; t++)
            {
                if (CanRise(t) && -Sign(t) * _gradient[t] > highest)
                    (highest, first) = (-Sign(t) * _gradient[t], t);
            }
            if (first < 0)
                return false;
            var kernel = _kernel[first % _rows];
            var best = double.PositiveInfinity;
            for (var t = 0; t < _variables.Length; t++)
            {
                if (!CanFall(t))
                    continue;
                var value = -Sign(t) * _gradient[t];
                lowest = Math.Min(lowest, value);
                var difference = highest - value;
                if (difference <= 0)
                    continue;
                // Every K_tt is 1.
                var gain = -difference * difference / Math.Max(2 - 2.0 * kernel[t % _rows], SmallestCurvature);
                if (gain < best)
                    (best, second) = (gain, t);
            }
            return second >= 0 && highest - lowest >= _options.Tolerance;
        }

        /// <summary>Moves along the line on which s^T x stays 0 to the minimum, or to the first bound.</summary>
        private void Step(int i, int j)
        {
            var (signI, signJ, cost) = (Sign(i), Sign(j), _options.Cost);
            var curvature = Math.Max(2 - 2.0 * _kernel[i % _rows][j % _rows], SmallestCurvature);
            // x_i moves by s_i d and x_j by -s_j d; d is above 0 because the pair violates the conditions.
            var d = (-signI * _gradient[i] + signJ * _gradient[j]) / curvature;
            var roomI = signI > 0 ? cost - _variables[i] : _variables[i];
            var roomJ = signJ > 0 ? _variables[j] : cost - _variables[j];
            var room = Math.Min(roomI, roomJ);
            if (d >= room)
                d = room;
            // A variable that reaches its bound lies exactly on it, whatever rounding does.
            _variables[i] = d == roomI ? (signI > 0 ? cost : 0) : _variables[i] + signI * d;
            _variables[j] = d == roomJ ? (signJ > 0 ? 0 : cost) : _variables[j] - signJ * d;
            var (kernelI, kernelJ) = (_kernel[i % _rows], _kernel[j % _rows]);
            for (var t = 0; t < _rows; t++)
            {
                var change = d * ((double)kernelI[t] - kernelJ[t]);
                _gradient[t] += change;
                _gradient[t + _rows] -= change;
            }
        }
    }
}
