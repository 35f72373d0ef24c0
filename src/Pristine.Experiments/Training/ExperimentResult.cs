namespace Pristine.Experiments.Training;

/// <summary>One model of an experiment: one condition with one seed.</summary>
public sealed record ExperimentCell
{
    /// <summary>The seed.</summary>
    public required long Seed { get; init; }

    /// <summary>Images that it was trained on.</summary>
    public required int TrainingImages { get; init; }

    /// <summary>The same by class, in the order of <see cref="ExperimentResult.Classes"/>.</summary>
    public required IReadOnlyList<int> TrainingImagesByClass { get; init; }

    /// <summary>How many of them are known to be degraded; null where the experiment was not told.</summary>
    public int? DegradedImages { get; init; }

    /// <summary>What came of it; null where the condition leaves nothing to train on.</summary>
    public required TrainingOutcome? Outcome { get; init; }

    /// <summary>Share of the test images whose class was found; NaN where nothing was trained.</summary>
    public double Accuracy => Outcome?.Accuracy ?? double.NaN;
}

/// <summary>A condition compared with another one, seed by seed.</summary>
public sealed record ConditionComparison
{
    /// <summary>
    /// Mean difference of the accuracies, positive where the condition is better, with its interval over seeds (Student's t).
    /// </summary>
    public required Estimate Difference { get; init; }

    /// <summary>Two-sided p of the paired t-test over seeds; NaN where there are no two seeds, or no variation.</summary>
    public required double Probability { get; init; }

    /// <summary>The same after Holm's adjustment for all selections that are compared with the same kind of condition.</summary>
    public required double AdjustedProbability { get; init; }

    /// <summary>
    /// The mean difference's interval when the test images are drawn again (bootstrap by image): what another test set of the same kind
    /// could show. NaN ends where the trainer does not tell which images were right.
    /// </summary>
    public required ConfidenceInterval OverTestImages { get; init; }
}

/// <summary>All seeds of one condition.</summary>
public sealed record ConditionResult
{
    /// <summary>For example <c>everything</c> or <c>best 80% by brisque</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it trains on.</summary>
    public required ConditionKind Kind { get; init; }

    /// <summary>
    /// The selection that it is, whose control it is, or whose opposite; null for everything, the oracle and its control.
    /// </summary>
    public required TrainingSelection? Selection { get; init; }

    /// <summary>One cell per seed.</summary>
    public required IReadOnlyList<ExperimentCell> Cells { get; init; }

    /// <summary>Mean accuracy with its interval over seeds (Student's t), cut at 0 and 1.</summary>
    public required Estimate Accuracy { get; init; }

    /// <summary>Mean share of the training images of everything that it trains on, 0 to 1.</summary>
    public required double Share { get; init; }

    /// <summary>Compared with everything; null for everything itself.</summary>
    public ConditionComparison? WithEverything { get; init; }

    /// <summary>
    /// A selection, its reverse or the oracle compared with its random control; null for others, and where the reverse of a rule has
    /// another size.
    /// </summary>
    public ConditionComparison? WithRandom { get; init; }

    /// <summary>Mean number of training images.</summary>
    public double TrainingImages => Cells.Average(cell => cell.TrainingImages);

    /// <summary>Mean share of its training images that are known to be degraded, 0 to 1; NaN where the experiment was not told.</summary>
    public double DegradedShare =>
        Cells.Where(cell => cell.TrainingImages > 0).Select(cell => (cell.DegradedImages ?? double.NaN) / cell.TrainingImages)
        .DefaultIfEmpty(double.NaN).Average();

    /// <summary>Mean number of training images of each class.</summary>
    public IReadOnlyList<double> TrainingImagesByClass =>
        [.. Enumerable.Range(0, Cells[0].TrainingImagesByClass.Count)
        .Select(label => Cells.Average(cell => cell.TrainingImagesByClass[label]))];
}

/// <summary>The result of an <see cref="ExperimentRun"/>.</summary>
public sealed record ExperimentResult
{
    /// <summary>The dataset as the user named it.</summary>
    public required string Source { get; init; }

    /// <summary>Whether the dataset fixes which images are for training and testing; otherwise each seed draws them.</summary>
    public required bool HasParts { get; init; }

    /// <summary>Share of the training images that each seed trains on.</summary>
    public required SplitOptions Split { get; init; }

    /// <summary>The classes in ordinal order.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Images of the dataset that can be used.</summary>
    public required int Images { get; init; }

    /// <summary>Images for testing, per seed.</summary>
    public required int TestImages { get; init; }

    /// <summary>Images for validation, per seed.</summary>
    public required int ValidationImages { get; init; }

    /// <summary>Images that are left out of everything, with the reason.</summary>
    public required IReadOnlyDictionary<string, string> Unusable { get; init; }

    /// <summary>What was trained, in one line.</summary>
    public required string Trainer { get; init; }

    /// <summary>The seeds.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Share within the intervals; 0.95.</summary>
    public required double Confidence { get; init; }

    /// <summary>
    /// Everything first, then each selection, followed by its reverse and its random control; last the oracle, if there is one, and its
    /// control.
    /// </summary>
    public required IReadOnlyList<ConditionResult> Conditions { get; init; }

    /// <summary>Models that were trained in this run; the others were known from an earlier one.</summary>
    public required int TrainedNow { get; init; }
}
