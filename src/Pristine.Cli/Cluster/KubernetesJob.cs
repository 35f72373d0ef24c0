using System.Globalization;
using System.Text;

namespace Pristine.Cli.Cluster;

/// <summary>What the pods of a job get.</summary>
internal sealed record KubernetesSettings
{
    /// <summary>The image that has the program.</summary>
    public required string Image { get; init; }

    /// <summary>The claim of a volume that all pods mount for writing.</summary>
    public required string Claim { get; init; }

    /// <summary>The job's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where the volume is mounted; dataset and table are named from there.</summary>
    public string Mount { get; init; } = "/data";

    /// <summary>The namespace; null for that of <c>kubectl</c>.</summary>
    public string? Namespace { get; init; }

    /// <summary>Processors of a pod, and its threads.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>Memory of a pod as Kubernetes writes it.</summary>
    public string Memory { get; init; } = "2Gi";

    /// <summary>Pods that run at a time; null for one per shard.</summary>
    public int? Parallelism { get; init; }

    /// <summary>How often a shard is tried again whose pod has failed by itself.</summary>
    public int Retries { get; init; } = 3;
}

/// <summary>An indexed Job of Kubernetes with a pod per shard, as YAML.</summary>
/// <param name="Scoring">The work.</param>
/// <param name="Settings">What the pods get.</param>
internal sealed record KubernetesJob(ShardedScoring Scoring, KubernetesSettings Settings)
{
    /// <summary>Seconds that a pod has to write its rows when it is to go.</summary>
    private const int GraceSeconds = 60;

    /// <summary>The manifest.</summary>
    /// <remarks>
    /// Kubernetes puts <c>JOB_COMPLETION_INDEX</c> into the environment of the container and replaces <c>$(NAME)</c> in its arguments;
    /// <c>$$</c> stands for a dollar sign.
    /// </remarks>
    public string Manifest()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {Text(Settings.Name)}\n");
        if (Settings.Namespace is { } space)
            text.Append(CultureInfo.InvariantCulture, $"  namespace: {Text(space)}\n");
        text.Append(string.Create(CultureInfo.InvariantCulture, $"""
            spec:
              completionMode: Indexed
              completions: {Scoring.Shards}
              parallelism: {Settings.Parallelism ?? Scoring.Shards}
              backoffLimitPerIndex: {Settings.Retries}
              podFailurePolicy:
                rules:
                  # A pod that lost its node, or had to make room, is replaced however often that happens.
                  - action: Ignore
                    onPodConditions:
                      - type: DisruptionTarget
              template:
                spec:
                  restartPolicy: Never
                  terminationGracePeriodSeconds: {GraceSeconds}
                  containers:
                    - name: pristine
                      image: {Text(Settings.Image)}
                      workingDir: {Text(Settings.Mount)}
                      command: ["pristine"]
                      args:

            """).ReplaceLineEndings("\n"));
        var words = (string[])
        [
            "score", Escaped(Scoring.Input), "--out", Escaped(Scoring.Table), "--shard",
            string.Create(CultureInfo.InvariantCulture, $"$(JOB_COMPLETION_INDEX)/{Scoring.Shards}"),
            "--workers", Settings.Cpus.ToString(CultureInfo.InvariantCulture), .. Scoring.Options.Select(Escaped),
        ];
        foreach (var word in words)
            text.Append(CultureInfo.InvariantCulture, $"            - {Text(word)}\n");
        text.Append(string.Create(CultureInfo.InvariantCulture, $"""
                      resources:
                        requests:
                          cpu: "{Settings.Cpus}"
                          memory: {Text(Settings.Memory)}
                        limits:
                          memory: {Text(Settings.Memory)}
                      volumeMounts:
                        - name: data
                          mountPath: {Text(Settings.Mount)}
                  volumes:
                    - name: data
                      persistentVolumeClaim:
                        claimName: {Text(Settings.Claim)}

            """).ReplaceLineEndings("\n"));
        return text.ToString();
    }

    private static string Escaped(string argument) => argument.Replace("$", "$$", StringComparison.Ordinal);

    /// <summary>A text in YAML's double quotes, in which it is always a text.</summary>
    private static string Text(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var letter in value)
        {
            if (letter is '"' or '\\')
                text.Append('\\').Append(letter);
            else if (char.IsControl(letter) || letter is '\u0085' or '\u2028' or '\u2029' or '\uFEFF')
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}");
            else
                text.Append(letter);
        }
        return text.Append('"').ToString();
    }
}
