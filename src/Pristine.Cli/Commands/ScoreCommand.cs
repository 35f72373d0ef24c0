using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Datasets;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine score INPUT</c>: one row per image on stdout, or in a score table with <c>--out</c>.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var table = new TableScoring();
        var metrics = new MetricArguments();
        var recipe = new RecipeArguments();
        var format = new Option<string?>("--format", "-f")
        {
            Description = "Layout of the rows; default: a table on a terminal, else jsonl",
        };
        format.OneOf("table", "jsonl", "csv");
        var command = CommandOf(inputs, table, metrics, format, recipe);
        command.SetAction(parsed =>
        {
            var scoring = metrics.Scoring(parsed, inputs);
            if (table.Folder(parsed) is { } folder)
            {
                if (parsed.GetResult(format) is { Implicit: false })
                    throw new UsageException(
                        "--format: rows on stdout have a format; a score table (--out) is Parquet. 'pristine export TABLE --format csv " +
                        "--out FILE' writes it as csv or jsonl.");
                // A table that is there knows its metrics; it gets others only when they are named.
                if (!metrics.AreNamed(parsed) && TableProvenance.Read(folder) != null)
                    scoring = scoring with { Metrics = [] };
                if (inputs.Start(parsed) != 0)
                    throw new UsageException("--start: a score table (--out) knows by itself where to go on.");
                if (inputs.Input(parsed) == "-" && table.Options(parsed, scoring.Known).Sharding != null)
                    throw new UsageException("--shard: a list on standard input is one process's; write it into a file, and name that.");
                var dataset = inputs.Input(parsed) == "-" ? TableScoring.KeepList(folder, inputs.Options(parsed)) : inputs.Open(parsed);
                recipe.Apply(parsed, scoring.AllMetrics);
                return TableScoring.Run(parsed, inputs, dataset, folder, scoring, table.Options(parsed, scoring.Known));
            }
            table.RefuseWithoutFolder(parsed);
            recipe.Apply(parsed, scoring.AllMetrics);
            return Run(parsed, inputs, scoring, parsed.GetValue(format) ?? (Console.IsOutputRedirected ? "jsonl" : "table"));
        });
        return command;
    }

    private static CliCommand CommandOf(
        Inputs inputs, TableScoring table, MetricArguments metrics, Option<string?> format, RecipeArguments recipe)
    {
        var command = new CliCommand(
            "score",
            "Scores every image and writes one row per image to stdout, or into a score table.",
            "pristine score photos",
            "pristine score captions.jsonl --metrics brisque,sharpness --out scores");
        inputs.AddTo(command);
        table.AddTo(command);
        metrics.AddTo(command);
        command.Options.Add(format);
        recipe.AddTo(command);
        return command;
    }

    /// <summary>
    /// Checks a command line that another machine will run: its options and the names of its metrics, not the models and devices, which
    /// that machine has.
    /// </summary>
    /// <param name="arguments">What stands after <c>pristine score</c>.</param>
    /// <param name="elsewhere">Options that this command line leaves to the caller.</param>
    /// <returns>What opens the dataset, and the columns that are asked for by name.</returns>
    /// <exception cref="UsageException">The command line is wrong, or has one of <paramref name="elsewhere"/>.</exception>
    public static (Func<Dataset> Open, IReadOnlyList<string> Columns) Check(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> elsewhere)
    {
        var (inputs, metrics) = (new Inputs(), new MetricArguments());
        var command = CommandOf(inputs, new TableScoring(), metrics, new Option<string?>("--format", "-f"), new RecipeArguments());
        OptionRules.ApplyTo(command);
        var parsed = command.Parse(arguments);
        if (UsageErrors.Of(parsed).FirstOrDefault(error => !error.StartsWith(Inputs.DeviceOption, StringComparison.Ordinal)) is { } error)
            throw new UsageException($"pristine score {string.Join(' ', arguments.Select(PlainText.ShellWord))}: {error}");
        foreach (var option in command.Options)
            if (elsewhere.TryGetValue(option.Name, out var remedy) && parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name}: expected no such option of 'pristine score' here; {remedy}.");
        return (() => inputs.Open(parsed), metrics.Check(parsed, inputs));
    }

    private static int Run(ParseResult parsed, Inputs inputs, ScoringOptions options, string format)
    {
        var dataset = inputs.Open(parsed);
        var start = inputs.Start(parsed);
        using var sending = inputs.Watching.StartSending(parsed);
        options = options with { Watch = new RunWatch() };
        using var progress = new Progress(dataset, options.Watch, inputs.Watching.Progress(parsed));
        return Job.Run(
            () => $"Stopped after {progress.Items:N0} items; every line written is whole. To go on: the same command with --start " +
                $"{start + progress.Items}.",
            cancellation => Run(dataset, options, start, format, progress, cancellation) ?? Told(), progress);

        int Told()
        {
            LiveLine.Clear();
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Counted} in {Progress.Duration(progress.Elapsed)} ({progress.Rate:N0}/s), {progress.Failed:N0} failed" +
                $"{progress.SkippedText}."));
            progress.TellPlaceholders();
            progress.End();
            return inputs.ExitCodeOf(parsed, progress, dataset);
        }
    }

    /// <summary>Writes the rows.</summary>
    /// <returns>The exit code when they could not all be written; else null.</returns>
    private static int? Run(
        Dataset dataset, ScoringOptions options, long start, string format, Progress progress, CancellationToken cancellation)
    {
        var columns = TableSchema.Of(options.AllMetrics);
        using var stdout = new StandardOutputStream();
        try
        {
            // Within the try: what is buffered is written at the end.
            using var rows = format == "table" ? null : ScoreRowWriter.Create(format, stdout, columns);
            var table = rows == null ? new RowTable(columns) : null;
            var scored = ScoringRun.Score(dataset, options, start, cancellation);
            Inputs.TellLayout(dataset);
            foreach (var item in scored)
            {
                if (table != null)
                    LiveLine.Clear();
                foreach (var row in item.Rows)
                {
                    rows?.Write(row);
                    table?.Write(row);
                }
                // Whoever reads the rows may wait for each of them, and the next image may be named much later.
                rows?.Flush();
                progress.Add(item);
            }
        }
        catch (IOException) when (stdout.HasNoReader)
        {
            // As in 'pristine score ... | head': the reader has what it wanted.
            return ExitCode.Done;
        }
        catch (IOException exception) when (stdout.IsBroken)
        {
            LiveLine.Clear();
            Console.Error.WriteLine($"pristine: Stopped after {progress.Items:N0} items. {exception.Message}");
            return ExitCode.Failed;
        }
        return null;
    }
}
