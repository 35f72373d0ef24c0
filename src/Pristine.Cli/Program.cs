using Pristine.Cli;
using Pristine.Cli.Display;

Messages.Open();
if (Failure.OfSurroundings() is { } failure)
{
    Console.Error.WriteLine($"pristine: {failure}");
    return ExitCode.Failed;
}
try
{
    return await CommandLine.RunAsync(args);
}
catch (Exception exception)
{
    return Failure.Report(exception);
}
