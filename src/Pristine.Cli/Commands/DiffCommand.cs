using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine diff A B</c>: what two selections, or the same rules on two tables, keep differently.</summary>
internal static class DiffCommand
{
    public static Command Create()
    {
        var first = new Argument<string>("A") { Description = SelectionSource.Description };
        var second = new Argument<string>("B") { Description = "The same" };
        var examples = new Option<int>("--examples")
        {
            Description = "How many differences of each side to show",
            HelpName = "N",
            DefaultValueFactory = _ => 10,
        };
        examples.AtLeast(0);
        var selection = new SelectionArguments();
        var arguments = new TableArguments();
        var command = new CliCommand(
            "diff",
            "Compares two ledgers, or what the same rules keep of two tables.",
            "pristine diff first.parquet second.parquet",
            "pristine diff scores-old scores-new --keep \"brisque <= 40\"");
        command.Arguments.Add(first);
        command.Arguments.Add(second);
        command.Options.Add(examples);
        selection.AddTo(command);
        arguments.AddTo(command);
        command.SetAction(parsed =>
        {
            using var scratch = ScratchFolder.Create("diff");
            Ledger Open(string source, string name)
            {
                if (!Directory.Exists(source))
                    return Ledger.Open(source);
                var file = scratch.FileOf(name);
                var table = TableArguments.Open(source);
                using var run = SelectionRun.Run(
                    table, selection.ReadSome(parsed), arguments.Resources(parsed), () => arguments.OpenDataset(parsed, table));
                using var ledger = new LedgerWriter(file);
                ledger.Write(run);
                return Ledger.Open(file);
            }

            var (a, b) = (parsed.GetRequiredValue(first), parsed.GetRequiredValue(second));
            Print(a, b, LedgerComparison.Of(Open(a, "a.parquet"), Open(b, "b.parquet"), parsed.GetRequiredValue(examples)));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(string a, string b, LedgerComparison comparison)
    {
        void Count(string name, long count) => Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,12:N0}  {name}"));
        Count("kept by both", comparison.KeptByBoth);
        Count($"kept by {a} only", comparison.KeptByFirst);
        Count($"kept by {b} only", comparison.KeptBySecond);
        Count("dropped by both", comparison.DroppedByBoth);
        if (comparison.OnlyInFirst > 0)
            Count($"only in {a}", comparison.OnlyInFirst);
        if (comparison.OnlyInSecond > 0)
            Count($"only in {b}", comparison.OnlyInSecond);
        foreach (var keptByFirst in (ReadOnlySpan<bool>)[true, false])
        {
            var side = comparison.Examples.Where(example => example.KeptByFirst == keptByFirst).ToArray();
            if (side.Length > 0)
                Console.Out.WriteLine($"dropped by {(keptByFirst ? b : a)} only:");
            foreach (var example in side)
                Console.Out.WriteLine(
                    $"  {new string([.. $"{example.Id}: {example.Reason}".Select(c => char.IsControl(c) ? '\uFFFD' : c)])}");
        }
    }
}
