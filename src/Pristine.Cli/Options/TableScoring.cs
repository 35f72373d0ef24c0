using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Cli.Options;

/// <summary><c>pristine score INPUT --out TABLE</c>: makes a score table or brings it up to date.</summary>
internal sealed class TableScoring
{
    private readonly Option<string?> _out = new("--out", "-o")
    {
        Description =
            "Folder for a score table (Parquet); a table that is there is brought up to date: only what is new or changed is computed",
        HelpName = "DIR",
    };

    private readonly Option<string> _rescore = new("--rescore")
    {
        Description = "With --out: metrics to compute anew where the table holds them by another version or model",
        HelpName = "A,B",
        DefaultValueFactory = _ => "",
    };

    private readonly Option<string> _shard = new("--shard")
    {
        Description = "With --out: score the I-th of N shards, from 0; the same N for all of them",
        HelpName = "I/N",
        DefaultValueFactory = _ => "0/1",
    };

    private readonly Option<bool> _moved = new("--moved") { Description = "With --out: the dataset is the table's, at a new place" };

    private readonly Option<bool> _retryFailed = new("--retry-failed")
    {
        Description = "With --out: try again also images that failed for what they are (unreadable, unsupported, truncated); those that " +
            "were missing or that the network did not give are tried again in any case",
    };

    private readonly Option<double> _partSeconds = new("--part-seconds")
    {
        Description = "With --out: rows are written to disk at least this often; a killed run loses no more",
        HelpName = "S",
        DefaultValueFactory = _ => new ScoreTableOptions().PartInterval.TotalSeconds,
    };

    public void AddTo(Command command)
    {
        _partSeconds.Number("0 to 86400", seconds => seconds is >= 0 and <= 86_400);
        command.Options.Add(_partSeconds);
        command.Options.Add(_out);
        command.Options.Add(_rescore);
        command.Options.Add(_shard);
        command.Options.Add(_moved);
        command.Options.Add(_retryFailed);
    }

    /// <summary>The table to write; null when rows go to stdout.</summary>
    public string? Folder(ParseResult parsed) => parsed.GetValue(_out);

    public ScoreTableOptions Options(ParseResult parsed, MetricSet known)
    {
        var text = parsed.GetRequiredValue(_shard);
        var parts = text.Split('/');
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var shard)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var shards) || shard >= shards
            || shards > 10_000)
        {
            throw new UsageException($"--shard: expected I/N with 0 <= I < N <= 10000; found '{text}'.");
        }
        var rescore = parsed.GetRequiredValue(_rescore);
        return new ScoreTableOptions
        {
            Shard = shard,
            Shards = shards,
            PartInterval = TimeSpan.FromSeconds(parsed.GetValue(_partSeconds)),
            HasMoved = parsed.GetValue(_moved),
            RetryFailed = parsed.GetValue(_retryFailed),
            Rescore = rescore.Length == 0 ? [] : [.. Inputs.Metrics(rescore, known, "--rescore").Select(metric => metric.Name)],
        };
    }

    /// <summary>A list on stdin is kept in the table, so that it can be read again: to go on, and to export what is selected.</summary>
    public static Dataset KeepList(string folder, DatasetOptions options)
    {
        ScoreTable.CheckPlace(folder);
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "input.txt");
        using (var stdin = Native.StandardStreams.OpenInput())
            WholeFile.Write(file, stdin.CopyTo);
        return Dataset.Open(file, options);
    }

    /// <summary>Scores and tells how it went.</summary>
    public static int Run(
        ParseResult parsed, Inputs inputs, Dataset dataset, string folder, ScoringOptions scoring, ScoreTableOptions options)
    {
        using var sending = inputs.Watching.StartSending(parsed);
        scoring = scoring with { Watch = new RunWatch() };
        using var progress = new Progress(dataset, scoring.Watch, inputs.Watching.Progress(parsed));
        return Job.Run(
            () => $"Stopped after {progress.Images:N0} images. All of them are in {folder}; the same command goes on from there.",
            cancellation =>
        {
            var (read, unopened) = (0L, 0L);
            var scored = ScoreTableRun.Score(dataset, folder, scoring, options, cancellation);
            Inputs.TellLayout(dataset);
            foreach (var item in scored)
            {
                read += item.ImagesRead;
                unopened += item.Rows.Count(row => row.Status == Media.ImageStatus.Skipped);
                progress.Add(item);
            }
            LiveLine.Clear();
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Images:N0} images in {Progress.Duration(progress.Elapsed)}: {read:N0} read, " +
                $"{progress.Images - read - unopened:N0} already in the table, {progress.Failed:N0} failed{progress.SkippedText} -> " +
                $"{folder}"));
            progress.TellPlaceholders();
            progress.End();
            // Of a table whose other shards are still to come the numbers would mean little, and every shard would read it all.
            if (progress.Images > 0 && ScoreTable.Open(folder) is { Incomplete: null } table)
                SummaryDisplay.Write(TableSummary.Of(table), folder);
            return inputs.ExitCodeOf(parsed, progress, dataset);
        });
    }
}
