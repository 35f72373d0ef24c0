using System.CommandLine;
using System.Globalization;
using System.Text;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Datasets;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Reports;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine check INPUT</c>: what is wrong with a dataset, in one command.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var thresholds = new IssueThresholds();
        var issues = new Option<string>("--issues")
        {
            Description = $"Issues to look for, separated by commas: " +
                $"{string.Join(", ", Issue.All.Where(issue => issue.IsDefault).Select(issue => issue.Name))}; cleanvision for those with " +
                $"its formulas; -NAME leaves one out (default,-damaged)",
            HelpName = "A,B",
            DefaultValueFactory = _ => "default",
        };
        var format = new Option<string>("--format", "-f")
        {
            Description = "text for a person, json for programs, html for the report with its view of the issues",
            DefaultValueFactory = _ => "text",
        };
        format.OneOf("text", "json", "html");
        var output = new Option<string>("--out", "-o")
        {
            Description = "File for the result; - for stdout",
            HelpName = "FILE",
            DefaultValueFactory = _ => "-",
        };
        var scores = new Option<string?>("--scores")
        {
            Description = "Score table to keep, so that rules can be tried without reading an image again; default: none is kept",
            HelpName = "DIR",
        };
        var examples = new Option<int>("--examples")
        {
            Description = "Images to name for each issue",
            HelpName = "N",
            DefaultValueFactory = _ => new CheckOptions().Examples,
        };
        examples.Between(0, 1000);
        var failOn = new Option<string[]>("--fail-on")
        {
            Description =
                "Exit with code 3 when this holds, for example \"duplicates > 0\", \"dark > 5%\" or \"any > 10%\"; may be repeated",
            HelpName = "CONDITION",
        };
        var command = new CliCommand(
            "check",
            "Says what is wrong with the images of a dataset, or of a score table: unreadable, truncated, duplicate, dark, blurry, noisy " +
            "and so on, with examples and the rule behind each.",
            "pristine check photos",
            "pristine check data.jsonl --issues dark,blurry --set dark=0.3",
            "pristine check photos --format json --fail-on \"duplicates > 0\"");
        var recipe = new RecipeArguments();
        inputs.AddImagesTo(command);
        inputs.Watching.AddTo(command);
        inputs.AddDeviceTo(command);
        foreach (var option in (Option[])[issues, thresholds.Option, format, output, examples, failOn, scores])
            command.Options.Add(option);
        recipe.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetRequiredValue(output) is var place and not "-")
                OutputPlace.CheckFile(parsed.GetRequiredValue(format) switch
                {
                    "html" => OutputName.Page(place),
                    "json" => OutputName.Checked(place, "the result as JSON", ".json"),
                    _ => OutputName.Checked(place, "the result as text", ".txt"),
                });
            var chosen = IssueNames.Read([parsed.GetRequiredValue(issues)]);
            if (chosen.Count == 0)
                throw new UsageException($"--issues: expected at least one; found '{parsed.GetValue(issues)}'.");
            var options = new CheckOptions
            {
                Issues = new IssueOptions { Issues = chosen, Thresholds = thresholds.Read(parsed, chosen) },
                Examples = parsed.GetValue(examples),
                Workers = inputs.Workers(parsed),
            };
            var conditions = (parsed.GetValue(failOn) ?? []).Select(text => FailCondition.Parse(text, chosen)).ToArray();
            var written = new Output(parsed.GetRequiredValue(format), parsed.GetRequiredValue(output), conditions);
            var input = inputs.Input(parsed);
            if (File.Exists(Path.Combine(input, TableProvenance.FileName)))
            {
                if (parsed.GetValue(scores) != null)
                    throw new UsageException($"--scores: expected with a dataset; '{input}' is a score table already.");
                var table = TableArguments.Open(input);
                var read = chosen.SelectMany(issue => issue.Metrics).Select(metric => metric.Name).ToHashSet();
                recipe.Apply(parsed, table.Provenance.Columns.Where(column => read.Contains(column.Metric)), options.Issues);
                return Job.Run(
                    () => "Stopped.",
                    cancellation => Finish(table, input, input, options, written, inputs.Options(parsed).Remote!, cancellation));
            }
            return ScoreAndCheck(parsed, inputs, parsed.GetValue(scores), options, written, recipe);
        });
        return command;
    }

    private static int ScoreAndCheck(
        ParseResult parsed, Inputs inputs, string? kept, CheckOptions options, Output written, RecipeArguments recipe)
    {
        using var scratch = kept == null ? ScratchFolder.Create("scores") : null;
        var folder = kept ?? scratch!.Path;
        var dataset = inputs.Input(parsed) == "-" ? TableScoring.KeepList(folder, inputs.Options(parsed)) : inputs.Open(parsed);
        var issues = DatasetCheck.PossibleIn(options.Issues.Issues, dataset, out var reason);
        if (reason != null)
        {
            Console.Error.WriteLine($"pristine: {reason} Only its texts are checked.");
            options = options with { Issues = options.Issues with { Issues = issues } };
        }
        var scoring = inputs.Scoring(parsed, DatasetCheck.Metrics(options.Issues.Issues)) with { Watch = new RunWatch() };
        recipe.Apply(parsed, scoring.AllMetrics, options.Issues);
        using var sending = inputs.Watching.StartSending(parsed);
        return Job.Run(() => kept == null ? "Stopped." : $"Stopped. The same command goes on from {kept}.", cancellation =>
        {
            var scored = ScoreTableRun.Score(dataset, folder, scoring, cancellation: cancellation);
            Inputs.TellLayout(dataset);
            using var progress = new Progress(dataset, scoring.Watch, inputs.Watching.Progress(parsed));
            foreach (var item in scored)
                progress.Add(item);
            LiveLine.Clear();
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Counted} in {Progress.Duration(progress.Elapsed)} ({progress.Rate:N0}/s)"));
            progress.End();
            var exit = inputs.ExitCodeOf(parsed, progress, dataset);
            var check = Finish(
                ScoreTable.Open(folder), dataset.Source, kept, options, written, inputs.Options(parsed).Remote!, cancellation);
            return exit == ExitCode.Done ? check : exit;
        });
    }

    private static int Finish(
        ScoreTable table, string name, string? kept, CheckOptions options, Output output, RemoteAccess remote,
        CancellationToken cancellation)
    {
        var result = table.Check(options, cancellation);
        if (output.Format == "html")
        {
            var report = new ReportOptions { Workers = options.Workers, Issues = options.Issues, Remote = remote };
            Report.Write(table, kept ?? "TABLE", output.File, report, cancellation);
        }
        else
        {
            using var file = PartialFile.Create(output.File, null);
            using (var writer = new StreamWriter(file.Stream, new UTF8Encoding(false), leaveOpen: true))
            {
                if (output.Format == "json")
                {
                    writer.WriteLine(result.ToJson());
                }
                else
                {
                    var isPlain = output.File != "-" || Console.IsOutputRedirected;
                    CheckDisplay.Write(writer, name, result, TerminalWidth.Of(isPlain, plain: 100, most: 160));
                    CheckDisplay.WriteNext(writer, Next(name, kept, result, options.Issues));
                }
            }
            file.Complete();
        }
        var failed = output.FailOn.Where(condition => condition.Holds(result)).ToArray();
        foreach (var condition in failed)
            Console.Error.WriteLine($"pristine: --fail-on \"{condition.Text}\" holds.");
        return failed.Length > 0 ? ExitCode.TooManyFailures : ExitCode.Done;
    }

    /// <summary>What a user may want to do next.</summary>
    private static IEnumerable<(string What, string Command)> Next(string name, string? table, CheckResult result, IssueOptions options)
    {
        var found = result.Issues.Where(issue => issue.Count > 0).ToArray();
        if (found.Length > 0)
        {
            var set = string.Concat(found.Where(issue => options.Thresholds.ContainsKey(issue.Rule.Issue.Name))
                .Select(issue => string.Create(CultureInfo.InvariantCulture, $" --set {issue.Rule.Issue.Name}={issue.Rule.Threshold}")));
            yield return (
                result.Images > 0 ? "To keep the images without any of them" : "To keep the records without any of them",
                $"pristine {(table == null ? "filter" : "select")} {PlainText.ShellWord(table ?? name)} --drop-issue " +
                $"{string.Join(',', found.Select(issue => issue.Rule.Issue.Name))}{set} --out {KeptName(name, table)}");
        }
        if (result.Images == 0)
            yield break;
        if (table == null)
            yield return ("To look at them, and try other thresholds",
                $"pristine check {PlainText.ShellWord(name)} --scores scores --format html --out report.html");
        else
            yield return ("To look at them", $"pristine report {PlainText.ShellWord(table)} --out report.html");
    }

    private static string KeptName(string name, string? table)
    {
        var source = table == null ? name : ScoreTable.Open(table).Provenance.Dataset.Path;
        var extension = Path.GetExtension(source);
        return extension.Length > 0 && File.Exists(source) ? $"kept{extension}" : "kept.txt";
    }

    /// <summary>What becomes of the result.</summary>
    private sealed record Output(string Format, string File, IReadOnlyList<FailCondition> FailOn);
}
