namespace Pristine.Experiments.Training;

/// <summary>How a dataset is divided for each seed.</summary>
public sealed record SplitOptions
{
    /// <summary>
    /// Share of each class for testing where the dataset does not say; default 0.2. At least one image of each class that has three.
    /// </summary>
    public double TestShare { get; init; } = 0.2;

    /// <summary>Share of each class for validation where the dataset has no images for it; default 0.1, again at least one.</summary>
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>
    /// Share of each class's training images that a seed trains on. Null for the default: 0.8 where the dataset fixes its parts, so that
    /// seeds differ, and 1 where seeds draw the parts.
    /// </summary>
    public double? TrainShare { get; init; }
}

/// <summary>The images of one seed: positions in the dataset, ascending.</summary>
/// <param name="Train">To learn from, before anything is filtered.</param>
/// <param name="Validation">To choose settings with.</param>
/// <param name="Test">To measure with.</param>
internal sealed record TrainingSplit(int[] Train, int[] Validation, int[] Test)
{
    /// <summary>See <see cref="SplitOptions.TrainShare"/>.</summary>
    public const double DefaultTrainShare = 0.8;

    /// <summary>Divides a dataset: within each class at random, by seed and name of the class alone.</summary>
    /// <param name="images">The images that can be used.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="options">The shares.</param>
    public static TrainingSplit Draw(IReadOnlyList<ClassifiedImage> images, long seed, SplitOptions options)
    {
        var hasParts = images[0].Part != null;
        var hasValidation = images.Any(image => image.Part == DatasetPart.Validation);
        var trainShare = options.TrainShare ?? (hasParts ? DefaultTrainShare : 1);
        List<int> train = [], validation = [], test = [];
        foreach (var group in Enumerable.Range(0, images.Count).GroupBy(i => images[i].Label))
        {
            validation.AddRange(group.Where(i => images[i].Part == DatasetPart.Validation));
            test.AddRange(group.Where(i => images[i].Part == DatasetPart.Test));
            var random = RandomStream.Of(seed, $"split/{group.Key}");
            var all = Shuffled(group.Where(i => images[i].Part is null or DatasetPart.Train), ref random);
            var rest = all.AsSpan();
            if (!hasParts)
                Take(test, options.TestShare * all.Length, ref rest);
            if (!hasValidation)
                Take(validation, options.ValidationShare * all.Length, ref rest);
            train.AddRange(rest[..(int)Math.Ceiling(trainShare * rest.Length)]);
        }
        return new TrainingSplit(Ordered(train), Ordered(validation), Ordered(test));
    }

    /// <summary>The positions in random order.</summary>
    internal static int[] Shuffled(IEnumerable<int> positions, ref RandomStream random)
    {
        var shuffled = positions.ToArray();
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var j = random.Next(i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }
        return shuffled;
    }

    private static void Take(List<int> part, double wanted, ref Span<int> rest)
    {
        // At least one, as long as one is left to learn from.
        var count = rest.Length < 2 || wanted == 0 ? 0 : Math.Clamp((int)Math.Round(wanted), 1, rest.Length - 1);
        part.AddRange(rest[..count]);
        rest = rest[count..];
    }

    private static int[] Ordered(List<int> positions)
    {
        positions.Sort();
        return [.. positions];
    }
}
