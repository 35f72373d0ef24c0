using Pristine.Kernels;

namespace Pristine.Experiments.Training;

/// <summary>When the fit of a logistic regression ends.</summary>
public sealed record LogisticRegressionOptions
{
    /// <summary>Iterations of L-BFGS after which a fit ends wherever it is; at least 1, 200 by default.</summary>
    public int MaxIterations { get; init; } = 200;

    /// <summary>
    /// A fit has converged when no element of the gradient of <see cref="MultinomialLogisticRegression.Objective"/> is larger; above 0,
    /// 1e-4 by default.
    /// </summary>
    public double Tolerance { get; init; } = 1e-4;
}

/// <summary>
/// Multinomial logistic regression (softmax regression): P(class c | x) is proportional to exp(b_c + w_c . z), where z are the features
/// less their mean and over their standard deviation in the training set. Weights and intercepts minimise the mean over the rows of
/// -ln P(class of the row | row), plus penalty / 2 times the sum of the squared weights; intercepts are not penalised.
/// </summary>
/// <remarks>
/// Minimised by L-BFGS (J. Nocedal, S. Wright, "Numerical Optimization", 2nd edition, Springer 2006, DOI 10.1007/978-0-387-40065-5) in
/// double precision, on the calling thread: same rows, same bits on one machine. The features themselves are neither copied nor changed, so
/// that many fits can share them; a fit adds about 24 x 8 bytes per weight.
/// </remarks>
public sealed class MultinomialLogisticRegression
{
    private readonly double[] _weights;
    private readonly double[] _intercepts;

    private MultinomialLogisticRegression(double[] weights, double[] intercepts) => (_weights, _intercepts) = (weights, intercepts);

    /// <summary>Number of classes, those without a training row included.</summary>
    public int Classes => _intercepts.Length;

    /// <summary>Number of features.</summary>
    public int Features => _weights.Length / _intercepts.Length;

    /// <summary>The penalty.</summary>
    public required double Penalty { get; init; }

    /// <summary>The mean log loss of the training rows plus the penalty term, in nats; at least 0.</summary>
    public required double Objective { get; init; }

    /// <summary>Iterations that the fit took.</summary>
    public required int Iterations { get; init; }

    /// <summary>Whether the gradient fell below the tolerance within the iterations.</summary>
    public required bool Converged { get; init; }

    /// <summary>Fits.</summary>
    /// <param name="features">A row per image, all of the same length; finite.</param>
    /// <param name="labels">The class of each row, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">
    /// Number of classes. One that no row has gets the probability 0: its intercept would fall without end. If all rows have one class,
    /// that is the prediction for everything.
    /// </param>
    /// <param name="penalty">Above 0.</param>
    /// <param name="options">Iterations and tolerance; defaults when null.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">
    /// There are no rows, their lengths differ, a value is not finite, or a label, a penalty or an option is out of range.
    /// </exception>
    public static MultinomialLogisticRegression Fit(
        IReadOnlyList<float[]> features, IReadOnlyList<int> labels, int classes, double penalty, LogisticRegressionOptions? options = null,
        CancellationToken cancellation = default) =>
        FitPath(features, labels, classes, [penalty], options, cancellation).Single();

    /// <summary>
    /// Fits for several penalties, each fit beginning where the one before it ended: fastest from the largest penalty to the smallest.
    /// </summary>
    /// <inheritdoc cref="Fit"/>
    /// <param name="features">A row per image, all of the same length; finite.</param>
    /// <param name="labels">The class of each row, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="penalties">Each above 0.</param>
    /// <param name="options">Iterations, for each penalty, and tolerance; defaults when null.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>A fit per penalty, in their order, made when it is asked for.</returns>
    public static IEnumerable<MultinomialLogisticRegression> FitPath(
        IReadOnlyList<float[]> features, IReadOnlyList<int> labels, int classes, IReadOnlyList<double> penalties,
        LogisticRegressionOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(penalties);
        options ??= new LogisticRegressionOptions();
        Check(features, labels, classes, penalties, options);
        return Enumerate();

        IEnumerable<MultinomialLogisticRegression> Enumerate()
        {
            var problem = new Problem(features, labels);
            var point = new double[problem.Length];
            var search = new LimitedMemoryBfgsOptions { MaxIterations = options.MaxIterations, Tolerance = options.Tolerance };
            foreach (var penalty in penalties)
            {
                var found = LimitedMemoryBfgs.Minimise(
                    (at, gradient) => problem.Evaluate(at, penalty, gradient), point, search, cancellation);
                var (weights, intercepts) = problem.Unfold(point, classes);
                yield return new(weights, intercepts)
                {
                    Penalty = penalty,
                    Objective = found.Value,
                    Iterations = found.Iterations,
                    Converged = found.Converged,
                };
            }
        }
    }

