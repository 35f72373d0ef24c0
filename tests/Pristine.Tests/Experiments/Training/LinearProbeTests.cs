using Pristine.Experiments;
using Pristine.Experiments.Training;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Tables;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments.Training;

public sealed class LinearProbeTests : IDisposable
{
    private static readonly string[] Classes = ["blue", "green", "red"];

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly MeanColour _colour = new();

    public void Dispose() => _folder.Dispose();

    private LinearProbe With(string table) => new(new() { Features = _colour, Penalties = [1, 0.1, 0.01], Table = table });

    private LinearProbe Probe(params double[] penalties) =>
        new(new() { Features = _colour, Penalties = penalties.Length > 0 ? penalties : [1, 0.1, 0.01] });

    /// <summary>Images of one noisy colour each, a third of every class.</summary>
    private TrainingExample[] Images(string part, int count, int seed) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var random = new Random(seed * 1000 + i);
        var pixels = new byte[8 * 8 * 3];
        for (var k = 0; k < pixels.Length; k++)
            pixels[k] = (byte)(random.Next(180) + (k % 3 == 2 - i % 3 ? 75 : 0));
        var path = _folder[$"{part}-{i}.png"];
        File.WriteAllBytes(path, VipsEncoder.Encode("pngsave_buffer", "", pixels, 8, 8, 3, "srgb"));
        return new TrainingExample(path, Classes[i % 3]);
    })];

    private TrainingTask Task() => new()
    {
        Train = Images("train", 30, 1),
        Validation = Images("validation", 12, 2),
        Test = Images("test", 18, 3),
        Classes = Classes,
        Seed = 1,
    };

    private static string[] Paths(TrainingTask task) =>
        [.. task.Train.Concat(task.Validation).Concat(task.Test).Select(example => example.Path)];

    private static TrainingOutcome Train(LinearProbe probe, TrainingTask task) => probe.Train(task, TestContext.Current.CancellationToken);

    private static void AssertSame(TrainingOutcome expected, TrainingOutcome found)
    {
        Assert.Equal(expected.Accuracy, found.Accuracy);
        Assert.Equal(expected.Correct, found.Correct);
        Assert.Equal(expected.Metrics, found.Metrics);
    }

    [Fact]
    public void Learns_colours_and_says_which_test_images_it_knew()
    {
        var task = Task();
        var probe = Probe();
        Assert.Empty(probe.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken));
        var outcome = Train(probe, task);
        Assert.InRange(outcome.Accuracy, 0.8, 1);
        Assert.Equal(task.Test.Count, outcome.Correct!.Count);
        Assert.Equal(outcome.Accuracy, outcome.Correct.Average(correct => correct ? 1.0 : 0));
        Assert.InRange(outcome.Metrics["validation_accuracy"], 0.8, 1);
        Assert.Contains(outcome.Metrics["penalty"], new[] { 1, 0.1, 0.01 });
        Assert.True(outcome.Metrics["iterations"] > 3);
        Assert.Equal(0, outcome.Metrics["unconverged"]);

        // With labels of the wrong colour at test, the same images are wrong: it is the labels that are compared.
        var wrong = Train(probe, task with
        {
            Test = [
            .. task.Test.Select(example => example with { Label = Classes[(Array.IndexOf(Classes, example.Label) + 1) % 3] })]
        });
        Assert.True(wrong.Accuracy < 0.2);
        Assert.Equal(outcome.Metrics["penalty"], wrong.Metrics["penalty"]);
    }

    [Fact]
    public void The_penalty_is_chosen_on_the_validation_images_by_accuracy_then_log_loss()
    {
        var task = Task();
        var probe = Probe(100, 0.1, 1e-4);
        probe.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
        var trials = new[] { 100, 0.1, 1e-4 }.Select(penalty =>
        {
            var single = Probe(penalty);
            single.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
            return Train(single, task).Metrics;
        }).ToArray();
        var expected = trials.OrderByDescending(metrics => metrics["validation_accuracy"]).ThenBy(metrics => metrics["validation_log_loss"])
            .First();
        Assert.True(trials.Select(metrics => metrics["validation_log_loss"]).Distinct().Count() == 3);
        Assert.Equal(expected["penalty"], Train(probe, task).Metrics["penalty"]);
    }

    [Fact]
    public void Same_task_same_outcome_whatever_the_seed_and_however_many_train_at_once()
    {
        var task = Task();
        var probe = Probe();
        probe.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
        var expected = Train(probe, task);
        var outcomes = new TrainingOutcome[8];
        Parallel.For(0, outcomes.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => outcomes[i] = Train(
            probe, task with { Seed = i }));
        Assert.All(outcomes, outcome => AssertSame(expected, outcome));
    }

    [Fact]
    public void A_class_that_no_training_image_has_is_never_found_and_costs_a_finite_loss()
    {
        var task = Task();
        var probe = Probe();
        probe.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
        var outcome = Train(probe, task with { Train = [.. task.Train.Where(example => example.Label != "red")] });
        Assert.All(task.Test.Zip(outcome.Correct!).Where(pair => pair.First.Label == "red"), pair => Assert.False(pair.Second));
        Assert.InRange(outcome.Accuracy, 0.5, 0.67);
        Assert.InRange(outcome.Metrics["test_log_loss"], 10, 15);
        // One class only.
        Assert.Equal(1.0 / 3, Train(probe, task with { Train = [task.Train[0]] }).Accuracy, 1e-12);
    }

    [Fact]
    public void Features_are_computed_once_and_found_again_by_a_later_run()
    {
        var task = Task();
        var (probe, done) = (With(_folder["features"]), 0);
        File.Copy(task.Train[0].Path, _folder["copy.png"]);
        probe.Prepare([.. Paths(task), .. Paths(task)], new() { Workers = 1 }, _ => done++, TestContext.Current.CancellationToken);
        Assert.Equal((60, 60), (done, _colour.Computed));
        probe.Prepare([.. Paths(task), _folder["copy.png"]], new(), null, TestContext.Current.CancellationToken);
        Assert.Equal(61, _colour.Computed);
        Assert.Equal(61, ScoreTable.Open(_folder["features"]).RowCount);
        var (later, fresh) = (With(_folder["features"]), Probe());
        Assert.Empty(later.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken));
        Assert.Equal(61, _colour.Computed);
        fresh.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
        AssertSame(Train(fresh, task), Train(later, task));
    }

    [Fact]
    public void Images_that_cannot_be_used_are_named_and_a_task_with_them_is_refused()
    {
        var task = Task();
        var (probe, good, bad) = (Probe(), 0, 0);
        File.WriteAllText(_folder["text.png"], "not an image");
        var unusable = probe.Prepare([_folder["text.png"], .. Paths(
            task), _folder["none.png"]], new(), ok => _ = ok ? good++ : bad++, TestContext.Current.CancellationToken);
        Assert.Equal((60, 2), (good, bad));
        Assert.Equal([_folder["text.png"], _folder["none.png"]], unusable.Keys);
        Assert.All(unusable.Values, Assert.NotEmpty);

        var error = Assert.Throws<TrainerException>(
            () => Train(probe, task with { Test = [.. task.Test, new(_folder["text.png"], "red")] }));
        Assert.Contains("text.png", error.Message, StringComparison.Ordinal);
        Assert.Contains("test part", error.Message, StringComparison.Ordinal);
        Assert.Contains("found 'pink'", Assert.Throws<TrainerException>(
            () => Train(probe, task with { Train = [task.Train[0] with { Label = "pink" }] })).Message, StringComparison.Ordinal);
        Assert.Contains("found 30, 0 and 18", Assert.Throws<TrainerException>(
            () => Train(probe, task with { Validation = [] })).Message, StringComparison.Ordinal);
        Assert.Contains("found 0, 12 and 18", Assert.Throws<TrainerException>(
            () => Train(probe, task with { Train = [] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_one_penalty_no_validation_images_are_needed()
    {
        var task = Task();
        var probe = Probe(0.1);
        probe.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
        var outcome = Train(probe, task with { Validation = [] });
        Assert.DoesNotContain("validation_accuracy", outcome.Metrics.Keys);
        Assert.Equal(Train(probe, task).Correct, outcome.Correct);
    }

    [Fact]
    public void The_identity_follows_whatever_changes_an_outcome()
    {
        LinearProbe[] probes = [Probe(), Probe(1, 0.1), new(
            new() { Features = _colour, Penalties = [1, 0.1, 0.01], Fit = new() { MaxIterations = 7 } }), new()];
        Assert.Equal(probes.Length, probes.Select(probe => probe.Identity).Distinct().Count());
        Assert.Equal(Probe().Identity, Probe().Identity);
        Assert.Contains("resnet50-embedding:1:int8", new LinearProbe().Identity, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_ends_training()
    {
        var task = Task();
        var probe = Probe();
        probe.Prepare(Paths(task), new(), null, TestContext.Current.CancellationToken);
        Assert.Throws<OperationCanceledException>(() => probe.Train(task, new CancellationToken(canceled: true)));
    }

    /// <summary>The mean of each channel.</summary>
    private sealed class MeanColour : Feature
    {
        private int _computed;

        public int Computed => _computed;

        public override string Name => "colour";

        public override string Identity => "colour:1";

        public override int Count => 3;

        public override ImageInput Input => ImageInput.Rgb;

        public override FeatureExtractor CreateExtractor() => new Extractor(this);

        private sealed class Extractor(MeanColour owner) : FeatureExtractor
        {
            public override int Count => owner.Count;

            public override void Compute(in ImageView image, Span<double> features)
            {
                Interlocked.Increment(ref owner._computed);
                features.Clear();
                for (var k = 0; k < image.Rgb.Length; k++)
                    features[k % 3] += 3f * image.Rgb[k] / image.Rgb.Length;
            }
        }
    }
}
