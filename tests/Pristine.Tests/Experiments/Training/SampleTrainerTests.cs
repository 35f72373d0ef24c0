using System.Diagnostics;
using Pristine.Experiments.Training;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments.Training;

/// <summary>samples/trainers/finetune_cnn.py does what samples/README.md says of it.</summary>
public sealed class SampleTrainerTests : IDisposable
{
    /// <summary>Debian's: another python3 may come first in PATH.</summary>
    private const string Python = "/usr/bin/python3";

    private static readonly string[] Classes = ["blue", "green", "none", "red"];

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public SampleTrainerTests()
    {
        if (!File.Exists(Python))
            Assert.Skip($"Needs {Python} (Debian: apt-get install python3-torch python3-pil).");
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import torch, PIL"]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            Assert.Skip($"Needs {Python} with torch and PIL (Debian: apt-get install python3-torch python3-pil).");
    }

    public void Dispose() => _folder.Dispose();

    private ExternalTrainer Trainer(string arguments) => new(
        $"{Python} '{TestFiles.InRepository("samples", "trainers", "finetune_cnn.py")}' --device cpu --threads 1 --size 32 --batch 16 " +
        $"{arguments}", _folder["tasks"]);

    /// <summary>Noise with a stripe of the class's colour somewhere.</summary>
    private TrainingExample[] Images(string part, int count, int seed) => [.. Enumerable.Range(0, count).Select(i =>
    {
        const int width = 40, height = 32;
        var random = new Random(seed * 1000 + i);
        var pixels = new byte[width * height * 3];
        random.NextBytes(pixels);
        var (left, channel) = (random.Next(width - 12), 2 - i % 3);
        for (var y = 0; y < height; y++)
            for (var x = left; x < left + 12; x++)
                for (var c = 0; c < 3; c++)
                    pixels[(y * width + x) * 3 + c] = (byte)(c == channel ? 255 : 0);
        var path = _folder[$"{part} {i}.{(i % 2 == 0 ? "png" : "jpg")}"];
        File.WriteAllBytes(
            path, VipsEncoder.Encode(i % 2 == 0 ? "pngsave_buffer" : "jpegsave_buffer", "", pixels, width, height, 3, "srgb"));
        return new TrainingExample(path, ((string[])["blue", "green", "red"])[i % 3]);
    })];

    private TrainingTask Task() => new()
    {
        Train = Images("train", 36, 1),
        Validation = Images("validation", 6, 2),
        Test = Images("test", 30, 3),
        Classes = Classes,
        Seed = 1,
    };

    [Fact]
    [Trait("kind", "long")]
    public void It_learns_and_the_same_seed_gives_the_same_result()
    {
        var (task, trainer) = (Task(), Trainer("--steps 40"));
        var first = trainer.Train(task, TestContext.Current.CancellationToken);
        Assert.InRange(first.Accuracy, 0.8, 1);
        Assert.Equal(30, first.Correct!.Count);
        Assert.Equal(["steps", "train_loss", "validation_accuracy"], first.Metrics.Keys.Order());
        Assert.Equal(40, first.Metrics["steps"]);

        var second = trainer.Train(task, TestContext.Current.CancellationToken);
        Assert.Equal(first.Correct, second.Correct);
        Assert.Equal(first.Metrics, second.Metrics);
        var other = trainer.Train(task with { Seed = 2 }, TestContext.Current.CancellationToken);
        Assert.NotEqual(first.Metrics["train_loss"], other.Metrics["train_loss"]);
    }

    [Fact]
    [Trait("kind", "long")]
    public void Fewer_images_than_a_batch_get_as_many_steps_and_no_validation_images_are_needed()
    {
        var task = Task();
        var outcome = Trainer("--steps 3")
            .Train(task with { Train = [.. task.Train.Take(2)], Validation = [] }, TestContext.Current.CancellationToken);
        Assert.Equal(3, outcome.Metrics["steps"]);
        Assert.DoesNotContain("validation_accuracy", outcome.Metrics.Keys);
    }

    [Fact]
    public void An_image_that_is_not_one_ends_it_with_a_message()
    {
        var task = Task();
        File.WriteAllText(_folder["text.png"], "not an image");
        var message = Assert.Throws<TrainerException>(() => Trainer("--steps 3")
            .Train(task with { Test = [new(_folder["text.png"], "red")] }, TestContext.Current.CancellationToken)).Message;
        Assert.Contains("text.png", message, StringComparison.Ordinal);
    }
}
