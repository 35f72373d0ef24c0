using Pristine.Metrics;
using Pristine.Scoring;

namespace Pristine.Experiments;

/// <summary>What a regressor is trained on: the features of rated images, and their ratings.</summary>
/// <param name="Features">A row per image.</param>
/// <param name="Ratings">The opinion scores, in the unit of the label file.</param>
/// <param name="Originals">What each image is a copy of, or its own name: rows of one original are not independent.</param>
/// <param name="Unusable">Images of the label file that are missing or could not be used, and why; they are in none of the lists.</param>
public sealed record RatedFeatures(
    IReadOnlyList<float[]> Features, double[] Ratings, IReadOnlyList<string> Originals, IReadOnlyList<ImageFeatures> Unusable)
{
    /// <summary>Computes the features of all images of a label file.</summary>
    /// <param name="opinions">The ratings.</param>
    /// <param name="folder">Folder of the images.</param>
    /// <param name="features">Which features.</param>
    /// <param name="scoring">Workers, decoding, batch; defaults when null.</param>
    /// <param name="table">A score table that keeps the features, see <see cref="FeatureTable"/>; null for none.</param>
    /// <param name="progress">Called after each image with true, or false when it could not be used.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>; what is in the table stays.</param>
    /// <exception cref="Models.ModelException">The features cannot be computed here.</exception>
    public static RatedFeatures Compute(
        OpinionScores opinions, string folder, Feature features, ScoringOptions? scoring = null, string? table = null,
        Action<bool>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(opinions);
        var images = new LabelledImages(folder);
        var (rows, ratings, originals, unusable) = (new List<float[]>(), new List<double>(), new List<string>(), new List<ImageFeatures>());
        string[] paths = [.. opinions.Scores.Select(score => Path.Combine(folder, images.Find(score.Image)))];
        foreach (var (image, score) in FeatureTable.Compute(features, paths, scoring, table, progress, cancellation).Zip(opinions.Scores))
        {
            if (image.Features is { } row)
            {
                rows.Add(row);
                ratings.Add(score.Value);
                originals.Add(score.Original ?? score.Image);
            }
            else
                unusable.Add(image);
        }
        return new(rows, [.. ratings], originals, unusable);
    }
}
