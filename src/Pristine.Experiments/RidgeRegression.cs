namespace Pristine.Experiments;

/// <summary>How to fit a ridge regression.</summary>
public sealed record RidgeOptions
{
    /// <summary>The penalties to try, each above 0; by default 10^2 to 10^6 in half decades.</summary>
    public IReadOnlyList<double> Penalties { get; init; } = [.. Enumerable.Range(0, 9).Select(step => Math.Pow(10, 2 + step / 2.0))];

    /// <summary>Parts for cross-validation, at least 2; 5 by default.</summary>
    public int Folds { get; init; } = 5;

    /// <summary>Decides which row falls into which part. The same seed gives the same result.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>
    /// A name per row; rows of one name fall into one part, so that none is predicted from its own copies. Null when all stand alone.
    /// </summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>
    /// What is known of each row beforehand, a finite number in the unit of the targets; null for nothing. The regression predicts what is
    /// left of the targets, and the coefficients of its trials are those of both together: a large penalty leaves what was known.
    /// </summary>
    public IReadOnlyList<double>? Baseline { get; init; }
}

/// <summary>
/// What cross-validation found for one penalty: the coefficients of the predictions for rows left out with their targets.
/// </summary>
/// <param name="Penalty">The penalty.</param>
/// <param name="Spearman">Rank correlation over all rows.</param>
/// <param name="Pearson">Linear correlation.</param>
/// <param name="RootMeanSquareError">In the targets' unit.</param>
public readonly record struct PenaltyTrial(double Penalty, double Spearman, double Pearson, double RootMeanSquareError);

/// <summary>
/// Ridge regression: the weights w and the bias b that minimise sum_i (y_i - b - w . z_i)^2 + penalty |w|^2, where z_i are the features
/// less their mean and over their standard deviation in the training set. The penalty is the one whose predictions for left-out rows have
/// the highest rank correlation with the targets.
/// </summary>
/// <remarks>
/// Solved in its dual form, w = Z^T a with (K + penalty I) a = y - mean y and K = Z Z^T centred, by Cholesky factorisation in double
/// precision: memory grows with the square of the rows (8 bytes x rows^2, three times during cross-validation) and not with the features,
/// of which there are more here. Means and deviations of the features are those of all rows, in cross-validation too: they know nothing of
/// the targets.
/// </remarks>
public sealed class RidgeRegression
{
    /// <summary>Three matrices of this many rows take 10 GB.</summary>
    public const int MaxRows = 20_000;

    /// <summary>Columns that are standardised at once.</summary>
    private const int Panel = 512;

    private RidgeRegression(double[] weights, double bias, double penalty, IReadOnlyList<PenaltyTrial> trials) =>
        (Weights, Bias, Penalty, Trials) = (weights, bias, penalty, trials);

    /// <summary>
    /// One weight per feature, for features as they are given: the standardisation is contained. 0 for a feature that is constant.
    /// </summary>
    public IReadOnlyList<double> Weights { get; }

    /// <summary>Added to the weighted sum.</summary>
    public double Bias { get; }

    /// <summary>The penalty chosen.</summary>
    public double Penalty { get; }

    /// <summary>What cross-validation found, in the order of the options; empty when there was one penalty only.</summary>
    public IReadOnlyList<PenaltyTrial> Trials { get; }

    /// <summary>Fits.</summary>
    /// <param name="features">A row per image, all of the same length; finite.</param>
    /// <param name="targets">A finite number per row.</param>
    /// <param name="options">Penalties, folds, seed.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">
    /// The rows are fewer than the folds or more than <see cref="MaxRows"/>, of different lengths or not finite, or the targets are all
    /// equal; an option is out of range.
    /// </exception>
    public static RidgeRegression Fit(
        IReadOnlyList<float[]> features, ReadOnlySpan<double> targets, RidgeOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        options ??= new RidgeOptions();
        Check(features, targets, options);
        var (means, deviations) = Standardisation.Of(features);
        var gram = Gram(features, means, deviations, cancellation);
        var y = targets.ToArray();
        for (var i = 0; i < y.Length; i++)
            y[i] -= options.Baseline?[i] ?? 0;
        var trials = options.Penalties.Count == 1 ? [] : CrossValidate(gram, y, options, cancellation);
        var penalty = trials.Count == 0 ? options.Penalties[0] : trials.MaxBy(trial => trial.Spearman).Penalty;

        var dual = new Dual(gram, y, [.. Enumerable.Range(0, y.Length)]);
        dual.Solve(penalty);
        var weights = new double[means.Length];
        for (var i = 0; i < features.Count; i++)
            for (var k = 0; k < weights.Length; k++)
                weights[k] += dual.Coefficients[i] * (features[i][k] - means[k]);
        var bias = dual.TargetMean;
        for (var k = 0; k < weights.Length; k++)
        {
            // Once for z, once for taking the features as they are.
            weights[k] = deviations[k] > 0 ? weights[k] / (deviations[k] * deviations[k]) : 0;
            bias -= weights[k] * means[k];
        }
        return new(weights, bias, penalty, trials);
    }

