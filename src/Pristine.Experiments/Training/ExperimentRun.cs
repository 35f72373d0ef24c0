using System.Globalization;
using Pristine.Datasets;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Experiments.Training;

/// <summary>What an experiment compares, and how.</summary>
public sealed record ExperimentOptions
{
    /// <summary>What to keep, one condition each; at least one.</summary>
    public required IReadOnlyList<TrainingSelection> Selections { get; init; }

    /// <summary>Seeds; default 1 to 5. Each draws its own training images and random controls.</summary>
    public IReadOnlyList<long> Seeds { get; init; } = [1, 2, 3, 4, 5];

    /// <summary>Whether the opposite of each selection is trained too; default not.</summary>
    public bool Reverse { get; init; }

    /// <summary>How the dataset is divided.</summary>
    public SplitOptions Split { get; init; } = new();

    /// <summary>Workers and decoding; its metrics do not matter, the selections name theirs.</summary>
    public ScoringOptions Scoring { get; init; } = new();

    /// <summary>
    /// Full paths of images that are known to be degraded: tells how many of them each condition trains on, and adds the condition that
    /// trains on none; null for not known.
    /// </summary>
    public IReadOnlySet<string>? Degraded { get; init; }

    /// <summary>How many models are trained at the same time; default 1.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Confidence and resamples of the intervals.</summary>
    public BootstrapOptions Intervals { get; init; } = new();

    /// <summary>Null when the options make sense together; otherwise what was expected and found.</summary>
    public string? Problem =>
        Selections.Count == 0 ? "Expected at least one selection to compare with everything; found none."
        : Selections.GroupBy(selection => selection.Name).FirstOrDefault(group => group.Count() > 1) is { } twice
        ? $"Expected every selection once; '{twice.Key}' is there twice."
        : Seeds.Count == 0 || Seeds.Distinct().Count() != Seeds.Count
        ? $"Expected at least one seed, and each once; found {string.Join(", ", Seeds)}."
        : Split is not { TestShare: > 0 and < 1, ValidationShare: >= 0 and < 1, TrainShare: null or (> 0 and <= 1) }
        || Split.TestShare + Split.ValidationShare >= 1
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"Expected shares between 0 and 1, with something left to train on; found {Split.TestShare} for testing, " +
                $"{Split.ValidationShare} for validation and {Split.TrainShare ?? 1} for training.")
        : Jobs < 1 ? $"Expected at least one model at a time; found {Jobs}."
        : null;
}

/// <summary>Told how an experiment goes on; every method may be called on any thread, one at a time.</summary>
public interface IExperimentProgress
{
    /// <summary>A stage begins.</summary>
    /// <param name="stage">What is done, for example <c>scoring 3,068 images</c>.</param>
    void Begin(string stage);

    /// <summary>One more image is done.</summary>
    /// <param name="usable">False where it cannot be used.</param>
    void Image(bool usable);

    /// <summary>One more model is done.</summary>
    /// <param name="condition">Its condition.</param>
    /// <param name="cell">The cell.</param>
    /// <param name="done">How many are done.</param>
    /// <param name="total">How many there are.</param>
    void Model(string condition, ExperimentCell cell, int done, int total);
}

/// <summary>
/// Does filtering help? Trains the same model on every training image, on what each selection keeps, and on as many images drawn at random,
/// with several seeds, and compares the accuracies on the same test images. Test and validation images are never filtered.
/// </summary>
/// <remarks>
/// Within a seed the random controls are nested: a smaller one is a part of a larger one, and selections that keep as many images have the
/// same. Everything that was computed is kept in the folder, each model under the hash of all that it depends on: the trainer, the lists of
/// images with their classes, and the size and time of each file. A run that was stopped goes on, and one with more conditions or seeds
/// trains only those.
/// </remarks>
public static class ExperimentRun
{
    private const string ScoresFolder = "scores";
    private const string CellsFolder = "models";
    private const string ListFile = "images.txt";

    /// <summary>Runs the experiment, or what of it the folder does not have yet.</summary>
    /// <param name="dataset">The images with their classes.</param>
    /// <param name="trainer">What to train.</param>
    /// <param name="folder">Where scores and models' outcomes are kept; made if it does not exist.</param>
    /// <param name="options">Selections, seeds, split.</param>
    /// <param name="progress">Told how it goes on; null for nobody.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>; what is finished is kept.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="DatasetException">
    /// A part of the dataset has no usable image, or none of its images is among those that are known to be degraded.
    /// </exception>
    /// <exception cref="RuleException">A rule names a column that does not exist.</exception>
    /// <exception cref="TrainerException">A model could not be trained.</exception>
    public static ExperimentResult Run(
        ClassifiedImages dataset, Trainer trainer, string folder, ExperimentOptions options, IExperimentProgress? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problem is { } problem)
            throw new ArgumentException(problem, nameof(options));
        if (options.Degraded is { } degraded && !dataset.Images.Any(image => degraded.Contains(image.Path)))
            throw new DatasetException(
                $"Expected images that are known to be degraded in '{dataset.Source}'; none of its {dataset.Images.Count} images is one " +
                $"of the {degraded.Count} that are. Is it the log of another dataset?");
        Directory.CreateDirectory(Path.Combine(folder, CellsFolder));

