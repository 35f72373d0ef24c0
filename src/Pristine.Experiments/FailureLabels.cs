using Pristine.Datasets;

namespace Pristine.Experiments;

/// <summary>
/// The errors of a model as something to train a regressor on: a label file with a column <c>failed</c>, 1 where the model was wrong and 0
/// where it was right. Smaller is better.
/// </summary>
public static class FailureLabels
{
    /// <summary>Name of the column.</summary>
    public const string Column = "failed";

    /// <summary>Reads a label file.</summary>
    /// <param name="file">CSV with a header: a column with the image, and <c>failed</c>.</param>
    /// <exception cref="DatasetException">
    /// It cannot be read, a label is neither 0 nor 1, or all are equal; file, expected and found are named.
    /// </exception>
    public static OpinionScores Read(string file)
    {
        var labels = OpinionScores.Read(file, new() { ScoreColumn = Column, Direction = OpinionDirection.LowerIsBetter });
        foreach (var label in labels.Scores)
            if (label.Value is not (0 or 1))
                throw new DatasetException(
                    $"{file}: expected 0 (right) or 1 (wrong) in the column {Column}; found {label.Value} for '{label.Image}'.");
        var failed = labels.Scores.Count(label => label.Value > 0);
        return failed > 0 && failed < labels.Scores.Count
            ? labels
            : throw new DatasetException(
                $"{file}: expected images where the model was wrong and others where it was right; found {failed} and " +
                $"{labels.Scores.Count - failed}.");
    }

    /// <summary>
    /// How often an image with label 1 is predicted above one with label 0 (AUC), from the rank correlation of predictions with such
    /// labels: exact where no predictions are equal.
    /// </summary>
    /// <param name="spearman">The rank correlation.</param>
    /// <param name="labels">The labels.</param>
    public static double Auc(double spearman, ReadOnlySpan<double> labels)
    {
        double count = labels.Length;
        var share = 0.0;
        foreach (var label in labels)
            share += label / count;
        return 0.5 + spearman * Math.Sqrt((count * count - 1) / 12 / (share * (1 - share))) / count;
    }
}
