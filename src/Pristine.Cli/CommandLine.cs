using System.CommandLine;
using System.CommandLine.Help;
using Pristine.Cli.Commands;
using Pristine.Cli.Display;
using Pristine.Cli.Options;

namespace Pristine.Cli;

/// <summary>The command <c>pristine</c> with all that it can do.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        var help = new HelpOption { Recursive = true, Description = "Show help" };
        var parsed = Create(help).Parse(arguments.Length == 0 ? ["--help"] : arguments);
        if (parsed.GetResult(help) != null)
        {
            HelpPage.Write(parsed.CommandResult.Command, Console.Out);
            return ExitCode.Done;
        }
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in UsageErrors.Of(parsed))
                Console.Error.WriteLine($"pristine: {error}");
            Console.Error.WriteLine($"See '{Usage.Path(parsed.CommandResult.Command)} --help'.");
            return ExitCode.Usage;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    // Not RootCommand: its name is that of the executable, and help should show the command as it is published.
    private static CliCommand Create(HelpOption help)
    {
        var root = new CliCommand(
            "pristine",
            "Keeps low-quality images out of training sets: scores every image with no-reference quality metrics and keeps what passes.",
            "pristine score photos",
            "pristine filter data.jsonl --keep \"brisque <= 40\" --out kept.jsonl")
        {
            help,
            new VersionOption { Description = "Show the version" },
            ScoreCommand.Create(),
            FilterCommand.Create(),
            SelectCommand.Create(),
            WhyCommand.Create(),
            DiffCommand.Create(),
            RestoreCommand.Create(),
            ExportCommand.Create(),
            DegradeCommand.Create(),
            BenchCommand.Create(),
            ExperimentCommand.Create(),
            ReportCommand.Create(),
            MetricsCommand.Create(),
            FitCommand.Create(),
            ModelsCommand.Create(),
            DoctorCommand.Create(),
        };
        root.Add(HelpCommand.Create(root));
        root.Add(CompletionCommand.Create());
        root.Add(CompletionCommand.CreateWords(root));
        OptionRules.ApplyTo(root);
        return root;
    }
}
