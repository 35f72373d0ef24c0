using k8s;
using k8s.Models;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// <c>pristine slurm</c> with programs that stand for Slurm's, which only note how they are called (<see cref="SlurmTests"/> has the real
/// ones), and <c>pristine k8s</c>.
/// </summary>
public sealed class ClusterTests : IDisposable
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_dry_run_prints_what_the_documentation_shows_and_writes_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Prints POSIX paths.");
        Directory.CreateDirectory(_folder["photos"]);
        File.Copy(Path.Combine(Photos, "leaf.jpg"), _folder["photos/leaf.jpg"]);
        var page = File.ReadAllText(TestFiles.InRepository("docs", "cluster.md"));
        var command = page.Split("```sh\npristine slurm submit ")[1].Split("\n```")[0];
        var shown = page.Split("```sh\npristine slurm submit ")[1].Split("```text\n")[1].Split("```")[0];
        var result = PristineCommand.Shell($"{PristineCommand.InShell} slurm submit {command}", _folder.Path).Expect(0);
        Assert.Equal(shown, result.Output.Replace(_folder.Path, "/home/me", StringComparison.Ordinal));
        Assert.Equal(["photos"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Without_Slurm_nothing_is_written_and_the_message_says_what_to_do()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Slurm runs on Linux.");
        Directory.CreateDirectory(_folder["bin"]);
        var result = PristineCommand.Run(
            ["slurm", "submit", Photos, "--shards", "2", "--out", "table"], _folder.Path, null, ("PATH", _folder["bin"])).Expect(1);
        Assert.Contains("Expected Slurm's program 'sbatch' on the path; found none.", result.Error, StringComparison.Ordinal);
        Assert.Contains("--dry-run", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["table"]));
    }

    [Fact]
    public void What_is_submitted_twice_is_refused_or_goes_on_and_says_so()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Slurm runs on Linux.");
        Fake("sbatch", "echo \"$@\" >> calls; n=$(wc -l < calls); echo \"4$n\"");
        Fake("squeue", "cat queue 2>/dev/null || { echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; }");
        Fake("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");

        // Four parts, with 3, 2, 2 and 1 of these records.
        File.WriteAllLines(_folder["data.jsonl"], Enumerable.Range(0, 8).Select(
            i => $$"""{"image": "{{Path.Combine(Photos, "leaf.jpg")}}", "text": "{{new string('x', 32_700 - Photos.Length)}}"}"""));
        var table = _folder["table"];
        var first = Submit("4", "--array-limit", "2", "--", "-m", "width").Expect(0);
        Assert.Equal(
            $"job 41: 4 tasks score data.jsonl into {table}\njob 42: makes one table of their parts when they have ended\n", first.Output);
        Assert.Equal(
            [$"--parsable {table}/slurm/score.sh", $"--parsable --dependency=afterany:41 {table}/slurm/finish.sh"],
            File.ReadAllLines(_folder["calls"]));
        Assert.Contains("#SBATCH --array=0-3%2\n", Script(), StringComparison.Ordinal);
        Assert.Equal("shards  4: 4 not finished\nstopped 0, 1, 2, 3\n", Status().Expect(0).Output);
        Assert.Contains("none of its tasks has begun", Status("--check").Expect(1).Error, StringComparison.Ordinal);

        File.WriteAllLines(
            _folder["queue"], ["41_0|COMPLETED|None|n1", "41_1|RUNNING|None|n1", "41_2|PENDING|Resources|", "42|PENDING|Dependency|"]);
        Assert.Contains(
            $"The job 41 of {table} is not over: 3 of its tasks wait or run.", Submit("4").Expect(1).Error, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(_folder["calls"]).Length);

        // Shards 0 and 2 are through, 1 and 3 have failed, and at last Slurm has forgotten the job.
        foreach (var shard in (string[])["0/4", "2/4"])
            Score(shard);
        File.WriteAllText(_folder["queue"], "41_1|FAILED|NonZeroExitCode|n1\n");
        Assert.Equal(
            "shards  4: 2 finished, 1 failed, 1 not finished\nparts   2 of 4 finished, with 5 rows\nstopped 1 (n1), 3\n",
            Status().Expect(0).Output);
        File.Delete(_folder["queue"]);
        Assert.Contains("4: 2 finished, 2 not finished", Status().Expect(0).Output, StringComparison.Ordinal);
        Assert.Contains("is not complete: 2 of 4 parts are not finished", Status("--check").Expect(1).Error, StringComparison.Ordinal);

        Assert.Contains("made with (width); found 'height'", Submit("4", "--", "-m", "width,height").Expect(2).Error,
            StringComparison.Ordinal);
        var second = Submit("4", "--", "-m", "width").Expect(0);
        Assert.Contains("2 of 4 shards are finished, the other 2 go on", second.Error, StringComparison.Ordinal);
        Assert.StartsWith("job 43: 2 tasks", second.Output, StringComparison.Ordinal);
        Assert.Contains("#SBATCH --array=1,3\n", Script(), StringComparison.Ordinal);
        // Another number of shards: each of two has one part that is finished and one that is not.
        Assert.Contains("0 of 2 shards are finished, the other 2 go on", Submit("2", "--", "-m", "width").Expect(0).Error,
            StringComparison.Ordinal);
        foreach (var shard in (string[])["1/4", "3/4"])
            Score(shard);
        Assert.Contains("all 4 shards are finished, nothing is submitted", Submit("4", "--", "-m", "width").Expect(0).Error,
            StringComparison.Ordinal);

        // What the job at the end does.
        Assert.Equal(
            "shards  2: 2 finished\nparts   4 of 4 finished, with 8 rows\n", Status("--check").Expect(0).Output);
        PristineCommand.Run("compact", table).Expect(0);
        Assert.Equal("shards  2: 2 finished\ntable   one, with 8 rows\n", Status("--check").Expect(0).Output);
        Assert.Contains("is finished and one table: nothing is submitted", Submit("4").Expect(0).Error, StringComparison.Ordinal);
        Assert.Equal(6, File.ReadAllLines(_folder["calls"]).Length);
    }

    [Fact]
    public void A_table_of_one_run_is_not_submitted()
    {
        PristineCommand.Run("score", Photos, "--out", _folder["table"], "-m", "width").Expect(0);
        Assert.Contains("was made by one run. 'pristine score", PristineCommand.Run(
            "slurm", "submit", Photos, "--shards", "2", "--out", _folder["table"], "--dry-run").Expect(1).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_Slurm_refuses_is_told_and_leaves_no_record()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Slurm runs on Linux.");
        File.WriteAllLines(_folder["data.jsonl"], ["""{"image": "a.jpg"}"""]);
        Fake("sbatch", "echo 'sbatch: error: invalid partition specified: nix' >&2; exit 1");
        Assert.Equal(
            "pristine: sbatch: sbatch: error: invalid partition specified: nix\n", Submit("4", "--partition", "nix").Expect(1).Error);
        Assert.Contains("does not exist", Status().Expect(1).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--workers: expected no such option of 'pristine score' here; each task has as many threads", "--", "-j", "3")]
    [InlineData("--shard: expected no such option", "--", "--shard", "0/2")]
    [InlineData("--out: expected no such option", "--", "--out", "x")]
    [InlineData("There is no metric 'brisk'. Nearest: brisque", "--", "-m", "brisk")]
    [InlineData("'score' has no option '--metric-set'", "--", "--metric-set", "x")]
    [InlineData("takes INPUT; found 'more' as well", "more")]
    [InlineData("There is no column 'nix'", "--", "--cascade", "nix < 3")]
    [InlineData("--sbatch: --array is set by 'pristine slurm submit' itself", "--sbatch", "array=0-3")]
    [InlineData("--sbatch: expected one line", "--sbatch", "comment=a\nrm -rf x")]
    [InlineData("without quotes, backslashes and line breaks", "--partition", "a\nrm -rf x")]
    [InlineData("--cpus: expected 1 to 1024; found 0.", "--cpus", "0")]
    public void A_mistake_is_told_before_anything_is_submitted(string message, params string[] arguments)
    {
        var result = PristineCommand.Run(
            ["slurm", "submit", Photos, "--shards", "2", "--out", "table", "--dry-run", .. arguments], _folder.Path).Expect(2);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.OutputBytes);
    }

    [Fact]
    public void A_device_of_the_nodes_need_not_be_here() =>
        Assert.Contains("--device cuda:3", PristineCommand.Run(
            ["slurm", "submit", Photos, "--shards", "2", "--out", "table", "--dry-run", "--", "--device", "cuda:3"], _folder.Path)
            .Expect(0).Output, StringComparison.Ordinal);

    [Fact]
    public void A_list_on_stdin_and_a_table_in_a_bucket_are_refused()
    {
        Assert.Contains("every node can read; found -", PristineCommand.Run(
            "slurm", "submit", "-", "--shards", "2", "--out", _folder["t"], "--dry-run").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("Expected a folder for the score table", PristineCommand.Run(
            "slurm", "submit", Photos, "--shards", "2", "--out", "s3://bucket/t", "--dry-run").Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("Expected a folder for the score table", PristineCommand.Run(
            "k8s", "photos", "--shards", "2", "--image", "i", "--claim", "c", "--out", "s3://bucket/t").Expect(1).Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_of_Kubernetes_is_one_by_its_schema()
    {
        const string odd = "\"quoted\" \\ 'single' # $HOME: $(JOB_COMPLETION_INDEX) é 😀";
        var manifest = PristineCommand.Run(
            "k8s", "photos", "--shards", "64", "--image", "registry.example.org/pristine:1", "--claim", "data", "--out", "scores",
            "--cpus", "4", "--memory", "8Gi", "--parallelism", "16", "--namespace", "vision", "--name", "score-photos", "--",
            "-m", "brisque,noise", "--cascade", "brisque <= 60", "--image-field", odd).Expect(0).Output;
        // A field that the schema does not have is an error.
        var job = KubernetesYaml.Deserialize<V1Job>(manifest, strict: true);
        Assert.Equal(("batch/v1", "Job"), (job.ApiVersion, job.Kind));
        Assert.Equal(("score-photos", "vision"), (job.Metadata.Name, job.Metadata.NamespaceProperty));
        Assert.Equal(("Indexed", 64, 16, 3), (
            job.Spec.CompletionMode, job.Spec.Completions, job.Spec.Parallelism, job.Spec.BackoffLimitPerIndex));
        var rule = Assert.Single(job.Spec.PodFailurePolicy.Rules);
        Assert.Equal(("Ignore", "DisruptionTarget"), (rule.Action, Assert.Single(rule.OnPodConditions).Type));
        var pod = job.Spec.Template.Spec;
        Assert.Equal("Never", pod.RestartPolicy);
        var container = Assert.Single(pod.Containers);
        Assert.Equal(("registry.example.org/pristine:1", "/data"), (container.Image, container.WorkingDir));
        Assert.Equal(["pristine"], container.Command);
        var escaped = odd.Replace("$", "$$", StringComparison.Ordinal);
        Assert.Equal(
            [
                "score", "photos", "--out", "scores", "--shard", "$(JOB_COMPLETION_INDEX)/64", "--workers", "4", "-m", "brisque,noise",
                "--cascade", "brisque <= 60", "--image-field", escaped,
            ],
            container.Args);
        Assert.Equal(("4", "8Gi"), (container.Resources.Requests["cpu"].ToString(), container.Resources.Limits["memory"].ToString()));
        Assert.Equal(("data", "/data"), (Assert.Single(container.VolumeMounts).Name, container.VolumeMounts[0].MountPath));
        var volume = Assert.Single(pod.Volumes);
        Assert.Equal(("data", "data"), (volume.Name, volume.PersistentVolumeClaim.ClaimName));
    }

    [Fact]
    public void What_the_containers_of_a_manifest_do_makes_the_table_of_one_machine()
    {
        Directory.CreateDirectory(_folder["photos"]);
        foreach (var photo in Directory.GetFiles(Photos, "*.jpg").Order(StringComparer.Ordinal).Take(7))
            File.Copy(photo, _folder[$"photos/{Path.GetFileName(photo)}"]);
        var manifest = PristineCommand.Run(
            "k8s", "photos", "--shards", "3", "--image", "i", "--claim", "c", "--out", "scores", "--", "-m", "width").Expect(0).Output;
        var arguments = KubernetesYaml.Deserialize<V1Job>(manifest, strict: true).Spec.Template.Spec.Containers[0].Args;
        for (var index = 0; index < 3; index++)
            PristineCommand.Run(
                [.. arguments.Select(word => word.Replace("$(JOB_COMPLETION_INDEX)", $"{index}", StringComparison.Ordinal))],
                _folder.Path).Expect(0);
        PristineCommand.Run(["score", "photos", "--out", "one", "-m", "width"], _folder.Path).Expect(0);
        foreach (var table in (string[])["one", "scores"])
            PristineCommand.Run(["export", table, "--format", "jsonl", "--out", $"{table}.jsonl"], _folder.Path).Expect(0);
        Assert.Equal(File.ReadAllLines(_folder["one.jsonl"]), File.ReadAllLines(_folder["scores.jsonl"]));
    }

    [Theory]
    [InlineData("--name: expected small letters, digits and '-'", "--name", "My_Job")]
    [InlineData("--memory: expected a size such as 512Mi or 4Gi; found '4GB'.", "--memory", "4GB")]
    [InlineData("--mount: expected an absolute path; found 'data'.", "--mount", "data")]
    [InlineData("There is no metric 'brisk'", "--", "-m", "brisk")]
    [InlineData("--workers: expected no such option", "--", "--workers", "2")]
    public void A_manifest_with_a_mistake_is_not_printed(string message, params string[] arguments)
    {
        var result = PristineCommand.Run(
            ["k8s", "photos", "--shards", "2", "--image", "i", "--claim", "c", "--out", "t", .. arguments], _folder.Path).Expect(2);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.OutputBytes);
    }

    private (string Name, string Value)[] Environment() =>
        [("PATH", $"{_folder["bin"]}:{System.Environment.GetEnvironmentVariable("PATH")}")];

    private CommandResult Submit(string shards, params string[] arguments) => PristineCommand.Run(
        ["slurm", "submit", "data.jsonl", "--shards", shards, "--out", "table", .. arguments], _folder.Path, null, Environment());

    private void Score(string shard) => PristineCommand.Run(
        ["score", "data.jsonl", "--out", "table", "--shard", shard, "-m", "width"], _folder.Path).Expect(0);

    private CommandResult Status(params string[] arguments) =>
        PristineCommand.Run(["slurm", "status", "table", .. arguments], _folder.Path, null, Environment());

    private string Script() => File.ReadAllText(_folder["table/slurm/score.sh"]);

    private void Fake(string program, string line)
    {
        Directory.CreateDirectory(_folder["bin"]);
        File.WriteAllText(_folder[$"bin/{program}"], $"#!/bin/bash\n{line}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder[$"bin/{program}"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
