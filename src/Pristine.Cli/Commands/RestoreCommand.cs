using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine restore LEDGER --out PATH</c>: dropped items back among the kept ones, in the original order.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("LEDGER")
        {
            Description = "A ledger that 'pristine select' or 'filter' wrote (--ledger or --dropped)",
        };
        var ids = new Option<string[]>("--id") { Description = "Put back only items with this id; may be repeated", HelpName = "ID" };
        var rules = new Option<string[]>("--rule")
        {
            Description = "Put back only what this rule dropped, as the ledger writes it; may be repeated",
            HelpName = "RULE",
        };
        var outputs = new SelectionOutputs(isRequired: true);
        var arguments = new TableArguments();
        var command = new CliCommand(
            "restore",
            "Writes the dataset again with dropped items put back, unchanged and in the original order.",
            "pristine restore dropped.jsonl --out kept.jsonl --id 000042",
            "pristine restore dropped.jsonl --out kept.jsonl --rule \"min_side >= 256\"");
        command.Arguments.Add(source);
        command.Options.Add(ids);
        command.Options.Add(rules);
        outputs.AddItemsTo(command);
        arguments.AddTo(command);
        command.SetAction(parsed =>
        {
            var ledger = Ledger.Open(parsed.GetRequiredValue(source));
            var table = SelectionSource.TableOf(ledger.File, LedgerSelection.Read(ledger.File));
            var dataset = arguments.OpenDataset(parsed, ScoreTable.Open(table));
            var (onlyIds, onlyRules) = (parsed.GetValue(ids) ?? [], parsed.GetValue(rules) ?? []);
            Restoration.Check(ledger, onlyIds, onlyRules);
            long restored = 0;
            bool IsRestored(LedgerEntry entry)
            {
                var yes = (onlyIds.Length == 0 && onlyRules.Length == 0) || onlyIds.Contains(entry.Id) || onlyRules.Contains(entry.Rule);
                restored += yes ? 1 : 0;
                return yes;
            }

            return Job.Run(() => "Stopped; no file has its final name yet.", cancellation =>
            {
                var output = outputs.Out(parsed)!;
                using var open = outputs.Open(parsed, dataset, dataset.Source, outputs.Mode(parsed, dataset), arguments.Remote(parsed));
                var failed = open.Write(() => Restoration.Items(ledger, dataset, IsRestored, cancellation));
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{restored:N0} dropped items put back -> {output}"));
                return failed > 0 ? ExitCode.Failed : ExitCode.Done;
            });
        });
        return command;
    }
}
