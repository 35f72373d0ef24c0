using System.CommandLine;
using System.Globalization;
using Pristine.Datasets;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine filter INPUT --keep RULE --out PATH</c>: scores, keeps what passes, exports it unchanged, and says what was dropped and why.</summary>
internal static class FilterCommand
{
    private sealed record Request(Dataset Dataset, KeepRules Rules, string Out, FileExportMode? Export, string? Dropped, ScoringOptions Scoring, long Start);

    public static Command Create()
    {
        var inputs = new Inputs();
        var keep = new Option<string[]>("--keep")
        {
            Description = "Rule that a kept image fulfils, for example \"brisque <= 40 and min_side >= 256\"; may be repeated, all must hold",
            HelpName = "RULE",
        };
        var minQuality = new Option<double?>("--min-quality") { Description = "Keep images whose quality (0..1, 1 best) is at least this", HelpName = "Q" };
        var maxQuality = new Option<double?>("--max-quality") { Description = "Keep images whose quality is at most this", HelpName = "Q" };
        var by = new Option<string>("--by")
        {
            Description = "The metric of --min-quality and --max-quality",
            HelpName = "METRIC",
            DefaultValueFactory = _ => "brisque",
        };
        var output = new Option<string>("--out", "-o")
        {
            Description = "File for the kept items, in the input's format; - for stdout; a folder with --copy, --link or --hardlink",
            HelpName = "PATH",
            Required = true,
        };
        var dropped = new Option<string?>("--dropped")
        {
            Description = "File for the dropped items: id, rule, value, threshold, margin, status (.jsonl or .csv)",
            HelpName = "FILE",
        };
        var copy = new Option<bool>("--copy") { Description = "Copy the kept images of a folder into the folder --out" };
        var link = new Option<bool>("--link") { Description = "The same with symbolic links" };
        var hardLink = new Option<bool>("--hardlink") { Description = "The same with hard links" };
        var images = new Option<ImagePolicy>("--images")
        {
            Description = "Items with several images: every image must pass (worst), the mean must, or one (best)",
            DefaultValueFactory = _ => ImagePolicy.Worst,
        };
        var noImage = new Option<string>("--no-image")
        {
            Description = "Items without an image: keep or drop",
            DefaultValueFactory = _ => "keep",
        };
        noImage.AcceptOnlyFromAmong("keep", "drop");

        var command = new Command("filter", "Scores every image, keeps the items that pass the rules and exports them unchanged.");
        inputs.AddTo(command);
        foreach (var option in (Option[])[keep, minQuality, maxQuality, by, output, dropped, copy, link, hardLink, images, noImage])
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var rules = (parsed.GetValue(keep) ?? []).Select(Rule.Parse).ToList();
            if (parsed.GetValue(minQuality) is not null || parsed.GetValue(maxQuality) is not null)
            {
                var metric = Inputs.Metrics(parsed.GetRequiredValue(by))[0];
                if (!metric.HasQuality)
                    throw new UsageException($"--by: expected a metric with a quality; '{metric.Name}' has no good end.");
                rules.Add(Rule.QualityBetween(metric.Name, parsed.GetValue(minQuality) ?? 0, parsed.GetValue(maxQuality) ?? 1));
            }
            if (rules.Count == 0)
                throw new UsageException("Expected --keep RULE, --min-quality or --max-quality; found none of them.");
            var modes = ((Option<bool> Option, FileExportMode Mode)[])
                [(copy, FileExportMode.Copy), (link, FileExportMode.Link), (hardLink, FileExportMode.HardLink)];
            var asked = modes.Where(mode => parsed.GetValue(mode.Option)).ToArray();
            if (asked.Length > 1)
                throw new UsageException($"Expected one of --copy, --link and --hardlink; found {string.Join(" and ", asked.Select(mode => mode.Option.Name))}.");
            if (parsed.GetRequiredValue(output) == parsed.GetValue(dropped))
                throw new UsageException($"Expected two places for --out and --dropped; found '{parsed.GetValue(dropped)}' for both.");
            var dataset = inputs.Open(parsed);
            if (asked.Length == 1 && dataset.Format is (DatasetFormat.Json or DatasetFormat.Jsonl))
                throw new UsageException($"{asked[0].Option.Name} exports the images of a folder or a list; {dataset.Source} is a dataset file, whose items are exported unchanged.");
            var keepRules = new KeepRules(rules, new SelectionOptions
            {
                Images = parsed.GetValue(images),
                KeepItemsWithoutImage = parsed.GetValue(noImage) == "keep",
            });
            var request = new Request(
                dataset, keepRules, parsed.GetRequiredValue(output), asked.Length == 1 ? asked[0].Mode : null, parsed.GetValue(dropped),
                inputs.Scoring(parsed, keepRules.Metrics), inputs.Start(parsed));
            return Run(parsed, inputs, request);
        });
        return command;
    }

    private static int Run(ParseResult parsed, Inputs inputs, Request request)
    {
        using var interruption = new Interruption();
        using var progress = new Progress(request.Dataset);
        // First, so that a metric that cannot run here leaves no files behind.
        var scored = ScoringRun.Score(request.Dataset, request.Scoring, request.Start, interruption.Token);
        var export = request.Export is { } mode ? FileExport.For(request.Dataset, request.Out, mode) : null;
        using var kept = export == null ? request.Dataset.CreateWriter(request.Out) : null;
        using var ledger = request.Dropped == null ? null : new LedgerWriter(request.Dropped, request.Dataset.Source);
        var summary = new FilterSummary();
        try
        {
            foreach (var item in scored)
            {
                var decision = request.Rules.Decide(item);
                if (decision.Kept && export != null)
                    decision = Export(export, item, decision);
                if (!decision.Kept)
                    ledger?.Write(item, decision);
                else
                    kept?.Write(item.Item);
                summary.Add(item, decision);
                progress.Add(item);
            }
        }
        catch (OperationCanceledException)
        {
            progress.Clear();
            Console.Error.WriteLine($"Stopped after {progress.Items:N0} items: {summary.Kept:N0} kept, {summary.Dropped:N0} dropped.");
            Console.Error.WriteLine($"What was decided so far is whole: {string.Join(", ", PartialNames(request))}.");
            Console.Error.WriteLine($"To go on: the same command with --start {request.Start + progress.Items} and another --out (and --dropped).");
            return ExitCode.Interrupted;
        }
        kept?.Complete();
        ledger?.Complete();
        progress.Clear();
        summary.Print(Console.Error, progress, request.Out, request.Dropped);
        return inputs.ExitCodeOf(parsed, progress.Failed);
    }

    /// <summary>Where the outputs of a run that was stopped are.</summary>
    private static IEnumerable<string> PartialNames(Request request) =>
        ((string?[])[request.Export == null ? Partial(request.Out) : request.Out, request.Dropped == null ? null : Partial(request.Dropped)]).OfType<string>();

    private static string Partial(string path) => path == "-" ? "standard output" : path + LedgerWriter.PartialSuffix;

    /// <summary>An image that passes the rules but cannot be put into the target is told of like a dropped one; the run goes on.</summary>
    private static Decision Export(FileExport export, ScoredItem item, Decision decision)
    {
        try
        {
            foreach (var image in item.Item.Images)
                export.Add(image);
            return decision;
        }
        catch (DatasetException exception)
        {
            return decision with { Kept = false, Reason = $"not exported: {exception.Message}" };
        }
    }
}

