using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine metrics [NAME]</c>: lists the metrics, or describes one in full.</summary>
internal static class MetricsCommand
{
    /// <summary>Shorter lines have no room for units.</summary>
    private const int FullWidth = 120;

    public static Command Create()
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "Describe this metric in full",
            HelpName = "NAME",
            Arity = ArgumentArity.ZeroOrOne,
        };
        name.Validators.Add(result =>
        {
            var asked = result.GetValueOrDefault<string?>();
            if (asked != null && !MetricSet.BuiltIn.TryFind(asked, out _, out var reason))
                result.AddError($"NAME: {reason}");
        });
        name.CompletionSources.Add(_ => MetricSet.BuiltIn.Names.Concat(MetricSet.Added.Names)
            .Select(known => new System.CommandLine.Completions.CompletionItem(known)));
        var markdown = new Option<bool>("--markdown") { Description = "Print Markdown: docs/metrics.md, or the section of NAME" };
        var command = new CliCommand(
            "metrics",
            "Lists the metrics, or describes one in full.",
            "pristine metrics",
            "pristine metrics brisque") { name, markdown };
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
        if (Console.IsOutputRedirected)
        {
            foreach (var row in MetricCatalog.All.Select(metric => Row(metric)).Append(ShortName()).Concat(Added()).Prepend(headings))
                Console.Out.WriteLine(string.Join('\t', row));
            return;
        }
        var (first, others) = (ArniqaMetric.All[0], ArniqaMetric.All.Skip(1).ToArray());
        var rows = MetricCatalog.All.Where(metric => !others.Contains(metric)).Select(metric => Row(metric)).Append(ShortName())
            .Concat(Added()).ToArray();
        var width = TerminalWidth.Of(isRedirected: false, plain: 80, most: 160);
        // Narrow terminals get what chooses a metric; the rest is told of each metric by its name.
        int[] shown = width < FullWidth ? [0, 1, 2, 5] : [0, 1, 2, 3, 4, 5];
        TextTable.Write(
            Console.Out, [.. shown.Select(i => headings[i])], [.. rows.Select(row => (string[])[.. shown.Select(i => row[i])])], width);
        Console.Out.WriteLine();
        HelpPage.WriteWrapped(
            Console.Out, $"{first.Name} has other regressors: {string.Join(", ", others.Select(metric => metric.Name))}.", "", width);
        HelpPage.WriteWrapped(
            Console.Out, "Not a score, but asked for in the same way: phash, a perceptual hash by which near duplicates are found.", "",
            width);
        Console.Out.WriteLine("'pristine metrics NAME' describes a metric in full.");
    }

    private static string[] Row(Metric metric, string? name = null) =>
    [
        name ?? metric.Name, MetricDocumentation.GoodEnd(metric), MetricDocumentation.Range(metric), metric.Unit,
        MetricDocumentation.Needs(metric), metric.Summary,
    ];

    /// <summary>Those of the user's own in the model store; what is wrong with one stands in its place.</summary>
    private static IEnumerable<string[]> Added() => MetricSet.Added.Names.Select(name =>
        MetricSet.BuiltIn.TryFind(name, out var metric, out var reason) ? Row(metric) : [name, "", "", "", "", reason]);

    private static string[] ShortName() =>
        [.. Row(ResNetMetric.Biq2021, ResNetMetric.BaseName)[..5], $"Short for {ResNetMetric.Biq2021.Name}."];

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
        TextTable.Write(Console.Out, [], [.. facts.Select(fact => (string[])[fact.Label, fact.Text])], TerminalWidth.Of(
            isRedirected: false, plain: 80, most: 110));
    }
}
