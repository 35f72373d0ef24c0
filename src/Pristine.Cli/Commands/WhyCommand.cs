using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine why ID LEDGER</c>: all scores of an item, every rule with its value, and what decided.</summary>
internal static class WhyCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID")
        {
            Description = "The id of an item, the name of an image as the dataset or a list of kept images has it, or a file name that " +
                "only one item has",
        };
        var source = new Argument<string>("SOURCE") { Description = SelectionSource.Description };
        var selection = new SelectionArguments();
        var arguments = new TableArguments();
        var command = new CliCommand(
            "why",
            "Tells why an item was kept or dropped: all scores, every rule with value, threshold and margin.",
            "pristine why photos/a.jpg dropped.jsonl",
            "pristine why 000042 scores --keep \"brisque <= 40\"");
        command.Arguments.Add(id);
        command.Arguments.Add(source);
        selection.AddTo(command);
        arguments.AddTo(command);
        command.SetAction(parsed =>
        {
            var (table, options) = SelectionSource.Open(parsed.GetRequiredValue(source), selection.Read(parsed));
            using var run = SelectionRun.Run(table, options, arguments.Resources(parsed), () => arguments.OpenDataset(parsed, table));
            var items = Explanation.Of(run, parsed.GetRequiredValue(id));
            if (items.Count == 0)
            {
                Console.Error.WriteLine(
                    $"pristine: the table {table.Folder} has no item or image '{PlainText.Clean(parsed.GetRequiredValue(id))}'. Nearest: " +
                    $"{string.Join(", ", Explanation.Nearest(run, parsed.GetRequiredValue(id)).Select(PlainText.Clean))}.");
                return ExitCode.Failed;
            }
            foreach (var item in items)
                Print(item, !options.IsEmpty);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(ItemExplanation item, bool hasRules)
    {
        var decision = item.Decision;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"item {decision.Index}  {PlainText.Clean(decision.Id)}"));
        foreach (var image in item.Images)
        {
            var width = image.Columns.Max(column => column.Key.Length);
            foreach (var (name, value) in image.Columns.Where(column => column.Key is not ("id" or "item_index")))
                Console.Out.WriteLine(
                    $"  {name.PadRight(width)}  {(value != null ? PlainText.Clean(value) : IsSkipped(image, name) ? "skipped" : "-")}");
            foreach (var rule in image.Rules)
                Print(rule);
        }
        if (item.OfMean.Count > 0)
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  the mean of {item.Images.Count} images"));
        foreach (var rule in item.OfMean)
            Print(rule);
        if (hasRules)
            Console.Out.WriteLine($"  {(decision.Kept ? "KEPT" : "DROPPED")}: {PlainText.Clean(decision.Reason)}");

        void Print(RuleOutcome rule)
        {
            var word = rule.Holds switch { true => "holds  ", false => "FAILS  ", _ => "UNKNOWN" };
            var numbers = rule.Value == null
                ? rule.Holds == null ? $"  ({(rule.Skipped == null ? "missing score" : $"skipped: {PlainText.Clean(rule.Skipped)}")})" : ""
                : $"  value {Number(rule.Value)}"
                + (rule.Threshold == null ? "" : $", threshold {Number(rule.Threshold)}, margin {Number(rule.Margin)}");
            Console.Out.WriteLine(
                $"  {word}  " +
                $"{rule.Rule}{(rule.Comparison == rule.Rule ? "" : $"  [{rule.Comparison}]")}{numbers}{(rule.Rule == decision.Rule && rule.Holds != true ? "  <- decides" : "")}");
        }
    }

    private static bool IsSkipped(ImageExplanation image, string column) =>
        image.SkippedMetrics.Any(metric => column == metric || column == metric + Column.QualitySuffix);

    private static string Number(double? value) => value!.Value.ToString("0.######", CultureInfo.InvariantCulture);
}
