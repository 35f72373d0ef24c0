using System.CommandLine;
using System.CommandLine.Help;
using Pristine.Cli;
using Pristine.Cli.Commands;
using Pristine.Datasets;
using Pristine.Experiments.Training;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

// Not RootCommand: its name is that of the executable, and help should show the command as it is published.
var root = new Command(
    "pristine",
    "Pristine keeps low-quality images out of training sets: it scores every image with no-reference quality metrics and keeps what passes.")
{
    new HelpOption { Recursive = true },
    new VersionOption(),
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
var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine($"pristine: {error.Message}");
    Console.Error.WriteLine($"See '{string.Join(' ', Usage.Path(parsed))} --help'.");
    return ExitCode.Usage;
}
try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (Exception exception) when (exception is UsageException or RuleException)
{
    Console.Error.WriteLine($"pristine: {exception.Message}");
    return ExitCode.Usage;
}
catch (Exception exception) when (exception is DatasetException or ScoreTableException or IOException or UnauthorizedAccessException or InvalidOperationException
    or InvalidDataException or TrainerException or DllNotFoundException or PlatformNotSupportedException or OnnxRuntimeException)
{
    Console.Error.WriteLine($"pristine: {exception.Message}");
    return ExitCode.Failed;
}