    /// <summary>The value for one image.</summary>
    /// <param name="features">As many as <see cref="Weights"/>.</param>
    public double Predict(ReadOnlySpan<float> features)
    {
        if (features.Length != Weights.Count)
            throw new ArgumentException($"Expected {Weights.Count} features; found {features.Length}.", nameof(features));
        var sum = Bias;
        for (var k = 0; k < features.Length; k++)
            sum += Weights[k] * features[k];
        return sum;
    }

    /// <summary>The part of each row: equal shares of a random order, of the groups where there are such.</summary>
    internal static int[] AssignFolds(int rows, int folds, long seed, IReadOnlyList<string>? groups = null)
    {
        if (groups != null)
        {
            var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
            var numberOf = groups.Select(group => numbers.TryGetValue(group, out var known) ? known : numbers[group] = numbers.Count)
                .ToArray();
            var assignedGroups = AssignFolds(numbers.Count, folds, seed);
            return Array.ConvertAll(numberOf, number => assignedGroups[number]);
        }
        var draws = new ulong[rows];
        var order = new int[rows];
        for (var i = 0; i < rows; i++)
        {
            var stream = RandomStream.Of(seed, i);
            (draws[i], order[i]) = (stream.Next(), i);
        }
        Array.Sort(draws, order);
        var assigned = new int[rows];
        for (var rank = 0; rank < rows; rank++)
            assigned[order[rank]] = rank % folds;
        return assigned;
    }

    private static List<PenaltyTrial> CrossValidate(
        SymmetricMatrix gram, double[] targets, RidgeOptions options, CancellationToken cancellation)
    {
        var folds = AssignFolds(targets.Length, options.Folds, options.Seed, options.Groups);
        var predictions = options.Penalties.Select(_ => new double[targets.Length]).ToArray();
        for (var fold = 0; fold < options.Folds; fold++)
        {
            var dual = new Dual(gram, targets, [.. Enumerable.Range(0, targets.Length).Where(i => folds[i] != fold)]);
            for (var p = 0; p < options.Penalties.Count; p++)
            {
                cancellation.ThrowIfCancellationRequested();
                dual.Solve(options.Penalties[p]);
                for (var i = 0; i < targets.Length; i++)
                    if (folds[i] == fold)
                        predictions[p][i] = dual.Predict(i);
            }
        }
        if (options.Baseline is { } known)
        {
            targets = [.. targets.Zip(known, (left, before) => left + before)];
            foreach (var predicted in predictions)
                for (var i = 0; i < predicted.Length; i++)
                    predicted[i] += known[i];
        }
        return [.. options.Penalties.Zip(predictions, (penalty, predicted) => new PenaltyTrial(
            penalty, Correlation.Spearman(predicted, targets), Correlation.Pearson(predicted, targets),
            Correlation.RootMeanSquareError(predicted, targets)))];
    }

    /// <summary>Z Z^T.</summary>
    private static SymmetricMatrix Gram(
        IReadOnlyList<float[]> features, double[] means, double[] deviations, CancellationToken cancellation)
    {
        var gram = new SymmetricMatrix(features.Count);
        var panel = new double[features.Count * Math.Min(Panel, means.Length)];
        for (var first = 0; first < means.Length; first += Panel)
        {
            cancellation.ThrowIfCancellationRequested();
            var columns = Math.Min(Panel, means.Length - first);
            for (var i = 0; i < features.Count; i++)
                for (var k = 0; k < columns; k++)
                    panel[i * columns + k] = deviations[first + k] > 0
                        ? (features[i][first + k] - means[first + k]) / deviations[first + k]
                        : 0;
            gram.AddProduct(panel, columns);
        }
        return gram;
    }

