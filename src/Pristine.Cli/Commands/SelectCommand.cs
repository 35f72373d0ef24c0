using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Datasets;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine select TABLE --keep RULE</c>: applies rules to a score table; no image is read.</summary>
internal static class SelectCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("TABLE") { Description = "A score table, made by 'pristine score INPUT --out TABLE'" };
        var arguments = new TableArguments();
        var selection = new SelectionArguments();
        var outputs = new SelectionOutputs();
        var recipe = new RecipeArguments();
        var command = new CliCommand(
            "select",
            "Applies rules to a score table: counts what they keep, exports it, and writes a ledger of why.",
            "pristine select scores --keep \"brisque <= 40 and min_side >= 256\"",
            "pristine select scores --keep-top 80% --by brisque --out kept.jsonl");
        command.Arguments.Add(folder);
        selection.AddTo(command);
        outputs.AddTo(command);
        arguments.AddTo(command);
        recipe.AddTo(command);
        command.SetAction(parsed =>
        {
            var options = selection.ReadSome(parsed);
            var table = TableArguments.Open(parsed.GetRequiredValue(folder));
            var dataset = outputs.Out(parsed) == null ? null : arguments.OpenDataset(parsed, table);
            var mode = outputs.Mode(parsed, dataset);
            SelectionRun.CheckRules(table, options);
            using var open = outputs.Open(
                parsed, dataset, dataset?.Source ?? table.Provenance.Dataset.Path, mode, arguments.Remote(parsed));
            var metrics = options.Parse().Metrics.Select(metric => metric.Name).ToArray();
            recipe.Apply(parsed, table.Provenance.Columns.Where(column => metrics.Contains(column.Metric)), options.Issues);
            return Job.Run(() => "Stopped; no file has its final name yet.", cancellation =>
            {
                using var run = SelectionRun.Run(
                    table, options, arguments.Resources(parsed), () => dataset ?? arguments.OpenDataset(parsed, table), cancellation);
                var notExported = open.Write(run, cancellation);
                outputs.WriteReport(parsed, table, parsed.GetRequiredValue(folder), arguments.Remote(parsed), cancellation);
                outputs.Summarize(parsed, run);
                if (run.Items == 0)
                    Console.Error.WriteLine($"pristine: no items in the score table {run.Table}.");
                return notExported > 0 ? ExitCode.Failed : ExitCode.Done;
            });
        });
        return command;
    }
}
