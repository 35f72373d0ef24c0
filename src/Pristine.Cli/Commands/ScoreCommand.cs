using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine score INPUT</c>: one row per image on stdout, or in a score table with <c>--out</c>.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var table = new TableScoring();
        var metrics = new Option<string>("--metrics", "-m")
        {
            Description = "Metrics, separated by commas; 'pristine metrics' lists them",
            HelpName = "A,B",
            DefaultValueFactory = _ => "brisque",
        };
        var format = new Option<string?>("--format", "-f")
        {
            Description = "Layout of the rows; default: a table on a terminal, else jsonl",
        };
        format.OneOf("table", "jsonl", "csv");
        var cascade = new Option<string[]>("--cascade")
        {
            Description = "Rule on cheap metrics, for example \"brisque <= 60\": an image that fails it is not scored by the metrics the rule does not name; may be repeated, all must hold",
            HelpName = "RULE",
        };
        var features = new Option<string[]>("--features")
        {
            Description = $"Features to keep as columns of vectors, NAME_features, for example to find similar images; may be repeated: {string.Join(", ", Feature.All.Select(feature => feature.Name))}",
            HelpName = "NAME",
        };
        features.AcceptOnlyFromAmong([.. Feature.All.Select(feature => feature.Name)]);
        var command = new CliCommand(
            "score",
            "Scores every image and writes one row per image to stdout, or into a score table.",
            "pristine score photos",
            "pristine score captions.jsonl --metrics brisque,sharpness --out scores");
        inputs.AddTo(command);
        table.AddTo(command);
        command.Options.Add(metrics);
        command.Options.Add(format);
        command.Options.Add(cascade);
        command.Options.Add(features);
        command.SetAction(parsed =>
        {
            var known = inputs.Known(parsed);
            var chosen = Inputs.Metrics(parsed.GetRequiredValue(metrics), known);
            var rules = parsed.GetValue(cascade) ?? [];
            var gates = Cascade.Of(rules, known);
            var itemGates = Cascade.OfItems(rules, known);
            var vectors = (parsed.GetValue(features) ?? []).Distinct().Select(Feature.Get).ToArray();
            if (table.Folder(parsed) is { } folder)
            {
                if (parsed.GetResult(format) is { Implicit: false })
                    throw new UsageException("--format: rows on stdout have a format; a score table (--out) is Parquet. 'pristine export TABLE --format csv --out FILE' writes it as csv or jsonl.");
                // A table that is there knows its metrics; it gets others only when they are named.
                if (parsed.GetResult(metrics) is null or { Implicit: true } && TableProvenance.Read(folder) != null)
                    chosen = [];
                if (inputs.Start(parsed) != 0)
                    throw new UsageException("--start: a score table (--out) knows by itself where to go on.");
                var scoring = inputs.Scoring(parsed, chosen) with { Gates = gates, ItemGates = itemGates, Features = vectors };
                var dataset = inputs.Input(parsed) == "-" ? TableScoring.KeepList(folder, inputs.Options(parsed)) : inputs.Open(parsed);
                return TableScoring.Run(parsed, inputs, dataset, folder, scoring, table.Options(parsed, known));
            }
            return Run(parsed, inputs, inputs.Scoring(parsed, chosen) with { Gates = gates, ItemGates = itemGates, Features = vectors }, parsed.GetValue(format) ?? (Console.IsOutputRedirected ? "jsonl" : "table"));
        });
        return command;
    }

    private static int Run(ParseResult parsed, Inputs inputs, ScoringOptions options, string format)
    {
        var dataset = inputs.Open(parsed);
        var start = inputs.Start(parsed);
        using var progress = new Progress(dataset);
        return Job.Run(
            () => $"Stopped after {progress.Items:N0} items; every line written is whole. To go on: the same command with --start {start + progress.Items}.",
            cancellation => Run(dataset, options, start, format, progress, cancellation) ?? Told());

        int Told()
        {
            LiveLine.Clear();
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Images:N0} images in {Progress.Duration(progress.Elapsed)} ({progress.Images / progress.Elapsed.TotalSeconds:N0}/s), {progress.Failed:N0} failed{progress.SkippedText}."));
            progress.TellPlaceholders();
            return inputs.ExitCodeOf(parsed, progress, dataset);
        }
    }

    /// <summary>Writes the rows.</summary>
    /// <returns>The exit code when they could not all be written; else null.</returns>
    private static int? Run(Dataset dataset, ScoringOptions options, long start, string format, Progress progress, CancellationToken cancellation)
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
