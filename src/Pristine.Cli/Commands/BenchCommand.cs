using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Metrics;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary>
/// <c>pristine bench --images DIR --mos FILE</c>: how well metrics agree with people; <c>pristine bench --degraded LOG</c>: how well they
/// find images that <c>pristine degrade</c> made worse.
/// </summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var images = new Option<string?>("--images")
        {
            Description = "Folder of the images; with --degraded the default is the log's folder",
            HelpName = "DIR",
        };
        var mos = new Option<string?>("--mos")
        {
            Description = "Label file with opinion scores: of LIVE, CSIQ, TID2013, KADID-10k, KonIQ-10k, SPAQ, CLIVE, FLIVE or BIQ2021, " +
                "or a CSV with a header such as image,mos",
            HelpName = "FILE",
        };
        var degraded = new Option<string?>("--degraded")
        {
            Description = $"Log of 'pristine degrade' ({DegradationRun.LogName})",
            HelpName = "LOG",
        };
        var imageColumn = new Option<string?>("--image-column")
        {
            Description = "The label file's column with the image, if it is not found by its name",
            HelpName = "NAME",
        };
        var scoreColumn = new Option<string?>("--score-column")
        {
            Description = "The label file's column with the opinion score, if it is not found by its name",
            HelpName = "NAME",
        };
        var direction = new Option<string?>("--mos-direction") { Description = "Which opinions are good, if the file does not tell" };
        direction.OneOf("higher", "lower");
        var metrics = new Option<string?>("--metrics", "-m")
        {
            Description = "Metrics, separated by commas; default: every metric with a good end that can run here",
            HelpName = "A,B",
        };
        var output = new Option<string?>("--out", "-o")
        {
            Description = "Folder for bench.md, bench.html, bench.json and images.csv",
            HelpName = "DIR",
        };
        var resamples = new Option<int>("--resamples")
        {
            Description = "Bootstrap resamples of the confidence intervals",
            HelpName = "N",
            DefaultValueFactory = _ => new BootstrapOptions().Resamples,
        };
        resamples.Between(1, 1_000_000);
        var seed = new Option<long>("--seed")
        {
            Description = "Makes the confidence intervals repeat",
            HelpName = "N",
            DefaultValueFactory = _ => new BootstrapOptions().Seed,
        };
        var command = new CliCommand(
            "bench",
            "Measures how well metrics agree with people, or how well they find degraded images. Prints Markdown.",
            "pristine bench --images koniq10k/512x384 --mos koniq10k.csv",
            "pristine bench --degraded degraded/degraded.jsonl --out bench");
        foreach (var option in (Option[])[images, mos, degraded, metrics, output, imageColumn, scoreColumn, direction, resamples, seed])
            command.Options.Add(option);
        inputs.AddHeadsTo(command);
        inputs.AddDecodingTo(command);
        command.SetAction(parsed =>
        {
            var known = inputs.Known(parsed);
            var (labels, log, folder) = (parsed.GetValue(mos), parsed.GetValue(degraded), parsed.GetValue(images));
            if (labels == null == (log == null))
                throw new UsageException($"Expected either --mos FILE or --degraded LOG; found {(labels == null ? "neither" : "both")}.");
            if (labels != null && folder == null)
                throw new UsageException("Expected --images DIR beside --mos FILE; found none.");
            if (folder != null && !Directory.Exists(folder))
                throw new DatasetException($"Expected a folder of images; '{folder}' is not one.");
            var chosen = parsed.GetValue(metrics) is { } names
                ? Inputs.Scores(names, known)
                : [.. known.All.Where(metric => metric.HasQuality && metric.Missing == null)];
            var options = new BenchmarkOptions
            {
                Scoring = inputs.Scoring(parsed, chosen),
                Bootstrap = new BootstrapOptions { Resamples = parsed.GetValue(resamples), Seed = parsed.GetValue(seed) },
            };
            var opinions = new OpinionOptions
            {
                ImageColumn = parsed.GetValue(imageColumn),
                ScoreColumn = parsed.GetValue(scoreColumn),
                Direction = parsed.GetValue(direction) switch
                {
                    "higher" => OpinionDirection.HigherIsBetter,
                    "lower" => OpinionDirection.LowerIsBetter,
                    _ => null,
                },
            };
            if (parsed.GetValue(output) is { } place)
                BenchmarkReport.CheckPlace(place);
            return Run(parsed, inputs, parsed.GetValue(output), (progress, cancellation) => log == null
                ? BenchmarkReport.Of(
                    OpinionBenchmark.Run(OpinionScores.Read(labels!, opinions), folder!, options, progress.Add, cancellation))
                : BenchmarkReport.Of(DegradationBenchmark.Run(log, folder, options, progress.Add, cancellation)));
        });
        return command;
    }

    private static int Run(ParseResult parsed, Inputs inputs, string? output, Func<Progress, CancellationToken, BenchmarkReport> work)
    {
        using var progress = new Progress();
        return Job.Run(() => $"Stopped after {progress.Images:N0} images; nothing was written.", cancellation =>
        {
            var report = work(progress, cancellation);
            LiveLine.Clear();
            Console.Out.Write(report.ToMarkdown());
            if (output != null)
            {
                report.Write(output);
                Console.Error.WriteLine($"Written to {output}: bench.md, bench.html, bench.json, images.csv");
            }
            return inputs.ExitCodeOf(parsed, progress.Failed);
        });
    }
}
