using Pristine.Datasets;

namespace Pristine.Experiments;

/// <summary>
/// Damage as something to train a regressor on, from logs of <see cref="DegradationRun"/>: 0 for an image that was left as it was, a share
/// of 1 for a degraded one that grows with its level. Smaller is better.
/// </summary>
public static class DamageLabels
{
    /// <summary>The damage of levels 1 to 5. It follows what can be seen: some first levels change next to nothing.</summary>
    public static IReadOnlyList<double> ByLevel { get; } = [0.1, 0.4, 0.7, 0.9, 1];

    /// <summary>Reads the labels of all images that the runs wrote.</summary>
    /// <param name="logs">Logs of one or more runs, at least one.</param>
    /// <returns>The labels, and the folder below which their images lie: the deepest one that holds all logs.</returns>
    /// <exception cref="DatasetException">A log cannot be read, or together they have no degraded or no copied images.</exception>
    public static (OpinionScores Labels, string Folder) Read(IReadOnlyList<string> logs)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentOutOfRangeException.ThrowIfZero(logs.Count, nameof(logs));
        var folders = logs.Select(log => Path.GetDirectoryName(Path.GetFullPath(log))!).ToArray();
        var common = folders[0];
        while (!folders.All(folder => folder == common || folder.StartsWith(
            Path.EndsInDirectorySeparator(common) ? common : common + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            common = Path.GetDirectoryName(common)
                ?? throw new DatasetException($"Expected logs below one folder; found {string.Join(" and ", logs)}.");
        // A dataset may name an image twice; its file was written once and counts once.
        var scores = logs.Zip(folders)
            .SelectMany(pair => DegradationLog.Read(pair.First)
                .Where(entry => entry.Output != null && entry.Outcome is DegradationOutcome.Degraded or DegradationOutcome.Copied)
                .Select(entry => new OpinionScore(
                    Path.GetRelativePath(common, Path.Combine(pair.Second, entry.Output!)).Replace(Path.DirectorySeparatorChar, '/'),
                    entry.Degradation is { } done ? ByLevel[done.Level - 1] : 0,
                    entry.Image)))
            .DistinctBy(score => score.Image)
            .ToArray();
        var degraded = scores.Count(score => score.Value > 0);
        if (degraded == 0 || degraded == scores.Length)
            throw new DatasetException(
                $"Expected degraded images and images left as they were in {string.Join(" and ", logs)}; found {degraded} and " +
                $"{scores.Length - degraded}.");
        return (new OpinionScores(string.Join(" and ", logs.Select(Named)), null, OpinionDirection.LowerIsBetter, scores), common);
    }

    /// <summary>The end of a log's path that tells it from another run's.</summary>
    private static string Named(string log) =>
        Path.Combine(Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(log))!), Path.GetFileName(log));
}
