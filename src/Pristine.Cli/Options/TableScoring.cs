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

    private readonly Option<string?> _shard = new("--shard")
    {
        Description = "With --out: share the work with other runs on the table, which may be on other machines: score the I-th of N shares "
            + "of the dataset's parts, from 0; auto takes the next free part until none is left; plan lists the parts and scores none",
        HelpName = "I/N|auto|plan",
    };

    private readonly Option<double> _leaseSeconds = new("--lease-seconds")
    {
        Description = "With --shard: a part is taken over from a process of another machine that gives no sign of life for so long",
        HelpName = "S",
        DefaultValueFactory = _ => new ScoreTableOptions().LeaseTime.TotalSeconds,
    };

    private readonly Option<bool> _moved = new("--moved") { Description = "With --out: the dataset is the table's, at a new place" };

    private readonly Option<bool> _retryFailed = new("--retry-failed")
    {
        Description = "With --out: try again also images that failed for what they are (unreadable, unsupported, truncated, crashed); " +
            "those that were missing or that the network did not give are tried again in any case",
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
        _leaseSeconds.Number("1 to 86400", seconds => seconds is >= 1 and <= 86_400);
        command.Options.Add(_leaseSeconds);
        command.Options.Add(_moved);
        command.Options.Add(_retryFailed);
    }

    /// <summary>The table to write; null when rows go to stdout.</summary>
    public string? Folder(ParseResult parsed) => parsed.GetValue(_out);

    /// <summary>Refuses options that are about a table where none is written.</summary>
    /// <exception cref="UsageException">One is given.</exception>
    public void RefuseWithoutFolder(ParseResult parsed)
    {
        foreach (var option in (Option[])[_shard, _rescore, _moved, _retryFailed, _partSeconds, _leaseSeconds])
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name}: expected with --out, the folder of a score table; rows on stdout have none.");
    }

    public ScoreTableOptions Options(ParseResult parsed, MetricSet known)
    {
        var rescore = parsed.GetRequiredValue(_rescore);
        return new ScoreTableOptions
        {
            Sharding = Sharding(parsed),
            LeaseTime = TimeSpan.FromSeconds(parsed.GetValue(_leaseSeconds)),
            PartInterval = TimeSpan.FromSeconds(parsed.GetValue(_partSeconds)),
            HasMoved = parsed.GetValue(_moved),
            RetryFailed = parsed.GetValue(_retryFailed),
            Rescore = rescore.Length == 0 ? [] : [.. Inputs.Metrics(rescore, known, "--rescore").Select(metric => metric.Name)],
        };
    }

    /// <summary>Which parts the run scores; null for all of the dataset, in a table by itself.</summary>
    private Sharding? Sharding(ParseResult parsed)
    {
        var text = parsed.GetValue(_shard);
        if (text is null or "auto" or "plan")
            return text == null ? null : text == "auto" ? Scoring.Sharding.Auto : Scoring.Sharding.Plan;
        var parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var shard)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var shards) && shard < shards
            && shards <= Scoring.Sharding.MostShards
            ? Scoring.Sharding.Of(shard, shards)
            : throw new UsageException(
                $"--shard: expected I/N with 0 <= I < N <= {Scoring.Sharding.MostShards}, auto or plan; found '{text}'.");
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
        using var progress = new Progress(options.Sharding == null ? dataset : null, scoring.Watch, inputs.Watching.Progress(parsed));
        return Job.Run(
            () => $"Stopped after {progress.Images:N0} images. All of them are in {folder}; the same command goes on from there.",
            cancellation =>
        {
            var (read, unopened) = (0L, 0L);
            DatasetException? unreadable = null;
            var scored = ScoreTableRun.Score(dataset, folder, scoring, options, cancellation);
            Inputs.TellLayout(dataset);
            try
            {
                foreach (var item in scored)
                {
                    read += item.ImagesRead;
                    unopened += item.Rows.Count(row => row.Status == Media.ImageStatus.Skipped);
                    progress.Add(item);
                }
            }
            catch (DatasetException exception) when (exception.IsOfSomeParts)
            {
                // Told of at the end: the others were scored.
                unreadable = exception;
            }
            LiveLine.Clear();
            var origin = progress.HasImages ? string.Create(
                CultureInfo.InvariantCulture,
                $": {read:N0} read, {progress.Images - read - unopened:N0} already in the table") : "";
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Counted} in {Progress.Duration(progress.Elapsed)}{origin}, {progress.Failed:N0} failed{progress.SkippedText} " +
                $"-> {folder}"));
            progress.TellPlaceholders();
            if (options.Sharding != null)
                TellParts(folder);
            if (unreadable != null)
            {
                progress.Fail(unreadable);
                return Failure.Report(unreadable);
            }
            progress.End();
            if (options.Sharding != null)
                return progress.Items == 0 ? ExitCode.Done : inputs.ExitCodeOf(parsed, progress, dataset);
            if (progress.Items > 0 && ScoreTable.Open(folder) is { Incomplete: null } table)
                SummaryDisplay.Write(TableSummary.Of(table), folder, progress.HasImages ? "images" : "items");
            return inputs.ExitCodeOf(parsed, progress, dataset);
        }, progress);
    }

    /// <summary>Says how far the table is whose parts several runs score.</summary>
    private static void TellParts(string folder)
    {
        var (done, all) = ScoreTable.PartsOf(folder);
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{done:N0} of {all:N0} parts of {folder} are finished." +
            $"{(done < all ? "" : $" 'pristine compact {folder}' makes one table of them.")}"));
        if (all == 1)
            Console.Error.WriteLine(
                "pristine: the dataset is one part, which one process scores: it is small, or of a kind that is not divided " +
                "(COCO, a single archive or compressed file; several of these are a part each).");
    }
}
