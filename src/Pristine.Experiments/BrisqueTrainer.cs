using Pristine.Metrics.Brisque;

namespace Pristine.Experiments;

/// <summary>How to train BRISQUE's regressor.</summary>
public sealed record BrisqueTrainerOptions
{
    /// <summary>Values of C to try, each above 0.</summary>
    public IReadOnlyList<double> Costs { get; init; } = [1, 16, 256];

    /// <summary>Widths of the kernel to try, each above 0.</summary>
    public IReadOnlyList<double> Gammas { get; init; } = [0.05];

    /// <summary>Deviations that do not count, in points of 0..100.</summary>
    public double Epsilon { get; init; } = 1;

    /// <summary>Parts for cross-validation.</summary>
    public int Folds { get; init; } = 5;

    /// <summary>Decides which image falls into which part.</summary>
    public long Seed { get; init; } = 1;
}

/// <summary>What cross-validation found for one pair of C and gamma.</summary>
/// <param name="Cost">C.</param>
/// <param name="Gamma">Width of the kernel.</param>
/// <param name="Spearman">Rank correlation of the predictions for left-out images with their targets.</param>
/// <param name="Pearson">Linear correlation.</param>
public readonly record struct SupportVectorTrial(double Cost, double Gamma, double Spearman, double Pearson);

/// <summary>
/// Trains the regressor of <c>brisque-live</c> on other ratings: the 36 features scaled to -1..1, an epsilon-SVR with a Gaussian kernel,
/// targets from 0 (best) to 100 (worst) as in LIVE. The pair of C and gamma is the one whose predictions for left-out images have the
/// highest rank correlation.
/// </summary>
/// <param name="Range">Scaling of the features.</param>
/// <param name="Regressor">The regression on scaled features.</param>
/// <param name="Chosen">C and gamma.</param>
/// <param name="Trials">What cross-validation found; empty when there was one pair only.</param>
public sealed record BrisqueTrainer(
    LibSvmRange Range, SupportVectorRegressor Regressor, (double Cost, double Gamma) Chosen, IReadOnlyList<SupportVectorTrial> Trials)
{
    /// <summary>Trains.</summary>
    /// <param name="images">The features <c>brisque-live</c> and the ratings.</param>
    /// <param name="worst">The rating that becomes 100.</param>
    /// <param name="best">The rating that becomes 0.</param>
    /// <param name="options">C, gamma, epsilon, folds.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ArgumentException">There are fewer images than folds, or too many, or an option is out of range.</exception>
    public static BrisqueTrainer Train(
        RatedFeatures images, double worst, double best, BrisqueTrainerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        options ??= new BrisqueTrainerOptions();
        if (options.Folds < 2 || images.Ratings.Length < options.Folds)
            throw new ArgumentException(
                $"Expected at least 2 folds and as many images; found {options.Folds} folds and {images.Ratings.Length} images.",
                nameof(options));
        if (options.Costs.Count == 0 || options.Gammas.Count == 0)
            throw new ArgumentException("Expected at least one C and one gamma.", nameof(options));
        var rows = images.Features.Select(row => row.Select(value => (double)value).ToArray()).ToList();
        var range = LibSvmRange.Fit(rows);
        foreach (var row in rows)
            range.Scale(row, row);
        var targets = images.Ratings.Select(rating => 100 * (best - rating) / (best - worst)).ToArray();
        var pairs = options.Costs.SelectMany(cost => options.Gammas, (cost, gamma) => (Cost: cost, Gamma: gamma)).ToArray();
        var trials = pairs.Length == 1
            ? []
            : pairs.Select(pair => CrossValidate(rows, targets, images.Originals, pair, options, cancellation)).ToArray();
        var chosen = trials.Length == 0 ? pairs[0] : pairs[Array.IndexOf(trials, trials.MaxBy(trial => trial.Spearman))];
        return new(range, SupportVectorTrainer.Train(rows, targets, Options(chosen, options), cancellation), chosen, trials);
    }

    /// <summary>
    /// Writes <c>allmodel</c> and <c>allrange</c>, the files that <c>pristine models import brisque-live DIR --trust</c> takes.
    /// </summary>
    /// <param name="folder">The folder; it is made if it is not there.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "allrange"), Range.Format());
        File.WriteAllText(Path.Combine(folder, "allmodel"), LibSvmModel.Format(Regressor));
    }

    private static SupportVectorTrial CrossValidate(
        List<double[]> rows, double[] targets, IReadOnlyList<string> originals, (double Cost, double Gamma) pair,
        BrisqueTrainerOptions options, CancellationToken cancellation)
    {
        var folds = RidgeRegression.AssignFolds(rows.Count, options.Folds, options.Seed, originals);
        var predictions = new double[rows.Count];
        Parallel.For(0, options.Folds, fold =>
        {
            var training = Enumerable.Range(0, rows.Count).Where(i => folds[i] != fold).ToArray();
            var model = SupportVectorTrainer.Train(
                [.. training.Select(i => rows[i])], [.. training.Select(i => targets[i])], Options(pair, options), cancellation);
            for (var i = 0; i < rows.Count; i++)
                if (folds[i] == fold)
                    predictions[i] = model.Predict(rows[i]);
        });
        return new(pair.Cost, pair.Gamma, Correlation.Spearman(predictions, targets), Correlation.Pearson(predictions, targets));
    }

    private static SupportVectorOptions Options((double Cost, double Gamma) pair, BrisqueTrainerOptions options) =>
        new() { Cost = pair.Cost, Gamma = pair.Gamma, Epsilon = options.Epsilon };
}