        var scores = SelectionScores.Compute(
            dataset, Path.Combine(folder, ScoresFolder), Path.Combine(folder, ListFile), options, progress, cancellation);
        var paths = dataset.Images.Select(image => image.Path).ToArray();
        progress?.Begin(string.Create(CultureInfo.InvariantCulture, $"preparing {paths.Length:N0} images for training"));
        var unprepared = trainer.Prepare(paths, options.Scoring, progress == null ? null : progress.Image, cancellation);
        var unusable = new Dictionary<string, string>(StringComparer.Ordinal);
        var usable = new List<int>();
        for (var i = 0; i < paths.Length; i++)
        {
            if ((scores.ErrorOf(i) ?? unprepared.GetValueOrDefault(paths[i])) is { } reason)
                unusable[dataset.Images[i].Name] = reason;
            else
                usable.Add(i);
        }
        RequireParts(dataset, usable, unusable);

        var plan = new ExperimentPlan(dataset, usable, scores, options);
        if (plan.Splits.Any(split => split.Train.Length == 0 || split.Test.Length == 0))
            throw new DatasetException(
                $"Expected images to train on and to test with for every seed in '{dataset.Source}'; its {usable.Count} usable images of " +
                $"{dataset.Classes.Count} classes leave none: a class gives one away for testing when it has two.");
        var cells = new TrainedModels(Path.Combine(folder, CellsFolder), trainer, dataset.Classes);
        var outcomes = Train(plan, cells, options, progress, cancellation, out var trainedNow);
        return Summary(dataset, trainer, plan, outcomes, options, unusable, trainedNow, cancellation);
    }

    private static void RequireParts(ClassifiedImages dataset, List<int> usable, Dictionary<string, string> unusable)
    {
        var parts = dataset.HasParts ? new DatasetPart?[] { DatasetPart.Train, DatasetPart.Test } : [null];
        foreach (var part in parts)
            if (!usable.Any(i => dataset.Images[i].Part == part))
            {
                var (name, reason) = unusable.First();
                throw new DatasetException(
                    $"Expected images that can be decoded{(part is { } known ? $" for {ClassifiedImages.Name(known)}" : "")} in " +
                    $"'{dataset.Source}'; none of {dataset.Images.Count(image => image.Part == part)} can. '{name}': {reason}");
            }
    }

    private static Dictionary<(int Condition, int Seed), ExperimentCell> Train(
        ExperimentPlan plan, TrainedModels cells, ExperimentOptions options, IExperimentProgress? progress, CancellationToken cancellation,
        out int trainedNow)
    {
        var outcomes = new Dictionary<(int, int), ExperimentCell>();
        var (gate, done, trained) = (new Lock(), 0, 0);
        // Seed by seed, so that a run that is stopped has whole seeds.
        var work = Enumerable.Range(0, options.Seeds.Count).SelectMany(
            seed => Enumerable.Range(0, plan.Conditions.Count).Select(condition => (Condition: condition, Seed: seed))).ToArray();
        // Conditions that train on the same images are one model.
        var distinct = work.GroupBy(cell => cells.KeyOf(plan.Task(cell.Condition, cell.Seed))).ToArray();
        progress?.Begin(string.Create(CultureInfo.InvariantCulture, $"training {distinct.Length:N0} models for {work.Length:N0} cells"));
        try
        {
            Parallel.ForEach(
                distinct, new ParallelOptions { MaxDegreeOfParallelism = options.Jobs, CancellationToken = cancellation }, group =>
            {
                var task = plan.Task(group.First().Condition, group.First().Seed);
                var outcome = task.Train.Count == 0 ? null : cells.Find(group.Key);
                var isNew = outcome == null && task.Train.Count > 0;
                if (isNew)
                    cells.Keep(group.Key, outcome = cells.Trainer.Train(task, cancellation));
                lock (gate)
                {
                    trained += isNew ? 1 : 0;
                    foreach (var place in group)
                    {
                        var cell = plan.Cell(place.Condition, place.Seed, outcome);
                        outcomes[place] = cell;
                        progress?.Model(plan.Conditions[place.Condition].Name, cell, ++done, work.Length);
                    }
                }
            });
        }
        catch (AggregateException several)
        {
            // One model that cannot be trained ends the run; the others under way have been waited for, and kept.
            throw several.InnerExceptions.FirstOrDefault(inner => inner is TrainerException) ?? several.InnerExceptions[0];
        }
        trainedNow = trained;
        return outcomes;
    }

    private static ExperimentResult Summary(
        ClassifiedImages dataset, Trainer trainer, ExperimentPlan plan, Dictionary<(int Condition, int Seed), ExperimentCell> outcomes,
        ExperimentOptions options,
        Dictionary<string, string> unusable, int trainedNow, CancellationToken cancellation)
    {
        var confidence = options.Intervals.Confidence;
        var cells = plan.Conditions.Select(
            (_, condition) => Enumerable.Range(0, options.Seeds.Count).Select(seed => outcomes[(condition, seed)]).ToArray()).ToArray();
        var everything = cells[0];
        var withEverything = cells.Select((own, i) => i == 0 ? null : Compare(i, 0)).ToArray();
        var withRandom = plan.Conditions.Select((condition, i) => condition.Control is { } control ? Compare(i, control) : null).ToArray();
        Adjust(withEverything);
        Adjust(withRandom);
        var split = plan.Splits[0];
        return new ExperimentResult
        {
            Source = dataset.Source,
            HasParts = dataset.HasParts,
            Split = options.Split,
            Classes = dataset.Classes,
            Images = plan.Usable.Count,
            TestImages = split.Test.Length,
            ValidationImages = split.Validation.Length,
            Unusable = unusable,
            Trainer = trainer.Description,
            Seeds = options.Seeds,
            Confidence = confidence,
            TrainedNow = trainedNow,
            Conditions =
            [
                .. plan.Conditions.Select((condition, i) => new ConditionResult
                {
                    Name = condition.Name,
                    Kind = condition.Kind,
                    Selection = condition.Selection,
                    Cells = cells[i],
                    Accuracy = Within(PairedTest.Mean([.. cells[i].Select(cell => cell.Accuracy).Where(double.IsFinite)], confidence)),
                    Share = cells[i].Zip(everything).Average(pair => (double)pair.First.TrainingImages / pair.Second.TrainingImages),
                    WithEverything = withEverything[i],
                    WithRandom = withRandom[i],
                }),
            ],
        };

        // Student's t knows nothing of the ends of a share.
        static Estimate Within(Estimate accuracy) =>
            new(accuracy.Value, new(Math.Max(0, accuracy.Interval.Low), Math.Min(1, accuracy.Interval.High)));

        ConditionComparison Compare(int condition, int other)
        {
            var pairs = Enumerable.Range(0, options.Seeds.Count)
                .Where(seed => cells[condition][seed].Outcome != null && cells[other][seed].Outcome != null).ToArray();
            var differences = pairs.Select(seed => cells[condition][seed].Accuracy - cells[other][seed].Accuracy).ToArray();
            return new ConditionComparison
            {
                Difference = PairedTest.Mean(differences, confidence),
                Probability = PairedTest.Probability(differences),
                AdjustedProbability = double.NaN,
                OverTestImages = OverTestImages(
                    pairs.Select(
                        seed => (plan.Splits[seed].Test, cells[condition][seed].Outcome!.Correct, cells[other][seed].Outcome!.Correct))
                            .ToArray()),
            };
        }

        // The mean of all differences when the test images, with all seeds that test on them, are drawn again.
        ConfidenceInterval OverTestImages((int[] Images, IReadOnlyList<bool>? First, IReadOnlyList<bool>? Second)[] seeds)
        {
            if (seeds.Length == 0 || seeds.Any(seed => seed.First == null || seed.Second == null))
                return new(double.NaN, double.NaN);
            var images = seeds.SelectMany(
                seed => seed.Images.Select((image, i) => (Image: image, Difference: (seed.First![i] ? 1 : 0) - (seed.Second![i] ? 1 : 0))))
                .GroupBy(entry => entry.Image).Select(group => (Sum: group.Sum(entry => entry.Difference), Count: group.Count())).ToArray();
            return Bootstrap.Intervals(
                images.Length,
                positions =>
                {
                    var (sum, count) = (0, 0);
                    foreach (var position in positions)
                        (sum, count) = (sum + images[position].Sum, count + images[position].Count);
                    return [(double)sum / count];
                },
                options.Intervals,
                cancellation)[0];
        }

        // Only selections count: a control and a reverse are there to explain them.
        void Adjust(ConditionComparison?[] comparisons)
        {
            var tested = Enumerable.Range(0, comparisons.Length)
                .Where(i => comparisons[i] != null && plan.Conditions[i].Kind == ConditionKind.Selection).ToArray();
            var adjusted = PairedTest.Holm([.. tested.Select(i => comparisons[i]!.Probability)]);
            foreach (var (i, value) in tested.Zip(adjusted))
                comparisons[i] = comparisons[i]! with { AdjustedProbability = value };
        }
    }
}
