using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary>
/// <c>pristine merge DIR... --out TABLE|FILE</c>: the parts that several runs have scored as one table; <c>pristine compact TABLE</c>: the
/// same in place.
/// </summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        var folders = new Argument<string[]>("DIR")
        {
            Description = "Folders with parts of one work, which 'pristine score --shard' has made",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string>("--out", "-o")
        {
            Description = "A new folder for the table; or a file, .parquet, .csv or .jsonl, for its rows",
            HelpName = "DIR|FILE",
            Required = true,
        };
        var size = PartSize();
        var command = new CliCommand(
            "merge",
            "Makes one table of the parts that several runs have scored, in the order of the dataset.",
            "pristine merge scores --out merged",
            "pristine merge node-1/scores node-2/scores --out scores.parquet");
        command.Arguments.Add(folders);
        command.Options.Add(output);
        command.Options.Add(size);
        command.SetAction(parsed =>
        {
            var target = parsed.GetRequiredValue(output);
            if (target == "-")
                throw new UsageException("--out: expected a folder or a file; 'pristine export' writes the rows of a table to stdout.");
            var table = TableMerge.Open(parsed.GetRequiredValue(folders));
            var format = Path.GetExtension(target).TrimStart('.').ToLowerInvariant();
            if (format is "parquet" or "csv" or "jsonl")
                table.Export(target, format);
            else
                TableMerge.Write(table, target, parsed.GetValue(size) << 20);
            Tell(table.RowCount, target);
            return ExitCode.Done;
        });
        return command;
    }

    public static Command CreateCompact()
    {
        var folder = new Argument<string>("TABLE") { Description = "A score table that no run is writing" };
        var size = PartSize();
        var command = new CliCommand(
            "compact",
            "Writes a score table anew in part files of about the same size; parts of several runs become one table.",
            "pristine compact scores",
            "pristine compact scores --part-mib 256");
        command.Arguments.Add(folder);
        command.Options.Add(size);
        command.SetAction(parsed =>
        {
            var table = parsed.GetRequiredValue(folder);
            var files = TableMerge.Compact(table, parsed.GetValue(size) << 20);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{files:N0} part files -> {table}"));
            return ExitCode.Done;
        });
        return command;
    }

    private static Option<long> PartSize()
    {
        var size = new Option<long>("--part-mib")
        {
            Description = "Size of a part file in MiB, about",
            HelpName = "N",
            DefaultValueFactory = _ => TableMerge.DefaultPartBytes >> 20,
        };
        size.Number("1 to 65536", mib => mib is >= 1 and <= 65_536);
        return size;
    }

    private static void Tell(long rows, string target) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} rows -> {target}"));
}
