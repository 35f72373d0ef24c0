using Pristine.Cli;
using Pristine.Cli.Display;
using Pristine.Media;
using Pristine.PaddleMix;

// Before anything else: this is how decoding in processes of their own begins.
if (DecoderIsolation.TryRunChild(args))
    return ExitCode.Done;
Messages.Open();
PartFiles.Register();
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
