using System.CommandLine;
using System.Globalization;
using System.Text;
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
        var format = new Option<string>("--format", "-f")
        {
            Description = "table, jsonl or csv; default: a table on a terminal, else jsonl",
            DefaultValueFactory = _ => Console.IsOutputRedirected ? "jsonl" : "table",
        };
        format.AcceptOnlyFromAmong("table", "jsonl", "csv");
        var cascade = new Option<string[]>("--cascade")
        {
            Description = "Rule on cheap metrics, for example \"brisque <= 60\": an image that fails it is not scored by the metrics the rule does not name; may be repeated, all must hold",
            HelpName = "RULE",
        };
        var command = new Command("score", "Scores every image and writes one row per image to stdout, or into a score table.");
        inputs.AddTo(command);
        table.AddTo(command);
        command.Options.Add(metrics);
        command.Options.Add(format);
        command.Options.Add(cascade);
        command.SetAction(parsed =>
        {
            var known = inputs.Known(parsed);
            var chosen = Inputs.Metrics(parsed.GetRequiredValue(metrics), known);
            var rules = parsed.GetValue(cascade) ?? [];
            var gates = Cascade.Of(rules, known);
            var itemGates = Cascade.OfItems(rules, known);
            if (table.Folder(parsed) is { } folder)
            {
                if (parsed.GetResult(format) is { Implicit: false })
                    throw new UsageException("--format: rows on stdout have a format; a score table (--out) is Parquet. 'pristine export TABLE --format csv --out FILE' writes it as csv or jsonl.");
                // A table that is there knows its metrics; it gets others only when they are named.
                if (parsed.GetResult(metrics) is null or { Implicit: true } && TableProvenance.Read(folder) != null)
                    chosen = [];
                if (inputs.Start(parsed) != 0)
                    throw new UsageException("--start: a score table (--out) knows by itself where to go on.");
                var scoring = inputs.Scoring(parsed, chosen) with { Gates = gates, ItemGates = itemGates };
                var dataset = inputs.Input(parsed) == "-" ? TableScoring.KeepList(folder, inputs.Options(parsed)) : inputs.Open(parsed);
                return TableScoring.Run(parsed, inputs, dataset, folder, scoring, table.Options(parsed, known));
            }
            return Run(parsed, inputs, inputs.Scoring(parsed, chosen) with { Gates = gates, ItemGates = itemGates }, parsed.GetRequiredValue(format));
        });
        return command;
    }

    private static int Run(ParseResult parsed, Inputs inputs, ScoringOptions options, string format)
    {
        var dataset = inputs.Open(parsed);
        var start = inputs.Start(parsed);
        var columns = new ScoreColumns(options.AllMetrics);
        using var interruption = new Interruption();
        using var progress = new Progress(dataset);
        using var stdout = new StandardOutputStream();
        using var rows = format == "table" ? null : ScoreRowWriter.Create(format, stdout, columns);
        var table = rows == null ? new RowTable(columns) : null;
        try
        {
            var scored = ScoringRun.Score(dataset, options, start, interruption.Token);
            Inputs.TellLayout(dataset);
            foreach (var item in scored)
            {
                if (table != null)
                    progress.Clear();
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
        catch (OperationCanceledException)
        {
            progress.Clear();
            Console.Error.WriteLine(
                $"Stopped after {progress.Items:N0} items; every line written is whole. To go on: the same command with --start {start + progress.Items}.");
            return ExitCode.Interrupted;
        }
        catch (IOException exception) when (stdout.IsBroken)
        {
            progress.Clear();
            Console.Error.WriteLine($"Stopped after {progress.Items:N0} items. {exception.Message}");
            return ExitCode.Failed;
        }
        progress.Clear();
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Images:N0} images in {Progress.Duration(progress.Elapsed)} ({progress.Images / progress.Elapsed.TotalSeconds:N0}/s), {progress.Failed:N0} failed{progress.SkippedText}."));
        return inputs.ExitCodeOf(parsed, progress, dataset);
    }
}

/// <summary>Rows as aligned columns for a person. Rows appear as they are scored, so widths are fixed beforehand.</summary>
internal sealed class RowTable(ScoreColumns columns)
{
    private const int ImageWidth = 40;
    private readonly ScoreColumn[] _scores =
        [.. columns.All.Where(column => column.Kind == Tables.ColumnKind.Number && column.Name is not ("key" or "image_index" or "width" or "height" or "bytes"))];

    private bool _started;

    public void Write(ScoreRow row)
    {
        if (!_started)
            Console.Out.WriteLine(Line("image", "status", "size", [.. _scores.Select(column => column.Name)], (row.Error ?? row.Skipped) == null ? "" : " reason"));
        _started = true;
        var size = row.Header is { } header ? $"{header.Width}x{header.Height}" : "";
        Console.Out.WriteLine(Line(row.Image ?? row.Id, Media.ImageStatusNames.Name(row.Status), size, [.. _scores.Select(column => Number(column.Number(row)))], Reason(row)));
    }

    private static string Reason(ScoreRow row) =>
        row.Error != null ? $" {row.Error}" : row.Skipped != null ? $" skipped {row.Skipped}" : "";

    private string Line(string image, string status, string size, string[] scores, string reason)
    {
        var line = new StringBuilder().Append(Fit(image)).Append(' ').Append(status.PadRight(10)).Append(' ').Append(size.PadLeft(11));
        for (var i = 0; i < scores.Length; i++)
            line.Append(' ').Append(scores[i].PadLeft(Math.Max(8, _scores[i].Name.Length)));
        return line.Append(reason).ToString();
    }

    private static string Number(double value) =>
        double.IsNaN(value) ? "-" : value.ToString(Math.Abs(value) >= 1000 ? "0" : "0.###", CultureInfo.InvariantCulture);

    /// <summary>The end of a long path says more than its beginning; control characters would disturb the terminal.</summary>
    private static string Fit(string text)
    {
        var clean = new string([.. text.Select(c => char.IsControl(c) ? '\uFFFD' : c)]);
        return clean.Length <= ImageWidth ? clean.PadRight(ImageWidth) : $"…{clean[^(ImageWidth - 1)..]}";
    }
}
