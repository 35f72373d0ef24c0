using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Metrics;
using Pristine.Reports;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine report TABLE --out report.html</c>: one HTML file about a score table.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("TABLE") { Description = "A score table, made by 'pristine score INPUT --out TABLE'" };
        var output = new Option<string>("--out", "-o")
        {
            Description = "The HTML file; it holds everything and needs no network; - for stdout",
            HelpName = "FILE",
            Required = true,
        };
        var thumbnails = new Option<int>("--thumbnails")
        {
            Description = $"Pictures in the report, 0 to {ReportOptions.MostThumbnails}",
            HelpName = "N",
            DefaultValueFactory = _ => ReportOptions.MostThumbnails,
        };
        thumbnails.Between(0, ReportOptions.MostThumbnails);
        var imageRoot = new Option<string?>("--image-root")
        {
            Description = "Folder of relative image paths, if the images are no longer where they were scored",
            HelpName = "DIR",
        };
        var workers = new Option<int>("--workers", "-j")
        {
            Description = "Threads; they do not change the report",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        workers.Between(1, Inputs.MostWorkers);
        var remote = new RemoteArguments();
        var command = new CliCommand(
            "report",
            "Makes one HTML file about a score table: thresholds to drag, galleries, agreement of metrics, failures, provenance.",
            "pristine report scores --out report.html",
            "pristine report scores --out - --thumbnails 0 > report.html")
        {
            folder, output, thumbnails, imageRoot, workers,
        };
        remote.AddTo(command);
        var recipe = new RecipeArguments();
        recipe.AddTo(command);
        command.SetAction(parsed =>
        {
            recipe.Apply(parsed, Array.Empty<Metric>());
            return Run(parsed.GetRequiredValue(folder), parsed.GetRequiredValue(output), new ReportOptions
            {
                Thumbnails = parsed.GetValue(thumbnails),
                ImageRoot = parsed.GetValue(imageRoot),
                Workers = parsed.GetValue(workers),
                Remote = remote.Access(parsed),
            });
        });
        return command;
    }

    private static int Run(string folder, string output, ReportOptions options)
    {
        var table = TableArguments.Open(folder);
        if (table.UnknownMetrics is { } unknown)
            Console.Error.WriteLine($"pristine: about the table {folder}: {unknown}. The column is used as it stands.");
        return Job.Run(() => "Stopped; no report was written.", cancellation =>
        {
            var summary = Report.Write(table, folder, output, options, cancellation);
            var missing = summary.WithoutThumbnail > 0 ? string.Create(
                CultureInfo.InvariantCulture, $" ({summary.WithoutThumbnail:N0} images are no longer there or readable)") : "";
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{summary.Items:N0} items, {summary.Thumbnails:N0} thumbnails{missing}, {summary.Bytes / 1e6:0.0} MB -> {output}"));
            if (summary.Items == 0)
                Console.Error.WriteLine($"pristine: no items in the score table {folder}.");
            return ExitCode.Done;
        });
    }
}
