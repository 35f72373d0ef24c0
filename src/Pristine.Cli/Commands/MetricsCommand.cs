using System.CommandLine;
using Pristine.Metrics;
using Spectre.Console;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine metrics [NAME]</c>: lists the metrics, or describes one in full.</summary>
internal static class MetricsCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("NAME") { Description = "Describe this metric in full", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        name.Validators.Add(result =>
        {
            var asked = result.GetValueOrDefault<string?>();
            if (asked != null && MetricCatalog.Find(asked) == null)
                result.AddError($"NAME: expected a metric; found '{asked}'. Nearest: {string.Join(", ", MetricCatalog.Nearest(asked, MetricCatalog.All.Select(m => m.Name)))}.");
        });
        name.CompletionSources.Add(_ => MetricCatalog.All.Select(m => new System.CommandLine.Completions.CompletionItem(m.Name)));
        var markdown = new Option<bool>("--markdown") { Description = "Print Markdown: docs/metrics.md, or the section of NAME" };
        var command = new Command("metrics", "Lists the metrics, or describes one in full.") { name, markdown };
        command.SetAction(parsed =>
        {
            var metric = parsed.GetValue(name) is { } asked ? MetricCatalog.Get(asked) : null;
            if (parsed.GetValue(markdown))
                Console.Out.Write(metric == null ? MetricDocumentation.ToMarkdown() : MetricDocumentation.ToMarkdown(metric));
            else if (metric == null)
                List();
            else
                Describe(metric);
        });
        return command;
    }

    private static void List()
    {
        string[] headings = ["name", "good end", "range", "unit", "needs", "measures"];
        var rows = MetricCatalog.All.Select(m =>
            (string[])[m.Name, MetricDocumentation.GoodEnd(m), MetricDocumentation.Range(m), m.Unit, MetricDocumentation.Needs(m), m.Summary]);
        if (Console.IsOutputRedirected)
        {
            foreach (var row in rows.Prepend(headings))
                Console.Out.WriteLine(string.Join('\t', row));
            return;
        }
        var table = new Table { Border = TableBorder.Simple };
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(heading) { NoWrap = heading == "name" });
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        AnsiConsole.Write(table);
    }

    private static void Describe(Metric metric)
    {
        var facts = MetricDocumentation.Facts(metric);
        if (metric.Missing is { } missing)
            facts = facts.Append(("Missing here", missing));
        if (metric.ModelSha256 is { } hash)
            facts = facts.Append(("Model", $"SHA-256 {hash}"));
        Console.Out.WriteLine($"{metric.Name}: {metric.Summary}");
        if (Console.IsOutputRedirected)
        {
            foreach (var (label, text) in facts)
                Console.Out.WriteLine($"{label}\t{text}");
            return;
        }
        var grid = new Grid().AddColumn(new GridColumn { NoWrap = true }).AddColumn();
        foreach (var (label, text) in facts)
            grid.AddRow(new Text(label, new Style(decoration: Decoration.Bold)), new Text(text));
        AnsiConsole.Write(grid);
    }
}
