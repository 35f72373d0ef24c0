using System.CommandLine;
using System.CommandLine.Help;
using Pristine.Cli.Commands;
using Pristine.Cli.Display;
using Pristine.Cli.Options;

namespace Pristine.Cli;

/// <summary>The command <c>pristine</c> with all that it can do.</summary>
internal static class CommandLine
{
    private static readonly (string Name, Func<Command> Create)[] Commands =
    [
        ("check", CheckCommand.Create),
        ("score", ScoreCommand.Create),
        ("filter", FilterCommand.Create),
        ("select", SelectCommand.Create),
        ("run", RunCommand.Create),
        ("why", WhyCommand.Create),
        ("duplicates", DuplicatesCommand.Create),
        ("overlap", OverlapCommand.Create),
        ("diff", DiffCommand.Create),
        ("restore", RestoreCommand.Create),
        ("export", ExportCommand.Create),
        ("merge", MergeCommand.Create),
        ("compact", MergeCommand.CreateCompact),
        ("degrade", DegradeCommand.Create),
        ("bench", BenchCommand.Create),
        ("experiment", ExperimentCommand.Create),
        ("report", ReportCommand.Create),
        ("status", StatusCommand.Create),
        ("metrics", MetricsCommand.Create),
        ("fit", FitCommand.Create),
        ("models", ModelsCommand.Create),
        ("worker", WorkerCommand.Create),
        ("slurm", SlurmCommand.Create),
        ("k8s", KubernetesCommand.Create),
        ("serve", ServeCommand.Create),
        ("mcp", McpCommand.Create),
        ("doctor", DoctorCommand.Create),
    ];

    /// <summary>Makes the command of a name.</summary>
    public static Command CommandOf(string name)
    {
        var command = Array.Find(Commands, known => known.Name == name).Create();
        OptionRules.ApplyTo(command);
        return command;
    }

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length == 0)
            arguments = ["--help"];
        var help = new HelpOption { Recursive = true, Description = "Show help" };
        var parsed = Create(help, arguments[0]).Parse(arguments);
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
        return await parsed.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <summary>
    /// Makes the command. Where the first argument names a command, no other is made: their options, defaults and lists of names cost more
    /// than the parsing.
    /// </summary>
    // Not RootCommand: its name is that of the executable, and help should show the command as it is published.
    private static CliCommand Create(HelpOption help, string first)
    {
        var root = new CliCommand(
            "pristine",
            "Keeps low-quality images out of training sets: scores every image with no-reference quality metrics and keeps what passes.",
            "pristine check photos",
            "pristine filter data.jsonl --keep \"brisque <= 40\" --out kept.jsonl")
        {
            help,
            new VersionOption { Description = "Show the version, the build and the native libraries", Action = new ShowVersion() },
        };
        var only = first == "--version" ? [] : Array.FindAll(Commands, command => command.Name == first);
        foreach (var (_, create) in only.Length > 0 || first == "--version" ? only : Commands)
            root.Add(create());
        if (only.Length == 0)
        {
            root.Add(HelpCommand.Create(root));
            root.Add(CompletionCommand.Create());
            root.Add(CompletionCommand.CreateWords(root));
        }
        OptionRules.ApplyTo(root);
        return root;
    }
}
