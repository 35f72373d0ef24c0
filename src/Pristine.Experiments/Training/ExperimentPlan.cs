namespace Pristine.Experiments.Training;

/// <summary>A condition, with the position of its random control.</summary>
internal sealed record PlannedCondition(string Name, ConditionKind Kind, TrainingSelection? Selection, int? Control);

/// <summary>Which images each condition trains on with each seed.</summary>
internal sealed class ExperimentPlan
{
    private const string OracleName = "all but the degraded";

    private readonly IReadOnlyList<string> _classes;
    private readonly TrainingExample[] _examples;
    private readonly IReadOnlyList<long> _seeds;
    private readonly IReadOnlySet<string>? _degraded;
    private readonly int[][][] _training;

    public ExperimentPlan(ClassifiedImages dataset, List<int> usable, SelectionScores scores, ExperimentOptions options)
    {
        (_classes, _seeds, _degraded, Usable) = (dataset.Classes, options.Seeds, options.Degraded, usable);
        _examples = [.. dataset.Images.Select(image => new TrainingExample(image.Path, image.Label))];
        var conditions = new List<PlannedCondition> { new("everything", ConditionKind.Everything, null, null) };
        foreach (var selection in options.Selections)
        {
            var control = conditions.Count + (options.Reverse ? 2 : 1);
            conditions.Add(new(selection.Name, ConditionKind.Selection, selection, control));
            // The opposite of a rule has a size of its own, for which the selection's control says nothing.
            if (options.Reverse)
                conditions.Add(
                    new($"opposite of {selection.Name}", ConditionKind.Reverse, selection, selection.Top == null ? null : control));
            conditions.Add(new($"random, as many as {selection.Name}", ConditionKind.Random, selection, null));
        }
        if (options.Degraded != null)
        {
            conditions.Add(new(OracleName, ConditionKind.Oracle, null, conditions.Count + 1));
            conditions.Add(new($"random, as many as {OracleName}", ConditionKind.Random, null, null));
        }
        Conditions = conditions;
        var images = usable.Select(i => dataset.Images[i]).ToArray();
        Splits = [.. options.Seeds.Select(seed => TrainingSplit.Draw(images, seed, options.Split))
            .Select(split => new TrainingSplit(InDataset(split.Train), InDataset(split.Validation), InDataset(split.Test)))];
        _training = [.. Splits.Select((split, seed) => Training(split, options.Seeds[seed], scores))];

        int[] InDataset(int[] positions) => Array.ConvertAll(positions, position => usable[position]);
    }

    public IReadOnlyList<int> Usable { get; }

    public List<PlannedCondition> Conditions { get; }

    /// <summary>One per seed, in positions of the dataset.</summary>
    public IReadOnlyList<TrainingSplit> Splits { get; }

    public TrainingTask Task(int condition, int seed) => new()
    {
        Train = Examples(_training[seed][condition]),
        Validation = Examples(Splits[seed].Validation),
        Test = Examples(Splits[seed].Test),
        Classes = _classes,
        Seed = _seeds[seed],
    };

    public ExperimentCell Cell(int condition, int seed, TrainingOutcome? outcome)
    {
        var images = _training[seed][condition];
        return new ExperimentCell
        {
            Seed = _seeds[seed],
            TrainingImages = images.Length,
            TrainingImagesByClass = [.. _classes.Select(label => images.Count(i => _examples[i].Label == label))],
            DegradedImages = _degraded == null ? null : images.Count(IsDegraded),
            Outcome = outcome,
        };
    }

    private int[][] Training(TrainingSplit split, long seed, SelectionScores scores)
    {
        var random = RandomStream.Of(seed, "random control");
        var shuffled = TrainingSplit.Shuffled(split.Train, ref random);
        var training = new int[Conditions.Count][];
        for (var i = 0; i < training.Length; i++)
        {
            training[i] = Conditions[i] switch
            {
                { Kind: ConditionKind.Everything } => split.Train,
                { Kind: ConditionKind.Oracle } => [.. split.Train.Where(image => !IsDegraded(image))],
                { Kind: ConditionKind.Random } => [], // filled below, when its selection is known
                var condition => scores.Select(condition.Selection!, split.Train, condition.Kind == ConditionKind.Reverse),
            };
        }
        for (var i = 0; i < training.Length; i++)
            if (Conditions[i] is { Kind: ConditionKind.Selection or ConditionKind.Oracle, Control: { } control })
                training[control] = [.. shuffled.Take(training[i].Length).Order()];
        return training;
    }

    private bool IsDegraded(int image) => _degraded!.Contains(_examples[image].Path);

    private TrainingExample[] Examples(int[] images) => Array.ConvertAll(images, image => _examples[image]);
}
