using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Scoring;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine export TABLE --format parquet --out FILE</c>: a score table as one file.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("TABLE") { Description = "A score table" };
        var format = new Option<string>("--format", "-f") { Description = "The kind of file", Required = true };
        format.OneOf("parquet", "csv", "jsonl");
        var output = new Option<string>("--out", "-o")
        {
            Description = "The file, replaced if it is there; - for stdout",
            HelpName = "FILE",
            Required = true,
        };
        var command = new CliCommand(
            "export",
            "Writes a score table as one file, in the order of the dataset.",
            "pristine export scores --format csv --out scores.csv",
            "pristine export scores --format parquet --out scores.parquet");
        command.Arguments.Add(folder);
        command.Options.Add(format);
        command.Options.Add(output);
        command.SetAction(parsed =>
        {
            var file = parsed.GetRequiredValue(output);
            var asked = parsed.GetRequiredValue(format);
            var rows = TableArguments.Open(parsed.GetRequiredValue(folder)).Export(file, asked);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} rows -> {file}"));
            return ExitCode.Done;
        });
        return command;
    }
}