    /// <summary>
    /// The weights of a class, for features as they are given: the standardisation is contained. 0 for a feature that is constant, and for
    /// a class without rows.
    /// </summary>
    /// <param name="label">0 to <see cref="Classes"/> - 1.</param>
    public ReadOnlySpan<double> Weights(int label) => _weights.AsSpan(label * Features, Features);

    /// <summary>The intercept of a class, for features as they are given; minus infinity for a class without rows.</summary>
    /// <param name="label">0 to <see cref="Classes"/> - 1.</param>
    public double Intercept(int label) => _intercepts[label];

    /// <summary>The probability of each class.</summary>
    /// <param name="features">As many as <see cref="Features"/>; finite.</param>
    /// <param name="probabilities">As many as <see cref="Classes"/>, overwritten: 0 to 1, together 1.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void Probabilities(ReadOnlySpan<float> features, Span<double> probabilities)
    {
        if (features.Length != Features || probabilities.Length != Classes)
            throw new ArgumentException(
                $"Expected {Features} features and {Classes} probabilities; found {features.Length} and {probabilities.Length}.",
                nameof(features));
        for (var c = 0; c < Classes; c++)
        {
            var weights = Weights(c);
            var sum = _intercepts[c];
            for (var k = 0; k < features.Length; k++)
                sum += weights[k] * features[k];
            probabilities[c] = sum;
        }
        Softmax(probabilities);
    }

    /// <summary>Replaces numbers by their exponentials over the sum of all exponentials, and returns the logarithm of that sum.</summary>
    private static double Softmax(Span<double> values)
    {
        var largest = double.NegativeInfinity;
        foreach (var value in values)
            largest = Math.Max(largest, value);
        var sum = 0.0;
        foreach (ref var value in values)
            sum += value = Math.Exp(value - largest);
        foreach (ref var value in values)
            value /= sum;
        return largest + Math.Log(sum);
    }

    private static void Check(
        IReadOnlyList<float[]> features, IReadOnlyList<int> labels, int classes, IReadOnlyList<double> penalties,
        LogisticRegressionOptions options)
    {
        if (features.Count == 0 || features.Count != labels.Count)
            throw new ArgumentException(
                $"Expected at least one row and a label for each; found {features.Count} rows and {labels.Count} labels.",
                nameof(features));
        Standardisation.Check(features);
        for (var i = 0; i < labels.Count; i++)
            if (labels[i] < 0 || labels[i] >= classes)
                throw new ArgumentException($"Expected labels from 0 to {classes - 1}; found {labels[i]} in row {i}.", nameof(labels));
        foreach (var penalty in penalties)
            if (!(penalty > 0 && double.IsFinite(penalty)))
                throw new ArgumentException($"Expected penalties above 0; found {penalty}.", nameof(penalties));
        if (options.MaxIterations < 1 || !(options.Tolerance > 0 && double.IsFinite(options.Tolerance)))
            throw new ArgumentException(
                $"Expected at least 1 iteration and a tolerance above 0; found {options.MaxIterations} and {options.Tolerance}.",
                nameof(options));
    }

    /// <summary>
    /// The function to minimise, of the weights for standardised features (a row per class that occurs) followed by the intercepts. Rows
    /// are standardised a block at a time, so that both products of a block find it in the cache.
    /// </summary>
    internal sealed class Problem
    {
        /// <summary>Of 2,048 features, half a megabyte.</summary>
        private const int BlockRows = 32;

