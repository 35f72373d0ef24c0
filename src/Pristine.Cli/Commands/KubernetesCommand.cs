using System.CommandLine;
using System.Text.RegularExpressions;
using Pristine.Cli.Cluster;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine k8s</c>: prints the manifest of a job that scores a dataset on Kubernetes. See docs/cluster.md.</summary>
internal static partial class KubernetesCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("INPUT") { Description = "A dataset; a relative path starts where the volume is mounted" };
        var options = ClusterOptions.ScoreOptions();
        var shards = ClusterOptions.Shards();
        var table = ClusterOptions.Table("Folder for the score table; a relative path starts where the volume is mounted");
        var image = new Option<string>("--image")
        {
            Description = "Image of the program; the Dockerfile makes one",
            HelpName = "IMAGE",
            Required = true,
        };
        var claim = new Option<string>("--claim")
        {
            Description = "PersistentVolumeClaim that all pods mount for writing (ReadWriteMany)",
            HelpName = "NAME",
            Required = true,
        };
        var mount = new Option<string>("--mount")
        {
            Description = "Where it is mounted",
            HelpName = "DIR",
            DefaultValueFactory = _ => "/data",
        };
        mount.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !token.Value.StartsWith('/')) is { } relative)
                result.AddError($"--mount: expected an absolute path; found '{relative.Value}'.");
        });
        var name = Named("--name", "Name of the job", _ => "pristine");
        var space = Named("--namespace", "Namespace; default: that of kubectl", null);
        var cpus = new Option<int>("--cpus")
        {
            Description = "Processors of a pod, and its threads",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        cpus.Between(1, Inputs.MostWorkers);
        var memory = new Option<string>("--memory")
        {
            Description = "Memory of a pod as Kubernetes writes it",
            HelpName = "SIZE",
            DefaultValueFactory = _ => "2Gi",
        };
        memory.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !Quantity().IsMatch(token.Value)) is { } other)
                result.AddError($"--memory: expected a size such as 512Mi or 4Gi; found '{other.Value}'.");
        });
        var parallelism = new Option<int?>("--parallelism") { Description = "Pods that run at a time; default: all", HelpName = "N" };
        parallelism.AtLeast(1);
        var retries = new Option<int>("--retries")
        {
            Description = "How often a shard is tried again whose pod has failed; pods that lost their node do not count",
            HelpName = "N",
            DefaultValueFactory = _ => 3,
        };
        retries.AtLeast(0);
        var command = new CliCommand(
            "k8s",
            "Prints the manifest of an indexed Job for Kubernetes that scores a dataset into a table, a pod per shard.",
            "pristine k8s photos --shards 64 --image pristine:1 --claim data --out scores",
            "pristine k8s in.csv --shards 8 --image IMAGE --claim data --out t -- -m noise")
        {
            input, options, shards, table, image, claim, mount, name, space, cpus, memory, parallelism, retries,
        };
        command.SetAction(parsed =>
        {
            var scoring = new ShardedScoring(
                parsed.GetRequiredValue(input), parsed.GetRequiredValue(table), parsed.GetValue(shards), parsed.GetValue(options) ?? []);
            ScoreTable.CheckPlace(scoring.Table);
            // The dataset is on the volume, which this machine need not have.
            _ = scoring.Check();
            Console.Out.Write(new KubernetesJob(scoring, new KubernetesSettings
            {
                Image = parsed.GetRequiredValue(image),
                Claim = parsed.GetRequiredValue(claim),
                Name = parsed.GetRequiredValue(name)!,
                Mount = parsed.GetRequiredValue(mount),
                Namespace = parsed.GetValue(space),
                Cpus = parsed.GetValue(cpus),
                Memory = parsed.GetRequiredValue(memory),
                Parallelism = parsed.GetValue(parallelism),
                Retries = parsed.GetValue(retries),
            }).Manifest());
        });
        return command;
    }

    private static Option<string?> Named(
        string option, string description, Func<System.CommandLine.Parsing.ArgumentResult, string?>? standard)
    {
        var name = new Option<string?>(option) { Description = description, HelpName = "NAME" };
        if (standard != null)
            name.DefaultValueFactory = standard;
        name.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !Label().IsMatch(token.Value)) is { } other)
                result.AddError(
                    $"{option}: expected small letters, digits and '-', at most 63, beginning and ending with a letter or digit; " +
                    $"found '{other.Value}'.");
        });
        return name;
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex Label();

    [GeneratedRegex(@"^[0-9]+(\.[0-9]+)?([kMGTPE]|[KMGTPE]i)?\z")]
    private static partial Regex Quantity();
}
