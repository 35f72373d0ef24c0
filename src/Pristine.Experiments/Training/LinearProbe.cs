using System.Collections.Concurrent;
using System.Globalization;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;
using Pristine.Scoring;

namespace Pristine.Experiments.Training;

/// <summary>How a <see cref="LinearProbe"/> is trained; the same for every task.</summary>
public sealed record LinearProbeOptions
{
    /// <summary>What the classifier sees of an image; the ImageNet ResNet-50 in 8-bit integers by default.</summary>
    public Feature Features { get; init; } = new ResNetEmbeddingFeature();

    /// <summary>
    /// A score table with features that are known already, where new ones are kept, see <see cref="FeatureTable"/>; null for none.
    /// </summary>
    public string? Table { get; init; }

    /// <summary>The penalties to try, each above 0, the largest first; by default 10^1 to 10^-3 in half decades.</summary>
    public IReadOnlyList<double> Penalties { get; init; } = [.. Enumerable.Range(0, 9).Select(step => Math.Pow(10, 1 - step / 2.0))];

    /// <summary>When the fit for each penalty ends.</summary>
    public LogisticRegressionOptions Fit { get; init; } = new();
}

/// <summary>
/// A linear probe: <see cref="MultinomialLogisticRegression"/> on features of images from a network that stays as it is. The penalty is
/// the one with the highest accuracy on the validation images; among equals, with the lowest log loss there. It is the usual test of what
/// images teach at a small price: G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016,
/// arXiv:1610.01644; S. Kornblith, J. Shlens, Q. Le, "Do Better ImageNet Models Transfer Better?", CVPR 2019, DOI 10.1109/CVPR.2019.00277.
/// Nothing is random: the seed of a task changes nothing.
/// </summary>
/// <param name="options">Features, penalties, iterations; defaults when null.</param>
public sealed class LinearProbe(LinearProbeOptions? options = null) : Trainer
{
    /// <summary>A probability counts as at least this much, so that a class without training images costs a finite loss.</summary>
    private const double SmallestProbability = 1e-15;

    private readonly LinearProbeOptions _options = options ?? new LinearProbeOptions();
    private readonly ConcurrentDictionary<string, float[]> _features = new(StringComparer.Ordinal);

    /// <summary>The features that the probe is trained on.</summary>
    public Feature Features => _options.Features;

