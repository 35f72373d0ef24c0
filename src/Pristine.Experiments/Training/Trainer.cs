using Pristine.Media;
using Pristine.Scoring;

namespace Pristine.Experiments.Training;

/// <summary>An image with its class.</summary>
/// <param name="Path">The image file.</param>
/// <param name="Label">The class.</param>
public sealed record TrainingExample(string Path, string Label);

/// <summary>One model to train and to test.</summary>
public sealed record TrainingTask
{
    /// <summary>The images to learn from.</summary>
    public required IReadOnlyList<TrainingExample> Train { get; init; }

    /// <summary>The images to choose settings with; never learnt from.</summary>
    public required IReadOnlyList<TrainingExample> Validation { get; init; }

    /// <summary>The images that the accuracy is measured on; used for nothing else.</summary>
    public required IReadOnlyList<TrainingExample> Test { get; init; }

    /// <summary>Every class of the dataset in ordinal order, also one that no image to learn from has.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Seed of whatever the trainer draws at random.</summary>
    public required long Seed { get; init; }
}

/// <summary>What came of a <see cref="TrainingTask"/>.</summary>
public sealed record TrainingOutcome
{
    /// <summary>Share of the test images whose class was found, 0 to 1.</summary>
    public required double Accuracy { get; init; }

    /// <summary>For each test image, in the task's order, whether its class was found; null where the trainer does not tell.</summary>
    public IReadOnlyList<bool>? Correct { get; init; }

    /// <summary>Other numbers that the trainer reports, such as the accuracy on the validation images or the penalty chosen.</summary>
    public IReadOnlyDictionary<string,
    double> Metrics
    { get; init => field = value ?? new Dictionary<string, double>(); } = new Dictionary<string, double>();
}

/// <summary>Trains a classifier of images and tests it. Thread-safe.</summary>
public abstract class Trainer
{
    /// <summary>For people: what is trained, in one line.</summary>
    public abstract string Description { get; }

    /// <summary>
    /// Changes whenever the same task may have another outcome; outcomes of the same identity and task are not computed again.
    /// </summary>
    public abstract string Identity { get; }

    /// <summary>
    /// Called once, before the first task, with every image that tasks will name: finds those that cannot be used, and does what is worth
    /// doing once. This one decodes them.
    /// </summary>
    /// <param name="paths">The image files.</param>
    /// <param name="options">Threads and decoding.</param>
    /// <param name="onImage">Told of every image and whether it can be used; null for nobody.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>The images that cannot be used, with the reason; tasks will not name them.</returns>
    public virtual IReadOnlyDictionary<string, string> Prepare(
        IReadOnlyList<string> paths, ScoringOptions options, Action<bool>? onImage, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        var unusable = new Dictionary<string, string>(StringComparer.Ordinal);
        var decoded = OrderedPipeline<string, (string Path, string? Error), Decoding>.Run(
            paths, options.Workers, options.Workers * ScoringRun.ItemsInFlightPerWorker, () =>
                new Decoding(options.Imaging), (worker, path) => (path, worker.Error(path)), cancellation);
        foreach (var (path, error) in decoded)
        {
            if (error != null)
                unusable[path] = error;
            onImage?.Invoke(error == null);
        }
        return unusable;
    }

    /// <summary>Trains and tests. The same task has the same outcome, as far as the trainer can promise it.</summary>
    /// <param name="task">The task; at least one image in <see cref="TrainingTask.Train"/> and in <see cref="TrainingTask.Test"/>.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="TrainerException">The model could not be trained; the message says why.</exception>
    public abstract TrainingOutcome Train(TrainingTask task, CancellationToken cancellation);

    private sealed class Decoding(ImagingOptions imaging) : IDisposable
    {
        private readonly ImageDecoder _decoder = new(imaging);

        public string? Error(string path) =>
            _decoder.Load(path, ImageInput.Rgb) is { Status: not ImageStatus.Ok } failure ? failure.Error ?? failure.Status.Name() : null;

        public void Dispose() => _decoder.Dispose();
    }
}

/// <summary>A model could not be trained. The message says what was expected and found.</summary>
/// <param name="message">What was expected and found.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class TrainerException(string message, Exception? innerException = null) : PristineException(message, innerException);
