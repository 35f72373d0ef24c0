using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary>The table of a selecting command, and what the selection may use.</summary>
internal sealed class TableArguments
{
    private readonly Option<string?> _input = new("--input")
    {
        Description = "The dataset, if it is no longer where it was scored",
        HelpName = "INPUT",
    };

    private readonly Option<string?> _imageRoot = new("--image-root") { Description = "With --input: folder of relative image paths", HelpName = "DIR" };

    private readonly Option<string?> _imageField = new("--image-field") { Description = "With --input: field of records that names their images", HelpName = "NAME" };

    private readonly Option<int> _threads = new("--workers", "-j")
    {
        Description = "Threads; they do not change the result",
        HelpName = "N",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    public void AddTo(Command command)
    {
        _threads.Between(1, Inputs.MostWorkers);
        command.Options.Add(_input);
        command.Options.Add(_imageRoot);
        command.Options.Add(_imageField);
        command.Options.Add(_threads);
    }

    public Dataset OpenDataset(ParseResult parsed, ScoreTable table) => parsed.GetValue(_input) is { } input
        ? Dataset.Open(input, new DatasetOptions { ImageRoot = parsed.GetValue(_imageRoot), ImageField = parsed.GetValue(_imageField) ?? table.Provenance.Dataset.ImageField })
        : SelectionRun.OpenDataset(table);

    public SelectionResources Resources(ParseResult parsed) => new() { Threads = parsed.GetValue(_threads) };

    /// <summary>Opens a table and says on stderr when it is not whole.</summary>
    public static ScoreTable Open(string folder)
    {
        var table = ScoreTable.Open(folder);
        if (table.Incomplete is { } missing)
            Console.Error.WriteLine($"pristine: the table {folder} is not complete: {missing}. 'pristine score' goes on with it.");
        return table;
    }
}

/// <summary><c>pristine select TABLE --keep RULE</c>: applies rules to a score table; no image is read.</summary>
internal static class SelectCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("TABLE") { Description = "A score table, made by 'pristine score INPUT --out TABLE'" };
        var arguments = new TableArguments();
        var selection = new SelectionArguments();
        var outputs = new SelectionOutputs(isRequired: false);
        var command = new CliCommand(
            "select",
            "Applies rules to a score table: counts what they keep, exports it, and writes a ledger of why.",
            "pristine select scores --keep \"brisque <= 40 and min_side >= 256\"",
            "pristine select scores --keep-top 80% --by brisque --out kept.jsonl");
        command.Arguments.Add(folder);
        selection.AddTo(command);
        outputs.AddTo(command);
        arguments.AddTo(command);
        command.SetAction(parsed =>
        {
            var options = selection.ReadSome(parsed);
            var table = TableArguments.Open(parsed.GetRequiredValue(folder));
            using var interruption = new Interruption();
            var dataset = outputs.Out(parsed) == null ? null : arguments.OpenDataset(parsed, table);
            var mode = outputs.Mode(parsed, dataset);
            using var open = outputs.Open(parsed, dataset, dataset?.Source ?? table.Provenance.Dataset.Path, mode);
            try
            {
                using var run = SelectionRun.Run(
                    table, options, arguments.Resources(parsed), () => dataset ?? arguments.OpenDataset(parsed, table), interruption.Token);
                var notExported = open.Write(run, interruption.Token);
                outputs.Summarize(parsed, run);
                if (run.Items == 0)
                    Console.Error.WriteLine($"pristine: no items in the score table {run.Table}.");
                return notExported > 0 ? ExitCode.Failed : ExitCode.Done;
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine("Stopped; no file has its final name yet.");
                return ExitCode.Interrupted;
            }
        });
        return command;
    }
}
