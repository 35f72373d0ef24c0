using System.Diagnostics;
using System.Text.Json;
using Pristine.Experiments.Training;

namespace Pristine.Tests.Experiments.Training;

public sealed class ExternalTrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public ExternalTrainerTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The scripts are for /bin/sh.");

    public void Dispose() => _folder.Dispose();

    private static TrainingTask Animals(long seed = 1) => new()
    {
        Train = [new("a b.png", "cat"), new("/photos/ü \"quoted\".png", "dog")],
        Validation = [new("c.png", "dog")],
        Test = [new("d.png", "cat"), new("e.png", "dog"), new("f.png", "cat"), new("g.png", "dog")],
        Classes = ["bird", "cat", "dog"],
        Seed = seed,
    };

    /// <summary>A trainer whose command is a script with this text.</summary>
    private ExternalTrainer Script(string text, string arguments = "")
    {
        File.WriteAllText(_folder["train it.sh"], text);
        return new($"sh '{_folder["train it.sh"]}' {arguments}", _folder["tasks"]);
    }

    /// <summary>Writes a result to the path that stands behind "output" in the task.</summary>
    private ExternalTrainer Result(string json) =>
        Script($"cat > \"$(sed 's/.*\"output\":\"\\([^\"]*\\)\".*/\\1/' \"$1\")\" <<'END'\n{json}\nEND\n");

    private static TrainingOutcome Train(ExternalTrainer trainer, TrainingTask? task = null) =>
        trainer.Train(task ?? Animals(), TestContext.Current.CancellationToken);

    private static string Message(ExternalTrainer trainer) => Assert.Throws<TrainerException>(() => Train(trainer)).Message;

    private string TaskFolder => Assert.Single(Directory.GetDirectories(_folder["tasks"]));

    [Fact]
    public void The_command_gets_the_task_as_its_last_argument_and_in_the_environment()
    {
        var trainer = Script($$"""
            [ "$#" = 3 ] && [ "$1" = --steps ] && [ "$2" = 7 ] && [ "$3" = "$PRISTINE_TASK" ] || exit 9
            cp "$3" '{{_folder["seen.json"]}}'
            echo to stdout; echo to stderr >&2
            echo '{"accuracy": 0.75}' > "$(dirname "$3")/result.json"
            """, "--steps 7");
        var outcome = Train(trainer);
        Assert.Equal(0.75, outcome.Accuracy);
        Assert.Null(outcome.Correct);
        Assert.Empty(outcome.Metrics);

        var task = JsonDocument.Parse(File.ReadAllBytes(_folder["seen.json"])).RootElement;
        Assert.Equal(
            ["train", "validation", "test", "classes", "seed", "output"], task.EnumerateObject().Select(property => property.Name));
        Assert.Equal([2, 1, 4], new[] { "train", "validation", "test" }.Select(part => task.GetProperty(part).GetArrayLength()));
        Assert.Equal(Path.GetFullPath("a b.png"), task.GetProperty("train")[0].GetProperty("path").GetString());
        Assert.Equal("/photos/ü \"quoted\".png", task.GetProperty("train")[1].GetProperty("path").GetString());
        Assert.Equal("dog", task.GetProperty("validation")[0].GetProperty("label").GetString());
        Assert.Equal(["bird", "cat", "dog"], task.GetProperty("classes").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal(1, task.GetProperty("seed").GetInt64());
        Assert.Equal(Path.Combine(TaskFolder, "result.json"), task.GetProperty("output").GetString());
        Assert.Equal(["to stderr", "to stdout"], File.ReadAllLines(Path.Combine(TaskFolder, "log.txt")).Order());
        Assert.Contains(trainer.Description, $"the command 'sh '{_folder["train it.sh"]}' --steps 7'", StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_become_metrics_and_predictions_tell_which_images_were_right()
    {
        var outcome = Train(
            Result("""{"predictions": ["cat", "bird", "cat", "dog"], "accuracy": 0.75, "loss": 1.25, "epochs": 3, "model": "tiny", "notes": {"a": 1}, "correct": null}"""));
        Assert.Equal(0.75, outcome.Accuracy);
        Assert.Equal([true, false, true, true], outcome.Correct!);
        Assert.Equal(new Dictionary<string, double> { ["loss"] = 1.25, ["epochs"] = 3 }, outcome.Metrics);

        outcome = Train(Result("""{"accuracy": 0.251, "correct": [false, false, true, false]}"""), Animals(2));
        Assert.Equal(0.25, outcome.Accuracy);
        Assert.Equal([false, false, true, false], outcome.Correct!);
        Assert.Equal(1, Train(Result("\uFEFF{\"accuracy\": 1}"), Animals(3)).Accuracy);
        Assert.Equal(3, Directory.GetDirectories(_folder["tasks"]).Length);
    }

    [Theory]
    [InlineData("not json", "invalid")]
    [InlineData("", "JSON")]
    [InlineData("[1]", "expected a JSON object; found Array")]
    [InlineData("{\"loss\": 1}", "expected 'accuracy', a number from 0 to 1; found none")]
    [InlineData("{\"accuracy\": \"0.8\"}", "found \"0.8\"")]
    [InlineData("{\"accuracy\": 83}", "found 83")]
    [InlineData("{\"accuracy\": -0.1}", "found -0.1")]
    [InlineData("{\"accuracy\": NaN}", "invalid")]
    [InlineData("{\"accuracy\": 0.5, \"loss\": 1e999}", "as loss; found 1e999")]
    [InlineData(
        "{\"accuracy\": 0.5, \"correct\": [true, false]}", "expected 'correct' to be a list of 4, one for each test image; found 2")]
    [InlineData("{\"accuracy\": 0.5, \"correct\": 2}", "expected 'correct' to be a list of 4, one for each test image; found Number")]
    [InlineData("{\"accuracy\": 0.5, \"correct\": [true, false, 1, 0]}", "expected true or false at 'correct' 2; found 1")]
    [InlineData("{\"accuracy\": 0.5, \"predictions\": [\"cat\"]}", "expected 'predictions' to be a list of 4")]
    [InlineData("{\"accuracy\": 0.5, \"predictions\": [\"cat\", 2, 3, 4]}", "expected a label at 'predictions' 1; found 2")]
    [InlineData(
        "{\"accuracy\": 0.5, \"correct\": [true, true, true, true]}",
        "expected 'accuracy' to be the share of right predictions, 1; found 0.5")]
    [InlineData(
        "{\"accuracy\": 1, \"correct\": [true, true, true, true], \"predictions\": [\"cat\", \"dog\", \"cat\", \"cat\"]}",
        "they differ at test image 3")]
    public void A_result_that_is_not_one_is_refused(string json, string message)
    {
        var found = Message(Result(json));
        Assert.Contains(message, found, StringComparison.Ordinal);
        Assert.Contains("result.json", found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_fails_is_quoted()
    {
        var message = Message(
            Script("i=0; while [ $i -lt 300 ]; do echo äöü line $i >&2; i=$((i+1)); done; echo 'ValueError: no images' >&2; echo " +
                "unrelated; exit 3"));
        Assert.Contains("exit code 0; found 3", message, StringComparison.Ordinal);
        Assert.Contains("line 299 | ValueError: no images. ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("line 100 ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("\uFFFD", message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(TaskFolder, "log.txt"), message, StringComparison.Ordinal);
        Assert.Contains("line 0\n", File.ReadAllText(Path.Combine(TaskFolder, "log.txt")), StringComparison.Ordinal);
        Assert.Contains("wrote nothing to stderr", Message(Script("exit 1")), StringComparison.Ordinal);
        Assert.Contains("found 127", Message(new("/no/such/program", _folder["tasks"])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_of_an_earlier_run_does_not_count()
    {
        Train(Result("""{"accuracy": 0.5}"""));
        Assert.True(File.Exists(Path.Combine(TaskFolder, "result.json")));
        Assert.Contains("there is no file", Message(Script("true")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_kills_the_command_and_what_it_started()
    {
        // The shell waits for a child, which says who both are and hangs.
        var trainer = Script(
            $"sh -c 'echo $$ $PPID > \"{_folder["new"]}\"; mv \"{_folder["new"]}\" \"{_folder["pids"]}\"; while true; do sleep 1000; " +
            $"done'; true");
        using var cancellation = new CancellationTokenSource();
        var training = Task.Run(() => trainer.Train(Animals(), cancellation.Token), TestContext.Current.CancellationToken);
        while (!File.Exists(_folder["pids"]) && !training.IsCompleted)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        var processes = File.ReadAllText(_folder["pids"]).Split(' ')
            .Select(id => int.Parse(id, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.All(processes, id => Assert.True(IsRunning(id)));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => training);
        foreach (var id in processes)
            while (IsRunning(id))
                await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.Throws<OperationCanceledException>(() => trainer.Train(Animals(), cancellation.Token));
    }

    /// <summary>A killed process whose parent is gone may stay in the table until someone asks for its exit code.</summary>
    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited
                && !(File.Exists($"/proc/{id}/stat") && File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal));
        }
        catch (Exception failure) when (failure is ArgumentException or IOException or InvalidOperationException)
        {
            return false;
        }
    }

    [Fact]
    public void The_command_cannot_wait_for_a_terminal_and_what_it_leaves_behind_is_not_waited_for()
    {
        var trainer = Script(
            "cat; sleep 1000 & echo $! > '" + _folder["pid"] + "'; echo '{\"accuracy\": 0}' > \"$(dirname \"$1\")/result.json\"");
        Assert.Equal(0, Train(trainer).Accuracy);
        Process.GetProcessById(int.Parse(File.ReadAllText(_folder["pid"]), System.Globalization.CultureInfo.InvariantCulture)).Kill();
    }

    [Fact]
    public void Tasks_run_at_once_do_not_meet()
    {
        var trainer = Script("""
            seed=$(sed 's/.*"seed":\([0-9]*\).*/\1/' "$1")
            echo "{\"accuracy\": 0.$seed}" > "$(dirname "$1")/result.json"
            """);
        var outcomes = new double[8];
        Parallel.For(0, outcomes.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => outcomes[i] = Train(
            trainer, Animals(1 + i % 4)).Accuracy);
        Assert.Equal([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4], outcomes);
        Assert.Equal(4, Directory.GetDirectories(_folder["tasks"]).Length);
    }

    [Fact]
    public void The_identity_follows_the_command_and_the_script()
    {
        var identity = Script("true").Identity;
        Assert.Equal(identity, Script("true").Identity);
        Assert.NotEqual(identity, Script("false").Identity);
        Assert.NotEqual(identity, Script("true", "--steps 7").Identity);
        Assert.Equal(new ExternalTrainer("train --fast", "a").Identity, new ExternalTrainer("train --fast", "b").Identity);
        Assert.Throws<ArgumentException>(() => new ExternalTrainer(" ", "a"));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named()
    {
        File.WriteAllText(_folder["tasks"], "");
        Assert.Contains(_folder["tasks"], Message(Script("true")), StringComparison.Ordinal);
    }
}