    private static void Check(IReadOnlyList<float[]> features, ReadOnlySpan<double> targets, RidgeOptions options)
    {
        if (features.Count != targets.Length)
            throw new ArgumentException(
                $"Expected a target per row; found {features.Count} rows and {targets.Length} targets.", nameof(targets));
        if (options.Folds < 2 || features.Count < options.Folds || features.Count > MaxRows)
            throw new ArgumentException(
                $"Expected at least 2 folds, at least as many rows as folds, and at most {MaxRows} rows; found {options.Folds} folds and " +
                $"{features.Count} rows.", nameof(features));
        if (options.Penalties.Count == 0 || options.Penalties.Any(penalty => !(penalty > 0 && double.IsFinite(penalty))))
            throw new ArgumentException($"Expected penalties above 0; found {string.Join(", ", options.Penalties)}.", nameof(options));
        if (options.Groups is { } groups
            && (groups.Count != features.Count || groups.Distinct(StringComparer.Ordinal).Count() < options.Folds))
            throw new ArgumentException(
                $"Expected a group per row and at least {options.Folds} groups, one per fold; found {groups.Count} for {features.Count} " +
                $"rows, {groups.Distinct(StringComparer.Ordinal).Count()} of them different.", nameof(options));
        if (options.Baseline is { } baseline && (baseline.Count != features.Count || !baseline.All(double.IsFinite)))
            throw new ArgumentException(
                $"Expected a finite number per row as the baseline; found {baseline.Count} for {features.Count} rows.", nameof(options));
        Standardisation.Check(features);
        foreach (var target in targets)
            if (!double.IsFinite(target))
                throw new ArgumentException($"Expected finite targets; found {target}.", nameof(targets));
        if (!targets.ContainsAnyExcept(targets[0]))
            throw new ArgumentException($"Expected targets that differ; all are {targets[0]}.", nameof(targets));
    }

    /// <summary>The dual problem on some of the rows, for one penalty after another.</summary>
    private sealed class Dual
    {
        private readonly SymmetricMatrix _gram;
        private readonly SymmetricMatrix _centred;
        private readonly SymmetricMatrix _factor;
        private readonly int[] _rows;
        private readonly double[] _residuals;
        private readonly double[] _rowMeans;
        private readonly double _mean;

        public Dual(SymmetricMatrix gram, double[] targets, int[] rows)
        {
            (_gram, _rows) = (gram, rows);
            _centred = new SymmetricMatrix(rows.Length);
            _factor = new SymmetricMatrix(rows.Length);
            TargetMean = rows.Average(row => targets[row]);
            _residuals = [.. rows.Select(row => targets[row] - TargetMean)];
            _rowMeans = new double[gram.Size];
            Parallel.For(0, gram.Size, i =>
            {
                var sum = 0.0;
                foreach (var row in rows)
                    sum += gram.At(i, row);
                _rowMeans[i] = sum / rows.Length;
            });
            _mean = rows.Average(row => _rowMeans[row]);
            Parallel.For(0, rows.Length, i =>
            {
                for (var j = 0; j <= i; j++)
                    _centred[i, j] = Centred(rows[i], rows[j]);
            });
            Coefficients = new double[rows.Length];
        }

        /// <summary>The bias of the centred problem.</summary>
        public double TargetMean { get; }

        /// <summary>a, in the order of the rows.</summary>
        public double[] Coefficients { get; }

        public void Solve(double penalty)
        {
            _factor.Assign(_centred, penalty);
            _factor.Factor();
            _residuals.CopyTo(Coefficients, 0);
            _factor.Solve(Coefficients);
        }

        /// <summary>The prediction for any row of the whole set.</summary>
        public double Predict(int row)
        {
            var sum = TargetMean;
            for (var j = 0; j < _rows.Length; j++)
                sum += Coefficients[j] * Centred(row, _rows[j]);
            return sum;
        }

        private double Centred(int i, int j) => _gram.At(i, j) - _rowMeans[i] - _rowMeans[j] + _mean;
    }
}
