using System.Diagnostics;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Experiments;

/// <summary>How a benchmark is run.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Metrics, workers and decoding. A metric without a good end is taken as if higher were better.</summary>
    public ScoringOptions Scoring { get; init; } = new();

    /// <summary>How confidence intervals are made.</summary>
    public BootstrapOptions Bootstrap { get; init; } = new();

    /// <summary>
    /// How long each metric's speed is measured at most, after one image that does not count; default 3 s. Zero measures no speed.
    /// </summary>
    public TimeSpan SpeedTime { get; init; } = TimeSpan.FromSeconds(3);
}

/// <summary>The scores of a list of images by several metrics.</summary>
internal sealed class ScoredImages
{
    private ScoredImages(IReadOnlyList<Metric> metrics, IReadOnlyList<ScoreRow> rows) => (Metrics, Rows) = (metrics, rows);

    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>One row per image, in the order of the list.</summary>
    public IReadOnlyList<ScoreRow> Rows { get; }

    /// <summary>Scores a list of images.</summary>
    /// <param name="images">Items with one image each.</param>
    /// <param name="options">Metrics, workers, decoding.</param>
    /// <param name="onItem">Told of every item; null for nobody.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static ScoredImages Score(Dataset images, ScoringOptions options, Action<ScoredItem>? onItem, CancellationToken cancellation)
    {
        var rows = new List<ScoreRow>();
        foreach (var item in ScoringRun.Score(images, options, cancellation: cancellation))
        {
            rows.AddRange(item.Rows);
            onItem?.Invoke(item);
        }
        return new ScoredImages(options.Metrics, rows);
    }

    /// <summary>Checks, before the work, that some images of a list are there.</summary>
    /// <param name="paths">Paths below the folder.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="list">The file that names them.</param>
    /// <exception cref="DatasetException">None is there.</exception>
    public static void CheckPresent(IReadOnlyList<string> paths, string folder, string list)
    {
        if (!paths.Any(path => File.Exists(Path.Combine(folder, path))))
            throw new DatasetException(
                $"Expected the {paths.Count} images of '{list}' below '{folder}'; none of them is there. The first is '{paths[0]}'.");
    }

    /// <summary>Checks that enough images were scored to compare anything.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="least">How many are needed.</param>
    /// <exception cref="DatasetException">No metric scored as many; the message has the reason of one that failed.</exception>
    public void CheckScored(string folder, int least)
    {
        var most = Enumerable.Range(0, Metrics.Count).Select(metric => Rows.Count(row => !double.IsNaN(row.Scores.Span[metric])))
            .DefaultIfEmpty().Max();
        if (most >= least)
            return;
        var failed = Rows.First(row => row.Status != ImageStatus.Ok);
        throw new DatasetException(
            $"Expected at least {least} images below '{folder}' that can be scored; found {most} of {Rows.Count}. '{failed.Image}' is " +
            $"{failed.Status.Name()}: {failed.Error}.");
    }

    /// <summary>A metric's scores turned so that higher is better, one per image; NaN where there is none.</summary>
    public double[] Goodness(int metric)
    {
        var sign = Metrics[metric].Direction == MetricDirection.LowerIsBetter ? -1.0 : 1.0;
        return [.. Rows.Select(row => sign * row.Scores.Span[metric])];
    }

    /// <summary>
    /// Images per second of one metric on one thread, from file to score, on images spread evenly over the list. NaN when no image was
    /// scored or no time is given.
    /// </summary>
    public double Speed(int metric, string folder, BenchmarkOptions options, CancellationToken cancellation)
    {
        const int most = 100;
        var scored = Rows.Where(row => !double.IsNaN(row.Scores.Span[metric])).ToArray();
        if (scored.Length == 0 || options.SpeedTime <= TimeSpan.Zero)
            return double.NaN;
        using var scorer = new ImageScorer(options.Scoring with { Metrics = [Metrics[metric]] });
        string Sample(int number) =>
            Path.Combine(folder, scored[(int)((long)number * scored.Length / Math.Min(most, scored.Length))].Image!);
        scorer.Score(Sample(0));
        var clock = Stopwatch.StartNew();
        var done = 0;
        while (done < Math.Min(most, scored.Length) && (done == 0 || clock.Elapsed < options.SpeedTime))
        {
            cancellation.ThrowIfCancellationRequested();
            scorer.Score(Sample(done++));
        }
        return done / clock.Elapsed.TotalSeconds;
    }

    /// <summary>
    /// Spearman's correlation of every pair of metrics over the images that both score; NaN where they have no common image.
    /// </summary>
    public double[][] Agreement()
    {
        var goodness = Enumerable.Range(0, Metrics.Count).Select(Goodness).ToArray();
        return [.. goodness.Select(x => goodness.Select(y => Spearman(x, y)).ToArray())];

        double Spearman(double[] x, double[] y)
        {
            var both = Enumerable.Range(0, x.Length).Where(i => !double.IsNaN(x[i]) && !double.IsNaN(y[i])).ToArray();
            return Correlation.Spearman(Pick(x, both), Pick(y, both));
        }
    }

    /// <summary>The values at some positions.</summary>
    public static double[] Pick(double[] values, int[] positions) => Array.ConvertAll(positions, position => values[position]);
}
