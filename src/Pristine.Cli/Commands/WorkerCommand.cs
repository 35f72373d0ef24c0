using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Native;
using Pristine.Scoring;

namespace Pristine.Cli.Commands;

/// <summary>
/// <c>pristine worker</c>: scores what the lines of stdin ask for, for programs that keep it running. See docs/worker.md.
/// </summary>
internal static class WorkerCommand
{
    private const int MostMegabytes = 512;

    public static Command Create()
    {
        var inputs = new Inputs();
        var metrics = new MetricArguments();
        var longest = new Option<int>("--max-line-megabytes")
        {
            Description = "Longest request; a longer one is answered with an error and passed over",
            HelpName = "N",
            DefaultValueFactory = _ => new ScoringWorkerOptions().MostLineBytes >> 20,
        };
        longest.Between(1, MostMegabytes);
        var command = new CliCommand(
            "worker",
            "Answers JSON requests on stdin, one per line, with one line each, in order, until its input ends. docs/worker.md describes " +
            "both.",
            "echo '{\"path\":\"photos/a.jpg\"}' | pristine worker",
            "pristine worker --metrics brisque,sharpness --workers 4");
        metrics.AddTo(command);
        inputs.AddRootTo(command);
        inputs.AddDecodingTo(command);
        inputs.AddHeadsTo(command);
        command.Options.Add(longest);
        command.SetAction(parsed =>
        {
            var images = inputs.Options(parsed);
            var options = new ScoringWorkerOptions
            {
                ImageRoot = images.ImageRoot ?? "",
                ImageField = images.ImageField,
                Remote = images.Remote,
                MostLineBytes = parsed.GetValue(longest) << 20,
            };
            return Run(parsed, inputs, metrics.Scoring(parsed, inputs), options);
        });
        return command;
    }

    // Ctrl-C and SIGTERM end it at once: every line that was written is whole, and there is nothing else to lose.
    private static int Run(ParseResult parsed, Inputs inputs, ScoringOptions scoring, ScoringWorkerOptions options)
    {
        using var stdin = StandardStreams.OpenInput();
        using var stdout = new StandardOutputStream();
        try
        {
            return inputs.ExitCodeOf(parsed, ScoringWorker.Run(stdin, stdout, scoring, options));
        }
        catch (IOException) when (stdout.HasNoReader)
        {
            // Nobody is left to answer.
            return ExitCode.Done;
        }
    }
}
