using System.Collections.Concurrent;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Experiments.Training;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments.Training;

public class ExperimentRunTests
{
    private static readonly Metric Sharpness = MetricCatalog.Get("sharpness");
    private static readonly ScoringOptions TwoWorkers = new() { Workers = 2 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_selection_that_finds_the_bad_images_beats_random_and_everything()
    {
        using var folder = Photos();
        var trainer = new ShareOfSharp();
        var result = Run(folder, trainer, Options(TopOf("30%")));

        Assert.Equal(["everything", "best 30% by sharpness", "random, as many as best 30% by sharpness"], result.Conditions.Select(
            condition => condition.Name));
        var (everything, selection, random) = (result.Conditions[0], result.Conditions[1], result.Conditions[2]);
        Assert.All(selection.Cells, cell => Assert.Equal(
            cell.TrainingImages, random.Cells.Single(other => other.Seed == cell.Seed).TrainingImages));
        Assert.Equal(0.3, selection.Share, 0.02);
        Assert.True(selection.Accuracy.Value == 1, "about half of the images are sharp, and sharpness finds them");
        Assert.InRange(random.Accuracy.Value, 0.3, 0.7);
        Assert.True(selection.WithRandom!.Difference.Value > 0.2);
        Assert.True(selection.WithRandom.AdjustedProbability < 0.05);
        Assert.True(selection.WithRandom.OverTestImages.Low > 0);
        Assert.Equal(selection.WithRandom.Difference.Value, selection.Accuracy.Value - random.Accuracy.Value, 1e-12);
        Assert.Equal(selection.WithEverything!.Difference.Value, selection.Accuracy.Value - everything.Accuracy.Value, 1e-12);

        var report = new ExperimentReport(result);
        Assert.Contains(
            report.Answer(), sentence => sentence.StartsWith("1 selection beats as many images drawn at random", StringComparison.Ordinal));
        Assert.Contains("better than random", report.ToTable(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(selection.Accuracy.Value, json.RootElement.GetProperty("conditions")[1].GetProperty("accuracy").GetProperty("value")
            .GetDouble());
    }

    [Fact]
    public void A_selection_without_a_reason_is_not_said_to_help()
    {
        using var folder = Photos();
        var result = Run(
            folder, new ShareOfSharp(), Options(TrainingSelection.Of("entropy > 100"), TrainingSelection.Of("entropy between 0 and 8")));
        var (nothing, all) = (result.Conditions[1], result.Conditions[3]);
        Assert.All(nothing.Cells, cell => Assert.Null(cell.Outcome));
        Assert.True(double.IsNaN(nothing.Accuracy.Value));
        Assert.True(double.IsNaN(nothing.WithRandom!.Probability));
        Assert.Equal(1, all.WithRandom!.Probability);
        var report = new ExperimentReport(result);
        Assert.Contains(report.Answer(), sentence => sentence.StartsWith("No selection is better", StringComparison.Ordinal));
        Assert.DoesNotContain(report.Answer(), sentence => sentence.Contains("beat", StringComparison.Ordinal));
        Assert.Contains("| entropy > 100 | 0 |", report.ToMarkdown(), StringComparison.Ordinal);
        _ = JsonDocument.Parse(report.ToJson());
    }

    [Fact]
    public void Nothing_that_is_finished_is_trained_again()
    {
        using var folder = Photos();
        var trainer = new ShareOfSharp();
        var first = Run(folder, trainer, Options(TopOf("50%")));
        // Everything, the selection and its control for each of three seeds.
        Assert.Equal((9, 9), (trainer.Trained.Count, first.TrainedNow));
        var again = Run(folder, trainer, Options(TopOf("50%")));
        Assert.Equal((9, 0), (trainer.Trained.Count, again.TrainedNow));
        Assert.Equal(new ExperimentReport(first).ToJson(), new ExperimentReport(again).ToJson());
        // A selection more: two models more for each seed; its control is a part of the other one.
        var more = Run(folder, trainer, Options(TopOf("50%"), TopOf("25%")));
        Assert.Equal((15, 6), (trainer.Trained.Count, more.TrainedNow));
        Assert.Equal(first.Conditions[1].Cells.Select(cell => cell.Accuracy), more.Conditions[1].Cells.Select(cell => cell.Accuracy));
        // A file that has changed is another image.
        var image = Directory.GetFiles(folder["photos/a"])[0];
        File.SetLastWriteTimeUtc(image, File.GetLastWriteTimeUtc(image).AddSeconds(2));
        Assert.NotEqual(0, Run(folder, trainer, Options(TopOf("50%"))).TrainedNow);
    }

    [Fact]
    public void A_model_that_fails_ends_the_run_and_the_others_are_kept()
    {
        using var folder = Photos();
        var trainer = new ShareOfSharp { FailAt = 4 };
        Assert.Contains("out of luck", Assert.Throws<TrainerException>(
            () => Run(folder, trainer, Options(TopOf("50%")))).Message, StringComparison.Ordinal);
        trainer.FailAt = null;
        Assert.Equal(9 - 3, Run(folder, trainer, Options(TopOf("50%"))).TrainedNow);
    }

    [Fact]
    public void Controls_are_nested_and_drawn_from_the_images_of_the_seed()
    {
        using var folder = Photos();
        var trainer = new ShareOfSharp();
        Run(folder, trainer, Options(TopOf("75%"), TopOf("25%")) with { Seeds = [5] });
        var everything = trainer.Trained.MaxBy(task => task.Train.Count)!;
        Assert.All(trainer.Trained, task =>
        {
            Assert.Subset(Paths(everything.Train), Paths(task.Train));
            Assert.Equal(everything.Test, task.Test);
            Assert.Equal(everything.Validation, task.Validation);
            Assert.Equal(["a", "b"], task.Classes);
            Assert.Empty(Paths(task.Train).Intersect(Paths(task.Test).Concat(Paths(task.Validation))));
        });
        var random = trainer.Trained.Where(task => task.Train.Any(example => Name(example).Contains("blurred", StringComparison.Ordinal))
            && task.Train.Count is > 0 and < 20).MinBy(task => task.Train.Count)!;
        var larger = trainer.Trained.Where(task => task.Train.Count > random.Train.Count && task.Train.Count < everything.Train.Count)
            .ToArray();
        Assert.Contains(larger, task => Paths(random.Train).IsSubsetOf(Paths(task.Train)));
    }

    [Fact]
    public void The_opposite_of_a_share_is_the_worst_and_of_a_rule_what_fails_it()
    {
        using var folder = Photos();
        var trainer = new ShareOfSharp();
        var result = Run(folder, trainer, Options(TopOf("30%"), TrainingSelection.Of("width >= 60")) with { Reverse = true });
        Assert.Equal(
            [ConditionKind.Everything, ConditionKind.Selection, ConditionKind.Reverse, ConditionKind.Random, ConditionKind.Selection,
                ConditionKind.Reverse, ConditionKind.Random],
            result.Conditions.Select(condition => condition.Kind));
        Assert.Equal(0, result.Conditions[2].Accuracy.Value);
        Assert.Equal(result.Conditions[1].TrainingImages, result.Conditions[2].TrainingImages);
        Assert.True(result.Conditions[2].WithRandom!.Difference.Value < 0);
        Assert.Equal(0, result.Conditions[5].TrainingImages);
        Assert.Null(result.Conditions[5].WithRandom);
    }

    [Fact]
    public void Images_that_cannot_be_decoded_are_left_out_and_named()
    {
        using var folder = Photos();
        File.WriteAllText(folder["photos/a/broken.png"], "no image");
        var trainer = new ShareOfSharp();
        var result = Run(folder, trainer, Options(TopOf("50%")));
        Assert.Equal("a/broken.png", Assert.Single(result.Unusable).Key);
        Assert.DoesNotContain(trainer.Trained.SelectMany(task => task.Train.Concat(task.Test).Concat(task.Validation)), example => Name(
            example) == "broken.png");
    }

    [Fact]
    public void Degraded_images_are_counted()
    {
        using var folder = Photos();
        var degraded = Directory.GetFiles(folder["photos"], "*blurred*", SearchOption.AllDirectories).ToHashSet(StringComparer.Ordinal);
        var result = Run(folder, new ShareOfSharp(), Options(TopOf("30%")) with { Degraded = degraded });
        Assert.Equal(0.5, result.Conditions[0].DegradedShare, 0.15);
        Assert.Equal(0, result.Conditions[1].DegradedShare);
        var oracle = Assert.Single(result.Conditions, condition => condition.Kind == ConditionKind.Oracle);
        Assert.Equal((0, 1), (oracle.DegradedShare, oracle.Accuracy.Value));
        Assert.Equal(oracle.TrainingImages, result.Conditions[^1].TrainingImages);
        Assert.True(
            double.IsNaN(oracle.WithRandom!.AdjustedProbability), "no filter that one could use, so not one of those that are tested");
        Assert.True(oracle.WithRandom.Difference.Value > 0.2);
        Assert.Contains("Degraded images among those trained on", new ExperimentReport(result).ToMarkdown(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("50%", null)]
    [InlineData("7", null)]
    [InlineData(null, "p10..p60")]
    public void Shares_and_percentiles_are_those_of_the_selection(string? top, string? between)
    {
        using var folder = Photos();
        var images = Dataset.Open(folder["photos"]);
        var rows = ScoreTableRun.Score(images, folder["table"], TwoWorkers with { Metrics = [Sharpness] }, cancellation: Token)
            .Select(item => item.Rows[0]).ToArray();
        var options = new SelectionOptions
        {
            Top = top == null ? null : TopShare.Parse(top),
            Between = between == null ? null : PercentileRange.Parse(between),
            By = "sharpness",
        };
        using var run = SelectionRun.Run(ScoreTable.Open(folder["table"]), options, cancellation: Token);
        var selection = top != null ? TrainingSelection.Of(options.Top!, Sharpness) : TrainingSelection.Of(options.Between!, Sharpness);
        Assert.Equal(
            run.Decisions().Where(decision => decision.Kept).Select(decision => (int)decision.ItemIndex),
            selection.Select([.. Enumerable.Range(0, rows.Length)], i => rows[i].Scores.Span[0], _ => false, reverse: false));
    }

    [Theory]
    [InlineData("item.source = 'web'")]
    [InlineData("brisque < 40 and word_count > 3")]
    public void A_rule_about_the_items_is_refused(string rule) =>
        Assert.Contains(
            "a rule about images", Assert.Throws<RuleException>(() => TrainingSelection.Of(rule)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_image_without_a_score_is_not_among_the_best()
    {
        double[] scores = [1, double.NaN, 3, 2];
        Assert.Equal([0, 2, 3], TopOf("100%").Select([0, 1, 2, 3], i => scores[i], _ => false, reverse: false));
        Assert.Equal([2, 3], TopOf("50%").Select([0, 1, 2, 3], i => scores[i], _ => false, reverse: false));
    }

    [Fact]
    public void Classes_of_one_image_leave_nothing_to_test_with()
    {
        using var folder = Photos();
        foreach (var label in (string[])["a", "b"])
            foreach (var file in Directory.GetFiles(folder[$"photos/{label}"]).Order(StringComparer.Ordinal).Skip(1))
                File.Delete(file);
        Assert.Contains("to test with", Assert.Throws<DatasetException>(
            () => Run(folder, new ShareOfSharp(), Options(TopOf("50%")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused()
    {
        using var folder = Photos();
        Assert.Contains("at least one selection", Problem(Options()), StringComparison.Ordinal);
        Assert.Contains("there twice", Problem(Options(TopOf("50%"), TopOf("50%"))), StringComparison.Ordinal);
        Assert.Contains("at least one seed", Problem(Options(TopOf("50%")) with { Seeds = [] }), StringComparison.Ordinal);
        Assert.Contains("shares between 0 and 1", Problem(
            Options(TopOf("50%")) with { Split = new SplitOptions { TestShare = 0.9, ValidationShare = 0.2 } }), StringComparison.Ordinal);
        Assert.Contains("good end", Assert.Throws<ArgumentException>(
            () => TrainingSelection.Of(TopShare.Parse("50%"), MetricCatalog.Get("brightness"))).Message, StringComparison.Ordinal);

        string Problem(ExperimentOptions options) =>
            Assert.Throws<ArgumentException>(() => Run(folder, new ShareOfSharp(), options)).Message;
    }

    private static TrainingSelection TopOf(string share) => TrainingSelection.Of(TopShare.Parse(share), Sharpness);

    private static ExperimentOptions Options(params TrainingSelection[] selections) => new()
    {
        Selections = selections,
        Seeds = [1, 2, 3],
        Scoring = TwoWorkers,
        Split = new SplitOptions { TestShare = 0.25 },
        Intervals = new BootstrapOptions { Resamples = 200 },
    };

    private static ExperimentResult Run(TemporaryFolder folder, Trainer trainer, ExperimentOptions options) =>
        ExperimentRun.Run(ClassifiedImages.Open(folder["photos"]), trainer, folder["out"], options, cancellation: Token);

    private static HashSet<string> Paths(IEnumerable<TrainingExample> examples) => [.. examples.Select(example => example.Path)];

    private static string Name(TrainingExample example) => Path.GetFileName(example.Path);

    /// <summary>Two classes of 24 photos, half of each blurred.</summary>
    private static TemporaryFolder Photos()
    {
        var folder = TestFiles.NewFolder();
        for (var i = 0; i < 48; i++)
        {
            var (label, blurred) = (i % 2 == 0 ? "a" : "b", i % 4 < 2);
            var rgb = TestImages.Photo(64, 48, seed: i);
            if (blurred)
            {
                var target = new byte[rgb.Length];
                new RgbConvolution(SimdPath.Scalar).Apply(rgb, 64, 48, BlurMask.Gaussian(2), target);
                rgb = target;
            }
            Assert.Null(ImageEncoder.Encode(rgb, 64, 48, "png", out var file));
            var path = folder[$"photos/{label}/{i:00}{(blurred ? "-blurred" : "")}.png"];
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, file);
        }
        return folder;
    }

    /// <summary>A model that is as good as the share of sharp images it was trained on: what an experiment must find out.</summary>
    private sealed class ShareOfSharp : Trainer
    {
        private int _calls;

        public ConcurrentBag<TrainingTask> Trained { get; } = [];

        public int? FailAt { get; set; }

        public override string Description => "share of sharp images";

        public override string Identity => "share-of-sharp:1";

        public override TrainingOutcome Train(TrainingTask task, CancellationToken cancellation)
        {
            if (++_calls == FailAt)
                throw new TrainerException("out of luck");
            Trained.Add(task);
            var share = task.Train.Count(
                example => !Name(example).Contains("blurred", StringComparison.Ordinal)) / (double)task.Train.Count;
            var correct = task.Test.Select((_, i) => i < Math.Round(share * task.Test.Count)).ToArray();
            return new TrainingOutcome
            {
                Accuracy = correct.Count(right => right) / (double)correct.Length,
                Correct = correct,
                Metrics = new Dictionary<string,
                double>
                { ["share"] = share },
            };
        }
    }
}