        private readonly IReadOnlyList<float[]> _rows;
        private readonly Standardisation _standardisation;
        private readonly double[] _factors;
        private readonly int[] _classes;
        private readonly int[] _labels;
        private readonly double[] _block;
        private readonly double[] _residuals;

        /// <summary>The problem of rows and their classes, as <see cref="Fit"/> takes them.</summary>
        public Problem(IReadOnlyList<float[]> rows, IReadOnlyList<int> labels)
        {
            _rows = rows;
            _standardisation = Standardisation.Of(rows);
            _factors = [.. _standardisation.Deviations.Select(deviation => deviation > 0 ? 1 / deviation : 0)];
            _classes = [.. labels.Distinct().Order()];
            _labels = [.. labels.Select(label => Array.BinarySearch(_classes, label))];
            _block = new double[BlockRows * Features];
            _residuals = new double[BlockRows * _classes.Length];
        }

        /// <summary>Number of variables.</summary>
        public int Length => _classes.Length * (Features + 1);

        private int Features => _factors.Length;

        /// <summary>The objective and its gradient.</summary>
        /// <param name="point">The variables.</param>
        /// <param name="penalty">At least 0.</param>
        /// <param name="gradient">Overwritten.</param>
        public double Evaluate(double[] point, double penalty, double[] gradient)
        {
            var weights = point.AsSpan(0, _classes.Length * Features);
            var intercepts = point.AsSpan(weights.Length);
            var interceptGradient = gradient.AsSpan(weights.Length);
            Array.Clear(gradient);
            var loss = 0.0;
            for (var first = 0; first < _rows.Count; first += BlockRows)
            {
                var count = Math.Min(BlockRows, _rows.Count - first);
                var rows = new MatrixView(_block, count, Features, Features);
                var residuals = new MatrixView(_residuals, count, _classes.Length, _classes.Length);
                for (var i = 0; i < count; i++)
                {
                    StandardisedRow.Write(
                        _rows[first + i], _standardisation.Means, _factors, _block.AsSpan(i * Features, Features), Simd.Current);
                    intercepts.CopyTo(_residuals.AsSpan(i * _classes.Length));
                }
                RowProducts.Add(rows, new(weights, _classes.Length, Features, Features), 1, residuals, Simd.Current);
                for (var i = 0; i < count; i++)
                    loss += Residuals(_residuals.AsSpan(i * _classes.Length, _classes.Length), _labels[first + i], interceptGradient);
                ColumnProducts.Add(residuals, rows, new(gradient, _classes.Length, Features, Features), Simd.Current);
            }
            var squares = 0.0;
            for (var k = 0; k < gradient.Length; k++)
            {
                gradient[k] /= _rows.Count;
                if (k >= weights.Length)
                    continue;
                squares += weights[k] * weights[k];
                gradient[k] += penalty * weights[k];
            }
            return loss / _rows.Count + penalty / 2 * squares;
        }

        /// <summary>Weights and intercepts for features as they are, of every class.</summary>
        public (double[] Weights, double[] Intercepts) Unfold(double[] point, int classes)
        {
            var (weights, intercepts) = (new double[classes * Features], new double[classes]);
            Array.Fill(intercepts, double.NegativeInfinity);
            for (var c = 0; c < _classes.Length; c++)
            {
                var intercept = point[_classes.Length * Features + c];
                for (var k = 0; k < Features; k++)
                {
                    var weight = point[c * Features + k] * _factors[k];
                    weights[_classes[c] * Features + k] = weight;
                    intercept -= weight * _standardisation.Means[k];
                }
                intercepts[_classes[c]] = intercept;
            }
            return (weights, intercepts);
        }

        /// <summary>
        /// Turns the sums of a row into probabilities less 1 at its class, adds them to the intercepts' gradient and returns the row's
        /// loss.
        /// </summary>
        private static double Residuals(Span<double> sums, int label, Span<double> interceptGradient)
        {
            var own = sums[label];
            var loss = Softmax(sums) - own;
            sums[label] -= 1;
            for (var c = 0; c < sums.Length; c++)
                interceptGradient[c] += sums[c];
            return loss;
        }
    }
}