/// <summary>Counts decisions and says what was dropped and why.</summary>
internal sealed class FilterSummary
{
    private readonly Dictionary<string, long> _reasons = new(StringComparer.Ordinal);

    public long Kept { get; private set; }

    public long KeptWithoutImage { get; private set; }

    public long Dropped { get; private set; }

    public void Add(ScoredItem item, Decision decision)
    {
        if (decision.Kept)
        {
            Kept++;
            if (item.Item.Images.Count == 0)
                KeptWithoutImage++;
            return;
        }
        Dropped++;
        var status = Imaging.ImageStatusNames.Name(decision.Status);
        var reason = decision switch
        {
            { Value: not null, Comparison: { } comparison } => $"fails {comparison}",
            { Row: not null, Rule: null } => "cannot be exported",
            { Row: null } => item.Item.Error == null ? "no image" : "not a valid record",
            { Status: Imaging.ImageStatus.Ok, Comparison: { } comparison } => $"fails {comparison}",
            _ => $"image {status}",
        };
        _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
    }

    public void Print(TextWriter writer, Progress progress, string output, string? ledger)
    {
        var all = Kept + Dropped;
        var culture = CultureInfo.InvariantCulture;
        writer.WriteLine(string.Create(
            culture, $"{progress.Images:N0} images of {all:N0} items in {Progress.Duration(progress.Elapsed)} ({progress.Images / progress.Elapsed.TotalSeconds:N0}/s)"));
        writer.WriteLine(string.Create(
            culture, $"kept     {Kept,9:N0}  {Share(Kept, all)}  -> {output}{(KeptWithoutImage > 0 ? $"  ({KeptWithoutImage:N0} without an image)" : "")}"));
        writer.WriteLine(string.Create(culture, $"dropped  {Dropped,9:N0}  {Share(Dropped, all)}{(ledger == null ? "" : $"  -> {ledger}")}"));
        foreach (var (reason, count) in _reasons.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal))
            writer.WriteLine(string.Create(culture, $"         {count,9:N0}  {reason}"));
    }

    private static string Share(long part, long all) => all == 0 ? "     -" : (100.0 * part / all).ToString("0.0", CultureInfo.InvariantCulture).PadLeft(5) + "%";
}