    /// <inheritdoc/>
    public override string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"logistic regression on {Features.Name} ({Features.Count:N0} features), penalty chosen from {_options.Penalties.Count} on the " +
        $"validation images");

    /// <inheritdoc/>
    public override string Identity => string.Create(
        CultureInfo.InvariantCulture,
        $"linear-probe:1 {Features.Identity} on {NetworkDevice.KindOf(Features.Device)}, penalties " +
        $"{string.Join(',', _options.Penalties.Select(penalty => penalty.ToString("R", CultureInfo.InvariantCulture)))} iterations " +
        $"{_options.Fit.MaxIterations} tolerance {_options.Fit.Tolerance:R}");

    /// <summary>
    /// Computes the features of images; comes before <see cref="Train"/>, which uses no other images. Features stay in memory, 8 KB per
    /// image by default, and in the table, where a later run finds them. What is prepared already is not prepared again.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="ModelException">The features cannot be computed here; the message says what is missing.</exception>
    public override IReadOnlyDictionary<string, string> Prepare(
        IReadOnlyList<string> paths, ScoringOptions options, Action<bool>? onImage, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(options);
        var unusable = new Dictionary<string, string>(StringComparer.Ordinal);
        // A table follows the images it is asked for: those of before are asked for again, so that it keeps them.
        IEnumerable<string> before = _options.Table == null ? [] : _features.Keys.Order(StringComparer.Ordinal);
        string[] asked = [.. before, .. paths.Where(path => !_features.ContainsKey(path)).Distinct(StringComparer.Ordinal)];
        foreach (var image in FeatureTable.Compute(Features, asked, options, _options.Table, onImage, cancellation))
            if (image.Features is { } features)
                _features[image.Path] = features;
            else
                unusable[image.Path] = image.Error!;
        return unusable;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// <see cref="TrainingOutcome.Metrics"/>: <c>validation_accuracy</c> and <c>validation_log_loss</c> (mean, in nats) of the penalty
    /// chosen, <c>test_log_loss</c>, <c>penalty</c>, <c>iterations</c> over all penalties, and <c>unconverged</c>, the number of penalties
    /// whose fit ran out of iterations.
    /// </remarks>
    public override TrainingOutcome Train(TrainingTask task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        var classes = task.Classes.Select((name, index) => (name, index))
            .ToDictionary(pair => pair.name, pair => pair.index, StringComparer.Ordinal);
        var (train, validation, test) =
            (Read(task.Train, classes, "train"), Read(task.Validation, classes, "validation"), Read(task.Test, classes, "test"));
        if (train.Rows.Length == 0 || test.Rows.Length == 0 || validation.Rows.Length == 0 && _options.Penalties.Count > 1)
            throw new TrainerException(
                $"Expected at least one image to train on, to choose the penalty with and to test; found {train.Rows.Length}, " +
                $"{validation.Rows.Length} and {test.Rows.Length}.");

        MultinomialLogisticRegression? best = null;
        Measured chosen = default;
        var (iterations, unconverged) = (0, 0);
        foreach (var fit in MultinomialLogisticRegression.FitPath(
            train.Rows, train.Labels, classes.Count, _options.Penalties, _options.Fit, cancellation))
        {
            iterations += fit.Iterations;
            unconverged += fit.Converged ? 0 : 1;
            var measured = Measured.Of(fit, validation);
            if (best != null && (measured.Accuracy, -measured.LogLoss).CompareTo((chosen.Accuracy, -chosen.LogLoss)) <= 0)
                continue;
            (best, chosen) = (fit, measured);
        }
        var result = Measured.Of(best!, test);
        var metrics = new Dictionary<string, double>
        {
            ["test_log_loss"] = result.LogLoss,
            ["penalty"] = best!.Penalty,
            ["iterations"] = iterations,
            ["unconverged"] = unconverged,
        };
        if (validation.Rows.Length > 0)
            (metrics["validation_accuracy"], metrics["validation_log_loss"]) = (chosen.Accuracy, chosen.LogLoss);
        return new() { Accuracy = result.Accuracy, Correct = result.Correct, Metrics = metrics };
    }

    private Examples Read(IReadOnlyList<TrainingExample> examples, Dictionary<string, int> classes, string part)
    {
        var (rows, labels) = (new float[examples.Count][], new int[examples.Count]);
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = _features.TryGetValue(examples[i].Path, out var features)
                ? features
                : throw new TrainerException(
                    $"{examples[i].Path}: expected an image of the {part} part that Prepare could use; prepare it first, or leave it out " +
                    $"of the task.");
            labels[i] = classes.TryGetValue(examples[i].Label, out var label)
                ? label
                : throw new TrainerException(
                    $"{examples[i].Path}: expected one of the task's {classes.Count} classes; found '{examples[i].Label}'.");
        }
        return new(rows, labels);
    }

    private readonly record struct Examples(float[][] Rows, int[] Labels);

    /// <summary>How well a fit predicts images.</summary>
    private readonly record struct Measured(double Accuracy, double LogLoss, bool[] Correct)
    {
        public static Measured Of(MultinomialLogisticRegression fit, Examples examples)
        {
            var correct = new bool[examples.Rows.Length];
            var probabilities = new double[fit.Classes];
            var loss = 0.0;
            for (var i = 0; i < correct.Length; i++)
            {
                fit.Probabilities(examples.Rows[i], probabilities);
                // The first of equals.
                correct[i] = probabilities.IndexOf(probabilities.Max()) == examples.Labels[i];
                loss -= Math.Log(Math.Max(probabilities[examples.Labels[i]], SmallestProbability));
            }
            return correct.Length > 0
                ? new((double)correct.Count(true) / correct.Length, loss / correct.Length, correct)
                : new(0, 0, correct);
        }
    }
}
