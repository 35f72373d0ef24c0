using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Datasets;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine filter INPUT --keep RULE --out PATH</c>: <c>score</c> and <c>select</c> in one.</summary>
internal static class FilterCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var selection = new SelectionArguments();
        var outputs = new SelectionOutputs();
        var scores = new Option<string?>("--scores")
        {
            Description = "Score table to keep: an interrupted run goes on from it, and 'pristine select' tries other rules in seconds; " +
                "default: none is kept",
            HelpName = "DIR",
        };
        var also = new Option<string?>("--metrics", "-m")
        {
            Description = "Metrics to compute besides those that the rules name, for --scores and --report",
            HelpName = "A,B",
        };
        var recipe = new RecipeArguments();
        var cascade = new Option<bool>("--cascade")
        {
            Description = "Skip metrics that can no longer matter: those of later rules are computed only for images that pass the rules " +
                "before; what is kept stays the same",
        };
        var command = new CliCommand(
            "filter",
            "Scores every image, keeps the items that pass the rules and exports them unchanged.",
            "pristine filter photos --keep \"brisque <= 40\" --out kept.txt",
            "pristine filter data.jsonl --min-quality 0.6 --out kept.jsonl");
        inputs.AddTo(command);
        selection.AddTo(command);
        outputs.AddTo(command);
        command.Options.Add(scores);
        command.Options.Add(cascade);
        command.Options.Add(also);
        recipe.AddTo(command);
        command.SetAction(parsed =>
        {
            outputs.RequireAny(parsed);
            var options = selection.ReadSome(parsed, inputs.Known(parsed));
            var needed = options.Parse();
            var gates = parsed.GetValue(cascade) ? Gates(needed) : [];
            if (inputs.Start(parsed) != 0)
                throw new UsageException("--start: expected with 'pristine score'; 'pristine filter' goes on from the table of --scores.");
            var besides = inputs.WithFrames(parsed, parsed.GetValue(also) is { } names ? Inputs.Metrics(names, options.Known) : []);
            var scoring = inputs.Scoring(parsed, [.. needed.Metrics.Concat(besides).DistinctBy(metric => metric.Name)]) with
            {
                Gates = gates,
                ItemGates = Cascade.OfItems(needed),
            };
            if (outputs.HasReport(parsed) && parsed.GetValue(scores) == null)
                throw new UsageException(
                    "--report: expected --scores DIR with it: the report is about the table, which is not kept otherwise.");
            using var scratch = parsed.GetValue(scores) == null ? ScratchFolder.Create("scores") : null;
            var folder = scratch?.Path ?? parsed.GetValue(scores)!;
            var dataset = inputs.Input(parsed) == "-" ? TableScoring.KeepList(folder, inputs.Options(parsed)) : inputs.Open(parsed);
            var mode = outputs.Mode(parsed, dataset);
            if (needed.NeedsImages)
                dataset.RequireImages();
            recipe.Apply(parsed, scoring.AllMetrics, options.Issues);
            scoring = scoring with { Watch = new RunWatch() };
            using var sending = inputs.Watching.StartSending(parsed);
            return Job.Run(
                () =>
                {
                    scratch?.Keep();
                    return $"Stopped. Nothing was exported; the scores so far are in {folder}. The same command with --scores " +
                        $"{folder} goes on from there.";
                },
                Filter);

            int Filter(CancellationToken cancellation)
            {
                needed.CheckFields(dataset, cancellation);
                // First, so that a metric that cannot run here leaves no files behind.
                var scored = ScoreTableRun.Score(dataset, folder, scoring, cancellation: cancellation);
                Inputs.TellLayout(dataset);
                using var open = outputs.Open(parsed, dataset, dataset.Source, mode, inputs.Options(parsed).Remote!);
                using var progress = new Progress(dataset, scoring.Watch, inputs.Watching.Progress(parsed));
                try
                {
                    Score(progress, scored);
                }
                catch (DatasetException exception)
                {
                    progress.Fail(exception);
                    if (!exception.IsOfSomeParts)
                        throw;
                    scratch?.Keep();
                    throw new DatasetException(
                        $"{exception.Message} Nothing was exported; the scores of the others are in {folder}. The same command with " +
                        $"--scores {folder} goes on from there once all can be read. To go on without them: 'pristine score' of the " +
                        $"others with --out {folder} --moved, then 'pristine select {folder}'.", exception);
                }
                using var run = SelectionRun.Run(
                    ScoreTable.Open(folder), options, new SelectionResources { Threads = scoring.Workers }, () => dataset, cancellation);
                var notExported = open.Write(run, cancellation);
                outputs.WriteReport(parsed, ScoreTable.Open(folder), folder, inputs.Options(parsed).Remote!, cancellation);
                outputs.Summarize(parsed, run);
                if (!needed.Columns.Contains("image_tokens"))
                    progress.TellPlaceholders();
                return notExported > 0 ? ExitCode.Failed : inputs.ExitCodeOf(parsed, progress, dataset);
            }
        });
        return command;
    }

    private static IReadOnlyList<ScoringGate> Gates(ParsedSelection selection) => selection.Rules.Count > 0
        ? Cascade.Of(selection)
        : throw new UsageException("--cascade: expected --keep or --drop rules, which decide what is skipped; found none.");

    private static void Score(Progress progress, IEnumerable<ScoredItem> scored)
    {
        foreach (var item in scored)
            progress.Add(item);
        LiveLine.Clear();
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Counted}{(progress.HasImages ? $" of {progress.Items:N0} items" : "")} in {Progress.Duration(progress.Elapsed)} " +
            $"({progress.Rate:N0}/s){progress.SkippedText}"));
        progress.End();
    }
}
