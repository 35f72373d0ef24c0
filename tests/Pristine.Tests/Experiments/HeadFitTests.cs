using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Metrics.ResNet;

namespace Pristine.Tests.Experiments;

public sealed class HeadFitTests
{
    [Fact]
    public void With_few_labels_it_stays_at_the_head_it_begins_with_and_follows_its_scale()
    {
        var (rows, start) = Start();
        // Labels are the head's order on another scale, turned round.
        double[] labels = [.. rows.Select(row => 7 - 3 * start.Score(Array.ConvertAll(row, value => (double)value)))];
        var fit = HeadFit.Fit(rows, labels, start, new() { Penalties = [1e6] }, TestContext.Current.CancellationToken);
        var head = fit.Head("mine", "f", 7, 4, "");
        Assert.All(rows.Zip(labels), pair =>
            Assert.Equal(pair.Second, head.Score(Array.ConvertAll(pair.First, value => (double)value)), 1e-5));
    }

    [Fact]
    public void What_the_head_misses_is_learned()
    {
        var (rows, start) = Start();
        // The last feature means nothing to the head.
        double[] labels = [.. rows.Select(row => start.Score(Array.ConvertAll(row, value => (double)value)) + 2 * row[^1])];
        RidgeOptions options = new() { Penalties = [1e-3, 1e9] };
        var fit = HeadFit.Fit(rows, labels, start, options, TestContext.Current.CancellationToken);
        Assert.Equal(1e-3, fit.Ridge.Penalty);
        Assert.True(fit.Ridge.Trials[0].Spearman > 0.99, $"{fit.Ridge.Trials[0]}");
        Assert.True(fit.Ridge.Trials[1].Spearman < 0.9, $"{fit.Ridge.Trials[1]}");
        var logistic = new QualityHead("a", "f", new float[5], 0, 1, 0, "", HeadLink.Logistic);
        Assert.Throws<ArgumentException>(() => HeadFit.Fit(rows, labels, logistic, options, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Failures_are_0_or_1_and_their_AUC_is_that_of_all_pairs()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["f.csv"], "image,failed\na.jpg,0\nb.jpg,1\nc.jpg,0\n");
        var labels = FailureLabels.Read(folder["f.csv"]);
        Assert.Equal((OpinionDirection.LowerIsBetter, 3), (labels.Direction, labels.Scores.Count));
        File.WriteAllText(folder["f.csv"], "image,failed\na.jpg,0\nb.jpg,0.5\n");
        Assert.Contains("expected 0 (right) or 1 (wrong)", Message(), StringComparison.Ordinal);
        File.WriteAllText(folder["f.csv"], "image,failed\na.jpg,0\nb.jpg,0\n");
        Assert.Contains("found 0 and 2", Message(), StringComparison.Ordinal);
        File.WriteAllText(folder["f.csv"], "image,mos\na.jpg,0\nb.jpg,1\n");
        Assert.Contains("failed", Message(), StringComparison.Ordinal);

        double[] predicted = [0.1, 0.9, 0.3, 0.35, 0.8, 0.2, 0.7], failed = [0, 1, 0, 1, 0, 0, 1];
        var pairs = failed.SelectMany((bad, i) => failed.Select((good, j) => (bad, good, i, j)))
            .Where(pair => pair.bad > pair.good).ToArray();
        Assert.Equal(
            pairs.Average(pair => predicted[pair.i] > predicted[pair.j] ? 1.0 : 0),
            FailureLabels.Auc(Correlation.Spearman(predicted, failed), failed), 1e-12);

        string Message() => Assert.Throws<DatasetException>(() => FailureLabels.Read(folder["f.csv"])).Message;
    }

    private static (float[][] Rows, QualityHead Head) Start()
    {
        var random = new Random(3);
        float[][] rows = [.. Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, 5).Select(_ => random.NextSingle()).ToArray())];
        return (rows, new("start", "f", [1, -1, 0.5f, 0.25f, 0], 0.2, 0, 1, ""));
    }
}
